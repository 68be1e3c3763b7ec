//! The last line of the screen: the keys of the current mode that have a label and do something now.

use ratatui::layout::Rect;

use crate::app::App;
use crate::app::keymap::bindings::{Key, KeyCode};
use crate::app::view::click_target::ClickTarget;
use crate::ui::paint::canvas::{Canvas, cells};

/// The keys and their labels: while a text is typed, those that are not part of it.
fn named(app: &App) -> Vec<(Key, &'static str)> {
    if let Some(keys) = app.typing_keys() {
        return keys.to_vec();
    }
    let rows = app.keys.keys_of(app.key_context());
    let rows = rows.filter(|row| !row.label.is_empty() && app.offers(row.action));
    let mut named: Vec<_> = rows.filter_map(|row| Some((*row.keys.first()?, row.label))).collect();
    named.sort_by_key(|(key, _)| match key.code {
        KeyCode::F(number) => number,
        _ => u8::MAX,
    });
    named
}

/// Paints the function keys in the order of their numbers, and the others behind them.
pub fn paint(app: &App, area: Rect, canvas: &mut Canvas<'_>) {
    let theme = canvas.theme;
    let named = named(app);
    let count = named.len().max(1) as u16;
    let taken: u16 = named.iter().map(|(key, label)| cells(&key.to_string()) + cells(label)).sum();
    // Without a space between them they could not be told apart: the last ones are left out for it.
    let pad = (area.width.saturating_sub(taken) / count).clamp(1, 4);
    let mut x = area.x;
    for (key, label) in named {
        let name = key.to_string();
        if x + cells(&name) + cells(label) > area.right() {
            break;
        }
        let from = x;
        x += canvas.text(x, area.y, area.right() - x, &name, theme.key());
        // Where there is room, a key stands apart from its label.
        let gap = u16::from(pad > 1).min(area.right() - x);
        x += gap;
        let width = (cells(label) + pad - gap).min(area.right() - x);
        canvas.style(Rect { x, y: area.y, width, height: 1 }, theme.key_label());
        canvas.text(x, area.y, width, label, theme.key_label());
        x += width;
        let place = Rect { x: from, y: area.y, width: x - from, height: 1 };
        canvas.clickable(place, ClickTarget::Key(key));
    }
    if x < area.right() {
        let rest = Rect { x, y: area.y, width: area.right() - x, height: 1 };
        canvas.style(rest, theme.key_label());
    }
}
