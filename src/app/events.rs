//! The view of what happened.

use super::keys::Action;
use super::mode::Screen;
use super::{App, Request};

impl App {
    /// Carries out what a key of the view, or a line of its palette, means.
    pub(super) fn event_action(&mut self, action: Action) -> Vec<Request> {
        match action {
            Action::Back => return self.go_to_screen(Screen::Processes),
            Action::ProcessFirst => self.say_choose_first(),
            action if action.is_everywhere() => return self.browse(action),
            _ => {}
        }
        Vec::new()
    }
}
