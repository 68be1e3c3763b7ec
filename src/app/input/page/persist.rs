//! Keys on the page that shows how to make a value persistent.

use tui_input::InputRequest;

use crate::app::input::prompt::line_edit;
use crate::app::keymap::bindings::{Action, Key, KeyCode, KeyContext};
use crate::app::keymap::press_time::KeyPress;
use crate::app::mode::Mode;
use crate::app::page::persist::PersistPage;
use crate::app::session::notice::NoticeLevel;
use crate::app::{App, Request};
use crate::model::{Process, Reading};
use crate::units::Adj;

impl App {
    /// Opens the page for the adj of the process under the cursor.
    pub(crate) fn open_persist(&mut self) -> Vec<Request> {
        if self.is_over() {
            self.say_past();
            return Vec::new();
        }
        let Some(process) = self.target() else { return Vec::new() };
        let Some(value) = process.adj.value() else {
            let text =
                format!("the oom_score_adj of {} {} cannot be read", process.id, process.comm);
            self.say(NoticeLevel::Warn, text);
            return Vec::new();
        };
        self.show_persist(&process, value)
    }

    /// Opens the page for the value in the editor. Closing it returns to the editor.
    pub(crate) fn persist_edited(&mut self) -> Vec<Request> {
        let Mode::Adjust(edit) = &self.mode else { return Vec::new() };
        let edit = edit.clone();
        let found = self.scene.as_ref().and_then(|scene| scene.find(edit.who)).cloned();
        let (Some(value), Some(process)) = (edit.value(), found) else {
            self.say(NoticeLevel::Warn, "there is no value, or the process is gone");
            return Vec::new();
        };
        let asked = self.show_persist(&process, value);
        if let Mode::Persist(page) = &mut self.mode {
            page.edit = Some(edit);
        }
        asked
    }

    pub(crate) fn show_persist(&mut self, process: &Process, value: Adj) -> Vec<Request> {
        let Some(scene) = &self.scene else { return Vec::new() };
        let command = self.names.command(process);
        self.mode = Mode::Persist(PersistPage::new(process, value, command, scene.now()));
        // On a narrow screen the samples did not contain cgroups.
        if process.cgroup == Reading::NotAsked { vec![Request::SampleNow] } else { Vec::new() }
    }

    /// Updates the page by a new sample.
    pub(crate) fn renew_persist(&mut self) {
        let (Mode::Persist(page), Some(scene)) = (&mut self.mode, &self.scene) else { return };
        if let Some(process) = scene.find(page.who) {
            page.renew(process, self.names.command(process), scene.now());
        }
    }

    pub(crate) fn persist_key(&mut self, key: Key, press: KeyPress) -> Vec<Request> {
        let rows = self.display.viewport.page;
        let Mode::Persist(page) = &mut self.mode else { return Vec::new() };
        if page.path.is_some() {
            return self.path_key(key, press);
        }
        let chosen = page.chosen().cloned();
        match self.keys.meaning(KeyContext::Persist, key) {
            Some(action) if action.step(rows).is_some() => {
                let by = action.step(rows).unwrap_or_default().clamp(-1000, 1000);
                let by = if matches!(action, Action::PageUp | Action::PageDown) {
                    by.signum()
                } else {
                    by
                };
                let last = page.methods.len().saturating_sub(1);
                page.at = page.at.saturating_add_signed(by).min(last);
            }
            Some(Action::Copy) => match chosen.filter(|method| !method.text.is_empty()) {
                Some(method) => {
                    let name = method.text.trim_end().replace('\n', " ");
                    return self.copy_named(method.text, &name);
                }
                None => self.say(NoticeLevel::Plain, "there is nothing to set here"),
            },
            Some(Action::Write) => match chosen.and_then(|method| method.place) {
                // The default is a file in the working directory.
                Some(place) => {
                    let name = place.rsplit('/').next().unwrap_or_default().to_owned();
                    page.path = Some(name.into());
                }
                None => self.say(NoticeLevel::Plain, "this one is not a file: y copies it"),
            },
            Some(Action::Back) => {
                let edit = page.edit.take();
                self.mode = Mode::Browse;
                if let Some(mut edit) = edit {
                    edit.shown = crate::app::keymap::press_time::ShownSince::default();
                    self.mode = Mode::Adjust(edit);
                    self.renew_preview();
                }
            }
            Some(Action::Quit) => return vec![Request::Quit { keep: false }],
            Some(Action::Suspend) => return vec![Request::Suspend],
            _ => {}
        }
        Vec::new()
    }

    /// Takes a key while a path is typed.
    fn path_key(&mut self, key: Key, press: KeyPress) -> Vec<Request> {
        let Mode::Persist(page) = &mut self.mode else { return Vec::new() };
        let Some(input) = &mut page.path else { return Vec::new() };
        match key.code {
            KeyCode::Esc => page.path = None,
            KeyCode::Char('c') if key.ctrl => page.path = None,
            KeyCode::Char('z') if key.ctrl => return vec![Request::Suspend],
            // A pasted line end does not write the file.
            KeyCode::Enter if press.alone && !input.value().trim().is_empty() => {
                let path = input.value().trim().to_owned();
                page.path = None;
                let text = page.chosen().map(|method| method.text.clone()).unwrap_or_default();
                return vec![Request::Write { path, text }];
            }
            _ => {
                if let Some(request) = line_edit(key) {
                    input.handle(request);
                }
            }
        }
        Vec::new()
    }

    /// Adds pasted text to the path that is being typed.
    pub(crate) fn paste_path(&mut self, text: &str) {
        let Mode::Persist(PersistPage { path: Some(input), .. }) = &mut self.mode else { return };
        for c in text.chars().filter(|c| !c.is_control()).take(400) {
            input.handle(InputRequest::InsertChar(c));
        }
    }
}
