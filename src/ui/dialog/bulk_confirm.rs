//! The question before an act on several processes. The list scrolls, the question stays in view.

use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use crate::app::ActingMode;
use crate::app::dialog::bulk_confirm::{BulkConsent, BulkDialog, BulkItem};
use crate::ui::paint::canvas::{Canvas, cells};
use crate::ui::paint::popup::Overflow;
use crate::ui::paint::scroll::PageShown;
use crate::ui::paint::{keys, popup};

/// Paints the dialog.
pub fn paint(
    dialog: &BulkDialog,
    acting: ActingMode,
    area: Rect,
    canvas: &mut Canvas<'_>,
) -> PageShown {
    let theme = canvas.theme;
    let frame = if dialog.destructive { theme.danger_frame() } else { theme.frame() };
    // The border, the line below the list that counts it, a blank line, the question and its keys.
    let without_effect = keys::without_effect_line(theme, acting);
    let notes = dialog.notes.len() + usize::from(without_effect.is_some());
    let around = 2 + 4 + notes as u16;
    let room = area.height.saturating_sub(around).max(1);
    let rows = usize::from(room).min(dialog.items.len());
    let top = dialog.top.min(dialog.items.len() - rows);
    let names = dialog.items.iter().map(|it| cells(&name_of(it))).max().unwrap_or(0).min(28);
    let mut lines: Vec<popup::PriorityLine> = Vec::new();
    for item in &dialog.items[top..top + rows] {
        let name = name_of(item);
        let pad = usize::from(names.saturating_sub(cells(&name)));
        let left_alone = !dialog.touches(item);
        let (who, what) =
            if left_alone { (theme.dim(), theme.warn()) } else { (theme.strong(), theme.plain()) };
        lines.push((
            0,
            Line::from(vec![
                Span::styled(format!("{name}{:pad$}  ", ""), who),
                Span::styled(item.what.clone(), what),
            ]),
        ));
    }
    let hidden = dialog.items.len() - rows;
    if hidden > 0 {
        let text = format!("{}-{} of {}, Up and Down scroll", top + 1, top + rows, rows + hidden);
        lines.push((0, Line::styled(text, theme.dim())));
    }
    lines.extend(dialog.notes.iter().map(|note| (5, Line::styled(note.clone(), theme.warn()))));
    lines.push((9, Line::default()));
    lines.extend(without_effect);
    lines.push((0, question(dialog, canvas)));
    let shown = popup::paint(&dialog.title, lines, (0, Overflow::Needs), frame, area, canvas);
    PageShown {
        page: rows as u16,
        lines: dialog.items.len() as u16,
        top: 0,
        dialog: shown.dialog && dialog.touched() > 0,
    }
}

fn name_of(item: &BulkItem) -> String {
    format!("{} {}", item.who.pid, item.name)
}

/// The question and the keys that answer it.
fn question(dialog: &BulkDialog, canvas: &Canvas<'_>) -> Line<'static> {
    let theme = canvas.theme;
    let touched = dialog.touched();
    if touched == 0 {
        return Line::styled("no process here can be changed   Esc closes", theme.warn());
    }
    match &dialog.consent {
        BulkConsent::Enter => Line::from(vec![
            Span::styled("Enter", theme.strong()),
            Span::raw(format!(" do it to {touched}   ")),
            Span::styled("Esc", theme.strong()),
            Span::raw(" leave all as they are"),
        ]),
        BulkConsent::Count(typed) => {
            keys::typed_number(theme, "count", &touched.to_string(), typed, "nothing")
        }
    }
}
