//! Finds what overrides the kernel's ranking in a scene (`mm/oom_kill.c` `out_of_memory`,
//! `oom_evaluate_task`; `mm/memcontrol-v1.c`).

use crate::model::{DomainKind, Limit, PanicOnOom, Process, Reading, Scene};
use crate::policy::kernel::skipped::kernel_skips;
use crate::policy::overrides::Override;
use crate::policy::{BadnessKey, SparedReason};
use crate::units::Millis;

/// How long the killer waits for a victim that does not die: by then the reaper has freed its memory or given
/// up, and the kernel skips it (`mm/oom_kill.c` `oom_reap_task`: ten attempts, a tenth of a second apart; it
/// begins two seconds after the kill since 5.17).
const WAIT_FOR_VICTIM: Millis = Millis(3_000);

/// For which dying processes a kernel's OOM killer waits, instead of choosing another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WaitsFor {
    /// For every process that is exiting or was killed, by whomever (before 4.8; `select_bad_process`).
    AnyExiting,
    /// For those that it killed itself, until their memory was reaped (4.8 and later;
    /// `oom_evaluate_task`, `tsk_is_oom_victim`). Another one only counts if the killer would choose it: then
    /// the kernel lets it exit and kills nobody (`oom_kill_process`, `task_will_free_mem`).
    OwnVictims,
}

/// The order of the rule ([`crate::policy::Policy::key`]).
type Key<'a> = &'a dyn Fn(&Process) -> Result<BadnessKey, SparedReason>;

/// What overrides the kernel's ranking in this scene; the strongest if there are several. `key` is the order of the
/// rule.
#[must_use]
pub fn active_override(scene: &Scene, waits: WaitsFor, key: Key<'_>) -> Option<Override> {
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
    // Where the limit could not be read, there may be one.
    let own = now.cgroups.find(domain.name.as_str()).map(|group| group.limit);
    if domain.kind == DomainKind::Part && own == Some(Reading::Value(Limit::Max)) {
        return Some(Override::NoLimit);
    }
    // To find out whether a process belongs to the domain costs more than all other questions.
    let mut origin = None;
    for process in now.processes.iter().filter(|it| is_dying(it, scene) || is_origin(it)) {
        if !domain.contains(process) {
            continue;
        }
        if is_dying(process, scene) && is_waited_for(process, scene, waits, key) {
            return Some(Override::Dying(process.id));
        }
        origin = origin.or_else(|| Some(process).filter(|it| is_origin(it)));
    }
    if let Some(origin) = origin {
        return Some(Override::Swapoff(Some(origin.id)));
    }
    now.swap.leaving_kib?;
    let is_swapoff = |it: &&Process| it.comm.bytes() == b"swapoff" && domain.contains(it);
    let by = now.processes.iter().find(is_swapoff);
    (by.is_some() || domain.is_global()).then(|| Override::Swapoff(by.map(|process| process.id)))
}

/// Whether a process asked to be killed first, as swapoff does.
fn is_origin(process: &Process) -> bool {
    process.task.is_some_and(|task| task.oom_origin)
}

/// Whether a process was killed, or is exiting, and still has memory. If its memory was reaped, the kernel
/// skips it.
fn is_dying(process: &Process, scene: &Scene) -> bool {
    let killed = process.dying || process.task.is_some_and(|task| task.oom_victim);
    killed && process.has_mm && !process.is_kernel_thread() && !kernel_skips(process, scene)
}

/// Whether the killer waits for a dying process.
fn is_waited_for(process: &Process, scene: &Scene, waits: WaitsFor, key: Key<'_>) -> bool {
    if waits == WaitsFor::AnyExiting {
        return true;
    }
    match process.task {
        Some(task) if task.oom_victim => return true,
        // Who the victims are, only the kernel's task list shows. Otherwise: a kill was counted when it began
        // to die.
        None if scene.was_killed_within(process.id, WAIT_FOR_VICTIM) => return true,
        _ => {}
    }
    !process.dumps_core() && is_first(process, scene, key)
}

/// Whether no process of the domain would be chosen before this one.
fn is_first(process: &Process, scene: &Scene, key: Key<'_>) -> bool {
    let Ok(own) = key(process) else { return false };
    let domain = scene.domain();
    let mut others = scene.now().processes.iter().filter(|it| domain.contains(it));
    !others.any(|it| it.id != process.id && key(it).is_ok_and(|it| it > own))
}
