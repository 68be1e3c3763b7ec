//! What is expected of a load test, such as `peak<400M`, and what came of it.

use std::fmt;
use std::fmt::Write as _;
use std::sync::Arc;

use super::answer::ExpectationAnswer;
use super::summary::LoadSummary;
use super::verdict::LoadVerdict;
use crate::columns::{human_size, parse_bytes};
use crate::forecast::steady_growth::GrowthTrend;
use crate::units::Bytes;

/// The unit of a quantity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum LoadUnit {
    Bytes,
    Seconds,
    Count,
    BytesPerMinute,
}

impl LoadUnit {
    const fn example(self) -> &'static str {
        match self {
            Self::Bytes => "a size such as 400M or 1.5G",
            Self::Seconds => "a time such as 1s, 500ms or 5m",
            Self::Count => "a number such as 0",
            Self::BytesPerMinute => "a size per time such as 1M/min, 64K/s or 1G/h",
        }
    }

    fn parse(self, text: &str) -> Option<f64> {
        match self {
            Self::Bytes => parse_bytes(text),
            Self::Seconds => seconds(text),
            Self::Count => text.parse::<u32>().ok().map(f64::from),
            Self::BytesPerMinute => rate(text),
        }
        .filter(|value: &f64| value.is_finite() && *value >= 0.0)
    }

    fn show(self, value: f64) -> String {
        match self {
            Self::Bytes => human_size(Bytes(value as u64)),
            Self::Seconds if value.is_infinite() => "never at this rate".to_owned(),
            Self::Seconds if value > 0.0 && value < 0.1 => format!("{:.1}ms", value * 1000.0),
            Self::Seconds if value < 10.0 => format!("{value:.2}s"),
            Self::Seconds => format!("{value:.0}s"),
            Self::Count => format!("{value:.0}"),
            Self::BytesPerMinute => format!("{}/min", human_size(Bytes(value as u64))),
        }
    }
}

/// A size, such as 64M; at most 2^60 bytes.
#[must_use]
pub fn parse_size(text: &str) -> Option<Bytes> {
    let size = parse_bytes(text).filter(|size| *size <= 60_f64.exp2())?;
    Some(Bytes(size as u64))
}

/// A size per time, such as 1M/min, in bytes a minute.
#[must_use]
pub fn parse_rate(text: &str) -> Option<Bytes> {
    let rate = rate(text).filter(|rate| *rate <= 60_f64.exp2())?;
    Some(Bytes(rate as u64))
}

fn rate(text: &str) -> Option<f64> {
    let (amount, time) = text.split_once('/')?;
    let minutes = match time.trim() {
        "s" => 60.0,
        "m" | "min" => 1.0,
        "h" => 1.0 / 60.0,
        _ => return None,
    };
    Some(parse_bytes(amount)? * minutes)
}

fn seconds(text: &str) -> Option<f64> {
    let text = text.trim();
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    let number: f64 = number.parse().ok()?;
    let unit = match unit {
        "ms" => 0.001,
        "" | "s" => 1.0,
        "m" | "min" => 60.0,
        "h" => 3600.0,
        _ => return None,
    };
    Some(number * unit)
}

/// What can be expected.
struct LoadQuantity {
    name: &'static str,
    unit: LoadUnit,
    about: &'static str,
    read: fn(&LoadVerdict) -> Result<f64, &'static str>,
}

const NO_SAMPLE: &str = "no sample contains the memory usage of the command";
const NOT_REPORTED: &str = "not reported by this kernel";
const KILLER_UNKNOWN: &str =
    "the command got SIGKILL, and no counter shows whether the OOM killer sent it";

fn summary(verdict: &LoadVerdict) -> Result<&LoadSummary, &'static str> {
    verdict.summary.as_ref().filter(|it| it.samples > 0).ok_or(NO_SAMPLE)
}

fn bytes(size: Option<Bytes>) -> Result<f64, &'static str> {
    size.map(|size| size.0 as f64).ok_or(NOT_REPORTED)
}

fn count(count: Option<u64>) -> Result<f64, &'static str> {
    count.map(|count| count as f64).ok_or(NOT_REPORTED)
}

