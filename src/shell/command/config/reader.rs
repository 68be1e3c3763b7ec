//! Reads a file of the configuration into [`ConfigValues`].

use std::path::Path;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::table::{
    ALARM_KEYS, CONFIG_KEYS, ConfigKey, PRESET, SettingKind, SettingValue, preset_names,
};
use super::values::ConfigValues;
use crate::alarm::Alarm;
use crate::app::keymap::group::KeyGroup;
use crate::app::keymap::key::Key;
use crate::app::keymap::presets::KeyPreset;
use crate::app::keymap::remap::{Rebinding, remapped};
use crate::policy::site::{Location, suggestion};
use crate::shell::config_file::trust;
use crate::shell::rule_file;
use crate::ui::paint::theme::palette::{ROLES, RoleColour};

/// Maximum number of faults that are reported at once.
const FAULTS: usize = 20;

/// What was found in a file: errors, and what is not an error but was ignored.
#[derive(Debug, Default)]
pub(crate) struct FileFaults {
    /// What is wrong, as `file:line:column: what`.
    pub(crate) errors: Vec<String>,
    /// What has no meaning, in the same form.
    pub(crate) unknown: Vec<String>,
    /// What was left out because others can write to the file.
    pub(crate) untrusted: Vec<String>,
}

/// Reads a file into a configuration, over what it holds already.
pub(crate) fn read_file(path: &Path, config: &mut ConfigValues) -> FileFaults {
    let faults = match rule_file::read(path) {
        Ok(text) => read_text(&text, path, config),
        Err(what) => {
            let errors = vec![format!("{}{what}", rule_file::shown(path))];
            FileFaults { errors, ..FileFaults::default() }
        }
    };
    config.files.push(path.to_owned());
    faults
}

/// The same for the text of a file.
pub(crate) fn read_text(text: &str, path: &Path, config: &mut ConfigValues) -> FileFaults {
    let mut reader = Reader { text, path, config, found: FileFaults::default(), trust: None };
    if text.len() > crate::policy::site::LARGEST {
        let what = format!("more than the maximum of {} bytes", crate::policy::site::LARGEST);
        reader.error(0, &what);
        return reader.found;
    }
    let (table, errors) = DeTable::parse_recoverable(text);
    // What follows the first one mostly follows from it.
    for error in errors.iter().take(1) {
        let at = error.span().map_or(0, |span| span.start);
        reader.error(at, &format!("invalid TOML: {}", error.message()));
    }
    if reader.found.errors.is_empty() {
        reader.take(table.get_ref());
    }
    let mut found = reader.found;
    for lines in [&mut found.errors, &mut found.unknown, &mut found.untrusted] {
        shorten(lines, path);
    }
    found
}

/// Keeps the first lines, and says how many more there are.
fn shorten(lines: &mut Vec<String>, path: &Path) {
    let more = lines.len().saturating_sub(FAULTS);
    if more > 0 {
        lines.truncate(FAULTS);
        lines.push(format!("{}: and {more} more", rule_file::shown(path)));
    }
}

/// Whether a text that Setup would write can be read at the next start.
///
/// # Errors
/// The first fault that reading it would report.
pub(crate) fn check(text: &str, path: &Path) -> Result<(), String> {
    let mut config = ConfigValues::default();
    let found = read_text(text, path, &mut config);
    let conflicts = remapped(config.preset, &config.rebindings).err().unwrap_or_default();
    found.errors.into_iter().chain(conflicts).next().map_or(Ok(()), Err)
}

struct Reader<'a> {
    text: &'a str,
    path: &'a Path,
    config: &'a mut ConfigValues,
    found: FileFaults,
    /// Why others could have written the file; checked once, where it matters.
    trust: Option<Result<(), String>>,
}

