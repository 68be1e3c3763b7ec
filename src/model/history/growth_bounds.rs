//! Bounds on the growth of each process in one interval, from its growth in the last samples.

use crate::model::{ProcId, Process};
use crate::units::{Pages, Points};

/// The largest change of a process between two consecutive samples of the last few: processes grow
/// in bursts, so the last interval alone says too little.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct GrowthBound {
    /// Largest growth.
    pub rise: Pages,
    /// Largest decrease.
    pub fall: Pages,
}

/// Maximum age of a bound, in samples.
const AGE_MAX: u8 = 10;

/// Maximum age of the bound that comes from the size with which a process was first seen: that size
/// was not measured growth.
const FIRST_SIZE_AGE_MAX: u8 = 1;

/// A bound, and how many samples ago each of its parts was measured.
#[derive(Clone, Copy, Debug)]
struct Aged {
    id: ProcId,
    bound: GrowthBound,
    rise_age: u8,
    fall_age: u8,
}

impl Aged {
    /// Keeps the larger parts of an older bound, unless they are too old.
    fn keep_larger(&mut self, old: &Self) {
        if old.bound.rise > self.bound.rise && old.rise_age < AGE_MAX {
            (self.bound.rise, self.rise_age) = (old.bound.rise, old.rise_age + 1);
        }
        if old.bound.fall > self.bound.fall && old.fall_age < AGE_MAX {
            (self.bound.fall, self.fall_age) = (old.bound.fall, old.fall_age + 1);
        }
    }
}

/// The growth bounds of all processes that changed in the last samples.
#[derive(Clone, Debug, Default)]
pub(crate) struct GrowthBounds {
    /// Sorted by pid.
    list: Vec<Aged>,
    /// `list` of the sample before; kept to reuse its allocation.
    previous: Vec<Aged>,
    greatest_rise: Pages,
}

impl GrowthBounds {
    /// The bound of a process; zero if it did not change.
    pub(crate) fn get(&self, id: ProcId) -> GrowthBound {
        let found = self.list.binary_search_by_key(&id.pid, |aged| aged.id.pid);
        found.map_or_else(|_| GrowthBound::default(), |at| self.list[at].bound)
    }

    /// The largest [`GrowthBound::rise`] of all processes.
    pub(crate) const fn greatest_rise(&self) -> Pages {
        self.greatest_rise
    }

    /// Takes the next sample. `growth` returns the growth of a process since the sample before, in
    /// which it was the second argument. All lists are sorted by pid, so one pass is enough.
    pub(crate) fn update(
        &mut self,
        now: &[Process],
        before: &[Process],
        mut growth: impl FnMut(&Process, Option<&Process>) -> Points,
    ) {
        std::mem::swap(&mut self.list, &mut self.previous);
        self.list.clear();
        self.greatest_rise = Pages::ZERO;
        let mut before = before.iter().peekable();
        let mut previous = self.previous.iter().peekable();
        for process in now {
            let pid = process.id.pid;
            while before.next_if(|other| other.id.pid < pid).is_some() {}
            while previous.next_if(|aged| aged.id.pid < pid).is_some() {}
            let then = before.next_if(|other| other.id == process.id);
            let Points(growth) = growth(process, then);
            let pages = |count: i64| Pages(u64::try_from(count).unwrap_or(0));
            let bound = GrowthBound { rise: pages(growth), fall: pages(growth.saturating_neg()) };
            let rise_age = if then.is_none() { AGE_MAX - FIRST_SIZE_AGE_MAX } else { 0 };
            let mut aged = Aged { id: process.id, bound, rise_age, fall_age: 0 };
            if let Some(old) = previous.next_if(|old| old.id == process.id) {
                aged.keep_larger(old);
            }
            if aged.bound != GrowthBound::default() {
                self.greatest_rise = self.greatest_rise.max(aged.bound.rise);
                self.list.push(aged);
            }
        }
    }
}
