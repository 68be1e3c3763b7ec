//! Every kill that is known, each once: what the logs tell, and what the counters tell where no log does.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use crate::events::OomReport;
use crate::kills::predicted_victim::MAX_LOOKUPS;
use crate::model::{EventTime, Killer, LogSource, OomEvent, SourceState, Text};
use crate::units::Millis;

/// Maximum number of events that are kept.
const MAX_EVENTS: usize = 4096;

/// The same where only the newest are of use.
const FEW_EVENTS: usize = 256;

/// Maximum number of events that only a log file tells of, to which any user can write: they must not push the
/// others out.
const MAX_UNPROVEN: usize = 256;

/// Maximum number of rows of task dumps that are kept. The oldest reports are dropped first.
const MAX_ROWS: usize = 200_000;

/// Maximum difference between the time of a log line and that of a sample, in milliseconds.
pub(crate) const CLOCK_SKEW: i64 = 1500;

/// A log line that no count claims is forgotten after this time, in milliseconds.
const EARLY_FOR: i64 = 60_000;

/// Kills that the kernel counted between two samples, and no log line told of yet.
#[derive(Clone, Debug)]
struct CountedKills {
    /// The times of the samples, milliseconds since 1970, UTC.
    from: i64,
    to: i64,
    /// The number of kills without a log line.
    left: u64,
    /// The probable kills, the likeliest first.
    guesses: Vec<OomEvent>,
    /// When they become events without a log line, on the clock of who settles them.
    due: Millis,
}

/// The state of a log source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogSourceStatus {
    /// The source.
    pub source: LogSource,
    /// Whether it is read, and how.
    pub state: SourceState,
    /// Number of lines that were lost.
    pub lost: u64,
}

/// The kills, the oldest first.
#[derive(Clone, Debug, Default)]
pub struct Timeline {
    /// The events in the order of time.
    events: Vec<OomEvent>,
    /// The log sources.
    pub sources: Vec<LogSourceStatus>,
    reports: BTreeMap<u64, Arc<OomReport>>,
    counted: Vec<CountedKills>,
    /// Times of kernel kills that a log line told of, and no sample counted yet.
    early: VecDeque<i64>,
    /// The time of the first sample. Older kills are in no count.
    pub(crate) since: Option<i64>,
    last_nth: u64,
    /// Whether only the newest events are kept, without their reports.
    is_brief: bool,
}

impl Timeline {
    /// A timeline that keeps only what the next lines of a log may change: the newest events, without their reports.
    #[must_use]
    pub fn brief() -> Self {
        Self { is_brief: true, ..Self::default() }
    }

    /// The report of this number.
    #[must_use]
    pub fn report(&self, number: u64) -> Option<&Arc<OomReport>> {
        self.reports.get(&number)
    }

    /// All reports that are kept, in the order of their numbers.
    pub fn reports(&self) -> impl Iterator<Item = &OomReport> {
        self.reports.values().map(AsRef::as_ref)
    }

    /// The event of this number.
    #[must_use]
    pub fn find(&self, nth: u64) -> Option<&OomEvent> {
        self.events.iter().find(|it| it.nth == nth)
    }

    /// Whether only a log file to which any user can write tells of this event.
    #[must_use]
    pub fn is_unproven(&self, nth: u64) -> bool {
        self.find(nth).is_some_and(|it| it.unproven)
    }

    /// Whether the kernel log is read.
    #[must_use]
    pub fn reads_kernel_log(&self) -> bool {
        self.sources
            .iter()
            .any(|it| it.source == LogSource::KernelLog && matches!(it.state, SourceState::Open(_)))
    }

    /// All events in the order of time; of a recording also those after the sample on the screen.
    #[must_use]
    pub fn all(&self) -> &[OomEvent] {
        &self.events
    }

    /// The events up to this time, in milliseconds since 1970, UTC.
    #[must_use]
    pub fn until(&self, unix_ms: i64) -> &[OomEvent] {
        &self.events[..self.events.partition_point(|it| it.unix_ms <= unix_ms)]
    }

    /// Takes out the event of this number.
    pub(crate) fn remove(&mut self, nth: u64) -> Option<OomEvent> {
        let at = self.events.iter().position(|it| it.nth == nth)?;
        Some(self.events.remove(at))
    }

    /// Adds an event in the order of time. Returns its number.
    pub(crate) fn add(&mut self, event: OomEvent) -> u64 {
        self.last_nth += 1;
        self.insert(OomEvent { nth: self.last_nth, ..event })
    }

