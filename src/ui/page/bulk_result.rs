//! What came of an act on several processes, a line for each.

use ratatui::layout::Rect;
use ratatui::text::Line;

use crate::app::{App, NoticeLevel};
use crate::ui::page::scroll;
use crate::ui::page::scroll::PageShown;
use crate::ui::paint::canvas::Canvas;

/// Paints the page.
pub fn paint(app: &App, scroll: u16, area: Rect, canvas: &mut Canvas<'_>) -> PageShown {
    let theme = canvas.theme;
    let Some(round) = &app.session.journal.bulk else {
        return scroll::paint("Nothing was done yet", &[], 0, scroll, area, canvas);
    };
    let style = |level| match level {
        NoticeLevel::Plain => theme.plain(),
        NoticeLevel::Good => theme.good(),
        NoticeLevel::Warn => theme.warn(),
    };
    let mut lines = vec![Line::styled(round.sum(), theme.strong()), Line::default()];
    lines.extend(round.lines.iter().map(|(level, text)| Line::styled(text.clone(), style(*level))));
    let title = round.title.trim_end_matches('?');
    scroll::paint(title, &lines, 4, scroll, area, canvas)
}
