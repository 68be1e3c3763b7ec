//! Options of systemd-oomd, and the units that ask it to watch them.

use serde::{Deserialize, Serialize};

use crate::model::Text;

/// A unit that asks `systemd-oomd` to watch it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct NominatedUnit {
    /// The name, such as `-.slice`, `user@.service` or `foo.service`.
    pub unit: Text,
    /// `ManagedOOMSwap=kill`.
    pub swap: bool,
    /// `ManagedOOMMemoryPressure=kill`.
    pub pressure: bool,
    /// `ManagedOOMMemoryPressureLimit`, in percent.
    pub limit: Option<f64>,
}

impl NominatedUnit {
    /// Whether a cgroup belongs to this unit, by its name. An instance belongs to its template.
    #[must_use]
    pub fn is(&self, path: &str) -> bool {
        let unit = self.unit.as_str();
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
}

impl Default for SystemdOomdOptions {
    /// The defaults of Debian's files.
    fn default() -> Self {
        let unit = |unit: &str, swap, limit: Option<f64>| NominatedUnit {
            unit: Text::new(unit.as_bytes()),
            swap,
            pressure: limit.is_some(),
            limit,
        };
        Self {
            swap_used: 90.0,
            pressure: 60.0,
            seconds: 20.0,
            nominated: vec![unit("-.slice", true, None), unit("user@.service", false, Some(50.0))],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_template_nominates_its_instances() {
        let unit = |unit: &str| NominatedUnit {
            unit: Text::new(unit.as_bytes()),
            swap: true,
            pressure: false,
            limit: None,
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
}
