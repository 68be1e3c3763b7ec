//! Rules that give processes an `oom_score_adj`, from the text of a file (`assets/docs/adj-rules.md`). They
//! select processes as a site policy does.

use std::collections::BTreeMap;
use std::fmt;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use regex::{Regex, RegexBuilder};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::model::{Process, Scene, Text, neutral};
use crate::policy::site::diagnostic::{Diagnostic, Location, suggestion};
use crate::policy::site::facts::{FactView, name_of};
use crate::policy::site::matcher::{Glob, Matcher};
use crate::policy::site::toml_reader::{TomlReader, read_document};
use crate::policy::site::value::{EvalBudget, EvalFailure};
use crate::units::Adj;

/// Maximum number of rules in a file.
const RULES: usize = 100;
/// Maximum number of entries of `for`.
const ENTRIES: usize = 200;
/// Maximum length of `about`, in bytes.
const ABOUT: usize = 80;
/// Maximum size of a compiled regular expression, in bytes.
const REGEX: usize = 64 * 1024;
/// The cost of matching a name of 15 bytes against a regular expression, in units of [`EvalBudget`].
const REGEX_COST: u64 = 50;

const KEYS: [&str; 3] = ["about", "for", "adj"];
const MATCHES: [&str; 5] = ["name", "regex", "user", "cgroup", "unit"];

/// One entry of `for`. All given patterns must match.
#[derive(Clone, Debug, Default)]
pub struct RuleSubject {
    /// The patterns that a site policy has too.
    pub matcher: Matcher,
    /// Searched in the name (comm).
    pub regex: Option<Regex>,
}

impl RuleSubject {
    fn matches(&self, process: &Process, view: &FactView<'_>) -> bool {
        self.matcher.matches(process, view)
            && self.regex.as_ref().is_none_or(|regex| {
                view.budget.spend(REGEX_COST) && regex.is_match(&name_of(process))
            })
    }

    /// Whether it requires something that a user cannot choose freely: a user or a cgroup path. Any user
    /// can name a process `postgres`, or start a unit of that name in a session.
    #[must_use]
    pub fn is_bound(&self) -> bool {
        self.has_user() || self.has_place()
    }

    /// Whether it proves the identity of this process. Any user can start a setuid program under any
    /// name, and its children inherit the adj, so the effective user proves something only if the real
    /// user is the same.
    #[must_use]
    pub fn proves(&self, process: &Process) -> bool {
        let is_own = || process.ids.value().is_some_and(|ids| ids.uid == ids.euid);
        self.has_place() || self.has_user() && is_own()
    }

    /// Whether it names exactly one name or one user.
    #[must_use]
    pub fn is_exact(&self) -> bool {
        self.has_user() || self.matcher.name.as_ref().is_some_and(Glob::is_plain)
    }

    fn has_user(&self) -> bool {
        self.matcher.user.as_ref().is_some_and(Glob::is_plain)
    }

    fn has_place(&self) -> bool {
        self.matcher.cgroup.as_ref().is_some_and(Glob::is_rooted)
    }
}

/// `postgres* of user postgres in /system.slice`
impl fmt::Display for RuleSubject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Matcher { name, user, cgroup, unit } = &self.matcher;
        let mut parts = Vec::new();
        parts.extend(name.iter().map(Glob::to_string));
        let regex = |regex: &Regex| format!("/{}/", neutral(regex.as_str().as_bytes()));
        parts.extend(self.regex.iter().map(regex));
        if parts.is_empty() {
            parts.push("all".to_owned());
        }
        parts.extend(user.iter().map(|user| format!("of user {user}")));
        parts.extend(unit.iter().map(|unit| format!("of unit {unit}")));
        parts.extend(cgroup.iter().map(|cgroup| format!("in {cgroup}")));
        f.write_str(&parts.join(" "))
    }
}

/// One rule.
#[derive(Clone, Debug)]
pub struct AdjRule {
    /// Its purpose in a few words; its number if the file gives none.
    pub about: String,
    /// The processes that it applies to: those that any entry matches.
    pub subjects: Vec<RuleSubject>,
    /// The value to give them.
    pub adj: Adj,
    /// Its first line in the file.
    pub location: Location,
}

