//! What a command starts from, beside its own arguments: setup, input, and the files that it watches.

use super::arg::PolicyArg;
use super::cli::Cli;
use super::input::{self, Input};
use crate::app::{ActingMode, Setup};
use crate::effects::{DryRun, Effects, LiveEffects, NoEffects};
use crate::model::ProcId;
use crate::policy::Policy;
use crate::sample::proc_root::LiveRoot;
use crate::shell::command::act::Run;
use crate::shell::command_error::CommandError;
use crate::shell::worker::site_rules::SiteRuleWatch;
use crate::source::demo_recording;
use crate::units::Millis;

/// Time between refreshes without `--delay`.
const DEFAULT_DELAY: Millis = Millis(2000);

/// Maximum time that a sample of the screen waits for a slow walk over the processes, in milliseconds. A late
/// walk is shown at the next refresh.
const SCREEN_PATIENCE: u64 = 500;
/// The same for text and JSON: their readers prefer a late sample to an old one.
const HEADLESS_PATIENCE: u64 = 3000;

/// The policy that ranks, and the watch of its file.
pub(crate) type PolicyAndWatch = (&'static dyn Policy, Option<SiteRuleWatch>);

/// Loads the policy of `--policy`.
///
/// # Errors
/// The file of a site policy is invalid.
pub(crate) fn load_policy(cli: &Cli) -> Result<PolicyAndWatch, CommandError> {
    match &cli.policy {
        PolicyArg::Known(policy) => Ok((*policy, None)),
        PolicyArg::Site(file) => {
            let (policy, watch) = SiteRuleWatch::start(file).map_err(CommandError::invalid_file)?;
            Ok((policy, Some(watch)))
        }
    }
}

/// Whether a command has a screen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum OutputKind {
    /// The full screen.
    Screen,
    /// Text, JSON or files.
    Headless,
}

/// What a command starts from.
pub(crate) struct Invocation {
    /// What the app or a report starts from.
    pub(crate) setup: Setup,
    /// Where samples come from.
    pub(crate) input: Input,
    /// The file of the policy.
    pub(crate) site_rules: Option<SiteRuleWatch>,
    /// `--delay`.
    delay: Option<Millis>,
}

impl Invocation {
    /// Opens the input.
    ///
    /// # Errors
    /// It cannot be read.
    pub(crate) fn new(
        cli: &Cli,
        display: OutputKind,
        (policy, site_rules): PolicyAndWatch,
    ) -> Result<Self, CommandError> {
        let mut setup = setup(cli, policy);
        setup.live = !input::is_recorded(cli);
        if cli.demo {
            setup.acting = ActingMode::Demo;
        }
        setup.delay =
            cli.delay.unwrap_or(if cli.demo { demo_recording::PACE } else { DEFAULT_DELAY });
        let patience = match display {
            OutputKind::Screen => setup.delay.0.min(SCREEN_PATIENCE),
            OutputKind::Headless => HEADLESS_PATIENCE,
        };
        let input = Input::open(cli, patience)?;
        Ok(Self { setup, input, site_rules, delay: cli.delay })
    }

    /// Time between samples without a screen. A recording is read as fast as possible, unless `--delay` is
    /// given.
    pub(crate) fn headless_delay(&self) -> Millis {
        if self.setup.live { self.setup.delay } else { self.delay.unwrap_or(Millis(0)) }
    }

    /// What may change the system: the kernel's own interfaces only where the tree is proven to be live.
    ///
    /// # Errors
    /// The tree cannot be opened any more.
    pub(crate) fn effects(&mut self, cli: &Cli) -> Result<Box<dyn Effects>, CommandError> {
        let Some(root) = self.input.root()? else {
            return Ok(Box::new(NoEffects::NotLive));
        };
        self.setup.own = self.input.own_id()?;
        let (acting, effects): (_, Box<dyn Effects>) = match LiveRoot::prove(root) {
            Ok(_) if cli.read_only || cli.redact.is_some() => {
                (ActingMode::ReadOnly, Box::new(NoEffects::ReadOnly))
            }
            Ok(root) if run(cli) == Run::Dry => {
                (ActingMode::Rehearsal, Box::new(DryRun::new(root)))
            }
            Ok(root) => (ActingMode::Free, Box::new(LiveEffects::new(root))),
            Err(_) => (ActingMode::Elsewhere, Box::new(NoEffects::NotLive)),
        };
        self.setup.acting = acting;
        Ok(effects)
    }
}

/// Whether acts are carried out. `--dry-run` means the same before a subcommand and after it.
pub(crate) fn run(cli: &Cli) -> Run {
    use super::cli::Command;
    let of_command = match &cli.command {
        Some(Command::Set(args)) => args.common.dry_run,
        Some(Command::Sacrifice(args)) => args.common.dry_run,
        _ => false,
    };
    if cli.dry_run || of_command { Run::Dry } else { Run::Real }
}

/// The setup for what is not a live machine, and where nothing can be acted on.
pub(crate) fn setup(cli: &Cli, policy: &'static dyn Policy) -> Setup {
    Setup {
        own: ProcId::default(),
        acting: ActingMode::NotReal,
        policy,
        scope: cli.scope.clone(),
        columns: cli.columns.as_ref().map(|columns| columns.0.clone()),
        filter: cli.filter.as_ref().map(|filter| filter.0.clone()).unwrap_or_default(),
        sort: cli.sort.map(|sort| sort.0),
        delay: Millis(0),
        utc_offset: utc_offset(),
        live: false,
    }
}

/// Seconds that local time is ahead of UTC.
pub(crate) fn utc_offset() -> i32 {
    jiff::tz::TimeZone::system().to_offset(jiff::Timestamp::now()).seconds()
}
