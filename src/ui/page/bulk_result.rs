//! The result of an act on several processes, a line for each.

use ratatui::layout::Rect;
use ratatui::text::Line;

use crate::app::App;
use crate::ui::paint::canvas::Canvas;
use crate::ui::paint::scroll::{self, PageShown};
use crate::ui::paint::severity;

/// Paints the page.
pub fn paint(app: &App, scroll: u16, area: Rect, canvas: &mut Canvas<'_>) -> PageShown {
    let theme = canvas.theme;
    let Some(result) = &app.session.journal.bulk else {
        return scroll::paint("Nothing was done yet", &[], 0, scroll, area, canvas);
    };
    let mut lines = vec![Line::styled(result.sum(), theme.strong()), Line::default()];
    lines.extend(
        result
            .lines
            .iter()
            .map(|(level, text)| Line::styled(text.clone(), severity::notice(theme, *level))),
    );
    let title = result.title.trim_end_matches('?');
    scroll::paint(title, &lines, 4, scroll, area, canvas)
}
