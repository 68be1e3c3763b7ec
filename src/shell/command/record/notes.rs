//! Notes to the readers of a recording (`doomtop record --notes`): a replay shows each from its time on.

use std::path::Path;
use std::sync::Arc;

use crate::model::{LogLine, LogWriter, Snapshot, Text};
use crate::rows::time::parse_time;
use crate::shell::command::invocation::utc_offset;
use crate::shell::command_error::CommandError;
use crate::units::Millis;

/// Maximum size of a file of notes, in bytes.
const MAX_BYTES: u64 = 1 << 20;

/// When a note appears.
enum NoteTime {
    /// After the first sample of the recording.
    After(Millis),
    /// At a time of day, as it was typed.
    At(String),
}

/// The notes that were not written yet.
pub(super) struct Notes {
    left: Vec<(NoteTime, Text)>,
    /// When the first sample was taken, in milliseconds since 1970.
    begun: Option<i64>,
}

impl Notes {
    /// Reads a file of notes: in each line a time (`+90` or `+1m30s` after the first sample, or `14:03:22`)
    /// and a text. Empty lines and those that begin with `#` are left out.
    ///
    /// # Errors
    /// The file cannot be read, or a line has no time.
    pub(super) fn read(path: &Path) -> Result<Self, CommandError> {
        let name = path.display();
        let failed = |what: String| CommandError::failure(format!("{name}{what}"));
        let size = std::fs::metadata(path).map_err(|error| failed(format!(": {error}")))?.len();
        if size > MAX_BYTES {
            return Err(failed(": too large for notes".to_owned()));
        }
        let text = std::fs::read_to_string(path).map_err(|error| failed(format!(": {error}")))?;
        let lines = text.lines().zip(1..);
        let lines = lines.filter(|(line, _)| !line.trim().is_empty() && !line.starts_with('#'));
        let notes = lines.map(|(line, nth)| {
            note(line).ok_or_else(|| failed(format!(":{nth}: a note is a time and a text")))
        });
        Ok(Self { left: notes.collect::<Result<_, _>>()?, begun: None })
    }

    /// Adds the notes whose time has come to a sample, in place of those that it has.
    pub(super) fn add_to(&mut self, sample: &mut Snapshot) {
        let now = sample.clock.unix_ms;
        let begun = *self.begun.get_or_insert(now);
        let mut lines: Vec<LogLine> =
            sample.log.iter().filter(|line| line.by != LogWriter::Note).cloned().collect();
        let is_due = |note: &mut (NoteTime, Text)| match &note.0 {
            NoteTime::After(span) => now >= begun.saturating_add_unsigned(span.0),
            // A time of day is not before the first sample.
            NoteTime::At(time) => parse_time(time, now, utc_offset())
                .is_ok_and(|ago| ago.0 <= u64::try_from(now.saturating_sub(begun)).unwrap_or(0)),
        };
        for (_, text) in self.left.extract_if(.., is_due) {
            let (by, uptime_us, unproven) = (LogWriter::Note, None, false);
            lines.push(LogLine { unix_ms: now, by, uptime_us, unproven, text });
        }
        sample.log = Arc::new(lines);
    }
}

/// The time and the text of a line.
fn note(line: &str) -> Option<(NoteTime, Text)> {
    let (time, text) = line.trim().split_once(char::is_whitespace)?;
    let time = match time.strip_prefix('+') {
        Some(span) if span.contains([':', '-']) => return None,
        Some(span) => {
            let span = if span.ends_with(|c: char| c.is_ascii_digit()) {
                format!("{span}s")
            } else {
                span.to_owned()
            };
            NoteTime::After(parse_time(&span, 0, 0).ok()?)
        }
        None if time.contains(':') => {
            parse_time(time, 0, 0).ok()?;
            NoteTime::At(time.to_owned())
        }
        None => return None,
    };
    Some((time, Text::new(text.trim().as_bytes())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Clock;

    #[test]
    fn a_note_has_a_time_and_a_text() {
        for wrong in ["x", "+5", "+x a", "+5: a", "25:00 a", "14 a", "+-5 a"] {
            assert!(note(wrong).is_none(), "{wrong}");
        }
        for right in ["+5 a", "+1.5m a b", "14:03 a", "14:03:22\ta"] {
            assert!(note(right).is_some(), "{right}");
        }
    }

    #[test]
    fn notes_come_once_and_at_their_time() {
        let left = ["+2 two", "+0 now", "+1m late"].map(|line| note(line).expect("a note"));
        let mut notes = Notes { left: left.into(), begun: None };
        let mut told = Vec::new();
        for second in 0..5 {
            let clock = Clock { unix_ms: 1000 * second, ..Clock::default() };
            let mut sample = Snapshot { clock, ..Snapshot::default() };
            notes.add_to(&mut sample);
            told.extend(sample.log.iter().map(|line| (second, line.text.to_string())));
            let before = sample.log.len();
            notes.add_to(&mut sample);
            assert!(sample.log.is_empty() || before == 0, "old notes are replaced");
        }
        assert_eq!(told, [(0, "now".to_owned()), (2, "two".to_owned())]);
        assert_eq!(notes.left.len(), 1);
    }
}
