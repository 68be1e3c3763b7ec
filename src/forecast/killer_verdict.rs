//! What each killer would do at this moment: the same facts for every policy, so that they can be
//! compared.

use std::fmt;

use crate::forecast::killer_here::KillerHere;
use crate::forecast::oom_at_limit::OutcomeAtLimit;
use crate::model::{ProcId, Process, Scene};
use crate::policy::{POLICIES, Policy, PolicyAction, TriggerRule, TriggerState};
use crate::rank::Ranking;
use crate::units::{Pages, Points};

/// What one killer would do now.
#[derive(Clone)]
pub struct KillerOpinion {
    /// Its rule.
    pub policy: &'static dyn Policy,
    /// Whether it is about to act, and what it waits for.
    pub armed: TriggerState,
    /// Whether it acts on this machine.
    pub here: KillerHere,
    /// The thresholds at which it acts, as numbers.
    pub rules: Vec<TriggerRule>,
    /// The process that its rule chooses, and what overrides that.
    pub outcome: OutcomeAtLimit,
    /// The process that dies in place of the chosen one, and why.
    pub instead: Option<(ProcId, &'static str)>,
    /// What it does to the victim.
    pub action: Option<PolicyAction>,
    /// The lead of the chosen process over the next one, in points.
    pub margin: Option<Points>,
    /// How far that lead may change before the kill.
    pub slack: Pages,
    /// The number of processes that it can choose.
    pub eligible: usize,
    /// All processes that may be the victim; more than one if too close to call.
    pub candidates: Vec<ProcId>,
    /// The first few of its ranking.
    pub first: Vec<ProcId>,
    /// By position in the snapshot's processes: the rank from 1; 0 for spared processes.
    ranks: Vec<u32>,
}

impl fmt::Debug for KillerOpinion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KillerOpinion")
            .field("policy", &self.policy.id())
            .field("outcome", &self.outcome)
            .finish_non_exhaustive()
    }
}

/// Number of processes in [`KillerOpinion::first`].
const FIRST: usize = 5;

impl KillerOpinion {
    /// The opinion of a policy, given its ranking of this scene.
    #[must_use]
    pub fn new(policy: &'static dyn Policy, scene: &Scene, ranking: &Ranking) -> Self {
        let outcome = OutcomeAtLimit::of(policy, scene, ranking);
        let chosen = outcome.chosen.and_then(|id| scene.find(id));
        let instead = chosen.and_then(|chosen| policy.killed_instead(chosen, scene));
        let dies = outcome.victim.and_then(|id| scene.find(id));
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
            here: KillerHere::of(policy, scene),
            rules: policy.trigger_rules(scene),
            instead: instead.map(|(other, why)| (other.id, why)),
            action: dies.map(|process| policy.action(process)),
            margin: ranking.margin(),
            slack: ranking.slack(),
            eligible,
            candidates: ranking.candidates().to_vec(),
            first: ranking.rows()[..eligible].iter().take(FIRST).map(|row| row.id).collect(),
            ranks,
            outcome,
        }
    }

    /// The process that it would kill. `None` if its rule is overridden or can choose no process.
    #[must_use]
    pub fn dies(&self) -> Option<ProcId> {
        self.outcome.victim.filter(|_| self.outcome.overridden.is_none())
    }

    /// Whether another policy would kill the same process.
    #[must_use]
    pub fn agrees_with(&self, other: &Self) -> bool {
        self.dies() == other.dies() && self.outcome.overridden == other.outcome.overridden
    }

    /// The rank from 1 of the process at this position in the snapshot. `None` if it is spared.
    #[must_use]
    pub fn rank_at(&self, at: usize) -> Option<u32> {
        self.ranks.get(at).copied().filter(|&rank| rank > 0)
    }

    /// Whether it would kill this process, and how certain that is.
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

/// How certain a death is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OpinionCertainty {
    /// It is the predicted victim.
    Surely,
    /// It is one of several candidates, too close to call.
    Perhaps,
}

/// All policies of the table; the current one first if the table does not contain it.
#[must_use]
pub fn all_policies(current: &'static dyn Policy) -> Vec<&'static dyn Policy> {
    let made = POLICIES.iter().all(|policy| policy.id() != current.id()).then_some(current);
    made.into_iter().chain(POLICIES.iter().copied()).collect()
}

/// The opinions of these policies, in this order. `own` is a policy with its ranking, to save a sort.
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
