//! What the machine or a memory cgroup held, and how long the tasks of a cgroup waited, in the cells of a chart.

use crate::model::{
    Aggregate, Cgroup, MachineHistory, MachineSample, Point, PsiLine, Reading, SampleHistory,
    TimeAxis, joined, resample,
};
use crate::units::Millis;

/// A pressure of a cgroup.
pub type PressureOf = fn(&Cgroup) -> Reading<PsiLine>;

/// What the machine could not give any more up to a time, in bytes, for each cell of the axis: memory that is
/// not available, and swap in use.
#[must_use]
pub fn of_machine(history: &MachineHistory, axis: &TimeAxis, until: Millis) -> Vec<Option<f64>> {
    let begin = history.place(axis.begin(0)).unwrap_or(0);
    let end = history.place(axis.begin(axis.count()).min(until)).map_or(0, |last| last + 1);
    let time = |place: usize| history.get(place).map(|sample| sample.at);
    let used = |sample: &MachineSample| {
        let available = sample.memory.available_kib.value()?;
        let taken = sample.memory.total_kib.saturating_sub(available) + sample.swap.used();
        Some(taken.bytes().0 as f64)
    };
    let points = (begin..end).filter_map(|place| {
        let sample = history.get(place)?;
        let since = place.checked_sub(1).and_then(time).filter(|_| joined(place, time));
        Some(Point { since, at: sample.at, value: used(sample) })
    });
    resample(axis, Aggregate::Most, points)
}

/// The memory that a cgroup held up to a time, in bytes, for each cell of the axis.
#[must_use]
pub fn of_cgroup(
    past: &SampleHistory,
    path: &str,
    axis: &TimeAxis,
    until: Millis,
) -> Vec<Option<f64>> {
    let history = past.cgroup_history(path);
    let time = |place: usize| history.get(place).map(|(at, ..)| *at);
    let points = history.iter().enumerate().map(|(place, (at, _, group))| {
        let value = group.and_then(|group| group.used().value()).map(|used| used.0 as f64);
        let since = place.checked_sub(1).and_then(time).filter(|_| joined(place, time));
        Point { since, at: *at, value }
    });
    resample(axis, Aggregate::Most, points.filter(|point| point.at <= until))
}

/// The share of the time since the sample before that its tasks waited up to a time, in percent, for each cell
/// of the axis.
#[must_use]
pub fn waited(
    past: &SampleHistory,
    path: &str,
    axis: &TimeAxis,
    until: Millis,
    of: PressureOf,
) -> Vec<Option<f64>> {
    let mut before: Option<(Millis, Millis, Option<u64>)> = None;
    let points = past.cgroup_history(path).into_iter().map(|(at, read, group)| {
        let total = group.and_then(|group| of(group).value()).map(|stall| stall.total_us);
        let last = before.replace((at, read, total));
        let value = last.and_then(|(_, then, before)| {
            let over = read.0.checked_sub(then.0).filter(|over| *over > 0)?;
            let more = total?.checked_sub(before?)?;
            Some((more as f64 / over as f64 / 10.0).min(100.0))
        });
        Point { since: last.map(|(at, ..)| at), at, value }
    });
    resample(axis, Aggregate::Most, points.filter(|point| point.at <= until))
}
