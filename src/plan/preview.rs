//! The preview of another adj, of one process or of many: by the chosen policy, and by the running
//! kernel's.

use std::collections::HashSet;

use crate::model::{ProcId, Process, Scene};
use crate::policy::{self, AdjEffect, BadnessUnit, Policy};
use crate::rank::what_if::what_if;
use crate::rank::{Placement, Ranking};
use crate::units::Adj;

/// The preview by one policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Preview {
    /// The policy.
    pub policy: &'static str,
    /// The unit of its points.
    pub unit: BadnessUnit,
    /// Whether it takes adj into account.
    pub knows_adj: bool,
    /// The placement now.
    pub before: Placement,
    /// The placement with the new value.
    pub after: Placement,
    /// The rank now, counted from 1.
    pub rank_before: Option<usize>,
    /// The rank with the new value.
    pub rank_after: Option<usize>,
    /// The best rank of all changed processes, now and with the new value.
    pub best: [Option<usize>; 2],
    /// The next victim with the new value.
    pub victim: Option<(ProcId, String)>,
    /// Whether that is the same as now.
    pub victim_stays: bool,
    /// Whether the victim would be too close to call.
    pub too_close: bool,
}

impl Preview {
    /// Compares the ranking `now` of a scene with that of the scene `then`, in which the processes are
    /// changed. `spare` is a ranking whose buffers may be used.
    #[must_use]
    pub fn of(
        policy: &'static dyn Policy,
        (who, changed): (ProcId, &[ProcId]),
        (scene, now): (&Scene, &Ranking),
        then: &Scene,
        spare: &mut Ranking,
    ) -> Option<Self> {
        let at = scene.now().position(who.pid)?;
        scene.find(who)?;
        spare.update(policy, then);
        let ((place_before, before), (place_after, after)) = (now.place(at)?, spare.place(at)?);
        let rank = |standing: Placement, place: usize| standing.points().map(|_| place + 1);
        let best = |ranking: &Ranking| {
            let at = changed.iter().filter_map(|id| scene.now().position(id.pid));
            at.filter_map(|at| {
                let (place, row) = ranking.place(at)?;
                rank(row.placement, place)
            })
            .min()
        };
        let best = [best(now), best(spare)];
        let victim = spare.dies();
        Some(Self {
            policy: policy.id(),
            unit: policy.info().unit,
            knows_adj: policy.traits(scene).adj != AdjEffect::Ignored,
            before: before.placement,
            after: after.placement,
            rank_before: rank(before.placement, place_before),
            rank_after: rank(after.placement, place_after),
            best,
            victim: victim.and_then(|id| scene.find(id)).map(|p| (p.id, p.comm.to_string())),
            victim_stays: victim == now.dies(),
            too_close: spare.too_close(),
        })
    }

    /// Whether another policy gives the same ranks and the same victim.
    #[must_use]
    pub fn agrees(&self, other: &Self) -> bool {
        (self.rank_before, self.rank_after, self.best, &self.victim)
            == (other.rank_before, other.rank_after, other.best, &other.victim)
    }

    /// Whether the new value changes nothing by this policy.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        let same = self.rank_before == self.rank_after && self.best[0] == self.best[1];
        self.before == self.after && same && self.victim_stays
    }
}

/// The preview by the chosen policy and, where that is another one, by the running kernel's.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Previews {
    /// By the chosen policy.
    pub own: Option<Preview>,
    /// By the kernel's policy; nothing where that is the chosen one.
    pub kernel: Option<Preview>,
}

impl Previews {
    /// The previews if these processes had this adj. `now` is the ranking by the chosen policy.
    #[must_use]
    pub fn of(
        chosen: &'static dyn Policy,
        (who, changed): (ProcId, &[ProcId]),
        to: Adj,
        scene: &Scene,
        now: &Ranking,
        spare: &mut Ranking,
    ) -> Self {
        let then = suppose(scene, changed, to);
        let own = Preview::of(chosen, (who, changed), (scene, now), &then, spare);
        let kernel: &'static dyn Policy = &policy::LINUX;
        let is_kernels = chosen.is_running_kernel();
        let kernel = (!is_kernels).then(|| Ranking::new(kernel, scene)).and_then(|by_kernel| {
            Preview::of(kernel, (who, changed), (scene, &by_kernel), &then, spare)
        });
        Self { own, kernel }
    }
}

