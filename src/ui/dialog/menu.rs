//! A list to choose from.

use ratatui::layout::Rect;

use crate::app::dialog::menu::{Menu, MenuChoice};
use crate::ui::page::scroll::PageShown;
use crate::ui::paint::canvas::{Canvas, cells, tail};

/// Paints the list, scrolled so that the chosen line is in view.
pub fn paint(menu: &Menu, area: Rect, canvas: &mut Canvas<'_>) -> PageShown {
    let theme = canvas.theme;
    let matching = menu.matching().count() as u16;
    let all = menu.items.len() as u16;
    let labels = menu.items.iter().map(|item| cells(&item.label)).max().unwrap_or(0).min(36);
    let hints = menu.items.iter().map(|item| cells(&item.hint)).max().unwrap_or(0);
    let wanted = (labels + hints).saturating_add(8).max(cells(&menu.title) + 8).clamp(30, 76);
    let width = wanted.min(area.width);
    let boxed = area.height >= 5;
    let extra = if boxed { 2 } else { 0 } + u16::from(menu.narrows);
    let height = all.max(1).saturating_add(extra).min(area.height);
    let place = Rect {
        x: area.x + (area.width - width) / 2,
        y: area.y + (area.height - height) / 3,
        width,
        height,
    };
    let inside = if boxed {
        canvas.frame(place, &menu.title, theme.frame())
    } else {
        canvas.clear(place);
        place
    };
    let mut list = inside;
    if menu.narrows && inside.height > 1 {
        list.y += 1;
        list.height -= 1;
        let mut x = inside.x + 1;
        x += canvas.text(
            x,
            inside.y,
            inside.width.saturating_sub(2),
            "type to narrow: ",
            theme.dim(),
        );
        let room = inside.right().saturating_sub(x + 1);
        x += canvas.text(x, inside.y, room, &menu.typed, theme.strong());
        if x < inside.right() {
            canvas.text(x, inside.y, 1, " ", theme.cursor());
        }
    }
    let rows = list.height;
    let chosen = (menu.at as u16).min(matching.saturating_sub(1));
    let top = (chosen + 1).saturating_sub(rows);
    if matching == 0 {
        canvas.text(
            list.x + 1,
            list.y,
            list.width.saturating_sub(2),
            "nothing matches",
            theme.dim(),
        );
    }
    let items = menu.matching().enumerate().skip(usize::from(top));
    for (y, (nth, item)) in (list.top()..list.bottom()).zip(items) {
        let on = match (menu.toggles, item.on) {
            (true, true) => "[x] ",
            (true, false) => "[ ] ",
            (false, true) => "* ",
            (false, false) => "  ",
        };
        let mut x = list.x + 1;
        let end = list.right().saturating_sub(1);
        x += canvas.text(x, y, end.saturating_sub(x), on, theme.tag());
        let room = labels.min(end.saturating_sub(x));
        // What a path ends with says most.
        let label = match item.choice {
            MenuChoice::Scope(_) => tail(&item.label, room),
            _ => item.label.as_str().into(),
        };
        canvas.text(x, y, room, &label, theme.strong());
        x += labels + 2;
        canvas.text(x, y, end.saturating_sub(x), &item.hint, theme.dim());
        if nth == usize::from(chosen) {
            canvas.style(Rect { y, height: 1, ..list }, theme.cursor());
        }
    }
    PageShown { page: rows, lines: matching, dialog: false }
}
