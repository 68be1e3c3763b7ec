//! The picture of a comparison: two curves of memory over time, and the table below them.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use crate::columns::{human_size, span_of};
use crate::ui::click_areas::ClickAreas;
use crate::ui::paint::canvas::{Canvas, cells, tail};
use crate::ui::paint::lines::wrap;
use crate::ui::paint::theme::Theme;
use crate::ui::panel::line_chart::{self, ChartLine, LineChart};
use crate::units::{Bytes, Millis};

/// The width of the picture, in cells.
const WIDTH: u16 = 100;
/// The lines of the chart.
const CHART: u16 = 14;
/// The cells of the sizes beside it.
const AXIS: u16 = 8;
/// The cells of the columns of the table.
const COLUMNS: [u16; 4] = [16, 27, 27, 22];

/// Whether a row is marked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ComparedMark {
    /// The second is worse.
    Worse,
    /// The second is better.
    Better,
    /// Neither.
    None,
}

/// What the picture shows.
#[derive(Clone, Debug)]
pub struct ComparisonPicture {
    /// The differences in one sentence.
    pub title: String,
    /// What A and B are, and their scopes.
    pub runs: [(String, String); 2],
    /// Memory by the time since the first sample.
    pub curves: [Vec<(Millis, Bytes)>; 2],
    /// The rows of the table: the quantity, both values and the change.
    pub rows: Vec<([String; 4], ComparedMark)>,
    /// What keeps them from being comparable.
    pub notes: Vec<String>,
}

/// The lines of a text that is broken where it is too long.
fn wrapped(text: &str, style: Style) -> Vec<Line<'static>> {
    wrap(&Line::styled(text.to_owned(), style), WIDTH, 2)
}

/// Paints the picture into a buffer of its own size.
#[must_use]
pub fn paint(picture: &ComparisonPicture, theme: Theme) -> Buffer {
    let marks = styles(theme);
    let mut above = wrapped(&picture.title, theme.strong());
    for ((run, name), style) in picture.runs.iter().zip(["A  ", "B  "]).zip(marks) {
        let (about, scope) = run;
        let about = tail(about, WIDTH / 2);
        let room = WIDTH.saturating_sub(3 + cells(&about) + 8);
        let text = format!("{about}, scope {}", tail(scope, room));
        above.push(Line::from(vec![Span::styled(name, style), Span::raw(text)]));
    }
    above.push(Line::default());
    let mut below = vec![Line::default(), head(theme)];
    below.extend(picture.rows.iter().map(|(cells, mark)| row(cells, *mark, theme)));
    if !picture.notes.is_empty() {
        below.push(Line::default());
        below.extend(picture.notes.iter().flat_map(|note| wrapped(note, theme.dim())));
    }
    let lines = (above.len() + below.len()) as u16;
    let area = Rect::new(0, 0, WIDTH, lines.saturating_add(CHART + 1));
    let mut buffer = Buffer::empty(area);
    let mut areas = ClickAreas::default();
    let mut canvas = Canvas::new(theme, &mut buffer, &mut areas);
    let mut y = 0;
    for line in &above {
        canvas.line(0, y, WIDTH, line);
        y += 1;
    }
    paint_chart(&picture.curves, Rect { y, height: CHART + 1, ..area }, &mut canvas);
    y += CHART + 1;
    for line in &below {
        canvas.line(0, y, WIDTH, line);
        y += 1;
    }
    buffer
}

/// The styles of A and B.
const fn styles(theme: Theme) -> [Style; 2] {
    [theme.label(), theme.warn()]
}

fn head(theme: Theme) -> Line<'static> {
    let titles = ["", "A", "B", "CHANGE"].map(str::to_owned);
    let text = columns(&titles);
    let pad = usize::from(WIDTH.saturating_sub(cells(&text)));
    Line::styled(format!("{text}{:pad$}", ""), theme.head())
}

