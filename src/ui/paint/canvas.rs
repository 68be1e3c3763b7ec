//! Writes cells of the screen buffer: text cut by its width in cells, never outside the buffer, and in
//! ASCII where the terminal shows nothing else. The rest of this room paints through it.

use std::borrow::Cow;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::Line;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use crate::app::view::click_target::ClickTarget;
use crate::ui::click_areas::ClickAreas;
use crate::ui::paint::theme::Theme;

/// A buffer to paint into, and the theme to paint with.
pub struct Canvas<'a> {
    /// Styles and glyphs.
    pub theme: Theme,
    buf: &'a mut Buffer,
    areas: &'a mut ClickAreas,
}

/// The width of a text in cells.
#[must_use]
pub fn cells(text: &str) -> u16 {
    // Most texts are ASCII, whose width is quickly told.
    let cells = if text.is_ascii() && !text.as_bytes().contains(&b'\r') {
        text.len()
    } else {
        text.width()
    };
    u16::try_from(cells).unwrap_or(u16::MAX)
}

/// The width of a line in cells.
#[must_use]
pub fn line_cells(line: &Line<'_>) -> u16 {
    line.spans.iter().fold(0, |sum, span| sum.saturating_add(cells(&span.content)))
}

/// The part of a text that fits.
pub(super) struct TextFit {
    /// Bytes that fit with a cut mark behind them.
    pub(super) cut_at: usize,
    /// Cells of those bytes.
    cut_cells: u16,
    /// Cells of the whole text, if it fits.
    whole: Option<u16>,
}

/// Measures no more of the text than `room` cells: a command line may be long.
pub(super) fn fit(text: &str, room: u16) -> TextFit {
    let mut fit = TextFit { cut_at: 0, cut_cells: 0, whole: None };
    let mut taken: u16 = 0;
    for (at, c) in text.char_indices() {
        let width = c.width().unwrap_or(0) as u16;
        if taken + width > room {
            return fit;
        }
        taken += width;
        if taken < room {
            fit.cut_at = at + c.len_utf8();
            fit.cut_cells = taken;
        }
    }
    fit.whole = Some(taken);
    fit
}

/// The end of a text, as much as fits, behind a mark where something is left out. For paths: their last
/// component is the most useful part.
#[must_use]
pub fn tail(text: &str, room: u16) -> Cow<'_, str> {
    if cells(text) <= room {
        return Cow::Borrowed(text);
    }
    let mut taken: u16 = 1;
    let mut from = text.len();
    for (at, c) in text.char_indices().rev() {
        taken = taken.saturating_add(c.width().unwrap_or(0) as u16);
        if taken > room {
            break;
        }
        from = at;
    }
    // A whole component reads better than all that fits.
    let rest = &text[from..];
    let whole = rest.find('/').filter(|&at| rest.len() - at > rest.len() / 2);
    Cow::Owned(format!("…{}", &rest[whole.unwrap_or(0)..]))
}

/// The text with every other character replaced by ASCII, as wide as before.
fn ascii(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '…' => out.push('~'),
            '─' => out.push('-'),
            _ if c.is_ascii() => out.push(c),
            _ => (0..c.width().unwrap_or(0)).for_each(|_| out.push('?')),
        }
    }
    out
}

impl<'a> Canvas<'a> {
    /// A canvas over this buffer.
    pub fn new(theme: Theme, buf: &'a mut Buffer, areas: &'a mut ClickAreas) -> Self {
        Self { theme, buf, areas }
    }

    /// Notes what was painted in this area, for the mouse.
    pub fn clickable(&mut self, area: Rect, target: ClickTarget) {
        self.areas.add(area.intersection(self.buf.area), target);
    }

    fn room(&self, x: u16, y: u16, room: u16) -> u16 {
        let area = self.buf.area;
        if y < area.top() || y >= area.bottom() || x < area.left() {
            return 0;
        }
        room.min(area.right().saturating_sub(x))
    }

    /// Where a word of ASCII stands in a line that is painted already.
    pub fn find(&self, line: Rect, word: &str) -> Option<Rect> {
        let line = Rect { height: 1, ..line }.intersection(self.buf.area);
        let width = cells(word);
        let begins_at = |x: &u16| {
            let cells = (*x..).zip(word.as_bytes());
            cells.into_iter().all(|(x, byte)| self.buf[(x, line.y)].symbol().as_bytes() == [*byte])
        };
        let last = (line.right() + 1).checked_sub(width).filter(|_| line.height > 0)?;
        let x = (line.left()..last).find(begins_at)?;
        Some(Rect { x, width, height: 1, y: line.y })
    }

