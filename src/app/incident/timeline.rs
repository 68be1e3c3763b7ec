//! Every kill that was heard of, one line each: what the logs tell, what the counters tell where no log
//! does, and never the same kill twice.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use crate::app::incident::prediction::{STORM, VictimGuess};
use crate::events::OomReport;
use crate::model::{EventTime, Killer, LogSource, OomEvent, PredictionResult, SourceState, Text};
use crate::units::Millis;
use crate::words::incident::DumpContext;

/// Kills that the kernel counted between two looks, and no line told of yet.
#[derive(Clone, Debug)]
struct CountedKills {
    /// Between these two times, milliseconds since 1970, UTC.
    from: i64,
    to: i64,
    /// So many are not told of.
    left: u64,
    /// Who that may have been, the likeliest first.
    guesses: Vec<VictimGuess>,
    /// Then they are told without a line.
    due: Millis,
}

/// What is known of one ear.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogSourceStatus {
    /// Which.
    pub source: LogSource,
    /// Whether and what it hears.
    pub state: SourceState,
    /// So many lines were lost.
    pub lost: u64,
}

/// The kills, the oldest first, and where the view of them stands.
#[derive(Clone, Debug, Default)]
pub struct Timeline {
    /// Every one.
    pub events: Vec<OomEvent>,
    /// Where they are heard of.
    pub sources: Vec<LogSourceStatus>,
    /// Only kills, and not what was done from here.
    pub kills_only: bool,
    /// The cursor's line.
    pub cursor: usize,
    /// The first line on the screen.
    pub top: usize,
    /// The line that the cursor holds to; nothing: the newest.
    pub(crate) held: Option<TimelineEntry>,
    /// Since the view was on the screen so many are new.
    pub unseen: usize,
    /// Those that only a log file tells of, where anybody may write.
    pub(crate) unproven: BTreeSet<u64>,
    reports: BTreeMap<u64, Arc<OomReport>>,
    counted: Vec<CountedKills>,
    /// Times of the kernel's kills that were heard of, and not counted yet.
    early: VecDeque<i64>,
    /// The time of the first look: what is older was counted before.
    pub(crate) since: Option<i64>,
    next: u64,
}

/// A line of the view.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimelineEntry {
    /// The happening of this number.
    Kill(u64),
    /// A line of the session's journal, by its place.
    Act(usize),
}

/// So many are kept.
const MOST: usize = 4096;

/// So many rows of dumps are kept; the oldest reports go first.
const ROWS: usize = 200_000;

/// Clocks of lines and looks differ by so much at most, in milliseconds.
const SLACK: i64 = 1500;

impl Timeline {
    /// The report of this number.
    #[must_use]
    pub fn report(&self, number: u64) -> Option<&Arc<OomReport>> {
        self.reports.get(&number)
    }

    /// What the reports tell together.
    #[must_use]
    pub fn common(&self) -> DumpContext {
        DumpContext {
            kernel: self.reports.values().find_map(|report| report.kernel.clone()),
            swap: self.reports.values().find_map(|report| report.swap_total),
        }
    }

    /// The happening of this number.
    #[must_use]
    pub fn find(&self, nth: u64) -> Option<&OomEvent> {
        self.events.iter().find(|it| it.nth == nth)
    }

    /// Whether this one is told of only where anybody may write.
    #[must_use]
    pub fn is_unproven(&self, nth: u64) -> bool {
        self.unproven.contains(&nth)
    }

    /// Whether the kernel's log is heard.
    #[must_use]
    pub fn hears_kernel(&self) -> bool {
        self.sources
            .iter()
            .any(|it| it.source == LogSource::KernelLog && matches!(it.state, SourceState::Open(_)))
    }

    /// Whether somebody was killed since doomtop began.
    #[must_use]
    pub fn has_new(&self) -> bool {
        self.events.iter().any(|it| matches!(it.time, EventTime::Live | EventTime::Within(_)))
    }

    /// Adds one, in the order of time.
    pub(crate) fn add(&mut self, mut happening: OomEvent) -> u64 {
        self.next += 1;
        happening.nth = self.next;
        let nth = happening.nth;
        let at = self.events.partition_point(|it| it.unix_ms <= happening.unix_ms);
        self.events.insert(at, happening);
        if self.events.len() > MOST {
            self.events.remove(0);
        }
        nth
    }

    /// Keeps a report; dumps that are too many go, the oldest first.
    pub(crate) fn keep(&mut self, number: u64, report: Arc<OomReport>) {
        self.reports.insert(number, report);
        let mut rows: usize = self.reports.values().map(|report| report.tasks.len() + 1).sum();
        while rows > ROWS && self.reports.len() > 1 {
            let Some((oldest, report)) = self.reports.pop_first() else { return };
            rows -= report.tasks.len() + 1;
            for it in self.events.iter_mut().filter(|it| it.report == Some(oldest)) {
                it.report = None;
                it.said = Some(Text::new(b"its report is no longer kept"));
            }
        }
    }

