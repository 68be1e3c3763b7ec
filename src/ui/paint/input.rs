//! A line of text that is being typed, with its cursor.

use ratatui::layout::Rect;

use crate::ui::paint::canvas::{Canvas, cells};

/// The cells that a text gets at least while it is typed, however long its label is.
pub const LEAST: u16 = 14;

/// The longest of these labels that leaves a text of this length enough of a line of `width` cells; otherwise the last.
#[must_use]
pub fn label<'a>(labels: &[&'a str], value: &str, width: u16) -> &'a str {
    let needed = (cells(value) + 1).max(LEAST);
    let fits = |label: &&&str| cells(label) + needed <= width;
    labels.iter().find(fits).or(labels.last()).copied().unwrap_or_default()
}

/// Paints a text from `x` to the end of the row, scrolled so that its cursor is in view; `cursor` is
/// the number of cells before it. Gives back the columns behind the text and of the cursor.
pub fn paint(value: &str, cursor: usize, x: u16, row: Rect, canvas: &mut Canvas<'_>) -> (u16, u16) {
    let room = row.right().saturating_sub(x).saturating_sub(1);
    let hidden = cursor.saturating_sub(usize::from(room));
    // Counted in cells: a character may take two of them.
    let mut skipped = 0;
    let start = value
        .char_indices()
        .find(|&(at, c)| {
            let here = skipped >= hidden;
            if !here {
                skipped += usize::from(cells(&value[at..at + c.len_utf8()]));
            }
            here
        })
        .map_or(value.len(), |(at, _)| at);
    let at = x + (cursor.saturating_sub(skipped) as u16).min(room);
    let end = x + canvas.text(x, row.y, room, &value[start..], canvas.theme.strong());
    canvas.style(Rect { x: at, width: 1, height: 1, ..row }, canvas.theme.cursor());
    (end, at)
}
