//! What the user wants done ([`Intent`]), and what came of it ([`Outcome`], [`Refusal`]). Values only.
//!
//! An intent carries the process and the value *as the user saw them*. The effects compare before they
//! act, and refuse if the system has changed meanwhile.

mod cgroup_limits;
mod expedite;
mod outcome;
mod refusal;

pub use cgroup_limits::CgroupLimits;
pub use expedite::{Expedite, ExpediteStep, FreeMemory, StepResult};
pub use outcome::Outcome;
pub use refusal::Refusal;

use crate::model::{ProcId, Signal, Sysctl};
use crate::units::Adj;

/// Programs that logins, the message bus or the journal depend on: they are signalled only if the user
/// typed the pid. Names are cut to 15 bytes, as the kernel cuts them.
pub const ESSENTIAL_PROGRAMS: &[&str] =
    &["systemd-journal", "systemd-logind", "dbus-daemon", "dbus-broker", "dbus-broker-lau"];

/// Why a signalled process with a frozen cgroup is still there. The app compares with this text: it is
/// the one case in which sending the same signal again, with a thaw, helps.
pub const FROZEN: &str = "its cgroup is frozen; the signal reaches it when it is thawed";

/// How the user confirmed an intent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConfirmedBy {
    /// With the confirming key.
    Plain,
    /// By typing the pid, which permits signals to a protected process.
    TypedPid,
}

/// A change of the system that the user asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Intent {
    /// Write `oom_score_adj`.
    SetAdj {
        /// The process.
        who: ProcId,
        /// The name the user saw.
        name: String,
        /// The value the user saw.
        from: Adj,
        /// The value to write.
        to: Adj,
        /// Whether this puts an earlier change back.
        revert: bool,
    },
    /// Send a signal and watch for the exit.
    Signal {
        /// The process.
        who: ProcId,
        /// The name the user saw.
        name: String,
        /// The signal.
        signal: Signal,
        /// How the user confirmed it.
        consent: ConfirmedBy,
        /// Further steps that make the exit faster.
        steps: Vec<Expedite>,
    },
    /// Kill every process in a cgroup and below with one write (`cgroup.kill`, cgroup v2, 5.14 and later).
    KillCgroup {
        /// The cgroup, as `/proc/PID/cgroup` prints it.
        path: String,
        /// Its processes as the user saw them, ordered by pid.
        members: Vec<(ProcId, String)>,
    },
    /// Write `oom_score_adj` as an enabled rule says. The only intent for which no key was pressed: the
    /// user consented in the dialog that listed the rules.
    SetAdjByRule {
        /// The process.
        who: ProcId,
        /// Name of the process.
        name: String,
        /// The value at the last sample.
        from: Adj,
        /// The value to write.
        to: Adj,
        /// The rule, in a few words.
        rule: String,
        /// Digest of the rule file that the user confirmed.
        digest: u64,
    },
    /// Write a sysctl of `/proc/sys/vm`.
    SetSysctl {
        /// The sysctl.
        sysctl: Sysctl,
        /// The value the user saw.
        from: u64,
        /// The value to write.
        to: u64,
    },
}

impl Intent {
    /// The process that it changes; `None` if it is not about a single process.
    #[must_use]
    pub const fn who(&self) -> Option<ProcId> {
        match self {
            Self::SetAdj { who, .. }
            | Self::Signal { who, .. }
            | Self::SetAdjByRule { who, .. } => Some(*who),
            Self::KillCgroup { .. } | Self::SetSysctl { .. } => None,
        }
    }

    /// All processes that it changes.
    #[must_use]
    pub fn targets(&self) -> Vec<ProcId> {
        match self {
            Self::KillCgroup { members, .. } => members.iter().map(|(who, _)| *who).collect(),
            other => other.who().into_iter().collect(),
        }
    }

    /// What it changes, as the user saw it: `4711 java`.
    #[must_use]
    pub fn subject(&self) -> String {
        match self {
            Self::SetAdj { who, name, .. }
            | Self::Signal { who, name, .. }
            | Self::SetAdjByRule { who, name, .. } => format!("{who} {name}"),
            Self::KillCgroup { path, .. } => format!("cgroup {path}"),
            Self::SetSysctl { sysctl, .. } => sysctl.to_string(),
        }
    }

    /// What would be done: `SIGKILL to 4711 java`.
    #[must_use]
    pub fn describe(&self) -> String {
        let subject = self.subject();
        match self {
            Self::SetAdj { from, to, .. } | Self::SetAdjByRule { from, to, .. } => {
                format!("{subject}: oom_score_adj {from} -> {to}")
            }
            Self::Signal { signal, steps, .. } => {
                let steps: Vec<String> = steps.iter().map(Expedite::words).collect();
                let more = if steps.is_empty() { "" } else { ", with " };
                format!("{signal} to {subject}{more}{}", steps.join(" and "))
            }
            Self::KillCgroup { members, .. } => {
                format!("SIGKILL to all {} of {subject}", members.len())
            }
            Self::SetSysctl { from, to, .. } => format!("{subject}: {from} -> {to}"),
        }
    }
}
