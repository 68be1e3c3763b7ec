//! A column of charts in the Memory view, one below the other, and their common time axis.

use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use crate::app::App;
use crate::columns::RowContext;
use crate::forecast::chart_window::ChartWindow;
use crate::forecast::series::Series;
use crate::model::MachineSample;
use crate::ui::paint::canvas::{Canvas, cells};
use crate::ui::paint::chart::{self, Chart};
use crate::ui::view::memory_chart::{SeriesChart, value, why};
use crate::ui::view::time_axis;

/// The least height of a chart with its words above it and the whole width for itself.
const WORDS_ABOVE: u16 = 3;

/// The longest title of a chart, in cells.
const TITLE: u16 = 12;

/// The maximum height of a chart with its words beside it.
const HIGHEST: u16 = 4;

/// Charts one below the other, and their axis.
pub struct ChartColumn<'a> {
    app: &'a App,
    context: &'a RowContext<'a>,
    series: &'static [Series],
    area: Rect,
    /// The number of charts that share the height: that of the longer of two columns.
    count: usize,
    /// One chart has the whole area.
    large: bool,
}

impl<'a> ChartColumn<'a> {
    /// The charts of these quantities.
    pub fn new(
        app: &'a App,
        context: &'a RowContext<'a>,
        series: &'static [Series],
        area: Rect,
        large: bool,
    ) -> Self {
        Self { app, context, series, area, count: series.len(), large }
    }

    /// The same with the chart heights of a column of `count` charts.
    pub fn sized_for(self, count: usize) -> Self {
        Self { count, ..self }
    }

    /// Paints charts and axis.
    pub fn paint(&self, canvas: &mut Canvas<'_>) {
        let area = self.area;
        let axis = match area.height {
            0..=1 => 0,
            2..=9 => 1,
            _ => 2,
        };
        let room = area.height - axis;
        let each = room / u16::try_from(self.count.max(1)).unwrap_or(u16::MAX);
        let boxed = self.large || each >= WORDS_ABOVE;
        let (left, right) = self.margins(boxed);
        let wide =
            Rect { x: area.x + left, width: area.width.saturating_sub(left + right), ..area };
        let window = self.app.window(wide.width.into());
        let Some(at) = self.app.shown_at() else { return };
        let Some(moment) = window.moment(at).or(self.app.playback.history.get(0)) else { return };
        let drawn: Vec<SeriesChart<'_>> = self
            .series
            .iter()
            .map(|series| SeriesChart::new(series, &window, self.app, moment))
            .collect();
        // Where not all fit, the chosen one is the last.
        let fitting = usize::from(room).min(drawn.len());
        let chosen = drawn.iter().position(|it| it.chosen).unwrap_or(0);
        let skipped = (chosen + 1).saturating_sub(fitting);
        let heights = if boxed {
            // What is left over goes to the first ones, so that both columns stay beside each other.
            let over = room % u16::try_from(self.count.max(1)).unwrap_or(u16::MAX);
            let height = |nth: usize| each + u16::from(nth < usize::from(over));
            let each = |nth| if self.large { room } else { height(nth) };
            (0..drawn.len()).map(each).collect()
        } else {
            heights(&drawn, skipped, room)
        };
        let frame = Frame { column: self, window: &window, moment, wide, boxed };
        let mut y = area.y;
        for (it, height) in drawn.iter().skip(skipped).zip(heights) {
            let strip = Rect { y, height: height.min(area.y + room - y), ..area };
            if strip.height == 0 {
                break;
            }
            frame.paint(it, strip, canvas);
            y += height;
        }
        let foot = Rect { y: area.bottom() - axis, height: axis, ..wide };
        time_axis::paint(self.app, &window, foot, canvas);
    }
}

impl ChartColumn<'_> {
    /// The cells left and right of the charts, for the words beside them.
    const fn margins(&self, words_above: bool) -> (u16, u16) {
        match self.area.width {
            60.. if self.large => (10, 1),
            _ if self.large || words_above => (1, 1),
            0..60 => (22, 0),
            60..100 => (24, 12),
            _ => (24, 22),
        }
    }
}

/// The height of each chart: one line where nothing is known, and the rest in turn to the others.
fn heights(drawn: &[SeriesChart<'_>], skipped: usize, room: u16) -> Vec<u16> {
    let shown = drawn.len().saturating_sub(skipped).min(room.into());
    let mut heights = vec![1_u16; shown];
    let mut left = usize::from(room).saturating_sub(shown);
    let known: Vec<bool> =
        drawn.iter().skip(skipped).map(|it| it.ends.is_some()).take(shown).collect();
    while left > 0 {
        let before = left;
        for (height, known) in heights.iter_mut().zip(&known) {
            if *known && left > 0 && *height < HIGHEST {
                *height += 1;
                left -= 1;
            }
        }
        if left == before {
            break;
        }
    }
    heights
}

/// What all charts of a column share.
struct Frame<'a> {
    column: &'a ChartColumn<'a>,
    window: &'a ChartWindow<'a>,
    moment: &'a MachineSample,
    /// The columns of the cells of all charts.
    wide: Rect,
    boxed: bool,
}

