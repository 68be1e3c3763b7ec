//! The forecasters of the next death: one follows the newest samples, one follows the screen through a
//! recording or the past.

use std::sync::Arc;

use crate::forecast::next_death::{DeathForecaster, Deaths, PredictionLog};
use crate::model::{SampleHistory, SampleIndex, Scene, Snapshot, UsageReading};
use crate::units::Millis;

/// A jump in time is followed by this much of what came before: the forecaster looks back no further.
const WARM_UP: Millis = Millis(120_000);

/// Minimum and maximum number of samples that are taken after a jump.
const WARM_UP_SAMPLES: (u64, u64) = (8, 120);

/// Number of process rows that are taken after a jump: on a large machine fewer samples, so that the jump
/// stays fast.
const WARM_UP_ROWS: u64 = 60_000;

/// The forecasters, and how far the second one got.
#[derive(Default)]
pub struct DeathTracking {
    /// Follows the newest sample of a live machine, and the samples of a recording as they are read, whatever the
    /// screen shows.
    pub(crate) newest: DeathForecaster,
    /// What was read since the newest sample: the next one takes it along.
    pub(crate) readings: Vec<UsageReading>,
    /// What was predicted lately: kills are compared with it.
    pub(crate) log: PredictionLog,
    /// The samples of a recording as they are read, which may be long before they are shown.
    read: Option<Scene>,
    /// Whether readings changed the headline since it was asked last.
    pub(crate) headline_changed: bool,
    replayed: DeathForecaster,
    replayed_to: Option<SampleIndex>,
}

impl DeathTracking {
    /// Predicts by the newest sample of a live machine, and keeps what was said.
    pub(crate) fn predict_newest(&mut self, scene: &Scene) -> Deaths {
        let deaths = self.newest.predict(scene);
        self.log.note_sample(self.unix_ms(scene), &deaths, scene);
        deaths
    }

    /// The same with the readings since that sample.
    pub(crate) fn predict_by_readings(&mut self, scene: &Scene) -> Deaths {
        let deaths = self.newest.predict(scene);
        self.log.note(self.unix_ms(scene), &deaths);
        deaths
    }

    /// Follows the samples of a recording as they are read: the kills in it are compared with what was predicted, as
    /// they were on the live machine.
    pub(crate) fn take_played(&mut self, sample: &Arc<Snapshot>) {
        let scene = match self.read.take() {
            Some(mut scene) => {
                scene.advance(Arc::clone(sample));
                scene
            }
            None => Scene::new(Arc::clone(sample), None),
        };
        self.newest.observe(&scene);
        let deaths = self.newest.predict(&scene);
        self.log.note_sample(sample.clock.unix_ms, &deaths, &scene);
        self.read = Some(scene);
    }

    /// A recording was read to its end.
    pub(crate) fn end_played(&mut self) {
        self.read = None;
    }

    /// The time of the newest reading, in milliseconds since 1970, UTC.
    fn unix_ms(&self, scene: &Scene) -> i64 {
        let clock = scene.now().clock;
        let later = self.newest.now().saturating_sub(clock.monotonic_ms);
        clock.unix_ms.saturating_add_unsigned(later.0)
    }

    /// The forecaster at a sample that is not the newest of a live machine. `scene` shows it.
    pub(crate) fn replay(
        &mut self,
        past: &SampleHistory,
        at: SampleIndex,
        scene: &Scene,
    ) -> &DeathForecaster {
        if self.replayed_to != Some(at) {
            if self.replayed_to.is_none_or(|last| last.0 + 1 != at.0) {
                self.replayed = warmed_up(past, at, scene.now().processes.len());
            }
            self.replayed.observe(scene);
            self.replayed_to = Some(at);
        }
        &self.replayed
    }
}

/// A forecaster that has taken the samples before this one.
fn warmed_up(past: &SampleHistory, at: SampleIndex, rows: usize) -> DeathForecaster {
    let (least, most) = WARM_UP_SAMPLES;
    let count = (WARM_UP_ROWS / (rows as u64).max(1)).clamp(least, most);
    let oldest = past.oldest().unwrap_or(at).0.max(at.0.saturating_sub(count));
    let newest = past.time(at).or_else(|| past.time(past.newest()?));
    let since = newest.map_or(Millis::ZERO, |now| now.saturating_sub(WARM_UP));
    let mut forecaster = DeathForecaster::default();
    let mut scene: Option<Scene> = None;
    for nth in (oldest..at.0).map(SampleIndex) {
        let is_recent = past.time(nth).is_some_and(|time| time >= since);
        let Some(sample) = past.sample(nth).filter(|_| is_recent) else { continue };
        if let Some(scene) = &mut scene {
            scene.advance(sample);
        } else {
            scene = Some(Scene::new(sample, None));
        }
        if let Some(scene) = &scene {
            forecaster.observe(scene);
        }
    }
    forecaster
}
