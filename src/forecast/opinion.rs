//! What one killer would do at this moment, whoever it is: the same questions put to every policy,
//! so that their answers can stand side by side.

use std::fmt;

use crate::forecast::at_limit::OutcomeAtLimit;
use crate::model::{ProcId, Process, Scene};
use crate::policy::{POLICIES, Policy, PolicyAction, TriggerState};
use crate::rank::Ranking;
use crate::units::{Pages, Points};

/// Its answer.
#[derive(Clone)]
pub struct KillerOpinion {
    /// Whose.
    pub policy: &'static dyn Policy,
    /// Whether it is about to act, and what it waits for.
    pub armed: TriggerState,
    /// Whom its rule chooses, and what overrules that.
    pub outcome: OutcomeAtLimit,
    /// Who dies in the place of the one chosen, and why.
    pub instead: Option<(ProcId, &'static str)>,
    /// What it does to whoever dies.
    pub action: Option<PolicyAction>,
    /// By how many points the chosen one is ahead of the next.
    pub margin: Option<Points>,
    /// How far those two may move against each other before the kill.
    pub slack: Pages,
    /// How many it could choose.
    pub eligible: usize,
    /// Everybody who may be chosen, where it is too close to call.
    pub candidates: Vec<ProcId>,
    /// Its first few, the first to die first.
    pub first: Vec<ProcId>,
    /// By position in the snapshot's processes: the rank, counted from 1; 0 for the spared.
    ranks: Vec<u32>,
}

impl fmt::Debug for KillerOpinion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Opinion")
            .field("policy", &self.policy.id())
            .field("fate", &self.outcome)
            .finish_non_exhaustive()
    }
}

/// So many of a policy's first are listed.
const FIRST: usize = 5;

impl KillerOpinion {
    /// Of a policy that ranks this scene so.
    #[must_use]
    pub fn new(policy: &'static dyn Policy, scene: &Scene, ranking: &Ranking) -> Self {
        let fate = OutcomeAtLimit::of(policy, scene, ranking);
        let chosen = fate.chosen.and_then(|id| scene.find(id));
        let instead = chosen.and_then(|chosen| policy.killed_instead(chosen, scene));
        let dies = fate.victim.and_then(|id| scene.find(id));
        let eligible = ranking.eligible();
        let mut ranks = vec![0; scene.now().processes.len()];
        for (row, rank) in ranking.rows()[..eligible].iter().zip(1..) {
            if let Some(place) = ranks.get_mut(row.at as usize) {
                *place = rank;
            }
        }
        Self {
            policy,
            armed: policy.trigger_state(scene),
            instead: instead.map(|(other, why)| (other.id, why)),
            action: dies.map(|process| policy.action(process)),
            margin: ranking.margin(),
            slack: ranking.slack(),
            eligible,
            candidates: ranking.candidates().to_vec(),
            first: ranking.rows()[..eligible].iter().take(FIRST).map(|row| row.id).collect(),
            ranks,
            outcome: fate,
        }
    }

    /// Who would die by it: nobody, where something overrules its rule or nobody can be chosen.
    #[must_use]
    pub fn dies(&self) -> Option<ProcId> {
        self.outcome.victim.filter(|_| self.outcome.overridden.is_none())
    }

    /// Whether another policy would end the same way.
    #[must_use]
    pub fn agrees_with(&self, other: &Self) -> bool {
        self.dies() == other.dies() && self.outcome.overridden == other.outcome.overridden
    }

    /// The rank of the process at this position of the snapshot; nothing where it is spared.
    #[must_use]
    pub fn rank_at(&self, at: usize) -> Option<u32> {
        self.ranks.get(at).copied().filter(|&rank| rank > 0)
    }

    /// Whether this process dies by it, surely or perhaps.
    #[must_use]
    pub fn takes(&self, process: &Process) -> Option<OpinionCertainty> {
        if self.outcome.overridden.is_some() {
            None
        } else if self.outcome.too_close() {
            self.candidates.contains(&process.id).then_some(OpinionCertainty::Perhaps)
        } else {
            (self.dies() == Some(process.id)).then_some(OpinionCertainty::Surely)
        }
    }
}

/// How surely somebody dies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OpinionCertainty {
    /// It is named.
    Surely,
    /// It is one of several between whom it is too close to call.
    Perhaps,
}

/// Everybody who is asked: the whole table, and the current policy before it where it stands in none.
#[must_use]
pub fn all_policies(current: &'static dyn Policy) -> Vec<&'static dyn Policy> {
    let made = POLICIES.iter().all(|policy| policy.id() != current.id()).then_some(current);
    made.into_iter().chain(POLICIES.iter().copied()).collect()
}

/// Everybody's opinion in this order. `own` is the ranking by one of them, which is not made again.
#[must_use]
pub fn opinions(
    policies: &[&'static dyn Policy],
    scene: &Scene,
    own: (&'static dyn Policy, &Ranking),
) -> Vec<KillerOpinion> {
    let mut spare = Ranking::default();
    policies
        .iter()
        .map(|&policy| {
            if policy.id() == own.0.id() {
                return KillerOpinion::new(policy, scene, own.1);
            }
            spare.update(policy, scene);
            KillerOpinion::new(policy, scene, &spare)
        })
        .collect()
}