/// The same scene, if these processes had this adj.
fn suppose(scene: &Scene, changed: &[ProcId], to: Adj) -> Scene {
    let changed: HashSet<ProcId> = changed.iter().copied().collect();
    scene.with_adj(|process| changed.contains(&process.id).then_some(to))
}

/// The smallest change that makes a process the next victim, or no longer the next victim.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Proposals {
    /// The policy.
    pub policy: &'static str,
    /// The highest adj at which it is no longer the next victim; nothing where it is not the next
    /// victim.
    pub out: Option<Adj>,
    /// The lowest adj at which it is the next victim; nothing where it is already, or cannot be.
    pub first: Option<Adj>,
    /// Whether none was computed for many processes, because a higher adj does not always raise the
    /// rank by this policy.
    pub unsteady: bool,
}

impl Proposals {
    /// By the chosen policy, or by the kernel's where the chosen one does not know adj.
    #[must_use]
    pub fn of(
        chosen: &'static dyn Policy,
        process: &Process,
        scene: &Scene,
        now: &Ranking,
    ) -> Self {
        let found = what_if(chosen, scene, now, process)
            .filter(|_| chosen.traits(scene).adj != AdjEffect::Ignored);
        let (policy, found) = match found {
            None if !chosen.is_running_kernel() => {
                let now = Ranking::new(&policy::LINUX, scene);
                (policy::LINUX.id(), what_if(&policy::LINUX, scene, &now, process))
            }
            found => (chosen.id(), found),
        };
        let found = found.unwrap_or_default();
        Self { policy, out: found.saved_at, first: found.doomed_at, unsteady: false }
    }

    /// The same for many processes that get one value: the highest adj at which none of them is the
    /// next victim, and the lowest at which one is. None is computed by a policy whose points may fall
    /// as adj rises: each value would take a ranking.
    #[must_use]
    pub fn of_many(
        chosen: &'static dyn Policy,
        many: &[ProcId],
        scene: &Scene,
        now: &Ranking,
        spare: &mut Ranking,
    ) -> Self {
        let linux: &'static dyn Policy = &policy::LINUX;
        let policy = if chosen.traits(scene).adj != AdjEffect::Ignored { chosen } else { linux };
        if policy.traits(scene).adj == AdjEffect::Irregular {
            return Self { policy: policy.id(), unsteady: true, ..Self::default() };
        }
        let own;
        let now = if policy.id() == chosen.id() {
            now
        } else {
            own = Ranking::new(policy, scene);
            &own
        };
        let among =
            |ranking: &Ranking| ranking.victim().is_some_and(|victim| many.contains(&victim.id));
        let is_first = among(now);
        let mut dies_at = |adj: i32| {
            spare.update(policy, &suppose(scene, many, Adj::clamped(adj.into())));
            among(spare)
        };
        // Points never fall as adj rises, so a binary search finds the value.
        let (mut from, mut to) = (i32::from(Adj::MIN.0), i32::from(Adj::MAX.0) + 1);
        while from < to {
            let middle = from + (to - from) / 2;
            if dies_at(middle) {
                to = middle;
            } else {
                from = middle + 1;
            }
        }
        let reachable = from <= i32::from(Adj::MAX.0);
        let (out, first) = if is_first {
            (Some(Adj::clamped(i64::from(from) - 1)).filter(|_| from > -1000), None)
        } else {
            (None, Some(Adj::clamped(from.into())).filter(|_| reachable))
        };
        Self { policy: policy.id(), out, first, unsteady: false }
    }
}
