//! Steps that make a killed process exit and free its memory sooner, as old kernels did for their
//! victims, and the results of these steps.

use crate::model::Signal;
use crate::units::Kib;

/// A step beside the signal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Expedite {
    /// Raises its threads to the highest normal priority, so that they get the CPU to exit on a busy
    /// machine (2.4 gave its victim five seconds of CPU, `mm/oom_kill.c` `oom_kill_task`).
    Priority,
    /// Thaws its own cgroup: a frozen process does not handle a signal.
    Thaw {
        /// The cgroup, as `/proc/PID/cgroup` prints it.
        cgroup: String,
    },
    /// Frees its memory while it is still exiting (`process_mrelease(2)`).
    Reap,
}

impl Expedite {
    /// The steps that go with a signal by default. Only SIGKILL has some: after SIGTERM a process cleans
    /// up at its own pace and needs its memory for that.
    #[must_use]
    pub fn usual(signal: Signal) -> Vec<Self> {
        if signal == Signal::KILL { vec![Self::Priority, Self::Reap] } else { Vec::new() }
    }

    /// What will be done, as a phrase.
    #[must_use]
    pub fn words(&self) -> String {
        match self {
            Self::Priority => "highest priority".to_owned(),
            Self::Thaw { cgroup } => format!("thaw of {cgroup}"),
            Self::Reap => "memory freed at once".to_owned(),
        }
    }
}

/// Result of a step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StepResult {
    /// Done; the text adds a detail or is empty.
    Done(String),
    /// The kernel refused; the text says why and what would help.
    Refused(String),
    /// It is impossible here, or not needed; the text says why.
    Unavailable(String),
}

impl StepResult {
    /// The result as a phrase: `done`, `refused: needs CAP_SYS_NICE`.
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

/// A step and its result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExpediteStep {
    /// The step.
    pub step: Expedite,
    /// Its result.
    pub result: StepResult,
}

/// Available memory and swap of the machine at one time (`/proc/meminfo`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FreeMemory {
    /// `MemAvailable`; before 3.14 `MemFree`.
    pub memory: Kib,
    /// `SwapFree`.
    pub swap: Kib,
}

impl FreeMemory {
    /// How much the sum of both has grown since an earlier time; zero if it has shrunk.
    #[must_use]
    pub fn since(self, before: Self) -> Kib {
        (self.memory + self.swap).saturating_sub(before.memory + before.swap)
    }
}
