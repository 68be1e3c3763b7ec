//! WINDOWS: where snapshots come from: the live machine, or a recording of one. Whoever looks
//! through the window cannot tell the difference, except by asking.

pub mod delta;
pub mod demo;

mod live;
mod recording;
mod tape;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use crate::model::{Needs, ProcId, Snapshot, Text};
use crate::sample::Unreadable;

pub use live::{Live, Patience};
pub use recording::Recording;
pub use tape::Tape;

/// A place that snapshots come from.
pub trait Source: Send {
    /// Looks once. `spent` is a snapshot that nobody needs any more: its room is used again, so
    /// that looking in a loop allocates nothing.
    ///
    /// # Errors
    ///
    /// When there is nothing to see, or no longer.
    fn look(&mut self, needs: &Needs, spent: Option<Arc<Snapshot>>) -> Result<Arc<Snapshot>, Lost>;

    /// Reads just these processes again, where they still can be: the second look, which confirms
    /// or refutes what the first one seemed to show.
    fn look_again(&mut self, _ids: &[ProcId], _snapshot: &mut Snapshot) {}

    /// Takes the names of users, for the snapshots to come. A recording has its own.
    fn learn_users(&mut self, _users: Arc<BTreeMap<u32, Text>>) {}
}

/// Why there is no snapshot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Lost {
    /// A file that a look cannot do without was not readable.
    Unreadable(Unreadable),
    /// The thread that walks over the processes has ended.
    Walker,
    /// The recording is over.
    End,
    /// The recording's last line was cut short, as by a full disk; what came before was fine.
    Cut {
        /// The recording.
        name: String,
        /// The number of the line, from 1.
        line: u64,
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

impl From<Unreadable> for Lost {
    fn from(unreadable: Unreadable) -> Self {
        Self::Unreadable(unreadable)
    }
}

impl fmt::Display for Lost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreadable(unreadable) => {
                write!(f, "{unreadable}; is procfs mounted there, and readable for this user?")
            }
            Self::Walker => f.write_str("the process table can no longer be read; start again"),
            Self::End => f.write_str("the recording is over"),
            Self::Cut { name, line } => {
                write!(f, "{name}:{line}: the last line is cut short; it is left out")
            }
            Self::Bad { name, line, column: 0, what } => write!(f, "{name}:{line}: {what}"),
            Self::Bad { name, line, column, what } => write!(f, "{name}:{line}:{column}: {what}"),
        }
    }
}

impl std::error::Error for Lost {}
