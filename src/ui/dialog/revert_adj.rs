//! The question before a change of oom_score_adj is put back, or made again.

use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use crate::app::App;
use crate::app::dialog::revert_adj::RevertDialog;
use crate::ui::paint::canvas::Canvas;
use crate::ui::paint::popup::Overflow;
use crate::ui::paint::{keys, popup};

/// Paints the dialog; gives back whether all of the question is on the screen.
pub fn paint(app: &App, revert: &RevertDialog, area: Rect, canvas: &mut Canvas<'_>) -> bool {
    let theme = canvas.theme;
    let who = format!("{} {}", revert.who, revert.name);
    let (title, note, does) = if revert.again {
        (
            format!("Redo the change of oom_score_adj for {who}?"),
            "the value before the revert",
            " redo   ",
        )
    } else {
        (format!("Revert oom_score_adj of {who}?"), "the value before the change", " revert   ")
    };
    let mut lines = vec![(
        0,
        Line::from(vec![
            Span::raw(format!("{} {} ", revert.from, theme.arrow())),
            Span::styled(revert.to.to_string(), theme.strong()),
            Span::styled(format!("  {note}"), theme.dim()),
        ]),
    )];
    let process = app.scene.as_ref().and_then(|scene| scene.find(revert.who));
    if process.is_none() {
        lines.push((1, Line::styled("! it is gone already", theme.warn())));
    }
    lines.push((9, Line::default()));
    lines.extend(keys::without_effect_line(theme, app.start.acting));
    lines.push((0, keys::hints(theme, &[("Enter", does), ("Esc", " cancel")])));
    popup::paint(&title, lines, (0, Overflow::Needs), theme.frame(), area, canvas).dialog
}
