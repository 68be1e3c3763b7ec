//! The table: what the columns say of the rows on the screen, and of no others.

use ratatui::layout::Rect;
use ratatui::style::Style;

use crate::app::App;
use crate::app::refresh::self_check::ScoreAgreement;
use crate::columns::{Align, Column, RowView};
use crate::rank::Placement;
use crate::rows::arrange::TableLine;
use crate::ui::paint::canvas::{Canvas, cells};
use crate::ui::paint::tree_lines;
use crate::units::Adj;

/// Where the columns stand.
pub struct TableGrid {
    fields: Vec<Field>,
    marks: u16,
    moves: Option<u16>,
    /// How many columns were left out on the left.
    pub left_out: u16,
}

struct Field {
    column: &'static Column,
    x: u16,
    width: u16,
    last: bool,
}

/// From this width on the change of rank stands beside the marks.
const WIDE: u16 = 180;

impl TableGrid {
    /// For a table of this width.
    #[must_use]
    pub fn new(app: &App, width: u16) -> Self {
        let mut columns = app.columns_on(width);
        let pinned = |column: &Column| matches!(column.id, "rank" | "pid");
        let loose = columns.iter().filter(|column| !pinned(column)).count();
        let left_out = app.skipped.min(loose.saturating_sub(1));
        let mut to_skip = left_out;
        columns.retain(|column| {
            let skip = to_skip > 0 && !pinned(column);
            to_skip -= usize::from(skip);
            !skip
        });
        let mut grid =
            Self { fields: Vec::new(), marks: 0, moves: None, left_out: left_out as u16 };
        let mut x = 0;
        if columns.first().is_none_or(|column| column.id != "rank") {
            x = grid.place_marks(x, width);
        }
        let count = columns.len();
        for (nth, column) in columns.into_iter().enumerate() {
            if x >= width {
                break;
            }
            let last = nth + 1 == count;
            let room = width - x;
            let takes_all = last && column.align == Align::Left;
            let cells = if takes_all { room } else { column.cells(app.scale).min(room) };
            grid.fields.push(Field { column, x, width: cells, last });
            x = x.saturating_add(cells);
            if column.id == "rank" {
                x = grid.place_marks(x, width);
            } else {
                x = x.saturating_add(1);
            }
        }
        grid
    }

    fn place_marks(&mut self, x: u16, width: u16) -> u16 {
        self.marks = x;
        if width >= WIDE {
            self.moves = Some(x + 2);
            x + 5
        } else {
            x + 3
        }
    }

    /// Paints the heads of the columns.
    pub fn paint_head(&self, app: &App, area: Rect, canvas: &mut Canvas<'_>) {
        let theme = canvas.theme;
        canvas.style(area, theme.head());
        let sort = app.view.sort;
        for field in &self.fields {
            let (x, y) = (area.x + field.x, area.y);
            let title = field.column.title;
            let sorted = field.column.id == sort.column.id;
            let style = if sorted { theme.sorted_head() } else { theme.head() };
            let mark_at = match field.column.align {
                Align::Right => {
                    canvas.right(x, y, field.width, title, style);
                    x + field.width
                }
                Align::Left => x + canvas.text(x, y, field.width, title, style),
            };
            if sorted {
                canvas.text(mark_at, y, 1, theme.sort_mark(sort.descending), style);
            }
        }
    }

    /// Paints the rows on the screen.
    pub fn paint_rows(&self, app: &App, area: Rect, canvas: &mut Canvas<'_>) {
        let Some(context) = app.context() else { return };
        let mut text = String::with_capacity(256);
        let shown = app.lines.iter().enumerate().skip(app.top);
        for (y, (nth, line)) in (area.top()..area.bottom()).zip(shown) {
            let strip = Rect { y, height: 1, ..area };
            let row = line.at.and_then(|at| context.row(at as usize));
            match row {
                Some(row) => self.paint_row(app, line, &row, strip, &mut text, canvas),
                None => self.paint_gone(line, strip, canvas),
            }
            self.paint_marks(app, line, nth == app.cursor, strip, canvas);
            if nth == app.cursor {
                canvas.style(strip, canvas.theme.cursor());
            }
        }
    }

