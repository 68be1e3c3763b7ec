//! What is compared: one row for each quantity, with its difference.

use serde_json::{Value, json};

use super::ComparedRun;
use crate::columns::{human_size, span_of};
use crate::forecast::steady_growth::GrowthTrend;
use crate::units::{Bytes, Millis};

/// The unit of a quantity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ComparedUnit {
    /// Bytes.
    Bytes,
    /// Seconds.
    Seconds,
    /// Bytes a minute.
    BytesPerMinute,
    /// A number.
    Count,
}

/// Whether the second is better.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ComparedVerdict {
    /// It takes more.
    Worse,
    /// It takes less.
    Better,
    /// The difference is smaller than what such values are known to.
    Same,
}

impl ComparedVerdict {
    /// The word in reports.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Worse => "worse",
            Self::Better => "better",
            Self::Same => "same",
        }
    }
}

/// A quantity of both.
#[derive(Clone, Debug, PartialEq)]
pub struct ComparedRow {
    /// Its key in JSON.
    pub key: &'static str,
    /// Its name.
    pub label: &'static str,
    /// Its unit.
    pub unit: ComparedUnit,
    /// The values; nothing where a recording does not tell.
    pub values: [Option<f64>; 2],
    /// What stands behind the values.
    pub remarks: [String; 2],
    /// What of them is judged.
    pub judged: JudgedBy,
    /// How the sentence tells more of it and less of it: `needed {} more`.
    words: (&'static str, &'static str),
}

/// What of two values is judged. Less is better.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum JudgedBy {
    /// Nothing: neither is better.
    Nothing,
    /// The values.
    Value,
    /// Totals of recordings of different length, by their share of these durations, in seconds.
    Share([f64; 2]),
}

impl JudgedBy {
    /// The identifier in JSON.
    #[must_use]
    pub const fn word(self) -> Option<&'static str> {
        match self {
            Self::Nothing => None,
            Self::Value => Some("value"),
            Self::Share(_) => Some("share"),
        }
    }
}

impl ComparedRow {
    /// How much more the second has.
    #[must_use]
    pub fn difference(&self) -> Option<f64> {
        let [a, b] = self.values;
        Some(b? - a?)
    }

    /// The same as a share of the first, in percent; nothing where that has none.
    #[must_use]
    pub fn percent(&self) -> Option<f64> {
        let first = self.values[0].filter(|it| *it > 0.0)?;
        Some(self.difference()? / first * 100.0)
    }

    /// How much more of its time the second took, in percentage points (of events: how many more in an hour), where
    /// that is judged.
    #[must_use]
    pub fn share_difference(&self) -> Option<f64> {
        let (JudgedBy::Share([over_a, over_b]), [Some(a), Some(b)]) = (self.judged, self.values)
        else {
            return None;
        };
        let whole = if self.unit == ComparedUnit::Count { 3600.0 } else { 100.0 };
        Some((b / over_b - a / over_a) * whole)
    }

    /// Whether the second is better.
    #[must_use]
    pub fn verdict(&self) -> Option<ComparedVerdict> {
        let (difference, tolerance) = match self.judged {
            JudgedBy::Nothing => return None,
            JudgedBy::Value => (self.difference()?, self.tolerance()),
            // Values that are known to a tenth of a second are shares that are known to as much of the shorter one.
            JudgedBy::Share([a, b]) => {
                let whole = if self.unit == ComparedUnit::Count { 0.0 } else { 100.0 };
                (self.share_difference()?, self.tolerance() / a.min(b) * whole)
            }
        };
        Some(if difference.abs() <= tolerance {
            ComparedVerdict::Same
        } else if difference > 0.0 {
            ComparedVerdict::Worse
        } else {
            ComparedVerdict::Better
        })
    }

    /// Smaller differences are none: the counters, and when they are read.
    fn tolerance(&self) -> f64 {
        let most = self.values.iter().flatten().fold(0.0_f64, |most, it| most.max(it.abs()));
        match self.unit {
            ComparedUnit::Bytes => (most / 100.0).max(f64::from(1 << 20)),
            ComparedUnit::Seconds => (most / 100.0).max(0.1),
            ComparedUnit::BytesPerMinute => (most / 20.0).max(65_536.0),
            ComparedUnit::Count => 0.0,
        }
    }

