//! The sizes of all processes over the last minute: processes grow in bursts, which a minute
//! smooths.

use std::collections::VecDeque;

use crate::model::{ProcId, Process, Reading, Snapshot};
use crate::units::{Millis, Pages, Ticks};

/// Age of the sizes that are compared with.
const AGE: Millis = Millis(60_000);

/// Minimum interval between two sets of sizes that are kept.
const INTERVAL: Millis = Millis(15_000);

/// The size of a process, by every counter that may be compared.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SizeThen {
    /// The process.
    pub id: ProcId,
    /// Field 24 of `stat`.
    pub rss_stat: Pages,
    /// `VmRSS`.
    pub rss_exact: Reading<Pages>,
    /// `VmSwap`.
    pub swap: Reading<Pages>,
    /// Page tables.
    pub pgtables: Reading<Pages>,
}

impl SizeThen {
    /// The size of a process in a sample.
    pub(crate) const fn of(process: &Process) -> Self {
        Self {
            id: process.id,
            rss_stat: process.rss_stat,
            rss_exact: process.rss_exact,
            swap: process.swap,
            pgtables: process.pgtables,
        }
    }
}

/// A size in half the space: six lists of them are kept.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PackedSize {
    /// The process.
    pub id: ProcId,
    /// The counters in the order of [`SizeThen`], each up to [`Self::MOST`] pages, or why it is absent.
    counters: [u32; 4],
}

impl PackedSize {
    /// 16 TiB in pages of 4 KiB. Counters beyond it do not change here.
    const MOST: u32 = u32::MAX - 3;
    const DENIED: u32 = Self::MOST + 1;
    const MISSING: u32 = Self::MOST + 2;
    const NOT_ASKED: u32 = Self::MOST + 3;

    fn of(process: &Process) -> Self {
        let size = SizeThen::of(process);
        let packed = |counter: Reading<Pages>| match counter {
            Reading::Value(pages) => u32::try_from(pages.0).unwrap_or(Self::MOST).min(Self::MOST),
            Reading::Denied => Self::DENIED,
            Reading::Missing => Self::MISSING,
            Reading::NotAsked => Self::NOT_ASKED,
        };
        let counters =
            [Reading::Value(size.rss_stat), size.rss_exact, size.swap, size.pgtables].map(packed);
        Self { id: size.id, counters }
    }

    /// The size.
    pub(crate) fn size(&self) -> SizeThen {
        let [stat, rss_exact, swap, pgtables] = self.counters.map(|counter| match counter {
            Self::DENIED => Reading::Denied,
            Self::MISSING => Reading::Missing,
            Self::NOT_ASKED => Reading::NotAsked,
            pages => Reading::Value(Pages(u64::from(pages))),
        });
        let rss_stat = stat.value().unwrap_or_default();
        SizeThen { id: self.id, rss_stat, rss_exact, swap, pgtables }
    }
}

/// The sizes in one sample, sorted by pid.
#[derive(Clone, Debug)]
struct Sizes {
    at: Millis,
    uptime: Ticks,
    list: Vec<PackedSize>,
}

impl Sizes {
    fn fill(&mut self, sample: &Snapshot) {
        (self.at, self.uptime) = (sample.clock.monotonic_ms, sample.clock.uptime_ticks);
        self.list.clear();
        self.list.extend(sample.processes.iter().filter(|it| it.has_mm).map(PackedSize::of));
    }

    fn find(&self, id: ProcId) -> Option<SizeThen> {
        let at = self.list.binary_search_by_key(&id.pid, |size| size.id.pid).ok()?;
        self.list.get(at).filter(|size| size.id == id).map(PackedSize::size)
    }
}

/// What a process is compared with.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Baseline {
    /// Its size then.
    Size(SizeThen),
    /// It had not started yet.
    NotStarted,
}

/// The sizes of the last minute, oldest first.
#[derive(Clone, Debug, Default)]
pub(crate) struct GrowthWindow {
    samples: VecDeque<Sizes>,
}

impl GrowthWindow {
    /// Adds the sizes of a sample, if the minimum interval has passed. A sample that is not newer
    /// than the last one starts anew.
    pub(crate) fn push(&mut self, sample: &Snapshot) {
        let now = sample.clock.monotonic_ms;
        if self.samples.back().is_some_and(|last| last.at >= now) {
            self.samples.clear();
        }
        let mut spare = None;
        while self.samples.get(1).is_some_and(|second| now.saturating_sub(second.at) >= AGE) {
            spare = self.samples.pop_front();
        }
        if self.samples.back().is_none_or(|last| now.saturating_sub(last.at) >= INTERVAL) {
            let empty = || Sizes { at: now, uptime: Ticks(0), list: Vec::new() };
            let mut sizes = spare.unwrap_or_else(empty);
            sizes.fill(sample);
            self.samples.push_back(sizes);
        }
    }

    /// The sizes about a minute before `now`, sorted by pid, and when that was.
    pub(crate) fn oldest(&self, now: Millis) -> Option<(&[PackedSize], Millis)> {
        let oldest = self.samples.iter().find(|sizes| sizes.at < now)?;
        Some((&oldest.list, oldest.at))
    }

    /// What a process was about a minute before `now`, or when it was first seen, and when that
    /// was.
    pub(crate) fn baseline(&self, process: &Process, now: Millis) -> Option<(Baseline, Millis)> {
        let mut samples = self.samples.iter().filter(|sizes| sizes.at < now);
        let oldest = samples.next()?;
        if let Some(size) = oldest.find(process.id) {
            return Some((Baseline::Size(size), oldest.at));
        }
        if process.id.born > oldest.uptime {
            return Some((Baseline::NotStarted, oldest.at));
        }
        // It was hidden in the oldest sample, or could not be read.
        samples.find_map(|sizes| Some((Baseline::Size(sizes.find(process.id)?), sizes.at)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_packed_size_is_the_same_size() {
        let huge = Pages(u64::from(PackedSize::MOST) + 9);
        for (rss_stat, rss_exact, swap, pgtables) in [
            (Pages(0), Reading::Value(Pages(7)), Reading::Missing, Reading::NotAsked),
            (Pages(5), Reading::Denied, Reading::Value(Pages(0)), Reading::Value(Pages(3))),
            (huge, Reading::Value(huge), Reading::Value(Pages(1 << 31)), Reading::Denied),
        ] {
            let process = Process { rss_stat, rss_exact, swap, pgtables, ..Process::default() };
            let size = PackedSize::of(&process).size();
            let most = |pages: Pages| pages.min(Pages(u64::from(PackedSize::MOST)));
            assert_eq!(size.rss_stat, most(rss_stat));
            let wanted = [rss_exact, swap, pgtables].map(|counter| counter.map(most));
            assert_eq!([size.rss_exact, size.swap, size.pgtables], wanted);
        }
    }
}
