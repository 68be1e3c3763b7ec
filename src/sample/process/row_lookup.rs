//! What only files tell of a process whose row comes from the task list: its score, the path of its
//! cgroup, its command line.

use std::sync::Arc;

use crate::model::{ProcId, Reading, Text};

/// What is to be read of one process, and then what was read.
#[derive(Clone, Debug, Default)]
pub struct RowLookup {
    /// The process.
    pub id: ProcId,
    /// Whether `oom_score` is to be read.
    pub wants_score: bool,
    /// Whether the path of the cgroup is to be read.
    pub wants_cgroup: bool,
    /// Whether the command line is to be read.
    pub wants_cmdline: bool,
    /// `oom_score`.
    pub score: Reading<u32>,
    /// The path of the cgroup.
    pub cgroup: Reading<Arc<Text>>,
    /// The command line.
    pub cmdline: Reading<Arc<Text>>,
}

impl RowLookup {
    /// Whether anything is to be read.
    #[must_use]
    pub const fn wants_any(&self) -> bool {
        self.wants_score || self.wants_cgroup || self.wants_cmdline
    }
}
