//! The Memory view: a chart for each quantity of the machine's memory, all on one time axis.

use ratatui::layout::Rect;
use ratatui::text::Span;

use crate::app::App;
use crate::app::keymap::bindings::{Action, KeyContext};
use crate::app::mode::Mode;
use crate::app::view::memory::ZOOMS;
use crate::forecast::series::SERIES;
use crate::ui::frame::layout::{Layout, ViewSpace};
use crate::ui::frame::status_line;
use crate::ui::paint::canvas::{Canvas, cells};
use crate::ui::paint::text;
use crate::ui::paint::theme::Theme;
use crate::ui::view::memory_column::ChartColumn;
use crate::ui::view::view_table::{RowsShown, ViewParts, no_panels};
use crate::ui::view::{memory_cgroups, memory_sheet};

/// The view. Its charts show more than the gauges of the full header, which needs a high screen.
pub static PARTS: ViewParts = ViewParts {
    space: ViewSpace { full_header_from: 32, panel_height: None },
    paint,
    paint_panels: no_panels,
    status,
};

/// From this width on the charts are in two columns.
const TWO_COLUMNS: u16 = 160;

/// The status line: the keys of the view.
fn status(app: &App, theme: Theme) -> Vec<Span<'static>> {
    let mut parts = vec![status_line::pace(app, theme)];
    parts.extend(status_line::adj_rules(app, theme));
    parts.extend(keys(app).into_iter().map(|text| Span::styled(text, theme.dim())));
    parts
}

fn keys(app: &App) -> Vec<String> {
    // Without samples there is nothing to move in.
    if !matches!(app.mode, Mode::Browse) || app.playback.history.is_empty() {
        return Vec::new();
    }
    let pair = |a: Action, b: Action, word: &str| {
        let (a, b) =
            (app.keys.key_of(KeyContext::Memory, a)?, app.keys.key_of(KeyContext::Memory, b)?);
        Some(format!("{a} {b} {word}"))
    };
    let large = if app.views.memory.large { "all charts" } else { "large" };
    let enter =
        app.keys.key_of(KeyContext::Memory, Action::Enlarge).map(|key| format!("{key} {large}"));
    let now = app.keys.key_of(KeyContext::Memory, Action::Now).filter(|_| app.is_past());
    // What comes later in a recording is not told, and so not whether there is a kill in it.
    let has_kills = app.playback.is_played() || !app.shown_kills().is_empty();
    let keys = [
        pair(Action::ZoomIn, Action::ZoomOut, "zoom"),
        pair(Action::EarlierSample, Action::LaterSample, "samples back"),
        enter,
        now.map(|key| format!("{key} {}", app.newest_word())),
        pair(Action::KillBefore, Action::KillAfter, "kills").filter(|_| has_kills),
    ];
    keys.into_iter().flatten().collect()
}

fn paint(app: &App, layout: &Layout, canvas: &mut Canvas<'_>) -> RowsShown {
    paint_head(app, layout.head, canvas);
    paint_charts(app, layout.rows, canvas);
    RowsShown::rows(layout.rows.height)
}

/// Paints one large chart, or all of them and the cgroups below.
fn paint_charts(app: &App, rows: Rect, canvas: &mut Canvas<'_>) {
    let view = &app.views.memory;
    let Some(context) = text::header_context(app) else { return };
    if app.playback.history.is_empty() {
        let text = match app.incidents.report {
            Some(_) => "a report is a single moment: charts need samples",
            None => "there is no sample yet",
        };
        canvas.text(rows.x, rows.y, rows.width, text, canvas.theme.dim());
        return;
    }
    if view.large {
        let chosen = view.chosen.min(SERIES.len().saturating_sub(1));
        let shown = SERIES.get(chosen..=chosen).unwrap_or_default();
        ChartColumn::new(app, &context, shown, rows, true).paint(canvas);
        return;
    }
    let watched = memory_cgroups::height(app, rows);
    let sheet = memory_sheet::lines(&context, canvas.theme, rows);
    let uses = u16::try_from(sheet.len()).unwrap_or(u16::MAX);
    let charts = Rect { height: rows.height.saturating_sub(watched + uses), ..rows };
    if charts.width >= TWO_COLUMNS && charts.height >= 24 {
        let left = charts.width / 2;
        let (first, second) = SERIES.split_at(SERIES.len().div_ceil(2));
        let sides = [
            (first, Rect { width: left - 1, ..charts }),
            (second, Rect { x: charts.x + left, width: charts.width - left, ..charts }),
        ];
        // Both have their charts at the same height.
        for (series, area) in sides {
            ChartColumn::new(app, &context, series, area, false)
                .sized_for(first.len())
                .paint(canvas);
        }
    } else {
        ChartColumn::new(app, &context, SERIES, charts, false).paint(canvas);
    }
    let between = Rect { y: charts.bottom(), height: uses, ..rows };
    memory_sheet::paint(&sheet, between, canvas);
    let below = Rect { y: between.bottom(), height: watched, ..rows };
    memory_cgroups::paint(app, &context, below, canvas);
}

/// Paints the line of headings: how far back the charts go, and what the chosen one shows.
fn paint_head(app: &App, area: Rect, canvas: &mut Canvas<'_>) {
    let theme = canvas.theme;
    let view = &app.views.memory;
    canvas.style(area, theme.head());
    let mut x = area.x + canvas.text(area.x, area.y, area.width, "Memory ", theme.head());
    for (nth, (name, _)) in ZOOMS.iter().enumerate() {
        let (text, style) = if nth == view.zoom {
            (format!("[{name}]"), theme.sorted_head())
        } else {
            (format!(" {name} "), theme.head())
        };
        x += canvas.text(x, area.y, area.right().saturating_sub(x), &text, style);
    }
    let about = SERIES.get(view.chosen).map_or("", |series| series.about);
    let room = area.right().saturating_sub(x + 2);
    if room >= cells(about) {
        canvas.right(x + 1, area.y, room, about, theme.head());
    }
}
