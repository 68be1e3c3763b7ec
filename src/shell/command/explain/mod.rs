//! `doomtop explain`: what the OOM killer did and why, from a saved kernel log; on any machine, without
//! root.

mod entries;
mod json_log;
mod saved_log;
mod unpacked;

use std::fs::File;
use std::io::{self, BufReader, BufWriter, Write};
use std::path::Path;
use std::sync::Arc;

use saved_log::{LogItem, read_log};

use super::cli::{Cli, ExplainArgs};
use super::invocation;
use super::screen::screen_options;
use crate::effects::NoEffects;
use crate::events::LogUpdate;
use crate::events::OomReport;
use crate::model::{EventTime, Needs, Scope, Snapshot};
use crate::policy::Policy;
use crate::report::explain::{DumpContext, ExplainedReport, daemon_kill_json, write_daemon_kill};
use crate::report::kill_summary::KillSummary;
use crate::report::line::{TextStyle, write_line};
use crate::shell::command_error::CommandError;
use crate::shell::exit_status::ExitStatus;
use crate::shell::{stdio, tui};
use crate::source::{Source, SourceError};

/// Explains every report of a log, as text, JSON or on the screen.
///
/// # Errors
/// What could not be read or written.
pub(crate) fn run(
    args: &ExplainArgs,
    cli: &Cli,
    policy: invocation::PolicyAndWatch,
) -> Result<ExitStatus, CommandError> {
    if args.screen {
        return show(args, cli, policy);
    }
    // `linux` is the running kernel; a log is judged by the kernel that wrote it.
    let policy = Some(policy.0).filter(|policy| !policy.is_running_kernel());
    let mut out = BufWriter::new(io::stdout().lock());
    let style = TextStyle { cut: stdio::width().map(usize::from), ascii: !stdio::utf8() };
    let mut told = Explanations::new(args, policy, style, &mut out);
    read(args, &mut |item| told.take(item))?;
    let result = told.end().and_then(|()| out.flush());
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
    (policy, site_rules): invocation::PolicyAndWatch,
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
    let mut found = Vec::new();
    read(args, &mut |item| {
        if let LogItem::Report(report) = item {
            found.push(*report);
        }
        Ok(())
    })?;
    if found.is_empty() {
        return Err(CommandError::failure(
            "the log holds no report of the kernel, only kills by daemons",
        ));
    }
    let reports = (1..).zip(found).map(update).collect();
    tui::run(tui::Screen {
        options: screen_options(cli),
        setup,
        input: tui::ScreenInput::Pipe(Box::new(NoSamples)),
        effects: Box::new(NoEffects::NotLive),
        live: None,
        site_rules,
        adj_rules: None,
        reports,
        own_adj: None,
        notice: None,
    })
    .map(|end| end.status)
}

/// Reads the log, and gives each thing that it tells to `take`, in the order of the log.
///
/// # Errors
/// The log cannot be read, or tells of no kill.
fn read(
    args: &ExplainArgs,
    take: &mut dyn FnMut(LogItem) -> io::Result<()>,
) -> Result<(), CommandError> {
    let is_stdin = args.file == Path::new("-");
    let name = if is_stdin { "standard input".to_owned() } else { args.file.display().to_string() };
    let failed = |error: io::Error| CommandError::failure(format!("{name}: {error}"));
    let told = if is_stdin {
        read_log(io::stdin().lock(), take).map_err(failed)?
    } else {
        let file = File::open(&args.file).map_err(failed)?;
        if file.metadata().is_ok_and(|metadata| metadata.is_dir()) {
            return Err(CommandError::failure(format!("{name}: a directory, not a kernel log")));
        }
        read_log(BufReader::with_capacity(1 << 16, file), take).map_err(failed)?
    };
    for note in told.notes {
        eprintln!("doomtop: {name}: {note}");
    }
    if told.items == 0 {
        let what = format!("{name}: no report of the OOM killer in its {} lines", told.lines);
        return Err(CommandError::failure(what)
            .hint("expected the output of dmesg or journalctl -k, or a copy of /dev/kmsg"));
    }
    Ok(())
}

/// Explains what a log tells, one after the other.
struct Explanations<'a> {
    args: &'a ExplainArgs,
    policy: Option<&'static dyn Policy>,
    style: TextStyle,
    out: &'a mut dyn Write,
    /// Facts of the reports so far.
    common: DumpContext,
    /// Reports that wait for facts of later ones, and the rows of their dumps.
    waiting: Vec<LogItem>,
    rows: usize,
    /// Explained reports as text: the summary comes before them.
    texts: Vec<Vec<u8>>,
    summary: KillSummary,
}

/// Rows of the dumps that wait for facts of later reports.
const MAX_WAITING: usize = 150_000;

impl<'a> Explanations<'a> {
    fn new(
        args: &'a ExplainArgs,
        policy: Option<&'static dyn Policy>,
        style: TextStyle,
        out: &'a mut dyn Write,
    ) -> Self {
        Self {
            args,
            policy,
            style,
            out,
            common: DumpContext::default(),
            waiting: Vec::new(),
            rows: 0,
            texts: Vec::new(),
            summary: KillSummary::default(),
        }
    }

    fn take(&mut self, item: LogItem) -> io::Result<()> {
        if let LogItem::Report(report) = &item {
            self.common.learn(report);
            self.rows += report.tasks.len() + 1;
        }
        self.waiting.push(item);
        if self.common.is_whole() || self.rows > MAX_WAITING {
            return self.explain();
        }
        Ok(())
    }

    /// Explains the reports that wait.
    fn explain(&mut self) -> io::Result<()> {
        self.rows = 0;
        for item in std::mem::take(&mut self.waiting) {
            let mut text = Vec::new();
            match item {
                LogItem::Report(report) => {
                    self.summary.note_report(&report);
                    let explained = ExplainedReport::new(&report, &self.common, self.policy);
                    if self.args.json {
                        writeln!(self.out, "{}", explained.json())?;
                    } else {
                        explained.write(&mut text, self.args.rows, self.style)?;
                    }
                }
                LogItem::Daemon(heard) => {
                    self.summary.note_daemon(&heard);
                    if self.args.json {
                        writeln!(self.out, "{}", daemon_kill_json(&heard))?;
                    } else {
                        write_daemon_kill(&heard, &mut text, self.style)?;
                    }
                }
            }
            if !self.args.json {
                self.texts.push(text);
            }
        }
        Ok(())
    }

    fn end(&mut self) -> io::Result<()> {
        self.explain()?;
        // JSON has its objects, and nothing before them.
        let summary = if self.args.json { Vec::new() } else { self.summary.lines() };
        for line in &summary {
            write_line(self.out, line, self.style)?;
        }
        for (number, text) in (1..).zip(&self.texts) {
            if number > 1 || !summary.is_empty() {
                writeln!(self.out)?;
            }
            writeln!(self.out, "OOM {number} of {}", self.texts.len())?;
            self.out.write_all(text)?;
        }
        Ok(())
    }
}
