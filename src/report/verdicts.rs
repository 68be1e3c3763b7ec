//! The verdict of every policy: an array in JSON, one line per policy in text.

use std::io::{self, Write};

use super::line::{TextStyle, write_line};
use crate::columns::RowContext;
use crate::forecast::killer_verdict::{KillerOpinion, all_policies, opinions};
use crate::model::{ProcId, Scene};
use crate::policy::Policy;
use crate::report::shared_objects::{
    ArmedReport, OverrideReport, ProcessName, TriggerReport, VerdictReport, unit_word,
};
use crate::words::numbers_and_names;

fn opinions_of_all(context: &RowContext<'_>, current: &'static dyn Policy) -> Vec<KillerOpinion> {
    opinions(&all_policies(current), context.scene, (current, context.ranking))
}

/// The verdict of every policy. `current` is the policy of `context`.
#[must_use]
pub fn answers<'a>(
    context: &RowContext<'a>,
    current: &'static dyn Policy,
) -> Vec<VerdictReport<'a>> {
    let report = |opinion| report(opinion, context.scene);
    opinions_of_all(context, current).into_iter().map(report).collect()
}

fn report(opinion: KillerOpinion, scene: &Scene) -> VerdictReport<'_> {
    let process = |id: ProcId| scene.find(id).map(ProcessName::of);
    let KillerOpinion { policy, armed, outcome, .. } = opinion;
    VerdictReport {
        policy: policy.id(),
        unit: unit_word(policy),
        armed: ArmedReport {
            ready: armed.ready,
            why: armed.why,
            triggers: armed
                .triggers
                .into_iter()
                .map(|it| TriggerReport {
                    what: it.what,
                    now: it.now,
                    wants: it.wants,
                    met: it.met,
                })
                .collect(),
        },
        off: outcome.overridden.map(|by| OverrideReport::of(by, policy, scene)),
        eligible: opinion.eligible,
        victim: outcome.chosen.and_then(process),
        instead: opinion.instead.and_then(|(other, _)| process(other)),
        candidates: opinion.candidates.iter().map(|id| id.pid).collect(),
        runner_up: outcome.runner_up.and_then(process),
        margin: opinion.margin,
        signal: opinion.action.map(|act| act.signal.0),
        signal_why: opinion.action.map(|act| act.why),
    }
}

/// Writes one line per policy: which process it would kill, and what it waits for.
///
/// # Errors
/// `out` cannot be written.
pub fn write_verdicts(
    out: &mut dyn Write,
    context: &RowContext<'_>,
    current: &'static dyn Policy,
    style: TextStyle,
) -> io::Result<()> {
    writeln!(out)?;
    for opinion in opinions_of_all(context, current) {
        let context = RowContext { policy: opinion.policy, ..*context };
        write_line(out, &sentence(&opinion, &context), style)?;
    }
    Ok(())
}

/// A verdict as one line. `context` has its policy.
fn sentence(opinion: &KillerOpinion, context: &RowContext<'_>) -> String {
    let policy = opinion.policy;
    let name =
        |id: ProcId| context.scene.find(id).map_or_else(|| id.to_string(), numbers_and_names::who);
    let mut line =
        format!("{:<20} {}", policy.id(), numbers_and_names::outcome(context, &opinion.outcome));
    let sure = opinion.outcome.overridden.is_none() && !opinion.outcome.too_close();
    if let Some((other, _)) = opinion.instead.as_ref().filter(|_| sure) {
        line.push_str(&format!(", {} in its place", name(*other)));
    }
    if let Some(act) = opinion.action.as_ref().filter(|_| opinion.dies().is_some()) {
        line.push_str(&format!(", {}", act.signal));
    }
    if let Some(margin) = opinion.margin.filter(|_| opinion.dies().is_some()) {
        line.push_str(&format!(", {} ahead", numbers_and_names::lead(context, margin)));
    }
    let armed = if opinion.armed.ready { "armed" } else { "not armed" };
    line.push_str(&format!("; {armed}: {}", opinion.armed.why));
    line
}
