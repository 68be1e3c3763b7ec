//! Facts of the machine that do not change while it runs.

use serde::{Deserialize, Serialize};

use crate::model::{NumaNode, ProcessSampler, Text};
use crate::units::{Adj, LegacyAdj, PageSize, TickRate};

/// The file with the counter of resident pages that this kernel's OOM killer reads.
///
/// Near ties between victims on seven kernels showed: up to 6.1 both files have the same number;
/// from 6.2 to 6.19 the OOM killer reads the approximate per-CPU counter, as `stat` does; since 7.0
/// it reads the exact sum, as `status` does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RssSource {
    /// `/proc/PID/stat` field 24.
    #[default]
    Stat,
    /// `/proc/PID/status` `VmRSS`.
    Status,
}

impl RssSource {
    /// The file and its item, as text.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::Stat => "stat field 24",
            Self::Status => "status VmRSS",
        }
    }
}

/// How the kernel computes `/proc/PID/oom_score` from badness. Found by comparing scores, not by
/// version: late 5.4 kernels got the new scale in the middle of a stable series.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ScoreScale {
    /// `(1000 + points * 1000 / total) * 2 / 3`: 5.9 and later; badness is signed.
    #[default]
    Signed,
    /// `points * 1000 / total`: 4.17 to 5.8; badness is at least 1.
    Floored,
}

/// Facts of the machine that do not change while it runs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Machine {
    /// Host name.
    pub name: Text,
    /// Kernel release (`uname -r`).
    pub kernel: Text,
    /// Architecture (`uname -m`).
    #[serde(default)]
    pub arch: Text,
    /// `/proc/sys/kernel/random/boot_id`.
    #[serde(default)]
    pub boot_id: Text,
    /// Size of a page, in bytes.
    pub page_size: PageSize,
    /// Clock ticks per second.
    pub tick_rate: TickRate,
    /// Processors online.
    #[serde(default)]
    pub cpus: u32,
    /// NUMA nodes; empty if there is only one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub nodes: Vec<NumaNode>,
    /// Whether doomtop runs in the initial pid namespace, where pid 1 is the init of the machine.
    /// In another one, pid 1 is the first process of a container, which the OOM killer may choose.
    pub initial_pid_namespace: bool,
    /// The counter of resident pages that the ranking uses.
    pub rss_source: RssSource,
    /// The scale of `oom_score`.
    pub score_scale: ScoreScale,
    /// How the processes are read.
    #[serde(default, skip_serializing_if = "ProcessSampler::is_default")]
    pub sampler: ProcessSampler,
}

impl Machine {
    /// What `/proc/PID/oom_adj` shows for an adj on this kernel. Before 5.10 it was not clamped and
    /// showed 16 for 942 to 999 (`fs/proc/base.c` `oom_adj_read`). Before 3.7 both values were
    /// stored, and a write to `oom_score_adj` stored `adj * 15 / 1000` in the other.
    #[must_use]
    pub fn legacy(&self, adj: Adj) -> LegacyAdj {
        let version = self.kernel_version();
        if ((2, 6)..(3, 7)).contains(&version) && adj != Adj::MIN {
            return LegacyAdj((i32::from(adj.0) * 15 / 1000) as i8);
        }
        let clamps = version >= (5, 10);
        if (942..1000).contains(&adj.0) && !clamps { LegacyAdj(16) } else { adj.legacy() }
    }

    /// Major and minor version of the kernel release; (0, 0) if it has none.
    #[must_use]
    pub fn kernel_version(&self) -> (u32, u32) {
        // Asked for every process, so it takes no more than a look at these bytes.
        let mut numbers = self.kernel.as_str().as_bytes().split(|byte| !byte.is_ascii_digit());
        let mut number = || {
            let digits = numbers.next().unwrap_or_default().iter();
            let number = digits.fold(0_u64, |number, digit| {
                number.saturating_mul(10).saturating_add(u64::from(digit - b'0'))
            });
            u32::try_from(number).unwrap_or(0)
        };
        (number(), number())
    }
}
