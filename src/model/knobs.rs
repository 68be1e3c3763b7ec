//! The kernel's switches (`/proc/sys/vm`) that decide what an OOM does.

use serde::{Deserialize, Serialize};

use super::Reading;

/// Who panics the kernel instead of killing (`vm.panic_on_oom`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "u8", into = "u8")]
pub enum PanicOnOom {
    /// 0: nobody.
    Never,
    /// 1: an OOM of the whole machine.
    Global,
    /// 2 and above: any OOM, that of a cgroup or of a set of nodes too.
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

/// The switches.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Knobs {
    /// `vm.panic_on_oom`.
    #[serde(default, skip_serializing_if = "Reading::is_not_asked")]
    pub panic_on_oom: Reading<PanicOnOom>,
    /// `vm.oom_kill_allocating_task`: whoever asks for memory dies, whatever its badness. Only in an
    /// OOM of the whole machine or of a set of nodes.
    #[serde(default, skip_serializing_if = "Reading::is_not_asked")]
    pub oom_kill_allocating_task: Reading<bool>,
    /// `vm.swappiness`.
    #[serde(default, skip_serializing_if = "Reading::is_not_asked")]
    pub swappiness: Reading<u64>,
}
