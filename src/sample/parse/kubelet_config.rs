//! The eviction thresholds in the configuration file of the kubelet (YAML), and in its command line.
//!
//! Of YAML only what these few settings need is understood: keys at the start of a line, and below them
//! indented keys or a map in braces, with or without quotes.

use crate::model::{KubeletOptions, ThresholdAmount};
use crate::units::{Bytes, Kib};

/// The signal of the eviction manager that doomtop knows.
const SIGNAL: &str = "memory.available";

/// Parses a quantity: `100Mi`, `1.5Gi`, `500M`, `104857600`, or a share of the memory of the node: `5%`.
fn quantity(text: &str) -> Option<ThresholdAmount> {
    let number = |digits: &str| {
        digits.trim().parse::<f64>().ok().filter(|number| (0.0..1e18).contains(number))
    };
    if let Some(digits) = text.strip_suffix('%') {
        return number(digits).map(ThresholdAmount::Percent);
    }
    const UNITS: [(&str, f64); 8] = [
        ("Ki", 1024.0),
        ("Mi", 1_048_576.0),
        ("Gi", 1_073_741_824.0),
        ("Ti", 1_099_511_627_776.0),
        ("k", 1e3),
        ("M", 1e6),
        ("G", 1e9),
        ("T", 1e12),
    ];
    let unit = UNITS.iter().find_map(|(name, size)| Some((text.strip_suffix(name)?, *size)));
    let (digits, size) = unit.unwrap_or((text, 1.0));
    number(digits).map(|count| ThresholdAmount::Kib(Kib(Bytes((count * size) as u64).0 / 1024)))
}

/// Parses a duration of Go: `1m30s`, `90s`, `500ms`. In seconds.
fn duration(text: &str) -> Option<f64> {
    let (mut rest, mut sum) = (text, 0.0);
    while !rest.is_empty() {
        let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let number: f64 = rest[..end].parse().ok()?;
        let after = &rest[end..];
        let next = after.find(|c: char| c.is_ascii_digit()).unwrap_or(after.len());
        let unit = match &after[..next] {
            "h" => 3600.0,
            "m" => 60.0,
            "s" => 1.0,
            "ms" => 0.001,
            _ => return None,
        };
        sum += number * unit;
        rest = &after[next..];
    }
    Some(sum).filter(|sum: &f64| sum.is_finite())
}

fn unquoted(text: &str) -> &str {
    text.trim().trim_matches(['"', '\''])
}

/// The value of `memory.available` in a list of pairs that these characters separate.
fn value_in(list: &str, between: char, sign: char) -> Option<&str> {
    let pairs = list.split(between).filter_map(|pair| pair.split_once(sign));
    pairs
        .map(|(key, value)| (unquoted(key), unquoted(value)))
        .find(|it| it.0 == SIGNAL)
        .map(|it| it.1)
}

/// The value of `memory.available` in each of the three maps; the outer `None` where there is no such map.
#[derive(Default)]
struct Maps<'a> {
    hard: Option<Option<&'a str>>,
    soft: Option<Option<&'a str>>,
    grace: Option<Option<&'a str>>,
    merges: bool,
}

impl<'a> Maps<'a> {
    fn of(text: &'a str) -> Self {
        let mut maps = Self::default();
        let mut inside = "";
        for line in text.lines() {
            let line = line.split(" #").next().unwrap_or_default();
            if line.trim().is_empty() || line.starts_with('#') {
                continue;
            }
            let Some((key, value)) = line.split_once(':') else { continue };
            if !line.starts_with([' ', '\t']) {
                inside = unquoted(key);
                maps.merges |= inside == "mergeDefaultEvictionSettings" && value.trim() == "true";
                let flow = value.trim().trim_start_matches('{').trim_end_matches('}');
                if let Some(map) = maps.map(inside) {
                    *map = Some(value_in(flow, ',', ':'));
                }
            } else if unquoted(key) == SIGNAL
                && let Some(map) = maps.map(inside)
            {
                *map = Some(Some(unquoted(value)));
            }
        }
        maps
    }

    fn map(&mut self, name: &str) -> Option<&mut Option<Option<&'a str>>> {
        match name {
            "evictionHard" => Some(&mut self.hard),
            "evictionSoft" => Some(&mut self.soft),
            "evictionSoftGracePeriod" => Some(&mut self.grace),
            _ => None,
        }
    }
}

