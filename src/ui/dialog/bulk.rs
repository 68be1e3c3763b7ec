//! The question before an act on several processes: the list scrolls, what is asked stays in view.

use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use crate::app::dialog::bulk::{BulkConsent, BulkDialog};
use crate::ui::dialog::popup;
use crate::ui::page::scroll::PageShown;
use crate::ui::paint::canvas::{Canvas, cells};

/// Paints it.
pub fn paint(several: &BulkDialog, area: Rect, canvas: &mut Canvas<'_>) -> PageShown {
    let theme = canvas.theme;
    let frame = if several.destructive { theme.grave_frame() } else { theme.frame() };
    // The frame, a blank line around the list, what is asked and the keys.
    let around = 2 + 4 + several.notes.len() as u16;
    let room = area.height.saturating_sub(around).max(1);
    let rows = usize::from(room).min(several.items.len());
    let top = several.top.min(several.items.len() - rows);
    let names = several.items.iter().map(|it| cells(&name_of(it))).max().unwrap_or(0).min(28);
    let mut lines: Vec<popup::PriorityLine> = Vec::new();
    for item in &several.items[top..top + rows] {
        let name = name_of(item);
        let pad = usize::from(names.saturating_sub(cells(&name)));
        let left_alone = !several.touches(item);
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
    let hidden = several.items.len() - rows;
    if hidden > 0 {
        let text = format!("{}-{} of {}, Up and Down scroll", top + 1, top + rows, rows + hidden);
        lines.push((0, Line::styled(text, theme.dim())));
    }
    lines.extend(several.notes.iter().map(|note| (5, Line::styled(note.clone(), theme.warn()))));
    lines.push((9, Line::default()));
    lines.push((0, asked(several, canvas)));
    let whole = popup::paint(&several.title, lines, frame, area, canvas);
    PageShown {
        page: rows as u16,
        lines: several.items.len() as u16,
        dialog: whole && several.touched() > 0,
    }
}

fn name_of(item: &crate::app::dialog::bulk::BulkItem) -> String {
    format!("{} {}", item.who.pid, item.name)
}

fn asked(several: &BulkDialog, canvas: &Canvas<'_>) -> Line<'static> {
    let theme = canvas.theme;
    let touched = several.touched();
    if touched == 0 {
        return Line::styled("nobody here can be touched   Esc closes", theme.warn());
    }
    match &several.consent {
        BulkConsent::Enter => Line::from(vec![
            Span::styled("Enter", theme.strong()),
            Span::raw(format!(" do it to {touched}   ")),
            Span::styled("Esc", theme.strong()),
            Span::raw(" leave all as they are"),
        ]),
        BulkConsent::Count(typed) => {
            let count = touched.to_string();
            let rest = count.len().saturating_sub(typed.len() + 1);
            Line::from(vec![
                Span::raw(format!("type the count {count} and ")),
                Span::styled("Enter", theme.danger()),
                Span::raw(": ["),
                Span::styled(typed.clone(), theme.strong()),
                Span::styled(" ", theme.cursor()),
                Span::raw(format!("{}]   Esc = nothing", " ".repeat(rest))),
            ])
        }
    }
}
