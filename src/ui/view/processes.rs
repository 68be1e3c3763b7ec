//! The Processes view: the table. Cells are computed for the rows on the screen only.

use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::Span;

use crate::app::keymap::bindings::{Action, KeyContext};
use crate::app::refresh::self_check::ScoreAgreement;
use crate::app::view::click_target::{ClickTarget, RowIdentity};
use crate::app::view::struck_row::StruckRow;
use crate::app::{ActingMode, App, HeaderLevel};
use crate::columns::{Align, Column, RowView, span_of};
use crate::policy::SparedReason;
use crate::rank::Placement;
use crate::rows::arrange::{TableLine, TreeLines};
use crate::ui::frame::layout::{Layout, ViewSpace};
use crate::ui::frame::status_line;
use crate::ui::paint::canvas::{Canvas, cells};
use crate::ui::paint::theme::Theme;
use crate::ui::paint::{list, tree_lines};
use crate::ui::panel;
use crate::ui::view::badness_bar;
use crate::ui::view::row_marks;
use crate::ui::view::row_marks::{NextRow, RowMark};
use crate::ui::view::view_table::{FULL_HEADER_FROM, RowsShown, ViewParts};
use crate::units::Adj;

/// The view.
pub static PARTS: ViewParts = ViewParts {
    space: ViewSpace { full_header_from: FULL_HEADER_FROM, panel_height: Some(panel_height) },
    paint,
    paint_panels: panel::processes::paint,
    status,
};

fn panel_height(screen: u16) -> u16 {
    if screen >= 50 { screen * 3 / 10 } else { (screen / 4 + 1).max(9) }
}

/// The status line: how many tasks are shown, everything that limits or orders them, and keys.
fn status(app: &App, theme: Theme) -> Vec<Span<'static>> {
    let mut parts = Vec::with_capacity(12);
    parts.extend(pending_signal(app).map(|text| Span::styled(text, theme.danger())));
    parts.push(Span::raw(tasks(app)));
    parts.extend(status_line::scope(app, theme));
    let (agree, compared) = app.refresh.self_check.count();
    // A full header has it, too.
    let viewport = app.display.viewport;
    let in_header = app.display.header == HeaderLevel::Full && viewport.height >= FULL_HEADER_FROM;
    if compared > 0 && (!in_header || agree < compared) {
        let style = if agree == compared { theme.good() } else { theme.warn() };
        let mark = if agree == compared { "" } else { "!" };
        parts.push(Span::styled(format!("ok {agree}/{compared}{mark}"), style));
    }
    parts.push(status_line::pace(app, theme));
    parts.extend(alarms(app, theme));
    parts.extend(status_line::adj_rules(app, theme));
    match app.start.acting {
        ActingMode::Rehearsal => parts.push(Span::styled("dry run", theme.warn())),
        ActingMode::ReadOnly => parts.push(Span::styled("read-only", theme.good())),
        _ => {}
    }
    if !app.table.tags.is_empty() {
        parts.push(Span::styled(format!("{} tagged", app.table.tags.len()), theme.tag()));
    }
    parts.extend(narrowed_by(app, theme));
    parts.extend(arranged_by(app));
    parts.extend(row_marks::legend(app, theme));
    parts.extend(keys(app, theme));
    parts.extend(row_marks::first_now_legend(app, theme));
    parts.extend(row_marks::stalled_legend(app, theme));
    parts
}

/// `101 tasks`, or `12 of 101 tasks`.
fn tasks(app: &App) -> String {
    let Some(scene) = &app.scene else { return String::new() };
    let rows = app.ranking.rows().iter();
    let outside =
        rows.filter(|row| row.placement == Placement::Spared(SparedReason::Outside)).count();
    // Processes that are gone do not count.
    let shown = app.table.lines.iter().filter(|line| line.at.is_some()).count();
    let (shown, all) = (shown, scene.now().processes.len() - outside);
    if shown == all { format!("{all} tasks") } else { format!("{shown} of {all} tasks") }
}

