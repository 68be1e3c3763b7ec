//! What is printed from the table of settings: the template, the schema, the table of the documents.

use std::fmt::Write as _;

use serde_json::{Map, Value, json};

use super::table::{
    ALARM_KEYS, CONFIG_KEYS, ConfigKey, SettingKind, alarm_examples, policy_names, preset_names,
};
use crate::app::keymap::group::KeyGroup;
use crate::app::keymap::presets::KeyPreset;
use crate::shell::config_file;
use crate::ui::paint::theme::palette::ROLES;

/// Maximum length of a line of the template.
const WIDTH: usize = 100;

/// A file in which every setting is a comment with its default or an example.
#[must_use]
pub fn template() -> String {
    let system = config_file::SYSTEM;
    let mut text = format!(
        "# Configuration of doomtop: ~/.config/doomtop/config.toml, over {system}.\n\
         # A flag of the command line wins over both. `doomtop config check` checks them.\n"
    );
    for key in CONFIG_KEYS {
        text.push('\n');
        comment(&mut text, &about(key));
        let _ = writeln!(text, "# {} = {}", key.name, key.example);
    }
    text.push('\n');
    comment(&mut text, "An alarm with a command of its own; more of them follow in the same form.");
    text.push_str("# [[alarm]]\n");
    for (name, example, about) in ALARM_KEYS {
        comment(&mut text, &format!("{name}: {about}."));
        let _ = writeln!(text, "# {name} = {example}");
    }
    text.push('\n');
    comment(
        &mut text,
        "Colours of single roles, over those of the theme: the names of the 16 colours, a number up to 255, or \
         #rrggbb (only where the terminal shows 24 bits).",
    );
    text.push_str("# [colours]\n");
    for role in ROLES {
        let _ = writeln!(text, "# {} = \"reset\"  # {}", role.name, role.about);
    }
    text.push('\n');
    comment(
        &mut text,
        "Keys of the views, each in place of those that the action has. Two actions with the same key are an error. \
         Keys of dialogs, editors and lists cannot be changed: a confirmation is the same for everybody.",
    );
    text.push_str("# [keys]\n");
    let presets = KeyPreset::ALL.map(|it| format!("{} ({})", it.name(), it.about()));
    comment(&mut text, &format!("preset is one of {}.", presets.join(", ")));
    text.push_str("# preset = \"htop\"\n");
    keys(&mut text, KeyGroup::Views);
    text.push('\n');
    comment(&mut text, "The same on the pages that are read.");
    text.push_str("# [keys.pages]\n");
    keys(&mut text, KeyGroup::Pages);
    text
}

fn keys(text: &mut String, group: KeyGroup) {
    for action in group.actions() {
        let names = group.keys(action).into_iter().map(|key| toml_text(&key.to_string()));
        let names: Vec<String> = names.collect();
        let _ = writeln!(text, "# {} = [{}]", action.name(), names.join(", "));
    }
}

fn toml_text(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

/// What a setting does, with the values that it may have.
fn about(key: &ConfigKey) -> String {
    let mut text = key.about.to_owned();
    if let Some(choices) = key.choices.filter(|_| key.name != "sort") {
        let _ = write!(text, ": {}", choices().join(", "));
    }
    if key.is_trusted {
        text.push_str(". Taken only from a file that nobody else can write");
    }
    text
}

/// Wraps a comment.
fn comment(text: &mut String, words: &str) {
    let mut line = String::from("#");
    for word in words.split_whitespace() {
        if line.len() + 1 + word.len() > WIDTH {
            text.push_str(&line);
            text.push('\n');
            line = String::from("#");
        }
        line.push(' ');
        line.push_str(word);
    }
    text.push_str(&line);
    text.push('\n');
}

/// The JSON schema of the file (draft 2020-12), with a line end.
#[must_use]
pub fn schema() -> String {
    let mut properties = Map::new();
    for key in CONFIG_KEYS {
        properties.insert(key.name.to_owned(), schema_of(key));
    }
    let alarm = ALARM_KEYS
        .map(|(name, _, about)| (name.to_owned(), json!({"type": "string", "description": about})));
    let mut alarm = table(alarm.into_iter().collect());
    alarm["required"] = json!(["when"]);
    properties.insert("alarm".to_owned(), json!({"type": "array", "items": alarm}));
    let colour = json!({"type": ["string", "integer"]});
    let colours = ROLES.iter().map(|role| {
        let mut value = colour.clone();
        value["description"] = role.about.into();
        (role.name.to_owned(), value)
    });
    properties.insert("colours".to_owned(), table(colours.collect()));
    let keys = |group: KeyGroup| -> Map<String, Value> {
        let actions = group.actions().into_iter();
        actions.map(|action| (action.name(), json!({"$ref": "#/$defs/keys"}))).collect()
    };
    let mut views = keys(KeyGroup::Views);
    views.insert("preset".to_owned(), json!({"enum": preset_names()}));
    views.insert("pages".to_owned(), table(keys(KeyGroup::Pages)));
    properties.insert("keys".to_owned(), table(views));
    let mut schema = table(properties);
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema".into();
    schema["title"] = "doomtop".into();
    schema["description"] = "The configuration of doomtop (config.toml)".into();
    schema["$defs"] = json!({
        "keys": {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]}
    });
    let mut text = serde_json::to_string_pretty(&schema).unwrap_or_default();
    text.push('\n');
    text
}

fn table(properties: Map<String, Value>) -> Value {
    json!({"type": "object", "properties": properties, "additionalProperties": false})
}

