//! A dialog box in the middle of the screen. Where it is too small for all its lines, the least
//! important are dropped; the question and the keys that answer it stay.

use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::Line;

use crate::ui::paint::canvas::{Canvas, cells, line_cells};
use crate::ui::paint::lines::wrap;

/// A line and its drop priority: 9 is dropped first, 0 never.
pub type PriorityLine = (u8, Line<'static>);

/// The maximum width of a dialog, in cells.
const WIDEST: u16 = 76;

/// A box of fewer lines than this has no border.
const LEAST_BOXED: u16 = 5;

/// Paints the box. Gives back whether all lines of priority 0 are on the screen: the user must be able
/// to read all of a question before a key confirms it.
pub fn paint(
    title: &str,
    lines: Vec<PriorityLine>,
    frame: Style,
    area: Rect,
    canvas: &mut Canvas<'_>,
) -> bool {
    let longest = lines.iter().map(|(_, line)| line_cells(line)).max().unwrap_or(0);
    let width = longest.max(cells(title) + 4).saturating_add(4).clamp(40, WIDEST).min(area.width);
    let boxed = area.height >= LEAST_BOXED;
    let room = if boxed { width.saturating_sub(4) } else { width };
    let limit = usize::from(if boxed { area.height - 2 } else { area.height });
    let wrapped = fitting(lines, room, limit);
    let height = height(&wrapped);
    let needed = height.min(limit) as u16 + if boxed { 2 } else { 0 };
    let place = Rect {
        x: area.x + (area.width - width) / 2,
        y: area.y + (area.height - needed) / 2,
        width,
        height: needed,
    };
    let inside = if boxed {
        let inside = canvas.frame(place, title, frame);
        Rect { x: inside.x + 1, width: inside.width.saturating_sub(2), ..inside }
    } else {
        canvas.clear(place);
        place
    };
    let all = wrapped.iter().flat_map(|(_, lines)| lines);
    for (y, line) in (inside.top()..inside.bottom()).zip(all) {
        canvas.line(inside.x, y, inside.width, line);
    }
    height <= limit
}

/// A line broken into lines of the screen.
type WrappedLine = (u8, Vec<Line<'static>>);

fn height(wrapped: &[WrappedLine]) -> usize {
    wrapped.iter().map(|(_, lines)| lines.len()).sum()
}

/// The lines that are left when enough of them were dropped for `limit` lines of the screen, if that
/// is possible.
fn fitting(lines: Vec<PriorityLine>, room: u16, limit: usize) -> Vec<WrappedLine> {
    let mut wrapped: Vec<WrappedLine> =
        lines.into_iter().map(|(priority, line)| (priority, wrap(&line, room, 2))).collect();
    while height(&wrapped) > limit {
        let first_to_go = wrapped
            .iter()
            .enumerate()
            .filter(|(_, (priority, _))| *priority > 0)
            .max_by_key(|(_, (priority, _))| *priority)
            .map(|(at, _)| at);
        match first_to_go {
            Some(at) => drop(wrapped.remove(at)),
            None => break,
        }
    }
    wrapped
}
