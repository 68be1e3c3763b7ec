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
            regex: std::sync::LazyLock::new(|| regex::Regex::new($text).ok()),
        };
    };
}

/// A number in a group of the match.
pub(super) fn number<T: std::str::FromStr>(found: &Captures<'_>, group: usize) -> Option<T> {
    found.get(group)?.as_str().parse().ok()
}
