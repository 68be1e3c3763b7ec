//! The page about a kill: labels, and what is known under each.

use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use crate::app::page::incident::IncidentPage;
use crate::ui::paint::canvas::Canvas;
use crate::ui::paint::scroll::{self, PageShown};
use crate::ui::paint::theme::Theme;

/// Where continued lines are indented: behind the labels.
const INDENT: u16 = 9;

/// Paints the page.
pub fn paint(page: &IncidentPage, area: Rect, canvas: &mut Canvas<'_>) -> PageShown {
    let lines = lines(page, canvas.theme);
    scroll::paint(&page.title, &lines, INDENT, page.scroll, area, canvas)
}

fn lines(page: &IncidentPage, theme: Theme) -> Vec<Line<'static>> {
    let line = |(label, text): &(&'static str, String)| {
        let style = match *label {
            "rule" if page.differs => theme.warn(),
            "killed" => theme.strong(),
            _ => theme.plain(),
        };
        Line::from(vec![
            Span::styled(format!("{label:<9}"), theme.label()),
            Span::styled(text.clone(), style),
        ])
    };
    page.lines.iter().map(line).collect()
}
