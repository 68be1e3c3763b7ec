//! A line of a log about an OOM kill, as a sample of a recording carries it.

use serde::{Deserialize, Serialize};

use crate::model::{Killer, Text};

/// Who wrote a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LogWriter {
    /// The kernel.
    Kernel,
    /// systemd-oomd.
    SystemdOomd,
    /// earlyoom.
    Earlyoom,
    /// nohang.
    Nohang,
    /// Facebook's oomd.
    Oomd,
    /// Who made the recording: a note to its readers.
    Note,
    /// A writer that this version does not know. Its lines are not used.
    #[serde(other)]
    Unknown,
}

impl LogWriter {
    /// The killer that wrote the line; `None` for the kernel, whose reports tell the kind of kill, and for
    /// notes.
    #[must_use]
    pub const fn daemon(self) -> Option<Killer> {
        match self {
            Self::SystemdOomd => Some(Killer::SystemdOomd),
            Self::Earlyoom => Some(Killer::Earlyoom),
            Self::Nohang => Some(Killer::Nohang),
            Self::Oomd => Some(Killer::Oomd),
            Self::Kernel | Self::Note | Self::Unknown => None,
        }
    }

    /// The writer of the lines of a killer.
    #[must_use]
    pub const fn of(killer: Killer) -> Self {
        match killer {
            Killer::SystemdOomd => Self::SystemdOomd,
            Killer::Earlyoom => Self::Earlyoom,
            Killer::Nohang => Self::Nohang,
            Killer::Oomd => Self::Oomd,
            // Only saved logs have its lines.
            Killer::Lmkd => Self::Unknown,
            _ => Self::Kernel,
        }
    }
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde gives a reference")]
const fn is_false(value: &bool) -> bool {
    !*value
}

/// A line of a log, with the time at which it was written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogLine {
    /// Milliseconds since 1970-01-01, UTC.
    pub unix_ms: i64,
    /// Who wrote it.
    pub by: LogWriter,
    /// The time stamp of the kernel, in microseconds since boot.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uptime_us: Option<u64>,
    /// Whether any user could have written it: a line of a syslog file.
    #[serde(default, skip_serializing_if = "is_false")]
    pub unproven: bool,
    /// The text, without time stamp and origin.
    pub text: Text,
}

impl LogLine {
    /// Approximate size in memory, in bytes.
    #[must_use]
    pub fn bytes(&self) -> usize {
        size_of::<Self>() + self.text.as_str().len()
    }
}

/// Maximum size of the lines of one sample, in bytes. Rows of dumps of tasks leave room for other lines.
const MAX_BYTES: usize = 1 << 20;
/// What other lines may take beyond it, in bytes.
const RESERVE: usize = 256 << 10;

/// The lines that arrived since the last sample. A storm of kills must not fill the memory: beyond a
/// maximum, the rows of dumps are left out first.
#[derive(Debug, Default)]
pub struct LogLines {
    lines: Vec<LogLine>,
    bytes: usize,
}

impl LogLines {
    /// Adds a line, if there is room for it.
    pub fn push(&mut self, line: LogLine) {
        let is_row = line.by == LogWriter::Kernel && line.text.as_str().starts_with('[');
        let room = if is_row { MAX_BYTES } else { MAX_BYTES + RESERVE };
        let bytes = line.bytes();
        if self.bytes + bytes <= room {
            self.bytes += bytes;
            self.lines.push(line);
        }
    }

    /// Whether there are none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    /// Takes the lines out.
    #[must_use]
    pub fn take(&mut self) -> Vec<LogLine> {
        self.bytes = 0;
        std::mem::take(&mut self.lines)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(by: LogWriter, text: &str) -> LogLine {
        let text = Text::new(text.as_bytes());
        LogLine { unix_ms: 1, by, uptime_us: None, unproven: false, text }
    }

    #[test]
    fn rows_of_dumps_leave_room_for_the_kill() {
        let mut lines = LogLines::default();
        let row = format!("[ 17] {}", "x".repeat(1000));
        (0..10_000).for_each(|_| lines.push(line(LogWriter::Kernel, &row)));
        lines.push(line(LogWriter::Kernel, "Killed process 17 (x)"));
        (0..10_000).for_each(|_| lines.push(line(LogWriter::Oomd, &row)));
        let kept = lines.take();
        let bytes: usize = kept.iter().map(|it| it.text.as_str().len()).sum();
        assert!((MAX_BYTES / 2..MAX_BYTES + RESERVE).contains(&bytes), "{bytes}");
        assert!(kept.iter().any(|it| it.text.as_str().starts_with("Killed")));
        assert!(lines.take().is_empty());
        lines.push(line(LogWriter::Kernel, &row));
        assert_eq!(lines.take().len(), 1, "each sample has room again");
    }
}