/// A compiled file of adj rules.
#[derive(Debug)]
pub struct AdjRules {
    /// In the order of the file. The first rule that matches a process applies.
    pub rules: Vec<AdjRule>,
    /// Identifies this version of the file on the screen.
    pub digest: u64,
    users: Arc<BTreeMap<u32, Text>>,
}

/// The rule that matches a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RuleMatch {
    /// Position in [`AdjRules::rules`].
    pub rule: usize,
    /// An entry proves the identity of the process ([`RuleSubject::proves`]).
    pub bound: bool,
    /// An entry names exactly its name or its user.
    pub exact: bool,
}

impl AdjRules {
    /// Compiles the text of a file. `users` are the names of users.
    ///
    /// # Errors
    /// All errors in the file; at least one.
    pub fn compile(text: &str, users: Arc<BTreeMap<u32, Text>>) -> Result<Self, Vec<Diagnostic>> {
        let rules =
            read_document(text, "a file of adj rules", |reader, table| reader.adj_rules(table))?;
        let mut hasher = DefaultHasher::new();
        text.hash(&mut hasher);
        Ok(Self { rules, digest: hasher.finish(), users })
    }

    /// Whether some rule needs the cgroups of processes.
    #[must_use]
    pub fn needs_cgroup(&self) -> bool {
        let mut all = self.rules.iter().flat_map(|rule| &rule.subjects);
        all.any(|subject| subject.matcher.needs_cgroup())
    }

    /// The first rule that matches a process.
    ///
    /// # Errors
    /// The budget of the process is spent; no rule applies then.
    pub fn first(
        &self,
        process: &Process,
        scene: &Scene,
    ) -> Result<Option<RuleMatch>, EvalFailure> {
        let budget = EvalBudget::among(scene.now().processes.len());
        let view = FactView {
            process,
            victim: None,
            scene: Some(scene),
            users: &self.users,
            budget: &budget,
        };
        let found = self.rules.iter().enumerate().find_map(|(nth, rule)| {
            let matching = rule.subjects.iter().filter(|it| it.matches(process, &view));
            matching.fold(None, |hit: Option<RuleMatch>, subject| {
                let bound = subject.proves(process) || hit.is_some_and(|hit| hit.bound);
                let exact = subject.is_exact() || hit.is_some_and(|hit| hit.exact);
                Some(RuleMatch { rule: nth, bound, exact })
            })
        });
        if budget.is_out() { Err(EvalFailure::Costs) } else { Ok(found) }
    }
}

