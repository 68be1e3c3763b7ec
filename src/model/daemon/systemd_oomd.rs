//! Options of systemd-oomd, and the units that ask it to watch them.

use serde::{Deserialize, Serialize};

use crate::model::Text;
use crate::model::daemon::options::{DaemonOptions, OptionText};

/// What a rule of systemd-oomd does (`oomd.conf(5)`, `Action=`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OomRuleAction {
    /// Kills the whole watched cgroup.
    KillAll,
    /// Kills the candidate below the watched cgroup in which reclaim scanned the most pages.
    KillByPgscan,
    /// Kills the candidate with the most swap below any cgroup that has rules.
    KillBySwap,
}

impl OomRuleAction {
    /// The word in a rule file.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::KillAll => "kill-all",
            Self::KillByPgscan => "kill-by-pgscan",
            Self::KillBySwap => "kill-by-swap",
        }
    }
}

/// A rule of systemd-oomd (261 and later, a file `NAME.oomrule`). All of its conditions must hold.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OomRule {
    /// Its name, by which units refer to it.
    pub name: Text,
    /// `MemoryPressureAbove=`: full avg10 of the watched cgroup, in percent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pressure: Option<f64>,
    /// `SwapUsageMax=`: use of all swap of the machine, in percent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub swap: Option<f64>,
    /// `LastingSec=`: how long they must hold, in seconds.
    pub seconds: f64,
    /// `Action=`.
    pub action: OomRuleAction,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde hands over a reference")]
const fn is_false(flag: &bool) -> bool {
    !*flag
}

/// A unit that asks `systemd-oomd` to watch it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct NominatedUnit {
    /// The name, such as `-.slice`, `user@.service` or `foo.service`.
    pub unit: Text,
    /// `ManagedOOMSwap=kill`.
    pub swap: bool,
    /// `ManagedOOMMemoryPressure=kill`.
    pub pressure: bool,
    /// `ManagedOOMMemoryPressureLimit`, in percent.
    pub limit: Option<f64>,
    /// `ManagedOOMMemoryPressureDurationSec` (257 and later), in seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seconds: Option<f64>,
    /// `OOMRules` (261 and later): names of rules. Any of them acts.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rules: Vec<Text>,
    /// Whether it belongs to the managers of users, which report their units, too.
    #[serde(default, skip_serializing_if = "is_false")]
    pub is_of_user: bool,
}

impl NominatedUnit {
    /// Whether a cgroup belongs to this unit, by its name. An instance belongs to its template.
    #[must_use]
    pub fn is(&self, path: &str) -> bool {
        let unit = self.unit.as_str();
        // The manager of a user runs in `user@UID.service`, and its units are below.
        let manager = |name: &str| name.starts_with("user@") && name.ends_with(".service");
        let above = path.rsplit_once('/').map_or("", |(above, _)| above);
        if self.is_of_user {
            if unit == "-.slice" {
                return path.rsplit('/').next().is_some_and(manager);
            }
            if !above.split('/').any(manager) {
                return false;
            }
        } else if above.split('/').any(manager) {
            return false;
        }
        if unit == "-.slice" {
            return path == "/";
        }
        let name = path.rsplit('/').next().unwrap_or_default();
        // `user-.slice` stands for all slices whose name begins with `user-`.
        if let Some(start) = unit.strip_suffix("-.slice").filter(|start| !start.is_empty()) {
            return name.strip_prefix(start).is_some_and(|rest| {
                rest.strip_prefix('-')
                    .is_some_and(|rest| rest.ends_with(".slice") && rest.len() > 6)
            });
        }
        match unit.split_once("@.") {
            Some((start, end)) => name
                .strip_prefix(start)
                .and_then(|rest| rest.strip_prefix('@'))
                .is_some_and(|rest| rest.ends_with(end) && rest.len() > end.len() + 1),
            None => name == unit,
        }
    }
}

