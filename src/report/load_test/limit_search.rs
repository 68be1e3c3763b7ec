//! The search of the smallest limit with which a command succeeds: bisection, with every limit tried several times.

use crate::units::Bytes;

/// The result is exact to this share of its size.
const EXACT: f64 = 1.0 / 16.0;

/// One run of the command.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LimitRun {
    /// The limit; `None`: without one.
    pub limit: Option<Bytes>,
    /// Whether it ended with status 0, and nothing in its cgroup was killed.
    pub succeeded: bool,
    /// How long it took, in seconds.
    pub seconds: f64,
}

/// What a limit must do.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Goal {
    Succeeds,
    /// At most so many seconds in the median of its runs.
    NotSlower(f64),
}

/// A bisection over limits, in steps of equal factors.
#[derive(Clone, Debug)]
struct Bisection {
    goal: Goal,
    /// The largest limit that failed, or the lower end.
    low: f64,
    /// The smallest limit that is good.
    high: f64,
}

impl Bisection {
    /// The next limit to try, in whole pages of 4 KiB.
    fn next(&self) -> Option<Bytes> {
        let middle = ((self.low * self.high).sqrt() / 4096.0).ceil() * 4096.0;
        let is_open = self.high / self.low > 1.0 + EXACT && middle < self.high && middle > self.low;
        is_open.then_some(Bytes(middle as u64))
    }
}

/// The greatest number of limits that one bisection tries.
fn steps(from: Bytes, to: Bytes) -> u32 {
    let ratio = to.0.max(1) as f64 / from.0.max(1) as f64;
    if ratio <= 1.0 + EXACT {
        return 0;
    }
    (ratio.ln() / (1.0 + EXACT).ln()).log2().ceil() as u32
}

/// Maximum number of runs: without a limit, with the largest, and two bisections.
#[must_use]
pub fn most_runs(from: Bytes, to: Bytes, repeat: u8) -> u32 {
    u32::from(repeat) * (2 + 2 * steps(from, to))
}

/// Which limit is tried next, and what is found.
#[derive(Clone, Debug)]
pub struct LimitSearch {
    from: Bytes,
    repeat: usize,
    /// How much longer than without a limit is allowed, as a share.
    slowdown: f64,
    runs: Vec<LimitRun>,
    bisection: Option<Bisection>,
    smallest: Option<Bytes>,
    unslowed: Option<Bytes>,
    /// The search is over.
    is_over: bool,
}

impl LimitSearch {
    /// A search from this limit up. `baseline`: the runs without a limit, of which all succeeded.
    #[must_use]
    pub fn new(from: Bytes, repeat: u8, slowdown: f64, baseline: &[LimitRun]) -> Self {
        Self {
            from,
            repeat: usize::from(repeat.max(1)),
            slowdown,
            runs: baseline.to_vec(),
            bisection: None,
            smallest: None,
            unslowed: None,
            is_over: false,
        }
    }

    /// All runs, in their order.
    #[must_use]
    pub fn runs(&self) -> &[LimitRun] {
        &self.runs
    }

    /// The smallest limit with which all runs succeeded.
    #[must_use]
    pub const fn smallest(&self) -> Option<Bytes> {
        self.smallest
    }

    /// The smallest limit with which the median of the runs takes at most the allowed share longer than without one.
    #[must_use]
    pub const fn unslowed(&self) -> Option<Bytes> {
        self.unslowed
    }

    /// The median time of the runs with a limit, in seconds.
    #[must_use]
    pub fn median(&self, limit: Option<Bytes>) -> Option<f64> {
        let mut times: Vec<f64> =
            self.runs.iter().filter(|it| it.limit == limit).map(|it| it.seconds).collect();
        times.sort_by(f64::total_cmp);
        let half = times.len() / 2;
        match times.len() % 2 {
            0 => Some(f64::midpoint(*times.get(half.checked_sub(1)?)?, *times.get(half)?)),
            _ => times.get(half).copied(),
        }
    }

    /// Whether a limit was tried often enough, or failed; and whether it reaches the goal.
    fn answer(&self, limit: Bytes, goal: Goal) -> Option<bool> {
        let runs: Vec<&LimitRun> = self.runs.iter().filter(|it| it.limit == Some(limit)).collect();
        if runs.iter().any(|it| !it.succeeded) {
            return Some(false);
        }
        if runs.len() < self.repeat {
            return None;
        }
        match goal {
            Goal::Succeeds => Some(true),
            Goal::NotSlower(most) => Some(self.median(Some(limit)).is_some_and(|it| it <= most)),
        }
    }

