//! The arguments of `doomtop run` and `doomtop search-limit`.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args, ValueHint};

use crate::intent::CgroupLimits;
use crate::report::load_test::expectation::{
    Expectation, expectation_help, parse_rate, parse_size,
};
use crate::rows::time::{parse_delay, parse_time};
use crate::units::{Bytes, Millis};

/// What `--until` waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Until {
    /// The command takes no more than before.
    Stable,
    /// A process in the cgroup is killed.
    Killed,
    /// So much time has passed.
    Time(Millis),
}

fn until(text: &str) -> Result<Until, String> {
    match text {
        "stable" => Ok(Until::Stable),
        "killed" => Ok(Until::Killed),
        time => duration(time)
            .map(Until::Time)
            .map_err(|_| "expected stable, killed, or a time such as 30s or 5m".to_owned()),
    }
}

fn duration(text: &str) -> Result<Millis, String> {
    let expected = || "expected a time such as 30s, 5m or 1h".to_owned();
    let time = parse_time(text, 0, 0).map_err(|_| expected())?;
    let fits = !text.contains([':', '-']) && time > Millis::ZERO;
    fits.then_some(time).ok_or_else(expected)
}

/// A limit of memory. Smaller than a page it could hold nothing.
fn limit(text: &str) -> Result<Bytes, String> {
    let expected = || "expected a size such as 512M, 1.5G or 65536".to_owned();
    let size = parse_size(text).ok_or_else(expected)?;
    if size.0 < 4096 { Err("a limit is at least 4096, a page".to_owned()) } else { Ok(size) }
}

fn swap(text: &str) -> Result<Bytes, String> {
    parse_size(text).ok_or_else(|| "expected a size such as 0, 512M or 1G".to_owned())
}

fn tolerance(text: &str) -> Result<Bytes, String> {
    parse_rate(text).ok_or_else(|| "expected a size per time such as 1M/min".to_owned())
}

/// What a share of time may be lost, in percent.
fn share(text: &str) -> Result<f64, String> {
    let number = text.strip_suffix('%').unwrap_or(text).trim().parse().ok();
    number
        .filter(|share: &f64| (0.0..=1000.0).contains(share))
        .ok_or_else(|| "expected a percentage such as 10%".to_owned())
}

/// The arguments of `doomtop run`.
#[derive(Clone, Debug, Args)]
pub struct RunArgs {
    /// Limit its memory, such as 512M (memory.max; version 1: memory.limit_in_bytes)
    #[arg(long, value_name = "SIZE", value_parser = limit)]
    pub limit: Option<Bytes>,

    /// Limit its swap, such as 0 (memory.swap.max; version 1: memory and swap together, which needs --limit)
    #[arg(long, value_name = "SIZE", value_parser = swap)]
    pub swap: Option<Bytes>,

    /// Throttle it above this size (memory.high; version 2)
    #[arg(long, value_name = "SIZE", value_parser = limit)]
    pub high: Option<Bytes>,

    /// If a process is chosen, kill all processes of the cgroup (memory.oom.group; version 2)
    #[arg(long)]
    pub group: bool,

    /// Run without a limit if it cannot be enforced; the verdict says so. Without this flag, nothing is run then, and
    /// the status is 125
    #[arg(long)]
    pub limit_optional: bool,

    /// Show no screen: the command gets the terminal. The default where standard input or output is not a terminal
    #[arg(long)]
    pub no_screen: bool,

    /// The file for what the command writes; it must not exist yet. With the screen the default is named after the
    /// recording, without it the command writes to the terminal
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub output: Option<PathBuf>,

    /// Send SIGTERM after this time, such as 10m, and SIGKILL five seconds later
    #[arg(long, value_name = "TIME", value_parser = duration)]
    pub kill_after: Option<Millis>,

    /// End the test, with SIGTERM, when its memory is stable (stable), when one of its processes is killed (killed), or
    /// after a time such as 60s; the status of the command does not count then
    #[arg(long, value_name = "WHEN", value_parser = until)]
    pub until: Option<Until>,

    /// Memory counts as stable if it grows by less than this
    #[arg(long, value_name = "RATE", default_value = "1M/min", value_parser = tolerance)]
    pub tolerance: Bytes,

    /// How long growth must stay below --tolerance
    #[arg(long, value_name = "TIME", default_value = "30s", value_parser = duration)]
    pub window: Millis,

