//! How to keep a value: every way with what it takes, one of them chosen.

use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use crate::app::page::persist::PersistPage;
use crate::plan::persist::PersistMethod;
use crate::ui::page::scroll::PageShown;
use crate::ui::paint::canvas::{Canvas, cells, wrap};

/// Paints the page, scrolled so that the chosen way is in view.
pub fn paint(keep: &PersistPage, area: Rect, canvas: &mut Canvas<'_>) -> PageShown {
    let theme = canvas.theme;
    let title = format!("To keep oom_score_adj {} of {} {}", keep.value, keep.who, keep.name);
    let boxed = area.height >= 5;
    let mut inside = if boxed {
        let inside = canvas.frame(area, &title, theme.frame());
        Rect { x: inside.x + 1, width: inside.width.saturating_sub(2), ..inside }
    } else {
        canvas.clear(area);
        area
    };
    if keep.path.is_some() && inside.height > 2 {
        inside.height -= 2;
        let foot = Rect { y: inside.bottom() + 1, height: 1, ..inside };
        paint_path(keep, foot, canvas);
    }
    let mut lines: Vec<Line<'static>> = Vec::new();
    let (mut from, mut to) = (0, 0);
    for (nth, way) in keep.methods.iter().enumerate() {
        let chosen = nth == keep.at;
        let begin = lines.len();
        let all = way_lines(way, chosen, canvas);
        lines.extend(all.iter().flat_map(|line| wrap(line, inside.width, 4)));
        if chosen {
            (from, to) = (begin, lines.len());
        }
        lines.push(Line::default());
    }
    let rows = usize::from(inside.height).max(1);
    let top = to.saturating_sub(rows).min(from);
    for (y, line) in (inside.top()..inside.bottom()).zip(lines.iter().skip(top)) {
        canvas.line(inside.x, y, inside.width, line);
    }
    if boxed {
        let file = keep.chosen().is_some_and(|way| way.place.is_some());
        let write = if file { "w writes it to a file, " } else { "" };
        let text = format!(" Up Down choose, y copies, {write}Esc closes ");
        let taken = cells(&text);
        if taken + 4 < area.width {
            canvas.text(area.right() - taken - 2, area.bottom() - 1, taken, &text, theme.frame());
        }
    }
    PageShown { page: inside.height, lines: lines.len() as u16, dialog: false }
}

fn way_lines(way: &PersistMethod, chosen: bool, canvas: &Canvas<'_>) -> Vec<Line<'static>> {
    let theme = canvas.theme;
    let title = if chosen { theme.strong().patch(theme.cursor()) } else { theme.strong() };
    let mark = if chosen { "> " } else { "  " };
    let mut lines = vec![Line::from(vec![
        Span::styled(mark, theme.strong()),
        Span::styled(way.title.clone(), title),
    ])];
    if let Some(place) = &way.place {
        lines
            .push(Line::from(vec![Span::styled("  in ", theme.label()), Span::raw(place.clone())]));
    }
    let text = way.text.lines();
    lines.extend(text.map(|line| Line::styled(format!("    {line}"), theme.good())));
    lines.extend(way.about.iter().map(|line| Line::styled(format!("  {line}"), theme.dim())));
    lines
}

/// The path being typed.
fn paint_path(keep: &PersistPage, area: Rect, canvas: &mut Canvas<'_>) {
    let theme = canvas.theme;
    let Some(input) = &keep.path else { return };
    let label = "Write it to (a new file; Enter writes, Esc does not): ";
    let label = if cells(label) + 20 < area.width { label } else { "Write to: " };
    let x = area.x + canvas.text(area.x, area.y, area.width, label, theme.label());
    let room = area.right().saturating_sub(x).saturating_sub(1);
    let scroll = input.visual_scroll(usize::from(room));
    let shown: String = input.value().chars().skip(scroll).collect();
    canvas.text(x, area.y, room, &shown, theme.strong());
    let cursor = x + (input.visual_cursor().saturating_sub(scroll) as u16).min(room);
    canvas.style(Rect { x: cursor, width: 1, height: 1, ..area }, theme.cursor());
}
