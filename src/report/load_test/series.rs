//! The sizes of one process, or of a scope, over the whole test: evenly thinned out, so that a long test takes no
//! more memory than a short one.

use crate::units::{Bytes, Millis};

/// Maximum number of sizes that are kept.
const MAX_SIZES: usize = 240;

/// Sizes and their times, the oldest first.
#[derive(Clone, Debug, Default)]
pub(super) struct SizeSeries {
    sizes: Vec<(Millis, Bytes)>,
    /// Minimum time between two of them.
    step: Millis,
    last: Option<(Millis, Bytes)>,
}

impl SizeSeries {
    pub(super) fn push(&mut self, at: Millis, size: Bytes) {
        self.last = Some((at, size));
        if self.sizes.last().is_some_and(|last| at.saturating_sub(last.0) < self.step) {
            return;
        }
        self.sizes.push((at, size));
        if self.sizes.len() >= MAX_SIZES {
            let (first, last) = (self.sizes.first(), self.sizes.last());
            let over = first.zip(last).map_or(0, |(first, last)| last.0.saturating_sub(first.0).0);
            self.step = Millis(over * 2 / MAX_SIZES as u64);
            let mut nth = 0_usize;
            self.sizes.retain(|_| {
                nth += 1;
                nth % 2 == 1
            });
        }
    }

    pub(super) fn sizes(&self) -> &[(Millis, Bytes)] {
        &self.sizes
    }

    /// The newest, whether it is kept or not.
    pub(super) const fn last(&self) -> Option<(Millis, Bytes)> {
        self.last
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_test_is_thinned_out_evenly() {
        let mut series = SizeSeries::default();
        for nth in 0..20_000 {
            series.push(Millis(nth * 500), Bytes(nth));
        }
        let sizes = series.sizes();
        assert!((MAX_SIZES / 3..MAX_SIZES).contains(&sizes.len()), "{}", sizes.len());
        assert_eq!(
            (sizes[0].0, series.last()),
            (Millis(0), Some((Millis(9_999_500), Bytes(19_999))))
        );
        let steps: Vec<u64> = sizes.windows(2).map(|it| it[1].0.0 - it[0].0.0).collect();
        let (least, most) = (steps.iter().min(), steps.iter().max());
        assert!(most.zip(least).is_some_and(|(most, least)| *most <= least * 2 + 500), "{steps:?}");
    }
}
