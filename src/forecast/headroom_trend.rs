//! The time until memory runs out, from the memory left in the last samples. Where there is no clear
//! trend there is no time: no number is better than one that jumps.

use crate::forecast::fit::{Fit, RoomPoint};
use crate::model::{TimeToFull, Trend};
use crate::units::{Bytes, Millis};

/// The memory left at a time.
pub(crate) type HeadroomAt = (Millis, Bytes);

/// Minimum number of samples.
const MIN_SAMPLES: usize = 8;
/// Minimum time that the samples span.
const MIN_SPAN: Millis = Millis(20_000);
/// The windows before now, tried in this order: the longest with one steady rate counts.
pub(crate) const WINDOWS: [Millis; 4] =
    [Millis(1_800_000), Millis(600_000), Millis(180_000), Millis(45_000)];
/// Maximum number of points to fit; more samples are averaged.
pub(crate) const POINTS: usize = 40;
/// Maximum time to forecast, in seconds.
const FARTHEST: f64 = 6.0 * 3600.0;
/// Maximum time to forecast, as a multiple of the time observed.
const REACH: f64 = 60.0;
/// A pause between two samples of this many usual intervals starts a new history.
const GAP: u64 = 8;

/// The samples after the last long pause.
pub(crate) fn since_pause(left: &[HeadroomAt]) -> &[HeadroomAt] {
    let mut steps: Vec<u64> =
        left.windows(2).filter_map(|pair| Some(pair.last()?.0.0 - pair.first()?.0.0)).collect();
    steps.sort_unstable();
    let usual = steps.get(steps.len() / 2).copied().unwrap_or_default().max(1);
    let long = |pair: &[HeadroomAt]| match pair {
        [before, after] => after.0.0 - before.0.0 > usual.saturating_mul(GAP),
        _ => false,
    };
    let from = left.windows(2).rposition(long).map_or(0, |at| at + 1);
    left.get(from..).unwrap_or_default()
}

/// Averages of neighbouring samples, at most [`POINTS`].
pub(crate) fn averaged(left: &[HeadroomAt], now: Millis) -> Vec<RoomPoint> {
    let each = left.len().div_ceil(POINTS).max(1);
    // Chunks start at the newest, so that only the oldest chunk may be short.
    let mut points: Vec<RoomPoint> = left
        .rchunks(each)
        .map(|part| {
            let count = part.len() as f64;
            let x = part.iter().map(|it| now.saturating_sub(it.0).0 as f64).sum::<f64>() / count;
            let y = part.iter().map(|it| it.1.0 as f64).sum::<f64>() / count;
            (-x / 1000.0, y)
        })
        .collect();
    points.reverse();
    points
}

/// The number of recoveries of about this size. Memory that falls and recovers repeatedly (a garbage
/// collector, a cache that is emptied) does not run out.
pub(crate) fn recoveries(left: &[HeadroomAt], fall: f64) -> usize {
    let (mut low, mut high, mut rising, mut count) = (f64::MAX, f64::MIN, false, 0);
    for value in left.iter().map(|it| it.1.0 as f64) {
        if rising {
            high = high.max(value);
            if high - value > fall * 0.6 {
                (rising, low) = (false, value);
            }
        } else {
            low = low.min(value);
            if value - low > fall * 0.6 {
                count += 1;
                (rising, high) = (true, value);
            }
        }
    }
    count
}

/// The trend of the memory left at these times, the oldest first.
#[must_use]
pub(crate) fn trend_of(left: &[HeadroomAt]) -> Trend {
    let in_order =
        left.windows(2).all(|pair| pair.first().map(|it| it.0) < pair.last().map(|it| it.0));
    if !in_order {
        return Trend::Unknown;
    }
    without_pause(since_pause(left), <[HeadroomAt]>::to_vec)
}

