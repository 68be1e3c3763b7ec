//! Dispatches a key to the focused mode.

use crate::app::keymap::bindings;
use crate::app::keymap::bindings::{Action, Key, KeyContext};
use crate::app::keymap::press::KeyPress;
use crate::app::mode::Mode;
use crate::app::session::notice::NoticeLevel;
use crate::app::view::kind::ViewKind;
use crate::app::{App, Request};

impl App {
    /// Gives a key to whatever has the keys.
    pub(crate) fn key(&mut self, key: Key, press: KeyPress) -> Vec<Request> {
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
                if key == Key::plain(bindings::KeyCode::Esc) {
                    return Vec::new();
                }
                self.browse_key(key)
            }
            Mode::Browse => self.browse_key(key),
            Mode::Prompt(_) => self.prompt_key(key),
            Mode::Menu(_) => self.menu_key(key),
            Mode::Adjust(_) => self.adjust_key(key, press),
            Mode::Signal(_) => self.signal_key(key, press),
            Mode::Revert(_) => self.revert_key(key, press),
            Mode::Bulk(_) => self.bulk_key(key, press),
            Mode::Journal(_) => self.journal_key(key),
            Mode::Persist(_) => self.persist_key(key, press),
            Mode::Sysctl(_) => self.sysctl_key(key, press),
            Mode::AdjRules(_) => self.adj_rules_key(key),
            Mode::RuleConsent(_) => self.rule_consent_key(key, press),
            Mode::ConfirmSysctl(_) => self.confirm_sysctl_key(key, press),
            Mode::Explain(_)
            | Mode::Help(_)
            | Mode::BulkResult(_)
            | Mode::Incident(_)
            | Mode::Commitments(_) => self.page_key(key),
        }
    }

    /// Where keys are looked up now.
    #[must_use]
    pub fn place(&self) -> KeyContext {
        match &self.mode {
            Mode::Browse | Mode::GoTo(_) | Mode::Prompt(_) => self.home(),
            Mode::Menu(_) => KeyContext::Menu,
            Mode::Adjust(_) => KeyContext::Adjust,
            Mode::Sysctl(_) => KeyContext::Sysctl,
            Mode::AdjRules(_) => KeyContext::AdjRules,
            Mode::RuleConsent(_) => KeyContext::Confirm,
            Mode::Signal(_) | Mode::Revert(_) | Mode::Bulk(_) | Mode::ConfirmSysctl(_) => {
                KeyContext::Confirm
            }
            Mode::Explain(_)
            | Mode::Help(_)
            | Mode::BulkResult(_)
            | Mode::Incident(_)
            | Mode::Commitments(_) => KeyContext::Page,
            Mode::Journal(_) => KeyContext::Journal,
            Mode::Persist(_) => KeyContext::Persist,
        }
    }

    /// The place of the view: where keys are looked up when nothing lies over it.
    #[must_use]
    pub const fn home(&self) -> KeyContext {
        match self.screen {
            ViewKind::Processes => KeyContext::Browse,
            ViewKind::Cgroups => KeyContext::Cgroups,
            ViewKind::Verdicts => KeyContext::Verdicts,
            ViewKind::Memory => KeyContext::Memory,
            ViewKind::Events => KeyContext::Events,
        }
    }

    /// Carries out an action as the view means it.
    pub(crate) fn act_here(&mut self, action: Action) -> Vec<Request> {
        match self.screen {
            ViewKind::Processes => self.browse(action),
            ViewKind::Cgroups => self.group_action(action),
            ViewKind::Verdicts => self.verdict_action(action),
            ViewKind::Memory => self.memory_action(action),
            ViewKind::Events => self.event_action(action),
        }
    }

    fn browse_key(&mut self, key: Key) -> Vec<Request> {
        match self.screen {
            ViewKind::Processes => {}
            ViewKind::Cgroups => return self.group_key(key),
            ViewKind::Verdicts => return self.verdict_key(key),
            ViewKind::Memory => return self.view_key(key),
            ViewKind::Events => return self.event_key(key),
        }
        if let Some(digit) = key.digit() {
            self.mode = Mode::GoTo(digit.to_string());
            self.go_to_pid();
            return Vec::new();
        }
        match bindings::meaning(KeyContext::Browse, key) {
            Some(action) => self.browse(action),
            None => Vec::new(),
        }
    }

    /// ^C or F10 in a dialog closes it; the second one quits.
    pub(crate) fn leave_dialog(&mut self, what: &str) -> Vec<Request> {
        self.mode = Mode::Browse;
        self.say(NoticeLevel::Plain, format!("{what}; once more quits"));
        Vec::new()
    }
}