    /// Leave running what the command left running. Without this flag it gets SIGTERM and, five seconds later, SIGKILL
    #[arg(long)]
    pub leave: bool,

    /// Write the verdict to this file, as JSON; it is replaced
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub verdict: Option<PathBuf>,

    /// Write the verdict to this file, as JUnit XML; it is replaced
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub junit: Option<PathBuf>,

    /// The file of the recording; it must not exist yet. The default is doomtop-HOST-TIME.tape in the working
    /// directory
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub record: Option<PathBuf>,

    /// Record nothing
    #[arg(long, conflicts_with = "record")]
    pub no_record: bool,

    /// Check the result of the test, such as 'peak<400M'; --help lists the quantities
    #[arg(long, value_name = "EXPECTATION", value_parser = Expectation::parse, long_help = expectation_help())]
    pub expect: Vec<Expectation>,

    /// Seconds between samples
    #[arg(id = "run_delay", short = 'd', long = "delay", value_name = "SECS", default_value = "0.5", value_parser = parse_delay)]
    pub delay: Millis,

    /// Print what would be done, and do nothing
    #[arg(id = "run_dry", long = "dry-run")]
    pub dry_run: bool,

    /// Do not print the verdict
    #[arg(short, long)]
    pub quiet: bool,

    /// The command with its arguments
    #[arg(value_name = "COMMAND", required = true, trailing_var_arg = true, value_hint = ValueHint::CommandWithArguments)]
    pub command: Vec<OsString>,
}

impl RunArgs {
    /// The limits.
    #[must_use]
    pub const fn limits(&self) -> CgroupLimits {
        CgroupLimits { memory: self.limit, swap: self.swap, high: self.high, group: self.group }
    }
}

/// The arguments of `doomtop search-limit`.
#[derive(Clone, Debug, Args)]
pub struct SearchLimitArgs {
    /// The smallest limit that is tried. The search stops at a precision of 1/16 (6 %)
    #[arg(long, value_name = "SIZE", default_value = "1M", value_parser = limit)]
    pub min: Bytes,

    /// The largest limit that is tried; the default is the peak usage without a limit, page cache included, plus a quarter
    #[arg(long, value_name = "SIZE", value_parser = limit)]
    pub max: Option<Bytes>,

    /// Limit its swap, such as 0
    #[arg(long, value_name = "SIZE", default_value = "0", value_parser = swap)]
    pub swap: Bytes,

    /// How many times the command must succeed with a limit
    #[arg(long, value_name = "N", default_value = "2", value_parser = clap::value_parser!(u8).range(1..=20))]
    pub repeat: u8,

    /// Also find the smallest limit with which the command takes at most this much longer than without a limit
    #[arg(long, value_name = "SHARE", default_value = "10%", value_parser = share)]
    pub slowdown: f64,

    /// End a run that takes longer than this; it counts as failed
    #[arg(long, value_name = "TIME", value_parser = duration)]
    pub kill_after: Option<Millis>,

    /// Do not ask before the runs
    #[arg(short, long)]
    pub yes: bool,

    /// Print one JSON object (schema doomtop-search-limit/1)
    #[arg(id = "search_json", long = "json")]
    pub json: bool,

    /// Print what would be done, and do nothing
    #[arg(id = "search_dry", long = "dry-run")]
    pub dry_run: bool,

    /// The command with its arguments. Its output is dropped
    #[arg(value_name = "COMMAND", required = true, trailing_var_arg = true, value_hint = ValueHint::CommandWithArguments)]
    pub command: Vec<OsString>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_and_sizes_are_understood_or_refused_with_an_example() {
        assert_eq!(until("killed"), Ok(Until::Killed));
        assert_eq!(until("90s"), Ok(Until::Time(Millis(90_000))));
        for bad in ["", "never", "14:03", "0s", "-5m"] {
            assert!(until(bad).is_err(), "{bad}");
        }
        assert_eq!(limit("64M"), Ok(Bytes(64 << 20)));
        assert_eq!(swap("0"), Ok(Bytes(0)));
        for bad in ["", "0", "12", "-1M", "1e9M", "64 MM", "inf", "NaN"] {
            assert!(limit(bad).is_err(), "{bad}");
        }
        assert_eq!(tolerance("1M/s"), Ok(Bytes(60 << 20)));
        assert!(tolerance("1M").is_err() && share("x").is_err());
        assert_eq!(share("10%"), Ok(10.0));
    }
}
