//! Counters since boot from `/proc/vmstat`.

use serde::{Deserialize, Serialize};

use crate::model::Reading;
use crate::units::Pages;

/// Counters since boot from `/proc/vmstat`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct VmCounters {
    /// Pages read from swap (`pswpin`).
    pub swap_in_pages: Pages,
    /// Pages written to swap (`pswpout`).
    pub swap_out_pages: Pages,
    /// Processes that the OOM killer killed (`oom_kill`, 4.13 and later).
    pub oom_kills: Reading<u64>,
    /// Pages that tasks scanned themselves, because there was nothing free (`pgscan_direct`, of all
    /// zones before 4.8).
    #[serde(default, skip_serializing_if = "Reading::is_not_asked")]
    pub direct_scan: Reading<u64>,
    /// Allocations that had to wait for that (`allocstall`, of all zones from 4.10 on).
    #[serde(default, skip_serializing_if = "Reading::is_not_asked")]
    pub alloc_stalls: Reading<u64>,
    /// Pages that were thrown out and wanted again soon after (`workingset_refault`, 3.15 and later;
    /// anonymous and of files from 5.9 on).
    #[serde(default, skip_serializing_if = "Reading::is_not_asked")]
    pub refaults: Reading<u64>,
}
