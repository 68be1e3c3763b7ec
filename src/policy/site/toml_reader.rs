//! Reads TOML and collects the errors in it, each with its location.

use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::policy::site::diagnostic::{Diagnostic, Location};
use crate::policy::site::matcher::Glob;

/// Maximum size of a rule file, in bytes.
pub const LARGEST: usize = 64 * 1024;
/// Maximum number of errors reported at once.
const DIAGNOSTICS: usize = 20;

/// The text of a file, and the errors found in it so far.
pub(crate) struct TomlReader<'a> {
    text: &'a str,
    diagnostics: Vec<Diagnostic>,
}

/// Reads a TOML file with `with`. `kind` names what the file should be: `a rule`.
///
/// # Errors
/// All errors in the file, in its order; at least one.
pub(crate) fn read_document<T>(
    text: &str,
    kind: &str,
    with: impl FnOnce(&mut TomlReader<'_>, &DeTable<'_>) -> Option<T>,
) -> Result<T, Vec<Diagnostic>> {
    if text.len() > LARGEST {
        let what = format!("{kind} has at most {LARGEST} bytes; this file has {}", text.len());
        return Err(vec![Diagnostic::new(Location::of(text, 0), what)]);
    }
    let (table, errors) = DeTable::parse_recoverable(text);
    let mut reader = TomlReader { text, diagnostics: Vec::new() };
    for error in errors.into_iter().take(DIAGNOSTICS) {
        let at = error.span().map_or(0, |span| span.start);
        reader.report(at, format!("invalid TOML: {}", error.message()));
    }
    if !reader.diagnostics.is_empty() {
        return Err(reader.diagnostics);
    }
    let read = with(&mut reader, table.get_ref());
    let mut diagnostics = reader.diagnostics;
    diagnostics.sort_by_key(|diagnostic| diagnostic.location);
    diagnostics.truncate(DIAGNOSTICS);
    match read {
        Some(read) if diagnostics.is_empty() => Ok(read),
        _ if diagnostics.is_empty() => {
            Err(vec![Diagnostic::new(Location::of(text, 0), format!("this is not {kind}"))])
        }
        _ => Err(diagnostics),
    }
}

impl TomlReader<'_> {
    /// Records an error at this byte of the file.
    pub(crate) fn report(&mut self, at: usize, what: impl Into<String>) {
        let mut line = String::new();
        crate::model::escape_bytes(what.into().replace('\n', " ").as_bytes(), &mut line);
        self.diagnostics.push(Diagnostic::new(Location::of(self.text, at), line));
    }

    /// The location of a byte of the file.
    pub(crate) fn location(&self, at: usize) -> Location {
        Location::of(self.text, at)
    }

    /// The text of a key, and its range in the file, quotes included.
    pub(crate) fn text_of<'t>(
        &mut self,
        key: &str,
        value: &'t Spanned<DeValue<'_>>,
    ) -> Option<(&'t str, Range<usize>)> {
        if let DeValue::String(text) = value.get_ref() {
            return Some((text, value.span()));
        }
        let what = format!("{key} must be a text: {key} = \"…\"");
        self.report(value.span().start, what);
        None
    }

    /// The text of a key as one line, escaped for the terminal.
    pub(crate) fn line(
        &mut self,
        table: &DeTable<'_>,
        key: &str,
        longest: usize,
    ) -> Option<String> {
        let (text, span) = self.text_of(key, table.get(key)?)?;
        if text.len() > longest {
            self.report(span.start, format!("{key} has at most {longest} bytes"));
            return None;
        }
        let mut line = String::new();
        let one_line: Vec<&str> = text.split_whitespace().collect();
        crate::model::escape_bytes(one_line.join(" ").as_bytes(), &mut line);
        Some(line)
    }

    /// For each byte of a text, its offset in the file. `span` is the text as the file spells it, with
    /// quotes and escapes.
    pub(crate) fn byte_offsets(&self, span: Range<usize>) -> Vec<usize> {
        let start = span.start;
        byte_offsets(&self.text[span]).into_iter().map(|at| start + at).collect()
    }

    /// The pattern of a key.
    pub(crate) fn glob(&mut self, key: &str, value: &Spanned<DeValue<'_>>) -> Option<Glob> {
        let (text, span) = self.text_of(key, value)?;
        if text.is_empty() || text.len() > Glob::LONGEST {
            self.report(span.start, format!("a pattern has 1 to {} bytes", Glob::LONGEST));
            return None;
        }
        Some(Glob::new(text))
    }
}

/// For each byte of a TOML text, its offset in the text as the file spells it.
fn byte_offsets(raw: &str) -> Vec<usize> {
    let quote = ["\"\"\"", "'''", "\"", "'"].into_iter().find(|quote| raw.starts_with(quote));
    let quote = quote.unwrap_or_default();
    let (escapes, end) = (quote.starts_with('"'), raw.len().saturating_sub(quote.len()));
    let mut at = quote.len();
    // The line break after three quotes does not count.
    if quote.len() == 3 {
        let rest = &raw[at..];
        at += ["\r\n", "\n"].iter().find(|end| rest.starts_with(**end)).map_or(0, |end| end.len());
    }
    let mut places = Vec::with_capacity(raw.len());
    while at < end {
        let rest = &raw[at..];
        let Some(letter) = rest.chars().next() else { break };
        if letter == '\\' && escapes {
            let kind = rest[1..].chars().next().unwrap_or(' ');
            if kind.is_whitespace() {
                at += 1 + (rest.len() - 1 - rest[1..].trim_start().len());
                continue;
            }
            let digits = match kind {
                'x' => 2,
                'u' => 4,
                'U' => 8,
                _ => 0,
            };
            let code =
                rest.get(2..2 + digits).and_then(|digits| u32::from_str_radix(digits, 16).ok());
            let size =
                code.filter(|_| digits > 0).and_then(char::from_u32).map_or(1, char::len_utf8);
            places.extend(std::iter::repeat_n(at, size));
            at += 1 + kind.len_utf8() + digits;
        } else {
            places.extend(at..at + letter.len_utf8());
            at += letter.len_utf8();
        }
    }
    places.push(end);
    places
}
