//! Keys on the page that shows how a value outlasts a restart.

use tui_input::InputRequest;

use crate::app::input::prompt::line_edit;
use crate::app::keymap::bindings;
use crate::app::keymap::bindings::{Action, Key, KeyCode, KeyContext};
use crate::app::keymap::press::KeyPress;
use crate::app::mode::Mode;
use crate::app::page::persist::PersistPage;
use crate::app::session::notice::NoticeLevel;
use crate::app::{App, Request};
use crate::model::{Process, Reading};
use crate::units::Adj;

impl App {
    /// Opens the page that tells how to keep the adj of the process under the cursor.
    pub(crate) fn open_persist(&mut self) -> Vec<Request> {
        if self.is_over() {
            self.say(
                NoticeLevel::Warn,
                "this is the past: l goes back to now, where it can be kept",
            );
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

    /// The same for the value in the editor, and back to it.
    pub(crate) fn persist_edited(&mut self) -> Vec<Request> {
        let Mode::Adjust(edit) = &self.mode else { return Vec::new() };
        let edit = edit.clone();
        let found = self.scene.as_ref().and_then(|scene| scene.find(edit.who)).cloned();
        let (Some(value), Some(process)) = (edit.value(), found) else {
            self.say(NoticeLevel::Warn, "there is no value to keep, or nobody who has it");
            return Vec::new();
        };
        let asked = self.show_persist(&process, value);
        if let Mode::Persist(keep) = &mut self.mode {
            keep.edit = Some(edit);
        }
        asked
    }

    fn show_persist(&mut self, process: &Process, value: Adj) -> Vec<Request> {
        let Some(scene) = &self.scene else { return Vec::new() };
        let command = self.names.command(process);
        self.mode = Mode::Persist(PersistPage::new(process, value, command, scene.now()));
        // On a narrow screen nobody had asked for cgroups yet.
        if process.cgroup == Reading::NotAsked { vec![Request::SampleNow] } else { Vec::new() }
    }

    /// Takes in what a new look tells of the process on the page.
    pub(crate) fn renew_persist(&mut self) {
        let (Mode::Persist(keep), Some(scene)) = (&mut self.mode, &self.scene) else { return };
        if let Some(process) = scene.find(keep.who) {
            keep.renew(process, self.names.command(process), scene.now());
        }
    }

    pub(crate) fn persist_key(&mut self, key: Key, press: KeyPress) -> Vec<Request> {
        let page = self.display.viewport.page;
        let Mode::Persist(keep) = &mut self.mode else { return Vec::new() };
        if keep.path.is_some() {
            return self.path_key(key, press);
        }
        let chosen = keep.chosen().cloned();
        match bindings::meaning(KeyContext::Persist, key) {
            Some(action) if action.step(page).is_some() => {
                let by = action.step(page).unwrap_or_default().clamp(-1000, 1000);
                let by = if matches!(action, Action::PageUp | Action::PageDown) {
                    by.signum()
                } else {
                    by
                };
                let last = keep.methods.len().saturating_sub(1);
                keep.at = keep.at.saturating_add_signed(by).min(last);
            }
            Some(Action::Copy) => match chosen.filter(|method| !method.text.is_empty()) {
                Some(method) => {
                    self.say(
                        NoticeLevel::Plain,
                        format!("copied: {}", method.text.trim_end().replace('\n', " ")),
                    );
                    return vec![Request::Copy(method.text)];
                }
                None => self.say(NoticeLevel::Plain, "there is nothing to set here"),
            },
            Some(Action::Write) => match chosen.and_then(|method| method.place) {
                // Into the working directory, unless another path is typed.
                Some(place) => {
                    let name = place.rsplit('/').next().unwrap_or_default().to_owned();
                    keep.path = Some(name.into());
                }
                None => self.say(NoticeLevel::Plain, "this one is no file: y copies it"),
            },
            Some(Action::Back) => {
                let edit = keep.edit.take();
                self.mode = Mode::Browse;
                if let Some(mut edit) = edit {
                    edit.shown = crate::app::keymap::press::ShownSince::default();
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

    /// A key of the path being typed.
    fn path_key(&mut self, key: Key, press: KeyPress) -> Vec<Request> {
        let Mode::Persist(keep) = &mut self.mode else { return Vec::new() };
        let Some(input) = &mut keep.path else { return Vec::new() };
        match key.code {
            KeyCode::Esc => keep.path = None,
            KeyCode::Char('c') if key.ctrl => keep.path = None,
            KeyCode::Char('z') if key.ctrl => return vec![Request::Suspend],
            // A pasted line end writes nothing.
            KeyCode::Enter if press.alone && !input.value().trim().is_empty() => {
                let path = input.value().trim().to_owned();
                keep.path = None;
                let text = keep.chosen().map(|method| method.text.clone()).unwrap_or_default();
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

    /// Pasted text goes into the path being typed.
    pub(crate) fn paste_path(&mut self, text: &str) {
        let Mode::Persist(PersistPage { path: Some(input), .. }) = &mut self.mode else { return };
        for c in text.chars().filter(|c| !c.is_control()).take(400) {
            input.handle(InputRequest::InsertChar(c));
        }
    }
}
