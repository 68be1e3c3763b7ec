//! Configuration files of systemd: sections in brackets, and lines `KEY=VALUE`.

/// One setting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnitSetting {
    /// The section, without brackets.
    pub section: String,
    /// The key.
    pub key: String,
    /// The value.
    pub value: String,
}

/// All settings, in their order (`man systemd.syntax`): a backslash at the end of a line continues
/// it; lines that begin with `#` or `;` are comments.
#[must_use]
pub fn systemd_conf(bytes: &[u8]) -> Vec<UnitSetting> {
    let mut found = Vec::new();
    let mut section = String::new();
    let mut carried = String::new();
    for line in bytes.split(|&byte| byte == b'\n') {
        let line = String::from_utf8_lossy(line);
        let line = line.trim();
        if line.starts_with(['#', ';']) {
            continue;
        }
        if let Some(start) = line.strip_suffix('\\') {
            carried.push_str(start);
            carried.push(' ');
            continue;
        }
        let whole = std::mem::take(&mut carried) + line;
        let whole = whole.trim();
        if let Some(name) = whole.strip_prefix('[').and_then(|it| it.strip_suffix(']')) {
            name.clone_into(&mut section);
        } else if let Some((key, value)) = whole.split_once('=') {
            found.push(UnitSetting {
                section: section.clone(),
                key: key.trim().to_owned(),
                value: value.trim().to_owned(),
            });
        }
    }
    found
}

/// Parses `60%`, `60.5%`, `600‰` or `6000‱` to percent; `None` if it is not 0 to 100 %.
#[must_use]
pub fn percentage(value: &str) -> Option<f64> {
    let units = [('%', 1.0), ('\u{2030}', 10.0), ('\u{2031}', 100.0)];
    let (digits, by) =
        units.iter().find_map(|&(sign, by)| Some((value.strip_suffix(sign)?, by)))?;
    let number: f64 = digits.trim().parse().ok()?;
    Some(number / by).filter(|it| (0.0..=100.0).contains(it))
}

/// Parses a time span (`man systemd.time`) to seconds: `20`, `30s`, `1min 30s`, `500ms`.
#[must_use]
pub fn seconds(value: &str) -> Option<f64> {
    let mut sum = 0.0;
    let mut rest = value.trim();
    if rest.is_empty() {
        return None;
    }
    while !rest.is_empty() {
        let end = rest.find(|c: char| !(c.is_ascii_digit() || c == '.')).unwrap_or(rest.len());
        let number: f64 = rest[..end].parse().ok()?;
        rest = rest[end..].trim_start();
        let end = rest.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(rest.len());
        let by = match &rest[..end] {
            "" | "s" | "sec" | "second" | "seconds" => 1.0,
            "us" | "usec" => 1e-6,
            "ms" | "msec" => 1e-3,
            "m" | "min" | "minute" | "minutes" => 60.0,
            "h" | "hr" | "hour" | "hours" => 3600.0,
            "d" | "day" | "days" => 86400.0,
            _ => return None,
        };
        sum += number * by;
        rest = rest[end..].trim_start();
    }
    Some(sum).filter(|it| it.is_finite())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn assignments_stand_in_sections() {
        let file = b"# c\n[OOM]\nSwapUsedLimit = 80%\n; c\nDefault\\\n=5\n[Other]\nx=a=b\n";
        let read: Vec<_> =
            systemd_conf(file).into_iter().map(|it| (it.section, it.key, it.value)).collect();
        let set = |section: &str, key: &str, value: &str| {
            (section.to_owned(), key.to_owned(), value.to_owned())
        };
        assert_eq!(
            read,
            [
                set("OOM", "SwapUsedLimit", "80%"),
                set("OOM", "Default", "5"),
                set("Other", "x", "a=b"),
            ]
        );
    }

    #[test]
    fn percents_and_spans() {
        assert_eq!(percentage("60%"), Some(60.0));
        assert_eq!(percentage("605\u{2030}"), Some(60.5));
        assert_eq!(percentage("101%"), None);
        assert_eq!(percentage("60"), None);
        for (words, is) in [
            ("20", Some(20.0)),
            ("20s", Some(20.0)),
            ("1min 30s", Some(90.0)),
            ("500ms", Some(0.5)),
            ("1h30m", Some(5400.0)),
            ("s", None),
            ("5 parsecs", None),
            ("", None),
        ] {
            assert_eq!(seconds(words), is, "{words}");
        }
    }

    proptest! {
        #[test]
        fn no_bytes_panic(bytes: Vec<u8>, words: String) {
            let _ = systemd_conf(&bytes);
            let _ = percentage(&words);
            let _ = seconds(&words);
        }
    }
}
