//! Whether so much more memory fits now, and who is killed until it does: the cascade.
//!
//! A newcomer takes memory page by page, and everybody else stays as they are. Each limit on its way has room:
//! that of its cgroup and of every one above it, that of the machine, and what is left until a userspace killer
//! that runs here acts. When the room of the tightest is used up, its killer chooses by its rule, at the limit,
//! the newcomer among the others. What the victim frees is room again, until the newcomer has everything or is
//! chosen itself.

mod levels;
mod newcomer;
mod run;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use crate::forecast::commitments::NextAllocation;
use crate::forecast::next_death::StallReason;
use crate::model::{Comm, ProcId, Text};
use crate::policy::BadnessUnit;
use crate::units::{Adj, Bytes, Points};

pub use newcomer::{NEWCOMER, Newcomer};
pub use run::{MAX_KILLS, what_fits};

/// What a level of room is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RoomKind {
    /// The limit of a memory cgroup.
    Limit,
    /// `memory.high` of a memory cgroup: beyond it tasks are slowed down, and nobody is killed.
    High,
    /// The machine.
    Machine,
    /// A userspace killer, by the id of its policy.
    Killer(&'static str),
}

impl RoomKind {
    /// The identifier in JSON.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Limit => "limit",
            Self::High => "high",
            Self::Machine => "machine",
            Self::Killer(_) => "killer",
        }
    }
}

/// The room of one limit that the newcomer meets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoomLevel {
    /// What it is.
    pub kind: RoomKind,
    /// The path of the cgroup; `global` for the machine and for a userspace killer.
    pub name: Arc<Text>,
    /// The limit: for the machine RAM and swap.
    pub limit: Bytes,
    /// What can still be taken before anybody is killed: free, what reclaim gives back, and swap.
    pub left: Bytes,
    /// Why nobody is killed there when it is used up.
    pub stalled: Option<StallReason>,
}

/// A process that dies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Casualty {
    /// The process.
    pub id: ProcId,
    /// Its name.
    pub comm: Comm,
    /// Its points at the limit; nothing where the rule did not choose by them.
    pub points: Option<Points>,
}

/// One kill of the cascade.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CascadeStep {
    /// The killer: `kernel`, or the id of the policy of a userspace killer.
    pub by: &'static str,
    /// The limit that was reached: its cgroup, or `global`.
    pub domain: Arc<Text>,
    /// What the newcomer had by then.
    pub had: Bytes,
    /// Who is killed.
    pub victim: Casualty,
    /// The unit of all points.
    pub unit: BadnessUnit,
    /// Others who may be chosen in the place of the victim, too close to call.
    pub rivals: Vec<Casualty>,
    /// The newcomer's own points; nothing where it cannot be chosen.
    pub own: Option<Points>,
    /// Whether these are so close that the newcomer may be chosen itself.
    pub close_to_own: bool,
    /// The cgroup that is killed as a whole.
    pub group: Option<Arc<Text>>,
    /// Who dies with the victim.
    pub also: Vec<Casualty>,
    /// What all of them free below that limit; nothing where it could not be read of any.
    pub freed: Option<Bytes>,
    /// Shared memory of theirs that is freed only if no file and no other process holds it.
    pub perhaps: Bytes,
    /// What the newcomer can take after it.
    pub left: Bytes,
}

/// The one who would be killed next to the newcomer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NextToDie {
    /// The process.
    pub who: Casualty,
    /// The highest `oom_score_adj` with which it would die in the place of the newcomer, there.
    pub below: Option<Adj>,
    /// Whether it is so close that it may die in its place anyway.
    pub close: bool,
}

