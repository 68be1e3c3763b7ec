//! The one table of keys: what a key means, where. The help screen, the function bar, the palette
//! and the documents are printed from it: a key is one row here.

pub use crate::app::keymap::key::{Key, KeyCode};

/// Where a key has its meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyContext {
    /// The table of processes.
    Browse,
    /// The tree of memory cgroups.
    Cgroups,
    /// The list of policies and their verdicts.
    Verdicts,
    /// The machine's memory through time.
    Memory,
    /// What happened.
    Events,
    /// The editor of oom_score_adj.
    Adjust,
    /// The editor of the kernel's switches.
    Sysctl,
    /// The page of the rules of adj.
    AdjRules,
    /// A dialog that asks before it acts.
    Confirm,
    /// A list to choose from.
    Menu,
    /// A page to read: help, explain.
    Page,
    /// The journal of the session.
    Journal,
    /// The page that tells how to keep a value.
    Persist,
}

/// What a key means.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs, reason = "each is explained by the help text of its row in KEYS")]
pub enum Action {
    Up,
    Down,
    PageUp,
    PageDown,
    HalfUp,
    HalfDown,
    First,
    Last,
    ScrollUp,
    ScrollDown,
    ColumnsLeft,
    ColumnsRight,
    ColumnsBegin,
    ColumnsEnd,
    Explain,
    Adjust,
    Protect,
    Expose,
    ProtectFine,
    ExposeFine,
    Sacrifice,
    SignalMenu,
    Escalate,
    Revert,
    Redo,
    Journal,
    Keep,
    Promises,
    SortBadness,
    SortRss,
    SortCpu,
    SortRun,
    SortPid,
    SortGrowth,
    SortLeft,
    SortRight,
    SortMenu,
    Invert,
    Search,
    SearchNext,
    SearchPrevious,
    Filter,
    UserFilter,
    Tag,
    Untag,
    TagSubtree,
    CommandLine,
    CommandShort,
    Tree,
    Expand,
    Collapse,
    ToggleBranch,
    Follow,
    Pause,
    KernelThreads,
    HideSpared,
    Header,
    HeaderOff,
    Units,
    HeaderUnits,
    Columns,
    PolicyMenu,
    Delay,
    LookNow,
    Redraw,
    Palette,
    Copy,
    Dump,
    Record,
    WritePast,
    Help,
    Back,
    Quit,
    QuitKeep,
    Suspend,
    Threads,
    NotVim,
    ScopeMenu,
    ScopeBack,
    NextView,
    PreviousView,
    ViewProcesses,
    ViewCgroups,
    ViewVerdicts,
    ViewMemory,
    ViewEvents,
    // Through time.
    LookBack,
    LookForward,
    FarBack,
    FarForward,
    KillBefore,
    KillAfter,
    GoToTime,
    Now,
    Faster,
    Slower,
    // In the view of memory.
    ZoomIn,
    ZoomOut,
    Enlarge,
    // In the tree of cgroups.
    EnterDomain,
    GroupsByWall,
    GroupsAsTree,
    HideUnlimited,
    ProcessFirst,
    // In the view of verdicts.
    EnterPolicy,
    HideAgreeing,
    // In the view of events.
    ExplainKill,
    LookBefore,
    KillsOnly,
    WhyReport,
    // In the adj editor.
    StepDown,
    StepUp,
    FineDown,
    FineUp,
    Lowest,
    Highest,
    PresetDown,
    PresetUp,
    OtherScale,
    Reach,
    OutOfFirst,
    IntoFirst,
    Apply,
    // In the editor of the kernel's switches.
    Overcommit,
    NextPreset,
    CopyLine,
    // The rules of adj.
    RulesPage,
    RulesOff,
    SwitchOn,
    // In a dialog that asks.
    Yes,
    SwapSignal,
    WithSharers,
    Retarget,
    // In a menu.
    Choose,
    Toggle,
    NextPolicy,
    // On a page with a cursor.
    PutBack,
    Write,
}

impl Action {
    /// By how many lines an action moves a cursor, where `page` lines are on the screen; nothing where
    /// it does not.
    #[must_use]
    pub fn step(self, page: u16) -> Option<isize> {
        let page = isize::try_from(page.max(2) - 1).unwrap_or(1);
        Some(match self {
            Self::Up => -1,
            Self::Down => 1,
            Self::PageUp => -page,
            Self::PageDown => page,
            Self::HalfUp => -(page / 2).max(1),
            Self::HalfDown => (page / 2).max(1),
            Self::First => isize::MIN,
            Self::Last => isize::MAX,
            _ => return None,
        })
    }

