//! What the machine as a whole told, look by look, for hours back: small enough to keep it all.

use std::collections::VecDeque;

use crate::model::{Memory, Overcommit, Pressure, Snapshot, Swap, VmCounters};
use crate::units::Millis;

/// The machine-wide part of a look.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct MachineSample {
    /// Milliseconds since 1970, UTC.
    pub unix_ms: i64,
    /// On the clock that never jumps.
    pub at: Millis,
    /// RAM.
    pub memory: Memory,
    /// Swap.
    pub swap: Swap,
    /// Promises.
    pub overcommit: Overcommit,
    /// Stall times.
    pub pressure: Pressure,
    /// Counters since boot.
    pub traffic: VmCounters,
}

impl MachineSample {
    /// What of a look is kept.
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

    /// Since the moment before.
    #[must_use]
    pub const fn since(&self, before: &Self) -> Millis {
        self.at.saturating_sub(before.at)
    }
}

/// So many moments are kept: more than two hours at one every two seconds. Then the older half is
/// thinned to every second one, again and again, so that it always reaches back to the beginning.
const MOST: usize = 4096;

/// The moments, the oldest first. What is told in them as counters goes on being right between any two.
#[derive(Clone, Debug, Default)]
pub struct MachineHistory {
    moments: VecDeque<MachineSample>,
}

impl MachineHistory {
    /// Adds a moment. One that is not later than the last begins anew: another machine, or another boot.
    pub fn push(&mut self, moment: MachineSample) {
        if self.moments.back().is_some_and(|last| moment.at <= last.at) {
            self.moments.clear();
        }
        if self.moments.len() >= MOST {
            let mut nth = 0;
            self.moments.retain(|_| {
                nth += 1;
                nth > MOST / 2 || nth % 2 == 1
            });
        }
        self.moments.push_back(moment);
    }

    /// So many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.moments.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.moments.is_empty()
    }

    /// All, the oldest first.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &MachineSample> + ExactSizeIterator {
        self.moments.iter()
    }

    /// The newest.
    #[must_use]
    pub fn last(&self) -> Option<&MachineSample> {
        self.moments.back()
    }

    /// The last moment that was not later than this (on the clock that never jumps), by its place.
    #[must_use]
    pub fn place(&self, at: Millis) -> Option<usize> {
        self.moments.partition_point(|moment| moment.at <= at).checked_sub(1)
    }

    /// The moment of a place.
    #[must_use]
    pub fn get(&self, place: usize) -> Option<&MachineSample> {
        self.moments.get(place)
    }

    /// Each with the one before it, the oldest pair first.
    pub fn pairs(&self) -> impl DoubleEndedIterator<Item = (&MachineSample, &MachineSample)> {
        self.moments.iter().zip(self.moments.iter().skip(1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: u64) -> MachineSample {
        MachineSample { at: Millis(ms), unix_ms: ms as i64, ..MachineSample::default() }
    }

    #[test]
    fn it_always_reaches_back_to_the_beginning() {
        let mut history = MachineHistory::default();
        for second in 1..=20_000 {
            history.push(at(second * 1000));
        }
        assert!(history.len() <= MOST, "{}", history.len());
        let all: Vec<u64> = history.iter().map(|moment| moment.at.0 / 1000).collect();
        assert_eq!((all.first(), all.last()), (Some(&1), Some(&20_000)));
        assert!(all.windows(2).all(|pair| pair[0] < pair[1]), "in order");
        let newest = &all[all.len() - 1000..];
        assert!(newest.windows(2).all(|pair| pair[1] - pair[0] == 1), "the newest are all there");
    }

    #[test]
    fn a_moment_is_found_by_its_time() {
        let mut history = MachineHistory::default();
        [10, 20, 30].into_iter().for_each(|ms| history.push(at(ms)));
        let places = [9, 10, 29, 30, 99].map(|ms| history.place(Millis(ms)));
        assert_eq!(places, [None, Some(0), Some(1), Some(2), Some(2)]);
        history.push(at(5));
        assert_eq!(history.len(), 1, "a clock that went back is another machine's");
    }
}
