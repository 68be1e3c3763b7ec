//! Which processes the running kernel passes over for a reason that, of all files, only their `oom_score`
//! shows.

use crate::model::{Process, Scene, ScoreScale};

/// Whether the kernel skips a process: it is in vfork, or its memory was reaped (`fs/proc/base.c`, 5.9).
/// On the signed scale the formula cannot give 0 above adj -997, so a 0 in `oom_score` means this. Only a
/// score read in this sample counts: an older 0 may be from before exec, or before adj was raised. Where
/// the process was read from the kernel's task list, its own facts say it.
#[must_use]
pub fn kernel_skips(process: &Process, scene: &Scene) -> bool {
    if let Some(task) = process.task {
        return task.is_skipped()
            && process.has_mm
            && !process.is_kernel_thread()
            && !scene.is_global_init(process);
    }
    scene.machine().score_scale == ScoreScale::Signed
        && process.score_fresh
        && process.score.value() == Some(0)
        && process.adj.value().is_some_and(|adj| adj.0 >= -997)
        && process.has_mm
        && !process.is_kernel_thread()
        && !scene.is_global_init(process)
}