fn columns(texts: &[String; 4]) -> String {
    let mut line = String::new();
    for (text, width) in texts.iter().zip(COLUMNS) {
        let text = tail(text, width - 1);
        let pad = usize::from(width.saturating_sub(cells(&text)));
        line.push_str(&format!("{text}{:pad$}", ""));
    }
    line
}

fn row(texts: &[String; 4], mark: ComparedMark, theme: Theme) -> Line<'static> {
    let (word, style) = match mark {
        ComparedMark::Worse => ("worse", theme.warn()),
        ComparedMark::Better => ("better", theme.good()),
        ComparedMark::None => ("", theme.plain()),
    };
    Line::from(vec![Span::raw(columns(texts)), Span::styled(word, style)])
}

/// A value for each cell: the newest one by then; nothing behind the end.
fn sampled(curve: &[(Millis, Bytes)], over: Millis, width: u16) -> Vec<Option<f64>> {
    let end = curve.last().map(|it| it.0);
    let at = |cell: u16| {
        let last = u64::from(width.max(2) - 1);
        Millis(over.0.saturating_mul(u64::from(cell)) / last)
    };
    let value = |cell: u16| {
        // A cell is as wide as this: the end lies in one.
        let (from, to) = (at(cell), at(cell.saturating_add(1)));
        let known = curve.partition_point(|it| it.0 < to.max(Millis(from.0 + 1)));
        let (_, bytes) = curve.get(known.checked_sub(1)?)?;
        end.is_some_and(|end| from <= end).then_some(bytes.0 as f64)
    };
    (0..width).map(value).collect()
}

fn paint_chart(curves: &[Vec<(Millis, Bytes)>; 2], area: Rect, canvas: &mut Canvas<'_>) {
    let theme = canvas.theme;
    let all = || curves.iter().flatten();
    let over = all().map(|it| it.0).max().unwrap_or_default();
    let top = all().map(|it| it.1).max().unwrap_or_default();
    let inside = Rect {
        x: area.x + AXIS,
        width: area.width.saturating_sub(AXIS),
        height: area.height.saturating_sub(1),
        ..area
    };
    let lines: Vec<ChartLine> = curves
        .iter()
        .zip(styles(theme))
        .zip(['A', 'B'])
        .map(|((curve, style), mark)| ChartLine {
            cells: sampled(curve, over, inside.width),
            style,
            heavy: mark == 'B',
            mark,
        })
        .collect();
    let chart =
        LineChart { lines: &lines, ends: (0.0, top.0.max(1) as f64), expected_from: usize::MAX };
    line_chart::paint(&chart, inside, canvas);
    let middle = inside.y + inside.height / 2;
    let last = inside.bottom().saturating_sub(1);
    for (y, size) in [(inside.y, top), (middle, Bytes(top.0 / 2)), (last, Bytes::ZERO)] {
        let text = if size == Bytes::ZERO { "0".to_owned() } else { human_size(size) };
        canvas.text(area.x, y, AXIS - 1, &format!("{text:>7}"), theme.dim());
    }
    let end = span_of(over.0 / 1000);
    let y = inside.bottom();
    canvas.text(inside.x, y, inside.width, "0s", theme.dim());
    let x = inside.right().saturating_sub(cells(&end));
    canvas.text(x, y, cells(&end), &end, theme.dim());
    let about = "memory that cannot be reclaimed, and swap";
    canvas.text(
        inside.x + (inside.width.saturating_sub(cells(about))) / 2,
        y,
        cells(about),
        about,
        theme.dim(),
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_curve_ends_where_its_recording_does() {
        let curve = [(Millis(0), Bytes(5)), (Millis(1000), Bytes(7)), (Millis(2000), Bytes(9))];
        let cells = sampled(&curve, Millis(4000), 5);
        assert_eq!(cells, [Some(5.0), Some(7.0), Some(9.0), None, None]);
        assert_eq!(sampled(&[], Millis(4000), 3), [None, None, None]);
        assert_eq!(sampled(&curve[..1], Millis(0), 2), [Some(5.0), Some(5.0)], "no time at all");
    }
}
