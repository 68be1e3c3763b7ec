//! What a domain could still take over the last minutes, and when nothing will be left.

use std::collections::VecDeque;

use crate::units::{Bytes, Millis};

use super::TimeSpan;
use super::slope::{self, Acceleration, Rate, SlopePoint};

/// Windows over which growth is measured, the shortest first.
pub const WINDOWS: [Millis; 4] = [Millis(4_000), Millis(6_000), Millis(15_000), Millis(60_000)];
/// Their number.
pub const COUNT: usize = WINDOWS.len();
/// A window tells what happens within this time, where a longer one has a trend too.
const FARTHEST: [Millis; COUNT] = [Millis(3_000), Millis(6_000), Millis(30_000), Millis(u64::MAX)];
/// A window must be covered to this share.
const MIN_COVERED: f64 = 0.55;
/// Maximum number of points that a fit takes.
const MAX_FIT: usize = 28;
/// Points older than this are dropped.
const SPAN: Millis = Millis(120_000);
/// Minimum distance of two points.
const MIN_STEP: Millis = Millis(80);
/// The time over which an acceleration is looked for.
const ACCELERATION: f64 = 30.0;
/// Minimum of that time.
const MIN_ACCELERATION: f64 = 10.0;
/// An acceleration is foreseen for what is left up to so many times what was lost in that time. A program that
/// starts takes more and more, too, but seldom all that there is.
const ACCELERATED_REACH: f64 = 3.0;

/// Room that comes back at once, as a share of the limit: the end of a batch, or a garbage collection.
const RELEASE: f64 = 0.03;
/// Room that comes back within this time belongs to one release.
const ONE_RELEASE: Millis = Millis(2_500);
/// A release of this share of the limit begins the history anew; after a smaller one, growth goes on.
const NEW_START: f64 = 0.1;
/// A release with less than this share left was no decision of the program: something was killed, or nearly.
const AT_LIMIT: f64 = 0.03;
/// With less than this share left, somebody may be killed.
const FULL: f64 = 0.1;
/// Releases older than this are forgotten.
const RELEASES: Millis = Millis(240_000);
/// A domain is a saw tooth where this share of what was taken was given back by releases.
const GIVEN_BACK: f64 = 0.4;
/// It is restless where what is lost in the end is less than this share of all movements.
const RESTLESS: f64 = 0.4;
/// A domain is fuller than before when it is fuller by this share of the limit.
const FULLER: f64 = 0.02;
/// The lowest levels are those of times of at least this length, in seconds.
const LEVEL: f64 = 6.0;
/// Maximum number of lowest levels that count.
const LEVELS: usize = 9;

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

/// Where a reading comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A sample, which tells kills too.
    Sample,
    /// A reading of usage between two samples.
    Reading,
}

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

/// Memory that came back at once.
#[derive(Clone, Copy, Debug)]
struct Release {
    at: Millis,
    /// When the last part of it came back.
    last: Millis,
    /// What was left just before, in bytes.
    before: f64,
    freed: f64,
}

/// What a domain lost.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Loss {
    /// Negative where it gained.
    pub bytes: f64,
    pub over: Millis,
}

/// The room of one domain over the last two minutes.
#[derive(Clone, Debug, Default)]
pub struct RoomHistory {
    /// The oldest first. Where a little was released, earlier points are raised by it, so that the slope is
    /// that of the growth alone.
    points: VecDeque<(Millis, f64)>,
    limit: Bytes,
    releases: VecDeque<Release>,
    /// The lowest of each second, as it was read, also from before large releases.
    lowest: VecDeque<(Millis, f64)>,
    /// By the newest reading.
    estimate: Option<Estimate>,
    /// How often the history began anew.
    generation: u32,
    /// When the first reading of all was taken.
    first: Option<Millis>,
    /// Memory came back at the limit: the next sample tells whether something was killed.
    unexplained: bool,
}

impl RoomHistory {
    /// Adds a reading. A changed limit and a large release begin the history anew. A reading that is not
    /// later than the newest one is left out.
    pub fn push(&mut self, kind: Kind, at: Millis, left: Bytes, limit: Bytes) {
        let left = left.0 as f64;
        if kind == Kind::Sample {
            self.unexplained = false;
        }
        if limit != self.limit {
            self.forget();
            self.limit = limit;
        }
        if let Some(&(last, before)) = self.points.back() {
            if at.0 <= last.0.saturating_add(MIN_STEP.0) {
                return;
            }
            self.take_release(kind, at, last, before, left - before);
        }
        self.points.push_back((at, left));
        self.first = self.first.or(Some(at));
        match self.lowest.back_mut().filter(|it| at.saturating_sub(it.0) < Millis(1000)) {
            Some(last) => last.1 = last.1.min(left),
            None => self.lowest.push_back((at, left)),
        }
        while self.lowest.front().is_some_and(|it| at.saturating_sub(it.0) > SPAN) {
            self.lowest.pop_front();
        }
        while self.points.front().is_some_and(|it| at.saturating_sub(it.0) > SPAN) {
            self.points.pop_front();
        }
        while self.releases.front().is_some_and(|it| at.saturating_sub(it.at) > RELEASES) {
            self.releases.pop_front();
        }
        self.estimate = if self.unexplained { None } else { self.find_estimate() };
    }

