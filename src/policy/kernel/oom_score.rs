//! What the running kernel's `/proc/PID/oom_score` shows by our own reckoning, and how far off that
//! is: the check that never stops.

use crate::model::{ProcId, Process, Scene, ScoreScale};
use crate::policy::badness::Verdict;
use crate::policy::kernel::linux::{LINUX, judge_facts};
use crate::policy::kernel::skipped::kernel_skips;
use crate::policy::{Drift, Policy};
use crate::units::{Pages, Points};

/// What `oom_score` shows for so many points (`fs/proc/base.c` `proc_oom_score`).
fn score_of(points: Points, total: Pages, scale: ScoreScale) -> u32 {
    let (points, total) = (i128::from(points.0), i128::from(total.0.max(1)));
    let score = match scale {
        ScoreScale::Signed => (1000 + points * 1000 / total) * 2 / 3,
        ScoreScale::Floored => points * 1000 / total,
    };
    u32::try_from(score.max(0)).unwrap_or(u32::MAX)
}

/// The points of a process, as `oom_score` weighs them: always by the whole machine, even inside a
/// container. `None` where it shows 0 by rule.
fn points(process: &Process, scene: &Scene) -> Option<Points> {
    let rules = LINUX.rules(scene.machine());
    match judge_facts(process, scene, rules, scene.now().total()) {
        Verdict::Scored(badness) if !kernel_skips(process, scene) => Some(badness.points),
        _ => None,
    }
}

/// What the running kernel's `/proc/PID/oom_score` shows for `process` by our own reckoning.
///
/// 0 for a process that the kernel skips for a reason that nothing but its own 0 reveals: so much is
/// taken on trust. Any other score is compared with the formula.
#[must_use]
pub fn kernel_score(process: &Process, scene: &Scene) -> u32 {
    let scale = scene.machine().score_scale;
    points(process, scene).map_or(0, |points| score_of(points, scene.now().total(), scale))
}

/// The comparison of one process, if its two numbers were read together: computed, then the
/// kernel's. Both are 0 for a process that the kernel skips (a vfork child, or already reaped).
#[must_use]
pub fn compare(process: &Process, scene: &Scene) -> Option<(u32, u32)> {
    let kernel = process.score.value().filter(|_| process.score_fresh)?;
    Some((kernel_score(process, scene), kernel))
}

/// How many of the scores that were read in this look equal ours, of how many.
#[must_use]
pub fn agreement(scene: &Scene) -> (usize, usize) {
    let compared = scene.now().processes.iter().filter_map(|process| compare(process, scene));
    compared
        .fold((0, 0), |(agree, all), (ours, theirs)| (agree + usize::from(ours == theirs), all + 1))
}

/// The comparison of one process, in full.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ScoreComparison {
    /// Whose.
    pub id: ProcId,
    /// What we computed.
    pub computed: u32,
    /// What the kernel shows.
    pub kernel: u32,
    /// By how many pages our badness would have to be another for the two to be equal. `None` where no
    /// number of pages would do: one of the two spares the process, the other does not.
    pub off_by: Option<Pages>,
    /// By how many it may be off: what no file shows, and what the process grew or shrank meanwhile.
    pub allowed: Pages,
}

impl ScoreComparison {
    /// Whether the two are equal, or no further apart than can be explained.
    #[must_use]
    pub fn agrees(&self) -> bool {
        self.off_by.is_some_and(|off| off <= self.allowed)
    }
}

/// Compares every process whose score was read in this look, by pid.
pub fn comparisons(scene: &Scene) -> impl Iterator<Item = ScoreComparison> {
    scene.now().processes.iter().filter_map(|process| {
        let (computed, kernel) = compare(process, scene)?;
        let Drift { up, down } = LINUX.drift(process, scene);
        let off_by = match points(process, scene) {
            _ if computed == kernel => Some(Pages::ZERO),
            Some(points) => distance(points, kernel, scene),
            None => None,
        };
        Some(ScoreComparison { id: process.id, computed, kernel, off_by, allowed: up.max(down) })
    })
}

/// How far the nearest points are that would show this score.
fn distance(points: Points, score: u32, scene: &Scene) -> Option<Pages> {
    let (total, scale) = (scene.now().total(), scene.machine().score_scale);
    let at = |away: i64| score_of(Points(points.0.saturating_add(away)), total, scale);
    let rises = at(0) < score;
    let reached = |away: i64| if rises { at(away) >= score } else { at(-away) <= score };
    // Scores never fall when points rise, so the nearest is found by halving.
    let (mut near, mut far) = (0_i64, i64::try_from(total.0).ok()?.saturating_mul(4));
    while near < far {
        let middle = near + (far - near) / 2;
        if reached(middle) {
            far = middle;
        } else {
            near = middle + 1;
        }
    }
    let exact = at(if rises { near } else { -near }) == score;
    exact.then(|| Pages(near.unsigned_abs()))
}