    /// A value as text.
    #[must_use]
    pub fn text(&self, value: f64) -> String {
        let sign = if value < 0.0 { "-" } else { "" };
        let size = || human_size(Bytes(value.abs() as u64));
        match self.unit {
            ComparedUnit::Bytes => format!("{sign}{}", size()),
            ComparedUnit::BytesPerMinute if value == 0.0 => "none".to_owned(),
            ComparedUnit::BytesPerMinute => format!("{sign}{}/min", size()),
            ComparedUnit::Count => format!("{value:.0}"),
            ComparedUnit::Seconds if value.abs() < 100.0 => format!("{value:.1}s"),
            ComparedUnit::Seconds => format!("{sign}{}", span_of(value.abs() as u64)),
        }
    }

    /// The value of one of the two, with what stands behind it.
    #[must_use]
    pub fn cell(&self, nth: usize) -> String {
        let value = self.values.get(nth).copied().flatten();
        let remark = self.remarks.get(nth).map_or("", String::as_str);
        match value {
            Some(value) => format!("{}{remark}", self.text(value)),
            None if remark.is_empty() => "?".to_owned(),
            None => remark.to_owned(),
        }
    }

    /// The difference: `+70M (+17 %)`, `same`, empty where it is not known.
    #[must_use]
    pub fn change(&self) -> String {
        if let (Some(share), Some(verdict)) = (self.share_difference(), self.verdict()) {
            return match verdict {
                ComparedVerdict::Same => "same share".to_owned(),
                _ if self.unit == ComparedUnit::Count => format!("{share:+.1}/h"),
                _ => format!("{share:+.1} % of time"),
            };
        }
        let Some(difference) = self.difference() else { return String::new() };
        if self.verdict() == Some(ComparedVerdict::Same) || difference == 0.0 {
            return "same".to_owned();
        }
        let sign = if difference > 0.0 { "+" } else { "" };
        let share = self.percent().map_or_else(String::new, |it| format!(" ({it:+.0} %)"));
        format!("{sign}{}{share}", self.text(difference))
    }

    /// The difference for the sentence, where there is one that counts.
    pub(super) fn difference_words(&self) -> Option<String> {
        let (more, less) = self.words;
        let words = match self.verdict()? {
            ComparedVerdict::Same => return None,
            ComparedVerdict::Worse => more,
            ComparedVerdict::Better => less,
        };
        if let Some(share) = self.share_difference() {
            let per = if self.unit == ComparedUnit::Count { "an hour" } else { "of its time" };
            let unit = if self.unit == ComparedUnit::Count { "" } else { " %" };
            return Some(words.replace("{}", &format!("{:.1}{unit} {per}", share.abs())));
        }
        let size = self.text(self.difference()?.abs());
        let share = self.percent().map_or_else(String::new, |it| format!(" ({it:+.0} %)"));
        let is_size = matches!(self.unit, ComparedUnit::Bytes | ComparedUnit::BytesPerMinute);
        let share = if is_size { share } else { String::new() };
        Some(words.replace("{}", &format!("{size}{share}")))
    }

    pub(super) fn json(&self) -> Value {
        json!({
            "key": self.key,
            "a": self.values[0],
            "b": self.values[1],
            "difference": self.difference(),
            "percent": self.percent().map(|it| (it * 10.0).round() / 10.0),
            "judged_by": self.judged.word(),
            "verdict": self.verdict().map(ComparedVerdict::word),
        })
    }
}

/// A share of the time: ` (0.2 %)`.
fn share_of(time: Option<f64>, over: f64) -> String {
    match time {
        Some(time) if over > 0.0 => format!(" ({:.1} %)", time / over * 100.0),
        _ => String::new(),
    }
}