    fn take_release(&mut self, kind: Kind, at: Millis, last: Millis, before: f64, freed: f64) {
        let limit = (self.limit.0 as f64).max(1.0);
        if before <= limit * AT_LIMIT && freed > limit * RELEASE {
            self.unexplained = kind == Kind::Reading;
        }
        // What comes back in several readings is one release.
        let known = self.releases.back_mut().filter(|it| at.saturating_sub(it.last) <= ONE_RELEASE);
        if let Some(release) = known.filter(|_| freed > limit * RELEASE / 10.0) {
            (release.last, release.freed) = (at, release.freed + freed);
        } else if freed > limit * RELEASE {
            self.releases.push_back(Release { at, last: at, before, freed });
        } else {
            return;
        }
        if self.releases.back().is_some_and(|it| it.freed > limit * NEW_START) {
            self.begin_anew();
        } else {
            // The growth went on meanwhile.
            let seconds = at.saturating_sub(last).0 as f64 / 1000.0;
            let more = freed + self.estimate.map_or(0.0, |it| it.rate) * seconds;
            self.points.iter_mut().for_each(|point| point.1 += more);
        }
    }

    /// A process in the domain was killed since this time: what was released then was no decision of a program.
    pub fn killed(&mut self, since: Millis) {
        self.releases.retain(|it| it.at < since);
        self.estimate = self.find_estimate();
    }

    /// Forgets everything: what comes now has another cause.
    pub fn forget(&mut self) {
        self.begin_anew();
        self.unexplained = false;
        self.releases.clear();
        self.lowest.clear();
    }

    /// Forgets the growth so far.
    fn begin_anew(&mut self) {
        self.points.clear();
        self.estimate = None;
        self.generation = self.generation.wrapping_add(1);
    }

    /// What is left by the newest reading.
    pub fn left(&self) -> Option<Bytes> {
        self.points.back().map(|it| Bytes(it.1 as u64))
    }

    /// When the newest reading was taken.
    pub fn read_at(&self) -> Option<Millis> {
        self.points.back().map(|it| it.0)
    }

    /// Whether next to nothing was left a moment ago.
    pub fn was_full(&self) -> bool {
        let limit = self.limit.0 as f64;
        self.lowest.iter().rev().take(5).any(|it| it.1 <= limit * FULL)
    }

    /// For how long the domain has been known.
    pub fn age(&self) -> Millis {
        let ages = self.read_at().zip(self.first);
        ages.map_or(Millis::ZERO, |(now, first)| now.saturating_sub(first))
    }

    /// When nothing will be left, by the newest reading.
    pub const fn estimate(&self) -> Option<Estimate> {
        self.estimate
    }

    /// How often the history began anew.
    pub const fn generation(&self) -> u32 {
        self.generation
    }

    /// What was lost over each of [`WINDOWS`] until this time, and what was left then, in bytes.
    pub fn losses(&self, until: Millis) -> ([Loss; COUNT], f64) {
        let Some(&(at, left)) = self.points.iter().rev().find(|it| it.0 <= until) else {
            return ([Loss::default(); COUNT], self.points.back().map_or(0.0, |it| it.1));
        };
        let loss = |window: Millis| {
            let early = |it: &&(Millis, f64)| at.saturating_sub(it.0) >= window;
            let then = self.points.iter().rev().find(early).or(self.points.front());
            then.map_or_else(Loss::default, |then| Loss {
                bytes: then.1 - left,
                over: at.saturating_sub(then.0),
            })
        };
        (WINDOWS.map(loss), left)
    }

    fn find_estimate(&self) -> Option<Estimate> {
        let &(now, left) = self.points.back()?;
        let ramp = self.by_windows();
        if !self.is_restless() {
            return ramp;
        }
        let limit = (self.limit.0 as f64).max(1.0);
        let levels = self.levels(now);
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
        self.by_levels(now, &levels, line?)
    }

