//! The panels below the table of processes: explain, race, machine and session, as many as there is room for.

use ratatui::layout::Rect;

use crate::app::App;
use crate::ui::paint::canvas::Canvas;
use crate::ui::panel::{boxes, explain, machine, race, session};

/// Paints `count` panels: two or three side by side, and with a fourth one the last two below each other.
pub fn paint(app: &App, count: u16, area: Rect, canvas: &mut Canvas<'_>) {
    if area.height < 3 {
        return;
    }
    let theme = canvas.theme;
    let [left, rest] = boxes::halves(
        area,
        match count {
            ..3 => 57,
            3 => 40,
            _ => 36,
        },
    );
    let inner = (left.width.saturating_sub(4), left.height - 2);
    let lines = explain::brief(app, theme, inner);
    boxes::paint(left, &explain::title(app), &lines, explain::INDENT, canvas);
    if count < 3 {
        race::paint(app, rest, canvas);
        return;
    }
    let [middle, right] = boxes::halves(rest, if count > 3 { 48 } else { 55 });
    race::paint(app, middle, canvas);
    let mut kills = right;
    if count > 3 {
        let height = right.height / 2;
        let lines = machine::beside_meters(app, theme);
        let top = Rect { height, ..right };
        boxes::paint(top, "Machine", &boxes::fitting(lines, top, 11), 11, canvas);
        kills = Rect { y: right.y + height, height: right.height - height, ..right };
    }
    let inner = (kills.width.saturating_sub(4), kills.height.saturating_sub(2));
    let lines = session::lines(app, theme, inner);
    boxes::paint(kills, session::title(app), &lines, session::INDENT, canvas);
}
