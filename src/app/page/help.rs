//! The help page: what it is about, and what is searched in it.

use tui_input::Input;

use crate::app::page::help_topics::HelpTopic;

/// A search in the help.
#[derive(Clone, Debug, Default)]
pub struct HelpSearch {
    /// The text, in lower case.
    pub text: String,
    /// The line from which it was started: the first match is at it or below.
    pub from: u16,
    /// How many matches further the shown one is; negative: before the first.
    pub steps: i32,
}

/// The help page.
#[derive(Clone, Debug, Default)]
pub struct HelpPage {
    /// Number of lines scrolled off.
    pub scroll: u16,
    /// The text that is being typed.
    pub typing: Option<Input>,
    /// What is searched.
    pub search: Option<HelpSearch>,
    /// Whether the screen shows the match that `search` asks for. Scrolling ends that.
    pub seeks: bool,
    /// The dialog or page that it explains. Nothing: it explains everything.
    pub topic: Option<&'static HelpTopic>,
}

impl HelpPage {
    /// Searches a text from the present line on.
    pub(crate) fn seek(&mut self, text: &str) {
        let from = self.search.as_ref().filter(|_| self.typing.is_some()).map(|it| it.from);
        let search =
            HelpSearch { text: text.to_lowercase(), from: from.unwrap_or(self.scroll), steps: 0 };
        self.seeks = !search.text.is_empty();
        self.search = Some(search);
    }

    /// Goes to the next match or the one before. Returns false where nothing is searched.
    pub(crate) fn step(&mut self, by: i32) -> bool {
        let Some(search) = self.search.as_mut().filter(|it| !it.text.is_empty()) else {
            return false;
        };
        if self.seeks {
            search.steps = search.steps.saturating_add(by);
        } else {
            (search.from, search.steps) = (self.scroll, if by < 0 { by } else { 0 });
        }
        self.seeks = true;
        true
    }
}
