//! Kills the least trusted process first, by user, cgroup and capabilities.

use crate::model::{Capabilities, Capability, Needs, Process, Reading, Scene, Scores};
use crate::policy::badness::{BadnessUnit, Verdict};
use crate::policy::kernel::linux::{eligible_adj, usage_badness};
use crate::policy::kernel::relatives::likely_sharers;
use crate::policy::proposal::RFC_2003;
use crate::policy::{
    Cite, Drift, LINUX, Policy, PolicyAction, PolicyInfo, PolicyKind, PolicyTraits, TriggerState,
};
use crate::units::Pages;

/// Kills the least trusted process first.
#[derive(Debug)]
pub struct Security;

/// The policy.
pub static SECURITY: Security = Security;

/// The first user id of a login user (`UID_MIN` of `login.defs`).
const FIRST_LOGIN_USER: u32 = 1000;

/// The class of a process: the higher, the less trusted.
fn distrust(process: &Process) -> i8 {
    let caps = process.caps.value().unwrap_or(Capabilities(0));
    let euid = process.ids.value().map(|ids| ids.euid);
    let by_user = match euid {
        Some(0) => 0,
        Some(id) if id < FIRST_LOGIN_USER => 1,
        _ => 2,
    };
    // Administration and raw I/O outweigh the user id.
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
    about: "Compares trust first: login users before service users before root; sessions (user.slice) before \
            services (system.slice); processes with CAP_SYS_ADMIN or CAP_SYS_RAWIO last. Among equally \
            trusted processes the largest dies. oom_score_adj -1000 and init are spared.",
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
        TriggerState::simply(true, "acts at the first failed allocation")
    }

    fn judge(&self, process: &Process, scene: &Scene) -> Verdict {
        match eligible_adj(process, scene) {
            Err(reason) => Verdict::Spared(reason),
            Ok(_) => Verdict::Scored(usage_badness(process, scene).of_class(distrust(process))),
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
