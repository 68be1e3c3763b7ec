//! The values of flags: their types, and how they are parsed. An error says what would be understood.

use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;

use clap::ValueEnum;

use crate::alarm::Alarm;
use crate::app::refresh::playback::PlaySpeed;
use crate::app::setup::ThemeName;
use crate::columns::{COLUMNS, Column, column_named};
use crate::model::{Scope, Signal};
use crate::policy::site::SitePolicy;
use crate::policy::{PATTERNS, POLICIES, Policy, by_id};
use crate::report::metrics::MetricsFormat;
use crate::rows::arrange::Sort;
use crate::rows::filter::Filter;
use crate::rows::size::parse_size;
use crate::rows::time::{parse_delay, parse_time};
use crate::shell::date;
use crate::source::{RedactExtent, SamplerChoice};
use crate::units::{Bytes, Millis, Ticks};

/// How much is replaced by tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum RedactArg {
    /// All names but those of processes
    Names,
    /// The names of processes, too
    All,
}

impl From<RedactArg> for RedactExtent {
    fn from(redact: RedactArg) -> Self {
        match redact {
            RedactArg::Names => Self::Names,
            RedactArg::All => Self::All,
        }
    }
}

/// How the processes are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum SamplerArg {
    /// By BPF where it works, otherwise from /proc
    Auto,
    /// By BPF, or not at all
    Bpf,
    /// From /proc
    Proc,
}

impl From<SamplerArg> for SamplerChoice {
    fn from(sampler: SamplerArg) -> Self {
        match sampler {
            SamplerArg::Auto => Self::Auto,
            SamplerArg::Bpf => Self::Bpf,
            SamplerArg::Proc => Self::Proc,
        }
    }
}

/// A shell that completes command lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ShellArg {
    /// GNU Bash
    Bash,
    /// The Z shell
    Zsh,
    /// The friendly interactive shell
    Fish,
    /// Elvish
    Elvish,
    /// Nushell
    Nushell,
    /// PowerShell
    Powershell,
}

/// A policy of the table, or the file of a site policy.
#[derive(Clone)]
pub enum PolicyArg {
    /// A policy of the table.
    Known(&'static dyn Policy),
    /// The file of a site policy (`site:FILE`).
    Site(PathBuf),
}

impl fmt::Debug for PolicyArg {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Known(policy) => f.write_str(policy.id()),
            Self::Site(file) => write!(f, "{}{}", SitePolicy::PREFIX, file.display()),
        }
    }
}

pub(super) fn policy(id: &str) -> Result<PolicyArg, String> {
    if let Some(file) = id.strip_prefix(SitePolicy::PREFIX).filter(|file| !file.is_empty()) {
        return Ok(PolicyArg::Site(file.into()));
    }
    by_id(id).map(PolicyArg::Known).ok_or_else(|| {
        let mut names: Vec<&str> = POLICIES.iter().map(|policy| policy.id()).collect();
        names.extend(PATTERNS.iter().map(|(pattern, _)| *pattern));
        format!("the policies are {}", names.join(", "))
    })
}

pub(super) fn scope(text: &str) -> Result<Scope, String> {
    Scope::parse(text).ok_or_else(|| {
        "expected auto, global, nodes:LIST, or a path that begins with /, as in /proc/PID/cgroup"
            .to_owned()
    })
}

pub(super) fn theme(text: &str) -> Result<ThemeName, String> {
    ThemeName::ALL.into_iter().find(|theme| theme.name() == text).ok_or_else(|| {
        let names = ThemeName::ALL.map(ThemeName::name);
        format!("the themes are {}", names.join(", "))
    })
}

/// The terms of `--filter`.
#[derive(Clone, Debug)]
pub struct FilterArg(pub Filter);

pub(super) fn filter(text: &str) -> Result<FilterArg, String> {
    Filter::parse(text).map(FilterArg).map_err(|bad| bad.what)
}

/// The column and direction of `--sort`.
#[derive(Clone, Copy)]
pub struct SortArg(pub Sort);

impl fmt::Debug for SortArg {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.column.id)
    }
}

pub(super) fn sort(text: &str) -> Result<SortArg, String> {
    let (is_reversed, id) = match text.strip_prefix('-') {
        Some(id) => (true, id),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let column = known_column(id)?;
    Ok(SortArg(Sort { column, descending: column.descending != is_reversed }))
}

fn known_column(id: &str) -> Result<&'static Column, String> {
    column_named(id).ok_or_else(|| {
        let names: Vec<&str> = COLUMNS.iter().map(|column| column.id).collect();
        format!("there is no column {id:?}; the columns are {}", names.join(", "))
    })
}

/// The columns of `--columns`, at least one.
#[derive(Clone)]
pub struct ColumnsArg(pub Vec<&'static Column>);

impl fmt::Debug for ColumnsArg {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.iter().map(|column| column.id)).finish()
    }
}

pub(super) fn columns(text: &str) -> Result<ColumnsArg, String> {
    let ids = text.split(',').filter(|id| !id.trim().is_empty());
    let chosen = ids.map(known_column).collect::<Result<Vec<_>, _>>()?;
    if chosen.is_empty() {
        // Lists the columns.
        known_column("")?;
    }
    Ok(ColumnsArg(chosen))
}

pub(super) fn alarm(text: &str) -> Result<Alarm, String> {
    Alarm::parse(text)
}

pub(super) fn delay(text: &str) -> Result<Millis, String> {
    parse_delay(text)
}

/// A time for `--ring`.
pub(super) fn span(text: &str) -> Result<Millis, String> {
    let expected = || "expected a time from 10s to 24h, such as 15m".to_owned();
    let span = parse_time(text, 0, 0).map_err(|_| expected())?;
    let fits = !text.contains(':') && (10_000..=86_400_000).contains(&span.0);
    fits.then_some(span).ok_or_else(expected)
}

