//! An OOM kill that happened: when, victim, killer, and what was predicted.

use crate::model::{Comm, ProcId, Text};
use crate::units::{Adj, Kib, Millis};

/// The killer of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Killer {
    /// The kernel, because the machine (or some of its NUMA nodes) ran out of memory.
    Machine,
    /// The kernel, at the limit of a memory cgroup.
    Memcg,
    /// The kernel, together with another process of its cgroup (`memory.oom.group`).
    Group,
    /// The kernel, because a user asked for it with sysrq-f.
    Sysrq,
    /// The kernel counted a kill, but no log line describes it.
    Counted,
    /// The kernel marked a victim, but no log line tells why.
    Marked,
    /// systemd-oomd.
    SystemdOomd,
    /// earlyoom.
    Earlyoom,
    /// nohang.
    Nohang,
    /// Facebook's oomd.
    Oomd,
    /// Android's lmkd, or the kernel driver before it.
    Lmkd,
}

impl Killer {
    /// The killer in one word, as the tables show it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Machine => "global",
            Self::Memcg => "memcg",
            Self::Group => "oom.group",
            Self::Sysrq => "sysrq-f",
            Self::Counted | Self::Marked => "kernel",
            Self::SystemdOomd => "systemd-oomd",
            Self::Earlyoom => "earlyoom",
            Self::Nohang => "nohang",
            Self::Oomd => "oomd",
            Self::Lmkd => "lmkd",
        }
    }

    /// The killer as the subject of a sentence.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::SystemdOomd | Self::Earlyoom | Self::Nohang | Self::Oomd | Self::Lmkd => {
                self.word()
            }
            _ => "the kernel",
        }
    }

    /// Whether the killer is the kernel, whose kills `/proc/vmstat` counts.
    #[must_use]
    pub const fn is_kernel(self) -> bool {
        !matches!(self, Self::SystemdOomd | Self::Earlyoom | Self::Nohang | Self::Oomd | Self::Lmkd)
    }
}

/// How precisely the time of an event is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EventTime {
    /// The line was read as it was written.
    Live,
    /// The line has a wall-clock time.
    Clock,
    /// The line has a kernel timestamp. That clock drifts, and stands still while the machine
    /// sleeps.
    Stamp,
    /// At some time in this interval before.
    Within(Millis),
    /// Not known: the log of another machine, or one without times. Only the order is known.
    Order,
}

/// What the ranking of the sample before said of the victim.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PredictionResult {
    /// There is no sample before it, or no longer.
    NoSample,
    /// The victim was not in that sample: it started later, or was hidden.
    NotSeen,
    /// It had this rank; 1 is the predicted victim.
    Rank(u32),
    /// It was one of several candidates too close to call, with this rank.
    Candidate(u32),
    /// The ranking said that it cannot be chosen.
    Spared,
    /// It was killed together with another process.
    AlsoKilled,
}

/// What the forecast said of the victim before the kill.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ForecastResult {
    /// There was no forecast at that time.
    #[default]
    NotMade,
    /// It was neither named nor a candidate.
    NotPredicted,
    /// It was one of several candidates.
    Among {
        /// Their number just before the kill.
        candidates: u32,
        /// For how long before the kill it had been one of them.
        lead: Millis,
    },
    /// It was named.
    Named {
        /// For how long before the kill.
        lead: Millis,
    },
}

impl ForecastResult {
    /// For how long before the kill the victim was named or among the candidates, without interruption; `None` where
    /// it was neither.
    #[must_use]
    pub const fn lead(self) -> Option<Millis> {
        match self {
            Self::Named { lead } | Self::Among { lead, .. } => Some(lead),
            Self::NotMade | Self::NotPredicted => None,
        }
    }

    /// For comparing: the better forecast is the larger.
    #[must_use]
    pub const fn weight(self) -> (u8, u64) {
        match self {
            Self::NotMade => (0, 0),
            Self::NotPredicted => (1, 0),
            Self::Among { lead, .. } => (2, lead.0),
            Self::Named { lead } => (3, lead.0),
        }
    }
}

/// The victim, as far as it is known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Victim {
    /// The pid, if the log names it.
    pub pid: Option<i32>,
    /// The process, if a sample contains it.
    pub id: Option<ProcId>,
    /// The short name of the process.
    pub comm: Comm,
    /// The user id.
    pub uid: Option<u32>,
    /// Resident memory.
    pub rss: Option<Kib>,
    /// How much of it were pages of mapped files: page cache, which a kill does not free.
    pub file: Option<Kib>,
    /// Memory swapped out.
    pub swap: Option<Kib>,
    /// The `oom_score_adj`.
    pub adj: Option<Adj>,
}

