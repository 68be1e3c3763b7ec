//! The options of oomd that its kill plugins use.

use serde::{Deserialize, Serialize};

use crate::model::Text;

/// A set of cgroups in the configuration of oomd: paths below the root in which `*` is a wildcard.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct CgroupSet(pub Vec<Text>);

impl CgroupSet {
    /// Parses patterns that are separated by commas.
    #[must_use]
    pub fn parse(list: &str) -> Self {
        let named = list.split(',').map(|path| path.trim().trim_matches('/'));
        Self(named.filter(|path| !path.is_empty()).map(|path| Text::new(path.as_bytes())).collect())
    }

    /// Whether a cgroup is in the set.
    #[must_use]
    pub fn has(&self, path: &str) -> bool {
        self.0.iter().any(|pattern| glob(pattern.as_str(), path.trim_start_matches('/')))
    }
}

/// Whether a path matches a pattern, component by component; `*` matches any characters of a
/// component.
fn glob(pattern: &str, path: &str) -> bool {
    let mut names = path.split('/');
    pattern.split('/').all(|part| names.next().is_some_and(|name| part_is(part, name)))
        && names.next().is_none()
}

fn part_is(pattern: &str, name: &str) -> bool {
    let Some((start, rest)) = pattern.split_once('*') else { return pattern == name };
    let Some(mut name) = name.strip_prefix(start) else { return false };
    let mut pieces = rest.split('*').peekable();
    while let Some(piece) = pieces.next() {
        if pieces.peek().is_none() {
            return name.ends_with(piece);
        }
        let Some(at) = name.find(piece) else { return false };
        name = &name[at + piece.len()..];
    }
    true
}

/// The options of oomd.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OomdOptions {
    /// The cgroups whose pressure is watched, with the threshold in percent (`pressure_above`,
    /// `full avg10`).
    pub pressure: Vec<(CgroupSet, f64)>,
    /// How long the pressure must last, in seconds.
    pub seconds: f64,
    /// The candidates of `kill_by_memory_size_or_growth`.
    pub by_size: CgroupSet,
    /// Minimum free swap, in percent.
    pub swap_free: f64,
    /// The candidates of `kill_by_swap_usage`.
    pub by_swap: CgroupSet,
    /// The candidates of `kill_by_pressure`.
    pub by_pressure: CgroupSet,
    /// The candidates of `kill_by_pg_scan`.
    #[serde(default)]
    pub by_pgscan: CgroupSet,
    /// The candidates of `kill_by_io_cost`.
    #[serde(default)]
    pub by_io: CgroupSet,
    /// The devices whose I/O counts (`--device`), by major and minor number, and the cost of I/O on
    /// each.
    #[serde(default)]
    pub devices: Vec<((u32, u32), IoWeights)>,
}

impl Default for OomdOptions {
    /// The options of oomd's example for a desktop.
    fn default() -> Self {
        let all = CgroupSet::parse(
            "user.slice/user-*.slice/session-*.scope,user.slice/user-*.slice/user@*.service/*,\
             system.slice/*",
        );
        Self {
            pressure: vec![
                (CgroupSet::parse("user.slice"), 60.0),
                (CgroupSet::parse("system.slice"), 80.0),
            ],
            seconds: 30.0,
            by_size: all.clone(),
            swap_free: 10.0,
            by_swap: all.clone(),
            by_pressure: all.clone(),
            by_pgscan: all.clone(),
            by_io: all,
            devices: Vec::new(),
        }
    }
}

/// The cost of a read, a byte read, a write, a byte written, a discard and a byte discarded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct IoWeights(pub [f64; 6]);

impl IoWeights {
    /// oomd's defaults for rotating disks (`src/oomd/Main.cpp` @88c28fd).
    pub const HDD: Self = Self([1.31e-3, 1.13e-7, 2.58e-1, 5.04e-7, 0.0, 0.0]);
    /// oomd's defaults for other disks.
    pub const SSD: Self = Self([1.21e-2, 6.25e-7, 1.07e-3, 2.61e-7, 2.37e-2, 9.10e-10]);

    /// Parses the value of `--hdd-coeffs` or `--ssd-coeffs`: numbers separated by commas; missing
    /// ones are 0. `None` if one is not a finite number.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut weights = Self::default();
        for (weight, word) in weights.0.iter_mut().zip(text.split(',')) {
            *weight = word.trim().parse().ok().filter(|number: &f64| number.is_finite())?;
        }
        Some(weights)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn globs_go_by_components() {
        let set =
            CgroupSet::parse("user.slice/user-*.slice/session-*.scope, system.slice/*,/a*b*c/");
        for (path, is) in [
            ("/user.slice/user-1000.slice/session-2.scope", true),
            ("/user.slice/user-1000.slice/user@1000.service", false),
            ("/system.slice/foo.service", true),
            ("/system.slice/foo.service/x", false),
            ("/system.slice", false),
            ("/aXbYc", true),
            ("/abbcc", true),
            ("/acb", false),
            ("/", false),
        ] {
            assert_eq!(set.has(path), is, "{path}");
        }
    }
}
