//! The program around the pure rooms: command line, terminal, threads.
//!
//! Lowest first: the files of this directory (events, errors, standard streams), `worker` (one file per
//! thread), `tui` (the screen and its main loop), [`command`] (one file per subcommand).

pub(crate) mod child;
pub mod command;
pub(crate) mod command_error;
pub(crate) mod config_file;
pub(crate) mod date;
pub mod debug_log;
pub(crate) mod event;
pub mod exit_status;
pub(crate) mod guarded_source;
pub(crate) mod new_file;
pub(crate) mod oom_burst_end;
pub(crate) mod own_memory;
pub(crate) mod replaced_file;
pub(crate) mod rule_file;
pub(crate) mod stdio;
pub(crate) mod thread;
pub(crate) mod tui;
pub(crate) mod worker;

use std::process::ExitCode;

use self::command::cli::Cli;
use self::exit_status::ExitStatus;
use crate::syscall::heap;

/// Answers the script of a shell that completes a command line, where one asks; nothing where none does.
#[must_use]
pub fn complete() -> Option<ExitCode> {
    match command::documents::completions::answer() {
        Ok(false) => None,
        Ok(true) => Some(ExitStatus::Success.into()),
        Err(error) => {
            stdio::complain(&error.to_string());
            Some(ExitStatus::Usage.into())
        }
    }
}

/// Runs the program. Returns its exit status; an error was written to standard error.
#[must_use]
pub fn run(cli: &Cli) -> ExitCode {
    heap::return_freed_memory();
    match command::run(cli) {
        Ok(status) => status.into(),
        Err(error) => {
            for line in error.lines() {
                stdio::complain(&line);
            }
            error.status.into()
        }
    }
}
