//! Always the program with one name, and nobody else: an anecdote of 2003, about a set-top box.

use crate::model::{Needs, Process, Scene, Signal, unescape};
use crate::policy::badness::{BadnessUnit, SparedReason, Verdict};
use crate::policy::kernel::linux::{held, spared};
use crate::policy::kernel::relatives::likely_sharers;
use crate::policy::proposal::RFC_2003;
use crate::policy::{
    Cite, Drift, LINUX, Policy, PolicyAction, PolicyInfo, PolicyKind, PolicyTraits, TriggerState,
};
use crate::units::Pages;

/// Always the program with one name, and nobody else.
#[derive(Debug)]
pub struct Blame {
    info: PolicyInfo,
    name: Vec<u8>,
}

/// The policy that blames a program. It lives as long as doomtop does. `None` without a name.
#[must_use]
pub fn blame(name: &str) -> Option<&'static dyn Policy> {
    if name.is_empty() {
        return None;
    }
    let blame = Blame {
        info: PolicyInfo {
            id: format!("blame:{name}").leak(),
            title: format!("always {name}, and nobody else").leak(),
            about: "The largest process with this name: resident memory, swap and page tables. Whoever \
                    has another name is never chosen; where there is none of that name, nobody is.",
            cites: &[Cite { place: RFC_2003, at: "11 Sep 2003, the set-top box" }],
            unit: BadnessUnit::Pages,
            kind: PolicyKind::Proposal,
        },
        // The kernel keeps 15 bytes of a name.
        name: unescape(name).into_iter().take(15).collect(),
    };
    Some(Box::leak(Box::new(blame)))
}

impl Policy for Blame {
    fn info(&self) -> &PolicyInfo {
        &self.info
    }

    fn needs(&self) -> Needs {
        Needs { status: true, ..Needs::default() }
    }

    fn traits(&self, scene: &Scene) -> PolicyTraits {
        PolicyTraits { tie_break: LINUX.traits(scene).tie_break, ..PolicyTraits::default() }
    }

    fn trigger_state(&self, _: &Scene) -> TriggerState {
        TriggerState::simply(true, "at the first failure, without waiting")
    }

    fn judge(&self, process: &Process, scene: &Scene) -> Verdict {
        match spared(process, scene) {
            Err(reason) if reason != SparedReason::Never => Verdict::Spared(reason),
            _ if process.comm.bytes() == self.name => Verdict::Scored(held(process, scene)),
            _ => Verdict::Spared(SparedReason::Unnamed),
        }
    }

    fn drift(&self, process: &Process, scene: &Scene) -> Drift {
        LINUX.drift(process, scene)
    }

    fn max_drift_up(&self, scene: &Scene) -> Pages {
        LINUX.max_drift_up(scene)
    }

    fn also_killed<'a>(&self, victim: &Process, scene: &'a Scene) -> Vec<&'a Process> {
        likely_sharers(victim, scene)
    }

    fn action(&self, _: &Process) -> PolicyAction {
        PolicyAction { signal: Signal::KILL, why: "no mercy was asked for" }
    }
}
