//! What a domain could still take over the last two minutes, and what was given back.

use std::collections::VecDeque;

use crate::units::{Bytes, Millis};

use super::{COUNT, WINDOWS};
use crate::forecast::next_death::slope::SlopePoint;

/// Maximum number of points that a fit takes.
const MAX_FIT: usize = 28;
/// Points older than this are dropped.
const SPAN: Millis = Millis(120_000);
/// Minimum distance of two points.
const MIN_STEP: Millis = Millis(80);
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
/// The lowest levels are those of times of at least this length, in seconds.
const LEVEL: f64 = 6.0;
/// Maximum number of lowest levels that count.
const LEVELS: usize = 9;

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

/// What a reading did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Taken {
    /// Memory came back where next to nothing was left.
    pub freed_at_limit: bool,
    /// So much came back that the growth before says nothing.
    pub anew: bool,
}

/// The room of one domain over the last two minutes.
#[derive(Clone, Debug, Default)]
pub struct Readings {
    /// The oldest first. Where a little was released, earlier points are raised by it, so that the slope is
    /// that of the growth alone.
    points: VecDeque<(Millis, f64)>,
    limit: Bytes,
    releases: VecDeque<Release>,
    /// The lowest of each second, as it was read, also from before large releases.
    lowest: VecDeque<(Millis, f64)>,
    /// When the first reading of all was taken.
    first: Option<Millis>,
    /// When the newest reading that differs from the one before it was taken.
    changed: Option<Millis>,
}

impl Readings {
    /// Adds a reading of what is left, in bytes; `rate` is the present growth in bytes a second. A large release
    /// begins the points anew. A reading that is not later than the newest one is left out.
    pub fn push(&mut self, at: Millis, left: f64, rate: f64) -> Option<Taken> {
        let mut taken = Taken { freed_at_limit: false, anew: false };
        if let Some(&(last, before)) = self.points.back() {
            if at.0 <= last.0.saturating_add(MIN_STEP.0) {
                return None;
            }
            taken = self.take_release(at, (last, before), left - before, rate);
        }
        if self.points.back().is_none_or(|it| it.1 != left) {
            self.changed = Some(at);
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
        Some(taken)
    }

    fn take_release(
        &mut self,
        at: Millis,
        (last, before): (Millis, f64),
        freed: f64,
        rate: f64,
    ) -> Taken {
        let limit = (self.limit.0 as f64).max(1.0);
        let freed_at_limit = before <= limit * AT_LIMIT && freed > limit * RELEASE;
        let none = Taken { freed_at_limit, anew: false };
        // What comes back in several readings is one release.
        let known = self.releases.back_mut().filter(|it| at.saturating_sub(it.last) <= ONE_RELEASE);
        if let Some(release) = known.filter(|_| freed > limit * RELEASE / 10.0) {
            (release.last, release.freed) = (at, release.freed + freed);
        } else if freed > limit * RELEASE {
            self.releases.push_back(Release { at, last: at, before, freed });
        } else {
            return none;
        }
        if self.releases.back().is_some_and(|it| it.freed > limit * NEW_START) {
            self.points.clear();
            return Taken { anew: true, ..none };
        }
        // The growth went on meanwhile.
        let more = freed + rate * at.saturating_sub(last).0 as f64 / 1000.0;
        self.points.iter_mut().for_each(|point| point.1 += more);
        none
    }

    /// Forgets everything but since when the domain is known: what comes now has another cause.
    pub fn forget(&mut self, limit: Bytes) {
        self.points.clear();
        self.releases.clear();
        self.lowest.clear();
        self.limit = limit;
    }

    /// What was released since this time was no decision of a program.
    pub fn forget_releases(&mut self, since: Millis) {
        self.releases.retain(|it| it.at < since);
    }

    /// The limit of the domain.
    pub const fn limit(&self) -> Bytes {
        self.limit
    }

    /// The newest reading: when it was taken, and what was left, in bytes.
    pub fn newest(&self) -> Option<(Millis, f64)> {
        self.points.back().copied()
    }

    /// Whether something was given back at once in the last minutes.
    pub fn has_releases(&self) -> bool {
        !self.releases.is_empty()
    }

    /// Whether nothing changed as far as readings are kept: then there is nothing to measure.
    pub fn is_still(&self) -> bool {
        let oldest = [&self.points, &self.lowest].map(|it| it.front().map(|it| it.0));
        let oldest = oldest.into_iter().flatten().min();
        self.changed.zip(oldest).is_none_or(|(changed, oldest)| changed <= oldest)
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

    /// The points of the last seconds, the newest first: seconds before the newest (negative), and bytes.
    pub fn last_points(&self, seconds: f64) -> Vec<SlopePoint> {
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

    /// What was left at this time, on the line between the points beside it.
    pub fn left_at(&self, time: Millis) -> Option<f64> {
        let next = self.points.partition_point(|it| it.0 < time);
        let &(late, after) = self.points.get(next)?;
        let Some(&(early, before)) = next.checked_sub(1).and_then(|at| self.points.get(at)) else {
            return Some(after);
        };
        let share =
            time.saturating_sub(early).0 as f64 / late.saturating_sub(early).0.max(1) as f64;
        Some(before + (after - before) * share)
    }

    /// For how long room has been shrinking at this rate at least.
    pub fn growing_for(&self, rate: f64) -> Millis {
        let Some(&(now, left)) = self.points.back() else { return Millis::ZERO };
        let ago = |at: Millis| now.saturating_sub(at).0 as f64 / 1000.0;
        let grew = |it: &&(Millis, f64)| it.1 - left >= rate * ago(it.0);
        self.points.iter().find(grew).map_or(Millis::ZERO, |it| now.saturating_sub(it.0))
    }

    /// Whether room comes and goes, so that a slope of a few seconds says little.
    pub fn is_restless(&self) -> bool {
        self.is_saw_tooth() || self.straightness(WINDOWS[COUNT - 1]) < RESTLESS
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

    /// The lowest levels of the last times of some seconds each: seconds before now, and bytes left; the
    /// newest first.
    pub fn levels(&self, now: Millis) -> Vec<SlopePoint> {
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
    pub fn steepest(&self) -> f64 {
        let falls = self.lowest.iter().zip(self.lowest.iter().skip(4)).map(|(early, late)| {
            (early.1 - late.1) * 1000.0 / late.0.saturating_sub(early.0).0.max(1) as f64
        });
        falls.fold(0.0, f64::max)
    }
}
