//! The configuration of oomd: JSON with comments, that holds rulesets of detectors and actions, each a
//! plugin with arguments (`docs/configuration.md` of oomd). Read as far as five of its kill plugins
//! and the detectors before them need it.

use jsonc_parser::{JsonArray, JsonObject, JsonValue, ParseOptions, parse_to_value};

use crate::model::{CgroupSet, OomdOptions, Text};

/// JSON, and of its extensions only comments.
///
/// The parser gives up below 512 levels, for which 1 MiB of stack is enough, and takes a time in
/// proportion to the length.
const OPTIONS: ParseOptions = ParseOptions {
    allow_comments: true,
    allow_loose_object_property_names: false,
    allow_trailing_commas: false,
    allow_missing_commas: false,
    allow_single_quoted_strings: false,
    allow_hexadecimal_numbers: false,
    allow_unary_plus_numbers: false,
    allow_bare_decimal_point_numbers: false,
    allow_non_finite_numbers: false,
    allow_extended_string_escapes: false,
};

/// Maximum number of remarks about one file.
const REMARKS_MAX: usize = 8;

/// The members of a list in an object; none if there is no such list.
fn members<'a>(object: &'a JsonObject<'a>, name: &str) -> impl Iterator<Item = &'a JsonValue<'a>> {
    object.get_array(name).into_iter().flat_map(JsonArray::iter)
}

/// The plugin in a JSON value; `None` if it is not an object.
fn plugin<'a>(value: &'a JsonValue<'a>) -> Option<Plugin<'a>> {
    let JsonValue::Object(object) = value else { return None };
    let name = object.get_string("name").map_or("", |name| name);
    Some(Plugin { name, args: object.get_object("args") })
}

/// A detector or an action.
struct Plugin<'a> {
    name: &'a str,
    args: Option<&'a JsonObject<'a>>,
}

impl<'a> Plugin<'a> {
    fn text(&self, argument: &str) -> Option<&'a str> {
        self.args?.get_string(argument).map(AsRef::as_ref)
    }

    /// A number, or a string that is one: oomd accepts both.
    fn number(&self, argument: &str) -> Option<f64> {
        let text = match self.args?.get(argument)? {
            JsonValue::Number(number) => number,
            JsonValue::String(text) => text.trim(),
            _ => return None,
        };
        text.parse().ok().filter(|number: &f64| number.is_finite())
    }

    /// The cgroups that it looks at.
    fn cgroups(&self) -> CgroupSet {
        CgroupSet::parse(self.text("cgroup").unwrap_or_default())
    }
}

/// The options in a configuration file, and remarks about what is in it but not followed. `None` if
/// the file is not JSON or has no rulesets.
#[must_use]
pub fn oomd_json(bytes: &[u8]) -> Option<(OomdOptions, Vec<Text>)> {
    let config = parse_to_value(std::str::from_utf8(bytes).ok()?, &OPTIONS).ok()??;
    let JsonValue::Object(config) = &config else { return None };
    let rulesets = config.get("rulesets")?;
    let mut options = OomdOptions {
        pressure: Vec::new(),
        by_size: CgroupSet::default(),
        by_swap: CgroupSet::default(),
        by_pressure: CgroupSet::default(),
        by_pgscan: CgroupSet::default(),
        by_io: CgroupSet::default(),
        ..OomdOptions::default()
    };
    let mut remarks: Vec<Text> = Vec::new();
    let mut remark = |words: &str| {
        let words = Text::new(format!("oomd: {words}").as_bytes());
        if remarks.len() < REMARKS_MAX && !remarks.contains(&words) {
            remarks.push(words);
        }
    };
    let JsonValue::Array(rulesets) = rulesets else { return Some((options, remarks)) };
    for ruleset in rulesets.iter() {
        let JsonValue::Object(ruleset) = ruleset else { continue };
        let kills = take_actions(ruleset, &mut options, &mut remark);
        take_detectors(ruleset, kills, &mut options);
    }
    Some((options, remarks))
}

/// Which kill plugins a ruleset has.
#[derive(Clone, Copy, Debug, Default)]
struct Kills {
    by_swap: bool,
    /// One that follows memory pressure. Actions after a kill by swap do not count.
    by_memory: bool,
}

