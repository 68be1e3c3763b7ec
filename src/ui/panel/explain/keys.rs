//! The keys that act on the explained process.

use ratatui::text::{Line, Span};

use crate::app::keymap::bindings::Action;
use crate::policy::sacrifice;
use crate::ui::panel::explain::explained_process::Case;

impl Case<'_> {
    pub(crate) fn keys(&self) -> Line<'static> {
        let rule = sacrifice(self.process);
        let mut spans = Vec::new();
        let keys = [
            (Action::Adjust, "[a]", " adjust  ".to_owned()),
            (Action::SignalMenu, "[k]", " signal  ".to_owned()),
            (Action::Sacrifice, "[X]", format!(" sacrifice ({})  ", rule.signal)),
            (Action::Copy, "[y]", " copy".to_owned()),
        ];
        for (_, key, effect) in keys.into_iter().filter(|it| self.app.offers(it.0)) {
            spans.push(Span::styled(key, self.theme.strong()));
            spans.push(Span::styled(effect, self.theme.dim()));
        }
        Line::from(spans)
    }
}