    /// Whether it means the same in the table and in every view beside it.
    #[must_use]
    pub fn is_everywhere(self) -> bool {
        KEYS.iter().any(|binding| binding.action == self && binding.places.starts_with(EVERYWHERE))
    }
}

/// A row of the table of keys.
#[derive(Debug)]
pub struct KeyBinding {
    /// Where: in one place, or in several that share it.
    pub places: &'static [KeyContext],
    /// Which keys.
    pub keys: &'static [Key],
    /// What they mean.
    pub action: Action,
    /// In the function bar (short); empty: not there.
    pub label: &'static str,
    /// In help, palette and documents.
    pub help: &'static str,
}

const fn c(c: char) -> Key {
    Key::char(c)
}

const fn k(code: KeyCode) -> Key {
    Key::plain(code)
}

const fn row(
    places: &'static [KeyContext],
    keys: &'static [Key],
    action: Action,
    label: &'static str,
    help: &'static str,
) -> KeyBinding {
    KeyBinding { places, keys, action, label, help }
}

/// The table of processes, and the views beside it.
const EVERYWHERE: &[KeyContext] = &[
    KeyContext::Browse,
    KeyContext::Cgroups,
    KeyContext::Verdicts,
    KeyContext::Memory,
    KeyContext::Events,
];
/// The same, and pages over them.
const EVERYWHERE_AND_PAGES: &[KeyContext] = &[
    KeyContext::Browse,
    KeyContext::Cgroups,
    KeyContext::Verdicts,
    KeyContext::Memory,
    KeyContext::Events,
    KeyContext::Page,
];
/// The views beside the table.
const VIEWS: &[KeyContext] =
    &[KeyContext::Cgroups, KeyContext::Verdicts, KeyContext::Memory, KeyContext::Events];
const MEMORY: &[KeyContext] = &[KeyContext::Memory];
const EVENTS: &[KeyContext] = &[KeyContext::Events];
const BROWSE: &[KeyContext] = &[KeyContext::Browse];
const CGROUPS: &[KeyContext] = &[KeyContext::Cgroups];
const VERDICTS: &[KeyContext] = &[KeyContext::Verdicts];
const EDIT: &[KeyContext] = &[KeyContext::Adjust];
const KNOBS: &[KeyContext] = &[KeyContext::Sysctl];
const RULES: &[KeyContext] = &[KeyContext::AdjRules];
const CONFIRM: &[KeyContext] = &[KeyContext::Confirm];
const MENU: &[KeyContext] = &[KeyContext::Menu];
const PAGE: &[KeyContext] = &[KeyContext::Page];
const JOURNAL: &[KeyContext] = &[KeyContext::Journal];
const KEEP: &[KeyContext] = &[KeyContext::Persist];
/// The pages with a cursor.
const LISTS: &[KeyContext] = &[KeyContext::Journal, KeyContext::Persist];

