//! The loop that joins the rooms: command line, terminal, input, signals, pacing.

pub mod cli;

mod acts;
mod batch;
mod explain;
mod http;
mod input;
mod metrics;
mod policies;
mod record;
mod rules;
mod sampler;
mod selfcheck;
mod signals;
mod slow;
mod sticky;
mod terminal;
mod tui;
mod written;

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufRead, BufReader, IsTerminal, Write};
use std::path::Path;
use std::process::ExitCode;

use nix::sys::resource::{RLIM_INFINITY, Resource, getrlimit};
use rustix::mm::{MlockAllFlags, mlockall};

use crate::app::{Acting, Msg, Setup};
use crate::effects::{Effects, KernelHands, Refuse, Rehearse};
use crate::model::{Capability, Powers, ProcId};
use crate::policy::{self, Policy};
use crate::sample::detail;
use crate::sample::root::{LiveRoot, ProcRoot};
use crate::source::{Live, Lost, Patience, Recording, Source};
use crate::units::Millis;

use cli::{Cli, Command, PolicyArg, PolicyCommand, RulesCommand};

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
    let screen = !cli.batch && !cli.json && !cli.self_check && cli.command.is_none();
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
        Some(Command::Policy { what: PolicyCommand::Facts }) => return policies::facts(),
        Some(Command::Policy { what: PolicyCommand::Check { file } }) => {
            match rules::compile(file) {
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
        PolicyArg::Site(file) => match rules::load(file) {
            Ok((site, watch)) => (site, Some(watch)),
            Err(wrong) => return Ok(complain_all(&wrong)),
        },
    };
    if let Some(Command::Explain(order)) = &cli.command {
        // `linux` is the running kernel; a log is judged by the rule of its own.
        return explain::run(order, Some(policy).filter(|policy| policy.id() != "linux"));
    }
    let sticky = match cli.adj_rules.as_deref().map(sticky::load) {
        None => None,
        Some(Ok(loaded)) => Some(loaded),
        Some(Err(wrong)) => return Ok(complain_all(&wrong)),
    };
    let recorded = cli.from.is_some();
    let mut setup = Setup {
        own: ProcId::default(),
        acting: Acting::NotReal,
        policy,
        scope: cli.scope.clone(),
        columns: cli.columns.as_ref().map(|columns| columns.0.clone()),
        filter: cli.filter.as_ref().map(|filter| filter.0.clone()).unwrap_or_default(),
        sort: cli.sort.map(|sort| sort.0),
        delay: cli.delay.unwrap_or(DELAY),
        utc_offset: utc_offset(),
        live: !recorded,
    };
    if let Some(from) = &cli.from {
        let source = open_recording(from)?;
        return if let Some((file, rule)) = checked {
            policies::check(&setup, Box::new(source), file, rule)
        } else if let Some(Command::Record(order)) = &cli.command {
            record::run(order, Millis(0), &setup, Box::new(source), BTreeMap::new())
        } else if let Some(Command::Metrics(order)) = &cli.command {
            // A recording is told as fast as it is read, unless a pace is asked for.
            let delay = order.delay.or(cli.delay).unwrap_or(Millis(0));
            metrics::run(order, delay, &setup, Box::new(source), None, watch)
        } else if let Some(command) = &cli.command {
            let hands = Box::new(Refuse::NotReal);
            carry_out(command, &setup, Box::new(source), hands, is_dry(cli))
        } else if cli.self_check {
            selfcheck::run(cli, &setup, Box::new(source))
        } else if screen {
            tui::run(cli, setup, Box::new(source), Box::new(Refuse::NotReal), None, watch, sticky)
        } else {
            batch::run(cli, &setup, Box::new(source), None, watch)
        };
    }
    let open = || ProcRoot::open(&cli.proc).map_err(|unreadable| unreadable.to_string());
    let root = open()?;
    let patience = if screen { setup.delay.0.min(PATIENCE) } else { PATIENCE_OF_PIPES };
    let mut live =
        Live::start(root, Patience::Millis(patience)).map_err(|lost| lost.to_string())?;
    live.memory_locked(lock_memory(&live.powers()));
    if let Some((file, rule)) = checked {
        return policies::check(&setup, Box::new(live), file, rule);
    }
    if let Some(Command::Record(order)) = &cli.command {
        let delay = order.delay.or(cli.delay).unwrap_or(DELAY);
        return record::run(order, delay, &setup, Box::new(live), detail::user_names());
    }
    if let Some(Command::Metrics(order)) = &cli.command {
        let delay = order.delay.or(cli.delay).unwrap_or(DELAY);
        return metrics::run(order, delay, &setup, Box::new(live), Some(open()?), watch);
    }
    if cli.self_check {
        return selfcheck::run(cli, &setup, Box::new(live));
    }
    if !screen && cli.command.is_none() {
        return batch::run(cli, &setup, Box::new(live), Some(open()?), watch);
    }
    setup.own = detail::own_id(&open()?).unwrap_or_default();
    let hands = hands(cli, &mut setup, open()?);
    if let Some(command) = &cli.command {
        return carry_out(command, &setup, Box::new(live), hands, is_dry(cli));
    }
    tui::run(cli, setup, Box::new(live), hands, Some([open()?, open()?, open()?]), watch, sticky)
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
        Ok(_) if cli.read_only => {
            setup.acting = Acting::ReadOnly;
            Box::new(Refuse::ReadOnly)
        }
        Ok(root) if is_dry(cli) => {
            setup.acting = Acting::Rehearsal;
            Box::new(Rehearse::new(root))
        }
        Ok(root) => {
            setup.acting = Acting::Free;
            Box::new(KernelHands::new(root))
        }
        Err(_) => {
            setup.acting = Acting::Elsewhere;
            Box::new(Refuse::NotReal)
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
        Command::Set(order) => acts::set(order, setup, source, hands, dry),
        Command::Sacrifice(order) => acts::sacrifice(order, setup, source, hands, dry),
        Command::Rules { what: RulesCommand::Check { file } } => match sticky::compile(file) {
            Ok((rules, _)) => sticky::check(setup, source, file, &rules),
            Err(wrong) => Ok(complain_all(&wrong)),
        },
        // The others were carried out before it came to hands.
        _ => policies::list(setup, source),
    }
}

