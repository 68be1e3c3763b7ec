//! What overrules the ranking: switches and moments in which the kernel kills by no ranking at all,
//! or kills nobody (`mm/oom_kill.c` `out_of_memory`, `oom_evaluate_task`; `mm/memcontrol-v1.c`).

use crate::model::{PanicOnOom, ProcId, Process, Scene};

/// Why the first of the ranking need not be the next to die.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Override {
    /// `vm.panic_on_oom`: the machine stops instead.
    Panic,
    /// `oom_kill_disable` of this version-1 cgroup: its tasks wait.
    Waits,
    /// There is no killer: whoever asks for memory dies.
    NoKiller,
    /// `vm.oom_kill_allocating_task`: whoever asks for memory dies.
    AllocatingTask,
    /// Confined to memory nodes, this kernel chooses nobody: whoever asks for memory dies.
    Confined,
    /// This process was killed already and has not gone.
    Dying(ProcId),
    /// An area of swap is being switched off: the process that does it (if it can be told) dies first.
    Swapoff(Option<ProcId>),
}

impl Override {
    /// One word, for JSON.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Panic => "panic_on_oom",
            Self::Waits => "oom_kill_disable",
            Self::NoKiller => "no_killer",
            Self::AllocatingTask => "oom_kill_allocating_task",
            Self::Confined => "confined",
            Self::Dying(_) => "dying",
            Self::Swapoff(_) => "swapoff",
        }
    }

    /// Whether whoever asks for memory dies, whatever the ranking.
    #[must_use]
    pub const fn kills_allocating_task(self) -> bool {
        matches!(self, Self::NoKiller | Self::AllocatingTask | Self::Confined)
    }

    /// What happens instead, in words.
    #[must_use]
    pub fn sentence(self, scene: &Scene) -> String {
        let name = |id: ProcId| {
            let comm = scene.find(id).map(|process| process.comm).unwrap_or_default();
            format!("{id} {comm}")
        };
        match self {
            Self::Panic => "panic_on_oom: an OOM panics the kernel, nobody is chosen".to_owned(),
            Self::NoKiller => "there is no killer: whoever asks for memory then dies".to_owned(),
            Self::Waits => {
                "oom_kill_disable is set here: at the wall its tasks wait, nobody is killed"
                    .to_owned()
            }
            Self::AllocatingTask => {
                "oom_kill_allocating_task is set: whoever asks for memory then dies".to_owned()
            }
            Self::Confined => {
                "an OOM that is confined to memory nodes: whoever asks for memory then dies"
                    .to_owned()
            }
            Self::Dying(id) => format!(
                "{} was killed and is still dying: if the OOM killer chose it, nobody else dies before it is gone",
                name(id)
            ),
            Self::Swapoff(Some(id)) => {
                format!("swap is being switched off: {}, which does it, dies first", name(id))
            }
            Self::Swapoff(None) => {
                "swap is being switched off: the process that does it dies first".to_owned()
            }
        }
    }

    /// The same in a few words.
    #[must_use]
    pub fn brief(self, scene: &Scene) -> String {
        match self {
            Self::Panic => "panic_on_oom: the kernel would panic".to_owned(),
            Self::Waits => "oom_kill_disable: tasks would wait".to_owned(),
            Self::NoKiller => "no killer: whoever allocates dies".to_owned(),
            Self::AllocatingTask => "oom_kill_allocating_task: whoever allocates dies".to_owned(),
            Self::Confined => "confined to nodes: whoever allocates dies".to_owned(),
            Self::Dying(id) => {
                let comm = scene.find(id).map(|process| process.comm).unwrap_or_default();
                format!("{id} {comm} is still dying")
            }
            Self::Swapoff(Some(id)) => format!("swapoff ({id}) dies first"),
            Self::Swapoff(None) => "swapoff dies first".to_owned(),
        }
    }
}

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
    process.dying
        && process.has_mm
        && !process.is_kernel_thread()
        && !crate::policy::kernel::linux::kernel_skips(process, scene)
}
