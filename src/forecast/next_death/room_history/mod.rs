//! What a domain could still take over the last minutes, and when nothing will be left.

mod estimate;
mod readings;

use crate::units::{Bytes, Millis};

pub use estimate::{Basis, Estimate};
pub use readings::Loss;
use readings::Readings;

/// Windows over which growth is measured, the shortest first.
pub const WINDOWS: [Millis; 4] = [Millis(4_000), Millis(6_000), Millis(15_000), Millis(60_000)];
/// Their number.
pub const COUNT: usize = WINDOWS.len();

/// Where a reading comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A sample, which tells kills too.
    Sample,
    /// A reading of usage between two samples.
    Reading,
}

/// The readings of one domain, and what they say.
#[derive(Clone, Debug, Default)]
pub struct RoomHistory {
    readings: Readings,
    /// By the newest reading.
    estimate: Option<Estimate>,
    /// How often the history began anew.
    generation: u32,
    /// Memory came back at the limit: the next sample tells whether something was killed.
    unexplained: bool,
}

impl RoomHistory {
    /// Adds a reading. A changed limit and a large release begin the history anew. A reading that is not
    /// later than the newest one is left out.
    pub fn push(&mut self, kind: Kind, at: Millis, left: Bytes, limit: Bytes) {
        if kind == Kind::Sample {
            self.unexplained = false;
        }
        if limit != self.readings.limit() {
            self.forget_before(limit);
        }
        let rate = self.estimate.map_or(0.0, |it| it.rate);
        let Some(taken) = self.readings.push(at, left.0 as f64, rate) else { return };
        if taken.freed_at_limit {
            self.unexplained = kind == Kind::Reading;
        }
        if taken.anew {
            self.generation = self.generation.wrapping_add(1);
        }
        self.estimate = if self.unexplained { None } else { estimate::estimate(&self.readings) };
    }

    /// A process in the domain was killed since this time: what was released then was no decision of a program.
    pub fn killed(&mut self, since: Millis) {
        self.readings.forget_releases(since);
        self.estimate = estimate::estimate(&self.readings);
    }

    /// Forgets everything: what comes now has another cause.
    pub fn forget(&mut self) {
        self.forget_before(self.readings.limit());
    }

    fn forget_before(&mut self, limit: Bytes) {
        self.readings.forget(limit);
        self.estimate = None;
        self.generation = self.generation.wrapping_add(1);
        self.unexplained = false;
    }

    /// What is left by the newest reading.
    pub fn left(&self) -> Option<Bytes> {
        self.readings.newest().map(|it| Bytes(it.1 as u64))
    }

    /// When the newest reading was taken.
    pub fn read_at(&self) -> Option<Millis> {
        self.readings.newest().map(|it| it.0)
    }

    /// Whether next to nothing was left a moment ago.
    pub fn was_full(&self) -> bool {
        self.readings.was_full()
    }

    /// For how long the domain has been known.
    pub fn age(&self) -> Millis {
        self.readings.age()
    }

    /// When nothing will be left, by the newest reading.
    pub const fn estimate(&self) -> Option<Estimate> {
        self.estimate
    }

    /// The earliest time that any trend suggests.
    pub fn earliest(&self) -> Option<Millis> {
        let estimate = self.estimate.map(|it| it.when.middle);
        estimate::earliest(&self.readings).into_iter().chain(estimate).min()
    }

    /// How often the history began anew.
    pub const fn generation(&self) -> u32 {
        self.generation
    }