impl TomlReader<'_> {
    fn adj_rules(&mut self, table: &DeTable<'_>) -> Option<Vec<AdjRule>> {
        for key in table.keys().filter(|key| key.get_ref() != "rule") {
            let what = format!("unknown key {}; a file consists of [[rule]] tables", key.get_ref());
            self.report(key.span().start, what);
        }
        let Some(value) = table.get("rule") else {
            self.report(
                0,
                "the file has no rule: write [[rule]], then for = [\"name\"] and adj = 500",
            );
            return None;
        };
        let DeValue::Array(entries) = value.get_ref() else {
            self.report(value.span().start, "rules are written as [[rule]]");
            return None;
        };
        if entries.len() > RULES {
            self.report(value.span().start, format!("a file has at most {RULES} rules"));
            return None;
        }
        let rules = entries.iter().enumerate();
        let rules: Vec<_> = rules.map(|(nth, entry)| self.adj_rule(nth, entry)).collect();
        rules.into_iter().collect()
    }

    fn adj_rule(&mut self, nth: usize, entry: &Spanned<DeValue<'_>>) -> Option<AdjRule> {
        let at = entry.span().start;
        let DeValue::Table(table) = entry.get_ref() else {
            self.report(at, "rules are written as [[rule]]");
            return None;
        };
        for key in table.keys().filter(|key| !KEYS.contains(&key.get_ref().as_ref())) {
            let what = format!(
                "unknown key {} in a rule; {}",
                key.get_ref(),
                suggestion(key.get_ref(), KEYS)
            );
            self.report(key.span().start, what);
        }
        let about = self.line(table, "about", ABOUT);
        let subjects = self.subjects(at, table.get("for"));
        let adj = self.adj(at, table.get("adj"));
        let (subjects, adj) = (subjects?, adj?);
        let location = self.location(at);
        if adj < Adj::ZERO && !subjects.iter().all(RuleSubject::is_bound) {
            let place = table.get("for").map_or(at, |value| value.span().start);
            let what = "an adj below 0 protects, and any user can choose this name: each entry needs a \
                        user, or a cgroup path from the root that does not begin with a wildcard";
            self.report(place, what);
            return None;
        }
        let about = about.unwrap_or_else(|| format!("rule {}", nth + 1));
        Some(AdjRule { about, subjects, adj, location })
    }

    fn adj(&mut self, rule: usize, value: Option<&Spanned<DeValue<'_>>>) -> Option<Adj> {
        let Some(value) = value else {
            self.report(rule, "missing key adj: adj = 500");
            return None;
        };
        let number = match value.get_ref() {
            DeValue::Integer(number) => {
                i64::from_str_radix(number.as_str().trim_start_matches('+'), number.radix()).ok()
            }
            _ => None,
        };
        match number.filter(|number| (-1000..=1000).contains(number)) {
            Some(number) => Some(Adj::clamped(number)),
            None => {
                self.report(value.span().start, "adj must be a number from -1000 to 1000");
                None
            }
        }
    }

    fn subjects(
        &mut self,
        rule: usize,
        value: Option<&Spanned<DeValue<'_>>>,
    ) -> Option<Vec<RuleSubject>> {
        let Some(value) = value else {
            self.report(rule, "missing key for: for = [\"name\", { user = \"ci\" }]");
            return None;
        };
        let at = value.span().start;
        let DeValue::Array(entries) = value.get_ref() else {
            // One entry needs no list.
            return self.subject(value).map(|one| vec![one]);
        };
        if entries.is_empty() || entries.len() > ENTRIES {
            self.report(at, format!("for must have 1 to {ENTRIES} entries"));
            return None;
        }
        let found: Vec<_> = entries.iter().map(|entry| self.subject(entry)).collect();
        found.into_iter().collect()
    }

    fn subject(&mut self, entry: &Spanned<DeValue<'_>>) -> Option<RuleSubject> {
        let mut subject = RuleSubject::default();
        match entry.get_ref() {
            DeValue::String(_) => subject.matcher.name = Some(self.glob("for", entry)?),
            DeValue::Table(table) if !table.is_empty() => {
                for (key, value) in table {
                    let field = match key.get_ref().as_ref() {
                        "regex" => {
                            subject.regex = Some(self.regex(value)?);
                            continue;
                        }
                        "name" => &mut subject.matcher.name,
                        "user" => &mut subject.matcher.user,
                        "cgroup" => &mut subject.matcher.cgroup,
                        "unit" => &mut subject.matcher.unit,
                        other => {
                            let help = suggestion(other, MATCHES);
                            let what = format!("unknown key {other} in an entry of for; {help}");
                            self.report(key.span().start, what);
                            return None;
                        }
                    };
                    *field = Some(self.glob(key.get_ref(), value)?);
                }
            }
            _ => {
                let help =
                    "must be a name, or { name, regex, user, cgroup, unit } with at least one key";
                self.report(entry.span().start, format!("an entry of for {help}"));
                return None;
            }
        }
        Some(subject)
    }

    fn regex(&mut self, value: &Spanned<DeValue<'_>>) -> Option<Regex> {
        let (text, span) = self.text_of("regex", value)?;
        if text.is_empty() || text.len() > Glob::LONGEST {
            let longest = Glob::LONGEST;
            self.report(span.start, format!("a regular expression has 1 to {longest} bytes"));
            return None;
        }
        match RegexBuilder::new(text).size_limit(REGEX).dfa_size_limit(REGEX).build() {
            Ok(regex) => Some(regex),
            Err(error) => {
                // The last line is the message; those before it point into the pattern.
                let text = error.to_string();
                let what = text.lines().last().unwrap_or_default().to_owned();
                self.report(span.start, format!("invalid regular expression: {}", what.trim()));
                None
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn compile(text: &str) -> Result<AdjRules, Vec<String>> {
        AdjRules::compile(text, Arc::default())
            .map_err(|diagnostics| diagnostics.iter().map(Diagnostic::to_string).collect())
    }

    #[test]
    fn a_file_compiles() {
        let rules = compile(
            "[[rule]]\nabout = 'browsers  first'\nfor = ['chrom*', { regex = '^fire(fox)?$' }]\nadj = 0x1f4\n\
             [[rule]]\nfor = { user = 'postgres', name = 'postgres' }\nadj = -900\n",
        )
        .expect("good");
        assert_eq!(rules.rules.len(), 2);
        assert_eq!((rules.rules[0].adj, rules.rules[1].adj), (Adj(500), Adj(-900)));
        assert_eq!(rules.rules[0].about, "browsers first");
        assert_eq!((rules.rules[1].about.as_str(), rules.rules[1].location.line), ("rule 2", 5));
        assert!(!rules.rules[0].subjects[0].is_bound() && rules.rules[1].subjects[0].is_bound());
        assert!(!rules.needs_cgroup());
    }

    #[test]
    fn every_error_has_its_location() {
        for (text, wanted) in [
            ("", "1:1: the file has no rule"),
            ("rule = 3", "1:8: rules are written as [[rule]]"),
            ("rule = [3]", "1:9: rules are written as [[rule]]"),
            ("[rule]\nadj = 3", "rules are written as [[rule]]"),
            ("[[rule]]\nfor = 'x'\n", "1:1: missing key adj"),
            ("[[rule]]\nadj = 3\n", "1:1: missing key for"),
            ("[[rule]]\nfor = 'x'\nadj = 1001", "3:7: adj must be a number from -1000 to 1000"),
            ("[[rule]]\nfor = 'x'\nadj = 99999999999999999999", "adj must be a number"),
            ("[[rule]]\nfor = 'x'\nadj = '3'", "3:7: adj must be a number"),
            (
                "[[rule]]\nfor = 'x'\nadj = 3\nadjj = 3",
                "4:1: unknown key adjj in a rule; did you mean adj?",
            ),
            ("[[rule]]\nfor = []\nadj = 3", "2:7: for must have 1 to 200 entries"),
            (
                "[[rule]]\nfor = [{ usr = 'x' }]\nadj = 3",
                "2:10: unknown key usr in an entry of for; did you mean user?",
            ),
            ("[[rule]]\nfor = [{}]\nadj = 3", "2:8: an entry of for must be a name"),
            ("[[rule]]\nfor = ['']\nadj = 3", "2:8: a pattern has 1 to 256 bytes"),
            (
                "[[rule]]\nfor = { regex = '(' }\nadj = 3",
                "2:17: invalid regular expression: error: unclosed group",
            ),
            (
                "[[rule]]\nfor = { regex = 'a{999}{999}' }\nadj = 3",
                "2:17: invalid regular expression",
            ),
            ("[[rule]]\nfor = 'x'\nadj = 3\n[other]", "4:2: unknown key other"),
            ("[[rule]\n", "invalid TOML"),
            ("[[rule]]\nfor = 'sshd'\nadj = -1", "2:7: an adj below 0 protects"),
            ("[[rule]]\nfor = { user = '*' }\nadj = -1", "an adj below 0 protects"),
            ("[[rule]]\nfor = { cgroup = '/' }\nadj = -1", "an adj below 0 protects"),
            ("[[rule]]\nfor = { cgroup = '/*' }\nadj = -1", "an adj below 0 protects"),
            ("[[rule]]\nfor = { unit = 'x.service' }\nadj = -1", "an adj below 0 protects"),
            ("[[rule]]\nfor = [{ user = 'x' }, 'x']\nadj = -1", "an adj below 0 protects"),
        ] {
            let diagnostics = compile(text).expect_err(text);
            assert!(
                diagnostics.iter().any(|fault| fault.contains(wanted)),
                "{text}: {diagnostics:?}"
            );
        }
        let large = format!("# {}\n", "x".repeat(70_000));
        assert!(compile(&large).expect_err("too large")[0].contains("at most 65536 bytes"));
        let many = "[[rule]]\nfor = 'x'\nadj = 1\n".repeat(101);
        assert!(compile(&many).expect_err("too many")[0].contains("at most 100 rules"));
    }
}