    fn paint_row(
        &self,
        app: &App,
        line: &TableLine,
        row: &RowView<'_>,
        area: Rect,
        text: &mut String,
        canvas: &mut Canvas<'_>,
    ) {
        let theme = canvas.theme;
        let style = row_style(row, canvas);
        for field in &self.fields {
            text.clear();
            (field.column.cell)(row, text);
            let (x, mut room) = (area.x + field.x, field.width);
            let cell = cell_style(field.column.id, row, style, canvas);
            match field.column.align {
                Align::Right => canvas.right(x, area.y, room, text, cell),
                Align::Left => {
                    let mut x = x;
                    if field.column.id == "command" && app.view.tree {
                        let taken = tree_lines::paint(line.tree_lines, x, area.y, room, canvas);
                        x += taken;
                        room -= taken;
                    }
                    canvas.text(x, area.y, room, text, cell);
                }
            }
            if field.column.id == "oom_score"
                && matches!(app.check.of(line.id), Some(ScoreAgreement::Differs { .. }))
            {
                canvas.text(x + field.width, area.y, 1, "!", theme.danger());
            }
        }
        if let Some(at) = self.moves
            && let Some(moved) = app.moved(row.process).filter(|&moved| moved != 0)
        {
            let up = moved > 0;
            let places = moved.unsigned_abs();
            let style = if up { theme.warn() } else { theme.dim() };
            let x = area.x + at;
            canvas.text(x, area.y, 1, theme.moved(up), style);
            text.clear();
            if places < 10 {
                use std::fmt::Write;
                let _ = write!(text, "{places}");
            } else {
                text.push('+');
            }
            canvas.text(x + 1, area.y, 1, text, style);
        }
    }

    /// A process that went while the rows were held.
    fn paint_gone(&self, line: &TableLine, area: Rect, canvas: &mut Canvas<'_>) {
        let style = canvas.theme.dim();
        for field in &self.fields {
            let x = area.x + field.x;
            if field.column.id == "pid" {
                canvas.right(x, area.y, field.width, &line.id.pid.to_string(), style);
            }
            if field.last {
                canvas.text(x, area.y, field.width, "gone", style);
            }
        }
    }

    fn paint_marks(
        &self,
        app: &App,
        line: &TableLine,
        cursor: bool,
        area: Rect,
        canvas: &mut Canvas<'_>,
    ) {
        let (x, theme) = (area.x + self.marks, canvas.theme);
        if cursor {
            canvas.text(x, area.y, 1, ">", theme.strong());
        }
        let dies = || {
            let scene = app.scene.as_ref()?;
            let process = scene.now().processes.get(line.at? as usize)?;
            Some(process.dying && process.has_mm)
        };
        if app.journal.is_pending(line.id) {
            canvas.text(x + 1, area.y, 1, "x", theme.danger());
        } else if dies() == Some(true) {
            // Somebody else's victim.
            canvas.text(x + 1, area.y, 1, "x", theme.warn());
        } else if app.tags.contains(&line.id) {
            canvas.text(x + 1, area.y, 1, "*", theme.tag());
        }
    }
}

fn row_style(row: &RowView<'_>, canvas: &Canvas<'_>) -> Style {
    let (ranking, id) = (row.context.ranking, row.process.id);
    if ranking.victim().is_some_and(|victim| victim.id == id) {
        canvas.theme.victim()
    } else if ranking.candidates().contains(&id) {
        canvas.theme.candidate()
    } else if matches!(row.placement(), Placement::Spared(_)) {
        canvas.theme.dim()
    } else {
        canvas.theme.plain()
    }
}

/// Restraint: only what somebody set on purpose stands out of an ordinary row.
fn cell_style(id: &str, row: &RowView<'_>, style: Style, canvas: &Canvas<'_>) -> Style {
    if style != canvas.theme.plain() || !matches!(id, "oom_score_adj" | "oom_adj") {
        return style;
    }
    match row.process.adj.value() {
        Some(adj) if adj > Adj::ZERO => canvas.theme.warn(),
        Some(adj) if adj < Adj::ZERO => canvas.theme.good(),
        _ => style,
    }
}

/// What a page or a panel says instead of a table before the first look.
pub fn paint_waiting(area: Rect, canvas: &mut Canvas<'_>) {
    let text = if canvas.theme.unicode { "looking…" } else { "looking..." };
    let y = area.y + area.height / 2;
    let x = area.x + area.width.saturating_sub(cells(text)) / 2;
    canvas.text(x, y, area.width, text, canvas.theme.dim());
}

/// What an empty table says.
pub fn paint_empty(app: &App, area: Rect, canvas: &mut Canvas<'_>) {
    let why = if app.is_scoped() && app.view.filter.is_empty() && app.view.user.is_none() {
        "no process is in this domain: S goes back to the machine"
    } else if !app.view.filter.is_empty() {
        "no process matches the filter: Esc clears it"
    } else if app.view.user.is_some() {
        "this user has no process: u chooses another"
    } else if app.view.hide_spared {
        "nobody can be chosen: i shows the others"
    } else {
        "no process can be seen"
    };
    canvas.text(
        area.x + 2,
        area.y + u16::from(area.height > 2),
        area.width,
        why,
        canvas.theme.dim(),
    );
}
