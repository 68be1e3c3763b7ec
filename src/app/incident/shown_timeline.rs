//! The kills up to the time that the screen shows.

use std::sync::Arc;

use crate::events::OomReport;
use crate::kills::{LogSourceStatus, Timeline};
use crate::model::{EventTime, OomEvent};

/// How many kills there were up to the time that the screen shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KillCount {
    /// Those that events tell of.
    pub known: u64,
    /// All: of what the kernel counted since boot, the logs may not hold everything any more.
    pub all: u64,
    /// Those since doomtop started, but for what only a log file tells of to which any user can write.
    pub new: u64,
}

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

    /// The kills, by the kernel and by userspace killers. `counted` is what the kernel counted since boot, `before`
    /// what it had counted when doomtop started to follow it: then its log may be ahead of the count by a sample.
    #[must_use]
    pub fn count(&self, counted: Option<u64>, before: Option<u64>) -> KillCount {
        let number = |is: &dyn Fn(&OomEvent) -> bool| {
            let kills = self.events().iter().filter(|it| it.is_kill());
            kills.filter(|it| is(it)).count() as u64
        };
        let is_live = |it: &OomEvent| {
            let is_new = matches!(it.time, EventTime::Live | EventTime::Within(_));
            is_new && !self.is_unproven(it.nth)
        };
        let (known, by_others) = (number(&|_| true), number(&|it| !it.by.is_kernel()));
        let (by_kernel, new) = match (counted, before) {
            (None, _) => (0, 0),
            (Some(all), None) => (all, 0),
            (Some(all), Some(before)) => {
                let new = all.saturating_sub(before);
                let new = new.max(number(&|it| it.by.is_kernel() && is_live(it)));
                let by_others = number(&|it| !it.by.is_kernel() && is_live(it));
                (all.min(before).saturating_add(new), new + by_others)
            }
        };
        let all = by_kernel.max(known - by_others) + by_others;
        KillCount { known, all, new }
    }

    /// The kills from one event to another, these two counted.
    #[must_use]
    pub fn kills_from_to(&self, first: &OomEvent, last: &OomEvent) -> usize {
        let times = first.unix_ms..=last.unix_ms;
        self.events().iter().filter(|it| it.is_kill() && times.contains(&it.unix_ms)).count()
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