    /// The limit of the next run, where `largest` is the largest that may be tried; `None`: the search is over.
    pub fn next(&mut self, largest: Bytes) -> Option<Bytes> {
        loop {
            if self.is_over {
                return None;
            }
            let Some(bisection) = &mut self.bisection else {
                // The largest limit must do.
                match self.answer(largest, Goal::Succeeds) {
                    None => return Some(largest),
                    Some(false) => self.is_over = true,
                    Some(true) => {
                        let (low, high) = (self.from.0.min(largest.0) as f64, largest.0 as f64);
                        self.smallest = Some(largest);
                        self.bisection = Some(Bisection { goal: Goal::Succeeds, low, high });
                    }
                }
                continue;
            };
            let (goal, tried) = (bisection.goal, bisection.next());
            let Some(tried) = tried else {
                let found = Bytes(bisection.high as u64);
                self.end(goal, found, largest);
                continue;
            };
            let Some(is_good) = self.answer(tried, goal) else { return Some(tried) };
            if let Some(bisection) = &mut self.bisection {
                let end = if is_good { &mut bisection.high } else { &mut bisection.low };
                *end = tried.0 as f64;
            }
        }
    }

    /// A bisection is over.
    fn end(&mut self, goal: Goal, found: Bytes, largest: Bytes) {
        match goal {
            Goal::Succeeds => {
                self.smallest = Some(found);
                let Some(usual) = self.median(None) else {
                    self.is_over = true;
                    return;
                };
                let goal = Goal::NotSlower(usual * (1.0 + self.slowdown));
                if self.answer(found, goal) == Some(true) {
                    self.unslowed = Some(found);
                    self.is_over = true;
                } else if self.answer(largest, goal) == Some(true) {
                    let (low, high) = (found.0 as f64, largest.0 as f64);
                    self.bisection = Some(Bisection { goal, low, high });
                } else {
                    // Even the largest is slower: none is known.
                    self.is_over = true;
                }
            }
            Goal::NotSlower(_) => {
                self.unslowed = Some(found);
                self.is_over = true;
            }
        }
    }

    /// Takes a run.
    pub fn take(&mut self, run: LimitRun) {
        self.runs.push(run);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const MIB: u64 = 1 << 20;

    /// Searches for a program that needs so much, and is as fast as without a limit from `fast` on.
    fn search(need: u64, fast: u64, repeat: u8, largest: u64) -> LimitSearch {
        let time = |limit: u64| if limit >= fast { 1.05 } else { 2.0 };
        let first = LimitRun { limit: None, succeeded: true, seconds: 1.0 };
        let mut search = LimitSearch::new(Bytes(MIB), repeat, 0.1, &[first]);
        while let Some(limit) = search.next(Bytes(largest)) {
            let (succeeded, seconds) = (limit.0 >= need, time(limit.0));
            search.take(LimitRun { limit: Some(limit), succeeded, seconds });
            assert!(search.runs().len() < 200, "it ends");
        }
        search
    }

    #[test]
    fn both_limits_are_found() {
        let found = search(100 * MIB, 300 * MIB, 2, 1024 * MIB);
        let smallest = found.smallest().expect("a limit").0;
        assert!((100 * MIB..107 * MIB).contains(&smallest), "{}", smallest / MIB);
        let unslowed = found.unslowed().expect("a limit").0;
        assert!((300 * MIB..320 * MIB).contains(&unslowed), "{}", unslowed / MIB);
    }

    #[test]
    fn a_limit_that_is_not_slower_is_both() {
        let found = search(100 * MIB, 0, 3, 1024 * MIB);
        assert_eq!(found.smallest(), found.unslowed());
    }

    #[test]
    fn where_the_largest_fails_nothing_is_found() {
        let found = search(100 * MIB, 0, 3, 64 * MIB);
        assert_eq!((found.smallest(), found.unslowed(), found.runs().len()), (None, None, 2));
        let slow = search(10 * MIB, u64::MAX, 1, 64 * MIB);
        assert!(slow.smallest().is_some() && slow.unslowed().is_none());
    }

    #[test]
    fn one_failure_of_several_runs_is_one_too_many() {
        let first = LimitRun { limit: None, succeeded: true, seconds: 1.0 };
        let mut search = LimitSearch::new(Bytes(MIB), 2, 0.1, &[first]);
        let mut nth = 0;
        while let Some(limit) = search.next(Bytes(64 * MIB)) {
            // Below 32 MiB every second run fails.
            nth += 1;
            let succeeded = limit.0 >= 32 * MIB || nth % 2 == 0;
            search.take(LimitRun { limit: Some(limit), succeeded, seconds: 1.0 });
        }
        assert!(search.smallest().is_some_and(|it| it.0 >= 30 * MIB), "{:?}", search.smallest());
    }

    proptest! {
        #[test]
        fn there_are_never_more_runs_than_was_said(
            need in 1_u64..4 << 30, fast in 1_u64..4 << 30, repeat in 1_u8..5, largest in MIB..4 << 30,
        ) {
            let found = search(need, fast, repeat, largest);
            let most = most_runs(Bytes(MIB), Bytes(largest), repeat);
            prop_assert!(found.runs().len() as u32 <= most, "{} > {most}", found.runs().len());
            if let Some(smallest) = found.smallest() {
                prop_assert!(smallest.0 >= need);
            }
        }
    }
}
