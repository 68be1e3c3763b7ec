//! The command line: which command runs, and one file for each. What the commands share lies below them:
//! arguments, input, invocation, the loop without a screen.

pub(crate) mod act;
pub mod arg;
pub(crate) mod batch;
pub mod cli;
pub(crate) mod compare;
pub mod config;
pub(crate) mod doctor;
pub mod documents;
pub(crate) mod explain;
pub(crate) mod fits;
pub(crate) mod headless;
pub(crate) mod input;
pub(crate) mod invocation;
pub(crate) mod metrics;
pub(crate) mod plain;
pub(crate) mod policies;
pub(crate) mod policy_check;
pub(crate) mod record;
pub(crate) mod rules_check;
pub mod run;
pub(crate) mod sampling;
pub(crate) mod screen;
pub(crate) mod self_check;
pub mod version;

use std::io::{self, IsTerminal};
use std::path::{Path, PathBuf};

use self::cli::{Cli, Command, PolicyCommand, RulesCommand};
use self::config::apply::{check_forbidden, load, with_config};
use self::invocation::{Invocation, OutputKind};
use self::record::find;
use super::command_error::CommandError;
use super::config_file::trust;
use super::date;
use super::debug_log::{self, LogLevel};
use super::exit_status::ExitStatus;
use super::rule_file::compile_policy;
use super::stdio;
use super::worker::adj_rules::AdjRulesWatch;
use crate::policy;
use crate::rows::time::{named_span, parse_time};
use crate::units::Millis;

/// Runs the command that the command line names.
///
/// # Errors
/// Why it failed.
pub(crate) fn run(cli: &Cli) -> Result<ExitStatus, CommandError> {
    let display = display(cli);
    check_usage(cli, display)?;
    match &cli.command {
        // What helps with a broken settings file does not read it.
        Some(Command::Config { what }) => return config::run(cli, what),
        Some(Command::Doctor { json }) => return doctor::run(cli, *json),
        Some(Command::Man { page }) => return documents::man(page),
        Some(Command::Completions { shell }) => return documents::completions(*shell),
        _ => {}
    }
    let mut cli = with_config(cli, load(cli)?, display);
    find_recording(&mut cli)?;
    let cli = &cli;
    for warning in &cli.config.warnings {
        stdio::complain(warning);
    }
    check_forbidden(cli)?;
    start_log(cli)?;
    match &cli.command {
        Some(Command::Policy { what: PolicyCommand::Facts }) => {
            stdio::print(&policy::site::table()).map(|()| ExitStatus::Success)
        }
        Some(Command::Policy { what: PolicyCommand::Check { file } }) => {
            let (rule, _) = compile_policy(file).map_err(CommandError::invalid_file)?;
            // The policy of --policy is not used, and its file not read.
            let invocation = Invocation::new(cli, display, (&policy::LINUX, None))?;
            policy_check::run(file, rule, invocation)
        }
        Some(Command::Compare(args)) => compare::run(args, cli),
        Some(Command::Explain(args)) => explain::run(args, cli, invocation::load_policy(cli)?),
        _ => run_on_input(cli, display),
    }
}

/// Runs a command that takes samples from a machine or a recording.
fn run_on_input(cli: &Cli, display: OutputKind) -> Result<ExitStatus, CommandError> {
    let policy = invocation::load_policy(cli)?;
    let adj_rules = config_rules(cli)?.map(AdjRulesWatch::start).transpose();
    let adj_rules = adj_rules.map_err(CommandError::invalid_file)?;
    let mut invocation = Invocation::new(cli, display, policy)?;
    match &cli.command {
        Some(Command::Record(args)) => record::run(args, invocation),
        Some(Command::Run(args)) => run::run(args, cli, invocation),
        Some(Command::SearchLimit(args)) => run::search::run(args, cli, invocation),
        Some(Command::Metrics(args)) => metrics::run(args, invocation),
        Some(Command::Fits(args)) => fits::run(args, cli, invocation),
        _ if cli.self_check => self_check::run(cli, invocation),
        None if cli.plain => plain::run(cli, invocation),
        _ if display == OutputKind::Screen => {
            screen::run(cli, invocation, adj_rules).map(|end| end.status)
        }
        Some(Command::Set(args)) => {
            let effects = invocation.effects(cli)?;
            let Invocation { setup, mut input, .. } = invocation;
            act::set::run(args, &setup, input.source.as_mut(), effects, invocation::run(cli))
        }
        Some(Command::Sacrifice(args)) => {
            let effects = invocation.effects(cli)?;
            let Invocation { setup, mut input, .. } = invocation;
            let source = input.source.as_mut();
            act::sacrifice::run(args, &setup, source, effects, invocation::run(cli))
        }
        Some(Command::Rules { what: RulesCommand::Check { file } }) => {
            rules_check::run(file, invocation)
        }
        Some(Command::Policies) => policies::run(invocation),
        // The others were run before.
        _ => batch::run(cli, invocation),
    }
}

