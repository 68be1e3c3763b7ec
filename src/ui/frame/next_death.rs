//! The line about the predicted death, in its colours. Nothing while no death is near.

use ratatui::style::Style;
use ratatui::text::{Line, Span};

use crate::app::App;
use crate::columns::RowContext;
use crate::forecast::next_death::NextDeath;
use crate::ui::paint::canvas::line_cells;
use crate::ui::paint::theme::Theme;
use crate::units::Millis;
use crate::words::next_death::forms;

/// A death that is nearer than this is shown in red.
const RED: Millis = Millis(60_000);

/// A death that is nearer than this is shown in yellow.
const YELLOW: Millis = Millis(300_000);

/// The longest form of the sentence that fits, else the shortest.
pub fn line(
    app: &App,
    context: &RowContext<'_>,
    theme: Theme,
    width: u16,
) -> Option<Line<'static>> {
    let death = app.deaths.next.as_ref()?;
    let (mark, style) = urgency(death, theme);
    let lines = forms(context, death).into_iter().map(|form| {
        let mut spans = vec![Span::styled(format!("{mark}{}", form.label), style)];
        if !form.who.is_empty() {
            spans.push(Span::raw(" "));
            spans.push(Span::styled(form.who, theme.victim()));
        }
        spans.push(Span::styled(form.rest, style));
        Line::from(spans)
    });
    let mut lines: Vec<Line<'static>> = lines.collect();
    let at = lines.iter().position(|line| line_cells(line) <= width);
    let at = at.unwrap_or(lines.len().checked_sub(1)?);
    Some(lines.swap_remove(at))
}

/// How near the death is: as a mark, and as a style.
fn urgency(death: &NextDeath, theme: Theme) -> (&'static str, Style) {
    match death.when.map(|when| when.middle) {
        Some(time) if time < RED => ("!! ", theme.danger()),
        Some(time) if time >= YELLOW => ("", theme.plain()),
        _ => ("! ", theme.warn()),
    }
}
