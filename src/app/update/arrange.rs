//! Puts the rows of the table in order.

use crate::app::App;
use crate::app::view::table::CursorAnchor;
use crate::forecast::next_death::NextDeath;
use crate::model::ProcId;
use crate::rows::arrange::{TableLine, TreeLines};

impl App {
    /// Updates the rows in place while their order is frozen, otherwise puts them in order.
    pub(crate) fn refresh_lines(&mut self) {
        if self.held() && !self.table.lines.is_empty() {
            if let Some(scene) = &self.scene {
                crate::rows::arrange::hold(&mut self.table.lines, scene.now());
            }
            self.table.stale = true;
        } else {
            self.arrange();
        }
    }

    /// Puts the rows in order, and the cursor on its anchor.
    pub(crate) fn arrange(&mut self) {
        self.table.stale = false;
        let mut lines = std::mem::take(&mut self.table.lines);
        if let Some(context) = self.context() {
            self.table.settings.arrange(&context, &mut lines);
        }
        self.put_struck_rows(&mut lines);
        self.table.lines = lines;
        self.table.follow_anchor(self.first_to_die());
        self.drop_exited();
        self.table.keep_visible(self.display.viewport.rows);
    }

    /// The process that the headline names, and the first of the ranking.
    fn first_to_die(&self) -> [Option<ProcId>; 2] {
        let named = self.deaths.next.as_ref().and_then(NextDeath::first);
        [named.map(|it| it.id), self.ranking.victim().map(|row| row.id)]
    }

    /// The process that dies first as far as it is known: by the headline, or while it names none by the ranking.
    #[must_use]
    pub fn predicted_victim(&self) -> Option<ProcId> {
        self.first_to_die().into_iter().flatten().next()
    }

    /// Lets a cursor that nobody moved follow a headline that changed between two samples: at once, or when the order
    /// of the rows is released.
    pub(crate) fn follow_headline(&mut self) {
        if self.table.anchor != CursorAnchor::First {
            return;
        }
        if self.held() {
            self.table.stale = true;
        } else {
            self.table.follow_anchor(self.first_to_die());
            self.table.keep_visible(self.display.viewport.rows);
        }
    }

    /// Puts the rows of processes that were killed a moment ago at their old places.
    fn put_struck_rows(&self, lines: &mut Vec<TableLine>) {
        // A report is a table of its own.
        if self.incidents.report.is_some() {
            return;
        }
        let narrowed = self.narrowed_to();
        for row in self.table.struck.iter().filter(|row| row.narrowed == narrowed) {
            // Its parent may not have waited for it: then it is listed as well.
            lines.retain(|line| line.id != row.id);
            let line = TableLine { id: row.id, at: None, tree_lines: TreeLines::default() };
            lines.insert(row.place.min(lines.len()), line);
        }
    }

    /// Where the followed process exited, the cursor follows the process that is in its row now.
    fn drop_exited(&mut self) {
        let CursorAnchor::Process(id) = self.table.anchor else { return };
        let gone = self.scene.as_ref().is_some_and(|scene| scene.find(id).is_none());
        if let Some(line) = self.table.line().filter(|_| gone) {
            self.table.anchor = CursorAnchor::Process(line.id);
        }
    }
}
