//! FACE: the app in, cells out. Never changes the app, asks no clock and reads no file: the same
//! app gives the same picture.
//!
//! One small file for each region of the screen; `layout` says which cells belong to whom, `pen`
//! is the only way to them, and `look` holds every colour and glyph.

pub mod dialog;
pub mod frame;
pub mod page;
pub mod paint;
pub mod panel;
pub mod view;

use ratatui::Frame;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::app::dialog::mode::{Mode, ViewKind};
use crate::app::{App, Viewport};
use crate::ui::frame::layout::{Layout, SMALLEST};
use crate::ui::page::scroll::PageShown;
use crate::ui::paint::canvas::Canvas;

pub use crate::ui::paint::theme::Theme;

/// Draws the whole screen; what it showed comes back, for the app to keep its cursor in view.
pub fn draw(app: &App, look: &Theme, frame: &mut Frame<'_>) -> Viewport {
    let area = frame.area();
    paint(app, look, area, frame.buffer_mut())
}

/// The same into any buffer: for tests and pictures.
pub fn paint(app: &App, look: &Theme, area: Rect, buf: &mut Buffer) -> Viewport {
    let area = area.intersection(buf.area);
    let mut viewport = Viewport { width: area.width, height: area.height, ..Viewport::default() };
    let mut pen = Canvas::new(*look, buf);
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
    crate::ui::frame::header::paint(app, layout.level, layout.header, &mut pen);
    match app.screen {
        ViewKind::Processes => viewport.columns_left = paint_processes(app, &layout, &mut pen),
        ViewKind::Cgroups => {
            crate::ui::view::cgroups::paint_head(app, layout.head, &mut pen);
            crate::ui::view::cgroups::paint_rows(app, layout.rows, &mut pen);
        }
        ViewKind::Verdicts => {
            let panelled = layout.panel_count > 0;
            let shown =
                crate::ui::view::verdicts::paint(app, layout.head, layout.rows, panelled, &mut pen);
            (viewport.rows, viewport.columns_left) = shown;
        }
        ViewKind::Memory => {
            viewport.rows = crate::ui::view::memory::paint(app, layout.head, layout.rows, &mut pen)
        }
        ViewKind::Events => {
            viewport.rows = crate::ui::view::events::paint(app, layout.head, layout.rows, &mut pen)
        }
    }
    if app.scene.is_none() {
        crate::ui::view::processes::paint_waiting(layout.rows, &mut pen);
    }
    if app.scene.is_some() {
        crate::ui::panel::panels::paint(app, layout.panel_count, layout.panels, &mut pen);
    }
    crate::ui::frame::footer::paint_status(app, layout.status, &mut pen);
    crate::ui::frame::footer::paint_bar(app, layout.bar, &mut pen);
    let shown = paint_mode(app, &layout, area, &mut pen);
    viewport.page = shown.page;
    viewport.page_lines = shown.lines;
    viewport.dialog = shown.dialog;
    viewport
}

/// The table; how many of its columns were left out on the left comes back.
fn paint_processes(app: &App, layout: &Layout, pen: &mut Canvas<'_>) -> u16 {
    let grid = crate::ui::view::processes::TableGrid::new(app, layout.rows.width);
    grid.paint_head(app, layout.head, pen);
    if app.scene.is_some() && app.lines.is_empty() {
        crate::ui::view::processes::paint_empty(app, layout.rows, pen);
    } else {
        grid.paint_rows(app, layout.rows, pen);
    }
    grid.left_out
}

/// What lies over the table.
fn paint_mode(app: &App, layout: &Layout, area: Rect, pen: &mut Canvas<'_>) -> PageShown {
    // A dialog may cover the head of the table and, where it must, all but the function bar.
    let roomy = layout.page();
    let space = if roomy.height >= 16 { roomy } else { Rect { height: area.height - 1, ..area } };
    match &app.mode {
        Mode::Browse | Mode::GoTo(_) | Mode::Prompt(_) => PageShown::default(),
        Mode::Menu(menu) => crate::ui::dialog::menu::paint(menu, roomy, pen),
        Mode::Explain(scroll) => {
            let lines = crate::ui::panel::explain::full(app, pen.look);
            crate::ui::page::scroll::paint(
                &crate::ui::panel::explain::title(app),
                &lines,
                12,
                *scroll,
                roomy,
                pen,
            )
        }
        Mode::Happened(page) => {
            let lines = crate::ui::view::events::page(page, pen.look);
            crate::ui::page::scroll::paint(&page.title, &lines, 9, page.scroll, roomy, pen)
        }
        Mode::Help(scroll) => {
            let lines = crate::ui::page::help::lines(pen.look);
            crate::ui::page::scroll::paint(
                "doomtop: keys and columns",
                &lines,
                crate::ui::page::help::MARGIN,
                *scroll,
                roomy,
                pen,
            )
        }
        Mode::Round(scroll) => crate::ui::page::bulk_result::paint(app, *scroll, roomy, pen),
        Mode::Several(several) => crate::ui::dialog::bulk::paint(several, space, pen),
        Mode::Journal(at) => crate::ui::page::journal::paint(app, *at, roomy, pen),
        Mode::Promises(scroll) => crate::ui::page::commitments::paint(app, *scroll, roomy, pen),
        Mode::Keep(keep) => crate::ui::page::persist::paint(keep, roomy, pen),
        Mode::Edit(edit) => {
            PageShown::dialog(crate::ui::dialog::adjust::paint(app, edit, space, pen))
        }
        Mode::Confirm(confirm) => {
            PageShown::dialog(crate::ui::dialog::signal::paint(app, confirm, space, pen))
        }
        Mode::Revert(revert) => {
            PageShown::dialog(crate::ui::dialog::signal::paint_revert(app, revert, space, pen))
        }
        Mode::Rules(scroll) => crate::ui::page::adj_rules::paint(app, *scroll, roomy, pen),
        Mode::Ask(ask) => PageShown::dialog(crate::ui::page::adj_rules::paint_ask(ask, space, pen)),
        Mode::Knobs(edit) => {
            PageShown::dialog(crate::ui::dialog::sysctl::paint(app, edit, space, pen))
        }
        Mode::Sure(sure) => {
            PageShown::dialog(crate::ui::dialog::sysctl::paint_sure(app, sure, space, pen))
        }
    }
}
