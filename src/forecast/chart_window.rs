//! A section of the history, resampled to the cells of a chart.

use crate::forecast::series::{SampleInterval, Series};
use crate::model::{MachineHistory, MachineSample, Point, Reading, TimeAxis, joined, resample};
use crate::units::Millis;

/// If the wall clock advances this many milliseconds more than the monotonic clock, the machine was
/// suspended or its clock was set.
const LEAP: i64 = 10_000;

/// The samples that an axis shows, and the gaps between them.
#[derive(Clone, Debug)]
pub struct ChartWindow<'a> {
    history: &'a MachineHistory,
    /// The cells.
    pub axis: TimeAxis,
    /// The position of the first sample, and whether each is joined to the one before.
    begin: usize,
    joined: Vec<bool>,
    /// Nothing after this time is shown.
    until: Millis,
}

impl<'a> ChartWindow<'a> {
    /// The samples for these cells.
    #[must_use]
    pub fn new(history: &'a MachineHistory, axis: TimeAxis) -> Self {
        // The sample before the first cell determines the value of the first cells.
        let begin = history.place(axis.begin(0)).unwrap_or(0);
        let end = history.place(axis.begin(axis.count())).map_or(0, |last| last + 1);
        // The sample after the last cell covers the time before it.
        let end = (end + 1).min(history.len());
        let time = |place: usize| history.get(place).map(|moment| moment.at);
        let joined = (begin..end).map(|place| joined(place, time)).collect();
        Self { history, axis, begin, joined, until: Millis(u64::MAX) }
    }

    /// The same without the samples after this time.
    #[must_use]
    pub fn until(mut self, until: Millis) -> Self {
        let end = self.history.place(until).map_or(0, |last| last + 1);
        self.joined.truncate(end.saturating_sub(self.begin));
        self.until = until;
        self
    }

    /// The number of samples.
    #[must_use]
    pub fn len(&self) -> usize {
        self.joined.len()
    }

    /// Whether there are no samples.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.joined.is_empty()
    }

    fn interval(&self, place: usize) -> Option<SampleInterval<'a>> {
        let before = place.checked_sub(1).and_then(|place| self.history.get(place));
        Some(SampleInterval { before, now: self.history.get(place)? })
    }

    /// The values of a series, cell by cell.
    #[must_use]
    pub fn cells(&self, series: &Series) -> Vec<Option<f64>> {
        let points = self.joined.iter().enumerate().filter_map(|(nth, &joined)| {
            let step = self.interval(self.begin + nth)?;
            let value = (series.value)(&step).value();
            let since = step.before.filter(|_| joined).map(|before| before.at);
            Some(Point { since, at: step.now.at, value })
        });
        resample(&self.axis, series.fold, points)
    }

    /// The lowest and the highest value of a series; nothing where none is known. A cell shows only the worst of its
    /// samples.
    #[must_use]
    pub fn ends(&self, series: &Series) -> Option<(f64, f64)> {
        let intervals =
            (self.begin..self.begin + self.joined.len()).filter_map(|at| self.interval(at));
        let values = intervals.filter_map(|step| (series.value)(&step).value());
        values.fold(None, |ends: Option<(f64, f64)>, value| {
            let (least, most) = ends.unwrap_or((value, value));
            Some((least.min(value), most.max(value)))
        })
    }

    /// The value of a series at this time or last before it, or why it is unknown.
    #[must_use]
    pub fn value(&self, series: &Series, at: Millis) -> Reading<f64> {
        let step = self.history.place(at).and_then(|place| self.interval(place));
        step.map_or(Reading::NotAsked, |step| (series.value)(&step))
    }

    /// The sample at this time or last before it.
    #[must_use]
    pub fn moment(&self, at: Millis) -> Option<&'a MachineSample> {
        self.history.get(self.history.place(at)?)
    }

    /// The cells in which the machine was suspended or its clock was set.
    pub fn leaps(&self) -> impl Iterator<Item = usize> {
        let intervals =
            (self.begin..self.begin + self.joined.len()).filter_map(|at| self.interval(at));
        intervals.filter_map(|step| {
            let before = step.before?;
            let shown = step.now.unix_ms.saturating_sub(before.unix_ms);
            let ran = i64::try_from(step.now.since(before).0).unwrap_or(i64::MAX);
            (shown.saturating_sub(ran) > LEAP).then_some(())?;
            self.axis.place(step.now.at)
        })
    }

    /// The cells of the first and of the last sample.
    #[must_use]
    pub fn seen(&self) -> Option<(i64, i64)> {
        let first = self.history.get(0)?;
        Some((self.axis.number(first.at), self.axis.number(self.moment(self.until)?.at)))
    }
}
