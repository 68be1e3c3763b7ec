//! What came of an act, in one sentence: the same on the screen, in the journal and in a pipe.

use crate::columns::{human_size, span_of};
use crate::intent::{ExpediteStep, FreeMemory, Outcome};
use crate::units::Kib;

/// The sentence.
#[must_use]
pub fn outcome_text(outcome: &Outcome) -> String {
    match outcome {
        Outcome::AdjSet { who, name, before, now, .. } if before == now => {
            format!("{who} {name}: oom_score_adj is {now} already")
        }
        Outcome::AdjSet { who, name, before, now, revert } => {
            let verb = if *revert { "put back" } else { "set" };
            format!("{who} {name}: oom_score_adj {verb}: {before} -> {now}")
        }
        Outcome::Signalled { who, name, signal, pinned, haste } => {
            let how = if *pinned { "" } else { " (not pinned: this kernel has no pidfd)" };
            let mut text = format!("{who} {name}: {signal} sent{how}");
            for taken in haste {
                text.push_str(&format!("; {}", step(taken)));
            }
            text
        }
        Outcome::Hastened { who, name, taken } => format!("{who} {name}: {}", step(taken)),
        Outcome::CgroupKilled { path, members } => {
            format!("cgroup {path}: killed with all in it, {}", members.len())
        }
        Outcome::Rehearsed { intent, checked } => {
            format!("dry run, nothing was done: {} ({checked})", intent.describe())
        }
        Outcome::Exited { who, name, after, held, before, now } => {
            let size = |kib: Kib| human_size(kib.bytes());
            let both = |was: Kib, is: Kib| format!("{} -> {}", size(was), size(is));
            let mut text = format!("{who} {name}: gone after {} ms", after.0);
            if *held > Kib::ZERO {
                text.push_str(&format!(", it held {}", size(*held)));
            }
            text.push_str(&match now.since(*before) {
                Kib::ZERO => ", no more memory is free than before".to_owned(),
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
        Outcome::AdjKept { who, name, before, now, rule, .. } => {
            format!("{who} {name}: oom_score_adj {before} -> {now}, by {rule}")
        }
        Outcome::KnobSet { knob, before, now, zeroed } => {
            let mut text = format!("{knob} set: {before} -> {now}");
            if let Some((other, was)) = zeroed {
                text.push_str(&format!("; {other} went from {was} to 0 with it"));
            }
            text
        }
        Outcome::Refused { intent, refusal } => {
            format!("{}: {}", intent.subject(), refusal.words())
        }
    }
}

/// A step beside a signal: `memory taken back at once: done`.
fn step(taken: &ExpediteStep) -> String {
    format!("{}: {}", taken.step.words(), taken.result.words())
}
