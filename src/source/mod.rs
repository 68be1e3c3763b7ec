//! Where snapshots come from: the live machine, a recording, the demo. Any of them may be redacted. The
//! rooms above use the trait [`Source`] and treat all alike.

pub mod delta;
pub mod demo_recording;
mod error;
mod lazy_free;
mod live;
mod recorder;
mod recording;
mod recording_lines;
mod redact;
mod redacted;
mod side_job;
mod side_readers;
mod walk_thread;

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::model::{LogLine, Needs, ProcId, Snapshot, Text};

pub use error::SourceError;
pub use live::{LiveSource, SamplerChoice, ScanPatience};
pub use recorder::Recorder;
pub use recording::Recording;
pub use redact::{RedactExtent, Redactor};
pub use redacted::RedactedSource;

/// A source of snapshots.
pub trait Source: Send {
    /// Takes one sample. `needs` says what must be read. `spent` is a snapshot that is no longer used: its
    /// memory is used again, so that sampling in a loop allocates nothing.
    ///
    /// # Errors
    ///
    /// The source has no snapshot, or no further one.
    fn sample(
        &mut self,
        needs: &Needs,
        spent: Option<Arc<Snapshot>>,
    ) -> Result<Arc<Snapshot>, SourceError>;

    /// Reads only these processes again, to confirm or refute what the sample seemed to show. A recording
    /// does nothing.
    fn sample_again(&mut self, _ids: &[ProcId], _snapshot: &mut Snapshot) {}

    /// Sets the user names of later snapshots. A recording has its own.
    fn learn_users(&mut self, _users: Arc<BTreeMap<u32, Text>>) {}

    /// Adds what logs told of OOM kills to the next sample. A recording has its own.
    fn add_log(&mut self, _lines: Vec<LogLine>) {}
}
