//! Linux 2.4.23, where the OOM killer was removed: whoever asks for memory next fails and dies.

use crate::model::{Needs, Process, Scene, Signal};
use crate::policy::badness::{Badness, BadnessUnit, SparedReason, TermNote, Verdict};
use crate::policy::{
    Cite, Drift, Override, Policy, PolicyAction, PolicyInfo, PolicyKind, PolicyTraits, TieBreak,
    TriggerState,
};
use crate::units::Points;

/// The absence of a killer.
#[derive(Debug)]
pub struct NoKiller;

/// 2.4.23 to 2.4.37, unless CONFIG_OOM_KILLER (2.4.25 and later) was chosen.
pub static LINUX_2_4_23: NoKiller = NoKiller;

static INFO: PolicyInfo = PolicyInfo {
    id: "linux-2.4.23",
    title: "Linux 2.4.23: no killer",
    about: "Nobody is chosen. The allocation that fails is that of whoever asks next, and a page fault that \
         fails kills its own process. Who grows most asks most: the order here is growth since the last \
         refresh. Init waits and tries again.",
    cites: &[
        Cite { place: "ChangeLog: the OOM killer has been removed", at: "2.4.23-pre4" },
        Cite { place: "arch/i386/mm/fault.c do_page_fault()", at: "2.4.27" },
    ],
    unit: BadnessUnit::Pages,
    kind: PolicyKind::Kernel,
};

impl Policy for NoKiller {
    fn info(&self) -> &PolicyInfo {
        &INFO
    }

    fn needs(&self) -> Needs {
        Needs { status: true, ..Needs::default() }
    }

    fn traits(&self, _: &Scene) -> PolicyTraits {
        PolicyTraits { tie_break: TieBreak::Unseen, ..PolicyTraits::default() }
    }

    fn trigger_state(&self, _: &Scene) -> TriggerState {
        TriggerState::simply(
            true,
            "there is no killer: the next allocation that fails kills its own process",
        )
    }

    fn overridden(&self, _: &Scene) -> Option<Override> {
        Some(Override::NoKiller)
    }

    fn judge(&self, process: &Process, scene: &Scene) -> Verdict {
        if process.is_kernel_thread() {
            return Verdict::Spared(SparedReason::Kernel);
        }
        if scene.is_global_init(process) {
            return Verdict::Spared(SparedReason::Init);
        }
        if !process.has_mm {
            return Verdict::Spared(SparedReason::NoMm);
        }
        let grown = scene.growth(process).map_or(0, |growth| growth.pages.0.max(0));
        Verdict::Scored(Badness::default().plus(
            "growth",
            Points(grown),
            TermNote::Because("gained since the last refresh"),
        ))
    }

    fn drift(&self, _: &Process, _: &Scene) -> Drift {
        Drift::default()
    }

    fn also_killed<'a>(&self, _: &Process, _: &'a Scene) -> Vec<&'a Process> {
        Vec::new()
    }

    fn action(&self, _: &Process) -> PolicyAction {
        PolicyAction { signal: Signal::KILL, why: "its own page fault ends it" }
    }
}
