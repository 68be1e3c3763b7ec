//! The Cgroups view: a row for each memory cgroup, how near its limit is, and who dies there.

use std::borrow::Cow;
use std::sync::Arc;

use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::Span;

use crate::app::App;
use crate::app::keymap::bindings::{Action, KeyContext};
use crate::app::view::cgroups::CgroupLine;
use crate::app::view::click_target::{ClickTarget, RowIdentity};
use crate::columns::{Align, RowContext};
use crate::forecast::next_death::NextDeath;
use crate::forecast::series::Severity;
use crate::model::{Cgroup, Hierarchy, Reading, Scope};
use crate::ui::frame::layout::{Layout, ViewSpace};
use crate::ui::frame::status_line;
use crate::ui::paint::canvas::{Canvas, cells, tail};
use crate::ui::paint::theme::Theme;
use crate::ui::paint::{gauge, list, severity, text};
use crate::ui::panel;
use crate::ui::view::cgroup_columns::{Cell, CgroupColumn, Entry, GROUP_COLUMNS};
use crate::ui::view::row_marks::RowMark;
use crate::ui::view::view_table::{FULL_HEADER_FROM, RowsShown, ViewParts};
use crate::units::{Bytes, Millis};
use crate::words::numbers_and_names::cgroup_forms;

/// The view.
pub static PARTS: ViewParts = ViewParts {
    space: ViewSpace { full_header_from: FULL_HEADER_FROM, panel_height: Some(panel_height) },
    paint,
    paint_panels: panel::cgroup::paint,
    status,
};

/// The files of a cgroup fill no more, however high the screen is.
const fn panel_height(_: u16) -> u16 {
    12
}

/// The status line: how many cgroups there are, and which keys the view has.
fn status(app: &App, theme: Theme) -> Vec<Span<'static>> {
    let Some(scene) = &app.scene else { return Vec::new() };
    let limited = scene.now().cgroups.limited().count();
    let count = scene.now().cgroups.list.len();
    let mut parts = vec![Span::raw(format!("{count} cgroups, {limited} with a limit"))];
    parts.push(status_line::pace(app, theme));
    parts.extend(status_line::adj_rules(app, theme));
    parts.extend(status_line::scope(app, theme));
    if app.views.cgroups.hide {
        parts.push(Span::styled("limited only", theme.warn()));
    }
    parts.extend(status_line::units(app));
    let swaps = |line: &CgroupLine| line.limit.as_ref().is_some_and(|it| it.swap > Bytes::ZERO);
    let marked = GROUP_COLUMNS.iter().filter(|it| matches!(it.cell, Cell::Left(_)));
    let mut marked = marked.filter(|it| it.until < u16::MAX);
    let width = app.display.viewport.width;
    if marked.any(|it| (it.from..it.until).contains(&width))
        && app.views.cgroups.lines.iter().any(swaps)
    {
        parts.push(Span::styled("LEFT +: with swap", theme.label()));
    }
    let keys = [
        (Action::EnterDomain, "shows its processes"),
        (Action::HideUnlimited, "limited only"),
        (Action::Back, "back to the processes"),
    ];
    parts.extend(status_line::keys(app, KeyContext::Cgroups, &keys, theme));
    parts
}

fn paint(app: &App, layout: &Layout, canvas: &mut Canvas<'_>) -> RowsShown {
    paint_head(app, layout.head, canvas);
    paint_rows(app, layout.rows, canvas);
    RowsShown::rows(layout.rows.height)
}

/// A column and its place.
struct Field {
    column: &'static CgroupColumn,
    x: u16,
    width: u16,
}

/// The cells before the first column: the cursor, and the domain of the next death.
const MARKS: u16 = 2;

/// The least width of the column of victims.
const LEAST_VICTIM: u16 = 12;

