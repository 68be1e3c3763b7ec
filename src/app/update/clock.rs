//! Time that passes, frames that are drawn, and the message on the bottom line.

use crate::app::App;
use crate::app::mode::Mode;
use crate::app::session::notice::{Notice, NoticeLevel};
use crate::app::view::last_frame::Viewport;
use crate::units::Millis;

/// A message is shown for this long.
const NOTICE_TIME: Millis = Millis(6000);

impl App {
    /// Time passed: messages disappear, a recording plays on, rows are put in order again.
    pub(crate) fn tick(&mut self, now: Millis) {
        self.now = self.now.max(now);
        if self.display.notice.as_ref().is_some_and(|notice| notice.until < self.now) {
            self.display.notice = None;
        }
        self.refresh.alarms.tick(now);
        self.keep_playing();
        if self.table.stale && !self.held() {
            self.arrange();
        }
    }

    /// A frame was drawn: dialogs note since when they are on the screen.
    pub(crate) fn drawn(&mut self, viewport: Viewport, at: Millis) {
        self.now = self.now.max(at);
        let resized = viewport.rows != self.display.viewport.rows;
        self.display.viewport = viewport;
        if self.table.drawn(viewport.beside_next) || resized {
            self.keep_cursors_visible();
        }
        if let Some(banner) = &mut self.display.banner {
            banner.shown.drawn(at, viewport.rows > 0);
        }
        match &mut self.mode {
            Mode::Bulk(bulk) => bulk.drawn(at, viewport.dialog, viewport.page),
            Mode::Help { page, .. } if page.seeks => page.scroll = viewport.page_top,
            mode => {
                if let Some(shown) = mode.shown() {
                    shown.drawn(at, viewport.dialog);
                }
            }
        }
    }

    /// Shows a message on the bottom line.
    pub(crate) fn say(&mut self, level: NoticeLevel, text: impl Into<String>) {
        let until = Millis(self.now.0.saturating_add(NOTICE_TIME.0));
        self.display.notice = Some(Notice { level, text: text.into(), until, about: None });
    }
}
