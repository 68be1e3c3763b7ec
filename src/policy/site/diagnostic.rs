//! Errors in a rule file: where they are, what is wrong, and what would help.

use std::fmt;

/// A position in a file. Both numbers count from 1; columns are characters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Location {
    /// The line, from 1.
    pub line: u32,
    /// The character in the line, from 1.
    pub column: u32,
}

impl Location {
    /// The position of a byte of a text. An offset past the end or inside a character is rounded down.
    #[must_use]
    pub fn of(text: &str, at: usize) -> Self {
        let before = &text[..text.floor_char_boundary(at)];
        let line = before.matches('\n').count();
        let column = before.rsplit('\n').next().map_or(0, |line| line.chars().count());
        let count = |number: usize| u32::try_from(number + 1).unwrap_or(u32::MAX);
        Self { line: count(line), column: count(column) }
    }
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.line, self.column)
    }
}

/// One error in a rule file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// Where it is.
    pub location: Location,
    /// What is wrong and what would help, in one line.
    pub what: String,
}

impl Diagnostic {
    /// An error at this position.
    #[must_use]
    pub fn new(location: Location, what: impl Into<String>) -> Self {
        Self { location, what: what.into() }
    }
}

/// `12:9: there is no fact p.rsss; did you mean p.rss?`
impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.location, self.what)
    }
}

/// An error in an expression.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ExprDiagnostic {
    /// The byte of the expression where it is.
    pub at: usize,
    /// What is wrong and what would help, in one line.
    pub what: String,
}

impl ExprDiagnostic {
    pub fn new(at: usize, what: impl Into<String>) -> Self {
        Self { at, what: what.into() }
    }
}

/// `did you mean …?` where a known name is similar, else the list of the known names.
#[must_use]
pub fn suggestion<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    let known: Vec<&str> = known.into_iter().collect();
    let near = known.iter().map(|name| (distance(word, name), *name)).min();
    match near {
        Some((far, name)) if far <= 1 + name.len() / 4 => format!("did you mean {name}?"),
        _ => format!("known are {}", known.join(", ")),
    }
}

/// The edit distance. Only the first 40 characters count.
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) =
        (a.chars().take(40).collect(), b.chars().take(40).collect());
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut corner = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let least = (row[j] + 1).min(row[j + 1] + 1).min(corner + usize::from(x != y));
            corner = std::mem::replace(&mut row[j + 1], least);
        }
    }
    row[b.len()]
}