/// A time for `--max-age`: hours or days.
pub(super) fn age(text: &str) -> Result<Millis, String> {
    let expected = || "expected a time from 1h to 3650d, such as 14d".to_owned();
    let (number, unit) = text.split_at(text.trim_end_matches(char::is_alphabetic).len());
    let number: f64 = number.parse().map_err(|_| expected())?;
    let hours = match unit {
        "h" => number,
        "d" => number * 24.0,
        "w" => number * 24.0 * 7.0,
        _ => return Err(expected()),
    };
    if (1.0..=3650.0 * 24.0).contains(&hours) {
        Ok(Millis((hours * 3_600_000.0) as u64))
    } else {
        Err(expected())
    }
}

/// A size of memory or of files.
pub(super) fn size(text: &str) -> Result<Bytes, String> {
    parse_size(text)
}

/// How fast a recording is played.
#[derive(Clone, Copy, Debug)]
pub struct SpeedArg(pub PlaySpeed);

pub(super) fn speed(text: &str) -> Result<SpeedArg, String> {
    let times = text.trim_end_matches('x').parse().ok().and_then(PlaySpeed::times);
    times.map(SpeedArg).ok_or_else(|| "expected a speed from 0.25 to 64".to_owned())
}

/// A time for `--at`: checked here, and found when the recording is read.
pub(super) fn moment(text: &str) -> Result<String, String> {
    if date::unix_ms(text).is_some() {
        return Ok(text.to_owned());
    }
    parse_time(text, 0, 0).map(|_| text.to_owned())
}

/// The format of metrics.
#[derive(Clone, Copy, Debug)]
pub struct FormatArg(pub MetricsFormat);

pub(super) fn text_form(text: &str) -> Result<FormatArg, String> {
    match text {
        "openmetrics" => Ok(FormatArg(MetricsFormat::OpenMetrics)),
        "prometheus" => Ok(FormatArg(MetricsFormat::Prometheus)),
        _ => Err("expected openmetrics or prometheus".to_owned()),
    }
}

pub(super) fn loopback(text: &str) -> Result<SocketAddr, String> {
    let address: SocketAddr = text
        .parse()
        .map_err(|_| "expected an address and a port, such as 127.0.0.1:9753".to_owned())?;
    if address.ip().is_loopback() {
        return Ok(address);
    }
    Err("it must be a loopback address (127.0.0.1:PORT or [::1]:PORT), because the metrics hold the names \
         of processes and users; for access from elsewhere put a proxy with authentication before it"
        .to_owned())
}

/// A process as the command line names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TargetArg {
    /// Its pid.
    pub pid: i32,
    /// Its start time, where it was given.
    pub born: Option<Ticks>,
}

pub(super) fn target(text: &str) -> Result<TargetArg, String> {
    let expected =
        || "expected PID, or PID@START with the start time in ticks since boot".to_owned();
    let (pid, born) = match text.split_once('@') {
        Some((pid, born)) => (pid, Some(Ticks(born.parse().map_err(|_| expected())?))),
        None => (text, None),
    };
    let pid = pid.parse().ok().filter(|pid| *pid > 0).ok_or_else(expected)?;
    Ok(TargetArg { pid, born })
}

/// A signal that ends a process.
pub(super) fn ending(text: &str) -> Result<Signal, String> {
    match text.to_ascii_lowercase().trim_start_matches("sig") {
        "term" | "15" => Ok(Signal::TERM),
        "kill" | "9" => Ok(Signal::KILL),
        _ => Err("expected term or kill".to_owned()),
    }
}

/// Seconds for `--wait`.
pub(super) fn patience(text: &str) -> Result<Millis, String> {
    let expected = || "expected seconds from 0 to 3600".to_owned();
    let seconds: f64 = text.parse().map_err(|_| expected())?;
    if (0.0..=3600.0).contains(&seconds) {
        Ok(Millis((seconds * 1000.0).round() as u64))
    } else {
        Err(expected())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_are_understood() {
        assert_eq!(age("14d"), Ok(Millis(14 * 86_400_000)));
        assert_eq!(age("1.5h"), Ok(Millis(5_400_000)));
        for wrong in ["", "d", "14", "0d", "-1d", "NaNd", "infh", "9999d", "14y", "1e99d"] {
            assert!(age(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn columns_are_known_by_what_the_screen_and_other_programs_call_them() {
        for (typed, id) in [
            ("oom_score", "oom_score"),
            ("score", "oom_score"),
            ("oom-score-adj", "oom_score_adj"),
            ("ADJ", "oom_score_adj"),
            ("TIME+", "cpu"),
            ("res", "rss"),
            ("comm", "command"),
            ("#", "rank"),
            (" +/min ", "growth"),
        ] {
            assert_eq!(known_column(typed).map(|column| column.id), Ok(id), "{typed}");
        }
        for column in COLUMNS {
            assert_eq!(known_column(column.id).map(|it| it.id), Ok(column.id));
            assert_eq!(known_column(column.title).map(|it| it.id), Ok(column.id), "its title");
        }
        assert!(known_column("").is_err() && known_column("scores").is_err());
    }

    #[test]
    fn a_time_may_have_a_date() {
        for right in ["14:03", "5m", "2026-11-20 14:03", "2026-11-20T14:03:22Z", "2026-11-20"] {
            assert_eq!(moment(right).as_deref(), Ok(right));
        }
        for wrong in ["", "2026-11-20 25:00", "2026-13-01", "yesterday", "2026-11-20 14"] {
            let error = moment(wrong).expect_err(wrong);
            assert!(error.contains("2026-11-20 14:03"), "{error}");
        }
    }
}
