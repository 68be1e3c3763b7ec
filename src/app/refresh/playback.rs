//! Looking back: the last looks are kept, and the whole screen can show any of them; a recording is
//! played by moving through them.

use std::sync::Arc;

use crate::app::dialog::mode::Mode;
use crate::app::{App, NoticeLevel, Request};
use crate::model::{
    Clock, MachineHistory, MachineSample, SampleHistory, SampleIndex, Scene, Snapshot,
};
use crate::units::Millis;

/// Looks are kept for so long, where the user does not say.
pub const SPAN: Millis = Millis(5 * 60_000);

/// And in so many bytes at most: a machine of ten thousand busy processes reaches less far back.
pub const ROOM: usize = 32 << 20;

/// So many looks before the one that is gone to are taken in first: how things grow, and who was killed
/// just now, follows from them.
const RUN_UP: u64 = 4;

/// Growth is told over so long.
const MINUTE: Millis = Millis(60_000);

/// A replay that lags shows at most so many looks at once, and jumps where there are more.
const CATCH_UP: u64 = 16;

/// Between two runs in one recording is at least so long.
const SEAM: Millis = Millis(1000);

/// A longer time in which nothing was recorded is not waited out.
const PAUSE: Millis = Millis(5 * 60_000);

/// How fast a recording is played, in quarters of its own pace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PlaySpeed(u32);

impl Default for PlaySpeed {
    fn default() -> Self {
        Self(4)
    }
}

impl PlaySpeed {
    /// The slowest, and the fastest.
    const ENDS: (u32, u32) = (1, 4 * 64);

    /// So many times its own pace; nothing beyond a quarter and 64.
    #[must_use]
    pub fn times(times: f64) -> Option<Self> {
        let quarters = (times * 4.0).round();
        let (slow, fast) = Self::ENDS;
        let fits = quarters >= f64::from(slow) && quarters <= f64::from(fast);
        fits.then_some(Self(quarters as u32))
    }

    /// Twice as fast, or half.
    #[must_use]
    pub const fn step(self, faster: bool) -> Self {
        let (slow, fast) = Self::ENDS;
        let next = if faster { self.0 * 2 } else { self.0 / 2 };
        Self(if next < slow {
            slow
        } else if next > fast {
            fast
        } else {
            next
        })
    }

    /// How far the recording moves in this time.
    const fn of(self, time: Millis) -> Millis {
        Millis(time.0.saturating_mul(self.0 as u64) / 4)
    }
}

impl std::fmt::Display for PlaySpeed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.0 {
            1 => f.write_str("1/4x"),
            2 => f.write_str("1/2x"),
            quarters if quarters % 4 == 0 => write!(f, "{}x", quarters / 4),
            quarters => write!(f, "{:.2}x", f64::from(quarters) / 4.0),
        }
    }
}

/// A recording that is being played: at the app's own clock it stood there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Playing {
    since: Millis,
    from: Millis,
}

/// What was seen so far, and which look is on the screen.
#[derive(Clone, Debug)]
pub struct Playback {
    /// The last looks.
    pub past: SampleHistory,
    /// The machine-wide part of all looks.
    pub history: MachineHistory,
    /// How fast a recording goes.
    pub speed: PlaySpeed,
    at: Option<SampleIndex>,
    gone_back: bool,
    film: bool,
    /// When the last look of the recording was taken, and so much its clock is put ahead since: each run
    /// in it counts from its own start.
    last: Option<Clock>,
    ahead: Millis,
    /// No more of it will come.
    all_read: bool,
    playing: Option<Playing>,
    /// Since when looks are written to a file, on the app's own clock.
    recording_since: Option<Millis>,
    /// Looks bring everything, because they may be written to a file.
    pub thorough: bool,
}

impl Default for Playback {
    fn default() -> Self {
        Self {
            past: SampleHistory::new(SPAN, ROOM),
            history: MachineHistory::default(),
            speed: PlaySpeed::default(),
            at: None,
            gone_back: false,
            film: false,
            last: None,
            ahead: Millis(0),
            all_read: false,
            playing: None,
            recording_since: None,
            thorough: false,
        }
    }
}

impl Playback {
    /// Keeps a look; its number, and one that is not needed for that any more.
    fn keep(&mut self, sample: &Arc<Snapshot>) -> (SampleIndex, Option<Arc<Snapshot>>) {
        self.history.push(MachineSample::of(sample));
        self.past.push(Arc::clone(sample))
    }

