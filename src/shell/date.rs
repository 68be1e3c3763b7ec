//! Dates with a time, as a user types them.

use jiff::civil::{Date, DateTime, Time};
use jiff::tz::TimeZone;

/// Milliseconds since 1970 of a date with a time: `2026-11-20 14:03`, `2026-11-20T14:03:22`, in local time, or in
/// UTC with a `Z` behind it; a date alone is its first moment.
#[must_use]
pub(crate) fn unix_ms(text: &str) -> Option<i64> {
    let text = text.trim();
    let (text, zone) = match text.strip_suffix(['Z', 'z']) {
        Some(text) => (text, TimeZone::UTC),
        None => (text, TimeZone::system()),
    };
    let text = text.replacen('T', " ", 1);
    let time: DateTime = match text.split_once(' ') {
        None => text.parse::<Date>().ok()?.to_datetime(Time::midnight()),
        Some(_) => DateTime::strptime("%Y-%m-%d %H:%M:%S", &text)
            .or_else(|_| DateTime::strptime("%Y-%m-%d %H:%M", &text))
            .ok()?,
    };
    Some(time.to_zoned(zone).ok()?.timestamp().as_millisecond())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_understood() {
        assert_eq!(unix_ms("2025-11-21 14:03:22Z"), Some(1_763_733_802_000));
        assert_eq!(unix_ms("2025-11-21T14:03Z"), Some(1_763_733_780_000));
        assert_eq!(unix_ms("2025-11-21Z"), Some(1_763_683_200_000));
        assert!(unix_ms("2025-11-21 14:03").is_some(), "local time");
        for wrong in [
            "",
            "14:03",
            "2025-13-01",
            "2025-11-21 25:00",
            "2025-11-21 14",
            "5m",
            "Z",
            "9999-99-99 00:00",
        ] {
            assert_eq!(unix_ms(wrong), None, "{wrong}");
        }
    }
}
