//! The next death: who dies, when, in which domain, and by which killer, if memory goes on as it did.
//!
//! [`DeathForecaster`] takes every sample and keeps what the prediction needs: how much room each domain
//! has left, and how fast each process grows. [`Deaths`] is its answer: the earliest death of each
//! (killer, domain) pair, the nearest first, and the one that the headline shows.

mod approach;
mod domain_age;
mod forecaster;
mod growth;
mod headline;
mod killers;
mod prediction_log;
mod room;
mod room_history;
pub(crate) mod slope;
#[cfg(test)]
mod tests;
mod then;
mod unreclaimable;
mod usage_scale;
mod victim;

use std::sync::Arc;

use crate::model::{Comm, ProcId, Text};
use crate::policy::{Override, TriggerRule};
use crate::units::{Adj, Bytes, Millis};

pub use forecaster::DeathForecaster;
use headline::{HALF_FULL, SOON};
pub use killers::needed_cgroups;
pub(crate) use killers::{is_by_amounts, is_userspace, left as left_until, presence};
pub use prediction_log::{PredictedKill, PredictionLog};
pub use room::stall;
pub(crate) use room::{Room, of_cgroup as room_of_cgroup, of_machine as room_of_machine};
pub use then::FollowingDeath;
pub(crate) use unreclaimable::{Reclaim, TakenBack, lasting};

/// The name of the kernel as a killer.
pub const KERNEL: &str = "kernel";
/// Maximum number of predicted deaths in one answer.
pub const MAX_DEATHS: usize = 8;
/// The headline is silent about deaths that are further away.
pub const HEADLINE_HORIZON: Millis = Millis(600_000);
/// [`Deaths::list`] holds no death that is further away.
pub const LIST_HORIZON: Millis = Millis(3_600_000);

/// A time span from the prediction on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimeSpan {
    /// At the fastest rate that the samples allow.
    pub low: Millis,
    /// At the rate that fits best.
    pub middle: Millis,
    /// At the slowest rate that the samples allow.
    pub high: Millis,
}

impl TimeSpan {
    /// The same from a later time on; 0 for what is past.
    #[must_use]
    pub const fn after(self, passed: Millis) -> Self {
        Self {
            low: self.low.saturating_sub(passed),
            middle: self.middle.saturating_sub(passed),
            high: self.high.saturating_sub(passed),
        }
    }
}

/// One process that may die.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// The process.
    pub id: ProcId,
    /// Its name at the time of the prediction.
    pub comm: Comm,
    /// It dies if the limit is reached between these times.
    pub from: Millis,
    /// End of that span.
    pub to: Millis,
}

/// The smallest change of `oom_score_adj` that saves the process that is named.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SavingAdj {
    /// The highest value at which it is no candidate for this death.
    pub adj: Adj,
    /// The process that dies in its place, by id and name; `None` where no other one can be chosen.
    pub instead: Option<(ProcId, Comm)>,
}

/// How certain the victim is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeathCertainty {
    /// One process is named.
    Named,
    /// Several processes are candidates.
    TooClose,
    /// Every process is protected: allocations fail, or the machine panics.
    Nobody,
    /// An override decides, not the ranking.
    Overridden(Override),
}

/// Why a domain that has no room left leads to no death.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StallReason {
    /// Usage is above `memory.high`: tasks are slowed down, not killed.
    Throttled,
    /// `memory.oom_control` has `oom_kill_disable` set (cgroup v1): tasks wait.
    OomKillDisabled,
    /// The cgroup is frozen (cgroup v2): its tasks do not run, so they allocate nothing.
    Frozen,
}

impl StallReason {
    /// The reason in a few words.
    #[must_use]
    pub const fn brief(self) -> &'static str {
        match self {
            Self::Throttled => "throttled at memory.high",
            Self::OomKillDisabled => "oom_kill_disable is set",
            Self::Frozen => "frozen",
        }
    }

    /// The reason as a half sentence.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::Throttled => "throttled at memory.high: stalled, no process is killed",
            Self::OomKillDisabled => {
                "oom_kill_disable is set: its tasks wait, no process is killed"
            }
            Self::Frozen => "frozen: its tasks wait until it is thawed, no process is killed",
        }
    }
}

/// One predicted death.
#[derive(Clone, Debug, PartialEq)]
pub struct NextDeath {
    /// The killer: `kernel`, or the id of the policy of a userspace killer that runs here.
    pub by: &'static str,
    /// `global`, or the path of the cgroup whose limit is reached.
    pub domain: Arc<Text>,
    /// When; `None` where the domain is at its limit already and stalls.
    pub when: Option<TimeSpan>,
    /// How certain the victim is.
    pub certainty: DeathCertainty,
    /// Who may die, the most likely first; one entry where the victim is named.
    pub candidates: Vec<Candidate>,
    /// What saves the named process, where the rule of the kernel chooses: the one value that is told everywhere.
    pub saved: Option<SavingAdj>,
    /// What each process of the domain gains until then, in pages a second; not those that stay as they are.
    pub gains: Vec<(ProcId, f64)>,
    /// What the domain can still take; for a userspace killer what is left until it acts.
    pub left: Bytes,
    /// The limit of the domain: RAM and swap of the machine, or the limit of the cgroup.
    pub limit: Bytes,
    /// How fast that shrinks, in bytes a second.
    pub rate: f64,
    /// The rule by which a userspace killer acts; `None` for the kernel.
    pub trigger: Option<Arc<TriggerRule>>,
    /// Why no process is killed though the limit is reached.
    pub stalled: Option<StallReason>,
}

