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
    let mut lines: Vec<Line<'static>> = page.lines.iter().map(line).collect();
    if !page.remedies.is_empty() {
        lines.push(Line::default());
        lines.push(Line::styled("What to change, the best first", theme.strong()));
    }
    for (remedy, digit) in page.remedies.iter().zip(1..) {
        lines.push(Line::from(vec![
            Span::styled(format!("{:<7}", IncidentTopic::Change.label()), theme.label()),
            Span::styled(key(remedy, digit), theme.strong()),
            Span::raw(remedy.text.clone()),
        ]));
        let does = does(remedy, digit);
        lines.extend(does.map(|text| Line::styled(format!("{:9}{text}", ""), theme.dim())));
    }
    lines
}

/// The digit that makes the change, where doomtop can.
fn key(remedy: &Remedy, digit: u16) -> String {
    if remedy.act == RemedyAct::Nothing { "- ".to_owned() } else { format!("{digit} ") }
}

/// What its digit does.
fn does(remedy: &Remedy, digit: u16) -> Option<String> {
    let command = remedy.command.as_deref();
    match remedy.act {
        RemedyAct::Copy => Some(format!("{digit} copies: {}", command?)),
        RemedyAct::Sysctls => Some(format!("{digit} opens the editor; or: {}", command?)),
        RemedyAct::Persist(_, adj) => Some(format!("{digit} shows how to set {adj} for good")),
        RemedyAct::Nothing => None,
    }
}
