//! Android's lmkd (`lmkd.cpp` `find_and_kill_process`): the highest `oom_score_adj` dies. Among processes
//! with the same adj, at 200 and below the largest dies, above 200 the one that was registered first. The
//! registration is not visible, so the start time is used.

use crate::model::{Needs, Process, Reading, Scene, Signal};
use crate::policy::badness::{Badness, BadnessUnit, SparedReason, TermNote, Verdict};
use crate::policy::daemon::shared;
use crate::policy::daemon::shared::{ConditionState, avg10, percent, pressure, rss, worded};
use crate::policy::{
    AdjEffect, Cite, Drift, Policy, PolicyAction, PolicyInfo, PolicyKind, PolicyTraits, TieBreak,
    Trigger, TriggerSide, TriggerState,
};
use crate::units::{Adj, Kib, Points};

/// The killer.
#[derive(Debug)]
pub struct Lmkd;

/// The policy.
pub static LMKD: Lmkd = Lmkd;

/// `PERCEPTIBLE_APP_ADJ`: at this adj and below, the largest among equals dies.
const PERCEPTIBLE: Adj = Adj(200);

static INFO: PolicyInfo = PolicyInfo {
    id: "lmkd",
    title: "Android lmkd",
    about: "The highest oom_score_adj; processes below 0 are never chosen. Among equals the \
            largest resident size at adj 200 and below, the oldest above 200. The lowest adj \
            that may die depends on pressure, watermarks and thrashing. On Android only \
            registered processes can be chosen; here all processes count as registered.",
    cites: &[Cite { place: "lmkd.cpp find_and_kill_process(), mp_event_psi()", at: "Android 14" }],
    unit: BadnessUnit::Bare,
    kind: PolicyKind::Daemon,
};

impl Policy for Lmkd {
    fn info(&self) -> &PolicyInfo {
        &INFO
    }

    fn needs(&self) -> Needs {
        Needs { status: true, ..Needs::default() }
    }

    fn traits(&self, _: &Scene) -> PolicyTraits {
        PolicyTraits {
            tie_break: TieBreak::Oldest,
            adj: AdjEffect::Rising,
            ..PolicyTraits::default()
        }
    }

    fn trigger_state(&self, scene: &Scene) -> TriggerState {
        let now = scene.now();
        let mut state = ConditionState::assumed();
        // A PSI trigger wakes it at 70 ms of stall in a second; only the average over 10 s is readable.
        let some = avg10(now.pressure.some);
        let level = pressure(some, 7.0, TriggerSide::AtLeast, None);
        state.condition(Trigger {
            met: level.met().filter(|&met| met),
            ..worded("some avg10 (its trigger: 70 ms in 1 s)", &level)
        });
        if now.pressure.some.value().is_none() {
            state.obstacle("this kernel has no PSI, without which it never acts");
        }
        let swap = now.swap;
        let free = percent(swap.free_kib, swap.total_kib);
        state.note(match swap.total_kib {
            Kib::ZERO => {
                "no swap: only watermarks decide whether memory is low".to_owned()
            }
            _ if free < 10.0 => {
                format!("swap is low ({free:.1}% free): while thrashing, adj 0 and above may die")
            }
            _ => format!(
                "swap is not low ({free:.1}% free): without thrashing, only adj 701 and above may die"
            ),
        });
        state.note(
            "doomtop does not read watermarks and thrashing, so the lowest adj that may die is unknown",
        );
        state.finish()
    }

    fn judge(&self, process: &Process, scene: &Scene) -> Verdict {
        if let Some(spared) = shared::not_killable(process, scene) {
            return spared;
        }
        let adj = match process.adj {
            Reading::Value(adj) if adj < Adj::ZERO => {
                return Verdict::Spared(SparedReason::Ignored);
            }
            Reading::Value(adj) => adj,
            Reading::Denied | Reading::Missing => return Verdict::Spared(SparedReason::Unreadable),
            Reading::NotAsked => Adj::ZERO,
        };
        let badness = Badness::default().plus("adj", Points(i64::from(adj.0)), TermNote::Fact);
        Verdict::Scored(badness.then_by(if adj <= PERCEPTIBLE { rss(process) } else { 0 }))
    }

    fn drift(&self, _: &Process, _: &Scene) -> Drift {
        Drift::default()
    }

    fn also_killed<'a>(&self, victim: &Process, scene: &'a Scene) -> Vec<&'a Process> {
        crate::policy::likely_sharers(victim, scene)
    }

    fn action(&self, _: &Process) -> PolicyAction {
        PolicyAction { signal: Signal::KILL, why: "SIGKILL at once; lmkd reaps the memory itself" }
    }
}
