//! What was done in this session: a line for each, the changes that can be put back, and the
//! processes that were signalled and not gone yet.

use std::collections::BTreeSet;

use super::Level;
use crate::model::{ProcId, Signal};
use crate::units::{Adj, Millis};

/// A line of the journal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// When, milliseconds since 1970, UTC, of the look before it.
    pub unix_ms: i64,
    /// How grave.
    pub level: Level,
    /// What.
    pub text: String,
}

/// A change of adj that can be put back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// Whose.
    pub who: ProcId,
    /// The name the user saw.
    pub name: String,
    /// Before.
    pub before: Adj,
    /// After.
    pub now: Adj,
}

/// A signalled process that is followed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pursuit {
    /// Who.
    pub who: ProcId,
    /// The name the user saw.
    pub name: String,
    /// What it got.
    pub signal: Signal,
    /// Since when.
    pub since: Millis,
    /// What is known of why it still stands.
    pub why: Option<String>,
}

/// So long the first victim is given before the next one is proposed (2.4 waited as long between two
/// kills, `mm/oom_kill.c` `out_of_memory`); then it counts as stuck.
pub const PATIENCE: Millis = Millis(5000);

impl Pursuit {
    /// How long it may still take before it counts as stuck; nothing where it does already.
    #[must_use]
    pub fn patience(&self, now: Millis) -> Option<Millis> {
        let rest = PATIENCE.saturating_sub(now.saturating_sub(self.since));
        (self.why.is_none() && rest > Millis::ZERO).then_some(rest)
    }
}

/// An act on several processes: what came of it, a line for each.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Round {
    /// What was asked.
    pub title: String,
    /// Whose first answer is still to come.
    pub open: BTreeSet<ProcId>,
    /// Of whom it speaks.
    pub about: BTreeSet<ProcId>,
    /// What came so far.
    pub lines: Vec<(Level, String)>,
    /// How many were refused.
    pub refused: usize,
}

impl Round {
    /// Before the first answer.
    #[must_use]
    pub fn new(title: String, about: BTreeSet<ProcId>) -> Self {
        Self { title, open: about.clone(), about, ..Self::default() }
    }

    /// Takes a line about one of them; of others it does not speak.
    pub fn take(&mut self, who: ProcId, refused: bool, level: Level, text: &str) {
        if self.about.contains(&who) {
            // What comes later (it is gone, it still stands) is one more line, not one more answer.
            self.refused += usize::from(self.open.remove(&who) && refused);
            self.lines.push((level, text.to_owned()));
        }
    }

    /// Takes one answer about many of them.
    pub fn take_all(&mut self, all: &[ProcId], refused: bool, level: Level, text: &str) {
        let (first, rest) =
            all.split_first().map_or((None, all), |(first, rest)| (Some(first), rest));
        for who in rest.iter().filter(|who| self.about.contains(who)) {
            self.refused += usize::from(self.open.remove(who) && refused);
        }
        if let Some(&who) = first {
            self.take(who, refused, level, text);
        }
    }

    /// The sum in words: `3 done, 1 refused`.
    #[must_use]
    pub fn sum(&self) -> String {
        let answered = self.about.len() - self.open.len();
        let mut text = format!("{} done", answered - self.refused);
        if self.refused > 0 {
            text.push_str(&format!(", {} refused", self.refused));
        }
        if !self.open.is_empty() {
            text.push_str(&format!(", {} not answered yet", self.open.len()));
        }
        text
    }
}

/// The session's acts.
#[derive(Clone, Debug, Default)]
pub struct Journal {
    /// What happened, oldest first.
    pub entries: Vec<Entry>,
    /// What can be put back, oldest first.
    pub changes: Vec<Change>,
    /// Who is being followed.
    pub pursuits: Vec<Pursuit>,
    /// The last act on several processes.
    pub round: Option<Round>,
}

/// So many lines are kept.
const ROOM: usize = 1000;

impl Journal {
    /// Adds a line.
    pub fn note(&mut self, unix_ms: i64, level: Level, text: String) {
        if self.entries.len() == ROOM {
            self.entries.remove(0);
        }
        self.entries.push(Entry { unix_ms, level, text });
    }

    /// The pursuit of this process, if it was signalled to end and has not gone yet.
    #[must_use]
    pub fn pursuit(&self, id: ProcId) -> Option<&Pursuit> {
        self.pursuits.iter().find(|pursuit| pursuit.who == id)
    }

    /// Whether this process was signalled to end and has not gone yet.
    #[must_use]
    pub fn pursues(&self, id: ProcId) -> bool {
        self.pursuits.iter().any(|pursuit| pursuit.who == id)
    }

    /// Drops the changes of a process that is gone: there is nobody left to put them back to, and
    /// they would stand in the way of the older ones.
    pub fn forget(&mut self, who: ProcId) {
        self.changes.retain(|change| change.who != who);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::Ticks;

    #[test]
    fn the_changes_of_the_dead_are_dropped_and_no_others() {
        let change = |pid, born| Change {
            who: ProcId { pid, born: Ticks(born) },
            name: "x".to_owned(),
            before: Adj(0),
            now: Adj(5),
        };
        let kept = [change(7, 100), change(9, 300), change(7, 200)];
        let mut journal = Journal { changes: kept.to_vec(), ..Journal::default() };
        journal.changes.insert(1, change(8, 100));
        journal.changes.push(change(8, 100));
        journal.forget(change(8, 100).who);
        assert_eq!(journal.changes, kept);
        journal.forget(change(8, 100).who);
        assert_eq!(journal.changes, kept);
    }
}
