//! How fast each process grows: the sizes of the last minute of those that change at all.

use crate::model::{ProcId, Scene, Snapshot};
use crate::units::Millis;

use super::room_history::{COUNT, WINDOWS};
use super::unreclaimable::lasting;

/// Maximum number of sizes kept of one process.
const SIZES: usize = 12;
/// Minimum distance of two sizes that are kept.
const MIN_STEP: Millis = Millis(900);
/// A process that has not changed for this long is no longer tracked.
const QUIET: Millis = Millis(60_000);
/// A process that gained less than this share of an even gain in the last part of a long time has stopped: growth of
/// before says nothing of what comes.
const STOPPED: f64 = 0.25;
/// That part is at most this share of the time.
const LAST_PART: u64 = 4;
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

    /// The track of a process that changed between two samples, at these times.
    fn begin(id: ProcId, scene: &Scene, before: &Snapshot, times: [Millis; 2]) -> Option<Self> {
        let was = before.find(id).filter(|it| it.has_mm)?;
        let (old, new) = (lasting(was, scene), lasting(scene.find(id)?, scene));
        (old != new).then(|| Self::new(id, (times[0], old), (times[1], new)))
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
        let mut gains = over.map(|over| self.gain(over));
        for long in 1..COUNT {
            let last = (0..long).rev().find(|it| over[*it].0 * LAST_PART <= over[long].0);
            let Some(last) = last.filter(|_| gains[long] > 0.0) else { continue };
            let times = over[long].0 as f64 / over[last].0.max(1) as f64;
            if gains[last] < gains[long] / times * STOPPED {
                gains[long] = gains[last] * times;
            }
        }
        ProcessGrowth { gains, peak: most.saturating_sub(last.1) as f64, reach: seen * REACH }
    }
}

impl GrowthTracks {
    /// Takes a sample. Only the processes that changed and those that are tracked are looked at.
    pub fn observe(&mut self, scene: &Scene) {
        std::mem::swap(&mut self.tracks, &mut self.before);
        self.tracks.clear();
        let Some(before) = scene.before() else { return };
        let (then, now) = (before.clock.monotonic_ms, scene.now().clock.monotonic_ms);
        let mut resized = scene.resized().iter().copied().peekable();
        for track in &self.before {
            while let Some(id) = resized.next_if(|it| it.pid < track.id.pid) {
                self.tracks.extend(Track::begin(id, scene, before, [then, now]));
            }
            resized.next_if_eq(&track.id);
            let Some(process) = scene.find(track.id) else { continue };
            let mut track = *track;
            track.push(now, lasting(process, scene));
            if now.saturating_sub(track.changed) < QUIET {
                self.tracks.push(track);
            }
        }
        self.tracks.extend(resized.filter_map(|id| Track::begin(id, scene, before, [then, now])));
    }

    /// How a process grew over these times; not at all, where it did not change.
    pub fn of(&self, id: ProcId, over: [Millis; COUNT]) -> ProcessGrowth {
        let at = self.tracks.binary_search_by_key(&id.pid, |track| track.id.pid);
        let track = at.ok().map(|at| &self.tracks[at]).filter(|track| track.id == id);
        track.map(|track| track.growth(over)).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::model::{Process, Reading};
    use crate::units::{Pages, Ticks};

    fn id(pid: i32, born: u64) -> ProcId {
        ProcId { pid, born: Ticks(born) }
    }

    /// A sample of these processes: their ids and sizes in pages.
    fn sample(seconds: u64, sizes: &[(ProcId, u64)]) -> Arc<Snapshot> {
        let mut sample = Snapshot::default();
        sample.clock.monotonic_ms = Millis(seconds * 1000);
        sample.clock.uptime_ticks = Ticks(seconds * 100);
        let process = |&(id, size): &(ProcId, u64)| Process {
            id,
            has_mm: true,
            rss_stat: Pages(size),
            file: Reading::Value(Pages::ZERO),
            ..Process::default()
        };
        sample.processes = sizes.iter().map(process).collect();
        Arc::new(sample)
    }

    /// What is known after these samples, two seconds apart.
    fn after(samples: &[&[(ProcId, u64)]]) -> GrowthTracks {
        let mut tracks = GrowthTracks::default();
        let mut scene = Scene::new(sample(0, &[]), None);
        for (nth, sizes) in (1..).zip(samples) {
            scene.advance(sample(nth * 2, sizes));
            tracks.observe(&scene);
        }
        tracks
    }

    fn gained(tracks: &GrowthTracks, id: ProcId) -> f64 {
        tracks.of(id, WINDOWS).gains[0]
    }

    #[test]
    fn only_what_changes_is_tracked_and_goes_on_while_it_rests() {
        let (still, grows) = (id(1, 5), id(2, 5));
        let begin: &[(ProcId, u64)] = &[(still, 10), (grows, 100)];
        let grown: &[(ProcId, u64)] = &[(still, 10), (grows, 400)];
        let tracks = after(&[begin, grown, grown]);
        assert_eq!(tracks.tracks.len(), 1);
        // Four seconds before the last sample it had 300 pages less.
        assert!((gained(&tracks, grows) - 300.0).abs() < 0.1);
        let samples = [vec![begin], vec![grown; 31]].concat();
        assert_eq!(after(&samples[..31]).tracks.len(), 1, "58 s without a change");
        assert_eq!(after(&samples).tracks.len(), 0, "60 s");
    }

    #[test]
    fn growth_that_has_stopped_does_not_go_on_in_a_longer_time() {
        let (stops, steps) = (id(2, 5), id(3, 5));
        // For 30 s it gains 100 pages in 2 s, and then next to nothing; the other one gains 700 in steps of 14 s.
        let samples: Vec<[(ProcId, u64); 2]> = (0..25)
            .map(|nth: u64| [(stops, 100 + 100 * nth.min(15) + nth), (steps, 100 + nth / 7 * 700)])
            .collect();
        let tracks = |count: usize| {
            after(&samples[..count].iter().map(|it| it.as_slice()).collect::<Vec<_>>())
        };
        let longest = |count: usize, id: ProcId| tracks(count).of(id, WINDOWS).gains[COUNT - 1];
        assert!(longest(16, stops) > 1400.0, "it grows");
        assert!(longest(25, stops) < 100.0, "it stopped 18 s ago: {}", longest(25, stops));
        assert!(longest(25, steps) > 2000.0, "it rests between two steps: {}", longest(25, steps));
    }

    #[test]
    fn a_process_with_the_pid_of_another_has_its_own_sizes() {
        let (first, second, beside) = (id(7, 5), id(7, 300), id(9, 5));
        let tracks = after(&[
            &[(first, 100), (beside, 50)],
            &[(first, 900), (beside, 50)],
            &[(second, 20), (beside, 60)],
            &[(second, 30), (beside, 70)],
        ]);
        assert!(gained(&tracks, first).abs() < 0.1);
        assert!((gained(&tracks, second) - 10.0).abs() < 0.1);
        assert!((gained(&tracks, beside) - 20.0).abs() < 0.1);
    }
}