    /// Writes text; what does not fit is cut off with a mark. Gives back the cells it took.
    pub fn text(&mut self, x: u16, y: u16, room: u16, text: &str, style: Style) -> u16 {
        let room = self.room(x, y, room);
        if room == 0 || text.is_empty() {
            return 0;
        }
        let text: Cow<'_, str> = if self.theme.unicode || text.is_ascii() {
            Cow::Borrowed(text)
        } else {
            Cow::Owned(ascii(text))
        };
        let fit = fit(&text, room);
        if let Some(whole) = fit.whole {
            let (end, _) = self.buf.set_stringn(x, y, &text, usize::from(whole), style);
            return end - x;
        }
        // Joined characters may take fewer cells than each of them alone.
        let cut = usize::from(fit.cut_cells);
        let (end, _) = self.buf.set_stringn(x, y, &text[..fit.cut_at], cut, style);
        self.buf.set_stringn(end, y, self.theme.cut(), 1, style);
        end + 1 - x
    }

    /// Writes a glyph of the theme over the style that the cell has already; nothing outside the buffer.
    pub fn glyph_at(&mut self, x: u16, y: u16, glyph: &'static str, style: Style) {
        if self.room(x, y, 1) == 1 {
            self.glyph(x, y, glyph, style);
        }
    }

    /// Writes one glyph of a frame. It takes one cell, and the caller has checked that the cell exists.
    fn glyph(&mut self, x: u16, y: u16, glyph: &'static str, style: Style) {
        self.buf[(x, y)].set_symbol(glyph).set_style(style);
    }

    /// Writes text that ends where the room ends.
    pub fn right(&mut self, x: u16, y: u16, room: u16, text: &str, style: Style) {
        let taken = cells(text).min(room);
        self.text(x + room - taken, y, taken, text, style);
    }

    /// Writes a line of several styles; gives back the cells it took.
    pub fn line(&mut self, x: u16, y: u16, room: u16, line: &Line<'_>) -> u16 {
        let mut taken = 0;
        for (nth, span) in line.spans.iter().enumerate() {
            let left = room.saturating_sub(taken);
            let style = line.style.patch(span.style);
            // A span that fills the room exactly still needs the mark if another one follows.
            let rest = line.spans[nth + 1..].iter().any(|span| !span.content.trim().is_empty());
            if left == 0 {
                break;
            }
            if rest && cells(&span.content) == left && left > 1 {
                let mut cut = span.content.to_string();
                cut.push(' ');
                return taken + self.text(x + taken, y, left, &cut, style);
            }
            taken += self.text(x + taken, y, left, &span.content, style);
        }
        taken
    }

    /// Adds a style to cells that are written already.
    pub fn style(&mut self, area: Rect, style: Style) {
        self.buf.set_style(area.intersection(self.buf.area), style);
    }

    /// Gives cells that are written already this style and no other.
    pub fn restyle(&mut self, area: Rect, style: Style) {
        self.buf.set_style(area.intersection(self.buf.area), Style::reset().patch(style));
    }

    /// Resets cells to blanks.
    pub fn clear(&mut self, area: Rect) {
        let area = area.intersection(self.buf.area);
        if area.is_empty() {
            return;
        }
        for y in area.top()..area.bottom() {
            // A wide character that reaches in from the left would be cut in half.
            if area.left() > self.buf.area.left() {
                let before = &mut self.buf[(area.left() - 1, y)];
                if before.symbol().width() > 1 {
                    before.set_symbol(" ");
                }
            }
            let from = self.buf.index_of(area.left(), y);
            let row = &mut self.buf.content[from..from + usize::from(area.width)];
            row.iter_mut().for_each(ratatui::buffer::Cell::reset);
        }
    }

    /// Draws an empty box with a title; gives back the cells inside its border.
    pub fn frame(&mut self, area: Rect, title: &str, style: Style) -> Rect {
        let area = area.intersection(self.buf.area);
        self.clear(area);
        if area.width < 2 || area.height < 2 {
            return Rect { width: 0, height: 0, ..area };
        }
        let border = self.theme.border();
        let (right, bottom) = (area.right() - 1, area.bottom() - 1);
        for x in area.left() + 1..right {
            self.glyph(x, area.top(), border.line, style);
            self.glyph(x, bottom, border.line, style);
        }
        for y in area.top() + 1..bottom {
            self.glyph(area.left(), y, border.side, style);
            self.glyph(right, y, border.side, style);
        }
        let [top_left, top_right, bottom_left, bottom_right] = border.corners;
        self.text(area.left(), area.top(), 1, top_left, style);
        self.text(right, area.top(), 1, top_right, style);
        self.text(area.left(), bottom, 1, bottom_left, style);
        self.text(right, bottom, 1, bottom_right, style);
        if !title.is_empty() && area.width > 6 {
            // The title of a quiet frame is text like any other.
            let quiet = style == self.theme.frame();
            let strong = if quiet { Style::reset() } else { style }.patch(self.theme.strong());
            let taken = self.text(area.left() + 3, area.top(), area.width - 6, title, strong);
            self.text(area.left() + 2, area.top(), 1, " ", style);
            self.text(area.left() + 3 + taken, area.top(), 1, " ", style);
        }
        Rect { x: area.x + 1, y: area.y + 1, width: area.width - 2, height: area.height - 2 }
    }
}
