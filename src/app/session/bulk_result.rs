//! What came of an act on several processes.

use std::collections::BTreeSet;

use crate::app::session::notice::NoticeLevel;
use crate::model::ProcId;

/// An act on several processes: what came of it, a line for each.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BulkResult {
    /// What was asked.
    pub title: String,
    /// Whose first answer is still to come.
    pub open: BTreeSet<ProcId>,
    /// Of whom it speaks.
    pub about: BTreeSet<ProcId>,
    /// What came so far.
    pub lines: Vec<(NoticeLevel, String)>,
    /// How many were refused.
    pub refused: usize,
    /// Whether it was only rehearsed.
    pub rehearsed: bool,
}

impl BulkResult {
    /// Before the first answer.
    #[must_use]
    pub fn new(title: String, about: BTreeSet<ProcId>) -> Self {
        Self { title, open: about.clone(), about, ..Self::default() }
    }

    /// Takes a line about one of them; of others it does not speak.
    pub fn take(&mut self, who: ProcId, refused: bool, level: NoticeLevel, text: &str) {
        if self.about.contains(&who) {
            // What comes later (it is gone, it still stands) is one more line, not one more answer.
            self.refused += usize::from(self.open.remove(&who) && refused);
            self.lines.push((level, text.to_owned()));
        }
    }

    /// Takes one answer about many of them.
    pub fn take_all(&mut self, all: &[ProcId], refused: bool, level: NoticeLevel, text: &str) {
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
        let done = if self.rehearsed { "would be done" } else { "done" };
        let mut text = format!("{} {done}", answered - self.refused);
        if self.refused > 0 {
            text.push_str(&format!(", {} refused", self.refused));
        }
        if !self.open.is_empty() {
            text.push_str(&format!(", {} not answered yet", self.open.len()));
        }
        text
    }
}
