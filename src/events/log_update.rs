//! What the log sources deliver.

use std::sync::Arc;

use crate::events::{DaemonKill, OomReport};
use crate::model::{EventTime, LogSource, MarkedVictim, SourceState};

/// What a log source delivers.
#[derive(Clone, Debug)]
pub enum LogUpdate {
    /// A report of the kernel. One of the same number replaces it: the later one is more complete.
    Report {
        /// Its number.
        number: u64,
        /// When it was written, milliseconds since 1970, UTC.
        unix_ms: i64,
        /// How exact the time is.
        told: EventTime,
        /// The report.
        report: Arc<OomReport>,
    },
    /// A kill by a daemon.
    Daemon {
        /// When, milliseconds since 1970, UTC.
        unix_ms: i64,
        /// How exact the time is.
        told: EventTime,
        /// What its log line says.
        heard: DaemonKill,
        /// Whether the line is known to come from the daemon. Any user can write to a syslog file.
        proven: bool,
    },
    /// A victim that the kernel marked. Its log may tell more of it, before or after.
    Marked {
        /// When, milliseconds since 1970, UTC.
        unix_ms: i64,
        /// The victim.
        marked: Box<MarkedVictim>,
    },
    /// The state of a log source.
    Source(LogSource, SourceState),
}
