//! Whether a killer acts on this machine, and how far it is from acting.

use crate::forecast::next_death::presence;
use crate::model::{KillerPresence, Scene};
use crate::policy::{Policy, PolicyKind, TriggerLevel, TriggerRule};

/// Whether a killer acts on this machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum KillerHere {
    /// It runs and kills.
    Running,
    /// It is installed, but does not run, or not with this rule.
    Configured,
    /// It is not here.
    No,
}

impl KillerHere {
    /// Whether a policy acts here.
    #[must_use]
    pub fn of(policy: &dyn Policy, scene: &Scene) -> Self {
        if policy.acts_here(scene) {
            return Self::Running;
        }
        if presence(policy, scene) == KillerPresence::Absent { Self::No } else { Self::Configured }
    }

    /// One word for it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Configured => "configured",
            Self::No => "no",
        }
    }
}

/// The place of a policy in a list by what acts here: the running kernel, daemons that run, those that are
/// installed, other rules, and past kernels at last.
#[must_use]
pub const fn place(kind: PolicyKind, here: KillerHere) -> u8 {
    match (kind, here) {
        (PolicyKind::RunningKernel, _) => 0,
        (_, KillerHere::Running) => 1,
        (PolicyKind::Site, _) => 2,
        (_, KillerHere::Configured) => 3,
        (PolicyKind::Daemon, KillerHere::No) => 4,
        (PolicyKind::Baseline | PolicyKind::Proposal, KillerHere::No) => 5,
        (PolicyKind::Kernel, KillerHere::No) => 6,
    }
}

/// The condition that keeps the first of these rules from acting: of those that are not met the one that is
/// farthest from its threshold. `None` where all are met, or there is no rule.
#[must_use]
pub fn farthest(rules: &[TriggerRule]) -> Option<&TriggerLevel> {
    let unmet = rules.first()?.levels.iter().filter(|level| level.met() == Some(false));
    let share = |level: &TriggerLevel| {
        level.distance().unwrap_or_default() / level.acts_at.abs().max(f64::MIN_POSITIVE)
    };
    unmet.max_by(|a, b| share(a).total_cmp(&share(b)))
}
