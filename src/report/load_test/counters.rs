//! Counters of the kernel, from the first sample to the last.

use std::time::Duration;

use super::summary::{CounterOwner, LoadPressure, LoadReclaim};
use crate::model::{Cgroup, Pressure, PsiLine, Reading, Snapshot};

/// How far a counter went on. One that was reset counts from zero.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct CounterSum {
    last: Option<u64>,
    sum: Option<u64>,
}

impl CounterSum {
    /// Takes the next value. `is_new`: what is counted did not exist in the sample before.
    pub(super) fn take(&mut self, value: Option<u64>, is_new: bool) {
        let Some(value) = value else { return };
        let before = if is_new { Some(0) } else { self.last };
        let step = before.map_or(0, |last| value.checked_sub(last).unwrap_or(value));
        self.sum = Some(self.sum.unwrap_or(0).saturating_add(step));
        self.last = Some(value);
    }

    /// The counter begins anew: another boot.
    pub(super) const fn restart(&mut self) {
        self.last = None;
    }

    pub(super) const fn sum(self) -> Option<u64> {
        self.sum
    }
}

/// The counters of a scope and of its machine.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct LoadCounters {
    /// Some, full.
    group_pressure: [CounterSum; 2],
    machine_pressure: [CounterSum; 2],
    group_scanned: CounterSum,
    machine_scanned: CounterSum,
    group_refaults: CounterSum,
    machine_refaults: CounterSum,
    limit_hits: CounterSum,
}

fn stalls(pressure: &Pressure) -> [Option<u64>; 2] {
    let total = |line: Reading<PsiLine>| line.value().map(|line| line.total_us);
    [total(pressure.some), total(pressure.full)]
}

/// The sum of a cgroup's counter, or else of the machine's.
fn either(group: CounterSum, machine: CounterSum) -> (CounterOwner, Option<u64>) {
    match group.sum() {
        Some(sum) => (CounterOwner::Cgroup, Some(sum)),
        None => (CounterOwner::Machine, machine.sum()),
    }
}

impl LoadCounters {
    /// Takes the counters of the machine, and of the cgroup where the scope is one. `is_new`: the cgroup was not
    /// there in the sample before.
    pub(super) fn take(&mut self, now: &Snapshot, group: Option<&Cgroup>, is_new: bool) {
        for (sum, value) in self.machine_pressure.iter_mut().zip(stalls(&now.pressure)) {
            sum.take(value, false);
        }
        self.machine_scanned.take(now.traffic.direct_scan.value(), false);
        self.machine_refaults.take(now.traffic.refaults.value(), false);
        let Some(group) = group else { return };
        for (sum, value) in self.group_pressure.iter_mut().zip(stalls(&group.pressure)) {
            sum.take(value, is_new);
        }
        self.group_scanned.take(group.pgscan.value(), is_new);
        self.group_refaults.take(group.refaults.value(), is_new);
        self.limit_hits.take(group.events.max.value(), is_new);
    }

    /// The counters begin anew: another boot.
    pub(super) fn restart(&mut self) {
        let Self {
            group_pressure,
            machine_pressure,
            group_scanned,
            machine_scanned,
            group_refaults,
            machine_refaults,
            limit_hits,
        } = self;
        let pressure = group_pressure.iter_mut().chain(machine_pressure);
        let others = [group_scanned, machine_scanned, group_refaults, machine_refaults, limit_hits];
        pressure.chain(others).for_each(CounterSum::restart);
    }

    pub(super) fn pressure(&self) -> LoadPressure {
        let ([some, full], [machine_some, machine_full]) =
            (self.group_pressure, self.machine_pressure);
        let (of, stalled) = either(some, machine_some);
        let all = if of == CounterOwner::Cgroup { full } else { machine_full };
        let time = |us: Option<u64>| us.map(Duration::from_micros);
        LoadPressure { of, some: time(stalled), full: time(all.sum()) }
    }

    pub(super) fn reclaim(&self) -> LoadReclaim {
        let (scanned_of, scanned) = either(self.group_scanned, self.machine_scanned);
        let (refaults_of, refaults) = either(self.group_refaults, self.machine_refaults);
        let limit_hits = self.limit_hits.sum();
        LoadReclaim { scanned_of, scanned, refaults_of, refaults, limit_hits }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sum(values: &[(Option<u64>, bool)]) -> Option<u64> {
        let mut sum = CounterSum::default();
        values.iter().for_each(|(value, is_new)| sum.take(*value, *is_new));
        sum.sum()
    }

    #[test]
    fn a_counter_counts_from_the_first_sample_on() {
        let seen =
            |values: &[u64]| sum(&values.iter().map(|it| (Some(*it), false)).collect::<Vec<_>>());
        assert_eq!(seen(&[]), None);
        assert_eq!(seen(&[700]), Some(0), "what was before is not of this test");
        assert_eq!(seen(&[700, 720, 720, 750]), Some(50));
        assert_eq!(seen(&[700, 720, 5]), Some(25), "it was reset");
        assert_eq!(
            sum(&[(None, false), (Some(8), true), (Some(9), false)]),
            Some(9),
            "a new cgroup"
        );
        assert_eq!(sum(&[(Some(8), false), (None, false), (Some(9), false)]), Some(1));
    }
}
