//! What happened: kills, and what was done from here.

use ratatui::layout::Rect;

use super::pen::Pen;
use super::session;
use crate::app::App;

/// Paints the view; how many of its lines were shown comes back.
pub fn paint(app: &App, head: Rect, rows: Rect, pen: &mut Pen<'_>) -> u16 {
    let look = pen.look;
    pen.style(head, look.head());
    pen.text(head.x, head.y, head.width, "Events", look.head());
    for (y, line) in (rows.top()..rows.bottom()).zip(&session::lines(app, look, rows.height)) {
        pen.line(rows.x, y, rows.width, line);
    }
    rows.height
}
