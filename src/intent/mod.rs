//! WISHES: what the mind asks of the world, and what came of it. Values only.
//!
//! An intent carries the process *as the user saw it*; the hands refuse when the world has moved on.

pub(crate) mod expedite;

pub use crate::intent::expedite::{Expedite, ExpediteStep, FreeMemory, StepResult};

use crate::model::{ProcId, Signal, Sysctl};
use crate::units::{Adj, Kib, Millis};

/// Programs without which logins, the message bus or the log are lost: they are signalled only when
/// the pid was typed. The kernel keeps 15 bytes of a name.
pub const PILLARS: &[&str] =
    &["systemd-journal", "systemd-logind", "dbus-daemon", "dbus-broker", "dbus-broker-lau"];

/// Why a signalled process still stands, where its cgroup is frozen: the one case in which the same
/// signal, sent with a thaw, helps.
pub const FROZEN: &str = "its cgroup is frozen; the signal reaches it when it is thawed";

/// How firmly the user confirmed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConfirmedBy {
    /// The confirming key.
    Plain,
    /// The pid was typed: enough for a protected process.
    TypedPid,
}

/// A wish that changes the world.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Intent {
    /// Write `oom_score_adj`.
    SetAdj {
        /// Whose.
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
    /// Send a signal and follow what comes of it.
    Signal {
        /// To whom.
        who: ProcId,
        /// The name the user saw.
        name: String,
        /// Which.
        signal: Signal,
        /// How firmly it was confirmed.
        consent: ConfirmedBy,
        /// What is done beside it.
        haste: Vec<Expedite>,
    },
    /// End everybody in a cgroup and below with one write (`cgroup.kill`, cgroup v2, 5.14 and later).
    KillCgroup {
        /// The cgroup, as `/proc/PID/cgroup` prints it.
        path: String,
        /// Everybody in it as the user saw them, by pid.
        members: Vec<(ProcId, String)>,
    },
    /// Write `oom_score_adj` as a rule says that was switched on: the one wish without a key pressed
    /// for this process. The consent was the dialog that named the rules.
    KeepAdj {
        /// Whose.
        who: ProcId,
        /// Its name.
        name: String,
        /// The value it was seen with.
        from: Adj,
        /// The value to write.
        to: Adj,
        /// Which rule, in a few words.
        rule: String,
        /// Of which version of the file, as it was confirmed.
        digest: u64,
    },
    /// Turn a switch of the kernel.
    SetKnob {
        /// Which.
        knob: Sysctl,
        /// The value the user saw.
        from: u64,
        /// The value to write.
        to: u64,
    },
}

impl Intent {
    /// The process that it is about; nothing where it is about no single one.
    #[must_use]
    pub const fn who(&self) -> Option<ProcId> {
        match self {
            Self::SetAdj { who, .. } | Self::Signal { who, .. } | Self::KeepAdj { who, .. } => {
                Some(*who)
            }
            Self::KillCgroup { .. } | Self::SetKnob { .. } => None,
        }
    }

    /// All processes that it is about.
    #[must_use]
    pub fn reached(&self) -> Vec<ProcId> {
        match self {
            Self::KillCgroup { members, .. } => members.iter().map(|(who, _)| *who).collect(),
            other => other.who().into_iter().collect(),
        }
    }

    /// What it is about, as the user saw it: `4711 java`.
    #[must_use]
    pub fn subject(&self) -> String {
        match self {
            Self::SetAdj { who, name, .. }
            | Self::Signal { who, name, .. }
            | Self::KeepAdj { who, name, .. } => format!("{who} {name}"),
            Self::KillCgroup { path, .. } => format!("cgroup {path}"),
            Self::SetKnob { knob, .. } => knob.to_string(),
        }
    }

    /// What would be done: `SIGKILL to 4711 java`.
    #[must_use]
    pub fn would(&self) -> String {
        let subject = self.subject();
        match self {
            Self::SetAdj { from, to, .. } | Self::KeepAdj { from, to, .. } => {
                format!("{subject}: oom_score_adj {from} -> {to}")
            }
            Self::Signal { signal, haste, .. } => {
                let steps: Vec<String> = haste.iter().map(Expedite::words).collect();
                let more = if steps.is_empty() { "" } else { ", with " };
                format!("{signal} to {subject}{more}{}", steps.join(" and "))
            }
            Self::KillCgroup { members, .. } => {
                format!("SIGKILL to all {} of {subject}", members.len())
            }
            Self::SetKnob { from, to, .. } => format!("{subject}: {from} -> {to}"),
        }
    }
}

/// Why nothing was done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The process is gone already.
    Gone,
    /// The pid belongs to another process now.
    Reborn,
    /// The kernel refused; what would help.
    NotPermitted {
        /// In words.
        hint: &'static str,
    },
    /// doomtop runs with `--read-only`.
    ReadOnly,
    /// What is on the screen is no live machine: a recording or a fixture.
    NotReal,
    /// doomtop never acts on this one, or not without the typed pid; why.
    Protected {
        /// In words.
        why: &'static str,
    },
    /// It was killed already, by whomever: twice does not help.
    Underway {
        /// In words.
        why: String,
    },
    /// Somebody is in the cgroup whom the user did not see, or who may not be touched.
    Unseen {
        /// Who, and why.
        who: String,
    },
    /// The kernel took the write, but the value reads back differently.
    NotTaken {
        /// What reads back.
        found: Adj,
    },
    /// The value is another one than the user saw: the decision is the user's again.
    Changed {
        /// What the user saw.
        from: Adj,
        /// What it is.
        found: Adj,
    },
    /// The kernel took the write, but the value could not be read back.
    NotProved {
        /// The errno in words.
        error: String,
    },
    /// Anything else, in the system's words.
    Failed {
        /// What was tried.
        doing: &'static str,
        /// The errno in words.
        error: String,
    },
}

