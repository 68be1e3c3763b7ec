//! The machine's memory: sizes, swap, promises, pressure.

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

/// Memory promised to processes, and how much may be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CommitCharge {
    /// `CommitLimit`.
    pub limit: Kib,
    /// `Committed_AS`.
    pub committed: Kib,
}

impl CommitCharge {
    /// Promised as a share of the limit, in percent; a limit of zero counts as one KiB.
    #[must_use]
    pub fn percent(&self) -> u64 {
        self.committed.0.saturating_mul(100) / self.limit.0.max(1)
    }
}

/// `vm.overcommit_memory`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "u8", into = "u8")]
pub enum OvercommitMode {
    /// 0: refuse only what is obviously too much.
    Heuristic,
    /// 1: never refuse.
    Always,
    /// 2: refuse what goes over the commit limit.
    Strict,
    /// A value that this program does not know.
    Unknown(u8),
}

impl From<u8> for OvercommitMode {
    fn from(mode: u8) -> Self {
        match mode {
            0 => Self::Heuristic,
            1 => Self::Always,
            2 => Self::Strict,
            other => Self::Unknown(other),
        }
    }
}

impl From<OvercommitMode> for u8 {
    fn from(mode: OvercommitMode) -> Self {
        match mode {
            OvercommitMode::Heuristic => 0,
            OvercommitMode::Always => 1,
            OvercommitMode::Strict => 2,
            OvercommitMode::Unknown(other) => other,
        }
    }
}

impl OvercommitMode {
    /// What the mode means, in one word.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Heuristic => "heuristic",
            Self::Always => "always",
            Self::Strict => "strict",
            Self::Unknown(_) => "unknown",
        }
    }

    /// Whether the commit limit refuses anything.
    #[must_use]
    pub const fn enforces(self) -> bool {
        matches!(self, Self::Strict)
    }
}

/// The overcommit knobs and what they amount to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Overcommit {
    /// `vm.overcommit_memory`.
    pub mode: Reading<OvercommitMode>,
    /// `vm.overcommit_ratio`, percent of RAM.
    pub ratio: Reading<u64>,
    /// `vm.overcommit_kbytes`; 0 means that the ratio counts.
    pub kbytes: Reading<Kib>,
    /// `CommitLimit`.
    #[serde(rename = "limit")]
    pub limit_kib: Reading<Kib>,
    /// `Committed_AS`.
    #[serde(rename = "committed")]
    pub committed_kib: Reading<Kib>,
    /// `vm.admin_reserve_kbytes` (3.10 and later): kept for root, while the limit is enforced.
    #[serde(default, rename = "admin_reserve", skip_serializing_if = "Reading::is_not_asked")]
    pub admin_reserve_kib: Reading<Kib>,
    /// `vm.user_reserve_kbytes` (3.10 and later): the most that is kept from one process.
    #[serde(default, rename = "user_reserve", skip_serializing_if = "Reading::is_not_asked")]
    pub user_reserve_kib: Reading<Kib>,
}

impl Overcommit {
    /// Limit and charge, when both are known.
    #[must_use]
    pub fn charge(&self) -> Option<CommitCharge> {
        Some(CommitCharge {
            limit: self.limit_kib.value()?,
            committed: self.committed_kib.value()?,
        })
    }

    /// Whether the limit is enforced.
    #[must_use]
    pub fn enforced(&self) -> bool {
        self.mode.value().is_some_and(OvercommitMode::enforces)
    }
}

/// One line of a pressure file: shares of time in percent, and the stall time since boot.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct PsiLine {
    /// Over 10 seconds.
    pub avg10: f32,
    /// Over 60 seconds.
    pub avg60: f32,
    /// Over 300 seconds.
    pub avg300: f32,
    /// Microseconds since boot.
    pub total_us: u64,
}

/// Pressure stall information (4.20 and later).
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Pressure {
    /// Some task waited for memory.
    #[serde(rename = "memory_some")]
    pub some: Reading<PsiLine>,
    /// Every task that could run waited for memory.
    #[serde(rename = "memory_full")]
    pub full: Reading<PsiLine>,
    /// Some task waited for a disk.
    #[serde(default, skip_serializing_if = "Reading::is_not_asked")]
    pub io_some: Reading<PsiLine>,
    /// Every task that could run waited for a disk.
    #[serde(default, skip_serializing_if = "Reading::is_not_asked")]
    pub io_full: Reading<PsiLine>,
}

impl Pressure {
    /// Stalls for memory; nobody looked for those for disks.
    #[must_use]
    pub fn of_memory(some: Reading<PsiLine>, full: Reading<PsiLine>) -> Self {
        Self { some, full, ..Self::default() }
    }

    /// The same with the stalls for disks, which are told in a file of the same form.
    #[must_use]
    pub fn with_io(self, io: Reading<Self>) -> Self {
        let of = |of: fn(Self) -> Reading<PsiLine>| match io {
            Reading::Value(io) => of(io),
            absent => absent.map(|_| PsiLine::default()),
        };
        Self { io_some: of(|io| io.some), io_full: of(|io| io.full), ..self }
    }
}

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

/// The pages that an OOM of the whole machine weighs adj by: RAM and swap
/// (`mm/oom_kill.c` `constrained_alloc`: `totalram_pages() + total_swap_pages`).
#[must_use]
pub fn global_total(memory: &Memory, swap: &Swap, page: PageSize) -> Pages {
    memory.total_kib.pages(page) + swap.lasting().pages(page)
}

/// How much may be promised (`mm/util.c` `vm_commit_limit`): so many KiB where they are not 0, else
/// the ratio, in percent, of RAM without huge pages; and all swap.
#[must_use]
pub fn commit_limit(
    memory: &Memory,
    swap: &Swap,
    page: PageSize,
    ratio: u64,
    kbytes: Kib,
) -> Pages {
    let own = if kbytes == Kib::ZERO {
        let lent = memory.total_kib.pages(page).saturating_sub(memory.hugetlb_kib.pages(page));
        Pages(u64::try_from(u128::from(lent.0) * u128::from(ratio) / 100).unwrap_or(u64::MAX))
    } else {
        kbytes.pages(page)
    };
    own + swap.lasting().pages(page)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_commit_limit_is_the_kernels() {
        let page = PageSize::default();
        let pages = |count: u64| Kib(count * 4);
        for (total, hugetlb, swap, ratio, kbytes, limit) in [
            (6_170_604, 0, 0, 50, 0, 3_085_302),
            (1_048_576, 131_072, 524_288, 80, 0, 1_258_291),
            (1_048_576, 131_072, 524_288, 0, 2_097_152, 1_048_576),
        ] {
            let memory = Memory {
                total_kib: pages(total),
                hugetlb_kib: pages(hugetlb),
                ..Memory::default()
            };
            let swap = Swap { total_kib: pages(swap), ..Swap::default() };
            assert_eq!(commit_limit(&memory, &swap, page, ratio, Kib(kbytes)), Pages(limit));
        }
    }
}
