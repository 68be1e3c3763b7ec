//! The loop that joins the rooms: command line, terminal, input, signals, pacing.

pub mod command;
pub(crate) mod new_file;
mod terminal;
mod tui;
pub mod worker;

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufReader, IsTerminal, Write};
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use nix::sys::resource::{RLIM_INFINITY, Resource, getrlimit};
use rustix::mm::{MlockAllFlags, mlockall};

use crate::app::{ActingMode, Msg, Setup};
use crate::effects::{DryRun, Effects, LiveEffects, NoEffects};
use crate::model::{Capability, Needs, Privileges, ProcId, Snapshot};
use crate::policy::{self, Policy};
use crate::sample::proc_root::{LiveRoot, ProcRoot};
use crate::sample::process::lookup;
use crate::source::{
    LiveSource, Recording, RedactedSource, Redactor, ScanPatience, Source, SourceError, demo,
};
use crate::units::Millis;

use crate::shell::worker::player::{CountingReader, Player, ReadProgress};
use tui::ScreenInput;

use crate::shell::command::cli::{Cli, Command, PolicyArg, PolicyCommand, RulesCommand};

/// The system or a file could not be read.
const FAILED: u8 = 1;
/// Wrong usage.
const USAGE: u8 = 2;

/// Between refreshes, where the user does not say.
const DELAY: Millis = Millis(2000);

/// So long a walk may keep the screen waiting, in milliseconds; a late one shows at the next
/// refresh.
const PATIENCE: u64 = 500;
/// The same for a reader of text or JSON, who would rather wait than be told something old.
const PATIENCE_OF_PIPES: u64 = 3000;

/// Runs the program; what it returns is the exit status.
#[must_use]
pub fn run(cli: &Cli) -> ExitCode {
    let replay = matches!(cli.command, Some(Command::Replay(_)));
    let explained = matches!(&cli.command, Some(Command::Explain(order)) if order.screen);
    let quiet = cli.batch || cli.json || cli.self_check;
    if replay && (quiet || cli.from.is_some()) {
        return complain(
            USAGE,
            "replay is the screen; without one it is --from FILE with -b or --json",
        );
    }
    let screen = !quiet && (replay || explained || cli.command.is_none());
    if screen && !io::stdout().is_terminal() {
        return complain(USAGE, "standard output is no terminal: use --batch (-b) or --json");
    }
    if screen && cli.iterations.is_some() {
        return complain(USAGE, "-n counts refreshes of --batch or --json; on the screen q quits");
    }
    match start(cli, screen) {
        Ok(status) => ExitCode::from(status),
        Err(what) => complain(FAILED, &what),
    }
}

/// One line on standard error, whatever came from outside in it made harmless.
fn complain(status: u8, what: &str) -> ExitCode {
    let mut line = String::new();
    crate::model::escape_bytes(what.as_bytes(), &mut line);
    let _ = writeln!(io::stderr(), "doomtop: {line}");
    ExitCode::from(status)
}

/// Everything that is wrong with a rule.
fn complain_all(lines: &[String]) -> u8 {
    for line in lines {
        complain(USAGE, line);
    }
    USAGE
}

