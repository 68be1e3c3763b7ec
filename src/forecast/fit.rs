//! Fits a line to memory left over time. The slope is the median of the slopes between all pairs of
//! points (Theil and Sen), so a single jump, or outliers in a third of the points, do not change it. The
//! uncertainty comes from the same slopes (Sen's interval by the variance of Kendall's S).

/// Minimum excess of falling over rising pairs, as a share of all pairs. A step has a half, noise none.
const CONCORD: f64 = 0.65;
/// Half width of the interval, in standard deviations of Kendall's S. It is more than the usual 1.96
/// because consecutive samples of memory are correlated.
const DEVIATIONS: f64 = 2.6;
/// Minimum uncertainty of the end, as a share of the time until then.
const MIN_UNCERTAINTY: f64 = 0.1;

/// A point: the time in seconds before now (negative), and the bytes left.
pub(crate) type RoomPoint = (f64, f64);

/// A line through points.
pub(crate) struct Fit {
    /// Slopes in bytes per second: steepest, best, flattest.
    pub slopes: [f64; 3],
    centre: RoomPoint,
    /// Median distance of the points from the line, in bytes.
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
    /// The line through the points, if they clearly fall.
    pub fn falling(points: &[RoomPoint]) -> Option<Self> {
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
        let spread = DEVIATIONS * (n * (n - 1.0) * (2.0 * n + 5.0) / 18.0).sqrt();
        let at = |rank: f64| {
            let last = slopes.len() - 1;
            slopes.get((rank.max(0.0) as usize).min(last)).copied().unwrap_or_default()
        };
        let (steepest, flattest) = (at((pairs - spread) / 2.0), at((pairs + spread) / 2.0));
        let best = median(&slopes);
        if flattest >= 0.0 {
            return None;
        }
        let centre = (
            median(&sorted(points.iter().map(|it| it.0))),
            median(&sorted(points.iter().map(|it| it.1))),
        );
        let off = |&(x, y): &RoomPoint| (y - centre.1 - best * (x - centre.0)).abs();
        let noise = median(&sorted(points.iter().map(off)));
        Some(Self { slopes: [steepest, best, flattest], centre, noise, points: points.len() })
    }

    /// Whether the rate still holds: whether the newest third has about the same slope.
    pub fn goes_on(&self, points: &[RoomPoint]) -> bool {
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

    /// Seconds from now until nothing is left, at each of the three slopes; at least 0.
    pub fn end(&self) -> [f64; 3] {
        let [steepest, best, flattest] = self.slopes;
        let at = |slope: f64| self.centre.0 - self.centre.1 / slope;
        let likely = at(best);
        // The height of the line is uncertain too.
        let more =
            2.0 * self.noise / (self.points as f64).sqrt() / -best + MIN_UNCERTAINTY * likely.abs();
        let soonest = at(steepest).min(likely - more);
        let latest = at(flattest).max(likely + more);
        [soonest.max(0.0), likely.max(0.0), latest.max(0.0)]
    }
}
