//! Finds what overrides the kernel's ranking in a scene (`mm/oom_kill.c` `out_of_memory`,
//! `oom_evaluate_task`; `mm/memcontrol-v1.c`).

use crate::model::{PanicOnOom, Process, Scene};
use crate::policy::kernel::skipped::kernel_skips;
use crate::policy::overrides::Override;

/// What overrules the kernel's ranking in this scene, the strongest first.
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
    now.swap.leaving_kib?;
    let by = inside().find(|process| process.comm.bytes() == b"swapoff");
    (by.is_some() || domain.is_global()).then(|| Override::Swapoff(by.map(|process| process.id)))
}

/// Whether a process was killed and still holds memory that the killer waits for. A score of 0 says
/// that its memory was reaped: then it is passed over.
fn is_dying(process: &Process, scene: &Scene) -> bool {
    process.dying && process.has_mm && !process.is_kernel_thread() && !kernel_skips(process, scene)
}
