//! Who dies when a limit is reached: badness at that time, without what reclaim takes back before.

use crate::model::{ProcId, Process, Reading, Scene};
use crate::policy::{BadnessUnit, Policy, Verdict};
use crate::units::{Millis, Pages};

use super::growth::GrowthTracks;
use super::{Candidate, DeathCertainty, TimeSpan};

/// Maximum number of processes that are followed to the limit: the leaders now, and those that grow.
const FOLLOWED: usize = 48;
/// Times between the low and the high end at which the leader is looked for.
const STEPS: u64 = 8;
/// Maximum number of candidates that are told.
pub const MAX_CANDIDATES: usize = 8;
/// Growth until the limit is known no better than this share of it.
const GROWTH_DOUBT: f64 = 0.15;

/// A process on its way to the limit.
struct Runner {
    at: u32,
    class: i8,
    second: i64,
    /// Badness at the limit without growth, in pages.
    base: f64,
    /// Growth in pages a second over each window.
    rates: [f64; 3],
    /// How far badness may be off without any growth: errors of the kernel's counters.
    error: f64,
}

/// The pages of a process that reclaim takes back before the kernel kills: file pages, and shared memory
/// where swap can take it. Page cache that is locked stays.
pub fn reclaimed(process: &Process, scene: &Scene) -> Pages {
    let known = |size: Reading<Pages>| size.value().unwrap_or_default();
    let swap = scene.now().swap.free_kib.0 > 0;
    let shmem = if swap { known(process.shmem) } else { Pages::ZERO };
    (known(process.file) + shmem).min(scene.rss(process))
}

/// The candidates of a domain, and how certain they are.
pub struct Victims {
    pub certainty: DeathCertainty,
    pub candidates: Vec<Candidate>,
}

/// Ranks the members of the scene's domain at the times of `when`, by this policy.
pub fn victims(
    policy: &dyn Policy,
    inside: &Scene,
    members: impl Iterator<Item = u32>,
    growth: &GrowthTracks,
    when: TimeSpan,
) -> Victims {
    let mut runners = runners(policy, inside, members, growth);
    let Some(class) = runners.iter().map(|it| it.class).max() else {
        return Victims { certainty: DeathCertainty::Nobody, candidates: Vec::new() };
    };
    runners.retain(|it| it.class == class);
    let candidates = leaders(&runners, policy, inside, when);
    let certainty =
        if candidates.len() > 1 { DeathCertainty::TooClose } else { DeathCertainty::Named };
    Victims { certainty, candidates }
}

fn runners(
    policy: &dyn Policy,
    inside: &Scene,
    members: impl Iterator<Item = u32>,
    growth: &GrowthTracks,
) -> Vec<Runner> {
    let processes = &inside.now().processes;
    let pages = policy.unit() == BadnessUnit::Pages;
    let reclaims = policy.is_kernel() && pages;
    let judge = |at: u32| {
        let process = processes.get(at as usize)?;
        if !policy.looks_at(process, inside) || process.dying {
            return None;
        }
        let Verdict::Scored(badness) = policy.judge(process, inside) else { return None };
        let gone = if reclaims { reclaimed(process, inside).0 as f64 } else { 0.0 };
        Some(Runner {
            at,
            class: badness.class,
            second: badness.second,
            base: badness.points.0 as f64 - gone,
            rates: if pages { growth.rates(process.id) } else { [0.0; 3] },
            error: 0.0,
        })
    };
    let mut runners: Vec<Runner> = members.filter_map(judge).collect();
    if runners.len() > FOLLOWED {
        // Who leads now or would lead after a minute of its fastest growth.
        let reach = |it: &Runner| it.base + it.rates.iter().fold(0.0, |a: f64, &b| a.max(b)) * 60.0;
        runners.sort_unstable_by(|a, b| b.class.cmp(&a.class).then(reach(b).total_cmp(&reach(a))));
        runners.truncate(FOLLOWED);
    }
    for runner in &mut runners {
        // Only what the counters themselves may be off: growth is projected.
        let process = &processes[runner.at as usize];
        let moved = inside.growth_bound(process.id);
        let drift = policy.drift(process, inside);
        runner.error =
            drift.up.0.max(drift.down.0).saturating_sub(2 * moved.rise.0.max(moved.fall.0)) as f64;
    }
    runners
}

