//! The table of settings. The template, the schema, the manual page, the documents and the check are made from it.

use std::path::{Path, PathBuf};

use super::values::ConfigValues;
use crate::alarm::{Alarm, QUANTITIES};
use crate::app::HeaderLevel;
use crate::app::keymap::presets::KeyPreset;
use crate::app::setup::ThemeName;
use crate::columns::{COLUMNS, SizeUnit};
use crate::policy::{PATTERNS, POLICIES};
use crate::shell::command::arg::{self, PolicyArg, SamplerArg};
pub use crate::shell::config_file::value::SettingValue;

/// What a setting is in TOML.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SettingKind {
    /// `true` or `false`.
    Flag,
    /// A number.
    Number,
    /// A string.
    Text,
    /// A list of strings, or one string.
    List,
}

impl SettingKind {
    /// What it must be, for an error.
    #[must_use]
    pub const fn wanted(self) -> &'static str {
        match self {
            Self::Flag => "true or false",
            Self::Number => "a number",
            Self::Text => "a string in quotes",
            Self::List => "a list of strings",
        }
    }
}

/// A setting.
pub struct ConfigKey {
    /// Its name.
    pub name: &'static str,
    /// What it is.
    pub kind: SettingKind,
    /// An example, as it is written in the file; the default where there is one.
    pub example: &'static str,
    /// What it does, in one line.
    pub about: &'static str,
    /// The values that a string, or a string of a list, may have; all where there are none.
    pub choices: Option<fn() -> Vec<String>>,
    /// Whether it runs a command or changes processes: it is only taken from a file that nobody else can write.
    pub is_trusted: bool,
    /// Takes it. The path is that of the file, which relative paths begin at.
    pub take: fn(&mut ConfigValues, &SettingValue, &Path) -> Result<(), String>,
}

const ROW: ConfigKey = ConfigKey {
    name: "",
    kind: SettingKind::Flag,
    example: "false",
    about: "",
    choices: None,
    is_trusted: false,
    take: |_, _, _| Ok(()),
};

