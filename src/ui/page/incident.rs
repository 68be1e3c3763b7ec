//! The page about a kill: what is known, and what to change.

use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use crate::app::page::incident::IncidentPage;
use crate::ui::paint::canvas::Canvas;
use crate::ui::paint::scroll::{self, PageShown};
use crate::ui::paint::theme::Theme;
use crate::words::incident::line::{IncidentLine, IncidentTopic};
use crate::words::remedy::{Remedy, RemedyAct};

/// Where continued lines are indented: behind the labels.
const INDENT: u16 = 9;

/// Paints the page.
pub fn paint(page: &IncidentPage, area: Rect, canvas: &mut Canvas<'_>) -> PageShown {
    let lines = lines(page, canvas.theme);
    scroll::paint(&page.title, &lines, INDENT, page.scroll, area, canvas)
}

fn lines(page: &IncidentPage, theme: Theme) -> Vec<Line<'static>> {
    let line = |line: &IncidentLine| {
        let style = match line.topic {
            IncidentTopic::Rule if page.differs => theme.warn(),
            IncidentTopic::Killed => theme.strong(),
            _ => theme.plain(),
        };
        Line::from(vec![
            Span::styled(format!("{:<9}", line.topic.label()), theme.label()),
            Span::styled(line.text.clone(), style),
        ])
    };
    // Who died and why, and what to do about it, are on the first screen, however small that is.
    let answered = page.lines.iter().position(|it| it.topic == IncidentTopic::Answer);
    let killed = || page.lines.iter().position(|it| it.topic == IncidentTopic::Killed);
    let first = answered.or_else(killed).map_or(page.lines.len(), |at| at + 1);
    let (answer, details) = page.lines.split_at(first);
    let mut lines: Vec<Line<'static>> = answer.iter().map(line).collect();
    if !page.remedies.is_empty() {
        lines.push(Line::default());
        lines.push(Line::styled("What to change, the best first", theme.strong()));
    }
    for (remedy, digit) in page.remedies.iter().zip(1..) {
        lines.push(Line::from(vec![
            Span::styled(format!("{:<7}", IncidentTopic::Change.label()), theme.label()),
            Span::styled(format!("{digit} "), theme.strong()),
            Span::raw(remedy.text.clone()),
        ]));
        let does = does(remedy, digit);
        lines.extend(does.map(|text| Line::styled(format!("{:9}{text}", ""), theme.dim())));
    }
    if !page.remedies.is_empty() && !details.is_empty() {
        lines.push(Line::default());
        lines.push(Line::styled("Details", theme.strong()));
    }
    lines.extend(details.iter().map(line));
    lines
}

/// What its digit does, beyond copying the sentence.
fn does(remedy: &Remedy, digit: u16) -> Option<String> {
    let command = remedy.command.as_deref();
    match remedy.act {
        RemedyAct::Copy => Some(format!("{digit} copies: {}", command?)),
        RemedyAct::Sysctls => Some(format!("{digit} opens the editor; or: {}", command?)),
        RemedyAct::Persist(_, adj) => Some(format!("{digit} shows how to set {adj} for good")),
        RemedyAct::Nothing => None,
    }
}
