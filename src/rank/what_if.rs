//! What another `oom_score_adj` would do to a process: its rank at 0, the smallest change that saves
//! it, the smallest that makes it the next victim.

use crate::model::{Process, Reading, Scene};
use crate::policy::{AdjEffect, Badness, Policy, TieBreak, Verdict, kernel_score};
use crate::rank::{Ranked, Ranking};
use crate::units::{Adj, Points};

/// What would change it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct WhatIf {
    /// Its rank at adj 0, counted from 1; nothing where it could not be chosen even then, or adj is 0.
    pub rank_at_zero: Option<usize>,
    /// Where it is the next victim: the nearest adj at which it no longer is, by most rules the highest
    /// of all. -1000 where nothing above it helps.
    pub saved_at: Option<Adj>,
    /// Where it is not: the nearest adj at which it is, by most rules the lowest of all.
    pub doomed_at: Option<Adj>,
}

/// Asks what would change the standing of a process. `None` where the rule does not know adj, or where
/// the process cannot be chosen whatever its adj.
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
        // The rows are in order, so only few are looked at; its own row stands there with what it has.
        let ahead = candidates.partition_point(|row| !case.beats(key, row));
        let itself = candidates[..ahead].iter().any(|row| row.id == process.id);
        ahead + 1 - usize::from(itself)
    });
    if !rises {
        let first = is_first(adj);
        let turns = nearest(adj, |other| is_first(other) != first);
        // A rule that knows no adj has nothing to tell.
        let own = case.key(adj);
        let knows = || [Adj::MIN, Adj::ZERO, Adj::MAX].into_iter().any(|it| case.key(it) != own);
        let (saved_at, doomed_at) = if first { (turns, None) } else { (None, turns) };
        return (turns.is_some() || knows()).then_some(WhatIf {
            rank_at_zero,
            saved_at,
            doomed_at,
        });
    }
    // Points never fall when adj rises, so both ends are found by halving.
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

/// The adj nearest to this one that a condition holds for, whatever holds between; of two as near the
/// lower.
fn nearest(from: Adj, holds: impl Fn(Adj) -> bool) -> Option<Adj> {
    let all = i32::from(Adj::MIN.0)..=i32::from(Adj::MAX.0);
    let away = (1..=2000).flat_map(|far| [i32::from(from.0) - far, i32::from(from.0) + far]);
    away.filter(|adj| all.contains(adj)).map(|adj| Adj(adj as i16)).find(|&adj| holds(adj))
}

/// The first number from `from` on, below `to`, that a condition holds for which holds for all after
/// it; `to` when there is none.
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

/// Class, points, and what decides between equals.
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
    /// What it is compared by at another adj; nothing where it would be spared.
    fn key(&self, adj: Adj) -> Option<Key> {
        let mut changed = self.process.clone();
        changed.adj = Reading::Value(adj);
        if self.process.adj != changed.adj {
            // The kernel's score was read under the present adj. A rule of a site that goes by it has
            // to have one; all others reckon it themselves.
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

    /// Whether it would die before another one. Where the order of equals cannot be seen, an equal
    /// does not beat.
    fn beats(&self, mine: Key, other: &Ranked) -> bool {
        let Some(points) = other.placement.points() else { return true };
        let theirs = (other.class, points, other.second);
        let goes_first = || self.tie.order(self.process.id, other.id).is_lt();
        mine > theirs || (mine == theirs && self.tie != TieBreak::Unseen && goes_first())
    }
}
