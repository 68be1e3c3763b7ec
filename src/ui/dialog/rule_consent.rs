//! The question before the adj rules are switched on.

use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use crate::app::adj_rules::consent::RuleConsentDialog;
use crate::app::adj_rules::rules::MOST_A_LOOK;
use crate::ui::paint::canvas::Canvas;
use crate::ui::paint::popup::Overflow;
use crate::ui::paint::theme::Theme;
use crate::ui::paint::{keys, popup};
use crate::units::Adj;

/// Maximum number of rules listed in the dialog.
const LISTED: usize = 6;

/// Paints the dialog; gives back whether all of the question is on the screen.
pub fn paint(ask: &RuleConsentDialog, area: Rect, canvas: &mut Canvas<'_>) -> bool {
    let theme = canvas.theme;
    let mut lines: Vec<popup::PriorityLine> = Vec::new();
    // Consent covers only what the user could read: these lines are never dropped.
    for (about, adj, would) in ask.lines.iter().take(LISTED) {
        lines.push((0, rule(about, *adj, *would, theme)));
    }
    if let Some(more) = ask.lines.len().checked_sub(LISTED).filter(|&more| more > 0) {
        let text = format!("and {more} more rules; the page behind this dialog lists all");
        lines.push((0, Line::styled(text, theme.warn())));
    }
    lines.push((9, Line::default()));
    let text = "From now on doomtop writes these values at each sample without asking \
                again: once per matching process, also for processes that start later.";
    lines.push((0, Line::raw(text)));
    let text = format!(
        "Never to pid 1, kernel threads, doomtop, or a process with -1000; at most {MOST_A_LOOK} \
         per sample. If something else changes a value back, doomtop leaves it. A change of the file \
         switches the rules off. Values already written stay."
    );
    lines.push((5, Line::styled(text, theme.dim())));
    lines.push((9, Line::default()));
    let count = ask.count.to_string();
    lines.push((0, keys::typed_number(theme, "count", &count, &ask.typed, "they stay off")));
    let title = format!("Switch on the adj rules of {}?", ask.file);
    popup::paint(&title, lines, (0, Overflow::Needs), theme.danger_frame(), area, canvas).dialog
}

/// A rule, and how many processes it applies to now.
fn rule(about: &str, adj: Adj, would: usize, theme: Theme) -> Line<'static> {
    let now = match would {
        0 => "no process now".to_owned(),
        1 => "1 process now".to_owned(),
        count => format!("{count} processes now"),
    };
    Line::from(vec![
        Span::styled(about.to_owned(), theme.strong()),
        Span::raw(format!(": adj {adj}, ")),
        Span::styled(now, theme.label()),
    ])
}
