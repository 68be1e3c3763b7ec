//! Predicts the next death at the sample on the screen and between two samples.

use std::sync::Arc;

use crate::app::{App, Request};
use crate::forecast::next_death::Deaths;
use crate::forecast::race::Race;
use crate::model::{ProcId, Snapshot, Text, UsageReading};
use crate::units::Adj;
use crate::words::death_details::futile_kill;
use crate::words::next_death::{after_change, headline_text};

/// Maximum number of readings that a sample takes along.
const MAX_READINGS: usize = 4096;

impl App {
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
        let first = |deaths: &Deaths| deaths.next.as_ref()?.first().map(|it| it.id);
        if first(&before) != first(&self.deaths) {
            self.follow_headline();
        }
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
