//! The configuration of oomd: rulesets of detectors and actions, each a plugin with arguments. Read
//! as far as five of its kill plugins and the detectors before them go.

use super::json::JsonValue;
use crate::model::{CgroupSet, OomdOptions, Text};

/// What a plugin is called, and one of its arguments.
fn name(plugin: &JsonValue) -> Option<&str> {
    plugin.get("name")?.text()
}

fn argument<'a>(plugin: &'a JsonValue, name: &str) -> Option<&'a JsonValue> {
    plugin.get("args")?.get(name)
}

fn set(plugin: &JsonValue) -> CgroupSet {
    let listed = argument(plugin, "cgroup").and_then(JsonValue::text).unwrap_or_default();
    CgroupSet::parse(listed)
}

/// A configuration: what it says of those plugins, and what of it is not followed. `None` where
/// it has no rulesets.
#[must_use]
pub fn oomd_json(config: &JsonValue) -> Option<(OomdOptions, Vec<Text>)> {
    let mut options = OomdOptions {
        pressure: Vec::new(),
        by_size: CgroupSet::default(),
        by_swap: CgroupSet::default(),
        by_pressure: CgroupSet::default(),
        by_pgscan: CgroupSet::default(),
        by_io: CgroupSet::default(),
        ..OomdOptions::default()
    };
    let mut odd: Vec<Text> = Vec::new();
    let mut strange = |words: &str| {
        let words = Text::new(format!("oomd: {words}").as_bytes());
        if odd.len() < 8 && !odd.contains(&words) {
            odd.push(words);
        }
    };
    for ruleset in config.get("rulesets")?.list() {
        let actions = ruleset.get("actions").map_or(&[][..], JsonValue::list);
        let mut kills = false;
        let mut by_swap = false;
        for action in actions {
            let into = match name(action).unwrap_or_default() {
                "kill_by_memory_size_or_growth" => &mut options.by_size,
                "kill_by_swap_usage" => {
                    by_swap = true;
                    &mut options.by_swap
                }
                "kill_by_pressure" => &mut options.by_pressure,
                "kill_by_pg_scan" => &mut options.by_pgscan,
                "kill_by_io_cost" => &mut options.by_io,
                other => {
                    if other.starts_with("kill_") {
                        strange(&format!("its plugin {other} is not followed"));
                    }
                    continue;
                }
            };
            kills |= !by_swap;
            into.0.append(&mut set(action).0);
            if argument(action, "recursive").is_some() {
                strange("it looks for its victim recursively, which is not followed");
            }
        }
        let groups = ruleset.get("detectors").map_or(&[][..], JsonValue::list);
        // The first member of a group is its name.
        for detector in groups.iter().flat_map(JsonValue::list) {
            let number = |name| argument(detector, name).and_then(JsonValue::number);
            match name(detector).unwrap_or_default() {
                "pressure_above" if kills => {
                    let resource = argument(detector, "resource").and_then(JsonValue::text);
                    let limit = number("threshold").filter(|_| resource == Some("memory"));
                    options.pressure.extend(limit.map(|limit| (set(detector), limit)));
                    options.seconds = number("duration").unwrap_or(options.seconds);
                }
                "swap_free" if by_swap => {
                    options.swap_free = number("threshold_pct").unwrap_or(options.swap_free);
                }
                _ => {}
            }
        }
    }
    Some((options, odd))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::json;
    use super::*;

    const FILE: &str = r#"{ "rulesets": [
        { "name": "a", "detectors": [["high", { "name": "pressure_above", "args": {
            "cgroup": "user.slice,system.slice", "resource": "memory", "threshold": "65",
            "duration": "20" } }, { "name": "pressure_above", "args": { "resource": "io" } }]],
          "actions": [{ "name": "kill_by_memory_size_or_growth",
            "args": { "cgroup": "system.slice/*,user.slice/*", "recursive": true } }] },
        { "name": "b", "detectors": [["low", { "name": "swap_free", "args": { "threshold_pct": 15 } }]],
          "actions": [{ "name": "kill_by_swap_usage", "args": { "cgroup": "workload.slice/*" } },
            { "name": "kill_by_chance", "args": {} },
            { "name": "kill_by_io_cost", "args": { "cgroup": "x/*" } }] },
        { "name": "c", "actions": [{ "name": "kill_by_pg_scan", "args": { "cgroup": "x/*" } }] } ] }"#;

    #[test]
    fn plugins_and_their_detectors_are_read() {
        let (options, odd) = oomd_json(&json(FILE.as_bytes()).unwrap()).unwrap();
        assert_eq!(options.pressure, [(CgroupSet::parse("user.slice,system.slice"), 65.0)]);
        assert_eq!(options.seconds, 20.0);
        assert!(
            options.by_size.has("/system.slice/a") && !options.by_size.has("/workload.slice/a")
        );
        assert!(options.by_swap.has("/workload.slice/a"));
        assert_eq!(options.swap_free, 15.0);
        assert_eq!(options.by_pressure, CgroupSet::default());
        assert!(options.by_pgscan.has("/x/y") && !options.by_pgscan.has("/system.slice/a"));
        assert!(options.by_io.has("/x/z") && !options.by_io.has("/y"));
        assert_eq!(odd.len(), 2);
        assert_eq!(oomd_json(&json(b"{}").unwrap()), None);
    }

    proptest! {
        #[test]
        fn any_damage_is_survived(at in 0..FILE.len(), byte: u8) {
            let mut bytes = FILE.as_bytes().to_vec();
            bytes[at] = byte;
            let _ = json(&bytes).and_then(|it| oomd_json(&it));
        }
    }
}
