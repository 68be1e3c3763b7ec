//! Samples that are taken before the only one that is written: a single one knows of no growth.

use crate::units::Millis;

/// A death is predicted from four samples on that span more than half of the shortest window of growth
/// (`forecast/next_death`, 4 s); the growth that was seen for so long is foreseen for a few seconds.
const SPAN: Millis = Millis(4000);

/// Time between samples on a live machine meanwhile.
pub(crate) const PACE: Millis = Millis(500);

/// How far it is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct WarmUp {
    span: Millis,
    /// When the first sample was taken, on the monotonic clock.
    first: Option<Millis>,
}

impl WarmUp {
    /// Until a death can be predicted.
    pub(crate) const fn until_prediction() -> Self {
        Self::over(SPAN)
    }

    /// Until there are no more samples: the end of a recording is written.
    pub(crate) const fn to_the_end() -> Self {
        Self::over(Millis(u64::MAX))
    }

    /// Goes on until a death can be predicted.
    pub(crate) fn extend(&mut self) {
        self.span = self.span.max(SPAN);
    }

    /// Over this time, on the clock of the samples.
    pub(crate) const fn over(span: Millis) -> Self {
        Self { span, first: None }
    }

    /// Whether a sample that settles nothing is not written: for as long as it takes to predict a death, the next one
    /// may settle it.
    pub(crate) fn waits_for_more(&self, at: Millis) -> bool {
        self.first.is_none_or(|first| at.saturating_sub(first) < SPAN)
    }

    /// Takes the time of a sample. Whether it is the one to be written.
    pub(crate) fn is_over(&mut self, at: Millis) -> bool {
        let first = *self.first.get_or_insert(at);
        at.saturating_sub(first) >= self.span
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_sample_after_the_span_is_written() {
        let mut warm_up = WarmUp::over(Millis(300));
        let over: Vec<bool> = [1000, 1299, 1300, 1600].map(|at| warm_up.is_over(Millis(at))).into();
        assert_eq!(over, [false, false, true, true]);
        warm_up.extend();
        let over = [1600, 4999, 5000].map(|at| warm_up.is_over(Millis(at)));
        assert_eq!(over, [false, false, true]);
        let mut open = WarmUp::over(Millis(300));
        assert!(open.waits_for_more(Millis(1000)), "there is no sample");
        let over: Vec<bool> = [1000, 1300].map(|at| open.is_over(Millis(at))).into();
        let more: Vec<bool> = [1300, 4999, 5000].map(|at| open.waits_for_more(Millis(at))).into();
        assert_eq!((over, more), (vec![false, true], vec![true, true, false]));
        let mut to_the_end = WarmUp::to_the_end();
        assert!(!to_the_end.is_over(Millis(0)) && !to_the_end.is_over(Millis(u64::MAX - 1)));
    }
}