fn start(cli: &Cli, screen: bool) -> Result<u8, String> {
    let checked = match &cli.command {
        Some(Command::Policy { what: PolicyCommand::Facts }) => {
            return crate::shell::command::policies::facts();
        }
        Some(Command::Policy { what: PolicyCommand::Check { file } }) => {
            match crate::shell::worker::site_rules::compile(file) {
                Ok((rule, _)) => Some((file, rule)),
                Err(wrong) => return Ok(complain_all(&wrong)),
            }
        }
        _ => None,
    };
    let (policy, watch): (&'static dyn Policy, _) = match &cli.policy {
        PolicyArg::Known(policy) => (*policy, None),
        // Where another rule is checked, this one is not looked at.
        PolicyArg::Site(_) if checked.is_some() => (&policy::LINUX, None),
        PolicyArg::Site(file) => match crate::shell::worker::site_rules::load(file) {
            Ok((site, watch)) => (site, Some(watch)),
            Err(wrong) => return Ok(complain_all(&wrong)),
        },
    };
    if let Some(Command::Explain(order)) = &cli.command {
        // A log is full of names, in sentences, too: none is shown rather than some forgotten.
        if cli.redact.is_some() {
            return Ok(complain_all(&[
                "explain shows the names of the log as they are: --redact cannot paint them over"
                    .to_owned(),
            ]));
        }
        // `linux` is the running kernel; a log is judged by the rule of its own.
        if order.screen {
            let setup = crate::shell::command::explain::setup(cli, policy, utc_offset());
            let hands = Box::new(NoEffects::NotReal);
            let feed = ScreenInput::Stream(Box::new(crate::shell::command::explain::NoReports));
            return tui::run(cli, setup, feed, hands, None, watch, None);
        }
        return crate::shell::command::explain::run(
            order,
            Some(policy).filter(|policy| !policy.is_running_kernel()),
        );
    }
    let sticky = match cli.adj_rules.as_deref().map(crate::shell::worker::adj_rules::load) {
        None => None,
        Some(Ok(loaded)) => Some(loaded),
        Some(Err(wrong)) => return Ok(complain_all(&wrong)),
    };
    if cli.redact.is_some()
        && let Some(Command::Set(_) | Command::Sacrifice(_)) = &cli.command
    {
        return Ok(complain_all(&[
            "--redact is for showing: nothing is acted on with it".to_owned()
        ]));
    }
    let redactor = cli.redact.map(|extent| Redactor::new(extent.into()));
    let redacted = |source: Box<dyn Source>| match &redactor {
        Some(redactor) => {
            Box::new(RedactedSource::new(source, redactor.clone())) as Box<dyn Source>
        }
        None => source,
    };
    let from = match &cli.command {
        Some(Command::Replay(order)) => Some(&order.file),
        _ => cli.from.as_ref(),
    };
    let recorded = from.is_some() || cli.demo;
    let mut setup = Setup {
        own: ProcId::default(),
        acting: if cli.demo { ActingMode::Demo } else { ActingMode::NotReal },
        policy,
        scope: cli.scope.clone(),
        columns: cli.columns.as_ref().map(|columns| columns.0.clone()),
        filter: cli.filter.as_ref().map(|filter| filter.0.clone()).unwrap_or_default(),
        sort: cli.sort.map(|sort| sort.0),
        delay: cli.delay.unwrap_or(if cli.demo { demo::PACE } else { DELAY }),
        utc_offset: utc_offset(),
        live: !recorded,
    };
    if recorded {
        let (recording, progress) = match from {
            Some(from) => open_recording(from)?,
            None => (demo::demo(), Some(ReadProgress::default())),
        };
        let source = redacted(Box::new(recording));
        return if let Some((file, rule)) = checked {
            crate::shell::command::policies::check(&setup, source, file, rule)
        } else if let Some(Command::Record(order)) = &cli.command {
            crate::shell::command::record::run(order, Millis(0), &setup, source, BTreeMap::new())
        } else if let Some(Command::Metrics(order)) = &cli.command {
            // A recording is told as fast as it is read, unless a pace is asked for.
            let delay = order.delay.or(cli.delay).unwrap_or(Millis(0));
            crate::shell::command::metrics::run(order, delay, &setup, source, None, watch)
        } else if screen {
            let feed = feed(cli, source, progress)?;
            tui::run(cli, setup, feed, Box::new(NoEffects::NotReal), None, watch, sticky)
        } else if let Some(command) = &cli.command {
            let hands = Box::new(NoEffects::NotReal);
            carry_out(command, &setup, source, hands, is_dry(cli))
        } else if cli.self_check {
            crate::shell::command::self_check::run(cli, &setup, source)
        } else {
            crate::shell::command::batch::run(cli, &setup, source, None, watch)
        };
    }
    let open = || ProcRoot::open(&cli.proc).map_err(|unreadable| unreadable.to_string());
    let root = open()?;
    let patience = if screen { setup.delay.0.min(PATIENCE) } else { PATIENCE_OF_PIPES };
    let mut live =
        LiveSource::start(root, ScanPatience::Millis(patience)).map_err(|lost| lost.to_string())?;
    live.memory_locked(lock_memory(&live.privileges()));
    let live = redacted(Box::new(live));
    let reader = || {
        open().map(|root| crate::shell::worker::lookup::LookupWorker {
            root,
            redactor: redactor.clone(),
        })
    };
    if let Some((file, rule)) = checked {
        return crate::shell::command::policies::check(&setup, live, file, rule);
    }
    if let Some(Command::Record(order)) = &cli.command {
        let delay = order.delay.or(cli.delay).unwrap_or(DELAY);
        return crate::shell::command::record::run(
            order,
            delay,
            &setup,
            live,
            lookup::user_names(),
        );
    }
    if let Some(Command::Metrics(order)) = &cli.command {
        let delay = order.delay.or(cli.delay).unwrap_or(DELAY);
        return crate::shell::command::metrics::run(
            order,
            delay,
            &setup,
            live,
            Some(reader()?),
            watch,
        );
    }
    if cli.self_check {
        return crate::shell::command::self_check::run(cli, &setup, live);
    }
    if !screen && cli.command.is_none() {
        return crate::shell::command::batch::run(cli, &setup, live, Some(reader()?), watch);
    }
    setup.own = lookup::own_id(&open()?).unwrap_or_default();
    let hands = hands(cli, &mut setup, open()?);
    if let Some(command) = &cli.command {
        return carry_out(command, &setup, live, hands, is_dry(cli));
    }
    let feed = ScreenInput::Looks(live);
    let roots = ([reader()?, reader()?], [open()?, open()?]);
    tui::run(cli, setup, feed, hands, Some(roots), watch, sticky)
}

/// Whether nothing is to be done: the flag means the same before a command and behind it.
fn is_dry(cli: &Cli) -> bool {
    cli.dry_run
        || match &cli.command {
            Some(Command::Set(order)) => order.common.dry_run,
            Some(Command::Sacrifice(order)) => order.common.dry_run,
            _ => false,
        }
}

