//! What an alarm can watch, one row each.

use std::fmt;
use std::fmt::Write as _;
use std::sync::Arc;

use crate::forecast::limits;
use crate::forecast::limits::ReachableLimit;
use crate::forecast::next_death::{Deaths, NextDeath};
use crate::model::{PsiLine, Reading, Scene, Text};
use crate::rank::Ranking;
use crate::units::{Kib, Millis};

/// The unit of a quantity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AlarmUnit {
    /// A share, in percent.
    Percent,
    /// A size, in KiB.
    Kib,
    /// Time, in seconds.
    Seconds,
}

impl AlarmUnit {
    /// The unit as a script gets it in `DOOMTOP_UNIT`.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Percent => "%",
            Self::Kib => "KiB",
            Self::Seconds => "s",
        }
    }
}

/// On which side of its threshold an alarm is raised.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ThresholdSide {
    /// Above it.
    Over,
    /// Below it.
    Under,
    /// There is no threshold: something happens.
    Happens,
}

/// A process that was killed since the sample before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KilledProcess {
    /// Its pid; nothing where no log and no sample tells.
    pub pid: Option<i32>,
    /// Its name.
    pub comm: String,
    /// `global`, or the path of the cgroup that reached its limit; nothing where it is not known.
    pub domain: Option<Arc<Text>>,
    /// Neither the kernel's log nor a tracepoint named it so far: it is the largest that ended meanwhile.
    pub guessed: bool,
}

/// What alarms are computed from: the newest sample.
#[derive(Clone, Copy)]
pub struct AlarmInput<'a> {
    /// The sample and the one before.
    pub scene: &'a Scene,
    /// The ranking of the sample.
    pub ranking: &'a Ranking,
    /// The policy that ranked it.
    pub policy: &'static str,
    /// The predicted deaths.
    pub deaths: &'a Deaths,
    /// Who was killed since the sample before, as far as that is known.
    pub killed: &'a [KilledProcess],
}

/// The value that was found, and the domain of the limit where it is one.
pub(super) type Found = (f64, Option<Arc<Text>>);

/// A row of the table of what can be watched.
pub struct AlarmQuantity {
    /// Its name in `--alarm`.
    pub name: &'static str,
    /// Another name that `--alarm` takes.
    pub alias: Option<&'static str>,
    /// An example with a useful value.
    pub example: &'static str,
    /// On which side of the threshold the alarm is raised.
    pub side: ThresholdSide,
    /// The units that a threshold may have; the first one where it names none.
    pub units: &'static [AlarmUnit],
    /// The maximum of its value, in percent or seconds.
    pub(super) most: f64,
    /// Its description in help and README.
    pub about: &'static str,
    pub(super) reads: Reads,
}