/// Every key. Digits in the table jump to a pid and stand in no row.
pub static KEYS: &[KeyBinding] = &[
    row(EVERYWHERE, &[k(KeyCode::Up)], Action::Up, "", "move up"),
    row(EVERYWHERE, &[k(KeyCode::Down)], Action::Down, "", "move down"),
    row(EVERYWHERE, &[k(KeyCode::PageUp), Key::ctrl('b')], Action::PageUp, "", "a page up"),
    row(EVERYWHERE, &[k(KeyCode::PageDown), Key::ctrl('f')], Action::PageDown, "", "a page down"),
    row(EVERYWHERE, &[Key::ctrl('u')], Action::HalfUp, "", "half a page up"),
    row(EVERYWHERE, &[Key::ctrl('d')], Action::HalfDown, "", "half a page down"),
    row(EVERYWHERE, &[k(KeyCode::Home), c('g')], Action::First, "", "first row"),
    row(EVERYWHERE, &[k(KeyCode::End), c('G')], Action::Last, "", "last row"),
    row(BROWSE, &[Key::shift(KeyCode::Up)], Action::ScrollUp, "", "scroll up, leave the cursor"),
    row(
        BROWSE,
        &[Key::shift(KeyCode::Down)],
        Action::ScrollDown,
        "",
        "scroll down, leave the cursor",
    ),
    row(BROWSE, &[k(KeyCode::Left)], Action::ColumnsLeft, "", "scroll the columns left"),
    row(BROWSE, &[k(KeyCode::Right)], Action::ColumnsRight, "", "scroll the columns right"),
    row(BROWSE, &[Key::ctrl('a')], Action::ColumnsBegin, "", "first columns"),
    row(BROWSE, &[Key::ctrl('e')], Action::ColumnsEnd, "", "last columns"),
    row(
        BROWSE,
        &[k(KeyCode::Enter)],
        Action::Explain,
        "",
        "explain: why this rank, what would change it",
    ),
    row(BROWSE, &[c('a')], Action::Adjust, "", "adjust oom_score_adj, with a preview"),
    row(
        BROWSE,
        &[k(KeyCode::F(7)), c(']')],
        Action::Protect,
        "Adj-",
        "adjust, proposing 50 lower: protect it",
    ),
    row(
        BROWSE,
        &[k(KeyCode::F(8)), c('[')],
        Action::Expose,
        "Adj+",
        "adjust, proposing 50 higher: expose it",
    ),
    row(
        BROWSE,
        &[Key::shift(KeyCode::F(7))],
        Action::ProtectFine,
        "",
        "adjust, proposing 10 lower",
    ),
    row(
        BROWSE,
        &[Key::shift(KeyCode::F(8))],
        Action::ExposeFine,
        "",
        "adjust, proposing 10 higher",
    ),
    row(
        BROWSE,
        &[c('X')],
        Action::Sacrifice,
        "",
        "sacrifice it, or the tagged: SIGTERM if it holds raw I/O, SIGKILL otherwise; asks first",
    ),
    row(
        EVERYWHERE_AND_PAGES,
        &[c('x')],
        Action::Escalate,
        "",
        "SIGKILL for who does not obey a gentler signal of yours; asks first",
    ),
    row(
        BROWSE,
        &[k(KeyCode::F(9)), c('k')],
        Action::SignalMenu,
        "Signal",
        "send another signal; asks first",
    ),
    row(BROWSE, &[c('r')], Action::Revert, "", "revert the last change of adj; asks first"),
    row(
        BROWSE,
        &[Key::alt('r')],
        Action::Redo,
        "",
        "redo: make the change again that was put back last; asks first",
    ),
    row(
        EVERYWHERE,
        &[c('J')],
        Action::Journal,
        "",
        "journal: what was done in this session, to put back or make again",
    ),
    row(
        BROWSE,
        &[c('W')],
        Action::Keep,
        "",
        "keep it: the drop-in, option or command by which its adj outlasts a restart",
    ),
    row(BROWSE, &[c('B')], Action::SortBadness, "", "sort by badness"),
    row(BROWSE, &[c('M')], Action::SortRss, "", "sort by resident memory"),
    row(BROWSE, &[c('P')], Action::SortCpu, "", "sort by CPU time"),
    row(BROWSE, &[c('T')], Action::SortRun, "", "sort by run time"),
    row(BROWSE, &[c('N')], Action::SortPid, "", "sort by pid"),
    row(
        BROWSE,
        &[c('A')],
        Action::SortGrowth,
        "",
        "who is eating it now: sort by growth over the last minute",
    ),
    row(BROWSE, &[c('<')], Action::SortLeft, "", "sort by the column to the left"),
    row(BROWSE, &[c('>')], Action::SortRight, "", "sort by the column to the right"),
    row(
        BROWSE,
        &[k(KeyCode::F(6)), c(','), c('.')],
        Action::SortMenu,
        "Sort",
        "choose the column to sort by",
    ),
    row(BROWSE, &[c('I'), c('R')], Action::Invert, "", "invert the order"),
    row(BROWSE, &[k(KeyCode::F(3)), c('/')], Action::Search, "Find", "search as you type"),
    row(BROWSE, &[c('n')], Action::SearchNext, "", "next match"),
    row(BROWSE, &[Key::shift(KeyCode::F(3))], Action::SearchPrevious, "", "previous match"),
    row(
        BROWSE,
        &[k(KeyCode::F(4)), c('\\'), c('o'), c('O')],
        Action::Filter,
        "Filter",
        "filter: words, /regex/, user:NAME cgroup:NAME command:NAME, !not",
    ),
    row(BROWSE, &[c('u')], Action::UserFilter, "", "only one user's processes"),
    row(
        BROWSE,
        &[c(' ')],
        Action::Tag,
        "",
        "tag it: X sacrifices all the tagged, the editor of adj takes them where it is told to",
    ),
    row(BROWSE, &[c('U')], Action::Untag, "", "untag all"),
    row(BROWSE, &[Key::alt('c')], Action::TagSubtree, "", "tag it and its descendants"),
    row(BROWSE, &[c('c')], Action::CommandLine, "", "name or command line"),
    row(BROWSE, &[c('p')], Action::CommandShort, "", "command line with or without directories"),
    row(BROWSE, &[k(KeyCode::F(5)), c('t'), c('V')], Action::Tree, "Tree", "tree by parent"),
    row(BROWSE, &[c('+')], Action::Expand, "", "tree: open the branch"),
    row(BROWSE, &[c('-')], Action::Collapse, "", "tree: close the branch"),
    row(BROWSE, &[c('*')], Action::ToggleBranch, "", "tree: open or close all branches"),
    row(BROWSE, &[c('F')], Action::Follow, "", "the cursor follows the process, or keeps its row"),
    row(EVERYWHERE, &[c('z'), c('Z')], Action::Pause, "", "pause"),
    row(BROWSE, &[c('K')], Action::KernelThreads, "", "show or hide kernel threads"),
    row(BROWSE, &[c('i')], Action::HideSpared, "", "show or hide those who cannot be chosen"),
    row(EVERYWHERE, &[c('m')], Action::Header, "", "header: full, small, one line, off"),
    row(EVERYWHERE, &[c('#')], Action::HeaderOff, "", "header on or off"),
    row(EVERYWHERE, &[c('e')], Action::Units, "", "unit of the table"),
    row(EVERYWHERE, &[c('E')], Action::HeaderUnits, "", "unit of the header"),
    row(BROWSE, &[k(KeyCode::F(2)), c('f')], Action::Columns, "Columns", "choose the columns"),
    row(EVERYWHERE, &[c('s')], Action::ScopeMenu, "", "scope: the machine, or one memory cgroup"),
    row(
        EVERYWHERE,
        &[c('S')],
        Action::ScopeBack,
        "",
        "scope back to the machine (in a container: first to its own limit)",
    ),
    row(EVERYWHERE, &[c('v')], Action::PolicyMenu, "", "choose the policy: whose rule ranks"),
    row(
        EVERYWHERE,
        &[k(KeyCode::Tab)],
        Action::NextView,
        "",
        "next view: Processes, Cgroups, Verdicts, Memory, Events",
    ),
    row(EVERYWHERE, &[k(KeyCode::BackTab)], Action::PreviousView, "", "previous view"),
    row(EVERYWHERE, &[Key::alt('1')], Action::ViewProcesses, "", "view Processes"),
    row(
        EVERYWHERE,
        &[Key::alt('2')],
        Action::ViewCgroups,
        "",
        "view Cgroups: every wall, and who dies there",
    ),
    row(
        EVERYWHERE,
        &[Key::alt('3')],
        Action::ViewVerdicts,
        "",
        "view Verdicts: every policy, and who would die by it",
    ),
    row(
        EVERYWHERE,
        &[Key::alt('4')],
        Action::ViewMemory,
        "",
        "view Memory: the machine's memory through time",
    ),
    row(EVERYWHERE, &[Key::alt('5')], Action::ViewEvents, "", "view Events: every kill"),
    row(EVERYWHERE, &[c('(')], Action::LookBack, "", "back in time: the look before"),
    row(EVERYWHERE, &[c(')')], Action::LookForward, "", "forward in time: the next look"),
    row(EVERYWHERE, &[Key::shift(KeyCode::Left)], Action::FarBack, "", "ten looks back"),
    row(EVERYWHERE, &[Key::shift(KeyCode::Right)], Action::FarForward, "", "ten looks forward"),
    row(EVERYWHERE, &[c('{')], Action::KillBefore, "", "back to the kill before"),
    row(EVERYWHERE, &[c('}')], Action::KillAfter, "", "forward to the next kill"),
    row(EVERYWHERE, &[c('b')], Action::GoToTime, "", "go to a time: 14:03, 14:03:22, 5m ago"),
    row(EVERYWHERE, &[c('l')], Action::Now, "", "back to now; in a recording to its end"),
    row(EVERYWHERE, &[Key::alt('.')], Action::Faster, "", "play a recording faster"),
    row(EVERYWHERE, &[Key::alt(',')], Action::Slower, "", "play a recording slower"),
    row(MEMORY, &[k(KeyCode::Left)], Action::LookBack, "Back", "back in time: the look before"),
    row(MEMORY, &[k(KeyCode::Right)], Action::LookForward, "On", "forward in time: the next look"),
    row(MEMORY, &[c('+')], Action::ZoomIn, "Closer", "charts of a shorter time"),
    row(MEMORY, &[c('-')], Action::ZoomOut, "Wider", "charts of a longer time: 1m to 4h, or all"),
    row(MEMORY, &[k(KeyCode::Enter)], Action::Enlarge, "Large", "one chart large, or all again"),
    row(
        EVERYWHERE,
        &[Key::alt('o')],
        Action::Overcommit,
        "",
        "overcommit and the other switches of vm: turn them, with a preview",
    ),
    row(
        EVERYWHERE,
        &[Key::alt('a')],
        Action::RulesPage,
        "",
        "rules of adj (--adj-rules): whom they mean; switch them on",
    ),
    row(
        EVERYWHERE,
        &[Key::alt('x')],
        Action::RulesOff,
        "",
        "rules of adj: switch them off at once",
    ),
    row(
        EVERYWHERE,
        &[c('C')],
        Action::Promises,
        "",
        "promises: what malloc gave away, what is behind it, and who could still ask for it",
    ),
    row(EVERYWHERE, &[c('d')], Action::Delay, "", "seconds between refreshes"),
    row(EVERYWHERE, &[Key::ctrl('r')], Action::LookNow, "", "refresh now"),
    row(EVERYWHERE, &[Key::ctrl('l')], Action::Redraw, "", "redraw the screen"),
    row(EVERYWHERE, &[c(':')], Action::Palette, "", "every action by name"),
    row(BROWSE, &[c('y')], Action::Copy, "", "copy pid, command line or choom command"),
    row(EVERYWHERE, &[c('D')], Action::Dump, "", "write this look to a file as JSON"),
    row(
        EVERYWHERE,
        &[Key::alt('e')],
        Action::Record,
        "",
        "record to a new file from here on; again ends",
    ),
    row(
        EVERYWHERE,
        &[Key::alt('w')],
        Action::WritePast,
        "",
        "write the looks that are kept to a recording",
    ),
    row(EVERYWHERE, &[k(KeyCode::F(1)), c('?'), c('h')], Action::Help, "Help", "this page"),
    row(
        BROWSE,
        &[k(KeyCode::Esc)],
        Action::Back,
        "",
        "clear the search, then the filter; never quits",
    ),
    row(VIEWS, &[k(KeyCode::Esc)], Action::Back, "", "back to the table of processes"),
    row(EVERYWHERE, &[k(KeyCode::F(10)), c('q'), Key::ctrl('c')], Action::Quit, "Quit", "quit"),
    row(
        EVERYWHERE,
        &[c('Q')],
        Action::QuitKeep,
        "",
        "quit and leave the last picture on the terminal",
    ),
    row(EVERYWHERE, &[Key::ctrl('z')], Action::Suspend, "", "suspend"),
    row(BROWSE, &[c('H')], Action::Threads, "", "says why there are no threads here"),
    row(EVERYWHERE, &[c('j')], Action::NotVim, "", "does nothing: k would be kill"),
    row(
        CGROUPS,
        &[k(KeyCode::Enter)],
        Action::EnterDomain,
        "",
        "show the processes of this domain, ranked as an OOM in it would",
    ),
    row(
        CGROUPS,
        &[k(KeyCode::F(6)), c('B'), c(','), c('.')],
        Action::GroupsByWall,
        "Nearest",
        "sort by nearness of the wall",
    ),
    row(
        CGROUPS,
        &[k(KeyCode::F(5)), c('t'), c('V')],
        Action::GroupsAsTree,
        "Tree",
        "sort as the tree that they are",
    ),
    row(
        CGROUPS,
        &[c('i')],
        Action::HideUnlimited,
        "",
        "show or hide those with no limit, their own or below",
    ),
    row(
        VIEWS,
        &[
            c('a'),
            c('k'),
            c('X'),
            c('r'),
            c('W'),
            k(KeyCode::F(7)),
            k(KeyCode::F(8)),
            k(KeyCode::F(9)),
            Key::shift(KeyCode::F(7)),
            Key::shift(KeyCode::F(8)),
            c(']'),
            c('['),
        ],
        Action::ProcessFirst,
        "",
        "nothing here: who is acted on is chosen in the table",
    ),
    row(VERDICTS, &[k(KeyCode::Left)], Action::ColumnsLeft, "", "scroll the ranks left"),
    row(VERDICTS, &[k(KeyCode::Right)], Action::ColumnsRight, "", "scroll the ranks right"),
    row(VERDICTS, &[Key::ctrl('a')], Action::ColumnsBegin, "", "first ranks"),
    row(VERDICTS, &[Key::ctrl('e')], Action::ColumnsEnd, "", "last ranks"),
    row(
        VERDICTS,
        &[k(KeyCode::Enter)],
        Action::EnterPolicy,
        "",
        "rank by this policy, and show the processes",
    ),
    row(
        VERDICTS,
        &[c('i')],
        Action::HideAgreeing,
        "",
        "show or hide the policies that agree with the current one",
    ),
    row(
        EVENTS,
        &[k(KeyCode::Enter)],
        Action::ExplainKill,
        "",
        "explain this kill: the kernel's own table of that moment, ranked, and why",
    ),
    row(EVENTS, &[c('p')], Action::LookBefore, "", "the look just before it, on the whole screen"),
    row(EVENTS, &[c('i')], Action::KillsOnly, "", "show or hide what was done from here"),
    row(
        EVERYWHERE,
        &[c('w')],
        Action::WhyReport,
        "",
        "in the report of a kill: what happened, and whether the rule agrees",
    ),
    row(
        EDIT,
        &[k(KeyCode::Left), k(KeyCode::F(7)), c(']')],
        Action::StepDown,
        "-50",
        "50 lower (legacy: 1)",
    ),
    row(
        EDIT,
        &[k(KeyCode::Right), k(KeyCode::F(8)), c('[')],
        Action::StepUp,
        "+50",
        "50 higher (legacy: 1)",
    ),
    row(
        EDIT,
        &[k(KeyCode::Down), Key::shift(KeyCode::F(7)), Key::shift(KeyCode::Left)],
        Action::FineDown,
        "",
        "10 lower (legacy: 1)",
    ),
    row(
        EDIT,
        &[k(KeyCode::Up), Key::shift(KeyCode::F(8)), Key::shift(KeyCode::Right)],
        Action::FineUp,
        "",
        "10 higher (legacy: 1)",
    ),
    row(EDIT, &[k(KeyCode::Home)], Action::Lowest, "", "never: -1000 (legacy: -17)"),
    row(EDIT, &[k(KeyCode::End)], Action::Highest, "", "always first: +1000 (legacy: +15)"),
    row(
        EDIT,
        &[k(KeyCode::PageDown)],
        Action::PresetDown,
        "",
        "the next lower of -1000, -999, -500, 0, +300, +1000 (legacy: -17, -16, -8, 0, 5, 15)",
    ),
    row(EDIT, &[k(KeyCode::PageUp)], Action::PresetUp, "", "the next higher of them"),
    row(
        EDIT,
        &[c('o')],
        Action::OutOfFirst,
        "NotFirst",
        "the smallest change that takes it out of first place",
    ),
    row(EDIT, &[c('f')], Action::IntoFirst, "First", "the smallest change that puts it there"),
    row(
        EDIT,
        &[c('t')],
        Action::Reach,
        "Whom",
        "to whom: this one, the tagged, all of its name, its subtree, its cgroup, its user",
    ),
    row(EDIT, &[c('W'), c('w')], Action::Keep, "Keep", "how to keep this value"),
    row(
        EDIT,
        &[k(KeyCode::Tab), k(KeyCode::BackTab)],
        Action::OtherScale,
        "Scale",
        "the other scale: oom_score_adj or oom_adj",
    ),
    row(EDIT, &[k(KeyCode::Enter)], Action::Apply, "Apply", "apply"),
    row(EDIT, &[k(KeyCode::Esc), c('q')], Action::Back, "Leave", "leave everything as it was"),
    row(
        EDIT,
        &[k(KeyCode::F(10)), Key::ctrl('c')],
        Action::Quit,
        "",
        "leave everything as it was; again quits",
    ),
    row(EDIT, &[Key::ctrl('z')], Action::Suspend, "", "suspend"),
    row(KNOBS, &[k(KeyCode::Up)], Action::Up, "", "the switch above"),
    row(KNOBS, &[k(KeyCode::Down)], Action::Down, "", "the switch below"),
    row(KNOBS, &[k(KeyCode::Home)], Action::First, "", "the first switch"),
    row(KNOBS, &[k(KeyCode::End)], Action::Last, "", "the last switch"),
    row(
        KNOBS,
        &[k(KeyCode::Left), c('-')],
        Action::StepDown,
        "Lower",
        "lower (ratio: 5, KiB: 1 GiB)",
    ),
    row(
        KNOBS,
        &[k(KeyCode::Right), c('+')],
        Action::StepUp,
        "Higher",
        "higher (ratio: 5, KiB: 1 GiB)",
    ),
    row(KNOBS, &[Key::shift(KeyCode::Left)], Action::FineDown, "", "1 lower (KiB: 64 MiB)"),
    row(KNOBS, &[Key::shift(KeyCode::Right)], Action::FineUp, "", "1 higher (KiB: 64 MiB)"),
    row(KNOBS, &[k(KeyCode::Tab)], Action::NextPreset, "Usual", "the next usual value"),
    row(KNOBS, &[c('r')], Action::Revert, "", "propose what it was before the last turn from here"),
    row(KNOBS, &[c('y')], Action::Copy, "", "copy the sysctl command"),
    row(KNOBS, &[c('Y')], Action::CopyLine, "", "copy the line for /etc/sysctl.d"),
    row(
        KNOBS,
        &[k(KeyCode::Enter)],
        Action::Apply,
        "Apply",
        "apply; what could stop the machine asks again",
    ),
    row(KNOBS, &[k(KeyCode::Esc), c('q')], Action::Back, "Leave", "leave everything as it was"),
    row(
        KNOBS,
        &[k(KeyCode::F(10)), Key::ctrl('c')],
        Action::Quit,
        "",
        "leave everything as it was; again quits",
    ),
    row(KNOBS, &[Key::ctrl('z')], Action::Suspend, "", "suspend"),
    row(RULES, &[k(KeyCode::Enter)], Action::SwitchOn, "On", "switch the rules on; asks first"),
    row(RULES, &[c('o'), Key::alt('x')], Action::RulesOff, "Off", "switch the rules off"),
    row(RULES, &[k(KeyCode::Up)], Action::Up, "", "a line up"),
    row(RULES, &[k(KeyCode::Down)], Action::Down, "", "a line down"),
    row(RULES, &[k(KeyCode::PageUp), Key::ctrl('b')], Action::PageUp, "", "a page up"),
    row(
        RULES,
        &[k(KeyCode::PageDown), Key::ctrl('f'), c(' ')],
        Action::PageDown,
        "",
        "a page down",
    ),
    row(RULES, &[k(KeyCode::Home), c('g')], Action::First, "", "begin"),
    row(RULES, &[k(KeyCode::End), c('G')], Action::Last, "", "end"),
    row(RULES, &[k(KeyCode::Esc), c('q'), Key::alt('a')], Action::Back, "Close", "close"),
    row(RULES, &[k(KeyCode::F(10)), Key::ctrl('c')], Action::Quit, "", "quit"),
    row(RULES, &[Key::ctrl('z')], Action::Suspend, "", "suspend"),
    row(CONFIRM, &[Key::ctrl('z')], Action::Suspend, "", "suspend"),
    row(MENU, &[Key::ctrl('z')], Action::Suspend, "", "suspend"),
    row(CONFIRM, &[k(KeyCode::Up)], Action::Up, "", "scroll a list of processes up"),
    row(CONFIRM, &[k(KeyCode::Down)], Action::Down, "", "scroll a list of processes down"),
    row(CONFIRM, &[k(KeyCode::PageUp)], Action::PageUp, "", "a page of the list up"),
    row(CONFIRM, &[k(KeyCode::PageDown)], Action::PageDown, "", "a page of the list down"),
    row(CONFIRM, &[c('y')], Action::Yes, "", "do it"),
    row(
        CONFIRM,
        &[k(KeyCode::Enter)],
        Action::Apply,
        "",
        "do it, where the pid or the count had to be typed or a change is put back",
    ),
    row(
        CONFIRM,
        &[c('s')],
        Action::SwapSignal,
        "",
        "SIGTERM instead of SIGKILL, or the other way round",
    ),
    row(
        CONFIRM,
        &[c('m')],
        Action::WithSharers,
        "",
        "all who live in its memory, too: it is free only when the last of them goes",
    ),
    row(CONFIRM, &[c('v')], Action::Retarget, "", "the predicted victim instead"),
    row(CONFIRM, &[k(KeyCode::Esc), c('n'), c('q')], Action::Back, "Leave", "do nothing"),
    row(CONFIRM, &[k(KeyCode::F(10)), Key::ctrl('c')], Action::Quit, "", "do nothing; again quits"),
    row(MENU, &[k(KeyCode::Up)], Action::Up, "", "move up"),
    row(MENU, &[k(KeyCode::Down)], Action::Down, "", "move down"),
    row(MENU, &[k(KeyCode::PageUp)], Action::PageUp, "", "a page up"),
    row(MENU, &[k(KeyCode::PageDown)], Action::PageDown, "", "a page down"),
    row(MENU, &[k(KeyCode::Home)], Action::First, "", "first"),
    row(MENU, &[k(KeyCode::End)], Action::Last, "", "last"),
    row(MENU, &[k(KeyCode::Enter)], Action::Choose, "Choose", "choose"),
    row(MENU, &[c(' ')], Action::Toggle, "", "switch on or off, where several may be chosen"),
    row(MENU, &[c('v')], Action::NextPolicy, "", "in the list of policies: the next one"),
    row(
        MENU,
        &[k(KeyCode::Esc), k(KeyCode::F(10)), Key::ctrl('c')],
        Action::Back,
        "Close",
        "close",
    ),
    row(PAGE, &[k(KeyCode::Up)], Action::Up, "", "a line up"),
    row(PAGE, &[k(KeyCode::Down)], Action::Down, "", "a line down"),
    row(PAGE, &[k(KeyCode::PageUp), Key::ctrl('b')], Action::PageUp, "", "a page up"),
    row(
        PAGE,
        &[k(KeyCode::PageDown), Key::ctrl('f'), c(' ')],
        Action::PageDown,
        "Page",
        "a page down",
    ),
    row(PAGE, &[k(KeyCode::Home), c('g')], Action::First, "", "begin"),
    row(PAGE, &[k(KeyCode::End), c('G')], Action::Last, "", "end"),
    row(PAGE, &[c('a')], Action::Adjust, "", "adjust the explained process"),
    row(PAGE, &[c('k'), k(KeyCode::F(9))], Action::SignalMenu, "", "signal the explained process"),
    row(PAGE, &[c('X')], Action::Sacrifice, "", "sacrifice the explained process"),
    row(PAGE, &[c('r')], Action::Revert, "", "revert the last change of adj; asks first"),
    row(PAGE, &[c('J')], Action::Journal, "", "the journal of the session"),
    row(PAGE, &[c('W')], Action::Keep, "", "how to keep the adj of the explained process"),
    row(PAGE, &[c('y')], Action::Copy, "", "copy from the explained process"),
    row(
        PAGE,
        &[k(KeyCode::Esc), k(KeyCode::Enter), c('q'), k(KeyCode::F(1)), c('?'), c('h')],
        Action::Back,
        "Close",
        "close",
    ),
    row(PAGE, &[k(KeyCode::F(10)), Key::ctrl('c')], Action::Quit, "", "quit"),
    row(PAGE, &[Key::ctrl('z')], Action::Suspend, "", "suspend"),
    row(LISTS, &[k(KeyCode::Up)], Action::Up, "", "move up"),
    row(LISTS, &[k(KeyCode::Down)], Action::Down, "", "move down"),
    row(LISTS, &[k(KeyCode::PageUp), Key::ctrl('b')], Action::PageUp, "", "a page up"),
    row(LISTS, &[k(KeyCode::PageDown), Key::ctrl('f')], Action::PageDown, "", "a page down"),
    row(LISTS, &[k(KeyCode::Home), c('g')], Action::First, "", "first"),
    row(LISTS, &[k(KeyCode::End), c('G')], Action::Last, "", "last"),
    row(
        JOURNAL,
        &[k(KeyCode::Enter), c('r')],
        Action::PutBack,
        "",
        "put this change back, or make it again where it was; asks first",
    ),
    row(JOURNAL, &[c('w')], Action::Write, "Write", "write the journal to a new file"),
    row(
        KEEP,
        &[c('w')],
        Action::Write,
        "",
        "write the chosen file: asks for a path, never over another file",
    ),
    row(LISTS, &[c('y')], Action::Copy, "Copy", "copy the chosen one"),
    row(JOURNAL, &[k(KeyCode::Esc), c('q'), c('J')], Action::Back, "Close", "close"),
    row(KEEP, &[k(KeyCode::Esc), c('q'), c('W')], Action::Back, "Close", "close"),
    row(LISTS, &[k(KeyCode::F(10)), Key::ctrl('c')], Action::Quit, "", "quit"),
    row(LISTS, &[Key::ctrl('z')], Action::Suspend, "", "suspend"),
];

