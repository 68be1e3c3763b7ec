//! `--batch` and `--json`: the ranking as text or JSON at each refresh.

use std::collections::HashSet;
use std::io::{self, BufWriter, StdoutLock, Write};
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::cli::Cli;
use super::headless::last_output::LastOutput;
use super::headless::names::CommandLines;
use super::headless::ranker::Ranker;
use super::headless::warm_up::WarmUp;
use super::headless::{self, AfterSample, EndFlag, SampleConsumer, SamplePace};
use super::invocation::Invocation;
use crate::app::incident::kill_text::kill_news_line;
use crate::app::{Setup, by_badness};
use crate::columns::{COLUMNS, CommandStyle, RowContext, fitting};
use crate::forecast::next_death;
use crate::kills::{KillFollower, KillNews};
use crate::model::{CgroupNeeds, Needs, ProcId, Scene, Scores, Snapshot};
use crate::report::json::LineExtras;
use crate::report::line::{TextStyle, write_line};
use crate::report::text::DeathLines;
use crate::report::{json, rfc3339, text, verdicts};
use crate::rows::arrange::{TableLine, TableSettings};
use crate::sample::proc_root::LiveRoot;
use crate::shell::command_error::CommandError;
use crate::shell::exit_status::ExitStatus;
use crate::shell::stdio;
use crate::shell::worker::log_sources::FollowedLog;
use crate::source::Source;
use crate::units::Millis;

/// Minimum width of a command line, in cells.
const COMMAND_WIDTH: u16 = 24;

/// Width of a line where neither a terminal nor `COLUMNS` says it, in cells.
const DEFAULT_WIDTH: u16 = 160;

/// Time between the only sample of a live machine that is printed and the one before it.
const PACE_ONCE: Millis = Millis(300);

/// The same at least, as far as samples are late.
const WARM_UP: Millis = Millis(200);

/// A single sample with more candidates settles nothing: another one is taken.
const FEW: usize = 3;

/// Maximum time that the last sample of a live machine waits for the line of a log about a kill that was counted. The
/// kernel's log is sent every 200 ms at most.
const LAST_WAIT: Duration = Duration::from_millis(500);

/// Prints until the count is reached, the source ends, or the reader closes the pipe.
///
/// # Errors
/// What could not be read or written.
pub(crate) fn run(cli: &Cli, invocation: Invocation) -> Result<ExitStatus, CommandError> {
    let lookup = invocation.input.lookup_root()?;
    // The logs of this machine belong to no other tree, and tell names that are hidden.
    let root = invocation.input.root()?.filter(|_| cli.redact.is_none());
    let is_own = root.and_then(|root| LiveRoot::prove(root).ok());
    let delay = invocation.headless_delay();
    let setup = invocation.setup;
    // A single sample knows of no growth, and would name a process that another one is about to overtake: others are
    // taken before it. Those of a recording take no time.
    let is_once = cli.iterations == Some(1);
    let (delay, count, warm_up) = match is_once {
        true if setup.live => (PACE_ONCE, None, Some(WarmUp::over(WARM_UP))),
        true => (delay, None, Some(WarmUp::until_prediction())),
        false => (delay, cli.iterations, None),
    };
    let pace = SamplePace { delay, count, end: EndFlag::default_action() };
    let ranker = Ranker::new(&setup, lookup, invocation.site_rules);
    let out = BufWriter::new(io::stdout().lock());
    let mut printer = Printer {
        cli,
        setup: &setup,
        ranker,
        follower: KillFollower::default(),
        log: is_own.map(|_| FollowedLog::start()),
        kills: Vec::new(),
        held: None,
        left: if is_once { Some(1) } else { cli.iterations },
        last: None,
        may_die: Vec::new(),
        lines: Vec::new(),
        out,
        is_first: true,
        warm_up,
    };
    let mut source = invocation.input.source;
    let ended = headless::run(source.as_mut(), &mut printer, &pace);
    // Whatever ended it: the last line is not lost.
    stdio::written(printer.end())?;
    ended.map(|()| ExitStatus::Success)
}

struct Printer<'a> {
    cli: &'a Cli,
    setup: &'a Setup,
    ranker: Ranker,
    follower: KillFollower,
    /// The logs of a live machine.
    log: Option<FollowedLog>,
    /// What became known of kills, and is not printed yet.
    kills: Vec<KillNews>,
    /// The last line of JSON is not printed yet, which tells this of kills: where a recording ends, what waits for a
    /// later line of a log belongs into it.
    held: Option<Vec<KillNews>>,
    /// That line, as it is if a signal ends the program; `None` before the first.
    last: Option<LastOutput>,
    /// How many samples are still to be printed; `None`: no number is set.
    left: Option<u64>,
    /// Those that may die by the last prediction.
    may_die: Vec<ProcId>,
    lines: Vec<TableLine>,
    out: BufWriter<StdoutLock<'static>>,
    /// Nothing is printed yet.
    is_first: bool,
    /// What is left of the time before the only sample that is printed; `None` where all are.
    warm_up: Option<WarmUp>,
}

