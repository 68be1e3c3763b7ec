//! Who is trusted least dies first: users, groups of processes and capabilities decide.

use crate::model::{Capabilities, Capability, Needs, Process, Reading, Scene, Scores};
use crate::policy::badness::{BadnessUnit, Verdict};
use crate::policy::kernel::linux::{held, spared};
use crate::policy::kernel::relatives::likely_sharers;
use crate::policy::proposal::RFC_2003;
use crate::policy::{
    Cite, Drift, LINUX, Policy, PolicyAction, PolicyInfo, PolicyKind, PolicyTraits, TriggerState,
};
use crate::units::Pages;

/// Who is trusted least dies first.
#[derive(Debug)]
pub struct Security;

/// The one there is.
pub static SECURITY: Security = Security;

/// The first user id of a person (`UID_MIN` of `login.defs`).
const FIRST_PERSON: u32 = 1000;

/// How little a process is trusted: the larger, the sooner it dies.
fn distrust(process: &Process) -> i8 {
    let caps = process.caps.value().unwrap_or(Capabilities(0));
    let euid = process.ids.value().map(|ids| ids.euid);
    let by_user = match euid {
        Some(0) => 0,
        Some(id) if id < FIRST_PERSON => 1,
        _ => 2,
    };
    // Whoever administers the machine or drives hardware is trusted beyond any user id.
    let trusted = [Capability::SysAdmin, Capability::SysRawio].iter().any(|&it| caps.has(it));
    let by_caps = if trusted { -2 } else { 0 };
    let by_cgroup = match &process.cgroup {
        Reading::Value(path) if path.as_str().starts_with("/user.slice") => 1,
        Reading::Value(path) if path.as_str().starts_with("/system.slice") => -1,
        _ => 0,
    };
    by_user + by_caps + by_cgroup
}

static INFO: PolicyInfo = PolicyInfo {
    id: "security",
    title: "security: the least trusted first",
    about: "First by trust: people before the users of services before root; sessions (user.slice) before \
         services (system.slice); holders of CAP_SYS_ADMIN or CAP_SYS_RAWIO last. Among equally trusted \
         the largest. oom_score_adj -1000 and init are respected.",
    cites: &[Cite { place: RFC_2003, at: "Sep 2003, as reported: a security module" }],
    unit: BadnessUnit::Pages,
    kind: PolicyKind::Proposal,
};

impl Policy for Security {
    fn info(&self) -> &PolicyInfo {
        &INFO
    }

    fn needs(&self) -> Needs {
        Needs { status: true, cgroup: true, scores: Scores::None, ..Needs::default() }
    }

    fn traits(&self, scene: &Scene) -> PolicyTraits {
        PolicyTraits { tie_break: LINUX.traits(scene).tie_break, ..PolicyTraits::default() }
    }

    fn trigger_state(&self, _: &Scene) -> TriggerState {
        TriggerState::simply(true, "at the first failure, without waiting")
    }

    fn judge(&self, process: &Process, scene: &Scene) -> Verdict {
        match spared(process, scene) {
            Err(reason) => Verdict::Spared(reason),
            Ok(_) => Verdict::Scored(held(process, scene).of_class(distrust(process))),
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

    fn action(&self, victim: &Process) -> PolicyAction {
        let sacrifice = crate::policy::sacrifice(victim);
        PolicyAction { signal: sacrifice.signal, why: sacrifice.why }
    }
}
