//! Puts the rows of the table in order.

use crate::app::App;
use crate::app::view::table::CursorAnchor;

impl App {
    /// New facts for the same rows, or new rows where nothing holds them.
    pub(crate) fn refresh_lines(&mut self) {
        if self.held() && !self.lines.is_empty() {
            if let Some(scene) = &self.scene {
                crate::rows::arrange::hold(&mut self.lines, scene.now());
            }
            self.stale_lines = true;
        } else {
            self.arrange();
        }
    }

    /// Puts the rows in order and the cursor where it belongs.
    pub(crate) fn arrange(&mut self) {
        self.stale_lines = false;
        let mut lines = std::mem::take(&mut self.lines);
        if let Some(context) = self.context() {
            self.view.arrange(&context, &mut lines);
        }
        self.lines = lines;
        let last = self.lines.len().saturating_sub(1);
        self.cursor = match self.anchor {
            CursorAnchor::First => self.victim_line(),
            CursorAnchor::Row(row) => row.min(last),
            CursorAnchor::Process(id) => {
                let found = self.lines.iter().position(|line| line.id == id);
                found.unwrap_or_else(|| self.cursor.min(last))
            }
        };
        self.drop_exited();
        self.keep_cursor_in_view();
    }

    /// The line of the predicted victim, whatever the order; the first line where it is not shown.
    fn victim_line(&self) -> usize {
        let victim = self.ranking.victim().map(|row| row.id);
        self.lines.iter().position(|line| Some(line.id) == victim).unwrap_or(0)
    }

    /// A followed process that is gone hands the cursor to whoever stands in its row now.
    fn drop_exited(&mut self) {
        let CursorAnchor::Process(id) = self.anchor else { return };
        let gone = self.scene.as_ref().is_some_and(|scene| scene.find(id).is_none());
        if let Some(line) = self.lines.get(self.cursor).filter(|_| gone) {
            self.anchor = CursorAnchor::Process(line.id);
        }
    }

    pub(crate) fn keep_cursor_in_view(&mut self) {
        let rows = usize::from(self.viewport.rows).max(1);
        let last_top = self.lines.len().saturating_sub(rows);
        self.top =
            self.top.clamp((self.cursor + 1).saturating_sub(rows), self.cursor).min(last_top);
    }
}
