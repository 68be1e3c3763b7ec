//! Options of earlyoom.

use serde::{Deserialize, Serialize};

use crate::model::Text;
use crate::units::Kib;

/// The options of earlyoom.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct EarlyoomOptions {
    /// Version 1.7 or older: percentages are of `MemTotal`. Since 1.8 they are of the memory that
    /// users can have, `MemAvailable` + `AnonPages`.
    pub before_1_8: bool,
    /// `-m`: SIGTERM and SIGKILL at this percentage of available memory or less.
    pub mem_percent: Option<[f64; 2]>,
    /// `-M`: the same in KiB.
    pub mem_kib: Option<[Kib; 2]>,
    /// `-s`: SIGTERM and SIGKILL at this percentage of free swap or less.
    pub swap_percent: Option<[f64; 2]>,
    /// `-S`: the same in KiB.
    pub swap_kib: Option<[Kib; 2]>,
    /// `--prefer`, a POSIX extended regular expression.
    pub prefer: Option<Text>,
    /// `--avoid`.
    pub avoid: Option<Text>,
    /// `--ignore`.
    pub ignore: Option<Text>,
    /// `--ignore-root-user`.
    pub ignore_root: bool,
    /// `--sort-by-rss`.
    pub sort_by_rss: bool,
    /// `--kernel-oom`: triggers the kernel's OOM killer instead of sending signals.
    pub kernel_oom: bool,
    /// `-g`: kills the whole process group.
    pub group: bool,
    /// `--dryrun`: kills nothing.
    pub dry_run: bool,
}

impl EarlyoomOptions {
    /// Default percentages: SIGTERM, SIGKILL.
    pub const PERCENT: [f64; 2] = [10.0, 5.0];

    /// The effective percentages of `-m` and `-M` for this much memory: SIGTERM, SIGKILL. The
    /// smaller of the two options counts.
    #[must_use]
    pub fn mem(&self, total: Kib) -> [f64; 2] {
        Self::smaller(self.mem_percent, self.mem_kib, total)
    }

    /// The effective percentages of `-s` and `-S` for this much swap.
    #[must_use]
    pub fn swap(&self, total: Kib) -> [f64; 2] {
        Self::smaller(self.swap_percent, self.swap_kib, total)
    }

    fn smaller(percent: Option<[f64; 2]>, kib: Option<[Kib; 2]>, total: Kib) -> [f64; 2] {
        let of = |kib: Kib| 100.0 * kib.0 as f64 / total.0.max(1) as f64;
        // Without any swap, KiB cannot be converted to a percentage.
        match (percent, kib.filter(|_| total > Kib::ZERO).map(|pair| pair.map(of))) {
            (Some(mine), Some(theirs)) => [mine[0].min(theirs[0]), mine[1].min(theirs[1])],
            (Some(only), None) | (None, Some(only)) => only,
            (None, None) => Self::PERCENT,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_smaller_of_percent_and_kib_wins() {
        let told = |mem_percent, mem_kib| EarlyoomOptions {
            mem_percent,
            mem_kib,
            ..EarlyoomOptions::default()
        };
        let total = Kib(1_000_000);
        assert_eq!(told(None, None).mem(total), [10.0, 5.0]);
        let kib = Some([Kib(50_000), Kib(40_000)]);
        assert_eq!(told(None, kib).mem(total), [5.0, 4.0]);
        assert_eq!(told(Some([8.0, 2.0]), kib).mem(total), [5.0, 2.0]);
        assert_eq!(told(Some([3.0, 2.0]), kib).mem(total), [3.0, 2.0]);
    }
}
