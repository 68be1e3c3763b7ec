//! The keys that act on the explained process.

use ratatui::text::{Line, Span};

use crate::policy::sacrifice;
use crate::ui::panel::explain::explained_process::Case;

impl Case<'_> {
    pub(crate) fn keys(&self) -> Line<'static> {
        let rule = sacrifice(self.process);
        let mut spans = Vec::new();
        let acts = [
            ("[a]", " adjust  ".to_owned()),
            ("[k]", " signal  ".to_owned()),
            ("[X]", format!(" sacrifice ({})  ", rule.signal)),
        ];
        let acts = acts.into_iter().filter(|_| !self.app.is_over());
        for (key, effect) in acts.chain([("[y]", " copy".to_owned())]) {
            spans.push(Span::styled(key, self.theme.strong()));
            spans.push(Span::styled(effect, self.theme.dim()));
        }
        Line::from(spans)
    }
}
