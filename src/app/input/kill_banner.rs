//! The keys of the banner that tells of a kill.

use crate::app::keymap::bindings::{Key, KeyCode};
use crate::app::keymap::press_time::KeyPress;
use crate::app::mode::Mode;
use crate::app::{App, Request};

impl App {
    /// Takes a key while the banner is on the screen. Enter explains the kill and `p` shows the sample before
    /// it; Esc only closes the banner. Any other key closes it and keeps its own meaning: nothing is returned.
    /// A key that was pressed before the banner was seen, or among others, is not meant for it.
    pub(crate) fn banner_key(&mut self, key: Key, press: KeyPress) -> Option<Vec<Request>> {
        let banner = self.display.banner.as_ref()?;
        if !matches!(self.mode, Mode::Browse) || !banner.shown.confirms_at(press) {
            return None;
        }
        let last = banner.events.last().copied();
        self.display.banner = None;
        if key == Key::plain(KeyCode::Enter) {
            last.into_iter().for_each(|nth| self.explain_kill(nth));
        } else if key == Key::char('p') {
            last.into_iter().for_each(|nth| self.show_before_kill(nth));
        } else if key != Key::plain(KeyCode::Esc) {
            return None;
        }
        Some(Vec::new())
    }
}
