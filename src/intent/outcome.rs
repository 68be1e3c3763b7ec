//! What came of an intent.

use crate::intent::{ExpediteStep, FreeMemory, Intent, Refusal};
use crate::model::{ProcId, Signal, Sysctl};
use crate::units::{Adj, Kib, Millis};

/// What came of an intent: the direct result, or the later exit of a signalled process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The value was written and read back, or it was there already.
    AdjSet {
        /// The process.
        who: ProcId,
        /// The name the user saw.
        name: String,
        /// The value just before the write.
        before: Adj,
        /// The value that reads back.
        now: Adj,
        /// Whether this put an earlier change back.
        revert: bool,
    },
    /// The signal was sent. If it can end the process, doomtop now watches for the exit.
    Signalled {
        /// The process.
        who: ProcId,
        /// The name the user saw.
        name: String,
        /// The signal.
        signal: Signal,
        /// Whether it was sent through a pidfd, so that it cannot have reached another process.
        pinned: bool,
        /// The further steps that are finished.
        haste: Vec<ExpediteStep>,
    },
    /// A further step of an earlier signal is finished.
    Hastened {
        /// The process.
        who: ProcId,
        /// The name the user saw.
        name: String,
        /// The step, and what came of it.
        taken: ExpediteStep,
    },
    /// Every process of a cgroup was killed. doomtop now watches for their exits.
    CgroupKilled {
        /// The cgroup.
        path: String,
        /// Pid and name of each process in it.
        members: Vec<(ProcId, String)>,
    },
    /// All checks passed, and nothing was done because of `--dry-run`.
    Rehearsed {
        /// The intent.
        intent: Intent,
        /// What was checked, as a phrase.
        checked: &'static str,
    },
    /// A signalled process has exited.
    Exited {
        /// The process.
        who: ProcId,
        /// The name the user saw.
        name: String,
        /// Time between signal and exit.
        after: Millis,
        /// Its anonymous memory and swap right before the signal; 0 if unreadable.
        held: Kib,
        /// Available memory of the machine right before the signal. The difference to `now` includes what
        /// other processes did.
        before: FreeMemory,
        /// Available memory of the machine after the exit.
        now: FreeMemory,
    },
    /// A signalled process is still there.
    StillThere {
        /// The process.
        who: ProcId,
        /// The name the user saw.
        name: String,
        /// The signal it got.
        signal: Signal,
        /// Time since the signal.
        after: Millis,
        /// Why, as a phrase.
        why: String,
    },
    /// The value was written because of an enabled rule, and read back.
    AdjKept {
        /// The process.
        who: ProcId,
        /// Name of the process.
        name: String,
        /// The value just before the write.
        before: Adj,
        /// The value that reads back.
        now: Adj,
        /// The rule, in a few words.
        rule: String,
        /// Digest of the rule file in the intent.
        digest: u64,
    },
    /// The sysctl was written and read back.
    KnobSet {
        /// The sysctl.
        knob: Sysctl,
        /// The value just before the write.
        before: u64,
        /// The value that reads back.
        now: u64,
        /// The sysctl that the kernel set to 0 because of it, and the former value of that one.
        zeroed: Option<(Sysctl, u64)>,
    },
    /// Nothing was done, or the write could not be verified.
    Refused {
        /// The intent.
        intent: Intent,
        /// The reason.
        refusal: Refusal,
    },
}

impl Outcome {
    /// The process that it is about; `None` if it is not about a single process.
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
    pub fn targets(&self) -> Vec<ProcId> {
        match self {
            Self::CgroupKilled { members, .. } => members.iter().map(|(who, _)| *who).collect(),
            Self::Refused { intent, .. } | Self::Rehearsed { intent, .. } => intent.targets(),
            other => other.who().into_iter().collect(),
        }
    }
}
