//! Looking back: the last looks are kept, and the whole screen can show any of them; a recording is
//! played by moving through them.

use std::sync::Arc;

use crate::model::{Clock, MachineHistory, MachineSample, SampleHistory, SampleIndex, Snapshot};
use crate::units::Millis;

/// Looks are kept for so long, where the user does not say.
pub const SPAN: Millis = Millis(5 * 60_000);

/// And in so many bytes at most: a machine of ten thousand busy processes reaches less far back.
pub const ROOM: usize = 32 << 20;

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
    pub(crate) const fn of(self, time: Millis) -> Millis {
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
pub(crate) struct Playing {
    pub(crate) since: Millis,
    pub(crate) from: Millis,
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
    pub(crate) at: Option<SampleIndex>,
    pub(crate) gone_back: bool,
    pub(crate) film: bool,
    /// When the last look of the recording was taken, and so much its clock is put ahead since: each run
    /// in it counts from its own start.
    last: Option<Clock>,
    ahead: Millis,
    /// No more of it will come.
    pub(crate) all_read: bool,
    pub(crate) playing: Option<Playing>,
    /// Since when looks are written to a file, on the app's own clock.
    pub(crate) recording_since: Option<Millis>,
    /// Looks bring everything, because they may be written to a file.
    pub thorough: bool,
    /// Whether new samples are kept without being shown.
    pub paused: bool,
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
            paused: false,
        }
    }
}

impl Playback {
    /// Keeps a look; its number, and one that is not needed for that any more.
    pub(crate) fn keep(&mut self, sample: &Arc<Snapshot>) -> (SampleIndex, Option<Arc<Snapshot>>) {
        self.history.push(MachineSample::of(sample));
        self.past.push(Arc::clone(sample))
    }

    /// Joins the runs that a recording is made of: the second goes on behind the first, as much later as
    /// the wall clock says.
    pub(crate) fn join(&mut self, sample: &mut Arc<Snapshot>) {
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
    pub(crate) fn before_pause(&self, at: SampleIndex, there: Millis) -> bool {
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

#[cfg(test)]
mod tests {
    use super::*;

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
