//! What `doomtop set` and `doomtop sacrifice` share: each named process is found in one sample, planned with
//! the dialogs of the screen, and acted on only as it was seen there.

pub(crate) mod sacrifice;
pub(crate) mod set;

use std::collections::{BTreeMap, HashSet};
use std::io::{self, BufWriter, Write};
use std::thread;
use std::time::{Duration, Instant};

use super::arg::TargetArg;
use super::sampling;
use crate::app::{ActingMode, Setup};
use crate::effects::Effects;
use crate::intent::{Intent, Outcome, Refusal};
use crate::model::{Needs, ProcId, Process, Scene, Signal};
use crate::report::outcomes::{self, ReportFormat};
use crate::shell::command_error::CommandError;
use crate::shell::exit_status::ExitStatus;
use crate::shell::{debug_log, stdio};
use crate::source::Source;
use crate::units::Millis;

/// Whether acts are carried out or only shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Run {
    /// Carried out.
    Real,
    /// `--dry-run`.
    Dry,
}

/// What is planned for one process.
enum Plan<'a> {
    /// This intent, with notes about what it would do.
    Act(Intent, Vec<String>),
    /// Nothing, and why.
    Refuse(&'a TargetArg, Option<&'a Process>, String),
}

/// The scene that processes are looked up in.
fn scene(setup: &Setup, source: &mut dyn Source) -> Result<Scene, CommandError> {
    let needs = Needs { cmdline: false, ..Needs::everything() };
    Ok(Scene::scoped(sampling::only(source, &needs)?, None, setup.scope.clone()))
}

/// The plan for each named process.
fn plans<'a>(
    named: &'a [TargetArg],
    scene: &'a Scene,
    plan: impl Fn(&Process) -> Result<(Intent, Vec<String>), String>,
) -> impl Iterator<Item = Plan<'a>> {
    named.iter().map(move |target| match find(target, scene) {
        Err(why) => Plan::Refuse(target, None, why),
        Ok(process) => match plan(process) {
            Ok((intent, notes)) => Plan::Act(intent, notes),
            Err(why) => Plan::Refuse(target, Some(process), why),
        },
    })
}

/// The named process.
fn find<'a>(target: &TargetArg, scene: &'a Scene) -> Result<&'a Process, String> {
    let now = scene.now();
    let found = now.position(target.pid).map(|at| &now.processes[at]);
    let process = found.ok_or_else(|| "no such process".to_owned())?;
    match target.born {
        Some(born) if born != process.id.born => Err(format!(
            "its pid belongs to another process now (started at tick {}, not {}); nothing was done",
            process.id.born.0, born.0
        )),
        _ => Ok(process),
    }
}

/// Prints what would be done, and does nothing. On a live machine each act is checked first.
fn preview<'a>(
    plans: impl Iterator<Item = Plan<'a>>,
    format: ReportFormat,
    mut effects: Box<dyn Effects>,
    acting: ActingMode,
) -> Result<ExitStatus, CommandError> {
    let mut out = BufWriter::new(io::stdout().lock());
    let mut status = ExitStatus::Success;
    let mut seen = HashSet::new();
    let write = || {
        for plan in plans {
            match plan {
                Plan::Act(intent, _) if intent.who().is_some_and(|who| !seen.insert(who)) => {}
                Plan::Act(intent, notes) if acting == ActingMode::Rehearsal => {
                    let outcome = effects.perform(intent);
                    debug_log::act(&outcome);
                    if is_refused(&outcome) {
                        status = ExitStatus::Refused;
                    }
                    outcomes::write_rehearsed(&mut out, &outcome, &notes, format)?;
                }
                Plan::Act(intent, notes) => {
                    outcomes::write_plan(&mut out, &intent, &notes, format)?;
                }
                Plan::Refuse(target, process, why) => {
                    status = ExitStatus::Refused;
                    write_refusal(&mut out, target, process, &why, format)?;
                }
            }
        }
        out.flush()
    };
    stdio::written(write()).map(|()| status)
}

fn write_refusal(
    out: &mut dyn Write,
    target: &TargetArg,
    process: Option<&Process>,
    why: &str,
    format: ReportFormat,
) -> io::Result<()> {
    let name = process.map(|process| process.comm.to_string());
    debug_log::warn("act", &format!("{} {}: {why}", target.pid, name.as_deref().unwrap_or("?")));
    outcomes::write_refused(out, target.pid, name.as_deref(), why, format)
}

