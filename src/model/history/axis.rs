//! Time on a line of cells: what came look by look, as so many cells of equal time.

use crate::units::Millis;

/// A line of cells. Their edges stand still while time goes on: a picture moves by whole cells, and
/// what was drawn once is drawn the same until it leaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimeAxis {
    /// The number of the first cell, counted from when the clock began.
    first: i64,
    /// So long each is, at least a millisecond.
    cell: Millis,
    /// So many there are, at least one.
    count: usize,
}

impl TimeAxis {
    /// `count` cells (two or more) that reach at least `span` back from `end`, which is in the last of
    /// them.
    #[must_use]
    pub fn new(end: Millis, span: Millis, count: usize) -> Self {
        let count = count.max(1);
        // The last one is just being filled.
        let cell = span.0.div_ceil((count as u64 - 1).max(1)).max(1);
        let last = i64::try_from(end.0 / cell).unwrap_or(i64::MAX);
        let first = last.saturating_add(1).saturating_sub_unsigned(count as u64);
        Self { first, cell: Millis(cell), count }
    }

    /// So many cells.
    #[must_use]
    pub const fn count(&self) -> usize {
        self.count
    }

    /// So long each is.
    #[must_use]
    pub const fn cell(&self) -> Millis {
        self.cell
    }

    /// The cell of a time, counted from the first; below zero before it.
    #[must_use]
    pub fn number(&self, at: Millis) -> i64 {
        i64::try_from(at.0 / self.cell.0).unwrap_or(i64::MAX).saturating_sub(self.first)
    }

    /// The same, where it is one of these.
    #[must_use]
    pub fn place(&self, at: Millis) -> Option<usize> {
        usize::try_from(self.number(at)).ok().filter(|&cell| cell < self.count)
    }

    /// When a cell begins; the beginning of all where that was before it.
    #[must_use]
    pub fn begin(&self, cell: usize) -> Millis {
        let number = u64::try_from(self.first.saturating_add_unsigned(cell as u64)).unwrap_or(0);
        Millis(number.saturating_mul(self.cell.0))
    }
}

/// What becomes of several values in one cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Aggregate {
    /// The largest: a spike must not vanish.
    Most,
    /// The smallest: so little was left.
    Least,
    /// The last.
    Last,
    /// All together: a count.
    Sum,
}

/// A value and its time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Point {
    /// It held since then, where nothing is missing in between.
    pub since: Option<Millis>,
    /// When it was told.
    pub at: Millis,
    /// Nothing where nobody knows.
    pub value: Option<f64>,
}

/// Points, in the order of time, as cells. A cell without a look has what the next look told of that
/// time; where looks are missing it has nothing.
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
        let from = match (fold, point.since) {
            (Aggregate::Sum, _) | (_, None) => to,
            (_, Some(since)) => axis.number(since).saturating_add(1).min(to),
        };
        let Ok(end) = usize::try_from(to.saturating_add(1)) else { continue };
        let begin = usize::try_from(from).unwrap_or(0);
        let Some(range) = cells.get_mut(begin..end.min(axis.count)) else { continue };
        for cell in range {
            *cell = Some(match (fold, *cell) {
                (_, None) | (Aggregate::Last, _) => value,
                (Aggregate::Most, Some(old)) => old.max(value),
                (Aggregate::Least, Some(old)) => old.min(value),
                (Aggregate::Sum, Some(old)) => old + value,
            });
        }
    }
    cells
}

/// Looks are missing where one came later than this many times the usual of those beside it.
const GAP: u64 = 4;

/// Whether nothing is missing before the look of a place: looks come at a pace, and the old ones
/// are thinned, so what is usual is told by those beside it.
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
    own.0 <= usual.saturating_mul(GAP)
}
