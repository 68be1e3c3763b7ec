//! The note of a recording to its readers, above the status line.

use ratatui::layout::Rect;

use crate::app::App;
use crate::ui::paint::canvas::Canvas;

/// Paints the note that belongs to the sample on the screen.
pub fn paint(app: &App, area: Rect, canvas: &mut Canvas<'_>) {
    let Some(note) = app.note().filter(|_| area.height > 0) else { return };
    let mark = if canvas.theme.unicode { "» " } else { "> " };
    let x = area.x + canvas.text(area.x, area.y, area.width, mark, canvas.theme.label());
    canvas.text(x, area.y, area.right().saturating_sub(x), note, canvas.theme.strong());
}
