//! Who is meant by an entry of `protect`, `prefer` and `blame`: a name, a user, a cgroup, a unit.

use super::facts::{FactView, name_of, unit_of};
use super::value::EvalBudget;
use crate::model::{Process, Reading, is_within};

/// A name with `*` for any letters and `?` for any one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Glob(Box<[char]>);

impl Glob {
    /// The longest pattern.
    pub const LONGEST: usize = 256;

    /// Of this text.
    #[must_use]
    pub fn new(text: &str) -> Self {
        let mut pattern: Vec<char> = Vec::new();
        for letter in text.chars() {
            // Two stars are one.
            if letter != '*' || pattern.last() != Some(&'*') {
                pattern.push(letter);
            }
        }
        Self(pattern.into())
    }

    /// Whether it stands for one text alone.
    #[must_use]
    pub fn is_plain(&self) -> bool {
        !self.0.iter().any(|letter| matches!(letter, '*' | '?'))
    }

    /// Whether it is a path from the top on, with at least a letter that is said.
    #[must_use]
    pub fn is_rooted(&self) -> bool {
        self.0.first() == Some(&'/') && !matches!(self.0.get(1), None | Some('*' | '?'))
    }

    /// Whether all of a text is meant. Without fuel nothing is.
    #[must_use]
    pub fn matches(&self, text: &str, fuel: &EvalBudget) -> bool {
        let (pattern, mut at) = (&self.0, 0);
        let mut rest = text.chars();
        let mut star: Option<(usize, std::str::Chars<'_>)> = None;
        loop {
            if !fuel.spend(1) {
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
                // The last star takes one letter more.
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

/// One entry: all that it says must hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Matcher {
    /// The process's short name.
    pub name: Option<Glob>,
    /// The user's name, or number.
    pub user: Option<Glob>,
    /// The memory cgroup, or one above it; without leading `/` in any depth.
    pub cgroup: Option<Glob>,
    /// The systemd unit.
    pub unit: Option<Glob>,
}

impl Matcher {
    /// Whether it looks at the cgroup.
    #[must_use]
    pub const fn needs_cgroup(&self) -> bool {
        self.cgroup.is_some() || self.unit.is_some()
    }

    /// Whether this process is meant. What could not be read is not.
    #[must_use]
    pub fn matches(&self, process: &Process, view: &FactView<'_>) -> bool {
        let path = || match &process.cgroup {
            Reading::Value(path) => Some(path.as_str()),
            _ => None,
        };
        let holds =
            |glob: &Option<Glob>, test: &dyn Fn(&Glob) -> bool| glob.as_ref().is_none_or(test);
        let fuel = view.fuel;
        holds(&self.name, &|glob| glob.matches(&name_of(process), fuel))
            && holds(&self.user, &|glob| {
                fuel.spend(20);
                let number = || process.ids.value().map(|ids| ids.euid.to_string());
                view.user(process).is_some_and(|name| glob.matches(name, fuel))
                    || number().is_some_and(|number| glob.matches(&number, fuel))
            })
            && holds(&self.unit, &|glob| {
                path().and_then(unit_of).is_some_and(|unit| glob.matches(unit, fuel))
            })
            && holds(&self.cgroup, &|glob| path().is_some_and(|path| within(path, glob, fuel)))
    }
}

/// Whether a path, or one above it, is meant.
fn within(path: &str, glob: &Glob, fuel: &EvalBudget) -> bool {
    fuel.spend(5 + path.len() as u64 / 8);
    if glob.is_plain() && glob.0.first() == Some(&'/') {
        return is_within(path, &glob.0.iter().collect::<String>());
    }
    let whole = path.len();
    let ends = path.match_indices('/').map(|(at, _)| at).filter(|&at| at > 0).chain([whole]);
    // A path as deep as the kernel allows has fewer parts than this.
    ends.take(64).any(|end| glob.matches(&path[..end], fuel))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stars_take_any_letters() {
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
    fn a_cgroup_means_what_is_below_it() {
        let meant = |glob: &str, path: &str| within(path, &Glob::new(glob), &EvalBudget::among(1));
        assert!(meant("/system.slice", "/system.slice/ssh.service"));
        assert!(!meant("/system.slice", "/system.slicer"));
        assert!(meant("/user.slice/user-*", "/user.slice/user-1000.slice/session-2.scope"));
        assert!(meant("/", "/"));
    }
}
