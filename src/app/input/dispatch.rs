//! Dispatches a key to the focused mode.

use crate::app::dialog::prompt::PromptKind;
use crate::app::keymap::bindings::{Action, Key, KeyCode, KeyContext};
use crate::app::keymap::press_time::KeyPress;
use crate::app::mode::Mode;
use crate::app::session::notice::NoticeLevel;
use crate::app::{App, Request};

impl App {
    /// Dispatches a key to the focused mode.
    pub(crate) fn key(&mut self, key: Key, press: KeyPress) -> Vec<Request> {
        if let Some(asked) = self.banner_key(key, press) {
            return asked;
        }
        let in_view = matches!(self.mode, Mode::Browse | Mode::GoTo(_) | Mode::Prompt(_));
        if !in_view && self.keys.meaning(self.key_context(), key) == Some(Action::Help) {
            self.open_help();
            return Vec::new();
        }
        match &mut self.mode {
            Mode::GoTo(digits) => {
                if let Some(digit) = key.digit() {
                    if digits.len() < 7 {
                        digits.push(digit);
                    }
                    self.go_to_pid();
                    return Vec::new();
                }
                // Any other key ends the number and keeps its own meaning.
                self.mode = Mode::Browse;
                if key == Key::plain(KeyCode::Esc) { Vec::new() } else { self.view_key(key) }
            }
            Mode::Browse => self.view_key(key),
            Mode::Prompt(_) => self.prompt_key(key),
            Mode::Menu(_) => self.menu_key(key),
            Mode::Adjust(_) => self.adjust_key(key, press),
            Mode::Signal(_) => self.signal_key(key, press),
            Mode::Revert(_) => self.revert_key(key, press),
            Mode::Bulk(_) => self.bulk_key(key, press),
            Mode::Sysctl(_) => self.sysctl_key(key, press),
            Mode::ConfirmSysctl(_) => self.confirm_sysctl_key(key, press),
            Mode::RuleConsent(_) => self.rule_consent_key(key, press),
            Mode::AdjRules(_) => self.adj_rules_key(key),
            Mode::Journal(_) => self.journal_key(key),
            Mode::Alarms(_) => self.alarms_key(key, press),
            Mode::Persist(_) => self.persist_key(key, press),
            Mode::Fits(_) => self.fits_key(key),
            Mode::EndCard => self.end_card_key(key),
            Mode::Help { .. } => self.help_key(key),
            Mode::Incident(_) => self.incident_key(key),
            Mode::Explain(_)
            | Mode::CommandLine(_)
            | Mode::BulkResult(_)
            | Mode::Commitments(_) => self.page_key(key),
        }
    }

    /// Where keys are looked up now.
    #[must_use]
    pub fn key_context(&self) -> KeyContext {
        match &self.mode {
            Mode::Browse | Mode::GoTo(_) | Mode::Prompt(_) => self.view_context(),
            Mode::Menu(_) => KeyContext::Menu,
            Mode::Adjust(_) => KeyContext::Adjust,
            Mode::Sysctl(_) => KeyContext::Sysctl,
            Mode::Signal(_)
            | Mode::Revert(_)
            | Mode::Bulk(_)
            | Mode::RuleConsent(_)
            | Mode::ConfirmSysctl(_) => KeyContext::Confirm,
            Mode::AdjRules(_) => KeyContext::AdjRules,
            Mode::Journal(_) => KeyContext::Journal,
            Mode::Alarms(_) => KeyContext::Alarms,
            Mode::Persist(_) => KeyContext::Persist,
            Mode::Fits(_) => KeyContext::Fits,
            Mode::EndCard => KeyContext::EndCard,
            Mode::Explain(_) => KeyContext::Explain,
            Mode::Incident(_) => KeyContext::Incident,
            Mode::Help { .. } => KeyContext::Help,
            Mode::CommandLine(_) | Mode::BulkResult(_) | Mode::Commitments(_) => KeyContext::Page,
        }
    }

    /// The keys that are not typed while a text is, with their labels; nothing while none is.
    #[must_use]
    pub fn typing_keys(&self) -> Option<&'static [(Key, &'static str)]> {
        const ENTER: Key = Key::plain(KeyCode::Enter);
        const ESC: Key = Key::plain(KeyCode::Esc);
        const EMPTY: (Key, &str) = (Key::ctrl('u'), "Empty");
        const NEXT: (Key, &str) = (Key::plain(KeyCode::F(3)), "Next");
        Some(match &self.mode {
            Mode::Prompt(prompt) => match prompt.asking {
                PromptKind::Search => &[(ENTER, "Done"), (ESC, "Clear"), NEXT, EMPTY],
                PromptKind::Filter => &[(ENTER, "Done"), (ESC, "Clear"), EMPTY],
                PromptKind::Delay | PromptKind::Time | PromptKind::Fits => {
                    &[(ENTER, "OK"), (ESC, "Cancel"), EMPTY]
                }
            },
            Mode::Help { page, .. } if page.typing.is_some() => {
                &[(ENTER, "Done"), (ESC, "Clear"), NEXT, EMPTY]
            }
            Mode::Persist(page) if page.path.is_some() => {
                &[(ENTER, "Write"), (ESC, "Cancel"), EMPTY]
            }
            Mode::Alarms(page) if page.typed.is_some() => &[(ENTER, "Set"), (ESC, "Cancel"), EMPTY],
            _ => return None,
        })
    }

    /// Closes a dialog by ^C or F10, which quit when pressed again.
    pub(crate) fn leave_dialog(&mut self, what: &str) -> Vec<Request> {
        self.mode = Mode::Browse;
        self.say(NoticeLevel::Plain, format!("{what}; press again to quit"));
        Vec::new()
    }
}
