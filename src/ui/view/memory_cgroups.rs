//! The cgroups of the Memory view: charts of those that are near their limit or whose tasks wait.

use ratatui::layout::Rect;

use crate::app::App;
use crate::columns::RowContext;
use crate::forecast::limits;
use crate::forecast::series::Severity;
use crate::forecast::usage_series;
use crate::model::{Cgroup, PsiLine, Reading};
use crate::ui::paint::canvas::{Canvas, cells};
use crate::ui::paint::chart::{self, Chart};
use crate::ui::paint::{severity, text};
use crate::ui::view::time_axis;
use crate::units::{Bytes, Millis};

/// The lines that they get below charts in this area.
#[must_use]
pub fn height(app: &App, area: Rect) -> u16 {
    let found = u16::try_from(app.views.memory.groups.len()).unwrap_or(u16::MAX);
    let most = match area.height {
        0..22 => 0,
        22..40 => 4,
        _ => 8,
    };
    match found.min(most) {
        0 => 0,
        shown => shown + 1,
    }
}

/// Paints one cgroup in each line, on a time axis of their own width.
pub fn paint(app: &App, context: &RowContext<'_>, area: Rect, canvas: &mut Canvas<'_>) {
    let theme = canvas.theme;
    let Some((first, rows)) = area.height.checked_sub(1).map(|rows| (area.y, rows)) else { return };
    // The names get what they need, and the charts at least a third of the line.
    let needed = app.views.memory.groups.iter().map(|it| cells(it.as_str())).max().unwrap_or(0);
    let least = (area.width / 4).clamp(16, 48);
    let name = needed.clamp(least.min(needed), least.max(area.width / 3));
    let words = 16;
    let tail_room = if area.width >= 100 { 34 } else { 0 };
    let x = area.x + 1 + name + 1 + words + 1;
    let width = area.right().saturating_sub(x + tail_room + 1);
    let title = "Cgroups nearest their limit, or waiting: usage, and how long their tasks wait";
    canvas.text(area.x + 1, first, area.width.saturating_sub(1), title, theme.label());
    let window = app.window(width.into());
    let past = &app.playback.past;
    let seen = |nth: Option<Millis>| nth.map(|at| window.axis.number(at));
    let from = seen(past.oldest().and_then(|nth| past.time(nth))).unwrap_or(0);
    let until = app.charted_until();
    let to = seen(past.newest().and_then(|nth| past.time(nth)).map(|at| at.min(until)));
    let to = to.unwrap_or(-1);
    let scene = context.scene;
    for (y, path) in (first + 1..first + 1 + rows).zip(&app.views.memory.groups) {
        let Some(group) = scene.now().cgroups.find(path.as_str()) else { continue };
        let limit = limits::of_cgroup(group, scene, &app.deaths);
        let near = limit.as_ref().and_then(severity::of_limit);
        canvas.text(area.x + 1, y, name, &text::domain(path.as_str(), name), theme.plain());
        let used = match (group.used(), group.effective_limit()) {
            (Reading::Value(used), Some(limit)) => {
                text::joined(text::bytes(context, used), text::bytes(context, limit))
            }
            (Reading::Value(used), None) => text::bytes(context, used),
            (absent, _) => absent.dash().to_owned(),
        };
        let style = near.map_or(theme.strong(), |it| severity::style(theme, it));
        canvas.right(area.x + 2 + name, y, words, &used, style);
        let cells = usage_series::of_cgroup(past, path.as_str(), &window.axis, until);
        let most = cells.iter().flatten().copied().fold(1.0, f64::max);
        let top = group.effective_limit().map_or(most, |Bytes(limit)| most.max(limit as f64));
        let severity = near.unwrap_or(Severity::Calm);
        chart::paint(
            &Chart {
                cells: &cells,
                top,
                seen: (from, to),
                cursor: time_axis::cursor(app, &window),
                severity: &|_| severity,
            },
            Rect { x, y, width, height: 1 },
            canvas,
        );
        if tail_room > 0 {
            canvas.text(area.right() - tail_room, y, tail_room, &waits(group), theme.dim());
        }
    }
}

/// `mem 22.1/9.8  io 3.0/1.0`: pressure of the last 10 s in percent, some and full.
fn waits(group: &Cgroup) -> String {
    let share = |stall: Reading<PsiLine>| {
        stall.value().map_or_else(|| stall.dash().to_owned(), |stall| text::share(stall.avg10))
    };
    let it = group.pressure;
    format!(
        "mem {}/{}  io {}/{}",
        share(it.some),
        share(it.full),
        share(it.io_some),
        share(it.io_full)
    )
}
