//! Paints the badness of a process as a bar, and the legend in the heading of its column.

use crate::columns::RowView;
use crate::columns::badness_bar::{BarCell, bar_cells};
use crate::ui::paint::canvas::Canvas;

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
    let [memory, swap, adj] = theme.bar_parts();
    let [memory_glyph, swap_glyph, adj_glyph, trace, removed, more, zero] = theme.bar_glyphs();
    let cells = bar_cells(parts, row.context.bar_top(), width);
    for (x, cell) in (x..).zip(cells) {
        let (glyph, style) = match cell {
            BarCell::Blank => continue,
            BarCell::Removed => (removed, adj),
            BarCell::RemovedMore => (more, adj),
            BarCell::Zero => (zero, theme.dim()),
            BarCell::Memory => (memory_glyph, memory),
            BarCell::Swap => (swap_glyph, swap),
            BarCell::Adj => (adj_glyph, adj),
            BarCell::Trace => (trace, memory),
        };
        canvas.glyph_at(x, y, glyph, style);
    }
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
