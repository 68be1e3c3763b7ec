//! The command line of earlyoom (`main.c` `parse_args`), with the rules of `getopt_long`.

use crate::model::{EarlyoomOptions, Text};
use crate::units::Kib;

/// The short options; a colon means that a value follows.
const SHORT: &[u8] = b"m:s:M:S:kingN:P:dvr:ph";

/// The long options, and whether a value follows.
const LONG: &[(&str, bool)] = &[
    ("prefer", true),
    ("avoid", true),
    ("ignore", true),
    ("dryrun", false),
    ("ignore-root-user", false),
    ("sort-by-rss", false),
    ("syslog", false),
    ("kernel-oom", false),
    ("help", false),
    ("debug", false),
];

/// An option and its value.
enum Given {
    Short(u8, Option<Vec<u8>>),
    Long(&'static str, Option<Vec<u8>>),
    Unknown(Vec<u8>),
}

/// A pair `T[,K]`: the limits of SIGTERM and SIGKILL. The second is by default half of the first;
/// the first is at least the second.
fn pair(value: &[u8], most: f64) -> Option<[f64; 2]> {
    let text = std::str::from_utf8(value).ok()?;
    let number = |part: &str| {
        part.trim().parse::<f64>().ok().filter(|it| it.is_finite() && (0.0..=most).contains(it))
    };
    let (term, kill) = match text.split_once(',') {
        Some((term, kill)) => (number(term)?, number(kill)?),
        None => (number(text)?, number(text)? / 2.0),
    };
    Some([term.max(kill), kill])
}

/// Parses options, without the program's name. Returns them, and remarks about those that are
/// invalid.
#[must_use]
pub fn earlyoom_args(args: &[Vec<u8>]) -> (EarlyoomOptions, Vec<Text>) {
    let mut options = EarlyoomOptions::default();
    let mut remarks = Vec::new();
    let remark = |words: &str, what: &[u8]| {
        let mut text = b"earlyoom: ".to_vec();
        text.extend_from_slice(words.as_bytes());
        text.push(b' ');
        text.extend_from_slice(&what[..what.len().min(80)]);
        Text::new(&text)
    };
    for given in given(args) {
        let kib = |pair: [f64; 2]| pair.map(|kib| Kib(kib as u64));
        let room = 1e15;
        match given {
            Given::Short(letter @ (b'm' | b's' | b'M' | b'S'), value) => {
                let value = value.unwrap_or_default();
                let most = match letter {
                    b'm' => 99.0,
                    b's' => 100.0,
                    _ => room,
                };
                let Some(pair) = pair(&value, most) else {
                    remarks.push(remark("invalid limit", &value));
                    continue;
                };
                match letter {
                    b'm' => options.mem_percent = Some(pair),
                    b's' => options.swap_percent = Some(pair),
                    b'M' => options.mem_kib = Some(kib(pair)),
                    _ => options.swap_kib = Some(kib(pair)),
                }
            }
            Given::Short(b'g', _) => options.group = true,
            Given::Short(..) => {}
            Given::Long(name, value) => {
                let text = || value.as_deref().map(Text::new);
                match name {
                    "prefer" => options.prefer = text(),
                    "avoid" => options.avoid = text(),
                    "ignore" => options.ignore = text(),
                    "dryrun" => options.dry_run = true,
                    "ignore-root-user" => options.ignore_root = true,
                    "sort-by-rss" => options.sort_by_rss = true,
                    "kernel-oom" => options.kernel_oom = true,
                    _ => {}
                }
            }
            Given::Unknown(what) => remarks.push(remark("unknown option", &what)),
        }
    }
    (options, remarks)
}

/// Splits a command line into options.
fn given(args: &[Vec<u8>]) -> Vec<Given> {
    let mut found = Vec::new();
    let mut rest = args.iter();
    while let Some(arg) = rest.next() {
        if arg == b"--" {
            break;
        }
        if let Some(long) = arg.strip_prefix(b"--") {
            let at = long.iter().position(|&byte| byte == b'=');
            let (name, value) = match at {
                Some(at) => (&long[..at], Some(long[at + 1..].to_vec())),
                None => (long, None),
            };
            // As in `getopt_long`, an unambiguous prefix of a long option is enough.
            let mut fits = LONG.iter().filter(|(full, _)| full.as_bytes().starts_with(name));
            let exact = LONG.iter().find(|(full, _)| full.as_bytes() == name);
            let one = exact.or_else(|| fits.next().filter(|_| fits.next().is_none()));
            match one {
                Some(&(full, true)) => {
                    let value = value.or_else(|| rest.next().cloned());
                    found.push(Given::Long(full, value));
                }
                Some(&(full, false)) => found.push(Given::Long(full, None)),
                None => found.push(Given::Unknown(arg.clone())),
            }
            continue;
        }
        let Some(letters) = arg.strip_prefix(b"-").filter(|it| !it.is_empty()) else { continue };
        for (at, &letter) in letters.iter().enumerate() {
            let known = SHORT.iter().position(|&it| it == letter && it != b':');
            match known.map(|at| SHORT.get(at + 1) == Some(&b':')) {
                Some(true) => {
                    let attached = &letters[at + 1..];
                    let value = if attached.is_empty() {
                        rest.next().cloned()
                    } else {
                        Some(attached.to_vec())
                    };
                    found.push(Given::Short(letter, value));
                    break;
                }
                Some(false) => found.push(Given::Short(letter, None)),
                None => found.push(Given::Unknown(vec![b'-', letter])),
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::sample::parse::words;

    fn read(line: &str) -> (EarlyoomOptions, Vec<Text>) {
        earlyoom_args(&words(line.as_bytes()))
    }

    #[test]
    fn limits_and_rules_are_read() {
        let (options, remarks) =
            read("-r 3600 -m 15,7.5 -s100 -gn --avoid '^(X|sshd)$' --prefer=java");
        assert_eq!(remarks, []);
        assert_eq!(options.mem_percent, Some([15.0, 7.5]));
        assert_eq!(options.swap_percent, Some([100.0, 50.0]));
        assert_eq!(options.avoid, Some(Text::new(b"^(X|sshd)$")));
        assert_eq!(options.prefer, Some(Text::new(b"java")));
        assert!(options.group && !options.sort_by_rss && !options.dry_run);
        let (options, _) = read("-M 500000 --sort --dry --ignore-root-user -m 5,9");
        assert_eq!(options.mem_kib, Some([Kib(500_000), Kib(250_000)]));
        assert!(options.sort_by_rss && options.dry_run && options.ignore_root);
        assert_eq!(options.mem_percent, Some([9.0, 9.0]), "never below SIGKILL's");
    }

    #[test]
    fn invalid_input_is_reported() {
        let words = |line: &str| read(line).1.iter().map(ToString::to_string).collect::<Vec<_>>();
        assert_eq!(words("-m 100"), ["earlyoom: invalid limit 100"]);
        assert_eq!(
            words("-m x --nope --ignore"),
            ["earlyoom: invalid limit x", "earlyoom: unknown option --nope",]
        );
        assert_eq!(words("-z"), ["earlyoom: unknown option -z"]);
        assert_eq!(words("-m nan,inf").len(), 1);
        assert_eq!(words("-- -z").len(), 0);
    }

    proptest! {
        #[test]
        fn no_words_panic(args in proptest::collection::vec(any::<Vec<u8>>(), 0..6)) {
            let _ = earlyoom_args(&args);
        }

        #[test]
        fn no_options_panic(line in "[-msMSkgP=,.0-9a-z ]{0,40}") {
            let _ = read(&line);
        }
    }
}