    /// What was lost over each of [`WINDOWS`] until this time, and what was left then, in bytes.
    pub fn losses(&self, until: Millis) -> ([Loss; COUNT], f64) {
        self.readings.losses(until)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: u64 = 1 << 20;

    /// A domain of 100 MiB that has so many MiB left at these times, in seconds.
    fn history(points: impl IntoIterator<Item = (f64, f64)>) -> RoomHistory {
        let mut history = RoomHistory::default();
        for (seconds, mib) in points {
            let at = Millis((seconds * 1000.0) as u64);
            history.push(Kind::Sample, at, Bytes((mib * MIB as f64) as u64), Bytes(100 * MIB));
        }
        history
    }

    fn mib_per_second(history: &RoomHistory) -> Option<f64> {
        history.estimate().map(|it| (it.rate / MIB as f64 * 100.0).round() / 100.0)
    }

    #[test]
    fn a_steady_leak_has_its_rate_and_its_time() {
        let leak = history((0..10).map(|nth| (f64::from(nth) * 2.0, 64.0 - 4.0 * f64::from(nth))));
        assert_eq!(mib_per_second(&leak), Some(2.0));
        let when = leak.estimate().unwrap().when;
        assert_eq!(when.middle, Millis(14_000));
        assert!(when.low < when.middle && when.middle < when.high);
    }

    #[test]
    fn an_acceleration_is_seen_in_the_shortest_window() {
        let slow = (0..20).map(|nth| (f64::from(nth), 90.0 - 0.5 * f64::from(nth)));
        let fast = (20..28).map(|nth| (f64::from(nth), 80.0 - 6.0 * f64::from(nth - 20)));
        assert_eq!(mib_per_second(&history(slow.chain(fast))), Some(6.0));
    }

    #[test]
    fn an_acceleration_is_not_foreseen_from_a_small_beginning() {
        // It doubles every 10 s. A program that begins like that seldom takes all that there is.
        let left = |t: f64| 99.0 - 0.05 * ((t * 0.07).exp() - 1.0);
        let time = |count: u32| {
            let history = history((0..count).map(|nth| (f64::from(nth), left(f64::from(nth)))));
            history.estimate().unwrap().when.middle.0 / 1000
        };
        // After 60 s it has taken 3 of 100 MiB, and the rate is 0.2 MiB a second.
        assert!(time(61) > 200, "{}", time(61));
        // After 95 s it has taken a third, and 13 s are left.
        assert!((8..16).contains(&time(96)), "{}", time(96));
    }

    #[test]
    fn steps_are_seen_in_a_longer_window() {
        let steps = (0..40).map(|nth| (f64::from(nth), 90.0 - 8.0 * f64::from(nth / 8)));
        let rate = mib_per_second(&history(steps)).unwrap();
        assert!((0.7..1.4).contains(&rate), "{rate}");
    }

    #[test]
    fn growth_that_stopped_has_no_time() {
        let leak = (0..20).map(|nth| (f64::from(nth), 80.0 - 2.0 * f64::from(nth)));
        let rest = (20..26).map(|nth| (f64::from(nth), 42.0));
        assert!(history(leak.clone()).estimate().is_some());
        assert_eq!(mib_per_second(&history(leak.chain(rest))), None);
    }

    #[test]
    fn noise_and_rest_have_no_rate() {
        let noise = [0.0, 0.3, -0.2, 0.1, -0.3, 0.25, -0.05, 0.15];
        let still = (0..60).map(|nth| (f64::from(nth), 50.0 + noise[nth as usize % noise.len()]));
        assert_eq!(mib_per_second(&history(still)), None);
        assert_eq!(mib_per_second(&history((0..60).map(|nth| (f64::from(nth), 50.0)))), None);
    }

    #[test]
    fn a_saw_tooth_does_not_approach_until_it_is_fuller_than_before() {
        let tooth = |nth: i32| (f64::from(nth), 70.0 - 3.0 * f64::from(nth % 12));
        let saw = history((0..58).map(tooth));
        assert_eq!(mib_per_second(&saw), None, "it was released four times at 37 MiB");
        let fuller = (58..70).map(|nth| (f64::from(nth), 37.0 - 3.0 * f64::from(nth - 58)));
        assert_eq!(mib_per_second(&history((0..58).map(tooth).chain(fuller))), Some(3.0));
    }

    #[test]
    fn teeth_of_different_depth_do_not_hide_that_it_is_fuller_than_before() {
        // Released at 30, 60 and 60 MiB: the depth of the teeth differs by more than is left in the end.
        let teeth = [(80.0, 30.0), (80.0, 60.0), (85.0, 60.0)];
        let tooth = |nth: i32| {
            let (top, bottom) = teeth[(nth / 12) as usize];
            (f64::from(nth), top - (top - bottom) / 11.0 * f64::from(nth % 12))
        };
        let saw = (0..36).map(tooth);
        assert_eq!(mib_per_second(&history(saw.clone())), None, "it is not fuller than before");
        let fuller = (36..56).map(|nth| (f64::from(nth), 66.0 - 3.0 * f64::from(nth - 36)));
        let full = history(saw.chain(fuller));
        assert_eq!((full.left(), mib_per_second(&full)), (Some(Bytes(9 * MIB)), Some(3.0)));
    }

    #[test]
    fn a_saw_tooth_that_leaks_ends_by_the_level_of_its_releases() {
        // Released every 10 s; 5 MiB stay each time.
        let tooth = |nth: i32| {
            (f64::from(nth), 70.0 - 2.0 * f64::from(nth % 10) - f64::from(nth / 10) * 5.0)
        };
        let saw = history((0..54).map(tooth));
        let estimate = saw.estimate().unwrap();
        assert_eq!(estimate.basis, Basis::Levels);
        // The level of the fifth release is 32 MiB: 64 s of half a MiB each.
        let middle = estimate.when.middle.0 as f64 / 1000.0;
        assert!((middle - 60.0).abs() < 12.0, "{middle}");
        // Right after a large release, too, when there is no more than one point of the new growth.
        let released = history((0..51).map(tooth));
        assert_eq!(released.estimate().map(|it| it.basis), Some(Basis::Levels));
    }

    #[test]
    fn a_small_release_does_not_end_the_growth() {
        let leak = (0..20).map(|nth| (f64::from(nth), 80.0 - 2.0 * f64::from(nth)));
        let exit = (20..24).map(|nth| (f64::from(nth), 87.0 - 2.0 * f64::from(nth)));
        let history = history(leak.chain(exit));
        assert_eq!(mib_per_second(&history), Some(2.0));
        assert_eq!(history.left(), Some(Bytes(41 * MIB)));
    }

    #[test]
    fn a_large_release_and_a_changed_limit_begin_anew() {
        let leak = || history((0..10).map(|nth| (f64::from(nth), 64.0 - f64::from(nth))));
        let mut limited = leak();
        limited.push(Kind::Sample, Millis(10_000), Bytes(154 * MIB), Bytes(200 * MIB));
        assert_eq!((limited.estimate(), limited.generation()), (None, 2));
        let mut released = leak();
        released.push(Kind::Sample, Millis(10_000), Bytes(90 * MIB), Bytes(100 * MIB));
        assert_eq!((released.estimate(), released.generation()), (None, 2));
    }

    #[test]
    fn what_a_kill_released_is_no_saw_tooth() {
        let leak = |nth: i32| (f64::from(nth), 60.0 - 4.0 * f64::from(nth % 14));
        let mut history = history((0..36).map(leak));
        assert_eq!(history.estimate(), None, "it was released twice at 8 MiB");
        history.killed(Millis::ZERO);
        assert_eq!(mib_per_second(&history), Some(4.0));
    }

    #[test]
    fn readings_that_are_not_later_are_left_out() {
        let mut leak = history((0..10).map(|nth| (f64::from(nth), 64.0 - f64::from(nth))));
        let before = leak.estimate();
        for at in [9_000, 8_000, 0] {
            leak.push(Kind::Sample, Millis(at), Bytes(99 * MIB), Bytes(100 * MIB));
        }
        assert_eq!(leak.estimate(), before);
    }
}
