//! The samples that are kept, and which one is on the screen. A recording is played by moving through its
//! samples.

use std::sync::Arc;

use crate::model::{Clock, MachineHistory, MachineSample, SampleHistory, SampleIndex, Snapshot};
use crate::units::Millis;

/// Time for which samples are kept, where the user does not say (`--ring`).
pub const SPAN: Millis = Millis(5 * 60_000);

/// Maximum memory for them, in bytes. A machine with ten thousand busy processes reaches less far back.
pub const ROOM: usize = 32 << 20;

/// Minimum time between two runs in one recording.
const SEAM: Millis = Millis(1000);

/// A gap in a recording that is longer than this is skipped.
const MAX_GAP: Millis = Millis(5 * 60_000);

/// How fast a recording is played, in quarters of its own pace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PlaySpeed(u32);

impl Default for PlaySpeed {
    fn default() -> Self {
        Self(4)
    }
}

impl PlaySpeed {
    /// The slowest and the fastest.
    const ENDS: (u32, u32) = (1, 4 * 64);

    /// A multiple of its own pace, from 0.25 to 64; nothing for any other.
    #[must_use]
    pub fn times(times: f64) -> Option<Self> {
        let quarters = (times * 4.0).round();
        let (slow, fast) = Self::ENDS;
        let fits = quarters >= f64::from(slow) && quarters <= f64::from(fast);
        fits.then_some(Self(quarters as u32))
    }

    /// Twice as fast, or half as fast.
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

/// A recording that is being played: at `since` on the app's clock it was at `from`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Playing {
    pub(crate) since: Millis,
    pub(crate) from: Millis,
}

/// The samples that are kept, and which one is on the screen.
#[derive(Clone, Debug)]
pub struct Playback {
    /// The last samples.
    pub past: SampleHistory,
    /// The machine-wide part of all samples.
    pub history: MachineHistory,
    /// The speed of a recording.
    pub speed: PlaySpeed,
    pub(crate) at: Option<SampleIndex>,
    pub(crate) gone_back: bool,
    pub(crate) recorded: bool,
    /// The clock of the last sample of the recording, and the time by which the clock of the following ones
    /// is put ahead: each run in a recording counts from its own start.
    last: Option<Clock>,
    ahead: Millis,
    /// Whether the recording was read to its end.
    pub(crate) all_read: bool,
    pub(crate) playing: Option<Playing>,
    /// Since when samples are written to a file, on the app's clock.
    pub(crate) recording_since: Option<Millis>,
    /// Whether samples contain everything, because they may be written to a file.
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
            recorded: false,
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
    /// Keeps a sample. Returns its index, and a snapshot that is not needed any more.
    pub(crate) fn keep(&mut self, sample: &Arc<Snapshot>) -> (SampleIndex, Option<Arc<Snapshot>>) {
        self.history.push(MachineSample::of(sample));
        self.past.push(Arc::clone(sample))
    }

    /// Joins the runs of a recording: each begins after the one before it, as much later as the real-time
    /// clock says.
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
            sample.usage_readings.iter_mut().for_each(|it| ahead(&mut it.read_ms));
        }
    }

    /// The sample that is on the screen, or was before a report.
    #[must_use]
    pub const fn at(&self) -> Option<SampleIndex> {
        self.at
    }

    /// Whether that is an earlier sample or one of a recording, which stays while new ones come.
    #[must_use]
    pub const fn is_past(&self) -> bool {
        self.gone_back
    }

    /// Whether this is a recording.
    #[must_use]
    pub const fn is_played(&self) -> bool {
        self.recorded
    }

    /// Since when samples are written to a file, on the app's clock.
    #[must_use]
    pub const fn recording_since(&self) -> Option<Millis> {
        self.recording_since
    }

    /// Sets since when samples are written to a file.
    pub(crate) const fn set_recording_since(&mut self, since: Option<Millis>) {
        self.recording_since = since;
    }

    /// Whether a recording is being played.
    #[must_use]
    pub const fn is_playing(&self) -> bool {
        self.playing.is_some()
    }

    /// Whether a long gap follows this sample, which has been on the screen for a moment.
    pub(crate) fn before_gap(&self, at: SampleIndex, there: Millis) -> bool {
        let (now, next) = (self.past.time(at), self.past.time(SampleIndex(at.0 + 1)));
        now.zip(next).is_some_and(|(now, next)| {
            next.saturating_sub(now) > MAX_GAP && there.saturating_sub(now) >= SEAM
        })
    }

    /// How long before the newest sample the one on the screen was taken.
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
