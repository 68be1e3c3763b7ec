//! The dialog before a change of adj is put back or made again.

use crate::app::keymap::press::ShownSince;
use crate::app::session::journal::AdjChange;
use crate::model::ProcId;
use crate::units::Adj;

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
