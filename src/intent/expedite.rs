//! What makes a deadly signal take hold sooner, as the old kernels did it for their victims, and what
//! came of it.

use crate::model::Signal;
use crate::units::Kib;

/// One step beside the signal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Expedite {
    /// Its threads get the highest priority, so that they reach their end on a busy machine (2.4 gave
    /// its victim five seconds of CPU, `mm/oom_kill.c` `oom_kill_task`).
    Priority,
    /// Its own cgroup, as `/proc/PID/cgroup` prints it, is thawed: a frozen process does not act on a
    /// signal.
    Thaw {
        /// The cgroup.
        cgroup: String,
    },
    /// Its memory is taken back while it still ends (`process_mrelease(2)`).
    Reap,
}

impl Expedite {
    /// What a signal is helped with when nothing else is known. Only SIGKILL: whoever is asked to end
    /// shall clean up at its own pace, and keeps its memory until it has.
    #[must_use]
    pub fn usual(signal: Signal) -> Vec<Self> {
        if signal == Signal::KILL { vec![Self::Priority, Self::Reap] } else { Vec::new() }
    }

    /// In words, as what will be done.
    #[must_use]
    pub fn words(&self) -> String {
        match self {
            Self::Priority => "highest priority".to_owned(),
            Self::Thaw { cgroup } => format!("thaw of {cgroup}"),
            Self::Reap => "memory taken back at once".to_owned(),
        }
    }
}

/// What came of a step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StepResult {
    /// Done; with a word on it.
    Done(String),
    /// The kernel refused; why, and what would help.
    Refused(String),
    /// It cannot be done here, or is not needed; why.
    Unavailable(String),
}

impl StepResult {
    /// Behind a name: `: done`, `: refused, needs CAP_SYS_NICE`.
    #[must_use]
    pub fn words(&self) -> String {
        match self {
            Self::Done(word) if word.is_empty() => "done".to_owned(),
            Self::Done(word) => word.clone(),
            Self::Refused(why) => format!("refused: {why}"),
            Self::Unavailable(why) => format!("not done: {why}"),
        }
    }
}

/// A step, and what came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExpediteStep {
    /// The step.
    pub step: Expedite,
    /// What came of it.
    pub result: StepResult,
}

/// What the machine could give out at a moment (`/proc/meminfo`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FreeMemory {
    /// `MemAvailable`; before 3.14 `MemFree`.
    pub memory: Kib,
    /// `SwapFree`.
    pub swap: Kib,
}

impl FreeMemory {
    /// By how much there is more of both together than at an earlier moment.
    #[must_use]
    pub fn since(self, before: Self) -> Kib {
        (self.memory + self.swap).saturating_sub(before.memory + before.swap)
    }
}
