//! What a command starts from, beside its own arguments: setup, input, and the files that it watches.

use super::arg::PolicyArg;
use super::cli::Cli;
use super::input::{self, Input};
use crate::app::{ActingMode, Setup};
use crate::effects::{DryRun, Effects, LiveEffects, NoEffects};
use crate::model::ProcId;
use crate::policy::{self, Policy};
use crate::sample::proc_root::LiveRoot;
use crate::shell::command::act::Run;
use crate::shell::command_error::CommandError;
use crate::shell::guarded_source::ProtectionReport;
use crate::shell::stdio::complain;
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
        None => Ok((&policy::LINUX, None)),
        Some(PolicyArg::Known(policy)) => Ok((*policy, None)),
        Some(PolicyArg::Site(file)) => {
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
        let (patience, report) = match display {
            OutputKind::Screen => (setup.delay.0.min(SCREEN_PATIENCE), ProtectionReport::ByScreen),
            OutputKind::Headless => (HEADLESS_PATIENCE, ProtectionReport::OnStandardError),
        };
        let input = Input::open(cli, patience, report)?;
        if let Some(notice) = &input.protection.notice
            && display == OutputKind::Headless
        {
            complain(notice);
        }
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
        scope: cli.scope.clone().unwrap_or_default(),
        columns: cli.columns.as_ref().map(|columns| columns.0.clone()),
        filter: cli.filter.as_ref().map(|filter| filter.0.clone()).unwrap_or_default(),
        sort: cli.sort.map(|sort| sort.0),
        delay: Millis(0),
        utc_offset: utc_offset(),
        live: false,
    }
}

/// Maximum size of a file of a time zone, in bytes.
const MAX_ZONE: u64 = 1 << 20;

/// Whether `TZ` names a file that cannot be a time zone, such as a device that never ends.
fn is_bad_zone(zone: &str) -> bool {
    let path = zone.strip_prefix(':').unwrap_or(zone);
    path.starts_with('/')
        && !std::fs::metadata(path).is_ok_and(|it| it.is_file() && it.len() <= MAX_ZONE)
}

/// Seconds that local time is ahead of UTC; 0 where the time zone cannot be read.
pub(crate) fn utc_offset() -> i32 {
    if std::env::var("TZ").is_ok_and(|zone| is_bad_zone(&zone)) {
        return 0;
    }
    jiff::tz::TimeZone::system().to_offset(jiff::Timestamp::now()).seconds()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_zone_is_read_from_a_file_that_ends() {
        for bad in ["/dev/zero", ":/dev/zero", "/", ":/no/such/zone"] {
            assert!(is_bad_zone(bad), "{bad}");
        }
        let file = tempfile::NamedTempFile::new().unwrap();
        let path = file.path().to_str().unwrap();
        for good in ["", "UTC0", "Europe/Vienna", ":Europe/Vienna", path, &format!(":{path}")] {
            assert!(!is_bad_zone(good), "{good}");
        }
    }
}
