//! What has the keys. One value, so that two dialogs can never be open at once.

use crate::app::adj_rules::consent::RuleConsentDialog;
use crate::app::dialog::adjust::AdjustDialog;
use crate::app::dialog::bulk::BulkDialog;
use crate::app::dialog::menu::Menu;
use crate::app::dialog::prompt::Prompt;
use crate::app::dialog::revert::RevertDialog;
use crate::app::dialog::signal::SignalDialog;
use crate::app::dialog::sysctl::{ConfirmSysctl, SysctlDialog};
use crate::app::page::incident::IncidentPage;
use crate::app::page::persist::PersistPage;

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