/// The trend of samples without a long pause. `taken` selects the samples of a window to fit.
pub(crate) fn without_pause(
    all: &[HeadroomAt],
    taken: impl Fn(&[HeadroomAt]) -> Vec<HeadroomAt>,
) -> Trend {
    let Some(&(now, _)) = all.last() else { return Trend::Unknown };
    let is_enough = |part: &[HeadroomAt]| {
        let over = part.first().map_or(Millis(0), |first| now.saturating_sub(first.0));
        part.len() >= MIN_SAMPLES && over >= MIN_SPAN
    };
    if !is_enough(all) {
        return Trend::Unknown;
    }
    let mut last_tried = usize::MAX;
    for window in WINDOWS {
        let from = all.partition_point(|it| now.saturating_sub(it.0) > window);
        let seen = all.get(from..).unwrap_or_default();
        if seen.len() == last_tried {
            continue;
        }
        last_tried = seen.len();
        let part = taken(seen);
        let part = part.as_slice();
        if !is_enough(part) {
            continue;
        }
        let points = averaged(part, now);
        let Some(fit) = Fit::falling(&points).filter(|fit| fit.goes_on(&points)) else { continue };
        let over = part.first().map_or(Millis(0), |first| now.saturating_sub(first.0));
        let fall = -fit.slopes[1] * over.0 as f64 / 1000.0;
        let [soonest, likely, latest] = fit.end();
        let far = likely > FARTHEST || likely > REACH * over.0 as f64 / 1000.0;
        let uncertain = latest > soonest * 3.0 + 30.0;
        if far || uncertain || recoveries(all, fall) >= 2 {
            return Trend::Steady;
        }
        let ms = |seconds: f64| Millis((seconds * 1000.0).min(1e15) as u64);
        return Trend::Full(TimeToFull {
            soonest: ms(soonest),
            likely: ms(likely),
            latest: ms(latest),
            samples: part.len(),
            over,
        });
    }
    Trend::Steady
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const MIB: f64 = 1_048_576.0;

    /// Noise that is the same for the same seed: between -1 and 1, and near 0 most of the time.
    struct Noise(u64);

    impl Noise {
        fn next(&mut self) -> f64 {
            let mut sum = 0.0;
            for _ in 0..4 {
                self.0 = self
                    .0
                    .wrapping_mul(6_364_136_223_846_793_005)
                    .wrapping_add(1_442_695_040_888_963_407);
                sum += (self.0 >> 40) as f64 / f64::from(1 << 24) - 0.5;
            }
            sum / 2.0
        }
    }

    fn series(
        count: u64,
        step: u64,
        of: impl Fn(f64, &mut Noise) -> f64,
        seed: u64,
    ) -> Vec<HeadroomAt> {
        let mut noise = Noise(seed);
        (0..count)
            .map(|nth| {
                let left = of((nth * step) as f64 / 1000.0, &mut noise).max(0.0);
                (Millis(1_000_000 + nth * step), Bytes((left * MIB) as u64))
            })
            .collect()
    }

    #[test]
    fn a_steady_fall_ends_in_time() {
        // 10 MiB a second of 8000 MiB, seen for two minutes: gone after 800 s, 680 s from now.
        let left = series(61, 2000, |at, _| 8000.0 - 10.0 * at, 1);
        let Trend::Full(arrival) = trend_of(&left) else { panic!("{:?}", trend_of(&left)) };
        assert!((679_000..681_000).contains(&arrival.likely.0), "{arrival:?}");
        assert!(arrival.soonest < arrival.likely && arrival.likely < arrival.latest);
        assert!(
            arrival.latest.0 - arrival.soonest.0 < 140_000,
            "a tenth of uncertainty: {arrival:?}"
        );
    }

    #[test]
    fn the_interval_contains_the_truth() {
        for (sigma, count, step) in
            [(20.0, 60, 2000), (100.0, 90, 2000), (250.0, 150, 2000), (150.0, 30, 5000)]
        {
            let (mut forecasts, mut right) = (0, 0);
            for seed in 0..400 {
                let of = |at: f64, noise: &mut Noise| 6000.0 - 8.0 * at + sigma * noise.next();
                let left = series(count, step, of, seed * 7919 + 3);
                let truth = 750.0 - ((count - 1) * step) as f64 / 1000.0;
                if let Trend::Full(arrival) = trend_of(&left) {
                    forecasts += 1;
                    let range =
                        arrival.soonest.0 as f64 / 1000.0..=arrival.latest.0 as f64 / 1000.0;
                    right += usize::from(range.contains(&truth));
                }
            }
            assert!(forecasts > 300, "noise of {sigma}: {forecasts} forecasts of 400");
            assert!(right * 10 >= forecasts * 9, "noise of {sigma}: {right} of {forecasts} right");
        }
    }

    #[test]
    fn noise_has_no_trend() {
        let spoken = (0..400).filter(|&seed| {
            let of = |_: f64, noise: &mut Noise| 6000.0 + 500.0 * noise.next();
            trend_of(&series(100, 2000, of, seed * 104_729 + 1)).arrival().is_some()
        });
        let spoken = spoken.count();
        assert!(spoken <= 4, "{spoken} of 400 forecast an end that does not come");
    }

    #[test]
    fn a_step_has_no_trend() {
        for when in [20.0, 60.0, 100.0, 150.0, 170.0, 190.0] {
            let of = |at: f64, noise: &mut Noise| {
                (if at < when { 6000.0 } else { 3000.0 }) + 5.0 * noise.next()
            };
            let trend = trend_of(&series(100, 2000, of, 5));
            assert_eq!(trend, Trend::Steady, "a step at {when} s");
        }
    }

    #[test]
    fn a_saw_tooth_has_no_end() {
        // A collector: 50 MiB a second for 50 s, then all of it back.
        let of = |at: f64, noise: &mut Noise| 4000.0 - 50.0 * (at % 50.0) + 10.0 * noise.next();
        let mut spoken = Vec::new();
        for end in 20..200_u64 {
            let left = series(end, 2000, of, 9);
            if trend_of(&left).arrival().is_some() {
                spoken.push(end * 2);
            }
        }
        // Two recoveries are needed to recognise it.
        assert!(spoken.iter().all(|&second| second <= 102), "{spoken:?}");
    }

    #[test]
    fn a_fall_that_stopped_is_soon_dropped() {
        // 10 MiB a second for three minutes, then nothing.
        let of = |at: f64, noise: &mut Noise| 8000.0 - 10.0 * at.min(180.0) + 2.0 * noise.next();
        let speaks = |second: u64| trend_of(&series(second / 2, 2000, of, 2)).arrival().is_some();
        assert!(speaks(170));
        assert!(!speaks(240), "a minute later it is known to have ended");
    }

    #[test]
    fn a_pause_starts_a_new_history() {
        let mut left = series(60, 2000, |at, _| 8000.0 - 10.0 * at, 1);
        assert!(trend_of(&left).arrival().is_some());
        for (at, _) in left.iter_mut().skip(56) {
            at.0 += 3_600_000;
        }
        assert_eq!(trend_of(&left), Trend::Unknown, "four samples after an hour of sleep");
        assert_eq!(trend_of(&left[..5]), Trend::Unknown);
        left.reverse();
        assert_eq!(trend_of(&left), Trend::Unknown, "a clock that goes back");
        assert_eq!(trend_of(&[]), Trend::Unknown);
    }

    #[test]
    fn half_a_day_is_too_far_to_forecast() {
        let left = series(100, 2000, |at, _| 100_000.0 - 0.5 * at, 1);
        assert_eq!(trend_of(&left), Trend::Steady);
    }

    proptest! {
        #[test]
        fn any_samples_are_accepted(left in proptest::collection::vec((0_u64..u64::MAX, any::<u64>()), 0..60)) {
            let mut left: Vec<HeadroomAt> = left.into_iter().map(|(at, it)| (Millis(at), Bytes(it))).collect();
            left.sort_unstable();
            left.dedup_by_key(|it| it.0);
            if let Trend::Full(arrival) = trend_of(&left) {
                prop_assert!(arrival.soonest <= arrival.likely && arrival.likely <= arrival.latest);
                prop_assert!(arrival.likely.0 <= 6 * 3_600_000);
            }
        }
    }
}
