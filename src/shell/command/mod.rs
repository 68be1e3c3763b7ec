//! The command line: which command runs, and one file for each. What the commands share lies below them:
//! arguments, input, invocation, the loop without a screen.

pub(crate) mod act;
pub mod arg;
pub(crate) mod batch;
pub mod cli;
pub(crate) mod explain;
pub(crate) mod headless;
pub(crate) mod input;
pub(crate) mod invocation;
pub(crate) mod metrics;
pub(crate) mod policies;
pub(crate) mod policy_check;
pub(crate) mod record;
mod recording_notes;
mod recording_progress;
pub(crate) mod rules_check;
pub(crate) mod sampling;
pub(crate) mod screen;
pub(crate) mod self_check;

use std::io::{self, IsTerminal};

use self::cli::{Cli, Command, PolicyCommand, RulesCommand};
use self::invocation::{Invocation, OutputKind};
use super::command_error::CommandError;
use super::exit_status::ExitStatus;
use super::rule_file::compile_policy;
use super::stdio;
use super::worker::adj_rules::AdjRulesWatch;
use crate::policy;

/// Runs the command that the command line names.
///
/// # Errors
/// Why it failed.
pub(crate) fn run(cli: &Cli) -> Result<ExitStatus, CommandError> {
    let display = display(cli);
    check_usage(cli, display)?;
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
        Some(Command::Explain(args)) => explain::run(args, cli, invocation::load_policy(cli)?),
        _ => run_on_input(cli, display),
    }
}

/// Runs a command that takes samples from a machine or a recording.
fn run_on_input(cli: &Cli, display: OutputKind) -> Result<ExitStatus, CommandError> {
    let policy = invocation::load_policy(cli)?;
    let adj_rules = cli.adj_rules.as_deref().map(AdjRulesWatch::start).transpose();
    let adj_rules = adj_rules.map_err(CommandError::invalid_file)?;
    let mut invocation = Invocation::new(cli, display, policy)?;
    match &cli.command {
        Some(Command::Record(args)) => record::run(args, invocation),
        Some(Command::Metrics(args)) => metrics::run(args, invocation),
        _ if cli.self_check => self_check::run(cli, invocation),
        _ if display == OutputKind::Screen => screen::run(cli, invocation, adj_rules),
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

/// Whether a command shows the screen.
fn display(cli: &Cli) -> OutputKind {
    let has_screen = match &cli.command {
        None | Some(Command::Replay(_)) => !is_quiet(cli),
        Some(Command::Explain(args)) => args.screen && !is_quiet(cli),
        Some(_) => false,
    };
    if has_screen { OutputKind::Screen } else { OutputKind::Headless }
}

const fn is_quiet(cli: &Cli) -> bool {
    cli.batch || cli.json || cli.self_check
}

/// What clap cannot check: flags of doomtop that do not fit a subcommand or the place where it runs.
fn check_usage(cli: &Cli, display: OutputKind) -> Result<(), CommandError> {
    let has_screen = display == OutputKind::Screen;
    match &cli.command {
        Some(Command::Replay(_)) if is_quiet(cli) || cli.from.is_some() => {
            Err(CommandError::usage("replay needs the screen")
                .hint("without a screen use --from FILE with -b or --json"))
        }
        _ if has_screen && !io::stdout().is_terminal() => {
            Err(CommandError::usage("standard output is not a terminal")
                .hint("use --batch (-b) or --json"))
        }
        _ if has_screen && cli.iterations.is_some() => {
            Err(CommandError::usage("-n counts the refreshes of --batch or --json")
                .hint("on the screen q quits"))
        }
        _ if cli.protect && (cli.read_only || cli.dry_run) => {
            Err(CommandError::usage("--protect changes oom_score_adj of doomtop itself")
                .hint("it cannot be combined with --read-only or --dry-run"))
        }
        Some(Command::Explain(_)) if cli.redact.is_some() => Err(CommandError::usage(
            "explain shows the names in the log as they are: --redact cannot replace them",
        )),
        Some(Command::Set(_) | Command::Sacrifice(_)) if cli.redact.is_some() => {
            Err(CommandError::usage("--redact does not allow acts on processes"))
        }
        _ => Ok(()),
    }
}