/// Begins the debug log, where one is asked for.
fn start_log(cli: &Cli) -> Result<(), CommandError> {
    let set = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
    let (variable, named) = (set("DOOMTOP_LOG"), set("DOOMTOP_LOG_LEVEL"));
    // As other programs have it, the variable may hold a level alone.
    let level_alone = variable.as_ref().and_then(|it| LogLevel::named(&it.to_string_lossy()));
    let path =
        cli.log.clone().or_else(|| variable.map(PathBuf::from).filter(|_| level_alone.is_none()));
    let Some(path) = path else {
        if level_alone.is_some() {
            stdio::complain(
                "no debug log: DOOMTOP_LOG is only a level; name a file with --log FILE",
            );
        }
        return Ok(());
    };
    if cli.config.forbids_writing {
        stdio::complain(
            "no debug log: read_only = true in /etc/doomtop/config.toml forbids writing files",
        );
        return Ok(());
    }
    let level = match (cli.log_level.or(level_alone), named) {
        (Some(level), _) => level,
        (None, None) => LogLevel::default(),
        (None, Some(name)) => LogLevel::named(&name.to_string_lossy()).ok_or_else(|| {
            CommandError::usage("DOOMTOP_LOG_LEVEL: expected error, warn, info or debug")
        })?,
    };
    debug_log::start(&path, level)
        .map_err(|error| CommandError::failure(format!("{}: {error}", path.display())))?;
    debug_log::info("start", &format!("doomtop {}, pid {}", version::VERSION, std::process::id()));
    for file in &cli.config.files {
        debug_log::info("settings", &format!("read {}", file.display()));
    }
    for warning in &cli.config.warnings {
        debug_log::warn("settings", warning);
    }
    Ok(())
}

/// Finds the recording that a replay of a directory plays: by its date, or the newest.
fn find_recording(cli: &mut Cli) -> Result<(), CommandError> {
    let Some(Command::Replay(args)) = &mut cli.command else { return Ok(()) };
    let folder = args.file.clone().unwrap_or_else(|| find::ARCHIVE.into());
    if args.file.is_some() && !folder.is_dir() {
        return Ok(());
    }
    args.file = Some(match args.at.as_deref() {
        None => find::newest(&folder)?,
        Some(at) => {
            let now = jiff::Timestamp::now().as_millisecond();
            let ago = || parse_time(at, now, invocation::utc_offset()).ok();
            // Of a time of the day that is the end of its first second.
            let of_day = || Some(now.saturating_sub_unsigned(ago()?.0));
            let span = named_span(at);
            let back = if span > Millis::ZERO { 999 } else { 0 };
            let from = date::unix_ms(at).or_else(|| Some(of_day()? - back)).unwrap_or(now);
            let found = find::find(&folder, from, span)?;
            args.part = Some(found.part);
            found.path
        }
    });
    Ok(())
}

/// The file of adj rules. One that a settings file names must be as safe as that file.
fn config_rules(cli: &Cli) -> Result<Option<&Path>, CommandError> {
    let Some(file) = cli.adj_rules.as_deref() else { return Ok(None) };
    if cli.config.adj_rules.as_deref() == Some(file)
        && let Err(why) = trust::check(file)
    {
        let file = file.display();
        return Err(CommandError::invalid_file(vec![format!(
            "{file}: adj_rules is ignored: {why}"
        )])
        .hint("--adj-rules FILE uses the file anyway"));
    }
    Ok(Some(file))
}

/// Whether a command shows the screen.
fn display(cli: &Cli) -> OutputKind {
    let has_screen = match &cli.command {
        None | Some(Command::Replay(_)) => !is_quiet(cli),
        Some(Command::Explain(args)) => args.screen && !is_quiet(cli),
        Some(Command::Run(args)) => run::has_screen(args) && !cli.dry_run,
        Some(_) => false,
    };
    if has_screen { OutputKind::Screen } else { OutputKind::Headless }
}

const fn is_quiet(cli: &Cli) -> bool {
    cli.batch || cli.json || cli.self_check || cli.plain
}

/// What clap cannot check: flags of doomtop that do not fit a subcommand or the place where it runs.
fn check_usage(cli: &Cli, display: OutputKind) -> Result<(), CommandError> {
    let has_screen = display == OutputKind::Screen;
    match &cli.command {
        Some(Command::Replay(_)) if is_quiet(cli) || cli.from.is_some() => {
            Err(CommandError::usage("replay needs the screen")
                .hint("without a screen use --from FILE with -b, --json or --plain"))
        }
        _ if has_screen && !io::stdout().is_terminal() => {
            Err(CommandError::usage("standard output is not a terminal")
                .hint("use --batch (-b) or --json, or --plain"))
        }
        _ if has_screen && cli.iterations.is_some() => {
            Err(CommandError::usage("-n counts the refreshes of --batch, --json or --plain")
                .hint("on the screen q quits"))
        }
        _ if cli.protect && (cli.read_only || cli.dry_run) => {
            Err(CommandError::usage("--protect changes oom_score_adj of doomtop itself")
                .hint("it cannot be combined with --read-only or --dry-run"))
        }
        Some(Command::Explain(_)) if cli.redact.is_some() => Err(CommandError::usage(
            "explain shows the names in the log as they are: --redact cannot replace them",
        )),
        Some(Command::Run(_) | Command::SearchLimit(_)) if cli.redact.is_some() => {
            Err(CommandError::usage(
                "a command that is run keeps the name of its cgroup: --redact cannot replace it",
            )
            .hint("redact the recording: doomtop --redact --from FILE record NEW"))
        }
        Some(Command::Run(_) | Command::SearchLimit(_)) if cli.from.is_some() || cli.demo => Err(
            CommandError::usage("run and search-limit cannot be combined with --from or --demo"),
        ),
        Some(Command::Set(_) | Command::Sacrifice(_)) if cli.redact.is_some() => {
            Err(CommandError::usage("--redact does not allow acts on processes"))
        }
        _ => Ok(()),
    }
}
