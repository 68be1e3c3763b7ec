//! What is wrong with a rule: where in its file, and what would help.

use std::fmt;

/// A place in a file, both counted from 1, columns in characters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Location {
    /// Line.
    pub line: u32,
    /// Column.
    pub column: u32,
}

impl Location {
    /// Where this byte of a text stands. A place past the end or inside a character is moved back.
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

/// Why a file is no rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// Where.
    pub spot: Location,
    /// What is wrong and what would help, in one line.
    pub what: String,
}

impl Diagnostic {
    /// At this place.
    #[must_use]
    pub fn new(spot: Location, what: impl Into<String>) -> Self {
        Self { spot, what: what.into() }
    }
}

/// `12:9: there is no fact p.rsss; did you mean p.rss?`
impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.spot, self.what)
    }
}

/// Something wrong in an expression, at a byte of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ExprDiagnostic {
    /// Which byte.
    pub at: usize,
    /// What is wrong and what would help.
    pub what: String,
}

impl ExprDiagnostic {
    pub fn new(at: usize, what: impl Into<String>) -> Self {
        Self { at, what: what.into() }
    }
}

/// `; did you mean …?` where one of the known names is near, else the known ones.
pub(crate) fn meant<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    let known: Vec<&str> = known.into_iter().collect();
    let near = known.iter().map(|name| (distance(word, name), *name)).min();
    match near {
        Some((far, name)) if far <= 1 + name.len() / 4 => format!("did you mean {name}?"),
        _ => format!("there are {}", known.join(", ")),
    }
}

/// Letters to change, add or remove. Long words are compared by their beginning.
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
