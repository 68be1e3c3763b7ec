//! A kill that happened: when, who, by whom, and what was known of it just before.

use crate::model::{Comm, ProcId, Text};
use crate::units::{Adj, Kib, Millis};

/// Who killed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Killer {
    /// The kernel, because the machine (or some of its nodes) ran out of memory.
    Machine,
    /// The kernel, at the limit of a memory cgroup.
    Memcg,
    /// The kernel, along with another one of its cgroup (`memory.oom.group`).
    Group,
    /// The kernel, because somebody asked for it by sysrq-f.
    Sysrq,
    /// The kernel: it counted a kill, and no line of its log tells more.
    Counted,
    /// systemd-oomd.
    SystemdOomd,
    /// earlyoom.
    Earlyoom,
    /// nohang.
    Nohang,
    /// Facebook's oomd.
    Oomd,
}

impl Killer {
    /// In a word.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Machine => "global",
            Self::Memcg => "memcg",
            Self::Group => "oom.group",
            Self::Sysrq => "sysrq-f",
            Self::Counted => "counted",
            Self::SystemdOomd => "systemd-oomd",
            Self::Earlyoom => "earlyoom",
            Self::Nohang => "nohang",
            Self::Oomd => "oomd",
        }
    }

    /// Who that is, as the subject of a sentence.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::SystemdOomd | Self::Earlyoom | Self::Nohang | Self::Oomd => self.word(),
            _ => "the kernel",
        }
    }

    /// Whether it was the kernel: it counts its kills, and nobody else's.
    #[must_use]
    pub const fn is_kernel(self) -> bool {
        !matches!(self, Self::SystemdOomd | Self::Earlyoom | Self::Nohang | Self::Oomd)
    }
}

/// How well a time is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EventTime {
    /// It was heard as it was written.
    Live,
    /// By the clock on the wall, as its line was written.
    Clock,
    /// By the stamp of its line: the log's clock drifts, and stands still while the machine sleeps.
    Stamp,
    /// Some time in so long before.
    Within(Millis),
    /// Not at all: the log of another machine, or one that tells no time.
    Order,
}

/// What the ranking said of the victim in the look before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PredictionResult {
    /// There was no look before, or it is no longer kept.
    NoSample,
    /// It was not in that look: born since, or hidden.
    NotSeen,
    /// It had this place, from 1: the predicted victim.
    Rank(u32),
    /// Several were too close to call, it among them.
    Candidate(u32),
    /// It could not be chosen.
    Spared,
    /// It fell with another one.
    AlsoKilled,
}

/// Who died, as far as it was told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Victim {
    /// Its pid, where one was told.
    pub pid: Option<i32>,
    /// Who that was, where a look had seen it.
    pub id: Option<ProcId>,
    /// Its name.
    pub comm: Comm,
    /// Its user.
    pub uid: Option<u32>,
    /// What it held in RAM.
    pub rss: Option<Kib>,
    /// What it had swapped out.
    pub swap: Option<Kib>,
    /// Its `oom_score_adj`.
    pub adj: Option<Adj>,
}

/// A kill, or an OOM in which nobody was killed.
#[derive(Clone, Debug, PartialEq)]
pub struct OomEvent {
    /// Its number in this session.
    pub nth: u64,
    /// Milliseconds since 1970, UTC.
    pub unix_ms: i64,
    /// How well that is known.
    pub time: EventTime,
    /// By whom.
    pub by: Killer,
    /// Who; nothing where a whole cgroup was killed, or nobody.
    pub victim: Option<Victim>,
    /// Whether the victim is only a guess: the largest that was gone.
    pub guessed: bool,
    /// The memory cgroup that hit its wall, or was killed.
    pub domain: Option<Text>,
    /// The victim's own cgroup.
    pub cgroup: Option<Text>,
    /// What was predicted just before.
    pub prediction: PredictionResult,
    /// The number of the kernel's report.
    pub report: Option<u64>,
    /// What was said, where no report says it better.
    pub said: Option<Text>,
}

/// Where happenings are heard of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum LogSource {
    /// The kernel's log (`/dev/kmsg`).
    KernelLog,
    /// The journal of systemd.
    Journal,
    /// Plain files under `/var/log`.
    Files,
}

impl LogSource {
    /// Its name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::KernelLog => "kernel log",
            Self::Journal => "journal",
            Self::Files => "log files",
        }
    }
}

/// What comes of listening.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SourceState {
    /// It is followed: where, in words.
    Open(String),
    /// So many lines were overwritten before they were read.
    Lost(u64),
    /// Nothing is heard, and why.
    Closed(String),
}
