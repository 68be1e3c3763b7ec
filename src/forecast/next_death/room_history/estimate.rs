//! When nothing will be left of a domain's room, by its readings.

use crate::forecast::next_death::TimeSpan;
use crate::forecast::next_death::slope::{self, Acceleration, Rate, SlopePoint};
use crate::units::Millis;

use super::readings::Readings;
use super::{COUNT, WINDOWS};

/// A window tells what happens within this time, where a longer one has a trend too.
const FARTHEST: [Millis; COUNT] = [Millis(3_000), Millis(6_000), Millis(30_000), Millis(u64::MAX)];
/// A window must be covered to this share.
const MIN_COVERED: f64 = 0.55;
/// The time over which an acceleration is looked for.
const ACCELERATION: f64 = 30.0;
/// Minimum of that time.
const MIN_ACCELERATION: f64 = 10.0;
/// An acceleration is foreseen for what is left up to so many times what was lost in that time. A program that
/// starts takes more and more, too, but seldom all that there is.
const ACCELERATED_REACH: f64 = 3.0;
/// A domain is fuller than before when it is fuller by this share of the limit.
const FULLER: f64 = 0.02;
/// Room shrinks in pauses of at most this, or of so many times the longest pause before.
const MIN_PAUSE: f64 = 3.0;
/// See [`MIN_PAUSE`].
const PAUSES: f64 = 2.5;
/// A fall of less than this share of the limit is no progress.
const PROGRESS: f64 = 0.0005;
/// Nor is one of less than this share of what the rate makes of that time: usage is never quite at rest.
const SLOW_PROGRESS: f64 = 0.5;
/// The growth has lasted since when it had at least this share of the present rate.
const SAME_GROWTH: f64 = 0.8;
/// The same where growth becomes faster.
const SLOWER_GROWTH: f64 = 0.5;
/// A domain rests that does not lose anything for this long.
const RESTED: Millis = Millis(8_000);
/// Much is this share of the limit.
const SUDDEN: f64 = 0.1;
/// Sudden growth is foreseen for this many times as long as it has been seen.
const SUDDEN_REACH: f64 = 3.5;
/// But not for longer than this.
const SOON: Millis = Millis(10_000);
/// Growth is steady only after this time: what a program takes when it starts is mostly taken by then.
const STEADY: Millis = Millis(15_000);
/// Each part of steady growth is at least this share of the largest one.
const EVEN: f64 = 0.75;
/// Number of parts that are compared.
const PARTS: u64 = 3;

/// What a prediction rests on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Basis {
    /// The trend in one of [`WINDOWS`].
    Window(usize),
    /// The lowest levels of a restless domain: what is left each time when memory is released.
    Levels,
}

/// When nothing will be left.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Estimate {
    /// From the newest reading on.
    pub when: TimeSpan,
    /// In bytes a second.
    pub rate: f64,
    /// For how long the growth has been seen.
    pub seen: Millis,
    /// After a rest, much was taken at once, and the limit is near.
    pub sudden: bool,
    /// It has grown evenly for a while, so that it is not the start of a program.
    pub steady: bool,
    pub basis: Basis,
}

/// When nothing will be left, by the newest reading.
pub fn estimate(readings: &Readings) -> Option<Estimate> {
    let (now, left) = readings.newest().filter(|_| !readings.is_still())?;
    let ramp = by_windows(readings);
    if !readings.is_restless() {
        return ramp;
    }
    let limit = (readings.limit().0 as f64).max(1.0);
    let levels = readings.levels(now);
    let line = slope::falling(&levels);
    // The newest part is not over yet: it may be the one in which nothing is released.
    let lowest = levels.iter().skip(1).map(|it| it.1).fold(f64::INFINITY, f64::min);
    // What is left when memory is released again, so many seconds from now.
    let level = |seconds: f64| line.map_or(lowest, |line| line.left - line.rate.best * seconds);
    if let Some(ramp) = ramp {
        let seconds = ramp.when.middle.0 as f64 / 1000.0;
        // By how much it was fuller than the level so far.
        let off = levels.iter().skip(1).map(|it| level(it.0) - it.1).fold(0.0, f64::max);
        // The limit comes before the release, or the domain is clearly fuller than it was at any.
        if level(seconds) <= limit * FULLER || left < level(0.0) - off.max(limit * FULLER) {
            return Some(ramp);
        }
    }
    by_levels(readings, now, &levels, line?)
}

/// The earliest time that any trend suggests.
pub fn earliest(readings: &Readings) -> Option<Millis> {
    let windows = (0..WINDOWS.len()).filter_map(|window| by_window(readings, window));
    windows.map(|it| it.when.middle).min()
}

/// By the trend in the shortest window that tells what happens so soon.
fn by_windows(readings: &Readings) -> Option<Estimate> {
    // Nobody knows from the last few seconds what happens in a minute, unless it has been so for long.
    let mut longest = None;
    for (window, farthest) in FARTHEST.iter().enumerate() {
        let estimate = by_window(readings, window);
        let told = |it: Estimate| it.sudden || it.when.middle <= (*farthest).max(it.seen);
        if estimate.is_some_and(told) {
            return estimate;
        }
        longest = estimate.or(longest);
    }
    longest
}

