//! The outcomes of acts on the command line: a line of text or a JSON object each.

use std::io::{self, Write};

use serde_json::{Value, json};

use crate::intent::{Expedite, ExpediteStep, Intent, Outcome, Refusal, StepResult};
use crate::model::ProcId;
use crate::words::outcome::outcome_text;

/// The format of the lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReportFormat {
    /// Sentences.
    Text,
    /// A JSON object (`assets/docs/schema.md`).
    Json,
}

fn process(who: ProcId, name: &str) -> Value {
    json!({ "pid": who.pid, "start_ticks": who.born, "comm": name })
}

/// An intent as the keys of an object.
fn intent_object(intent: &Intent) -> Value {
    let mut object = match intent {
        Intent::SetAdj { who, name, .. }
        | Intent::Signal { who, name, .. }
        | Intent::SetAdjByRule { who, name, .. } => process(*who, name),
        Intent::KillCgroup { path, members } => cgroup(path, members),
        Intent::SetSysctl { sysctl, .. } => json!({ "knob": sysctl.to_string() }),
    };
    match intent {
        Intent::SetAdj { from, to, .. } | Intent::SetAdjByRule { from, to, .. } => {
            object["act"] = json!("set");
            object["oom_score_adj"] = json!({ "from": from.0, "to": to.0 });
        }
        Intent::Signal { signal, .. } => {
            object["act"] = json!("signal");
            object["signal"] = json!(signal.to_string());
        }
        Intent::SetSysctl { from, to, .. } => {
            object["act"] = json!("turn");
            object["value"] = json!({ "from": from, "to": to });
        }
        Intent::KillCgroup { .. } => object["act"] = json!("kill_cgroup"),
    }
    object
}

/// A cgroup and the processes in it.
fn cgroup(path: &str, members: &[(ProcId, String)]) -> Value {
    let members: Vec<Value> = members.iter().map(|(who, name)| process(*who, name)).collect();
    json!({ "cgroup": path, "members": members })
}

/// A step taken beside a signal, to make the process exit sooner.
fn step(taken: &ExpediteStep) -> Value {
    let step = match taken.step {
        Expedite::Priority => "priority",
        Expedite::Thaw { .. } => "thaw",
        Expedite::Reap => "release",
    };
    let result = match taken.result {
        StepResult::Done(_) => "done",
        StepResult::Refused(_) => "refused",
        StepResult::Unavailable(_) => "not_done",
    };
    json!({ "step": step, "result": result, "words": taken.result.words() })
}

/// What is known about the subject of an outcome.
fn facts(outcome: &Outcome) -> Value {
    match outcome {
        Outcome::Refused { intent, .. } | Outcome::DryRun { intent, .. } => intent_object(intent),
        Outcome::AdjSet { who, name, before, now, .. }
        | Outcome::AdjSetByRule { who, name, before, now, .. } => {
            let mut line = process(*who, name);
            line["act"] = json!("set");
            line["oom_score_adj"] = json!({ "from": before.0, "to": now.0 });
            line
        }
        Outcome::Signalled { who, name, signal, pinned, steps } => {
            let mut line = process(*who, name);
            line["act"] = json!("signal");
            line["signal"] = json!(signal.to_string());
            line["pinned"] = json!(pinned);
            line["haste"] = steps.iter().map(step).collect();
            line
        }
        Outcome::StepDone { who, name, taken } => {
            let mut line = process(*who, name);
            line["haste"] = json!([step(taken)]);
            line
        }
        Outcome::CgroupKilled { path, members } => cgroup(path, members),
        Outcome::Exited { who, name, after, held, before, now } => {
            let mut line = process(*who, name);
            line["after_ms"] = json!(after.0);
            line["held_kib"] = json!(held.0);
            line["freed_kib"] = json!(now.since(*before).0);
            line["available_kib"] = json!({ "from": before.memory.0, "to": now.memory.0 });
            line["swap_free_kib"] = json!({ "from": before.swap.0, "to": now.swap.0 });
            line
        }
        Outcome::StillThere { who, name, signal, after, .. } => {
            let mut line = process(*who, name);
            line["signal"] = json!(signal.to_string());
            line["after_ms"] = json!(after.0);
            line
        }
        Outcome::SysctlSet { sysctl, before, now, .. } => json!({
            "act": "turn",
            "knob": sysctl.to_string(),
            "value": { "from": before, "to": now },
        }),
    }
}

