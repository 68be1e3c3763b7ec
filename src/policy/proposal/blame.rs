//! Always the program with one name, and nobody else: an anecdote of 2003, about a set-top box.

use crate::model::{Needs, Process, Scene, Signal, unescape};
use crate::policy::badness::{SparedReason, Verdict};
use crate::policy::kernel::linux::{held, spared};
use crate::policy::kernel::relatives::likely_sharers;
use crate::policy::{Cite, Drift, LINUX, Policy, PolicyAction, RFC_2003, TieBreak, TriggerState};
use crate::units::Pages;

/// Always the program with one name, and nobody else.
#[derive(Debug)]
pub struct Blame {
    id: &'static str,
    name: Vec<u8>,
    title: &'static str,
}

/// The policy that blames a program. It lives as long as doomtop does. `None` without a name.
#[must_use]
pub fn blame(name: &str) -> Option<&'static dyn Policy> {
    if name.is_empty() {
        return None;
    }
    let blame = Blame {
        id: format!("blame:{name}").leak(),
        // The kernel keeps 15 bytes of a name.
        name: unescape(name).into_iter().take(15).collect(),
        title: format!("always {name}, and nobody else").leak(),
    };
    Some(Box::leak(Box::new(blame)))
}

impl Policy for Blame {
    fn id(&self) -> &'static str {
        self.id
    }

    fn title(&self) -> &'static str {
        self.title
    }

    fn about(&self) -> &'static str {
        "The largest process with this name: resident memory, swap and page tables. Whoever has another \
         name is never chosen; where there is none of that name, nobody is."
    }

    fn cites(&self) -> &'static [Cite] {
        &[Cite { place: RFC_2003, at: "11 Sep 2003, the set-top box" }]
    }

    fn needs(&self) -> Needs {
        Needs { status: true, ..Needs::default() }
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

    fn counter_error(&self, scene: &Scene) -> Pages {
        LINUX.counter_error(scene)
    }

    fn tie_break(&self, scene: &Scene) -> TieBreak {
        LINUX.tie_break(scene)
    }

    fn also_killed<'a>(&self, victim: &Process, scene: &'a Scene) -> Vec<&'a Process> {
        likely_sharers(victim, scene)
    }

    fn action(&self, _: &Process) -> PolicyAction {
        PolicyAction { signal: Signal::KILL, why: "no mercy was asked for" }
    }
}
