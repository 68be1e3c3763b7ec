//! The one table of keys: what a key means, where. The help screen, the function bar, the palette
//! and the README are printed from it: a key is one row here.

use std::fmt;

/// A key without its modifiers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Code {
    /// A character as typed: a shifted letter is its capital.
    Char(char),
    /// A function key.
    F(u8),
    /// Enter.
    Enter,
    /// Escape.
    Esc,
    /// Tab.
    Tab,
    /// Tab with Shift.
    BackTab,
    /// Backspace.
    Backspace,
    /// Delete.
    Delete,
    /// Arrow.
    Up,
    /// Arrow.
    Down,
    /// Arrow.
    Left,
    /// Arrow.
    Right,
    /// Home.
    Home,
    /// End.
    End,
    /// Page up.
    PageUp,
    /// Page down.
    PageDown,
}

/// A key press.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Key {
    /// Which.
    pub code: Code,
    /// With Control.
    pub ctrl: bool,
    /// With Alt.
    pub alt: bool,
    /// With Shift, where the code does not tell by itself.
    pub shift: bool,
}

impl Key {
    /// Without modifiers.
    #[must_use]
    pub const fn plain(code: Code) -> Self {
        Self { code, ctrl: false, alt: false, shift: false }
    }

    /// A character.
    #[must_use]
    pub const fn char(c: char) -> Self {
        Self::plain(Code::Char(c))
    }

    /// A character with Control.
    #[must_use]
    pub const fn ctrl(c: char) -> Self {
        Self { code: Code::Char(c), ctrl: true, alt: false, shift: false }
    }

    /// A character with Alt.
    #[must_use]
    pub const fn alt(c: char) -> Self {
        Self { code: Code::Char(c), ctrl: false, alt: true, shift: false }
    }

    /// With Shift.
    #[must_use]
    pub const fn shift(code: Code) -> Self {
        Self { code, ctrl: false, alt: false, shift: true }
    }

    /// The digit, if it is a plain one.
    #[must_use]
    pub fn digit(self) -> Option<char> {
        match self {
            Self { code: Code::Char(c), ctrl: false, alt: false, .. } if c.is_ascii_digit() => {
                Some(c)
            }
            _ => None,
        }
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.ctrl {
            f.write_str("^")?;
        }
        if self.alt {
            f.write_str("Alt-")?;
        }
        if self.shift {
            f.write_str("S-")?;
        }
        match self.code {
            Code::Char(' ') => f.write_str("Space"),
            Code::Char(c) if self.ctrl => write!(f, "{}", c.to_ascii_uppercase()),
            Code::Char(c) => write!(f, "{c}"),
            Code::F(n) => write!(f, "F{n}"),
            Code::Enter => f.write_str("Enter"),
            Code::Esc => f.write_str("Esc"),
            Code::Tab => f.write_str("Tab"),
            Code::BackTab => f.write_str("S-Tab"),
            Code::Backspace => f.write_str("Backspace"),
            Code::Delete => f.write_str("Del"),
            Code::Up => f.write_str("Up"),
            Code::Down => f.write_str("Down"),
            Code::Left => f.write_str("Left"),
            Code::Right => f.write_str("Right"),
            Code::Home => f.write_str("Home"),
            Code::End => f.write_str("End"),
            Code::PageUp => f.write_str("PgUp"),
            Code::PageDown => f.write_str("PgDn"),
        }
    }
}

/// Where a key has its meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// The table of processes.
    Browse,
    /// The tree of memory cgroups.
    Cgroups,
    /// The list of policies and their verdicts.
    Verdicts,
    /// The editor of oom_score_adj.
    Edit,
    /// A dialog that asks before it acts.
    Confirm,
    /// A list to choose from.
    Menu,
    /// A page to read: help, explain.
    Page,
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
    Revert,
    SortBadness,
    SortRss,
    SortCpu,
    SortRun,
    SortPid,
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
    // In the tree of cgroups.
    EnterDomain,
    GroupsByWall,
    GroupsAsTree,
    HideUnlimited,
    ProcessFirst,
    // In the view of verdicts.
    EnterPolicy,
    HideAgreeing,
    // In the adj editor.
    StepDown,
    StepUp,
    FineDown,
    FineUp,
    Lowest,
    Highest,
    OtherScale,
    Apply,
    // In a dialog that asks.
    Yes,
    SwapSignal,
    Retarget,
    // In a menu.
    Choose,
    Toggle,
    NextPolicy,
}

