//! Rules that say which `oom_score_adj` a process is to have, from the text of a file
//! (`assets/docs/adj-rules.md`). Who is meant is said as in a site's own policy.

use std::collections::BTreeMap;
use std::fmt;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use regex::{Regex, RegexBuilder};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::model::{Process, Scene, Text, neutral};
use crate::policy::site::diagnostic::{Diagnostic, Location, meant};
use crate::policy::site::facts::{FactView, name_of};
use crate::policy::site::file::{RuleFileReader, document};
use crate::policy::site::matcher::{Glob, Matcher};
use crate::policy::site::value::{EvalBudget, EvalFailure};
use crate::units::Adj;

/// The most rules of a file.
const RULES: usize = 100;
/// The most entries of a rule.
const ENTRIES: usize = 200;
/// The longest text about a rule, in bytes.
const ABOUT: usize = 80;
/// How large a regular expression may become, in bytes.
const REGEX: usize = 64 * 1024;
/// What asking a regular expression about a name of 15 bytes costs, as [`EvalBudget`] counts.
const ASKING: u64 = 50;

const KEYS: [&str; 3] = ["about", "for", "adj"];
const MATCHES: [&str; 5] = ["name", "regex", "user", "cgroup", "unit"];

/// One entry of `for`: all that it says must hold.
#[derive(Clone, Debug, Default)]
pub struct RuleSubject {
    /// What a site's own policy could say as well.
    pub matcher: Matcher,
    /// The process's short name, somewhere in it.
    pub regex: Option<Regex>,
}

impl RuleSubject {
    fn matches(&self, process: &Process, view: &FactView<'_>) -> bool {
        self.matcher.matches(process, view)
            && self
                .regex
                .as_ref()
                .is_none_or(|regex| view.fuel.spend(ASKING) && regex.is_match(&name_of(process)))
    }

    /// Whether it holds on to something that a process cannot give itself. Anybody may call a
    /// process `postgres`, or start a unit of that name in a session.
    #[must_use]
    pub fn is_bound(&self) -> bool {
        self.has_user() || self.has_place()
    }

    /// Whether it proves who this process is. Anybody may start a setuid program under any name, and
    /// what it starts inherits the adj: a user proves something only where the real one is the same.
    #[must_use]
    pub fn proves(&self, process: &Process) -> bool {
        let is_own = || process.ids.value().is_some_and(|ids| ids.uid == ids.euid);
        self.has_place() || self.has_user() && is_own()
    }

    /// Whether it says itself who is meant: exactly one name, or one user.
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
    /// What it is for, in a few words; its number where the file does not say.
    pub about: String,
    /// Whom it means: any of these.
    pub whom: Vec<RuleSubject>,
    /// The value that they are to have.
    pub adj: Adj,
    /// Where it begins in the file.
    pub spot: Location,
}

/// A file that was understood.
#[derive(Debug)]
pub struct AdjRules {
    /// In the order of the file: the first that means a process counts.
    pub rules: Vec<AdjRule>,
    /// By which two versions can be told apart on the screen.
    pub digest: u64,
    users: Arc<BTreeMap<u32, Text>>,
}

/// A process that a rule means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RuleMatch {
    /// Which rule.
    pub rule: usize,
    /// An entry proves who it is.
    pub bound: bool,
    /// An entry says exactly its name, or its user.
    pub exact: bool,
}

impl AdjRules {
    /// Compiles the text of a file. `users` are the names of users.
    ///
    /// # Errors
    /// Everything that is wrong with it; at least one fault.
    pub fn compile(text: &str, users: Arc<BTreeMap<u32, Text>>) -> Result<Self, Vec<Diagnostic>> {
        let rules = document(text, "a file of adj rules", |reader, table| reader.adj_rules(table))?;
        let mut hasher = DefaultHasher::new();
        text.hash(&mut hasher);
        Ok(Self { rules, digest: hasher.finish(), users })
    }

    /// Whether some rule looks at the cgroup.
    #[must_use]
    pub fn needs_cgroup(&self) -> bool {
        let mut all = self.rules.iter().flat_map(|rule| &rule.whom);
        all.any(|whom| whom.matcher.needs_cgroup())
    }

    /// The first rule that means a process.
    ///
    /// # Errors
    /// The comparing costs more than one of so many processes may cost: none means it then.
    pub fn first(
        &self,
        process: &Process,
        scene: &Scene,
    ) -> Result<Option<RuleMatch>, EvalFailure> {
        let fuel = EvalBudget::among(scene.now().processes.len());
        let view =
            FactView { process, victim: None, scene: Some(scene), users: &self.users, fuel: &fuel };
        let found = self.rules.iter().enumerate().find_map(|(nth, rule)| {
            let meant = rule.whom.iter().filter(|whom| whom.matches(process, &view));
            meant.fold(None, |hit: Option<RuleMatch>, whom| {
                let bound = whom.proves(process) || hit.is_some_and(|hit| hit.bound);
                let exact = whom.is_exact() || hit.is_some_and(|hit| hit.exact);
                Some(RuleMatch { rule: nth, bound, exact })
            })
        });
        if fuel.is_out() { Err(EvalFailure::Costs) } else { Ok(found) }
    }
}

