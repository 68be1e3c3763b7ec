//! A process that is being explained, and how its lines look.

use ratatui::text::{Line, Span};

use crate::app::App;
use crate::columns::RowContext;
use crate::model::{ProcId, Process};
use crate::ui::paint::label;
use crate::ui::paint::text;
use crate::ui::paint::theme::Theme;
use crate::units::Pages;

/// The cells of a label, without the space behind it.
pub(crate) const LABEL: usize = 11;

/// A process that is being explained. Each file beside this one adds the lines of one question.
pub(crate) struct Case<'a> {
    pub(crate) app: &'a App,
    pub(crate) context: &'a RowContext<'a>,
    pub(crate) process: &'a Process,
    pub(crate) theme: Theme,
    /// The cells of a line.
    pub(crate) room: u16,
}

impl Case<'_> {
    pub(crate) fn heading(&self, text: &str) -> Line<'static> {
        Line::styled(text.to_owned(), self.theme.strong())
    }

    pub(crate) fn label(&self, text: &str) -> Span<'static> {
        label::label(self.theme, text, LABEL)
    }

    pub(crate) fn text(&self, label: &str, text: &str) -> Line<'static> {
        Line::from(vec![self.label(label), Span::raw(text.to_owned())])
    }

    pub(crate) fn size(&self, pages: Pages) -> String {
        text::size(self.context, pages)
    }

    /// The pid and the name, or the pid alone where the process is gone.
    pub(crate) fn name(&self, id: ProcId) -> String {
        text::name(self.context, id)
    }
}
