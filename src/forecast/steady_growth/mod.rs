//! Steady growth over the whole of a test: a leak, and not the warm-up, a single jump or the saw tooth of a
//! collector.

use crate::forecast::fit::Fit;
use crate::forecast::headroom_trend::{HeadroomAt, averaged, recoveries};
use crate::units::{Bytes, Millis};

/// The warm-up is this part of the time: a program that starts grows.
const WARM_UP: u64 = 4;
/// Minimum number of samples after the warm-up.
const MIN_SAMPLES: usize = 8;
/// Minimum time that they span.
const MIN_SPAN: Millis = Millis(5_000);
/// Growth by less than this is no growth: the counters of the kernel are not exact.
const MIN_GAIN: f64 = 65_536.0;

/// Growth at one rate, with the range that the samples allow. Bytes a second.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SteadyGrowth {
    /// The slowest rate that the samples allow.
    pub low: f64,
    /// The rate that fits best.
    pub best: f64,
    /// The fastest rate that the samples allow.
    pub high: f64,
    /// The time over which it was seen, without the warm-up.
    pub over: Millis,
}

/// Whether a size grew steadily.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum GrowthTrend {
    /// There are fewer than eight samples in five seconds after the warm-up.
    TooShort,
    /// It did not grow, or not steadily.
    NotSteady,
    /// It did.
    Steady(SteadyGrowth),
}

impl GrowthTrend {
    /// The growth, where it is steady.
    #[must_use]
    pub const fn steady(self) -> Option<SteadyGrowth> {
        match self {
            Self::Steady(growth) => Some(growth),
            Self::TooShort | Self::NotSteady => None,
        }
    }
}

/// Whether a size grew steadily after the warm-up, which is the first quarter of the time. Sizes in the order of
/// time. The rate is the median of the rates between all pairs of samples, its range the interval of Sen.
#[must_use]
pub fn steady_growth(sizes: &[(Millis, Bytes)]) -> GrowthTrend {
    let (Some(first), Some(last)) = (sizes.first(), sizes.last()) else {
        return GrowthTrend::TooShort;
    };
    let begin = first.0 + Millis(last.0.saturating_sub(first.0).0 / WARM_UP);
    let warm = sizes.get(sizes.partition_point(|it| it.0 < begin)..).unwrap_or_default();
    let since = warm.first().map_or(last.0, |it| it.0);
    let over = last.0.saturating_sub(since);
    if warm.len() < MIN_SAMPLES || over < MIN_SPAN {
        return GrowthTrend::TooShort;
    }
    // The fit is one of room that falls.
    let top = warm.iter().map(|it| it.1).max().unwrap_or_default();
    let room: Vec<HeadroomAt> =
        warm.iter().map(|&(at, size)| (at, top.saturating_sub(size))).collect();
    let points = averaged(&room, last.0);
    let Some(fit) = Fit::falling(&points).filter(|fit| fit.goes_on(&points)) else {
        return GrowthTrend::NotSteady;
    };
    let [high, best, low] = fit.slopes.map(|slope| -slope);
    let gain = best * over.0 as f64 / 1000.0;
    if gain < MIN_GAIN || recoveries(&room, gain) >= 2 {
        return GrowthTrend::NotSteady;
    }
    GrowthTrend::Steady(SteadyGrowth { low, best, high, over })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Sizes in MiB, one each half second.
    fn sizes(count: u64, of: impl Fn(f64) -> f64) -> Vec<(Millis, Bytes)> {
        let size = |nth: u64| Bytes((of(nth as f64 / 2.0) * 1_048_576.0) as u64);
        (0..count).map(|nth| (Millis(9000 + nth * 500), size(nth))).collect()
    }

    fn rate(count: u64, of: impl Fn(f64) -> f64) -> Option<f64> {
        steady_growth(&sizes(count, of)).steady().map(|it| it.best / 1_048_576.0)
    }

    #[test]
    fn a_leak_is_found_with_its_rate() {
        let leak = |at: f64| 100.0 + 2.0 * at + (at * 3.7).sin();
        let Some(found) = steady_growth(&sizes(60, leak)).steady() else { panic!("no leak") };
        let mib = |rate: f64| rate / 1_048_576.0;
        assert!((mib(found.best) - 2.0).abs() < 0.1, "{found:?}");
        assert!(
            mib(found.low) < 2.0 && mib(found.high) > 2.0,
            "the range has the truth: {found:?}"
        );
        assert!(found.high - found.low < found.best / 2.0, "and is narrow: {found:?}");
    }

    #[test]
    fn a_warm_up_a_jump_noise_and_a_saw_tooth_are_no_leak() {
        assert_eq!(rate(60, |at| 100.0 + 60.0 * at.min(6.0)), None, "a warm-up");
        assert_eq!(rate(60, |at| if at < 15.0 { 100.0 } else { 300.0 }), None, "a jump");
        assert_eq!(rate(60, |at| 100.0 + 5.0 * (at * 2.7).sin()), None, "noise");
        assert_eq!(rate(100, |at| 100.0 + 8.0 * (at % 9.0)), None, "a saw tooth");
        assert_eq!(rate(60, |_| 100.0), None);
        assert_eq!(rate(60, |at| 300.0 - at), None, "it shrinks");
    }

    #[test]
    fn a_leak_after_a_warm_up_has_the_rate_of_the_leak() {
        let both = |at: f64| 50.0 * at.min(5.0) + at;
        assert!(rate(80, both).is_some_and(|rate| (rate - 1.0).abs() < 0.05));
    }

    #[test]
    fn too_few_samples_tell_nothing() {
        assert_eq!(steady_growth(&[]), GrowthTrend::TooShort);
        assert_eq!(steady_growth(&sizes(9, |at| at)), GrowthTrend::TooShort);
        assert_eq!(steady_growth(&sizes(13, |at| 9.0 * at)), GrowthTrend::TooShort, "4.5 s");
    }
}
