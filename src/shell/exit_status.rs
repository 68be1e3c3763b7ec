//! The exit statuses of all subcommands: one table, printed by each `--help` and by the documents.

use std::fmt::{self, Write};
use std::process::ExitCode;

/// How the program ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExitStatus {
    /// Everything was done.
    Success,
    /// The machine or a file could not be read or written.
    Failure,
    /// The command line or a rule file is wrong.
    Usage,
    /// `--self-check` found a wrong score.
    Disagrees,
    /// `doomtop fits`: only after a kill.
    FitsAfterKill,
    /// `doomtop fits`: it does not fit.
    FitsNot,
    /// `doomtop fits`: only slowly, throttled at `memory.high`.
    FitsThrottled,
    /// An act was refused or failed.
    Refused,
    /// A signalled process was still running when the time to wait was over.
    StillRunning,
    /// Something that was expected of a load test was not met.
    NotExpected,
    /// A panic on the screen.
    Panic,
    /// A command was not run.
    NotRun,
    /// A command cannot be executed.
    NotExecutable,
    /// A command was not found.
    NotFound,
    /// The number of the signal that ended the program.
    Signal(i32),
    /// The status of the command that was run.
    OfCommand(u8),
}

impl ExitStatus {
    /// The number that the program ends with. A signal adds 128, as shells do.
    #[must_use]
    pub const fn code(self) -> u8 {
        match self {
            Self::Success => 0,
            Self::Failure => 1,
            Self::Usage => 2,
            Self::Disagrees | Self::FitsAfterKill => 3,
            Self::Refused | Self::FitsNot => 4,
            Self::StillRunning | Self::FitsThrottled => 5,
            Self::NotExpected => 6,
            // As an unhandled panic of Rust.
            Self::Panic => 101,
            // Signals are numbered from 1 to 64.
            Self::Signal(number) => 128 | (number & 0x7f) as u8,
            // As those of env(1), timeout(1) and shells.
            Self::NotRun => 125,
            Self::NotExecutable => 126,
            Self::NotFound => 127,
            Self::OfCommand(status) => status,
        }
    }
}

impl From<ExitStatus> for ExitCode {
    fn from(status: ExitStatus) -> Self {
        Self::from(status.code())
    }
}

/// As the table prints it: the number, or `128+N`.
impl fmt::Display for ExitStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Signal(_) => f.write_str("128+N"),
            Self::OfCommand(_) => f.write_str("N"),
            other => write!(f, "{}", other.code()),
        }
    }
}

/// A row of the table.
#[derive(Clone, Copy, Debug)]
pub struct ExitStatusRow {
    /// The status.
    pub status: ExitStatus,
    /// When the program ends with it.
    pub meaning: &'static str,
    /// The subcommands that can end with it; [`MAIN`] is doomtop without one. Empty: all of them.
    pub commands: &'static [&'static str],
}

/// doomtop without a subcommand: the screen, `--batch`, `--json` and `--self-check`.
pub const MAIN: &str = "";

