//! The settings of the screen as they are saved: only those that were changed in this session.

use std::path::PathBuf;

use crate::app::HeaderLevel;
use crate::app::keymap::bindings::Keymap;
use crate::app::keymap::presets::KeyPreset;
use crate::app::keymap::remap::Rebinding;
use crate::app::setup::KeySettings;
use crate::app::{App, NoticeLevel};
use crate::columns::SizeUnit;
use crate::shell::config_file::SYSTEM;
use crate::shell::config_file::save::{SavedCheck, save};
use crate::shell::config_file::value::SettingValue;
use crate::ui::paint::theme::palette::RoleColour;

/// What the settings files say about the screen, beside what is a flag as well.
#[derive(Clone, Default)]
pub(crate) struct ScreenSettings {
    /// How much of the header is shown.
    pub(crate) header: Option<HeaderLevel>,
    /// The unit of the table.
    pub(crate) units: Option<SizeUnit>,
    /// The unit of the header.
    pub(crate) header_units: Option<SizeUnit>,
    /// Colours of single roles.
    pub(crate) colours: Vec<RoleColour>,
    /// The set of keys.
    pub(crate) preset: KeyPreset,
    /// What the user changed in it.
    pub(crate) rebindings: Vec<Rebinding>,
    /// The keys in force.
    pub(crate) keys: Keymap,
    /// The file that settings are saved in; `None` where no home directory is known.
    pub(crate) file: Option<PathBuf>,
    /// Whether a file can be read as it is saved.
    pub(crate) check: SavedCheck,
    /// No file may be written.
    pub(crate) forbids_writing: bool,
    /// What was ignored in the files.
    pub(crate) warnings: Vec<String>,
}

impl ScreenSettings {
    /// Sets what the app starts with.
    pub(super) fn apply(&self, app: &mut App) {
        app.display.header = self.header.unwrap_or_default();
        app.display.scale = self.units.unwrap_or_default();
        app.display.header_scale = self.header_units.unwrap_or_default();
        app.keys = self.keys;
        app.settings.keys = KeySettings { preset: self.preset, own: self.rebindings.clone() };
    }
}

/// Saves what the user changes on the screen.
pub(super) struct SettingsSaver {
    file: Option<PathBuf>,
    check: SavedCheck,
    /// Why no file may be written.
    pub(super) forbidden: Option<String>,
    saved: Vec<Setting>,
}

