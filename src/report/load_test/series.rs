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

/// The newest sizes, as many as a window of time holds and the one before it: thinned out only so far that the window
/// has its share of them, however long the test takes.
#[derive(Clone, Debug, Default)]
pub(super) struct RecentSizes {
    window: Millis,
    sizes: Vec<(Millis, Bytes)>,
}

impl RecentSizes {
    /// Sets the length of the window; zero: nothing is kept.
    pub(super) const fn set_window(&mut self, window: Millis) {
        self.window = window;
    }

    pub(super) fn push(&mut self, at: Millis, size: Bytes) {
        let step = Millis(self.window.0 / MAX_SIZES as u64);
        let is_close = |last: &(Millis, Bytes)| at.saturating_sub(last.0) < step;
        if self.window == Millis::ZERO || self.sizes.last().is_some_and(is_close) {
            return;
        }
        self.sizes.push((at, size));
        let is_old = |it: &(Millis, Bytes)| at.saturating_sub(it.0) >= self.window;
        let old = self.sizes.iter().take_while(|it| is_old(it)).count();
        self.sizes.drain(..old.saturating_sub(1));
    }

    pub(super) fn sizes(&self) -> &[(Millis, Bytes)] {
        &self.sizes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_is_kept_with_all_its_sizes_however_long_the_test_takes() {
        let mut recent = RecentSizes::default();
        recent.push(Millis(0), Bytes(1));
        assert_eq!(recent.sizes(), [], "nobody asked for them");
        recent.set_window(Millis(30_000));
        for nth in 0..20_000 {
            recent.push(Millis(nth * 500), Bytes(nth));
        }
        let sizes = recent.sizes();
        assert_eq!((sizes.len(), sizes[0].1, sizes[60].1), (61, Bytes(19_939), Bytes(19_999)));
        for nth in 0..10_000 {
            recent.push(Millis(20_000_000 + nth), Bytes(nth));
        }
        assert!(recent.sizes().len() <= MAX_SIZES + 2, "{}", recent.sizes().len());
    }

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