impl SampleConsumer for Printer<'_> {
    fn needs(&mut self) -> Needs {
        // What is not printed yet was ranked by the policy of before.
        if self.held.is_none() {
            self.ranker.reload_policy();
        }
        let mut needs = self.ranker.needs();
        if self.warm_up.is_some() {
            // Whichever sample is printed: all its scores are of the same moment.
            needs.scores = Scores::All;
        }
        needs.exe_cwd_environ |= self.cli.verdicts;
        let predicted = self.may_die.iter().filter(|who| !needs.may_die.contains(who));
        let predicted: Vec<ProcId> = predicted.copied().collect();
        needs.may_die.splice(..0, predicted);
        // A line of JSON holds everything; text names the nearest limit only.
        if !self.cli.json && !self.cli.verdicts && self.ranker.is_global() {
            let killers = self.ranker.context(CommandStyle::Short);
            let killers = killers.map(|it| next_death::needed_cgroups(it.scene));
            needs.cgroups = CgroupNeeds::Limits
                .max(self.setup.policy.needs().cgroups)
                .max(killers.unwrap_or_default());
        }
        needs
    }

    fn consume(
        &mut self,
        mut sample: Arc<Snapshot>,
        source: &mut dyn Source,
        _: Instant,
    ) -> Result<AfterSample, CommandError> {
        if let Some(log) = &mut self.log {
            log.follow(&sample);
            let lines = log.take();
            if !lines.is_empty() {
                Arc::make_mut(&mut sample).log = Arc::new(lines);
            }
        }
        if let Some(kills) = self.held.take() {
            self.forget_last();
            if let Err(error) = self.write(&kills).and_then(|()| self.out.flush()) {
                return stdio::written(Err(error)).map(|()| AfterSample::Stop);
            }
            self.ranker.reload_policy();
        }
        let spent = self.ranker.update(sample, source, needs_command_lines(self.setup))?;
        self.follow();
        let at = self.ranker.context(CommandStyle::Short);
        let at = at.map_or(Millis::ZERO, |it| it.scene.now().clock.monotonic_ms);
        let is_filling = self.setup.live && self.follower.is_filling();
        if let Some(warm_up) = self.warm_up.as_mut().filter(|_| is_filling) {
            warm_up.extend();
        }
        // What has just begun or grown by leaps makes everybody a candidate, until there are more samples.
        let is_open = self.setup.live && self.candidates() > FEW;
        let waits = |it: &mut WarmUp| !it.is_over(at) || is_open && it.waits_for_more(at);
        if self.warm_up.as_mut().is_some_and(waits) {
            return Ok(AfterSample::Continue(spent));
        }
        self.left = self.left.map(|left| left.saturating_sub(1));
        if self.left == Some(0) && (self.setup.live || self.warm_up.is_some()) {
            self.follow_to_end();
        }
        let kills = std::mem::take(&mut self.kills);
        let waits = self.follower.waits();
        if waits && self.cli.json && !self.setup.live && self.warm_up.is_none() {
            self.hold(kills)?;
            return Ok(AfterSample::Continue(spent));
        }
        match self.write(&kills).and_then(|()| self.out.flush()) {
            Ok(()) if self.warm_up.is_some() => Ok(AfterSample::Stop),
            Ok(()) => Ok(AfterSample::Continue(spent)),
            Err(error) => stdio::written(Err(error)).map(|()| AfterSample::Stop),
        }
    }
}

