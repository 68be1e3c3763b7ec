//! The machine's memory through time: a chart a quantity, all on one axis.

use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use crate::app::App;
use crate::app::view::memory::ZOOMS;
use crate::columns::RowContext;
use crate::forecast::chart_window::ChartWindow;
use crate::forecast::series::{SERIES, Series, SeriesUnit, Severity};
use crate::model::{Aggregate, MachineSample, Reading};
use crate::ui::paint::canvas::{Canvas, cells};
use crate::ui::paint::chart;
use crate::ui::paint::chart::{Chart, style_of};
use crate::ui::paint::text;
use crate::ui::view::{cgroup_history, time_axis};
use crate::units::{Kib, Pages};

/// From this width on charts stand in two columns.
const TWO_COLUMNS: u16 = 160;

/// A chart of so many lines has its words above it, and the whole width for itself.
const BOX: u16 = 3;

/// The longest title.
const TITLE: u16 = 12;

/// No chart on one line with its words is higher.
const HIGHEST: u16 = 4;

/// Paints the view; how many of its lines were shown comes back.
pub fn paint(app: &App, head: Rect, rows: Rect, canvas: &mut Canvas<'_>) -> u16 {
    let view = &app.memory;
    paint_head(app, head, canvas);
    let Some(context) = text::header_context(app) else { return rows.height };
    if app.playback.history.is_empty() {
        let text = match app.report {
            Some(_) => "a report is one moment: charts are drawn of looks, and here are none",
            None => "there was no look yet",
        };
        canvas.text(rows.x, rows.y, rows.width, text, canvas.theme.dim());
        return rows.height;
    }
    if view.large {
        let chosen = view.chosen.min(SERIES.len().saturating_sub(1));
        let shown = SERIES.get(chosen..=chosen).unwrap_or_default();
        Column::new(app, &context, shown, rows, true).paint(canvas);
        return rows.height;
    }
    let watched = cgroup_history::height(app, rows);
    let charts = Rect { height: rows.height - watched, ..rows };
    if charts.width >= TWO_COLUMNS && charts.height >= 24 {
        let left = charts.width / 2;
        let (first, second) = SERIES.split_at(SERIES.len().div_ceil(2));
        let sides = [
            (first, Rect { width: left - 1, ..charts }),
            (second, Rect { x: charts.x + left, width: charts.width - left, ..charts }),
        ];
        // Both have their charts at the same height.
        for (series, area) in sides {
            Column::new(app, &context, series, area, false).of(first.len()).paint(canvas);
        }
    } else {
        Column::new(app, &context, SERIES, charts, false).paint(canvas);
    }
    let below = Rect { y: charts.bottom(), height: watched, ..rows };
    cgroup_history::paint(app, &context, below, canvas);
    rows.height
}

/// The head: how far back, and which of it is chosen.
fn paint_head(app: &App, area: Rect, canvas: &mut Canvas<'_>) {
    let theme = canvas.theme;
    let view = &app.memory;
    canvas.style(area, theme.head());
    let mut x = area.x + canvas.text(area.x, area.y, area.width, "Memory ", theme.head());
    for (nth, (name, _)) in ZOOMS.iter().enumerate() {
        let (text, style) = if nth == view.zoom {
            (format!("[{name}]"), theme.sorted_head())
        } else {
            (format!(" {name} "), theme.head())
        };
        x += canvas.text(x, area.y, area.right().saturating_sub(x), &text, style);
    }
    let about = SERIES.get(view.chosen).map_or("", |series| series.about);
    let room = area.right().saturating_sub(x + 2);
    if room >= cells(about) {
        canvas.right(x + 1, area.y, room, about, theme.head());
    }
}

/// A value as its measure is written.
#[must_use]
pub fn value(context: &RowContext<'_>, measure: SeriesUnit, value: f64) -> String {
    match measure {
        SeriesUnit::Share => format!("{value:.1}%"),
        SeriesUnit::Kib => text::kib(context, Kib(value.max(0.0) as u64)),
        SeriesUnit::PagesPerSecond => {
            format!("{}/s", text::size(context, Pages(value.max(0.0) as u64)))
        }
        SeriesUnit::PerSecond => match value {
            ..10.0 if value.fract() > 0.0 => format!("{value:.1}/s"),
            ..10_000.0 => format!("{value:.0}/s"),
            ..10_000_000.0 => format!("{:.0}k/s", value / 1e3),
            _ => format!("{:.0}M/s", value / 1e6),
        },
        SeriesUnit::Count => format!("{value:.0}"),
    }
}