/// Every setting outside of tables, in the order of the template.
pub const CONFIG_KEYS: &[ConfigKey] = &[
    ConfigKey {
        name: "theme",
        kind: SettingKind::Text,
        example: "\"default\"",
        about: "the colours of the screen",
        choices: Some(|| ThemeName::ALL.map(|it| it.name().to_owned()).into()),
        take: |config, value, _| {
            config.theme = Some(arg::theme(value.text())?);
            Ok(())
        },
        ..ROW
    },
    ConfigKey {
        name: "columns",
        kind: SettingKind::List,
        example: "[\"rank\", \"pid\", \"user\", \"badness\", \"oom_score_adj\", \"rss\", \"command\"]",
        about: "the columns of the screen and of -b, in this order; the default shows those that fit the width",
        choices: Some(column_ids),
        take: |config, value, _| {
            if value.list().is_empty() {
                return Err("needs at least one column".to_owned());
            }
            config.columns = Some(arg::columns(&value.list().join(","))?.0);
            Ok(())
        },
        ..ROW
    },
    ConfigKey {
        name: "sort",
        kind: SettingKind::Text,
        example: "\"badness\"",
        about: "the column that the screen and -b are sorted by; a - before it reverses the order",
        choices: Some(|| {
            column_ids().into_iter().flat_map(|id| [id.clone(), format!("-{id}")]).collect()
        }),
        take: |config, value, _| {
            config.sort = Some(arg::sort(value.text())?.0);
            Ok(())
        },
        ..ROW
    },
    ConfigKey {
        name: "delay",
        kind: SettingKind::Number,
        example: "2.0",
        about: "seconds between refreshes",
        take: |config, value, _| {
            let SettingValue::Number(seconds) = value else { return Ok(()) };
            config.delay = Some(arg::delay(&seconds.to_string())?);
            Ok(())
        },
        ..ROW
    },
    ConfigKey {
        name: "units",
        kind: SettingKind::Text,
        example: "\"auto\"",
        about: "the unit of sizes in the table",
        choices: Some(unit_names),
        take: |config, value, _| {
            config.units = Some(unit(value.text())?);
            Ok(())
        },
        ..ROW
    },
    ConfigKey {
        name: "header_units",
        kind: SettingKind::Text,
        example: "\"auto\"",
        about: "the unit of sizes in the header",
        choices: Some(unit_names),
        take: |config, value, _| {
            config.header_units = Some(unit(value.text())?);
            Ok(())
        },
        ..ROW
    },
    ConfigKey {
        name: "header",
        kind: SettingKind::Text,
        example: "\"full\"",
        about: "how much of the header is shown",
        choices: Some(|| HeaderLevel::ALL.map(|it| it.name().to_owned()).into()),
        take: |config, value, _| {
            let found = HeaderLevel::ALL.into_iter().find(|it| it.name() == value.text());
            config.header = Some(found.ok_or("expected full, small, line or off")?);
            Ok(())
        },
        ..ROW
    },
    ConfigKey {
        name: "mouse",
        example: "true",
        about: "use the mouse; false leaves it to the terminal",
        take: |config, value, _| {
            config.mouse = Some(value.flag());
            Ok(())
        },
        ..ROW
    },
    ConfigKey {
        name: "ascii",
        about: "draw with ASCII only; the default follows the locale",
        take: |config, value, _| {
            config.ascii = Some(value.flag());
            Ok(())
        },
        ..ROW
    },
    ConfigKey {
        name: "keep_screen",
        about: "leave the last screen on the terminal at the end",
        take: |config, value, _| {
            config.keep_screen = Some(value.flag());
            Ok(())
        },
        ..ROW
    },
    ConfigKey {
        name: "policy",
        kind: SettingKind::Text,
        example: "\"linux\"",
        about: "the policy that ranks; site:FILE is a rule of your own",
        choices: None,
        take: |config, value, file| {
            config.policy = Some(match arg::policy(value.text())? {
                PolicyArg::Site(path) => PolicyArg::Site(beside(file, &path)),
                known => known,
            });
            Ok(())
        },
        ..ROW
    },
    ConfigKey {
        name: "scope",
        kind: SettingKind::Text,
        example: "\"auto\"",
        about: "the domain that runs out of memory: auto, global, the path of a memory cgroup, or nodes:LIST",
        take: |config, value, _| {
            config.scope = Some(arg::scope(value.text())?);
            Ok(())
        },
        ..ROW
    },
    ConfigKey {
        name: "sampler",
        kind: SettingKind::Text,
        example: "\"auto\"",
        about: "how the processes are read",
        choices: Some(|| ["auto", "bpf", "proc"].map(str::to_owned).into()),
        take: |config, value, _| {
            config.sampler = Some(match value.text() {
                "auto" => SamplerArg::Auto,
                "bpf" => SamplerArg::Bpf,
                "proc" => SamplerArg::Proc,
                _ => return Err("expected auto, bpf or proc".to_owned()),
            });
            Ok(())
        },
        ..ROW
    },
    ConfigKey {
        name: "relax",
        about: "sample less often while nothing happens",
        take: |config, value, _| {
            config.relax = Some(value.flag());
            Ok(())
        },
        ..ROW
    },
    ConfigKey {
        name: "ring",
        kind: SettingKind::Text,
        example: "\"15m\"",
        about: "keep this much of the past, and write it to a file in the working directory after each burst of kills",
        take: |config, value, _| {
            config.ring = Some(arg::span(value.text())?);
            Ok(())
        },
        ..ROW
    },
    ConfigKey {
        name: "alarms",
        kind: SettingKind::List,
        example: "[\"psi-some>20%\", \"death<60s\"]",
        about: "raise an alarm when a value crosses a threshold",
        take: |config, value, _| {
            let alarms = value.list().iter().map(|text| Alarm::parse(text));
            let alarms: Vec<Alarm> = alarms.collect::<Result<_, _>>()?;
            config.alarms = Some(alarms);
            Ok(())
        },
        ..ROW
    },
    ConfigKey {
        name: "bell",
        about: "ring the terminal's bell for an alarm",
        take: |config, value, _| {
            config.bell = Some(value.flag());
            Ok(())
        },
        ..ROW
    },
    ConfigKey {
        name: "on_alarm",
        kind: SettingKind::Text,
        example: "\"logger -t doomtop \\\"$DOOMTOP_ALARM\\\"\"",
        about: "the command that an alarm runs (sh -c)",
        is_trusted: true,
        take: |config, value, _| {
            config.on_alarm = Some(value.text().to_owned()).filter(|text| !text.is_empty());
            Ok(())
        },
        ..ROW
    },
    ConfigKey {
        name: "adj_rules",
        kind: SettingKind::Text,
        example: "\"adj-rules.toml\"",
        about: "the file of adj rules, a dry run until you switch them on; a relative path begins at this file",
        is_trusted: true,
        take: |config, value, file| {
            config.adj_rules = Some(beside(file, Path::new(value.text())));
            Ok(())
        },
        ..ROW
    },
    ConfigKey {
        name: "read_only",
        about: "never change or signal anything; in /etc/doomtop/config.toml it also forbids writing files and \
                running commands of alarms, and nothing lifts it",
        take: |config, value, file| {
            config.read_only |= value.flag();
            config.forbids_writing |=
                value.flag() && file == Path::new(crate::shell::config_file::SYSTEM);
            Ok(())
        },
        ..ROW
    },
];

