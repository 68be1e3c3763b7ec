//! The sentence about the next victim, in its colours.

use ratatui::text::{Line, Span};

use crate::columns::RowContext;
use crate::ui::paint::canvas::line_cells;
use crate::ui::paint::theme::Theme;
use crate::words::next_victim::{Certainty, SentenceForm, sentence};

/// The longest form of the sentence that fits into `room` cells, else the shortest.
#[must_use]
pub fn fitting(context: &RowContext<'_>, theme: Theme, room: u16) -> Line<'static> {
    let mut forms = lines(context, theme);
    let at = forms.iter().position(|form| line_cells(form) <= room);
    forms.swap_remove(at.unwrap_or(forms.len() - 1))
}

/// `NEXT 20731 chrome 313`, for a header of one line.
#[must_use]
pub fn shortest(context: &RowContext<'_>, theme: Theme) -> Line<'static> {
    lines(context, theme).pop().unwrap_or_default()
}

/// Every form of the sentence, the longest first.
fn lines(context: &RowContext<'_>, theme: Theme) -> Vec<Line<'static>> {
    let sentence = sentence(context);
    let (label, rest) = match sentence.certainty {
        Certainty::Named => (theme.strong(), theme.plain()),
        Certainty::TooClose => (theme.danger(), theme.candidate()),
        Certainty::Nobody | Certainty::Off => (theme.danger(), theme.plain()),
    };
    let line = |form: SentenceForm| {
        let mut spans = vec![Span::styled(form.label, label)];
        if !form.who.is_empty() {
            spans.push(Span::raw(" "));
            spans.push(Span::styled(form.who, theme.victim()));
        }
        spans.push(Span::styled(form.rest, rest));
        Line::from(spans)
    };
    sentence.forms.into_iter().map(line).collect()
}
