//! The race for the next kill as a chart: the badness of the processes that lead over the last minutes, and
//! dotted what it will be when the limit is reached. A crossing shows before it happens.

use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use crate::app::App;
use crate::columns::RowContext;
use crate::forecast::next_death::KERNEL;
use crate::forecast::race::{Race, RaceRunner, SPAN};
use crate::model::{Scope, TimeAxis};
use crate::ui::frame::headline::Urgency;
use crate::ui::paint::canvas::{Canvas, cells};
use crate::ui::paint::lines::flow;
use crate::ui::paint::text;
use crate::ui::paint::theme::Theme;
use crate::ui::panel::line_chart::{self, ChartLine, LineChart};
use crate::units::{Millis, Pages};
use crate::words::death_details;

/// The past is shown for at least this long.
const LEAST: Millis = Millis(30_000);
/// The future takes at most this share of the width, in percent.
const FUTURE: u64 = 45;
/// Minimum number of rows of the chart.
const ROWS: u16 = 3;

/// What the chart shows of time.
struct Times {
    /// The past.
    axis: TimeAxis,
    /// The time of a cell.
    cell: Millis,
    /// The number of cells of the past; the last one is now.
    past: usize,
    /// The number of cells of the future.
    future: usize,
    /// When the limit is reached.
    limit: Option<Millis>,
    /// Whether that is on the chart.
    shows_limit: bool,
}

impl Times {
    /// For a chart of so many cells.
    fn new(race: &Race, until: Option<Millis>, width: u16) -> Self {
        let first = race.runners.iter().filter_map(|it| it.track.first()).map(|it| it.0).min();
        let seen = race.at.saturating_sub(first.unwrap_or(race.at));
        let seen = Millis(seen.0.clamp(LEAST.0, SPAN.0));
        let most = seen.0 * FUTURE / (100 - FUTURE);
        let ahead = until.map_or(0, |until| until.0.clamp(1000, most));
        let width = usize::from(width.max(2));
        let all = seen.0 + ahead;
        let cell = Millis((all / (width as u64 - 1)).max(1));
        let future = ((ahead / cell.0) as usize).min(width / 2);
        let past = width - future;
        Self {
            axis: TimeAxis::new(race.at, seen, past),
            cell,
            past,
            future,
            limit: until,
            shows_limit: until.is_some_and(|until| until.0 <= most),
        }
    }

    /// The badness of a process, cell by cell.
    fn cells(&self, runner: &RaceRunner) -> Vec<Option<f64>> {
        let mut cells: Vec<Option<f64>> = vec![None; self.past];
        let mut filled = 0;
        let mut last: Option<f64> = None;
        for &(at, value) in &runner.track {
            let Ok(place) = usize::try_from(self.axis.number(at)) else {
                last = Some(value);
                continue;
            };
            let place = place.min(self.past - 1);
            // Between two samples it is taken to be what it was.
            if let (Some(last), Some(between)) = (last, cells.get_mut(filled..place)) {
                between.fill(Some(last));
            }
            cells[place] = Some(value);
            (filled, last) = (place + 1, Some(value));
        }
        cells[filled..].fill(Some(runner.now));
        cells[self.past - 1] = Some(runner.now);
        cells.extend((1..=self.future).map(|nth| {
            let time = Millis(self.cell.0 * nth as u64);
            Some(runner.after(self.limit.map_or(time, |limit| limit.min(time))))
        }));
        cells
    }
}

/// Paints the panel.
pub fn paint(app: &App, area: Rect, canvas: &mut Canvas<'_>) {
    let theme = canvas.theme;
    let Some((context, race)) = text::header_context(app).zip(app.race.as_ref()) else {
        canvas.frame(area, "Race", theme.frame());
        return;
    };
    let inside = canvas.frame(area, &title(app, race, area.width), theme.frame());
    let inside = Rect { x: inside.x + 1, width: inside.width.saturating_sub(2), ..inside };
    let legend = legend(app, &context, race, theme, inside.width);
    let lines = (legend.len() as u16).min(inside.height);
    for (y, line) in (inside.top()..inside.bottom()).zip(&legend) {
        canvas.line(inside.x, y, inside.width, line);
    }
    let below = Rect { y: inside.y + lines, height: inside.height - lines, ..inside };
    if below.height > ROWS && !race.runners.is_empty() {
        paint_chart(app, &context, race, below, canvas);
    }
}

/// What the race is about. In a scope in which no death is near it is about the next death elsewhere.
fn title(app: &App, race: &Race, width: u16) -> String {
    let is_global = race.domain.as_str() == Scope::GLOBAL;
    let scene = app.scene.as_ref().filter(|_| app.is_scoped());
    let elsewhere = scene.is_some_and(|scene| scene.domain().name != race.domain);
    let begin = match (elsewhere, is_global) {
        (false, true) => {
            let other = app.deaths.next.as_ref().map(|death| death.by).filter(|by| *by != KERNEL);
            return other.map_or_else(
                || "Race: badness of the leading processes".to_owned(),
                |by| format!("Race by the rule of the kernel, not {by}"),
            );
        }
        (true, true) => return "Race outside this scope: the machine".to_owned(),
        (true, false) => "Race outside this scope:",
        (false, false) => "Race in",
    };
    let name = text::domain(race.domain.as_str(), width.saturating_sub(cells(begin) + 9));
    // Its badness is another one than that in the table, which is by the size of the machine.
    let note = ": badness there";
    let is_fitting = cells(begin) + cells(&name) + cells(note) + 9 <= width;
    format!("{begin} {name}{}", if is_fitting { note } else { "" })
}

