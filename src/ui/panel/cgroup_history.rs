//! The history of a memory cgroup: how much it held, and how long its tasks waited.

use ratatui::text::{Line, Span};

use crate::app::App;
use crate::forecast::series::Severity;
use crate::forecast::usage_series::{self, PressureOf};
use crate::model::{Cgroup, SampleIndex, TimeAxis};
use crate::ui::paint::label;
use crate::ui::paint::theme::Theme;
use crate::ui::paint::{chart, text};
use crate::units::{Bytes, Millis};

/// Of fewer samples nothing is drawn.
const FEW: usize = 4;

/// The cells of a label with the space behind it.
const LABEL: u16 = 11;

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
    let used = usage_series::of_cgroup(past, path, &axis, at);
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
        let shares = usage_series::waited(past, path, &axis, at, of);
        let most = shares.iter().flatten().copied().fold(0.0, f64::max);
        if shares.iter().any(Option::is_some) {
            let waits = |share: f64| if share < 10.0 { Severity::Calm } else { Severity::Care };
            let spark = chart::spans(theme, &shares, most.max(10.0), &waits);
            lines.push(say(label, spark, format!(" max {most:.0}%")));
        }
    }
    lines
}
