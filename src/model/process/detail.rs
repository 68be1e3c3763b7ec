//! What is found out about one process before it is acted on: too dear, or too likely to block, for
//! every look at everybody.

use crate::model::{Comm, Hierarchy, ProcId, Reading, Signal, Text};
use crate::units::Kib;

/// One process, studied once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ProcessDetail {
    /// Who.
    pub who: ProcId,
    /// What its memory is made of.
    pub breakdown: Reading<MemoryBreakdown>,
    /// Who lives in its memory.
    pub sharers: Reading<MemorySharers>,
    /// The freezer that holds it.
    pub frozen: Option<FrozenBy>,
    /// The unit of the service manager that it belongs to.
    pub unit: Option<ServiceUnit>,
}

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
    pub fn unshare(&self) -> Kib {
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

/// Who lives in the memory of a process, by `kcmp(2)`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MemorySharers {
    /// Proven.
    pub found: Vec<(ProcId, Comm)>,
    /// How many the kernel would not tell about: others' processes.
    pub unknown: usize,
}

/// A frozen cgroup.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FrozenBy {
    /// Which freezer: a v1 one holds back even SIGKILL, a v2 one only what is caught.
    pub hierarchy: Hierarchy,
    /// Its path, as `/proc/PID/cgroup` prints it.
    pub path: Text,
    /// It was frozen itself; otherwise one above it was.
    pub own: bool,
    /// How many others are in it and below.
    pub others: usize,
}

impl FrozenBy {
    /// Whether a signal has to wait for the thaw (`Documentation/admin-guide/cgroup-v2.rst`,
    /// `cgroup.freeze`: a deadly one does not).
    #[must_use]
    pub fn holds_back(&self, signal: Signal) -> bool {
        self.hierarchy == Hierarchy::V1 || signal != Signal::KILL
    }
}

/// A unit of the service manager, as its files describe it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceUnit {
    /// `nginx.service`.
    pub name: Text,
    /// `Restart=`.
    pub restart: RestartPolicy,
    /// With the main process the manager ends all others of the unit: `KillMode=control-group` (the
    /// default) or `mixed`.
    pub ends_all: bool,
    /// The files that were read, the unit's own first; none where it has no file that can be seen.
    pub from: Vec<Text>,
    /// The process is a child of the unit's manager: its main one, or an orphan of it.
    pub main: bool,
}

/// `Restart=` (`man systemd.service`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RestartPolicy {
    /// Never: the default.
    #[default]
    No,
    /// After an orderly end.
    OnSuccess,
    /// After any other.
    OnFailure,
    /// After a signal that is not one of an orderly end, or a timeout.
    OnAbnormal,
    /// After such a signal.
    OnAbort,
    /// After a watchdog's timeout.
    OnWatchdog,
    /// After every end.
    Always,
}

impl RestartPolicy {
    /// By its name in a file.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|it| it.name() == name)
    }

    const ALL: [Self; 7] = [
        Self::No,
        Self::OnSuccess,
        Self::OnFailure,
        Self::OnAbnormal,
        Self::OnAbort,
        Self::OnWatchdog,
        Self::Always,
    ];

    /// As a file writes it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::No => "no",
            Self::OnSuccess => "on-success",
            Self::OnFailure => "on-failure",
            Self::OnAbnormal => "on-abnormal",
            Self::OnAbort => "on-abort",
            Self::OnWatchdog => "on-watchdog",
            Self::Always => "always",
        }
    }

    /// Whether a main process that ends by this signal is started again. SIGHUP, SIGINT, SIGTERM and
    /// SIGPIPE are an orderly end.
    #[must_use]
    pub const fn follows(self, signal: Signal) -> bool {
        let orderly = matches!(signal.0, 1 | 2 | 13 | 15);
        match self {
            Self::No | Self::OnWatchdog => false,
            Self::Always => true,
            Self::OnSuccess => orderly,
            Self::OnFailure | Self::OnAbnormal | Self::OnAbort => !orderly,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_of_the_manual() {
        for (name, kill, term) in [
            ("no", false, false),
            ("always", true, true),
            ("on-success", false, true),
            ("on-failure", true, false),
            ("on-abnormal", true, false),
            ("on-abort", true, false),
            ("on-watchdog", false, false),
        ] {
            let restart = RestartPolicy::named(name).expect("a name of the manual");
            assert_eq!(restart.follows(Signal::KILL), kill, "{name} after SIGKILL");
            assert_eq!(restart.follows(Signal::TERM), term, "{name} after SIGTERM");
        }
        assert_eq!(RestartPolicy::named("sometimes"), None);
    }

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
            .unshare()
        };
        assert_eq!(of(1000, 1200, Some(Kib(500))), Kib(1000), "all of it by two");
        assert_eq!(of(1000, 500, Some(Kib(750))), Kib(500), "half of it by two");
        assert_eq!(of(1000, 1100, Some(Kib(10))), Kib(1000), "by a hundred");
        assert_eq!(of(1000, 90_000, Some(Kib(1000))), Kib(0), "shared memory is not anonymous");
        assert_eq!(of(1000, 300, None), Kib(300), "before 5.3: no more than is shared");
    }
}
