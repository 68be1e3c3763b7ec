//! What can be drawn through time: the one table of quantities. A quantity is one row.

use crate::model::{Aggregate, CommitCharge, MachineSample, PsiLine, Reading};
use crate::units::Kib;

/// A moment, and the one before it.
#[derive(Clone, Copy, Debug)]
pub struct SampleInterval<'a> {
    /// The one before; nothing at the first.
    pub before: Option<&'a MachineSample>,
    /// The moment.
    pub now: &'a MachineSample,
}

/// In what a quantity is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SeriesUnit {
    /// Percent of time.
    Share,
    /// KiB.
    Kib,
    /// Pages a second.
    PagesPerSecond,
    /// So many a second.
    PerSecond,
    /// So many.
    Count,
}

/// How bad a value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// It says nothing of good or bad.
    Neutral,
    /// It is well.
    Calm,
    /// It needs care.
    Care,
    /// It goes wrong.
    Bad,
}

/// A quantity.
pub struct Series {
    /// Its name.
    pub id: &'static str,
    /// Its title on the screen, at most 12 cells.
    pub title: &'static str,
    /// What it is, in one line.
    pub about: &'static str,
    /// In what it is counted.
    pub measure: SeriesUnit,
    /// What becomes of several values in one cell.
    pub fold: Aggregate,
    /// Its value at a moment; of a counter, since the moment before.
    pub value: fn(&SampleInterval<'_>) -> Reading<f64>,
    /// How far it can go, where that is known.
    pub ceiling: fn(&MachineSample) -> Option<f64>,
    /// A top of its chart that is lower than this would make a mountain of nothing.
    pub least_top: f64,
    /// How bad a value is, on the machine of this moment.
    pub severity: fn(f64, &MachineSample) -> Severity,
    /// The averages that the kernel tells beside it: of 10, 60 and 300 seconds.
    pub averages: Option<fn(&MachineSample) -> Reading<PsiLine>>,
    /// Why it may not be there.
    pub absent: &'static str,
}

/// A counter's growth a second since the moment before.
fn rate(step: &SampleInterval<'_>, of: impl Fn(&MachineSample) -> Reading<u64>) -> Reading<f64> {
    more(step, of).map(|(more, ms)| more * 1000.0 / ms)
}

/// A counter's growth since the moment before, and the milliseconds that it took.
fn more(
    step: &SampleInterval<'_>,
    of: impl Fn(&MachineSample) -> Reading<u64>,
) -> Reading<(f64, f64)> {
    let now = match of(step.now) {
        Reading::Value(now) => now,
        absent => return absent.map(|_| (0.0, 1.0)),
    };
    let Some(before) = step.before else { return Reading::NotAsked };
    let ms = step.now.since(before).0;
    match of(before).value().and_then(|before| now.checked_sub(before)) {
        Some(more) if ms > 0 => Reading::Value((more as f64, ms as f64)),
        _ => Reading::NotAsked,
    }
}

/// The share of the time since the moment before, in percent.
fn stalled(
    step: &SampleInterval<'_>,
    of: impl Fn(&MachineSample) -> Reading<PsiLine>,
) -> Reading<f64> {
    let total = more(step, |moment| of(moment).map(|stall| stall.total_us));
    total.map(|(us, ms)| (us / ms / 10.0).min(100.0))
}

/// A size.
fn kib(size: Reading<Kib>) -> Reading<f64> {
    size.map(|size| size.0 as f64)
}

/// Whether `/proc/vmstat` told nothing at all: its zeros are none.
fn unavailable(moment: &MachineSample) -> bool {
    let traffic = moment.traffic;
    traffic.swap_in_pages.0 == 0
        && traffic.swap_out_pages.0 == 0
        && traffic.oom_kills.value().is_none()
        && traffic.direct_scan.value().is_none()
}

fn swapped(moment: &MachineSample, pages: u64) -> Reading<u64> {
    if unavailable(moment) { Reading::Missing } else { Reading::Value(pages) }
}

fn share_of(value: f64, whole: Kib) -> f64 {
    value * 100.0 / whole.0.max(1) as f64
}

/// By two thresholds.
fn above(value: f64, care: f64, bad: f64) -> Severity {
    if value >= bad {
        Severity::Bad
    } else if value >= care {
        Severity::Care
    } else {
        Severity::Calm
    }
}

const fn neutral(_: f64, _: &MachineSample) -> Severity {
    Severity::Neutral
}

const fn all_of_time(_: &MachineSample) -> Option<f64> {
    Some(100.0)
}

const fn unknown(_: &MachineSample) -> Option<f64> {
    None
}

fn ram(moment: &MachineSample) -> Option<f64> {
    (moment.memory.total_kib.0 > 0).then_some(moment.memory.total_kib.0 as f64)
}

/// The four of pressure.
const fn pressure(
    id: &'static str,
    title: &'static str,
    about: &'static str,
    value: fn(&SampleInterval<'_>) -> Reading<f64>,
    severity: fn(f64, &MachineSample) -> Severity,
    averages: fn(&MachineSample) -> Reading<PsiLine>,
) -> Series {
    Series {
        id,
        title,
        about,
        measure: SeriesUnit::Share,
        fold: Aggregate::Most,
        value,
        ceiling: all_of_time,
        least_top: 10.0,
        severity,
        averages: Some(averages),
        absent: "no PSI here: a kernel before 4.20, or psi=0",
    }
}

/// A size of memory.
const fn size(
    id: &'static str,
    title: &'static str,
    about: &'static str,
    fold: Aggregate,
    value: fn(&SampleInterval<'_>) -> Reading<f64>,
    severity: fn(f64, &MachineSample) -> Severity,
) -> Series {
    Series {
        id,
        title,
        about,
        measure: SeriesUnit::Kib,
        fold,
        value,
        ceiling: ram,
        least_top: 1.0,
        severity,
        averages: None,
        absent: "this kernel does not tell it",
    }
}

/// So much a second.
const fn flow(
    id: &'static str,
    title: &'static str,
    about: &'static str,
    measure: SeriesUnit,
    value: fn(&SampleInterval<'_>) -> Reading<f64>,
    severity: fn(f64, &MachineSample) -> Severity,
) -> Series {
    Series {
        id,
        title,
        about,
        measure,
        fold: Aggregate::Most,
        value,
        ceiling: unknown,
        least_top: 10.0,
        severity,
        averages: None,
        absent: "this kernel's /proc/vmstat does not count it",
    }
}

/// Every quantity, the most telling first. A chart's top is the ceiling of a size; of all else, the
/// most in sight.
pub static SERIES: &[Series] = &[
    size(
        "available",
        "available",
        "what can be had without swapping (MemAvailable)",
        Aggregate::Least,
        |step| kib(step.now.memory.available_kib),
        |value, moment| match share_of(value, moment.memory.total_kib) {
            ..5.0 => Severity::Bad,
            5.0..10.0 => Severity::Care,
            _ => Severity::Calm,
        },
    ),
    pressure(
        "memory-some",
        "PSI mem some",
        "time in which some task waited for memory",
        |step| stalled(step, |moment| moment.pressure.some),
        |value, _| above(value, 10.0, 40.0),
        |moment| moment.pressure.some,
    ),
    pressure(
        "memory-full",
        "PSI mem full",
        "time in which every task waited for memory",
        |step| stalled(step, |moment| moment.pressure.full),
        |value, _| above(value, 2.0, 10.0),
        |moment| moment.pressure.full,
    ),
    Series {
        ceiling: |moment| (moment.swap.total_kib.0 > 0).then_some(moment.swap.total_kib.0 as f64),
        absent: "there is no swap here",
        ..size(
            "swap",
            "swap used",
            "swap in use",
            Aggregate::Most,
            |step| {
                let swap = step.now.swap;
                if swap.total_kib.0 == 0 {
                    return Reading::Missing;
                }
                Reading::Value(swap.used().0 as f64)
            },
            |value, moment| above(share_of(value, moment.swap.total_kib), 80.0, 95.0),
        )
    },
    flow(
        "swap-out",
        "swap out",
        "written to swap",
        SeriesUnit::PagesPerSecond,
        |step| rate(step, |moment| swapped(moment, moment.traffic.swap_out_pages.0)),
        neutral,
    ),
    flow(
        "swap-in",
        "swap in",
        "read back from swap",
        SeriesUnit::PagesPerSecond,
        |step| rate(step, |moment| swapped(moment, moment.traffic.swap_in_pages.0)),
        neutral,
    ),
    flow(
        "direct-scan",
        "direct scan",
        "pages that tasks had to scan themselves, because nothing was free",
        SeriesUnit::PerSecond,
        |step| rate(step, |moment| moment.traffic.direct_scan),
        |value, _| above(value, 1.0, 100_000.0),
    ),
    flow(
        "stalls",
        "alloc stalls",
        "allocations that had to wait for that",
        SeriesUnit::PerSecond,
        |step| rate(step, |moment| moment.traffic.alloc_stalls),
        |value, _| above(value, 1.0, 1000.0),
    ),
    flow(
        "refaults",
        "refaults",
        "pages thrown out and wanted again soon after",
        SeriesUnit::PerSecond,
        |step| rate(step, |moment| moment.traffic.refaults),
        neutral,
    ),
    pressure(
        "io-some",
        "PSI io some",
        "time in which some task waited for a disk",
        |step| stalled(step, |moment| moment.pressure.io_some),
        |value, _| above(value, 40.0, 80.0),
        |moment| moment.pressure.io_some,
    ),
    pressure(
        "io-full",
        "PSI io full",
        "time in which every task waited for a disk",
        |step| stalled(step, |moment| moment.pressure.io_full),
        |value, _| above(value, 20.0, 60.0),
        |moment| moment.pressure.io_full,
    ),
    size(
        "used",
        "used",
        "neither free nor cache",
        Aggregate::Most,
        |step| Reading::Value(step.now.memory.used().0 as f64),
        neutral,
    ),
    size(
        "anon",
        "anonymous",
        "what processes hold that no file backs (AnonPages)",
        Aggregate::Most,
        |step| kib(step.now.memory.anon_kib),
        neutral,
    ),
    size(
        "cache",
        "cache",
        "what the kernel can mostly give back",
        Aggregate::Last,
        |step| Reading::Value(step.now.memory.cache_kib.0 as f64),
        neutral,
    ),
    Series {
        ceiling: |moment| moment.overcommit.limit_kib.value().map(|limit| limit.0 as f64),
        ..size(
            "committed",
            "promised",
            "what was promised to processes (Committed_AS)",
            Aggregate::Most,
            |step| kib(step.now.overcommit.committed_kib),
            |value, moment| {
                let commit = moment.overcommit;
                let committed = Kib(value.max(0.0) as u64);
                // Where nothing enforces the limit, going over it is no news.
                match commit.limit_kib.value().filter(|_| commit.enforced()) {
                    Some(limit) => {
                        above(CommitCharge { limit, committed }.percent() as f64, 80.0, 90.0)
                    }
                    None => Severity::Neutral,
                }
            },
        )
    },
];

/// Kills by the kernel: no chart, but marks on the axis of all charts.
pub static KILLS: Series = Series {
    least_top: 1.0,
    fold: Aggregate::Sum,
    absent: "this kernel does not count its kills (4.13 and later do)",
    ..flow(
        "kills",
        "OOM kills",
        "processes that the OOM killer killed",
        SeriesUnit::Count,
        |step| more(step, |moment| moment.traffic.oom_kills).map(|(more, _)| more),
        |value, _| above(value, 1.0, 1.0),
    )
};
