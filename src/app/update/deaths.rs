//! Predicts the next death at the sample on the screen and between two samples, and says of the kills of the
//! demo how long before each its victim was named.

use std::sync::Arc;

use crate::app::incident::event_text::victim_text;
use crate::app::{ActingMode, App, Request};
use crate::forecast::next_death::Deaths;
use crate::forecast::race::Race;
use crate::model::{ProcId, SampleIndex, Snapshot, Text, UsageReading};
use crate::units::{Adj, Millis};
use crate::words::death_details::futile_kill;
use crate::words::next_death::{after_change, headline_text};

/// Maximum number of readings that a sample takes along.
const MAX_READINGS: usize = 4096;

/// Maximum number of candidates among which a victim counts as named.
const MAX_CANDIDATES: usize = 3;

/// A kill, and whether it was predicted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DemoKill {
    /// The killer, as the subject of a sentence.
    pub by: &'static str,
    /// The victim.
    pub who: String,
    /// For how long before the kill the victim was named first, at each sample; `None` where the sample before
    /// the kill did not name it.
    pub lead: Option<Millis>,
}

impl App {
    /// Remembers whom the headline names at the sample on the screen.
    pub(crate) fn remember_named(&mut self) {
        let Some(at) = self.playback.at.filter(|_| self.start.acting == ActingMode::Demo) else {
            return;
        };
        let next = self.deaths.next.as_ref();
        let next = next.filter(|death| death.candidates.len() <= MAX_CANDIDATES);
        let first = next.and_then(|death| death.candidates.first());
        self.incidents.named.insert(at, first.map(|candidate| candidate.id.pid));
    }

    /// The kills up to the sample on the screen, and for how long before each its victim was named.
    #[must_use]
    pub fn demo_kills(&self) -> Vec<DemoKill> {
        let kills = self.shown_kills().iter().filter(|event| event.is_kill());
        kills
            .map(|event| {
                let pid = event.victim.and_then(|victim| victim.pid);
                let last = self.sample_before_kill(event).filter(|_| pid.is_some());
                let names = |nth: &u64| self.incidents.named.get(&SampleIndex(*nth)) == Some(&pid);
                let since = last.and_then(|last| (0..=last.0).rev().take_while(names).last());
                let since = since.and_then(|nth| self.playback.past.facts(SampleIndex(nth)));
                let lead = since.map(|since| {
                    let ms = event.unix_ms.saturating_sub(since.clock.unix_ms);
                    Millis(u64::try_from(ms).unwrap_or(0))
                });
                DemoKill { by: event.by.name(), who: victim_text(event), lead }
            })
            .collect()
    }

    /// Predicts the next death at the sample on the screen. A report has no future.
    pub(crate) fn predict_deaths(&mut self) {
        let Some(scene) = self.scene.as_ref().filter(|_| self.incidents.report.is_none()) else {
            self.deaths = Deaths::default();
            return;
        };
        let (playback, tracking) = (&self.playback, &mut self.refresh.deaths);
        let is_newest = playback.at == playback.past.newest();
        self.deaths = match playback.at {
            Some(at) if playback.recorded || !self.start.live || !is_newest => {
                tracking.replay(&playback.past, at, scene).predict(scene)
            }
            _ => {
                tracking.newest.observe(scene);
                tracking.predict_newest(scene)
            }
        };
    }

    /// What another adj of these processes does to the death that the headline shows, as a sentence.
    pub(crate) fn death_after_adj(&mut self, changed: &[ProcId], to: Adj) -> Option<String> {
        let before = self.deaths.next.as_ref().filter(|it| it.when.is_some())?;
        let scene = self.scene.as_ref().filter(|_| self.incidents.report.is_none())?;
        let then = scene.with_adj(|process| changed.contains(&process.id).then_some(to));
        let shows_now = self.start.live && !self.shows_other_sample();
        let tracking = &mut self.refresh.deaths;
        let deaths = match self.playback.at {
            Some(at) if !shows_now => {
                tracking.replay(&self.playback.past, at, scene).predict(&then)
            }
            _ => tracking.newest.predict(&then),
        };
        let after = deaths.list.iter().find(|it| it.domain == before.domain && it.by == before.by);
        Some(after_change(before, after))
    }

    /// The domains whose usage should be read until the next sample.
    #[must_use]
    pub fn near_domains(&self) -> Vec<Arc<Text>> {
        if self.start.live { self.refresh.deaths.newest.near() } else { Vec::new() }
    }

    /// Takes what was read since the newest sample. The headline follows, where it is about now.
    pub(crate) fn take_usage_readings(&mut self, readings: Vec<UsageReading>) -> Vec<Request> {
        let tracking = &mut self.refresh.deaths;
        tracking.newest.observe_readings(&readings);
        tracking.readings.extend(readings);
        tracking.readings.truncate(MAX_READINGS);
        let shows_now = !self.shows_other_sample() && self.incidents.report.is_none();
        let scene = if shows_now { &self.scene } else { &self.refresh.unshown };
        let Some(scene) = scene else { return Vec::new() };
        let deaths = self.refresh.deaths.predict_by_readings(scene);
        if !shows_now {
            return self.alarms_between_samples(Some(&deaths));
        }
        let before = std::mem::replace(&mut self.deaths, deaths);
        let text = |deaths: &Deaths| {
            let death = deaths.next.as_ref()?;
            Some(headline_text(&self.context()?, death))
        };
        let changed = text(&before) != text(&self.deaths);
        self.refresh.deaths.headline_changed |= changed;
        self.alarms_between_samples(None)
    }

    /// Gives a new sample what was read before it.
    pub fn add_usage_readings(&mut self, sample: &mut Arc<Snapshot>) {
        let readings = std::mem::take(&mut self.refresh.deaths.readings);
        if !readings.is_empty() {
            Arc::make_mut(sample).usage_readings = readings;
        }
    }

    /// Whether the headline changed between two samples since this was asked last.
    pub const fn take_headline_change(&mut self) -> bool {
        std::mem::replace(&mut self.refresh.deaths.headline_changed, false)
    }

    /// Follows the race for the next kill, where a death is near or a panel shows it: once a sample, and again
    /// when another domain comes first.
    pub(crate) fn watch_race(&mut self) {
        let death = self.deaths.next.as_ref();
        let Some(scene) = self.scene.as_ref().filter(|_| self.incidents.report.is_none()) else {
            self.race = None;
            return;
        };
        if death.is_none() && self.display.viewport.panels == 0 {
            self.race = None;
            return;
        }
        let domain = death.map_or(&scene.domain().name, |death| &death.domain);
        let at = scene.now().clock.monotonic_ms;
        let known = self.race.as_ref().is_some_and(|race| {
            race.at == at && race.domain == *domain && race.at_limit == death.is_some()
        });
        if !known {
            self.futile_kill = death.and_then(|death| futile_kill(scene, death));
            self.race = Some(Race::of(scene, &self.playback.past, death, self.race.take()));
        }
    }
}
