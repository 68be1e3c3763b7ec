//! A rule's file: TOML to keys, keys to a rule. Every fault is found, each with its place.

use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::matcher::{Glob, Matcher};
use super::parse::parse;
use super::value::ValueType;
use super::{Law, Sends};
use crate::model::Signal;
use crate::policy::BadnessUnit;
use crate::policy::site::bytecode::{Expression, FactUse};
use crate::policy::site::diagnostic::{Diagnostic, ExprDiagnostic, Location, meant};

/// The largest file.
pub const LARGEST: usize = 64 * 1024;
/// The most entries of a list.
const ENTRIES: usize = 200;
/// The most faults that are told at once.
const FAULTS: usize = 20;
/// The longest name, title and text about it.
const WORDS: [usize; 3] = [32, 80, 1000];

const KEYS: [&str; 11] = [
    "name", "title", "about", "eligible", "score", "unit", "company", "signal", "protect",
    "prefer", "blame",
];
const MATCHES: [&str; 4] = ["name", "user", "cgroup", "unit"];

/// Reads a file, and remembers every fault with its place.
pub(crate) struct RuleFileReader<'a> {
    text: &'a str,
    faults: Vec<Diagnostic>,
}

/// Reads a rule.
///
/// # Errors
/// Everything that is wrong with it, in the order of the file; at least one.
pub(crate) fn read(text: &str) -> Result<Law, Vec<Diagnostic>> {
    document(text, "a rule", |reader, table| reader.law(table))
}

/// Reads a file of TOML, whatever it is to be.
///
/// # Errors
/// Everything that is wrong with it, in the order of the file; at least one.
pub(crate) fn document<T>(
    text: &str,
    is: &str,
    with: impl FnOnce(&mut RuleFileReader<'_>, &DeTable<'_>) -> Option<T>,
) -> Result<T, Vec<Diagnostic>> {
    if text.len() > LARGEST {
        let what = format!("{is} has at most {LARGEST} bytes; this file has {}", text.len());
        return Err(vec![Diagnostic::new(Location::of(text, 0), what)]);
    }
    let (table, errors) = DeTable::parse_recoverable(text);
    let mut reader = RuleFileReader { text, faults: Vec::new() };
    for error in errors.into_iter().take(FAULTS) {
        let at = error.span().map_or(0, |span| span.start);
        reader.fault(at, format!("this is no TOML: {}", error.message()));
    }
    if !reader.faults.is_empty() {
        return Err(reader.faults);
    }
    let read = with(&mut reader, table.get_ref());
    let mut faults = reader.faults;
    faults.sort_by_key(|fault| fault.spot);
    faults.truncate(FAULTS);
    match read {
        Some(read) if faults.is_empty() => Ok(read),
        _ if faults.is_empty() => {
            Err(vec![Diagnostic::new(Location::of(text, 0), format!("this is not {is}"))])
        }
        _ => Err(faults),
    }
}

