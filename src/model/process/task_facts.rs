//! Facts of the kernel's task list that no file of `/proc` shows.

use serde::{Deserialize, Serialize};

use crate::units::Pages;

/// Facts of the kernel's task list that no file of `/proc` shows. Only the sampler that reads the task
/// list by BPF knows them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaskFacts {
    /// Orders the list of processes, from 1: a scan of the OOM killer goes through them in this order. A process
    /// keeps it while it lives; gaps are those that have exited. No recording contains it.
    #[serde(skip)]
    pub position: u32,
    /// Number of the memory cgroup (`kernfs_node.id`), which stays the same as long as it exists.
    #[serde(skip)]
    pub cgroup_id: u64,
    /// Swapped-out pages by the approximate counter, which the OOM killer of 6.2 to 6.19 reads; the
    /// exact sum is [`Process::swap`](crate::model::Process::swap).
    #[serde(rename = "swap_counter_pages", default)]
    pub swap_counter: Pages,
    /// Whether it is a vfork child that still uses its parent's memory: the killer skips it.
    #[serde(default, skip_serializing_if = "is_false")]
    pub vfork_child: bool,
    /// Whether the OOM killer chose it already (`signal->oom_mm`): it waits for this process to exit.
    #[serde(default, skip_serializing_if = "is_false")]
    pub oom_victim: bool,
    /// Whether its memory was reaped or given up (`MMF_OOM_SKIP`): the killer skips it.
    #[serde(default, skip_serializing_if = "is_false")]
    pub oom_skip: bool,
    /// Whether it runs swapoff or unmerges pages (`oom_flag_origin`): the killer chooses it first.
    #[serde(default, skip_serializing_if = "is_false")]
    pub oom_origin: bool,
    /// The mode of its memory policy (`MPOL_*` of `include/uapi/linux/mempolicy.h`); 0 is the default.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub memory_policy: u16,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde hands over a reference")]
const fn is_false(flag: &bool) -> bool {
    !*flag
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde hands over a reference")]
const fn is_zero(mode: &u16) -> bool {
    *mode == 0
}

impl TaskFacts {
    /// Whether nothing in it is worth a place in a recording: no swap, no flag, the default policy.
    #[must_use]
    pub fn is_unremarkable(&self) -> bool {
        *self == Self { position: self.position, cgroup_id: self.cgroup_id, ..Self::default() }
    }

    /// Whether the OOM killer skips the process (`oom_badness`: `MMF_OOM_SKIP`, `in_vfork`).
    #[must_use]
    pub const fn is_skipped(&self) -> bool {
        self.vfork_child || self.oom_skip
    }
}
