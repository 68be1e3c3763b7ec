//! How fast each process grows: the sizes of the last minute of those that change at all.

use crate::model::{ProcId, Process, Scene};
use crate::units::Millis;

use super::history::{COUNT, WINDOWS};
use super::unreclaimable::lasting;

/// Maximum number of sizes kept of one process.
const SIZES: usize = 12;
/// Minimum distance of two sizes that are kept.
const MIN_STEP: Millis = Millis(900);
/// A process that has not changed for this long is no longer tracked.
const QUIET: Millis = Millis(60_000);
/// ProcessGrowth of a process goes on for at most so many times the time for which it has been seen.
const REACH: f64 = 4.0;

/// How a process grew lately.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct ProcessGrowth {
    /// Over each of the times that were asked for, in pages. A process that goes up and down grows by less than
    /// the difference between two sizes.
    pub gains: [f64; COUNT],
    /// How much larger it was at most in the last minute, in pages.
    pub peak: f64,
    /// It grows on for at most so many seconds.
    pub reach: f64,
}

impl ProcessGrowth {
    /// The growth of both together.
    pub fn and(self, other: Self) -> Self {
        Self {
            gains: std::array::from_fn(|nth| self.gains[nth] + other.gains[nth]),
            peak: self.peak + other.peak,
            reach: self.reach.max(other.reach),
        }
    }
}

/// The sizes of one process over the last minute, in pages.
#[derive(Clone, Copy, Debug)]
struct Track {
    id: ProcId,
    /// Times and sizes, the oldest first.
    sizes: [(Millis, u64); SIZES],
    count: usize,
    changed: Millis,
}

/// The growth of all processes that change.
#[derive(Clone, Debug, Default)]
pub struct GrowthTracks {
    /// In the order of pids.
    tracks: Vec<Track>,
    /// The tracks of the sample before; kept for its memory.
    before: Vec<Track>,
}

impl Track {
    fn new(id: ProcId, first: (Millis, u64), second: (Millis, u64)) -> Self {
        let mut sizes = [first; SIZES];
        sizes[1] = second;
        Self { id, sizes, count: 2, changed: second.0 }
    }

    fn sizes(&self) -> &[(Millis, u64)] {
        &self.sizes[..self.count]
    }

    fn remove(&mut self, at: usize) {
        self.sizes.copy_within(at + 1..self.count, at);
        self.count -= 1;
    }

    fn push(&mut self, at: Millis, size: u64) {
        if self.sizes().last().is_some_and(|last| last.1 != size) {
            self.changed = at;
        }
        // Samples that are closer than a second replace each other, but for the first.
        let close = |it: &(Millis, u64)| at.saturating_sub(it.0) < MIN_STEP;
        if self.count > 2 && self.sizes().get(self.count - 2).is_some_and(close) {
            self.count -= 1;
        }
        let oldest = WINDOWS[COUNT - 1];
        while self.count > 2 && at.saturating_sub(self.sizes[1].0) >= oldest {
            self.remove(0);
        }
        if self.count == SIZES {
            // The recent ones are needed one by one; the minute before is thinned.
            let sparse = |it: &usize| self.sizes[it + 1].0.saturating_sub(self.sizes[it - 1].0);
            let thin = (1..SIZES - 4).min_by_key(sparse).unwrap_or(1);
            self.remove(thin);
        }
        self.sizes[self.count] = (at, size);
        self.count += 1;
    }

    /// ProcessGrowth in pages over about this time. Before it was tracked, the process did not change.
    fn gain(&self, over: Millis) -> f64 {
        let Some((&(now, size), earlier)) = self.sizes().split_last() else { return 0.0 };
        let early = |it: &(Millis, u64)| now.saturating_sub(it.0).0 + MIN_STEP.0 / 2 >= over.0;
        let from = earlier.iter().rposition(early).unwrap_or(0);
        let before = earlier.get(from).map_or(size, |it| it.1);
        let net = size as f64 - before as f64;
        let way: f64 =
            self.sizes()[from..].windows(2).map(|it| it[1].1.abs_diff(it[0].1) as f64).sum();
        net * (net.abs() / way.max(1.0))
    }

    fn growth(&self, over: [Millis; COUNT]) -> ProcessGrowth {
        let (first, last) = (self.sizes[0], self.sizes[self.count - 1]);
        let most = self.sizes().iter().map(|it| it.1).max().unwrap_or(0);
        let seen = last.0.saturating_sub(first.0).0 as f64 / 1000.0;
        ProcessGrowth {
            gains: over.map(|over| self.gain(over)),
            peak: most.saturating_sub(last.1) as f64,
            reach: seen * REACH,
        }
    }
}

impl GrowthTracks {
    /// Takes a sample. What it costs is one pass over the processes of both samples.
    pub fn observe(&mut self, scene: &Scene) {
        std::mem::swap(&mut self.tracks, &mut self.before);
        self.tracks.clear();
        let Some(before) = scene.before() else { return };
        let (then, now) = (before.clock.monotonic_ms, scene.now().clock.monotonic_ms);
        let mut old = self.before.iter().peekable();
        let mut earlier = before.processes.iter().peekable();
        for process in &scene.now().processes {
            let pid = process.id.pid;
            while earlier.next_if(|it| it.id.pid < pid).is_some() {}
            while old.next_if(|it| it.id.pid < pid).is_some() {}
            let was = earlier.next_if(|it| it.id.pid == pid).filter(|it| it.id == process.id);
            let track = old.next_if(|it| it.id.pid == pid).filter(|it| it.id == process.id);
            if let Some(track) = track {
                let mut track = *track;
                track.push(now, lasting(process, scene));
                if now.saturating_sub(track.changed) < QUIET {
                    self.tracks.push(track);
                }
            } else if let Some(was) = was.filter(|it| it.has_mm && changed(it, process)) {
                let (old, new) = (lasting(was, scene), lasting(process, scene));
                if old != new {
                    self.tracks.push(Track::new(process.id, (then, old), (now, new)));
                }
            }
        }
    }

    /// How a process grew over these times; not at all, where it did not change.
    pub fn of(&self, id: ProcId, over: [Millis; COUNT]) -> ProcessGrowth {
        let at = self.tracks.binary_search_by_key(&id.pid, |track| track.id.pid);
        let track = at.ok().map(|at| &self.tracks[at]).filter(|track| track.id == id);
        track.map(|track| track.growth(over)).unwrap_or_default()
    }
}

/// Whether a size of a process changed. This is much cheaper than working out what lasts of it.
fn changed(then: &Process, now: &Process) -> bool {
    then.rss_stat != now.rss_stat
        || then.rss_exact != now.rss_exact
        || then.swap != now.swap
        || then.pgtables != now.pgtables
}
