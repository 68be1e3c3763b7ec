//! Keys in the sysctl editor and in its confirmation.

use crate::app::dialog::sysctl::{ConfirmSysctl, SysctlDialog};
use crate::app::keymap::bindings::{Action, Key, KeyCode, KeyContext};
use crate::app::keymap::press_time::{KeyPress, ShownSince};
use crate::app::mode::Mode;
use crate::app::session::notice::NoticeLevel;
use crate::app::{App, Request};
use crate::intent::Intent;
use crate::model::Sysctl;

impl App {
    /// Opens the sysctl editor.
    pub(crate) fn open_sysctls(&mut self) {
        if !self.may_act() {
            return;
        }
        let Some(scene) = &self.scene else { return };
        self.mode = Mode::Sysctl(SysctlDialog::new(Sysctl::OvercommitMemory, scene.now()));
        self.renew_sysctl_forecast();
    }

    /// Computes the forecast again.
    pub(crate) fn renew_sysctl_forecast(&mut self) {
        if let (Mode::Sysctl(edit), Some(scene)) = (&mut self.mode, &self.scene) {
            edit.renew_forecast(scene.now());
        }
    }

    pub(crate) fn sysctl_key(&mut self, key: Key, press: KeyPress) -> Vec<Request> {
        let (Mode::Sysctl(edit), Some(scene)) = (&mut self.mode, &self.scene) else {
            return Vec::new();
        };
        let sample = scene.now();
        match self.keys.meaning(KeyContext::Sysctl, key) {
            Some(Action::Up) => edit.step(-1, sample),
            Some(Action::Down) => edit.step(1, sample),
            Some(Action::First) => edit.go_to(Sysctl::ALL[0], sample),
            Some(Action::Last) => edit.go_to(Sysctl::ALL[Sysctl::ALL.len() - 1], sample),
            Some(Action::StepDown) => edit.nudge(false, false),
            Some(Action::StepUp) => edit.nudge(true, false),
            Some(Action::FineDown) => edit.nudge(false, true),
            Some(Action::FineUp) => edit.nudge(true, true),
            Some(Action::NextPreset) => edit.next_preset(sample),
            Some(Action::Revert) => match self.session.sysctl_history.earlier.last() {
                Some(&(sysctl, before)) => {
                    edit.go_to(sysctl, sample);
                    edit.set(before);
                    edit.reverting = true;
                }
                None => self.say(NoticeLevel::Plain, "no sysctl was changed in this session"),
            },
            Some(Action::Copy) => return self.copy_sysctl(SysctlDialog::command),
            Some(Action::CopyLine) => return self.copy_sysctl(SysctlDialog::line),
            Some(Action::Apply) => return self.apply_sysctl(press),
            Some(Action::Suspend) => return vec![Request::Suspend],
            Some(Action::Back) => {
                self.mode = Mode::Browse;
                self.say(NoticeLevel::Plain, "nothing was changed");
            }
            Some(Action::Quit) => return self.leave_dialog("nothing was changed"),
            _ => match key.code {
                KeyCode::Char(c) if !key.ctrl && !key.alt && c.is_ascii_digit() => edit.push(c),
                KeyCode::Backspace | KeyCode::Delete => {
                    edit.fresh = false;
                    edit.reverting = false;
                    edit.typed.pop();
                }
                _ => {}
            },
        }
        self.renew_sysctl_forecast();
        Vec::new()
    }

    fn copy_sysctl(&mut self, text: fn(&SysctlDialog) -> Option<String>) -> Vec<Request> {
        let Mode::Sysctl(edit) = &self.mode else { return Vec::new() };
        let Some(text) = text(edit) else { return Vec::new() };
        self.copy(text)
    }

    fn apply_sysctl(&mut self, press: KeyPress) -> Vec<Request> {
        let Mode::Sysctl(edit) = &self.mode else { return Vec::new() };
        if !edit.shown.confirms_at(press) {
            return Vec::new();
        }
        let sysctl = edit.sysctl;
        let Some(from) = edit.from.value() else {
            self.say(NoticeLevel::Warn, format!("{sysctl} cannot be read here"));
            return Vec::new();
        };
        let Some(to) = edit.value() else {
            let text = format!("{:?} is not {}", edit.typed, edit.complaint());
            self.say(NoticeLevel::Warn, text);
            return Vec::new();
        };
        if to == from {
            self.mode = Mode::Browse;
            self.say(
                NoticeLevel::Plain,
                format!("{sysctl} is {from} already: nothing was written"),
            );
            return Vec::new();
        }
        let (forecast, reverting) = (edit.forecast, edit.reverting);
        if let Some(danger) = edit.danger() {
            let shown = ShownSince::default();
            self.mode = Mode::ConfirmSysctl(ConfirmSysctl {
                sysctl,
                from,
                to,
                danger,
                forecast,
                reverting,
                shown,
            });
            return Vec::new();
        }
        self.write_sysctl(sysctl, from, to, reverting)
    }

    pub(crate) fn write_sysctl(
        &mut self,
        sysctl: Sysctl,
        from: u64,
        to: u64,
        reverting: bool,
    ) -> Vec<Request> {
        self.mode = Mode::Browse;
        self.session.sysctl_history.reverting = reverting;
        vec![Request::Act(Intent::SetSysctl { sysctl, from, to })]
    }

    pub(crate) fn confirm_sysctl_key(&mut self, key: Key, press: KeyPress) -> Vec<Request> {
        let Mode::ConfirmSysctl(confirm) = &self.mode else { return Vec::new() };
        match self.keys.meaning(KeyContext::Confirm, key) {
            Some(Action::Back) => {
                self.mode = Mode::Browse;
                self.say(NoticeLevel::Plain, "nothing was changed");
            }
            Some(Action::Quit) => return self.leave_dialog("nothing was changed"),
            Some(Action::Suspend) => return vec![Request::Suspend],
            Some(Action::Yes) if confirm.shown.confirms_at(press) => {
                let (sysctl, from, to, reverting) =
                    (confirm.sysctl, confirm.from, confirm.to, confirm.reverting);
                return self.write_sysctl(sysctl, from, to, reverting);
            }
            _ => {}
        }
        Vec::new()
    }
}