fn open_recording(from: &Path) -> Result<Recording, String> {
    if from == Path::new("-") {
        return Ok(Recording::open(Box::new(BufReader::new(io::stdin())), "standard input"));
    }
    let name = from.display().to_string();
    let file = File::open(from).map_err(|error| format!("{name}: {error}"))?;
    if file.metadata().is_ok_and(|about| about.is_dir()) {
        return Err(format!("{name}: this is a folder, not a file of JSON lines"));
    }
    let reader: Box<dyn BufRead + Send> = Box::new(BufReader::new(file));
    Ok(Recording::open(reader, &name))
}

/// Seconds that local time is ahead of UTC.
fn utc_offset() -> i32 {
    jiff::tz::TimeZone::system().to_offset(jiff::Timestamp::now()).seconds()
}

/// Keeps doomtop's pages in memory as they are touched, so that it runs when memory is gone. Only
/// with the right to lock without limit: within a limit every later allocation could fail instead.
fn lock_memory(powers: &Powers) -> bool {
    let unlimited =
        getrlimit(Resource::RLIMIT_MEMLOCK).is_ok_and(|(soft, _)| soft == RLIM_INFINITY);
    let permitted = powers.caps.has(Capability::IpcLock);
    // On fault only: thread stacks and spare heap must not be populated (mlockall(2)).
    let lasting = MlockAllFlags::CURRENT | MlockAllFlags::FUTURE | MlockAllFlags::ONFAULT;
    (unlimited || permitted) && mlockall(lasting).is_ok()
}

/// What a look that failed means for the looks to come.
fn failed(lost: &Lost) -> Msg {
    match lost {
        Lost::End => Msg::Lost("end of the recording".to_owned()),
        // What could not be read now may be readable again.
        Lost::Unreadable(_) => Msg::Missed(lost.to_string()),
        other => Msg::Lost(other.to_string()),
    }
}