/// Growth of the whole or of one process, whichever is faster, in bytes a minute.
fn growth(verdict: &LoadVerdict) -> Result<f64, &'static str> {
    let summary = summary(verdict)?;
    let all = summary.growing.iter().map(|it| it.growth).chain([summary.growth]);
    let fastest = all.filter_map(GrowthTrend::steady).map(|it| it.best * 60.0);
    match fastest.reduce(f64::max) {
        Some(rate) => Ok(rate),
        None if summary.growth == GrowthTrend::TooShort => {
            Err("the test was too short to tell growth: eight samples in five seconds after the \
                 warm-up, the first quarter, are needed")
        }
        None => Ok(0.0),
    }
}

/// The quantity of which only a lower bound is known where a process was killed.
const NEEDED: &str = "needed";

/// Every quantity, in the order of the verdict.
static LOAD_QUANTITIES: &[LoadQuantity] = &[
    LoadQuantity {
        name: "peak",
        unit: LoadUnit::Bytes,
        about: "the highest usage, with page cache, without swap",
        read: |it| bytes(summary(it)?.peak.map(|it| it.bytes)),
    },
    LoadQuantity {
        name: NEEDED,
        unit: LoadUnit::Bytes,
        about: "the most that could not be reclaimed, swap included: no smaller limit is enough \
                without swap",
        read: |it| bytes(summary(it)?.needed),
    },
    LoadQuantity {
        name: "near-limit",
        unit: LoadUnit::Seconds,
        about: "time with 90 % of the limit or more that could not be reclaimed",
        read: |it| {
            let near = summary(it)?.near_limit.ok_or("there is no limit")?;
            Ok(near.0 as f64 / 1000.0)
        },
    },
    LoadQuantity {
        name: "psi-some",
        unit: LoadUnit::Seconds,
        about: "time in which some task waited for memory",
        read: |it| summary(it)?.pressure.some.map(|it| it.as_secs_f64()).ok_or(NOT_REPORTED),
    },
    LoadQuantity {
        name: "psi-full",
        unit: LoadUnit::Seconds,
        about: "time in which all non-idle tasks waited for memory",
        read: |it| summary(it)?.pressure.full.map(|it| it.as_secs_f64()).ok_or(NOT_REPORTED),
    },
    LoadQuantity {
        name: "limit-hits",
        unit: LoadUnit::Count,
        about: "how often a charge reached the limit",
        read: |it| count(summary(it)?.reclaim.limit_hits),
    },
    LoadQuantity {
        name: "refaults",
        unit: LoadUnit::Count,
        about: "pages that were evicted and read again soon after",
        read: |it| count(summary(it)?.reclaim.refaults),
    },
    LoadQuantity {
        name: "swap",
        unit: LoadUnit::Bytes,
        about: "the most that was in swap",
        read: |it| bytes(summary(it)?.swap_peak),
    },
    LoadQuantity {
        name: "growth",
        unit: LoadUnit::BytesPerMinute,
        about: "steady growth after the warm-up, of the whole or of one process; 0 where there is none",
        read: growth,
    },
    LoadQuantity {
        name: "lasts",
        unit: LoadUnit::Seconds,
        about: "time until the limit is reached if growth goes on",
        read: |it| {
            let summary = summary(it)?;
            if summary.limit.is_none() {
                return Err("there is no limit");
            }
            if summary.growth == GrowthTrend::TooShort {
                return growth(it);
            }
            Ok(summary.lasts.map_or(f64::INFINITY, |it| it.middle.0 as f64 / 1000.0))
        },
    },
    LoadQuantity {
        name: "kills",
        unit: LoadUnit::Count,
        about: "processes that an OOM killer killed",
        read: |it| {
            let kills = summary(it)?.kills.len();
            if it.kills_unknown() { Err(KILLER_UNKNOWN) } else { Ok(kills as f64) }
        },
    },
    LoadQuantity {
        name: "time",
        unit: LoadUnit::Seconds,
        about: "for how long the command ran",
        read: |it| Ok(it.ran_for.0 as f64 / 1000.0),
    },
];