    /// Takes in how an ear hears.
    pub(crate) fn hear(&mut self, ear: LogSource, hearing: SourceState) {
        match (self.sources.iter_mut().find(|it| it.source == ear), hearing) {
            (Some(source), SourceState::Lost(more)) => {
                source.lost = source.lost.saturating_add(more)
            }
            (Some(source), hearing) => source.state = hearing,
            (None, SourceState::Lost(lost)) => {
                self.sources.push(LogSourceStatus {
                    source: ear,
                    state: SourceState::Open(String::new()),
                    lost,
                });
            }
            (None, hearing) => {
                self.sources.push(LogSourceStatus { source: ear, state: hearing, lost: 0 })
            }
        }
        self.sources.sort_by_key(|it| it.source);
    }

    /// A line of the kernel's told of a kill at this time: one that was counted, or will be.
    pub(crate) fn told_at(&mut self, unix_ms: i64, pid: Option<i32>) {
        if self.since.is_none_or(|since| unix_ms < since - SLACK) {
            return;
        }
        let fits = |from: i64, to: i64| unix_ms >= from - SLACK && unix_ms <= to + SLACK;
        if let Some(counted) =
            self.counted.iter_mut().find(|it| it.left > 0 && fits(it.from, it.to))
        {
            counted.left -= 1;
            return;
        }
        // It came later than the grace lasted: what was guessed meanwhile gives way.
        let guessed = |it: &&OomEvent| {
            let EventTime::Within(span) = it.time else { return false };
            it.by == Killer::Counted && fits(it.unix_ms - span.0.cast_signed(), it.unix_ms)
        };
        let same = |it: &&OomEvent| it.victim.is_some_and(|victim| victim.pid == pid);
        let found = self.events.iter().filter(guessed).find(same);
        let found = found.or_else(|| self.events.iter().find(guessed)).map(|it| it.nth);
        match found {
            Some(nth) => self.events.retain(|it| it.nth != nth),
            None => {
                self.early.push_back(unix_ms);
                if self.early.len() > MOST {
                    self.early.pop_front();
                }
            }
        }
    }

    /// So many kills were counted between two times, and who may have been killed.
    pub(crate) fn count(
        &mut self,
        from: i64,
        to: i64,
        count: u64,
        guesses: Vec<VictimGuess>,
        due: Millis,
    ) {
        let mut left = count;
        self.early.retain(|&told| {
            let is_it = left > 0 && told >= from - SLACK && told <= to + SLACK;
            left -= u64::from(is_it);
            // What no count ever claims is forgotten.
            !is_it && told > to - 60_000
        });
        if left > 0 {
            self.counted.push(CountedKills { from, to, left, guesses, due });
        }
    }

    /// What was counted and waited long enough becomes a line; their numbers come back.
    pub(crate) fn settle(&mut self, now: Millis, at_once: bool) -> Vec<u64> {
        let mut told = Vec::new();
        let (due, later): (Vec<CountedKills>, Vec<CountedKills>) =
            self.counted.drain(..).partition(|it| it.left == 0 || at_once || it.due <= now);
        self.counted = later;
        for counted in due {
            let known = |guess: &VictimGuess| {
                self.events.iter().any(|it| {
                    it.unix_ms >= counted.from - SLACK
                        && it.unix_ms <= counted.to + SLACK
                        && it.victim.is_some_and(|victim| victim.pid == guess.victim.pid)
                })
            };
            let free: Vec<VictimGuess> =
                counted.guesses.iter().filter(|guess| !known(guess)).cloned().collect();
            let mut guesses = free.into_iter();
            for _ in 0..counted.left.min(STORM as u64) {
                let guess = guesses.next();
                let span = u64::try_from(counted.to - counted.from).unwrap_or(0);
                let happening = OomEvent {
                    nth: 0,
                    unix_ms: counted.to,
                    time: EventTime::Within(Millis(span)),
                    by: Killer::Counted,
                    victim: guess.as_ref().map(|it| it.victim),
                    guessed: guess.is_some(),
                    domain: guess.as_ref().and_then(|it| it.domain.clone()),
                    cgroup: guess.as_ref().and_then(|it| it.cgroup.clone()),
                    prediction: guess.map_or(PredictionResult::NoSample, |it| it.foreseen),
                    report: None,
                    said: None,
                };
                told.push(self.add(happening));
            }
        }
        told
    }
}
