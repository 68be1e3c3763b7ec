//! Goes from one view to another.

use crate::app::session::notice::NoticeLevel;
use crate::app::view::kind::ViewKind;
use crate::app::{App, Request};

impl App {
    /// Goes to a view. What it shows may have to be read first.
    pub(crate) fn go_to_screen(&mut self, screen: ViewKind) -> Vec<Request> {
        if self.screen == screen {
            self.say(NoticeLevel::Plain, format!("this is the view {}", screen.name()));
            return Vec::new();
        }
        self.screen = screen;
        self.notice = None;
        match screen {
            ViewKind::Processes => self.arrange(),
            ViewKind::Cgroups => {
                self.arrange_groups();
                return self.sample_again();
            }
            ViewKind::Verdicts => {
                self.arrange_verdicts();
                return self.sample_again();
            }
            ViewKind::Events => {
                self.arrange_events();
                return self.sample_again();
            }
            ViewKind::Memory => {
                self.arrange_memory();
                return self.sample_again();
            }
        }
        Vec::new()
    }

    /// Asks for a look that brings what is needed from now on.
    pub(crate) fn sample_again(&self) -> Vec<Request> {
        if self.setup.live && !self.paused && self.report.is_none() {
            vec![Request::SampleNow]
        } else {
            Vec::new()
        }
    }
}
