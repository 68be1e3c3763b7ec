//! When the next sample is taken: at the user's pace, faster while tasks wait for memory, slower while
//! nothing happens and `--relax` permits it.

use std::sync::Arc;

use crate::model::{PressureWatch, Snapshot, Text};
use crate::units::Millis;

/// Maximum time between samples under pressure.
pub const FAST: Millis = Millis(500);
/// Pressure is over this long after its last sign.
const PRESSURE_TIME: Millis = Millis(10_000);
/// Pressure is over this long after its last sign where the averages agree, which are up to two seconds old.
const CALM_TIME: Millis = Millis(4000);
/// Below this share of the last ten seconds, in percent, the time that tasks wait is negligible.
const NEGLIGIBLE: f32 = 1.0;

/// Maximum time between samples of a relaxed pace, unless the user's own pace is slower.
const SLOWEST: Millis = Millis(60_000);
/// A limit with less than this share left, in per mille, is near.
const NEAR: u64 = 100;

/// Maximum time between the first samples, and their number. Growth needs two samples, and the second opens
/// the files of the top candidates, which would stall once memory is exhausted.
const FIRST_SAMPLES: (Millis, u8) = (Millis(2000), 3);

/// The factor of a relaxed pace after this time without an event.
const fn relaxed_factor(quiet: Millis) -> u64 {
    match quiet.0 {
        ..30_000 => 1,
        30_000..60_000 => 2,
        60_000..120_000 => 4,
        _ => 8,
    }
}

/// The pace of samples.
#[derive(Clone, Debug)]
pub struct Pace {
    /// How the beginning of pressure is noticed.
    pub watch: PressureWatch,
    /// The cgroup whose pressure is watched; nothing: the machine.
    pub cgroup: Option<Arc<Text>>,
    /// `--relax`: the pace may slow down by itself.
    pub relax: bool,
    /// The last sign of pressure; nothing where pressure is over.
    pressure: Option<Millis>,
    /// Since when nothing has happened.
    quiet_since: Millis,
    factor: u64,
    /// Number of samples; saturates.
    samples: u8,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            watch: PressureWatch::Off,
            cgroup: None,
            relax: false,
            pressure: None,
            quiet_since: Millis(0),
            factor: 1,
            samples: 0,
        }
    }
}

impl Pace {
    /// Time until the next sample, where the user asked for `delay`.
    #[must_use]
    pub fn delay(&self, delay: Millis) -> Millis {
        let (pace, count) = FIRST_SAMPLES;
        let shown = self.shown(delay);
        if self.samples < count { shown.min(pace) } else { shown }
    }

    /// The pace that is shown: without the faster first samples.
    #[must_use]
    pub fn shown(&self, delay: Millis) -> Millis {
        if self.is_fast() {
            delay.min(FAST)
        } else {
            Millis(delay.0.saturating_mul(self.factor)).min(SLOWEST.max(delay))
        }
    }

    /// Whether tasks wait for memory, so that samples come faster.
    #[must_use]
    pub const fn is_fast(&self) -> bool {
        self.pressure.is_some()
    }

    /// Whether samples come slower than the user asked for.
    #[must_use]
    pub const fn is_relaxed(&self) -> bool {
        self.factor > 1 && !self.is_fast()
    }

    /// Takes an event that ends a relaxed pace, such as a key.
    pub fn wake(&mut self, now: Millis) {
        self.quiet_since = now;
        self.factor = 1;
    }

    /// Takes a sign that tasks wait for memory.
    pub fn pressure(&mut self, now: Millis) {
        self.pressure = Some(now);
        self.wake(now);
    }

    /// Takes a sample; `left` is what the nearest limit has left, in per mille, or nothing where that limit is
    /// being approached.
    pub fn sampled(&mut self, now: Millis, sample: &Snapshot, left: Option<u64>) {
        self.samples = self.samples.saturating_add(1);
        let avg10 = sample.pressure.some.value().map(|some| some.avg10);
        if let Some(at) = self.pressure {
            let since = now.saturating_sub(at);
            let calm = avg10.is_some_and(|share| share < NEGLIGIBLE) && since >= CALM_TIME;
            if calm || since >= PRESSURE_TIME {
                self.pressure = None;
            }
        }
        let waits = avg10.is_some_and(|share| share >= NEGLIGIBLE);
        if self.is_fast() || waits || left.is_none_or(|left| left < NEAR) {
            self.wake(now);
        }
        // Only where pressure would be noticed at once.
        let may = self.relax && self.watch.is_watching();
        self.factor = if may { relaxed_factor(now.saturating_sub(self.quiet_since)) } else { 1 };
    }
}
