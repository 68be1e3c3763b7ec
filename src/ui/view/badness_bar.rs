//! Paints the badness of a process as a bar, and the legend in the heading of its column.

use ratatui::layout::Rect;
use ratatui::style::Style;

use crate::columns::RowView;
use crate::columns::badness_bar::{BarCell, bar_cells};
use crate::ui::paint::canvas::Canvas;
use crate::ui::paint::theme::Theme;

/// The width from which the legend has the glyphs beside its words.
const WIDE_LEGEND: u16 = 16;

/// Paints the bar of a row; a dash where its badness is not made of these parts.
pub fn paint(row: &RowView<'_>, x: u16, y: u16, width: u16, canvas: &mut Canvas<'_>) {
    let theme = canvas.theme;
    let Some(parts) = row.parts() else {
        // A process that cannot be chosen has no badness.
        if row.placement().points().is_some() {
            canvas.text(x, y, width, "-", theme.dim());
        }
        return;
    };
    for (x, cell) in (x..).zip(bar_cells(parts, row.context.bar_top(), width)) {
        if let Some((glyph, style)) = glyph(cell, theme) {
            canvas.glyph_at(x, y, glyph, style);
        }
    }
}

/// Paints the bar of the row under the cursor again, in its own colours. Where the row is filled with a ground that
/// could hide them, its cells get that of the terminal; the zero line and what is blank stay as the row is.
pub fn paint_again(
    row: &RowView<'_>,
    (x, y): (u16, u16),
    width: u16,
    filled: Style,
    canvas: &mut Canvas<'_>,
) {
    let theme = canvas.theme;
    let Some(parts) = row.parts() else { return };
    for (x, cell) in (x..).zip(bar_cells(parts, row.context.bar_top(), width)) {
        let Some((glyph, style)) = glyph(cell, theme).filter(|_| cell != BarCell::Zero) else {
            continue;
        };
        if filled.fg.is_some() {
            canvas.restyle(Rect { x, y, width: 1, height: 1 }, theme.plain());
        }
        canvas.glyph_at(x, y, glyph, style);
    }
}

/// What a cell of a bar is painted with; nothing for a blank.
const fn glyph(cell: BarCell, theme: Theme) -> Option<(&'static str, Style)> {
    let [memory, swap, adj] = theme.bar_parts();
    let [memory_glyph, swap_glyph, adj_glyph, trace, removed, more, zero] = theme.bar_glyphs();
    Some(match cell {
        BarCell::Blank => return None,
        BarCell::Removed => (removed, adj),
        BarCell::RemovedMore => (more, adj),
        BarCell::Zero => (zero, theme.dim()),
        BarCell::Memory => (memory_glyph, memory),
        BarCell::Swap => (swap_glyph, swap),
        BarCell::Adj => (adj_glyph, adj),
        BarCell::Trace => (trace, memory),
    })
}

/// Paints `mem swap adj`, each word in the colour of its part.
pub fn paint_legend(x: u16, y: u16, width: u16, canvas: &mut Canvas<'_>) {
    let theme = canvas.theme;
    let glyphs = theme.bar_glyphs();
    let wide = width >= WIDE_LEGEND;
    let mut at = x;
    for (nth, word) in ["mem", "swap", "adj"].into_iter().enumerate() {
        let room = (x + width).saturating_sub(at);
        let style = theme.bar_legend()[nth];
        if wide {
            at += canvas.text(at, y, room, glyphs[nth], style);
        }
        let room = (x + width).saturating_sub(at);
        at += canvas.text(at, y, room, word, style) + 1;
    }
}
