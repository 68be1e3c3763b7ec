//! `doomtop sacrifice`: signals processes by the rule of the key X and follows them until they have exited.

use std::time::Duration;

use super::{Run, perform, plans, preview, scene};
use crate::app::{ActingMode, Setup};
use crate::columns::human_size;
use crate::effects::Effects;
use crate::intent::{ConfirmedBy, Intent};
use crate::model::{Process, ProcessDetail, Reading, Scene};
use crate::plan::signal::SignalPlan;
use crate::sample::proc_root::ProcRoot;
use crate::sample::process::detail;
use crate::shell::command::cli::SacrificeArgs;
use crate::shell::command_error::CommandError;
use crate::shell::exit_status::ExitStatus;
use crate::source::Source;

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
    // Reading these details may block, so only a dry run waits for them. Frozen processes are not thawed by
    // the command line.
    if run == Run::Dry
        && setup.acting == ActingMode::Rehearsal
        && let Some(detail) =
            ProcRoot::open("/proc").ok().and_then(|root| detail::detail(&root, process.id))
    {
        plan.learn(ProcessDetail { frozen: None, ..detail }, scene);
    }
    let confirmed = match plan.protected {
        None => ConfirmedBy::Plain,
        Some(_) if args.insist => ConfirmedBy::TypedPid,
        Some(why) => return Err(format!("protected: {why} (see --insist)")),
    };
    Ok((plan.intent(confirmed), notes(&plan, process, scene)))
}

fn notes(plan: &SignalPlan, process: &Process, scene: &Scene) -> Vec<String> {
    let mut notes = Vec::new();
    if !plan.why.is_empty() {
        notes.push(plan.why.clone());
    }
    notes.extend(plan.warning.map(str::to_owned));
    if let Reading::Value(pages) = process.private() {
        let size = human_size(pages.bytes(scene.machine().page_size));
        notes.push(format!("frees about {size} (estimate)"));
    }
    notes.extend(plan.also_killed.iter().cloned());
    notes.extend(plan.survivors.clone());
    notes.extend(plan.restart().map(|(_, text)| text));
    notes
}