/// The cells of the name and of the victim: what they need, and where both need more than there is, the name enough
/// to be distinguished from others.
fn name_and_victim(app: &App, rest: u16, width: u16) -> (u16, u16) {
    let lines = || app.views.cgroups.lines.iter();
    let name = |line: &CgroupLine| {
        let group = app.group_at(line);
        let scoped = group.is_some_and(|group| is_scope(app, group));
        let name = group.map_or(Scope::GLOBAL, |group| name_in_list(app, line, group));
        indent(line).saturating_add(cells(name) + if scoped { 2 } else { 0 })
    };
    let for_name = lines().map(name).max().unwrap_or(0);
    let outcome = |line: &CgroupLine| {
        let (context, outcome) = app.context().zip(line.outcome.as_ref())?;
        let [longest, ..] = text::outcome_forms(&context, outcome);
        Some(cells(&longest))
    };
    let for_victim = lines().filter_map(outcome).max().unwrap_or(0);
    // In steps: the columns do not move with each digit of a share.
    let for_victim = for_victim.max(LEAST_VICTIM).next_multiple_of(8);
    let least = (width / 4).clamp(16, 64).min(rest);
    let name = rest.saturating_sub(for_victim + 1).clamp(least, least.max(for_name)).min(rest);
    let victim = rest.saturating_sub(name + 1);
    if victim < LEAST_VICTIM { (rest, 0) } else { (name, victim) }
}

/// The columns on a screen of this width.
fn fields(app: &App, width: u16) -> Vec<Field> {
    let hierarchy = app.scene.as_ref().and_then(|it| it.now().cgroups.hierarchy.value());
    let version_1 = hierarchy == Some(Hierarchy::V1);
    let shown: Vec<&CgroupColumn> = GROUP_COLUMNS
        .iter()
        .filter(|column| (column.from..column.until).contains(&width))
        .filter(|column| !(version_1 && column.only_v2))
        .collect();
    let fixed: u16 = shown.iter().map(|it| if it.width > 0 { it.width + 1 } else { 0 }).sum();
    let rest = width.saturating_sub(fixed + MARKS);
    let (name, victim) = name_and_victim(app, rest, width);
    let mut x = MARKS;
    let mut found = Vec::with_capacity(shown.len());
    for column in shown {
        let cells = match column.cell {
            Cell::Name => name,
            Cell::Victim => victim,
            _ => column.width,
        };
        if cells > 0 {
            found.push(Field { column, x, width: cells });
            x += cells + 1;
        }
    }
    found
}

/// Paints the headings of the columns.
fn paint_head(app: &App, area: Rect, canvas: &mut Canvas<'_>) {
    let theme = canvas.theme;
    canvas.style(area, theme.head());
    for field in fields(app, area.width) {
        let CgroupColumn { title, cell, .. } = field.column;
        let orders = cell.orders(app.views.cgroups.as_tree);
        let style = if orders { theme.sorted_head() } else { theme.head() };
        let x = area.x + field.x;
        match cell.align() {
            Align::Right => canvas.right(x, area.y, field.width, title, style),
            Align::Left => {
                canvas.text(x, area.y, field.width, title, style);
            }
        }
    }
}

/// Paints the rows on the screen, or why there are none.
fn paint_rows(app: &App, area: Rect, canvas: &mut Canvas<'_>) {
    let Some(context) = app.context() else { return };
    let fields = fields(app, area.width);
    let mut text = String::with_capacity(128);
    let mut y = area.y;
    let shown = app.views.cgroups.lines.iter().enumerate().skip(app.views.cgroups.cursor.top);
    for (nth, line) in shown.take(usize::from(area.height)) {
        let mut entry = Entry::new(line, app.group_at(line), &context);
        entry.hit_in = hit_in(app, &entry);
        let strip = Rect { y, height: 1, ..area };
        let path = app.group_at(line).map(|group| Arc::clone(&group.path));
        canvas.clickable(strip, ClickTarget::Row(RowIdentity::Cgroup(path)));
        paint_row(app, &entry, &fields, &context, strip, &mut text, canvas);
        let dies_next = is_next_domain(app, &entry);
        if dies_next {
            canvas.text(strip.x + 1, y, 1, RowMark::DiesNext.glyph(), canvas.theme.danger());
        }
        if nth == app.views.cgroups.cursor.at {
            let theme = canvas.theme;
            canvas.text(strip.x, y, 1, ">", theme.strong());
            let style = if dies_next { theme.victim_cursor() } else { theme.selected() };
            list::highlight_as(strip, style, canvas);
        }
        y += 1;
    }
    let (x, room) = (area.x + 1, area.width.saturating_sub(2));
    for why in why_none(app) {
        y += 1;
        if y < area.bottom() {
            canvas.text(x, y, room, why, canvas.theme.dim());
        }
    }
}

