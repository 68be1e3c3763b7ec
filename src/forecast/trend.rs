//! When memory, swap and each cgroup's room are gone at the rate of the last minutes, as far as that
//! can be told. What has no clear trend has no time: silence is better than a number that jumps.
//!
//! The rate is the median of the slopes between all pairs of looks (Theil and Sen): a single jump, or a
//! third of wild looks, does not move it. How sure it is comes from the same slopes (Sen's interval by
//! the variance of Kendall's S).

use std::sync::Arc;

use crate::model::{
    Cgroup, Forecast, MachineHistory, MachineSample, SampleHistory, SampleIndex, Snapshot, Text,
    TimeToFull, Trend, tree_order,
};
use crate::units::{Bytes, Millis};

/// What was left at a time.
pub type RoomLeft = (Millis, Bytes);

/// Fewer looks tell nothing.
const LEAST: usize = 8;
/// Nor does a shorter time.
const SHORTEST: Millis = Millis(20_000);
/// The rate is looked for in the last half hour, then nearer to now: the longest time in which it is
/// one rate is the one that counts.
const WINDOWS: [Millis; 4] = [Millis(1_800_000), Millis(600_000), Millis(180_000), Millis(45_000)];
/// Looks are put together to so many points.
const POINTS: usize = 40;
/// Of all pairs of looks, so many more must fall than rise. A step has a half, noise has none.
const CONCORD: f64 = 0.65;
/// How many standard deviations of Kendall's S the interval spans to each side. More than the usual 1.96:
/// what memory does now depends on what it did just before.
const SURE: f64 = 2.6;
/// No rate is steadier than that.
const LEAST_DOUBT: f64 = 0.1;
/// Further ahead nothing is foreseen.
const FARTHEST: f64 = 6.0 * 3600.0;
/// Nor further than so many times the time that was seen.
const REACH: f64 = 60.0;
/// A pause between two looks that is so many times the usual one: what was before is another story.
const GAP: u64 = 8;

/// A point: seconds before now (negative), and bytes left.
type Point = (f64, f64);

/// A line through points.
struct Fit {
    /// Bytes a second: steepest, best, flattest.
    slopes: [f64; 3],
    centre: Point,
    /// How far the points lie from it, halfway.
    noise: f64,
    points: usize,
}

fn median(sorted: &[f64]) -> f64 {
    let half = sorted.len() / 2;
    let at = |at: usize| sorted.get(at).copied().unwrap_or_default();
    if sorted.len() % 2 == 1 {
        at(half)
    } else {
        f64::midpoint(at(half.saturating_sub(1)), at(half))
    }
}

fn sorted(values: impl Iterator<Item = f64>) -> Vec<f64> {
    let mut all: Vec<f64> = values.collect();
    all.sort_unstable_by(f64::total_cmp);
    all
}

impl Fit {
    /// The line, where the points clearly fall.
    fn falling(points: &[Point]) -> Option<Self> {
        let mut slopes = Vec::with_capacity(points.len() * points.len() / 2);
        let mut concord = 0_i64;
        for (nth, &(x, y)) in points.iter().enumerate() {
            for &(later, then) in points.iter().skip(nth + 1).filter(|later| later.0 > x) {
                slopes.push((then - y) / (later - x));
                concord += i64::from(then < y) - i64::from(then > y);
            }
        }
        let pairs = slopes.len() as f64;
        if slopes.is_empty() || (concord as f64) < CONCORD * pairs {
            return None;
        }
        slopes.sort_unstable_by(f64::total_cmp);
        let n = points.len() as f64;
        let doubt = SURE * (n * (n - 1.0) * (2.0 * n + 5.0) / 18.0).sqrt();
        let at = |rank: f64| {
            let last = slopes.len() - 1;
            slopes.get((rank.max(0.0) as usize).min(last)).copied().unwrap_or_default()
        };
        let (steepest, flattest) = (at((pairs - doubt) / 2.0), at((pairs + doubt) / 2.0));
        let best = median(&slopes);
        if flattest >= 0.0 {
            return None;
        }
        let centre = (
            median(&sorted(points.iter().map(|it| it.0))),
            median(&sorted(points.iter().map(|it| it.1))),
        );
        let off = |&(x, y): &Point| (y - centre.1 - best * (x - centre.0)).abs();
        let noise = median(&sorted(points.iter().map(off)));
        Some(Self { slopes: [steepest, best, flattest], centre, noise, points: points.len() })
    }

