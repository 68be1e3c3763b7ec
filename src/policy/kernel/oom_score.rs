//! Computes `/proc/PID/oom_score` of the running kernel and compares it with the real one: the self-check
//! of the formula.

use crate::model::{ProcId, Process, Scene, ScoreScale};
use crate::policy::badness::Verdict;
use crate::policy::kernel::linux::{LINUX, judge_facts};
use crate::policy::kernel::skipped::kernel_skips;
use crate::policy::{Drift, Policy};
use crate::units::{Pages, Points};

/// The `oom_score` for these points (`fs/proc/base.c` `proc_oom_score`).
fn score_of(points: Points, total: Pages, scale: ScoreScale) -> u32 {
    let (points, total) = (i128::from(points.0), i128::from(total.0.max(1)));
    let score = match scale {
        ScoreScale::Signed => (1000 + points * 1000 / total) * 2 / 3,
        ScoreScale::Floored => points * 1000 / total,
    };
    u32::try_from(score.max(0)).unwrap_or(u32::MAX)
}

/// The points behind the `oom_score` of a process, which are always those of the whole machine, even inside
/// a container. `None` where `oom_score` is 0 because the process cannot be chosen.
fn points(process: &Process, scene: &Scene) -> Option<Points> {
    let rules = LINUX.rules(scene.machine());
    match judge_facts(process, scene, rules, scene.now().total()) {
        Verdict::Scored(badness) if !kernel_skips(process, scene) => Some(badness.points),
        _ => None,
    }
}

/// The computed `/proc/PID/oom_score` of a process on the running kernel.
///
/// It is 0 for a process that the kernel skips, which only the kernel's own 0 shows; that cannot be
/// checked. Every other score follows from the formula.
#[must_use]
pub fn kernel_score(process: &Process, scene: &Scene) -> u32 {
    let scale = scene.machine().score_scale;
    points(process, scene).map_or(0, |points| score_of(points, scene.now().total(), scale))
}

/// The computed score of a process and the kernel's, if the kernel's was read in this sample. Both are 0
/// for a process that the kernel skips (a vfork child, or already reaped).
#[must_use]
pub fn compare(process: &Process, scene: &Scene) -> Option<(u32, u32)> {
    let kernel = process.score.value().filter(|_| process.score_fresh)?;
    Some((kernel_score(process, scene), kernel))
}

/// The number of scores read in this sample that equal the computed ones, and of all that were read.
#[must_use]
pub fn agreement(scene: &Scene) -> (usize, usize) {
    let compared = scene.now().processes.iter().filter_map(|process| compare(process, scene));
    compared
        .fold((0, 0), |(agree, all), (ours, theirs)| (agree + usize::from(ours == theirs), all + 1))
}

/// The comparison of the computed score of a process with the kernel's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ScoreComparison {
    /// The process.
    pub id: ProcId,
    /// The computed score.
    pub computed: u32,
    /// The score of the kernel.
    pub kernel: u32,
    /// The change of badness, in pages, that would make the two equal. `None` where no change does,
    /// because only one of the two spares the process.
    pub off_by: Option<Pages>,
    /// The permitted difference: counter errors, and growth between the two readings.
    pub allowed: Pages,
}

impl ScoreComparison {
    /// Whether the difference is permitted.
    #[must_use]
    pub fn agrees(&self) -> bool {
        self.off_by.is_some_and(|off| off <= self.allowed)
    }
}

/// Compares all processes whose score was read in this sample, in the order of the pids.
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

/// The distance to the nearest points that give this score.
fn distance(points: Points, score: u32, scene: &Scene) -> Option<Pages> {
    let (total, scale) = (scene.now().total(), scene.machine().score_scale);
    let at = |away: i64| score_of(Points(points.0.saturating_add(away)), total, scale);
    let rises = at(0) < score;
    let reached = |away: i64| if rises { at(away) >= score } else { at(-away) <= score };
    // Scores are monotonic in points, so a binary search finds the nearest.
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
