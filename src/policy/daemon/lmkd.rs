//! Android's lmkd (`lmkd.cpp` `find_and_kill_process`): by `oom_score_adj` alone, from 1000 down.
//! From 200 down the largest of those with the same adj; above, the one that was registered first,
//! for which its age has to stand here.

use crate::model::{Needs, Process, Reading, Scene, Signal};
use crate::policy::badness::{Badness, BadnessUnit, SparedReason, TermNote, Verdict};
use crate::policy::daemon::conditions;
use crate::policy::daemon::conditions::{ConditionState, avg10, percent, rss, stall};
use crate::policy::{
    AdjEffect, Cite, Drift, Policy, PolicyAction, PolicyInfo, PolicyKind, PolicyTraits, TieBreak,
    Trigger, TriggerState,
};
use crate::units::{Adj, Kib, Points};

/// The killer.
#[derive(Debug)]
pub struct Lmkd;

/// The one there is.
pub static LMKD: Lmkd = Lmkd;

/// `PERCEPTIBLE_APP_ADJ`: from here down the largest of equals dies.
const PERCEPTIBLE: Adj = Adj(200);

static INFO: PolicyInfo = PolicyInfo {
    id: "lmkd",
    title: "Android lmkd",
    about: "oom_score_adj alone: 1000 dies first, and nobody below 0. Of equals from 200 down the one \
         with the largest resident size, above that the oldest. How far down it may go follows from \
         pressure, watermarks and thrashing. On Android only what the system registers counts; here \
         everybody is taken as registered.",
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
        let mut stand = ConditionState::assumed();
        // The kernel wakes it at 70 ms in a second; ten seconds' average is what can be read.
        stand.waits(Trigger {
            met: avg10(now.pressure.some).filter(|&share| share >= 7.0).map(|_| true),
            ..stall(
                "some avg10 (it looks at 70 ms of each second)",
                avg10(now.pressure.some),
                7.0,
                true,
            )
        });
        if now.pressure.some.value().is_none() {
            stand.held("this kernel tells no pressure, without which it never wakes");
        }
        let swap = now.swap;
        let free = percent(swap.free_kib, swap.total_kib);
        stand.note(match swap.total_kib {
            Kib::ZERO => {
                "no swap: what counts as low is then decided by watermarks alone".to_owned()
            }
            _ if free < 10.0 => {
                format!("swap is low ({free:.1}% free): with thrashing, adj 0 and up may die")
            }
            _ => format!(
                "swap is not low ({free:.1}% free): without thrashing, only adj 701 and up die"
            ),
        });
        stand.note(
            "watermarks and thrashing are not followed, so neither is the lowest adj that may die",
        );
        stand.armed()
    }

    fn judge(&self, process: &Process, scene: &Scene) -> Verdict {
        if let Some(spared) = conditions::untouchable(process, scene) {
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
        PolicyAction { signal: Signal::KILL, why: "it kills at once, and reaps the memory itself" }
    }
}
