//! `doomtop set` and `doomtop sacrifice`: the acts of the screen for scripts, by the same hands. Each
//! process is looked at first, and only the one that was seen then can be hit.

use std::collections::{BTreeMap, HashSet};
use std::io::{self, BufWriter, Write};
use std::thread;
use std::time::{Duration, Instant};

use crate::app::{ActingMode, Setup};
use crate::columns::human_size;
use crate::effects::Effects;
use crate::intent::{ConfirmedBy, Intent, Outcome, Refusal};
use crate::model::{Needs, Process, ProcessDetail, Reading, Scene};
use crate::plan::preview::Previews;
use crate::plan::rights::{AffectedKin, WriteRights};
use crate::plan::signal::SignalPlan;
use crate::rank::Ranking;
use crate::report::outcomes;
use crate::report::outcomes::ReportFormat;
use crate::sample::proc_root::ProcRoot;
use crate::sample::process::detail;
use crate::shell::command::cli::{SacrificeArgs, SetArgs, TargetArg};
use crate::source::Source;
use crate::units::{Adj, Millis};

/// Something was refused: at least one of the named processes was not acted on as asked.
pub(crate) const REFUSED: u8 = 4;
/// A signalled process still stood when the time to wait was over.
pub(crate) const STANDS: u8 = 5;

/// What is asked of one process.
enum Plan<'a> {
    /// This, and what there is to know before it.
    Act(Intent, Vec<String>),
    /// Nothing, and why.
    Leave(&'a TargetArg, Option<&'a Process>, String),
}

/// Writes values of adj; `dry` says only what would be.
pub(crate) fn set(
    order: &SetArgs,
    setup: &Setup,
    source: Box<dyn Source>,
    hands: Box<dyn Effects>,
    dry: bool,
) -> Result<u8, String> {
    let scene = sample(setup, source)?;
    let ranking = Ranking::new(setup.policy, &scene);
    let plans = plans(&order.common.pids, &scene, |process| {
        plan_set(process, order.value(), setup, &scene, &ranking)
    });
    let form = order.common.form();
    if dry { foretell(plans, form, hands, setup.acting) } else { perform(plans, form, hands, None) }
}

/// Sacrifices by the rule of the screen; `dry` says only what would be.
pub(crate) fn sacrifice(
    order: &SacrificeArgs,
    setup: &Setup,
    source: Box<dyn Source>,
    hands: Box<dyn Effects>,
    dry: bool,
) -> Result<u8, String> {
    let scene = sample(setup, source)?;
    let plans = plans(&order.common.pids, &scene, |process| {
        plan_sacrifice(process, order, setup, &scene, dry)
    });
    let form = order.common.form();
    if dry {
        foretell(plans, form, hands, setup.acting)
    } else {
        let wait = Duration::from_millis(order.wait.0);
        perform(plans, form, hands, Some(wait).filter(|wait| !wait.is_zero()))
    }
}

fn sample(setup: &Setup, mut source: Box<dyn Source>) -> Result<Scene, String> {
    let needs = Needs { cmdline: false, ..Needs::everything() };
    let snapshot =
        crate::shell::sample(source.as_mut(), &needs, None).map_err(|lost| lost.to_string())?;
    Ok(Scene::scoped(snapshot, None, setup.scope.clone()))
}

/// What is asked of each that was named.
fn plans<'a>(
    named: &'a [TargetArg],
    scene: &'a Scene,
    plan: impl Fn(&Process) -> Result<(Intent, Vec<String>), String>,
) -> impl Iterator<Item = Plan<'a>> {
    named.iter().map(move |target| match find(target, scene) {
        Err(why) => Plan::Leave(target, None, why),
        Ok(process) => match plan(process) {
            Ok((intent, notes)) => Plan::Act(intent, notes),
            Err(why) => Plan::Leave(target, Some(process), why),
        },
    })
}

/// The process that was named.
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

fn plan_set(
    process: &Process,
    to: Adj,
    setup: &Setup,
    scene: &Scene,
    ranking: &Ranking,
) -> Result<(Intent, Vec<String>), String> {
    if process.is_kernel_thread() {
        return Err("a kernel thread: it can never be chosen".to_owned());
    }
    let Some(from) = process.adj.value() else {
        return Err("its oom_score_adj cannot be read".to_owned());
    };
    let changed = AffectedKin::changed_with(process, scene);
    let changed = (process.id, &changed[..]);
    let spare = &mut Ranking::default();
    let previews = Previews::of(setup.policy, changed, to, scene, ranking, spare);
    let mut notes = Vec::new();
    if let Some(preview) = &previews.own {
        let place = |rank: Option<usize>| rank.map_or_else(|| "-".to_owned(), |it| it.to_string());
        let victim = preview.victim.as_ref();
        let victim =
            victim.map_or_else(|| "nobody".to_owned(), |(id, name)| format!("{id} {name}"));
        notes.push(format!(
            "rank {} -> {} by {}, next victim then: {victim}",
            place(preview.rank_before),
            place(preview.rank_after),
            preview.policy
        ));
    }
    let rights = WriteRights::of(process, from, None, scene);
    notes.extend(rights.warning(from, to).map(str::to_owned));
    let (who, name) = (process.id, process.comm.to_string());
    Ok((Intent::SetAdj { who, name, from, to, revert: false }, notes))
}

