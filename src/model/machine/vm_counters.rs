//! Counters since boot in `/proc/vmstat`.

use serde::{Deserialize, Serialize};

use crate::model::Reading;
use crate::units::Pages;

/// Counters since boot in `/proc/vmstat`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct VmCounters {
    /// Pages read from swap (`pswpin`).
    pub swap_in_pages: Pages,
    /// Pages written to swap (`pswpout`).
    pub swap_out_pages: Pages,
    /// Processes killed by the OOM killer (`oom_kill`, 4.13 and later).
    pub oom_kills: Reading<u64>,
    /// Pages scanned in direct reclaim, by tasks that found no free page (`pgscan_direct`; before
    /// 4.8 the sum over all zones).
    #[serde(default, skip_serializing_if = "Reading::is_not_asked")]
    pub direct_scan: Reading<u64>,
    /// Direct reclaims (`allocstall`; since 4.10 the sum over all zones).
    #[serde(default, skip_serializing_if = "Reading::is_not_asked")]
    pub alloc_stalls: Reading<u64>,
    /// Pages that were evicted and read again soon after (`workingset_refault`, 3.15 and later;
    /// since 5.9 the sum of anonymous and file pages).
    #[serde(default, skip_serializing_if = "Reading::is_not_asked")]
    pub refaults: Reading<u64>,
}