    /// The same rate still holds: that of the newest third is not another one.
    fn goes_on(&self, points: &[Point]) -> bool {
        let newest = points.len() - (points.len() / 3).max(5).min(points.len());
        let mut slopes = Vec::new();
        for (nth, &(x, y)) in points.iter().enumerate().skip(newest) {
            for &(later, then) in points.iter().skip(nth + 1).filter(|later| later.0 > x) {
                slopes.push((then - y) / (later - x));
            }
        }
        let [_, best, _] = self.slopes;
        let now = median(&sorted(slopes.into_iter()));
        (best * 2.5..=best * 0.4).contains(&now)
    }

    /// Seconds from now until nothing is left, at each of the three rates; not before now.
    fn end(&self) -> [f64; 3] {
        let [steepest, best, flattest] = self.slopes;
        let at = |slope: f64| self.centre.0 - self.centre.1 / slope;
        let likely = at(best);
        // The line's own height is not sure either.
        let more =
            2.0 * self.noise / (self.points as f64).sqrt() / -best + LEAST_DOUBT * likely.abs();
        let soonest = at(steepest).min(likely - more);
        let latest = at(flattest).max(likely + more);
        [soonest.max(0.0), likely.max(0.0), latest.max(0.0)]
    }
}

/// What follows the last long pause.
fn since_pause(left: &[RoomLeft]) -> &[RoomLeft] {
    let mut steps: Vec<u64> =
        left.windows(2).filter_map(|pair| Some(pair.last()?.0.0 - pair.first()?.0.0)).collect();
    steps.sort_unstable();
    let usual = steps.get(steps.len() / 2).copied().unwrap_or_default().max(1);
    let long = |pair: &[RoomLeft]| match pair {
        [before, after] => after.0.0 - before.0.0 > usual.saturating_mul(GAP),
        _ => false,
    };
    let from = left.windows(2).rposition(long).map_or(0, |at| at + 1);
    left.get(from..).unwrap_or_default()
}

