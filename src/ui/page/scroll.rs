//! A page to read over the table: it scrolls, and says where it stands.

use ratatui::layout::Rect;
use ratatui::text::Line;

use crate::ui::paint::canvas::{Canvas, cells, wrap};

/// What was shown of a page.
#[derive(Clone, Copy, Debug, Default)]
pub struct PageShown {
    /// Lines on the screen.
    pub page: u16,
    /// Lines in all.
    pub lines: u16,
    /// A dialog stands there, with all that it asks.
    pub dialog: bool,
}

impl PageShown {
    /// What a dialog showed.
    pub const fn dialog(whole: bool) -> Self {
        Self { page: 0, lines: 0, dialog: whole }
    }
}

/// Paints a page scrolled by so many lines; never beyond its end.
pub fn paint(
    title: &str,
    lines: &[Line<'static>],
    indent: u16,
    scroll: u16,
    area: Rect,
    canvas: &mut Canvas<'_>,
) -> PageShown {
    let inside = if area.height >= 5 {
        let inside = canvas.frame(area, title, canvas.theme.frame());
        Rect { x: inside.x + 1, width: inside.width.saturating_sub(2), ..inside }
    } else {
        canvas.clear(area);
        area
    };
    let wrapped: Vec<Line<'static>> =
        lines.iter().flat_map(|line| wrap(line, inside.width, indent)).collect();
    let total = u16::try_from(wrapped.len()).unwrap_or(u16::MAX);
    let top = scroll.min(total.saturating_sub(inside.height));
    for (y, line) in (inside.top()..inside.bottom()).zip(&wrapped[usize::from(top)..]) {
        canvas.line(inside.x, y, inside.width, line);
    }
    if inside.height < area.height {
        let last = total.min(top.saturating_add(inside.height));
        let text = if total > inside.height {
            format!(" {}-{last} of {total}, Esc closes ", top + 1)
        } else {
            " Esc closes ".to_owned()
        };
        let taken = cells(&text);
        if taken + 4 < area.width {
            let x = area.right() - taken - 2;
            canvas.text(x, area.bottom() - 1, taken, &text, canvas.theme.frame());
        }
    }
    PageShown { page: inside.height, lines: total, dialog: false }
}