/// A signalled process that is not gone, and how many more there are.
fn pending_signal(app: &App) -> Option<String> {
    let pending = &app.session.journal.pending;
    // One that the user can do something about goes before those that need time.
    let stuck = pending.iter().find(|it| it.patience(app.clock()).is_none());
    let first = stuck.or(pending.first())?;
    let since = span_of(app.clock().saturating_sub(first.since).0 / 1000);
    let mut text = format!("x {} {}: {} {since}", first.who, first.name, first.signal);
    if pending.len() > 1 {
        text.push_str(&format!(", {} more", pending.len() - 1));
    }
    Some(text)
}

/// How many alarms there are, and how many are on: the header may be off.
fn alarms(app: &App, theme: Theme) -> Option<Span<'static>> {
    let (count, on) = (app.refresh.alarms.count(), app.refresh.alarms.standing().count());
    let word = if count == 1 { "alarm" } else { "alarms" };
    match (count, on) {
        (0, _) => None,
        (_, 0) => Some(Span::styled(format!("{count} {word} set"), theme.label())),
        _ => Some(Span::styled(format!("! {on} of {count} {word}"), theme.danger())),
    }
}

/// Filter, user, search: what hides rows of the table or is searched in it.
fn narrowed_by(app: &App, theme: Theme) -> Vec<Span<'static>> {
    let mut parts = Vec::new();
    if !app.table.settings.filter.is_empty() {
        parts.push(Span::styled(
            format!("filter {}", app.table.settings.filter.text()),
            theme.warn(),
        ));
    }
    if let Some(user) = &app.table.settings.user {
        parts.push(Span::styled(format!("user {user}"), theme.warn()));
    }
    if !app.table.search.is_empty() {
        parts.push(Span::styled(format!("search {}", app.table.search.text()), theme.label()));
    }
    if app.table.settings.hide_spared {
        parts.push(Span::styled("candidates only", theme.warn()));
    }
    parts
}

/// The order, tree, units and cursor, where they are not the usual ones.
fn arranged_by(app: &App) -> Vec<Span<'static>> {
    let mut parts = Vec::new();
    let sort = app.table.settings.sort;
    let direction = if sort.descending { "desc" } else { "asc" };
    if sort.column.id != "badness" || !sort.descending {
        parts.push(Span::raw(format!("sort {} {direction}", sort.column.id)));
    }
    if app.table.settings.tree {
        parts.push(Span::raw("tree"));
    }
    parts.extend(status_line::units(app));
    if !app.table.follow {
        parts.push(Span::raw("follow off"));
    }
    parts
}

fn keys(app: &App, theme: Theme) -> Vec<Span<'static>> {
    let mut actions = Vec::new();
    actions.extend(app.step_up().map(|step| (Action::Back, step.words())));
    actions.push((Action::Explain, "explain"));
    actions.extend([(Action::Adjust, "adjust"), (Action::Sacrifice, "sacrifice")]);
    if app.is_over() && !app.playback.past.is_empty() {
        // Reports of a file have no newest sample to go to.
        actions.push((Action::Now, app.newest_word()));
    }
    status_line::keys(app, KeyContext::Browse, &actions, theme)
}

/// A table of at least so many rows has one more for the process that the headline names, where that is in none of
/// them.
const LEAST_BESIDE_NEXT: u16 = 3;

fn paint(app: &App, layout: &Layout, canvas: &mut Canvas<'_>) -> RowsShown {
    let grid = TableGrid::new(app, layout.rows.width);
    grid.paint_head(app, layout.head, canvas);
    let pinned = pinned(app, layout.rows.height);
    let mut rows =
        Rect { height: layout.rows.height - pinned.iter().flatten().count() as u16, ..layout.rows };
    if app.scene.is_some() && app.table.lines.is_empty() {
        paint_empty(app, rows, canvas);
    } else {
        grid.paint_rows(app, rows, canvas);
    }
    let shown = rows.height;
    for line in pinned.into_iter().flatten() {
        let chosen = app.table.line().is_some_and(|it| it.id == line.id);
        let strip = Rect { y: rows.bottom(), height: 1, ..rows };
        grid.paint_line(app, &line, chosen, strip, canvas);
        rows.height += 1;
    }
    let beside_next = layout.rows.height > LEAST_BESIDE_NEXT;
    RowsShown { rows: shown, columns_left: grid.left_out, beside_next }
}

