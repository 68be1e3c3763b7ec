//! The keys that act on the explained process.

use ratatui::text::{Line, Span};

use crate::app::keymap::bindings::Action;
use crate::policy::sacrifice;
use crate::ui::paint::lines::flow;
use crate::ui::panel::explain::explained_process::Case;

impl Case<'_> {
    /// The keys in one line, or in as many as they need.
    pub(crate) fn keys(&self) -> Vec<Line<'static>> {
        let rule = sacrifice(self.process);
        let keys = [
            (Action::Adjust, "[a]", " adjust".to_owned()),
            (Action::SignalMenu, "[k]", " signal".to_owned()),
            (Action::Sacrifice, "[X]", format!(" sacrifice ({})", rule.signal)),
            (Action::Copy, "[y]", " copy".to_owned()),
        ];
        let offered = keys.into_iter().filter(|it| self.app.offers(it.0));
        let parts = offered.map(|(_, key, effect)| {
            vec![Span::styled(key, self.theme.strong()), Span::styled(effect, self.theme.dim())]
        });
        flow(parts.collect(), self.room, 0)
    }
}
