//! Details of one process that are read before it is signalled or killed: too expensive, or too
//! likely to block, for every sample of every process.

use crate::model::process::memory_breakdown::MemoryBreakdown;
use crate::model::process::service_unit::ServiceUnit;
use crate::model::{Comm, Hierarchy, ProcId, Reading, Signal, Text};

/// The details of one process.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ProcessDetail {
    /// The process.
    pub who: ProcId,
    /// What its memory consists of.
    pub breakdown: Reading<MemoryBreakdown>,
    /// Other processes that use the same address space.
    pub sharers: Reading<MemorySharers>,
    /// The freezer that holds it.
    pub frozen: Option<FrozenBy>,
    /// The systemd unit that it belongs to.
    pub unit: Option<ServiceUnit>,
}

/// Processes that share an address space, found with `kcmp(2)`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MemorySharers {
    /// Processes that certainly share it.
    pub found: Vec<(ProcId, Comm)>,
    /// Number of processes of other users, about which the kernel gave no answer.
    pub unknown: usize,
}

/// A frozen cgroup.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FrozenBy {
    /// Version 1 delays every signal, SIGKILL included; version 2 delays all but SIGKILL.
    pub hierarchy: Hierarchy,
    /// The path, as `/proc/PID/cgroup` prints it.
    pub path: Text,
    /// Whether this cgroup itself was frozen; otherwise an ancestor was.
    pub own: bool,
    /// Number of other processes in it and below.
    pub others: usize,
}

impl FrozenBy {
    /// Whether a signal takes effect only when the cgroup is thawed
    /// (`Documentation/admin-guide/cgroup-v2.rst`, `cgroup.freeze`: a fatal signal does not wait).
    #[must_use]
    pub fn delays(&self, signal: Signal) -> bool {
        self.hierarchy == Hierarchy::V1 || signal != Signal::KILL
    }
}
