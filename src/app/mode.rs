//! What has the keys. It is one value, so that two dialogs can never be open at once.

use crate::app::adj_rules::consent::RuleConsentDialog;
use crate::app::dialog::adjust::AdjustDialog;
use crate::app::dialog::bulk_confirm::BulkDialog;
use crate::app::dialog::menu::Menu;
use crate::app::dialog::prompt::Prompt;
use crate::app::dialog::revert_adj::RevertDialog;
use crate::app::dialog::signal::SignalDialog;
use crate::app::dialog::sysctl::{ConfirmSysctl, SysctlDialog};
use crate::app::keymap::press_time::ShownSince;
use crate::app::page::alarms::AlarmsPage;
use crate::app::page::fits::FitsPage;
use crate::app::page::help::HelpPage;
use crate::app::page::incident::IncidentPage;
use crate::app::page::persist::PersistPage;

/// What has the keys.
#[derive(Clone, Debug, Default)]
pub enum Mode {
    /// The view on the screen.
    #[default]
    Browse,
    /// A pid is being typed; each digit jumps to it.
    GoTo(String),
    /// A prompt on the bottom line.
    Prompt(Prompt),
    /// A menu.
    Menu(Menu),
    /// The adj editor.
    Adjust(Box<AdjustDialog>),
    /// The dialog before a signal.
    Signal(SignalDialog),
    /// The dialog before a change of adj is reverted or made again.
    Revert(RevertDialog),
    /// The dialog before an act on several processes.
    Bulk(BulkDialog),
    /// The page with the result of an act on several processes; the lines scrolled off.
    BulkResult(u16),
    /// The page of the journal; the line of the cursor.
    Journal(usize),
    /// The page that shows how to make a value persistent.
    Persist(PersistPage),
    /// The dialog before adj rules are switched on.
    RuleConsent(RuleConsentDialog),
    /// The page of adj rules; the lines scrolled off.
    AdjRules(u16),
    /// The page of the alarms.
    Alarms(AlarmsPage),
    /// The sysctl editor.
    Sysctl(SysctlDialog),
    /// The dialog before a dangerous sysctl value.
    ConfirmSysctl(ConfirmSysctl),
    /// The explain page of the process under the cursor; the lines scrolled off.
    Explain(u16),
    /// The command line of the process under the cursor, in full; the lines scrolled off.
    CommandLine(u16),
    /// The page about an OOM event.
    Incident(Box<IncidentPage>),
    /// The page of commitments; the rows scrolled off.
    Commitments(u16),
    /// The page that answers whether so much more memory would fit.
    Fits(Box<FitsPage>),
    /// The help.
    Help {
        /// What it shows.
        page: HelpPage,
        /// The page or dialog that it explains, and goes back to.
        below: Option<Box<Self>>,
    },
    /// The page at the end of the demo.
    EndCard,
}

impl Mode {
    /// Whether it is a dialog that may send an intent.
    #[must_use]
    pub const fn asks(&self) -> bool {
        matches!(self, Self::Adjust(_) | Self::Signal(_) | Self::Revert(_) | Self::Bulk(_))
            || matches!(self, Self::Sysctl(_) | Self::ConfirmSysctl(_) | Self::RuleConsent(_))
    }

    /// Whether the rows of the table keep their order while it is open.
    #[must_use]
    pub fn is_dialog(&self) -> bool {
        match self {
            Self::Help { below: Some(below), .. } => below.is_dialog(),
            Self::Menu(_) | Self::Explain(_) | Self::CommandLine(_) => true,
            _ => self.asks(),
        }
    }

    /// Since when it has been on the screen, where it is a dialog that a key confirms.
    pub(crate) fn shown(&mut self) -> Option<&mut ShownSince> {
        Some(match self {
            Self::Adjust(edit) => &mut edit.shown,
            Self::Signal(confirm) => &mut confirm.shown,
            Self::Revert(revert) => &mut revert.shown,
            Self::Bulk(bulk) => &mut bulk.shown,
            Self::Sysctl(edit) => &mut edit.shown,
            Self::ConfirmSysctl(confirm) => &mut confirm.shown,
            Self::RuleConsent(consent) => &mut consent.shown,
            _ => return None,
        })
    }
}
