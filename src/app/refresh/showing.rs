//! What the screen shows: the newest sample, an earlier one, or a report.

use crate::model::SampleIndex;

/// What the screen shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Showing {
    /// The newest sample; each new one takes its place, unless the screen is paused.
    Now,
    /// This sample, of the past or of a recording. It stays while new ones come.
    Past(SampleIndex),
    /// The report of this number.
    Report(u64),
}
