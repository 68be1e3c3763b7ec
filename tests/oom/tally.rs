//! Compares predictions with kills and counts the results.

use serde::{Deserialize, Serialize};

use crate::oracle::{Claim, Frame};

/// Result of comparing one kill with one sample.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// One process was named, and it was killed.
    Named,
    /// Several candidates were named, and one of them was killed.
    Among,
    /// doomtop had said that it predicts nothing.
    Off,
    /// Another process was killed.
    Missed,
}

/// Compares one kill with what was said of it.
pub fn judge(claim: &Claim, killed: i32) -> Outcome {
    match claim.candidates[..] {
        _ if claim.off => Outcome::Off,
        [only] if only == killed && claim.first == Some(killed) => Outcome::Named,
        [_, _, ..] if claim.candidates.contains(&killed) => Outcome::Among,
        _ => Outcome::Missed,
    }
}

/// The sums of one situation on one kernel.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tally {
    /// `uname -r`.
    pub kernel: String,
    /// What made the kernel kill.
    pub situation: String,
    /// Kills that were compared.
    pub kills: usize,
    /// One process was named, and it was killed.
    pub named: usize,
    /// Several candidates were named.
    pub too_close: usize,
    /// Of `too_close`: one of the candidates was killed.
    pub among: usize,
    /// Another process was killed.
    pub missed: usize,
    /// doomtop had said that it predicts nothing.
    pub off: usize,
    /// The number of candidates of all compared kills together.
    #[serde(default)]
    pub candidates: usize,
    /// The first candidate was killed, whether there were several or not.
    pub first: usize,
    /// The process with the highest `oom_score` in the same sample was killed.
    pub by_score: usize,
    /// Kills that are not compared: doomtop had no sample since the kill before, or not two since the
    /// growth began.
    pub unseen: usize,
    /// Maximum age of a compared sample, in milliseconds.
    pub oldest_ms: i64,
    /// Kills whose report has a dump of tasks, so that it can be explained.
    #[serde(default)]
    pub dumps: usize,
    /// Of `dumps`: `doomtop explain` ranks the killed process first.
    #[serde(default)]
    pub explained: usize,
}

impl Tally {
    /// Counts a kill. `age` is the age of the sample in microseconds.
    pub fn count(&mut self, frame: &Frame, claim: &Claim, killed: i32, age: i64) -> Outcome {
        let outcome = judge(claim, killed);
        self.kills += 1;
        match outcome {
            Outcome::Named => self.named += 1,
            Outcome::Among => self.among += 1,
            Outcome::Off => self.off += 1,
            Outcome::Missed => self.missed += 1,
        }
        self.candidates += claim.candidates.len();
        self.too_close += usize::from(outcome != Outcome::Off && claim.candidates.len() > 1);
        self.first += usize::from(claim.first == Some(killed));
        self.by_score += usize::from(frame.highest_score() == Some(killed));
        self.oldest_ms = self.oldest_ms.max(age / 1000);
        outcome
    }

    /// Why the claim is refuted. The claim: the killed process is always among the candidates.
    pub fn refuted(&self) -> Option<String> {
        if self.missed > 0 {
            Some(format!("{} of {} kills hit another process", self.missed, self.kills))
        } else if self.explained < self.dumps {
            let others = self.dumps - self.explained;
            Some(format!("{others} of {} reports are explained wrongly", self.dumps))
        } else if self.kills == 0 {
            Some("no process was killed: nothing is proved".to_owned())
        } else {
            None
        }
    }
}

impl std::fmt::Display for Tally {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "{}, {}: {} kills, {} predicted, {} too close to call ({} of them among the \
             candidates), {} missed; the highest oom_score: {}",
            self.kernel,
            self.situation,
            self.kills,
            self.named,
            self.too_close,
            self.among,
            self.missed,
            self.by_score
        )?;
        write!(f, "; explained from the log: {} of {}", self.explained, self.dumps)?;
        if self.off > 0 {
            write!(f, "; {} while nothing was predicted", self.off)?;
        }
        if self.unseen > 0 {
            write!(f, "; {} before doomtop could have seen the growth", self.unseen)?;
        }
        Ok(())
    }
}
