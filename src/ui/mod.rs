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

use crate::app::mode::Mode;
use crate::app::view::kind::ViewKind;
use crate::app::{App, Viewport};
use crate::ui::frame::layout::{Layout, SMALLEST};
use crate::ui::page::scroll::PageShown;
use crate::ui::paint::canvas::Canvas;

pub use crate::ui::paint::theme::Theme;

/// Draws the whole screen; what it showed comes back, for the app to keep its cursor in view.
pub fn draw(app: &App, theme: &Theme, frame: &mut Frame<'_>) -> Viewport {
    let area = frame.area();
    paint(app, theme, area, frame.buffer_mut())
}

/// The same into any buffer: for tests and pictures.
pub fn paint(app: &App, theme: &Theme, area: Rect, buf: &mut Buffer) -> Viewport {
    let area = area.intersection(buf.area);
    let mut viewport = Viewport { width: area.width, height: area.height, ..Viewport::default() };
    let mut canvas = Canvas::new(*theme, buf);
    canvas.clear(area);
    let (width, height) = SMALLEST;
    if area.width < width || area.height < height {
        let text = format!(
            "doomtop needs {width}x{height}, have {}x{} - q quits",
            area.width, area.height
        );
        canvas.text(area.x, area.y, area.width, &text, theme.plain());
        return viewport;
    }
    let layout = Layout::new(app, area);
    viewport.rows = layout.rows.height;
    viewport.panels = layout.panel_count;
    crate::ui::frame::header::paint(app, layout.level, layout.header, &mut canvas);
    match app.screen {
        ViewKind::Processes => viewport.columns_left = paint_processes(app, &layout, &mut canvas),
        ViewKind::Cgroups => {
            crate::ui::view::cgroups::paint_head(app, layout.head, &mut canvas);
            crate::ui::view::cgroups::paint_rows(app, layout.rows, &mut canvas);
        }
        ViewKind::Verdicts => {
            let panelled = layout.panel_count > 0;
            let shown = crate::ui::view::verdicts::paint(
                app,
                layout.head,
                layout.rows,
                panelled,
                &mut canvas,
            );
            (viewport.rows, viewport.columns_left) = shown;
        }
        ViewKind::Memory => {
            viewport.rows =
                crate::ui::view::memory::paint(app, layout.head, layout.rows, &mut canvas)
        }
        ViewKind::Events => {
            viewport.rows =
                crate::ui::view::events::paint(app, layout.head, layout.rows, &mut canvas)
        }
    }
    if app.scene.is_none() {
        crate::ui::view::processes::paint_waiting(layout.rows, &mut canvas);
    }
    if app.scene.is_some() {
        crate::ui::panel::panels::paint(app, layout.panel_count, layout.panels, &mut canvas);
    }
    crate::ui::frame::footer::paint_status(app, layout.status, &mut canvas);
    crate::ui::frame::footer::paint_bar(app, layout.bar, &mut canvas);
    let shown = paint_mode(app, &layout, area, &mut canvas);
    viewport.page = shown.page;
    viewport.page_lines = shown.lines;
    viewport.dialog = shown.dialog;
    viewport
}

/// The table; how many of its columns were left out on the left comes back.
fn paint_processes(app: &App, layout: &Layout, canvas: &mut Canvas<'_>) -> u16 {
    let grid = crate::ui::view::processes::TableGrid::new(app, layout.rows.width);
    grid.paint_head(app, layout.head, canvas);
    if app.scene.is_some() && app.lines.is_empty() {
        crate::ui::view::processes::paint_empty(app, layout.rows, canvas);
    } else {
        grid.paint_rows(app, layout.rows, canvas);
    }
    grid.left_out
}

/// What lies over the table.
fn paint_mode(app: &App, layout: &Layout, area: Rect, canvas: &mut Canvas<'_>) -> PageShown {
    // A dialog may cover the head of the table and, where it must, all but the function bar.
    let roomy = layout.page();
    let space = if roomy.height >= 16 { roomy } else { Rect { height: area.height - 1, ..area } };
    match &app.mode {
        Mode::Browse | Mode::GoTo(_) | Mode::Prompt(_) => PageShown::default(),
        Mode::Menu(menu) => crate::ui::dialog::menu::paint(menu, roomy, canvas),
        Mode::Explain(scroll) => {
            let lines = crate::ui::panel::explain::full(app, canvas.theme);
            crate::ui::page::scroll::paint(
                &crate::ui::panel::explain::title(app),
                &lines,
                12,
                *scroll,
                roomy,
                canvas,
            )
        }
        Mode::Incident(page) => {
            let lines = crate::ui::view::events::page(page, canvas.theme);
            crate::ui::page::scroll::paint(&page.title, &lines, 9, page.scroll, roomy, canvas)
        }
        Mode::Help(scroll) => {
            let lines = crate::ui::page::help::lines(canvas.theme);
            crate::ui::page::scroll::paint(
                "doomtop: keys and columns",
                &lines,
                crate::ui::page::help::MARGIN,
                *scroll,
                roomy,
                canvas,
            )
        }
        Mode::BulkResult(scroll) => {
            crate::ui::page::bulk_result::paint(app, *scroll, roomy, canvas)
        }
        Mode::Bulk(several) => crate::ui::dialog::bulk::paint(several, space, canvas),
        Mode::Journal(at) => crate::ui::page::journal::paint(app, *at, roomy, canvas),
        Mode::Commitments(scroll) => {
            crate::ui::page::commitments::paint(app, *scroll, roomy, canvas)
        }
        Mode::Persist(keep) => crate::ui::page::persist::paint(keep, roomy, canvas),
        Mode::Adjust(edit) => {
            PageShown::dialog(crate::ui::dialog::adjust::paint(app, edit, space, canvas))
        }
        Mode::Signal(confirm) => {
            PageShown::dialog(crate::ui::dialog::signal::paint(app, confirm, space, canvas))
        }
        Mode::Revert(revert) => {
            PageShown::dialog(crate::ui::dialog::signal::paint_revert(app, revert, space, canvas))
        }
        Mode::AdjRules(scroll) => crate::ui::page::adj_rules::paint(app, *scroll, roomy, canvas),
        Mode::RuleConsent(ask) => {
            PageShown::dialog(crate::ui::page::adj_rules::paint_ask(ask, space, canvas))
        }
        Mode::Sysctl(edit) => {
            PageShown::dialog(crate::ui::dialog::sysctl::paint(app, edit, space, canvas))
        }
        Mode::ConfirmSysctl(sure) => {
            PageShown::dialog(crate::ui::dialog::sysctl::paint_sure(app, sure, space, canvas))
        }
    }
}