impl RuleFileReader<'_> {
    fn adj_rules(&mut self, table: &DeTable<'_>) -> Option<Vec<AdjRule>> {
        for key in table.keys().filter(|key| key.get_ref() != "rule") {
            let what = format!("there is no key {}; a file is made of [[rule]]", key.get_ref());
            self.fault(key.span().start, what);
        }
        let Some(value) = table.get("rule") else {
            self.fault(0, "a rule is missing: [[rule]], then for = [\"name\"] and adj = 500");
            return None;
        };
        let DeValue::Array(entries) = value.get_ref() else {
            self.fault(value.span().start, "rules are written as [[rule]]");
            return None;
        };
        if entries.len() > RULES {
            self.fault(value.span().start, format!("a file has at most {RULES} rules"));
            return None;
        }
        let rules = entries.iter().enumerate();
        let rules: Vec<_> = rules.map(|(nth, entry)| self.adj_rule(nth, entry)).collect();
        rules.into_iter().collect()
    }

    fn adj_rule(&mut self, nth: usize, entry: &Spanned<DeValue<'_>>) -> Option<AdjRule> {
        let at = entry.span().start;
        let DeValue::Table(table) = entry.get_ref() else {
            self.fault(at, "rules are written as [[rule]]");
            return None;
        };
        for key in table.keys().filter(|key| !KEYS.contains(&key.get_ref().as_ref())) {
            let what = format!("a rule has no {}; {}", key.get_ref(), meant(key.get_ref(), KEYS));
            self.fault(key.span().start, what);
        }
        let about = self.words(table, "about", ABOUT);
        let whom = self.whom(at, table.get("for"));
        let adj = self.adj(at, table.get("adj"));
        let (whom, adj) = (whom?, adj?);
        let spot = self.spot(at);
        if adj < Adj::ZERO && !whom.iter().all(RuleSubject::is_bound) {
            let place = table.get("for").map_or(at, |value| value.span().start);
            let what = "an adj below 0 protects, and anybody can give a process this name: \
                        each entry needs a user, or a cgroup from / on, without * at its beginning";
            self.fault(place, what);
            return None;
        }
        let about = about.unwrap_or_else(|| format!("rule {}", nth + 1));
        Some(AdjRule { about, whom, adj, spot })
    }

    fn adj(&mut self, rule: usize, value: Option<&Spanned<DeValue<'_>>>) -> Option<Adj> {
        let Some(value) = value else {
            self.fault(rule, "an adj is missing: adj = 500");
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
                self.fault(value.span().start, "adj is a number from -1000 to 1000");
                None
            }
        }
    }

    fn whom(
        &mut self,
        rule: usize,
        value: Option<&Spanned<DeValue<'_>>>,
    ) -> Option<Vec<RuleSubject>> {
        let Some(value) = value else {
            self.fault(rule, "whom it means is missing: for = [\"name\", { user = \"ci\" }]");
            return None;
        };
        let at = value.span().start;
        let DeValue::Array(entries) = value.get_ref() else {
            // One entry needs no list.
            return self.one(value).map(|one| vec![one]);
        };
        if entries.is_empty() || entries.len() > ENTRIES {
            self.fault(at, format!("for has 1 to {ENTRIES} entries"));
            return None;
        }
        let found: Vec<_> = entries.iter().map(|entry| self.one(entry)).collect();
        found.into_iter().collect()
    }

    fn one(&mut self, entry: &Spanned<DeValue<'_>>) -> Option<RuleSubject> {
        let mut whom = RuleSubject::default();
        match entry.get_ref() {
            DeValue::String(_) => whom.matcher.name = Some(self.glob("for", entry)?),
            DeValue::Table(table) if !table.is_empty() => {
                for (key, value) in table {
                    let field = match key.get_ref().as_ref() {
                        "regex" => {
                            whom.regex = Some(self.regex(value)?);
                            continue;
                        }
                        "name" => &mut whom.matcher.name,
                        "user" => &mut whom.matcher.user,
                        "cgroup" => &mut whom.matcher.cgroup,
                        "unit" => &mut whom.matcher.unit,
                        other => {
                            let help = meant(other, MATCHES);
                            let what = format!("an entry of for has no {other}; {help}");
                            self.fault(key.span().start, what);
                            return None;
                        }
                    };
                    *field = Some(self.glob(key.get_ref(), value)?);
                }
            }
            _ => {
                let help =
                    "is a name, or { name, regex, user, cgroup, unit } with one of them or more";
                self.fault(entry.span().start, format!("an entry of for {help}"));
                return None;
            }
        }
        Some(whom)
    }

    fn regex(&mut self, value: &Spanned<DeValue<'_>>) -> Option<Regex> {
        let (text, span) = self.text_of("regex", value)?;
        if text.is_empty() || text.len() > Glob::LONGEST {
            let longest = Glob::LONGEST;
            self.fault(span.start, format!("a regular expression has 1 to {longest} bytes"));
            return None;
        }
        match RegexBuilder::new(text).size_limit(REGEX).dfa_size_limit(REGEX).build() {
            Ok(regex) => Some(regex),
            Err(error) => {
                // The last line says what is wrong, those before it draw a picture.
                let text = error.to_string();
                let what = text.lines().last().unwrap_or_default().to_owned();
                self.fault(span.start, format!("this is no regular expression: {}", what.trim()));
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
            .map_err(|faults| faults.iter().map(Diagnostic::to_string).collect())
    }

    #[test]
    fn a_file_is_understood() {
        let rules = compile(
            "[[rule]]\nabout = 'browsers  first'\nfor = ['chrom*', { regex = '^fire(fox)?$' }]\nadj = 0x1f4\n\
             [[rule]]\nfor = { user = 'postgres', name = 'postgres' }\nadj = -900\n",
        )
        .expect("good");
        assert_eq!(rules.rules.len(), 2);
        assert_eq!((rules.rules[0].adj, rules.rules[1].adj), (Adj(500), Adj(-900)));
        assert_eq!(rules.rules[0].about, "browsers first");
        assert_eq!((rules.rules[1].about.as_str(), rules.rules[1].spot.line), ("rule 2", 5));
        assert!(!rules.rules[0].whom[0].is_bound() && rules.rules[1].whom[0].is_bound());
        assert!(!rules.needs_cgroup());
    }

    #[test]
    fn every_fault_has_its_place() {
        for (text, wanted) in [
            ("", "1:1: a rule is missing"),
            ("rule = 3", "1:8: rules are written as [[rule]]"),
            ("rule = [3]", "1:9: rules are written as [[rule]]"),
            ("[rule]\nadj = 3", "rules are written as [[rule]]"),
            ("[[rule]]\nfor = 'x'\n", "1:1: an adj is missing"),
            ("[[rule]]\nadj = 3\n", "1:1: whom it means is missing"),
            ("[[rule]]\nfor = 'x'\nadj = 1001", "3:7: adj is a number from -1000 to 1000"),
            ("[[rule]]\nfor = 'x'\nadj = 99999999999999999999", "adj is a number"),
            ("[[rule]]\nfor = 'x'\nadj = '3'", "3:7: adj is a number"),
            (
                "[[rule]]\nfor = 'x'\nadj = 3\nadjj = 3",
                "4:1: a rule has no adjj; did you mean adj?",
            ),
            ("[[rule]]\nfor = []\nadj = 3", "2:7: for has 1 to 200 entries"),
            (
                "[[rule]]\nfor = [{ usr = 'x' }]\nadj = 3",
                "2:10: an entry of for has no usr; did you mean user?",
            ),
            ("[[rule]]\nfor = [{}]\nadj = 3", "2:8: an entry of for is a name"),
            ("[[rule]]\nfor = ['']\nadj = 3", "2:8: a pattern has 1 to 256 bytes"),
            (
                "[[rule]]\nfor = { regex = '(' }\nadj = 3",
                "2:17: this is no regular expression: error: unclosed group",
            ),
            (
                "[[rule]]\nfor = { regex = 'a{999}{999}' }\nadj = 3",
                "2:17: this is no regular expression",
            ),
            ("[[rule]]\nfor = 'x'\nadj = 3\n[other]", "4:2: there is no key other"),
            ("[[rule]\n", "this is no TOML"),
            ("[[rule]]\nfor = 'sshd'\nadj = -1", "2:7: an adj below 0 protects"),
            ("[[rule]]\nfor = { user = '*' }\nadj = -1", "an adj below 0 protects"),
            ("[[rule]]\nfor = { cgroup = '/' }\nadj = -1", "an adj below 0 protects"),
            ("[[rule]]\nfor = { cgroup = '/*' }\nadj = -1", "an adj below 0 protects"),
            ("[[rule]]\nfor = { unit = 'x.service' }\nadj = -1", "an adj below 0 protects"),
            ("[[rule]]\nfor = [{ user = 'x' }, 'x']\nadj = -1", "an adj below 0 protects"),
        ] {
            let faults = compile(text).expect_err(text);
            assert!(faults.iter().any(|fault| fault.contains(wanted)), "{text}: {faults:?}");
        }
        let large = format!("# {}\n", "x".repeat(70_000));
        assert!(compile(&large).expect_err("too large")[0].contains("at most 65536 bytes"));
        let many = "[[rule]]\nfor = 'x'\nadj = 1\n".repeat(101);
        assert!(compile(&many).expect_err("too many")[0].contains("at most 100 rules"));
    }
}