/// The rows of a place.
pub fn keys_of(place: KeyContext) -> impl Iterator<Item = &'static KeyBinding> {
    KEYS.iter().filter(move |binding| binding.places.contains(&place))
}

/// What a key means in a place.
#[must_use]
pub fn meaning(place: KeyContext, key: Key) -> Option<Action> {
    keys_of(place).find(|binding| binding.keys.contains(&key)).map(|binding| binding.action)
}

/// The first key of an action in a place.
#[must_use]
pub fn key_of(place: KeyContext, action: Action) -> Option<Key> {
    let binding = keys_of(place).find(|binding| binding.action == action);
    binding.and_then(|binding| binding.keys.first().copied())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_key_has_two_meanings_in_one_place() {
        for (nth, binding) in KEYS.iter().enumerate() {
            for key in binding.keys {
                for other in &KEYS[nth + 1..] {
                    let shared = other.places.iter().any(|place| binding.places.contains(place));
                    assert!(
                        !shared || !other.keys.contains(key),
                        "{key} in {:?} means {:?} and {:?}",
                        binding.places,
                        binding.action,
                        other.action
                    );
                }
            }
        }
    }

    #[test]
    fn every_row_is_explained() {
        for binding in KEYS {
            assert!(!binding.help.is_empty() && !binding.keys.is_empty(), "{binding:?}");
        }
    }
}
