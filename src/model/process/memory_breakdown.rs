//! What the memory of one process consists of.

use crate::units::Kib;

/// What the memory of a process is made of (`/proc/PID/smaps_rollup`, 4.14 and later).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MemoryBreakdown {
    /// Resident and nobody else's: `Private_Clean` + `Private_Dirty`.
    pub private: Kib,
    /// Resident and mapped by others, too: `Shared_Clean` + `Shared_Dirty`.
    pub shared: Kib,
    /// `Anonymous`: resident, and backed by no file.
    pub anonymous: Kib,
    /// Swapped out, its part of what is shared: `SwapPss`, before 4.3 `Swap`.
    pub swap: Kib,
    /// `Pss_Anon` (5.3 and later): its part of what is anonymous.
    pub anonymous_part: Option<Kib>,
}

impl MemoryBreakdown {
    /// Anonymous memory that somebody else maps, too: what a fork shared and a write would copy. At
    /// most: the file names it apart only in sums. Exact where all of it is shared by two; where by
    /// many, up to twice too high, but never more than what is shared at all. What `tmpfs` and shared
    /// mappings hold is not anonymous here; huge pages are.
    #[must_use]
    pub fn shared_anonymous(&self) -> Kib {
        let most = self.anonymous.min(self.shared);
        self.anonymous_part.map_or(most, |part| {
            let half = self.anonymous.saturating_sub(part);
            most.min(half + half)
        })
    }

    /// What its death sets free in memory: clean pages of files stay cached, and could be had before.
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
    fn what_a_fork_shares_is_anonymous_and_mapped_twice() {
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