    /// Joins the runs that a recording is made of: the second goes on behind the first, as much later as
    /// the wall clock says.
    fn join(&mut self, sample: &mut Arc<Snapshot>) {
        let clock = sample.clock;
        if let Some(last) = self.last.replace(clock)
            && clock.monotonic_ms <= last.monotonic_ms
        {
            let later = u64::try_from(clock.unix_ms.saturating_sub(last.unix_ms)).unwrap_or(0);
            let due = last.monotonic_ms.0.saturating_add(later.max(SEAM.0));
            let more = due.saturating_sub(clock.monotonic_ms.0);
            self.ahead = Millis(self.ahead.0.saturating_add(more));
        }
        if self.ahead > Millis(0) {
            let ahead = |at: &mut Millis| at.0 = at.0.saturating_add(self.ahead.0);
            let sample = Arc::make_mut(sample);
            ahead(&mut sample.clock.monotonic_ms);
            ahead(&mut Arc::make_mut(&mut sample.cgroups).read_ms);
        }
    }

    /// Something else is put on the screen: looks are left aside, and nothing plays. Whether it stood at
    /// an earlier look comes back.
    pub(crate) fn step_aside(&mut self) -> bool {
        self.playing = None;
        std::mem::replace(&mut self.gone_back, true)
    }

    /// The screen stands at an earlier look, or at now.
    pub(crate) const fn set_gone_back(&mut self, gone_back: bool) {
        self.gone_back = gone_back;
    }

    /// Which look is on the screen.
    #[must_use]
    pub const fn at(&self) -> Option<SampleIndex> {
        self.at
    }

    /// Whether the screen shows an earlier look, and stays there while new ones come.
    #[must_use]
    pub const fn is_past(&self) -> bool {
        self.gone_back
    }

    /// Whether this is a recording that is played by moving through what is kept.
    #[must_use]
    pub const fn is_played(&self) -> bool {
        self.film
    }

    /// Since when looks are written to a file, on the app's own clock.
    #[must_use]
    pub const fn recording_since(&self) -> Option<Millis> {
        self.recording_since
    }

    /// Looks are written to a file since then, or no longer.
    pub(crate) const fn set_recording_since(&mut self, since: Option<Millis>) {
        self.recording_since = since;
    }

    /// Whether a recording is being played.
    #[must_use]
    pub const fn is_playing(&self) -> bool {
        self.playing.is_some()
    }

    /// Whether a long pause follows this look, which was on the screen for a moment.
    fn before_pause(&self, at: SampleIndex, there: Millis) -> bool {
        let (now, next) = (self.past.time(at), self.past.time(SampleIndex(at.0 + 1)));
        now.zip(next).is_some_and(|(now, next)| {
            next.saturating_sub(now) > PAUSE && there.saturating_sub(now) >= SEAM
        })
    }

    /// How long before the newest look the one on the screen was taken.
    #[must_use]
    pub fn ago(&self) -> Option<Millis> {
        let newest = self.past.time(self.past.newest()?)?;
        Some(newest.saturating_sub(self.past.time(self.at?)?))
    }
}

