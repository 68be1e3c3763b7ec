//! What a load test took.

use std::sync::Arc;
use std::time::Duration;

use crate::forecast::next_death::TimeSpan;
use crate::forecast::steady_growth::GrowthTrend;
use crate::model::{Comm, OomEvent, ProcId, Text};
use crate::units::{Bytes, Millis};

/// What a load test took, from the first sample to the last.
#[derive(Clone, Debug)]
pub struct LoadSummary {
    /// `global`, or the path of the memory cgroup.
    pub scope: Arc<Text>,
    /// When the first and the last sample were taken, milliseconds since 1970, UTC.
    pub unix_ms: (i64, i64),
    /// The time between them.
    pub over: Millis,
    /// Number of samples that contain the scope. Zero: nothing is known.
    pub samples: u64,
    /// The limit of the scope in the last sample: of a cgroup its own, of the machine its RAM.
    pub limit: Option<Bytes>,
    /// The highest usage, with page cache, without swap.
    pub peak: Option<LoadPeak>,
    /// The highest sum of what reclaim cannot take back and what is in swap: a limit below it is not enough
    /// without swap.
    pub needed: Option<Bytes>,
    /// Whether more may have been needed: a process was killed.
    pub needed_is_least: bool,
    /// For how long 90 % of the limit or more could not be reclaimed. `None` without a limit.
    pub near_limit: Option<Millis>,
    /// Stall times.
    pub pressure: LoadPressure,
    /// What reclaim did.
    pub reclaim: LoadReclaim,
    /// The most that was in swap.
    pub swap_peak: Option<Bytes>,
    /// Growth of what cannot be reclaimed, swap included.
    pub growth: GrowthTrend,
    /// The processes that grew steadily, the fastest first.
    pub growing: Vec<GrowingProcess>,
    /// When the limit is reached if growth goes on, from the last sample on. `None` without a limit or growth.
    pub lasts: Option<TimeSpan>,
    /// The kills in the scope, the oldest first.
    pub kills: Vec<LoadKill>,
    /// Whether a counter tells to the end that there were no others.
    pub kills_known: bool,
}

/// The highest usage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LoadPeak {
    /// How much.
    pub bytes: Bytes,
    /// At the latest when; milliseconds since 1970, UTC.
    pub unix_ms: i64,
    /// The same from the first sample on.
    pub after: Millis,
}

/// Whose counters were read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CounterOwner {
    /// Those of the cgroup.
    Cgroup,
    /// Those of the whole machine: the cgroup has none (version 1).
    #[default]
    Machine,
}

impl CounterOwner {
    /// The word in reports.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Cgroup => "cgroup",
            Self::Machine => "machine",
        }
    }
}

/// Stall times, by the counters of PSI (`total=`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LoadPressure {
    /// Whose.
    pub of: CounterOwner,
    /// For how long some task waited for memory; `None` where the kernel does not tell.
    pub some: Option<Duration>,
    /// For how long all tasks did.
    pub full: Option<Duration>,
}

/// What reclaim did; `None` where the kernel does not tell.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LoadReclaim {
    /// Whose pages `scanned` counts.
    pub scanned_of: CounterOwner,
    /// Pages that reclaim looked at (of the machine: in direct reclaim).
    pub scanned: Option<u64>,
    /// Whose pages `refaults` counts.
    pub refaults_of: CounterOwner,
    /// Pages that were evicted and read again soon after.
    pub refaults: Option<u64>,
    /// How often a charge reached the limit of the cgroup.
    pub limit_hits: Option<u64>,
}

/// A process that grew steadily.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct GrowingProcess {
    /// The process.
    pub id: ProcId,
    /// Its name.
    pub comm: Comm,
    /// Its size in the last sample that has it: resident memory, swap and page tables without file pages.
    pub bytes: Bytes,
    /// How it grew.
    pub growth: GrowthTrend,
}

/// A kill in the scope.
#[derive(Clone, Debug, PartialEq)]
pub struct LoadKill {
    /// What is known of it. Of a victim that only a counter tells of and no sample saw, nothing is.
    pub event: OomEvent,
    /// When, from the first sample on; at the latest, where only a counter tells of it.
    pub after: Millis,
    /// Why, as a sentence.
    pub why: String,
}

impl LoadKill {
    /// For how long before the kill its victim was predicted; `None` where it was not.
    #[must_use]
    pub const fn predicted(&self) -> Option<Millis> {
        self.event.forecast.lead()
    }
}
