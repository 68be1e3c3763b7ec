//! Without a screen: look, rank, print, again.

use std::collections::{BTreeMap, HashSet};
use std::io::{self, BufWriter, IsTerminal, Write};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

use crate::app::Setup;
use crate::app::by_badness;
use crate::app::check::compare;
use crate::app::lines::{Line, View};
use crate::columns::{COLUMNS, CommandStyle, Scale, Sight, fitting};
use crate::model::{Names, Needs, ProcId, Scene, Snapshot, Text};
use crate::rank::Ranking;
use crate::report::{json, text};
use crate::sample::detail;
use crate::source::{Lost, Source};

use super::cli::Cli;

/// So long a refresh waits for the names of users.
const NAMES: Duration = Duration::from_millis(200);

/// Cells of a command line, at least.
const COMMAND: u16 = 24;

/// Cells of a line where nobody says how many there are.
const WIDTH: u16 = 160;

/// Prints until the count is reached, the source ends, or the reader goes away.
///
/// # Errors
/// What could not be read or written, in one line.
pub(super) fn run(cli: &Cli, setup: &Setup, mut source: Box<dyn Source>) -> Result<u8, String> {
    let mut out = BufWriter::new(io::stdout().lock());
    match print(cli, setup, source.as_mut(), &mut out) {
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

fn print(
    cli: &Cli,
    setup: &Setup,
    source: &mut dyn Source,
    out: &mut dyn Write,
) -> Result<(), End> {
    let live = setup.live;
    let view = View {
        sort: setup.sort.unwrap_or_else(by_badness),
        filter: setup.filter.clone(),
        user: None,
        // A recording must hold everybody; a reader of text wants those who can be chosen.
        kernel_threads: cli.json,
        hide_spared: false,
        tree: false,
        folded: HashSet::new(),
    };
    let mut users = live.then(user_names);
    let mut scene: Option<Scene> = None;
    let mut spent: Option<Arc<Snapshot>> = None;
    let mut ranking = Ranking::default();
    let mut names = Names::default();
    let mut lines: Vec<Line> = Vec::new();
    let mut count = 0;
    loop {
        let begun = Instant::now();
        if let Some(names) = users.take() {
            match names.recv_timeout(NAMES) {
                Ok(known) => source.learn_users(known),
                // Slow, not missing: the next refresh asks again.
                Err(RecvTimeoutError::Timeout) => users = Some(names),
                Err(RecvTimeoutError::Disconnected) => {}
            }
        }
        let snapshot = match source.look(&Needs::everything(), spent.take()) {
            Ok(snapshot) => snapshot,
            Err(Lost::End) if count > 0 => return Ok(()),
            Err(lost @ Lost::Cut { .. }) if count > 0 => {
                out.flush()?;
                let _ = writeln!(io::stderr(), "doomtop: {lost}");
                return Ok(());
            }
            Err(lost) => return Err(End::Read(lost.to_string())),
        };
        let snapshot = if live { look_twice(source, snapshot, scene.as_ref()) } else { snapshot };
        names.learn_users(Arc::clone(&snapshot.users));
        match &mut scene {
            Some(scene) => spent = scene.advance(snapshot),
            None => scene = Some(Scene::new(snapshot, None)),
        }
        let Some(scene) = &scene else { continue };
        ranking.update(setup.policy, scene);
        let sight = Sight {
            scene,
            policy: setup.policy,
            ranking: &ranking,
            names: &names,
            scale: Scale::Auto,
            command: CommandStyle::Short,
        };
        view.arrange(&sight, &mut lines);
        let rows: Vec<u32> = lines.iter().filter_map(|line| line.at).collect();
        if cli.json {
            json::write_line(out, &sight, &rows, setup.columns.as_deref())?;
        } else {
            if count > 0 {
                writeln!(out)?;
            }
            let (width, cut) = width();
            let columns = match &setup.columns {
                Some(columns) => columns.clone(),
                None => fitting(width, sight.scale, COMMAND, None),
            };
            text::write_look(out, &sight, &rows, &columns, cut)?;
        }
        out.flush()?;
        count += 1;
        if cli.iterations.is_some_and(|wanted| count >= wanted) {
            return Ok(());
        }
        // A recording is printed as fast as it is read, unless a pace is asked for.
        if live || cli.delay.is_some() {
            thread::sleep(Duration::from_millis(setup.delay.0).saturating_sub(begun.elapsed()));
        }
    }
}

/// User names, from a thread of their own: a directory server that hangs delays nobody for long.
fn user_names() -> Receiver<Arc<BTreeMap<u32, Text>>> {
    let (sender, receiver) = channel();
    thread::spawn(move || sender.send(Arc::new(detail::user_names())));
    receiver
}

/// A disagreement with the kernel's score counts only when a second look confirms it.
fn look_twice(
    source: &mut dyn Source,
    mut snapshot: Arc<Snapshot>,
    before: Option<&Scene>,
) -> Arc<Snapshot> {
    let scene = Scene::new(Arc::clone(&snapshot), before.map(Scene::snapshot));
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
        source.look_again(&doubtful, snapshot);
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
    let widest = COLUMNS.iter().map(|column| column.from).max().unwrap_or(WIDTH);
    (asked.unwrap_or(WIDTH).min(widest), None)
}
