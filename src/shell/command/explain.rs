//! `doomtop explain`: what happened and why, from a saved kernel log; on any machine, without root.

use std::fs::File;
use std::io::{self, BufRead, BufReader, BufWriter, IsTerminal, Read, Write};
use std::path::Path;
use std::sync::Arc;

use crate::app::incident::log_update::LogUpdate;
use crate::app::{ActingMode, Setup};
use crate::events::{KernelLogReader, OomReport};
use crate::model::{EventTime, Needs, ProcId, Scope, Snapshot};
use crate::policy::Policy;
use crate::report::explain::{DumpContext, ExplainedReport};
use crate::report::text::TextStyle;
use crate::shell::command::cli::{Cli, Command, ExplainArgs};
use crate::source::{Source, SourceError};
use crate::units::Millis;

/// Longer lines are cut: the kernel's own never are.
const LONGEST: u64 = 64 << 10;

/// No machine is looked at where reports of a file are shown.
pub(crate) struct NoReports;

impl Source for NoReports {
    fn sample(
        &mut self,
        _: &Needs,
        _: Option<Arc<Snapshot>>,
    ) -> Result<Arc<Snapshot>, SourceError> {
        Err(SourceError::End)
    }
}

/// The screen for reports of a file.
pub(crate) fn setup(cli: &Cli, policy: &'static dyn Policy, utc_offset: i32) -> Setup {
    Setup {
        own: ProcId::default(),
        acting: ActingMode::NotReal,
        policy,
        scope: Scope::Global,
        columns: cli.columns.as_ref().map(|columns| columns.0.clone()),
        filter: cli.filter.as_ref().map(|filter| filter.0.clone()).unwrap_or_default(),
        sort: cli.sort.map(|sort| sort.0),
        delay: Millis(0),
        utc_offset,
        live: false,
    }
}

/// The reports of the file that is to be shown on the screen; none where another thing is.
///
/// # Errors
/// As [`run`].
pub(crate) fn on_screen(cli: &Cli) -> Result<Vec<LogUpdate>, String> {
    let Some(Command::Explain(order)) = &cli.command else { return Ok(Vec::new()) };
    let all = (1..).zip(reports(order)?);
    // A file tells no order but that of its lines.
    Ok(all
        .map(|(number, report)| LogUpdate::Report {
            number,
            unix_ms: i64::try_from(number).unwrap_or(i64::MAX),
            told: EventTime::Order,
            report: Arc::new(report),
        })
        .collect())
}

/// Explains every report of the capture.
///
/// # Errors
/// What could not be read or written, in one line.
pub(crate) fn run(order: &ExplainArgs, policy: Option<&'static dyn Policy>) -> Result<u8, String> {
    let reports = reports(order)?;
    let mut out = BufWriter::new(io::stdout().lock());
    let written = write(&mut out, &reports, order, policy).and_then(|()| out.flush());
    match written {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(format!("standard output: {error}"))
        }
        _ => Ok(0),
    }
}

/// The reports of the capture; an error where there is none.
fn reports(order: &ExplainArgs) -> Result<Vec<OomReport>, String> {
    let name = if order.file == Path::new("-") {
        "standard input".to_owned()
    } else {
        order.file.display().to_string()
    };
    let failed = |error: io::Error| format!("{name}: {error}");
    let (reports, lines) = if order.file == Path::new("-") {
        read(io::stdin().lock()).map_err(failed)?
    } else {
        let file = File::open(&order.file).map_err(failed)?;
        if file.metadata().is_ok_and(|about| about.is_dir()) {
            return Err(format!("{name}: this is a folder, not a kernel log"));
        }
        read(BufReader::new(file)).map_err(failed)?
    };
    if reports.is_empty() {
        return Err(format!(
            "{name}: no report of the OOM killer in its {lines} lines; it reads dmesg, journalctl -k \
             and /dev/kmsg"
        ));
    }
    Ok(reports)
}

/// The reports, and how many lines there were.
fn read(mut capture: impl BufRead) -> io::Result<(Vec<OomReport>, u64)> {
    let mut reader = KernelLogReader::default();
    let (mut line, mut lines) = (Vec::new(), 0);
    loop {
        line.clear();
        if capture.by_ref().take(LONGEST).read_until(b'\n', &mut line)? == 0 {
            return Ok((reader.finish(), lines));
        }
        lines += 1;
        // What is cut off is no line of its own.
        if line.last() != Some(&b'\n') && line.len() as u64 == LONGEST {
            skip_line(&mut capture)?;
        }
        reader.take(&String::from_utf8_lossy(&line));
    }
}

/// Leaves out what is left of a line.
fn skip_line(capture: &mut impl BufRead) -> io::Result<()> {
    loop {
        let bytes = capture.fill_buf()?;
        let end = bytes.iter().position(|&byte| byte == b'\n');
        let taken = end.map_or(bytes.len(), |end| end + 1);
        if taken == 0 {
            return Ok(());
        }
        capture.consume(taken);
        if end.is_some() {
            return Ok(());
        }
    }
}

fn write(
    out: &mut dyn Write,
    reports: &[OomReport],
    order: &ExplainArgs,
    policy: Option<&'static dyn Policy>,
) -> io::Result<()> {
    let common = DumpContext::of(reports);
    let manner = TextStyle { cut: width(), ascii: !crate::shell::tui::utf8() };
    for (nth, report) in (1..).zip(reports) {
        let explained = ExplainedReport::new(report, &common, policy);
        if order.json {
            writeln!(out, "{}", explained.json())?;
            continue;
        }
        if nth > 1 {
            writeln!(out)?;
        }
        writeln!(out, "OOM {nth} of {}", reports.len())?;
        explained.write(out, order.rows, manner)?;
    }
    Ok(())
}

/// The terminal's width, where there is one.
fn width() -> Option<usize> {
    let is_terminal = io::stdout().is_terminal();
    is_terminal.then(crossterm::terminal::size)?.ok().map(|(width, _)| usize::from(width))
}
