//! The sysctl values that were written in this session.

use crate::model::Sysctl;

/// The sysctl values that were written in this session.
#[derive(Clone, Debug, Default)]
pub struct SysctlHistory {
    /// Each sysctl and its value before, the oldest first. The editor proposes the last one on `r`.
    pub earlier: Vec<(Sysctl, u64)>,
    /// Whether the write that is under way restores the last of them.
    pub(crate) reverting: bool,
}

/// Maximum number of values that are remembered.
const MAX_REMEMBERED: usize = 100;

impl SysctlHistory {
    /// Takes a sysctl that was written, and its value before.
    pub(crate) fn take(&mut self, before: (Sysctl, u64)) {
        if std::mem::take(&mut self.reverting) {
            self.earlier.pop();
            return;
        }
        if self.earlier.len() == MAX_REMEMBERED {
            self.earlier.remove(0);
        }
        self.earlier.push(before);
    }
}
