//! What came of an act, in one sentence: the same on the screen, in the journal and in a pipe.

use crate::columns::{human_size, span_of};
use crate::intent::Outcome;

/// The sentence.
#[must_use]
pub fn told(outcome: &Outcome) -> String {
    match outcome {
        Outcome::AdjSet { who, name, before, now, .. } if before == now => {
            format!("{who} {name}: oom_score_adj is {now} already")
        }
        Outcome::AdjSet { who, name, before, now, revert } => {
            let verb = if *revert { "put back" } else { "set" };
            format!("{who} {name}: oom_score_adj {verb}: {before} -> {now}")
        }
        Outcome::Signalled { who, name, signal, pinned } => {
            let how = if *pinned { "" } else { " (not pinned: this kernel has no pidfd)" };
            format!("{who} {name}: {signal} sent{how}")
        }
        Outcome::Exited { who, name, after, freed } => {
            let freed = match freed.0 {
                0 => "no more memory is free than before".to_owned(),
                _ => format!("about {} freed", human_size(freed.bytes())),
            };
            format!("{who} {name}: gone after {} ms, {freed}", after.0)
        }
        Outcome::StillThere { who, name, signal, after, why } => {
            let time = span_of(after.0 / 1000);
            format!("{who} {name}: still there {time} after {signal}: {why}")
        }
        Outcome::AdjKept { who, name, before, now, rule } => {
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
