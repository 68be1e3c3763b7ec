//! A kernel report on the screen: its dump of tasks is shown as a sample. Samples are still taken meanwhile.

use crate::model::EventTime;
use crate::policy::Policy;
use crate::words::incident::line::IncidentLine;

/// The report on the screen.
#[derive(Clone)]
pub struct ShownReport {
    /// Its number.
    pub number: u64,
    /// Its place among the reports that can be shown, counted from 1, and their number.
    pub place: (usize, usize),
    /// How well its time is known.
    pub told: EventTime,
    /// Its time, as the log tells it.
    pub stamp: String,
    /// The explanation.
    pub lines: Vec<IncidentLine>,
    /// The policy of the kernel that wrote it. It ranks in place of the running kernel's, until the user
    /// chooses another.
    pub(crate) kernel_policy: Option<&'static dyn Policy>,
}
