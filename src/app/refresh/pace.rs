//! How soon the next look comes: at the user's pace, faster while tasks wait for memory, slower where
//! nothing happens and that is allowed.

use std::sync::Arc;

use crate::model::{PressureWatch, Snapshot, Text};
use crate::units::Millis;

/// Under pressure a look comes at least this often.
pub const FAST: Millis = Millis(500);
/// Pressure is over so long after its last sign.
const OVER: Millis = Millis(10_000);
/// Or so long, where the averages say so too: they are as old as two seconds.
const CALM: Millis = Millis(4000);
/// A share of ten seconds, in percent, under which nobody waits to speak of.
const NOTHING: f32 = 1.0;

/// Stretched no further than this, unless the user's own pace is slower.
const SLOWEST: Millis = Millis(60_000);
/// A wall with less than this share left, in per mille, is near.
const NEAR: u64 = 100;

/// The first looks follow each other at least this fast, and are so many: growth is told from two, and
/// the files of the top candidates are opened by the second, which would stall once memory is gone.
const WARM: (Millis, u8) = (Millis(2000), 3);

/// By how much the pace is stretched after so long without anything.
const fn factor(quiet: Millis) -> u64 {
    match quiet.0 {
        ..30_000 => 1,
        30_000..60_000 => 2,
        60_000..120_000 => 4,
        _ => 8,
    }
}

/// The pace of looking.
#[derive(Clone, Debug)]
pub struct Pace {
    /// How it is told that tasks begin to wait.
    pub watch: PressureWatch,
    /// Of which cgroup, where it is not the machine.
    pub whose: Option<Arc<Text>>,
    /// `--relax`: it may slow down by itself.
    pub relax: bool,
    /// The last sign of pressure, while that lasts.
    stalled: Option<Millis>,
    /// Since when nothing happened.
    quiet_since: Millis,
    factor: u64,
    /// How many looks came, as far as that matters.
    samples: u8,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            watch: PressureWatch::Off,
            whose: None,
            relax: false,
            stalled: None,
            quiet_since: Millis(0),
            factor: 1,
            samples: 0,
        }
    }
}

impl Pace {
    /// Time until the next look, where the user asked for `delay`.
    #[must_use]
    pub fn delay(&self, delay: Millis) -> Millis {
        let (pace, count) = WARM;
        let shown = self.shown(delay);
        if self.samples < count { shown.min(pace) } else { shown }
    }

    /// The pace that is told: the first looks are none.
    #[must_use]
    pub fn shown(&self, delay: Millis) -> Millis {
        if self.is_pressed() {
            delay.min(FAST)
        } else {
            Millis(delay.0.saturating_mul(self.factor)).min(SLOWEST.max(delay))
        }
    }

    /// Whether tasks wait for memory, so that looks come faster.
    #[must_use]
    pub const fn is_pressed(&self) -> bool {
        self.stalled.is_some()
    }

    /// Whether looks come slower than the user asked for.
    #[must_use]
    pub const fn is_relaxed(&self) -> bool {
        self.factor > 1 && !self.is_pressed()
    }

    /// Something happened: a key.
    pub fn stirred(&mut self, now: Millis) {
        self.quiet_since = now;
        self.factor = 1;
    }

    /// Tasks wait for memory.
    pub fn pressed(&mut self, now: Millis) {
        self.stalled = Some(now);
        self.stirred(now);
    }

    /// A look came; `room` is what the nearest wall has left, in per mille, or nothing where it is
    /// being approached.
    pub fn looked(&mut self, now: Millis, sample: &Snapshot, room: Option<u64>) {
        self.samples = self.samples.saturating_add(1);
        let avg10 = sample.pressure.some.value().map(|some| some.avg10);
        if let Some(at) = self.stalled {
            let since = now.saturating_sub(at);
            let calm = avg10.is_some_and(|share| share < NOTHING) && since >= CALM;
            if calm || since >= OVER {
                self.stalled = None;
            }
        }
        let waits = avg10.is_some_and(|share| share >= NOTHING);
        if self.is_pressed() || waits || room.is_none_or(|left| left < NEAR) {
            self.stirred(now);
        }
        // Only where pressure would end the sleep.
        let may = self.relax && self.watch.is_watching();
        self.factor = if may { factor(now.saturating_sub(self.quiet_since)) } else { 1 };
    }
}
