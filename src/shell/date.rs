//! Dates with a time, as a user types them, in the zone of this machine.

use jiff::tz::TimeZone;

use crate::rows::time::parse_date;

/// Milliseconds since 1970 of a date that [`parse_date`] takes.
#[must_use]
pub(crate) fn unix_ms(text: &str) -> Option<i64> {
    parse_date(text)?.unix_ms_in(TimeZone::system())
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
            "2026-02-31 00:00",
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