/// The style of a line. The predicted victim is red, and drawn with heavy glyphs.
fn style(app: &App, nth: usize, runner: &RaceRunner, theme: Theme) -> (Style, bool) {
    let victim = app.deaths.next.as_ref().and_then(|death| death.victim());
    if victim.is_some_and(|it| it.id == runner.id) {
        return (theme.victim(), true);
    }
    let colours = [theme.label(), theme.tag(), theme.good()];
    (colours[nth % colours.len()], false)
}

/// The digit that marks a line.
fn mark(nth: usize) -> char {
    char::from_digit(nth as u32 + 1, 10).unwrap_or('+')
}

/// A size in pages, which may be negative.
fn size(context: &RowContext<'_>, pages: f64) -> String {
    let size = text::size(context, Pages(pages.abs() as u64));
    if pages < 0.0 { format!("-{size}") } else { size }
}

/// The badness of a process: in the domain of the table as the table has it, and that without what reclaim takes back
/// before the limit only where it differs much.
fn badness(context: &RowContext<'_>, race: &Race, it: &RaceRunner) -> String {
    let at_limit = size(context, it.now);
    let scene = context.scene;
    let is_of_table = scene.domain().name == race.domain && context.policy.is_running_kernel();
    let at = scene.now().position(it.id.pid).filter(|_| is_of_table && race.at_limit);
    let row = at.and_then(|at| context.ranking.place(at)).filter(|(_, row)| row.id == it.id);
    let Some(points) = row.and_then(|(_, row)| row.placement.points()) else { return at_limit };
    let now = size(context, points.0 as f64);
    let is_alike = (points.0 as f64 - it.now).abs() * 32.0 <= points.0.unsigned_abs() as f64;
    if is_alike { now } else { format!("{now}, {at_limit} at the limit") }
}

/// Who is who, how large, and how fast each gains.
fn legend(
    app: &App,
    context: &RowContext<'_>,
    race: &Race,
    theme: Theme,
    width: u16,
) -> Vec<Line<'static>> {
    if race.runners.is_empty() {
        return vec![Line::styled("no process can be chosen here", theme.dim())];
    }
    let part = |(nth, it): (usize, &RaceRunner)| {
        let (style, _) = style(app, nth, it, theme);
        let page = context.scene.machine().page_size;
        let rate = death_details::rate(it.rate * Pages(1).bytes(page).0 as f64);
        let rate = if rate.is_empty() { rate } else { format!(" {rate}") };
        vec![
            Span::styled(format!("{} {} {}", mark(nth), it.id, it.comm), style),
            Span::raw(format!(" {}{rate}", badness(context, race, it))),
        ]
    };
    flow(race.runners.iter().enumerate().map(part).collect(), width, 0)
}

fn paint_chart(
    app: &App,
    context: &RowContext<'_>,
    race: &Race,
    area: Rect,
    canvas: &mut Canvas<'_>,
) {
    let theme = canvas.theme;
    let until = app.deaths.next.as_ref().and_then(|death| death.when).map(|when| when.middle);
    let labels = 7.min(area.width / 5);
    let plot =
        Rect { x: area.x + labels, width: area.width - labels, height: area.height - 1, ..area };
    let times = Times::new(race, until, plot.width);
    let mut lines: Vec<ChartLine> = Vec::new();
    for (nth, runner) in race.runners.iter().enumerate() {
        let (style, heavy) = style(app, nth, runner, theme);
        let line = ChartLine { cells: times.cells(runner), style, heavy, mark: mark(nth) };
        if heavy { lines.insert(0, line) } else { lines.push(line) }
    }
    let ends = ends(&lines);
    let (low, high) = ends;
    canvas.right(area.x, plot.top(), labels - 1, &size(context, high), theme.dim());
    canvas.right(area.x, plot.bottom() - 1, labels - 1, &size(context, low), theme.dim());
    paint_times(app, &times, plot, canvas);
    line_chart::paint(&LineChart { lines: &lines, ends, expected_from: times.past }, plot, canvas);
}

/// The values of the lowest and the highest row: from 0, unless all are far above it.
fn ends(lines: &[ChartLine]) -> (f64, f64) {
    let all = || lines.iter().flat_map(|it| &it.cells).flatten().copied();
    let high = all().fold(f64::NEG_INFINITY, f64::max);
    let low = all().fold(f64::INFINITY, f64::min);
    let from_zero = low > 0.0 && low < high / 2.0;
    let margin = ((high - low) * 0.1).max(1.0);
    let low = if from_zero { 0.0 } else { low - margin };
    (low, high.max(low + 1.0))
}

/// The times below the chart, and a line where the limit is reached.
fn paint_times(app: &App, times: &Times, plot: Rect, canvas: &mut Canvas<'_>) {
    let (theme, y) = (canvas.theme, plot.bottom());
    let past = text::short_span(times.cell.0 * times.past as u64 / 1000);
    canvas.text(plot.x, y, plot.width, &format!("-{past}"), theme.dim());
    let now = plot.x + (times.past as u16).saturating_sub(1);
    let Some(limit) = times.limit else {
        canvas.right(plot.x, y, plot.width, "now", theme.dim());
        return;
    };
    let style = Urgency::of(app).style(theme);
    let label = format!("limit {}", text::in_soon(limit));
    let x = plot.right() - 1;
    if times.shows_limit {
        for row in plot.top()..plot.bottom() {
            canvas.text(x, row, 1, theme.time_line(), style);
        }
    }
    canvas.right(plot.x, y, plot.width, &label, style);
    let room = plot.right().saturating_sub(cells(&label) + 1).saturating_sub(now);
    if room > 3 && now > plot.x + 8 {
        canvas.text(now.saturating_sub(1), y, 3, "now", theme.dim());
    }
}
