//! The dialog before a change of adj is reverted or made again.

use crate::app::keymap::press_time::ShownSince;
use crate::app::session::journal::AdjChange;
use crate::model::ProcId;
use crate::units::Adj;

/// The dialog.
#[derive(Clone, Debug)]
pub struct RevertDialog {
    /// The process.
    pub who: ProcId,
    /// The name the user saw.
    pub name: String,
    /// The value now.
    pub from: Adj,
    /// The value to write.
    pub to: Adj,
    /// Whether a reverted change is made again.
    pub again: bool,
    /// The cursor of the journal page, if the dialog was opened from there.
    pub journal: Option<usize>,
    /// Since when it is on the screen.
    pub shown: ShownSince,
}

impl RevertDialog {
    /// The dialog for a change.
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
