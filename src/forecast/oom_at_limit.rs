//! The outcome of an OOM at a limit: which process dies, how certain that is, and what dies with it.

use std::sync::Arc;

use crate::forecast::limits;
use crate::forecast::limits::ReachableLimit;
use crate::forecast::next_death::Deaths;
use crate::model::{Cgroup, Domain, PanicOnOom, ProcId, Scene, Scope};
use crate::policy::{BadnessUnit, KillScope, Override, Policy};
use crate::rank::Ranking;
use crate::rank::also_killed::{GroupCensus, group_mates};
use crate::units::Permille;

/// What happens when a domain reaches its limit.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct OutcomeAtLimit {
    /// The process that the rule chooses; `None` where it can choose none.
    pub chosen: Option<ProcId>,
    /// The process that dies: the chosen one, unless the rule kills another in its place.
    pub victim: Option<ProcId>,
    /// The points of the victim as a share of the domain's total, if points are pages.
    pub permille: Option<Permille>,
    /// The process that the rule chooses next.
    pub runner_up: Option<ProcId>,
    /// If too close to call: another process that may die first.
    pub rival: Option<ProcId>,
    /// The number of processes that may be the victim: more than one if too close to call.
    pub candidates: usize,
    /// The number of processes that die with the victim because of `memory.oom.group`.
    pub also_killed: usize,
    /// What overrides the ranking there.
    pub overridden: Option<Override>,
}

impl OutcomeAtLimit {
    fn new(policy: &dyn Policy, inside: &Scene, ranking: &Ranking) -> Self {
        let pages = policy.info().unit == BadnessUnit::Pages;
        let share = |points| Permille::of(points, inside.domain().pages);
        let chosen = ranking.victim().map(|row| row.id);
        let points = ranking.victim().and_then(|row| row.placement.points());
        Self {
            chosen,
            victim: ranking.dies(),
            // The points of a killer that adds to what it prefers are no share of the memory.
            permille: points
                .filter(|_| pages && chosen == ranking.dies())
                .map(share)
                .filter(|it| it.0 <= 1000 || policy.info().kind.is_kernel()),
            runner_up: ranking.runner_up().map(|row| row.id),
            rival: ranking.candidates().get(1).copied(),
            candidates: ranking.candidates().len(),
            also_killed: 0,
            overridden: None,
        }
    }

    /// The outcome for the scene's own domain, by its ranking.
    #[must_use]
    pub fn of(policy: &dyn Policy, scene: &Scene, ranking: &Ranking) -> Self {
        let mut outcome = Self::new(policy, scene, ranking);
        let victim = outcome.victim.and_then(|id| scene.find(id));
        outcome.also_killed = victim
            .filter(|_| policy.traits(scene).kill_scope == KillScope::OomGroup)
            .and_then(|victim| group_mates(victim, scene))
            .map_or(0, |(_, others)| others.len());
        outcome.overridden = policy.overridden(scene);
        outcome
    }

    /// Whether more than one process may be the victim.
    #[must_use]
    pub const fn too_close(&self) -> bool {
        self.candidates > 1
    }

    /// The process to name beside the victim: the rival, or the runner-up. Not the runner-up if it is
    /// the victim, because it dies in place of the chosen one.
    #[must_use]
    pub fn beside(&self) -> Option<ProcId> {
        self.rival.or(self.runner_up.filter(|_| self.runner_up != self.victim))
    }
}

/// Ranks the processes of each cgroup that has a limit, in the order of the tree. `with` gets the
/// cgroup's position in the list, the scene inside it, and the ranking of its processes. A process is
/// judged once for each limit above it.
pub fn each_outcome(
    policy: &dyn Policy,
    scene: &Scene,
    census: &GroupCensus<'_>,
    mut with: impl FnMut(usize, &Scene, Ranking),
) {
    let mut inside = scene.clone();
    for (at, group) in scene.now().cgroups.list.iter().enumerate() {
        if group.is_limited() {
            inside.set_scope(Scope::Memcg(Arc::clone(&group.path)));
            let members = census.members(group.path.as_str());
            with(at, &inside, Ranking::among(policy, &inside, members));
        }
    }
}

/// The outcome for each cgroup that has a limit, with the cgroup's position in the list. Of the overrides
/// only the settings count here: searching for dying processes in thousands of cgroups would be slow.
#[must_use]
pub fn outcomes(
    policy: &dyn Policy,
    scene: &Scene,
    census: &GroupCensus<'_>,
) -> Vec<(usize, OutcomeAtLimit)> {
    let now = scene.now();
    let panics = now.sysctls.panic_on_oom.value() == Some(PanicOnOom::Always);
    let waits = |group: &Cgroup| group.oom_kill_disabled.value() == Some(true);
    let mut found = Vec::new();
    each_outcome(policy, scene, census, |at, inside, ranking| {
        let mut outcome = OutcomeAtLimit::new(policy, inside, &ranking);
        let victim =
            outcome.victim.filter(|_| policy.traits(inside).kill_scope == KillScope::OomGroup);
        let victim = victim.and_then(|id| inside.find(id));
        outcome.also_killed = victim.map_or(0, |it| census.mates(it, inside.domain(), inside));
        if panics || waits(&now.cgroups.list[at]) {
            outcome.overridden = policy.overridden(inside);
        }
        found.push((at, outcome));
    });
    found
}

/// The outcome at a limit. Ranks its domain, unless that is the scene's own, ranked by `own`.
#[must_use]
pub fn of_domain(
    policy: &dyn Policy,
    scene: &Scene,
    own: &Ranking,
    limit: &ReachableLimit,
) -> OutcomeAtLimit {
    let scope = limit.scope();
    if Domain::of(&scope, scene.now()) == *scene.domain() {
        return OutcomeAtLimit::of(policy, scene, own);
    }
    let inside = scene.within(scope);
    let processes = inside.now().processes.iter().zip(0..);
    let members = processes.filter(|(it, _)| inside.domain().contains(it)).map(|(_, at)| at);
    OutcomeAtLimit::of(policy, &inside, &Ranking::among(policy, &inside, members))
}

/// The limit that is reached first, and what happens there.
#[derive(Clone, Debug, PartialEq)]
pub struct FirstLimit {
    /// The limit.
    pub limit: ReachableLimit,
    /// What happens there.
    pub outcome: OutcomeAtLimit,
}

/// The limit that is reached first in this scene. `ranking` is the scene's own.
#[must_use]
pub fn first(policy: &dyn Policy, scene: &Scene, ranking: &Ranking, deaths: &Deaths) -> FirstLimit {
    let limit = limits::nearest(scene, deaths);
    let outcome = of_domain(policy, scene, ranking, &limit);
    FirstLimit { limit, outcome }
}
