//! Without a screen: look, rank, print, again.

use std::collections::HashSet;
use std::io::{self, BufWriter, IsTerminal, Write};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use crate::app::{Setup, by_badness};
use crate::columns::{COLUMNS, CommandStyle, RowContext, SizeUnit, fitting};
use crate::model::{
    CgroupNeeds, Domain, DomainKind, Names, Needs, ProcId, Reading, Scene, Scope, Scores, Snapshot,
};
use crate::policy::{Policy, compare};
use crate::rank::Ranking;
use crate::report::{json, text, verdicts};
use crate::rows::arrange::{TableLine, TableSettings};
use crate::source::{Source, SourceError};

use crate::shell::command::cli::Cli;
use crate::shell::worker::lookup::{DetailWorker, LookupWorker};
use crate::shell::worker::site_rules::{FileNews, FileWatch};

/// So many of the top candidates keep their files open.
const KEEP: usize = 64;

/// Cells of a command line, at least.
const COMMAND: u16 = 24;

/// Cells of a line where nobody says how many there are.
const WIDTH: u16 = 160;

/// Prints until the count is reached, the source ends, or the reader goes away.
///
/// # Errors
/// What could not be read or written, in one line.
pub(crate) fn run(
    cli: &Cli,
    setup: &Setup,
    source: Box<dyn Source>,
    names: Option<LookupWorker>,
    watch: Option<FileWatch>,
) -> Result<u8, String> {
    let mut out = BufWriter::new(io::stdout().lock());
    let printer = Printer {
        cli,
        setup,
        policy: setup.policy,
        watch,
        trouble: None,
        source,
        learner: names.and_then(DetailWorker::start),
        names: Names::default(),
        ranking: Ranking::default(),
        lines: Vec::new(),
        confined: setup.scope != Scope::Global && setup.scope != Scope::Auto,
    };
    match printer.print(&mut out) {
        Ok(()) => Ok(0),
        // The reader has seen enough: head, less.
        Err(End::Write(error)) if error.kind() == io::ErrorKind::BrokenPipe => Ok(0),
        Err(End::Write(error)) => Err(format!("standard output: {error}")),
        Err(End::Read(what)) => Err(what),
    }
}

enum End {
    Write(io::Error),
    Read(String),
}

impl From<io::Error> for End {
    fn from(error: io::Error) -> Self {
        Self::Write(error)
    }
}

struct Printer<'a> {
    cli: &'a Cli,
    setup: &'a Setup,
    /// Whose rule ranks: the setup's, or a newer version of it.
    policy: &'static dyn Policy,
    watch: Option<FileWatch>,
    /// What went wrong with it last.
    trouble: Option<String>,
    source: Box<dyn Source>,
    learner: Option<DetailWorker>,
    names: Names,
    ranking: Ranking,
    lines: Vec<TableLine>,
    /// The domain is not the whole machine, so that who is in it must be known each time.
    confined: bool,
}

