//! Follows samples without a screen, and finds the kills in them.

use std::sync::Arc;

use crate::events::RecordedLog;
use crate::forecast::next_death::{DeathForecaster, Deaths, PredictionLog};
use crate::kills::collector::{KillContext, NewKills};
use crate::kills::timeline::Timeline;
use crate::model::{LogLine, OomEvent, SampleHistory, Scene};
use crate::policy::Policy;
use crate::units::Millis;

/// A counted kill waits for a line of the log until the first sample that is so much later: a report may go on in the
/// sample after it.
pub(crate) const LINE_WAIT: Millis = Millis(500);

/// The samples of this time are kept, to be looked up when a log tells of a kill late; at least those of so many
/// intervals.
const KEPT: (Millis, u64) = (Millis(10_000), 3);

/// Maximum memory for them, in bytes.
const MAX_BYTES: usize = 64 << 20;

/// What became known of kills, in the order in which it is told.
#[derive(Clone, Debug, PartialEq)]
pub enum KillNews {
    /// A kill.
    Kill(OomEvent),
    /// A log tells more of a kill than was told before.
    Corrected {
        /// What was told.
        before: Box<OomEvent>,
        /// What is known now.
        now: OomEvent,
    },
    /// A log takes back what it told: a dry run, or a signal that could not be sent.
    Retracted(OomEvent),
}

impl KillNews {
    /// The kill as it is known now.
    #[must_use]
    pub const fn event(&self) -> &OomEvent {
        match self {
            Self::Kill(event) | Self::Corrected { now: event, .. } | Self::Retracted(event) => {
                event
            }
        }
    }
}

/// The predictions and the kills of samples that are taken one after the other.
pub struct KillFollower {
    past: SampleHistory,
    forecaster: DeathForecaster,
    predictions: PredictionLog,
    deaths: Deaths,
    log: RecordedLog,
    timeline: Timeline,
    /// When the newest sample was taken.
    last: Option<Millis>,
}

impl Default for KillFollower {
    fn default() -> Self {
        Self {
            past: SampleHistory::new(KEPT.0, MAX_BYTES),
            forecaster: DeathForecaster::default(),
            predictions: PredictionLog::default(),
            deaths: Deaths::default(),
            log: RecordedLog::default(),
            timeline: Timeline::default(),
            last: None,
        }
    }
}

impl KillFollower {
    /// Takes the newest sample of a scene. Returns what became known of kills: by its log lines, and by the counter
    /// where no line came. `policy` ranks the victims; `waits`: whether a line may still come for a counted kill.
    pub fn take(&mut self, scene: &Scene, policy: &dyn Policy, waits: bool) -> Vec<KillNews> {
        let now = scene.snapshot();
        self.forecaster.observe(scene);
        self.deaths = self.forecaster.predict(scene);
        self.predictions.note_sample(now.clock.unix_ms, &self.deaths, scene);
        let at = now.clock.monotonic_ms;
        let interval = self.last.map_or(Millis::ZERO, |last| at.saturating_sub(last));
        self.past.set_span(KEPT.0.max(Millis(interval.0.saturating_mul(KEPT.1))));
        let (nth, _) = self.past.push(Arc::clone(&now));
        let context = KillContext {
            past: &self.past,
            policy,
            predictions: &self.predictions,
            has_samples: true,
        };
        // Another run of a recording begins: no line of the last one follows.
        let goes_on = self.last.replace(at).is_none_or(|last| at > last);
        let updates = self.log.take(&now.log);
        let mut new = self.timeline.take_log(updates, context);
        let due = Millis(at.0.saturating_add(LINE_WAIT.0));
        self.timeline.take_counters(nth, &now, due, context);
        new.found.extend(self.timeline.settle(at, !(waits && goes_on)));
        self.news(new)
    }

    /// Takes lines of logs that came after the newest sample. Returns what they tell of kills.
    pub fn take_lines(&mut self, lines: &[LogLine], policy: &dyn Policy) -> Vec<KillNews> {
        let updates = self.log.take(lines);
        let context = KillContext {
            past: &self.past,
            policy,
            predictions: &self.predictions,
            has_samples: true,
        };
        let new = self.timeline.take_log(updates, context);
        self.news(new)
    }

    /// No more samples will come. Returns the kills that waited for a line of a log.
    pub fn finish(&mut self) -> Vec<KillNews> {
        let found = self.timeline.settle(Millis::ZERO, true);
        self.news(NewKills { found, ..NewKills::default() })
    }

    /// The kills that [`finish`](Self::finish) would tell of now.
    #[must_use]
    pub fn unfinished(&self) -> Vec<OomEvent> {
        let mut timeline = self.timeline.clone();
        let found = timeline.settle(Millis::ZERO, true);
        let kills = found.into_iter().filter_map(|nth| timeline.find(nth).cloned());
        kills.filter(OomEvent::is_kill).collect()
    }

    /// Whether a kill waits for a line of a log.
    #[must_use]
    pub fn waits(&self) -> bool {
        self.timeline.waits()
    }

    fn news(&self, new: NewKills) -> Vec<KillNews> {
        let find = |nth: u64| self.timeline.find(nth).filter(|it| it.is_kill()).cloned();
        let changed =
            new.changed.into_iter().filter(|it| it.before.is_news() && it.before.is_kill());
        let changed = changed.filter_map(|change| match change.now {
            Some(now) => {
                let before = Box::new(change.before);
                Some(KillNews::Corrected { before, now: find(now)? })
            }
            None => Some(KillNews::Retracted(change.before)),
        });
        let found = new.found.into_iter().filter_map(find).map(KillNews::Kill);
        changed.chain(found).collect()
    }

    /// Whether a domain may be full soon, by the last samples: more of them may tell who dies.
    #[must_use]
    pub fn is_filling(&self) -> bool {
        self.forecaster.is_filling()
    }

    /// What is predicted at the newest sample.
    #[must_use]
    pub const fn deaths(&self) -> &Deaths {
        &self.deaths
    }

    /// The kills so far, with those that wait for a line of the log.
    #[must_use]
    pub fn settled(&self) -> Timeline {
        let mut timeline = self.timeline.clone();
        timeline.settle(Millis::ZERO, true);
        timeline
    }

    /// The kills so far.
    #[must_use]
    pub const fn timeline(&self) -> &Timeline {
        &self.timeline
    }
}
