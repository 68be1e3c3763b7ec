//! Every policy's opinion without a screen: an array in JSON, one line a policy in text.

use std::io::{self, Write};

use serde::Serialize;

use super::text::{TextStyle, put_line};
use crate::columns::RowContext;
use crate::forecast::opinion::{KillerOpinion, all_policies, opinions};
use crate::model::{Comm, ProcId};
use crate::policy::{BadnessUnit, Policy};
use crate::units::Points;
use crate::words::values;

/// One policy's answer, as it is written to JSON.
#[derive(Serialize)]
pub struct VerdictReport<'a> {
    policy: &'static str,
    unit: &'static str,
    armed: Waiting,
    off: Option<Overruled>,
    eligible: usize,
    victim: Option<Person<'a>>,
    instead: Option<Person<'a>>,
    candidates: Vec<i32>,
    runner_up: Option<Person<'a>>,
    margin: Option<Points>,
    signal: Option<i32>,
    signal_why: Option<&'static str>,
}

#[derive(Serialize)]
struct Waiting {
    ready: bool,
    why: String,
    triggers: Vec<Condition>,
}

#[derive(Serialize)]
struct Condition {
    what: &'static str,
    now: String,
    wants: String,
    met: Option<bool>,
}

#[derive(Serialize)]
struct Overruled {
    by: &'static str,
    words: String,
}

#[derive(Serialize)]
struct Person<'a> {
    pid: i32,
    comm: &'a Comm,
}

fn asked(context: &RowContext<'_>, current: &'static dyn Policy) -> Vec<KillerOpinion> {
    opinions(&all_policies(current), context.scene, (current, context.ranking))
}

/// Every policy's answer. `current` is the policy of the sight.
#[must_use]
pub fn answers<'a>(
    context: &RowContext<'a>,
    current: &'static dyn Policy,
) -> Vec<VerdictReport<'a>> {
    let scene = context.scene;
    let person = |id: ProcId| {
        let process = scene.find(id)?;
        Some(Person { pid: id.pid, comm: &process.comm })
    };
    let answer = |opinion: KillerOpinion| {
        let KillerOpinion { policy, armed, outcome: fate, .. } = opinion;
        VerdictReport {
            policy: policy.id(),
            unit: match policy.info().unit {
                BadnessUnit::Pages => "pages",
                BadnessUnit::Bare => "points",
            },
            armed: Waiting {
                ready: armed.ready,
                why: armed.why,
                triggers: armed
                    .triggers
                    .into_iter()
                    .map(|it| Condition {
                        what: it.what,
                        now: it.now,
                        wants: it.wants,
                        met: it.met,
                    })
                    .collect(),
            },
            off: fate
                .overridden
                .map(|off| Overruled { by: off.word(), words: off.sentence(scene) }),
            eligible: opinion.eligible,
            victim: fate.chosen.and_then(person),
            instead: opinion.instead.and_then(|(other, _)| person(other)),
            candidates: opinion.candidates.iter().map(|id| id.pid).collect(),
            runner_up: fate.runner_up.and_then(person),
            margin: opinion.margin,
            signal: opinion.action.map(|act| act.signal.0),
            signal_why: opinion.action.map(|act| act.why),
        }
    };
    asked(context, current).into_iter().map(answer).collect()
}

/// One line a policy: who would die by it, and what it waits for.
///
/// # Errors
/// Whatever writing to `out` gives.
pub fn write_verdicts(
    out: &mut dyn Write,
    context: &RowContext<'_>,
    current: &'static dyn Policy,
    manner: TextStyle,
) -> io::Result<()> {
    writeln!(out)?;
    for opinion in asked(context, current) {
        let policy = opinion.policy;
        let context = RowContext { policy, ..*context };
        let name = |id: ProcId| context.scene.find(id).map_or_else(|| id.to_string(), values::who);
        let mut line = format!("{:<20} {}", policy.id(), values::fate(&context, &opinion.outcome));
        let sure = opinion.outcome.overridden.is_none() && !opinion.outcome.too_close();
        if let Some((other, _)) = opinion.instead.filter(|_| sure) {
            line.push_str(&format!(", {} in its place", name(other)));
        }
        if let Some(act) = opinion.action.filter(|_| opinion.dies().is_some()) {
            line.push_str(&format!(", {}", act.signal));
        }
        if let Some(margin) = opinion.margin.filter(|_| opinion.dies().is_some()) {
            line.push_str(&format!(", {} ahead", values::points(&context, margin)));
        }
        let armed = if opinion.armed.ready { "armed" } else { "not armed" };
        line.push_str(&format!("; {armed}: {}", opinion.armed.why));
        put_line(out, &line, manner)?;
    }
    Ok(())
}
