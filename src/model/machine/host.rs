//! Facts of the machine that do not change while it runs.

use serde::{Deserialize, Serialize};

use crate::model::{NumaNode, Text};
use crate::units::{Adj, LegacyAdj, PageSize, TickRate};

/// Which file carries the resident-set counter that this kernel's OOM killer reads.
///
/// Proved by near-tie kills on seven kernels: up to 6.1 both files tell the same; 6.2 to 6.19
/// the killer reads the approximate per-CPU counter, as `stat` does; 7.0 and later it sums
/// exactly, as `status` does.
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
    /// The file and item in words.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::Stat => "stat field 24",
            Self::Status => "status VmRSS",
        }
    }
}

/// How the kernel turns badness into `/proc/PID/oom_score`. Found by looking, not by version:
/// late 5.4 kernels got the new scale in the middle of a stable series.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ScoreScale {
    /// `(1000 + points * 1000 / total) * 2 / 3`: 5.9 and later; badness is signed.
    #[default]
    Signed,
    /// `points * 1000 / total`: 4.17 to 5.8; badness is at least 1.
    Floored,
}

/// The machine's own constants.
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
    /// Bytes in a page.
    pub page_size: PageSize,
    /// Clock ticks a second.
    pub tick_rate: TickRate,
    /// Processors online.
    #[serde(default)]
    pub cpus: u32,
    /// Memory nodes, where there is more than one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub nodes: Vec<NumaNode>,
    /// Whether pid 1 here is the machine's init: doomtop runs in the initial pid namespace.
    /// Elsewhere pid 1 is a container's first process, which the OOM killer may choose.
    pub initial_pid_namespace: bool,
    /// Which file the ranking trusts.
    pub rss_source: RssSource,
    /// The scale of `oom_score`.
    pub score_scale: ScoreScale,
}

impl Machine {
    /// What `/proc/PID/oom_adj` reads back here: before 5.10 the kernel did not clamp, and showed
    /// 16 for 942 to 999 (`fs/proc/base.c` `oom_adj_read`). Before 3.7 both values were stored, and
    /// writing `oom_score_adj` stored fifteenths.
    #[must_use]
    pub fn legacy(&self, adj: Adj) -> LegacyAdj {
        let version = self.kernel_version();
        if ((2, 6)..(3, 7)).contains(&version) && adj != Adj::MIN {
            return LegacyAdj((i32::from(adj.0) * 15 / 1000) as i8);
        }
        let clamps = version >= (5, 10);
        if (942..1000).contains(&adj.0) && !clamps { LegacyAdj(16) } else { adj.legacy() }
    }

    /// Major and minor number of the kernel release; zeros if it has none.
    #[must_use]
    pub fn kernel_version(&self) -> (u32, u32) {
        let mut numbers = self
            .kernel
            .as_str()
            .split(|c: char| !c.is_ascii_digit())
            .map(|digits| digits.parse().unwrap_or(0));
        (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0))
    }
}
