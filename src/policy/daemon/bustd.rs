//! bustd (`vrmiguel/bustd` @7d7dd9d): the highest `oom_score`, then the larger resident size; of
//! equals the first. The first process after pid 1 that can be read is the champion to begin with,
//! whatever it is.

use crate::model::{Needs, Process, Scene, Scores, Signal};
use crate::policy::badness::{Badness, BadnessUnit, SparedReason, TermNote, Verdict};
use crate::policy::daemon::conditions::{
    ConditionState, at_most, avg10, oom_score, percent, rss, stall,
};
use crate::policy::{
    AdjEffect, Cite, Drift, Policy, PolicyAction, PolicyInfo, PolicyKind, PolicyTraits,
    TriggerState,
};
use crate::units::{Adj, Points};

/// The killer.
#[derive(Debug)]
pub struct Bustd;

/// The one there is.
pub static BUSTD: Bustd = Bustd;

/// Whether the scan begins with it.
fn is_seed(process: &Process, scene: &Scene) -> bool {
    let first = scene.now().processes.iter().find(|other| other.id.pid > 1);
    first.is_some_and(|first| first.id == process.id)
}

static INFO: PolicyInfo = PolicyInfo {
    id: "bustd",
    title: "bustd",
    about: "The kernel's own oom_score; between equals the larger resident size, then the lower pid. Acts \
         when free (not available) memory is at 15 % or less and some avg10 of memory pressure at 25 % \
         or more.",
    cites: &[Cite {
        place: "vrmiguel/bustd src/process.rs, src/kill.rs, src/monitor.rs",
        at: "7d7dd9d",
    }],
    unit: BadnessUnit::Bare,
    kind: PolicyKind::Daemon,
};

impl Policy for Bustd {
    fn info(&self) -> &PolicyInfo {
        &INFO
    }

    fn needs(&self) -> Needs {
        Needs { status: true, scores: Scores::All, ..Needs::default() }
    }

    fn traits(&self, _: &Scene) -> PolicyTraits {
        PolicyTraits { adj: AdjEffect::Rising, ..PolicyTraits::default() }
    }

    fn trigger_state(&self, scene: &Scene) -> TriggerState {
        let now = scene.now();
        let mut stand = ConditionState::assumed();
        // It cuts the percentage to a whole number before it compares.
        let free = percent(now.memory.free_kib, now.memory.total_kib).trunc();
        stand.waits(at_most("MemFree", free, 15.0));
        let some = avg10(now.pressure.some);
        stand.waits(stall("some avg10 of memory pressure", some, 25.0, true));
        if some.is_none() {
            stand.held("this kernel tells no pressure, without which it never acts");
        }
        stand.armed()
    }

    fn judge(&self, process: &Process, scene: &Scene) -> Verdict {
        if process.is_kernel_thread() {
            return Verdict::Spared(SparedReason::Kernel);
        }
        if process.id.pid <= 1 {
            return Verdict::Spared(SparedReason::Init);
        }
        if !is_seed(process, scene) {
            if rss(process) == 0 {
                return Verdict::Spared(SparedReason::NoMm);
            }
            if process.adj.value() == Some(Adj::MIN) {
                return Verdict::Spared(SparedReason::Never);
            }
        }
        let (score, word) = oom_score(process, scene);
        let badness = Badness::default().plus(word, Points(score), TermNote::Fact);
        Verdict::Scored(badness.then_by(rss(process)))
    }

    fn drift(&self, _: &Process, _: &Scene) -> Drift {
        Drift::default()
    }

    fn also_killed<'a>(&self, victim: &Process, scene: &'a Scene) -> Vec<&'a Process> {
        crate::policy::likely_sharers(victim, scene)
    }

    fn action(&self, _: &Process) -> PolicyAction {
        PolicyAction { signal: Signal::TERM, why: "SIGTERM, and SIGKILL after half a second" }
    }
}