/// The lines for the last rows of a table of this height: of the process that was killed last, and of the next to die,
/// where none of the rows that are on the screen has them.
fn pinned(app: &App, height: u16) -> [Option<TableLine>; 2] {
    let next = pinned_next(app, height);
    let struck = pinned_struck(app, height - u16::from(next.is_some()));
    // That row may take the place of the one that had the next to die.
    let next = if struck.is_some() { pinned_next(app, height - 1) } else { next };
    [struck, next]
}

/// The line of the process that was killed last, where its row is not among the first so many from the top on.
fn pinned_struck(app: &App, rows: u16) -> Option<TableLine> {
    if rows <= LEAST_BESIDE_NEXT {
        return None;
    }
    let struck = app.table.struck.iter().max_by_key(|row| row.event)?;
    let place = app.table.lines.iter().position(|line| line.id == struck.id)?;
    let top = app.table.cursor.top;
    let is_shown = (top..top + usize::from(rows)).contains(&place);
    (!is_shown).then(|| app.table.lines.get(place).copied()).flatten()
}

/// The line of the next to die, for the last row of a table of this height, where none of the rows that are on the
/// screen has it: the order is frozen, another one, or the table is scrolled. Not where it is narrowed on purpose.
fn pinned_next(app: &App, height: u16) -> Option<TableLine> {
    let place = row_marks::place_of_next(app, height).filter(|_| height > LEAST_BESIDE_NEXT)?;
    let NextRow::Elsewhere(id) = place else { return None };
    let at = app.scene.as_ref()?.now().position(id.pid)?;
    let at = u32::try_from(at).ok()?;
    Some(TableLine { id, at: Some(at), tree_lines: TreeLines::default() })
}

/// The columns and their places.
struct TableGrid {
    fields: Vec<Field>,
    marks: u16,
    moves: Option<u16>,
    /// How many columns were left out on the left.
    left_out: u16,
}

struct Field {
    column: &'static Column,
    x: u16,
    width: u16,
    last: bool,
}

/// From this width on the change of rank is shown beside the marks.
const MOVES_FROM: u16 = 180;

/// The columns of names, which are cut at their usual width; the first ones get free cells first.
const NAMES: [&str; 2] = ["user", "cgroup"];

/// The cells that COMMAND keeps before other columns get more, if its texts are longer.
const COMMAND_KEEPS: u16 = 48;

/// Maximum number of rows that are measured for the width of a column.
const MEASURED: usize = 1000;

/// The cells that columns of names get beyond their usual width, as far as COMMAND does not need them.
fn extra_cells(app: &App, columns: &[&Column], width: u16) -> Vec<(&'static str, u16)> {
    let Some(context) = app.context() else { return Vec::new() };
    let Some((command, others)) = columns.split_last().filter(|(it, _)| it.id == "command") else {
        return Vec::new();
    };
    let marks = if width >= MOVES_FROM { 4 } else { 2 };
    let usual = |column: &Column| column.cells(app.display.scale, width);
    let taken = others.iter().fold(marks, |sum: u16, it| sum.saturating_add(usual(it) + 1));
    let room = width.saturating_sub(taken);
    if room <= command.width {
        return Vec::new();
    }
    let lines = || app.table.lines.iter().take(MEASURED);
    let needed = |column: &Column, most: u16| {
        let mut text = String::new();
        let mut needed = usual(column).min(most);
        for line in lines() {
            let Some(row) = line.at.and_then(|at| context.row(at as usize)) else { continue };
            text.clear();
            (column.cell)(&row, &mut text);
            let indent = if column.id == "command" { line.tree_lines.depth * 2 } else { 0 };
            needed = needed.max(cells(&text).saturating_add(indent));
            if needed >= most {
                return most;
            }
        }
        needed
    };
    let mut free = room.saturating_sub(needed(command, COMMAND_KEEPS.min(room)));
    let mut extra = Vec::new();
    for column in NAMES.iter().filter_map(|id| others.iter().find(|it| it.id == *id)) {
        let more = if free == 0 { 0 } else { needed(column, usual(column) + free) - usual(column) };
        free -= more;
        extra.push((column.id, more));
    }
    extra
}