impl RuleFileReader<'_> {
    pub(crate) fn fault(&mut self, at: usize, what: impl Into<String>) {
        let mut line = String::new();
        crate::model::escape_bytes(what.into().replace('\n', " ").as_bytes(), &mut line);
        self.faults.push(Diagnostic::new(Location::of(self.text, at), line));
    }

    /// Where a byte of the file stands.
    pub(crate) fn spot(&self, at: usize) -> Location {
        Location::of(self.text, at)
    }

    fn law(&mut self, table: &DeTable<'_>) -> Option<Law> {
        for key in table.keys() {
            if !KEYS.contains(&key.get_ref().as_ref()) {
                let what =
                    format!("there is no key {}; {}", key.get_ref(), meant(key.get_ref(), KEYS));
                self.fault(key.span().start, what);
            }
        }
        let name = self.words(table, "name", WORDS[0]);
        let is_name = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
        match &name {
            Some(name) if name.is_empty() || !name.chars().all(is_name) => {
                let at = table.get("name").map_or(0, |value| value.span().start);
                self.fault(at, "a name is made of letters, digits, - _ and .");
            }
            None if !table.contains_key("name") => {
                self.fault(0, "a name is missing: name = \"my-rule\"");
            }
            _ => {}
        }
        if !table.contains_key("score") {
            self.fault(0, "a score is missing: score = \"p.rss + p.swap\"");
        }
        let title = self.words(table, "title", WORDS[1]);
        let about = self.words(table, "about", WORDS[2]);
        let bool_only = [ValueType::Bool];
        let eligible = self.expression(table, "eligible", FactUse::Judged, &bool_only);
        let score =
            self.expression(table, "score", FactUse::Judged, &[ValueType::Int, ValueType::Double]);
        let company = self.expression(table, "company", FactUse::Company, &bool_only);
        let unit = self.unit(table);
        let sends = self.signal(table);
        let [protect, prefer, blame] =
            ["protect", "prefer", "blame"].map(|key| self.matchers(table, key));
        let name = name?;
        let title = title.unwrap_or_else(|| name.clone());
        let about = about.unwrap_or_else(|| "A rule of this site, from a file.".to_owned());
        let score = score?;
        Some(Law {
            name,
            title,
            about,
            eligible,
            score,
            unit,
            company,
            sends,
            protect,
            prefer,
            blame,
        })
    }

    pub(crate) fn text_of<'t>(
        &mut self,
        key: &str,
        value: &'t Spanned<DeValue<'_>>,
    ) -> Option<(&'t str, Range<usize>)> {
        if let DeValue::String(text) = value.get_ref() {
            return Some((text, value.span()));
        }
        let what = format!("{key} is a text: {key} = \"…\"");
        self.fault(value.span().start, what);
        None
    }

    pub(crate) fn words(
        &mut self,
        table: &DeTable<'_>,
        key: &str,
        longest: usize,
    ) -> Option<String> {
        let (text, span) = self.text_of(key, table.get(key)?)?;
        if text.len() > longest {
            self.fault(span.start, format!("{key} has at most {longest} bytes"));
            return None;
        }
        let mut line = String::new();
        let one_line: Vec<&str> = text.split_whitespace().collect();
        crate::model::escape_bytes(one_line.join(" ").as_bytes(), &mut line);
        Some(line)
    }

    fn expression(
        &mut self,
        table: &DeTable<'_>,
        key: &str,
        reach: FactUse,
        wanted: &[ValueType],
    ) -> Option<Expression> {
        let (text, span) = self.text_of(key, table.get(key)?)?;
        let places = places(&self.text[span.clone()]);
        let at = |byte: usize| {
            let inside = places.get(byte).or_else(|| places.last()).copied().unwrap_or(0);
            span.start + inside
        };
        let whole = self.text;
        let place = |byte: usize| Location::of(whole, at(byte));
        let checked = parse(text).and_then(|tree| {
            let expression = Expression::new(&tree, reach, &place)?;
            if wanted.contains(&expression.kind()) {
                return Ok(expression);
            }
            let wanted: Vec<&str> = wanted.iter().map(|kind| kind.word()).collect();
            let is = expression.kind().word();
            Err(ExprDiagnostic::new(
                0,
                format!("{key} is to be a {}, and this is a {is}", wanted.join(" or ")),
            ))
        });
        match checked {
            Ok(expression) => Some(expression),
            Err(slip) => {
                self.fault(at(slip.at), slip.what);
                None
            }
        }
    }

    fn unit(&mut self, table: &DeTable<'_>) -> BadnessUnit {
        let Some(value) = table.get("unit") else { return BadnessUnit::Pages };
        match self.text_of("unit", value) {
            Some(("points", _)) => BadnessUnit::Bare,
            Some(("pages", _)) | None => BadnessUnit::Pages,
            Some((_, span)) => {
                self.fault(span.start, "unit is \"pages\" or \"points\"");
                BadnessUnit::Pages
            }
        }
    }

    fn signal(&mut self, table: &DeTable<'_>) -> Sends {
        let Some(value) = table.get("signal") else { return Sends::Always(Signal::KILL) };
        let Some((text, _)) = self.text_of("signal", value) else {
            return Sends::Always(Signal::KILL);
        };
        match signal(text) {
            Some(signal) => Sends::Always(signal),
            None if text.chars().all(|c| c.is_ascii_alphanumeric()) => {
                self.fault(value.span().start, "signal is TERM or KILL, or an expression of them");
                Sends::Always(Signal::KILL)
            }
            None => self
                .expression(table, "signal", FactUse::Own, &[ValueType::Text])
                .map_or(Sends::Always(Signal::KILL), Sends::By),
        }
    }

    fn matchers(&mut self, table: &DeTable<'_>, key: &str) -> Vec<Matcher> {
        let Some(value) = table.get(key) else { return Vec::new() };
        let DeValue::Array(entries) = value.get_ref() else {
            let what = format!("{key} is a list: {key} = [{{ name = \"postgres\" }}]");
            self.fault(value.span().start, what);
            return Vec::new();
        };
        if entries.len() > ENTRIES {
            self.fault(value.span().start, format!("{key} has at most {ENTRIES} entries"));
            return Vec::new();
        }
        entries.iter().filter_map(|entry| self.matcher(key, entry)).collect()
    }

    fn matcher(&mut self, list: &str, entry: &Spanned<DeValue<'_>>) -> Option<Matcher> {
        let mut matcher = Matcher::default();
        match entry.get_ref() {
            DeValue::String(_) => matcher.name = Some(self.glob(list, entry)?),
            DeValue::Table(table) if !table.is_empty() => {
                for (key, value) in table {
                    let field = match key.get_ref().as_ref() {
                        "name" => &mut matcher.name,
                        "user" => &mut matcher.user,
                        "cgroup" => &mut matcher.cgroup,
                        "unit" => &mut matcher.unit,
                        other => {
                            let help = meant(other, MATCHES);
                            let what = format!("an entry of {list} has no {other}; {help}");
                            self.fault(key.span().start, what);
                            return None;
                        }
                    };
                    *field = Some(self.glob(key.get_ref(), value)?);
                }
            }
            _ => {
                let help = "is a name, or { name, user, cgroup, unit } with one of them or more";
                self.fault(entry.span().start, format!("an entry of {list} {help}"));
                return None;
            }
        }
        Some(matcher)
    }

    pub(crate) fn glob(&mut self, key: &str, value: &Spanned<DeValue<'_>>) -> Option<Glob> {
        let (text, span) = self.text_of(key, value)?;
        if text.is_empty() || text.len() > Glob::LONGEST {
            self.fault(span.start, format!("a pattern has 1 to {} bytes", Glob::LONGEST));
            return None;
        }
        Some(Glob::new(text))
    }
}

/// The two signals that a rule may send.
pub(crate) fn signal(word: &str) -> Option<Signal> {
    match word.strip_prefix("SIG").unwrap_or(word) {
        "TERM" => Some(Signal::TERM),
        "KILL" => Some(Signal::KILL),
        _ => None,
    }
}

/// For each byte of a TOML text, where it stands in the file's own writing of it, quotes included.
fn places(raw: &str) -> Vec<usize> {
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
