//! The order of the table.

use crate::app::App;
use crate::app::keymap::bindings::Action;
use crate::columns::column;
use crate::rows::arrange::Sort;

impl App {
    /// Changes the order, where the action does that.
    pub(crate) fn sort_action(&mut self, action: Action) -> bool {
        match action {
            Action::SortBadness => self.sort_by("badness"),
            Action::SortRss => self.sort_by("rss"),
            Action::SortCpu => self.sort_by("cpu"),
            Action::SortRun => self.sort_by("run"),
            Action::SortPid => self.sort_by("pid"),
            Action::SortGrowth => self.sort_by_growth(),
            Action::SortLeft => self.sort_beside(-1),
            Action::SortRight => self.sort_beside(1),
            Action::Invert => {
                self.table.settings.sort.descending = !self.table.settings.sort.descending;
                self.arrange();
            }
            _ => return false,
        }
        true
    }

    /// Sorts by a column; the same column again inverts the order, except that badness is always sorted with
    /// the highest on top.
    fn sort_by(&mut self, id: &str) {
        let Some(column) = column(id) else { return };
        let now = self.table.settings.sort;
        let inverted = now.column.id == id && !now.descending;
        let descending =
            id == "badness" || if now.column.id == id { inverted } else { column.descending };
        self.table.settings.sort = Sort { column, descending };
        self.arrange();
    }

    /// Sorts by the column whose heading was clicked; the same again inverts the order.
    pub(crate) fn sort_by_heading(&mut self, id: &str) {
        let Some(column) = column(id) else { return };
        let now = self.table.settings.sort;
        let is_same = now.column.id == id;
        let descending = if is_same { !now.descending } else { column.descending };
        self.table.settings.sort = Sort { column, descending };
        self.arrange();
    }

    /// Sorts the fastest growing on top and shows the column GROWTH. The same again changes nothing.
    fn sort_by_growth(&mut self) {
        let Some(column) = column("growth") else { return };
        if !self.columns().iter().any(|shown| shown.id == column.id) {
            self.table.switched.retain(|(other, _)| other.id != column.id);
            self.table.switched.push((column, true));
        }
        self.table.settings.sort = Sort { column, descending: true };
        self.arrange();
    }

    /// Sorts by the column `by` places beside the one that is sorted by now.
    fn sort_beside(&mut self, by: isize) {
        let shown = self.columns();
        let now = shown.iter().position(|column| column.id == self.table.settings.sort.column.id);
        let next = now.unwrap_or(0).saturating_add_signed(by).min(shown.len().saturating_sub(1));
        if let Some(column) = shown.get(next) {
            self.table.settings.sort = Sort { column, descending: column.descending };
            self.arrange();
        }
    }
}
