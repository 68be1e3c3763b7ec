//! Puts the rows of the table in order.

use crate::app::App;
use crate::app::view::table::CursorAnchor;
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
        self.table.follow_anchor(self.ranking.victim().map(|row| row.id));
        self.drop_exited();
        self.table.keep_visible(self.display.viewport.rows);
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
