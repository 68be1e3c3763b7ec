//! The ranking at the limit: without what reclaim takes back before the kernel kills.

use std::cmp::Ordering;

use crate::forecast::next_death::{Reclaim, TakenBack};
use crate::model::{ProcId, Scene};
use crate::policy::{Badness, BadnessUnit, Drift, Policy, TieBreak, Verdict};
use crate::units::{Bytes, Pages, Points};

/// Who would be chosen if the limit of the scene's domain were reached with the sizes of now.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RankingAtLimit {
    /// The first, and its points without what is taken back.
    pub victim: Option<(ProcId, Points)>,
    /// All who may be the first: more than one if it is too close to call.
    pub candidates: Vec<ProcId>,
    /// What is left out of all processes that can be chosen, together.
    pub excluded: Bytes,
}

/// A process that can be chosen at the limit.
#[derive(Clone, Copy, Debug)]
pub struct Contender {
    /// The process.
    pub id: ProcId,
    badness: Badness,
    /// Its points without what is taken back.
    pub points: i64,
    drift: Drift,
    /// What is taken back of it.
    gone: TakenBack,
}

impl Contender {
    fn order(&self, other: &Self, tie: TieBreak) -> Ordering {
        let key = |it: &Self| (it.badness.class, it.points, it.badness.second);
        key(other).cmp(&key(self)).then_with(|| tie.order(self.id, other.id))
    }

    /// Whether this one may be ahead of the first.
    #[must_use]
    pub fn may_lead(&self, first: &Self, tie: TieBreak) -> bool {
        let highest = self.points.saturating_add_unsigned(self.drift.up.0);
        let lowest = first.points.saturating_sub_unsigned(first.drift.down.0);
        let equals = tie == TieBreak::Unseen && highest == lowest;
        self.badness.class == first.badness.class && (highest > lowest || equals)
    }
}

/// All who can be chosen at the limit of the scene's domain, in the order of death. Only a kernel waits until
/// reclaim finds nothing: of a userspace killer nothing is left out.
#[must_use]
pub fn contenders(policy: &dyn Policy, scene: &Scene) -> Vec<Contender> {
    let info = policy.info();
    let waits = info.kind.is_kernel() && info.unit == BadnessUnit::Pages;
    let looked_at = || scene.now().processes.iter().filter(|it| policy.looks_at(it, scene));
    let reclaim = waits.then(|| Reclaim::of(scene).among(looked_at()));
    let tie = policy.traits(scene).tie_break;
    let mut contenders = Vec::new();
    for process in looked_at() {
        let Verdict::Scored(badness) = policy.judge(process, scene) else { continue };
        let gone = reclaim.map(|it| it.from(process, scene)).unwrap_or_default();
        let points = badness.points.0.saturating_sub_unsigned(gone.likely.0);
        let drift = policy.drift(process, scene);
        contenders.push(Contender { id: process.id, badness, points, drift, gone });
    }
    contenders.sort_unstable_by(|a, b| a.order(b, tie));
    contenders
}

/// Who is the first if so many pages are taken back of each.
fn first_by(
    contenders: &[Contender],
    tie: TieBreak,
    gone: impl Fn(&Contender) -> Pages,
) -> Option<ProcId> {
    let with = |it: &Contender| {
        let points = it.badness.points.0.saturating_sub_unsigned(gone(it).0);
        Contender { points, ..*it }
    };
    let first = contenders.iter().map(with).min_by(|a, b| a.order(b, tie));
    first.map(|it| it.id)
}

impl RankingAtLimit {
    /// By this policy.
    #[must_use]
    pub fn of(policy: &dyn Policy, scene: &Scene) -> Self {
        let contenders = contenders(policy, scene);
        let tie = policy.traits(scene).tie_break;
        let excluded = contenders.iter().fold(Pages::ZERO, |sum, it| sum + it.gone.likely);
        let excluded = excluded.bytes(scene.machine().page_size);
        let Some(first) = contenders.first() else { return Self { excluded, ..Self::default() } };
        // Who would lead if reclaim took more or less of everybody's file pages.
        let most = first_by(&contenders, tie, |it| it.gone.most);
        let least = first_by(&contenders, tie, |it| it.gone.least);
        let may = |it: &&Contender| it.may_lead(first, tie) || [most, least].contains(&Some(it.id));
        let near = contenders.iter().skip(1).filter(may).map(|it| it.id);
        Self {
            victim: Some((first.id, Points(first.points))),
            candidates: std::iter::once(first.id).chain(near).collect(),
            excluded,
        }
    }
}