impl Victim {
    /// What the kill frees, the amount that all outputs tell: anonymous and shared memory, and what was swapped out.
    /// Pages of mapped files are left out as far as they are known: they are page cache, which may belong to another
    /// cgroup, and which reclaim takes back before the kernel kills. `None` where no size is known.
    #[must_use]
    pub fn freed(&self) -> Option<Kib> {
        let resident =
            self.rss.map(|rss| Kib(rss.0.saturating_sub(self.file.unwrap_or_default().0)));
        match (resident, self.swap) {
            (None, None) => None,
            (resident, swap) => Some(resident.unwrap_or_default() + swap.unwrap_or_default()),
        }
    }
}

/// A process that the kernel marked as a victim of its OOM killer, as a tracepoint tells it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MarkedVictim {
    /// Who was killed, with the sizes at that time. Kernels before 6.9 tell only the pid.
    pub victim: Victim,
    /// The process that asked for the memory, as far as its pid is one of our namespace, and the name of
    /// its thread.
    pub asker: (Option<i32>, Comm),
    /// For how long it has been marked.
    pub ago: Millis,
}

/// A kill, or an OOM without a kill.
#[derive(Clone, Debug, PartialEq)]
pub struct OomEvent {
    /// Sequence number in this session.
    pub nth: u64,
    /// Milliseconds since 1970-01-01, UTC.
    pub unix_ms: i64,
    /// How precisely that time is known.
    pub time: EventTime,
    /// The killer.
    pub by: Killer,
    /// The victim; `None` if a whole cgroup or no process was killed.
    pub victim: Option<Victim>,
    /// Whether the victim is a guess: the largest process that ended.
    pub guessed: bool,
    /// Whether only a log file tells of it to which any user can write.
    pub unproven: bool,
    /// The memory cgroup that reached its limit or was killed.
    pub domain: Option<Text>,
    /// The cgroup of the victim.
    pub cgroup: Option<Text>,
    /// What was predicted just before.
    pub prediction: PredictionResult,
    /// For how long the forecast had named it.
    pub forecast: ForecastResult,
    /// When the last sample was taken in which the victim lived, in milliseconds since 1970, UTC. A log may be read a
    /// moment after the kill: the sample before its time may be without the victim already.
    pub last_seen: Option<i64>,
    /// Sequence number of the kernel's report.
    pub report: Option<u64>,
    /// The log line, if no report says more.
    pub said: Option<Text>,
}

impl OomEvent {
    /// An event of which nothing else is known yet.
    #[must_use]
    pub const fn new(by: Killer, unix_ms: i64, time: EventTime) -> Self {
        Self {
            nth: 0,
            unix_ms,
            time,
            by,
            victim: None,
            guessed: false,
            unproven: false,
            domain: None,
            cgroup: None,
            prediction: PredictionResult::NoSample,
            forecast: ForecastResult::NotMade,
            last_seen: None,
            report: None,
            said: None,
        }
    }

    /// Whether the victim was predicted: it was named, or one of the candidates, up to the kill. Where no forecast
    /// was made, the ranking before the kill decides.
    #[must_use]
    pub const fn was_predicted(&self) -> bool {
        match self.forecast {
            ForecastResult::NotMade => matches!(self.prediction, PredictionResult::Rank(1)),
            ForecastResult::NotPredicted => false,
            ForecastResult::Named { .. } | ForecastResult::Among { .. } => true,
        }
    }

    /// Whether it was told as it happened: not a line that was in a log before, nor one of a saved log.
    #[must_use]
    pub const fn is_news(&self) -> bool {
        matches!(self.time, EventTime::Live | EventTime::Within(_))
    }

    /// Whether something was killed. The kernel also reports an OOM that ended otherwise.
    #[must_use]
    pub const fn is_kill(&self) -> bool {
        self.victim.is_some() || !self.by.is_kernel() || matches!(self.by, Killer::Counted)
    }
}

/// A log in which OOM events are found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum LogSource {
    /// The kernel log (`/dev/kmsg`).
    KernelLog,
    /// The journal of systemd.
    Journal,
    /// Files in `/var/log`.
    Files,
    /// The tracepoint `oom:mark_victim`, which tells of victims at once, but not why.
    Tracepoint,
}

impl LogSource {
    /// The name on the screen.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::KernelLog => "kernel log",
            Self::Journal => "journal",
            Self::Files => "log files",
            Self::Tracepoint => "tracepoint",
        }
    }
}

/// The state of a log source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SourceState {
    /// The log is followed; the text says where it is.
    Open(String),
    /// This number of lines was overwritten before doomtop read them.
    Lost(u64),
    /// The log cannot be followed; the text says why.
    Closed(String),
}