/// Parses the configuration file. A file that sets other hard thresholds only has none of memory, unless it
/// merges the defaults.
#[must_use]
pub fn kubelet_config(bytes: &[u8]) -> KubeletOptions {
    let text = String::from_utf8_lossy(bytes);
    let maps = Maps::of(&text);
    let default = KubeletOptions::default();
    let hard = match maps.hard {
        None => default.hard,
        Some(None) => default.hard.filter(|_| maps.merges),
        Some(Some(value)) => quantity(value),
    };
    KubeletOptions {
        hard,
        soft: maps.soft.flatten().and_then(quantity),
        soft_seconds: maps.grace.flatten().and_then(duration).unwrap_or(0.0),
    }
}

/// Takes the values of `--eviction-hard`, `--eviction-soft` and `--eviction-soft-grace-period`:
/// `memory.available<100Mi,nodefs.available<10%`.
pub fn kubelet_flags(options: &mut KubeletOptions, [hard, soft, grace]: [Option<&str>; 3]) {
    if let Some(list) = hard {
        options.hard = value_in(list, ',', '<').and_then(quantity);
    }
    if let Some(list) = soft {
        options.soft = value_in(list, ',', '<').and_then(quantity);
    }
    if let Some(list) = grace {
        options.soft_seconds = value_in(list, ',', '=').and_then(duration).unwrap_or(0.0);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn mib(mib: u64) -> Option<ThresholdAmount> {
        Some(ThresholdAmount::Kib(Kib(mib << 10)))
    }

    #[test]
    fn the_three_maps_are_read() {
        let file = b"apiVersion: kubelet.config.k8s.io/v1beta1\nkind: KubeletConfiguration\n\
            evictionHard:\n  imagefs.available: \"15%\"\n  memory.available: \"500Mi\" # enough\n\
            evictionSoft:\n  \"memory.available\": 1.5Gi\n\
            evictionSoftGracePeriod: {memory.available: 1m30s}\nmaxPods: 20\n";
        let options = kubelet_config(file);
        assert_eq!((options.hard, options.soft), (mib(500), mib(1536)));
        assert_eq!(options.soft_seconds, 90.0);
    }

    #[test]
    fn what_is_not_set_has_its_default() {
        assert_eq!(kubelet_config(b""), KubeletOptions::default());
        assert_eq!(kubelet_config(b"kind: KubeletConfiguration\n"), KubeletOptions::default());
        let other = "evictionHard:\n  nodefs.available: 10%\n";
        assert_eq!(kubelet_config(other.as_bytes()).hard, None, "the file sets others only");
        let merged = format!("mergeDefaultEvictionSettings: true\n{other}");
        assert_eq!(kubelet_config(merged.as_bytes()).hard, mib(100));
    }

    #[test]
    fn flags_take_precedence() {
        let mut options = KubeletOptions::default();
        let hard = Some("nodefs.available<10%,memory.available<5%");
        kubelet_flags(&mut options, [hard, None, None]);
        assert_eq!(options.hard, Some(ThresholdAmount::Percent(5.0)));
        let soft = [None, Some("memory.available<300M"), Some("memory.available=2m")];
        kubelet_flags(&mut options, soft);
        assert_eq!(options.soft, Some(ThresholdAmount::Kib(Kib(292_968))));
        assert_eq!(options.soft_seconds, 120.0);
        kubelet_flags(&mut options, [Some("memory.available<lots"), None, None]);
        assert_eq!(options.hard, None);
    }

    #[test]
    fn durations_are_those_of_go() {
        for (text, seconds) in [("90s", Some(90.0)), ("1h2m3s", Some(3723.0)), ("500ms", Some(0.5))]
        {
            assert_eq!(duration(text), seconds, "{text}");
        }
        for text in ["90", "s", "1x", "1m30", "-1s"] {
            assert_eq!(duration(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = kubelet_config(&bytes);
        }

        #[test]
        fn no_words_panic(text in "[a-zA-Z0-9.:%{} \n#\"'<=-]{0,120}") {
            let _ = kubelet_config(format!("evictionHard:\n memory.available: {text}").as_bytes());
            let list = Some(text.as_str());
            kubelet_flags(&mut KubeletOptions::default(), [list, list, list]);
        }
    }
}