impl Frame<'_> {
    fn paint(&self, it: &SeriesChart<'_>, area: Rect, canvas: &mut Canvas<'_>) {
        let chart = if self.boxed && area.height > 1 {
            self.paint_above(it, area, canvas);
            Rect { y: area.y + 1, height: area.height - 1, ..self.wide }
        } else {
            self.paint_beside(it, area, canvas);
            Rect { y: area.y, height: area.height, ..self.wide }
        };
        if it.ends.is_none() {
            let text = why(self.column.app, it.series, it.now);
            let room = area.right().saturating_sub(chart.x);
            canvas.text(chart.x, chart.y, room, &text, canvas.theme.dim());
            return;
        }
        let moment = self.moment;
        chart::paint(
            &Chart {
                cells: &it.cells,
                top: it.top,
                seen: self.window.seen().unwrap_or((0, -1)),
                cursor: time_axis::cursor(self.column.app, self.window),
                severity: &|value| (it.series.severity)(value, moment),
            },
            chart,
            canvas,
        );
        if self.column.large && chart.x >= self.column.area.x + 10 {
            self.paint_scale(it, chart, canvas);
        }
    }

    /// The title of a chart, with a mark before the chosen one.
    fn title(&self, it: &SeriesChart<'_>, canvas: &Canvas<'_>) -> [Span<'static>; 2] {
        let theme = canvas.theme;
        if it.chosen {
            [Span::styled(">", theme.strong()), Span::styled(it.series.title, theme.strong())]
        } else {
            [Span::raw(" "), Span::styled(it.series.title, theme.label())]
        }
    }

    /// Paints the words on the line above a chart.
    fn paint_above(&self, it: &SeriesChart<'_>, area: Rect, canvas: &mut Canvas<'_>) {
        let context = self.column.context;
        let theme = canvas.theme;
        let (value, style) = it.value(context, self.moment, canvas);
        let mut spans = self.title(it, canvas).to_vec();
        let pad = TITLE.saturating_sub(cells(it.series.title)) + 1;
        spans.push(Span::raw(" ".repeat(pad.into())));
        spans.push(Span::styled(value, style));
        spans.push(Span::styled(format!(" {}", it.beside(context, self.moment)), theme.dim()));
        let taken = canvas.line(area.x, area.y, area.width, &Line::from(spans));
        let Some([first, second]) = it.extremes(context) else { return };
        let whole = format!("{second}  {first}");
        let room = area.width.saturating_sub(taken + 2);
        let text = if cells(&whole) <= room { whole } else { first };
        if cells(&text) <= room {
            canvas.right(area.x + taken + 1, area.y, room, &text, theme.dim());
        }
    }

    /// Paints the words on both sides of a chart.
    fn paint_beside(&self, it: &SeriesChart<'_>, area: Rect, canvas: &mut Canvas<'_>) {
        let context = self.column.context;
        let theme = canvas.theme;
        let left = self.wide.x.saturating_sub(area.x);
        canvas.line(area.x, area.y, left, &Line::from(self.title(it, canvas).to_vec()));
        if it.ends.is_none() {
            return;
        }
        let (value, style) = it.value(context, self.moment, canvas);
        let taken = cells(it.series.title) + 1;
        canvas.right(area.x + taken, area.y, left.saturating_sub(taken), &value, style);
        if area.height > 1 {
            let text = it.beside(context, self.moment);
            canvas.right(area.x + 1, area.y + 1, left.saturating_sub(3), &text, theme.dim());
        }
        let Some([first, second]) = it.extremes(context) else { return };
        let x = self.wide.right() + 1;
        let room = area.right().saturating_sub(x);
        if room == 0 {
            return;
        }
        let whole = format!("{first}  {second}");
        if cells(&whole) <= room {
            canvas.text(x, area.y, room, &whole, theme.dim());
        } else {
            canvas.text(x, area.y, room, &first, theme.dim());
            if area.height > 1 {
                canvas.text(x, area.y + 1, room, &second, theme.dim());
            }
        }
    }

    /// Paints the values of the heights of a large chart.
    fn paint_scale(&self, it: &SeriesChart<'_>, chart: Rect, canvas: &mut Canvas<'_>) {
        let context = self.column.context;
        let marks = [(chart.y, 1.0), (chart.y + chart.height / 2, 0.5), (chart.bottom() - 1, 0.0)];
        let count = if chart.height >= 5 { 3 } else { 1 };
        for (y, share) in marks.into_iter().take(count) {
            let text = value(context, it.series.measure, it.top * share);
            let x = self.column.area.x;
            canvas.right(x, y, chart.x - x - 1, &text, canvas.theme.dim());
        }
    }
}
