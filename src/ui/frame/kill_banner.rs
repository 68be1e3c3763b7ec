//! The banner that tells of a kill: it stays until a key is pressed.

use ratatui::layout::Rect;

use crate::app::App;
use crate::app::incident::kill_text::{kill_sentences, limit_of_kill};
use crate::columns::span_of;
use crate::model::{EventTime, OomEvent};
use crate::ui::paint::canvas::{Canvas, cells};
use crate::ui::paint::text;
use crate::words::next_death::forecast_sentence;

/// Maximum number of lines.
const MAX_LINES: usize = 2;

/// The number of lines on a screen of this width; 0 while there is nothing to tell.
pub fn height(app: &App, width: u16) -> u16 {
    u16::try_from(lines(app, width).len()).unwrap_or(0)
}

/// Paints it.
pub fn paint(app: &App, area: Rect, canvas: &mut Canvas<'_>) {
    if area.height == 0 {
        return;
    }
    let theme = canvas.theme;
    canvas.style(area, theme.flash());
    let mark = theme.time_marks()[1];
    for (nth, (y, line)) in (area.top()..area.bottom()).zip(lines(app, area.width)).enumerate() {
        if nth == 0 {
            canvas.text(area.x, y, 1, mark, theme.flash());
        }
        canvas.text(area.x + INDENT, y, area.width.saturating_sub(INDENT), &line, theme.flash());
    }
}

/// The cells of the mark and the blank behind it.
const INDENT: u16 = 2;

/// The lines in the longest form that fits.
fn lines(app: &App, width: u16) -> Vec<String> {
    let room = width.saturating_sub(INDENT);
    let forms = forms(app);
    let mut wrapped = forms.iter().map(|form| wrap(form, room));
    let Some(mut lines) = wrapped.next() else { return Vec::new() };
    while lines.len() > MAX_LINES {
        let Some(shorter) = wrapped.next() else { break };
        lines = shorter;
    }
    lines.truncate(MAX_LINES);
    lines
}

/// The text in forms of different length, the longest first; none while there is nothing to tell.
fn forms(app: &App) -> Vec<String> {
    let Some(banner) = &app.display.banner else { return Vec::new() };
    let timeline = app.timeline();
    let events: Vec<&OomEvent> =
        banner.events.iter().filter_map(|&nth| timeline.find(nth)).collect();
    let (Some(first), Some(last)) = (events.first(), events.last()) else { return Vec::new() };
    let about = if matches!(last.time, EventTime::Within(_)) { "~" } else { "" };
    let clock = format!("{}{about}", text::clock(app, last.unix_ms));
    let seconds = last.unix_ms.saturating_sub(first.unix_ms).unsigned_abs().div_ceil(1000);
    // What happened between two of them counts, whether the banner told of it or not.
    let count = timeline.kills_from_to(first, last).max(events.len());
    let is_first =
        timeline.events().iter().find(|it| it.is_kill()).is_none_or(|it| it.nth == first.nth);
    let kills = if is_first { "kills" } else { "more kills" };
    let several = match count {
        1 => String::new(),
        count if seconds <= 1 => format!("{count} {kills} at once, last: "),
        count => format!("{count} {kills} in {}, last: ", span_of(seconds)),
    };
    let unproven = if timeline.is_unproven(last.nth) { " (by a log file)" } else { "" };
    // A forecast is told where it was right.
    let was_predicted = last.forecast.lead().is_some();
    let forecast = forecast_sentence(last.forecast).filter(|_| was_predicted);
    let forecast = forecast.map_or_else(String::new, |text| format!(", {text}"));
    let limit = app.scene.as_ref().and_then(|scene| limit_of_kill(scene, last));
    let [long, middle, placed, short] = kill_sentences(last, limit);
    // Where it was is told before all else that is left out.
    vec![
        format!("{clock} {several}{long}{unproven}{forecast}. Enter why, p just before"),
        format!("{clock} {several}{middle}{unproven}{forecast}. Enter why, p just before"),
        format!("{clock} {several}{middle}{unproven}{forecast}. Enter why, p before"),
        format!("{clock} {several}{placed}{unproven}{forecast}. Enter why, p before"),
        format!("{clock} {several}{placed}{unproven}. Enter why, p before"),
        format!("{several}{placed}. Enter why, p before"),
        format!("{several}{short}. Enter why, p before"),
    ]
}

/// Breaks a text at its blanks.
fn wrap(text: &str, room: u16) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split(' ') {
        match lines.last_mut() {
            Some(line) if cells(line) + 1 + cells(word) <= room => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}
