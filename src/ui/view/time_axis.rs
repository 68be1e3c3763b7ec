//! The time axis under the charts: times, kills, and the sample on the screen.

use ratatui::layout::Rect;

use crate::app::App;
use crate::forecast::chart_window::ChartWindow;
use crate::ui::paint::canvas::{Canvas, cells};
use crate::ui::paint::text;
use crate::units::Millis;

/// The distances between two marks of the axis, in seconds.
const STEPS: &[u64] = &[
    1, 2, 5, 10, 15, 20, 30, 60, 120, 300, 600, 900, 1200, 1800, 3600, 7200, 14_400, 28_800, 86_400,
];

/// The maximum width of a label with the space behind it: `14:03:22 -2m05s`.
const LABEL: u64 = 17;

/// The cell of the sample on the screen, where that is not the newest.
#[must_use]
pub fn cursor(app: &App, window: &ChartWindow<'_>) -> Option<usize> {
    window.axis.place(app.shown_at().filter(|at| app.is_past() && *at < app.charted_until())?)
}

/// `14:03:22`, for a time of the monotonic clock.
fn clock(app: &App, window: &ChartWindow<'_>, at: Millis) -> Option<String> {
    let moment = window.moment(at).or(app.playback.history.get(0))?;
    let since = i64::try_from(at.0).ok()?.checked_sub(i64::try_from(moment.at.0).ok()?)?;
    Some(text::clock(app, moment.unix_ms.saturating_add(since)))
}

/// `-2m`, before the newest sample.
fn ago(seconds: u64) -> String {
    format!("-{}", text::short_span(seconds))
}

/// A mark of the axis: its distance from the newest sample in seconds, and its time.
type Tick = (u64, Millis);

/// The marks from the newest sample back, as far as the axis reaches.
fn ticks(window: &ChartWindow<'_>, newest: Millis, width: u16) -> Vec<Tick> {
    let axis = &window.axis;
    let step = STEPS.iter().copied().find(|step| step * 1000 / axis.cell().0 >= LABEL);
    let step = step.unwrap_or(86_400);
    let ticks = (1..).map_while(|nth: u64| {
        let seconds = nth.checked_mul(step)?;
        let at = newest.0.checked_sub(seconds * 1000)?;
        (axis.number(Millis(at)) >= 0).then_some((seconds, Millis(at)))
    });
    ticks.take(width.into()).collect()
}

/// Paints the axis: a line of marks, and a line of times below it where there is room for two.
pub fn paint(app: &App, window: &ChartWindow<'_>, area: Rect, canvas: &mut Canvas<'_>) {
    let newest = app.charted_until();
    let Some(bottom) = area.height.checked_sub(1) else { return };
    let ticks = ticks(window, newest, area.width);
    if area.height > 1 {
        paint_line(app, window, area, canvas);
        for place in ticks.iter().filter_map(|(_, at)| window.axis.place(*at)) {
            let x = area.x.saturating_add(u16::try_from(place).unwrap_or(u16::MAX));
            canvas.text(x, area.y, 1, canvas.theme.tick(), canvas.theme.plain());
        }
        paint_kills(app, window, area, canvas);
    }
    let row = Rect { y: area.y + bottom, height: 1, ..area };
    paint_times(app, window, newest, &ticks, row, canvas);
}

/// Where the time of the sample on the screen begins, and its text; nothing for the newest.
fn time_of_sample(
    app: &App,
    window: &ChartWindow<'_>,
    newest: Millis,
    width: u16,
    mark: &str,
) -> Option<(u16, String)> {
    let place = cursor(app, window)?;
    let at = app.shown_at()?;
    let back = newest.saturating_sub(at).0 / 1000;
    let text = format!("{mark}{} {}", clock(app, window, at)?, ago(back));
    // As near to its cell as the width allows.
    let room = width.saturating_sub(cells(&text));
    Some(((u16::try_from(place).unwrap_or(0)).min(room), text))
}

/// Paints the times of the marks, where they do not cover that of the sample on the screen or of the
/// newest one.
fn paint_times(
    app: &App,
    window: &ChartWindow<'_>,
    newest: Millis,
    ticks: &[Tick],
    row: Rect,
    canvas: &mut Canvas<'_>,
) {
    let (theme, axis, y) = (canvas.theme, &window.axis, row.y);
    let [mark, _] = theme.time_marks();
    let shown = time_of_sample(app, window, newest, row.width, mark);
    let taken = shown.as_ref().map(|(x, text)| (*x, x + cells(text)));
    let free = |x: u16, width: u16| {
        x + width <= row.width && taken.is_none_or(|(from, to)| x + width < from || x > to)
    };
    let mut end = row.width;
    if axis.place(newest).is_some()
        && let Some(time) = clock(app, window, newest)
    {
        let word = if app.playback.is_played() { "" } else { "now " };
        let text = format!("{word}{time}");
        let x = row.width.saturating_sub(cells(&text));
        if free(x, cells(&text)) {
            canvas.text(row.x + x, y, cells(&text), &text, theme.plain());
            end = x;
        }
    }
    for &(seconds, at) in ticks {
        let (Some(place), Some(time)) = (axis.place(at), clock(app, window, at)) else { continue };
        let x = u16::try_from(place).unwrap_or(u16::MAX);
        let back = ago(seconds);
        let width = cells(&time) + 1 + cells(&back);
        if !free(x, width) || x + width + 1 > end {
            continue;
        }
        let past = canvas.text(row.x + x, y, row.width, &time, theme.plain());
        canvas.text(row.x + x + past + 1, y, row.width, &back, theme.dim());
    }
    if let Some((x, text)) = shown {
        canvas.text(row.x + x, y, row.width - x, &text, theme.time_cursor());
    }
}

/// Paints the line itself: heavy where whole samples are kept and the screen can go back to them, thin
/// where only the values of the charts are kept.
fn paint_line(app: &App, window: &ChartWindow<'_>, area: Rect, canvas: &mut Canvas<'_>) {
    let theme = canvas.theme;
    let past = &app.playback.past;
    let [thin, heavy] = theme.rules();
    let whole = past.oldest().and_then(|oldest| past.time(oldest));
    let from = whole.map_or(i64::MAX, |at| window.axis.number(at));
    let Some((first, last)) = window.seen() else { return };
    for (x, nth) in (area.left()..area.right()).zip(0_i64..) {
        if (first..=last).contains(&nth) {
            canvas.text(x, area.y, 1, if nth >= from { heavy } else { thin }, theme.dim());
        }
    }
    for place in window.leaps() {
        let x = area.x.saturating_add(u16::try_from(place).unwrap_or(u16::MAX));
        canvas.text(x, area.y, 1, theme.leap(), theme.warn());
    }
}

/// Paints a mark over each cell in whose time a process was killed.
fn paint_kills(app: &App, window: &ChartWindow<'_>, area: Rect, canvas: &mut Canvas<'_>) {
    let [_, cross] = canvas.theme.time_marks();
    for place in app.charted_kills().into_iter().filter_map(|at| window.axis.place(at)) {
        let x = area.x.saturating_add(u16::try_from(place).unwrap_or(u16::MAX));
        canvas.text(x, area.y, 1, cross, canvas.theme.danger());
    }
}
