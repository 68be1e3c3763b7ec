//! The result of an act on several processes.

use std::collections::BTreeSet;

use crate::app::session::notice::NoticeLevel;
use crate::model::ProcId;

/// The result of an act on several processes, a line for each.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BulkResult {
    /// The question of its dialog.
    pub title: String,
    /// The processes whose first outcome is still to come.
    pub open: BTreeSet<ProcId>,
    /// All processes of the act.
    pub about: BTreeSet<ProcId>,
    /// The outcomes so far.
    pub lines: Vec<(NoticeLevel, String)>,
    /// Number of refusals.
    pub refused: usize,
    /// Whether it was a dry run.
    pub rehearsed: bool,
}

impl BulkResult {
    /// Before the first outcome.
    #[must_use]
    pub fn new(title: String, about: BTreeSet<ProcId>) -> Self {
        Self { title, open: about.clone(), about, ..Self::default() }
    }

    /// Takes an outcome of one process; an outcome of any other is ignored.
    pub fn take(&mut self, who: ProcId, refused: bool, level: NoticeLevel, text: &str) {
        if self.about.contains(&who) {
            // A later outcome (exited, still there) adds a line and does not count again.
            self.refused += usize::from(self.open.remove(&who) && refused);
            self.lines.push((level, text.to_owned()));
        }
    }

    /// Takes one outcome of many processes.
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

    /// The numbers in words: `3 done, 1 refused`.
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