    /// By the trend in the shortest window that tells what happens so soon.
    fn by_windows(&self) -> Option<Estimate> {
        // Nobody knows from the last few seconds what happens in a minute, unless it has been so for long.
        let mut longest = None;
        for (window, farthest) in FARTHEST.iter().enumerate() {
            let estimate = self.by_window(window);
            let told = |it: Estimate| it.sudden || it.when.middle <= (*farthest).max(it.seen);
            if estimate.is_some_and(told) {
                return estimate;
            }
            longest = estimate.or(longest);
        }
        longest
    }

    /// The earliest time that any trend suggests.
    pub fn earliest(&self) -> Option<Millis> {
        let windows = (0..WINDOWS.len()).filter_map(|window| self.by_window(window));
        windows.chain(self.estimate).map(|it| it.when.middle).min()
    }

    /// The points of the last seconds, the newest first: seconds before the newest (negative), and bytes.
    fn last_points(&self, seconds: f64) -> Vec<SlopePoint> {
        let Some(&(now, _)) = self.points.back() else { return Vec::new() };
        let step = seconds / MAX_FIT as f64;
        let mut points: Vec<SlopePoint> = Vec::with_capacity(MAX_FIT + 2);
        for &(at, left) in self.points.iter().rev() {
            let ago = now.saturating_sub(at).0 as f64 / 1000.0;
            // Samples are never quite on time.
            if ago > seconds * 1.07 {
                break;
            }
            if points.last().is_none_or(|last| -ago <= last.0 - step) {
                points.push((-ago, left));
            }
        }
        points
    }

    fn by_window(&self, window: usize) -> Option<Estimate> {
        let seconds = WINDOWS[window].0 as f64 / 1000.0;
        let points = self.last_points(seconds);
        let covered = -points.last()?.0 / seconds;
        if covered < MIN_COVERED {
            return None;
        }
        let line = slope::falling(&points)?;
        if self.has_paused(&points, line.rate.best) {
            return None;
        }
        let Rate { fastest, best, slowest } = line.rate;
        let (mut low, mut middle, mut high) =
            (line.left / fastest, line.left / best, line.left / slowest);
        let mut same = SAME_GROWTH;
        if window < COUNT - 1
            && let Some(time) = self.accelerated()
        {
            same = SLOWER_GROWTH;
            middle = time.min(middle);
            low = low.min(middle * 0.9);
            high = high.min(middle * 2.0).max(middle * 1.1);
        }
        let (when, seen) = (span(low, middle, high), self.growing_for(best * same));
        let sudden = self.is_sudden(when.middle, seen, best);
        let (steady, basis) = (self.is_steady(seen), Basis::Window(window));
        Some(Estimate { when, rate: best, seen, sudden, steady, basis })
    }

    /// Whether about the same was lost in each part of this time.
    fn is_steady(&self, seen: Millis) -> bool {
        let Some(&(now, _)) = self.points.back().filter(|_| seen >= STEADY) else { return false };
        let at = |part: u64| self.left_at(now.saturating_sub(Millis(seen.0 * part / PARTS)));
        let losses = (0..PARTS).map(|part| Some(at(part + 1)? - at(part)?));
        let Some(losses) = losses.collect::<Option<Vec<f64>>>() else { return false };
        let (least, most) = losses
            .iter()
            .fold((f64::INFINITY, 0.0_f64), |(least, most), it| (least.min(*it), most.max(*it)));
        least >= most * EVEN
    }

    /// What was left at this time, on the line between the points beside it.
    fn left_at(&self, time: Millis) -> Option<f64> {
        let next = self.points.partition_point(|it| it.0 < time);
        let &(late, after) = self.points.get(next)?;
        let Some(&(early, before)) = next.checked_sub(1).and_then(|at| self.points.get(at)) else {
            return Some(after);
        };
        let share =
            time.saturating_sub(early).0 as f64 / late.saturating_sub(early).0.max(1) as f64;
        Some(before + (after - before) * share)
    }

    /// Whether a domain that was at rest loses much at once, and is full in a few seconds.
    fn is_sudden(&self, time: Millis, seen: Millis, rate: f64) -> bool {
        let rested = self.age().saturating_sub(seen) >= RESTED;
        let much = rate * seen.0 as f64 / 1000.0 >= self.limit.0 as f64 * SUDDEN;
        // What was given back before may be given back again.
        let soon = time <= SOON && time.0 as f64 <= seen.0 as f64 * SUDDEN_REACH;
        rested && much && soon && self.releases.is_empty()
    }

