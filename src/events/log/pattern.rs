//! A regular expression that is compiled at its first use, with a quick test before it.

use std::sync::LazyLock;

use regex::{Captures, Regex};

/// A pattern that is compiled once and tried only on lines that contain its needle: most lines of a
/// log are about something else, and a substring test is much cheaper than a regular expression.
pub(super) struct Pattern {
    pub needle: &'static str,
    /// `None` if the expression does not compile: it then matches nothing, and the tests fail.
    pub regex: LazyLock<Option<Regex>>,
}

impl Pattern {
    pub fn captures<'t>(&self, text: &'t str) -> Option<Captures<'t>> {
        if text.contains(self.needle) { self.regex.as_ref()?.captures(text) } else { None }
    }
}

/// Defines a [`Pattern`]: its name, the needle, the expression.
macro_rules! pattern {
    ($name:ident, $needle:expr, $text:expr) => {
        static $name: crate::events::log::pattern::Pattern = crate::events::log::pattern::Pattern {
            needle: $needle,
            regex: std::sync::LazyLock::new(|| crate::events::log::pattern::compile($text)),
        };
    };
}

/// Compiles an expression for lines that programs write: a digit, a letter and the edge of a word are those of ASCII. Those
/// of Unicode take most of the memory of an expression, and no kernel writes them. `None` if it does not compile.
pub(super) fn compile(text: &str) -> Option<Regex> {
    let mut ascii = String::with_capacity(text.len() * 2);
    let mut rest = text.chars();
    while let Some(next) = rest.next() {
        if next != '\\' {
            ascii.push(next);
            continue;
        }
        match rest.next() {
            Some('d') => ascii.push_str("[0-9]"),
            Some('w') => ascii.push_str("[0-9A-Za-z_]"),
            Some('W') => ascii.push_str("[^0-9A-Za-z_]"),
            Some('b') => ascii.push_str(r"(?-u:\b)"),
            other => ascii.extend(std::iter::once(next).chain(other)),
        }
    }
    Regex::new(&ascii).ok()
}

/// A number in a group of the match.
pub(super) fn number<T: std::str::FromStr>(found: &Captures<'_>, group: usize) -> Option<T> {
    found.get(group)?.as_str().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_are_those_of_ascii_also_within_brackets_and_behind_a_backslash() {
        for (text, line, matches) in [
            (r"^[\d.]+ \w+$", "6.18 swap", true),
            (r"^\d+$", "\u{664}\u{662}", false),
            (r"^\w+$", "gr\u{fc}n", false),
            (r"^gr\Wn$", "gr\u{fc}n", true),
            (r"^a\\d$", r"a\d", true),
            (r"\bkernel\b", "a kernel: x", true),
            (r"^\S+ .*$", "gr\u{fc}n \u{fc}", true),
        ] {
            let regex = compile(text).unwrap_or_else(|| panic!("{text} compiles"));
            assert_eq!(regex.is_match(line), matches, "{text} {line}");
        }
        assert!(compile("(").is_none());
    }
}