/// Why the newcomer does not get all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Obstacle {
    /// It is killed itself.
    Itself {
        /// The killer.
        by: &'static str,
        /// The limit.
        domain: Arc<Text>,
        /// Its points, and their unit.
        own: Option<(Points, BadnessUnit)>,
        /// Because it asks for memory, and not because of its size (`vm.oom_kill_allocating_task`).
        asks: bool,
        /// Who comes next.
        next: Option<NextToDie>,
        /// Who dies with it.
        also: Vec<Casualty>,
    },
    /// It dies with another one.
    With {
        /// The killer.
        by: &'static str,
        /// The one that is chosen.
        victim: Casualty,
        /// The cgroup that dies as a whole.
        group: Option<Arc<Text>>,
    },
    /// No process can be chosen: allocations fail or wait, and on the whole machine the kernel panics.
    Nobody {
        /// The limit.
        domain: Arc<Text>,
    },
    /// Its tasks wait, and nobody is killed.
    Stalled {
        /// Why.
        reason: StallReason,
        /// The cgroup.
        domain: Arc<Text>,
    },
    /// The kernel panics (`vm.panic_on_oom`).
    Panics {
        /// The limit.
        domain: Arc<Text>,
    },
    /// The allocation is refused (`vm.overcommit_memory` 2). Nobody is killed.
    Refused {
        /// What may still be committed.
        most: Bytes,
    },
    /// So many were killed, and it is still not enough.
    TooMany,
}

/// Where the newcomer is slowed down (`memory.high`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Throttling {
    /// The cgroup.
    pub domain: Arc<Text>,
    /// What it had by then.
    pub had: Bytes,
}

/// How it ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FitOutcome {
    /// It has all that it asked for.
    Fits {
        /// What is left then at the tightest limit.
        left: Bytes,
    },
    /// Somebody is killed, and whom a BPF program decides.
    Unforeseen {
        /// The limit.
        domain: Arc<Text>,
        /// What it had by then.
        had: Bytes,
    },
    /// It does not get all.
    Blocked {
        /// Why.
        obstacle: Obstacle,
        /// What it had by then.
        had: Bytes,
    },
}

/// The answer in one word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FitVerdict {
    /// It fits, and nobody is killed.
    Fits,
    /// It fits and nobody is killed, but it is slowed down at `memory.high`.
    Throttled,
    /// It fits only after somebody was killed.
    AfterKills,
    /// It does not fit.
    No,
}

impl FitVerdict {
    /// The identifier in JSON.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Fits => "fits",
            Self::Throttled => "throttled",
            Self::AfterKills => "after_kills",
            Self::No => "no",
        }
    }
}

/// Whether it fits, and what happens until it does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FitAnswer {
    /// Who asks, and for how much.
    pub newcomer: Newcomer,
    /// The limits that it meets, the tightest first.
    pub levels: Vec<RoomLevel>,
    /// Who is killed, in this order.
    pub steps: Vec<CascadeStep>,
    /// Where it is slowed down first: the kernel lets it go on above `memory.high`, slowly.
    pub throttled: Option<Throttling>,
    /// How it ends.
    pub outcome: FitOutcome,
    /// Up to which size `malloc` succeeds; nothing where the mode is not known.
    pub grant: Option<NextAllocation>,
    /// Killers that run here and act by pressure, which cannot be foreseen.
    pub by_pressure: Vec<&'static str>,
    /// Cgroups on its way whose limit or usage could not be read.
    pub unread: Vec<Arc<Text>>,
}

impl FitAnswer {
    /// The answer in one word.
    #[must_use]
    pub const fn verdict(&self) -> FitVerdict {
        match self.outcome {
            FitOutcome::Fits { .. } if self.steps.is_empty() => match self.throttled {
                Some(_) => FitVerdict::Throttled,
                None => FitVerdict::Fits,
            },
            FitOutcome::Fits { .. } | FitOutcome::Unforeseen { .. } => FitVerdict::AfterKills,
            FitOutcome::Blocked { .. } => FitVerdict::No,
        }
    }

    /// The limit with the least room. Above `memory.high` there is more, for those who have time.
    #[must_use]
    pub fn tightest(&self) -> Option<&RoomLevel> {
        self.levels.iter().find(|level| level.kind != RoomKind::High)
    }

    /// How much fits without any kill.
    #[must_use]
    pub fn room(&self) -> Bytes {
        self.tightest().map_or(Bytes::ZERO, |level| level.left)
    }

    /// What is missing for that.
    #[must_use]
    pub fn missing(&self) -> Bytes {
        self.newcomer.size.saturating_sub(self.room())
    }

    /// The limit below which it could never fit, were everybody dead.
    #[must_use]
    pub fn too_large_for(&self) -> Option<&RoomLevel> {
        let lasting =
            |level: &&RoomLevel| matches!(level.kind, RoomKind::Limit | RoomKind::Machine);
        self.levels.iter().filter(lasting).find(|level| self.newcomer.size > level.limit)
    }
}
