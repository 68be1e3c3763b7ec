//! A chart of several lines: what was known is drawn through, what is expected is dotted.

use ratatui::layout::Rect;
use ratatui::style::Style;

use crate::ui::paint::canvas::Canvas;

/// One line of the chart.
pub struct ChartLine {
    /// A value for each cell of the width, from the left; nothing where none is known.
    pub cells: Vec<Option<f64>>,
    /// Its style.
    pub style: Style,
    /// It is drawn with heavy glyphs.
    pub heavy: bool,
    /// The glyph at its end: lines are told apart without colours.
    pub mark: char,
}

/// The chart.
pub struct LineChart<'a> {
    /// The lines; earlier ones are painted over later ones.
    pub lines: &'a [ChartLine],
    /// The values of the lowest and the highest row.
    pub ends: (f64, f64),
    /// Cells from this one on are expected values.
    pub expected_from: usize,
}

/// The glyphs of a line: flat, upright, and the corners at which it leaves the old level upwards and
/// downwards and comes to the new one from below and from above.
const fn glyphs(unicode: bool, heavy: bool) -> [&'static str; 6] {
    match (unicode, heavy) {
        (true, true) => ["━", "┃", "┛", "┓", "┏", "┗"],
        (true, false) => ["─", "│", "╯", "╮", "╭", "╰"],
        (false, true) => ["=", "|", "/", "\\", "/", "\\"],
        (false, false) => ["-", "|", "/", "\\", "/", "\\"],
    }
}

impl LineChart<'_> {
    /// The row of a value, counted from the bottom.
    fn row(&self, value: f64, height: u16) -> u16 {
        let (low, high) = self.ends;
        let share = ((value - low) / (high - low).max(f64::MIN_POSITIVE)).clamp(0.0, 1.0);
        (share * f64::from(height - 1)).round() as u16
    }

    fn paint_line(&self, line: &ChartLine, area: Rect, canvas: &mut Canvas<'_>) {
        let theme = canvas.theme;
        let [flat, upright, up, down, from_below, from_above] = glyphs(theme.unicode, line.heavy);
        let y = |row: u16| area.bottom() - 1 - row;
        let dot = if theme.unicode { "·" } else { "." };
        let mut before: Option<u16> = None;
        let mut end = None;
        for (nth, (x, cell)) in (area.left()..area.right()).zip(&line.cells).enumerate() {
            let Some(value) = *cell else {
                before = None;
                continue;
            };
            let row = self.row(value, area.height);
            end = Some((x, row));
            if nth >= self.expected_from {
                canvas.text(x, y(row), 1, dot, line.style);
                continue;
            }
            match before.filter(|&before| before != row) {
                None => drop(canvas.text(x, y(row), 1, flat, line.style)),
                Some(before) => {
                    let (leaves, comes) =
                        if row > before { (up, from_below) } else { (down, from_above) };
                    for between in before.min(row) + 1..before.max(row) {
                        canvas.text(x, y(between), 1, upright, line.style);
                    }
                    canvas.text(x, y(before), 1, leaves, line.style);
                    canvas.text(x, y(row), 1, comes, line.style);
                }
            }
            before = Some(row);
        }
        if let Some((x, row)) = end {
            canvas.text(x, y(row), 1, line.mark.encode_utf8(&mut [0; 4]), line.style);
        }
    }
}

/// Paints the chart.
pub fn paint(chart: &LineChart<'_>, area: Rect, canvas: &mut Canvas<'_>) {
    if area.height == 0 {
        return;
    }
    for line in chart.lines.iter().rev() {
        chart.paint_line(line, area, canvas);
    }
}