/// A sign, and what it means for a value and its bound.
type ComparisonSign = (&'static str, fn(f64, f64) -> bool);

/// How a quantity is compared.
const OPERATORS: [ComparisonSign; 5] = [
    ("<=", |value, bound| value <= bound),
    (">=", |value, bound| value >= bound),
    ("<", |value, bound| value < bound),
    (">", |value, bound| value > bound),
    ("=", |value, bound| (value - bound).abs() < 1e-9),
];

/// What is expected of one quantity.
#[derive(Clone)]
pub struct Expectation {
    quantity: &'static LoadQuantity,
    operator: usize,
    bound: f64,
    /// As it was written: a size that is rounded would be another one.
    text: Arc<str>,
}

impl Expectation {
    /// Parses `QUANTITY<VALUE`, also with `<=`, `>`, `>=` and `=`.
    ///
    /// # Errors
    /// What it should have been, in one line.
    pub fn parse(text: &str) -> Result<Self, String> {
        let at = text.find(['<', '>', '=', '!']).unwrap_or(text.len());
        let (name, rest) = text.split_at(at);
        let name = name.trim();
        let Some(quantity) = LOAD_QUANTITIES.iter().find(|it| it.name == name) else {
            let names: Vec<&str> = LOAD_QUANTITIES.iter().map(|it| it.name).collect();
            return Err(format!("expected one of {}, as in peak<400M", names.join(", ")));
        };
        let Some(operator) = OPERATORS.iter().position(|(sign, _)| {
            rest.strip_prefix(sign).is_some_and(|value| !value.starts_with(['<', '>', '=', '!']))
        }) else {
            return Err(format!("{name} is compared with <, <=, >, >= or =, as in {name}<VALUE"));
        };
        let sign = OPERATORS.get(operator).map_or("", |it| it.0);
        let value = rest.strip_prefix(sign).unwrap_or_default().trim();
        let bound = quantity.unit.parse(value).ok_or_else(|| {
            format!("expected {name}{sign}VALUE, where VALUE is {}", quantity.unit.example())
        })?;
        if sign == "<" && bound == 0.0 {
            return Err(format!("{name} is never below 0: use {name}=0"));
        }
        Ok(Self { quantity, operator, bound, text: format!("{name}{sign}{value}").into() })
    }

    /// A value as text. Where the bound is shown alike, bytes tell them apart.
    fn show(&self, value: f64) -> String {
        let unit = self.quantity.unit;
        let shown = unit.show(value);
        let differs = (value - self.bound).abs() >= 1.0;
        if !differs || shown != unit.show(self.bound) {
            return shown;
        }
        match unit {
            LoadUnit::Bytes => format!("{shown}, {value:.0} bytes"),
            LoadUnit::BytesPerMinute => format!("{shown}, {value:.0} bytes/min"),
            LoadUnit::Seconds | LoadUnit::Count => shown,
        }
    }

    /// What came of it.
    #[must_use]
    pub fn answer(&self, verdict: &LoadVerdict) -> ExpectationAnswer {
        let value = (self.quantity.read)(verdict);
        let (sign, compare) =
            OPERATORS.get(self.operator).map_or(("", None), |it| (it.0, Some(it.1)));
        let met = value.ok().zip(compare).map(|(value, compare)| compare(value, self.bound));
        let is_least = self.quantity.name == NEEDED
            && verdict.summary.as_ref().is_some_and(|it| it.needed_is_least);
        // Of a lower bound only this can be said: that it is above, or that it is not below.
        let met = met.filter(|met| !is_least || *met == sign.starts_with('>'));
        let shown = value.map_or_else(str::to_owned, |value| self.show(value));
        ExpectationAnswer {
            expectation: self.to_string(),
            met,
            shown: if is_least { format!("{shown} or more") } else { shown },
            value: value.ok(),
        }
    }
}

impl fmt::Display for Expectation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for Expectation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

/// The list of quantities for `--help`.
#[must_use]
pub fn expectation_help() -> String {
    let mut text = "Check the result of the test against a value, such as 'peak<400M', 'kills=0', 'psi-full<1s' or \
                    'growth<1M/min'; can be repeated. Status 6 if one is not met or cannot be answered\n\n\
                    Quantities:"
        .to_owned();
    for it in LOAD_QUANTITIES {
        let _ = write!(text, "\n  {:<11} {}", it.name, it.about);
    }
    text
}

/// The same as a table of Markdown.
#[must_use]
pub fn expectation_table() -> String {
    let mut text = String::from("| quantity | what it is | value |\n|---|---|---|\n");
    for it in LOAD_QUANTITIES {
        let _ = writeln!(text, "| `{}` | {} | {} |", it.name, it.about, it.unit.example());
    }
    text
}
