//! RAM and swap space of the machine.

use serde::{Deserialize, Serialize};

use crate::model::Reading;
use crate::units::{Bytes, Kib, PageSize, Pages};

/// RAM: the part of `/proc/meminfo` that a ranking or the header needs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Memory {
    /// `MemTotal`.
    pub total_kib: Kib,
    /// `MemFree`.
    pub free_kib: Kib,
    /// `MemAvailable` (3.14 and later).
    pub available_kib: Reading<Kib>,
    /// `Buffers` + `Cached` + `SReclaimable` - `Shmem`: what the kernel can mostly reclaim.
    #[serde(default)]
    pub cache_kib: Kib,
    /// `Shmem`: tmpfs and shared memory, which the death of a process need not free.
    #[serde(default)]
    pub shmem_kib: Kib,
    /// `AnonPages`: pages of processes that no file backs.
    #[serde(default, skip_serializing_if = "Reading::is_not_asked")]
    pub anon_kib: Reading<Kib>,
    /// `Hugetlb`: huge pages of all sizes. They are subtracted before the commit limit is computed.
    #[serde(default)]
    pub hugetlb_kib: Kib,
}

impl Memory {
    /// Memory that is neither free nor cache.
    #[must_use]
    pub fn used(&self) -> Kib {
        self.total_kib.saturating_sub(self.free_kib).saturating_sub(self.cache_kib)
    }

    /// What is free or cache and yet not available: the reserves of the kernel, and the caches that it keeps
    /// (`mm/show_mem.c` `si_mem_available`, 6.12). `None` where it does not say what is available.
    #[must_use]
    pub fn reserve(&self) -> Option<Kib> {
        let available = self.available_kib.value()?;
        Some((self.free_kib + self.cache_kib).saturating_sub(available))
    }

    /// Whether an eighth or less is available, so that doomtop itself takes no more. An unknown size counts
    /// as enough.
    #[must_use]
    pub fn is_short(&self) -> bool {
        self.available_kib.value().is_some_and(|left| left.0 <= self.total_kib.0 / 8)
    }
}

/// Swap space.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Swap {
    /// `SwapTotal`.
    pub total_kib: Kib,
    /// `SwapFree`.
    pub free_kib: Kib,
    /// What an area that is being switched off still holds. `SwapTotal` includes it; the total of
    /// the OOM killer does not (`mm/swapfile.c` `si_swapinfo`, `nr_to_be_unused`).
    #[serde(default)]
    pub leaving_kib: Option<Kib>,
    /// What of it is on zram devices.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zram: Option<ZramSwap>,
    /// `Zswap` (5.19 and later): RAM that zswap uses for compressed pages.
    #[serde(default, skip_serializing_if = "Reading::is_not_asked")]
    pub zswap_kib: Reading<Kib>,
    /// `Zswapped`: the size of these pages before compression. They occupy swap space too.
    #[serde(default, skip_serializing_if = "Reading::is_not_asked")]
    pub zswapped_kib: Reading<Kib>,
}

/// Swap on zram devices, all of them together: pages that are stored there, compressed, stay in RAM
/// (`/proc/swaps`, `/sys/block/zramN/mm_stat`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ZramSwap {
    /// Free swap space on them.
    pub free_kib: Kib,
    /// What is stored, before compression (`orig_data_size`).
    pub stored_kib: Kib,
    /// RAM that it takes (`mem_used_total`).
    pub used_kib: Kib,
    /// Maximum of that RAM (`mem_limit`); `None` if a device has no limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit_kib: Option<Kib>,
}

impl ZramSwap {
    /// Both together.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self {
            free_kib: self.free_kib + other.free_kib,
            stored_kib: self.stored_kib + other.stored_kib,
            used_kib: self.used_kib + other.used_kib,
            limit_kib: self.limit_kib.zip(other.limit_kib).map(|(one, two)| one + two),
        }
    }
}

impl Swap {
    /// Swap in use.
    #[must_use]
    pub fn used(&self) -> Kib {
        self.total_kib.saturating_sub(self.free_kib)
    }

    /// Swap space without the area that is being switched off.
    #[must_use]
    pub fn lasting(&self) -> Kib {
        self.total_kib.saturating_sub(self.leaving_kib.unwrap_or_default())
    }
}

/// What is in use of RAM and swap together, and reclaim cannot give back. Up to 3.13 there is no
/// `MemAvailable`; free memory and caches stand for it.
#[must_use]
pub fn machine_usage(memory: &Memory, swap: &Swap) -> Bytes {
    let available = memory.available_kib.value().unwrap_or(memory.free_kib + memory.cache_kib);
    let all = memory.total_kib + swap.total_kib;
    all.saturating_sub(available + swap.free_kib).bytes()
}

/// The total by which adj is scaled in an OOM of the whole machine: RAM and swap (`mm/oom_kill.c`
/// `constrained_alloc`: `totalram_pages() + total_swap_pages`).
#[must_use]
pub fn global_total(memory: &Memory, swap: &Swap, page: PageSize) -> Pages {
    memory.total_kib.pages(page) + swap.lasting().pages(page)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_short_where_an_eighth_is_available() {
        let with = |available_kib| {
            Memory { total_kib: Kib(800), available_kib, ..Memory::default() }.is_short()
        };
        assert!(with(Reading::Value(Kib(100))) && !with(Reading::Value(Kib(101))));
        assert!(!with(Reading::Missing));
    }
}
