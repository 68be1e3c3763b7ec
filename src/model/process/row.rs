//! One process as `/proc` shows it.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::model::process::id::ProcId;
use crate::model::process::task_facts::TaskFacts;
use crate::model::{Capabilities, Comm, NodeSet, Reading, Text};
use crate::units::{Adj, Bytes, PageSize, Pages, Ticks};

/// The state of a thread: the letter in field 3 of `/proc/PID/stat`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RunState(pub char);

impl RunState {
    /// Whether the main thread has exited. The process may live on in its other threads.
    #[must_use]
    pub const fn is_zombie(self) -> bool {
        matches!(self.0, 'Z' | 'X' | 'x')
    }

    /// The state as a predicate for a sentence.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self.0 {
            'R' => "running",
            'S' => "sleeping",
            'D' => "in uninterruptible sleep (D)",
            'T' => "stopped",
            't' => "stopped by a debugger",
            'Z' => "a zombie",
            'X' | 'x' => "dead",
            'I' => "idle",
            _ => "in an unknown state",
        }
    }
}

impl Default for RunState {
    fn default() -> Self {
        Self('?')
    }
}

/// The user ids of a process.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct UserIds {
    /// Real user id.
    pub uid: u32,
    /// Effective user id.
    pub euid: u32,
}

/// One process. Numbers of fields are those of `/proc/PID/stat`; names of lines are those of
/// `/proc/PID/status`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Process {
    /// Pid and start time.
    #[serde(flatten)]
    pub id: ProcId,
    /// Pid of the parent (field 4).
    #[serde(rename = "ppid")]
    pub parent: i32,
    /// Process group (field 5); 0 if it is not known.
    #[serde(rename = "pgrp", default, skip_serializing_if = "is_zero")]
    pub group: i32,
    /// Session id (field 6); that of a session leader is its own pid.
    #[serde(default)]
    pub session: i32,
    /// Device number of the controlling terminal (field 7); 0 means none.
    #[serde(default)]
    pub tty: i32,
    /// Short name (field 2).
    pub comm: Comm,
    /// State of the main thread (field 3).
    pub state: RunState,
    /// Kernel flags (field 9), `PF_*` of `include/linux/sched.h`.
    #[serde(default)]
    pub flags: u32,
    /// Number of threads (field 20).
    #[serde(default)]
    pub threads: u32,
    /// Nice value, -20 to 19 (field 19).
    #[serde(default)]
    pub nice: i8,
    /// User and system time of all threads, also of those that ended (fields 14 and 15), in clock
    /// ticks.
    #[serde(rename = "cpu_ticks", default)]
    pub cpu: Ticks,
    /// Virtual size (field 23), in bytes; in pages it is the kernel's `total_vm`.
    #[serde(rename = "vsize_bytes", default)]
    pub vsize: Bytes,
    /// Resident pages (field 24): the counter that the OOM killer of 6.2 to 6.19 reads.
    #[serde(rename = "rss_stat_pages", default)]
    pub rss_stat: Pages,
    /// Resident pages (`VmRSS`): exact since 6.16, and what the OOM killer of 7.0 and later reads.
    #[serde(rename = "rss_pages", default, skip_serializing_if = "Reading::is_not_asked")]
    pub rss_exact: Reading<Pages>,
    /// Anonymous resident pages (`RssAnon`).
    #[serde(rename = "anon_pages", default, skip_serializing_if = "Reading::is_not_asked")]
    pub anon: Reading<Pages>,
    /// Resident file pages (`RssFile`).
    #[serde(rename = "file_pages", default, skip_serializing_if = "Reading::is_not_asked")]
    pub file: Reading<Pages>,
    /// Resident shared-memory pages (`RssShmem`).
    #[serde(rename = "shmem_pages", default, skip_serializing_if = "Reading::is_not_asked")]
    pub shmem: Reading<Pages>,
    /// Swapped-out anonymous pages (`VmSwap`).
    #[serde(rename = "swap_pages", default, skip_serializing_if = "Reading::is_not_asked")]
    pub swap: Reading<Pages>,
    /// Mappings that are locked into memory (`VmLck`), in pages: reclaim takes none of them.
    #[serde(rename = "locked_pages", default, skip_serializing_if = "Reading::is_not_asked")]
    pub locked: Reading<Pages>,
    /// Anonymous resident pages that it gave back with `MADV_FREE` (`LazyFree` of `smaps_rollup`): reclaim takes them
    /// before the kernel kills. Read of those that may die next.
    #[serde(rename = "lazyfree_pages", default, skip_serializing_if = "Reading::is_not_asked")]
    pub lazy_free: Reading<Pages>,
    /// Private writable mappings without the stack, in pages (`VmData`): what may become anonymous.
    #[serde(rename = "data_pages", default, skip_serializing_if = "Reading::is_not_asked")]
    pub data: Reading<Pages>,
    /// Page tables, in pages (`VmPTE`; since 4.15 all levels but the top one).
    #[serde(rename = "pgtables_pages", default, skip_serializing_if = "Reading::is_not_asked")]
    pub pgtables: Reading<Pages>,
    /// Whether any of its threads has an address space.
    #[serde(default)]
    pub has_mm: bool,
    /// Whether it was killed (SIGKILL is pending on its main thread) or is exiting.
    #[serde(default)]
    pub dying: bool,
    /// `oom_score_adj`, -1000 to 1000.
    #[serde(rename = "oom_score_adj", default, skip_serializing_if = "Reading::is_not_asked")]
    pub adj: Reading<Adj>,
    /// `oom_score`, as the kernel computes it.
    #[serde(rename = "oom_score", default, skip_serializing_if = "Reading::is_not_asked")]
    pub score: Reading<u32>,
    /// Whether `score` and the sizes were read at the same time, so that they may be compared.
    #[serde(default)]
    pub score_fresh: bool,
    /// Real and effective user id (`Uid`).
    #[serde(flatten, with = "ids_flat")]
    pub ids: Reading<UserIds>,
    /// Effective capabilities (`CapEff`).
    #[serde(rename = "cap_effective", default, skip_serializing_if = "Reading::is_not_asked")]
    pub caps: Reading<Capabilities>,
    /// NUMA nodes from which it may allocate (`Mems_allowed_list`); read if the machine has
    /// several.
    #[serde(default, skip_serializing_if = "Reading::is_not_asked")]
    pub nodes: Reading<NodeSet>,
    /// Path in the memory cgroup hierarchy, as `/proc/PID/cgroup` prints it.
    #[serde(default, skip_serializing_if = "Reading::is_not_asked")]
    pub cgroup: Reading<Arc<Text>>,
    /// Command line, with blanks between the arguments. No ranking needs it.
    #[serde(default, skip_serializing_if = "Reading::is_not_asked")]
    pub cmdline: Reading<Arc<Text>>,
    /// Program, working directory and environment, as far as the rules of an installed killer test
    /// them.
    #[serde(default, rename = "whereabouts", skip_serializing_if = "Option::is_none")]
    pub exe_cwd_environ: Option<Arc<ExeCwdEnviron>>,
    /// What no file of `/proc` shows; `None` if the process was read from `/proc`. A recording contains
    /// it where there is something remarkable in it.
    #[serde(default, skip_serializing_if = "unremarkable")]
    pub task: Option<TaskFacts>,
}

