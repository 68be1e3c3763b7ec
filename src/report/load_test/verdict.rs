//! The end of a load test: what it took, how its command ended, and what came of the expectations.

use super::answer::ExpectationAnswer;
use super::summary::LoadSummary;
use crate::intent::CgroupLimits;
use crate::model::{Comm, Text};
use crate::units::Millis;

/// How a command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CommandEnd {
    /// With this status.
    Exited(u8),
    /// By this signal.
    Signalled(i32),
}

impl CommandEnd {
    /// The status as a shell tells it: 128 and the signal.
    #[must_use]
    pub const fn code(self) -> u8 {
        match self {
            Self::Exited(status) => status,
            Self::Signalled(signal) => 128 | (signal & 0x7f) as u8,
        }
    }
}

/// What ended the test.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TestEnd {
    /// The command ended.
    Command,
    /// What `--until` waited for: the command was ended then, and its status does not count.
    Until,
    /// The time of `--kill-after` was over.
    KillAfter,
    /// A signal to doomtop, passed on to the command.
    Signal(i32),
}

impl TestEnd {
    /// The word in reports.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Command => "command",
            Self::Until => "until",
            Self::KillAfter => "kill-after",
            Self::Signal(_) => "signal",
        }
    }
}

/// What the figures are about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MeasuredBy {
    /// The memory cgroup of the command.
    Cgroup,
    /// The command and its descendants, added up: no cgroup could be made.
    Processes,
}

impl MeasuredBy {
    /// The word in reports.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Cgroup => "cgroup",
            Self::Processes => "processes",
        }
    }
}

/// A process that the command left running.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LeftProcess {
    /// Its pid.
    pub pid: i32,
    /// Its name.
    pub comm: Comm,
}

/// The end of a load test.
#[derive(Clone, Debug)]
pub struct LoadVerdict {
    /// The command with its arguments.
    pub command: Vec<Text>,
    /// How it ended.
    pub end: CommandEnd,
    /// What ended the test.
    pub ended_by: TestEnd,
    /// For how long it ran.
    pub ran_for: Millis,
    /// The limits that were asked for.
    pub limits: CgroupLimits,
    /// Why they are not in force; `None` where they are, or none was asked for.
    pub not_enforced: Option<String>,
    /// Whether it may be measured without them.
    pub limit_optional: bool,
    /// What the figures are about.
    pub measured: MeasuredBy,
    /// What it took; `None` where no sample was taken.
    pub summary: Option<LoadSummary>,
    /// What came of the expectations, in their order.
    pub answers: Vec<ExpectationAnswer>,
    /// What the command left running.
    pub left_running: Vec<LeftProcess>,
    /// Its cgroup, which stays with its limits until somebody removes it.
    pub left_cgroup: Option<Text>,
    /// Whether that goes on running.
    pub leaves: bool,
    /// The file of the recording.
    pub recording: Option<Text>,
    /// The file with the output of the command.
    pub output: Option<Text>,
}

impl LoadVerdict {
    /// Whether the limits that were asked for are in force.
    #[must_use]
    pub fn limit_enforced(&self) -> bool {
        !self.limits.is_none() && self.not_enforced.is_none()
    }

    /// Why a limit that the test depends on was not in force to its end.
    #[must_use]
    pub fn lost_limit(&self) -> Option<&str> {
        self.not_enforced.as_deref().filter(|_| !self.limit_optional)
    }

    /// Whether the command succeeded, or was ended where `--until` asked for it.
    #[must_use]
    pub fn succeeded(&self) -> bool {
        self.ended_by == TestEnd::Until || self.end == CommandEnd::Exited(0)
    }

    /// Whether there may have been kills that nothing tells of: the command was killed, and the counter of its cgroup
    /// is missing or vanished with it.
    #[must_use]
    pub fn kills_unknown(&self) -> bool {
        let is_killed = matches!(self.end, CommandEnd::Signalled(9) | CommandEnd::Exited(137));
        let is_ours = matches!(self.ended_by, TestEnd::Until | TestEnd::KillAfter);
        let unknown = |it: &LoadSummary| it.kills.is_empty() && !it.kills_known;
        is_killed && !is_ours && self.summary.as_ref().is_some_and(unknown)
    }

    /// Whether every expectation was met.
    #[must_use]
    pub fn is_as_expected(&self) -> bool {
        self.answers.iter().all(ExpectationAnswer::is_met)
    }
}
