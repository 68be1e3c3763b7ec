//! The sysctl values that were written in this session.

use crate::model::Sysctl;

/// The switches' part of the app: what was turned from here.
#[derive(Clone, Debug, Default)]
pub struct SysctlHistory {
    /// Each switch and what it was before, oldest first: what `r` proposes in the editor.
    pub earlier: Vec<(Sysctl, u64)>,
    /// The write that is under way puts the last of them back.
    pub(crate) reverting: bool,
}

/// So many are remembered.
const REMEMBERED: usize = 100;

impl SysctlHistory {
    /// Takes in that a switch was turned, and what it was before.
    pub(crate) fn take(&mut self, before: (Sysctl, u64)) {
        if std::mem::take(&mut self.reverting) {
            self.earlier.pop();
            return;
        }
        if self.earlier.len() == REMEMBERED {
            self.earlier.remove(0);
        }
        self.earlier.push(before);
    }
}