impl Refusal {
    /// One sentence for the user.
    #[must_use]
    pub fn words(&self) -> String {
        match self {
            Self::Gone => "already gone".to_owned(),
            Self::Reborn => "its pid belongs to another process now; nothing was done".to_owned(),
            Self::NotPermitted { hint } => format!("not permitted: {hint}"),
            Self::ReadOnly => "doomtop runs read-only".to_owned(),
            Self::NotReal => "this is a recording, not a live machine".to_owned(),
            Self::Protected { why } => format!("protected: {why}"),
            Self::Underway { why } => format!("not killed twice: {why}"),
            Self::Unseen { who } => format!("nobody was touched: {who}"),
            Self::NotTaken { found } => {
                format!("the kernel took the write, but it reads back {found}")
            }
            Self::Changed { from, found } => format!(
                "its oom_score_adj changed meanwhile: was {from}, is {found}; nothing was written, look again"
            ),
            Self::NotProved { error } => {
                format!("it was written, but cannot be read back: {error}")
            }
            Self::Failed { doing, error } => format!("{doing}: {error}"),
        }
    }
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The value was written and read back; or somebody had written it meanwhile.
    AdjSet {
        /// Whose.
        who: ProcId,
        /// The name the user saw.
        name: String,
        /// What it was just before the write.
        before: Adj,
        /// What it reads back.
        now: Adj,
        /// Whether this put an earlier change back.
        revert: bool,
    },
    /// The signal was delivered; an ending one is followed from here on.
    Signalled {
        /// To whom.
        who: ProcId,
        /// The name the user saw.
        name: String,
        /// Which.
        signal: Signal,
        /// Sent through a pidfd, so that it cannot have hit another process.
        pinned: bool,
        /// What was done beside it, as far as it is over.
        haste: Vec<ExpediteStep>,
    },
    /// A step that takes time is over.
    Hastened {
        /// Whose.
        who: ProcId,
        /// The name the user saw.
        name: String,
        /// The step, and what came of it.
        taken: ExpediteStep,
    },
    /// Everybody in a cgroup was killed; they are followed from here on.
    CgroupKilled {
        /// The cgroup.
        path: String,
        /// Who was in it.
        members: Vec<(ProcId, String)>,
    },
    /// Nothing was done, because doomtop only rehearses (`--dry-run`): it would have been.
    Rehearsed {
        /// What was wished.
        intent: Intent,
        /// What was checked.
        checked: &'static str,
    },
    /// A signalled process is gone.
    Exited {
        /// Who.
        who: ProcId,
        /// The name the user saw.
        name: String,
        /// After how long.
        after: Millis,
        /// What was its own right before the signal: anonymous memory and swap; 0 where it could not be
        /// read.
        held: Kib,
        /// What the machine could give out before the signal; the rest of the machine counts in.
        before: FreeMemory,
        /// And now.
        now: FreeMemory,
    },
    /// A signalled process still stands.
    StillThere {
        /// Who.
        who: ProcId,
        /// The name the user saw.
        name: String,
        /// The signal it got.
        signal: Signal,
        /// For how long.
        after: Millis,
        /// Why, in words.
        why: String,
    },
    /// A rule that is on had the value written, and it was read back.
    AdjKept {
        /// Whose.
        who: ProcId,
        /// Its name.
        name: String,
        /// What it was just before the write.
        before: Adj,
        /// What it reads back.
        now: Adj,
        /// Which rule, in a few words.
        rule: String,
        /// Of which version of the file, as it was wished.
        digest: u64,
    },
    /// The switch was turned and read back.
    KnobSet {
        /// Which.
        knob: Sysctl,
        /// What it was just before the write.
        before: u64,
        /// What it reads back.
        now: u64,
        /// The other one that went to zero with it, and what that was.
        zeroed: Option<(Sysctl, u64)>,
    },
    /// Nothing was done.
    Refused {
        /// What was wished.
        intent: Intent,
        /// Why not.
        refusal: Refusal,
    },
}

impl Outcome {
    /// The process that it is about; nothing where it is about no single one.
    #[must_use]
    pub const fn who(&self) -> Option<ProcId> {
        match self {
            Self::AdjSet { who, .. }
            | Self::AdjKept { who, .. }
            | Self::Signalled { who, .. }
            | Self::Hastened { who, .. }
            | Self::Exited { who, .. }
            | Self::StillThere { who, .. } => Some(*who),
            Self::KnobSet { .. } | Self::CgroupKilled { .. } => None,
            Self::Refused { intent, .. } | Self::Rehearsed { intent, .. } => intent.who(),
        }
    }

    /// All processes that it is about.
    #[must_use]
    pub fn reached(&self) -> Vec<ProcId> {
        match self {
            Self::CgroupKilled { members, .. } => members.iter().map(|(who, _)| *who).collect(),
            Self::Refused { intent, .. } | Self::Rehearsed { intent, .. } => intent.reached(),
            other => other.who().into_iter().collect(),
        }
    }
}
