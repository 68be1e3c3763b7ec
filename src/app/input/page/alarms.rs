//! Keys on the page of the alarms.

use tui_input::InputRequest;

use crate::alarm::Alarm;
use crate::app::input::prompt::line_edit;
use crate::app::keymap::bindings::{Action, Key, KeyCode, KeyContext};
use crate::app::keymap::press_time::KeyPress;
use crate::app::mode::Mode;
use crate::app::page::alarms::{AlarmLine, AlarmsPage, TypedAlarm, lines};
use crate::app::session::notice::NoticeLevel;
use crate::app::{App, Request};

impl App {
    /// Opens the page of the alarms.
    pub(crate) fn open_alarms(&mut self) {
        if self.start.live {
            self.mode = Mode::Alarms(AlarmsPage::default());
        } else {
            self.say(NoticeLevel::Plain, "alarms ring for a live machine, not for a recording");
        }
    }

    pub(crate) fn alarms_key(&mut self, key: Key, press: KeyPress) -> Vec<Request> {
        let rows = self.display.viewport.page;
        let Mode::Alarms(page) = &mut self.mode else { return Vec::new() };
        if page.typed.is_some() {
            return self.typed_alarm_key(key, press);
        }
        let alarms = &mut self.refresh.alarms;
        let all = lines(alarms);
        let line = all.get(page.at).copied();
        match (self.keys.meaning(KeyContext::Alarms, key), line) {
            (Some(action), _) if action.step(rows).is_some() => {
                let by = action.step(rows).unwrap_or_default();
                page.at = page.at.saturating_add_signed(by).min(all.len().saturating_sub(1));
            }
            (Some(Action::Choose), Some(line)) => {
                let (text, replaces) = match line {
                    AlarmLine::Set(nth) => {
                        let own = alarms.entries().nth(nth).map(|it| it.alarm.to_string());
                        (own.unwrap_or_default(), Some(nth))
                    }
                    AlarmLine::Free(quantity) => (quantity.example.to_owned(), None),
                };
                page.typed = Some(TypedAlarm { input: text.into(), replaces, error: None });
            }
            (Some(Action::Toggle), Some(AlarmLine::Set(nth))) => alarms.switch(nth),
            (Some(Action::RemoveAlarm), Some(AlarmLine::Set(nth))) => {
                alarms.remove(nth);
                page.at = page.at.min(lines(&self.refresh.alarms).len().saturating_sub(1));
            }
            (Some(Action::Toggle | Action::RemoveAlarm), _) => {
                self.say(NoticeLevel::Plain, "nothing watches this yet: Enter adds an alarm");
            }
            (Some(Action::AlarmBell), _) => alarms.bell = !alarms.bell,
            (Some(Action::AlarmCommand), _) if !alarms.has_command() => {
                self.say(NoticeLevel::Plain, "there is no command: start with --on-alarm COMMAND");
            }
            (Some(Action::AlarmCommand), _) => alarms.command = !alarms.command,
            (Some(Action::Copy), _) => {
                let flags = alarms.flags();
                if flags.is_empty() {
                    self.say(NoticeLevel::Plain, "there is no alarm yet");
                    return Vec::new();
                }
                return self.copy(flags);
            }
            (Some(Action::Back), _) => self.mode = Mode::Browse,
            (Some(Action::Quit), _) => return vec![Request::Quit { keep: false }],
            (Some(Action::Suspend), _) => return vec![Request::Suspend],
            _ => {}
        }
        Vec::new()
    }

    /// Takes a key while an alarm is typed.
    fn typed_alarm_key(&mut self, key: Key, press: KeyPress) -> Vec<Request> {
        let Mode::Alarms(page) = &mut self.mode else { return Vec::new() };
        let Some(typed) = &mut page.typed else { return Vec::new() };
        match key.code {
            KeyCode::Esc => page.typed = None,
            KeyCode::Char('c') if key.ctrl => page.typed = None,
            KeyCode::Char('z') if key.ctrl => return vec![Request::Suspend],
            KeyCode::Enter if press.alone => match Alarm::parse(typed.input.value().trim()) {
                Ok(alarm) => {
                    let at = self.refresh.alarms.set(typed.replaces, alarm);
                    (page.at, page.typed) = (at, None);
                    return vec![Request::SampleNow];
                }
                Err(why) => typed.error = Some(why),
            },
            _ => {
                if let Some(request) = line_edit(key) {
                    typed.input.handle(request);
                    typed.error = None;
                }
            }
        }
        Vec::new()
    }

    /// Adds pasted text to the alarm that is being typed.
    pub(crate) fn paste_alarm(&mut self, text: &str) {
        let Mode::Alarms(AlarmsPage { typed: Some(typed), .. }) = &mut self.mode else { return };
        for c in text.chars().filter(|c| !c.is_control()).take(100) {
            typed.input.handle(InputRequest::InsertChar(c));
        }
        typed.error = None;
    }
}
