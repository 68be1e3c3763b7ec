//! Chooses only processes with one name: an example of 2003, about a set-top box.

use crate::model::{Needs, Process, Scene, Signal, unescape};
use crate::policy::badness::{BadnessUnit, SparedReason, Verdict};
use crate::policy::kernel::linux::{eligible_adj, usage_badness};
use crate::policy::kernel::relatives::likely_sharers;
use crate::policy::proposal::RFC_2003;
use crate::policy::{
    Cite, Drift, LINUX, Policy, PolicyAction, PolicyInfo, PolicyKind, PolicyTraits, TriggerState,
};
use crate::units::Pages;

/// Chooses only processes with one name.
#[derive(Debug)]
pub struct Blame {
    info: PolicyInfo,
    name: Vec<u8>,
}

/// The policy for this name. It is leaked, so it lives as long as the program. `None` if the name is empty.
#[must_use]
pub fn blame(name: &str) -> Option<&'static dyn Policy> {
    if name.is_empty() {
        return None;
    }
    let blame = Blame {
        info: PolicyInfo {
            id: format!("blame:{name}").leak(),
            title: format!("only processes named {name}").leak(),
            about: "The process with this name that has the most resident memory, swap and page tables. \
                    Processes with other names are never chosen.",
            cites: &[Cite { place: RFC_2003, at: "11 Sep 2003, the set-top box" }],
            unit: BadnessUnit::Pages,
            kind: PolicyKind::Proposal,
        },
        // The kernel keeps 15 bytes of a name (comm).
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
        TriggerState::simply(true, "acts at the first failed allocation")
    }

    fn judge(&self, process: &Process, scene: &Scene) -> Verdict {
        match eligible_adj(process, scene) {
            Err(reason) if reason != SparedReason::Never => Verdict::Spared(reason),
            _ if process.comm.bytes() == self.name => {
                Verdict::Scored(usage_badness(process, scene))
            }
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
        PolicyAction { signal: Signal::KILL, why: "the proposal sends SIGKILL" }
    }
}