/// The keys of an alarm with a command of its own, a table `[[alarm]]`: name, example, what it is.
pub const ALARM_KEYS: [(&str, &str, &str); 2] = [
    ("when", "\"death<60s\"", "the alarm, as in alarms"),
    (
        "run",
        "\"systemctl stop batch.slice\"",
        "the command that it runs (sh -c), in place of on_alarm. Taken only from a file that nobody else can write",
    ),
];

/// The name of the key for the set of keys.
pub const PRESET: &str = "preset";

/// The names of the presets.
#[must_use]
pub fn preset_names() -> Vec<String> {
    KeyPreset::ALL.map(|preset| preset.name().to_owned()).into()
}

/// The names of the columns.
#[must_use]
pub fn column_ids() -> Vec<String> {
    COLUMNS.iter().map(|column| column.id.to_owned()).collect()
}

/// The names of the policies, and the patterns of those with a name in them.
#[must_use]
pub fn policy_names() -> Vec<String> {
    let patterns = PATTERNS.iter().map(|(pattern, _)| (*pattern).to_owned());
    POLICIES.iter().map(|policy| policy.id().to_owned()).chain(patterns).collect()
}

/// An example of each alarm.
#[must_use]
pub fn alarm_examples() -> Vec<String> {
    QUANTITIES.iter().map(|row| row.example.to_owned()).collect()
}

fn unit_names() -> Vec<String> {
    SizeUnit::ALL.map(|unit| unit.word().to_owned()).into()
}

fn unit(text: &str) -> Result<SizeUnit, String> {
    let found = SizeUnit::ALL.into_iter().find(|unit| unit.word().eq_ignore_ascii_case(text));
    found.ok_or_else(|| format!("the units are {}", unit_names().join(", ")))
}

/// A path that a file names: relative to it, or below the home directory.
fn beside(file: &Path, path: &Path) -> PathBuf {
    if let Ok(rest) = path.strip_prefix("~")
        && let Some(home) = std::env::var_os("HOME")
    {
        return Path::new(&home).join(rest);
    }
    file.parent().unwrap_or(Path::new("")).join(path)
}
