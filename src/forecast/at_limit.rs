//! What happens at a wall: who dies there, how surely, and with whom.

use std::sync::Arc;

use crate::forecast::limits;
use crate::forecast::limits::ReachableLimit;
use crate::model::{Cgroup, Domain, PanicOnOom, ProcId, Scene, Scope};
use crate::policy::{BadnessUnit, KillScope, Override, Policy};
use crate::rank::Ranking;
use crate::rank::also_killed::{GroupCensus, group_mates};
use crate::units::Permille;

/// Who dies when a domain hits its wall.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct OutcomeAtLimit {
    /// Who is chosen; nobody, where nobody can be.
    pub chosen: Option<ProcId>,
    /// Who dies: the one that is chosen, unless the rule sacrifices another one.
    pub victim: Option<ProcId>,
    /// The points of the one that dies as a share of the domain's total, where points are pages.
    pub permille: Option<Permille>,
    /// Who is chosen next.
    pub runner_up: Option<ProcId>,
    /// Where it is too close to call: who else may die first.
    pub rival: Option<ProcId>,
    /// How many may be the victim: more than one where it is too close to call.
    pub candidates: usize,
    /// How many die with the victim because of `memory.oom.group`.
    pub also_killed: usize,
    /// What overrules the ranking there.
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
            permille: points.filter(|_| pages && chosen == ranking.dies()).map(share),
            runner_up: ranking.runner_up().map(|row| row.id),
            rival: ranking.candidates().get(1).copied(),
            candidates: ranking.candidates().len(),
            also_killed: 0,
            overridden: None,
        }
    }

    /// Of the scene's own domain, by its ranking.
    #[must_use]
    pub fn of(policy: &dyn Policy, scene: &Scene, ranking: &Ranking) -> Self {
        let mut fate = Self::new(policy, scene, ranking);
        let victim = fate.victim.and_then(|id| scene.find(id));
        fate.also_killed = victim
            .filter(|_| policy.traits(scene).kill_scope == KillScope::OomGroup)
            .and_then(|victim| group_mates(victim, scene))
            .map_or(0, |(_, mates)| mates.len());
        fate.overridden = policy.overridden(scene);
        fate
    }

    /// Whether more than one may be the victim.
    #[must_use]
    pub const fn too_close(&self) -> bool {
        self.candidates > 1
    }

    /// Who is named beside the victim: who else may die first, or who is chosen next, unless that is
    /// the victim itself, which dies in another's place.
    #[must_use]
    pub fn beside(&self) -> Option<ProcId> {
        self.rival.or(self.runner_up.filter(|_| self.runner_up != self.victim))
    }
}

/// Judges everybody behind each limited cgroup's wall, in the order of the tree: `with` gets the
/// cgroup's place in the list, the scene inside it, and the order of its own processes. A process is
/// judged for the walls that it lives behind only.
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

/// The fate behind each limited cgroup's wall: its place in the list, and who dies. Of what overrules
/// a ranking only the switches are looked at: that is the same for thousands of cgroups.
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
        let mut fate = OutcomeAtLimit::new(policy, inside, &ranking);
        let victim =
            fate.victim.filter(|_| policy.traits(inside).kill_scope == KillScope::OomGroup);
        let victim = victim.and_then(|id| inside.find(id));
        fate.also_killed = victim.map_or(0, |it| census.mates(it, inside.domain(), inside));
        if panics || waits(&now.cgroups.list[at]) {
            fate.overridden = policy.overridden(inside);
        }
        found.push((at, fate));
    });
    found
}

/// The fate of a whole domain, ranked anew unless that is the scene's own.
#[must_use]
pub fn of_domain(
    policy: &dyn Policy,
    scene: &Scene,
    own: &Ranking,
    wall: &ReachableLimit,
) -> OutcomeAtLimit {
    let scope = wall.scope();
    if Domain::of(&scope, scene.now()) == *scene.domain() {
        return OutcomeAtLimit::of(policy, scene, own);
    }
    let inside = scene.within(scope);
    let processes = inside.now().processes.iter().zip(0..);
    let members = processes.filter(|(it, _)| inside.domain().contains(it)).map(|(_, at)| at);
    OutcomeAtLimit::of(policy, &inside, &Ranking::among(policy, &inside, members))
}

/// The wall that is hit first, and who dies there.
#[derive(Clone, Debug, PartialEq)]
pub struct FirstLimit {
    /// The wall.
    pub limit: ReachableLimit,
    /// Who dies.
    pub outcome: OutcomeAtLimit,
}

/// The wall that is hit first in this scene, which `ranking` ranks.
#[must_use]
pub fn first(policy: &dyn Policy, scene: &Scene, ranking: &Ranking) -> FirstLimit {
    let wall = limits::nearest(scene);
    let fate = of_domain(policy, scene, ranking, &wall);
    FirstLimit { limit: wall, outcome: fate }
}
