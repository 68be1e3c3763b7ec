//! A dialog box in the middle of the screen. Where it is too small for all its lines, those that explain are dropped;
//! the question, its warnings and the keys that answer it never are: they scroll, and the keys come last.

use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::Line;

use crate::ui::paint::canvas::{Canvas, cells, line_cells};
use crate::ui::paint::lines::wrap;
use crate::ui::paint::scroll::{PageBox, PageShown};

/// A line and its drop priority: 9 is dropped first, [`MUST_READ`] and less never.
pub type PriorityLine = (u8, Line<'static>);

/// The drop priority of a warning: nothing is confirmed before it was on the screen.
pub const MUST_READ: u8 = 1;

/// The maximum width of a dialog, in cells.
const WIDEST: u16 = 100;

/// A box of fewer lines than this has no border.
const LEAST_BOXED: u16 = 5;

/// What a dialog that is larger than the screen says in its lower border.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Overflow {
    /// It scrolls.
    Scrolls,
    /// Its keys change values: it needs a larger terminal.
    Needs,
}

/// Paints the box, from the line `top` on where not all that must be read fits. The end is the last line: the user
/// must be able to read all of a question before a key confirms it.
pub fn paint(
    title: &str,
    lines: Vec<PriorityLine>,
    (top, overflow): (u16, Overflow),
    frame: Style,
    area: Rect,
    canvas: &mut Canvas<'_>,
) -> PageShown {
    let longest = lines.iter().map(|(_, line)| line_cells(line)).max().unwrap_or(0);
    let width = longest.max(cells(title) + 4).saturating_add(4).clamp(40, WIDEST).min(area.width);
    let boxed = area.height >= LEAST_BOXED;
    let room = if boxed { width.saturating_sub(4) } else { width };
    let limit = if boxed { area.height - 2 } else { area.height };
    let all: Vec<Line<'static>> = fitting(lines, room, usize::from(limit)).concat();
    let total = u16::try_from(all.len()).unwrap_or(u16::MAX);
    let page = total.min(limit);
    let needed = page + if boxed { 2 } else { 0 };
    let place = Rect {
        x: area.x + (area.width - width) / 2,
        y: area.y + (area.height - needed) / 2,
        width,
        height: needed,
    };
    let open = PageBox::open_framed(place, title, frame, canvas);
    let inside = open.inside;
    let top = if overflow == Overflow::Scrolls { top.min(total - page) } else { 0 };
    for (y, line) in (inside.top()..inside.bottom()).zip(&all[usize::from(top)..]) {
        canvas.line(inside.x, y, inside.width, line);
    }
    let last = top + page;
    let whole = last == total;
    let texts = match overflow {
        Overflow::Scrolls if !whole => {
            [format!("{} more: Down reads on", total - last), "Down".to_owned()]
        }
        Overflow::Scrolls if top > 0 => [format!("{}-{last} of {total}", top + 1), String::new()],
        Overflow::Needs if !whole => [format!("needs {} more lines", total - last), "!".to_owned()],
        _ => [String::new(), String::new()],
    };
    let texts: Vec<&str> = texts.iter().map(String::as_str).filter(|it| !it.is_empty()).collect();
    open.foot(&texts, canvas);
    PageShown { page, lines: total, top, dialog: whole }
}

/// The lines of the screen, as many as are left when those that explain were dropped until `limit` is kept, if that
/// is possible.
fn fitting(lines: Vec<PriorityLine>, room: u16, limit: usize) -> Vec<Vec<Line<'static>>> {
    let mut wrapped: Vec<(u8, Vec<Line<'static>>)> =
        lines.into_iter().map(|(priority, line)| (priority, wrap(&line, room, 2))).collect();
    while wrapped.iter().map(|(_, lines)| lines.len()).sum::<usize>() > limit {
        let first_to_go = wrapped
            .iter()
            .enumerate()
            .filter(|(_, (priority, _))| *priority > MUST_READ)
            .max_by_key(|(_, (priority, _))| *priority)
            .map(|(at, _)| at);
        match first_to_go {
            Some(at) => drop(wrapped.remove(at)),
            None => break,
        }
    }
    wrapped.into_iter().map(|(_, lines)| lines).collect()
}
