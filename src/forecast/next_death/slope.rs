//! The slope of a series of readings: how fast something shrinks, and how certain that is.
//!
//! The rate is the median of the slopes between pairs of points (Theil and Sen): a single jump or a few wild
//! readings do not move it. Only pairs that are far enough apart are compared, because the slopes of close
//! points are mostly noise.

/// From one third of the time to the next the rate grows by this share, or it does not grow.
const MIN_PACE: f64 = 0.05;

/// A reading: seconds, and what is left then in bytes.
pub type SlopePoint = (f64, f64);

/// Minimum number of points.
const MIN_POINTS: usize = 4;
/// Pairs of points must be this share of the whole time apart.
const MIN_DISTANCE: f64 = 0.3;
/// Of all pairs, this share must fall rather than rise.
const MIN_CONCORDANCE: f64 = 0.6;
/// The largest single fall may be this share of the whole: one jump is no trend.
const MAX_JUMP: f64 = 0.6;
/// The outer slopes: this share of the slopes lies beyond each.
const OUTER: f64 = 0.15;
/// No rate is known better than this.
const MIN_UNCERTAINTY: f64 = 0.08;
/// The slowest rate is at least this share of the best one.
const SLOWEST: f64 = 0.3;
/// Falls in jumps of this share of the whole are steps; the line through them tells more than the last point.
const STEPS: f64 = 0.25;

/// The rate at which room shrinks, in bytes a second.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rate {
    pub fastest: f64,
    pub best: f64,
    pub slowest: f64,
}

/// A falling line through points.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Line {
    pub rate: Rate,
    /// What is left at the newest point by the line.
    pub left: f64,
}

/// The line through points that fall clearly; the newest point first.
pub fn falling(points: &[SlopePoint]) -> Option<Line> {
    let (&(now, last), &(then, first)) = (points.first()?, points.last()?);
    let (span, fall) = (now - then, first - last);
    if points.len() < MIN_POINTS || span <= 0.0 || fall <= 0.0 {
        return None;
    }
    let jump = points.windows(2).map(|pair| pair[1].1 - pair[0].1).fold(0.0, f64::max);
    if jump > fall * MAX_JUMP {
        return None;
    }
    let mut slopes = Vec::with_capacity(points.len() * points.len() / 2);
    let mut concordance = 0_i64;
    for (nth, &(late, after)) in points.iter().enumerate() {
        for &(early, before) in &points[nth + 1..] {
            if late - early >= span * MIN_DISTANCE {
                slopes.push((before - after) / (late - early));
                concordance += i64::from(after < before) - i64::from(after > before);
            }
        }
    }
    if slopes.is_empty() || (concordance as f64) < MIN_CONCORDANCE * slopes.len() as f64 {
        return None;
    }
    slopes.sort_unstable_by(f64::total_cmp);
    let at = |share: f64| slopes[((slopes.len() - 1) as f64 * share).round() as usize];
    let best = at(0.5);
    if best <= 0.0 {
        return None;
    }
    let slowest = at(OUTER).min(best * (1.0 - MIN_UNCERTAINTY)).max(best * SLOWEST);
    let fastest = at(1.0 - OUTER).max(best * (1.0 + MIN_UNCERTAINTY));
    let left = if jump > fall * STEPS { intercept(points, now, best) } else { last };
    Some(Line { rate: Rate { fastest, best, slowest }, left: left.max(0.0) })
}

/// What is left at `now` by a line of this rate through the middle of the points.
fn intercept(points: &[SlopePoint], now: f64, rate: f64) -> f64 {
    let mut values: Vec<f64> = points.iter().map(|it| it.1 - rate * (now - it.0)).collect();
    median(&mut values)
}

/// The middle value; 0 of none.
pub fn median(values: &mut [f64]) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or_default()
}

/// Growth that becomes faster all the time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Acceleration {
    /// The rate now, in bytes a second.
    rate: f64,
    /// The rate grows by this share in a second.
    pace: f64,
}