/// A key, its place in the file, and its value.
type Entry<'t, 'a> = (&'t str, usize, &'t Spanned<DeValue<'a>>);

/// The entries of a table in the order of the file.
fn entries<'t, 'a>(table: &'t DeTable<'a>) -> Vec<Entry<'t, 'a>> {
    let mut entries: Vec<Entry<'t, 'a>> = table
        .iter()
        .map(|(key, value)| (key.get_ref().as_ref(), key.span().start, value))
        .collect();
    entries.sort_by_key(|(_, at, _)| *at);
    entries
}

impl Reader<'_> {
    fn place(&self, at: usize) -> String {
        let location = Location::of(self.text, at);
        format!("{}:{location}", rule_file::shown(self.path))
    }

    fn line(&self, at: usize, what: &str) -> String {
        let what = crate::model::printable(&what.replace('\n', " "));
        format!("{}: {what}", self.place(at))
    }

    fn error(&mut self, at: usize, what: &str) {
        let line = self.line(at, what);
        self.found.errors.push(line);
    }

    fn unknown(&mut self, at: usize, name: &str, known: &[String]) {
        let help = suggestion(name, known.iter().map(String::as_str));
        let line = self.line(at, &format!("unknown key {name}; {help}"));
        self.found.unknown.push(line);
    }

    fn take(&mut self, table: &DeTable<'_>) {
        for (name, at, value) in entries(table) {
            match (name, value.get_ref()) {
                ("keys", DeValue::Table(keys)) => self.keys(keys),
                ("colours", DeValue::Table(colours)) => self.colours(colours),
                ("alarm", DeValue::Array(alarms)) => {
                    // Those of the system-wide file make way, as a list would.
                    self.config.alarm_commands.clear();
                    for alarm in alarms {
                        self.alarm(alarm);
                    }
                }
                ("alarm", _) => self.error(value.span().start, "alarm must be tables: [[alarm]]"),
                ("keys" | "colours", _) => {
                    self.error(value.span().start, &format!("{name} must be a table: [{name}]"));
                }
                _ => match CONFIG_KEYS.iter().find(|key| key.name == name) {
                    Some(key) => self.setting(key, value),
                    None => {
                        let known = CONFIG_KEYS.iter().map(|key| key.name);
                        let known: Vec<String> =
                            known.chain(["alarm", "keys", "colours"]).map(str::to_owned).collect();
                        self.unknown(at, name, &known);
                    }
                },
            }
        }
    }

    fn setting(&mut self, key: &ConfigKey, value: &Spanned<DeValue<'_>>) {
        let at = value.span().start;
        let Some(given) = given(key.kind, value.get_ref()) else {
            let what = format!(
                "{} must be {}: {} = {}",
                key.name,
                key.kind.wanted(),
                key.name,
                key.example
            );
            return self.error(at, &what);
        };
        if key.is_trusted && !self.is_trusted(key.name, at) {
            return;
        }
        if let Err(why) = (key.take)(self.config, &given, self.path) {
            return self.error(at, &format!("{}: {why}", key.name));
        }
        if ["policy", "scope", "adj_rules"].contains(&key.name) {
            let place = self.place(at);
            self.config.places.insert(key.name, place);
        }
    }

    /// An alarm with a command of its own.
    fn alarm(&mut self, value: &Spanned<DeValue<'_>>) {
        let DeValue::Table(table) = value.get_ref() else {
            return self.error(value.span().start, "alarm must be tables: [[alarm]]");
        };
        let known = ALARM_KEYS.map(|(name, ..)| name.to_owned());
        let (mut when, mut run) = (None, None);
        for (name, at, value) in entries(table) {
            let place = match name {
                "when" => &mut when,
                "run" => &mut run,
                _ => {
                    self.unknown(at, name, &known);
                    continue;
                }
            };
            match given(SettingKind::Text, value.get_ref()) {
                Some(SettingValue::Text(text)) => *place = Some((text, value.span().start)),
                _ => self.error(value.span().start, &format!("{name} must be a string in quotes")),
            }
        }
        let Some((when, at)) = when else {
            return self.error(value.span().start, "an alarm needs when = \"psi-some>20%\"");
        };
        let alarm = match Alarm::parse(&when) {
            Ok(alarm) => alarm,
            Err(why) => return self.error(at, &format!("when: {why}")),
        };
        let name = alarm.to_string();
        let alarms = self.config.alarms.get_or_insert_default();
        // Saved by Setup, it is in both places.
        if !alarms.iter().any(|it| it.to_string() == name) {
            alarms.push(alarm);
        }
        if let Some((command, at)) = run
            && self.is_trusted("run", at)
        {
            self.config.alarm_commands.push((name, command));
        }
    }

    /// Whether a command or rules may be taken from this file; where not, that is reported.
    fn is_trusted(&mut self, name: &str, at: usize) -> bool {
        let path = self.path;
        let Err(why) = self.trust.get_or_insert_with(|| trust::check(path)).clone() else {
            return true;
        };
        let line = self.line(at, &format!("{name} is ignored: {why}"));
        self.found.untrusted.push(line);
        false
    }

    fn colours(&mut self, table: &DeTable<'_>) {
        for (name, at, value) in entries(table) {
            let Some(role) = ROLES.iter().find(|role| role.name == name) else {
                let known: Vec<String> = ROLES.iter().map(|role| role.name.to_owned()).collect();
                self.unknown(at, name, &known);
                continue;
            };
            let place = value.span().start;
            let colour = match value.get_ref() {
                DeValue::String(text) => text.parse().ok(),
                DeValue::Integer(number) => number.as_str().parse().ok(),
                _ => None,
            };
            match colour {
                Some(colour) => {
                    self.config.colours.retain(|it| it.role.name != role.name);
                    self.config.colours.push(RoleColour { role, colour });
                }
                None => self.error(
                    place,
                    &format!("{name} must be a colour: \"red\", \"light-blue\", \"#ff8000\" or a number up to 255"),
                ),
            }
        }
    }

    fn keys(&mut self, table: &DeTable<'_>) {
        for (name, at, value) in entries(table) {
            match (name, value.get_ref()) {
                (PRESET, value_of) => {
                    let text = match value_of {
                        DeValue::String(text) => text.as_ref(),
                        _ => "",
                    };
                    match KeyPreset::ALL.into_iter().find(|preset| preset.name() == text) {
                        Some(preset) => self.config.preset = preset,
                        None => {
                            let names = preset_names().join(", ");
                            self.error(value.span().start, &format!("the presets are {names}"));
                        }
                    }
                }
                ("pages", DeValue::Table(pages)) => {
                    for (name, at, value) in entries(pages) {
                        self.key(KeyGroup::Pages, name, at, value);
                    }
                }
                _ => self.key(KeyGroup::Views, name, at, value),
            }
        }
    }

    fn key(&mut self, group: KeyGroup, name: &str, at: usize, value: &Spanned<DeValue<'_>>) {
        let actions = group.actions();
        let Some(action) = actions.iter().copied().find(|action| action.name() == name) else {
            let mut known: Vec<String> = actions.iter().map(|action| action.name()).collect();
            known.push(PRESET.to_owned());
            return self.unknown(at, name, &known);
        };
        let Some(SettingValue::List(texts)) = given(SettingKind::List, value.get_ref()) else {
            let what = format!(
                "{name} must be a key or a list of keys: {name} = [\"F5\", \"^A\", \"Alt-x\"]"
            );
            return self.error(value.span().start, &what);
        };
        let mut keys = Vec::new();
        for text in texts {
            match Key::parse(&text) {
                Some(key) => keys.push(key),
                None => {
                    let what = format!(
                        "{name}: {text:?} is no key; keys are named as in the help: a, F5, ^A, Alt-x, S-Up, Space, Enter"
                    );
                    return self.error(value.span().start, &what);
                }
            }
        }
        let place = self.place(at);
        self.config.rebindings.retain(|it| (it.group, it.action) != (group, action));
        self.config.rebindings.push(Rebinding { group, action, keys, place });
    }
}

