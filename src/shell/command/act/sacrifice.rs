//! `doomtop sacrifice`: signals processes by the rule of the key X and follows them until they have exited.

use std::time::{Duration, Instant};

use super::{Run, perform, plans, preview, scene};
use crate::app::{ActingMode, Setup};
use crate::columns::human_size;
use crate::effects::Effects;
use crate::intent::{ConfirmedBy, Intent};
use crate::model::{ProcId, Process, ProcessDetail, Reading, Scene};
use crate::plan::signal::SignalPlan;
use crate::rank::freed::FreedMemory;
use crate::sample::proc_root::ProcRoot;
use crate::sample::process::stall_proof_reader::LookupAnswer;
use crate::shell::command::cli::SacrificeArgs;
use crate::shell::command_error::CommandError;
use crate::shell::exit_status::ExitStatus;
use crate::shell::worker;
use crate::shell::worker::lookup_root::LookupRoot;
use crate::source::Source;
use crate::words::freed;

/// Signals the processes, or shows what would be sent.
///
/// # Errors
/// The machine could not be read, or the lines not be written.
pub(crate) fn run(
    args: &SacrificeArgs,
    setup: &Setup,
    source: &mut dyn Source,
    effects: Box<dyn Effects>,
    run: Run,
) -> Result<ExitStatus, CommandError> {
    let scene = scene(setup, source)?;
    let plans = plans(&args.common.pids, &scene, |process| plan(process, args, setup, &scene, run));
    let format = args.common.form();
    match run {
        Run::Dry => preview(plans, format, effects, setup.acting),
        Run::Real => {
            let wait = Duration::from_millis(args.wait.0);
            perform(plans, format, effects, Some(wait).filter(|wait| !wait.is_zero()))
        }
    }
}

/// The intent with its notes, as on the screen.
fn plan(
    process: &Process,
    args: &SacrificeArgs,
    setup: &Setup,
    scene: &Scene,
    run: Run,
) -> Result<(Intent, Vec<String>), String> {
    let mut plan = match args.signal {
        Some(signal) => SignalPlan::signal(process, setup.own, scene, signal),
        None => SignalPlan::sacrifice(process, setup.own, scene),
    }?;
    // Reading these details may block, so only a dry run waits for them, and not for long. Frozen processes
    // are not thawed by the command line.
    let mut unknown = None;
    if run == Run::Dry && setup.acting == ActingMode::Rehearsal {
        match detail(process.id) {
            Some(LookupAnswer::Read(Some(detail))) => {
                plan.learn(ProcessDetail { frozen: None, ..detail }, scene);
            }
            Some(LookupAnswer::Read(None)) => {}
            _ => unknown = Some(NO_ANSWER.to_owned()),
        }
    }
    let confirmed = match plan.protected {
        None => ConfirmedBy::Plain,
        Some(_) if args.insist => ConfirmedBy::TypedPid,
        Some(why) => return Err(format!("protected: {why} (see --insist)")),
    };
    let mut notes = notes(&plan, process, scene);
    notes.extend(unknown);
    Ok((plan.intent(confirmed), notes))
}

/// What a dry run says of a process whose details cannot be read.
const NO_ANSWER: &str = "who shares its memory is not known: the process does not answer";

/// The details of a process, or that it does not answer.
fn detail(who: ProcId) -> Option<LookupAnswer<Option<ProcessDetail>>> {
    let root = ProcRoot::open("/proc").ok()?;
    let reader = worker::detail::reader(LookupRoot { root, redactor: None })?;
    reader.request([who]);
    reader.next(Instant::now() + TIMEOUT).map(|(_, answer)| answer)
}

/// Maximum time that a dry run waits for the details of a process.
const TIMEOUT: Duration = Duration::from_secs(2);

fn notes(plan: &SignalPlan, process: &Process, scene: &Scene) -> Vec<String> {
    let mut notes = Vec::new();
    if !plan.why.is_empty() {
        notes.push(plan.why.clone());
    }
    notes.extend(plan.warning.map(str::to_owned));
    if let Reading::Value(freed) = FreedMemory::of(process, scene) {
        notes.push(format!("frees about {}", freed::plain_estimate(&freed)));
        notes.extend(freed::warning(&freed, &human_size));
    }
    notes.extend(plan.also_killed.iter().cloned());
    notes.extend(plan.survivors.clone());
    notes.extend(plan.restart().map(|(_, text)| text));
    notes
}