/// Takes the kill plugins of a ruleset.
fn take_actions(
    ruleset: &JsonObject<'_>,
    options: &mut OomdOptions,
    remark: &mut impl FnMut(&str),
) -> Kills {
    let mut kills = Kills::default();
    for action in members(ruleset, "actions").filter_map(plugin) {
        let cgroups = match action.name {
            "kill_by_memory_size_or_growth" => &mut options.by_size,
            "kill_by_swap_usage" => {
                kills.by_swap = true;
                &mut options.by_swap
            }
            "kill_by_pressure" => &mut options.by_pressure,
            "kill_by_pg_scan" => &mut options.by_pgscan,
            "kill_by_io_cost" => &mut options.by_io,
            other => {
                if other.starts_with("kill_") {
                    remark(&format!("its plugin {other} is not followed"));
                }
                continue;
            }
        };
        kills.by_memory |= !kills.by_swap;
        cgroups.0.append(&mut action.cgroups().0);
        if action.args.is_some_and(|args| args.get("recursive").is_some()) {
            remark("it looks for its victim recursively, which is not followed");
        }
    }
    kills
}

/// Takes the thresholds of the detectors before the kill plugins.
fn take_detectors(ruleset: &JsonObject<'_>, kills: Kills, options: &mut OomdOptions) {
    let groups = members(ruleset, "detectors").filter_map(|group| match group {
        JsonValue::Array(group) => Some(group),
        _ => None,
    });
    // The first member of a group is its name, which is not an object.
    for detector in groups.flat_map(JsonArray::iter).filter_map(plugin) {
        match detector.name {
            "pressure_above" if kills.by_memory => {
                let limit = detector.number("threshold");
                let limit = limit.filter(|_| detector.text("resource") == Some("memory"));
                options.pressure.extend(limit.map(|limit| (detector.cgroups(), limit)));
                options.seconds = detector.number("duration").unwrap_or(options.seconds);
            }
            "swap_free" if kills.by_swap => {
                options.swap_free = detector.number("threshold_pct").unwrap_or(options.swap_free);
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const FILE: &str = r#"// a comment
        { "rulesets": [
        { "name": "a", "detectors": [["high", { "name": "pressure_above", "args": {
            "cgroup": "user.slice,system.slice", "resource": "memory", "threshold": "65",
            "duration": " 20 " } }, { "name": "pressure_above", "args": { "resource": "io" } }]],
          "actions": [{ "name": "kill_by_memory_size_or_growth",
            "args": { "cgroup": "system.slice/*,user.slice/*", "recursive": true } }] },
        { "name": "b", "detectors": [["low", { "name": "swap_free", "args": { "threshold_pct": 15 } }]],
          "actions": [{ "name": "kill_by_swap_usage", "args": { "cgroup": "\u0077orkload.slice/*" } },
            { "name": "kill_by_chance", "args": {} }, /* another comment */
            { "name": "kill_by_io_cost", "args": { "cgroup": "x/*" } }] },
        { "name": "c", "actions": [{ "name": "kill_by_pg_scan", "args": { "cgroup": "x/*" } }] } ] }"#;

    #[test]
    fn plugins_and_their_detectors_are_read() {
        let (options, remarks) = oomd_json(FILE.as_bytes()).unwrap();
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
        assert_eq!(remarks.len(), 2);
        assert_eq!(oomd_json(b"{}"), None);
    }

    #[test]
    fn invalid_json_is_refused() {
        assert!(oomd_json(br#"{"rulesets":[]}"#).is_some());
        for bad in [
            "",
            "{",
            "[1 2]",
            "nope",
            "{\"rulesets\" []}",
            "{rulesets:[]}",
            "{\"rulesets\":[],}",
            "{\"rulesets\":[1,]}",
            "{\"rulesets\":[1 2]}",
            "{\"rulesets\":[]} 2",
            "{\"rulesets\":[inf]}",
            "{\"rulesets\":[0x1]}",
            "{\"rulesets\":['a']}",
            "\"open",
        ] {
            assert_eq!(oomd_json(bad.as_bytes()), None, "{bad}");
        }
    }

    #[test]
    fn deep_nesting_does_not_overflow_the_stack() {
        let nested = |levels: usize| {
            format!("{{\"rulesets\":{}{}}}", "[".repeat(levels), "]".repeat(levels))
        };
        // Half of the stack that a thread gets by default.
        let work =
            move || (oomd_json(nested(500).as_bytes()), oomd_json(nested(100_000).as_bytes()));
        let thread = std::thread::Builder::new().stack_size(1 << 20).spawn(work).unwrap();
        let (accepted, refused) = thread.join().unwrap();
        assert!(accepted.is_some());
        assert_eq!(refused, None);
    }

    proptest! {
        #[test]
        fn any_damage_is_survived(at in 0..FILE.len(), byte: u8) {
            let mut bytes = FILE.as_bytes().to_vec();
            bytes[at] = byte;
            let _ = oomd_json(&bytes);
        }

        #[test]
        fn any_bytes_are_survived(bytes: Vec<u8>, text in "[\\[\\]{}\",:/*0-9a-u\\\\ ]{0,60}") {
            let _ = oomd_json(&bytes);
            let _ = oomd_json(text.as_bytes());
        }
    }
}
