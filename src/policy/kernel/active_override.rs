//! Finds what overrides the kernel's ranking in a scene (`mm/oom_kill.c` `out_of_memory`,
//! `oom_evaluate_task`; `mm/memcontrol-v1.c`).

use crate::model::{PanicOnOom, Process, Scene};
use crate::policy::kernel::skipped::kernel_skips;
use crate::policy::overrides::Override;

/// What overrides the kernel's ranking in this scene; the strongest if there are several.
#[must_use]
pub fn active_override(scene: &Scene) -> Option<Override> {
    let (now, domain) = (scene.now(), scene.domain());
    let cgroup =
        domain.is_memcg().then(|| now.cgroups.find(domain.limiting_cgroup().as_str())).flatten();
    if cgroup.is_some_and(|group| group.oom_kill_disabled.value() == Some(true)) {
        return Some(Override::Waits);
    }
    match now.sysctls.panic_on_oom.value() {
        Some(PanicOnOom::Always) => return Some(Override::Panic),
        Some(PanicOnOom::Global) if domain.is_machine() => return Some(Override::Panic),
        _ => {}
    }
    if !domain.is_memcg() && now.sysctls.oom_kill_allocating_task.value() == Some(true) {
        return Some(Override::AllocatingTask);
    }
    let inside = || now.processes.iter().filter(|process| domain.contains(process));
    if let Some(victim) = inside().find(|process| is_dying(process, scene)) {
        return Some(Override::Dying(victim.id));
    }
    let is_origin = |process: &&Process| process.task.is_some_and(|task| task.oom_origin);
    if let Some(origin) = inside().find(is_origin) {
        return Some(Override::Swapoff(Some(origin.id)));
    }
    now.swap.leaving_kib?;
    let by = inside().find(|process| process.comm.bytes() == b"swapoff");
    (by.is_some() || domain.is_global()).then(|| Override::Swapoff(by.map(|process| process.id)))
}

/// Whether a process was killed and still has memory, for which the killer waits. If its memory was
/// reaped, the kernel skips it. The killer waits only for those that it chose itself
/// (`oom_evaluate_task`, `tsk_is_oom_victim`); the files do not show which these are.
fn is_dying(process: &Process, scene: &Scene) -> bool {
    let killed = process.task.map_or(process.dying, |task| task.oom_victim);
    killed && process.has_mm && !process.is_kernel_thread() && !kernel_skips(process, scene)
}
