//! The styles of severities: of a value, of a limit, of a message.

use ratatui::style::Style;

use crate::app::NoticeLevel;
use crate::forecast::limits::ReachableLimit;
use crate::forecast::series::Severity;
use crate::ui::paint::theme::Theme;
use crate::units::Millis;

/// A limit that is hit sooner than this needs care, whatever is left.
const CARE: Millis = Millis(180_000);

/// A limit that is hit sooner than this is bad: less time is too short to act.
const BAD: Millis = Millis(30_000);

/// The style of a value.
#[must_use]
pub fn style(theme: Theme, severity: Severity) -> Style {
    match severity {
        Severity::Neutral => theme.label(),
        Severity::Calm => theme.good(),
        Severity::Care => theme.warn(),
        Severity::Bad => theme.danger(),
    }
}

/// The style of a message.
#[must_use]
pub fn notice(theme: Theme, level: NoticeLevel) -> Style {
    match level {
        NoticeLevel::Plain => theme.plain(),
        NoticeLevel::Good => theme.good(),
        NoticeLevel::Warn => theme.warn(),
    }
}

/// How near a limit is, by what is left and by the time until it is hit; nothing where it is far.
pub fn of_limit(limit: &ReachableLimit) -> Option<Severity> {
    match limit.left_permille() {
        0..50 => Some(Severity::Bad),
        50..100 => Some(Severity::Care),
        _ if limit.hit_in.is_some_and(|time| time < CARE) => Some(Severity::Care),
        _ => None,
    }
}

/// How near a limit is by the time alone; nothing where no time is known.
pub fn of_time(time: Option<Millis>) -> Option<Severity> {
    time.map(|time| if time < BAD { Severity::Bad } else { Severity::Care })
}