fn schema_of(key: &ConfigKey) -> Value {
    let mut text = json!({"type": "string"});
    if let Some(choices) = key.choices {
        text["enum"] = choices().into();
    }
    match key.name {
        "policy" => text["examples"] = policy_names().into(),
        "alarms" => text["examples"] = alarm_examples().into(),
        _ => {}
    }
    let mut value = match key.kind {
        SettingKind::Flag => json!({"type": "boolean"}),
        SettingKind::Number => json!({"type": "number"}),
        SettingKind::Text => text,
        SettingKind::List => json!({"anyOf": [text, {"type": "array", "items": text}]}),
    };
    value["description"] = key.about.into();
    value
}

/// The settings as a table for the documents.
#[must_use]
pub fn markdown() -> String {
    let mut text = String::from("| key | example | what it does |\n|---|---|---|\n");
    for key in CONFIG_KEYS {
        let _ = writeln!(text, "| `{}` | `{}` | {} |", key.name, key.example, about(key));
    }
    for (name, example, about) in ALARM_KEYS {
        let _ = writeln!(text, "| `{name}` in `[[alarm]]` | `{example}` | {about} |");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::super::reader::read_text;
    use super::super::values::ConfigValues;
    use super::*;
    use crate::app::keymap::remap::remapped;
    use crate::app::setup::ThemeName;
    use crate::shell::config_file::save::edited;
    use crate::shell::config_file::value::SettingValue;
    use crate::units::Millis;
    use std::path::Path;

    /// The template with every setting switched on.
    fn switched_on() -> String {
        let text = template();
        let lines = text.lines().map(|line| {
            let setting = line.strip_prefix("# ").filter(|rest| {
                rest.starts_with('[') && !rest.contains(' ')
                    || rest.split_once(" = ").is_some_and(|(name, _)| {
                        name.chars().all(|c| c.is_ascii_lowercase() || c == '_' || c == '-')
                    })
            });
            setting.unwrap_or(line).to_owned() + "\n"
        });
        lines.collect()
    }

    #[test]
    fn the_template_is_valid_as_it_is_and_with_every_setting_on() {
        let read = |text: &str| {
            let mut config = ConfigValues::default();
            let found = read_text(text, Path::new("/nonexistent/config.toml"), &mut config);
            (config, found)
        };
        let (config, found) = read(&template());
        assert!(found.errors.is_empty() && found.unknown.is_empty(), "{found:?}");
        assert!(config.theme.is_none() && config.rebindings.is_empty(), "all comments");
        let (config, found) = read(&switched_on());
        assert!(found.errors.is_empty() && found.unknown.is_empty(), "{found:?}");
        let trusted = CONFIG_KEYS.iter().filter(|key| key.is_trusted).count();
        assert_eq!(found.untrusted.len(), trusted + 1, "and the command of an alarm");
        assert!(config.theme.is_some() && config.columns.is_some() && config.ring.is_some());
        let actions = KeyGroup::Views.actions().len() + KeyGroup::Pages.actions().len();
        assert_eq!(config.rebindings.len(), actions);
        assert_eq!(config.colours.len(), ROLES.len());
        let keys = remapped(config.preset, &config.rebindings);
        assert!(keys.is_ok(), "keys that stay as they are conflict with nothing: {:?}", keys.err());
        for rebinding in &config.rebindings {
            let keys = remapped(config.preset, std::slice::from_ref(rebinding));
            assert!(keys.is_ok(), "{rebinding:?}: {:?}", keys.err());
        }
    }

    /// A table in the middle of it would take the settings that are switched on below it later.
    #[test]
    fn the_template_stays_whole_where_settings_are_saved_in_it() {
        let read = |text: &str| {
            let mut config = ConfigValues::default();
            let found = read_text(text, Path::new("/nonexistent/config.toml"), &mut config);
            assert!(found.errors.is_empty() && found.unknown.is_empty(), "{found:?}");
            config
        };
        let text = |text: &str| SettingValue::Text(text.to_owned());
        let (preset, theme) = (("keys.preset", text("vim")), ("theme", text("light")));
        let at_once = edited(&template(), &[theme.clone(), preset.clone()]).expect("saved");
        let first = edited(&template(), std::slice::from_ref(&preset)).expect("saved");
        let in_turn = edited(&first, &[theme]).expect("saved");
        assert_eq!(at_once, in_turn);
        let rest = at_once.strip_prefix(&template()).expect("the template is unchanged");
        assert_eq!(rest, "\ntheme = \"light\"\n\n[keys]\npreset = \"vim\"\n");
        assert_eq!(read(&at_once).theme, Some(ThemeName::Light));
        let later = at_once.replace("# delay = 2.0", "delay = 5.0");
        let later = read(&later);
        assert_eq!((later.delay, later.preset), (Some(Millis(5000)), KeyPreset::Vim));
        // Nor where a setting above is switched on already.
        let on = template().replace("# mouse = true", "mouse = true");
        let saved = edited(&on, &[preset]).expect("saved").replace("# delay = 2.0", "delay = 5.0");
        let config = read(&saved);
        assert_eq!((config.delay, config.preset), (Some(Millis(5000)), KeyPreset::Vim));
    }

    #[test]
    fn the_schema_knows_every_setting_of_the_template() {
        let schema: Value = serde_json::from_str(&schema()).expect("JSON");
        let document: toml::Table = switched_on().parse().expect("TOML");
        fn check(table: &toml::Table, schema: &Value, path: &str) {
            for (name, value) in table {
                let known = &schema["properties"][name];
                assert!(known.is_object(), "{path}{name}");
                match value {
                    toml::Value::Table(inner) => check(inner, known, &format!("{path}{name}.")),
                    toml::Value::Array(rows) => {
                        for row in rows.iter().filter_map(toml::Value::as_table) {
                            check(row, &known["items"], &format!("{path}{name}."));
                        }
                    }
                    _ => {}
                }
            }
        }
        check(&document, &schema, "");
    }
}
