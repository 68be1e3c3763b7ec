//! What was promised and could still be asked for: by the machine as a whole, and by each process, the
//! one that would take most on top.

use crate::model::{MemoryBreakdown, OvercommitMode, ProcId, Process, Reading, Snapshot};
use crate::units::{Kib, PageSize, Pages};

/// The machine's promises (`/proc/meminfo`). What a fork shares was charged again at the fork, so it is
/// in `promised`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Commitments {
    /// `Committed_AS`.
    pub committed: Kib,
    /// `AnonPages`: in RAM, and backed by no file.
    pub anon: Kib,
    /// `Shmem`: tmpfs and shared memory in RAM.
    pub shmem: Kib,
    /// Swap in use. What lies in the swap cache stands in `anon`, too.
    pub swapped: Kib,
    /// `MemAvailable`, or what is free and cache: what RAM could still back.
    pub available: Kib,
    /// What swap could still back.
    pub swap_free: Kib,
}

impl Commitments {
    /// Of a look; nothing where one of the numbers could not be read.
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

    /// What is behind promises already.
    #[must_use]
    pub fn backed(&self) -> Kib {
        self.anon + self.shmem + self.swapped
    }

    /// What nobody has asked for yet.
    #[must_use]
    pub fn open(&self) -> Kib {
        self.committed.saturating_sub(self.backed())
    }

    /// What could still be given.
    #[must_use]
    pub fn usable(&self) -> Kib {
        self.available + self.swap_free
    }

    /// What would be missing if everybody asked for all; nothing where it is enough.
    #[must_use]
    pub fn missing(&self) -> Kib {
        self.open().saturating_sub(self.usable())
    }

    /// What would be left then.
    #[must_use]
    pub fn spare(&self) -> Kib {
        self.usable().saturating_sub(self.open())
    }
}

/// What the next `malloc` may get (`mm/util.c` `__vm_enough_memory`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NextAllocation {
    /// Refused only when it alone is more than that: all RAM and swap (mode 0, 5.2 and later).
    AtOnce(Kib),
    /// Refused when it alone is more than about what is free or can be freed (mode 0 before 5.2).
    Free,
    /// Never refused (mode 1).
    Anything,
    /// So much more is promised to all together, then it is refused (mode 2). The admin's reserve is
    /// off already.
    UpTo(Kib),
}

impl NextAllocation {
    /// Of a look; nothing where the mode is not known.
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

/// What one process could still take by writing to what it has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ProcessCommitment {
    /// Mapped for it alone to write, and neither in RAM nor in swap. `VmData` leaves out its stack and
    /// what it maps shared, and counts what it reserved without a charge (`MAP_NORESERVE`).
    pub untouched: Reading<Pages>,
    /// Shared since a fork, to be copied at its first write: at most so much.
    pub unshare: Reading<Pages>,
}

impl ProcessCommitment {
    /// By what a look knows, and by `smaps_rollup` where somebody read it.
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

    /// Both, as far as they are known.
    #[must_use]
    pub fn sum(&self) -> Pages {
        self.untouched.value().unwrap_or_default() + self.unshare.value().unwrap_or_default()
    }
}

/// Everybody with memory, who could take most first; `holding` is what was read of a process.
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
    fn the_shortfall_is_what_nobody_could_give() {
        let promises = Commitments {
            committed: Kib(1000),
            anon: Kib(300),
            shmem: Kib(50),
            swapped: Kib(50),
            available: Kib(200),
            swap_free: Kib(100),
        };
        let kib = [promises.backed(), promises.open(), promises.usable(), promises.missing()];
        assert_eq!(kib, [Kib(400), Kib(600), Kib(300), Kib(300)]);
        let modest = Commitments { committed: Kib(450), ..promises };
        assert_eq!((modest.missing(), modest.spare()), (Kib(0), Kib(250)));
        let less = Commitments { committed: Kib(10), ..promises };
        assert_eq!(less.open(), Kib(0), "more backed than promised: shared files' copies");
    }

    #[test]
    fn what_is_mapped_and_not_held_is_untouched() {
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
