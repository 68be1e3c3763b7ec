//! How fast the room of a domain shrinks, from several windows at once: the shortest window whose trend is
//! clear wins, so that an acceleration is seen and noise is not.

use std::collections::VecDeque;

use crate::units::{Bytes, Millis};

use super::TimeSpan;

/// Windows that are tried, the shortest first.
const WINDOWS: [Millis; 3] = [Millis(5_000), Millis(15_000), Millis(60_000)];
/// Minimum number of points in a window.
const MIN_POINTS: usize = 4;
/// A window must be covered to this share, in per-mille.
const MIN_COVERED: u64 = 550;
/// Of all pairs of points, this share must fall rather than rise.
const MIN_CONCORDANCE: f64 = 0.6;
/// The outer slopes: this share of the slopes lies beyond each.
const OUTER: f64 = 0.2;
/// No rate is known better than this.
const MIN_DOUBT: f64 = 0.1;
/// Maximum number of points that a fit takes; older neighbours are left out evenly.
const MAX_FIT: usize = 32;
/// Points older than this are dropped.
const SPAN: Millis = Millis(120_000);
/// Minimum distance of two points.
const MIN_STEP: Millis = Millis(80);
/// Room that comes back at once, as a share of the limit in per-mille: the history begins anew.
const RELEASE: u64 = 30;
/// Two releases at about the same fill within this time are a saw tooth.
const SAW_TOOTH: Millis = Millis(240_000);

/// The rate at which room shrinks, in bytes a second.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rate {
    pub fastest: f64,
    pub best: f64,
    pub slowest: f64,
}

impl Rate {
    /// How long `left` lasts.
    pub fn time(self, left: Bytes) -> TimeSpan {
        let at = |rate: f64| Millis((left.0 as f64 * 1000.0 / rate.max(1.0)).min(1e12) as u64);
        TimeSpan { low: at(self.fastest), middle: at(self.best), high: at(self.slowest) }
    }
}

/// The room of one domain over the last two minutes.
#[derive(Clone, Debug, Default)]
pub struct RoomHistory {
    points: VecDeque<(Millis, Bytes)>,
    limit: Bytes,
    /// When room came back without a kill, and how much was left just before.
    releases: VecDeque<(Millis, Bytes)>,
}

impl RoomHistory {
    /// Adds a reading. A changed limit, a kill in the domain and a release of more than a few percent begin
    /// the history anew.
    pub fn push(&mut self, at: Millis, left: Bytes, limit: Bytes, killed: bool) {
        if let Some(&(last, before)) = self.points.back() {
            if at <= Millis(last.0 + MIN_STEP.0) && at >= last {
                return;
            }
            let freed = left.0.saturating_sub(before.0);
            let released = freed > limit.0.max(1) / 1000 * RELEASE;
            if killed || limit != self.limit || at < last {
                self.releases.clear();
                self.points.clear();
            } else if released {
                self.releases.push_back((at, before));
                self.points.clear();
            }
        }
        self.limit = limit;
        self.points.push_back((at, left));
        while self.points.front().is_some_and(|it| at.saturating_sub(it.0) > SPAN) {
            self.points.pop_front();
        }
        while self.releases.front().is_some_and(|it| at.saturating_sub(it.0) > SAW_TOOTH) {
            self.releases.pop_front();
        }
    }

    /// What is left by the newest reading.
    pub fn left(&self) -> Option<Bytes> {
        self.points.back().map(|it| it.1)
    }

    /// Whether memory was released again and again at about the fill of now or above: a garbage collector, a
    /// batch that ends. Such a domain does not approach its limit until it is fuller than ever before.
    fn is_saw_tooth(&self, left: Bytes) -> bool {
        let tolerance = self.limit.0 / 50;
        let earlier = self.releases.iter().filter(|it| it.1.0 <= left.0.saturating_add(tolerance));
        earlier.count() >= 2
    }

    /// The rate of the shortest window whose trend is clear.
    pub fn rate(&self) -> Option<Rate> {
        let left = self.left()?;
        if self.is_saw_tooth(left) {
            return None;
        }
        WINDOWS.iter().find_map(|&window| self.rate_in(window))
    }

