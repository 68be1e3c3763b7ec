//! Matches processes by name, user, cgroup and unit: the entries of `protect`, `prefer`, `blame` and
//! of adj rules.

use crate::model::{Process, Reading, is_within};
use crate::policy::site::facts::{FactView, name_of, unit_of};
use crate::policy::site::value::EvalBudget;

/// A pattern: `*` matches any characters, `?` any one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Glob(Box<[char]>);

impl Glob {
    /// Maximum length of a pattern, in bytes.
    pub const LONGEST: usize = 256;

    /// Parses a pattern. Every text is a valid one.
    #[must_use]
    pub fn new(text: &str) -> Self {
        let mut pattern: Vec<char> = Vec::new();
        for letter in text.chars() {
            // `**` is the same as `*`, but slower to match.
            if letter != '*' || pattern.last() != Some(&'*') {
                pattern.push(letter);
            }
        }
        Self(pattern.into())
    }

    /// Whether it matches one text only.
    #[must_use]
    pub fn is_plain(&self) -> bool {
        !self.0.iter().any(|letter| matches!(letter, '*' | '?'))
    }

    /// Whether it is a path from the root whose first component begins with a literal character.
    #[must_use]
    pub fn is_rooted(&self) -> bool {
        self.0.first() == Some(&'/') && !matches!(self.0.get(1), None | Some('*' | '?'))
    }

    /// Whether it matches a whole text. A spent budget matches nothing.
    #[must_use]
    pub fn matches(&self, text: &str, budget: &EvalBudget) -> bool {
        let (pattern, mut at) = (&self.0, 0);
        let mut rest = text.chars();
        let mut star: Option<(usize, std::str::Chars<'_>)> = None;
        loop {
            if !budget.spend(1) {
                return false;
            }
            let here = rest.clone();
            match (pattern.get(at), rest.next()) {
                (Some('*'), _) => {
                    rest = here.clone();
                    star = Some((at, here));
                    at += 1;
                }
                (Some('?'), Some(_)) => at += 1,
                (Some(wanted), Some(letter)) if *wanted == letter => at += 1,
                (None, None) => return true,
                // Extends the match of the last `*` by one character.
                _ => {
                    let Some((from, taken)) = &mut star else { return false };
                    if taken.next().is_none() {
                        return false;
                    }
                    rest = taken.clone();
                    at = *from + 1;
                }
            }
        }
    }
}

impl std::fmt::Display for Glob {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let text: String = self.0.iter().collect();
        f.write_str(&crate::model::neutral(text.as_bytes()))
    }
}

/// One entry. All given patterns must match.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Matcher {
    /// The name (comm).
    pub name: Option<Glob>,
    /// The name or number of the effective user.
    pub user: Option<Glob>,
    /// The path of the memory cgroup or of an ancestor.
    pub cgroup: Option<Glob>,
    /// The systemd unit.
    pub unit: Option<Glob>,
}

impl Matcher {
    /// Whether it needs the cgroup of the process.
    #[must_use]
    pub const fn needs_cgroup(&self) -> bool {
        self.cgroup.is_some() || self.unit.is_some()
    }

    /// Whether it matches a process. A fact that could not be read matches nothing.
    #[must_use]
    pub fn matches(&self, process: &Process, view: &FactView<'_>) -> bool {
        let path = || match &process.cgroup {
            Reading::Value(path) => Some(path.as_str()),
            _ => None,
        };
        let holds =
            |glob: &Option<Glob>, test: &dyn Fn(&Glob) -> bool| glob.as_ref().is_none_or(test);
        let budget = view.budget;
        holds(&self.name, &|glob| glob.matches(&name_of(process), budget))
            && holds(&self.user, &|glob| {
                budget.spend(20);
                let number = || process.ids.value().map(|ids| ids.euid.to_string());
                view.user(process).is_some_and(|name| glob.matches(name, budget))
                    || number().is_some_and(|number| glob.matches(&number, budget))
            })
            && holds(&self.unit, &|glob| {
                path().and_then(unit_of).is_some_and(|unit| glob.matches(unit, budget))
            })
            && holds(&self.cgroup, &|glob| path().is_some_and(|path| within(path, glob, budget)))
    }
}

/// Whether a pattern matches a path or an ancestor of it.
fn within(path: &str, glob: &Glob, budget: &EvalBudget) -> bool {
    budget.spend(5 + path.len() as u64 / 8);
    if glob.is_plain() && glob.0.first() == Some(&'/') {
        return is_within(path, &glob.0.iter().collect::<String>());
    }
    let whole = path.len();
    let ends = path.match_indices('/').map(|(at, _)| at).filter(|&at| at > 0).chain([whole]);
    // The kernel limits paths to fewer components.
    ends.take(64).any(|end| glob.matches(&path[..end], budget))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_matches_any_characters() {
        for (pattern, text, fits) in [
            ("postgres", "postgres", true),
            ("postgres", "postgres2", false),
            ("post*", "postgres", true),
            ("*gres", "postgres", true),
            ("*s*g*s", "postgres", true),
            ("p?st*", "postgres", true),
            ("", "", true),
            ("*", "", true),
            ("?", "", false),
            ("**a", "bba", true),
            ("*a*a*b", "aaab", true),
            ("a*a*a*a*b", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", false),
        ] {
            assert_eq!(
                Glob::new(pattern).matches(text, &EvalBudget::among(1)),
                fits,
                "{pattern} on {text}"
            );
        }
    }

    #[test]
    fn a_cgroup_matches_its_descendants() {
        let matches =
            |glob: &str, path: &str| within(path, &Glob::new(glob), &EvalBudget::among(1));
        assert!(matches("/system.slice", "/system.slice/ssh.service"));
        assert!(!matches("/system.slice", "/system.slicer"));
        assert!(matches("/user.slice/user-*", "/user.slice/user-1000.slice/session-2.scope"));
        assert!(matches("/", "/"));
    }
}