/// A row of the table of keys.
#[derive(Debug)]
pub struct Binding {
    /// Where.
    pub place: Place,
    /// Which keys.
    pub keys: &'static [Key],
    /// What they mean.
    pub action: Action,
    /// In the function bar (short); empty: not there.
    pub label: &'static str,
    /// In help, palette and README.
    pub help: &'static str,
}

const fn c(c: char) -> Key {
    Key::char(c)
}

const fn k(code: Code) -> Key {
    Key::plain(code)
}

const fn row(
    place: Place,
    keys: &'static [Key],
    action: Action,
    label: &'static str,
    help: &'static str,
) -> Binding {
    Binding { place, keys, action, label, help }
}

use Place::{Browse, Cgroups, Confirm, Edit, Menu, Page, Verdicts};

/// Every key. Digits in the table jump to a pid and stand in no row.
pub static KEYS: &[Binding] = &[
    row(Browse, &[k(Code::Up)], Action::Up, "", "move up"),
    row(Browse, &[k(Code::Down)], Action::Down, "", "move down"),
    row(Browse, &[k(Code::PageUp), Key::ctrl('b')], Action::PageUp, "", "a page up"),
    row(Browse, &[k(Code::PageDown), Key::ctrl('f')], Action::PageDown, "", "a page down"),
    row(Browse, &[Key::ctrl('u')], Action::HalfUp, "", "half a page up"),
    row(Browse, &[Key::ctrl('d')], Action::HalfDown, "", "half a page down"),
    row(Browse, &[k(Code::Home), c('g')], Action::First, "", "first row"),
    row(Browse, &[k(Code::End), c('G')], Action::Last, "", "last row"),
    row(Browse, &[Key::shift(Code::Up)], Action::ScrollUp, "", "scroll up, leave the cursor"),
    row(Browse, &[Key::shift(Code::Down)], Action::ScrollDown, "", "scroll down, leave the cursor"),
    row(Browse, &[k(Code::Left)], Action::ColumnsLeft, "", "scroll the columns left"),
    row(Browse, &[k(Code::Right)], Action::ColumnsRight, "", "scroll the columns right"),
    row(Browse, &[Key::ctrl('a')], Action::ColumnsBegin, "", "first columns"),
    row(Browse, &[Key::ctrl('e')], Action::ColumnsEnd, "", "last columns"),
    row(
        Browse,
        &[k(Code::Enter)],
        Action::Explain,
        "",
        "explain: why this rank, what would change it",
    ),
    row(Browse, &[c('a')], Action::Adjust, "", "adjust oom_score_adj, with a preview"),
    row(
        Browse,
        &[k(Code::F(7)), c(']')],
        Action::Protect,
        "Adj-",
        "adjust, proposing 50 lower: protect it",
    ),
    row(
        Browse,
        &[k(Code::F(8)), c('[')],
        Action::Expose,
        "Adj+",
        "adjust, proposing 50 higher: expose it",
    ),
    row(Browse, &[Key::shift(Code::F(7))], Action::ProtectFine, "", "adjust, proposing 10 lower"),
    row(Browse, &[Key::shift(Code::F(8))], Action::ExposeFine, "", "adjust, proposing 10 higher"),
    row(
        Browse,
        &[c('X')],
        Action::Sacrifice,
        "",
        "sacrifice: SIGTERM if it holds raw I/O, SIGKILL otherwise; asks first",
    ),
    row(
        Browse,
        &[k(Code::F(9)), c('k')],
        Action::SignalMenu,
        "Signal",
        "send another signal; asks first",
    ),
    row(Browse, &[c('r')], Action::Revert, "", "revert the last change of adj; asks first"),
    row(Browse, &[c('B')], Action::SortBadness, "", "sort by badness"),
    row(Browse, &[c('M')], Action::SortRss, "", "sort by resident memory"),
    row(Browse, &[c('P')], Action::SortCpu, "", "sort by CPU time"),
    row(Browse, &[c('T')], Action::SortRun, "", "sort by run time"),
    row(Browse, &[c('N')], Action::SortPid, "", "sort by pid"),
    row(Browse, &[c('<')], Action::SortLeft, "", "sort by the column to the left"),
    row(Browse, &[c('>')], Action::SortRight, "", "sort by the column to the right"),
    row(
        Browse,
        &[k(Code::F(6)), c(','), c('.')],
        Action::SortMenu,
        "Sort",
        "choose the column to sort by",
    ),
    row(Browse, &[c('I'), c('R')], Action::Invert, "", "invert the order"),
    row(Browse, &[k(Code::F(3)), c('/')], Action::Search, "Find", "search as you type"),
    row(Browse, &[c('n')], Action::SearchNext, "", "next match"),
    row(Browse, &[Key::shift(Code::F(3))], Action::SearchPrevious, "", "previous match"),
    row(
        Browse,
        &[k(Code::F(4)), c('\\'), c('o'), c('O')],
        Action::Filter,
        "Filter",
        "filter: words, /regex/, user:NAME cgroup:NAME command:NAME, !not",
    ),
    row(Browse, &[c('u')], Action::UserFilter, "", "only one user's processes"),
    row(Browse, &[c(' ')], Action::Tag, "", "tag: a mark of your own; every act takes one process"),
    row(Browse, &[c('U')], Action::Untag, "", "untag all"),
    row(Browse, &[Key::alt('c')], Action::TagSubtree, "", "tag it and its descendants"),
    row(Browse, &[c('c')], Action::CommandLine, "", "name or command line"),
    row(Browse, &[c('p')], Action::CommandShort, "", "command line with or without directories"),
    row(Browse, &[k(Code::F(5)), c('t'), c('V')], Action::Tree, "Tree", "tree by parent"),
    row(Browse, &[c('+')], Action::Expand, "", "tree: open the branch"),
    row(Browse, &[c('-')], Action::Collapse, "", "tree: close the branch"),
    row(Browse, &[c('*')], Action::ToggleBranch, "", "tree: open or close all branches"),
    row(Browse, &[c('F')], Action::Follow, "", "the cursor follows the process, or keeps its row"),
    row(Browse, &[c('z'), c('Z')], Action::Pause, "", "pause"),
    row(Browse, &[c('K')], Action::KernelThreads, "", "show or hide kernel threads"),
    row(Browse, &[c('i')], Action::HideSpared, "", "show or hide those who cannot be chosen"),
    row(Browse, &[c('m')], Action::Header, "", "header: full, small, one line, off"),
    row(Browse, &[c('#')], Action::HeaderOff, "", "header on or off"),
    row(Browse, &[c('e')], Action::Units, "", "unit of the table"),
    row(Browse, &[c('E')], Action::HeaderUnits, "", "unit of the header"),
    row(Browse, &[k(Code::F(2)), c('f')], Action::Columns, "Columns", "choose the columns"),
    row(Browse, &[c('s')], Action::ScopeMenu, "", "scope: the machine, or one memory cgroup"),
    row(
        Browse,
        &[c('S')],
        Action::ScopeBack,
        "",
        "scope back to the machine (in a container: first to its own limit)",
    ),
    row(Browse, &[c('v')], Action::PolicyMenu, "", "choose the policy: whose rule ranks"),
    row(Browse, &[k(Code::Tab)], Action::NextView, "", "next view: Processes, Cgroups, Verdicts"),
    row(Browse, &[k(Code::BackTab)], Action::PreviousView, "", "previous view"),
    row(Browse, &[Key::alt('1')], Action::ViewProcesses, "", "view Processes"),
    row(
        Browse,
        &[Key::alt('2')],
        Action::ViewCgroups,
        "",
        "view Cgroups: every wall, and who dies there",
    ),
    row(
        Browse,
        &[Key::alt('3')],
        Action::ViewVerdicts,
        "",
        "view Verdicts: every policy, and who would die by it",
    ),
    row(Browse, &[c('d')], Action::Delay, "", "seconds between refreshes"),
    row(Browse, &[Key::ctrl('r')], Action::LookNow, "", "refresh now"),
    row(Browse, &[Key::ctrl('l')], Action::Redraw, "", "redraw the screen"),
    row(Browse, &[c(':')], Action::Palette, "", "every action by name"),
    row(Browse, &[c('y')], Action::Copy, "", "copy pid, command line or choom command"),
    row(Browse, &[c('D')], Action::Dump, "", "write this look to a file as JSON"),
    row(Browse, &[k(Code::F(1)), c('?'), c('h')], Action::Help, "Help", "this page"),
    row(
        Browse,
        &[k(Code::Esc)],
        Action::Back,
        "",
        "clear the search, then the filter; never quits",
    ),
    row(Browse, &[k(Code::F(10)), c('q'), Key::ctrl('c')], Action::Quit, "Quit", "quit"),
    row(Browse, &[c('Q')], Action::QuitKeep, "", "quit and leave the last picture on the terminal"),
    row(Browse, &[Key::ctrl('z')], Action::Suspend, "", "suspend"),
    row(Browse, &[c('H')], Action::Threads, "", "says why there are no threads here"),
    row(Browse, &[c('j')], Action::NotVim, "", "does nothing: k would be kill"),
    row(Cgroups, &[k(Code::Up)], Action::Up, "", "move up"),
    row(Cgroups, &[k(Code::Down)], Action::Down, "", "move down"),
    row(Cgroups, &[k(Code::PageUp), Key::ctrl('b')], Action::PageUp, "", "a page up"),
    row(Cgroups, &[k(Code::PageDown), Key::ctrl('f')], Action::PageDown, "", "a page down"),
    row(Cgroups, &[Key::ctrl('u')], Action::HalfUp, "", "half a page up"),
    row(Cgroups, &[Key::ctrl('d')], Action::HalfDown, "", "half a page down"),
    row(Cgroups, &[k(Code::Home), c('g')], Action::First, "", "first row"),
    row(Cgroups, &[k(Code::End), c('G')], Action::Last, "", "last row"),
    row(
        Cgroups,
        &[k(Code::Enter)],
        Action::EnterDomain,
        "",
        "show the processes of this domain, ranked as an OOM in it would",
    ),
    row(
        Cgroups,
        &[k(Code::F(6)), c('B'), c(','), c('.')],
        Action::GroupsByWall,
        "Nearest",
        "sort by nearness of the wall",
    ),
    row(
        Cgroups,
        &[k(Code::F(5)), c('t'), c('V')],
        Action::GroupsAsTree,
        "Tree",
        "sort as the tree that they are",
    ),
    row(
        Cgroups,
        &[c('i')],
        Action::HideUnlimited,
        "",
        "show or hide those with no limit, their own or below",
    ),
    row(Cgroups, &[c('s')], Action::ScopeMenu, "", "scope: the machine, or one memory cgroup"),
    row(Cgroups, &[c('S')], Action::ScopeBack, "", "scope back to the machine, as in the table"),
    row(Cgroups, &[k(Code::Tab)], Action::NextView, "", "next view: Processes, Cgroups, Verdicts"),
    row(Cgroups, &[k(Code::BackTab)], Action::PreviousView, "", "previous view"),
    row(Cgroups, &[Key::alt('1')], Action::ViewProcesses, "", "view Processes"),
    row(
        Cgroups,
        &[Key::alt('2')],
        Action::ViewCgroups,
        "",
        "view Cgroups: every wall, and who dies there",
    ),
    row(
        Cgroups,
        &[Key::alt('3')],
        Action::ViewVerdicts,
        "",
        "view Verdicts: every policy, and who would die by it",
    ),
    row(
        Cgroups,
        &[
            c('a'),
            c('k'),
            c('X'),
            c('r'),
            k(Code::F(7)),
            k(Code::F(8)),
            k(Code::F(9)),
            Key::shift(Code::F(7)),
            Key::shift(Code::F(8)),
            c(']'),
            c('['),
        ],
        Action::ProcessFirst,
        "",
        "nothing here: who is acted on is chosen in the table",
    ),
    row(Cgroups, &[c('m')], Action::Header, "", "header: full, small, one line, off"),
    row(Cgroups, &[c('#')], Action::HeaderOff, "", "header on or off"),
    row(Cgroups, &[c('e')], Action::Units, "", "unit of the table"),
    row(Cgroups, &[c('E')], Action::HeaderUnits, "", "unit of the header"),
    row(Cgroups, &[c('v')], Action::PolicyMenu, "", "choose the policy: whose rule ranks"),
    row(Cgroups, &[c('d')], Action::Delay, "", "seconds between refreshes"),
    row(Cgroups, &[c('z'), c('Z')], Action::Pause, "", "pause"),
    row(Cgroups, &[Key::ctrl('r')], Action::LookNow, "", "refresh now"),
    row(Cgroups, &[Key::ctrl('l')], Action::Redraw, "", "redraw the screen"),
    row(Cgroups, &[c(':')], Action::Palette, "", "every action by name"),
    row(Cgroups, &[c('D')], Action::Dump, "", "write this look to a file as JSON"),
    row(Cgroups, &[k(Code::F(1)), c('?'), c('h')], Action::Help, "Help", "this page"),
    row(Cgroups, &[k(Code::Esc)], Action::Back, "", "back to the table of processes"),
    row(Cgroups, &[k(Code::F(10)), c('q'), Key::ctrl('c')], Action::Quit, "Quit", "quit"),
    row(Cgroups, &[c('Q')], Action::QuitKeep, "", "quit and leave the last picture"),
    row(Cgroups, &[Key::ctrl('z')], Action::Suspend, "", "suspend"),
    row(Cgroups, &[c('j')], Action::NotVim, "", "does nothing: k would be kill"),
    row(Verdicts, &[k(Code::Up)], Action::Up, "", "move up"),
    row(Verdicts, &[k(Code::Down)], Action::Down, "", "move down"),
    row(Verdicts, &[k(Code::PageUp), Key::ctrl('b')], Action::PageUp, "", "a page up"),
    row(Verdicts, &[k(Code::PageDown), Key::ctrl('f')], Action::PageDown, "", "a page down"),
    row(Verdicts, &[Key::ctrl('u')], Action::HalfUp, "", "half a page up"),
    row(Verdicts, &[Key::ctrl('d')], Action::HalfDown, "", "half a page down"),
    row(Verdicts, &[k(Code::Home), c('g')], Action::First, "", "first policy"),
    row(Verdicts, &[k(Code::End), c('G')], Action::Last, "", "last policy"),
    row(Verdicts, &[k(Code::Left)], Action::ColumnsLeft, "", "scroll the ranks left"),
    row(Verdicts, &[k(Code::Right)], Action::ColumnsRight, "", "scroll the ranks right"),
    row(Verdicts, &[Key::ctrl('a')], Action::ColumnsBegin, "", "first ranks"),
    row(Verdicts, &[Key::ctrl('e')], Action::ColumnsEnd, "", "last ranks"),
    row(
        Verdicts,
        &[k(Code::Enter)],
        Action::EnterPolicy,
        "",
        "rank by this policy, and show the processes",
    ),
    row(
        Verdicts,
        &[c('i')],
        Action::HideAgreeing,
        "",
        "show or hide the policies that agree with the current one",
    ),
    row(Verdicts, &[c('v')], Action::PolicyMenu, "", "choose the policy: whose rule ranks"),
    row(Verdicts, &[c('s')], Action::ScopeMenu, "", "scope: the machine, or one memory cgroup"),
    row(Verdicts, &[c('S')], Action::ScopeBack, "", "scope back to the machine, as in the table"),
    row(Verdicts, &[k(Code::Tab)], Action::NextView, "", "next view: Processes, Cgroups, Verdicts"),
    row(Verdicts, &[k(Code::BackTab)], Action::PreviousView, "", "previous view"),
    row(Verdicts, &[Key::alt('1')], Action::ViewProcesses, "", "view Processes"),
    row(
        Verdicts,
        &[Key::alt('2')],
        Action::ViewCgroups,
        "",
        "view Cgroups: every wall, and who dies there",
    ),
    row(
        Verdicts,
        &[Key::alt('3')],
        Action::ViewVerdicts,
        "",
        "view Verdicts: every policy, and who would die by it",
    ),
    row(
        Verdicts,
        &[
            c('a'),
            c('k'),
            c('X'),
            c('r'),
            k(Code::F(7)),
            k(Code::F(8)),
            k(Code::F(9)),
            Key::shift(Code::F(7)),
            Key::shift(Code::F(8)),
            c(']'),
            c('['),
        ],
        Action::ProcessFirst,
        "",
        "nothing here: who is acted on is chosen in the table",
    ),
    row(Verdicts, &[c('m')], Action::Header, "", "header: full, small, one line, off"),
    row(Verdicts, &[c('#')], Action::HeaderOff, "", "header on or off"),
    row(Verdicts, &[c('e')], Action::Units, "", "unit of the table"),
    row(Verdicts, &[c('E')], Action::HeaderUnits, "", "unit of the header"),
    row(Verdicts, &[c('d')], Action::Delay, "", "seconds between refreshes"),
    row(Verdicts, &[c('z'), c('Z')], Action::Pause, "", "pause"),
    row(Verdicts, &[Key::ctrl('r')], Action::LookNow, "", "refresh now"),
    row(Verdicts, &[Key::ctrl('l')], Action::Redraw, "", "redraw the screen"),
    row(Verdicts, &[c(':')], Action::Palette, "", "every action by name"),
    row(Verdicts, &[c('D')], Action::Dump, "", "write this look to a file as JSON"),
    row(Verdicts, &[k(Code::F(1)), c('?'), c('h')], Action::Help, "Help", "this page"),
    row(Verdicts, &[k(Code::Esc)], Action::Back, "", "back to the table of processes"),
    row(Verdicts, &[k(Code::F(10)), c('q'), Key::ctrl('c')], Action::Quit, "Quit", "quit"),
    row(Verdicts, &[c('Q')], Action::QuitKeep, "", "quit and leave the last picture"),
    row(Verdicts, &[Key::ctrl('z')], Action::Suspend, "", "suspend"),
    row(Verdicts, &[c('j')], Action::NotVim, "", "does nothing: k would be kill"),
    row(
        Edit,
        &[k(Code::Left), k(Code::F(7)), c(']')],
        Action::StepDown,
        "",
        "50 lower (legacy: 1)",
    ),
    row(
        Edit,
        &[k(Code::Right), k(Code::F(8)), c('[')],
        Action::StepUp,
        "",
        "50 higher (legacy: 1)",
    ),
    row(
        Edit,
        &[k(Code::Down), Key::shift(Code::F(7)), Key::shift(Code::Left)],
        Action::FineDown,
        "",
        "10 lower (legacy: 1)",
    ),
    row(
        Edit,
        &[k(Code::Up), Key::shift(Code::F(8)), Key::shift(Code::Right)],
        Action::FineUp,
        "",
        "10 higher (legacy: 1)",
    ),
    row(Edit, &[k(Code::Home)], Action::Lowest, "", "never: -1000 (legacy: -17)"),
    row(Edit, &[k(Code::End)], Action::Highest, "", "always first: +1000 (legacy: +15)"),
    row(
        Edit,
        &[k(Code::Tab), k(Code::BackTab)],
        Action::OtherScale,
        "",
        "the other scale: oom_score_adj or oom_adj",
    ),
    row(Edit, &[k(Code::Enter)], Action::Apply, "", "apply"),
    row(Edit, &[k(Code::Esc), c('q')], Action::Back, "", "leave everything as it was"),
    row(
        Edit,
        &[k(Code::F(10)), Key::ctrl('c')],
        Action::Quit,
        "",
        "leave everything as it was; again quits",
    ),
    row(Edit, &[Key::ctrl('z')], Action::Suspend, "", "suspend"),
    row(Confirm, &[Key::ctrl('z')], Action::Suspend, "", "suspend"),
    row(Menu, &[Key::ctrl('z')], Action::Suspend, "", "suspend"),
    row(Confirm, &[c('y')], Action::Yes, "", "do it"),
    row(
        Confirm,
        &[k(Code::Enter)],
        Action::Apply,
        "",
        "do it, where the pid had to be typed or a change is put back",
    ),
    row(
        Confirm,
        &[c('s')],
        Action::SwapSignal,
        "",
        "SIGTERM instead of SIGKILL, or the other way round",
    ),
    row(Confirm, &[c('v')], Action::Retarget, "", "the predicted victim instead"),
    row(Confirm, &[k(Code::Esc), c('n'), c('q')], Action::Back, "", "do nothing"),
    row(Confirm, &[k(Code::F(10)), Key::ctrl('c')], Action::Quit, "", "do nothing; again quits"),
    row(Menu, &[k(Code::Up)], Action::Up, "", "move up"),
    row(Menu, &[k(Code::Down)], Action::Down, "", "move down"),
    row(Menu, &[k(Code::PageUp)], Action::PageUp, "", "a page up"),
    row(Menu, &[k(Code::PageDown)], Action::PageDown, "", "a page down"),
    row(Menu, &[k(Code::Home)], Action::First, "", "first"),
    row(Menu, &[k(Code::End)], Action::Last, "", "last"),
    row(Menu, &[k(Code::Enter)], Action::Choose, "", "choose"),
    row(Menu, &[c(' ')], Action::Toggle, "", "switch on or off, where several may be chosen"),
    row(Menu, &[c('v')], Action::NextPolicy, "", "in the list of policies: the next one"),
    row(Menu, &[k(Code::Esc), k(Code::F(10)), Key::ctrl('c')], Action::Back, "", "close"),
    row(Page, &[k(Code::Up)], Action::Up, "", "a line up"),
    row(Page, &[k(Code::Down)], Action::Down, "", "a line down"),
    row(Page, &[k(Code::PageUp), Key::ctrl('b')], Action::PageUp, "", "a page up"),
    row(Page, &[k(Code::PageDown), Key::ctrl('f'), c(' ')], Action::PageDown, "", "a page down"),
    row(Page, &[k(Code::Home), c('g')], Action::First, "", "begin"),
    row(Page, &[k(Code::End), c('G')], Action::Last, "", "end"),
    row(Page, &[c('a')], Action::Adjust, "", "adjust the explained process"),
    row(Page, &[c('k'), k(Code::F(9))], Action::SignalMenu, "", "signal the explained process"),
    row(Page, &[c('X')], Action::Sacrifice, "", "sacrifice the explained process"),
    row(Page, &[c('y')], Action::Copy, "", "copy from the explained process"),
    row(
        Page,
        &[k(Code::Esc), k(Code::Enter), c('q'), k(Code::F(1)), c('?'), c('h')],
        Action::Back,
        "",
        "close",
    ),
    row(Page, &[k(Code::F(10)), Key::ctrl('c')], Action::Quit, "", "quit"),
    row(Page, &[Key::ctrl('z')], Action::Suspend, "", "suspend"),
];

/// What a key means in a place.
#[must_use]
pub fn meaning(place: Place, key: Key) -> Option<Action> {
    KEYS.iter()
        .find(|binding| binding.place == place && binding.keys.contains(&key))
        .map(|binding| binding.action)
}

/// The first key of an action in a place.
#[must_use]
pub fn key_of(place: Place, action: Action) -> Option<Key> {
    let binding = KEYS.iter().find(|binding| binding.place == place && binding.action == action);
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
                    assert!(
                        other.place != binding.place || !other.keys.contains(key),
                        "{key} in {:?} means {:?} and {:?}",
                        binding.place,
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