    fn rate_in(&self, window: Millis) -> Option<Rate> {
        let &(now, _) = self.points.back()?;
        let inside = |it: &&(Millis, Bytes)| now.saturating_sub(it.0) <= window;
        let seen: Vec<&(Millis, Bytes)> = self.points.iter().rev().take_while(inside).collect();
        let oldest = seen.last()?.0;
        let covered = now.saturating_sub(oldest).0 * 1000 / window.0;
        if seen.len() < MIN_POINTS || covered < MIN_COVERED {
            return None;
        }
        let step = seen.len().div_ceil(MAX_FIT).max(1);
        let points: Vec<(f64, f64)> =
            seen.iter().step_by(step).map(|it| (it.0.0 as f64 / 1000.0, it.1.0 as f64)).collect();
        fit(&points)
    }
}

/// Theil and Sen: the median of the slopes between all pairs of points, with the outer slopes as bounds.
fn fit(points: &[(f64, f64)]) -> Option<Rate> {
    let mut slopes = Vec::with_capacity(points.len() * points.len() / 2);
    let mut concordance = 0_i64;
    for (nth, &(late, after)) in points.iter().enumerate() {
        for &(early, before) in &points[nth + 1..] {
            slopes.push((before - after) / (late - early).max(1e-3));
            concordance += i64::from(after < before) - i64::from(after > before);
        }
    }
    let pairs = slopes.len() as f64;
    if slopes.is_empty() || (concordance as f64) < MIN_CONCORDANCE * pairs {
        return None;
    }
    slopes.sort_unstable_by(f64::total_cmp);
    let at = |share: f64| slopes[((slopes.len() - 1) as f64 * share).round() as usize];
    let best = at(0.5);
    let slowest = at(OUTER).min(best * (1.0 - MIN_DOUBT));
    let fastest = at(1.0 - OUTER).max(best * (1.0 + MIN_DOUBT));
    (best > 0.0).then_some(Rate { fastest, best, slowest: slowest.max(best / 8.0) })
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
            history.push(at, Bytes((mib * MIB as f64) as u64), Bytes(100 * MIB), false);
        }
        history
    }

    fn mib_per_second(history: &RoomHistory) -> Option<f64> {
        history.rate().map(|rate| (rate.best / MIB as f64 * 100.0).round() / 100.0)
    }

    #[test]
    fn a_steady_leak_has_its_rate_and_its_time() {
        let leak = history((0..10).map(|nth| (f64::from(nth) * 2.0, 64.0 - 4.0 * f64::from(nth))));
        assert_eq!(mib_per_second(&leak), Some(2.0));
        let time = leak.rate().unwrap().time(leak.left().unwrap());
        assert_eq!(time.middle, Millis(14_000));
        assert!(time.low < time.middle && time.middle < time.high);
    }

    #[test]
    fn an_acceleration_is_seen_in_the_shortest_window() {
        let slow = (0..20).map(|nth| (f64::from(nth), 90.0 - 0.5 * f64::from(nth)));
        let fast = (20..26).map(|nth| (f64::from(nth), 80.0 - 6.0 * f64::from(nth - 20)));
        assert_eq!(mib_per_second(&history(slow.chain(fast))), Some(6.0));
    }

    #[test]
    fn steps_are_seen_in_a_longer_window() {
        let steps = (0..40).map(|nth| (f64::from(nth), 90.0 - 8.0 * f64::from(nth / 8)));
        let rate = mib_per_second(&history(steps)).unwrap();
        assert!((0.7..1.4).contains(&rate), "{rate}");
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
    fn a_kill_and_a_changed_limit_begin_anew() {
        let mut leak = history((0..10).map(|nth| (f64::from(nth), 64.0 - f64::from(nth))));
        leak.push(Millis(10_000), Bytes(90 * MIB), Bytes(100 * MIB), true);
        assert_eq!(leak.rate(), None);
        let mut leak = history((0..10).map(|nth| (f64::from(nth), 64.0 - f64::from(nth))));
        leak.push(Millis(10_000), Bytes(154 * MIB), Bytes(200 * MIB), false);
        assert_eq!(leak.rate(), None);
    }
}
