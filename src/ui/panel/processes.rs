//! The panels below the table of processes: explain, machine and session, as many as there is room for.

use ratatui::layout::Rect;

use crate::app::App;
use crate::ui::paint::canvas::Canvas;
use crate::ui::panel::{boxes, explain, machine, session};

/// Paints `count` panels side by side: two or three.
pub fn paint(app: &App, count: u16, area: Rect, canvas: &mut Canvas<'_>) {
    if area.height < 3 {
        return;
    }
    let theme = canvas.theme;
    // The first explains the ranking and gets most of the width; a cell stays free between two panels.
    let share = |part: u16| area.width * part / 100;
    let widths = if count == 3 {
        [share(37), share(32), area.width - share(37) - share(32)]
    } else {
        [share(58), area.width - share(58), 0]
    };
    let inner = area.height - 2;
    // With room for one of the two, the machine is shown until there is something in the session.
    let idle = app.session.journal.entries.is_empty()
        && app.session.journal.pending.is_empty()
        && !app.has_new_kills();
    let mut x = area.x;
    for (nth, &width) in widths.iter().take(usize::from(count)).enumerate() {
        let last = nth + 1 == usize::from(count);
        let strip = Rect { x, width: if last { width } else { width - 1 }, ..area };
        x += width;
        let (title, lines, indent) = match (nth, count) {
            (0, _) => (explain::title(app), explain::brief(app, theme, inner), 12),
            (1, 3) => ("Machine".to_owned(), machine::lines(app, theme), 11),
            (_, 2) if idle => ("Machine".to_owned(), machine::lines(app, theme), 11),
            _ => (session::title(app).to_owned(), session::lines(app, theme, inner), 10),
        };
        boxes::paint(strip, &title, &lines, indent, canvas);
    }
}
