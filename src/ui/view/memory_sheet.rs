//! The balance sheet in the Memory view: what RAM is used for, and what of it no kill frees.

use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use crate::columns::RowContext;
use crate::ui::paint::canvas::Canvas;
use crate::ui::paint::lines::wrap;
use crate::ui::paint::theme::Theme;
use crate::words::memory_sheet::{MemorySheet, details};

/// The cells by which continued lines are indented.
const INDENT: u16 = 3;

/// Maximum number of lines in an area of this height, which the charts need, too.
const fn most(height: u16) -> usize {
    match height {
        0..12 => 0,
        12..22 => 2,
        22..40 => 5,
        _ => 10,
    }
}

/// The lines for an area: none where it is too low, or where the system does not tell what memory is used for.
#[must_use]
pub fn lines(context: &RowContext<'_>, theme: Theme, area: Rect) -> Vec<Line<'static>> {
    let (sample, most) = (context.scene.now(), most(area.height));
    let Some(sheet) = MemorySheet::of_machine(sample) else { return Vec::new() };
    let slab = sample.memory_holders.stuck_slab().map(|it| (it.name.as_str(), it.kib));
    let words = sheet.words(slab);
    let sentences: Vec<Line<'static>> =
        [(&*words.of_total, &words.uses), ("no kill frees", &words.stuck)]
            .into_iter()
            .filter(|(_, text)| !text.is_empty())
            .map(|(label, text)| {
                Line::from(vec![
                    Span::styled(format!(" {label}: "), theme.label()),
                    Span::styled(text.clone(), theme.plain()),
                ])
            })
            .collect();
    let width = area.width;
    let wrapped = |line: &Line<'static>| wrap(line, width, INDENT);
    let whole: Vec<Line<'static>> = sentences.iter().flat_map(wrapped).collect();
    if whole.len() > most {
        return sentences.into_iter().take(most).collect();
    }
    let mut lines = whole;
    for (label, text) in details(sample) {
        let line = Line::from(vec![
            Span::styled(format!(" {label} "), theme.label()),
            Span::styled(text, theme.dim()),
        ]);
        let more = wrapped(&line);
        if lines.len() + more.len() <= most {
            lines.extend(more);
        }
    }
    lines
}

/// Paints them.
pub fn paint(lines: &[Line<'static>], area: Rect, canvas: &mut Canvas<'_>) {
    for (y, line) in (area.y..area.bottom()).zip(lines) {
        canvas.line(area.x, y, area.width, line);
    }
}