impl Printer<'_> {
    fn print(mut self, out: &mut dyn Write) -> Result<(), End> {
        let live = self.setup.live;
        let mut scene: Option<Scene> = None;
        let mut spent: Option<Arc<Snapshot>> = None;
        let mut count = 0;
        loop {
            let begun = Instant::now();
            self.look_at_rule();
            let needs = self.needs();
            let snapshot = match crate::shell::sample(self.source.as_mut(), &needs, spent.take()) {
                Ok(snapshot) => snapshot,
                Err(SourceError::End) if count > 0 => return Ok(()),
                Err(lost @ SourceError::Cut { .. }) if count > 0 => {
                    out.flush()?;
                    let _ = writeln!(io::stderr(), "doomtop: {lost}");
                    return Ok(());
                }
                // What could not be read now may be readable at the next refresh.
                Err(lost @ SourceError::Unreadable(_)) if count > 0 => {
                    let _ = writeln!(io::stderr(), "doomtop: {lost}");
                    thread::sleep(Duration::from_millis(self.setup.delay.0));
                    continue;
                }
                Err(lost) => return Err(End::Read(lost.to_string())),
            };
            let snapshot = if live {
                self.complete(snapshot, scene.as_ref().map(Scene::snapshot))
            } else {
                snapshot
            };
            if !snapshot.users.is_empty() {
                self.names.learn_users(Arc::clone(&snapshot.users));
            }
            match &mut scene {
                Some(scene) => spent = scene.advance(snapshot),
                None => {
                    let first = Scene::scoped(snapshot, None, self.setup.scope.clone());
                    found(first.domain()).map_err(End::Read)?;
                    scene = Some(first);
                }
            }
            let Some(scene) = &scene else { continue };
            self.confined = !scene.domain().is_global();
            self.ranking.update(self.policy, scene);
            self.tell_trouble(scene);
            self.write(out, scene, count)?;
            out.flush()?;
            count += 1;
            if self.cli.iterations.is_some_and(|wanted| count >= wanted) {
                return Ok(());
            }
            // A recording is printed as fast as it is read, unless a pace is asked for.
            if live || self.cli.delay.is_some() {
                let delay = Duration::from_millis(self.setup.delay.0);
                thread::sleep(delay.saturating_sub(begun.elapsed()));
            }
        }
    }

    /// A new version of the rule's file, good or not.
    fn look_at_rule(&mut self) {
        match self.watch.as_mut().and_then(FileWatch::sample) {
            Some(FileNews::Good(rule)) => self.policy = rule,
            Some(FileNews::Bad(what)) => self.complain(&what),
            None => {}
        }
    }

    /// Says once why the rule failed on some process.
    fn tell_trouble(&mut self, scene: &Scene) {
        let line = crate::shell::command::policies::trouble(self.policy, scene, &self.ranking);
        if let Some(line) = line.as_ref().filter(|_| line != self.trouble) {
            self.complain(line);
        }
        self.trouble = line;
    }

    fn complain(&self, what: &str) {
        let _ = writeln!(io::stderr(), "doomtop: {}", crate::model::neutral(what.as_bytes()));
    }

    /// Everything that is printed, and the files of the top candidates kept open.
    fn needs(&self) -> Needs {
        let top = &self.ranking.rows()[..self.ranking.eligible()];
        Needs {
            status: true,
            cgroup: true,
            cmdline: false,
            exe_cwd_environ: self.cli.verdicts || self.policy.needs().exe_cwd_environ,
            // A line of JSON is to hold everything; text speaks of the nearest wall only.
            cgroups: if self.cli.json || self.confined || self.cli.verdicts {
                CgroupNeeds::Everything
            } else {
                CgroupNeeds::Limits.max(self.setup.policy.needs().cgroups)
            },
            scores: Scores::All,
            keep: top.iter().take(KEEP).map(|row| row.id).collect(),
        }
    }

    /// Adds what does not belong on the way to a ranking: the second look at doubtful scores, users
    /// and command lines.
    fn complete(
        &mut self,
        snapshot: Arc<Snapshot>,
        before: Option<Arc<Snapshot>>,
    ) -> Arc<Snapshot> {
        let mut snapshot = look_twice(self.source.as_mut(), snapshot, before.as_ref());
        let lines = wants_lines(self.setup) || self.policy.needs().cmdline;
        let Some(learner) = &mut self.learner else { return snapshot };
        learner.learn(&mut self.names, &snapshot, lines);
        if let Some(snapshot) = Arc::get_mut(&mut snapshot) {
            snapshot.users = self.names.users();
            for process in &mut snapshot.processes {
                if let Some(line) = self.names.line(process) {
                    process.cmdline = Reading::Value(line);
                }
            }
        }
        self.names.forget(0, |id| snapshot.find(id).is_some());
        snapshot
    }

    fn write(&mut self, out: &mut dyn Write, scene: &Scene, count: u64) -> io::Result<()> {
        let view = TableSettings {
            sort: self.setup.sort.unwrap_or_else(by_badness),
            filter: self.setup.filter.clone(),
            user: None,
            // A recording must hold everybody; a reader of text wants those who can be chosen.
            kernel_threads: self.cli.json,
            hide_spared: false,
            tree: false,
            folded: HashSet::new(),
        };
        let context = RowContext {
            scene,
            policy: self.policy,
            ranking: &self.ranking,
            names: &self.names,
            scale: SizeUnit::Auto,
            command: CommandStyle::Short,
        };
        view.arrange(&context, &mut self.lines);
        let rows: Vec<u32> = self.lines.iter().filter_map(|line| line.at).collect();
        if self.cli.json {
            let asked = self.cli.verdicts.then(|| verdicts::answers(&context, self.setup.policy));
            let columns = self.setup.columns.as_deref();
            return json::write_line_with(out, &context, &rows, columns, asked);
        }
        if count > 0 {
            writeln!(out)?;
        }
        let (width, cut) = width();
        let columns = match &self.setup.columns {
            Some(columns) => columns.clone(),
            None => fitting(width, context.scale, COMMAND, None, &|_| None),
        };
        let manner = text::TextStyle { cut, ascii: self.cli.ascii || !crate::shell::tui::utf8() };
        text::write_sample(out, &context, &rows, &columns, manner)?;
        if self.cli.verdicts {
            verdicts::write_verdicts(out, &context, self.setup.policy, manner)?;
        }
        Ok(())
    }
}

/// Whether anybody will see a command line, or filter or sort by it.
fn wants_lines(setup: &Setup) -> bool {
    let shown = setup
        .columns
        .as_ref()
        .is_none_or(|columns| columns.iter().any(|column| column.id == "command"));
    let sorted = setup.sort.is_some_and(|sort| sort.column.id == "command");
    shown || sorted || setup.filter.wants_command_lines()
}

/// A domain that was asked for by name has to be there at the beginning.
pub(crate) fn found(domain: &Domain) -> Result<(), String> {
    match domain.kind {
        DomainKind::Gone if domain.name.as_str().starts_with('/') => Err(format!(
            "{domain}: no such memory cgroup here; --scope takes a path as /proc/PID/cgroup prints it"
        )),
        DomainKind::Gone => Err(format!("{domain}: this machine has no such memory nodes")),
        _ => Ok(()),
    }
}

/// A disagreement with the kernel's score counts only when a second look confirms it.
pub(crate) fn look_twice(
    source: &mut dyn Source,
    mut snapshot: Arc<Snapshot>,
    before: Option<&Arc<Snapshot>>,
) -> Arc<Snapshot> {
    let scene = Scene::new(Arc::clone(&snapshot), before.cloned());
    let doubtful: Vec<ProcId> = scene
        .now()
        .processes
        .iter()
        .filter(|process| compare(process, &scene).is_some_and(|(ours, theirs)| ours != theirs))
        .map(|process| process.id)
        .collect();
    drop(scene);
    if !doubtful.is_empty()
        && let Some(snapshot) = Arc::get_mut(&mut snapshot)
    {
        source.sample_again(&doubtful, snapshot);
    }
    snapshot
}

/// Cells of a line, and where lines are cut: at a terminal's edge; elsewhere never.
fn width() -> (u16, Option<usize>) {
    if io::stdout().is_terminal()
        && let Ok((columns, _)) = crossterm::terminal::size()
    {
        return (columns, Some(usize::from(columns)));
    }
    let asked = std::env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok());
    let widest = COLUMNS.iter().map(|column| column.min_width).max().unwrap_or(WIDTH);
    (asked.unwrap_or(WIDTH).min(widest), None)
}
