//! Predicts the next death at the sample on the screen.

use crate::app::App;
use crate::forecast::next_death::Deaths;

impl App {
    /// Predicts the next death at the sample on the screen. A report has no future.
    pub(crate) fn predict_deaths(&mut self) {
        let Some(scene) = self.scene.as_ref().filter(|_| self.incidents.report.is_none()) else {
            self.deaths = Deaths::default();
            return;
        };
        let (playback, tracking) = (&self.playback, &mut self.refresh.deaths);
        let is_newest = playback.at == playback.past.newest();
        let forecaster = match playback.at {
            Some(at) if playback.recorded || !self.start.live || !is_newest => {
                tracking.replay(&playback.past, at, scene)
            }
            _ => {
                tracking.newest.observe(scene);
                &tracking.newest
            }
        };
        self.deaths = forecaster.predict(scene);
    }
}
