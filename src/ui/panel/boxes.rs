//! The boxes of the panels, and how lines are fitted into them.

use ratatui::layout::Rect;
use ratatui::text::Line;

use crate::ui::paint::canvas::Canvas;
use crate::ui::paint::lines::wrap;

/// Two areas side by side, the left one with this share of the width; a cell stays free between them.
pub fn halves(area: Rect, percent: u16) -> [Rect; 2] {
    let left = area.width * percent / 100;
    [Rect { width: left - 1, ..area }, Rect { x: area.x + left, width: area.width - left, ..area }]
}

/// Paints a panel. Long lines go on in the next one, indented by `indent` cells, where that pushes
/// nothing out of the box.
pub fn paint(
    area: Rect,
    title: &str,
    lines: &[Line<'static>],
    indent: u16,
    canvas: &mut Canvas<'_>,
) {
    let inside = canvas.frame(area, title, canvas.theme.frame());
    let (x, room) = (inside.x + 1, inside.width.saturating_sub(2));
    let blank = lines.iter().filter(|line| line.spans.is_empty()).count();
    let wrapped: Vec<Vec<Line<'static>>> =
        lines.iter().map(|line| wrap(line, room, indent)).collect();
    let needed: usize = wrapped.iter().map(Vec::len).sum();
    let mut spill = needed.saturating_sub(usize::from(inside.height));
    let whole = spill <= blank;
    let mut y = inside.y;
    for (line, parts) in lines.iter().zip(&wrapped) {
        // Blank lines give their place to what would not fit.
        if whole && spill > 0 && line.spans.is_empty() {
            spill -= 1;
            continue;
        }
        for part in if whole { parts.as_slice() } else { std::slice::from_ref(line) } {
            if y >= inside.bottom() {
                return;
            }
            canvas.line(x, y, room, part);
            y += 1;
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