/// Why no cgroup is shown.
fn why_none(app: &App) -> &'static [&'static str] {
    let Some(scene) = &app.scene else { return &[] };
    let cgroups = &scene.now().cgroups;
    if !cgroups.list.is_empty() {
        if app.views.cgroups.hide && app.views.cgroups.lines.len() < 2 {
            return &["no cgroup here has a limit: i shows them all"];
        }
        return &[];
    }
    match cgroups.hierarchy {
        Reading::Missing => &[
            "no memory cgroups can be seen here: no hierarchy with the memory controller is mounted,",
            "or the kernel has none. The machine's memory is the only limit.",
        ],
        Reading::Denied => &["no memory cgroups can be seen here: they may not be read"],
        Reading::NotAsked if !app.start.live => &["no memory cgroups are in this recording"],
        Reading::NotAsked => &["the memory cgroups were not read yet"],
        Reading::Value(_) => &["no memory cgroups can be seen here: there are none below the root"],
    }
}

fn paint_row(
    app: &App,
    entry: &Entry<'_>,
    fields: &[Field],
    context: &RowContext<'_>,
    area: Rect,
    text: &mut String,
    canvas: &mut Canvas<'_>,
) {
    let theme = canvas.theme;
    let dies_next = is_next_domain(app, entry);
    let style = if dies_next { theme.victim() } else { row_style(app, entry, theme) };
    canvas.style(area, style);
    let limit = entry.line.limit.as_ref();
    // A red row is red as a whole.
    let of = |severity: Option<Severity>, otherwise: Style| match severity {
        Some(severity) if !dies_next => severity::style(theme, severity),
        _ => otherwise,
    };
    let near = of(limit.and_then(severity::of_limit), style);
    for field in fields {
        let (x, y) = (area.x + field.x, area.y);
        let (cell, style) = match &field.column.cell {
            Cell::Name => {
                paint_name(app, entry, x, y, field.width, style, canvas);
                continue;
            }
            Cell::Gauge => {
                paint_bar(entry, x, y, field.width, near, canvas);
                continue;
            }
            Cell::Victim => {
                paint_victim(entry, context, x, y, field.width, style, canvas);
                continue;
            }
            Cell::Text(cell) => (cell, style),
            Cell::Used(cell) | Cell::Left(cell) => (cell, near),
            Cell::HitIn(cell) => (cell, of(severity::of_time(entry.hit_in), style)),
        };
        text.clear();
        cell(entry, context, text);
        canvas.right(x, y, field.width, text, style);
    }
}

/// When the limit of this row is reached, as the headline says: it follows what is read between samples, too.
fn hit_in(app: &App, entry: &Entry<'_>) -> Option<Millis> {
    let domain = entry.group.map_or(Scope::GLOBAL, |group| group.path.as_str());
    app.deaths.time_of(domain)
}

/// Whether a death is predicted at the limit of this row.
fn is_at(death: &NextDeath, entry: &Entry<'_>) -> bool {
    match entry.group {
        Some(group) => group.path == death.domain,
        None => death.domain.as_str() == Scope::GLOBAL,
    }
}

/// Whether the next death is predicted at the limit of this row.
fn is_next_domain(app: &App, entry: &Entry<'_>) -> bool {
    app.deaths.next.as_ref().is_some_and(|next| is_at(next, entry))
}

