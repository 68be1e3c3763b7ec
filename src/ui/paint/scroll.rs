//! Pages over the table: their box, the text in its lower border, and a page of lines that scrolls.

use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::Line;

use crate::ui::paint::canvas::{Canvas, cells};
use crate::ui::paint::lines::wrap;

/// A box of fewer lines than this has no border.
const LEAST_BOXED: u16 = 5;

/// What was shown of a page or a dialog.
#[derive(Clone, Copy, Debug, Default)]
pub struct PageShown {
    /// Lines on the screen.
    pub page: u16,
    /// Lines in all.
    pub lines: u16,
    /// The first line on the screen.
    pub top: u16,
    /// A dialog is on the screen with all that it asks.
    pub dialog: bool,
}

impl PageShown {
    /// Of a dialog: whether all of it was shown.
    pub const fn dialog(whole: bool) -> Self {
        Self { page: 0, lines: 0, top: 0, dialog: whole }
    }
}

/// The box of a page.
#[derive(Clone, Copy, Debug)]
pub struct PageBox {
    area: Rect,
    /// The cells inside the border; the whole area where there is no border.
    pub inside: Rect,
    boxed: bool,
    frame: Style,
}

impl PageBox {
    /// Clears the area and draws a border where there is room for one.
    pub fn open(area: Rect, title: &str, canvas: &mut Canvas<'_>) -> Self {
        Self::open_in(area, title, canvas.theme.frame(), canvas)
    }

    fn open_in(area: Rect, title: &str, frame: Style, canvas: &mut Canvas<'_>) -> Self {
        let boxed = area.height >= LEAST_BOXED;
        let inside = if boxed {
            canvas.frame(area, title, frame)
        } else {
            canvas.clear(area);
            area
        };
        Self { area, inside, boxed, frame }
    }

    /// The same with a free cell on both sides of what is inside a border.
    pub fn open_padded(area: Rect, title: &str, canvas: &mut Canvas<'_>) -> Self {
        Self::open_framed(area, title, canvas.theme.frame(), canvas)
    }

    /// The same with a border of this style.
    pub fn open_framed(area: Rect, title: &str, frame: Style, canvas: &mut Canvas<'_>) -> Self {
        let open = Self::open_in(area, title, frame, canvas);
        if !open.boxed {
            return open;
        }
        let inside = open.inside;
        let inside = Rect { x: inside.x + 1, width: inside.width.saturating_sub(2), ..inside };
        Self { inside, ..open }
    }

    /// Writes the first of these texts that fits into the lower border.
    pub fn foot(&self, texts: &[&str], canvas: &mut Canvas<'_>) {
        if !self.boxed {
            return;
        }
        let area = self.area;
        // Two cells of the border stay visible on each side, and a space is around the text.
        let fitting = texts.iter().find(|text| cells(text) + 6 < area.width);
        if let Some(text) = fitting {
            let taken = cells(text) + 2;
            let x = area.right() - taken - 2;
            canvas.text(x, area.bottom() - 1, taken, &format!(" {text} "), self.frame);
        }
    }
}

/// Paints a page from the line `scroll` on, but never beyond its end. Long lines go on in the next
/// one, indented by `indent` cells.
pub fn paint(
    title: &str,
    lines: &[Line<'static>],
    indent: u16,
    scroll: u16,
    area: Rect,
    canvas: &mut Canvas<'_>,
) -> PageShown {
    let page = PageBox::open_padded(area, title, canvas);
    let inside = page.inside;
    let wrapped: Vec<Line<'static>> =
        lines.iter().flat_map(|line| wrap(line, inside.width, indent)).collect();
    let total = u16::try_from(wrapped.len()).unwrap_or(u16::MAX);
    let top = scroll.min(total.saturating_sub(inside.height));
    for (y, line) in (inside.top()..inside.bottom()).zip(&wrapped[usize::from(top)..]) {
        canvas.line(inside.x, y, inside.width, line);
    }
    let last = total.min(top.saturating_add(inside.height));
    let text = if total > inside.height {
        format!("{}-{last} of {total}, Esc closes", top + 1)
    } else {
        "Esc closes".to_owned()
    };
    page.foot(&[&text], canvas);
    PageShown { page: inside.height, lines: total, top, dialog: false }
}
