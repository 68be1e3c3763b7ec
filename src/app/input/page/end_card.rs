//! Keys at the end of the demo.

use crate::app::keymap::bindings::{Action, Key, KeyContext};
use crate::app::mode::Mode;
use crate::app::{App, Request};

impl App {
    /// Takes a key on the page. One without a meaning there closes it and keeps its own.
    pub(crate) fn end_card_key(&mut self, key: Key) -> Vec<Request> {
        match self.keys.meaning(KeyContext::EndCard, key) {
            Some(Action::Pause) => {
                self.mode = Mode::Browse;
                self.toggle_playing();
            }
            Some(Action::Back) => self.mode = Mode::Browse,
            Some(Action::Quit) => return vec![Request::Quit { keep: false }],
            Some(Action::Suspend) => return vec![Request::Suspend],
            _ => {
                self.mode = Mode::Browse;
                return self.view_key(key);
            }
        }
        Vec::new()
    }
}
