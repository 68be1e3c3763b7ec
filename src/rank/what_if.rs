//! The effect of another `oom_score_adj` on a process: its rank at 0, the smallest change that saves it,
//! and the smallest that makes it the next victim.

use crate::model::{Process, Reading, Scene};
use crate::policy::{AdjEffect, Badness, Policy, TieBreak, Verdict, kernel_score};
use crate::rank::{Ranked, Ranking};
use crate::units::{Adj, Points};

/// The effect of other values of adj on one process.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct WhatIf {
    /// Its rank at adj 0, from 1. `None` if it could not be chosen then, or if adj is 0 already.
    pub rank_at_zero: Option<usize>,
    /// If it is the next victim: the nearest adj at which it no longer is, by most rules the highest such
    /// adj. -1000 if no higher one saves it.
    pub saved_at: Option<Adj>,
    /// If it is not: the nearest adj at which it would be, by most rules the lowest such adj.
    pub doomed_at: Option<Adj>,
}

/// The effect of other values of adj on a process. `None` if adj does not count in the rule, or if the
/// process cannot be chosen at any adj.
#[must_use]
pub fn what_if(
    policy: &dyn Policy,
    scene: &Scene,
    ranking: &Ranking,
    process: &Process,
) -> Option<WhatIf> {
    let traits = policy.traits(scene);
    let rises = traits.adj != AdjEffect::Irregular;
    let case = Case { policy, scene, process, tie: traits.tie_break, rises };
    let adj = process.adj.value()?;
    if !policy.looks_at(process, scene) || (rises && case.key(Adj::MIN).is_some()) {
        return None;
    }
    if rises {
        case.key(Adj::MAX)?;
    }
    let candidates = &ranking.rows()[..ranking.eligible()];
    let others = || candidates.iter().filter(|row| row.id != process.id);
    let best = others().next();
    let is_first = |adj: Adj| match (case.key(adj), best) {
        (Some(key), Some(other)) => case.beats(key, other),
        (Some(_), None) => true,
        (None, _) => false,
    };
    let rank_at_zero = (adj != Adj::ZERO).then(|| case.key(Adj::ZERO)).flatten().map(|key| {
        // The rows are sorted, so a binary search suffices. The own row is at its present place.
        let ahead = candidates.partition_point(|row| !case.beats(key, row));
        let itself = candidates[..ahead].iter().any(|row| row.id == process.id);
        ahead + 1 - usize::from(itself)
    });
    if !rises {
        let first = is_first(adj);
        let turns = nearest(adj, |other| is_first(other) != first);
        // If adj has no effect on the rule, there is no answer.
        let own = case.key(adj);
        let has_effect =
            || [Adj::MIN, Adj::ZERO, Adj::MAX].into_iter().any(|it| case.key(it) != own);
        let (saved_at, doomed_at) = if first { (turns, None) } else { (None, turns) };
        return (turns.is_some() || has_effect()).then_some(WhatIf {
            rank_at_zero,
            saved_at,
            doomed_at,
        });
    }
    // Points never fall when adj rises, so a binary search finds the boundary.
    let lowest_first = first_where(i32::from(Adj::MIN.0), i32::from(Adj::MAX.0) + 1, |adj| {
        is_first(Adj(adj as i16))
    });
    let lowest_first = i64::from(lowest_first);
    let (saved_at, doomed_at) = if is_first(adj) {
        (Some(Adj::clamped(lowest_first - 1)), None)
    } else {
        let reachable = lowest_first <= i64::from(Adj::MAX.0);
        (None, reachable.then(|| Adj::clamped(lowest_first)))
    };
    Some(WhatIf { rank_at_zero, saved_at, doomed_at })
}

/// The adj nearest to this one for which a condition holds. Of two at the same distance, the lower.
fn nearest(from: Adj, holds: impl Fn(Adj) -> bool) -> Option<Adj> {
    let all = i32::from(Adj::MIN.0)..=i32::from(Adj::MAX.0);
    let away = (1..=2000).flat_map(|far| [i32::from(from.0) - far, i32::from(from.0) + far]);
    away.filter(|adj| all.contains(adj)).map(|adj| Adj(adj as i16)).find(|&adj| holds(adj))
}

/// The first number in `from..to` for which a monotonic condition holds; `to` if there is none.
fn first_where(mut from: i32, mut to: i32, holds: impl Fn(i32) -> bool) -> i32 {
    while from < to {
        let middle = from + (to - from) / 2;
        if holds(middle) {
            to = middle;
        } else {
            from = middle + 1;
        }
    }
    from
}

/// Class, points and second key.
type Key = (i8, Points, i64);

struct Case<'a> {
    policy: &'a dyn Policy,
    scene: &'a Scene,
    process: &'a Process,
    tie: TieBreak,
    /// Not [`AdjEffect::Irregular`].
    rises: bool,
}

impl Case<'_> {
    /// Its sort key at another adj; `None` if it would be spared.
    fn key(&self, adj: Adj) -> Option<Key> {
        let mut changed = self.process.clone();
        changed.adj = Reading::Value(adj);
        if self.process.adj != changed.adj {
            // The kernel's score was read at the present adj. A site rule that uses it needs a value; all
            // others compute it themselves.
            changed.score = Reading::NotAsked;
            if !self.rises && matches!(self.process.score, Reading::Value(_)) {
                changed.score = Reading::Value(kernel_score(&changed, self.scene));
                changed.score_fresh = false;
            }
        }
        match self.policy.judge(&changed, self.scene) {
            Verdict::Scored(Badness { class, points, second, .. }) => Some((class, points, second)),
            Verdict::Spared(_) => None,
        }
    }

    /// Whether it would die before another process. If the order of equals is unknown, an equal does not
    /// count as before.
    fn beats(&self, mine: Key, other: &Ranked) -> bool {
        let Some(points) = other.placement.points() else { return true };
        let theirs = (other.class, points, other.second);
        let goes_first = || self.tie.order(self.process.id, other.id).is_lt();
        mine > theirs || (mine == theirs && self.tie != TieBreak::Unseen && goes_first())
    }
}