    /// How long what is left lasts, where the rate grows all the time.
    fn accelerated(&self) -> Option<f64> {
        let points = self.last_points(ACCELERATION);
        let (first, last) = (points.first()?, points.last()?);
        let lost = last.1 - first.1;
        if first.0 - last.0 < MIN_ACCELERATION || first.1 > lost * ACCELERATED_REACH {
            return None;
        }
        Some(Acceleration::of(&points)?.time(first.1))
    }

    /// Whether room has not shrunk, as measured by this rate, for longer than it ever paused in this window.
    fn has_paused(&self, points: &[SlopePoint], rate: f64) -> bool {
        let progress = self.limit.0 as f64 * PROGRESS;
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

    /// For how long room has been shrinking at this rate at least.
    fn growing_for(&self, rate: f64) -> Millis {
        let Some(&(now, left)) = self.points.back() else { return Millis::ZERO };
        let ago = |at: Millis| now.saturating_sub(at).0 as f64 / 1000.0;
        let grew = |it: &&(Millis, f64)| it.1 - left >= rate * ago(it.0);
        self.points.iter().find(grew).map_or(Millis::ZERO, |it| now.saturating_sub(it.0))
    }

    /// Whether what was taken is given back again and again: a garbage collector, or batches that end.
    fn is_saw_tooth(&self) -> bool {
        let (mut taken, mut freed) = (0.0, 0.0);
        let releases = self.releases.iter();
        for (early, late) in releases.clone().zip(releases.skip(1)) {
            taken += early.before + early.freed - late.before;
            freed += late.freed;
        }
        freed > taken.max(0.0) * GIVEN_BACK && freed > 0.0
    }

    /// What was lost in the end, as a share of all movements in this time.
    fn straightness(&self, window: Millis) -> f64 {
        let points = self.last_points(window.0 as f64 / 1000.0);
        let (Some(new), Some(old)) = (points.first(), points.last()) else { return 0.0 };
        let moved: f64 = points.windows(2).map(|pair| (pair[0].1 - pair[1].1).abs()).sum();
        (old.1 - new.1).abs() / moved.max(1.0)
    }

    /// Whether room comes and goes, so that a slope of a few seconds says little.
    fn is_restless(&self) -> bool {
        self.is_saw_tooth() || self.straightness(WINDOWS[COUNT - 1]) < RESTLESS
    }

    /// The lowest levels of the last times of some seconds each: seconds before now, and bytes left; the
    /// newest first.
    fn levels(&self, now: Millis) -> Vec<SlopePoint> {
        let mut releases = self.releases.iter();
        let count = releases.clone().count();
        let period = match (releases.next(), releases.next_back()) {
            (Some(first), Some(last)) if count > 1 => {
                last.at.saturating_sub(first.at).0 as f64 / 1000.0 / (count as f64 - 1.0)
            }
            _ => 0.0,
        };
        // Each is as long as a tooth, so that it holds the point of one.
        let length = LEVEL.max(period).min(SPAN.0 as f64 / 4000.0);
        let mut levels: Vec<SlopePoint> = Vec::with_capacity(LEVELS);
        let mut part = usize::MAX;
        for &(at, left) in self.lowest.iter().rev() {
            let ago = now.saturating_sub(at).0 as f64 / 1000.0;
            let here = (ago / length) as usize;
            if here >= LEVELS {
                break;
            }
            match levels.last_mut().filter(|_| here == part) {
                Some(level) if level.1 <= left => {}
                Some(level) => *level = (-ago, left),
                None => levels.push((-ago, left)),
            }
            part = here;
        }
        levels
    }

    /// The steepest fall over a few seconds, in bytes a second.
    fn steepest(&self) -> f64 {
        let falls = self.lowest.iter().zip(self.lowest.iter().skip(4)).map(|(early, late)| {
            (early.1 - late.1) * 1000.0 / late.0.saturating_sub(early.0).0.max(1) as f64
        });
        falls.fold(0.0, f64::max)
    }

    /// By the lowest levels.
    fn by_levels(&self, now: Millis, levels: &[SlopePoint], line: slope::Line) -> Option<Estimate> {
        let Rate { fastest, best, slowest } = line.rate;
        let (first, left) = (levels.last()?, self.points.back()?.1);
        // However the levels fall, what is left now must be used up first.
        let least = left / self.steepest().max(best);
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
}

/// A span of seconds.
fn span(low: f64, middle: f64, high: f64) -> TimeSpan {
    let millis = |seconds: f64| Millis((seconds.clamp(0.0, 1e9) * 1000.0) as u64);
    TimeSpan { low: millis(low), middle: millis(middle), high: millis(high) }
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