impl Acceleration {
    /// Of points whose slope grew from each third of the time to the next; the newest point first.
    pub fn of(points: &[SlopePoint]) -> Option<Self> {
        let (now, then) = (points.first()?.0, points.last()?.0);
        let third = (now - then) / 3.0;
        if third <= 0.0 {
            return None;
        }
        let slope = |from: f64, to: f64| {
            let (from, to) = (now - third * from, now - third * to);
            let inside = |it: &&SlopePoint| it.0 >= from - 1e-6 && it.0 <= to + 1e-6;
            let newest = points.iter().find(inside)?;
            let oldest = points.iter().rev().find(inside)?;
            let time = newest.0 - oldest.0;
            let slope = (oldest.1 - newest.1) / time;
            let covered = time > (to - from) / 2.0 && slope > 0.0;
            covered.then(|| ((newest.0 + oldest.0) / 2.0, slope))
        };
        let pace = |late: (f64, f64), early: (f64, f64)| {
            (late.1 / early.1).ln() / (late.0 - early.0).max(1e-3)
        };
        let [new, middle, old] = [slope(1.0, 0.0)?, slope(2.0, 1.0)?, slope(3.0, 2.0)?];
        let halves = pace(slope(0.5, 0.0)?, slope(1.0, 0.5)?);
        // The slowest of them, so that neither noise nor one change of the rate is taken for an explosion.
        let pace = pace(new, middle).min(pace(middle, old)).min(halves * 2.0);
        let rate = new.1 * (pace * (now - new.0)).exp();
        (pace * third > MIN_PACE && rate.is_finite()).then_some(Self { rate, pace })
    }

    /// How long `left` lasts, in seconds.
    pub fn time(self, left: f64) -> f64 {
        (self.pace * left.max(0.0) / self.rate.max(1.0)).ln_1p() / self.pace
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Readings at these seconds, the newest first.
    fn readings(of: impl Fn(f64) -> f64, count: u32, every: f64) -> Vec<SlopePoint> {
        let at = |nth: u32| f64::from(nth) * every;
        (0..count).rev().map(|nth| (at(nth), of(at(nth)))).collect()
    }

    #[test]
    fn a_line_has_its_slope() {
        let line = falling(&readings(|t| 1000.0 - 20.0 * t, 8, 2.0)).unwrap();
        assert!((line.rate.best - 20.0).abs() < 1e-9);
        assert!(line.rate.slowest < line.rate.best && line.rate.best < line.rate.fastest);
        assert!((line.left - 720.0).abs() < 1e-9);
    }

    #[test]
    fn noise_one_jump_and_rest_are_no_trend() {
        let noise = |t: f64| 500.0 + 3.0 * (t * 2.7).sin();
        assert_eq!(falling(&readings(noise, 30, 1.0)), None);
        let jump = |t: f64| if t < 6.0 { 500.0 } else { 300.0 };
        assert_eq!(falling(&readings(jump, 10, 1.0)), None);
        assert_eq!(falling(&readings(|_| 500.0, 10, 1.0)), None);
        assert_eq!(falling(&readings(|t| 500.0 - t, 3, 1.0)), None, "too few");
    }

    #[test]
    fn steps_have_the_height_of_the_line_through_them() {
        let steps = |t: f64| 1000.0 - 60.0 * (t / 6.0).floor();
        let line = falling(&readings(steps, 21, 1.0)).unwrap();
        assert!((8.0..12.0).contains(&line.rate.best), "{line:?}");
        assert!((line.left - 830.0).abs() < 35.0, "{line:?}");
    }

    #[test]
    fn growth_that_doubles_ends_sooner_than_the_rate_says() {
        // The rate doubles in 18 s; nothing is left at 50 s.
        let pace = std::f64::consts::LN_2 / 18.0;
        let total = ((50.0 * pace).exp() - 1.0) / pace;
        let left = |t: f64| total - ((t * pace).exp() - 1.0) / pace;
        let points = readings(left, 16, 2.0);
        let time = Acceleration::of(&points).unwrap().time(points[0].1);
        assert!((time - 20.0).abs() < 1.5, "{time}");
        assert_eq!(Acceleration::of(&readings(|t| 500.0 - 3.0 * t, 16, 2.0)), None);
        let two_rates = |t: f64| 900.0 - 2.0 * t - 14.0 * (t - 12.0).max(0.0);
        assert_eq!(Acceleration::of(&readings(two_rates, 16, 2.0)), None);
        let slower = |t: f64| 500.0 - 40.0 * t.sqrt();
        assert_eq!(Acceleration::of(&readings(slower, 16, 2.0)), None);
    }
}
