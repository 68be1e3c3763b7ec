//! Setup: the colours, the keys, the alarms, the mouse, the columns and their order. Only its last line writes
//! anything.

use crate::app::App;
use crate::app::dialog::menu::{Menu, MenuChoice, MenuItem};
use crate::app::keymap::bindings::Action;
use crate::app::keymap::presets::KeyPreset;
use crate::app::keymap::remap::remapped;
use crate::app::mode::Mode;
use crate::app::session::notice::NoticeLevel;
use crate::app::setup::ThemeName;
use crate::columns::{COLUMNS, Column, column};

impl App {
    pub(crate) fn open_column_menu(&mut self) {
        let shown = self.columns();
        // First those that the user put in an order.
        let chosen: &[&'static Column] = self.settings.columns.as_deref().unwrap_or_default();
        let others = COLUMNS.iter().filter(|it| !chosen.iter().any(|other| other.id == it.id));
        let items = chosen.iter().copied().chain(others).map(|column| MenuItem {
            label: column.id.to_owned(),
            hint: column.about.to_owned(),
            on: shown.iter().any(|other| other.id == column.id),
            choice: MenuChoice::Column(column.id),
        });
        let keyed = |action: Action, about: String| {
            let key = self.key_name(action);
            format!("{key}: {about}")
        };
        let alarms = match self.refresh.alarms.count() {
            0 => "none set".to_owned(),
            count => format!("{count} set"),
        };
        let item = |label: &str, hint: String, on: bool, choice: MenuChoice| MenuItem {
            label: label.to_owned(),
            hint,
            on,
            choice,
        };
        let theme = keyed(Action::ThemeMenu, format!("now {}", self.display.theme.name()));
        let mouse = keyed(Action::Mouse, "wheel and clicks".to_owned());
        let keys = format!("now {}", self.settings.keys.preset.name());
        let save = "write the changes to the settings file".to_owned();
        let other = [
            item("Save", save, false, MenuChoice::SaveSettings),
            item("keys", keys, false, MenuChoice::Presets),
            item(
                "alarms",
                keyed(Action::AlarmsPage, alarms),
                false,
                MenuChoice::Act(Action::AlarmsPage),
            ),
            item("theme", theme, false, MenuChoice::Act(Action::ThemeMenu)),
            item("mouse", mouse, self.display.mouse, MenuChoice::Act(Action::Mouse)),
        ];
        let first = other.len();
        let title = "Setup: Space shows or hides a column, < > move it, Enter opens a list";
        let mut menu = Menu::new(title, other.into_iter().chain(items).collect());
        menu.toggles = true;
        menu.at = first;
        self.mode = Mode::Menu(menu);
    }

    pub(crate) fn open_theme_menu(&mut self) {
        let now = self.display.theme;
        let items = ThemeName::ALL.map(|theme| MenuItem {
            label: theme.name().to_owned(),
            hint: theme.about().to_owned(),
            on: theme == now,
            choice: MenuChoice::Theme(theme),
        });
        let mut menu = Menu::new("Theme", items.into());
        menu.theme_before = Some(now);
        self.mode = Mode::Menu(menu);
    }

    /// Shows the theme under the cursor of its menu.
    pub(crate) fn preview_theme(&mut self) {
        if let Mode::Menu(menu) = &self.mode
            && let Some(MenuChoice::Theme(theme)) = menu.chosen().map(|item| &item.choice)
        {
            self.display.theme = *theme;
        }
    }

    /// Leaves a menu without a choice.
    pub(crate) fn close_menu(&mut self) {
        if let Mode::Menu(menu) = &self.mode
            && let Some(theme) = menu.theme_before
        {
            self.display.theme = theme;
        }
        self.mode = Mode::Browse;
    }

    pub(crate) fn open_preset_menu(&mut self) {
        let now = self.settings.keys.preset;
        let items = KeyPreset::ALL.map(|preset| MenuItem {
            label: preset.name().to_owned(),
            hint: preset.about().to_owned(),
            on: preset == now,
            choice: MenuChoice::Preset(preset),
        });
        self.mode = Mode::Menu(Menu::new("Keys", items.into()));
    }

    /// Uses a set of keys, with those that the user chose over it.
    pub(crate) fn choose_preset(&mut self, preset: KeyPreset) {
        match remapped(preset, &self.settings.keys.own) {
            Ok(keys) => {
                self.keys = keys;
                self.settings.keys.preset = preset;
                let help = self.key_name(Action::Help);
                self.say(NoticeLevel::Plain, format!("keys: {}; {help} lists them", preset.name()));
            }
            Err(conflicts) => {
                let why = conflicts.into_iter().next().unwrap_or_default();
                self.say(
                    NoticeLevel::Warn,
                    format!("preset not used, it conflicts with your [keys]: {why}"),
                );
            }
        }
    }

    /// Shows or hides a column, whatever the width. The menu stays open.
    pub(crate) fn toggle(&mut self) {
        let Mode::Menu(menu) = &mut self.mode else { return };
        let at = menu.at;
        let shown = |item: &&MenuItem| item.on && matches!(item.choice, MenuChoice::Column(_));
        let left = menu.items.iter().filter(shown).count();
        let Some(item) = menu.items.get_mut(at) else { return };
        let id = match item.choice {
            MenuChoice::Column(id) => id,
            MenuChoice::Act(Action::Mouse) => {
                item.on = !item.on;
                self.display_action(Action::Mouse);
                return;
            }
            _ => return,
        };
        if item.on && left == 1 {
            self.say(NoticeLevel::Warn, "the last column stays: show another one first");
            return;
        }
        item.on = !item.on;
        let on = item.on;
        if let Some(column) = column(id) {
            self.table.switched.retain(|(other, _)| other.id != id);
            self.table.switched.push((column, on));
        }
    }

    /// Moves the column under the cursor by one place among those of the menu. From then on the columns are those
    /// that are switched on, in the order of the menu.
    pub(crate) fn move_column(&mut self, by: isize) {
        let Mode::Menu(menu) = &mut self.mode else { return };
        let is_column = |item: Option<&MenuItem>| {
            item.is_some_and(|item| matches!(item.choice, MenuChoice::Column(_)))
        };
        let Some(to) = menu.at.checked_add_signed(by) else { return };
        if !is_column(menu.items.get(menu.at)) || !is_column(menu.items.get(to)) {
            return;
        }
        menu.items.swap(menu.at, to);
        menu.at = to;
        let on = menu.items.iter().filter(|item| item.on).filter_map(|item| match item.choice {
            MenuChoice::Column(id) => column(id),
            _ => None,
        });
        self.settings.columns = Some(on.collect());
        self.table.switched.clear();
    }

    /// The columns that the user chose or switched, in their order; nothing where the width chooses them.
    #[must_use]
    pub fn chosen_columns(&self) -> Option<Vec<&'static Column>> {
        let switched = &self.table.switched;
        let mut columns = match &self.settings.columns {
            Some(columns) => columns.clone(),
            None if switched.is_empty() => return None,
            None => self.columns(),
        };
        columns.retain(|it| !switched.iter().any(|(other, on)| other.id == it.id && !on));
        for (column, on) in switched {
            if *on && !columns.iter().any(|it| it.id == column.id) {
                columns.push(column);
            }
        }
        Some(columns)
    }
}
