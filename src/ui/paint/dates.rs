//! Days and dates in local time.

use crate::app::App;
use crate::app::incident::event_text::civil;

const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// The day of a time, counted from 1970.
pub fn day_of(app: &App, unix_ms: i64) -> i64 {
    unix_ms.div_euclid(1000).saturating_add(app.start.utc_offset.into()).div_euclid(86_400)
}

/// The day of the newest sample, of a recording that of the sample on the screen; 0 without one.
pub fn today(app: &App) -> i64 {
    let past = &app.playback.past;
    let shown = if app.playback.is_played() { app.playback.at() } else { past.newest() };
    shown.and_then(|nth| past.facts(nth)).map_or(0, |facts| day_of(app, facts.clock.unix_ms))
}

/// `Nov 20`.
pub fn date(day: i64) -> String {
    let (_, month, day) = civil(day);
    let month = usize::try_from(month - 1).ok().and_then(|at| MONTHS.get(at));
    format!("{} {day:2}", month.unwrap_or(&"?"))
}
