//! WINDOWS: where snapshots come from: the live machine, or a recording of one, with the names painted
//! over or not. Whoever looks
//! through the window cannot tell the difference, except by asking.

pub mod delta;
pub mod demo;
mod live;
pub(crate) mod recorder;
mod recording;
pub(crate) mod recording_lines;
mod redact;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use crate::model::{Needs, ProcId, Snapshot, Text};
use crate::sample::Unreadable;

pub use crate::source::recorder::Recorder;
pub use live::{LiveSource, ScanPatience};
pub use recording::Recording;
pub use redact::{RedactExtent, RedactedSource, Redactor};

/// A place that snapshots come from.
pub trait Source: Send {
    /// Looks once. `spent` is a snapshot that nobody needs any more: its room is used again, so
    /// that looking in a loop allocates nothing.
    ///
    /// # Errors
    ///
    /// When there is nothing to see, or no longer.
    fn sample(
        &mut self,
        needs: &Needs,
        spent: Option<Arc<Snapshot>>,
    ) -> Result<Arc<Snapshot>, SourceError>;

    /// Reads just these processes again, where they still can be: the second look, which confirms
    /// or refutes what the first one seemed to show.
    fn sample_again(&mut self, _ids: &[ProcId], _snapshot: &mut Snapshot) {}

    /// Takes the names of users, for the snapshots to come. A recording has its own.
    fn learn_users(&mut self, _users: Arc<BTreeMap<u32, Text>>) {}
}

/// Why there is no snapshot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SourceError {
    /// A file that a look cannot do without was not readable.
    Unreadable(Unreadable),
    /// The thread that walks over the processes has ended.
    WalkThread,
    /// The recording is over.
    End,
    /// The recording's last line was cut short, as by a full disk; what came before was fine.
    Cut {
        /// The recording.
        name: String,
        /// The number of the line, from 1.
        line: u64,
    },
    /// A part of the recording is damaged, and looks are lost with it. Not the end: the next look is the
    /// first one behind it.
    Damaged {
        /// The recording.
        name: String,
        /// The number of the line at which it was noticed, from 1.
        line: u64,
        /// What is wrong.
        what: String,
        /// When the last look before it was taken, milliseconds since 1970; none where there is none.
        after: Option<i64>,
        /// When the first look behind it was taken.
        until: i64,
    },
    /// The recording cannot be understood.
    Bad {
        /// The recording.
        name: String,
        /// The number of the line, from 1.
        line: u64,
        /// Where in the line, from 1; 0 when the line as a whole is meant.
        column: usize,
        /// What is wrong, and what would help.
        what: String,
    },
}

impl From<Unreadable> for SourceError {
    fn from(unreadable: Unreadable) -> Self {
        Self::Unreadable(unreadable)
    }
}

impl fmt::Display for SourceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreadable(unreadable) => {
                write!(f, "{unreadable}; is procfs mounted there, and readable for this user?")
            }
            Self::WalkThread => f.write_str("the process table can no longer be read; start again"),
            Self::End => f.write_str("the recording is over"),
            Self::Cut { name, line } => {
                write!(f, "{name}:{line}: the last line is cut short; it is left out")
            }
            Self::Damaged { name, line, what, after, until } => {
                write!(f, "{name}:{line}: damaged ({what}); ")?;
                // Found at the end of a member, whose lines were all shown by then.
                if what.contains("checksum") {
                    return write!(f, "what was shown up to {} UTC may be wrong", time(*until));
                }
                match after {
                    Some(after) => write!(f, "looks from {} ", time(*after))?,
                    None => f.write_str("looks ")?,
                }
                write!(f, "to {} UTC are lost", time(*until))
            }
            Self::Bad { name, line, column: 0, what } => write!(f, "{name}:{line}: {what}"),
            Self::Bad { name, line, column, what } => write!(f, "{name}:{line}:{column}: {what}"),
        }
    }
}

/// The time of day, UTC.
fn time(unix_ms: i64) -> String {
    let seconds = unix_ms.div_euclid(1000).rem_euclid(86_400);
    format!("{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60)
}

impl std::error::Error for SourceError {}
