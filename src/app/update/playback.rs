//! Which sample is on the screen: now, an earlier one, or the next of a recording.

use std::sync::Arc;

use crate::app::mode::Mode;
use crate::app::refresh::playback::Playing;
use crate::app::session::notice::NoticeLevel;
use crate::app::{ActingMode, App};
use crate::kills::NewKills;
use crate::model::{SampleIndex, Scene, Snapshot};
use crate::rows::time::{named_span, parse_date, parse_time, written};
use crate::units::Millis;

/// Number of samples before the shown one that are taken first: growth and recent kills follow from them.
const SAMPLES_BEFORE: u64 = 4;

/// Growth is computed over this time.
const GROWTH_TIME: Millis = Millis(60_000);

/// Maximum number of samples that a replay shows one after the other to catch up. It skips more.
const MAX_CATCH_UP: u64 = 16;

impl App {
    /// The time of the newest sample, in milliseconds since 1970, UTC: the time of what is done now, whatever
    /// the screen shows.
    #[must_use]
    pub fn now_unix_ms(&self) -> i64 {
        self.playback.history.last().map_or(0, |moment| moment.unix_ms)
    }

    /// Keeps a new sample, and shows it where the screen shows the newest one.
    pub(crate) fn take_sample(&mut self, sample: Arc<Snapshot>) {
        // The memory in a recording is that of another machine, or of another time.
        self.playback.past.set_memory_short(self.start.live && sample.memory.is_short());
        let (nth, before) = self.playback.keep(&sample);
        self.take_counters(nth, &sample);
        if self.shows_other_sample() {
            self.spent = before;
            return;
        }
        self.playback.at = Some(nth);
        self.spent = self.show_sample(sample);
    }

    /// Keeps a sample of a recording, to be shown when its time has come.
    pub(crate) fn take_played(&mut self, mut sample: Arc<Snapshot>) {
        self.playback.join(&mut sample);
        let (nth, _) = self.playback.keep(&sample);
        if !sample.users.is_empty() {
            self.names.learn_users(Arc::clone(&sample.users));
        }
        (self.playback.recorded, self.playback.gone_back) = (true, true);
        self.refresh.deaths.take_played(&sample);
        self.take_recorded_log(nth, &sample);
        if self.playback.at.is_none() {
            self.show(nth);
            self.play();
        }
    }

    /// The recording was read to its end.
    pub(crate) fn all_played(&mut self) {
        self.playback.all_read = true;
        self.refresh.deaths.end_played();
        let settled = self.incidents.timeline.settle(Millis::ZERO, true);
        self.tell_of_recording(NewKills::default(), settled);
        self.views.memory.show_all();
    }

    /// Shows another sample, with its rows in its own order at once.
    pub(crate) fn show(&mut self, nth: SampleIndex) {
        let before = self.playback.at;
        self.load_sample(nth);
        if self.playback.at != before {
            self.tell_shown_kills(nth);
        }
        if !self.mode.is_dialog() {
            self.arrange();
        }
    }

    /// Builds the scene of a sample from the samples before it.
    fn load_sample(&mut self, nth: SampleIndex) {
        let at = self.playback.at;
        if at == Some(nth) && self.scene.is_some() {
            return;
        }
        let Some(sample) = self.playback.past.sample(nth) else { return };
        self.playback.at = Some(nth);
        if self.display.notice.as_ref().is_some_and(|it| it.about.is_some_and(|it| it != nth)) {
            self.display.notice = None;
        }
        self.arrange_events();
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
        for nth in nth.0.saturating_sub(SAMPLES_BEFORE).max(oldest.0)..nth.0 {
            let Some(sample) = self.playback.past.sample(SampleIndex(nth)) else { continue };
            match &mut self.scene {
                Some(scene) => _ = scene.advance(sample),
                None => self.scene = Some(Scene::scoped(sample, None, scope.clone())),
            }
        }
        // Growth over a minute needs an older sample.
        let ago = self.playback.past.time(nth).map(|at| at.saturating_sub(GROWTH_TIME));
        let then = ago.and_then(|ago| self.playback.past.at(ago)).unwrap_or(oldest);
        if let (Some(scene), Some(sample)) = (&mut self.scene, self.playback.past.sample(then)) {
            scene.set_growth_baseline(&sample);
        }
        // The sample before is ranked too, to show which processes moved.
        self.rank();
        self.show_sample(sample);
    }

    /// Whether the recording on the screen has notes to its readers: a line is kept free for them.
    #[must_use]
    pub const fn has_notes(&self) -> bool {
        self.playback.recorded && self.incidents.recorded.has_notes()
    }