impl TableGrid {
    fn new(app: &App, width: u16) -> Self {
        let mut columns = app.columns_on(width);
        let pinned = |column: &Column| matches!(column.id, "rank" | "pid");
        let loose = columns.iter().filter(|column| !pinned(column)).count();
        let left_out = app.table.skipped.min(loose.saturating_sub(1));
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
        let extra = extra_cells(app, &columns, width);
        for (nth, column) in columns.into_iter().enumerate() {
            if x >= width {
                break;
            }
            let last = nth + 1 == count;
            let room = width - x;
            let takes_all = last && column.align == Align::Left;
            let more = extra.iter().find(|(id, _)| *id == column.id).map_or(0, |(_, more)| *more);
            let cells = column.cells(app.display.scale, width) + more;
            let cells = if takes_all { room } else { cells.min(room) };
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
        if width >= MOVES_FROM {
            self.moves = Some(x + 2);
            x + 5
        } else {
            x + 3
        }
    }

    /// Paints the headings of the columns.
    fn paint_head(&self, app: &App, area: Rect, canvas: &mut Canvas<'_>) {
        let theme = canvas.theme;
        canvas.style(area, theme.head());
        let sort = app.table.settings.sort;
        for field in &self.fields {
            let (x, y) = (area.x + field.x, area.y);
            let sorted = field.column.id == sort.column.id;
            let style = if sorted { theme.sorted_head() } else { theme.head() };
            let place = Rect { x, y, width: field.width + 1, height: 1 };
            let orders = if field.column.is_bar() { "badness" } else { field.column.id };
            canvas.clickable(place, ClickTarget::Column(orders));
            if field.column.is_bar() {
                badness_bar::paint_legend(x, y, field.width, canvas);
                continue;
            }
            let title = field.column.title;
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
    fn paint_rows(&self, app: &App, area: Rect, canvas: &mut Canvas<'_>) {
        let shown = app.table.lines.iter().enumerate().skip(app.table.cursor.top);
        for (y, (nth, line)) in (area.top()..area.bottom()).zip(shown) {
            let strip = Rect { y, height: 1, ..area };
            self.paint_line(app, line, nth == app.table.cursor.at, strip, canvas);
        }
    }

    /// Paints a line of the table, with the cursor on it or not.
    fn paint_line(
        &self,
        app: &App,
        line: &TableLine,
        chosen: bool,
        strip: Rect,
        canvas: &mut Canvas<'_>,
    ) {
        let Some(context) = app.context() else { return };
        canvas.clickable(strip, ClickTarget::Row(RowIdentity::Process(line.id)));
        let row = line.at.and_then(|at| context.row(at as usize));
        let mark = row.as_ref().and_then(|row| RowMark::of(app, row));
        match &row {
            Some(row) => self.paint_row(app, line, (row, mark), strip, canvas),
            None => match app.table.struck_row(line.id) {
                Some(struck) => self.paint_struck(struck, strip, canvas),
                None => self.paint_gone(line, strip, canvas),
            },
        }
        self.paint_marks(mark, (chosen, app.table.tags.contains(&line.id)), strip, canvas);
        if chosen {
            let theme = canvas.theme;
            let dies = mark == Some(RowMark::DiesNext);
            let style = if dies { theme.victim_cursor() } else { theme.selected() };
            list::highlight_as(strip, style, canvas);
            if let Some(row) = &row {
                self.keep_bar_colours(row, style, strip, canvas);
            }
        }
    }

    /// Paints the bar of the row under the cursor again, in its own colours.
    fn keep_bar_colours(
        &self,
        row: &RowView<'_>,
        style: Style,
        area: Rect,
        canvas: &mut Canvas<'_>,
    ) {
        for field in self.fields.iter().filter(|field| field.column.is_bar()) {
            let at = (area.x + field.x, area.y);
            badness_bar::paint_again(row, at, field.width, style, canvas);
        }
    }

    fn paint_row(
        &self,
        app: &App,
        line: &TableLine,
        (row, mark): (&RowView<'_>, Option<RowMark>),
        area: Rect,
        canvas: &mut Canvas<'_>,
    ) {
        let mut text = String::with_capacity(256);
        let style = row_marks::row_style(mark, row, canvas.theme);
        canvas.style(area, style);
        for field in &self.fields {
            let (x, mut room) = (area.x + field.x, field.width);
            if field.column.is_bar() {
                badness_bar::paint(row, x, area.y, room, canvas);
                continue;
            }
            text.clear();
            (field.column.cell)(row, &mut text);
            let cell = cell_style(field.column.id, row, style, canvas);
            match field.column.align {
                Align::Right => canvas.right(x, area.y, room, &text, cell),
                Align::Left => {
                    let mut x = x;
                    if field.column.id == "command" && app.table.settings.tree {
                        let taken = tree_lines::paint(line.tree_lines, x, area.y, room, canvas);
                        x += taken;
                        room -= taken;
                    }
                    canvas.text(x, area.y, room, &text, cell);
                }
            }
            if field.column.id == "oom_score"
                && matches!(
                    app.refresh.self_check.of(line.id),
                    Some(ScoreAgreement::Differs { .. })
                )
            {
                canvas.text(x + field.width, area.y, 1, "!", canvas.theme.danger());
            }
        }
        if let Some(at) = self.moves
            && let Some(moved) = app.moved(row.process).filter(|&moved| moved != 0)
        {
            paint_move(moved, area.x + at, area.y, canvas);
        }
    }

    /// Paints a process that exited while the order is frozen.
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

    /// Paints a process that was killed a moment ago, struck through.
    fn paint_struck(&self, struck: &StruckRow, area: Rect, canvas: &mut Canvas<'_>) {
        let (theme, style) = (canvas.theme, canvas.theme.killed());
        for field in self.fields.iter().filter(|field| !field.column.is_bar()) {
            let (x, cell) = (area.x + field.x, struck.cell(field.column.id));
            match (field.column.id, field.column.align) {
                // Its rank is that of another process now.
                ("rank", _) => canvas.right(x, area.y, field.width, "-", theme.dim()),
                (_, Align::Right) => canvas.right(x, area.y, field.width, cell, style),
                (_, Align::Left) => _ = canvas.text(x, area.y, field.width, cell, style),
            }
        }
        let mark = theme.time_marks()[1];
        canvas.text(area.x + self.marks + 1, area.y, 1, mark, theme.danger());
    }

    /// Paints the cursor, what the row stands for, and whether it is tagged.
    fn paint_marks(
        &self,
        mark: Option<RowMark>,
        (cursor, tagged): (bool, bool),
        area: Rect,
        canvas: &mut Canvas<'_>,
    ) {
        let (x, theme) = (area.x + self.marks, canvas.theme);
        if cursor {
            canvas.text(x, area.y, 1, ">", theme.strong());
        }
        if let Some(mark) = mark {
            canvas.text(x + 1, area.y, 1, mark.glyph(), mark.style(theme));
        }
        if tagged {
            // The last cell of the marks belongs to the tag only where the others are taken.
            let at = if mark.is_some() { x + 2 } else { x + 1 };
            canvas.text(at, area.y, 1, "*", theme.tag());
        }
    }
}

/// How many ranks a process moved since the sample before, in two cells.
fn paint_move(moved: i64, x: u16, y: u16, canvas: &mut Canvas<'_>) {
    let up = moved > 0;
    let style = if up { canvas.theme.warn() } else { canvas.theme.dim() };
    canvas.text(x, y, 1, canvas.theme.moved(up), style);
    let ranks = moved.unsigned_abs();
    let text = if ranks < 10 { ranks.to_string() } else { "+".to_owned() };
    canvas.text(x + 1, y, 1, &text, style);
}

/// The style of a cell. In an ordinary row only an adj that was set on purpose has one of its own.
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

/// Paints the message in place of a view before the first sample.
pub fn paint_waiting(area: Rect, canvas: &mut Canvas<'_>) {
    let text = if canvas.theme.unicode { "sampling…" } else { "sampling..." };
    let y = area.y + area.height / 2;
    let x = area.x + area.width.saturating_sub(cells(text)) / 2;
    canvas.text(x, y, area.width, text, canvas.theme.dim());
}

/// Paints why the table is empty.
fn paint_empty(app: &App, area: Rect, canvas: &mut Canvas<'_>) {
    let why = if app.is_scoped()
        && app.table.settings.filter.is_empty()
        && app.table.settings.user.is_none()
    {
        "no process is in this domain: S goes back to the machine"
    } else if !app.table.settings.filter.is_empty() {
        "no process matches the filter: Esc clears it"
    } else if app.table.settings.user.is_some() {
        "this user has no process: u chooses another"
    } else if app.table.settings.hide_spared {
        "no process can be chosen: i shows the others"
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
