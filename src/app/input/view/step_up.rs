//! Esc leads up, one step at a time: out of what narrows or arranges the table, never out of the program.

use crate::app::keymap::bindings::Action;
use crate::app::session::notice::NoticeLevel;
use crate::app::{App, Request};
use crate::model::Scope;
use crate::rows::filter::Filter;

/// What Esc leaves next in the view of processes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StepUp {
    /// The search is cleared.
    Search,
    /// The filter and the choice of a user are cleared.
    Filter,
    /// Tags are removed.
    Tags,
    /// The tree becomes a list.
    Tree,
    /// The report of a kill is left.
    Report,
    /// Another domain is left for that of the start.
    Scope,
}

impl StepUp {
    /// What Esc does, for the status line.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::Search => "clears the search",
            Self::Filter => "clears the filter",
            Self::Tags => "untags all",
            Self::Tree => "leaves the tree",
            Self::Report => "leaves the report",
            Self::Scope => "leaves the scope",
        }
    }
}

impl App {
    /// What Esc leaves next; nothing where the table shows all there is.
    #[must_use]
    pub fn step_up(&self) -> Option<StepUp> {
        let settings = &self.table.settings;
        if !self.table.search.is_empty() {
            Some(StepUp::Search)
        } else if !settings.filter.is_empty() || settings.user.is_some() {
            Some(StepUp::Filter)
        } else if !self.table.tags.is_empty() {
            Some(StepUp::Tags)
        } else if settings.tree {
            Some(StepUp::Tree)
        } else if self.incidents.report.is_some() {
            Some(StepUp::Report)
        } else {
            let now = self.scene.as_ref().map(|scene| scene.domain().name.clone());
            let start = self.domain_of(&Scope::Auto).map(|domain| domain.name);
            (now != start).then_some(StepUp::Scope)
        }
    }

    /// Esc in the view of processes: the message goes, and one step up.
    pub(crate) fn back(&mut self) -> Vec<Request> {
        let had_message = self.display.notice.take().is_some();
        match self.step_up() {
            Some(StepUp::Search) => self.table.search = Filter::default(),
            Some(StepUp::Filter) => {
                self.table.settings.filter = Filter::default();
                self.table.settings.user = None;
                self.arrange();
            }
            Some(StepUp::Tags) => self.table.tags.clear(),
            Some(StepUp::Tree) => {
                self.table.settings.tree = false;
                self.arrange();
            }
            Some(StepUp::Report) => self.leave_report(),
            Some(StepUp::Scope) => return self.set_scope(Scope::Auto),
            None if had_message => {}
            None => {
                let (up, quit) = (self.key_name(Action::Back), self.key_name(Action::Quit));
                self.say(NoticeLevel::Plain, format!("{up} leads no further up: {quit} quits"));
            }
        }
        Vec::new()
    }
}
