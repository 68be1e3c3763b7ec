//! The filter of the rows: words, regular expressions and fields, all of which must match.
//!
//! `java user:alice !cgroup:docker /Xmx\d+g/` shows alice's java processes outside docker whose
//! command line gives a heap size. A word without capitals matches either case.

use std::fmt;

use regex::{Regex, RegexBuilder};

use crate::columns::RowView;

/// What a term is compared with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Field {
    Any,
    Command,
    User,
    Cgroup,
    Pid,
}

#[derive(Clone, Debug)]
struct Term {
    field: Field,
    not: bool,
    pattern: Regex,
}

/// Why a filter is not valid.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadFilter {
    /// The reason, in one line.
    pub what: String,
}

impl fmt::Display for BadFilter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)
    }
}

/// A parsed filter; the empty one shows everything.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    text: String,
    terms: Vec<Term>,
}

/// Maximum size of a compiled pattern, in bytes.
const PATTERN_LIMIT: usize = 1 << 20;

impl Filter {
    /// Parses a filter.
    ///
    /// # Errors
    /// Why a regular expression is not valid, in one line.
    pub fn parse(text: &str) -> Result<Self, BadFilter> {
        let mut terms = Vec::new();
        for word in words(text) {
            let (not, word) = match word.strip_prefix('!') {
                Some(rest) if !rest.is_empty() => (true, rest),
                _ => (false, word),
            };
            let (field, word) = [
                ("user:", Field::User),
                ("cgroup:", Field::Cgroup),
                ("command:", Field::Command),
                ("pid:", Field::Pid),
            ]
            .into_iter()
            .find_map(|(prefix, field)| word.strip_prefix(prefix).map(|rest| (field, rest)))
            .unwrap_or((Field::Any, word));
            if word.is_empty() {
                continue;
            }
            terms.push(Term { field, not, pattern: pattern(word, field)? });
        }
        Ok(Self { text: text.trim().to_owned(), terms })
    }

    /// The filter as it was typed.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether it shows everything.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.terms.is_empty()
    }

    /// Whether it needs command lines.
    #[must_use]
    pub fn wants_command_lines(&self) -> bool {
        self.terms.iter().any(|term| matches!(term.field, Field::Any | Field::Command))
    }

    /// Whether it needs cgroups.
    #[must_use]
    pub fn wants_cgroups(&self) -> bool {
        self.terms.iter().any(|term| matches!(term.field, Field::Any | Field::Cgroup))
    }

    /// Whether the row is shown.
    #[must_use]
    pub fn shows(&self, row: &RowView<'_>) -> bool {
        self.terms.iter().all(|term| term.found(row) != term.not)
    }
}

impl Term {
    fn found(&self, row: &RowView<'_>) -> bool {
        let process = row.process;
        let names = row.context.names;
        let hit = |text: &str| self.pattern.is_match(text);
        let command = || hit(&process.comm.to_string()) || names.command(process).is_some_and(hit);
        let user = || row.context.user(process).value().is_some_and(|user| hit(&user));
        let cgroup = || process.cgroup.as_ref().value().is_some_and(|path| hit(path.as_str()));
        match self.field {
            Field::Any => command() || user() || cgroup(),
            Field::Command => command(),
            Field::User => user(),
            Field::Cgroup => cgroup(),
            Field::Pid => hit(&process.id.pid.to_string()),
        }
    }
}

/// The words of a filter. A regular expression between slashes may contain spaces.
fn words(text: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let mut rest = text.trim_start();
    while !rest.is_empty() {
        let slash = rest.find('/').filter(|&at| {
            let head = &rest[..at];
            !head.contains(' ') && (head.is_empty() || head.ends_with(':') || head == "!")
        });
        let end = slash
            .and_then(|at| {
                let close = rest[at + 1..].match_indices('/').map(|(to, _)| at + 1 + to + 1);
                close.into_iter().find(|&to| rest[to..].is_empty() || rest[to..].starts_with(' '))
            })
            .or_else(|| rest.find(' '))
            .unwrap_or(rest.len());
        found.push(&rest[..end]);
        rest = rest[end..].trim_start();
    }
    found
}

fn pattern(word: &str, field: Field) -> Result<Regex, BadFilter> {
    let between = word.strip_prefix('/').and_then(|rest| rest.strip_suffix('/'));
    let (source, regex) = match between {
        Some(inner) if !inner.is_empty() => (inner.to_owned(), true),
        _ if field == Field::Pid => (format!("^{}$", regex::escape(word)), false),
        _ => (regex::escape(word), false),
    };
    RegexBuilder::new(&source)
        .case_insensitive(!regex && !word.chars().any(char::is_uppercase))
        .size_limit(PATTERN_LIMIT)
        .build()
        .map_err(|error| {
            let last = error.to_string();
            let what = last.lines().last().unwrap_or_default().trim();
            BadFilter { what: format!("/{source}/: {}", what.trim_start_matches("error: ")) }
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_keep_an_expression_with_spaces_together() {
        assert_eq!(words("java  user:al /a b/ x"), ["java", "user:al", "/a b/", "x"]);
        assert_eq!(words("command:/a b/"), ["command:/a b/"]);
        assert_eq!(words("!/x y/"), ["!/x y/"]);
        assert_eq!(words("/usr/bin/java x"), ["/usr/bin/java", "x"]);
        assert_eq!(words("/open ended"), ["/open", "ended"]);
        assert!(words("   ").is_empty());
    }

    #[test]
    fn a_bad_expression_is_told_in_one_line() {
        let bad = Filter::parse("/(/").unwrap_err();
        assert!(bad.what.contains("unclosed group") && !bad.what.contains('\n'), "{bad}");
        assert!(Filter::parse("(").is_ok(), "a plain word is no expression");
    }
}
