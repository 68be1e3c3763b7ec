//! Committed memory that is not used yet: of the machine, and of each process.

use crate::model::{MemoryBreakdown, OvercommitMode, ProcId, Process, Reading, Snapshot};
use crate::units::{Kib, PageSize, Pages};

/// The commitments of the machine (`/proc/meminfo`). Memory shared by a fork is charged again at the fork,
/// so `committed` contains it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Commitments {
    /// `Committed_AS`.
    pub committed: Kib,
    /// `AnonPages`: anonymous memory in RAM.
    pub anon: Kib,
    /// `Shmem`: tmpfs and shared memory in RAM.
    pub shmem: Kib,
    /// Swap in use. Pages in the swap cache are counted in `anon` too.
    pub swapped: Kib,
    /// `MemAvailable`; where missing, free memory and cache.
    pub available: Kib,
    /// Free swap.
    pub swap_free: Kib,
}

impl Commitments {
    /// The commitments in a sample. `None` if `Committed_AS` or `AnonPages` could not be read.
    #[must_use]
    pub fn of(sample: &Snapshot) -> Option<Self> {
        let memory = &sample.memory;
        let free = memory.free_kib + memory.cache_kib;
        Some(Self {
            committed: sample.overcommit.committed_kib.value()?,
            anon: memory.anon_kib.value()?,
            shmem: memory.shmem_kib,
            swapped: sample.swap.used(),
            available: memory.available_kib.value().unwrap_or(free),
            swap_free: sample.swap.free_kib,
        })
    }

    /// Committed memory that is in use, in RAM or swap.
    #[must_use]
    pub fn backed(&self) -> Kib {
        self.anon + self.shmem + self.swapped
    }

    /// Committed memory that is not used yet.
    #[must_use]
    pub fn open(&self) -> Kib {
        self.committed.saturating_sub(self.backed())
    }

    /// Memory and swap that can still be given out.
    #[must_use]
    pub fn usable(&self) -> Kib {
        self.available + self.swap_free
    }

    /// The shortfall if all commitments were used; zero if there is none.
    #[must_use]
    pub fn missing(&self) -> Kib {
        self.open().saturating_sub(self.usable())
    }

    /// The memory left if all commitments were used.
    #[must_use]
    pub fn spare(&self) -> Kib {
        self.usable().saturating_sub(self.open())
    }
}

/// The size up to which the kernel grants the next allocation (`mm/util.c` `__vm_enough_memory`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NextAllocation {
    /// Refused only if a single one exceeds this: all RAM and swap (mode 0, 5.2 and later).
    AtOnce(Kib),
    /// Refused if a single one exceeds about what is free or can be freed (mode 0 before 5.2).
    Free,
    /// Never refused (mode 1).
    Anything,
    /// Refused once this much more is committed in total (mode 2). The reserve for the administrator is
    /// already subtracted.
    UpTo(Kib),
}

impl NextAllocation {
    /// By the overcommit mode of a sample. `None` if the mode is unknown.
    #[must_use]
    pub fn of(sample: &Snapshot) -> Option<Self> {
        Some(match sample.overcommit.mode.value()? {
            OvercommitMode::Heuristic if sample.machine.kernel_version() >= (5, 2) => {
                Self::AtOnce(sample.memory.total_kib + sample.swap.total_kib)
            }
            OvercommitMode::Heuristic => Self::Free,
            OvercommitMode::Always => Self::Anything,
            OvercommitMode::Strict => {
                let charge = sample.overcommit.charge()?;
                let reserve = sample.overcommit.admin_reserve_kib.value().unwrap_or_default();
                Self::UpTo(charge.limit.saturating_sub(charge.committed).saturating_sub(reserve))
            }
            OvercommitMode::Unknown(_) => return None,
        })
    }
}

/// The memory that a process could still take by writing to its mappings.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ProcessCommitment {
    /// Private writable mappings that are neither in RAM nor in swap. `VmData` leaves out the stack and
    /// shared mappings, and contains mappings without a charge (`MAP_NORESERVE`).
    pub untouched: Reading<Pages>,
    /// Upper bound of the memory shared since a fork that the first write copies.
    pub unshare: Reading<Pages>,
}

impl ProcessCommitment {
    /// From a sample, and from `smaps_rollup` if it was read.
    #[must_use]
    pub fn of(process: &Process, holding: Reading<MemoryBreakdown>, page: PageSize) -> Self {
        let untouched = match (process.data, process.private()) {
            (Reading::Value(data), Reading::Value(held)) => {
                Reading::Value(data.saturating_sub(held))
            }
            (Reading::Value(_), absent) => absent,
            (absent, _) => absent,
        };
        Self { untouched, unshare: holding.map(|it| it.shared_anonymous().pages(page)) }
    }

    /// The sum, as far as it is known.
    #[must_use]
    pub fn sum(&self) -> Pages {
        self.untouched.value().unwrap_or_default() + self.unshare.value().unwrap_or_default()
    }
}

/// All processes with memory, those that could take most first. `holding` gives their `smaps_rollup`.
#[must_use]
pub fn processes(
    sample: &Snapshot,
    holding: impl Fn(ProcId) -> Reading<MemoryBreakdown>,
) -> Vec<ProcId> {
    let page = sample.machine.page_size;
    let all = sample.processes.iter().filter(|process| process.has_mm);
    let mut all: Vec<(Pages, ProcId)> =
        all.map(|it| (ProcessCommitment::of(it, holding(it.id), page).sum(), it.id)).collect();
    all.sort_unstable_by_key(|&(sum, id)| (std::cmp::Reverse(sum), id));
    all.into_iter().map(|(_, id)| id).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shortfall_is_what_exceeds_memory_and_swap() {
        let commitments = Commitments {
            committed: Kib(1000),
            anon: Kib(300),
            shmem: Kib(50),
            swapped: Kib(50),
            available: Kib(200),
            swap_free: Kib(100),
        };
        let kib =
            [commitments.backed(), commitments.open(), commitments.usable(), commitments.missing()];
        assert_eq!(kib, [Kib(400), Kib(600), Kib(300), Kib(300)]);
        let modest = Commitments { committed: Kib(450), ..commitments };
        assert_eq!((modest.missing(), modest.spare()), (Kib(0), Kib(250)));
        let less = Commitments { committed: Kib(10), ..commitments };
        assert_eq!(less.open(), Kib(0), "more backed than committed: copies of shared files");
    }

    #[test]
    fn a_mapping_that_is_not_resident_is_untouched() {
        let pages = |count| Reading::Value(Pages(count));
        let process =
            Process { data: pages(900), anon: pages(300), swap: pages(100), ..Process::default() };
        let holding = MemoryBreakdown {
            anonymous: Kib(1200),
            shared: Kib(800),
            private: Kib(400),
            ..MemoryBreakdown::default()
        };
        let claim = ProcessCommitment::of(&process, Reading::Value(holding), PageSize(4096));
        assert_eq!((claim.untouched, claim.unshare), (pages(500), pages(200)));
        assert_eq!(claim.sum(), Pages(700));
        let denied = ProcessCommitment::of(&process, Reading::Denied, PageSize(4096));
        assert_eq!((denied.unshare, denied.sum()), (Reading::Denied, Pages(500)));
        let unknown = Process { data: Reading::NotAsked, ..process };
        assert_eq!(
            ProcessCommitment::of(&unknown, Reading::NotAsked, PageSize(4096)),
            ProcessCommitment::default()
        );
    }
}
