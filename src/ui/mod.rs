//! FACE: the app in, cells out. Never changes the app, asks no clock and reads no file: the same
//! app gives the same picture.
//!
//! One small file for each region of the screen; `layout` says which cells belong to whom, `pen`
//! is the only way to them, and `look` holds every colour and glyph.

pub mod look;

mod cgroup;
mod cgroups;
mod chart;
mod confirm;
mod dialog;
mod edit;
mod events;
mod explain;
mod footer;
mod gate;
mod gauge;
mod header;
mod help;
mod journal;
mod keep;
mod knobs;
mod layout;
mod machine;
mod memory;
mod menu;
mod outlook;
mod page;
mod panels;
mod pen;
mod promises;
mod round;
mod session;
mod several;
mod stem;
mod sticky;
mod table;
mod timeline;
mod trail;
mod verdicts;
mod victim;
mod words;

use ratatui::Frame;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::app::mode::{Mode, Screen};
use crate::app::{App, Viewport};
use layout::{Layout, SMALLEST};
use page::Shown;
use pen::Pen;

pub use look::Look;

/// Draws the whole screen; what it showed comes back, for the app to keep its cursor in view.
pub fn draw(app: &App, look: &Look, frame: &mut Frame<'_>) -> Viewport {
    let area = frame.area();
    paint(app, look, area, frame.buffer_mut())
}

/// The same into any buffer: for tests and pictures.
pub fn paint(app: &App, look: &Look, area: Rect, buf: &mut Buffer) -> Viewport {
    let area = area.intersection(buf.area);
    let mut viewport = Viewport { width: area.width, height: area.height, ..Viewport::default() };
    let mut pen = Pen::new(*look, buf);
    pen.clear(area);
    let (width, height) = SMALLEST;
    if area.width < width || area.height < height {
        let text = format!(
            "doomtop needs {width}x{height}, have {}x{} - q quits",
            area.width, area.height
        );
        pen.text(area.x, area.y, area.width, &text, look.plain());
        return viewport;
    }
    let layout = Layout::new(app, area);
    viewport.rows = layout.rows.height;
    viewport.panels = layout.panel_count;
    header::paint(app, layout.level, layout.header, &mut pen);
    match app.screen {
        Screen::Processes => viewport.columns_left = paint_processes(app, &layout, &mut pen),
        Screen::Cgroups => {
            cgroups::paint_head(app, layout.head, &mut pen);
            cgroups::paint_rows(app, layout.rows, &mut pen);
        }
        Screen::Verdicts => {
            let panelled = layout.panel_count > 0;
            let shown = verdicts::paint(app, layout.head, layout.rows, panelled, &mut pen);
            (viewport.rows, viewport.columns_left) = shown;
        }
        Screen::Memory => viewport.rows = memory::paint(app, layout.head, layout.rows, &mut pen),
        Screen::Events => viewport.rows = events::paint(app, layout.head, layout.rows, &mut pen),
    }
    if app.scene.is_none() {
        table::paint_waiting(layout.rows, &mut pen);
    }
    if app.scene.is_some() {
        panels::paint(app, layout.panel_count, layout.panels, &mut pen);
    }
    footer::paint_status(app, layout.status, &mut pen);
    footer::paint_bar(app, layout.bar, &mut pen);
    let shown = paint_mode(app, &layout, area, &mut pen);
    viewport.page = shown.page;
    viewport.page_lines = shown.lines;
    viewport.dialog = shown.dialog;
    viewport
}

/// The table; how many of its columns were left out on the left comes back.
fn paint_processes(app: &App, layout: &Layout, pen: &mut Pen<'_>) -> u16 {
    let grid = table::Grid::new(app, layout.rows.width);
    grid.paint_head(app, layout.head, pen);
    if app.scene.is_some() && app.lines.is_empty() {
        table::paint_empty(app, layout.rows, pen);
    } else {
        grid.paint_rows(app, layout.rows, pen);
    }
    grid.left_out
}

/// What lies over the table.
fn paint_mode(app: &App, layout: &Layout, area: Rect, pen: &mut Pen<'_>) -> Shown {
    // A dialog may cover the head of the table and, where it must, all but the function bar.
    let roomy = layout.page();
    let space = if roomy.height >= 16 { roomy } else { Rect { height: area.height - 1, ..area } };
    match &app.mode {
        Mode::Browse | Mode::GoTo(_) | Mode::Prompt(_) => Shown::default(),
        Mode::Menu(menu) => menu::paint(menu, roomy, pen),
        Mode::Explain(scroll) => {
            let lines = explain::full(app, pen.look);
            page::paint(&explain::title(app), &lines, 12, *scroll, roomy, pen)
        }
        Mode::Happened(page) => {
            let lines = events::page(page, pen.look);
            page::paint(&page.title, &lines, 9, page.scroll, roomy, pen)
        }
        Mode::Help(scroll) => {
            let lines = help::lines(pen.look);
            page::paint("doomtop: keys and columns", &lines, help::MARGIN, *scroll, roomy, pen)
        }
        Mode::Round(scroll) => round::paint(app, *scroll, roomy, pen),
        Mode::Several(several) => several::paint(several, space, pen),
        Mode::Journal(at) => journal::paint(app, *at, roomy, pen),
        Mode::Promises(scroll) => promises::paint(app, *scroll, roomy, pen),
        Mode::Keep(keep) => keep::paint(keep, roomy, pen),
        Mode::Edit(edit) => Shown::dialog(edit::paint(app, edit, space, pen)),
        Mode::Confirm(confirm) => Shown::dialog(confirm::paint(app, confirm, space, pen)),
        Mode::Revert(revert) => Shown::dialog(confirm::paint_revert(app, revert, space, pen)),
        Mode::Rules(scroll) => sticky::paint(app, *scroll, roomy, pen),
        Mode::Ask(ask) => Shown::dialog(sticky::paint_ask(ask, space, pen)),
        Mode::Knobs(edit) => Shown::dialog(knobs::paint(app, edit, space, pen)),
        Mode::Sure(sure) => Shown::dialog(knobs::paint_sure(app, sure, space, pen)),
    }
}