/// All that is compared, the most important first.
pub(super) fn all(runs: &[ComparedRun; 2], same_length: bool) -> Vec<ComparedRow> {
    let each = |of: &dyn Fn(&ComparedRun) -> Option<f64>| [of(&runs[0]), of(&runs[1])];
    let bytes = |it: Option<Bytes>| it.map(|it| it.0 as f64);
    let over = |run: &ComparedRun| run.summary.over.seconds();
    let row = |key, label, unit, values, words| ComparedRow {
        key,
        label,
        unit,
        values,
        remarks: Default::default(),
        judged: JudgedBy::Value,
        words,
    };
    let lengths = [0, 1].map(|nth: usize| over(&runs[nth]));
    // Twice the time has twice the stalls.
    let total = if same_length || lengths.iter().any(|it| *it <= 0.0) {
        JudgedBy::Value
    } else {
        JudgedBy::Share(lengths)
    };
    let timed = |row: ComparedRow| {
        let remarks = [0, 1].map(|nth: usize| share_of(row.values[nth], over(&runs[nth])));
        ComparedRow { remarks, judged: total, ..row }
    };
    let peaks = [0, 1].map(|nth: usize| {
        let peak = runs[nth].summary.peak;
        peak.map_or_else(String::new, |it| format!(" after {}", span_of(it.after.0 / 1000)))
    });
    let least = [0, 1].map(|nth: usize| {
        if runs[nth].summary.needed_is_least { " or more".to_owned() } else { String::new() }
    });
    let short = [0, 1].map(|nth: usize| {
        let is_short = runs[nth].summary.growth == GrowthTrend::TooShort;
        if is_short { "too short to tell".to_owned() } else { String::new() }
    });
    let pressure = |full: bool| {
        each(&|run| {
            let it = run.summary.pressure;
            if full { it.full } else { it.some }.map(|it| it.as_secs_f64())
        })
    };
    let duration = each(&|run| Some(over(run)));
    let limit = each(&|run| bytes(run.summary.limit));
    let (size, time) = (ComparedUnit::Bytes, ComparedUnit::Seconds);
    vec![
        ComparedRow {
            judged: JudgedBy::Nothing,
            ..row("duration_s", "duration", time, duration, ("", ""))
        },
        ComparedRow {
            judged: JudgedBy::Nothing,
            ..row("limit_bytes", "limit", size, limit, ("", ""))
        },
        ComparedRow {
            // None at all is better than one, however long the test was.
            judged: if runs.iter().any(|it| it.summary.kills.is_empty()) {
                JudgedBy::Value
            } else {
                total
            },
            ..row(
                "kills",
                "kills",
                ComparedUnit::Count,
                each(&|run| Some(run.summary.kills.len() as f64)),
                ("had {} more killed", "had {} fewer killed"),
            )
        },
        ComparedRow {
            remarks: least,
            ..row(
                "needed_bytes",
                "needed",
                size,
                each(&|run| bytes(run.summary.needed)),
                ("needed {} more", "needed {} less"),
            )
        },
        ComparedRow {
            remarks: peaks,
            ..row(
                "peak_bytes",
                "peak",
                size,
                each(&|run| bytes(run.summary.peak.map(|it| it.bytes))),
                ("peaked {} higher", "peaked {} lower"),
            )
        },
        ComparedRow {
            remarks: short,
            ..row(
                "growth_bytes_per_min",
                "growth",
                ComparedUnit::BytesPerMinute,
                each(&ComparedRun::growth),
                ("grew {} faster", "grew {} slower"),
            )
        },
        timed(row(
            "psi_full_s",
            "PSI full",
            time,
            pressure(true),
            ("stalled {} longer", "stalled {} shorter"),
        )),
        timed(row(
            "psi_some_s",
            "PSI some",
            time,
            pressure(false),
            ("waited {} longer", "waited {} shorter"),
        )),
        timed(row(
            "near_limit_s",
            "near the limit",
            time,
            each(&|run| run.summary.near_limit.map(Millis::seconds)),
            ("was near its limit {} longer", "was near its limit {} shorter"),
        )),
        row(
            "swap_peak_bytes",
            "swap",
            size,
            each(&|run| bytes(run.summary.swap_peak)),
            ("swapped {} more", "swapped {} less"),
        ),
        ComparedRow {
            judged: JudgedBy::Nothing,
            ..row(
                "refault_pages",
                "refaults",
                ComparedUnit::Count,
                each(&|run| run.summary.reclaim.refaults.map(|it| it as f64)),
                ("", ""),
            )
        },
    ]
}
