//! The boxes of the panels, and how lines are fitted into them.

use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use crate::ui::paint::canvas::Canvas;
use crate::ui::paint::lines::wrap;

/// Two areas side by side, the left one with this share of the width; a cell stays free between them.
pub fn halves(area: Rect, percent: u16) -> [Rect; 2] {
    let left = area.width * percent / 100;
    [Rect { width: left - 1, ..area }, Rect { x: area.x + left, width: area.width - left, ..area }]
}

/// Paints a panel. Long lines go on in the next one, indented by `indent` cells, as far as there are lines left:
/// blank ones give their place first, and the first lines get it.
pub fn paint(
    area: Rect,
    title: &str,
    lines: &[Line<'static>],
    indent: u16,
    canvas: &mut Canvas<'_>,
) {
    let inside = canvas.frame(area, title, canvas.theme.frame());
    let (x, room) = (inside.x + 1, inside.width.saturating_sub(2));
    let is_blank = |line: &Line<'_>| line.spans.is_empty();
    let blank = lines.iter().filter(|line| is_blank(line)).count();
    let wrapped: Vec<Vec<Line<'static>>> =
        lines.iter().map(|line| wrap(line, room, indent)).collect();
    let needed: usize = wrapped.iter().map(Vec::len).sum();
    let height = usize::from(inside.height);
    let mut blanks_to_drop = needed.saturating_sub(height).min(blank);
    let mut spare = (height + blanks_to_drop).saturating_sub(lines.len());
    let mut rows = inside.top()..inside.bottom();
    for (line, parts) in lines.iter().zip(&wrapped) {
        if is_blank(line) && blanks_to_drop > 0 {
            blanks_to_drop -= 1;
            continue;
        }
        let more = parts.len().saturating_sub(1).min(spare);
        spare -= more;
        for (nth, part) in parts.iter().take(more + 1).enumerate() {
            let Some(y) = rows.next() else { return };
            let is_cut = nth == more && more + 1 < parts.len();
            if is_cut && more == 0 {
                canvas.line(x, y, room, line);
            } else if is_cut {
                let mut part = part.clone();
                part.spans.push(Span::raw(format!(" {}", canvas.theme.cut())));
                canvas.line(x, y, room, &part);
            } else {
                canvas.line(x, y, room, part);
            }
        }
    }
}

/// The first lines that fit into a panel without being cut: the last ones are the least important.
pub fn fitting(mut lines: Vec<Line<'static>>, area: Rect, indent: u16) -> Vec<Line<'static>> {
    let (room, height) = (area.width.saturating_sub(4), area.height.saturating_sub(2));
    let needed = |lines: &[Line<'static>]| {
        lines.iter().map(|line| wrap(line, room, indent).len()).sum::<usize>()
    };
    while lines.len() > 1 && needed(&lines) > usize::from(height) {
        lines.pop();
    }
    lines
}
