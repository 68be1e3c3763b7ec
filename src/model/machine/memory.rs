//! RAM and swap space of the machine.

use serde::{Deserialize, Serialize};

use crate::model::Reading;
use crate::units::{Kib, PageSize, Pages};

/// `/proc/meminfo`, the part that a ranking or the header needs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Memory {
    /// `MemTotal`.
    pub total_kib: Kib,
    /// `MemFree`.
    pub free_kib: Kib,
    /// `MemAvailable` (3.14 and later).
    pub available_kib: Reading<Kib>,
    /// `Buffers` + `Cached` + `SReclaimable` - `Shmem`: what the kernel can mostly give back.
    #[serde(default)]
    pub cache_kib: Kib,
    /// `Shmem`: tmpfs and shared memory; no process's death need free it.
    #[serde(default)]
    pub shmem_kib: Kib,
    /// `AnonPages`: what processes hold that no file backs.
    #[serde(default, skip_serializing_if = "Reading::is_not_asked")]
    pub anon_kib: Reading<Kib>,
    /// `Hugetlb`: all sizes of huge pages; they count against the commit limit.
    #[serde(default)]
    pub hugetlb_kib: Kib,
}

impl Memory {
    /// What is neither free nor cache.
    #[must_use]
    pub fn used(&self) -> Kib {
        self.total_kib.saturating_sub(self.free_kib).saturating_sub(self.cache_kib)
    }
}

/// Swap space.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Swap {
    /// `SwapTotal`.
    pub total_kib: Kib,
    /// `SwapFree`.
    pub free_kib: Kib,
    /// While an area is being switched off: what it still holds. `SwapTotal` counts it, the OOM
    /// killer's total does not (`mm/swapfile.c` `si_swapinfo`, `nr_to_be_unused`).
    #[serde(default)]
    pub leaving_kib: Option<Kib>,
}

impl Swap {
    /// Swap in use.
    #[must_use]
    pub fn used(&self) -> Kib {
        self.total_kib.saturating_sub(self.free_kib)
    }

    /// Swap without what is being switched off.
    #[must_use]
    pub fn lasting(&self) -> Kib {
        self.total_kib.saturating_sub(self.leaving_kib.unwrap_or_default())
    }
}

/// The pages that an OOM of the whole machine weighs adj by: RAM and swap
/// (`mm/oom_kill.c` `constrained_alloc`: `totalram_pages() + total_swap_pages`).
#[must_use]
pub fn global_total(memory: &Memory, swap: &Swap, page: PageSize) -> Pages {
    memory.total_kib.pages(page) + swap.lasting().pages(page)
}
