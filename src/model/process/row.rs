//! One process as `/proc` shows it.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::model::process::id::ProcId;
use crate::model::{Capabilities, Comm, NodeSet, Reading, Text};
use crate::units::{Adj, Bytes, PageSize, Pages, Ticks};

/// The state letter of `/proc/PID/stat` field 3.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RunState(pub char);

impl RunState {
    /// The main thread is gone; the process may still live in its other threads.
    #[must_use]
    pub const fn is_zombie(self) -> bool {
        matches!(self.0, 'Z' | 'X' | 'x')
    }

    /// The state in words.
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

/// Real and effective user.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct UserIds {
    /// Real user id.
    pub uid: u32,
    /// Effective user id: whose process it is.
    pub euid: u32,
}

/// One process.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Process {
    /// Who it is.
    #[serde(flatten)]
    pub id: ProcId,
    /// Pid of the parent.
    #[serde(rename = "ppid")]
    pub parent: i32,
    /// Process group (field 5); 0 where it is not known.
    #[serde(rename = "pgrp", default, skip_serializing_if = "is_zero")]
    pub group: i32,
    /// Session id (field 6); a session leader has its own pid here.
    #[serde(default)]
    pub session: i32,
    /// Device number of its controlling terminal (field 7); 0 means none.
    #[serde(default)]
    pub tty: i32,
    /// Its own short name.
    pub comm: Comm,
    /// State of the main thread.
    pub state: RunState,
    /// Kernel flags (field 9), `PF_*` of `include/linux/sched.h`.
    #[serde(default)]
    pub flags: u32,
    /// Threads in the group.
    #[serde(default)]
    pub threads: u32,
    /// Nice value, -20 to 19.
    #[serde(default)]
    pub nice: i8,
    /// User and system time of all its threads, living and dead.
    #[serde(rename = "cpu_ticks", default)]
    pub cpu: Ticks,
    /// Virtual size (field 23); in pages it is the kernel's `total_vm`.
    #[serde(rename = "vsize_bytes", default)]
    pub vsize: Bytes,
    /// Resident pages as field 24 tells: the counter that the OOM killer of 6.2 to 6.19 reads.
    #[serde(rename = "rss_stat_pages", default)]
    pub rss_stat: Pages,
    /// Resident pages as `VmRSS` of `status` tells: exact from 6.16, and what 7.0 and later read.
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
    /// Private writable mappings without the stack (`VmData`): what may become anonymous.
    #[serde(rename = "data_pages", default, skip_serializing_if = "Reading::is_not_asked")]
    pub data: Reading<Pages>,
    /// Page tables (`VmPTE`, 4.15 and later all levels but the top one).
    #[serde(rename = "pgtables_pages", default, skip_serializing_if = "Reading::is_not_asked")]
    pub pgtables: Reading<Pages>,
    /// Whether any of its threads still has an address space.
    #[serde(default)]
    pub has_mm: bool,
    /// It was killed (SIGKILL is pending on its main thread) or is on its way out, and still here.
    #[serde(default)]
    pub dying: bool,
    /// `oom_score_adj`.
    #[serde(rename = "oom_score_adj", default, skip_serializing_if = "Reading::is_not_asked")]
    pub adj: Reading<Adj>,
    /// The kernel's own `oom_score`.
    #[serde(rename = "oom_score", default, skip_serializing_if = "Reading::is_not_asked")]
    pub score: Reading<u32>,
    /// Whether `score` was read right beside the sizes of this look, so that the two may be compared.
    #[serde(default)]
    pub score_fresh: bool,
    /// Users.
    #[serde(flatten, with = "ids_flat")]
    pub ids: Reading<UserIds>,
    /// Effective capabilities.
    #[serde(rename = "cap_effective", default, skip_serializing_if = "Reading::is_not_asked")]
    pub caps: Reading<Capabilities>,
    /// Nodes that it may take memory from (`Mems_allowed_list`); asked for where there are several.
    #[serde(default, skip_serializing_if = "Reading::is_not_asked")]
    pub nodes: Reading<NodeSet>,
    /// Path in the memory cgroup hierarchy, as `/proc/PID/cgroup` prints it.
    #[serde(default, skip_serializing_if = "Reading::is_not_asked")]
    pub cgroup: Reading<Arc<Text>>,
    /// Command line, arguments joined by spaces. Never needed for a ranking.
    #[serde(default, skip_serializing_if = "Reading::is_not_asked")]
    pub cmdline: Reading<Arc<Text>>,
    /// Its program and where it runs, where an installed killer has rules on that.
    #[serde(default, rename = "whereabouts", skip_serializing_if = "Option::is_none")]
    pub exe_cwd_environ: Option<Arc<ExeCwdEnviron>>,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde hands over a reference")]
const fn is_zero(group: &i32) -> bool {
    *group == 0
}

/// What a process runs and where. Whoever needs none of it has no such thing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExeCwdEnviron {
    /// The path of its program (`/proc/PID/exe`).
    #[serde(default, skip_serializing_if = "Reading::is_not_asked")]
    pub exe: Reading<Text>,
    /// Its working directory (`/proc/PID/cwd`).
    #[serde(default, skip_serializing_if = "Reading::is_not_asked")]
    pub cwd: Reading<Text>,
    /// The first 4096 bytes of its environment, its parts joined by spaces. It may hold secrets, so
    /// that no recording has it.
    #[serde(skip)]
    pub environ: Reading<Text>,
}

impl Process {
    /// On its way out (`include/linux/sched.h`, as the others).
    pub const PF_EXITING: u32 = 0x0000_0004;
    /// Writing a core dump.
    pub const PF_DUMPCORE: u32 = 0x0000_0200;
    /// Killed by a signal.
    pub const PF_SIGNALED: u32 = 0x0000_0400;
    /// A kernel thread.
    pub const PF_KTHREAD: u32 = 0x0020_0000;

    /// A kernel thread: nothing can kill it.
    #[must_use]
    pub const fn is_kernel_thread(&self) -> bool {
        self.flags & Self::PF_KTHREAD != 0
    }

    /// Virtual size in pages: the kernel's `total_vm`.
    #[must_use]
    pub fn total_vm(&self, page: PageSize) -> Pages {
        self.vsize.pages(page)
    }

    /// What the process holds that nobody else does, as far as `status` tells: anonymous pages and
    /// swap. About what its death frees.
    #[must_use]
    pub fn private(&self) -> Reading<Pages> {
        match (self.anon, self.swap) {
            (Reading::Value(anon), Reading::Value(swap)) => Reading::Value(anon + swap),
            (Reading::Value(anon), _) => Reading::Value(anon),
            (absent, _) => absent,
        }
    }
}

/// `uid` and `euid` side by side in the row, both absent when they were not read.
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