fn by_window(readings: &Readings, window: usize) -> Option<Estimate> {
    let seconds = WINDOWS[window].0 as f64 / 1000.0;
    let points = readings.last_points(seconds);
    let covered = -points.last()?.0 / seconds;
    if covered < MIN_COVERED {
        return None;
    }
    let line = slope::falling(&points)?;
    if has_paused(readings, &points, line.rate.best) {
        return None;
    }
    let Rate { fastest, best, slowest } = line.rate;
    let (mut low, mut middle, mut high) =
        (line.left / fastest, line.left / best, line.left / slowest);
    let mut same = SAME_GROWTH;
    if window < COUNT - 1
        && let Some(time) = accelerated(readings)
    {
        same = SLOWER_GROWTH;
        middle = time.min(middle);
        low = low.min(middle * 0.9);
        high = high.min(middle * 2.0).max(middle * 1.1);
    }
    let (when, seen) = (span(low, middle, high), readings.growing_for(best * same));
    let sudden = is_sudden(readings, when.middle, seen, best);
    let (steady, basis) = (is_steady(readings, seen), Basis::Window(window));
    Some(Estimate { when, rate: best, seen, sudden, steady, basis })
}

/// Whether about the same was lost in each part of this time.
fn is_steady(readings: &Readings, seen: Millis) -> bool {
    let Some((now, _)) = readings.newest().filter(|_| seen >= STEADY) else { return false };
    let at = |part: u64| readings.left_at(now.saturating_sub(Millis(seen.0 * part / PARTS)));
    let losses = (0..PARTS).map(|part| Some(at(part + 1)? - at(part)?));
    let Some(losses) = losses.collect::<Option<Vec<f64>>>() else { return false };
    let (least, most) = losses
        .iter()
        .fold((f64::INFINITY, 0.0_f64), |(least, most), it| (least.min(*it), most.max(*it)));
    least >= most * EVEN
}

/// Whether a domain that was at rest loses much at once, and is full in a few seconds.
fn is_sudden(readings: &Readings, time: Millis, seen: Millis, rate: f64) -> bool {
    let rested = readings.age().saturating_sub(seen) >= RESTED;
    let much = rate * seen.0 as f64 / 1000.0 >= readings.limit().0 as f64 * SUDDEN;
    // What was given back before may be given back again.
    let soon = time <= SOON && time.0 as f64 <= seen.0 as f64 * SUDDEN_REACH;
    rested && much && soon && !readings.has_releases()
}

/// How long what is left lasts, where the rate grows all the time.
fn accelerated(readings: &Readings) -> Option<f64> {
    let points = readings.last_points(ACCELERATION);
    let (first, last) = (points.first()?, points.last()?);
    let lost = last.1 - first.1;
    if first.0 - last.0 < MIN_ACCELERATION || first.1 > lost * ACCELERATED_REACH {
        return None;
    }
    Some(Acceleration::of(&points)?.time(first.1))
}

/// Whether room has not shrunk, as measured by this rate, for longer than it ever paused in this window.
fn has_paused(readings: &Readings, points: &[SlopePoint], rate: f64) -> bool {
    let progress = readings.limit().0 as f64 * PROGRESS;
    let Some(&(mut since, mut lowest)) = points.last() else { return false };
    // How long it rested before the growth began says nothing.
    let mut longest: Option<f64> = None;
    for &(at, left) in points.iter().rev() {
        if left < lowest - progress.max(rate * (at - since) * SLOW_PROGRESS) {
            longest = Some(longest.map_or(0.0, |it| it.max(at - since)));
            (lowest, since) = (left, at);
        }
    }
    -since > MIN_PAUSE.max(longest.unwrap_or(0.0) * PAUSES)
}

/// By the lowest levels.
fn by_levels(
    readings: &Readings,
    now: Millis,
    levels: &[SlopePoint],
    line: slope::Line,
) -> Option<Estimate> {
    let Rate { fastest, best, slowest } = line.rate;
    let (first, left) = (levels.last()?, readings.newest()?.1);
    // However the levels fall, what is left now must be used up first.
    let least = left / readings.steepest().max(best);
    let times = [fastest, best, slowest].map(|rate| (line.left / rate).max(least));
    Some(Estimate {
        when: span(times[0], times[1], times[2]),
        rate: best,
        seen: Millis((-first.0 * 1000.0) as u64).min(now),
        sudden: false,
        steady: false,
        basis: Basis::Levels,
    })
}

/// A span of seconds.
fn span(low: f64, middle: f64, high: f64) -> TimeSpan {
    let millis = |seconds: f64| Millis((seconds.clamp(0.0, 1e9) * 1000.0) as u64);
    TimeSpan { low: millis(low), middle: millis(middle), high: millis(high) }
}
