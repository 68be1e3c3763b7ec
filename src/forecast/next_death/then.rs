//! What comes after the next death. Each death of the list is foreseen as if no other one came first; here the next
//! one has come: what its victim held is free, and what that took is taken no more.

use std::sync::Arc;

use crate::model::{Process, Reading, Scene, Scope, Text, is_within};
use crate::units::{Millis, Pages};

use super::unreclaimable::lasting;
use super::{Candidate, Deaths, HEADLINE_HORIZON, NextDeath, TimeSpan};

/// Without the victim of the next death, a domain that shrinks by less than this share of what it does now is at
/// rest: growth is known no better.
const RESTS: f64 = 0.1;

/// Growth that was seen for long enough to foresee a death is foreseen for at most so many times as long.
const FORESEEN: u64 = 2;

/// A death that follows the next one.
#[derive(Clone, Debug, PartialEq)]
pub struct FollowingDeath<'a> {
    /// As it was foreseen by itself.
    pub death: &'a NextDeath,
    /// When, after the next death.
    pub when: TimeSpan,
    /// Who may die then: not who is dead by then.
    pub candidates: Vec<&'a Candidate>,
}

impl Deaths {
    /// The death that follows the one of the headline, in another domain or by another killer; nothing where the
    /// next death puts it off for longer than the headline looks ahead.
    #[must_use]
    pub fn then(&self, scene: &Scene) -> Option<FollowingDeath<'_>> {
        let next = self.next.as_ref()?;
        let is_other = |it: &&NextDeath| (it.by, &it.domain) != (next.by, &next.domain);
        let others = self.list.iter().filter(is_other).filter_map(|death| {
            let when = death.when?;
            let when = after(next, death, when, scene)?;
            let dead = next.victim().map(|it| it.id);
            let candidates = death.candidates.iter().filter(|it| Some(it.id) != dead).collect();
            Some(FollowingDeath { death, when, candidates })
        });
        others.min_by_key(|it| it.when.middle)
    }
}

/// When a death comes after the next one: the earliest that any of the next one's candidates leads to. `None` where
/// that is too far away.
fn after(next: &NextDeath, death: &NextDeath, when: TimeSpan, scene: &Scene) -> Option<TimeSpan> {
    let victims = next.candidates.iter().filter_map(|it| scene.find(it.id));
    let mut earliest: Option<f64> = None;
    let mut any = false;
    for victim in victims {
        any = true;
        let Some(time) = after_death_of(victim, next, death, scene) else { continue };
        earliest = Some(earliest.map_or(time, |it| it.min(time)));
    }
    if !any || death.rate <= 0.0 {
        return Some(when);
    }
    let middle = Millis((earliest? * 1000.0) as u64);
    let delay = middle.saturating_sub(when.middle);
    let farthest = Millis(when.middle.0.saturating_mul(FORESEEN)).min(HEADLINE_HORIZON);
    let (low, high) = (when.low + delay, when.high + delay);
    (middle <= farthest).then_some(TimeSpan { low, middle, high })
}

/// In how many seconds a death comes if this process is dead by then; `None` if its domain is at rest without it.
fn after_death_of(
    victim: &Process,
    next: &NextDeath,
    death: &NextDeath,
    scene: &Scene,
) -> Option<f64> {
    let middle = death.middle().seconds();
    if !is_in(victim, &death.domain) {
        return Some(middle);
    }
    let page = scene.machine().page_size;
    let bytes = |pages: f64| pages.max(0.0) * page.0 as f64;
    let gain = bytes(next.gain_of(victim.id).max(death.gain_of(victim.id)));
    let first = next.middle().seconds();
    let rate = death.rate - gain;
    if rate <= death.rate * RESTS {
        return None;
    }
    let held = Pages(lasting(victim, scene)).bytes(page).0 as f64 + gain * first;
    let left = (death.left.0 as f64 - death.rate * first).max(0.0) + held;
    Some((first + left / rate).max(middle))
}

fn is_in(process: &Process, domain: &Arc<Text>) -> bool {
    let within = |path: &Arc<Text>| is_within(path.as_str(), domain.as_str());
    domain.as_str() == Scope::GLOBAL
        || matches!(&process.cgroup, Reading::Value(path) if within(path))
}
