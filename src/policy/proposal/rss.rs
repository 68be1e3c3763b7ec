//! The largest process, a baseline that no killer uses. Users often expect this rule and ask userspace
//! killers for it (rfjakob/earlyoom#140, #314; hakavlad/nohang#48).

use crate::model::{Needs, Process, Reading, Scene, Signal};
use crate::policy::badness::{Badness, BadnessUnit, SparedReason, TermNote, Verdict};
use crate::policy::daemon::shared;
use crate::policy::{
    Cite, Drift, Policy, PolicyAction, PolicyInfo, PolicyKind, PolicyTraits, TriggerState,
};
use crate::units::Pages;

/// The largest process, by one of two measures.
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
        about: "Resident memory only. oom_score_adj does not count, but -1000 is spared. A baseline to \
                compare with; no killer uses it.",
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
        about: "Resident memory and swap only. oom_score_adj does not count, but -1000 is spared. A \
                baseline to compare with; no killer uses it.",
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
        TriggerState::simply(false, "a baseline to compare with: no killer uses it")
    }

    fn judge(&self, process: &Process, scene: &Scene) -> Verdict {
        if let Some(spared) = shared::not_killable(process, scene) {
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
        shared::growth(process, scene)
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
            why: "no killer uses this rule; a killer would send SIGKILL",
        }
    }
}