/// Whether an act was refused or failed. A signal to a process that has exited already is no failure.
const fn is_refused(outcome: &Outcome) -> bool {
    match outcome {
        Outcome::Refused { intent: Intent::Signal { .. }, refusal: Refusal::Gone } => false,
        Outcome::Refused { .. } => true,
        _ => false,
    }
}

/// Carries out the plans, prints what came of each, and follows signalled processes to their end for as long
/// as `wait`.
fn perform<'a>(
    plans: impl Iterator<Item = Plan<'a>>,
    format: ReportFormat,
    effects: Box<dyn Effects>,
    wait: Option<Duration>,
) -> Result<ExitStatus, CommandError> {
    let lines = Lines { out: io::stdout().lock(), format, result: Ok(()) };
    let mut acts = Acts { effects, lines, refused: false, signalled: BTreeMap::new() };
    // All are planned before the first is acted on.
    let plans: Vec<Plan<'a>> = plans.collect();
    acts.perform(plans);
    let still_running = wait.is_some_and(|wait| acts.follow(wait));
    // What was done stays done, whoever could not read of it.
    if let Err(error) = stdio::written(acts.lines.result) {
        error.lines().iter().for_each(|line| stdio::complain(line));
    }
    Ok(match (acts.refused, still_running) {
        (true, _) => ExitStatus::Refused,
        (false, true) => ExitStatus::StillRunning,
        (false, false) => ExitStatus::Success,
    })
}

/// The lines on standard output. A reader that closes the pipe stops the lines, but not the acts.
struct Lines {
    out: io::StdoutLock<'static>,
    format: ReportFormat,
    /// The first failure.
    result: io::Result<()>,
}

impl Lines {
    fn outcome(&mut self, outcome: &Outcome) {
        debug_log::act(outcome);
        let written = outcomes::write_outcome(&mut self.out, outcome, self.format);
        self.note(written);
    }

    fn refusal(&mut self, target: &TargetArg, process: Option<&Process>, why: &str) {
        let written = write_refusal(&mut self.out, target, process, why, self.format);
        self.note(written);
    }

    fn note(&mut self, written: io::Result<()>) {
        if self.result.is_ok() {
            self.result = written;
        }
    }
}

/// Acts that are carried out.
struct Acts {
    effects: Box<dyn Effects>,
    lines: Lines,
    /// At least one act was refused or failed.
    refused: bool,
    /// Processes that were signalled and have not exited yet, as far as is known.
    signalled: BTreeMap<ProcId, (String, Signal)>,
}

impl Acts {
    fn perform(&mut self, plans: Vec<Plan<'_>>) {
        let mut done = HashSet::new();
        for plan in plans {
            match plan {
                // Named twice.
                Plan::Act(intent, _) if intent.who().is_some_and(|who| !done.insert(who)) => {}
                Plan::Act(intent, _) => {
                    let outcome = self.effects.perform(intent);
                    self.refused |= is_refused(&outcome);
                    self.lines.outcome(&outcome);
                    if let Outcome::Signalled { who, name, signal, .. } = outcome {
                        self.signalled.insert(who, (name, signal));
                    }
                }
                Plan::Refuse(target, process, why) => {
                    self.refused = true;
                    self.lines.refusal(target, process, &why);
                }
            }
        }
    }

    /// Follows the signalled processes. Returns whether one is still running when the time is over.
    fn follow(&mut self, wait: Duration) -> bool {
        let end = Instant::now() + wait;
        while self.effects.has_pending() {
            for outcome in self.effects.settle() {
                if let Outcome::Exited { who, .. } = &outcome {
                    self.signalled.remove(who);
                }
                self.lines.outcome(&outcome);
            }
            let now = Instant::now();
            if now >= end || !self.effects.has_pending() {
                break;
            }
            thread::sleep(self.effects.pace().unwrap_or_default().min(end - now));
        }
        if !self.effects.has_pending() {
            return false;
        }
        let after = Millis(u64::try_from(wait.as_millis()).unwrap_or(u64::MAX));
        for (who, (name, signal)) in std::mem::take(&mut self.signalled) {
            let why = "the time to wait is over; no stronger signal is sent by itself".to_owned();
            self.lines.outcome(&Outcome::StillThere { who, name, signal, after, why });
        }
        true
    }
}