impl NextDeath {
    /// The process that dies, where one is named.
    #[must_use]
    pub fn victim(&self) -> Option<&Candidate> {
        let named = self.certainty == DeathCertainty::Named;
        self.candidates.first().filter(|_| named)
    }

    /// The process that the headline names first: the one that dies, or the most likely of several.
    #[must_use]
    pub fn first(&self) -> Option<&Candidate> {
        self.candidates.first()
    }

    /// What a process gains until then, in pages a second.
    #[must_use]
    pub fn gain_of(&self, id: ProcId) -> f64 {
        self.gains.iter().find(|it| it.0 == id).map_or(0.0, |it| it.1)
    }

    /// The most likely time, where the headline would tell it: not of a domain that is less than half full, unless it
    /// is nearer than a minute.
    fn time_to_tell(&self) -> Option<Millis> {
        let time = self.when?.middle;
        let left = u128::from(self.left.0) * 1000 / u128::from(self.limit.0.max(1));
        (left <= u128::from(1000 - HALF_FULL) || time <= SOON).then_some(time)
    }

    /// The most likely time, for ordering: a domain that stalls now counts as now.
    #[must_use]
    pub fn middle(&self) -> Millis {
        self.when.map_or(Millis::ZERO, |when| when.middle)
    }
}

/// What is predicted at one moment.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Deaths {
    /// The death that the headline shows; `None` while nothing is near.
    pub next: Option<NextDeath>,
    /// The earliest death of each killer and domain, the nearest first.
    pub list: Vec<NextDeath>,
}

impl Deaths {
    /// The most likely time until the kernel kills in this domain, where the headline tells it, or its second line
    /// (`then`), which also tells of a domain that is less than half full. At most [`HEADLINE_HORIZON`].
    #[must_use]
    pub fn time_of(&self, domain: &str) -> Option<Millis> {
        self.told(|it| it.by == KERNEL && it.domain.as_str() == domain)?
            .when
            .map(|when| when.middle)
    }

    /// The death in this domain that the headline tells of, or that comes first there, by whichever killer; under the
    /// same conditions as [`Deaths::time_of`].
    #[must_use]
    pub fn first_in(&self, domain: &str) -> Option<&NextDeath> {
        self.told(|it| it.domain.as_str() == domain)
    }

    /// The death by this killer that comes first, under the same conditions.
    #[must_use]
    pub fn first_by(&self, killer: &str) -> Option<&NextDeath> {
        self.told(|it| it.by == killer)
    }

    fn told(&self, is: impl Fn(&NextDeath) -> bool) -> Option<&NextDeath> {
        let mut all = self.next.iter().chain(&self.list);
        let death = all.find(|it| it.when.is_some() && is(it))?;
        let middle = death.when.map(|when| when.middle);
        let time = middle.filter(|_| self.next.is_some()).or_else(|| death.time_to_tell())?;
        (time <= HEADLINE_HORIZON).then_some(death)
    }

    /// The nearest death of which this process is the named victim, and what saves it from that.
    #[must_use]
    pub fn saving(&self, id: ProcId) -> Option<(&NextDeath, SavingAdj)> {
        let mut all = self.next.iter().chain(&self.list);
        all.find_map(|death| {
            let saved = death.saved.filter(|_| death.victim().is_some_and(|it| it.id == id))?;
            Some((death, saved))
        })
    }

    /// All candidates, those of the nearest deaths first, each once.
    #[must_use]
    pub fn may_die(&self) -> Vec<ProcId> {
        let mut found = Vec::new();
        for candidate in self.next.iter().chain(&self.list).flat_map(|it| &it.candidates) {
            if !found.contains(&candidate.id) {
                found.push(candidate.id);
            }
        }
        found
    }

    /// The limit that the kernel kills at first, and the time until then; nothing where the headline would not tell it.
    #[must_use]
    pub fn first_limit(&self) -> Option<(Arc<Text>, Millis)> {
        let shown = self.next.iter().filter_map(|it| Some((it, it.when?.middle)));
        let others = self.list.iter().filter_map(|it| Some((it, it.time_to_tell()?)));
        let others =
            others.filter(|(it, _)| self.next.as_ref().is_none_or(|next| next.domain != it.domain));
        let times =
            shown.chain(others).filter(|(it, time)| it.by == KERNEL && *time <= HEADLINE_HORIZON);
        times.min_by_key(|it| it.1).map(|(it, time)| (Arc::clone(&it.domain), time))
    }
}
