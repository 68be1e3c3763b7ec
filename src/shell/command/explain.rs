//! `doomtop explain`: what the OOM killer did and why, from a saved kernel log; on any machine, without
//! root.

use std::fs::File;
use std::io::{self, BufRead, BufReader, BufWriter, Read, Write};
use std::path::Path;
use std::sync::Arc;

use super::cli::{Cli, ExplainArgs};
use super::invocation;
use super::screen::screen_options;
use crate::app::incident::log_update::LogUpdate;
use crate::effects::NoEffects;
use crate::events::{KernelLogReader, OomReport};
use crate::model::{EventTime, Needs, Scope, Snapshot};
use crate::policy::Policy;
use crate::report::explain::{DumpContext, ExplainedReport};
use crate::report::line::TextStyle;
use crate::shell::command_error::CommandError;
use crate::shell::exit_status::ExitStatus;
use crate::shell::{stdio, tui};
use crate::source::{Source, SourceError};

/// Maximum length of a line in bytes: longer ones are cut. Lines of the kernel are shorter.
const MAX_LINE: u64 = 64 << 10;

/// Explains every report of a log, as text, JSON or on the screen.
///
/// # Errors
/// What could not be read or written.
pub(crate) fn run(
    args: &ExplainArgs,
    cli: &Cli,
    policy: invocation::LoadedPolicy,
) -> Result<ExitStatus, CommandError> {
    if args.screen {
        return show(args, cli, policy);
    }
    // `linux` is the running kernel; a log is judged by the kernel that wrote it.
    let policy = Some(policy.0).filter(|policy| !policy.is_running_kernel());
    let reports = reports(args)?;
    let mut out = BufWriter::new(io::stdout().lock());
    let result = write(&mut out, &reports, args, policy).and_then(|()| out.flush());
    stdio::written(result).map(|()| ExitStatus::Success)
}

/// The source of the screen where reports are shown: there is no machine.
struct NoSamples;

impl Source for NoSamples {
    fn sample(
        &mut self,
        _: &Needs,
        _: Option<Arc<Snapshot>>,
    ) -> Result<Arc<Snapshot>, SourceError> {
        Err(SourceError::End)
    }
}

/// Shows the reports on the screen.
fn show(
    args: &ExplainArgs,
    cli: &Cli,
    (policy, site_rules): invocation::LoadedPolicy,
) -> Result<ExitStatus, CommandError> {
    let mut setup = invocation::setup(cli, policy);
    setup.scope = Scope::Global;
    // A file has no reliable times: its order is that of its lines.
    let update = |(number, report): (u64, OomReport)| LogUpdate::Report {
        number,
        unix_ms: i64::try_from(number).unwrap_or(i64::MAX),
        told: EventTime::Order,
        report: Arc::new(report),
    };
    let reports = (1..).zip(reports(args)?).map(update).collect();
    tui::run(tui::Screen {
        options: screen_options(cli),
        setup,
        input: tui::ScreenInput::Pipe(Box::new(NoSamples)),
        effects: Box::new(NoEffects::NotLive),
        live: None,
        site_rules,
        adj_rules: None,
        reports,
    })
}

/// The reports of the log.
///
/// # Errors
/// The log cannot be read, or holds no report.
fn reports(args: &ExplainArgs) -> Result<Vec<OomReport>, CommandError> {
    let is_stdin = args.file == Path::new("-");
    let name = if is_stdin { "standard input".to_owned() } else { args.file.display().to_string() };
    let failed = |error: io::Error| CommandError::failure(format!("{name}: {error}"));
    let (reports, lines) = if is_stdin {
        read(io::stdin().lock()).map_err(failed)?
    } else {
        let file = File::open(&args.file).map_err(failed)?;
        if file.metadata().is_ok_and(|metadata| metadata.is_dir()) {
            return Err(CommandError::failure(format!("{name}: a directory, not a kernel log")));
        }
        read(BufReader::new(file)).map_err(failed)?
    };
    if reports.is_empty() {
        let what = format!("{name}: no report of the OOM killer in its {lines} lines");
        return Err(CommandError::failure(what)
            .hint("expected the output of dmesg or journalctl -k, or a copy of /dev/kmsg"));
    }
    Ok(reports)
}

/// The reports, and the number of lines.
fn read(mut log: impl BufRead) -> io::Result<(Vec<OomReport>, u64)> {
    let mut reader = KernelLogReader::default();
    let (mut line, mut lines) = (Vec::new(), 0);
    loop {
        line.clear();
        if log.by_ref().take(MAX_LINE).read_until(b'\n', &mut line)? == 0 {
            return Ok((reader.finish(), lines));
        }
        lines += 1;
        // The rest of a cut line is not another line.
        if line.last() != Some(&b'\n') && line.len() as u64 == MAX_LINE {
            log.skip_until(b'\n')?;
        }
        reader.take(&String::from_utf8_lossy(&line));
    }
}

fn write(
    out: &mut dyn Write,
    reports: &[OomReport],
    args: &ExplainArgs,
    policy: Option<&'static dyn Policy>,
) -> io::Result<()> {
    let common = DumpContext::of(reports);
    let style = TextStyle { cut: stdio::width().map(usize::from), ascii: !stdio::utf8() };
    for (number, report) in (1..).zip(reports) {
        let explained = ExplainedReport::new(report, &common, policy);
        if args.json {
            writeln!(out, "{}", explained.json())?;
            continue;
        }
        if number > 1 {
            writeln!(out)?;
        }
        writeln!(out, "OOM {number} of {}", reports.len())?;
        explained.write(out, args.rows, style)?;
    }
    Ok(())
}
