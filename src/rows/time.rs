//! Times and delays as a user types them.

use jiff::Timestamp;
use jiff::civil::{Date, DateTime, Time};
use jiff::tz::{Offset, TimeZone};

use crate::units::Millis;

/// Parses the time between samples, as it is typed or given with `-d`.
///
/// # Errors
/// What it should be, in one line.
pub fn parse_delay(text: &str) -> Result<Millis, String> {
    let wanted = || format!("{text:?} is not a delay: seconds from 0.1 to 3600");
    let seconds: f64 = text.trim().parse().map_err(|_| wanted())?;
    if (0.1..=3600.0).contains(&seconds) {
        Ok(Millis((seconds * 1000.0).round() as u64))
    } else {
        Err(wanted())
    }
}

const SECOND: Millis = Millis(1000);
const MINUTE: Millis = Millis(60_000);
const DAY: Millis = Millis(86_400_000);

/// A date that a user typed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TypedDate {
    civil: DateTime,
    is_utc: bool,
    /// What it names: a second, a minute or a day.
    pub span: Millis,
}

impl TypedDate {
    /// Milliseconds since 1970; `local` is the zone where it does not end with `Z`.
    #[must_use]
    pub fn unix_ms_in(self, local: TimeZone) -> Option<i64> {
        let zone = if self.is_utc { TimeZone::UTC } else { local };
        Some(self.civil.to_zoned(zone).ok()?.timestamp().as_millisecond())
    }

    /// The same with the seconds by which local time is ahead of UTC.
    #[must_use]
    pub fn unix_ms(self, utc_offset: i32) -> Option<i64> {
        self.unix_ms_in(TimeZone::fixed(Offset::from_seconds(utc_offset).ok()?))
    }
}

/// Parses a date with a time, `2026-11-20 14:03` or `2026-11-20T14:03:22`, in local time, or in UTC with a `Z` behind
/// it; a date alone is its first moment. `None` where it is none, or before 1970.
#[must_use]
pub fn parse_date(text: &str) -> Option<TypedDate> {
    let text = text.trim();
    let (text, is_utc) = match text.strip_suffix(['Z', 'z']) {
        Some(text) => (text, true),
        None => (text, false),
    };
    let text = text.replacen('T', " ", 1);
    let typed = |form: &str| DateTime::strptime(form, &text).ok();
    let (civil, span) = match text.split_once(' ') {
        None => (text.parse::<Date>().ok()?.to_datetime(Time::midnight()), DAY),
        Some(_) => typed("%Y-%m-%d %H:%M:%S")
            .map(|civil| (civil, SECOND))
            .or_else(|| Some((typed("%Y-%m-%d %H:%M")?, MINUTE)))?,
    };
    (civil.year() >= 1970).then_some(TypedDate { civil, is_utc, span })
}

/// What a time names that [`parse_time`] takes: a second, a minute or a day; nothing for how long ago.
#[must_use]
pub fn named_span(text: &str) -> Millis {
    let of_clock = || match text.matches(':').count() {
        0 => Millis::ZERO,
        1 => MINUTE,
        _ => SECOND,
    };
    parse_date(text).map_or_else(of_clock, |date| date.span)
}

/// A time in words: `2026-11-20 14:03:22`.
#[must_use]
pub fn written(unix_ms: i64, utc_offset: i32) -> String {
    let time = Timestamp::from_millisecond(unix_ms).unwrap_or_default();
    let offset = Offset::from_seconds(utc_offset).unwrap_or(Offset::UTC);
    offset.to_datetime(time).strftime("%Y-%m-%d %H:%M:%S").to_string()
}

