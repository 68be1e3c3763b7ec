//! Which processes the running kernel passes over for a reason that only their `oom_score` shows.

use crate::model::{Process, Scene, ScoreScale};

/// On the signed scale the formula cannot give 0 above adj -997, so a 0 from the kernel means that
/// it skips the process: in vfork, or already reaped (facts of `fs/proc/base.c`, 5.9). Only a score
/// read beside the sizes tells: a remembered 0 may be of a time before exec, or before adj rose.
#[must_use]
pub fn kernel_skips(process: &Process, scene: &Scene) -> bool {
    scene.machine().score_scale == ScoreScale::Signed
        && process.score_fresh
        && process.score.value() == Some(0)
        && process.adj.value().is_some_and(|adj| adj.0 >= -997)
        && process.has_mm
        && !process.is_kernel_thread()
        && !scene.is_global_init(process)
}
