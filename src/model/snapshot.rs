//! One look at the machine: immutable, shared, and enough to compute every ranking again.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{
    Cgroups, InstalledKillers, Machine, Memory, Overcommit, Pressure, Privileges, ProcId, Process,
    Swap, Sysctls, Text, VmCounters,
};
use crate::model::machine::memory::global_total;
use crate::units::{Millis, Pages, Ticks};

/// The name and version of a snapshot's form as a JSON line (`assets/docs/schema.md`).
pub const SCHEMA: &str = "doomtop/1";

/// How far the process table lags behind the rest of the look.
///
/// When memory is gone, opening a file can stall for minutes; the top candidates are then still
/// read through files kept open, and the others stay as they were.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScanAge {
    /// Milliseconds since the last complete walk over all processes; 0 when it belongs to this look.
    pub stale_ms: Millis,
    /// Processes that were seen but could not be read.
    pub unreadable: u32,
}

/// When a look was taken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Clock {
    /// Milliseconds since 1970, UTC.
    pub unix_ms: i64,
    /// Milliseconds on a clock that never jumps; only differences mean anything.
    pub monotonic_ms: Millis,
    /// Time since boot: the clock that start times are told on.
    pub uptime_ticks: Ticks,
}

/// Whether nothing is known of userspace killers beyond their defaults.
fn unknown_killers(killers: &Arc<InstalledKillers>) -> bool {
    killers.is_default()
}

/// What a look does not tell that was made of a report: nothing there is zero, it is not known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Unavailable {
    /// When processes began, and what they did since; what of memory and swap was in use.
    pub lives: bool,
    /// How much memory the machine has.
    pub memory: bool,
    /// How much swap.
    pub swap: bool,
}

/// One look.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Snapshot {
    /// When.
    pub clock: Clock,
    /// The machine's own constants.
    #[serde(rename = "host")]
    pub machine: Arc<Machine>,
    /// Load averages over 1, 5 and 15 minutes.
    #[serde(default)]
    pub load: [f32; 3],
    /// RAM.
    pub memory: Memory,
    /// Swap.
    pub swap: Swap,
    /// Promises.
    pub overcommit: Overcommit,
    /// What an OOM does here.
    #[serde(default, rename = "knobs")]
    pub sysctls: Sysctls,
    /// Stall times.
    pub pressure: Pressure,
    /// Counters since boot.
    pub traffic: VmCounters,
    /// What doomtop may do here.
    #[serde(rename = "powers")]
    pub privileges: Privileges,
    /// How far the table lags.
    #[serde(default)]
    pub scan: ScanAge,
    /// Names of users, by id. Filled in when they are known; never waited for.
    #[serde(default)]
    pub users: Arc<BTreeMap<u32, Text>>,
    /// The memory cgroups, where somebody needed them.
    #[serde(default)]
    pub cgroups: Arc<Cgroups>,
    /// The userspace killers here, and their options.
    #[serde(default, skip_serializing_if = "unknown_killers")]
    pub killers: Arc<InstalledKillers>,
    /// Every process, sorted by pid.
    pub processes: Vec<Process>,
    /// What it does not tell; of a machine that was looked at nothing.
    #[serde(skip)]
    pub unavailable: Unavailable,
}

impl Snapshot {
    /// A copy without processes and cgroups: what is small.
    #[must_use]
    pub fn without_lists(&self) -> Self {
        Self {
            clock: self.clock,
            machine: Arc::clone(&self.machine),
            load: self.load,
            memory: self.memory,
            swap: self.swap,
            overcommit: self.overcommit,
            sysctls: self.sysctls,
            pressure: self.pressure,
            traffic: self.traffic,
            privileges: self.privileges,
            scan: self.scan,
            users: Arc::clone(&self.users),
            cgroups: Arc::default(),
            killers: Arc::clone(&self.killers),
            processes: Vec::new(),
            unavailable: self.unavailable,
        }
    }

    /// Whether its counters go on from an earlier look: the same machine, and not booted since.
    #[must_use]
    pub fn goes_on_from(&self, before: &Self) -> bool {
        self.clock.uptime_ticks >= before.clock.uptime_ticks
            && self.machine.name == before.machine.name
    }

    /// The pages that an OOM of the whole machine weighs adj by.
    #[must_use]
    pub fn total(&self) -> Pages {
        global_total(&self.memory, &self.swap, self.machine.page_size)
    }

    /// Who lived in this look and was killed, on the way out or gone by the time of `later`: the largest
    /// first. Whoever was on the way out before fell to something earlier.
    #[must_use]
    pub fn fallen(&self, later: &Self) -> Vec<&Process> {
        let falls = |process: &&Process| {
            let then = later.find(process.id);
            process.has_mm && !process.dying && then.is_none_or(|it| it.dying || !it.has_mm)
        };
        let mut fallen: Vec<&Process> = self.processes.iter().filter(falls).collect();
        let held = |process: &Process| process.rss_stat + process.swap.value().unwrap_or_default();
        fallen.sort_by_key(|process| std::cmp::Reverse(held(process)));
        fallen
    }

    /// Where in `processes` the one with this pid stands.
    #[must_use]
    pub fn position(&self, pid: i32) -> Option<usize> {
        self.processes.binary_search_by_key(&pid, |process| process.id.pid).ok()
    }

    /// The process, if it still is the same one.
    #[must_use]
    pub fn find(&self, id: ProcId) -> Option<&Process> {
        self.position(id.pid).map(|at| &self.processes[at]).filter(|process| process.id == id)
    }
}
