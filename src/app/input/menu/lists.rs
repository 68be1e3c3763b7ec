//! The menus, and what choosing a line does.

use crate::app::dialog::menu::{Menu, MenuChoice, MenuItem};
use crate::app::keymap::bindings::{Action, Key, KeyCode, KeyContext};
use crate::app::mode::Mode;
use crate::app::session::notice::NoticeLevel;
use crate::app::{App, Request};
use crate::columns::{COLUMNS, column};
use crate::model::Signal;
use crate::rows::arrange::Sort;
use crate::rows::size::parse_size;

/// What an action with a size begins with, in the palette.
const FITS: &str = "fits ";

impl App {
    pub(crate) fn open_sort_menu(&mut self) {
        let now = self.table.settings.sort.column.id;
        let items = COLUMNS.iter().map(|column| MenuItem {
            label: column.id.to_owned(),
            hint: column.about.to_owned(),
            on: column.id == now,
            choice: MenuChoice::Sort(column.id),
        });
        let mut menu = Menu::new("Sort by", items.collect());
        menu.narrows = true;
        self.mode = Mode::Menu(menu);
    }

    pub(crate) fn open_user_menu(&mut self) {
        let Some(context) = self.context() else { return };
        let mut users: Vec<(String, usize)> = Vec::new();
        for process in &context.scene.now().processes {
            let Some(user) = context.user(process).value() else { continue };
            match users.iter_mut().find(|(name, _)| *name == user) {
                Some((_, count)) => *count += 1,
                None => users.push((user, 1)),
            }
        }
        users.sort();
        let all = MenuItem {
            label: "all users".to_owned(),
            hint: String::new(),
            on: self.table.settings.user.is_none(),
            choice: MenuChoice::User(None),
        };
        let each = users.into_iter().map(|(name, count)| MenuItem {
            hint: format!("{count} processes"),
            on: self.table.settings.user.as_ref() == Some(&name),
            choice: MenuChoice::User(Some(name.clone())),
            label: name,
        });
        let mut menu =
            Menu::new("Only the processes of", std::iter::once(all).chain(each).collect());
        menu.narrows = true;
        self.mode = Mode::Menu(menu);
    }

    pub(crate) fn open_signal_menu(&mut self) {
        let Some(process) = self.acting_target() else { return };
        let items = Signal::MENU.iter().map(|&(signal, about)| MenuItem {
            label: format!("{:2} {signal}", signal.0),
            hint: about.to_owned(),
            on: false,
            choice: MenuChoice::Signal(process.id, signal),
        });
        let cgroup = self.killable_cgroup(&process).map(|(path, count)| MenuItem {
            label: " 9 cgroup".to_owned(),
            hint: format!("kill all {count} of {path}, its whole cgroup"),
            on: false,
            choice: MenuChoice::KillCgroup(path),
        });
        let title = format!("Send to {} {}", process.id, process.comm);
        self.mode = Mode::Menu(Menu::new(title, items.chain(cgroup).collect()));
    }

    pub(crate) fn open_copy_menu(&mut self) {
        let Some(process) = self.selected() else {
            return self.say(NoticeLevel::Warn, "there is no process here to copy from");
        };
        let pid = process.id.pid;
        let adj = process.adj.value().unwrap_or_default().0;
        let name = process.comm.to_string();
        let line = self.names.command(process).unwrap_or(&name).to_owned();
        let item = |label: &str, text: String| MenuItem {
            label: label.to_owned(),
            hint: text.clone(),
            on: false,
            choice: MenuChoice::Copy(text),
        };
        let mut items = vec![item("pid", pid.to_string()), item("command line", line)];
        if !self.is_over() {
            items.push(item("adj command", format!("choom -p {pid} -n {adj}")));
        }
        self.mode = Mode::Menu(Menu::new("Copy", items));
    }

    pub(crate) fn open_palette(&mut self) {
        let place = self.view_context();
        let items = self.keys.keys_of(place).map(|row| {
            let keys: Vec<String> = row.keys.iter().map(Key::to_string).collect();
            MenuItem {
                label: row.help.to_owned(),
                hint: keys.join(" "),
                on: false,
                choice: MenuChoice::Act(row.action),
            }
        });
        let mut menu = Menu::new("Do", items.collect());
        menu.narrows = true;
        menu.commands = true;
        self.mode = Mode::Menu(menu);
    }

