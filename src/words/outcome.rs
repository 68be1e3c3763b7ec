//! The outcome of an action as one sentence, for the screen, the journal and the command line.

use crate::columns::{human_size, span_of};
use crate::intent::{ExpediteStep, FreeMemory, Outcome};
use crate::units::Kib;

/// An outcome as a sentence.
#[must_use]
pub fn outcome_text(outcome: &Outcome) -> String {
    match outcome {
        Outcome::AdjSet { who, name, before, now, .. } if before == now => {
            format!("{who} {name}: oom_score_adj is already {now}")
        }
        Outcome::AdjSet { who, name, before, now, revert } => {
            let verb = if *revert { "restored" } else { "set" };
            format!("{who} {name}: oom_score_adj {verb}: {before} -> {now}")
        }
        Outcome::Signalled { who, name, signal, pinned, steps } => {
            let how = if *pinned { "" } else { " (not pinned: this kernel has no pidfd)" };
            let mut text = format!("{who} {name}: sent {signal}{how}");
            for taken in steps {
                text.push_str(&format!("; {}", step(taken)));
            }
            text
        }
        Outcome::StepDone { who, name, taken } => format!("{who} {name}: {}", step(taken)),
        Outcome::CgroupKilled { path, members } => {
            format!("cgroup {path}: killed with all its processes ({})", members.len())
        }
        Outcome::DryRun { intent, checked } => {
            format!("dry run, nothing done: {} ({checked})", intent.describe())
        }
        Outcome::Exited { who, name, after, held, before, now } => {
            let size = |kib: Kib| human_size(kib.bytes());
            let both = |was: Kib, is: Kib| format!("{} -> {}", size(was), size(is));
            let mut text = format!("{who} {name}: gone after {} ms", after.0);
            if *held > Kib::ZERO {
                text.push_str(&format!(", it held {}", size(*held)));
            }
            text.push_str(&match now.since(*before) {
                Kib::ZERO => ", but no memory was freed".to_owned(),
                freed => format!(", about {} freed", size(freed)),
            });
            if *before != FreeMemory::default() {
                text.push_str(&format!(" (available {}", both(before.memory, now.memory)));
                if before.swap != now.swap {
                    text.push_str(&format!(", swap free {}", both(before.swap, now.swap)));
                }
                text.push(')');
            }
            text
        }
        Outcome::StillThere { who, name, signal, after, why } => {
            let time = span_of(after.0 / 1000);
            format!("{who} {name}: still there {time} after {signal}: {why}")
        }
        Outcome::AdjSetByRule { who, name, before, now, rule, .. } => {
            format!("{who} {name}: oom_score_adj {before} -> {now}, by {rule}")
        }
        Outcome::SysctlSet { sysctl: knob, before, now, zeroed } => {
            let mut text = format!("{knob} set: {before} -> {now}");
            if let Some((other, was)) = zeroed {
                text.push_str(&format!("; that also changed {other} from {was} to 0"));
            }
            text
        }
        Outcome::Refused { intent, refusal } => {
            format!("{}: {}", intent.subject(), refusal.words())
        }
    }
}

/// A step that follows a signal: `memory reaped at once: done`.
fn step(taken: &ExpediteStep) -> String {
    format!("{}: {}", taken.step.words(), taken.result.words())
}