fn plan_sacrifice(
    process: &Process,
    order: &SacrificeArgs,
    setup: &Setup,
    scene: &Scene,
    dry: bool,
) -> Result<(Intent, Vec<String>), String> {
    let mut plan = match order.signal {
        Some(signal) => SignalPlan::signal(process, setup.own, scene, signal),
        None => SignalPlan::sacrifice(process, setup.own, scene),
    }?;
    // Reading on may block, so only whoever asks what would follow waits for it. A script thaws nobody.
    if dry
        && setup.acting == ActingMode::Rehearsal
        && let Some(study) =
            ProcRoot::open("/proc").ok().and_then(|it| detail::detail(&it, process.id))
    {
        plan.learn(ProcessDetail { frozen: None, ..study }, scene);
    }
    let consent = match plan.protected {
        None => ConfirmedBy::Plain,
        Some(_) if order.insist => ConfirmedBy::TypedPid,
        Some(why) => return Err(format!("protected: {why} (see --insist)")),
    };
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
    Ok((plan.intent(consent), notes))
}

/// Says what would be done, and does nothing: rehearsed on the live machine, elsewhere only told.
fn foretell<'a>(
    plans: impl Iterator<Item = Plan<'a>>,
    form: ReportFormat,
    mut hands: Box<dyn Effects>,
    acting: ActingMode,
) -> Result<u8, String> {
    let mut out = BufWriter::new(io::stdout().lock());
    let mut status = 0;
    let mut told = HashSet::new();
    let write = || {
        for plan in plans {
            match plan {
                Plan::Act(intent, _) if intent.who().is_some_and(|who| !told.insert(who)) => {}
                Plan::Act(intent, notes) if acting == ActingMode::Rehearsal => {
                    let outcome = hands.perform(intent);
                    if fails(&outcome) {
                        status = REFUSED;
                    }
                    outcomes::write_rehearsed(&mut out, &outcome, &notes, form)?;
                }
                Plan::Act(intent, notes) => outcomes::write_plan(&mut out, &intent, &notes, form)?,
                Plan::Leave(target, process, why) => {
                    status = REFUSED;
                    leave(&mut out, target, process, &why, form)?;
                }
            }
        }
        out.flush()
    };
    wrote(write()).map(|()| status)
}

fn leave(
    out: &mut dyn Write,
    target: &TargetArg,
    process: Option<&Process>,
    why: &str,
    form: ReportFormat,
) -> io::Result<()> {
    let name = process.map(|process| process.comm.to_string());
    outcomes::write_refused(out, target.pid, name.as_deref(), why, form)
}

/// Whether what was asked did not come about. Who was to be ended and is gone already needs no excuse.
const fn fails(outcome: &Outcome) -> bool {
    match outcome {
        Outcome::Refused { intent: Intent::Signal { .. }, refusal: Refusal::Gone } => false,
        Outcome::Refused { .. } => true,
        _ => false,
    }
}

/// Does it, says what came of each, and follows the signalled to their end, for so long.
fn perform<'a>(
    plans: impl Iterator<Item = Plan<'a>>,
    form: ReportFormat,
    mut hands: Box<dyn Effects>,
    wait: Option<Duration>,
) -> Result<u8, String> {
    let mut out = io::stdout().lock();
    let (mut refused, mut written) = (false, Ok(()));
    // A reader that went away stops the telling, never the doing half way.
    let mut tell = |result: io::Result<()>| {
        if let (true, Err(error)) = (written.is_ok(), result) {
            written = Err(error);
        }
    };
    let plans: Vec<Plan<'a>> = plans.collect();
    let mut done = HashSet::new();
    let mut open = BTreeMap::new();
    for plan in plans {
        match plan {
            Plan::Act(intent, _) => {
                if intent.who().is_some_and(|who| !done.insert(who)) {
                    continue;
                }
                let outcome = hands.perform(intent);
                refused |= fails(&outcome);
                tell(outcomes::write_outcome(&mut out, &outcome, form));
                if let Outcome::Signalled { who, name, signal, .. } = outcome {
                    open.insert(who, (name, signal));
                }
            }
            Plan::Leave(target, process, why) => {
                refused = true;
                tell(leave(&mut out, target, process, &why, form));
            }
        }
    }
    let end = wait.map(|wait| Instant::now() + wait);
    while let (true, Some(end)) = (hands.has_pending(), end) {
        for outcome in hands.settle() {
            if let Outcome::Exited { who, .. } = &outcome {
                open.remove(who);
            }
            tell(outcomes::write_outcome(&mut out, &outcome, form));
        }
        let now = Instant::now();
        if now >= end || !hands.has_pending() {
            break;
        }
        thread::sleep(hands.pace().unwrap_or_default().min(end - now));
    }
    let stands = end.is_some() && hands.has_pending();
    for (who, (name, signal)) in open.into_iter().filter(|_| stands) {
        let after = Millis(u64::try_from(wait.unwrap_or_default().as_millis()).unwrap_or(u64::MAX));
        let why = "the time to wait is over; nothing escalates by itself".to_owned();
        let outcome = Outcome::StillThere { who, name, signal, after, why };
        tell(outcomes::write_outcome(&mut out, &outcome, form));
    }
    wrote(written)?;
    Ok(match (refused, stands) {
        (true, _) => REFUSED,
        (false, true) => STANDS,
        (false, false) => 0,
    })
}

fn wrote(result: io::Result<()>) -> Result<(), String> {
    match result {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(format!("standard output: {error}"))
        }
        _ => Ok(()),
    }
}