impl App {
    /// Whether the rows on the screen are of another time of this machine: a pid there may be somebody
    /// else's by now.
    pub(crate) fn is_bygone(&self) -> bool {
        self.report.is_some() || (self.setup.live && self.playback.is_past())
    }

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
        self.memory.show_all();
    }

    /// Shows an earlier look, or a later one; its rows stand in its own order at once.
    fn show(&mut self, nth: SampleIndex) {
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
            None => self.setup.scope.clone(),
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

    /// Goes so many looks back (or on, where it is positive).
    pub(crate) fn step_in_time(&mut self, by: i64) {
        let past = &self.playback.past;
        let (Some(at), Some(oldest), Some(newest)) =
            (self.playback.at, past.oldest(), past.newest())
        else {
            return self.say(NoticeLevel::Plain, "there was no look yet");
        };
        let to = SampleIndex(at.0.saturating_add_signed(by).clamp(oldest.0, newest.0));
        if to == at && by < 0 {
            let text = "this is the oldest look that is kept (--ring keeps more)";
            self.say(
                NoticeLevel::Plain,
                if self.playback.film { "this is the first look" } else { text },
            );
        } else if to == at {
            self.say(
                NoticeLevel::Plain,
                if self.playback.film { "this is the last look" } else { "this is now" },
            );
        }
        self.go_to_sample(to);
    }

    /// Shows this look; the newest one of a living machine is now.
    pub(crate) fn go_to_sample(&mut self, to: SampleIndex) {
        self.drop_report();
        self.playback.playing = None;
        self.playback.gone_back = true;
        self.show(to);
        if !self.playback.film && self.playback.past.newest() == Some(to) && !self.paused {
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

    /// Back to now; in a recording to its end.
    pub(crate) fn go_to_now(&mut self) {
        if !self.playback.gone_back && !self.paused {
            return self.say(NoticeLevel::Plain, "this is now");
        }
        self.paused = false;
        self.notice = None;
        if let Some(newest) = self.playback.past.newest() {
            self.go_to_sample(newest);
        }
    }

    /// To the next kill, or the one before.
    pub(crate) fn go_to_kill(&mut self, next: bool) {
        let Some(at) = self.playback.at else { return };
        let past = &self.playback.past;
        match if next { past.next_kill(at) } else { past.previous_kill(at) } {
            Some(nth) => self.go_to_sample(nth),
            None => {
                let where_to = if next { "later" } else { "earlier" };
                self.say(
                    NoticeLevel::Plain,
                    format!("the kernel counted no {where_to} kill in what is kept"),
                );
            }
        }
    }

    /// Plays a recording from where it stands.
    fn play(&mut self) {
        let from = self.playback.at.and_then(|at| self.playback.past.time(at));
        self.playback.playing = from.map(|from| Playing { since: self.now, from });
    }

    /// Stops a recording, or lets it go on.
    pub(crate) fn toggle_playing(&mut self) {
        if self.playback.playing.take().is_none() {
            // At its end it begins anew.
            if self.playback.at == self.playback.past.newest()
                && let Some(oldest) = self.playback.past.oldest()
            {
                self.show(oldest);
            }
            self.play();
        }
    }

    /// Begins to write looks to a file, or ends that.
    pub(crate) fn toggle_recording(&mut self) -> Vec<Request> {
        if self.playback.film {
            self.say(NoticeLevel::Plain, "this is a recording already");
            return Vec::new();
        }
        if self.scene.is_none() {
            self.say(NoticeLevel::Plain, "there was no look yet");
            return Vec::new();
        }
        let on = self.playback.recording_since.is_none();
        self.playback.recording_since = on.then_some(self.now);
        vec![Request::Tape(on)]
    }

    /// Has the looks that are kept written to a file.
    pub(crate) fn write_past(&mut self) -> Vec<Request> {
        if self.playback.film {
            self.say(NoticeLevel::Plain, "this is a recording already");
            return Vec::new();
        }
        vec![Request::WritePast]
    }

    /// Plays faster, or slower.
    pub(crate) fn change_speed(&mut self, faster: bool) {
        if !self.playback.film {
            return self.say(NoticeLevel::Plain, "only a replay can be faster; d sets the delay");
        }
        self.playback.speed = self.playback.speed.step(faster);
        if self.playback.playing.is_some() {
            self.play();
        }
        self.say(NoticeLevel::Plain, format!("speed {}", self.playback.speed));
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

    /// What a key of time means; nothing where it is not one.
    pub(crate) fn time_action(
        &mut self,
        action: crate::app::keymap::bindings::Action,
    ) -> Option<Vec<Request>> {
        use crate::app::keymap::bindings::Action;
        if self.report.is_some() {
            match action {
                Action::KillBefore => self.step_report(false),
                Action::KillAfter => self.step_report(true),
                Action::Now if self.playback.past.is_empty() => {
                    self.say(
                        NoticeLevel::Plain,
                        "these are reports of a file: there is no now here",
                    );
                }
                Action::Now => self.go_to_now(),
                Action::Pause => {
                    self.say(
                        NoticeLevel::Plain,
                        "a report is one moment: nothing in it can be paused",
                    );
                }
                Action::GoToTime if self.playback.past.is_empty() => {
                    let text =
                        "these are reports of a file, without looks: { and } show the others";
                    self.say(NoticeLevel::Plain, text);
                }
                Action::LookBack | Action::LookForward | Action::FarBack | Action::FarForward
                    if self.playback.past.is_empty() =>
                {
                    self.say(NoticeLevel::Plain, "a report is one moment: { and } show the others");
                }
                Action::LookBack | Action::LookForward | Action::FarBack | Action::FarForward => {
                    let text =
                        "a report is one moment: { and } show the others, l goes back to now";
                    self.say(NoticeLevel::Plain, text);
                }
                _ => return None,
            }
            return Some(Vec::new());
        }
        match action {
            Action::LookBack => self.step_in_time(-1),
            Action::LookForward => self.step_in_time(1),
            Action::FarBack => self.step_in_time(-10),
            Action::FarForward => self.step_in_time(10),
            Action::KillBefore => self.go_to_kill(false),
            Action::KillAfter => self.go_to_kill(true),
            Action::Now => self.go_to_now(),
            Action::Faster => self.change_speed(true),
            Action::Slower => self.change_speed(false),
            _ => return None,
        }
        Some(Vec::new())
    }
}

/// What was typed as a time: `14:03`, `14:03:22` (of the day of `newest`, in local time), or so long
/// before the newest look: `-5m`, `90s`, `1h`. In milliseconds before the newest, which was taken at
/// `unix_ms`.
///
/// # Errors
/// What is wrong with it, in words.
pub fn parse_time(text: &str, unix_ms: i64, utc_offset: i32) -> Result<Millis, String> {
    let text = text.trim();
    let wrong = || "a time is 14:03, 14:03:22, or how long ago: 90s, 5m, 1h".to_owned();
    let parts: Vec<&str> = text.split(':').collect();
    if parts.len() > 1 {
        let mut numbers = parts.iter().map(|part| part.parse::<i64>().ok().filter(|n| *n >= 0));
        let mut next = || numbers.next().unwrap_or(Some(0)).ok_or_else(wrong);
        let (hours, minutes, seconds) = (next()?, next()?, next()?);
        if parts.len() > 3 || hours > 23 || minutes > 59 || seconds > 59 {
            return Err(wrong());
        }
        let day = 86_400_000;
        let local = unix_ms.saturating_add(i64::from(utc_offset) * 1000);
        let asked = ((hours * 60 + minutes) * 60 + seconds) * 1000;
        // A clock time has come already: what is later than now was yesterday. Of the last second all.
        let ago = (local.rem_euclid(day) - asked).rem_euclid(day);
        let ago = if day - ago <= 1000 { 0 } else { ago };
        return Ok(Millis(u64::try_from(ago.saturating_sub(999).max(0)).unwrap_or(0)));
    }
    let text = text.strip_prefix('-').unwrap_or(text);
    let (number, unit) = text.split_at(text.trim_end_matches(char::is_alphabetic).len());
    let number: f64 = number.parse().map_err(|_| wrong())?;
    let unit = match unit {
        "s" => 1.0,
        "m" | "min" => 60.0,
        "h" => 3600.0,
        _ => return Err(wrong()),
    };
    let seconds = number * unit;
    if !(0.0..=1e9).contains(&seconds) {
        return Err(wrong());
    }
    Ok(Millis((seconds * 1000.0) as u64))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_understood() {
        // 2025-11-21 14:03:22.500 UTC.
        let now = 1_763_733_802_500;
        let ago = |text: &str| parse_time(text, now, 0).map(|ago| ago.0);
        assert_eq!(ago("5m"), Ok(300_000));
        assert_eq!(ago("-1.5m"), Ok(90_000));
        assert_eq!(ago("14:03:22"), Ok(0), "all of that second");
        assert_eq!(ago("14:03:20"), Ok(1501), "its end: the last look of that second");
        assert_eq!(ago("14:02"), Ok(81_501));
        assert_eq!(ago("14:04"), Ok(86_400_000 - 37_500 - 999), "yesterday");
        assert_eq!(parse_time("15:03:22", now, 3600), Ok(Millis(0)), "local time");
        for wrong in ["", "5", "x", "25:00", "1:2:3:4", "-", "NaNs", "infm", "1e99h", "14:60"] {
            assert!(ago(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn speeds_double_and_end() {
        let mut speed = PlaySpeed::default();
        let mut words = Vec::new();
        for _ in 0..9 {
            words.push(speed.to_string());
            speed = speed.step(true);
        }
        assert_eq!(words, ["1x", "2x", "4x", "8x", "16x", "32x", "64x", "64x", "64x"]);
        let speed = PlaySpeed::default().step(false).step(false).step(false);
        assert_eq!(speed.to_string(), "1/4x");
        assert_eq!(speed.of(Millis(1000)), Millis(250));
        assert_eq!(PlaySpeed::times(0.0), None);
    }
}
