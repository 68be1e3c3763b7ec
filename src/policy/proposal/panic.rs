//! The machine stops instead of killing (Rusty Lynch's `CONFIG_OOM_PANIC`, 2003).

use crate::model::{Needs, Process, Scene, Signal};
use crate::policy::badness::{BadnessUnit, SparedReason, Verdict};
use crate::policy::proposal::RFC_2003;
use crate::policy::{
    Cite, Drift, Override, Policy, PolicyAction, PolicyInfo, PolicyKind, PolicyTraits, TieBreak,
    TriggerState,
};

/// `CONFIG_OOM_PANIC`: the machine stops.
#[derive(Debug)]
pub struct Panic;

/// The one there is.
pub static PANIC: Panic = Panic;

static INFO: PolicyInfo = PolicyInfo {
    id: "panic",
    title: "panic: the machine stops",
    about: "Names nobody: at the first shortage the kernel panics, and whoever watches it takes over. \
         Today's vm.panic_on_oom.",
    cites: &[Cite { place: RFC_2003, at: "11 Sep 2003, CONFIG_OOM_PANIC" }],
    unit: BadnessUnit::Bare,
    kind: PolicyKind::Proposal,
};

impl Policy for Panic {
    fn info(&self) -> &PolicyInfo {
        &INFO
    }

    fn needs(&self) -> Needs {
        Needs::default()
    }

    fn traits(&self, _: &Scene) -> PolicyTraits {
        PolicyTraits { tie_break: TieBreak::Oldest, ..PolicyTraits::default() }
    }

    fn trigger_state(&self, _: &Scene) -> TriggerState {
        TriggerState::simply(true, "at the first failure, without waiting")
    }

    fn overridden(&self, _: &Scene) -> Option<Override> {
        Some(Override::Panic)
    }

    fn judge(&self, process: &Process, _: &Scene) -> Verdict {
        let kernel = process.is_kernel_thread();
        Verdict::Spared(if kernel { SparedReason::Kernel } else { SparedReason::Unnamed })
    }

    fn drift(&self, _: &Process, _: &Scene) -> Drift {
        Drift::default()
    }

    fn also_killed<'a>(&self, _: &Process, _: &'a Scene) -> Vec<&'a Process> {
        Vec::new()
    }

    fn action(&self, _: &Process) -> PolicyAction {
        PolicyAction { signal: Signal::KILL, why: "nobody is killed: the machine stops" }
    }
}
