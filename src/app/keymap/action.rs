//! What a key means.

/// What a key means. The help text of its row explains each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs, reason = "each is explained by the help text of its row")]
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
    Persist,
    Commitments,
    Fits,
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
    ThemeMenu,
    Mouse,
    HeaderUnits,
    Columns,
    PolicyMenu,
    Delay,
    SampleNow,
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
    ProtectItself,
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
    // Time.
    EarlierSample,
    LaterSample,
    TenEarlier,
    TenLater,
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
    // In the view of cgroups.
    EnterDomain,
    GroupsByLimit,
    GroupsAsTree,
    HideUnlimited,
    ProcessFirst,
    // In the view of verdicts.
    EnterPolicy,
    HideAgreeing,
    // In the view of events.
    ExplainKill,
    SampleBefore,
    KillsOnly,
    WhyReport,
    Remedy,
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
    NextTargets,
    SaveFromDeath,
    OutOfFirst,
    IntoFirst,
    Apply,
    // In the sysctl editor.
    Sysctls,
    NextPreset,
    CopyLine,
    // Adj rules.
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
    MoveEarlier,
    MoveLater,
    // On the page of the alarms.
    AlarmsPage,
    RemoveAlarm,
    AlarmBell,
    AlarmCommand,
    // On a page with a cursor.
    PutBack,
    Write,
}

impl Action {
    /// Its name in the configuration: `sort-rss`.
    #[must_use]
    pub fn name(self) -> String {
        let mut name = String::new();
        for letter in format!("{self:?}").chars() {
            if letter.is_ascii_uppercase() && !name.is_empty() {
                name.push('-');
            }
            name.push(letter.to_ascii_lowercase());
        }
        name
    }

    /// Whether it opens a dialog or a page that may end with an act. Its keys never confirm one.
    #[must_use]
    pub const fn opens_a_question(self) -> bool {
        matches!(
            self,
            Self::Adjust
                | Self::Protect
                | Self::Expose
                | Self::ProtectFine
                | Self::ExposeFine
                | Self::Sacrifice
                | Self::SignalMenu
                | Self::Escalate
                | Self::Revert
                | Self::Redo
                | Self::Sysctls
                | Self::RulesPage
                | Self::Palette
        )
    }

    /// The number of lines by which an action moves a cursor, where `page` lines are on the screen;
    /// nothing where it does not move it.
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
}
