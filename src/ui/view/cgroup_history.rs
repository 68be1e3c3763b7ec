//! Memory cgroups through time: how full those were that are near their wall, and how long their tasks
//! waited.

use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use crate::app::App;
use crate::columns::RowContext;
use crate::forecast::limits;
use crate::forecast::series::Severity;
use crate::model::{
    Aggregate, Cgroup, Point, PsiLine, Reading, SampleIndex, TimeAxis, joined, resample,
};
use crate::ui::paint::canvas::{Canvas, tail};
use crate::ui::paint::chart;
use crate::ui::paint::chart::Chart;
use crate::ui::paint::text;
use crate::ui::paint::theme::Theme;
use crate::ui::view::cgroups::nearness;
use crate::ui::view::time_axis;
use crate::units::{Bytes, Millis};

/// Of fewer looks there is nothing to draw.
const FEW: usize = 4;

/// The word before a line of a panel takes so many cells.
const LABEL: u16 = 11;

/// How many lines they get under charts that have so much room.
#[must_use]
pub fn height(app: &App, area: Rect) -> u16 {
    let found = u16::try_from(app.memory.groups.len()).unwrap_or(u16::MAX);
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

/// A pressure of a cgroup.
type Told = fn(&Cgroup) -> Reading<PsiLine>;

/// How much a cgroup held in each look that is kept.
fn usage(app: &App, path: &str, axis: &TimeAxis) -> Vec<Option<f64>> {
    let trail = app.playback.past.cgroup_history(path);
    let time = |place: usize| trail.get(place).map(|(at, ..)| *at);
    let points = trail.iter().enumerate().map(|(place, (at, _, group))| {
        let value = group.and_then(|group| group.used().value()).map(|used| used.0 as f64);
        let since = place.checked_sub(1).and_then(time).filter(|_| joined(place, time));
        Point { since, at: *at, value }
    });
    resample(axis, Aggregate::Most, points)
}

/// Which share of the time since the look before its tasks waited, in percent.
fn waited(app: &App, path: &str, axis: &TimeAxis, of: Told) -> Vec<Option<f64>> {
    let mut before: Option<(Millis, Millis, Option<u64>)> = None;
    let trail = app.playback.past.cgroup_history(path).into_iter().map(|(at, read, group)| {
        let total = group.and_then(|group| of(group).value()).map(|stall| stall.total_us);
        let last = before.replace((at, read, total));
        let value = last.and_then(|(_, then, before)| {
            let over = read.0.checked_sub(then.0).filter(|over| *over > 0)?;
            let more = total?.checked_sub(before?)?;
            Some((more as f64 / over as f64 / 10.0).min(100.0))
        });
        Point { since: last.map(|(at, ..)| at), at, value }
    });
    resample(axis, Aggregate::Most, trail)
}

/// Paints them, one a line, on an axis of their own width.
pub fn paint(app: &App, context: &RowContext<'_>, area: Rect, canvas: &mut Canvas<'_>) {
    let theme = canvas.theme;
    let Some((first, rows)) = area.height.checked_sub(1).map(|rows| (area.y, rows)) else { return };
    let name = (area.width / 4).clamp(16, 48);
    let words = 16;
    let tail_room = if area.width >= 100 { 34 } else { 0 };
    let x = area.x + 1 + name + 1 + words + 1;
    let width = area.right().saturating_sub(x + tail_room + 1);
    let title = "Cgroups nearest their wall, or waiting: usage, and how long their tasks wait";
    canvas.text(area.x + 1, first, area.width.saturating_sub(1), title, theme.label());
    let window = app.window(width.into());
    let past = &app.playback.past;
    let seen = |nth: Option<Millis>| nth.map(|at| window.axis.number(at));
    let from = seen(past.oldest().and_then(|nth| past.time(nth))).unwrap_or(0);
    let to = seen(past.newest().and_then(|nth| past.time(nth))).unwrap_or(-1);
    let scene = context.scene;
    for (y, path) in (first + 1..first + 1 + rows).zip(&app.memory.groups) {
        let Some(group) = scene.now().cgroups.find(path.as_str()) else { continue };
        let wall = limits::of_cgroup(group, scene);
        let near = wall.as_ref().and_then(|wall| nearness(wall, theme));
        canvas.text(area.x + 1, y, name, &tail(path.as_str(), name), theme.plain());
        let used = match (group.used(), group.effective_limit()) {
            (Reading::Value(used), Some(limit)) => {
                text::joined(text::bytes(context, used), text::bytes(context, limit))
            }
            (Reading::Value(used), None) => text::bytes(context, used),
            (absent, _) => absent.dash().to_owned(),
        };
        canvas.right(area.x + 2 + name, y, words, &used, near.unwrap_or(theme.strong()));
        let cells = usage(app, path.as_str(), &window.axis);
        let most = cells.iter().flatten().copied().fold(1.0, f64::max);
        let top = group.effective_limit().map_or(most, |Bytes(limit)| most.max(limit as f64));
        let severity = match near {
            None => Severity::Calm,
            Some(style) if style == theme.danger() => Severity::Bad,
            Some(_) => Severity::Care,
        };
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

/// `mem 22.1/9.8  io 3.0/1.0`: percent of the last ten seconds, some and full.
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

/// A cgroup's own past in the looks that are kept: how full it was, and how long its tasks waited for
/// memory and for disks. Two or three lines of so many cells.
#[must_use]
pub fn lines(app: &App, group: &Cgroup, theme: Theme, width: u16) -> Vec<Line<'static>> {
    let path = group.path.as_str();
    let (Some(at), past) = (app.shown_at(), &app.playback.past) else { return Vec::new() };
    let room = width.saturating_sub(LABEL + 12).min(60);
    if past.len() < FEW || room < 8 {
        return Vec::new();
    }
    // A recording is kept however long it is: then the line reaches back to its beginning.
    let time = |nth: Option<SampleIndex>| nth.and_then(|nth| past.time(nth)).unwrap_or(at);
    let kept = at.saturating_sub(time(past.oldest()));
    let whole = if app.playback.is_played() { Millis(kept.0.max(1000)) } else { past.span() };
    let axis = TimeAxis::new(at, whole, room.into());
    let span = time_axis::span(whole.0 / 1000);
    let say = |label: &str, spark: Vec<Span<'static>>, note: String| {
        let mut spans = vec![Span::styled(format!("{label:<10} "), theme.label())];
        spans.extend(spark);
        spans.push(Span::styled(note, theme.dim()));
        Line::from(spans)
    };
    let used = usage(app, path, &axis);
    let most = used.iter().flatten().copied().fold(1.0, f64::max);
    let most = group.effective_limit().map_or(most, |Bytes(wall)| most.max(wall as f64));
    let mut lines = Vec::with_capacity(3);
    if used.iter().any(Option::is_some) {
        lines.push(say(
            "used",
            chart::spans(theme, &used, most, &|_| Severity::Calm),
            format!(" {span}"),
        ));
    }
    let stalls: [(&str, Told); 2] =
        [("mem some", |group| group.pressure.some), ("io some", |group| group.pressure.io_some)];
    for (label, of) in stalls {
        let shares = waited(app, path, &axis, of);
        let most = shares.iter().flatten().copied().fold(0.0, f64::max);
        if shares.iter().any(Option::is_some) {
            let waits = |share: f64| if share < 10.0 { Severity::Calm } else { Severity::Care };
            let spark = chart::spans(theme, &shares, most.max(10.0), &waits);
            lines.push(say(label, spark, format!(" max {most:.0}%")));
        }
    }
    lines
}
