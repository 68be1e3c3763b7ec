//! The table of processes: its lines, its cursor and what the user chose to see.

use std::collections::BTreeSet;

use crate::app::view::list_cursor::ListCursor;
use crate::app::view::struck_row::StruckRow;
use crate::columns::Column;
use crate::model::ProcId;
use crate::rows::arrange::{TableLine, TableSettings};
use crate::rows::filter::Filter;

/// What the cursor follows when the lines change.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CursorAnchor {
    /// The process that the headline names, until the cursor is moved; while it names none, the first of the ranking.
    #[default]
    First,
    /// This process.
    Process(ProcId),
    /// This row, whatever process is in it.
    Row(usize),
}

/// The table.
pub struct Table {
    /// Which rows are shown, in which order.
    pub settings: TableSettings,
    /// The lines.
    pub lines: Vec<TableLine>,
    /// Processes that were killed a moment ago, in the order of their lines.
    pub struck: Vec<StruckRow>,
    /// The cursor.
    pub cursor: ListCursor,
    /// What the cursor follows.
    pub anchor: CursorAnchor,
    /// Whether that is the process of the headline, which has a row wherever the table is scrolled to.
    on_named: bool,
    /// Whether the screen has a line for the headline's process below the rows.
    beside_next: bool,
    /// Columns scrolled off to the left.
    pub skipped: usize,
    /// Columns that the user switched on or off, whatever the width.
    pub switched: Vec<(&'static Column, bool)>,
    /// Tagged processes.
    pub tags: BTreeSet<ProcId>,
    /// What is searched for.
    pub search: Filter,
    /// Whether the cursor follows its process, and not its row.
    pub follow: bool,
    /// Whether the lines are to be put in order again, once they are not held any more.
    pub(crate) stale: bool,
}

impl Table {
    /// An empty table.
    #[must_use]
    pub fn new(settings: TableSettings) -> Self {
        Self {
            settings,
            lines: Vec::new(),
            struck: Vec::new(),
            cursor: ListCursor::default(),
            anchor: CursorAnchor::First,
            on_named: false,
            beside_next: false,
            skipped: 0,
            switched: Vec::new(),
            tags: BTreeSet::new(),
            search: Filter::default(),
            follow: true,
            stale: false,
        }
    }

    /// The line under the cursor.
    #[must_use]
    pub fn line(&self) -> Option<&TableLine> {
        self.lines.get(self.cursor.at)
    }

    /// The row of a process that was killed a moment ago.
    #[must_use]
    pub fn struck_row(&self, id: ProcId) -> Option<&StruckRow> {
        self.struck.iter().find(|row| row.id == id)
    }

    /// Anchors the cursor to its process, or to its row where it does not follow processes.
    pub(crate) fn set_anchor(&mut self) {
        self.anchor = match self.line() {
            Some(line) if self.follow => CursorAnchor::Process(line.id),
            _ => CursorAnchor::Row(self.cursor.at),
        };
    }

    /// Lets the cursor follow the headline again, and shows the table from its first line on.
    pub(crate) fn follow_headline(&mut self) {
        (self.anchor, self.cursor.top) = (CursorAnchor::First, 0);
    }

    /// Scrolls so that the cursor is on a screen of `rows` lines. A cursor that nobody moved scrolls nothing: its
    /// process is shown below the table, where there is room for that.
    pub(crate) fn keep_visible(&mut self, rows: u16) {
        if self.anchor == CursorAnchor::First && self.on_named && self.beside_next {
            let last_top = self.lines.len().saturating_sub(usize::from(rows));
            self.cursor.top = self.cursor.top.min(last_top);
        } else {
            self.cursor.keep_visible(self.lines.len(), rows);
        }
    }

    /// Takes from a frame whether there is a line for the headline's process below the rows, and returns whether that
    /// changed. A table that had to scroll to a cursor that nobody moved begins at its first line again.
    pub(crate) fn drawn(&mut self, beside_next: bool) -> bool {
        let changed = beside_next != self.beside_next;
        self.beside_next = beside_next;
        if changed && beside_next && self.anchor == CursorAnchor::First {
            self.cursor.top = 0;
        }
        changed
    }

    /// Whether the line of the cursor is outside a screen of `rows` lines.
    fn is_elsewhere(&self, rows: u16) -> bool {
        let shown = self.cursor.top..self.cursor.top + usize::from(rows);
        self.anchor == CursorAnchor::First && self.on_named && !shown.contains(&self.cursor.at)
    }

    /// Moves the cursor by `by` lines.
    pub(crate) fn move_by(&mut self, by: isize, rows: u16) {
        self.cursor.move_by(by, self.lines.len());
        self.set_anchor();
        self.keep_visible(rows);
    }

    /// Scrolls by `by` lines; the cursor moves only where it would leave the screen.
    pub(crate) fn scroll_by(&mut self, by: isize, rows: u16) {
        if self.is_elsewhere(rows) {
            let last_top = self.lines.len().saturating_sub(usize::from(rows));
            self.cursor.top = self.cursor.top.saturating_add_signed(by).min(last_top);
        } else if self.cursor.scroll_by(by, self.lines.len(), rows) {
            self.set_anchor();
        }
    }

    /// Puts the cursor on a line.
    pub(crate) fn go_to(&mut self, line: usize, rows: u16) {
        self.cursor.at = line;
        self.set_anchor();
        self.keep_visible(rows);
    }

    /// Puts the cursor on a process, if it is in the table.
    pub(crate) fn jump_to(&mut self, id: ProcId, rows: u16) {
        if let Some(at) = self.lines.iter().position(|line| line.id == id) {
            self.go_to(at, rows);
        }
    }

    /// Puts the cursor where its anchor is after the lines changed; `first` are the processes whose line is the first
    /// anchor, the most wanted one first.
    pub(crate) fn follow_anchor(&mut self, first: [Option<ProcId>; 2]) {
        let last = self.lines.len().saturating_sub(1);
        let line_of = |id: ProcId| self.lines.iter().position(|line| line.id == id);
        self.on_named = first[0].and_then(line_of).is_some();
        self.cursor.at = match self.anchor {
            CursorAnchor::First => first.into_iter().flatten().find_map(line_of).unwrap_or(0),
            CursorAnchor::Row(row) => row.min(last),
            CursorAnchor::Process(id) => line_of(id).unwrap_or(self.cursor.at.min(last)),
        };
    }
}
