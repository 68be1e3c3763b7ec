//! The pages with a cursor: the journal of the session, and how to keep a value.

use tui_input::InputRequest;

use crate::app::dialog::mode::{KeyPress, Mode, RevertDialog};
use crate::app::input::dialogs::line_edit;
use crate::app::keymap::bindings;
use crate::app::keymap::bindings::{Action, Key, KeyCode, KeyContext};
use crate::app::page::persist::PersistPage;
use crate::app::session::journal::ChangeState;
use crate::app::{App, NoticeLevel, Request};
use crate::model::{ProcId, Process, Reading};
use crate::units::Adj;

impl App {
    /// Opens the journal at its newest line.
    pub(crate) fn open_journal(&mut self) {
        self.mode = Mode::Journal(self.journal.entries.len().saturating_sub(1));
    }

    pub(crate) fn journal_key(&mut self, key: Key) -> Vec<Request> {
        let page = self.viewport.page;
        let Mode::Journal(at) = &mut self.mode else { return Vec::new() };
        let meaning = bindings::meaning(KeyContext::Journal, key);
        let last = self.journal.entries.len().saturating_sub(1);
        match meaning {
            Some(action) if action.step(page).is_some() => {
                let by = action.step(page).unwrap_or_default();
                *at = at.saturating_add_signed(by).min(last);
            }
            Some(Action::PutBack) => self.open_entry(),
            Some(Action::Write) if self.journal.entries.is_empty() => {
                self.say(NoticeLevel::Plain, "there is nothing to write yet");
            }
            Some(Action::Write) => return vec![Request::WriteJournal],
            Some(Action::Copy) => {
                if let Some(entry) = self.journal.entries.get(*at) {
                    let text = entry.text.clone();
                    self.say(NoticeLevel::Plain, format!("copied: {text}"));
                    return vec![Request::Copy(text)];
                }
            }
            Some(Action::Back) => self.mode = Mode::Browse,
            Some(Action::Quit) => return vec![Request::Quit { keep: false }],
            Some(Action::Suspend) => return vec![Request::Suspend],
            _ => {}
        }
        Vec::new()
    }

    /// Asks whether to put the change of the chosen line back, or to make it again.
    fn open_entry(&mut self) {
        let Mode::Journal(at) = self.mode else { return };
        if !self.may_act() {
            return;
        }
        let entry = self.journal.entries.get(at);
        let Some(change) = entry.and_then(|entry| self.journal.change(entry.change?)) else {
            return self.say(NoticeLevel::Plain, "this line changed no oom_score_adj");
        };
        let again = match change.state {
            ChangeState::Gone => {
                let text = format!(
                    "{} {} is gone: there is nobody to put it back to",
                    change.who, change.name
                );
                return self.say(NoticeLevel::Warn, text);
            }
            ChangeState::Standing => false,
            ChangeState::Back(_) => true,
        };
        let mut revert = RevertDialog::new(change, again);
        if let Some(found) = self.value_now(revert.who).filter(|&found| found != revert.from) {
            let text = format!(
                "{} {} has {found} by now, not {}: changed meanwhile, nothing was done (a sets it)",
                revert.who, revert.name, revert.from
            );
            return self.say(NoticeLevel::Warn, text);
        }
        revert.journal = Some(at);
        self.mode = Mode::Revert(revert);
    }

    /// What a process has, by the last answer or by a look after it.
    fn value_now(&self, who: ProcId) -> Option<Adj> {
        let scene = self.scene.as_ref()?;
        let last_act = self.journal.entries.last().map_or(i64::MIN, |entry| entry.unix_ms);
        let told = self.journal.known(who).filter(|_| scene.now().clock.unix_ms <= last_act);
        told.or_else(|| scene.find(who)?.adj.value())
    }

    /// Opens the page that tells how to keep the adj of the process under the cursor.
    pub(crate) fn open_persist(&mut self) -> Vec<Request> {
        if self.is_bygone() {
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
        let page = self.viewport.page;
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
                let last = keep.ways.len().saturating_sub(1);
                keep.at = keep.at.saturating_add_signed(by).min(last);
            }
            Some(Action::Copy) => match chosen.filter(|way| !way.text.is_empty()) {
                Some(way) => {
                    self.say(
                        NoticeLevel::Plain,
                        format!("copied: {}", way.text.trim_end().replace('\n', " ")),
                    );
                    return vec![Request::Copy(way.text)];
                }
                None => self.say(NoticeLevel::Plain, "there is nothing to set here"),
            },
            Some(Action::Write) => match chosen.and_then(|way| way.place) {
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
                    edit.shown = crate::app::dialog::mode::ShownSince::default();
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
                let text = keep.chosen().map(|way| way.text.clone()).unwrap_or_default();
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
