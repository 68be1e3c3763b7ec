//! The settings in force, from the files of the configuration.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

use crate::alarm::Alarm;
use crate::app::HeaderLevel;
use crate::app::keymap::bindings::Keymap;
use crate::app::keymap::presets::KeyPreset;
use crate::app::keymap::remap::Rebinding;
use crate::app::setup::ThemeName;
use crate::columns::{Column, SizeUnit};
use crate::model::Scope;
use crate::rows::arrange::Sort;
use crate::shell::command::arg::{PolicyArg, SamplerArg};
use crate::ui::paint::theme::palette::RoleColour;
use crate::units::Millis;

/// What the files say; nothing where they do not say it.
#[derive(Clone, Default)]
pub struct ConfigValues {
    /// Columns of the table, in their order.
    pub columns: Option<Vec<&'static Column>>,
    /// The order of the table.
    pub sort: Option<Sort>,
    /// The colours.
    pub theme: Option<ThemeName>,
    /// Colours of single roles, in place of those of the theme.
    pub colours: Vec<RoleColour>,
    /// Time between refreshes.
    pub delay: Option<Millis>,
    /// The unit of the table.
    pub units: Option<SizeUnit>,
    /// The unit of the header.
    pub header_units: Option<SizeUnit>,
    /// How much of the header is shown.
    pub header: Option<HeaderLevel>,
    /// Whether the mouse is used.
    pub mouse: Option<bool>,
    /// Draw with ASCII only.
    pub ascii: Option<bool>,
    /// Leave the last screen on the terminal.
    pub keep_screen: Option<bool>,
    /// The alarms.
    pub alarms: Option<Vec<Alarm>>,
    /// An alarm rings the bell.
    pub bell: Option<bool>,
    /// The command that an alarm runs.
    pub on_alarm: Option<String>,
    /// The commands of single alarms, by the alarm as doomtop writes it.
    pub alarm_commands: Vec<(String, String)>,
    /// The file of adj rules.
    pub adj_rules: Option<PathBuf>,
    /// The policy that ranks.
    pub policy: Option<PolicyArg>,
    /// The domain that is ranked.
    pub scope: Option<Scope>,
    /// Sample less often while nothing happens.
    pub relax: Option<bool>,
    /// How much of the past is kept.
    pub ring: Option<Millis>,
    /// How the processes are read.
    pub sampler: Option<SamplerArg>,
    /// Never change or signal anything.
    pub read_only: bool,
    /// The system-wide settings file forbids acting and writing files.
    pub forbids_writing: bool,
    /// The set of keys.
    pub preset: KeyPreset,
    /// Keys that the user chose.
    pub rebindings: Vec<Rebinding>,
    /// The keys in force.
    pub keys: Keymap,
    /// The files that were read, in their order.
    pub files: Vec<PathBuf>,
    /// Where the settings stand that name a file or a domain, as `file:line:column`.
    pub places: BTreeMap<&'static str, String>,
    /// What was ignored, or not understood: one line each.
    pub warnings: Vec<String>,
}

impl fmt::Debug for ConfigValues {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ConfigValues").field("files", &self.files).finish_non_exhaustive()
    }
}