/// Every exit status of every subcommand.
pub const EXIT_STATUSES: &[ExitStatusRow] = &[
    ExitStatusRow {
        status: ExitStatus::Success,
        meaning: "success; also when the reader of a pipe has closed it",
        commands: &[],
    },
    ExitStatusRow {
        status: ExitStatus::Success,
        meaning: "ended by SIGINT, SIGTERM or SIGHUP",
        commands: &["record", "metrics"],
    },
    ExitStatusRow {
        status: ExitStatus::Failure,
        meaning: "the machine or a file could not be read or written",
        commands: &[],
    },
    ExitStatusRow {
        status: ExitStatus::Failure,
        meaning: "problems found; see the lines marked !",
        commands: &["doctor"],
    },
    ExitStatusRow {
        status: ExitStatus::Usage,
        meaning: "wrong usage, or an invalid rule file or settings file",
        commands: &[],
    },
    ExitStatusRow {
        status: ExitStatus::Disagrees,
        meaning: "--self-check found a score that differs from the kernel's",
        commands: &[MAIN],
    },
    ExitStatusRow {
        status: ExitStatus::FitsAfterKill,
        meaning: "it fits only after a process was killed",
        commands: &["fits"],
    },
    ExitStatusRow {
        status: ExitStatus::FitsNot,
        meaning: "it does not fit: the new process itself would be killed, would wait, or would get no memory",
        commands: &["fits"],
    },
    ExitStatusRow {
        status: ExitStatus::Refused,
        meaning: "an act was refused or failed; the others were done",
        commands: &["set", "sacrifice"],
    },
    ExitStatusRow {
        status: ExitStatus::Refused,
        meaning: "read_only = true in /etc/doomtop/config.toml forbids it",
        commands: &[
            MAIN,
            "record",
            "metrics",
            "set",
            "sacrifice",
            "compare",
            "run",
            "search-limit",
        ],
    },
    ExitStatusRow {
        status: ExitStatus::FitsThrottled,
        meaning: "it fits, but would be throttled at memory.high of a cgroup; nobody is killed",
        commands: &["fits"],
    },
    ExitStatusRow {
        status: ExitStatus::StillRunning,
        meaning: "a signalled process was still running when --wait was over",
        commands: &["sacrifice"],
    },
    ExitStatusRow {
        status: ExitStatus::NotExpected,
        meaning: "the command succeeded, but an expectation was not met or could not be answered",
        commands: &["run"],
    },
    ExitStatusRow {
        status: ExitStatus::NotExpected,
        meaning: "the command does not succeed with any limit that was tried",
        commands: &["search-limit"],
    },
    ExitStatusRow {
        status: ExitStatus::Panic,
        meaning: "doomtop crashed (a bug); the terminal was restored",
        commands: &[MAIN, "replay", "explain"],
    },
    ExitStatusRow {
        status: ExitStatus::NotRun,
        meaning: "the command was not run: a limit cannot be enforced, or a file cannot be written; or it \
                  succeeded, but the verdict cannot be written, or the limit was not in force to the end",
        commands: &["run", "search-limit"],
    },
    ExitStatusRow {
        status: ExitStatus::NotExecutable,
        meaning: "the command cannot be executed",
        commands: &["run", "search-limit"],
    },
    ExitStatusRow {
        status: ExitStatus::NotFound,
        meaning: "the command was not found",
        commands: &["run", "search-limit"],
    },
    ExitStatusRow { status: ExitStatus::Signal(0), meaning: "ended by signal N", commands: &[] },
    ExitStatusRow {
        status: ExitStatus::Signal(0),
        meaning: "the command was ended by signal N; 137 where it was killed",
        commands: &["run"],
    },
    ExitStatusRow {
        status: ExitStatus::OfCommand(u8::MAX),
        meaning: "the status of the command, where it is not 0",
        commands: &["run"],
    },
];

impl ExitStatusRow {
    fn applies_to(&self, command: &str) -> bool {
        self.commands.is_empty() || self.commands.contains(&command)
    }
}

/// The part of `--help` about the exit statuses of a subcommand, named as on the command line.
#[must_use]
pub fn help(command: &str) -> String {
    let mut text = "Exit status:".to_owned();
    for row in EXIT_STATUSES.iter().filter(|row| row.applies_to(command)) {
        let _ = write!(text, "\n  {:<5}  {}", row.status.to_string(), row.meaning);
    }
    text
}

/// The whole table as Markdown, for the documents.
#[must_use]
pub fn markdown() -> String {
    let mut text = String::from("| status | meaning | commands |\n|---|---|---|\n");
    for row in EXIT_STATUSES {
        let name = |command: &&str| match *command {
            MAIN => "`doomtop`".to_owned(),
            command => format!("`doomtop {command}`"),
        };
        let commands: Vec<String> = row.commands.iter().map(name).collect();
        let commands = if commands.is_empty() { "all".to_owned() } else { commands.join(", ") };
        let _ = writeln!(text, "| {} | {} | {commands} |", row.status, row.meaning);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_holds_every_status_in_the_order_of_numbers() {
        let mut known = Vec::new();
        for row in EXIT_STATUSES {
            // A new status does not compile until it is here and, by the count below, in the table.
            known.push(match row.status {
                ExitStatus::Success => 0,
                ExitStatus::Failure => 1,
                ExitStatus::Usage => 2,
                ExitStatus::Disagrees | ExitStatus::FitsAfterKill => 3,
                ExitStatus::Refused | ExitStatus::FitsNot => 4,
                ExitStatus::StillRunning | ExitStatus::FitsThrottled => 5,
                ExitStatus::NotExpected => 6,
                ExitStatus::Panic => 101,
                ExitStatus::NotRun => 125,
                ExitStatus::NotExecutable => 126,
                ExitStatus::NotFound => 127,
                ExitStatus::Signal(_) => 128,
                ExitStatus::OfCommand(_) => 255,
            });
            assert_eq!(known.last(), Some(&row.status.code()));
        }
        assert!(known.is_sorted(), "{known:?}");
        known.dedup();
        assert_eq!(known.len(), 13, "{known:?}");
        assert_eq!(ExitStatus::Signal(15).code(), 143);
        for row in EXIT_STATUSES {
            assert!(markdown().contains(&format!("| {} | {} |", row.status, row.meaning)));
        }
    }
}
