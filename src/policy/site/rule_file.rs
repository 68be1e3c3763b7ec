//! Reads the file of a site rule: TOML to a [`RuleFile`].

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::model::Signal;
use crate::policy::BadnessUnit;
use crate::policy::site::diagnostic::{Diagnostic, ExprDiagnostic, suggestion};
use crate::policy::site::expr::check::AllowedFacts;
use crate::policy::site::expr::expression::Expression;
use crate::policy::site::matcher::Matcher;
use crate::policy::site::toml_reader::{TomlReader, read_document};
use crate::policy::site::value::ValueType;

/// Maximum number of entries in a list.
const ENTRIES: usize = 200;
/// Maximum length of `name`, `title` and `about`, in bytes.
const NAME: usize = 32;
const TITLE: usize = 80;
const ABOUT: usize = 1000;

const KEYS: [&str; 11] = [
    "name", "title", "about", "eligible", "score", "unit", "company", "signal", "protect",
    "prefer", "blame",
];
const MATCHES: [&str; 4] = ["name", "user", "cgroup", "unit"];

/// The keys of a rule file, compiled.
#[derive(Debug)]
pub(crate) struct RuleFile {
    pub name: String,
    pub title: String,
    pub about: String,
    pub eligible: Option<Expression>,
    pub score: Expression,
    pub unit: BadnessUnit,
    pub company: Option<Expression>,
    pub signal: SignalChoice,
    pub protect: Vec<Matcher>,
    pub prefer: Vec<Matcher>,
    pub blame: Vec<Matcher>,
}

/// The signal for the victim.
#[derive(Debug)]
pub(crate) enum SignalChoice {
    Always(Signal),
    By(Expression),
}

/// Reads a rule.
///
/// # Errors
/// All errors in the file, in its order; at least one.
pub(crate) fn read(text: &str) -> Result<RuleFile, Vec<Diagnostic>> {
    read_document(text, "a rule", |reader, table| reader.rule_file(table))
}

impl TomlReader<'_> {
    fn rule_file(&mut self, table: &DeTable<'_>) -> Option<RuleFile> {
        for key in table.keys() {
            if !KEYS.contains(&key.get_ref().as_ref()) {
                let what =
                    format!("unknown key {}; {}", key.get_ref(), suggestion(key.get_ref(), KEYS));
                self.report(key.span().start, what);
            }
        }
        let name = self.line(table, "name", NAME);
        let is_name = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
        match &name {
            Some(name) if name.is_empty() || !name.chars().all(is_name) => {
                let at = table.get("name").map_or(0, |value| value.span().start);
                self.report(at, "name must consist of letters, digits, - _ and .");
            }
            None if !table.contains_key("name") => {
                self.report(0, "missing key name: name = \"my-rule\"");
            }
            _ => {}
        }
        if !table.contains_key("score") {
            self.report(0, "missing key score: score = \"p.rss + p.swap\"");
        }
        let title = self.line(table, "title", TITLE);
        let about = self.line(table, "about", ABOUT);
        let bool_only = [ValueType::Bool];
        let eligible = self.expression(table, "eligible", AllowedFacts::Judged, &bool_only);
        let score = self.expression(
            table,
            "score",
            AllowedFacts::Judged,
            &[ValueType::Int, ValueType::Double],
        );
        let company = self.expression(table, "company", AllowedFacts::WithVictim, &bool_only);
        let unit = self.unit(table);
        let signal = self.signal(table);
        let [protect, prefer, blame] =
            ["protect", "prefer", "blame"].map(|key| self.matchers(table, key));
        let name = name?;
        let title = title.unwrap_or_else(|| name.clone());
        let about = about.unwrap_or_else(|| "A rule of this site, from a file.".to_owned());
        let score = score?;
        Some(RuleFile {
            name,
            title,
            about,
            eligible,
            score,
            unit,
            company,
            signal,
            protect,
            prefer,
            blame,
        })
    }

    fn expression(
        &mut self,
        table: &DeTable<'_>,
        key: &str,
        allowed: AllowedFacts,
        wanted: &[ValueType],
    ) -> Option<Expression> {
        let (text, span) = self.text_of(key, table.get(key)?)?;
        let offsets = self.byte_offsets(span);
        let at = |byte: usize| offsets.get(byte).or_else(|| offsets.last()).copied().unwrap_or(0);
        let compiled = Expression::compile(text, allowed, &|byte| self.location(at(byte)));
        let checked = compiled.and_then(|expression| {
            if wanted.contains(&expression.kind()) {
                return Ok(expression);
            }
            let wanted: Vec<&str> = wanted.iter().map(|kind| kind.word()).collect();
            let (wanted, is) = (wanted.join(" or "), expression.kind().word());
            Err(ExprDiagnostic::new(0, format!("{key} must be a {wanted}, but this is a {is}")))
        });
        match checked {
            Ok(expression) => Some(expression),
            Err(error) => {
                self.report(at(error.at), error.what);
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
                self.report(span.start, "unit must be \"pages\" or \"points\"");
                BadnessUnit::Pages
            }
        }
    }

    fn signal(&mut self, table: &DeTable<'_>) -> SignalChoice {
        let Some(value) = table.get("signal") else { return SignalChoice::Always(Signal::KILL) };
        let Some((text, _)) = self.text_of("signal", value) else {
            return SignalChoice::Always(Signal::KILL);
        };
        match signal(text) {
            Some(signal) => SignalChoice::Always(signal),
            None if text.chars().all(|c| c.is_ascii_alphanumeric()) => {
                self.report(
                    value.span().start,
                    "signal must be TERM or KILL, or an expression that gives one of them",
                );
                SignalChoice::Always(Signal::KILL)
            }
            None => self
                .expression(table, "signal", AllowedFacts::Own, &[ValueType::Text])
                .map_or(SignalChoice::Always(Signal::KILL), SignalChoice::By),
        }
    }

    fn matchers(&mut self, table: &DeTable<'_>, key: &str) -> Vec<Matcher> {
        let Some(value) = table.get(key) else { return Vec::new() };
        let DeValue::Array(entries) = value.get_ref() else {
            let what = format!("{key} must be a list: {key} = [{{ name = \"postgres\" }}]");
            self.report(value.span().start, what);
            return Vec::new();
        };
        if entries.len() > ENTRIES {
            self.report(value.span().start, format!("{key} has at most {ENTRIES} entries"));
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
                            let help = suggestion(other, MATCHES);
                            let what = format!("unknown key {other} in an entry of {list}; {help}");
                            self.report(key.span().start, what);
                            return None;
                        }
                    };
                    *field = Some(self.glob(key.get_ref(), value)?);
                }
            }
            _ => {
                let help = "must be a name, or { name, user, cgroup, unit } with at least one key";
                self.report(entry.span().start, format!("an entry of {list} {help}"));
                return None;
            }
        }
        Some(matcher)
    }
}

/// `TERM` or `KILL`, the two signals that a rule may send.
pub(crate) fn signal(word: &str) -> Option<Signal> {
    match word.strip_prefix("SIG").unwrap_or(word) {
        "TERM" => Some(Signal::TERM),
        "KILL" => Some(Signal::KILL),
        _ => None,
    }
}
