//! The debug log (`--log`, `DOOMTOP_LOG`): what was decided, and why a source was given up. It goes to the end of a
//! regular file and never to a terminal.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::OnceLock;

use clap::ValueEnum;
use jiff::Timestamp;

use crate::intent::Outcome;
use crate::words::outcome::outcome_text;

/// How much is written. Each level includes those before it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub enum LogLevel {
    /// What failed
    Error,
    /// What does not work here, and what was refused
    Warn,
    /// What was decided
    #[default]
    Info,
    /// Each sample, each message of the screen, each change of the pace
    Debug,
}

impl LogLevel {
    /// The level of a name.
    #[must_use]
    pub fn named(text: &str) -> Option<Self> {
        Self::value_variants().iter().copied().find(|level| level.word().eq_ignore_ascii_case(text))
    }

    const fn word(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warn => "warn",
            Self::Info => "info",
            Self::Debug => "debug",
        }
    }
}

/// Maximum number of processes that the line of an act names.
const MAX_TARGETS: usize = 32;

struct DebugLog {
    file: File,
    level: LogLevel,
}

static LOG: OnceLock<DebugLog> = OnceLock::new();

/// Begins to write to the end of a file, which is created with mode 0600.
///
/// # Errors
/// It cannot be opened, or is no regular file.
pub(crate) fn start(path: &Path, level: LogLevel) -> io::Result<()> {
    // Without blocking on a pipe that nobody reads.
    let flags = nix::libc::O_NONBLOCK | nix::libc::O_NOCTTY;
    let file =
        OpenOptions::new().append(true).create(true).mode(0o600).custom_flags(flags).open(path)?;
    if !file.metadata()?.is_file() {
        return Err(io::Error::other("not a regular file"));
    }
    let _ = LOG.set(DebugLog { file, level });
    Ok(())
}

/// Whether lines of this level are written: for what costs something to say.
pub(crate) fn is_on(level: LogLevel) -> bool {
    LOG.get().is_some_and(|log| level <= log.level)
}

/// Writes a line: the time in UTC, the level, what it is about, and the text, made harmless. A log that cannot be
/// written any more is no reason to stop.
pub(crate) fn write(level: LogLevel, about: &str, text: &str) {
    let Some(log) = LOG.get().filter(|log| level <= log.level) else { return };
    let text = crate::model::printable(&text.replace('\n', " "));
    let line = format!("{:.3} {:<5} {about}: {text}\n", Timestamp::now(), level.word());
    // One write for each line: lines of several threads and programs do not mix (open(2), O_APPEND).
    let _ = (&log.file).write_all(line.as_bytes());
}

/// Writes what was decided.
pub(crate) fn info(about: &str, text: &str) {
    write(LogLevel::Info, about, text);
}

/// Writes an act: the processes that it is about as `PID@START`, and what came of it.
pub(crate) fn act(outcome: &Outcome) {
    let targets = outcome.targets();
    let named = targets.iter().take(MAX_TARGETS).map(|who| format!("{}@{}", who.pid, who.born.0));
    let mut text = named.collect::<Vec<_>>().join(" ");
    let more = targets.len().saturating_sub(MAX_TARGETS);
    if more > 0 {
        text.push_str(&format!(" and {more} more"));
    }
    if !text.is_empty() {
        text.push_str(": ");
    }
    text.push_str(&outcome_text(outcome));
    let is_refused = matches!(outcome, Outcome::Refused { .. });
    write(if is_refused { LogLevel::Warn } else { LogLevel::Info }, "act", &text);
}

/// Writes what does not work here.
pub(crate) fn warn(about: &str, text: &str) {
    write(LogLevel::Warn, about, text);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_is_a_regular_file() {
        let folder = tempfile::tempdir().expect("a folder");
        let fifo = folder.path().join("fifo");
        nix::unistd::mkfifo(&fifo, nix::sys::stat::Mode::S_IRWXU).expect("a pipe");
        for path in [Path::new("/dev/null"), Path::new("/dev/tty"), folder.path(), &fifo] {
            assert!(start(path, LogLevel::Debug).is_err(), "{}", path.display());
        }
        assert!(!is_on(LogLevel::Error), "nothing was started");
        for level in LogLevel::value_variants() {
            assert_eq!(LogLevel::named(level.word()), Some(*level));
        }
        assert_eq!(LogLevel::named("DEBUG"), Some(LogLevel::Debug));
        assert_eq!(LogLevel::named("loud"), None);
    }
}
