//! bustd (`vrmiguel/bustd` @7d7dd9d): the highest `oom_score`, then the larger resident size; the first
//! among equals. Its scan starts with the first readable process after pid 1 as the current maximum,
//! without the checks that it applies to all others.

use crate::model::{Needs, Process, Scene, Scores, Signal, Snapshot};
use crate::policy::badness::{Badness, BadnessUnit, SparedReason, TermNote, Verdict};
use crate::policy::daemon::shared::{
    ConditionState, avg10, oom_score, percent, pressure, rss, score_per_page, worded,
};
use crate::policy::{
    AdjEffect, Cite, Drift, Policy, PolicyAction, PolicyInfo, PolicyKind, PolicyTraits,
    TriggerLevel, TriggerQuantity, TriggerRule, TriggerSide, TriggerState,
};
use crate::units::{Adj, Millis, Points};

/// The killer.
#[derive(Debug)]
pub struct Bustd;

/// The policy.
pub static BUSTD: Bustd = Bustd;

/// Whether the scan starts with this process.
fn is_scan_start(process: &Process, scene: &Scene) -> bool {
    let first = scene.now().processes.iter().find(|other| other.id.pid > 1);
    first.is_some_and(|first| first.id == process.id)
}

/// Its only rule.
fn rule(now: &Snapshot) -> TriggerRule {
    // It truncates the percentage to an integer before it compares.
    let free = percent(now.memory.free_kib, now.memory.total_kib).trunc();
    let free = TriggerLevel {
        quantity: TriggerQuantity::FreeMemory,
        cgroup: None,
        present: Some(free),
        acts_at: 15.0,
        side: TriggerSide::AtMost,
        whole: None,
    };
    let some = pressure(avg10(now.pressure.some), 25.0, TriggerSide::AtLeast, None);
    TriggerRule {
        signal: Signal::TERM,
        levels: vec![free, some],
        lasting: Millis::ZERO,
        pause: Millis::ZERO,
    }
}

static INFO: PolicyInfo = PolicyInfo {
    id: "bustd",
    title: "bustd",
    about: "The highest oom_score; between equals the larger resident size, then the lower \
            pid. Acts when free (not available) memory is at 15 % or less and the some avg10 \
            of memory pressure at 25 % or more.",
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
        let mut state = ConditionState::assumed();
        let some = avg10(now.pressure.some);
        let words = ["MemFree", "some avg10 of memory pressure"];
        for (what, level) in words.into_iter().zip(&rule(now).levels) {
            state.condition(worded(what, level));
        }
        if some.is_none() {
            state.obstacle("this kernel has no PSI, without which it never acts");
        }
        state.finish()
    }

    fn points_per_page(&self, scene: &Scene) -> f64 {
        score_per_page(scene)
    }

    fn trigger_rules(&self, scene: &Scene) -> Vec<TriggerRule> {
        vec![rule(scene.now())]
    }

    fn judge(&self, process: &Process, scene: &Scene) -> Verdict {
        if process.is_kernel_thread() {
            return Verdict::Spared(SparedReason::Kernel);
        }
        if process.id.pid <= 1 {
            return Verdict::Spared(SparedReason::Init);
        }
        if !is_scan_start(process, scene) {
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
        PolicyAction { signal: Signal::TERM, why: "SIGTERM, then SIGKILL after half a second" }
    }
}
