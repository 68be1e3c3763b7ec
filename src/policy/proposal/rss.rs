//! The largest process: what many people believe that an OOM killer looks at, and what they ask of
//! userspace killers (rfjakob/earlyoom#140, #314; hakavlad/nohang#48). A baseline, no killer's rule.

use crate::model::{Needs, Process, Reading, Scene, Signal};
use crate::policy::badness::{Badness, BadnessUnit, SparedReason, TermNote, Verdict};
use crate::policy::daemon::conditions;
use crate::policy::{
    Cite, Drift, Policy, PolicyAction, PolicyInfo, PolicyKind, PolicyTraits, TriggerState,
};
use crate::units::Pages;

/// The largest, by one of two measures.
#[derive(Debug)]
pub struct Largest {
    info: PolicyInfo,
    with_swap: bool,
}

const CITES: &[Cite] =
    &[Cite { place: "asked for in rfjakob/earlyoom#140, hakavlad/nohang#48", at: "issues" }];

/// By resident memory.
pub static RSS: Largest = Largest {
    info: PolicyInfo {
        id: "rss",
        title: "largest resident size",
        about: "Resident memory, nothing else: no oom_score_adj, but -1000 spares. A baseline to compare \
                the others with; no killer goes by it.",
        cites: CITES,
        unit: BadnessUnit::Pages,
        kind: PolicyKind::Baseline,
    },
    with_swap: false,
};

/// By resident memory and swap.
pub static RSS_SWAP: Largest = Largest {
    info: PolicyInfo {
        id: "rss-swap",
        title: "largest resident size and swap",
        about: "Resident memory and swap, nothing else: no oom_score_adj, but -1000 spares. A baseline to \
                compare the others with; no killer goes by it.",
        cites: CITES,
        unit: BadnessUnit::Pages,
        kind: PolicyKind::Baseline,
    },
    with_swap: true,
};

impl Policy for Largest {
    fn info(&self) -> &PolicyInfo {
        &self.info
    }

    fn needs(&self) -> Needs {
        Needs { status: true, ..Needs::default() }
    }

    fn traits(&self, _: &Scene) -> PolicyTraits {
        PolicyTraits::default()
    }

    fn trigger_state(&self, _: &Scene) -> TriggerState {
        TriggerState::simply(false, "a baseline to compare with: nobody kills by it")
    }

    fn judge(&self, process: &Process, scene: &Scene) -> Verdict {
        if let Some(spared) = conditions::untouchable(process, scene) {
            return spared;
        }
        let badness = Badness::default().plus("rss", scene.rss(process).points(), TermNote::Fact);
        if !self.with_swap {
            return Verdict::Scored(badness);
        }
        match process.swap {
            Reading::Value(swap) => {
                Verdict::Scored(badness.plus("swap", swap.points(), TermNote::Fact))
            }
            Reading::Denied => Verdict::Spared(SparedReason::Unreadable),
            _ => Verdict::Scored(badness.plus("swap", Pages::ZERO.points(), TermNote::Unread)),
        }
    }

    fn drift(&self, process: &Process, scene: &Scene) -> Drift {
        conditions::growth(process, scene)
    }

    fn max_drift_up(&self, scene: &Scene) -> Pages {
        scene.greatest_rise()
    }

    fn also_killed<'a>(&self, victim: &Process, scene: &'a Scene) -> Vec<&'a Process> {
        crate::policy::likely_sharers(victim, scene)
    }

    fn action(&self, _: &Process) -> PolicyAction {
        PolicyAction {
            signal: Signal::KILL,
            why: "nobody kills by this rule; SIGKILL is what a killer would send",
        }
    }
}
