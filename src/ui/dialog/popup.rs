//! A box in the middle of the screen. Where it is too small for all its lines, the least important
//! go first; what is being asked, and the keys that answer, stay.

use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::Line;

use crate::ui::paint::canvas::{Canvas, cells, line_cells, wrap};

/// A line and how soon it goes: 0 never does.
pub type PriorityLine = (u8, Line<'static>);

/// The widest that a dialog gets.
const WIDEST: u16 = 76;

/// Paints the box. Gives back whether all that is being asked stands in it: what nobody could read,
/// nobody can confirm.
pub fn paint(
    title: &str,
    lines: Vec<PriorityLine>,
    frame: Style,
    area: Rect,
    canvas: &mut Canvas<'_>,
) -> bool {
    let longest = lines.iter().map(|(_, line)| line_cells(line)).max().unwrap_or(0);
    let width = longest.max(cells(title) + 4).saturating_add(4).clamp(40, WIDEST).min(area.width);
    let boxed = area.height >= 5;
    let room = if boxed { width.saturating_sub(4) } else { width };
    let limit = usize::from(if boxed { area.height - 2 } else { area.height });
    let mut wrapped: Vec<(u8, Vec<Line<'static>>)> =
        lines.into_iter().map(|(rank, line)| (rank, wrap(&line, room, 2))).collect();
    let height = |wrapped: &[(u8, Vec<Line<'static>>)]| {
        wrapped.iter().map(|(_, lines)| lines.len()).sum::<usize>()
    };
    while height(&wrapped) > limit {
        let first_to_go = wrapped
            .iter()
            .enumerate()
            .filter(|(_, (rank, _))| *rank > 0)
            .max_by_key(|(_, (rank, _))| *rank)
            .map(|(at, _)| at);
        match first_to_go {
            Some(at) => drop(wrapped.remove(at)),
            None => break,
        }
    }
    let whole = height(&wrapped) <= limit;
    let needed = height(&wrapped).min(limit) as u16 + if boxed { 2 } else { 0 };
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
    whole
}
