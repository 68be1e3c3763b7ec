//! Lists with a cursor: which line is on top, and how the chosen line is drawn.

use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::Line;

use crate::ui::paint::canvas::Canvas;

/// The first line on the screen when the chosen one stays in the middle, or as near to it as the
/// ends of the list allow.
pub fn centred_top(chosen: usize, rows: usize, count: usize) -> usize {
    let rows = rows.max(1);
    (chosen + 1)
        .saturating_sub(rows)
        .max(chosen.saturating_sub(rows / 2))
        .min(count.saturating_sub(rows))
}

/// The first line on the screen when the list scrolls no further than the chosen one needs.
pub const fn lowest_top(chosen: u16, rows: u16) -> u16 {
    (chosen + 1).saturating_sub(rows)
}

/// The first line on the screen that shows the lines `from..to` of a block, its beginning before its
/// end.
pub fn block_top(from: usize, to: usize, rows: usize) -> usize {
    to.saturating_sub(rows.max(1)).min(from)
}

/// Fills a row with the cursor. The colours of its cells go: they would become stripes of its ground.
pub fn highlight(row: Rect, canvas: &mut Canvas<'_>) {
    highlight_as(row, canvas.theme.selected(), canvas);
}

/// Fills a row with a style.
pub fn highlight_as(row: Rect, style: Style, canvas: &mut Canvas<'_>) {
    canvas.restyle(Rect { height: 1, ..row }, style);
}

/// A row under the cursor with the mark `>` in its first cell.
pub fn mark(row: Rect, canvas: &mut Canvas<'_>) {
    canvas.text(row.x, row.y, 1, ">", canvas.theme.strong());
    highlight(row, canvas);
}

/// Takes the colours from a line under the cursor: where the row is reversed, they would become its
/// background.
pub fn uncoloured(mut line: Line<'static>, canvas: &Canvas<'_>) -> Line<'static> {
    line.spans.iter_mut().for_each(|span| span.style = canvas.theme.plain());
    line
}
