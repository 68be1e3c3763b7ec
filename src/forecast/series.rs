//! The table of quantities that a chart can show. A quantity is one row.

use crate::model::{Aggregate, CommitCharge, MachineSample, PsiLine, Reading};
use crate::units::Kib;

/// A sample, and the one before it.
#[derive(Clone, Copy, Debug)]
pub struct SampleInterval<'a> {
    /// The sample before; `None` at the first.
    pub before: Option<&'a MachineSample>,
    /// The sample.
    pub now: &'a MachineSample,
}

/// The unit of a quantity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SeriesUnit {
    /// Percent of time.
    Share,
    /// KiB.
    Kib,
    /// Pages per second.
    PagesPerSecond,
    /// A rate per second.
    PerSecond,
}

/// How serious a value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Neither good nor bad.
    Neutral,
    /// Normal.
    Calm,
    /// A warning.
    Care,
    /// Serious.
    Bad,
}

/// A quantity.
pub struct Series {
    /// Its identifier.
    pub id: &'static str,
    /// The title on the screen, at most 12 cells.
    pub title: &'static str,
    /// A description in one line.
    pub about: &'static str,
    /// Its unit.
    pub measure: SeriesUnit,
    /// How several values in one cell are combined.
    pub fold: Aggregate,
    /// Its value at a sample; of a counter, its change since the sample before.
    pub value: fn(&SampleInterval<'_>) -> Reading<f64>,
    /// Its maximum, if known.
    pub ceiling: fn(&MachineSample) -> Option<f64>,
    /// Minimum top of the chart, so that small values do not fill it.
    pub min_top: f64,
    /// How serious a value is on the machine of this sample.
    pub severity: fn(f64, &MachineSample) -> Severity,
    /// The kernel's own averages over 10, 60 and 300 seconds.
    pub averages: Option<fn(&MachineSample) -> Reading<PsiLine>>,
    /// Why it may be unknown, in words.
    pub absent: &'static str,
}

/// The change of a counter per second since the sample before.
fn rate(step: &SampleInterval<'_>, of: impl Fn(&MachineSample) -> Reading<u64>) -> Reading<f64> {
    more(step, of).map(|(more, ms)| more * 1000.0 / ms)
}

/// The change of a counter since the sample before, and the time between them in milliseconds.
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

/// The stalled share of the time since the sample before, in percent.
fn stalled(
    step: &SampleInterval<'_>,
    of: impl Fn(&MachineSample) -> Reading<PsiLine>,
) -> Reading<f64> {
    let total = more(step, |moment| of(moment).map(|stall| stall.total_us));
    total.map(|(us, ms)| (us / ms / 10.0).min(100.0))
}

/// A size in KiB.
fn kib(size: Reading<Kib>) -> Reading<f64> {
    size.map(|size| size.0 as f64)
}

/// Whether `/proc/vmstat` could not be read, so that its zeros are no values.
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

/// The severity by two thresholds.
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

/// A stall time.
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
        min_top: 10.0,
        severity,
        averages: Some(averages),
        absent: "no PSI: a kernel before 4.20, or psi=0",
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
        min_top: 1.0,
        severity,
        averages: None,
        absent: "this kernel does not report it",
    }
}

/// A rate.
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
        min_top: 10.0,
        severity,
        averages: None,
        absent: "this kernel's /proc/vmstat does not count it",
    }
}

/// All quantities, the most useful first. The top of a chart is the ceiling for sizes, and the maximum in
/// view for all others.
pub static SERIES: &[Series] = &[
    size(
        "available",
        "available",
        "memory available without swapping (MemAvailable)",
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
        "pages scanned by tasks in direct reclaim, because no memory was free",
        SeriesUnit::PerSecond,
        |step| rate(step, |moment| moment.traffic.direct_scan),
        |value, _| above(value, 1.0, 100_000.0),
    ),
    flow(
        "stalls",
        "alloc stalls",
        "allocations that waited for direct reclaim",
        SeriesUnit::PerSecond,
        |step| rate(step, |moment| moment.traffic.alloc_stalls),
        |value, _| above(value, 1.0, 1000.0),
    ),
    flow(
        "refaults",
        "refaults",
        "reclaimed pages that were needed again soon after",
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
        "anonymous memory of processes (AnonPages)",
        Aggregate::Most,
        |step| kib(step.now.memory.anon_kib),
        neutral,
    ),
    size(
        "cache",
        "cache",
        "memory that the kernel can mostly reclaim",
        Aggregate::Last,
        |step| Reading::Value(step.now.memory.cache_kib.0 as f64),
        neutral,
    ),
    Series {
        ceiling: |moment| moment.overcommit.limit_kib.value().map(|limit| limit.0 as f64),
        ..size(
            "committed",
            "committed",
            "memory committed to processes (Committed_AS)",
            Aggregate::Most,
            |step| kib(step.now.overcommit.committed_kib),
            |value, moment| {
                let commit = moment.overcommit;
                let committed = Kib(value.max(0.0) as u64);
                // Exceeding a limit that is not enforced has no effect.
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
