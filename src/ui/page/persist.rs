//! The page of the ways to make an oom_score_adj persistent.

use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use crate::app::page::persist::PersistPage;
use crate::plan::persist::PersistMethod;
use crate::ui::paint::canvas::Canvas;
use crate::ui::paint::lines::wrap;
use crate::ui::paint::scroll::{PageBox, PageShown};
use crate::ui::paint::{input, list};

/// Paints the page, scrolled so that the chosen method is in view.
pub fn paint(page: &PersistPage, area: Rect, canvas: &mut Canvas<'_>) -> PageShown {
    let title =
        format!("Make oom_score_adj {} of {} {} persistent", page.value, page.who, page.name);
    let open = PageBox::open_padded(area, &title, canvas);
    let mut inside = open.inside;
    if page.path.is_some() && inside.height > 2 {
        inside.height -= 2;
        let foot = Rect { y: inside.bottom() + 1, height: 1, ..inside };
        paint_path(page, foot, canvas);
    }
    let mut lines: Vec<Line<'static>> = Vec::new();
    let (mut from, mut to) = (0, 0);
    for (nth, method) in page.methods.iter().enumerate() {
        let chosen = nth == page.at;
        let begin = lines.len();
        let all = method_lines(method, chosen, canvas);
        lines.extend(all.iter().flat_map(|line| wrap(line, inside.width, 4)));
        if chosen {
            (from, to) = (begin, lines.len());
        }
        lines.push(Line::default());
    }
    let top = list::block_top(from, to, usize::from(inside.height));
    for (y, line) in (inside.top()..inside.bottom()).zip(lines.iter().skip(top)) {
        canvas.line(inside.x, y, inside.width, line);
    }
    let file = page.chosen().is_some_and(|method| method.place.is_some());
    let write = if file { "w writes it to a file, " } else { "" };
    open.foot(&[&format!("Up Down choose, y copies, {write}Esc closes")], canvas);
    PageShown { page: inside.height, lines: lines.len() as u16, top: 0, dialog: false }
}

/// A way to make the value persistent: where, the text to copy, and what is to be known of it.
fn method_lines(method: &PersistMethod, chosen: bool, canvas: &Canvas<'_>) -> Vec<Line<'static>> {
    let theme = canvas.theme;
    let title = if chosen { theme.strong().patch(theme.cursor()) } else { theme.strong() };
    let mark = if chosen { "> " } else { "  " };
    let mut lines = vec![Line::from(vec![
        Span::styled(mark, theme.strong()),
        Span::styled(method.title.clone(), title),
    ])];
    if let Some(place) = &method.place {
        lines
            .push(Line::from(vec![Span::styled("  in ", theme.label()), Span::raw(place.clone())]));
    }
    let text = method.text.lines();
    lines.extend(text.map(|line| Line::styled(format!("    {line}"), theme.good())));
    lines.extend(method.about.iter().map(|line| Line::styled(format!("  {line}"), theme.dim())));
    lines
}

/// Paints the path that is being typed.
fn paint_path(page: &PersistPage, area: Rect, canvas: &mut Canvas<'_>) {
    let theme = canvas.theme;
    let Some(path) = &page.path else { return };
    let labels = ["Write it to (a new file; Enter writes, Esc does not): ", "Write to: "];
    let label = input::label(&labels, path.value(), area.width);
    let x = area.x + canvas.text(area.x, area.y, area.width, label, theme.label());
    input::paint(path.value(), path.visual_cursor(), x, area, canvas);
}
