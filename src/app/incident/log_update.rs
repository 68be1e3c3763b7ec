//! What the log sources deliver.

use std::sync::Arc;

use crate::events;
use crate::events::OomReport;
use crate::model::{EventTime, LogSource, SourceState};

/// What the ears brought.
#[derive(Clone, Debug)]
pub enum LogUpdate {
    /// A report of the kernel's; one of the same number takes the place of what was known of it.
    Report {
        /// Its number: of two with the same one the later is more complete.
        number: u64,
        /// When it was written, milliseconds since 1970, UTC.
        unix_ms: i64,
        /// How well that is known.
        told: EventTime,
        /// It.
        report: Arc<OomReport>,
    },
    /// A kill by a daemon.
    Daemon {
        /// When, milliseconds since 1970, UTC.
        unix_ms: i64,
        /// How well that is known.
        told: EventTime,
        /// What it said.
        heard: events::DaemonKill,
        /// Whether that it was the daemon who said so is sure: to a syslog file anybody may write.
        proven: bool,
    },
    /// How an ear hears.
    Ear(LogSource, SourceState),
}
