//! Lines that name keys and what they do, and the answers that a dialog asks for.

use ratatui::text::{Line, Span};

use crate::app::ActingMode;
use crate::ui::paint::popup::{MUST_READ, PriorityLine};
use crate::ui::paint::theme::Theme;

/// Keys and their effects. The spaces belong to the effects: `("Enter", " apply   ")`.
pub fn hints(theme: Theme, pairs: &[(&'static str, &'static str)]) -> Line<'static> {
    let mut spans = Vec::with_capacity(pairs.len() * 2);
    for &(key, effect) in pairs {
        spans.push(Span::styled(key, theme.strong()));
        spans.push(Span::raw(effect));
    }
    Line::from(spans)
}

/// `y = do it`: the answer to a question that one key confirms; where nothing is done, `y` tells what would be.
pub fn yes(theme: Theme, acting: ActingMode) -> Line<'static> {
    let does = if without_effect(acting).is_some() { "see what would be done" } else { "do it" };
    Line::from(vec![
        Span::styled("y", theme.danger()),
        Span::raw(format!(" = {does}   anything else = nothing")),
    ])
}

/// Why what a dialog asks is not done, where it is only tried; it must be read before the answer.
pub fn without_effect_line(theme: Theme, acting: ActingMode) -> Option<PriorityLine> {
    without_effect(acting).map(|text| (MUST_READ, Line::styled(text, theme.warn())))
}

const fn without_effect(acting: ActingMode) -> Option<&'static str> {
    match acting {
        ActingMode::Demo => Some("this is the demo: nothing is signalled or written"),
        ActingMode::Rehearsal => Some("dry run: it is checked, and nothing is done"),
        ActingMode::Free | ActingMode::ReadOnly | ActingMode::NotReal | ActingMode::Elsewhere => {
            None
        }
    }
}

/// `type the pid 4411 and Enter: [44  ]`: the answer to a question that a number confirms. `esc` is
/// what Esc leads to.
pub fn typed_number(
    theme: Theme,
    what: &str,
    expected: &str,
    typed: &str,
    esc: &str,
) -> Line<'static> {
    let rest = expected.len().saturating_sub(typed.len() + 1);
    Line::from(vec![
        Span::raw(format!("type the {what} {expected} and ")),
        Span::styled("Enter", theme.danger()),
        Span::raw(": ["),
        Span::styled(typed.to_owned(), theme.strong()),
        Span::styled(" ", theme.cursor()),
        Span::raw(format!("{}]   Esc = {esc}", " ".repeat(rest))),
    ])
}

/// `new [ 300 ]`: the field of a value that is being typed. A value that the first key replaces is
/// shown under the cursor.
pub fn value_field(theme: Theme, typed: &str, replaced_by_next_key: bool) -> Vec<Span<'static>> {
    let style =
        if replaced_by_next_key { theme.strong().patch(theme.cursor()) } else { theme.strong() };
    let mut spans =
        vec![Span::raw(format!("{} new [ ", theme.arrow())), Span::styled(typed.to_owned(), style)];
    if !replaced_by_next_key {
        spans.push(Span::styled(" ", theme.cursor()));
    }
    spans.push(Span::raw(" ]"));
    spans
}