fn unremarkable(task: &Option<TaskFacts>) -> bool {
    task.is_none_or(|task| task.is_unremarkable())
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde hands over a reference")]
const fn is_zero(group: &i32) -> bool {
    *group == 0
}

/// What a process runs and where. Each part is read only if a rule needs it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExeCwdEnviron {
    /// Path of the program (`/proc/PID/exe`).
    #[serde(default, skip_serializing_if = "Reading::is_not_asked")]
    pub exe: Reading<Text>,
    /// Working directory (`/proc/PID/cwd`).
    #[serde(default, skip_serializing_if = "Reading::is_not_asked")]
    pub cwd: Reading<Text>,
    /// The first 4096 bytes of the environment, with blanks between the variables. It may contain
    /// secrets, so no recording contains it.
    #[serde(skip)]
    pub environ: Reading<Text>,
}

impl Process {
    /// Exiting (`include/linux/sched.h`, as the other flags).
    pub const PF_EXITING: u32 = 0x0000_0004;
    /// Writing a core dump.
    pub const PF_DUMPCORE: u32 = 0x0000_0200;
    /// At the point of its exit where it waits for a core dump of its process (since 5.16).
    pub const PF_POSTCOREDUMP: u32 = 0x0000_0008;
    /// Killed by a signal.
    pub const PF_SIGNALED: u32 = 0x0000_0400;
    /// A kernel thread.
    pub const PF_KTHREAD: u32 = 0x0020_0000;

    /// Whether a size of it changed since the sample in which it was `then`.
    #[must_use]
    pub fn is_resized(&self, then: &Self) -> bool {
        self.rss_stat != then.rss_stat
            || self.rss_exact != then.rss_exact
            || self.swap != then.swap
            || self.pgtables != then.pgtables
    }

    /// Whether it writes a core dump, or waits while another of its threads does.
    #[must_use]
    pub const fn dumps_core(&self) -> bool {
        self.flags & Self::PF_DUMPCORE != 0
            || self.flags & (Self::PF_POSTCOREDUMP | Self::PF_EXITING) == Self::PF_POSTCOREDUMP
    }

    /// Whether it is a kernel thread, which no signal can kill.
    #[must_use]
    pub const fn is_kernel_thread(&self) -> bool {
        self.flags & Self::PF_KTHREAD != 0
    }

    /// Virtual size in pages: the kernel's `total_vm`.
    #[must_use]
    pub fn total_vm(&self, page: PageSize) -> Pages {
        self.vsize.pages(page)
    }

    /// Anonymous pages and swap: approximately what no other process uses.
    #[must_use]
    pub fn private(&self) -> Reading<Pages> {
        match (self.anon, self.swap) {
            (Reading::Value(anon), Reading::Value(swap)) => Reading::Value(anon + swap),
            (Reading::Value(anon), _) => Reading::Value(anon),
            (absent, _) => absent,
        }
    }
}

/// `uid` and `euid` as two fields of the row; both are absent if they were not read.
mod ids_flat {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use super::{Reading, UserIds};

    #[derive(Serialize, Deserialize, Default)]
    struct Flat {
        #[serde(default, skip_serializing_if = "Reading::is_not_asked")]
        uid: Reading<u32>,
        #[serde(default, skip_serializing_if = "Reading::is_not_asked")]
        euid: Reading<u32>,
    }

    pub fn serialize<S: Serializer>(
        ids: &Reading<UserIds>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        Flat { uid: ids.map(|ids| ids.uid), euid: ids.map(|ids| ids.euid) }.serialize(serializer)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Reading<UserIds>, D::Error> {
        let flat = Flat::deserialize(from)?;
        Ok(match (flat.uid, flat.euid) {
            (Reading::Value(uid), Reading::Value(euid)) => Reading::Value(UserIds { uid, euid }),
            (Reading::Value(uid), _) => Reading::Value(UserIds { uid, euid: uid }),
            (absent, _) => absent.map(|_| UserIds::default()),
        })
    }
}
