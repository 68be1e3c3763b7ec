//! OOM events and reports: the timeline, and the report on the screen.

pub mod event_text;
pub mod kill_text;
pub(crate) mod predicted_victim;
pub mod shown_report;
pub mod storm;
pub mod timeline;

use std::collections::BTreeMap;

use crate::app::incident::shown_report::ShownReport;
use crate::app::incident::timeline::Timeline;
use crate::events::RecordedLog;
use crate::model::SampleIndex;

/// The OOM events that are known.
#[derive(Default)]
pub struct Incidents {
    /// All of them.
    pub timeline: Timeline,
    /// The report that is on the screen in place of a sample.
    pub report: Option<ShownReport>,
    /// The lines of logs in a recording.
    pub(crate) recorded: RecordedLog,
    /// The pid that the headline named first at each sample of the demo.
    pub(crate) named: BTreeMap<SampleIndex, Option<i32>>,
}