/// Parses a time: `14:03`, `14:03:22`, `2026-11-20 14:03` in local time, or a time before the newest sample: `-5m`,
/// `90s`, `1h`. Returns how long before the newest sample it is, which was taken at `unix_ms`.
///
/// # Errors
/// What it should be, in one line.
pub fn parse_time(text: &str, unix_ms: i64, utc_offset: i32) -> Result<Millis, String> {
    let text = text.trim();
    let wrong =
        || "a time is 14:03, 14:03:22, 2026-11-20 14:03, or how long ago: 90s, 5m, 1h".to_owned();
    if let Some(date) = parse_date(text) {
        // It means the end of its second; one that is later is the newest sample.
        let asked = date.unix_ms(utc_offset).ok_or_else(wrong)?;
        let ago = unix_ms.saturating_sub(asked).saturating_sub(999);
        return Ok(Millis(u64::try_from(ago).unwrap_or(0)));
    }
    let parts: Vec<&str> = text.split(':').collect();
    if parts.len() > 1 {
        let mut numbers = parts.iter().map(|part| part.parse::<i64>().ok().filter(|n| *n >= 0));
        let mut next = || numbers.next().unwrap_or(Some(0)).ok_or_else(wrong);
        let (hours, minutes, seconds) = (next()?, next()?, next()?);
        if parts.len() > 3 || hours > 23 || minutes > 59 || seconds > 59 {
            return Err(wrong());
        }
        let day = 86_400_000;
        let local = unix_ms.saturating_add(i64::from(utc_offset) * 1000);
        let asked = ((hours * 60 + minutes) * 60 + seconds) * 1000;
        // A clock time is in the past: one that is later than now was yesterday. It means the end of
        // its second.
        let ago = (local.rem_euclid(day) - asked).rem_euclid(day);
        let ago = if day - ago <= 1000 { 0 } else { ago };
        return Ok(Millis(u64::try_from(ago.saturating_sub(999).max(0)).unwrap_or(0)));
    }
    let text = text.strip_prefix('-').unwrap_or(text);
    let (number, unit) = text.split_at(text.trim_end_matches(char::is_alphabetic).len());
    let number: f64 = number.parse().map_err(|_| wrong())?;
    let unit = match unit {
        "s" => 1.0,
        "m" | "min" => 60.0,
        "h" => 3600.0,
        _ => return Err(wrong()),
    };
    let seconds = number * unit;
    if !(0.0..=1e9).contains(&seconds) {
        return Err(wrong());
    }
    Ok(Millis((seconds * 1000.0) as u64))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now_ms(unix_ms: i64) -> u64 {
        u64::try_from(unix_ms).expect("after 1970")
    }

    #[test]
    fn times_are_understood() {
        // 2025-11-21 14:03:22.500 UTC.
        let now = 1_763_733_802_500;
        let ago = |text: &str| parse_time(text, now, 0).map(|ago| ago.0);
        assert_eq!(ago("5m"), Ok(300_000));
        assert_eq!(ago("-1.5m"), Ok(90_000));
        assert_eq!(ago("14:03:22"), Ok(0), "all of that second");
        assert_eq!(ago("14:03:20"), Ok(1501), "its end: the last look of that second");
        assert_eq!(ago("14:02"), Ok(81_501));
        assert_eq!(ago("14:04"), Ok(86_400_000 - 37_500 - 999), "yesterday");
        assert_eq!(parse_time("15:03:22", now, 3600), Ok(Millis(0)), "local time");
        assert_eq!(ago("2025-11-21 14:03:22"), Ok(0), "all of that second");
        assert_eq!(ago("2025-11-21T14:02"), Ok(81_501));
        assert_eq!(ago("2025-11-20 14:03:20"), Ok(86_401_501));
        assert_eq!(ago("2024-02-29 00:00"), Ok(now_ms(now) - 1_709_164_800_000 - 999));
        assert_eq!(ago("2999-01-01 00:00"), Ok(0), "the newest");
        assert_eq!(
            ago("2025-11-21"),
            Ok(now_ms(now) - 1_763_683_200_000 - 999),
            "its first moment"
        );
        let utc = parse_time("2025-11-21T14:02Z", now, 3600);
        assert_eq!(utc, Ok(Millis(81_501)), "the zone is named");
        assert_eq!(parse_time("2025-11-21 15:03:22", now, 3600), Ok(Millis(0)), "local time");
        for wrong in [
            "2025-13-01 00:00",
            "2026-02-31 00:00",
            "2025-02-29",
            "1969-12-31 00:00",
            "2025-11-21 24:00",
            "2025-11-21 1:2:3:4",
            "-2025-11-21 00:00",
            "2025-11-21 +1:00",
        ] {
            assert!(ago(wrong).is_err(), "{wrong}");
        }
        for (text, span) in
            [("14:03", 60_000), ("14:03:22", 1000), ("5m", 0), ("2025-11-21", 86_400_000)]
        {
            assert_eq!(named_span(text), Millis(span), "{text}");
        }
        assert_eq!(written(now, 3600), "2025-11-21 15:03:22");
        for wrong in ["", "5", "x", "25:00", "1:2:3:4", "-", "NaNs", "infm", "1e99h", "14:60"] {
            assert!(ago(wrong).is_err(), "{wrong}");
        }
    }
}
