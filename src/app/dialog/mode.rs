//! What the screen is busy with: one value, so that two dialogs open at once cannot be written.

use tui_input::Input;

use crate::app::adj_rules::rules::RuleConsentDialog;
use crate::app::dialog::adjust::AdjustDialog;
use crate::app::dialog::bulk::BulkDialog;
use crate::app::dialog::menu::Menu;
use crate::app::dialog::signal::SignalDialog;
use crate::app::dialog::sysctl::{ConfirmSysctl, SysctlDialog};
use crate::app::page::persist::PersistPage;
use crate::app::session::journal::AdjChange;
use crate::app::view::events::IncidentPage;
use crate::model::ProcId;
use crate::units::{Adj, Millis};

/// A view: what stands where the table is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum ViewKind {
    /// Every process.
    #[default]
    Processes,
    /// Every memory cgroup.
    Cgroups,
    /// Every policy's opinion.
    Verdicts,
    /// The machine's memory through time.
    Memory,
    /// What happened.
    Events,
}

impl ViewKind {
    /// All, in the order of their keys.
    pub const ALL: [Self; 5] =
        [Self::Processes, Self::Cgroups, Self::Verdicts, Self::Memory, Self::Events];

    /// Its name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Processes => "Processes",
            Self::Cgroups => "Cgroups",
            Self::Verdicts => "Verdicts",
            Self::Memory => "Memory",
            Self::Events => "Events",
        }
    }

    /// So many views further, round the end.
    #[must_use]
    pub fn step(self, by: isize) -> Self {
        let at = Self::ALL.iter().position(|&it| it == self).unwrap_or(0) as isize;
        let next = (at + by).rem_euclid(Self::ALL.len() as isize);
        Self::ALL.get(next as usize).copied().unwrap_or_default()
    }
}

/// The one thing that has the keys.
#[derive(Clone, Debug, Default)]
pub enum Mode {
    /// The table.
    #[default]
    Browse,
    /// Digits are being typed; each jumps.
    GoTo(String),
    /// Something is being typed at the bottom line.
    Prompt(Prompt),
    /// A list to choose from.
    Menu(Menu),
    /// The editor of oom_score_adj.
    Adjust(Box<AdjustDialog>),
    /// A signal waits for its confirmation.
    Signal(SignalDialog),
    /// Putting a change back waits for its confirmation.
    Revert(RevertDialog),
    /// An act on several processes waits for its confirmation.
    Bulk(BulkDialog),
    /// What came of an act on several processes, a page scrolled so far.
    BulkResult(u16),
    /// The journal of the session, the cursor on this line.
    Journal(usize),
    /// How to keep a value.
    Persist(PersistPage),
    /// The rules of adj wait for being switched on.
    RuleConsent(RuleConsentDialog),
    /// The page of the rules of adj, scrolled so far.
    AdjRules(u16),
    /// The editor of the kernel's switches.
    Sysctl(SysctlDialog),
    /// A grave value of a switch waits for its confirmation.
    ConfirmSysctl(ConfirmSysctl),
    /// The explain page of the process under the cursor, scrolled so far.
    Explain(u16),
    /// The page about a kill.
    Incident(Box<IncidentPage>),
    /// The page of promises, its rows scrolled so far.
    Commitments(u16),
    /// The help page, scrolled so far.
    Help(u16),
}

impl Mode {
    /// A dialog that an intent can leave from.
    #[must_use]
    pub const fn asks(&self) -> bool {
        matches!(self, Self::Adjust(_) | Self::Signal(_) | Self::Revert(_) | Self::Bulk(_))
            || matches!(self, Self::Sysctl(_) | Self::ConfirmSysctl(_) | Self::RuleConsent(_))
    }

    /// A dialog about one process: rows hold still, and so does the dialog.
    #[must_use]
    pub const fn is_dialog(&self) -> bool {
        self.asks() || matches!(self, Self::Menu(_) | Self::Explain(_))
    }
}

/// What is typed at the bottom line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PromptKind {
    /// A search, jumping as it is typed.
    Search,
    /// A filter, applied as it is typed.
    Filter,
    /// Seconds between refreshes.
    Delay,
    /// A time to look back to.
    Time,
}

/// A line being typed.
#[derive(Clone, Debug)]
pub struct Prompt {
    /// For what.
    pub asking: PromptKind,
    /// The line.
    pub input: Input,
    /// What is wrong with it.
    pub error: Option<String>,
    /// Where the cursor was before: Esc goes back.
    pub origin: Option<ProcId>,
}

/// The question whether to put a change back, or to make it again.
#[derive(Clone, Debug)]
pub struct RevertDialog {
    /// Whose.
    pub who: ProcId,
    /// The name the user saw.
    pub name: String,
    /// What it is now.
    pub from: Adj,
    /// What it would be.
    pub to: Adj,
    /// Whether a change that was put back is made again.
    pub again: bool,
    /// Where the journal's page was, if it was asked from there.
    pub journal: Option<usize>,
    /// Since when the question is on the screen.
    pub shown: ShownSince,
}

impl RevertDialog {
    /// Asks about a change.
    #[must_use]
    pub fn new(change: &AdjChange, again: bool) -> Self {
        let (from, to) = change.way(again);
        Self {
            who: change.who,
            name: change.name.clone(),
            from,
            to,
            again,
            journal: None,
            shown: ShownSince::default(),
        }
    }
}

/// When a key was pressed, and whether some time after the one before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyPress {
    /// When.
    pub at: Millis,
    /// No other key came just before.
    pub alone: bool,
}

/// Since when a dialog has been on the screen: keys typed before nobody saw it do not count.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ShownSince(Option<Millis>);

/// Keys this soon after a dialog appeared were typed for something else.
pub const TYPE_AHEAD: Millis = Millis(400);

/// A confirming key this soon after another key comes from a paste or from a burst over a slow line,
/// not from a finger: some terminals paste as if it were typed.
pub const QUIET: Millis = Millis(80);

impl ShownSince {
    /// Notes a picture: the first that had all of it counts, and one without it (a terminal too
    /// small, a program that was stopped) begins anew.
    pub fn drawn(&mut self, at: Millis, whole: bool) {
        if whole {
            self.0.get_or_insert(at);
        } else {
            self.0 = None;
        }
    }

    /// Whether a key pressed at this time was pressed with the dialog in view.
    #[must_use]
    pub fn was_seen_at(self, pressed: Millis) -> bool {
        self.0.is_some_and(|since| pressed.0 >= since.0.saturating_add(TYPE_AHEAD.0))
    }

    /// Whether it was, and alone: by a finger.
    #[must_use]
    pub fn confirms_at(self, press: KeyPress) -> bool {
        self.was_seen_at(press.at) && press.alone
    }
}
