//! A time axis of cells of equal length, and the resampling of points to it.

use crate::units::Millis;

/// A time axis of cells. The edges of the cells do not move while time goes on, so a chart moves by
/// whole cells, and a cell that was drawn once stays the same until it leaves the chart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimeAxis {
    /// The number of the first cell, counted from time 0.
    first: i64,
    /// Length of a cell, at least 1 ms.
    cell: Millis,
    /// Number of cells, at least 1.
    count: usize,
}

impl TimeAxis {
    /// An axis of `count` cells (2 or more) that ends with the cell of `end` and covers at least
    /// `span`.
    #[must_use]
    pub fn new(end: Millis, span: Millis, count: usize) -> Self {
        let count = count.max(1);
        // The last cell is not complete yet, so it does not count.
        let cell = span.0.div_ceil((count as u64 - 1).max(1)).max(1);
        let last = i64::try_from(end.0 / cell).unwrap_or(i64::MAX);
        let first = last.saturating_add(1).saturating_sub_unsigned(count as u64);
        Self { first, cell: Millis(cell), count }
    }

    /// Number of cells.
    #[must_use]
    pub const fn count(&self) -> usize {
        self.count
    }

    /// Length of a cell.
    #[must_use]
    pub const fn cell(&self) -> Millis {
        self.cell
    }

    /// The cell of a time, counted from the first one; negative before it.
    #[must_use]
    pub fn number(&self, at: Millis) -> i64 {
        i64::try_from(at.0 / self.cell.0).unwrap_or(i64::MAX).saturating_sub(self.first)
    }

    /// The cell of a time, if it is on the axis.
    #[must_use]
    pub fn place(&self, at: Millis) -> Option<usize> {
        usize::try_from(self.number(at)).ok().filter(|&cell| cell < self.count)
    }

    /// When a cell begins; 0 if it begins before time 0.
    #[must_use]
    pub fn begin(&self, cell: usize) -> Millis {
        let number = u64::try_from(self.first.saturating_add_unsigned(cell as u64)).unwrap_or(0);
        Millis(number.saturating_mul(self.cell.0))
    }
}

/// How several values in one cell become one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Aggregate {
    /// The largest: a peak stays visible.
    Most,
    /// The smallest: the least that was left.
    Least,
    /// The latest.
    Last,
}

/// A value at a time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Point {
    /// The time since which the value counts, if no sample is missing in between.
    pub since: Option<Millis>,
    /// When the value was measured.
    pub at: Millis,
    /// `None` if the value is not known.
    pub value: Option<f64>,
}

/// Resamples points, which are in the order of time, to the cells of an axis. A cell without a
/// sample gets the value of the next sample; a cell in a gap between samples gets none.
#[must_use]
pub fn resample(
    axis: &TimeAxis,
    fold: Aggregate,
    points: impl Iterator<Item = Point>,
) -> Vec<Option<f64>> {
    let mut cells: Vec<Option<f64>> = vec![None; axis.count];
    for point in points {
        let Some(value) = point.value else { continue };
        let to = axis.number(point.at);
        let from = match point.since {
            None => to,
            Some(since) => axis.number(since).saturating_add(1).min(to),
        };
        let Ok(end) = usize::try_from(to.saturating_add(1)) else { continue };
        let begin = usize::try_from(from).unwrap_or(0);
        let Some(range) = cells.get_mut(begin..end.min(axis.count)) else { continue };
        for cell in range {
            *cell = Some(match (fold, *cell) {
                (_, None) | (Aggregate::Last, _) => value,
                (Aggregate::Most, Some(old)) => old.max(value),
                (Aggregate::Least, Some(old)) => old.min(value),
            });
        }
    }
    cells
}

/// An interval this many times as long as the usual interval around it counts as a gap.
const GAP_FACTOR: u64 = 4;

/// Whether there is no gap before sample number `place`; `at` returns the time of a sample. Samples
/// come at a varying pace and old ones are thinned, so the usual interval is the median of those
/// around it.
#[must_use]
pub fn joined(place: usize, at: impl Fn(usize) -> Option<Millis>) -> bool {
    let since = |place: usize| {
        Some(at(place)?.saturating_sub(at(place.checked_sub(1)?)?)).filter(|it| it.0 > 0)
    };
    let Some(own) = since(place) else { return false };
    let near = (place.saturating_sub(3)..place).chain(place + 1..place + 4);
    let mut beside = [0_u64; 6];
    let mut count = 0;
    for (kept, interval) in beside.iter_mut().zip(near.filter_map(since)) {
        *kept = interval.0;
        count += 1;
    }
    let Some(beside) = beside.get_mut(..count).filter(|_| count > 1) else { return true };
    beside.sort_unstable();
    let usual = beside.get(count / 2).copied().unwrap_or(own.0);
    own.0 <= usual.saturating_mul(GAP_FACTOR)
}
