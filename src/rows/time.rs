//! Times and delays as a user types them.

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

/// Milliseconds since 1970, as if local time were UTC, of a date and a time: `2026-11-20 14:03`,
/// `2026-11-20T14:03:22`. Whether a month has that many days is not checked.
fn parse_date(text: &str) -> Option<i64> {
    let (date, time) = text.split_once([' ', 'T'])?;
    let numbers = |text: &str, between: char| -> Option<Vec<i64>> {
        let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        text.split(between).map(|part| part.parse().ok().filter(|_| digits(part))).collect()
    };
    let (date, time) = (numbers(date, '-')?, numbers(time, ':')?);
    let (&[year, month, day], &[hours, minutes, ref seconds @ ..]) = (&date[..], &time[..]) else {
        return None;
    };
    let seconds = match seconds {
        [] => 0,
        [seconds] => *seconds,
        _ => return None,
    };
    let fits = (1970..=9999).contains(&year)
        && (1..=12).contains(&month)
        && (1..=31).contains(&day)
        && hours < 24
        && minutes < 60
        && seconds < 60;
    if !fits {
        return None;
    }
    // Days since 1970 in the Gregorian calendar, with years that begin in March.
    let year = if month > 2 { year } else { year - 1 };
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let days = 365 * year + year / 4 - year / 100 + year / 400 + day_of_year - 719_468;
    Some((((days * 24 + hours) * 60 + minutes) * 60 + seconds) * 1000)
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
    if let Some(asked) = parse_date(text) {
        // It means the end of its second; one that is later is the newest sample.
        let local = unix_ms.saturating_add(i64::from(utc_offset) * 1000);
        let ago = local.saturating_sub(asked).saturating_sub(999);
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
        assert_eq!(parse_time("2025-11-21 15:03:22", now, 3600), Ok(Millis(0)), "local time");
        for wrong in [
            "2025-11-21",
            "2025-13-01 00:00",
            "2025-11-21 24:00",
            "2025-11-21 1:2:3:4",
            "-2025-11-21 00:00",
            "2025-11-21 +1:00",
        ] {
            assert!(ago(wrong).is_err(), "{wrong}");
        }
        for wrong in ["", "5", "x", "25:00", "1:2:3:4", "-", "NaNs", "infm", "1e99h", "14:60"] {
            assert!(ago(wrong).is_err(), "{wrong}");
        }
    }
}