/// A value of this kind.
fn given(kind: SettingKind, value: &DeValue<'_>) -> Option<SettingValue> {
    match (kind, value) {
        (SettingKind::Flag, DeValue::Boolean(on)) => Some(SettingValue::Flag(*on)),
        (SettingKind::Number, DeValue::Integer(number)) => {
            let digits = number.as_str().trim_start_matches('+');
            let number = i64::from_str_radix(digits, number.radix()).ok()?;
            Some(SettingValue::Number(number as f64))
        }
        (SettingKind::Number, DeValue::Float(number)) => {
            number.as_str().parse().ok().map(SettingValue::Number)
        }
        (SettingKind::Text, DeValue::String(text)) => Some(SettingValue::Text(text.to_string())),
        (SettingKind::List, DeValue::String(text)) => {
            Some(SettingValue::List(vec![text.to_string()]))
        }
        (SettingKind::List, DeValue::Array(values)) => {
            let texts = values.iter().map(|value| match value.get_ref() {
                DeValue::String(text) => Some(text.to_string()),
                _ => None,
            });
            texts.collect::<Option<Vec<_>>>().map(SettingValue::List)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// A value as a file may have it.
    fn value() -> impl Strategy<Value = String> {
        prop_oneof![
            Just("true".to_owned()),
            any::<i64>().prop_map(|number| number.to_string()),
            any::<f64>().prop_map(|number| format!("{number:?}")),
            "[a-z<>%0-9:/.-]{0,12}".prop_map(|text| format!("'{text}'")),
            "[a-z^A-Z0-9 -]{0,8}".prop_map(|text| format!("['{text}', 'pid', \"\\u0007\"]")),
            Just("{ a = 1 }".to_owned()),
            Just("2026-11-20T14:03:00Z".to_owned()),
        ]
    }

    #[test]
    fn every_example_of_the_documents_is_valid() {
        let document = include_str!("../../../../assets/docs/config.md");
        let mut blocks = 0;
        for block in document.split("```toml\n").skip(1) {
            let block = block.split("```").next().unwrap_or_default();
            let path = Path::new("/nonexistent/c.toml");
            assert_eq!(check(block, path), Ok(()), "{block}");
            let found = read_text(block, path, &mut ConfigValues::default());
            assert_eq!(found.unknown, Vec::<String>::new(), "{block}");
            blocks += 1;
        }
        assert!(blocks >= 3, "{blocks}");
    }

    #[test]
    fn no_list_of_faults_is_longer_than_a_screen() {
        let path = Path::new("/nonexistent/c.toml");
        let lines = |line: fn(usize) -> String| {
            let text: String = (0..1000).map(line).collect();
            read_text(&text, path, &mut ConfigValues::default())
        };
        let unknown = lines(|nth| format!("k{nth}=1\n")).unknown;
        assert_eq!(unknown.len(), FAULTS + 1);
        assert!(unknown[0].contains("unknown key k0;"), "{}", unknown[0]);
        assert_eq!(unknown[FAULTS], "/nonexistent/c.toml: and 980 more");
        let errors = lines(|_| "[[alarm]]\nwhen='bad'".to_owned() + "\n").errors;
        assert_eq!(errors.len(), FAULTS + 1);
        let alarm = |_| "[[alarm]]\nwhen='death<9s'\nrun='x'\n".to_owned();
        assert_eq!(lines(alarm).untrusted.len(), FAULTS + 1);
        let few = read_text(&"[[alarm]]\n".repeat(FAULTS), path, &mut ConfigValues::default());
        assert_eq!(few.errors.len(), FAULTS, "nothing is left out");
    }

    #[test]
    fn what_a_file_holds_is_escaped_once() {
        let path = Path::new("/nonexistent/c.toml");
        let mut config = ConfigValues::default();
        let found = read_text("\"a\\u001b[31m\" = 1\n", path, &mut config);
        assert!(found.unknown[0].contains(r"unknown key a\x1b[31m;"), "{}", found.unknown[0]);
        let shown = crate::model::printable(&found.unknown[0]);
        assert_eq!(shown, found.unknown[0], "as it is printed");
    }

    #[test]
    fn no_columns_are_an_error_that_says_so() {
        let found = check("columns = []\n", Path::new("/nonexistent/c.toml"));
        let text = "/nonexistent/c.toml:1:11: columns: needs at least one column";
        assert_eq!(found, Err(text.to_owned()));
    }

    proptest! {
        #[test]
        fn no_text_is_too_much(text in any::<String>()) {
            let mut config = ConfigValues::default();
            read_text(&text, Path::new("/nonexistent/c.toml"), &mut config);
        }

        #[test]
        fn every_setting_takes_or_refuses_every_value(value in value(), nth in 0..CONFIG_KEYS.len() + 4) {
            let names = CONFIG_KEYS.iter().map(|key| key.name);
            let name = names.chain(["keys.quit", "keys.preset", "colours.warn", "alarm"]).nth(nth);
            let text = format!("{} = {value}\n", name.unwrap_or_default());
            let mut config = ConfigValues::default();
            let found = read_text(&text, Path::new("/nonexistent/c.toml"), &mut config);
            for line in found.errors.iter().chain(&found.unknown).chain(&found.untrusted) {
                prop_assert!(line.starts_with("/nonexistent/c.toml:1:"), "{}", line);
                prop_assert!(!line.contains(['\n', '\u{7}']), "{}", line);
            }
        }
    }
}