/// Why a quantity is not there.
fn why(app: &App, series: &Series, reading: Reading<f64>) -> String {
    let dash = reading.dash();
    match reading {
        Reading::Missing => format!("{dash} {}", series.absent),
        Reading::Denied => format!("{dash} may not be read"),
        _ if app.playback.history.len() < 2 && series.measure != SeriesUnit::Kib => {
            format!("{dash} the next look tells")
        }
        _ if app.setup.live => format!("{dash} not read yet"),
        _ => format!("{dash} not in this recording"),
    }
}

/// A quantity as it is about to be drawn.
struct Drawn<'a> {
    series: &'a Series,
    cells: Vec<Option<f64>>,
    now: Reading<f64>,
    /// The least and the most in sight; nothing where nothing is known.
    ends: Option<(f64, f64)>,
    top: f64,
    chosen: bool,
}

impl<'a> Drawn<'a> {
    fn new(
        series: &'a Series,
        window: &ChartWindow<'_>,
        app: &App,
        moment: &MachineSample,
    ) -> Self {
        let cells = window.cells(series);
        let known = || cells.iter().flatten().copied();
        let most = known().fold(f64::NEG_INFINITY, f64::max);
        let least = known().fold(f64::INFINITY, f64::min);
        let ceiling = (series.ceiling)(moment);
        let top = match series.measure {
            SeriesUnit::Kib => ceiling.unwrap_or(most).max(most),
            _ => most.min(ceiling.unwrap_or(f64::INFINITY)),
        };
        Self {
            series,
            now: app.shown_at().map_or(Reading::NotAsked, |at| window.value(series, at)),
            ends: most.is_finite().then_some((least, most)),
            top: top.max(series.min_top),
            chosen: SERIES.get(app.memory.chosen).is_some_and(|it| it.id == series.id),
            cells,
        }
    }

    fn severity(&self, moment: &MachineSample) -> Severity {
        self.now.value().map_or(Severity::Neutral, |value| (self.series.severity)(value, moment))
    }

    /// The value now, its alarm, and its style: one mark where it needs care, two where it goes
    /// wrong.
    fn value(
        &self,
        context: &RowContext<'_>,
        moment: &MachineSample,
        canvas: &Canvas<'_>,
    ) -> (String, Style) {
        let Some(now) = self.now.value() else {
            return (format!("{}  ", self.now.dash()), canvas.theme.dim());
        };
        let severity = self.severity(moment);
        let (mark, style) = match severity {
            Severity::Bad => ("!!", style_of(canvas.theme, severity)),
            Severity::Care => ("! ", style_of(canvas.theme, severity)),
            _ => ("  ", canvas.theme.strong()),
        };
        (format!("{}{mark}", value(context, self.series.measure, now)), style)
    }

    /// What else there is to say of it now: averages, or the share of its ceiling.
    fn beside(&self, context: &RowContext<'_>, moment: &MachineSample) -> String {
        if let Some(stall) = self.series.averages.and_then(|averages| averages(moment).value()) {
            let [ten, sixty, all] = [stall.avg10, stall.avg60, stall.avg300].map(text::share);
            return format!("avg {ten} {sixty} {all}");
        }
        let ceiling = (self.series.ceiling)(moment).filter(|ceiling| *ceiling > 0.0);
        match (ceiling, self.now.value()) {
            (Some(ceiling), Some(now)) => {
                let share = now * 100.0 / ceiling;
                format!("{share:.0}% of {}", value(context, self.series.measure, ceiling))
            }
            _ => String::new(),
        }
    }

    /// The end of what is in sight that says more, and the other one.
    fn ends(&self, context: &RowContext<'_>) -> Option<[String; 2]> {
        let (least, most) = self.ends?;
        let say =
            |word: &str, end: f64| format!("{word} {}", value(context, self.series.measure, end));
        let (least, most) = (say("min", least), say("max", most));
        Some(if self.series.fold == Aggregate::Least { [least, most] } else { [most, least] })
    }
}

/// Charts one under the other, and their axis.
struct Column<'a> {
    app: &'a App,
    context: &'a RowContext<'a>,
    series: &'static [Series],
    area: Rect,
    /// So many charts have to fit.
    count: usize,
    /// One chart, with the whole room.
    large: bool,
}

impl<'a> Column<'a> {
    fn new(
        app: &'a App,
        context: &'a RowContext<'a>,
        series: &'static [Series],
        area: Rect,
        large: bool,
    ) -> Self {
        Self { app, context, series, area, count: series.len(), large }
    }

