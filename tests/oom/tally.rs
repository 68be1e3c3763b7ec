//! The judgement: what was foretold against what came.

use serde::{Deserialize, Serialize};

use crate::oracle::Frame;

/// What one kill says about one look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// One was named, and it was that one.
    Named,
    /// It was called too close, and it was one of those.
    Among,
    /// doomtop had said that it cannot tell, and why.
    Off,
    /// It was another one.
    Missed,
}

/// Judges one kill.
pub fn judge(frame: &Frame, killed: i32) -> Outcome {
    let first = frame.victim.as_ref().map(|victim| victim.pid);
    match frame.candidates[..] {
        _ if frame.off.as_ref().is_some_and(|off| !off.is_null()) => Outcome::Off,
        [only] if only == killed && first == Some(killed) => Outcome::Named,
        [_, _, ..] if frame.candidates.contains(&killed) => Outcome::Among,
        _ => Outcome::Missed,
    }
}

/// The sums of one situation on one kernel.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tally {
    /// `uname -r`.
    pub kernel: String,
    /// What brought the kernel to kill.
    pub situation: String,
    /// Kills that were judged.
    pub kills: usize,
    /// One was named, and it was that one.
    pub named: usize,
    /// More than one was named.
    pub too_close: usize,
    /// Of the too close: it was one of those.
    pub among: usize,
    /// It was another one.
    pub missed: usize,
    /// doomtop had said that it predicts nothing now.
    pub off: usize,
    /// The first of the named ones was the one, whether it was too close or not.
    pub first: usize,
    /// The highest `oom_score` in the same look was the one.
    pub by_score: usize,
    /// Kills that are not judged: doomtop had not looked since the kill before, or not twice since
    /// the growth began.
    pub unseen: usize,
    /// The oldest look that was judged, in milliseconds.
    pub oldest_ms: i64,
    /// Kills whose report has a dump, so that it can be explained.
    #[serde(default)]
    pub dumps: usize,
    /// Of them: `doomtop explain` puts the killed one first.
    #[serde(default)]
    pub explained: usize,
}

impl Tally {
    /// Judges one more kill by a look that was so old, in microseconds.
    pub fn count(&mut self, frame: &Frame, killed: i32, age: i64) -> Outcome {
        let outcome = judge(frame, killed);
        self.kills += 1;
        match outcome {
            Outcome::Named => self.named += 1,
            Outcome::Among => self.among += 1,
            Outcome::Off => self.off += 1,
            Outcome::Missed => self.missed += 1,
        }
        self.too_close += usize::from(outcome != Outcome::Off && frame.candidates.len() > 1);
        self.first += usize::from(frame.victim.as_ref().is_some_and(|victim| victim.pid == killed));
        self.by_score += usize::from(frame.highest_score() == Some(killed));
        self.oldest_ms = self.oldest_ms.max(age / 1000);
        outcome
    }

    /// Why the claim does not hold, if it does not: who is killed is always among the candidates,
    /// and it is the named one where only one is named.
    pub fn refuted(&self) -> Option<String> {
        if self.missed > 0 {
            Some(format!("{} of {} kills hit somebody else", self.missed, self.kills))
        } else if self.explained < self.dumps {
            let others = self.dumps - self.explained;
            Some(format!("{others} of {} reports are explained otherwise", self.dumps))
        } else if self.kills == 0 {
            Some("nobody was killed: nothing is proved".to_owned())
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
