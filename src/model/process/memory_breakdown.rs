//! What the memory of one process consists of.

use crate::units::Kib;

/// What the memory of a process is made of (`/proc/PID/smaps_rollup`, 4.14 and later).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MemoryBreakdown {
    /// Resident and mapped by no other process: `Private_Clean` + `Private_Dirty`.
    pub private: Kib,
    /// Resident and mapped by other processes, too: `Shared_Clean` + `Shared_Dirty`.
    pub shared: Kib,
    /// `Anonymous`: resident pages that no file backs.
    pub anonymous: Kib,
    /// `LazyFree`: anonymous pages that the process gave back with `MADV_FREE`, and that nothing took yet.
    pub lazy_free: Kib,
    /// Swapped out, in proportion to the processes that share it: `SwapPss`, before 4.3 `Swap`.
    pub swap: Kib,
    /// `Pss_Anon` (5.3 and later): anonymous pages, in proportion to the processes that share them.
    pub anonymous_part: Option<Kib>,
}

impl MemoryBreakdown {
    /// Upper bound of the anonymous memory that other processes map, too: memory that a fork shares
    /// and a write would copy. The file has only sums, so the bound is exact if all of it is shared
    /// by two processes, and up to twice too high if by many, but never more than what is shared at
    /// all. Pages of `tmpfs` and of shared mappings are not anonymous; huge pages are.
    #[must_use]
    pub fn shared_anonymous(&self) -> Kib {
        let most = self.anonymous.min(self.shared);
        self.anonymous_part.map_or(most, |part| {
            let half = self.anonymous.saturating_sub(part);
            most.min(half + half)
        })
    }

    /// Memory that the death of the process frees. Clean pages of files stay in the page cache;
    /// they were reclaimable before.
    #[must_use]
    pub fn freed(&self) -> Kib {
        self.private.min(self.anonymous)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clean_pages_of_files_are_not_freed() {
        let holding = MemoryBreakdown {
            private: Kib(900),
            anonymous: Kib(500),
            shared: Kib(300),
            ..MemoryBreakdown::default()
        };
        assert_eq!(holding.freed(), Kib(500));
        assert_eq!(MemoryBreakdown { private: Kib(90), ..holding }.freed(), Kib(90));
    }

    #[test]
    fn memory_shared_by_a_fork_is_anonymous_and_shared() {
        let of = |anonymous, shared, part| {
            let (anonymous, shared) = (Kib(anonymous), Kib(shared));
            MemoryBreakdown {
                anonymous,
                shared,
                anonymous_part: part,
                ..MemoryBreakdown::default()
            }
            .shared_anonymous()
        };
        assert_eq!(of(1000, 1200, Some(Kib(500))), Kib(1000), "all of it by two");
        assert_eq!(of(1000, 500, Some(Kib(750))), Kib(500), "half of it by two");
        assert_eq!(of(1000, 1100, Some(Kib(10))), Kib(1000), "by a hundred");
        assert_eq!(of(1000, 90_000, Some(Kib(1000))), Kib(0), "shared memory is not anonymous");
        assert_eq!(of(1000, 300, None), Kib(300), "before 5.3: no more than is shared");
    }
}
