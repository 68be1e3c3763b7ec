//! Keys on pages that are only read: explain, bulk result, incident, commitments.

use crate::app::keymap::bindings::{Action, Key};
use crate::app::mode::Mode;
use crate::app::{App, Request};

impl App {
    pub(crate) fn page_key(&mut self, key: Key) -> Vec<Request> {
        let (viewport, context) = (self.display.viewport, self.key_context());
        let at = match &mut self.mode {
            Mode::Explain(at)
            | Mode::CommandLine(at)
            | Mode::BulkResult(at)
            | Mode::Commitments(at) => at,
            Mode::Incident(page) => &mut page.scroll,
            _ => return Vec::new(),
        };
        let meaning = self.keys.meaning(context, key);
        if let Some(by) = meaning.and_then(|action| action.step(viewport.page)) {
            *at = viewport.scroll(*at, by);
            return Vec::new();
        }
        match meaning {
            Some(Action::Back) => self.mode = Mode::Browse,
            Some(Action::Quit) => return vec![Request::Quit { keep: false }],
            Some(Action::Suspend) => return vec![Request::Suspend],
            Some(Action::Journal) => self.open_journal(),
            Some(Action::Revert) => self.open_revert(false),
            Some(Action::Escalate) => {
                self.mode = Mode::Browse;
                self.open_escalation();
            }
            Some(Action::Sacrifice) if matches!(self.mode, Mode::Explain(_)) => {
                self.mode = Mode::Browse;
                self.open_sacrifice_of_one();
            }
            // Acts on the explained process are those of the table.
            Some(action) if matches!(self.mode, Mode::Explain(_)) => {
                self.mode = Mode::Browse;
                return self.table_action(action);
            }
            _ => {}
        }
        Vec::new()
    }

    /// Opens the page of commitments.
    pub(crate) fn open_commitments(&mut self) {
        self.mode = Mode::Commitments(0);
        self.renew_commitments();
    }
}