    /// The note that belongs to the sample on the screen.
    #[must_use]
    pub fn note(&self) -> Option<&str> {
        let facts = self.playback.past.facts(self.playback.at?)?;
        self.incidents.recorded.note_at(facts.clock.unix_ms)
    }

    /// The name of the newest sample: a recording has an end, and no now.
    #[must_use]
    pub const fn newest_word(&self) -> &'static str {
        if self.playback.recorded { "end" } else { "now" }
    }

    /// Shows this sample. The newest one of a live machine is now.
    pub(crate) fn go_to_sample(&mut self, to: SampleIndex) {
        self.drop_report();
        self.playback.playing = None;
        self.playback.gone_back = true;
        self.show(to);
        if !self.playback.recorded
            && self.playback.past.newest() == Some(to)
            && !self.playback.paused
        {
            self.playback.gone_back = false;
        }
    }

    /// Shows the sample of this time on the monotonic clock, or the oldest one.
    pub fn go_to_time(&mut self, time: Millis) {
        let nth = self.playback.past.at(time).or(self.playback.past.oldest());
        if let Some(nth) = nth {
            self.go_to_sample(nth);
        }
    }

    /// Goes to a time as it was typed; `date` is what it is in milliseconds since 1970, where its zone is known better
    /// than by the offset of today. Where there is no sample of that time, it says so.
    ///
    /// # Errors
    /// What a time should be, in one line.
    pub fn go_to_typed_time(&mut self, text: &str, date: Option<i64>) -> Result<(), String> {
        let past = &self.playback.past;
        let clock = |nth: Option<SampleIndex>| Some(past.facts(nth?)?.clock);
        let (Some(oldest), Some(newest)) = (clock(past.oldest()), clock(past.newest())) else {
            return Err("there is no sample yet".to_owned());
        };
        let offset = self.start.utc_offset;
        let date = date.or_else(|| parse_date(text)?.unix_ms(offset));
        let ago = match date {
            // As with a time of the day, the end of its second is meant.
            Some(date) => {
                let ago = newest.unix_ms.saturating_sub(date).saturating_sub(999);
                Millis(u64::try_from(ago).unwrap_or(0))
            }
            None => parse_time(text, newest.unix_ms, offset)?,
        };
        let wanted = date.unwrap_or_else(|| newest.unix_ms.saturating_sub_unsigned(ago.0));
        let span = named_span(text);
        self.go_to_time(newest.monotonic_ms.saturating_sub(ago));
        let place = if wanted > newest.unix_ms.saturating_add(999) {
            Some(("after the last", newest.unix_ms))
        } else if wanted.saturating_add_unsigned(span.0) < oldest.unix_ms {
            Some(("before the first", oldest.unix_ms))
        } else {
            None
        };
        if let Some((place, shown)) = place {
            let shown = written(shown, offset);
            let text = format!("{} is {place} sample: that is shown, {shown}", text.trim());
            self.say(NoticeLevel::Warn, text);
        }
        Ok(())
    }

    /// Plays a recording from the sample on the screen.
    pub(crate) fn play(&mut self) {
        let from = self.playback.at.and_then(|at| self.playback.past.time(at));
        self.playback.playing = from.map(|from| Playing { since: self.now, from });
    }

    /// Moves a playing recording to the sample of its time.
    pub(crate) fn keep_playing(&mut self) {
        let (Some(playing), Some(at)) = (self.playback.playing, self.playback.at) else { return };
        let playback = &self.playback;
        if playback.all_read && playback.past.newest() == Some(at) {
            self.playback.playing = None;
            if self.start.acting == ActingMode::Demo && self.mode_is_browse() {
                self.mode = Mode::EndCard;
            }
            return;
        }
        let gone = playback.speed.of(self.now.saturating_sub(playing.since));
        let there = Millis(playing.from.0.saturating_add(gone.0));
        let target = playback.past.at(there).filter(|target| *target > at);
        let skips = target.is_none() && playback.before_gap(at, there);
        let Some(target) = target.or(skips.then_some(SampleIndex(at.0 + 1))) else { return };
        // While a dialog is open, the recording waits.
        if !matches!(
            self.mode,
            Mode::Browse
                | Mode::GoTo(_)
                | Mode::Explain(_)
                | Mode::CommandLine(_)
                | Mode::Commitments(_)
                | Mode::Fits(_)
        ) {
            return self.play();
        }
        if target.0 - at.0 > MAX_CATCH_UP {
            return self.show(target);
        }
        (at.0 + 1..=target.0).for_each(|nth| self.show(SampleIndex(nth)));
        if skips {
            self.play();
        }
    }
}
