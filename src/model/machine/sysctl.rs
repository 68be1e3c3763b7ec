//! The sysctls in `/proc/sys/vm` that decide what an OOM does.

use serde::{Deserialize, Serialize};

use crate::model::{OvercommitMode, Reading};

/// Whether an OOM panics the kernel instead of killing a process (`vm.panic_on_oom`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "u8", into = "u8")]
pub enum PanicOnOom {
    /// 0: no OOM panics.
    Never,
    /// 1: an OOM of the whole machine.
    Global,
    /// 2 and above: every OOM, also one of a cgroup or of a set of NUMA nodes.
    Always,
}

impl From<u8> for PanicOnOom {
    fn from(value: u8) -> Self {
        match value {
            0 => Self::Never,
            1 => Self::Global,
            _ => Self::Always,
        }
    }
}

impl From<PanicOnOom> for u8 {
    fn from(value: PanicOnOom) -> Self {
        match value {
            PanicOnOom::Never => 0,
            PanicOnOom::Global => 1,
            PanicOnOom::Always => 2,
        }
    }
}

/// The sysctls that decide what an OOM does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sysctls {
    /// `vm.panic_on_oom`.
    #[serde(default, skip_serializing_if = "Reading::is_not_asked")]
    pub panic_on_oom: Reading<PanicOnOom>,
    /// `vm.oom_kill_allocating_task`: the allocating task is killed, whatever its badness. Counts
    /// only in an OOM of the whole machine or of a set of NUMA nodes.
    #[serde(default, skip_serializing_if = "Reading::is_not_asked")]
    pub oom_kill_allocating_task: Reading<bool>,
    /// `vm.swappiness`.
    #[serde(default, skip_serializing_if = "Reading::is_not_asked")]
    pub swappiness: Reading<u64>,
}

/// A sysctl in `/proc/sys/vm` that doomtop can write.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Sysctl {
    /// `overcommit_memory`: 0, 1 or 2.
    OvercommitMemory,
    /// `overcommit_ratio`, percent of RAM.
    OvercommitRatio,
    /// `overcommit_kbytes`, KiB (3.14 and later).
    OvercommitKbytes,
    /// `panic_on_oom`: 0, 1 or 2.
    PanicOnOom,
    /// `oom_kill_allocating_task`: 0 or 1.
    KillAllocatingTask,
    /// `swappiness`: 0 to 200 (to 100 before 5.8).
    Swappiness,
}

impl Sysctl {
    /// All of them, in the order of the dialog.
    pub const ALL: [Self; 6] = [
        Self::OvercommitMemory,
        Self::OvercommitRatio,
        Self::OvercommitKbytes,
        Self::PanicOnOom,
        Self::KillAllocatingTask,
        Self::Swappiness,
    ];

    /// The name of the file in `/proc/sys/vm`.
    #[must_use]
    pub const fn file(self) -> &'static str {
        match self {
            Self::OvercommitMemory => "overcommit_memory",
            Self::OvercommitRatio => "overcommit_ratio",
            Self::OvercommitKbytes => "overcommit_kbytes",
            Self::PanicOnOom => "panic_on_oom",
            Self::KillAllocatingTask => "oom_kill_allocating_task",
            Self::Swappiness => "swappiness",
        }
    }

    /// Maximum that doomtop writes; the minimum is 0. The kernel accepts any ratio and any number
    /// of KiB: values above these have no effect on any machine.
    #[must_use]
    pub const fn highest(self) -> u64 {
        match self {
            Self::OvercommitMemory | Self::PanicOnOom => 2,
            Self::OvercommitRatio => 1000,
            Self::OvercommitKbytes => 1 << 40,
            Self::KillAllocatingTask => 1,
            Self::Swappiness => 200,
        }
    }

    /// The value that the kernel uses: `oom_kill_allocating_task` is on for every number but 0.
    #[must_use]
    pub const fn effective(self, value: u64) -> u64 {
        match self {
            Self::KillAllocatingTask if value != 0 => 1,
            _ => value,
        }
    }

    /// The sysctl that a write sets to zero: of ratio and kbytes only one counts (`mm/util.c`
    /// `overcommit_ratio_handler`, `overcommit_kbytes_handler`).
    #[must_use]
    pub const fn zeroes(self) -> Option<Self> {
        match self {
            Self::OvercommitRatio => Some(Self::OvercommitKbytes),
            Self::OvercommitKbytes => Some(Self::OvercommitRatio),
            _ => None,
        }
    }

    /// The meaning of a value in a few words; empty if the number says it.
    #[must_use]
    pub const fn meaning(self, value: u64) -> &'static str {
        match (self, value) {
            (Self::OvercommitMemory, 0) => OvercommitMode::Heuristic.word(),
            (Self::OvercommitMemory, 1) => OvercommitMode::Always.word(),
            (Self::OvercommitMemory, 2) => OvercommitMode::Strict.word(),
            (Self::OvercommitRatio, _) => "% of RAM, and all swap",
            (Self::OvercommitKbytes, 0) => "the ratio counts",
            (Self::OvercommitKbytes, _) => "KiB, and all swap",
            (Self::PanicOnOom, 0) => "no OOM",
            (Self::PanicOnOom, 1) => "an OOM of the machine",
            (Self::PanicOnOom, 2) => "any OOM",
            (Self::KillAllocatingTask, 0) => "highest badness dies",
            (Self::KillAllocatingTask, _) => "allocating task dies",
            (Self::Swappiness, 0) => "swap only as a last resort",
            _ => "",
        }
    }
}

impl std::fmt::Display for Sysctl {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "vm.{}", self.file())
    }
}

/// Whether doomtop can write sysctls.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SysctlWritable {
    /// Not asked.
    #[default]
    NotAsked,
    /// It can.
    Yes,
    /// `/proc/sys` is mounted read-only, as in most containers.
    ReadOnly,
    /// Only root of the machine may; a capability does not help (`fs/proc/proc_sysctl.c`
    /// `test_perm`).
    RootOnly,
}

impl SysctlWritable {
    /// Whether it was not asked.
    #[must_use]
    pub fn is_not_asked(&self) -> bool {
        *self == Self::NotAsked
    }

    /// Why they cannot be written, and what would help.
    #[must_use]
    pub const fn hindrance(self) -> Option<&'static str> {
        match self {
            Self::NotAsked | Self::Yes => None,
            Self::ReadOnly => {
                Some("/proc/sys is read-only here, as in a container: change it on the host")
            }
            Self::RootOnly => {
                Some("only the machine's root may change it (uid 0; no capability helps)")
            }
        }
    }
}