impl Printer<'_> {
    /// How many may be chosen by the ranking; one where it is certain.
    fn candidates(&self) -> usize {
        let context = self.ranker.context(CommandStyle::Short);
        context.map_or(0, |it| it.ranking.candidates().len())
    }

    /// Lets the forecasts know the sample, and takes the kills that became known.
    fn follow(&mut self) {
        let Some(context) = self.ranker.context(CommandStyle::Short) else { return };
        // Of a live machine a line may still come where the kernel's log is read.
        let waits = match &self.log {
            Some(log) => log.unreadable.is_none(),
            None => !self.setup.live,
        };
        let kills = self.follower.take(context.scene, context.policy, waits);
        self.kills.extend(kills);
        self.may_die = self.follower.deaths().may_die();
    }

    /// Takes the kills that wait for the line of a log. No more samples come; of a live machine the lines may still.
    fn follow_to_end(&mut self) {
        if let (Some(log), Some(context)) =
            (&mut self.log, self.ranker.context(CommandStyle::Short))
        {
            let until = Instant::now() + LAST_WAIT;
            while self.follower.waits() {
                let lines = log.take_late(until);
                if lines.is_empty() {
                    break;
                }
                self.kills.extend(self.follower.take_lines(&lines, context.policy));
            }
        }
        self.kills.extend(self.follower.finish());
    }

    /// No more samples come: prints the last one of a short recording where only one is asked for, or the last line of
    /// JSON, and tells of kills that waited for a line of the log.
    fn end(&mut self) -> io::Result<()> {
        self.forget_last();
        let held = self.held.take();
        if held.is_some() || self.warm_up.is_some() && self.is_first {
            self.follow_to_end();
            let mut kills = held.unwrap_or_default();
            kills.append(&mut self.kills);
            return self.write(&kills).and_then(|()| self.out.flush());
        }
        if self.warm_up.is_some() {
            return Ok(());
        }
        let kills = self.follower.finish();
        let context = self.ranker.context(CommandStyle::Short);
        let Some(context) = context.filter(|_| !self.cli.json) else { return Ok(()) };
        for line in kill_lines(context.scene, &kills) {
            write_line(&mut self.out, &line, style(self.cli, width().1))?;
        }
        self.out.flush()
    }

    /// Keeps the line of JSON until the next sample.
    fn hold(&mut self, kills: Vec<KillNews>) -> Result<(), CommandError> {
        let waiting = self.follower.unfinished().into_iter().map(KillNews::Kill);
        let all: Vec<KillNews> = kills.iter().cloned().chain(waiting).collect();
        let mut line = Vec::new();
        stdio::written(self.write_to(&mut line, &all))?;
        let last = match self.last.take() {
            Some(last) => last,
            None => LastOutput::on_signals()?,
        };
        last.set(line);
        (self.last, self.held) = (Some(last), Some(kills));
        Ok(())
    }

    /// The line that was held is written by this thread.
    fn forget_last(&self) {
        if let Some(last) = &self.last {
            last.set(Vec::new());
        }
    }

    fn write(&mut self, kills: &[KillNews]) -> io::Result<()> {
        let mut text = Vec::new();
        self.write_to(&mut text, kills)?;
        self.is_first = false;
        self.out.write_all(&text)
    }

    fn write_to(&mut self, out: &mut dyn Write, kills: &[KillNews]) -> io::Result<()> {
        let Some(context) = self.ranker.context(CommandStyle::Short) else { return Ok(()) };
        let view = TableSettings {
            sort: self.setup.sort.unwrap_or_else(by_badness),
            filter: self.setup.filter.clone(),
            user: None,
            // A recording must hold all processes; a reader of text wants those that can be chosen.
            kernel_threads: self.cli.json,
            hide_spared: false,
            tree: false,
            folded: HashSet::new(),
        };
        let deaths = self.follower.deaths();
        view.arrange(&context, &mut self.lines);
        let rows: Vec<u32> = self.lines.iter().filter_map(|line| line.at).collect();
        if self.cli.json {
            let verdicts =
                self.cli.verdicts.then(|| verdicts::answers(&context, self.setup.policy));
            let columns = self.setup.columns.as_deref();
            let extras = LineExtras { verdicts, deaths: deaths.clone(), kills };
            return json::write_line_with(out, &context, &rows, columns, extras);
        }
        if !self.is_first {
            writeln!(out)?;
        }
        let killed = kill_lines(context.scene, kills);
        let said = DeathLines { predicted: Some(deaths), killed: &killed };
        write_text(out, self.cli, self.setup, &context, (&rows, said))
    }
}

/// What became known of kills as lines, each with the time of the kill.
fn kill_lines(scene: &Scene, kills: &[KillNews]) -> Vec<String> {
    let line = |news: &KillNews| {
        let (word, text) = kill_news_line(Some(scene), news);
        format!("{word} {}: {text}", rfc3339(news.event().unix_ms))
    };
    kills.iter().map(line).collect()
}

fn write_text(
    out: &mut dyn Write,
    cli: &Cli,
    setup: &Setup,
    context: &RowContext<'_>,
    (rows, said): (&[u32], DeathLines<'_>),
) -> io::Result<()> {
    let (width, cut) = width();
    let columns = match &setup.columns {
        Some(columns) => columns.clone(),
        // In text that programs read, the numbers say it all.
        None => {
            let no_bar = |id: &str| (id == "parts").then_some(false);
            fitting(width, context.scale, COMMAND_WIDTH, None, &no_bar)
        }
    };
    let style = style(cli, cut);
    text::write_sample(out, context, rows, &columns, said, style)?;
    if cli.verdicts {
        verdicts::write_verdicts(out, context, setup.policy, style)?;
    }
    Ok(())
}

fn style(cli: &Cli, cut: Option<usize>) -> TextStyle {
    TextStyle { cut, ascii: cli.ascii || !stdio::utf8() }
}

/// Whether a command line is shown, or the table is filtered or sorted by it.
fn needs_command_lines(setup: &Setup) -> CommandLines {
    let columns = setup.columns.as_ref();
    let shown = columns.is_none_or(|columns| columns.iter().any(|it| it.id == "command"));
    let sorted = setup.sort.is_some_and(|sort| sort.column.id == "command");
    if shown || sorted || setup.filter.wants_command_lines() {
        CommandLines::Needed
    } else {
        CommandLines::NotNeeded
    }
}

/// The width that columns are chosen for, and where lines are cut: only at the edge of a terminal.
fn width() -> (u16, Option<usize>) {
    if let Some(columns) = stdio::width() {
        return (columns, Some(usize::from(columns)));
    }
    let columns = std::env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok());
    let widest = COLUMNS.iter().map(|column| column.min_width).max().unwrap_or(DEFAULT_WIDTH);
    (columns.unwrap_or(DEFAULT_WIDTH).min(widest), None)
}
