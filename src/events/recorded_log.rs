//! The lines of logs in a recording, read again: the same kills come out as where it was recorded.

use std::sync::Arc;

use crate::events::{
    DaemonLogReader, FramedLine, KernelLogReader, LogTimestamp, LogUpdate, OomReport,
};
use crate::model::{EventTime, LogLine, LogWriter, Text, unescape};

/// Maximum number of notes that are kept.
const MAX_NOTES: usize = 4096;

/// Reads the lines of a recording, sample by sample.
#[derive(Debug, Default)]
pub(crate) struct RecordedLog {
    reports: KernelLogReader,
    daemons: DaemonLogReader,
    /// Number of reports that have ended.
    ended: u64,
    /// The time of the last kernel line, in milliseconds since 1970, and its stamp in microseconds.
    last: (i64, Option<u64>),
    /// The notes with their times, the oldest first.
    notes: Vec<(i64, Text)>,
}

impl RecordedLog {
    /// What the lines of one sample tell. A report may go on in the next sample: it is then told again under
    /// the same number.
    pub(crate) fn take(&mut self, lines: &[LogLine]) -> Vec<LogUpdate> {
        let mut updates = Vec::new();
        for line in lines {
            if line.by == LogWriter::Note {
                if self.notes.len() < MAX_NOTES {
                    let at = self.notes.partition_point(|(at, _)| *at <= line.unix_ms);
                    self.notes.insert(at, (line.unix_ms, line.text.clone()));
                }
                continue;
            }
            let text = String::from_utf8_lossy(&unescape(line.text.as_str())).into_owned();
            if line.by == LogWriter::Kernel {
                self.last = (line.unix_ms, line.uptime_us);
                let stamp = LogTimestamp { text: String::new(), uptime_us: line.uptime_us };
                self.reports.take_framed(&FramedLine { stamp, text });
                for report in self.reports.take_finished() {
                    updates.push(self.update(report));
                    self.ended += 1;
                }
            } else if let Some(daemon) = line.by.daemon()
                && let Some(heard) = self.daemons.take(daemon, &text)
            {
                let (unix_ms, told, proven) = (line.unix_ms, EventTime::Live, !line.unproven);
                updates.push(LogUpdate::Daemon { unix_ms, told, heard, proven });
            }
        }
        updates.extend(self.reports.open_report().cloned().map(|open| self.update(open)));
        updates
    }

    /// Whether the recording has notes to its readers.
    pub(crate) const fn has_notes(&self) -> bool {
        !self.notes.is_empty()
    }

    /// The last note up to this time, in milliseconds since 1970.
    pub(crate) fn note_at(&self, unix_ms: i64) -> Option<&str> {
        let count = self.notes.partition_point(|(at, _)| *at <= unix_ms);
        Some(self.notes.get(count.checked_sub(1)?)?.1.as_str())
    }

    /// A report as it was told where it was recorded: its time is that of its first line.
    fn update(&self, report: OomReport) -> LogUpdate {
        let (last_ms, last_us) = self.last;
        let ago = last_us.zip(report.stamp.uptime_us).map_or(0, |(last, first)| {
            i64::try_from(last.saturating_sub(first) / 1000).unwrap_or(0)
        });
        LogUpdate::Report {
            number: self.ended + 1,
            unix_ms: last_ms.saturating_sub(ago),
            told: EventTime::Live,
            report: Arc::new(report),
        }
    }
}
