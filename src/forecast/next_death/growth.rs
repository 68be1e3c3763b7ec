//! How fast each process grows: the sizes of the last minute of those that change at all.

use crate::model::{ProcId, Process, Reading, Scene, Snapshot};
use crate::units::{Millis, Pages};

/// Times over which growth is measured, the shortest first.
pub const WINDOWS: [Millis; 3] = [Millis(5_000), Millis(15_000), Millis(60_000)];
/// Maximum number of sizes kept of one process.
const SIZES: usize = 12;
/// Minimum distance of two sizes that are kept.
const MIN_STEP: Millis = Millis(900);
/// A process that has not changed for this long is no longer tracked.
const QUIET: Millis = Millis(60_000);

/// The sizes of one process over the last minute.
#[derive(Clone, Debug)]
struct Track {
    id: ProcId,
    /// Times and sizes in pages, the oldest first.
    sizes: Vec<(Millis, u64)>,
    changed: Millis,
}

/// The growth of all processes that change.
#[derive(Clone, Debug, Default)]
pub struct GrowthTracks {
    /// In the order of pids.
    tracks: Vec<Track>,
}

/// What a process holds: resident memory, swap and page tables, in pages.
fn held(process: &Process, scene: &Scene) -> u64 {
    let known = |size: Reading<Pages>| size.value().unwrap_or_default().0;
    scene.rss(process).0 + known(process.swap) + known(process.pgtables)
}

impl Track {
    fn push(&mut self, at: Millis, size: u64) {
        if self.sizes.last().is_some_and(|last| last.1 != size) {
            self.changed = at;
        }
        // Between the first and the newest, sizes closer than a second apart replace each other.
        let close = self.sizes.len() > 1
            && self.sizes[self.sizes.len() - 2..]
                .first()
                .is_some_and(|it| at.saturating_sub(it.0) < MIN_STEP);
        if close {
            self.sizes.pop();
        }
        self.sizes.push((at, size));
        let last = WINDOWS[WINDOWS.len() - 1];
        while self.sizes.len() > 2 && at.saturating_sub(self.sizes[1].0) >= last {
            self.sizes.remove(0);
        }
        if self.sizes.len() > SIZES {
            // The middle is thinned, so that a minute is covered.
            self.sizes.remove(SIZES / 2);
        }
    }

    /// Growth in pages a second over about this time; over less where it is younger.
    fn rate(&self, window: Millis) -> Option<f64> {
        let (&(now, size), earlier) = self.sizes.split_last()?;
        let then = earlier.iter().rev().find(|it| now.saturating_sub(it.0) >= window);
        let &(then, before) = then.or(earlier.first())?;
        let seconds = now.saturating_sub(then).0 as f64 / 1000.0;
        (seconds > 0.2).then(|| (size as f64 - before as f64) / seconds)
    }
}

impl GrowthTracks {
    /// Takes a sample. What it costs is one pass over the processes of both samples.
    pub fn observe(&mut self, scene: &Scene) {
        let Some(before) = scene.before() else {
            self.tracks.clear();
            return;
        };
        let (then, now) = (before.clock.monotonic_ms, scene.now().clock.monotonic_ms);
        let mut old = std::mem::take(&mut self.tracks).into_iter().peekable();
        let mut earlier = before.processes.iter().peekable();
        for process in &scene.now().processes {
            let pid = process.id.pid;
            while earlier.next_if(|it| it.id.pid < pid).is_some() {}
            while old.next_if(|it| it.id.pid < pid).is_some() {}
            let was = earlier.next_if(|it| it.id == process.id);
            let track = old.next_if(|it| it.id == process.id);
            let size = held(process, scene);
            let track = match (track, was) {
                (Some(mut track), _) => {
                    track.push(now, size);
                    Some(track).filter(|track| now.saturating_sub(track.changed) < QUIET)
                }
                (None, Some(was)) => {
                    let before = held(was, scene);
                    (before != size).then(|| Track {
                        id: process.id,
                        sizes: vec![(then, before), (now, size)],
                        changed: now,
                    })
                }
                // Born since: it grew from nothing.
                (None, None) => born_since(process, before).then(|| Track {
                    id: process.id,
                    sizes: vec![(birth(process, scene), 0), (now, size)],
                    changed: now,
                }),
            };
            self.tracks.extend(track);
        }
    }

    /// Growth of a process over each of [`WINDOWS`], in pages a second; 0 for one that does not change.
    pub fn rates(&self, id: ProcId) -> [f64; 3] {
        let Ok(at) = self.tracks.binary_search_by_key(&id.pid, |track| track.id.pid) else {
            return [0.0; 3];
        };
        let track = &self.tracks[at];
        if track.id != id {
            return [0.0; 3];
        }
        WINDOWS.map(|window| track.rate(window).unwrap_or(0.0))
    }
}

fn born_since(process: &Process, before: &Snapshot) -> bool {
    process.id.born > before.clock.uptime_ticks
}

/// When a process was born, on the clock of the samples.
fn birth(process: &Process, scene: &Scene) -> Millis {
    let clock = &scene.now().clock;
    let age = clock.uptime_ticks.saturating_sub(process.id.born);
    clock.monotonic_ms.saturating_sub(age.millis(scene.machine().tick_rate))
}
