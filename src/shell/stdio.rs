//! The standard streams: what the terminal behind them can show, and how lines are written to them.

use std::io::{self, IsTerminal, Write};
use std::sync::atomic::{AtomicBool, Ordering};

use super::command_error::CommandError;
use super::debug_log;
use crate::ui::ColourDepth;

/// Writes one line to standard error. What came from outside is made harmless.
pub(crate) fn complain(what: &str) {
    progress("");
    debug_log::warn("doomtop", what);
    let _ = writeln!(io::stderr(), "doomtop: {}", crate::model::printable(what));
}

/// Whether a line of [`progress`] is on the terminal.
static PROGRESS: AtomicBool = AtomicBool::new(false);

/// Shows how far a command is, in one line on standard error that the next one replaces. Nothing where
/// standard error is no terminal. An empty text takes the line away.
pub(crate) fn progress(what: &str) {
    if what.is_empty() {
        if PROGRESS.swap(false, Ordering::Relaxed) {
            let _ = write!(io::stderr(), "\r\x1b[K");
        }
        return;
    }
    if !io::stderr().is_terminal() {
        return;
    }
    let what = crate::model::printable(what);
    // A line that is wrapped could not be replaced.
    let columns = crossterm::terminal::size().map_or(80, |(columns, _)| usize::from(columns));
    let shown: String = what.chars().take(columns.saturating_sub(1)).collect();
    PROGRESS.store(true, Ordering::Relaxed);
    let _ = write!(io::stderr(), "\r{shown}\x1b[K");
}

/// Complains once about what goes wrong again and again.
#[derive(Debug, Default)]
pub(crate) struct RepeatedComplaint(Option<String>);

impl RepeatedComplaint {
    /// Takes what is wrong now, if anything is; complains where it is not what was wrong before.
    pub(crate) fn set(&mut self, what: Option<String>) {
        if let Some(what) = what.as_ref().filter(|what| self.0.as_ref() != Some(what)) {
            complain(what);
        }
        self.0 = what;
    }
}

/// Writes a text to standard output.
///
/// # Errors
/// It could not be written. A reader that has closed the pipe is no error.
pub(crate) fn print(text: &str) -> Result<(), CommandError> {
    let mut out = io::stdout().lock();
    written(out.write_all(text.as_bytes()).and_then(|()| out.flush()))
}

/// What became of writing to standard output: a reader that has closed the pipe (`head`, `less`) is no
/// error.
pub(crate) fn written(result: io::Result<()>) -> Result<(), CommandError> {
    match result {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(CommandError::failure(format!("standard output: {error}")))
        }
        _ => Ok(()),
    }
}

/// Cells across the terminal; `None` where standard output is none.
pub(crate) fn width() -> Option<u16> {
    let is_terminal = io::stdout().is_terminal();
    is_terminal.then(crossterm::terminal::size)?.ok().map(|(columns, _)| columns)
}

/// Whether colours are wanted where no flag says so: `NO_COLOR`, set to anything, switches them off
/// (no-color.org).
pub(crate) fn colour() -> bool {
    std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

/// How many colours the terminal shows.
pub(crate) fn colour_depth() -> ColourDepth {
    ColourDepth::of(|name| std::env::var(name).ok())
}

/// Whether the character set of the locale is UTF-8 and the terminal can show it.
pub(crate) fn utf8() -> bool {
    let set = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let locale = set("LC_ALL").or_else(|| set("LC_CTYPE")).or_else(|| set("LANG"));
    let locale = locale.unwrap_or_default().to_lowercase();
    let term = set("TERM").unwrap_or_default();
    let plain = term == "linux" || term == "dumb" || term.starts_with("vt");
    !plain && (locale.contains("utf-8") || locale.contains("utf8"))
}