/// How an outcome is called, and why it came to that.
fn result(outcome: &Outcome) -> (&'static str, Option<String>) {
    match outcome {
        Outcome::AdjSet { .. } | Outcome::AdjSetByRule { .. } | Outcome::SysctlSet { .. } => {
            ("set", None)
        }
        Outcome::Signalled { .. } => ("signalled", None),
        Outcome::StepDone { .. } => ("hastened", None),
        Outcome::CgroupKilled { .. } => ("killed", None),
        Outcome::DryRun { checked, .. } => ("rehearsed", Some((*checked).to_owned())),
        Outcome::Exited { .. } => ("gone", None),
        Outcome::StillThere { why, .. } => ("still_there", Some(why.clone())),
        Outcome::Refused { refusal: Refusal::Gone, .. } => ("gone_before", None),
        Outcome::Refused { refusal, .. } => ("refused", Some(refusal.words())),
    }
}

/// An outcome as one JSON object.
fn object(outcome: &Outcome) -> Value {
    let mut line = facts(outcome);
    let (result, why) = result(outcome);
    line["result"] = json!(result);
    if let Some(why) = why {
        line["why"] = json!(why);
    }
    line
}

/// Writes the outcome of an act.
///
/// # Errors
/// It could not be written.
pub fn write_outcome(out: &mut dyn Write, outcome: &Outcome, form: ReportFormat) -> io::Result<()> {
    match form {
        ReportFormat::Text => writeln!(out, "{}", outcome_text(outcome)),
        ReportFormat::Json => writeln!(out, "{}", object(outcome)),
    }
}

/// Writes the outcome of a dry run, with notes about what the act would do.
///
/// # Errors
/// It could not be written.
pub fn write_rehearsed(
    out: &mut dyn Write,
    outcome: &Outcome,
    notes: &[String],
    form: ReportFormat,
) -> io::Result<()> {
    match form {
        ReportFormat::Text => {
            writeln!(out, "{}", outcome_text(outcome))?;
            notes.iter().try_for_each(|note| writeln!(out, "    {note}"))
        }
        ReportFormat::Json => {
            let mut line = object(outcome);
            line["notes"] = json!(notes);
            writeln!(out, "{line}")
        }
    }
}

/// Writes what would be done where it cannot be checked, with notes about what it would do.
///
/// # Errors
/// It could not be written.
pub fn write_plan(
    out: &mut dyn Write,
    intent: &Intent,
    notes: &[String],
    form: ReportFormat,
) -> io::Result<()> {
    match form {
        ReportFormat::Text => {
            let subject = intent.subject();
            match intent {
                Intent::SetAdj { from, to, .. } | Intent::SetAdjByRule { from, to, .. } => {
                    writeln!(out, "{subject}: would set oom_score_adj: {from} -> {to}")?;
                }
                Intent::Signal { signal, .. } => {
                    writeln!(out, "{subject}: would send {signal}")?;
                }
                Intent::SetSysctl { from, to, .. } => {
                    writeln!(out, "{subject}: would be set: {from} -> {to}")?;
                }
                Intent::KillCgroup { members, .. } => {
                    writeln!(out, "{subject}: would kill the {} processes in it", members.len())?;
                }
            }
            notes.iter().try_for_each(|note| writeln!(out, "    {note}"))
        }
        ReportFormat::Json => {
            let mut line = intent_object(intent);
            line["result"] = json!("would");
            line["notes"] = json!(notes);
            writeln!(out, "{line}")
        }
    }
}

/// Writes why nothing is done about a process that the command line names.
///
/// # Errors
/// It could not be written.
pub fn write_refused(
    out: &mut dyn Write,
    pid: i32,
    name: Option<&str>,
    why: &str,
    form: ReportFormat,
) -> io::Result<()> {
    match (form, name) {
        (ReportFormat::Text, Some(name)) => writeln!(out, "{pid} {name}: {why}"),
        (ReportFormat::Text, None) => writeln!(out, "{pid}: {why}"),
        (ReportFormat::Json, name) => {
            let line = json!({ "pid": pid, "comm": name, "result": "refused", "why": why });
            writeln!(out, "{line}")
        }
    }
}