    pub(crate) fn menu_key(&mut self, key: Key) -> Vec<Request> {
        let page = isize::try_from(self.display.viewport.page.max(2) - 1).unwrap_or(1);
        let Mode::Menu(menu) = &mut self.mode else { return Vec::new() };
        let meaning = self.keys.meaning(KeyContext::Menu, key);
        match meaning {
            Some(Action::Up) => menu.step(-1),
            Some(Action::Down) => menu.step(1),
            Some(Action::PageUp) => menu.step(-page),
            Some(Action::PageDown) => menu.step(page),
            Some(Action::First) => menu.at = 0,
            Some(Action::Last) => menu.step(isize::MAX),
            Some(Action::Back) => self.close_menu(),
            Some(Action::Suspend) => return vec![Request::Suspend],
            Some(Action::Choose) => return self.choose(),
            Some(Action::Toggle) if menu.toggles => self.toggle(),
            Some(Action::NextPolicy) if menu.cycles_policies() => menu.cycle(),
            Some(Action::MoveEarlier) if menu.toggles => self.move_column(-1),
            Some(Action::MoveLater) if menu.toggles => self.move_column(1),
            _ => match key.code {
                KeyCode::Char(c) if menu.narrows && !key.ctrl && !key.alt => {
                    menu.typed.push(c);
                    menu.at = 0;
                }
                KeyCode::Backspace if menu.narrows => {
                    menu.typed.pop();
                    menu.at = 0;
                }
                // In a menu that is not narrowed, q closes as everywhere.
                KeyCode::Char('q') if !menu.narrows => self.close_menu(),
                _ => {}
            },
        }
        self.preview_theme();
        self.offer_command();
        Vec::new()
    }

    /// Offers the action with a value that is typed in the palette: `fits 2G`.
    fn offer_command(&mut self) {
        let Mode::Menu(menu) = &mut self.mode else { return };
        if !menu.commands {
            return;
        }
        let typed = menu.typed.clone();
        menu.items.retain(|item| !item.label.starts_with(FITS));
        let Some(size) = typed.strip_prefix(FITS).filter(|size| !size.is_empty()) else { return };
        let (hint, choice) = match parse_size(size) {
            Ok(size) => ("who would be killed for it?".to_owned(), MenuChoice::Fits(size)),
            Err(what) => (what, MenuChoice::AskFits(size.to_owned())),
        };
        menu.items.push(MenuItem { label: typed, hint, on: false, choice });
    }

    fn choose(&mut self) -> Vec<Request> {
        let Mode::Menu(menu) = &self.mode else { return Vec::new() };
        let chosen = menu.chosen().map(|item| item.choice.clone());
        self.mode = Mode::Browse;
        match chosen {
            Some(MenuChoice::Sort(id)) => {
                if let Some(column) = column(id) {
                    self.table.settings.sort = Sort { column, descending: column.descending };
                    self.arrange();
                }
            }
            Some(MenuChoice::User(user)) => {
                self.table.settings.user = user;
                self.arrange();
            }
            Some(MenuChoice::Signal(who, signal)) => self.open_signal(who, signal),
            Some(MenuChoice::KillCgroup(path)) => self.open_kill_cgroup(&path),
            Some(MenuChoice::Copy(text)) => return self.copy(text),
            Some(MenuChoice::Scope(scope)) => return self.set_scope(scope),
            Some(MenuChoice::Policy(id)) => return self.choose_policy(id),
            Some(MenuChoice::Theme(theme)) => self.display.theme = theme,
            Some(MenuChoice::Preset(preset)) => self.choose_preset(preset),
            Some(MenuChoice::Presets) => self.open_preset_menu(),
            Some(MenuChoice::SaveSettings) => return vec![Request::SaveSettings],
            Some(MenuChoice::Fits(size)) => return self.open_fits(size),
            Some(MenuChoice::AskFits(text)) => return self.ask_fits_again(text),
            Some(MenuChoice::Act(action)) => return self.view_action(action),
            Some(MenuChoice::Column(_)) | None => {}
        }
        Vec::new()
    }
}
