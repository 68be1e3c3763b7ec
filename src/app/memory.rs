//! The view of the machine's memory through time, and what is common to views without rows to choose.

use super::keys::{self, Action, Key};
use super::mode::Screen;
use super::{App, Level, Request};

impl App {
    /// A key in a view that has no processes to choose from.
    pub(super) fn view_key(&mut self, key: Key) -> Vec<Request> {
        if key.digit().is_some() {
            self.say_choose_first();
            return Vec::new();
        }
        match keys::meaning(self.home(), key) {
            Some(action) => self.act_here(action),
            None => Vec::new(),
        }
    }

    /// Carries out what a key of the view, or a line of its palette, means.
    pub(super) fn memory_action(&mut self, action: Action) -> Vec<Request> {
        match action {
            Action::Back => return self.go_to_screen(Screen::Processes),
            Action::ProcessFirst => self.say_choose_first(),
            action if action.is_everywhere() => return self.browse(action),
            _ => {}
        }
        Vec::new()
    }

    /// Where nobody can be chosen, nobody can be acted on.
    pub(super) fn say_choose_first(&mut self) {
        self.say(Level::Plain, "choose a process first: Tab and Esc lead to the table");
    }
}