/// The options of systemd-oomd.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SystemdOomdOptions {
    /// `SwapUsedLimit`, in percent.
    pub swap_used: f64,
    /// `DefaultMemoryPressureLimit`, in percent.
    pub pressure: f64,
    /// `DefaultMemoryPressureDurationSec`, in seconds.
    pub seconds: f64,
    /// The units that ask to be watched.
    pub nominated: Vec<NominatedUnit>,
    /// The rules, by name (261 and later).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rules: Vec<OomRule>,
    /// The version of systemd; nothing where it is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<u32>,
    /// `PrekillHookTimeoutSec` (260 and later), in seconds: how long a kill may wait for hooks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prekill_seconds: Option<f64>,
    /// `--dry-run`: kills nothing.
    #[serde(default, skip_serializing_if = "is_false")]
    pub dry_run: bool,
}

impl SystemdOomdOptions {
    /// The rules that a unit names, as far as they exist.
    pub fn rules_of<'a>(&'a self, unit: &'a NominatedUnit) -> impl Iterator<Item = &'a OomRule> {
        unit.rules.iter().filter_map(|name| self.rules.iter().find(|rule| rule.name == *name))
    }
}

impl Default for SystemdOomdOptions {
    /// The defaults of Debian's files.
    fn default() -> Self {
        let unit = |unit: &str, swap, limit: Option<f64>| NominatedUnit {
            unit: Text::new(unit.as_bytes()),
            swap,
            pressure: limit.is_some(),
            limit,
            ..NominatedUnit::default()
        };
        Self {
            swap_used: 90.0,
            pressure: 60.0,
            seconds: 20.0,
            nominated: vec![unit("-.slice", true, None), unit("user@.service", false, Some(50.0))],
            rules: Vec::new(),
            version: None,
            prekill_seconds: None,
            dry_run: false,
        }
    }
}

impl DaemonOptions for SystemdOomdOptions {
    fn texts(&mut self) -> Vec<(OptionText, &mut Text)> {
        let mut texts: Vec<(OptionText, &mut Text)> = Vec::new();
        for unit in &mut self.nominated {
            texts.push((OptionText::Unit, &mut unit.unit));
            texts.extend(unit.rules.iter_mut().map(|name| (OptionText::Unit, name)));
        }
        texts.extend(self.rules.iter_mut().map(|rule| (OptionText::Unit, &mut rule.name)));
        texts
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_template_unit_stands_for_its_instances() {
        let unit = |unit: &str| NominatedUnit {
            unit: Text::new(unit.as_bytes()),
            swap: true,
            ..NominatedUnit::default()
        };
        assert!(unit("-.slice").is("/") && !unit("-.slice").is("/a"));
        let user = unit("user@.service");
        assert!(user.is("/user.slice/user-1000.slice/user@1000.service"));
        assert!(!user.is("/user.slice/user-1000.slice/user@.service"));
        assert!(!user.is("/user.slice/user-1000.slice/user@1000.slice"));
        assert!(unit("a.service").is("/system.slice/a.service"));
        assert!(unit("user-.slice").is("/user.slice/user-7.slice"));
        assert!(!unit("user-.slice").is("/user.slice") && !unit("user-.slice").is("/user-.slice"));
    }

    #[test]
    fn units_of_users_are_below_their_managers() {
        let manager = "/user.slice/user-1000.slice/user@1000.service";
        let app = format!("{manager}/app.slice");
        let unit = |unit: &str, is_of_user| NominatedUnit {
            unit: Text::new(unit.as_bytes()),
            is_of_user,
            ..NominatedUnit::default()
        };
        assert!(unit("app.slice", true).is(&app) && !unit("app.slice", true).is("/app.slice"));
        assert!(unit("app.slice", false).is("/app.slice") && !unit("app.slice", false).is(&app));
        assert!(unit("-.slice", true).is(manager) && !unit("-.slice", true).is("/"));
        assert!(unit("user@.service", false).is(manager), "it is a unit of the system");
    }
}