/// A setting and its value.
type Setting = (&'static str, SettingValue);

impl SettingsSaver {
    /// What the screen shows now counts as saved.
    pub(super) fn new(settings: &ScreenSettings, app: &App) -> Self {
        let forbidden = settings
            .forbids_writing
            .then(|| format!("read_only = true in {SYSTEM} forbids writing files"));
        let (file, check) = (settings.file.clone(), settings.check);
        Self { file, check, forbidden, saved: current(app) }
    }

    /// Saves what was changed since the start or the last time. Returns what to tell the user.
    pub(super) fn save(&mut self, app: &App) -> (NoticeLevel, String) {
        if let Some(why) = &self.forbidden {
            return (NoticeLevel::Warn, why.clone());
        }
        let Some(file) = &self.file else {
            let text = "no home directory is known: set HOME, or start with --config FILE";
            return (NoticeLevel::Warn, text.to_owned());
        };
        let now = current(app);
        let changed: Vec<Setting> =
            now.iter().filter(|setting| !self.saved.contains(setting)).cloned().collect();
        if changed.is_empty() {
            return (NoticeLevel::Plain, "nothing was changed: nothing was saved".to_owned());
        }
        match save(file, &changed, self.check) {
            Ok(()) => {
                let names: Vec<&str> = changed.iter().map(|(name, _)| *name).collect();
                self.saved = now;
                (NoticeLevel::Good, format!("saved {} in {}", names.join(", "), file.display()))
            }
            Err(why) => (NoticeLevel::Warn, why),
        }
    }
}

/// The settings of the screen now.
fn current(app: &App) -> Vec<Setting> {
    let text = |text: &str| SettingValue::Text(text.to_owned());
    let sort = app.table.settings.sort;
    let reversed = if sort.descending == sort.column.descending { "" } else { "-" };
    let (alarms, bell) = app.refresh.alarms.settings();
    let mut settings = vec![
        ("theme", text(app.display.theme.name())),
        ("mouse", SettingValue::Flag(app.display.mouse)),
        ("header", text(app.display.header.name())),
        ("units", text(app.display.scale.word())),
        ("header_units", text(app.display.header_scale.word())),
        ("sort", text(&format!("{reversed}{}", sort.column.id))),
        ("delay", SettingValue::Number(app.settings.delay.0 as f64 / 1000.0)),
        ("alarms", SettingValue::List(alarms)),
        ("bell", SettingValue::Flag(bell)),
        ("keys.preset", text(app.settings.keys.preset.name())),
    ];
    // A file without a column would not be read.
    if let Some(columns) = app.chosen_columns().filter(|columns| !columns.is_empty()) {
        let ids = columns.iter().map(|column| column.id.to_owned()).collect();
        settings.push(("columns", SettingValue::List(ids)));
    }
    settings
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::keymap::bindings::{Key, KeyCode};
    use crate::app::{ActingMode, Msg, Request, Setup};
    use crate::model::{ProcId, Scope};
    use crate::policy;
    use crate::rows::filter::Filter;
    use crate::units::Millis;

    fn app() -> App {
        App::new(Setup {
            own: ProcId::default(),
            acting: ActingMode::NotReal,
            policy: &policy::LINUX,
            scope: Scope::Auto,
            columns: None,
            filter: Filter::default(),
            sort: None,
            delay: Millis(2000),
            utc_offset: 0,
            live: false,
        })
    }

    fn press(app: &mut App, keys: &[Key]) -> Vec<Request> {
        keys.iter().flat_map(|key| app.update(Msg::Key(*key, Millis(0)))).collect()
    }

    #[test]
    fn only_what_was_changed_is_saved_and_only_by_the_line_of_setup() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("doomtop/config.toml");
        let settings = ScreenSettings { file: Some(file.clone()), ..ScreenSettings::default() };
        let mut app = app();
        let mut saver = SettingsSaver::new(&settings, &app);
        let (f2, down) = (Key::plain(KeyCode::F(2)), KeyCode::Down);
        // The first column moves down; then the theme is chosen in its own list.
        press(&mut app, &[f2, Key::char('>'), Key::char(' '), Key::plain(KeyCode::Esc)]);
        let keys = [Key::alt('t'), Key::plain(down), Key::plain(KeyCode::Enter)];
        assert!(press(&mut app, &keys).is_empty(), "nothing is written unasked");
        let home = Key::plain(KeyCode::Home);
        let asked = press(&mut app, &[f2, home, Key::plain(KeyCode::Enter)]);
        assert_eq!(asked, [Request::SaveSettings]);
        assert!(!file.exists());
        let (level, text) = saver.save(&app);
        assert_eq!(level, NoticeLevel::Good, "{text}");
        let text = std::fs::read_to_string(&file).expect("saved");
        assert!(text.starts_with("theme = \"dark\"\ncolumns = [\"pid\", "), "{text}");
        assert_eq!(text.lines().count(), 2, "{text}");
        assert!(!text.contains("\"rank\""), "it was switched off: {text}");
        assert_eq!(saver.save(&app).0, NoticeLevel::Plain, "nothing is left to save");
        // A set of keys is chosen in a list, and followed at once.
        let list = [f2, home, Key::plain(down), Key::plain(KeyCode::Enter)];
        press(&mut app, &list);
        press(&mut app, &[Key::plain(down), Key::plain(KeyCode::Enter)]);
        assert_eq!(app.settings.keys.preset, KeyPreset::Vim);
        let (_, text) = saver.save(&app);
        assert!(text.starts_with("saved keys.preset in"), "{text}");
    }

    #[test]
    fn the_last_column_stays_and_what_cannot_be_read_is_not_saved() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("config.toml");
        let settings = ScreenSettings {
            file: Some(file.clone()),
            check: SavedCheck(|text, _| Err(format!("bad: {}", text.trim_end()))),
            ..ScreenSettings::default()
        };
        let mut app = app();
        app.settings.columns = Some(crate::columns::column("pid").into_iter().collect());
        let mut saver = SettingsSaver::new(&settings, &app);
        let f2 = Key::plain(KeyCode::F(2));
        press(&mut app, &[f2, Key::char(' '), Key::plain(KeyCode::Esc)]);
        let left = app.chosen_columns().unwrap_or_default();
        assert_eq!(left.iter().map(|it| it.id).collect::<Vec<_>>(), ["pid"]);
        let notice = app.display.notice.as_ref().map(|it| it.text.as_str());
        assert_eq!(notice, Some("the last column stays: show another one first"));
        // Another one, and then the first can go.
        let keys = [f2, Key::plain(KeyCode::Down), Key::char(' '), Key::plain(KeyCode::Up)];
        press(&mut app, &keys);
        press(&mut app, &[Key::char(' '), Key::plain(KeyCode::Esc)]);
        let left = app.chosen_columns().unwrap_or_default();
        assert_eq!(left.iter().map(|it| it.id).collect::<Vec<_>>(), ["rank"]);
        let (level, text) = saver.save(&app);
        assert_eq!(level, NoticeLevel::Warn);
        assert_eq!(text, "not saved: bad: columns = [\"rank\"]");
        assert!(!file.exists());
        app.settings.columns = Some(Vec::new());
        app.table.switched.clear();
        assert!(current(&app).iter().all(|(name, _)| *name != "columns"));
    }

    #[test]
    fn the_machine_may_forbid_it() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("config.toml");
        let settings = ScreenSettings {
            file: Some(file.clone()),
            forbids_writing: true,
            ..ScreenSettings::default()
        };
        let mut app = app();
        let mut saver = SettingsSaver::new(&settings, &app);
        press(&mut app, &[Key::alt('t'), Key::plain(KeyCode::Down), Key::plain(KeyCode::Enter)]);
        let (level, text) = saver.save(&app);
        assert!(level == NoticeLevel::Warn && text.contains("/etc/doomtop"), "{text}");
        assert!(!file.exists());
    }
}
