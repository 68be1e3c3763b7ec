//! Facts of the machine as a whole, sample by sample, for hours back: they are small enough.

use std::collections::VecDeque;

use crate::model::{Memory, Overcommit, Pressure, Snapshot, Swap, VmCounters};
use crate::units::Millis;

/// The facts of the machine as a whole in one sample.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct MachineSample {
    /// Milliseconds since 1970-01-01, UTC.
    pub unix_ms: i64,
    /// On the monotonic clock of the snapshots.
    pub at: Millis,
    /// RAM, in KiB.
    pub memory: Memory,
    /// Swap space, in KiB.
    pub swap: Swap,
    /// Committed memory and its limit, in KiB.
    pub overcommit: Overcommit,
    /// Pressure stall information.
    pub pressure: Pressure,
    /// Counters since boot (`/proc/vmstat`).
    pub traffic: VmCounters,
}

impl MachineSample {
    /// Takes the facts of a snapshot.
    #[must_use]
    pub fn of(sample: &Snapshot) -> Self {
        Self {
            unix_ms: sample.clock.unix_ms,
            at: sample.clock.monotonic_ms,
            memory: sample.memory,
            swap: sample.swap,
            overcommit: sample.overcommit,
            pressure: sample.pressure,
            traffic: sample.traffic,
        }
    }

    /// The time since an earlier sample.
    #[must_use]
    pub const fn since(&self, before: &Self) -> Millis {
        self.at.saturating_sub(before.at)
    }
}

/// Maximum number of samples: more than two hours at one every two seconds. Beyond it, every second
/// sample of the older half is dropped, so the history always reaches back to the beginning.
const SAMPLES_MAX: usize = 4096;

/// The samples, oldest first. Counters since boot can be subtracted between any two of them.
#[derive(Clone, Debug, Default)]
pub struct MachineHistory {
    /// Each on its own: a row of them would need a new page now and then, also where memory is short.
    samples: VecDeque<Box<MachineSample>>,
}

impl MachineHistory {
    /// Adds a sample. One that is not newer than the last one starts anew: it is of another machine
    /// or another boot.
    pub fn push(&mut self, sample: MachineSample) {
        if self.samples.back().is_some_and(|last| sample.at <= last.at) {
            self.samples.clear();
        }
        if self.samples.len() >= SAMPLES_MAX {
            let mut nth = 0;
            self.samples.retain(|_| {
                nth += 1;
                nth > SAMPLES_MAX / 2 || nth % 2 == 1
            });
        }
        self.samples.push_back(Box::new(sample));
    }

    /// Number of samples.
    #[must_use]
    pub fn len(&self) -> usize {
        self.samples.len()
    }

    /// Whether there are no samples.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.samples.is_empty()
    }

    /// All samples, oldest first.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &MachineSample> + ExactSizeIterator {
        self.samples.iter().map(Box::as_ref)
    }

    /// The newest sample.
    #[must_use]
    pub fn last(&self) -> Option<&MachineSample> {
        self.samples.back().map(Box::as_ref)
    }

    /// The index of the last sample that is not newer than this time.
    #[must_use]
    pub fn place(&self, at: Millis) -> Option<usize> {
        self.samples.partition_point(|sample| sample.at <= at).checked_sub(1)
    }

    /// The first sample that is not older than this time, in milliseconds since 1970, UTC.
    #[must_use]
    pub fn since(&self, unix_ms: i64) -> Option<&MachineSample> {
        self.get(self.samples.partition_point(|sample| sample.unix_ms < unix_ms))
    }

    /// The sample at an index.
    #[must_use]
    pub fn get(&self, place: usize) -> Option<&MachineSample> {
        self.samples.get(place).map(Box::as_ref)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: u64) -> MachineSample {
        MachineSample { at: Millis(ms), unix_ms: ms as i64, ..MachineSample::default() }
    }

    #[test]
    fn thinning_keeps_the_first_sample_and_all_recent_ones() {
        let mut history = MachineHistory::default();
        for second in 1..=20_000 {
            history.push(at(second * 1000));
        }
        assert!(history.len() <= SAMPLES_MAX, "{}", history.len());
        let all: Vec<u64> = history.iter().map(|sample| sample.at.0 / 1000).collect();
        assert_eq!((all.first(), all.last()), (Some(&1), Some(&20_000)));
        assert!(all.windows(2).all(|pair| pair[0] < pair[1]), "in order");
        let newest = &all[all.len() - 1000..];
        assert!(newest.windows(2).all(|pair| pair[1] - pair[0] == 1), "the newest are all there");
    }

    #[test]
    fn a_sample_is_found_by_its_time() {
        let mut history = MachineHistory::default();
        [10, 20, 30].into_iter().for_each(|ms| history.push(at(ms)));
        let places = [9, 10, 29, 30, 99].map(|ms| history.place(Millis(ms)));
        assert_eq!(places, [None, Some(0), Some(1), Some(2), Some(2)]);
        history.push(at(5));
        assert_eq!(history.len(), 1, "a clock that went back is another machine's");
    }
}
