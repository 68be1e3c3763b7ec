//! A report of the kernel's on the screen: its dump stands where the processes are, as a look that is
//! not of this time; looks go on being taken meanwhile.

use crate::model::{EventTime, SampleIndex, Scope};
use crate::policy::Policy;

/// The report on the screen, and what stood there before.
#[derive(Clone)]
pub struct ShownReport {
    /// Its number.
    pub number: u64,
    /// Its place among those that can be shown, from 1, and how many there are.
    pub place: (usize, usize),
    /// How well its time is known.
    pub told: EventTime,
    /// What the log says of when.
    pub stamp: String,
    /// What there is to say of it, each with a label.
    pub lines: Vec<(&'static str, String)>,
    /// Which rule ranked before, and which one ranks the report.
    pub(crate) policy: &'static dyn Policy,
    pub(crate) taken: &'static dyn Policy,
    pub(crate) scope: Scope,
    pub(crate) at: Option<SampleIndex>,
    pub(crate) was_past: bool,
}
