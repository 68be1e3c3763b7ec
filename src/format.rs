//! Sizes and durations as text.

use std::fmt::Write;

use humansize::{BINARY, FixedAt, SizeFormatter};

use crate::units::Bytes;

/// The unit in which sizes are shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SizeUnit {
    /// Three digits and the largest unit that fits.
    #[default]
    Auto,
    /// Pages.
    Pages,
    /// KiB.
    Kib,
    /// MiB.
    Mib,
    /// GiB.
    Gib,
    /// Per-mille of the total of the domain.
    Permille,
}

impl SizeUnit {
    /// Every unit, in the order of the cycle.
    pub const ALL: [Self; 6] =
        [Self::Auto, Self::Pages, Self::Kib, Self::Mib, Self::Gib, Self::Permille];

    /// The next unit, in a cycle.
    #[must_use]
    pub const fn next(self) -> Self {
        match self {
            Self::Auto => Self::Pages,
            Self::Pages => Self::Kib,
            Self::Kib => Self::Mib,
            Self::Mib => Self::Gib,
            Self::Gib => Self::Permille,
            Self::Permille => Self::Auto,
        }
    }

    /// The name on the screen.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Pages => "pages",
            Self::Kib => "KiB",
            Self::Mib => "MiB",
            Self::Gib => "GiB",
            Self::Permille => "per-mille",
        }
    }
}

/// Appends a size with three digits and a unit (`11.0G`, `480M`, `6.01G`), or in a fixed unit.
pub fn human(size: Bytes, scale: SizeUnit, out: &mut String) {
    let fixed = match scale {
        SizeUnit::Kib => Some(FixedAt::Kilo),
        SizeUnit::Mib => Some(FixedAt::Mega),
        SizeUnit::Gib => Some(FixedAt::Giga),
        _ => None,
    };
    let places = match (fixed, size.0) {
        (Some(FixedAt::Giga), _) => 2,
        (Some(_), _) => 0,
        (None, bytes) => {
            // From 1 GiB on, the number of digits before the point decides how many follow.
            let unit = bytes.max(1).ilog2() / 10 * 10;
            if unit < 20 {
                0
            } else {
                match bytes >> unit {
                    0..10 if unit >= 30 => 2,
                    10..100 if unit >= 30 => 1,
                    _ => 0,
                }
            }
        }
    };
    let options = BINARY
        .fixed_at(fixed)
        .decimal_places(places)
        .decimal_zeroes(places)
        .space_after_value(false);
    let _ = write!(out, "{}", SizeFormatter::new(size.0, options));
    // Columns have no room for "iB".
    if out.ends_with("iB") {
        out.truncate(out.len() - 2);
    }
}

/// A size with three digits and a unit, as a new string; see [`human`].
#[must_use]
pub fn human_size(size: Bytes) -> String {
    let mut out = String::new();
    human(size, SizeUnit::Auto, &mut out);
    out
}

/// Appends a duration as `41d02h`, `3h12m`, `12m05s` or `52s`.
pub fn span(seconds: u64, out: &mut String) {
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3600 % 24, seconds / 60 % 60);
    let _ = if days > 0 {
        write!(out, "{days}d{hours:02}h")
    } else if hours > 0 {
        write!(out, "{hours}h{minutes:02}m")
    } else if minutes > 0 {
        write!(out, "{minutes}m{:02}s", seconds % 60)
    } else {
        write!(out, "{seconds}s")
    };
}

/// A duration as a new string; see [`span`].
#[must_use]
pub fn span_of(seconds: u64) -> String {
    let mut out = String::new();
    span(seconds, &mut out);
    out
}

/// The bytes of a size as a user types it, the inverse of [`human_size`]: `512M`, `1.5 GiB`, `64kb`, `65536`. Units
/// are multiples of 1024.
#[must_use]
pub fn parse_bytes(text: &str) -> Option<f64> {
    let text = text.trim();
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    let number: f64 = number.parse().ok()?;
    let unit = unit.trim_start().to_ascii_lowercase();
    let unit = unit.strip_suffix("ib").or_else(|| unit.strip_suffix('b')).unwrap_or(&unit);
    let exponent = ["", "k", "m", "g", "t"].iter().position(|it| *it == unit)?;
    Some(number * 1024_f64.powi(i32::try_from(exponent).ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_three_digits_and_a_unit() {
        let gib = 1_u64 << 30;
        for (bytes, shown) in [
            (0, "0B"),
            (512, "512B"),
            (4096, "4K"),
            (480 << 20, "480M"),
            (1023 << 20, "1023M"),
            (gib, "1.00G"),
            (gib * 6 + gib / 100, "6.01G"),
            (gib * 12 + gib * 3 / 10, "12.3G"),
            (gib * 512, "512G"),
            (gib * 2048, "2.00T"),
        ] {
            assert_eq!(human_size(Bytes(bytes)), shown);
        }
    }

    #[test]
    fn spans_are_short() {
        assert_eq!(span_of(52), "52s");
        assert_eq!(span_of(725), "12m05s");
        assert_eq!(span_of(3 * 3600 + 12 * 60), "3h12m");
        assert_eq!(span_of(41 * 86_400 + 7300), "41d02h");
    }
}
