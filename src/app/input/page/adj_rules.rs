//! Keys on the page of adj rules and in the dialog that switches them on.

use crate::app::adj_rules::consent::RuleConsent;
use crate::app::adj_rules::rules::ActiveRules;
use crate::app::keymap::bindings::{Action, Key, KeyCode, KeyContext};
use crate::app::keymap::press_time::KeyPress;
use crate::app::mode::Mode;
use crate::app::session::notice::NoticeLevel;
use crate::app::setup::ActingMode;
use crate::app::{App, Request};
use crate::model::Scene;

impl App {
    /// Opens the page of the rules.
    pub(crate) fn open_rules(&mut self) {
        if self.session.adj_rules.is_some() {
            self.mode = Mode::AdjRules(0);
        } else {
            self.say(NoticeLevel::Plain, "there are no adj rules: start with --adj-rules FILE");
        }
    }

    /// Switches the rules off at once.
    pub(crate) fn rules_off(&mut self) {
        let was_on = self.session.adj_rules.as_mut().map(ActiveRules::switch_off);
        match was_on {
            Some(true) => {
                self.watch_adj_rules();
                self.note_rules(
                    NoticeLevel::Good,
                    "the rules are off; values already written stay",
                );
            }
            Some(false) => {
                self.say(NoticeLevel::Plain, "the rules are off already: nothing is written")
            }
            None => self.open_rules(),
        }
    }

    fn ask_rule_consent(&mut self) {
        if !self.may_act() {
            return;
        }
        let Some(active) = &self.session.adj_rules else { return };
        if self.start.acting != ActingMode::Free {
            self.say(
                NoticeLevel::Plain,
                "a dry run: the rules stay off, and this page says what they would do",
            );
        } else if active.is_on() {
            self.say(NoticeLevel::Plain, "the rules are on already; o switches them off");
        } else if active.trouble.is_some() {
            self.say(NoticeLevel::Warn, "the file is not valid: correct it first");
        } else if self.scene.as_ref().and_then(Scene::before).is_none() {
            self.say(
                NoticeLevel::Plain,
                "one more sample is needed to tell which processes they match",
            );
        } else {
            self.mode = Mode::RuleConsent(active.consent_dialog());
        }
    }

    pub(crate) fn adj_rules_key(&mut self, key: Key) -> Vec<Request> {
        let viewport = self.display.viewport;
        let Mode::AdjRules(at) = &mut self.mode else { return Vec::new() };
        match self.keys.meaning(KeyContext::AdjRules, key) {
            Some(Action::SwitchOn) => self.ask_rule_consent(),
            Some(Action::RulesOff) => self.rules_off(),
            Some(Action::Back) => self.mode = Mode::Browse,
            Some(Action::Quit) => return vec![Request::Quit { keep: false }],
            Some(Action::Suspend) => return vec![Request::Suspend],
            Some(action) => {
                let by = action.step(viewport.page).unwrap_or_default();
                *at = viewport.scroll(*at, by);
            }
            None => {}
        }
        Vec::new()
    }

    pub(crate) fn rule_consent_key(&mut self, key: Key, press: KeyPress) -> Vec<Request> {
        let Mode::RuleConsent(dialog) = &mut self.mode else { return Vec::new() };
        match self.keys.meaning(KeyContext::Confirm, key) {
            Some(Action::Back) => {
                self.mode = Mode::AdjRules(0);
                self.say(NoticeLevel::Plain, "the rules stay off");
            }
            Some(Action::Quit) => return self.leave_dialog("the rules stay off"),
            Some(Action::Suspend) => return vec![Request::Suspend],
            Some(Action::Apply) if dialog.shown.confirms_at(press) => match dialog.agree(press) {
                Some(consent) => return self.switch_on(consent),
                None => {
                    let text = format!("that is not the count: type {}", dialog.count);
                    dialog.typed.clear();
                    self.say(NoticeLevel::Warn, text);
                }
            },
            None if dialog.shown.was_seen_at(press.at) => match key {
                Key { code: KeyCode::Backspace, .. } => drop(dialog.typed.pop()),
                _ if dialog.typed.len() < 7 => dialog.typed.extend(key.digit()),
                _ => {}
            },
            _ => {}
        }
        Vec::new()
    }

    fn switch_on(&mut self, consent: RuleConsent) -> Vec<Request> {
        self.mode = Mode::AdjRules(0);
        let Some(active) = &mut self.session.adj_rules else { return Vec::new() };
        if !active.switch_on(consent) {
            self.say(NoticeLevel::Warn, "the rules changed meanwhile: check them again");
            return Vec::new();
        }
        let (file, digest) = (&active.file, active.rules.digest);
        let text = format!("the rules of {file} are on (version {digest:016x})");
        self.note_rules(NoticeLevel::Good, &text);
        vec![Request::SampleNow]
    }
}
