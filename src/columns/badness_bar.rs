//! The badness of a process as a bar: memory, swap and adj one behind the other, on one scale for the whole
//! table. It ends at the badness; what a negative adj takes away is left of the zero line.

use crate::policy::BadnessParts;
use crate::units::Points;

/// The width that shows all of the legend `mem swap adj`, in cells.
pub const LEAST_BAR: u16 = 12;

/// One cell of a bar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BarCell {
    /// Nothing.
    Blank,
    /// A negative adj takes this away.
    Removed,
    /// It takes away more than there is room for.
    RemovedMore,
    /// The zero line.
    Zero,
    /// Resident memory and page tables.
    Memory,
    /// Swapped-out memory.
    Swap,
    /// A positive adj.
    Adj,
    /// Some badness, but less than half a cell.
    Trace,
}

impl BarCell {
    /// The cell in ASCII.
    #[must_use]
    pub const fn ascii(self) -> char {
        match self {
            Self::Blank => ' ',
            Self::Removed => '-',
            Self::RemovedMore => '<',
            Self::Zero => '|',
            Self::Memory => '#',
            Self::Swap => '=',
            Self::Adj => '+',
            Self::Trace => '.',
        }
    }
}

/// The cells of a bar from the left. `top` is the badness that reaches the right end.
pub fn bar_cells(parts: BadnessParts, top: Points, width: u16) -> impl Iterator<Item = BarCell> {
    let width = i128::from(width);
    let left = width / 5;
    let right = (width - left - 1).max(1);
    let top = i128::from(top.0.max(1));
    // Half a cell and more is a cell.
    let cell = |points: i128| ((points.max(0) * right * 2 + top) / (top * 2)).min(right);
    let wide = |points: Points| i128::from(points.0);
    let (memory, swap, adj) = (wide(parts.memory), wide(parts.swap), wide(parts.adj));
    let taken = (-adj).max(0);
    let ends = [memory - taken, memory + swap - taken, memory + swap + adj].map(cell);
    let removed = (taken * right + top - 1) / top;
    let is_trace = memory + swap + adj > 0 && ends[2] == 0;
    (0..width).map(move |at| {
        if at < left {
            let from_zero = left - at;
            if from_zero > removed {
                BarCell::Blank
            } else if from_zero == left && removed > left {
                BarCell::RemovedMore
            } else {
                BarCell::Removed
            }
        } else if at == left {
            BarCell::Zero
        } else {
            let nth = at - left - 1;
            if nth < ends[0] {
                BarCell::Memory
            } else if nth < ends[1] {
                BarCell::Swap
            } else if nth < ends[2] {
                BarCell::Adj
            } else if nth == 0 && is_trace {
                BarCell::Trace
            } else {
                BarCell::Blank
            }
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bar(memory: i64, swap: i64, adj: i64, top: i64, width: u16) -> String {
        let parts = BadnessParts { memory: Points(memory), swap: Points(swap), adj: Points(adj) };
        bar_cells(parts, Points(top), width).map(BarCell::ascii).collect()
    }

    #[test]
    fn the_parts_stand_one_behind_the_other() {
        assert_eq!(bar(500, 200, 200, 900, 12), "  |#####==++");
        assert_eq!(bar(900, 0, 0, 900, 12), "  |#########");
        assert_eq!(bar(0, 0, 900, 900, 12), "  |+++++++++");
        assert_eq!(bar(0, 450, 0, 900, 12), "  |=====    ", "half a cell counts");
    }

    #[test]
    fn what_a_negative_adj_takes_away_is_left_of_the_zero_line() {
        assert_eq!(bar(500, 200, -100, 900, 12), " -|####==   ");
        assert_eq!(bar(500, 200, -5000, 900, 12), "<-|         ");
        assert_eq!(bar(500, 200, -600, 900, 12), "<-|=        ", "of memory first");
        assert_eq!(bar(900, 0, -200, 900, 12), "--|#######  ");
    }

    #[test]
    fn little_is_not_nothing_and_no_number_is_too_large() {
        assert_eq!(bar(10, 0, 0, 900, 12), "  |.        ");
        assert_eq!(bar(0, 0, 0, 900, 12), "  |         ");
        assert_eq!(bar(i64::MAX, i64::MAX, i64::MAX, 1, 12), "  |#########");
        assert_eq!(bar(i64::MIN, i64::MIN, i64::MIN, i64::MIN, 12), "<-|         ");
        for width in 0..4 {
            assert_eq!(bar(5, 5, -5, 9, width).len(), usize::from(width));
        }
    }
}
