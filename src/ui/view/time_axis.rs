//! The axis under the charts: what time it was, who was killed when, and where the screen stands.

use ratatui::layout::Rect;

use crate::app::App;
use crate::columns::span_of;
use crate::forecast::chart_window::ChartWindow;
use crate::forecast::series::KILLS;
use crate::ui::paint::canvas::{Canvas, cells};
use crate::ui::paint::text;
use crate::units::Millis;

/// Marks may stand so far apart, in seconds.
const STEPS: &[u64] = &[
    1, 2, 5, 10, 15, 20, 30, 60, 120, 300, 600, 900, 1200, 1800, 3600, 7200, 14_400, 28_800, 86_400,
];

/// A label takes so many cells at most: `14:03:22 -2m05s`.
const LABEL: u64 = 17;

/// The cell of the look on the screen, where that is an earlier one.
#[must_use]
pub fn cursor(app: &App, window: &ChartWindow<'_>) -> Option<usize> {
    window.axis.place(app.shown_at().filter(|_| app.is_past())?)
}

/// `14:03:22`, of a time on the clock that never jumps.
fn clock(app: &App, window: &ChartWindow<'_>, at: Millis) -> Option<String> {
    let moment = window.moment(at).or(app.playback.history.get(0))?;
    let since = i64::try_from(at.0).ok()?.checked_sub(i64::try_from(moment.at.0).ok()?)?;
    Some(text::clock(app, moment.unix_ms.saturating_add(since)))
}

/// `1h` and not `1h00m`.
#[must_use]
pub fn span(seconds: u64) -> String {
    match seconds {
        0..60 => format!("{seconds}s"),
        _ if seconds.is_multiple_of(3600) => format!("{}h", seconds / 3600),
        60..3600 if seconds.is_multiple_of(60) => format!("{}m", seconds / 60),
        _ => span_of(seconds),
    }
}

/// The same before the newest look.
fn ago(seconds: u64) -> String {
    format!("-{}", span(seconds))
}

/// Paints it: a line of marks, and under it one of times where there is room for two.
pub fn paint(app: &App, window: &ChartWindow<'_>, area: Rect, canvas: &mut Canvas<'_>) {
    let Some(newest) = app.playback.history.last() else { return };
    let Some(bottom) = area.height.checked_sub(1) else { return };
    let (theme, axis) = (canvas.theme, &window.axis);
    let x_of = |cell: usize| area.x.saturating_add(u16::try_from(cell).unwrap_or(u16::MAX));
    let step = STEPS.iter().copied().find(|step| step * 1000 / axis.cell().0 >= LABEL);
    let step = step.unwrap_or(86_400);
    let ticks = (1..).map_while(|nth: u64| {
        let seconds = nth.checked_mul(step)?;
        let at = newest.at.0.checked_sub(seconds * 1000)?;
        (axis.number(Millis(at)) >= 0).then_some((seconds, Millis(at)))
    });
    let ticks: Vec<_> = ticks.take(area.width.into()).collect();
    if area.height > 1 {
        marks(app, window, area, canvas);
        for place in ticks.iter().filter_map(|(_, at)| axis.place(*at)) {
            canvas.text(x_of(place), area.y, 1, theme.tick(), theme.plain());
        }
        deaths(window, area, canvas);
    }
    let y = area.y + bottom;
    let here = cursor(app, window).and_then(|place| {
        let at = app.shown_at()?;
        let back = newest.at.saturating_sub(at).0 / 1000;
        let [up, _] = theme.time_marks();
        let text = format!("{up}{} {}", clock(app, window, at)?, ago(back));
        // It stands as near as it can to its cell.
        let room = area.width.saturating_sub(cells(&text));
        let x = (u16::try_from(place).unwrap_or(0)).min(room);
        Some((x, text))
    });
    let taken = here.as_ref().map(|(x, text)| (*x, x + cells(text)));
    let free = |x: u16, width: u16| {
        x + width <= area.width && taken.is_none_or(|(from, to)| x + width < from || x > to)
    };
    // The end is worth more than the mark beside it.
    let mut end = area.width;
    if axis.place(newest.at).is_some()
        && let Some(time) = clock(app, window, newest.at)
    {
        let word = if app.start.live { "now" } else { "end" };
        let text = format!("{word} {time}");
        let x = area.width.saturating_sub(cells(&text));
        if free(x, cells(&text)) {
            canvas.text(area.x + x, y, cells(&text), &text, theme.plain());
            end = x;
        }
    }
    for (seconds, at) in ticks {
        let (Some(place), Some(time)) = (axis.place(at), clock(app, window, at)) else { continue };
        let x = u16::try_from(place).unwrap_or(u16::MAX);
        let back = ago(seconds);
        let width = cells(&time) + 1 + cells(&back);
        if !free(x, width) || x + width + 1 > end {
            continue;
        }
        let past = canvas.text(area.x + x, y, area.width, &time, theme.plain());
        canvas.text(area.x + x + past + 1, y, area.width, &back, theme.dim());
    }
    if let Some((x, text)) = here {
        canvas.text(area.x + x, y, area.width - x, &text, theme.time_cursor());
    }
}

/// The line itself: heavy where the whole screen can go, thin where only charts reach.
fn marks(app: &App, window: &ChartWindow<'_>, area: Rect, canvas: &mut Canvas<'_>) {
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

/// A mark for each cell in whose time the kernel killed somebody.
fn deaths(window: &ChartWindow<'_>, area: Rect, canvas: &mut Canvas<'_>) {
    let [_, cross] = canvas.theme.time_marks();
    for (x, kills) in (area.left()..area.right()).zip(window.cells(&KILLS)) {
        if kills.is_some_and(|kills| kills > 0.0) {
            canvas.text(x, area.y, 1, cross, canvas.theme.danger());
        }
    }
}
