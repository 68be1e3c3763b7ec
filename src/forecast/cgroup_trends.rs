//! The trends of the headroom of cgroups that have a limit.

use std::sync::Arc;

use crate::forecast::headroom_trend::{HeadroomAt, POINTS, WINDOWS, since_pause, without_pause};
use crate::model::{Cgroup, SampleHistory, SampleIndex, Snapshot, Text, Trend, tree_order};
use crate::units::{Bytes, Millis};

/// Of old samples of cgroups only some are used: the distance between two is their age divided by this,
/// within these bounds. So each window has enough samples.
const AGE_SHARE: u64 = POINTS as u64;
const STEPS: (Millis, Millis) = (Millis(500), Millis(30_000));

/// Thins out samples that are denser towards now, to about the distance of the oldest.
fn evenly(part: &[HeadroomAt]) -> Vec<HeadroomAt> {
    let (Some((from, _)), Some((to, _))) = (part.first(), part.last()) else { return Vec::new() };
    let step = Millis(to.saturating_sub(*from).0 / AGE_SHARE);
    let mut even: Vec<HeadroomAt> = Vec::with_capacity(POINTS + 1);
    for sample in part.iter().rev() {
        if even.last().is_none_or(|last| last.0.saturating_sub(sample.0) >= step) {
            even.push(*sample);
        }
    }
    even.reverse();
    even
}

/// The samples of cgroups to use, the oldest first: of the last half hour up to this one, after the last
/// long pause.
fn group_samples(past: &SampleHistory, newest: SampleIndex) -> Vec<SampleIndex> {
    let (Some(oldest), Some(now)) = (past.oldest(), past.time(newest)) else { return Vec::new() };
    let age = |at: Millis| now.saturating_sub(at);
    let times = (oldest.0..=newest.0).rev().map_while(|nth| past.time(SampleIndex(nth)));
    let times = times.take_while(|at| age(*at) <= WINDOWS[0]);
    let mut times: Vec<HeadroomAt> = times.map(|at| (at, Bytes(0))).collect();
    times.reverse();
    let mut last = None;
    let mut samples = Vec::new();
    for ((at, _), nth) in since_pause(&times).iter().rev().zip((oldest.0..=newest.0).rev()) {
        let step = Millis(age(*at).0 / AGE_SHARE).clamp(STEPS.0, STEPS.1);
        if last.is_none_or(|last: Millis| last.saturating_sub(*at) >= step) {
            last = Some(*at);
            samples.push(SampleIndex(nth));
        }
    }
    samples.reverse();
    samples
}

/// The trend of each cgroup that has a limit, in the order of the tree.
pub(crate) fn of_groups(past: &SampleHistory, now: &Snapshot) -> Vec<(Arc<Text>, Trend)> {
    let limited: Vec<&Cgroup> = now.cgroups.limited().collect();
    if limited.is_empty() {
        return Vec::new();
    }
    let newest = past.at(now.clock.monotonic_ms);
    let samples = newest.map_or_else(Vec::new, |newest| group_samples(past, newest));
    let (Some(first), Some(newest)) = (samples.first(), samples.last()) else { return Vec::new() };
    let mut taken = samples.iter().peekable();
    let mut left: Vec<Vec<HeadroomAt>> = limited.iter().map(|_| Vec::new()).collect();
    past.walk_groups((*first, *newest), |nth, facts, read_ms, list| {
        if taken.next_if(|taken| **taken == nth).is_none() {
            return;
        }
        let mut then = list.iter().peekable();
        for (group, left) in limited.iter().zip(&mut left) {
            let before = |it: &&Cgroup| {
                !Arc::ptr_eq(&it.path, &group.path)
                    && tree_order(it.path.as_str(), group.path.as_str()).is_lt()
            };
            while then.next_if(before).is_some() {}
            let Some(was) = then.next_if(|it| it.path == group.path) else {
                // A cgroup that reappears is a new one. An empty list means that none was read.
                if !list.is_empty() {
                    left.clear();
                }
                continue;
            };
            // A changed limit starts a new history.
            if was.effective_limit() != group.effective_limit() {
                left.clear();
            }
            let room = was.headroom(facts.swap.free_kib.bytes(), facts.sysctls.swappiness);
            if let Some(room) = room.filter(|_| left.last().is_none_or(|last| last.0 < read_ms)) {
                left.push((read_ms, room));
            }
        }
    });
    let trend = |(group, left): (&&Cgroup, &Vec<HeadroomAt>)| {
        (Arc::clone(&group.path), without_pause(left, evenly))
    };
    limited.iter().zip(&left).map(trend).collect()
}
