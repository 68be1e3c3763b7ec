//! A menu: a list to choose from, which typing may narrow.

use ratatui::layout::Rect;

use crate::app::dialog::menu::{Menu, MenuChoice, MenuItem};
use crate::app::view::click_target::ClickTarget;
use crate::ui::paint::canvas::{Canvas, cells};
use crate::ui::paint::scroll::PageShown;
use crate::ui::paint::{input, list, text};

/// The width that the column of labels has in any case, if its labels need it.
const LABELS: u16 = 36;

/// The cells of a menu beside its labels and hints.
const AROUND: u16 = 8;

/// Paints the menu, scrolled so that the chosen line is in view.
pub fn paint(menu: &Menu, area: Rect, canvas: &mut Canvas<'_>) -> PageShown {
    let theme = canvas.theme;
    let hints = menu.items.iter().map(|item| cells(&item.hint)).max().unwrap_or(0);
    let left = area.width.saturating_sub(hints + AROUND).max(LABELS);
    let labels = menu.items.iter().map(|item| cells(&item.label)).max().unwrap_or(0).min(left);
    let (place, boxed) = place(menu, (labels, hints), area);
    let inside = if boxed {
        canvas.frame(place, &menu.title, theme.frame())
    } else {
        canvas.clear(place);
        place
    };
    let mut rows = inside;
    if menu.narrows && inside.height > 1 {
        rows.y += 1;
        rows.height -= 1;
        paint_typed(&menu.typed, inside, canvas);
    }
    let matching = menu.matching().count() as u16;
    let chosen = (menu.at as u16).min(matching.saturating_sub(1));
    if matching == 0 {
        let room = rows.width.saturating_sub(2);
        canvas.text(rows.x + 1, rows.y, room, "nothing matches", theme.dim());
    }
    let top = list::lowest_top(chosen, rows.height);
    let items = menu.matching().enumerate().skip(usize::from(top));
    for (y, (nth, item)) in (rows.top()..rows.bottom()).zip(items) {
        let row = Rect { y, height: 1, ..rows };
        canvas.clickable(row, ClickTarget::MenuLine(nth));
        paint_item(menu, item, labels, row, canvas);
        if nth == usize::from(chosen) {
            list::highlight(row, canvas);
        }
    }
    PageShown { page: rows.height, lines: matching, top: 0, dialog: false }
}

/// The area of the menu, and whether it has a border.
fn place(menu: &Menu, (labels, hints): (u16, u16), area: Rect) -> (Rect, bool) {
    let wanted = labels.saturating_add(hints).saturating_add(AROUND);
    let wanted = wanted.max(cells(&menu.title) + 8).max(30);
    let width = wanted.min(area.width);
    let boxed = area.height >= 5;
    let extra = if boxed { 2 } else { 0 } + u16::from(menu.narrows);
    let height = (menu.items.len() as u16).max(1).saturating_add(extra).min(area.height);
    let place = Rect {
        x: area.x + (area.width - width) / 2,
        y: area.y + (area.height - height) / 3,
        width,
        height,
    };
    (place, boxed)
}

/// Paints what was typed to narrow the list.
fn paint_typed(typed: &str, inside: Rect, canvas: &mut Canvas<'_>) {
    let theme = canvas.theme;
    let (mut x, y) = (inside.x + 1, inside.y);
    let label = input::label(&["type to narrow: ", ": "], typed, inside.width.saturating_sub(2));
    x += canvas.text(x, y, inside.width.saturating_sub(2), label, theme.dim());
    let row = Rect { height: 1, ..inside };
    input::paint(typed, usize::from(cells(typed)), x, row, canvas);
}

fn paint_item(menu: &Menu, item: &MenuItem, labels: u16, row: Rect, canvas: &mut Canvas<'_>) {
    let (theme, y) = (canvas.theme, row.y);
    let on = match (menu.toggles, item.on) {
        (true, _) if !item.can_switch() => "    ",
        (true, true) => "[x] ",
        (true, false) => "[ ] ",
        (false, true) => "* ",
        (false, false) => "  ",
    };
    let mut x = row.x + 1;
    let end = row.right().saturating_sub(1);
    x += canvas.text(x, y, end.saturating_sub(x), on, theme.tag());
    let room = labels.min(end.saturating_sub(x));
    // The end of a path is its most useful part.
    let label = match item.choice {
        MenuChoice::Scope(_) => text::path_in(&item.label, room),
        MenuChoice::Act(_) => text::whole_clauses(&item.label, room).into(),
        _ => item.label.as_str().into(),
    };
    canvas.text(x, y, room, &label, theme.strong());
    x += labels + 2;
    let room = end.saturating_sub(x);
    // What is copied is a value, all else a sentence.
    let is_value = matches!(item.choice, MenuChoice::Copy(_));
    let hint = if is_value { item.hint.as_str() } else { text::whole_clauses(&item.hint, room) };
    canvas.text(x, y, room, hint, theme.dim());
}