/// Strong where the first limit is hit, dim where nobody dies.
fn row_style(app: &App, entry: &Entry<'_>, theme: Theme) -> Style {
    let first = app.first_limit.as_ref().zip(entry.line.limit.as_ref());
    let is_first = first.is_some_and(|(first, limit)| first.limit.name == limit.name);
    match entry.line.outcome {
        Some(_) if is_first => theme.strong(),
        Some(_) => theme.plain(),
        None => theme.dim(),
    }
}

/// Paints how full it is.
fn paint_bar(entry: &Entry<'_>, x: u16, y: u16, width: u16, style: Style, canvas: &mut Canvas<'_>) {
    let Some(share) = entry.share() else { return };
    let mut x = x;
    for span in gauge::bar(canvas.theme, width, share, 0.0, style) {
        x += canvas.text(x, y, width, &span.content, span.style);
    }
}

/// Paints who dies at the limit, in the longest form that fits.
fn paint_victim(
    entry: &Entry<'_>,
    context: &RowContext<'_>,
    x: u16,
    y: u16,
    width: u16,
    style: Style,
    canvas: &mut Canvas<'_>,
) {
    let Some(outcome) = &entry.line.outcome else { return };
    let forms = text::outcome_forms(context, outcome);
    let text = forms.iter().find(|it| cells(it) <= width).unwrap_or(&forms[2]);
    let style = if outcome.victim.is_none() || outcome.overridden.is_some() {
        canvas.theme.dim()
    } else if outcome.too_close() {
        canvas.theme.candidate()
    } else {
        style
    };
    canvas.text(x, y, width, text, style);
}

/// Whether the ranking is that of this cgroup.
fn is_scope(app: &App, group: &Cgroup) -> bool {
    app.scene.as_ref().is_some_and(|scene| scene.domain().name == group.path)
}

/// The cells before a name in the tree.
const fn indent(line: &CgroupLine) -> u16 {
    line.depth.saturating_mul(2)
}

/// The path of a cgroup, in the tree that below the cgroup above it.
fn name_in_list<'a>(app: &App, line: &CgroupLine, group: &'a Cgroup) -> &'a str {
    let path = group.path.as_str();
    let name = if app.views.cgroups.as_tree { path.get(line.said..).unwrap_or(path) } else { path };
    // In the tree the indent replaces the slash.
    if line.depth > 0 { name.trim_start_matches('/') } else { name }
}

/// The whole name, or that of a container or pod, or the end of a path: its most useful part.
fn name_that_fits<'a>(name: &'a str, path: &str, room: u16) -> Cow<'a, str> {
    if cells(name) <= room {
        return name.into();
    }
    let mut forms = cgroup_forms(path).into_iter().filter(|it| !it.starts_with("cgroup "));
    // The name of a service is the end of its path, and tells no more.
    if let Some(short) = forms.find(|it| cells(it) <= room && !it.ends_with(".service")) {
        return short.into();
    }
    let is_path = name.trim_start_matches('/').contains('/');
    if is_path { tail(name, room) } else { name.into() }
}

fn paint_name(
    app: &App,
    entry: &Entry<'_>,
    x: u16,
    y: u16,
    room: u16,
    style: Style,
    canvas: &mut Canvas<'_>,
) {
    let Some(group) = entry.group else {
        canvas.text(x, y, room, "global", style.patch(canvas.theme.strong()));
        return;
    };
    let path = group.path.as_str();
    // Some of the name stays, however deep the cgroup is.
    let indent = indent(entry.line).min(room.saturating_sub(12));
    let name = name_in_list(app, entry.line, group);
    let scoped = is_scope(app, group);
    let mark = if scoped { 2 } else { 0 };
    let room = room.saturating_sub(indent).saturating_sub(mark);
    let shown = name_that_fits(name, path, room);
    let taken = canvas.text(x + indent, y, room, &shown, style);
    if scoped {
        canvas.text(x + indent + taken + 1, y, 1, "*", canvas.theme.tag());
    }
}
