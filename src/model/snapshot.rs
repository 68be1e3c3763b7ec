//! One sample of the machine: immutable, shared, and enough to compute every ranking again.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::model::{
    BpfOom, Cgroups, InstalledKillers, LogLine, Machine, Memory, MemoryHolders, MemoryUses,
    Overcommit, Pressure, Privileges, ProcId, Process, Reading, Swap, Sysctl, Sysctls, Text,
    UsageReading, VmCounters, global_total,
};
use crate::units::{Millis, Pages, Ticks};

/// The name and version of the JSON form of a snapshot (`assets/docs/schema.md`).
pub const SCHEMA: &str = "doomtop/1";

/// How old the process table is, compared with the rest of the sample.
///
/// When memory is short, opening a file can stall for minutes. The top candidates are then still
/// read through files that are kept open, and the other rows stay as they were.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScanAge {
    /// Milliseconds since the last complete walk over all processes; 0 if that walk belongs to this
    /// sample.
    pub stale_ms: Millis,
    /// Number of processes that exist but could not be read.
    pub unreadable: u32,
}

/// When a sample was taken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Clock {
    /// Milliseconds since 1970-01-01, UTC.
    pub unix_ms: i64,
    /// Milliseconds on a monotonic clock without a defined start; only differences have a meaning.
    pub monotonic_ms: Millis,
    /// Clock ticks since boot, the time scale of [`ProcId::born`].
    pub uptime_ticks: Ticks,
}

/// Whether all killers are absent and have their default options.
fn unknown_killers(killers: &Arc<InstalledKillers>) -> bool {
    killers.is_default()
}

fn no_bpf_oom(bpf: &Arc<BpfOom>) -> bool {
    bpf.is_default()
}

fn no_holders(holders: &Arc<MemoryHolders>) -> bool {
    holders.is_default()
}

fn no_lines(lines: &Arc<Vec<LogLine>>) -> bool {
    lines.is_empty()
}

/// Which facts are not known in a snapshot that was reconstructed from a kernel report. Their
/// fields are zero.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Unavailable {
    /// Start times, states and CPU times of processes; the use of memory and swap.
    pub lives: bool,
    /// The size of RAM.
    pub memory: bool,
    /// The size of swap space.
    pub swap: bool,
}

/// One sample of the machine.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Snapshot {
    /// When the sample was taken.
    pub clock: Clock,
    /// Facts that do not change while the machine runs.
    #[serde(rename = "host")]
    pub machine: Arc<Machine>,
    /// Load averages over 1, 5 and 15 minutes.
    #[serde(default)]
    pub load: [f32; 3],
    /// RAM, in KiB.
    pub memory: Memory,
    /// Swap space, in KiB.
    pub swap: Swap,
    /// What RAM is used for beside processes, in KiB.
    #[serde(default)]
    pub memory_uses: MemoryUses,
    /// Who holds memory that is counted with no process, at most half a minute old.
    #[serde(default, skip_serializing_if = "no_holders")]
    pub memory_holders: Arc<MemoryHolders>,
    /// Committed memory and its limit, in KiB.
    pub overcommit: Overcommit,
    /// The sysctls that decide what an OOM does.
    #[serde(default, rename = "knobs")]
    pub sysctls: Sysctls,
    /// BPF programs that decide in the place of the kernel's OOM killer.
    #[serde(default, skip_serializing_if = "no_bpf_oom")]
    pub bpf_oom: Arc<BpfOom>,
    /// Pressure stall information of the machine.
    pub pressure: Pressure,
    /// Counters since boot (`/proc/vmstat`).
    pub traffic: VmCounters,
    /// What doomtop may do on this machine.
    #[serde(rename = "powers")]
    pub privileges: Privileges,
    /// How old the process table is.
    #[serde(default)]
    pub scan: ScanAge,
    /// User names by uid. Filled in when they are known; a sample does not wait for them.
    #[serde(default)]
    pub users: Arc<BTreeMap<u32, Text>>,
    /// The memory cgroups, as far as [`crate::model::Needs`] asked for them.
    #[serde(default)]
    pub cgroups: Arc<Cgroups>,
    /// The userspace OOM killers of this machine, and their options.
    #[serde(default, skip_serializing_if = "unknown_killers")]
    pub killers: Arc<InstalledKillers>,
    /// What was read of domains near their limit since the sample before, in this order. The forecast goes
    /// by it, so a recording that has it gives the same forecast.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub usage_readings: Vec<UsageReading>,
    /// What logs told of OOM kills since the sample before. Only samples that may be written to a recording
    /// have it.
    #[serde(default, skip_serializing_if = "no_lines")]
    pub log: Arc<Vec<LogLine>>,
    /// Every process, sorted by pid.
    pub processes: Vec<Process>,
    /// What is not known; nothing of a sample of a running machine.
    #[serde(skip)]
    pub unavailable: Unavailable,
}