    fn of(self, count: usize) -> Self {
        Self { count, ..self }
    }

    fn paint(&self, canvas: &mut Canvas<'_>) {
        let area = self.area;
        let axis = match area.height {
            0..=1 => 0,
            2..=9 => 1,
            _ => 2,
        };
        let room = area.height - axis;
        let each = room / u16::try_from(self.count.max(1)).unwrap_or(u16::MAX);
        let boxed = self.large || each >= BOX;
        let (left, right) = if self.large {
            (if area.width >= 60 { 10 } else { 1 }, 1)
        } else if boxed {
            (1, 1)
        } else {
            match area.width {
                0..60 => (22, 0),
                60..100 => (24, 12),
                _ => (24, 22),
            }
        };
        let wide =
            Rect { x: area.x + left, width: area.width.saturating_sub(left + right), ..area };
        let window = self.app.window(wide.width.into());
        let Some(at) = self.app.shown_at() else { return };
        let Some(moment) = window.moment(at).or(self.app.playback.history.last()) else { return };
        let drawn: Vec<Drawn<'_>> = self
            .series
            .iter()
            .map(|series| Drawn::new(series, &window, self.app, moment))
            .collect();
        // Where not all fit, those down to the chosen one.
        let fitting = usize::from(room).min(drawn.len());
        let chosen = drawn.iter().position(|it| it.chosen).unwrap_or(0);
        let skipped = (chosen + 1).saturating_sub(fitting);
        let heights = if boxed {
            vec![if self.large { room } else { each }; drawn.len()]
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

/// Lines for each: one for what is not there, and what is left to the others in turn.
fn heights(drawn: &[Drawn<'_>], skipped: usize, room: u16) -> Vec<u16> {
    let shown = drawn.len().saturating_sub(skipped).min(room.into());
    let mut heights = vec![1_u16; shown];
    let mut left = usize::from(room).saturating_sub(shown);
    let there: Vec<bool> =
        drawn.iter().skip(skipped).map(|it| it.ends.is_some()).take(shown).collect();
    while left > 0 {
        let before = left;
        for (height, there) in heights.iter_mut().zip(&there) {
            if *there && left > 0 && *height < HIGHEST {
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
    column: &'a Column<'a>,
    window: &'a ChartWindow<'a>,
    moment: &'a MachineSample,
    /// Where the cells of all charts stand.
    wide: Rect,
    boxed: bool,
}

impl Frame<'_> {
    fn paint(&self, it: &Drawn<'_>, area: Rect, canvas: &mut Canvas<'_>) {
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

    fn title(&self, it: &Drawn<'_>, canvas: &Canvas<'_>) -> [Span<'static>; 2] {
        let theme = canvas.theme;
        if it.chosen {
            [Span::styled(">", theme.strong()), Span::styled(it.series.title, theme.strong())]
        } else {
            [Span::raw(" "), Span::styled(it.series.title, theme.label())]
        }
    }

    /// The words on the line above a chart.
    fn paint_above(&self, it: &Drawn<'_>, area: Rect, canvas: &mut Canvas<'_>) {
        let context = self.column.context;
        let theme = canvas.theme;
        let (value, style) = it.value(context, self.moment, canvas);
        let mut spans = self.title(it, canvas).to_vec();
        let pad = TITLE.saturating_sub(cells(it.series.title)) + 1;
        spans.push(Span::raw(" ".repeat(pad.into())));
        spans.push(Span::styled(value, style));
        spans.push(Span::styled(format!(" {}", it.beside(context, self.moment)), theme.dim()));
        let taken = canvas.line(area.x, area.y, area.width, &Line::from(spans));
        let Some([first, second]) = it.ends(context) else { return };
        let whole = format!("{second}  {first}");
        let room = area.width.saturating_sub(taken + 2);
        let text = if cells(&whole) <= room { whole } else { first };
        if cells(&text) <= room {
            canvas.right(area.x + taken + 1, area.y, room, &text, theme.dim());
        }
    }

    /// The words on both sides of a chart.
    fn paint_beside(&self, it: &Drawn<'_>, area: Rect, canvas: &mut Canvas<'_>) {
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
        let Some([first, second]) = it.ends(context) else { return };
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

    /// What the heights of a large chart stand for.
    fn paint_scale(&self, it: &Drawn<'_>, chart: Rect, canvas: &mut Canvas<'_>) {
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
