//! What is found out about one process before it is acted on: too dear, or too likely to block, for
//! every look at everybody.

use crate::model::process::memory_breakdown::MemoryBreakdown;
use crate::model::process::service_unit::ServiceUnit;
use crate::model::{Comm, Hierarchy, ProcId, Reading, Signal, Text};

/// One process, studied once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ProcessDetail {
    /// Who.
    pub who: ProcId,
    /// What its memory is made of.
    pub breakdown: Reading<MemoryBreakdown>,
    /// Who lives in its memory.
    pub sharers: Reading<MemorySharers>,
    /// The freezer that holds it.
    pub frozen: Option<FrozenBy>,
    /// The unit of the service manager that it belongs to.
    pub unit: Option<ServiceUnit>,
}

/// Who lives in the memory of a process, by `kcmp(2)`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MemorySharers {
    /// Proven.
    pub found: Vec<(ProcId, Comm)>,
    /// How many the kernel would not tell about: others' processes.
    pub unknown: usize,
}

/// A frozen cgroup.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FrozenBy {
    /// Which freezer: a v1 one holds back even SIGKILL, a v2 one only what is caught.
    pub hierarchy: Hierarchy,
    /// Its path, as `/proc/PID/cgroup` prints it.
    pub path: Text,
    /// It was frozen itself; otherwise one above it was.
    pub own: bool,
    /// How many others are in it and below.
    pub others: usize,
}

impl FrozenBy {
    /// Whether a signal has to wait for the thaw (`Documentation/admin-guide/cgroup-v2.rst`,
    /// `cgroup.freeze`: a deadly one does not).
    #[must_use]
    pub fn delays(&self, signal: Signal) -> bool {
        self.hierarchy == Hierarchy::V1 || signal != Signal::KILL
    }
}