/// The index of the leader among the runners, `seconds` from now, if growth goes on as in this window.
fn leader(
    runners: &[Runner],
    policy: &dyn Policy,
    inside: &Scene,
    seconds: f64,
    window: usize,
) -> Option<usize> {
    let processes = &inside.now().processes;
    let tie = policy.tie_break(inside);
    let points = |it: &Runner| it.base + (it.rates[window] * seconds).max(-it.base.abs());
    (0..runners.len()).min_by(|&a, &b| {
        let (a, b) = (&runners[a], &runners[b]);
        let by_points =
            points(b).round().total_cmp(&points(a).round()).then(b.second.cmp(&a.second));
        by_points.then_with(|| tie.order(processes[a.at as usize].id, processes[b.at as usize].id))
    })
}

fn leaders(
    runners: &[Runner],
    policy: &dyn Policy,
    inside: &Scene,
    when: TimeSpan,
) -> Vec<Candidate> {
    let processes = &inside.now().processes;
    let mut found: Vec<Candidate> = Vec::new();
    let mut add = |index: usize, from: Millis, to: Millis| {
        let process = &processes[runners[index].at as usize];
        match found.iter_mut().find(|it| it.id == process.id) {
            Some(candidate) => {
                candidate.from = candidate.from.min(from);
                candidate.to = candidate.to.max(to);
            }
            None => found.push(Candidate { id: process.id, comm: process.comm, from, to }),
        }
    };
    let span = when.high.saturating_sub(when.low).0;
    let time = |step: u64| Millis(when.low.0 + span * step / STEPS);
    // The middle window first: who leads by it stands first.
    for window in [1, 0, 2] {
        for step in 0..=STEPS {
            let at = time(step);
            if let Some(index) = leader(runners, policy, inside, at.0 as f64 / 1000.0, window) {
                let half = Millis(span / STEPS / 2);
                add(index, at.saturating_sub(half).max(when.low), (at + half).min(when.high));
            }
        }
    }
    // Whoever is as near to the leader as their growth and the counters are uncertain.
    let seconds = when.middle.0 as f64 / 1000.0;
    if let Some(first) = leader(runners, policy, inside, seconds, 1) {
        let points = |it: &Runner| it.base + it.rates[1] * seconds;
        let doubt = |it: &Runner| it.error + (it.rates[1] * seconds).abs() * GROWTH_DOUBT;
        let top = &runners[first];
        let mut near: Vec<usize> = (0..runners.len())
            .filter(|&it| it != first)
            .filter(|&it| {
                let it = &runners[it];
                let slack = doubt(it) + doubt(top);
                slack > 0.0 && points(it) + slack >= points(top)
            })
            .collect();
        near.sort_by(|&a, &b| points(&runners[b]).total_cmp(&points(&runners[a])));
        near.into_iter().for_each(|index| add(index, when.low, when.high));
    }
    found.truncate(MAX_CANDIDATES);
    replaced(&mut found, policy, inside);
    found
}

/// Old kernels kill a child in the place of the process that is chosen.
fn replaced(candidates: &mut Vec<Candidate>, policy: &dyn Policy, inside: &Scene) {
    for candidate in candidates.iter_mut() {
        let chosen = inside.find(candidate.id);
        let other = chosen.and_then(|chosen| policy.killed_instead(chosen, inside));
        if let Some((other, _)) = other {
            (candidate.id, candidate.comm) = (other.id, other.comm);
        }
    }
    let mut seen: Vec<ProcId> = Vec::new();
    candidates.retain(|it| {
        let new = !seen.contains(&it.id);
        seen.push(it.id);
        new
    });
}
