//! The help: all of it, or about the page or dialog below it.

use tui_input::Input;

use crate::app::input::prompt::line_edit;
use crate::app::keymap::bindings::{Action, Key, KeyCode, KeyContext};
use crate::app::keymap::press_time::ShownSince;
use crate::app::mode::Mode;
use crate::app::page::help::HelpPage;
use crate::app::page::help_topics::{self, HelpTopic};
use crate::app::{App, Request};

/// The help about a page or dialog.
const fn topic(mode: &Mode) -> Option<&'static HelpTopic> {
    Some(match mode {
        Mode::Browse | Mode::GoTo(_) | Mode::Prompt(_) => return None,
        Mode::Help { .. } | Mode::EndCard => return None,
        Mode::Menu(_) => &help_topics::MENU,
        Mode::Adjust(_) => &help_topics::ADJUST,
        Mode::Signal(_) => &help_topics::SIGNAL,
        Mode::Revert(_) => &help_topics::REVERT,
        Mode::Bulk(_) => &help_topics::BULK,
        Mode::BulkResult(_) => &help_topics::BULK_RESULT,
        Mode::Journal(_) => &help_topics::JOURNAL,
        Mode::Alarms(_) => &help_topics::ALARMS,
        Mode::Persist(_) => &help_topics::PERSIST,
        Mode::RuleConsent(_) => &help_topics::RULE_CONSENT,
        Mode::AdjRules(_) => &help_topics::RULES,
        Mode::Sysctl(_) => &help_topics::SYSCTL,
        Mode::ConfirmSysctl(_) => &help_topics::CONFIRM_SYSCTL,
        Mode::Explain(_) => &help_topics::EXPLAIN,
        Mode::CommandLine(_) => &help_topics::COMMAND_LINE,
        Mode::Incident(_) => &help_topics::INCIDENT,
        Mode::Commitments(_) => &help_topics::COMMITMENTS,
        Mode::Fits(_) => &help_topics::FITS,
    })
}

impl App {
    /// Opens the help: about the page or dialog that has the keys, else all of it.
    pub(crate) fn open_help(&mut self) {
        let topic = topic(&self.mode);
        let below = std::mem::take(&mut self.mode);
        let below = topic.is_some().then(|| Box::new(below));
        self.mode = Mode::Help { page: HelpPage { topic, ..HelpPage::default() }, below };
    }

    pub(crate) fn help_key(&mut self, key: Key) -> Vec<Request> {
        let viewport = self.display.viewport;
        let Mode::Help { page, .. } = &mut self.mode else { return Vec::new() };
        if page.typing.is_some() {
            return self.help_search_key(key);
        }
        let meaning = self.keys.meaning(KeyContext::Help, key);
        if let Some(by) = meaning.and_then(|action| action.step(viewport.page)) {
            page.scroll = viewport.scroll(page.scroll, by);
            page.seeks = false;
            return Vec::new();
        }
        match meaning {
            Some(Action::Back) => self.close_help(),
            Some(Action::Search) => {
                page.typing = Some(Input::default());
                page.search = None;
                page.seeks = false;
            }
            Some(action @ (Action::SearchNext | Action::SearchPrevious)) => {
                let by = if action == Action::SearchNext { 1 } else { -1 };
                let found = page.step(by);
                if !found {
                    self.say_no_search();
                }
            }
            Some(Action::Quit) => return vec![Request::Quit { keep: false }],
            Some(Action::Suspend) => return vec![Request::Suspend],
            Some(Action::Journal) => self.open_journal(),
            Some(Action::Revert) => self.open_revert(false),
            Some(Action::Escalate) => {
                self.mode = Mode::Browse;
                self.open_escalation();
            }
            _ => {}
        }
        Vec::new()
    }

    /// Takes a key while a text is typed that is searched in the help.
    fn help_search_key(&mut self, key: Key) -> Vec<Request> {
        let Mode::Help { page, .. } = &mut self.mode else { return Vec::new() };
        let Some(input) = &mut page.typing else { return Vec::new() };
        match key.code {
            KeyCode::Esc => (page.typing, page.search, page.seeks) = (None, None, false),
            KeyCode::Char('c') if key.ctrl => return vec![Request::Quit { keep: false }],
            KeyCode::Char('z') if key.ctrl => return vec![Request::Suspend],
            KeyCode::Enter => page.typing = None,
            KeyCode::F(3) => drop(page.step(if key.shift { -1 } else { 1 })),
            _ => {
                if let Some(request) = line_edit(key) {
                    input.handle(request);
                    let text = input.value().to_owned();
                    page.seek(&text);
                }
            }
        }
        Vec::new()
    }

    /// Goes back to what the help explained. A dialog must be seen again before a key confirms it.
    fn close_help(&mut self) {
        let Mode::Help { below, .. } = &mut self.mode else { return };
        let below = below.take();
        self.mode = below.map_or(Mode::Browse, |below| *below);
        if let Some(shown) = self.mode.shown() {
            *shown = ShownSince::default();
        }
        // Samples were taken meanwhile.
        self.renew_mode();
    }
}
