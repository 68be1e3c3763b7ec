//! The history of a memory cgroup: how much it held, and how long its tasks waited.

use ratatui::text::{Line, Span};

use crate::app::App;
use crate::forecast::series::Severity;
use crate::model::{
    Aggregate, Cgroup, Point, PsiLine, Reading, SampleIndex, TimeAxis, joined, resample,
};
use crate::ui::paint::label;
use crate::ui::paint::theme::Theme;
use crate::ui::paint::{chart, text};
use crate::units::{Bytes, Millis};

/// Of fewer samples nothing is drawn.
const FEW: usize = 4;

/// The cells of a label with the space behind it.
const LABEL: u16 = 11;

/// A pressure of a cgroup.
type PressureOf = fn(&Cgroup) -> Reading<PsiLine>;

/// The memory that a cgroup held, in bytes, for each cell of the axis.
#[must_use]
pub fn usage(app: &App, path: &str, axis: &TimeAxis) -> Vec<Option<f64>> {
    let trail = app.playback.past.cgroup_history(path);
    let time = |place: usize| trail.get(place).map(|(at, ..)| *at);
    let points = trail.iter().enumerate().map(|(place, (at, _, group))| {
        let value = group.and_then(|group| group.used().value()).map(|used| used.0 as f64);
        let since = place.checked_sub(1).and_then(time).filter(|_| joined(place, time));
        Point { since, at: *at, value }
    });
    resample(axis, Aggregate::Most, points)
}

/// The share of the time since the sample before that its tasks waited, in percent, for each cell of
/// the axis.
fn waited(app: &App, path: &str, axis: &TimeAxis, of: PressureOf) -> Vec<Option<f64>> {
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

/// How full a cgroup was in the samples that are kept, and how long its tasks waited for memory and for
/// disks: up to three lines of `width` cells.
#[must_use]
pub fn lines(app: &App, group: &Cgroup, theme: Theme, width: u16) -> Vec<Line<'static>> {
    let path = group.path.as_str();
    let (Some(at), past) = (app.shown_at(), &app.playback.past) else { return Vec::new() };
    let room = width.saturating_sub(LABEL + 12).min(60);
    if past.len() < FEW || room < 8 {
        return Vec::new();
    }
    // All samples of a recording are kept: then the line reaches back to its beginning.
    let time = |nth: Option<SampleIndex>| nth.and_then(|nth| past.time(nth)).unwrap_or(at);
    let kept = at.saturating_sub(time(past.oldest()));
    let whole = if app.playback.is_played() { Millis(kept.0.max(1000)) } else { past.span() };
    let axis = TimeAxis::new(at, whole, room.into());
    let span = text::short_span(whole.0 / 1000);
    let say = |label: &str, spark: Vec<Span<'static>>, note: String| {
        let mut spans = vec![label::label(theme, label, label::PANEL)];
        spans.extend(spark);
        spans.push(Span::styled(note, theme.dim()));
        Line::from(spans)
    };
    let used = usage(app, path, &axis);
    let most = used.iter().flatten().copied().fold(1.0, f64::max);
    let most = group.effective_limit().map_or(most, |Bytes(limit)| most.max(limit as f64));
    let mut lines = Vec::with_capacity(3);
    if used.iter().any(Option::is_some) {
        lines.push(say(
            "used",
            chart::spans(theme, &used, most, &|_| Severity::Calm),
            format!(" {span}"),
        ));
    }
    let stalls: [(&str, PressureOf); 2] =
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
