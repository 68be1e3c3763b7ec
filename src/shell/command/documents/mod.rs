//! Documents that are made from the tables: manual pages (`doomtop man`) and completions (`doomtop completions`).

pub mod completions;
pub mod manual;
mod markdown;
mod roff;

use std::io::{self, IsTerminal, Write};
use std::process::{Command, Stdio};

use self::manual::{MANUAL, ManualPage};
use super::arg::ShellArg;
use crate::shell::command_error::CommandError;
use crate::shell::exit_status::ExitStatus;
use crate::shell::stdio;

/// Prints a manual page: through `man` on a terminal, as it is otherwise.
///
/// # Errors
/// There is no such page, or standard output cannot be written.
pub(crate) fn man(name: &str) -> Result<ExitStatus, CommandError> {
    let Some(page) = ManualPage::named(name) else {
        let names: Vec<&str> = MANUAL.iter().map(|page| page.name).collect();
        return Err(CommandError::usage(format!("there is no page {name:?}"))
            .hint(format!("the pages are {}", names.join(", "))));
    };
    let text = page.text();
    if io::stdout().is_terminal() && shown_by_man(&text) {
        return Ok(ExitStatus::Success);
    }
    stdio::print(&text).map(|()| ExitStatus::Success)
}

/// Shows a page through `man`. Returns false where there is none.
fn shown_by_man(text: &str) -> bool {
    let started = Command::new("man").args(["-l", "-"]).stdin(Stdio::piped()).spawn();
    let Ok(mut child) = started else { return false };
    if let Some(mut input) = child.stdin.take() {
        // A reader that quits early is no error.
        let _ = input.write_all(text.as_bytes());
    }
    child.wait().is_ok_and(|status| status.success())
}

/// Prints the script of a shell.
///
/// # Errors
/// Standard output cannot be written.
pub(crate) fn completions(shell: ShellArg) -> Result<ExitStatus, CommandError> {
    let text = completions::script(shell).map_err(CommandError::failure)?;
    stdio::print(&text).map(|()| ExitStatus::Success)
}