/// Neighbours put together, so that there are few enough.
fn thinned(left: &[RoomLeft], now: Millis) -> Vec<Point> {
    let each = left.len().div_ceil(POINTS).max(1);
    // From the newest backwards: it is not left over.
    let mut points: Vec<Point> = left
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

/// How often so much came back at once or by and by: what falls and recovers again and again (a
/// garbage collector, a cache that is emptied) runs into no wall.
fn recoveries(left: &[RoomLeft], fall: f64) -> usize {
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

/// When nothing is left of what was left at these times, the oldest first.
#[must_use]
pub fn trend_of(left: &[RoomLeft]) -> Trend {
    let in_order =
        left.windows(2).all(|pair| pair.first().map(|it| it.0) < pair.last().map(|it| it.0));
    if !in_order {
        return Trend::Unknown;
    }
    without_pause(since_pause(left), <[RoomLeft]>::to_vec)
}

/// The same of what has no long pause in it.
fn without_pause(all: &[RoomLeft], taken: impl Fn(&[RoomLeft]) -> Vec<RoomLeft>) -> Trend {
    let Some(&(now, _)) = all.last() else { return Trend::Unknown };
    let is_enough = |part: &[RoomLeft]| {
        let over = part.first().map_or(Millis(0), |first| now.saturating_sub(first.0));
        part.len() >= LEAST && over >= SHORTEST
    };
    if !is_enough(all) {
        return Trend::Unknown;
    }
    let mut tried = usize::MAX;
    for window in WINDOWS {
        let from = all.partition_point(|it| now.saturating_sub(it.0) > window);
        let seen = all.get(from..).unwrap_or_default();
        if seen.len() == tried {
            continue;
        }
        tried = seen.len();
        let part = taken(seen);
        let part = part.as_slice();
        if !is_enough(part) {
            continue;
        }
        let points = thinned(part, now);
        let Some(fit) = Fit::falling(&points).filter(|fit| fit.goes_on(&points)) else { continue };
        let over = part.first().map_or(Millis(0), |first| now.saturating_sub(first.0));
        let fall = -fit.slopes[1] * over.0 as f64 / 1000.0;
        let [soonest, likely, latest] = fit.end();
        let far = likely > FARTHEST || likely > REACH * over.0 as f64 / 1000.0;
        let vague = latest > soonest * 3.0 + 30.0;
        if far || vague || recoveries(all, fall) >= 2 {
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

/// What the machine can still take in RAM.
fn available(moment: &MachineSample) -> Bytes {
    let free = moment.memory.free_kib + moment.memory.cache_kib;
    moment.memory.available_kib.value().unwrap_or(free).bytes()
}

/// What is foreseen at the time of this look, by it and those before it.
#[must_use]
pub fn forecast(history: &MachineHistory, past: &SampleHistory, now: &Snapshot) -> Forecast {
    let newest = history.place(now.clock.monotonic_ms).map_or(0, |place| place + 1);
    let since = |at: Millis| now.clock.monotonic_ms.saturating_sub(at) <= WINDOWS[0];
    let same = |it: &&MachineSample| {
        it.memory.total_kib == now.memory.total_kib && it.swap.total_kib == now.swap.total_kib
    };
    let moments = history.iter().take(newest).rev().take_while(same);
    let mut moments: Vec<&MachineSample> = moments.take_while(|it| since(it.at)).collect();
    moments.reverse();
    let told = |of: &dyn Fn(&MachineSample) -> Bytes| -> Trend {
        trend_of(&moments.iter().map(|moment| (moment.at, of(moment))).collect::<Vec<RoomLeft>>())
    };
    let swap = |moment: &MachineSample| moment.swap.free_kib.bytes();
    let has_swap = now.swap.total_kib.0 > 0;
    Forecast {
        ram: told(&available),
        swap: if has_swap { told(&swap) } else { Trend::Unknown },
        both: told(&|moment| available(moment) + swap(moment)),
        groups: of_groups(past, now),
    }
}

/// The newest looks at cgroups are all taken in; the older ones are the further apart the older they are:
/// by this part of their age, within these bounds. So each window has enough of them.
const GROUP_SHARE: u64 = POINTS as u64;
const GROUP_STEPS: (Millis, Millis) = (Millis(500), Millis(30_000));

/// Of looks that are denser towards now, those that are about as far apart as the oldest.
fn evenly(part: &[RoomLeft]) -> Vec<RoomLeft> {
    let (Some((from, _)), Some((to, _))) = (part.first(), part.last()) else { return Vec::new() };
    let step = Millis(to.saturating_sub(*from).0 / GROUP_SHARE);
    let mut even: Vec<RoomLeft> = Vec::with_capacity(POINTS + 1);
    for sample in part.iter().rev() {
        if even.last().is_none_or(|last| last.0.saturating_sub(sample.0) >= step) {
            even.push(*sample);
        }
    }
    even.reverse();
    even
}

/// Which looks at cgroups are taken in, the oldest first: those of the last half hour up to this one, since
/// the last long pause.
fn group_samples(past: &SampleHistory, newest: SampleIndex) -> Vec<SampleIndex> {
    let (Some(oldest), Some(now)) = (past.oldest(), past.time(newest)) else { return Vec::new() };
    let age = |at: Millis| now.saturating_sub(at);
    let times = (oldest.0..=newest.0).rev().map_while(|nth| past.time(SampleIndex(nth)));
    let times = times.take_while(|at| age(*at) <= WINDOWS[0]);
    let mut times: Vec<RoomLeft> = times.map(|at| (at, Bytes(0))).collect();
    times.reverse();
    let mut last = None;
    let mut samples = Vec::new();
    for ((at, _), nth) in since_pause(&times).iter().rev().zip((oldest.0..=newest.0).rev()) {
        let step = Millis(age(*at).0 / GROUP_SHARE).clamp(GROUP_STEPS.0, GROUP_STEPS.1);
        if last.is_none_or(|last: Millis| last.saturating_sub(*at) >= step) {
            last = Some(*at);
            samples.push(SampleIndex(nth));
        }
    }
    samples.reverse();
    samples
}

fn of_groups(past: &SampleHistory, now: &Snapshot) -> Vec<(Arc<Text>, Trend)> {
    let limited: Vec<&Cgroup> = now.cgroups.limited().collect();
    if limited.is_empty() {
        return Vec::new();
    }
    let newest = past.at(now.clock.monotonic_ms);
    let samples = newest.map_or_else(Vec::new, |newest| group_samples(past, newest));
    let (Some(first), Some(newest)) = (samples.first(), samples.last()) else { return Vec::new() };
    let mut taken = samples.iter().peekable();
    let mut left: Vec<Vec<RoomLeft>> = limited.iter().map(|_| Vec::new()).collect();
    past.walk_groups((*first, *newest), |nth, facts, read_ms, list| {
        if taken.next_if(|taken| **taken == nth).is_none() {
            return;
        }
        let mut then = list.iter().peekable();
        for (group, left) in limited.iter().zip(&mut left) {
            let before = |it: &&Cgroup| {
                !Arc::ptr_eq(&it.path, &group.path)
                    && tree_order(it.path.as_str(), group.path.as_str()).is_lt()
            };
            while then.next_if(before).is_some() {}
            let Some(was) = then.next_if(|it| it.path == group.path) else {
                // One that comes again is another one. Where none are, nobody looked.
                if !list.is_empty() {
                    left.clear();
                }
                continue;
            };
            // Another limit is another wall.
            if was.effective_limit() != group.effective_limit() {
                left.clear();
            }
            let room = was.headroom(facts.swap.free_kib.bytes(), facts.sysctls.swappiness);
            if let Some(room) = room.filter(|_| left.last().is_none_or(|last| last.0 < read_ms)) {
                left.push((read_ms, room));
            }
        }
    });
    let told = |(group, left): (&&Cgroup, &Vec<RoomLeft>)| {
        (Arc::clone(&group.path), without_pause(left, evenly))
    };
    limited.iter().zip(&left).map(told).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::model::Reading;
    use crate::units::Kib;

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
    ) -> Vec<RoomLeft> {
        let mut noise = Noise(seed);
        (0..count)
            .map(|nth| {
                let left = of((nth * step) as f64 / 1000.0, &mut noise).max(0.0);
                (Millis(1_000_000 + nth * step), Bytes((left * MIB) as u64))
            })
            .collect()
    }

    #[test]
    fn what_falls_evenly_ends_when_it_must() {
        // 10 MiB a second of 8000 MiB, seen for two minutes: gone after 800 s, 680 s from now.
        let left = series(61, 2000, |at, _| 8000.0 - 10.0 * at, 1);
        let Trend::Full(arrival) = trend_of(&left) else { panic!("{:?}", trend_of(&left)) };
        assert!((679_000..681_000).contains(&arrival.likely.0), "{arrival:?}");
        assert!(arrival.soonest < arrival.likely && arrival.likely < arrival.latest);
        assert!(arrival.latest.0 - arrival.soonest.0 < 140_000, "a tenth of doubt: {arrival:?}");
    }

    #[test]
    fn the_truth_lies_in_the_interval() {
        for (sigma, count, step) in
            [(20.0, 60, 2000), (100.0, 90, 2000), (250.0, 150, 2000), (150.0, 30, 5000)]
        {
            let (mut told, mut right) = (0, 0);
            for seed in 0..400 {
                let of = |at: f64, noise: &mut Noise| 6000.0 - 8.0 * at + sigma * noise.next();
                let left = series(count, step, of, seed * 7919 + 3);
                let truth = 750.0 - ((count - 1) * step) as f64 / 1000.0;
                if let Trend::Full(arrival) = trend_of(&left) {
                    told += 1;
                    let range =
                        arrival.soonest.0 as f64 / 1000.0..=arrival.latest.0 as f64 / 1000.0;
                    right += usize::from(range.contains(&truth));
                }
            }
            assert!(told > 300, "noise of {sigma}: told {told} of 400");
            assert!(right * 10 >= told * 9, "noise of {sigma}: {right} of {told} right");
        }
    }

    #[test]
    fn noise_tells_nothing() {
        let spoken = (0..400).filter(|&seed| {
            let of = |_: f64, noise: &mut Noise| 6000.0 + 500.0 * noise.next();
            trend_of(&series(100, 2000, of, seed * 104_729 + 1)).arrival().is_some()
        });
        let spoken = spoken.count();
        assert!(spoken <= 4, "{spoken} of 400 spoke of an end that is none");
    }

    #[test]
    fn a_step_is_no_trend() {
        for when in [20.0, 60.0, 100.0, 150.0, 170.0, 190.0] {
            let of = |at: f64, noise: &mut Noise| {
                (if at < when { 6000.0 } else { 3000.0 }) + 5.0 * noise.next()
            };
            let told = trend_of(&series(100, 2000, of, 5));
            assert_eq!(told, Trend::Steady, "a step at {when} s");
        }
    }

    #[test]
    fn what_comes_back_again_and_again_has_no_end() {
        // A collector: 50 MiB a second for 50 s, then all of it back.
        let of = |at: f64, noise: &mut Noise| 4000.0 - 50.0 * (at % 50.0) + 10.0 * noise.next();
        let mut spoken = Vec::new();
        for end in 20..200_u64 {
            let left = series(end, 2000, of, 9);
            if trend_of(&left).arrival().is_some() {
                spoken.push(end * 2);
            }
        }
        // Before it came back twice nobody can know.
        assert!(spoken.iter().all(|&second| second <= 102), "{spoken:?}");
    }

    #[test]
    fn what_ended_is_not_foreseen_for_long() {
        // 10 MiB a second for three minutes, then nothing.
        let of = |at: f64, noise: &mut Noise| 8000.0 - 10.0 * at.min(180.0) + 2.0 * noise.next();
        let speaks = |second: u64| trend_of(&series(second / 2, 2000, of, 2)).arrival().is_some();
        assert!(speaks(170));
        assert!(!speaks(240), "a minute later it is known to have ended");
    }

    #[test]
    fn a_pause_begins_anew() {
        let mut left = series(60, 2000, |at, _| 8000.0 - 10.0 * at, 1);
        assert!(trend_of(&left).arrival().is_some());
        for (at, _) in left.iter_mut().skip(56) {
            at.0 += 3_600_000;
        }
        assert_eq!(trend_of(&left), Trend::Unknown, "four looks after an hour of sleep");
        assert_eq!(trend_of(&left[..5]), Trend::Unknown);
        left.reverse();
        assert_eq!(trend_of(&left), Trend::Unknown, "a clock that goes back");
        assert_eq!(trend_of(&[]), Trend::Unknown);
    }

    #[test]
    fn what_takes_half_a_day_is_not_foreseen() {
        let left = series(100, 2000, |at, _| 100_000.0 - 0.5 * at, 1);
        assert_eq!(trend_of(&left), Trend::Steady);
    }

    fn sample(second: u64, available: u64, swap: (u64, u64)) -> Snapshot {
        let mut sample = Snapshot::default();
        sample.clock.monotonic_ms = Millis(second * 1000);
        sample.memory.total_kib = Kib(16_000_000);
        sample.memory.available_kib = Reading::Value(Kib(available));
        (sample.swap.total_kib, sample.swap.free_kib) = (Kib(swap.0), Kib(swap.1));
        sample
    }

    #[test]
    fn more_swap_begins_anew_and_only_what_was_is_known() {
        let (mut history, past) = (MachineHistory::default(), SampleHistory::new(Millis(1), 0));
        let mut at = |sample: &Snapshot| {
            history.push(MachineSample::of(sample));
            forecast(&history, &past, sample)
        };
        let mut last = Forecast::default();
        for nth in 1..=60 {
            last = at(&sample(nth * 2, 8_000_000 - nth * 20_000, (4_000_000, 4_000_000)));
        }
        let seconds = |trend: Trend| trend.arrival().map(|it| it.likely.0.div_ceil(1000));
        assert_eq!(seconds(last.ram), Some(680));
        assert_eq!((last.swap, seconds(last.both)), (Trend::Steady, Some(1080)));
        let first = sample(122, 6_780_000, (8_000_000, 8_000_000));
        assert_eq!(at(&first).both, Trend::Unknown, "another swap, another wall");
        let then = sample(40, 7_600_000, (4_000_000, 4_000_000));
        let back = forecast(&history, &past, &then);
        assert_eq!(seconds(back.ram), Some(760), "as it was then");
    }

    proptest! {
        #[test]
        fn any_looks_are_taken(left in proptest::collection::vec((0_u64..u64::MAX, any::<u64>()), 0..60)) {
            let mut left: Vec<RoomLeft> = left.into_iter().map(|(at, it)| (Millis(at), Bytes(it))).collect();
            left.sort_unstable();
            left.dedup_by_key(|it| it.0);
            if let Trend::Full(arrival) = trend_of(&left) {
                prop_assert!(arrival.soonest <= arrival.likely && arrival.likely <= arrival.latest);
                prop_assert!(arrival.likely.0 <= 6 * 3_600_000);
            }
        }
    }
}