    /// Adds an event of this number, in the order of time. An event that anybody may have written down goes before a
    /// proven one where there are too many.
    pub(crate) fn insert(&mut self, event: OomEvent) -> u64 {
        let nth = event.nth;
        let at = self.events.partition_point(|it| it.unix_ms <= event.unix_ms);
        self.events.insert(at, event);
        let unproven = self.events.iter().filter(|it| it.unproven).count();
        let most = if self.is_brief { FEW_EVENTS } else { MAX_EVENTS };
        if unproven > MAX_UNPROVEN || self.events.len() > most {
            let oldest = self.events.iter().position(|it| it.unproven);
            self.events.remove(oldest.unwrap_or(0));
        }
        nth
    }

    /// Keeps a report. Where there are too many rows of dumps, the oldest reports are dropped.
    pub(crate) fn keep(&mut self, number: u64, report: Arc<OomReport>) {
        if self.is_brief {
            return;
        }
        self.reports.insert(number, report);
        let mut rows: usize = self.reports.values().map(|report| report.tasks.len() + 1).sum();
        while rows > MAX_ROWS && self.reports.len() > 1 {
            let Some((oldest, report)) = self.reports.pop_first() else { return };
            rows -= report.tasks.len() + 1;
            for it in self.events.iter_mut().filter(|it| it.report == Some(oldest)) {
                it.report = None;
                it.said = Some(Text::new(b"its report is no longer kept"));
            }
        }
    }

    /// Takes the state of a log source.
    pub(crate) fn set_source(&mut self, source: LogSource, state: SourceState) {
        let at = self.sources.iter().position(|it| it.source == source);
        let at = at.unwrap_or_else(|| {
            let state = SourceState::Open(String::new());
            self.sources.push(LogSourceStatus { source, state, lost: 0 });
            self.sources.len() - 1
        });
        match state {
            SourceState::Lost(more) => {
                self.sources[at].lost = self.sources[at].lost.saturating_add(more);
            }
            state => self.sources[at].state = state,
        }
        self.sources.sort_by_key(|it| it.source);
    }

    /// Matches a log line of the kernel about a kill with the kills that were counted, or will be. Takes out the
    /// event of a counted kill that the line replaces.
    pub(crate) fn match_line(&mut self, unix_ms: i64, pid: Option<i32>) -> Option<OomEvent> {
        if self.since.is_none_or(|since| unix_ms < since - CLOCK_SKEW) {
            return None;
        }
        let fits = |from: i64, to: i64| unix_ms >= from - CLOCK_SKEW && unix_ms <= to + CLOCK_SKEW;
        let mut counted = self.counted.iter_mut();
        if let Some(counted) = counted.find(|it| it.left > 0 && fits(it.from, it.to)) {
            counted.left -= 1;
            return None;
        }
        // The line came after the counted kill became an event: it replaces the guess.
        let guessed = |it: &&OomEvent| {
            let EventTime::Within(span) = it.time else { return false };
            it.by == Killer::Counted && fits(it.unix_ms - span.0.cast_signed(), it.unix_ms)
        };
        let same = |it: &&OomEvent| it.victim.is_some_and(|victim| victim.pid == pid);
        let found = self.events.iter().filter(guessed).find(same);
        let found = found.or_else(|| self.events.iter().find(guessed)).map(|it| it.nth);
        let found = found.and_then(|nth| self.remove(nth));
        if found.is_none() {
            self.early.push_back(unix_ms);
            if self.early.len() > MAX_EVENTS {
                self.early.pop_front();
            }
        }
        found
    }

    /// Takes out the event of a victim that the kernel marked, which a log line about it replaces.
    pub(crate) fn take_marked(&mut self, unix_ms: i64, pid: Option<i32>) -> Option<OomEvent> {
        let is_it = |it: &&OomEvent| {
            let same = pid.is_some() && it.victim.is_some_and(|victim| victim.pid == pid);
            it.by == Killer::Marked && same && (it.unix_ms - unix_ms).abs() <= CLOCK_SKEW
        };
        let nth = self.events.iter().rev().find(is_it).map(|it| it.nth)?;
        self.remove(nth)
    }

    /// Whether a kill of this process by the kernel is known from a time near this one.
    pub(crate) fn knows_kill(&self, unix_ms: i64, pid: i32) -> bool {
        let near = |it: &OomEvent| (it.unix_ms - unix_ms).abs() <= CLOCK_SKEW && !it.guessed;
        let same = |it: &OomEvent| it.victim.is_some_and(|victim| victim.pid == Some(pid));
        self.events.iter().any(|it| it.by.is_kernel() && near(it) && same(it))
    }

    /// Takes the number of kills that the kernel counted between two times, and who was probably killed.
    pub(crate) fn count(
        &mut self,
        (from, to): (i64, i64),
        count: u64,
        guesses: Vec<OomEvent>,
        due: Millis,
    ) {
        let mut left = count;
        self.early.retain(|&line| {
            let is_it = left > 0 && line >= from - CLOCK_SKEW && line <= to + CLOCK_SKEW;
            left -= u64::from(is_it);
            !is_it && line > to - EARLY_FOR
        });
        if left > 0 {
            self.counted.push(CountedKills { from, to, left, guesses, due });
        }
    }