/// How a quantity is computed from a sample.
#[derive(Clone, Copy)]
pub(super) enum Reads {
    /// A value; nothing where it cannot be read here.
    Value(fn(&AlarmInput<'_>, AlarmUnit) -> Option<Found>),
    /// Whether another process became the predicted victim.
    Victim,
    /// Whether the kernel counted a kill.
    Kills,
    /// The time until the next predicted death.
    Death,
    /// Whether a domain stalls that did not before.
    Stalls,
}

impl fmt::Debug for AlarmQuantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

const PERCENT: &[AlarmUnit] = &[AlarmUnit::Percent];
const SECONDS: &[AlarmUnit] = &[AlarmUnit::Seconds];

/// Everything that an alarm can watch.
pub static QUANTITIES: &[AlarmQuantity] = &[
    AlarmQuantity {
        name: "psi-some",
        alias: None,
        example: "psi-some>20%",
        side: ThresholdSide::Over,
        units: PERCENT,
        most: 100.0,
        about: "share of the last 10 s in which some task of the machine waited for memory",
        reads: Reads::Value(|seen, _| average(&seen.scene.now().pressure.some)),
    },
    AlarmQuantity {
        name: "psi-full",
        alias: None,
        example: "psi-full>5%",
        side: ThresholdSide::Over,
        units: PERCENT,
        most: 100.0,
        about: "share of the last 10 s in which every task waited for memory",
        reads: Reads::Value(|seen, _| average(&seen.scene.now().pressure.full)),
    },
    AlarmQuantity {
        name: "psi-io",
        alias: None,
        example: "psi-io>40%",
        side: ThresholdSide::Over,
        units: PERCENT,
        most: 100.0,
        about: "share of the last 10 s in which some task waited for a disk",
        reads: Reads::Value(|seen, _| average(&seen.scene.now().pressure.io_some)),
    },
    AlarmQuantity {
        name: "available",
        alias: None,
        example: "available<500M",
        side: ThresholdSide::Under,
        units: &[AlarmUnit::Percent, AlarmUnit::Kib],
        most: 100.0,
        about: "MemAvailable, as a share of RAM or a size (K M G T)",
        reads: Reads::Value(|seen, unit| {
            let memory = seen.scene.now().memory;
            let available = memory.available_kib.value()?;
            let share = || share(available, memory.total_kib);
            Some((if unit == AlarmUnit::Kib { available.0 as f64 } else { share() }, None))
        }),
    },
    AlarmQuantity {
        name: "swap",
        alias: None,
        example: "swap>80%",
        side: ThresholdSide::Over,
        units: PERCENT,
        most: 100.0,
        about: "share of swap in use; no value without swap",
        reads: Reads::Value(|seen, _| {
            let swap = seen.scene.now().swap;
            (swap.total_kib.0 > 0).then(|| (share(swap.used(), swap.total_kib), None))
        }),
    },
    AlarmQuantity {
        name: "commit",
        alias: None,
        example: "commit>95%",
        side: ThresholdSide::Over,
        units: PERCENT,
        most: f64::MAX,
        about: "committed memory, as a share of the commit limit",
        reads: Reads::Value(|seen, _| {
            let charge = seen.scene.now().overcommit.charge()?;
            Some((share(charge.committed, charge.limit), None))
        }),
    },
    AlarmQuantity {
        name: "limit",
        alias: Some("wall"),
        example: "limit<5%",
        side: ThresholdSide::Under,
        units: PERCENT,
        most: 100.0,
        about: "room left at the nearest limit, of the machine or a cgroup (also `wall`)",
        reads: Reads::Value(|seen, _| {
            let all = limits::all(seen.scene, seen.deaths);
            let limit = all.min_by_key(ReachableLimit::left_permille)?;
            Some((limit.left_permille() as f64 / 10.0, Some(limit.name)))
        }),
    },
    AlarmQuantity {
        name: "limit-in",
        alias: Some("wall-in"),
        example: "limit-in<60s",
        side: ThresholdSide::Under,
        units: SECONDS,
        most: 600.0,
        about: "predicted time until a limit is reached, of the machine or a cgroup, as in the headline (at most 600 s; also `wall-in`)",
        reads: Reads::Value(|seen, _| {
            // No limit is approached: the time is infinite, not unknown.
            let Some((domain, time)) = seen.deaths.first_limit() else {
                return Some((f64::INFINITY, None));
            };
            Some((time.0 as f64 / 1000.0, Some(domain)))
        }),
    },
    AlarmQuantity {
        name: "death",
        alias: None,
        example: "death<30s",
        side: ThresholdSide::Under,
        units: SECONDS,
        most: 3600.0,
        about: "time until the next predicted death (s m h; at most 1 h); once for each process and limit",
        reads: Reads::Death,
    },
    AlarmQuantity {
        name: "stalled",
        alias: None,
        example: "stalled",
        side: ThresholdSide::Happens,
        units: &[],
        most: 0.0,
        about: "a cgroup's tasks wait and none is killed: throttled at memory.high, or at the limit with oom_kill_disable or frozen",
        reads: Reads::Stalls,
    },
    AlarmQuantity {
        name: "blocked",
        alias: None,
        example: "blocked>30s",
        side: ThresholdSide::Over,
        units: SECONDS,
        most: 86_400.0,
        about: "longest time that a process has been in uninterruptible sleep (D) without running",
        reads: Reads::Value(|seen, _| {
            let longest = seen.scene.longest_blocked().map_or(Millis::ZERO, |it| it.1);
            Some((longest.0 as f64 / 1000.0, None))
        }),
    },
    AlarmQuantity {
        name: "victim",
        alias: None,
        example: "victim",
        side: ThresholdSide::Happens,
        units: &[],
        most: 0.0,
        about: "another process became the predicted victim",
        reads: Reads::Victim,
    },
    AlarmQuantity {
        name: "oom-kill",
        alias: None,
        example: "oom-kill",
        side: ThresholdSide::Happens,
        units: &[],
        most: 0.0,
        about: "the kernel's OOM killer killed a process; once for each",
        reads: Reads::Kills,
    },
];

impl AlarmInput<'_> {
    /// The death that the alarm is about: that of the headline, else the nearest one.
    pub(super) fn death(&self) -> Option<&NextDeath> {
        let all = self.deaths.next.iter().chain(&self.deaths.list);
        all.into_iter().find(|it| it.when.is_some())
    }
}

fn average(stall: &Reading<PsiLine>) -> Option<Found> {
    stall.value().map(|stall| (f64::from(stall.avg10), None))
}

fn share(part: Kib, whole: Kib) -> f64 {
    part.0 as f64 * 100.0 / whole.0.max(1) as f64
}

impl AlarmQuantity {
    pub(super) fn wanted(&self) -> String {
        format!("{} wants the form {}", self.name, self.example)
    }
}

/// The table as `--help` prints it.
#[must_use]
pub fn help() -> String {
    let mut text =
        "Raise an alarm when a value crosses its threshold, once per crossing; can be given more than once:\n"
            .to_owned();
    for row in QUANTITIES {
        let _ = writeln!(text, "  {:<16} {}", row.example, row.about);
    }
    text.push_str("It is raised again only after the value has moved back past the threshold by a tenth of it");
    text
}
