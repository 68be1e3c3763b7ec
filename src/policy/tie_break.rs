//! Which of two processes with equal points dies.

use std::cmp::Ordering;

use crate::model::ProcId;

/// Which of two equals dies.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TieBreak {
    /// The one that was created first: the kernel's task list is in the order of creation.
    Oldest,
    /// The one with the lowest pid: `/proc` is listed in the order of the pids.
    #[default]
    LowestPid,
    /// The one that was created last.
    Youngest,
    /// Unknown: inside a memory cgroup the order is that in which processes joined it, and no file shows
    /// that order.
    Unseen,
}

impl TieBreak {
    /// Compares two equals: the one that dies first is the lesser. Where the order is unknown, the
    /// younger comes first on the screen.
    #[must_use]
    pub fn order(self, a: ProcId, b: ProcId) -> Ordering {
        // Creation order: start time, then pid within the same tick.
        let age = |id: ProcId| (id.born, id.pid);
        match self {
            Self::Oldest => age(a).cmp(&age(b)),
            Self::LowestPid => a.pid.cmp(&b.pid),
            Self::Youngest | Self::Unseen => age(b).cmp(&age(a)),
        }
    }
}
