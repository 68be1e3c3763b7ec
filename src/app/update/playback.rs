//! Which sample is on the screen: now, an earlier one, or the next of a recording.

use std::sync::Arc;

use crate::app::App;
use crate::app::mode::Mode;
use crate::app::refresh::playback::Playing;
use crate::model::{SampleIndex, Scene, Snapshot};
use crate::units::Millis;

/// So many looks before the one that is gone to are taken in first: how things grow, and who was killed
/// just now, follows from them.
const RUN_UP: u64 = 4;

/// Growth is told over so long.
const MINUTE: Millis = Millis(60_000);

/// A replay that lags shows at most so many looks at once, and jumps where there are more.
const CATCH_UP: u64 = 16;

impl App {
    /// The time of the newest look, in milliseconds since 1970: of what is done now, whatever the screen
    /// shows.
    #[must_use]
    pub fn now_unix_ms(&self) -> i64 {
        self.playback.history.last().map_or(0, |moment| moment.unix_ms)
    }

    /// Takes a new look: it is kept, and shown where the screen stands at now.
    pub(crate) fn take_sample(&mut self, sample: Arc<Snapshot>) {
        let (nth, before) = self.playback.keep(&sample);
        self.note_counted_kills(nth, &sample);
        if self.shows_other_sample() {
            self.spent = before;
            return;
        }
        self.playback.at = Some(nth);
        self.spent = self.show_sample(sample);
    }

    /// Takes a look of a recording that is played later: it is kept, and not shown.
    pub(crate) fn take_played(&mut self, mut sample: Arc<Snapshot>) {
        self.playback.join(&mut sample);
        let (nth, _) = self.playback.keep(&sample);
        if !sample.users.is_empty() {
            self.names.learn_users(Arc::clone(&sample.users));
        }
        self.note_counted_kills(nth, &sample);
        (self.playback.film, self.playback.gone_back) = (true, true);
        if self.playback.at.is_none() {
            self.show(nth);
            self.play();
        }
    }

    /// The recording was read to its end.
    pub(crate) const fn all_played(&mut self) {
        self.playback.all_read = true;
        self.views.memory.show_all();
    }

    /// Shows an earlier look, or a later one; its rows stand in its own order at once.
    pub(crate) fn show(&mut self, nth: SampleIndex) {
        self.load_sample(nth);
        if !self.mode.is_dialog() {
            self.arrange();
        }
    }

    fn load_sample(&mut self, nth: SampleIndex) {
        let at = self.playback.at;
        if at == Some(nth) && self.scene.is_some() {
            return;
        }
        let Some(sample) = self.playback.past.sample(nth) else { return };
        self.playback.at = Some(nth);
        if self.scene.is_some() && at.is_some_and(|at| at.0 + 1 == nth.0) {
            self.show_sample(sample);
            return;
        }
        let scope = match &self.scene {
            Some(scene) => scene.scope().clone(),
            None => self.settings.scope.clone(),
        };
        let oldest = self.playback.past.oldest().unwrap_or(nth);
        self.scene = None;
        for nth in nth.0.saturating_sub(RUN_UP).max(oldest.0)..nth.0 {
            let Some(sample) = self.playback.past.sample(SampleIndex(nth)) else { continue };
            match &mut self.scene {
                Some(scene) => _ = scene.advance(sample),
                None => self.scene = Some(Scene::scoped(sample, None, scope.clone())),
            }
        }
        // How everybody grew in a minute goes further back than that.
        let ago = self.playback.past.time(nth).map(|at| at.saturating_sub(MINUTE));
        let then = ago.and_then(|ago| self.playback.past.at(ago)).unwrap_or(oldest);
        if let (Some(scene), Some(sample)) = (&mut self.scene, self.playback.past.sample(then)) {
            scene.set_growth_baseline(&sample);
        }
        // The one before it is ranked, to tell who moved.
        self.rank();
        self.show_sample(sample);
    }

    /// Where [`crate::app::keymap::bindings::Action::Now`] leads: a recording has no now.
    #[must_use]
    pub const fn newest_word(&self) -> &'static str {
        if self.playback.film { "end" } else { "now" }
    }

    /// Shows this look; the newest one of a living machine is now.
    pub(crate) fn go_to_sample(&mut self, to: SampleIndex) {
        self.drop_report();
        self.playback.playing = None;
        self.playback.gone_back = true;
        self.show(to);
        if !self.playback.film && self.playback.past.newest() == Some(to) && !self.playback.paused {
            self.playback.gone_back = false;
        }
    }

    /// Shows the look of this time on the clock that never jumps, or the nearest that is kept.
    pub fn go_to_time(&mut self, time: Millis) {
        let nth = self.playback.past.at(time).or(self.playback.past.oldest());
        if let Some(nth) = nth {
            self.go_to_sample(nth);
        }
    }

    /// Plays a recording from where it stands.
    pub(crate) fn play(&mut self) {
        let from = self.playback.at.and_then(|at| self.playback.past.time(at));
        self.playback.playing = from.map(|from| Playing { since: self.now, from });
    }

    /// Moves a playing recording to where it should be by now.
    pub(crate) fn keep_playing(&mut self) {
        let (Some(playing), Some(at)) = (self.playback.playing, self.playback.at) else { return };
        let time = &self.playback;
        if time.all_read && time.past.newest() == Some(at) {
            self.playback.playing = None;
            return;
        }
        let gone = time.speed.of(self.now.saturating_sub(playing.since));
        let there = Millis(playing.from.0.saturating_add(gone.0));
        let target = time.past.at(there).filter(|target| *target > at);
        let skips = target.is_none() && time.before_pause(at, there);
        let Some(target) = target.or(skips.then_some(SampleIndex(at.0 + 1))) else { return };
        // A dialog stands still, and so does what it speaks of.
        if !matches!(
            self.mode,
            Mode::Browse | Mode::GoTo(_) | Mode::Explain(_) | Mode::Commitments(_)
        ) {
            return self.play();
        }
        if target.0 - at.0 > CATCH_UP {
            return self.show(target);
        }
        (at.0 + 1..=target.0).for_each(|nth| self.show(SampleIndex(nth)));
        if skips {
            self.play();
        }
    }
}