/// The hands for this root: those of the kernel only where it is proven live.
fn hands(cli: &Cli, setup: &mut Setup, root: ProcRoot) -> Box<dyn Effects> {
    match LiveRoot::prove(root) {
        Ok(_) if cli.read_only || cli.redact.is_some() => {
            setup.acting = ActingMode::ReadOnly;
            Box::new(NoEffects::ReadOnly)
        }
        Ok(root) if is_dry(cli) => {
            setup.acting = ActingMode::Rehearsal;
            Box::new(DryRun::new(root))
        }
        Ok(root) => {
            setup.acting = ActingMode::Free;
            Box::new(LiveEffects::new(root))
        }
        Err(_) => {
            setup.acting = ActingMode::Elsewhere;
            Box::new(NoEffects::NotReal)
        }
    }
}

/// A command that takes one look.
fn carry_out(
    command: &Command,
    setup: &Setup,
    source: Box<dyn Source>,
    hands: Box<dyn Effects>,
    dry: bool,
) -> Result<u8, String> {
    match command {
        Command::Set(order) => crate::shell::command::act::set(order, setup, source, hands, dry),
        Command::Sacrifice(order) => {
            crate::shell::command::act::sacrifice(order, setup, source, hands, dry)
        }
        Command::Rules { what: RulesCommand::Check { file } } => {
            match crate::shell::worker::adj_rules::compile(file) {
                Ok((rules, _)) => {
                    crate::shell::worker::adj_rules::check(setup, source, file, &rules)
                }
                Err(wrong) => Ok(complain_all(&wrong)),
            }
        }
        // The others were carried out before it came to hands.
        _ => crate::shell::command::policies::list(setup, source),
    }
}

/// A recording, and how much of it was read, where that can be told: of a file.
fn open_recording(from: &Path) -> Result<(Recording, Option<ReadProgress>), String> {
    if from == Path::new("-") {
        let reader = Box::new(BufReader::new(io::stdin()));
        return Ok((Recording::open(reader, "standard input"), None));
    }
    let name = from.display().to_string();
    let file = File::open(from).map_err(|error| format!("{name}: {error}"))?;
    let about = file.metadata().map_err(|error| format!("{name}: {error}"))?;
    if about.is_dir() {
        return Err(format!("{name}: this is a folder, not a file of JSON lines"));
    }
    let progress = ReadProgress::of(about.len());
    let counted = CountingReader { file, progress: progress.clone() };
    let recording = Recording::open(Box::new(BufReader::new(counted)), &name);
    Ok((recording, about.is_file().then_some(progress)))
}

/// How the screen takes a recording: a file is played, a pipe is shown as it comes.
fn feed(
    cli: &Cli,
    source: Box<dyn Source>,
    progress: Option<ReadProgress>,
) -> Result<ScreenInput, String> {
    let order = match &cli.command {
        Some(Command::Replay(order)) => Some(order),
        _ => None,
    };
    let Some(progress) = progress else {
        return match order {
            Some(_) => Err("replay plays a file; a pipe is shown by --from".to_owned()),
            None => Ok(ScreenInput::Stream(source)),
        };
    };
    let speed = order.map(|order| order.speed.0).unwrap_or_default();
    let at = order.and_then(|order| order.at.clone());
    Ok(ScreenInput::Film(Player { source, progress, speed, at }))
}

/// Seconds that local time is ahead of UTC.
fn utc_offset() -> i32 {
    jiff::tz::TimeZone::system().to_offset(jiff::Timestamp::now()).seconds()
}

/// Keeps doomtop's pages in memory as they are touched, so that it runs when memory is gone. Only
/// with the right to lock without limit: within a limit every later allocation could fail instead.
fn lock_memory(privileges: &Privileges) -> bool {
    let unlimited =
        getrlimit(Resource::RLIMIT_MEMLOCK).is_ok_and(|(soft, _)| soft == RLIM_INFINITY);
    let permitted = privileges.caps.has(Capability::IpcLock);
    // On fault only: thread stacks and spare heap must not be populated (mlockall(2)).
    let lasting = MlockAllFlags::CURRENT | MlockAllFlags::FUTURE | MlockAllFlags::ONFAULT;
    (unlimited || permitted) && mlockall(lasting).is_ok()
}

/// A look where there is no screen: damage in a recording is said, and what is behind it is taken.
fn sample(
    source: &mut dyn Source,
    needs: &Needs,
    mut spent: Option<Arc<Snapshot>>,
) -> Result<Arc<Snapshot>, SourceError> {
    loop {
        match source.sample(needs, spent.take()) {
            Err(lost @ SourceError::Damaged { .. }) => {
                complain(0, &lost.to_string());
            }
            other => return other,
        }
    }
}

/// What a look that failed means for the looks to come.
fn failed(lost: &SourceError) -> Msg {
    match lost {
        SourceError::End => Msg::SourceLost("end of the recording".to_owned()),
        // What could not be read now may be readable again; behind damage it goes on.
        SourceError::Unreadable(_) | SourceError::Damaged { .. } => {
            Msg::SamplingFailed(lost.to_string())
        }
        other => Msg::SourceLost(other.to_string()),
    }
}
