//! The kills up to the time that the screen shows.

use std::sync::Arc;

use crate::events::OomReport;
use crate::kills::{LogSourceStatus, Timeline};
use crate::model::OomEvent;

/// The kills up to the time that the screen shows. What is drawn comes from here: where a recording is played, its
/// later kills are read already, and cannot be asked for.
#[derive(Clone, Copy)]
pub struct ShownTimeline<'a> {
    timeline: &'a Timeline,
    until: i64,
}

impl<'a> ShownTimeline<'a> {
    /// The events up to this time, in milliseconds since 1970, UTC.
    pub(in crate::app) const fn new(timeline: &'a Timeline, until: i64) -> Self {
        Self { timeline, until }
    }

    /// The events, the oldest first.
    #[must_use]
    pub fn events(&self) -> &'a [OomEvent] {
        self.timeline.until(self.until)
    }

    /// The events after one time and up to another, both in milliseconds since 1970, UTC.
    #[must_use]
    pub fn between(&self, after: i64, until: i64) -> &'a [OomEvent] {
        let events = self.timeline.until(until.min(self.until));
        &events[events.partition_point(|it| it.unix_ms <= after)..]
    }

    /// The event of this number.
    #[must_use]
    pub fn find(&self, nth: u64) -> Option<&'a OomEvent> {
        self.events().iter().find(|it| it.nth == nth)
    }

    /// The report of this number, where an event tells of it.
    #[must_use]
    pub fn report(&self, number: u64) -> Option<&'a Arc<OomReport>> {
        let is_told = self.events().iter().any(|it| it.report == Some(number));
        self.timeline.report(number).filter(|_| is_told)
    }

    /// Whether only a log file to which any user can write tells of this event.
    #[must_use]
    pub fn is_unproven(&self, nth: u64) -> bool {
        self.timeline.is_unproven(nth)
    }

    /// The log sources.
    #[must_use]
    pub fn sources(&self) -> &'a [LogSourceStatus] {
        &self.timeline.sources
    }
}