impl Snapshot {
    /// A copy without processes and cgroups, which make up most of the size.
    #[must_use]
    pub fn without_lists(&self) -> Self {
        Self {
            clock: self.clock,
            machine: Arc::clone(&self.machine),
            load: self.load,
            memory: self.memory,
            swap: self.swap,
            memory_uses: self.memory_uses,
            memory_holders: Arc::clone(&self.memory_holders),
            overcommit: self.overcommit,
            sysctls: self.sysctls,
            bpf_oom: Arc::clone(&self.bpf_oom),
            pressure: self.pressure,
            traffic: self.traffic,
            privileges: self.privileges,
            scan: self.scan,
            users: Arc::clone(&self.users),
            cgroups: Arc::default(),
            killers: Arc::clone(&self.killers),
            usage_readings: self.usage_readings.clone(),
            log: Arc::clone(&self.log),
            processes: Vec::new(),
            unavailable: self.unavailable,
        }
    }

    /// Whether counters since boot can be compared with those of an earlier snapshot: the same
    /// machine, not rebooted since.
    #[must_use]
    pub fn continues(&self, before: &Self) -> bool {
        self.clock.uptime_ticks >= before.clock.uptime_ticks
            && self.machine.name == before.machine.name
    }

    /// The total by which adj is scaled in an OOM of the whole machine, in pages; see
    /// [`global_total`].
    #[must_use]
    pub fn total(&self) -> Pages {
        global_total(&self.memory, &self.swap, self.machine.page_size)
    }

    /// The processes that lived in this snapshot and were killed, exiting or gone in `later`,
    /// largest first. A process that was exiting already is left out: something earlier ended it.
    #[must_use]
    pub fn killed_until(&self, later: &Self) -> Vec<&Process> {
        let falls = |process: &&Process| {
            let then = later.find(process.id);
            process.has_mm && !process.dying && then.is_none_or(|it| it.dying || !it.has_mm)
        };
        let mut fallen: Vec<&Process> = self.processes.iter().filter(falls).collect();
        let held = |process: &Process| process.rss_stat + process.swap.value().unwrap_or_default();
        fallen.sort_by_key(|process| std::cmp::Reverse(held(process)));
        fallen
    }

    /// The value of a sysctl, in the unit of its file.
    #[must_use]
    pub fn sysctl(&self, which: Sysctl) -> Reading<u64> {
        match which {
            Sysctl::OvercommitMemory => self.overcommit.mode.map(|mode| u64::from(u8::from(mode))),
            Sysctl::OvercommitRatio => self.overcommit.ratio,
            Sysctl::OvercommitKbytes => self.overcommit.kbytes.map(|kbytes| kbytes.0),
            Sysctl::PanicOnOom => self.sysctls.panic_on_oom.map(|mode| u64::from(u8::from(mode))),
            Sysctl::KillAllocatingTask => self.sysctls.oom_kill_allocating_task.map(u64::from),
            Sysctl::Swappiness => self.sysctls.swappiness,
        }
    }

    /// The index in `processes` of the process with this pid.
    #[must_use]
    pub fn position(&self, pid: i32) -> Option<usize> {
        self.processes.binary_search_by_key(&pid, |process| process.id.pid).ok()
    }

    /// The process with this id; `None` if another process has its pid.
    #[must_use]
    pub fn find(&self, id: ProcId) -> Option<&Process> {
        self.position(id.pid).map(|at| &self.processes[at]).filter(|process| process.id == id)
    }
}
