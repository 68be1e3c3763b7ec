//! The ranking at the limit: without what reclaim takes back before the kernel kills.

use std::cmp::Ordering;

use crate::forecast::next_death::Reclaim;
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

/// A process that can be chosen.
struct Entry {
    id: ProcId,
    badness: Badness,
    points: i64,
    drift: Drift,
}

impl Entry {
    fn order(&self, other: &Self, tie: TieBreak) -> Ordering {
        let key = |it: &Self| (it.badness.class, it.points, it.badness.second);
        key(other).cmp(&key(self)).then_with(|| tie.order(self.id, other.id))
    }

    /// Whether this one may be ahead of the first.
    fn may_lead(&self, first: &Self, tie: TieBreak) -> bool {
        let highest = self.points.saturating_add_unsigned(self.drift.up.0);
        let lowest = first.points.saturating_sub_unsigned(first.drift.down.0);
        let equals = tie == TieBreak::Unseen && highest == lowest;
        self.badness.class == first.badness.class && (highest > lowest || equals)
    }
}

impl RankingAtLimit {
    /// By this policy. Only a kernel waits until reclaim finds nothing: of a userspace killer nothing is left
    /// out.
    #[must_use]
    pub fn of(policy: &dyn Policy, scene: &Scene) -> Self {
        let info = policy.info();
        let waits = info.kind.is_kernel() && info.unit == BadnessUnit::Pages;
        let reclaim = waits.then(|| Reclaim::of(scene));
        let tie = policy.traits(scene).tie_break;
        let mut excluded = Pages::ZERO;
        let mut entries = Vec::new();
        for process in scene.now().processes.iter().filter(|it| policy.looks_at(it, scene)) {
            let Verdict::Scored(badness) = policy.judge(process, scene) else { continue };
            let gone = reclaim.map_or(Pages::ZERO, |it| it.from(process, scene));
            excluded += gone;
            let points = badness.points.0.saturating_sub_unsigned(gone.0);
            let drift = policy.drift(process, scene);
            entries.push(Entry { id: process.id, badness, points, drift });
        }
        let excluded = excluded.bytes(scene.machine().page_size);
        entries.sort_unstable_by(|a, b| a.order(b, tie));
        let Some(first) = entries.first() else { return Self { excluded, ..Self::default() } };
        let near = entries.iter().skip(1).filter(|it| it.may_lead(first, tie)).map(|it| it.id);
        Self {
            victim: Some((first.id, Points(first.points))),
            candidates: std::iter::once(first.id).chain(near).collect(),
            excluded,
        }
    }
}
