//! Column charts: a value for each cell of the width, drawn in eighths of a line.

use ratatui::layout::Rect;
use ratatui::text::Span;

use crate::forecast::series::Severity;
use crate::ui::paint::canvas::Canvas;
use crate::ui::paint::severity;
use crate::ui::paint::theme::Theme;

/// A chart.
pub struct Chart<'a> {
    /// One value for each cell, from the left; nothing where no value is known.
    pub cells: &'a [Option<f64>],
    /// The value of a full column.
    pub top: f64,
    /// The cells of the first sample and of the last one; outside them nothing is drawn.
    pub seen: (i64, i64),
    /// The cell of the sample on the screen, where that is not the newest.
    pub cursor: Option<usize>,
    /// The severity of a value, which decides its colour.
    pub severity: &'a dyn Fn(f64) -> Severity,
}

/// The eighths of a line that a value fills: at least one for any value above 0.
fn eighths(value: f64, top: f64, lines: u16) -> u32 {
    let all = u32::from(lines) * 8;
    if value <= 0.0 || value.is_nan() {
        return 0;
    }
    let share = (value / top.max(f64::MIN_POSITIVE)).min(1.0);
    ((share * f64::from(all)).ceil() as u32).clamp(1, all)
}

/// Paints as many cells of the chart as the area has.
pub fn paint(chart: &Chart<'_>, area: Rect, canvas: &mut Canvas<'_>) {
    let theme = canvas.theme;
    let (first, last) = chart.seen;
    for (x, (nth, cell)) in (area.left()..area.right()).zip(chart.cells.iter().enumerate()) {
        let known = i64::try_from(nth).is_ok_and(|nth| (first..=last).contains(&nth));
        let here = chart.cursor == Some(nth);
        let filled = cell.map_or(0, |value| eighths(value, chart.top, area.height));
        let style = match *cell {
            _ if here => theme.time_cursor(),
            Some(value) if filled > 0 => severity::style(theme, (chart.severity)(value)),
            _ => theme.dim(),
        };
        for line in 0..area.height {
            let y = area.bottom() - 1 - line;
            let glyph = match filled.saturating_sub(u32::from(line) * 8).min(8) {
                0 if here => theme.time_line(),
                0 if line > 0 || !known => continue,
                0 if cell.is_some() => theme.spark(0.0),
                0 => theme.gap(),
                step => theme.spark((step - 1) as f32 / 7.0),
            };
            canvas.text(x, y, 1, glyph, style);
        }
    }
}

/// A chart of one line as text, to stand beside words. Cells before the first known value are blank.
#[must_use]
pub fn spans(
    theme: Theme,
    cells: &[Option<f64>],
    top: f64,
    judge: &dyn Fn(f64) -> Severity,
) -> Vec<Span<'static>> {
    let mut spans: Vec<Span<'static>> = Vec::new();
    let first_known = cells.iter().position(Option::is_some).unwrap_or(cells.len());
    for (nth, cell) in cells.iter().enumerate() {
        let (glyph, style) = match cell {
            None if nth < first_known => (" ", theme.plain()),
            None => (theme.gap(), theme.dim()),
            Some(value) => match eighths(*value, top, 1) {
                0 => (theme.spark(0.0), theme.dim()),
                step => {
                    (theme.spark((step - 1) as f32 / 7.0), severity::style(theme, judge(*value)))
                }
            },
        };
        match spans.last_mut() {
            Some(last) if last.style == style => last.content.to_mut().push_str(glyph),
            _ => spans.push(Span::styled(glyph.to_owned(), style)),
        }
    }
    spans
}
