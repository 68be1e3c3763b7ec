//! The page at the end of the demo: what was seen, and how to go on.

use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use crate::app::App;
use crate::app::incident::event_text::victim_text;
use crate::columns::span_of;
use crate::model::OomEvent;
use crate::ui::paint::canvas::Canvas;
use crate::ui::paint::scroll::{self, PageShown};
use crate::words::next_death::forecast_sentence;

/// Paints the page.
pub fn paint(app: &App, area: Rect, canvas: &mut Canvas<'_>) -> PageShown {
    let theme = canvas.theme;
    let kills: Vec<&OomEvent> = app.shown_kills().iter().filter(|it| it.is_kill()).collect();
    let mut leads: Vec<u64> =
        kills.iter().filter_map(|it| it.forecast.lead()).map(|it| it.0).collect();
    leads.sort_unstable();
    let mut sum = format!("{} kills, {} of them predicted", kills.len(), leads.len());
    if let Some(median) = leads.get(leads.len() / 2) {
        sum.push_str(&format!(", half of these at least {} before", span_of(median / 1000)));
    }
    let mut lines = vec![Line::styled(sum, theme.strong()), Line::default()];
    for kill in &kills {
        let forecast = forecast_sentence(kill.forecast);
        let forecast = forecast.unwrap_or_else(|| "there was no forecast".to_owned());
        lines.push(Line::raw(format!(
            "{} killed {}: {forecast}",
            kill.by.name(),
            victim_text(kill)
        )));
    }
    lines.push(Line::default());
    for (key, what) in [
        ("r", "plays it again"),
        ("Esc", "closes this page: { and } go to the sample before each kill, ( and ) step"),
        ("q", "quits; run doomtop without --demo to see this machine"),
    ] {
        let key = Span::styled(format!("{key:<5}"), theme.strong());
        lines.push(Line::from(vec![key, Span::raw(what)]));
    }
    scroll::paint("What you saw", &lines, 5, 0, area, canvas)
}
