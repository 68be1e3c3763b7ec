//! The sentence that the program is for, in its colours.

use ratatui::text::{Line, Span};

use crate::columns::RowContext;
use crate::ui::paint::canvas::line_cells;
use crate::ui::paint::theme::Theme;
use crate::words::prediction::{Certainty, SentenceStyle, sentence};

/// The longest form of the sentence that fits.
#[must_use]
pub fn fitting(sight: &RowContext<'_>, look: Theme, room: u16) -> Line<'static> {
    let mut forms = lines(sight, look);
    let at = forms.iter().position(|form| line_cells(form) <= room);
    forms.swap_remove(at.unwrap_or(forms.len() - 1))
}

/// `NEXT 20731 chrome 313`, for a header of one line.
#[must_use]
pub fn shortest(sight: &RowContext<'_>, look: Theme) -> Line<'static> {
    lines(sight, look).pop().unwrap_or_default()
}

fn lines(sight: &RowContext<'_>, look: Theme) -> Vec<Line<'static>> {
    let sentence = sentence(sight);
    let (label, rest) = match sentence.certainty {
        Certainty::Named => (look.strong(), look.plain()),
        Certainty::TooClose => (look.danger(), look.candidate()),
        Certainty::Nobody | Certainty::Off => (look.danger(), look.plain()),
    };
    let line = |form: SentenceStyle| {
        let mut spans = vec![Span::styled(form.label, label)];
        if !form.who.is_empty() {
            spans.push(Span::raw(" "));
            spans.push(Span::styled(form.who, look.victim()));
        }
        spans.push(Span::styled(form.rest, rest));
        Line::from(spans)
    };
    sentence.forms.into_iter().map(line).collect()
}
