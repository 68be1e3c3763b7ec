//! How the room of the machine follows its usage between samples.

use crate::units::Bytes;

/// A change of less than this share of the limit says nothing.
const MIN_CHANGE: f64 = 0.002;

/// What is left changes by so much for each byte of usage. A page that is stored on zram is counted as used swap, but
/// still takes RAM; of a killer that waits for two amounts, only one may be used up now.
#[derive(Clone, Copy, Debug, Default)]
pub struct UsageScale {
    /// What was left at the newest sample, and the usage then.
    sampled: Option<(Bytes, Bytes)>,
    /// The usage of the newest reading.
    usage: Bytes,
    /// Between the two newest samples.
    share: Option<f64>,
}

impl UsageScale {
    /// Takes a sample.
    pub fn sample(&mut self, left: Bytes, usage: Bytes, limit: Bytes) {
        if let Some((before, then)) = self.sampled {
            let taken = before.0 as f64 - left.0 as f64;
            let charged = usage.0 as f64 - then.0 as f64;
            if charged.abs() > limit.0 as f64 * MIN_CHANGE {
                self.share = Some((taken / charged).clamp(0.0, 1.0));
            }
        }
        self.sampled = Some((left, usage));
        self.usage = usage;
    }

    /// What is left at this usage, if it was so much at the reading before.
    pub fn left(&mut self, before: Bytes, usage: Bytes) -> Bytes {
        let charged = usage.0 as f64 - self.usage.0 as f64;
        self.usage = usage;
        Bytes((before.0 as f64 - charged * self.share.unwrap_or(1.0)).max(0.0) as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: Bytes = Bytes(10_000);

    #[test]
    fn without_another_sample_all_of_the_usage_counts() {
        let mut scale = UsageScale::default();
        scale.sample(Bytes(5000), Bytes(1000), LIMIT);
        assert_eq!(scale.left(Bytes(5000), Bytes(1300)), Bytes(4700));
        assert_eq!(scale.left(Bytes(4700), Bytes(1200)), Bytes(4800), "it was given back");
        assert_eq!(scale.left(Bytes(50), Bytes(9000)), Bytes(0));
    }

    #[test]
    fn the_share_is_that_between_the_samples_before() {
        let mut scale = UsageScale::default();
        scale.sample(Bytes(5000), Bytes(1000), LIMIT);
        scale.sample(Bytes(4700), Bytes(1500), LIMIT);
        assert_eq!(scale.left(Bytes(4700), Bytes(1600)), Bytes(4640), "60 of 100");
        scale.sample(Bytes(4640), Bytes(1601), LIMIT);
        assert_eq!(scale.left(Bytes(4640), Bytes(1701)), Bytes(4580), "a page says nothing");
        scale.sample(Bytes(4900), Bytes(1801), LIMIT);
        assert_eq!(scale.left(Bytes(4900), Bytes(1901)), Bytes(4900), "it is used elsewhere");
    }
}