    /// Those who were probably killed by what was counted since this time, and of whom no log told yet. The time is
    /// in milliseconds since 1970, UTC.
    pub(crate) fn awaited_since(&self, unix_ms: i64) -> impl Iterator<Item = &OomEvent> {
        let counted = self.counted.iter().filter(move |it| it.to > unix_ms);
        counted.flat_map(|it| {
            let left = usize::try_from(it.left).unwrap_or(usize::MAX);
            self.free(it).take(left)
        })
    }

    /// The times of the counted kills that wait for a line of the log, in milliseconds since 1970, UTC.
    pub(crate) fn awaited_times(&self) -> impl Iterator<Item = i64> {
        self.counted.iter().filter(|it| it.left > 0).map(|it| it.to)
    }

    /// Whether counted kills still wait for a line of the log.
    #[must_use]
    pub fn waits(&self) -> bool {
        self.counted.iter().any(|it| it.left > 0)
    }

    /// Makes events of the counted kills that waited long enough for a log line; of all where `at_once`.
    /// Returns their numbers.
    pub(crate) fn settle(&mut self, now: Millis, at_once: bool) -> Vec<u64> {
        let (due, later): (Vec<CountedKills>, Vec<CountedKills>) =
            self.counted.drain(..).partition(|it| it.left == 0 || at_once || it.due <= now);
        self.counted = later;
        due.iter().flat_map(|counted| self.settle_one(counted)).collect()
    }

    /// The guesses about counted kills that are no known event.
    fn free<'a>(&'a self, counted: &'a CountedKills) -> impl Iterator<Item = &'a OomEvent> {
        let (from, to) = (counted.from - CLOCK_SKEW, counted.to + CLOCK_SKEW);
        let pid = |event: &OomEvent| event.victim.and_then(|victim| victim.pid);
        counted.guesses.iter().filter(move |guess| {
            let mut near = self.events.iter().filter(|it| it.unix_ms >= from && it.unix_ms <= to);
            !near.any(|it| it.victim.is_some() && pid(it) == pid(guess))
        })
    }

    fn settle_one(&mut self, counted: &CountedKills) -> Vec<u64> {
        let free: Vec<OomEvent> = self.free(counted).cloned().collect();
        let span = Millis(u64::try_from(counted.to - counted.from).unwrap_or(0));
        let unknown =
            std::iter::repeat_with(|| OomEvent::new(Killer::Counted, 0, EventTime::Order));
        let count = usize::try_from(counted.left).unwrap_or(usize::MAX).min(MAX_LOOKUPS);
        let events = free.into_iter().chain(unknown).take(count);
        let events = events.map(|event| OomEvent {
            unix_ms: counted.to,
            time: EventTime::Within(span),
            ..event
        });
        events.collect::<Vec<_>>().into_iter().map(|event| self.add(event)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kill(by: Killer, unix_ms: i64) -> OomEvent {
        OomEvent::new(by, unix_ms, EventTime::Live)
    }

    #[test]
    fn a_brief_timeline_keeps_the_newest_events_and_no_report() {
        let mut timeline = Timeline::brief();
        for ms in 0..1000 {
            timeline.keep(ms as u64, Arc::new(OomReport::default()));
            timeline.add(kill(Killer::Memcg, ms));
        }
        assert_eq!((timeline.all().len(), timeline.reports().count()), (FEW_EVENTS, 0));
        assert_eq!(timeline.all().last().map(|it| it.unix_ms), Some(999));
    }

    #[test]
    fn lines_that_anybody_may_write_push_no_proven_kill_out() {
        let mut timeline = Timeline::default();
        let first = timeline.add(kill(Killer::Machine, 10));
        let count = |timeline: &Timeline| timeline.events.iter().filter(|it| it.unproven).count();
        for ms in 0..6000 {
            timeline.add(OomEvent { unproven: true, ..kill(Killer::Earlyoom, ms) });
        }
        assert!(timeline.find(first).is_some());
        assert_eq!((timeline.all().len(), count(&timeline)), (MAX_UNPROVEN + 1, MAX_UNPROVEN));
        let last = timeline.all().last().expect("an event");
        assert_eq!((last.unix_ms, timeline.is_unproven(last.nth)), (5999, true), "the newest stay");
        // And where there are too many proven ones, the others go first.
        for ms in 6000..6000 + MAX_EVENTS as i64 - 1 {
            timeline.add(kill(Killer::Memcg, ms));
        }
        assert!(timeline.find(first).is_some() && count(&timeline) == 0);
        assert_eq!(timeline.all().len(), MAX_EVENTS);
    }
}
