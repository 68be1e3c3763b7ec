//! The screen: `&App` in, cells out. It never changes the app, asks no clock and reads no file: the same
//! app gives the same picture.
//!
//! Sub-rooms, lowest first: `paint` (drawing primitives), `frame` (what is around the view), `panel`
//! (below the view), `view`, `dialog`, `page`. `svg` makes a file of the cells, `comparison` paints a picture for
//! one. This file puts them together: one table row for each view,
//! one match arm for each dialog and page.

pub mod click_areas;
pub mod comparison;
pub mod dialog;
pub mod frame;
pub mod page;
pub mod paint;
pub mod panel;
pub mod svg;
pub mod view;

use ratatui::Frame;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Line;

use crate::app::mode::Mode;
use crate::app::view::click_target::ClickTarget;
use crate::app::view::kind::ViewKind;
use crate::app::{App, Viewport};
use crate::ui::click_areas::ClickAreas;
use crate::ui::frame::header::Header;
use crate::ui::frame::layout::{Layout, SMALLEST, header_level};
use crate::ui::frame::{function_bar, kill_banner, note, status_line, title};
use crate::ui::paint::canvas::Canvas;
use crate::ui::paint::lines::wrap;
use crate::ui::paint::scroll::PageShown;
use crate::ui::view::view_table::ViewParts;

pub use crate::ui::paint::theme::Theme;
pub use crate::ui::paint::theme::depth::ColourDepth;

/// The least height of a dialog's area below the header; on a smaller screen a dialog covers the header.
const ROOMY: u16 = 16;

/// The parts of each view.
const fn parts(view: ViewKind) -> &'static ViewParts {
    match view {
        ViewKind::Processes => &view::processes::PARTS,
        ViewKind::Cgroups => &view::cgroups::PARTS,
        ViewKind::Verdicts => &view::verdicts::PARTS,
        ViewKind::Memory => &view::memory::PARTS,
        ViewKind::Events => &view::events::PARTS,
    }
}

/// Draws the whole screen. The app needs what comes back to keep its cursors on the screen.
/// What was drawn where is noted for the mouse.
pub fn draw(app: &App, theme: &Theme, areas: &mut ClickAreas, frame: &mut Frame<'_>) -> Viewport {
    let area = frame.area();
    paint_clickable(app, theme, area, frame.buffer_mut(), areas)
}

/// Draws the whole screen into any buffer: for tests and pictures.
pub fn paint(app: &App, theme: &Theme, area: Rect, buf: &mut Buffer) -> Viewport {
    paint_clickable(app, theme, area, buf, &mut ClickAreas::default())
}

/// The same, and notes what was drawn where.
pub fn paint_clickable(
    app: &App,
    theme: &Theme,
    area: Rect,
    buf: &mut Buffer,
    areas: &mut ClickAreas,
) -> Viewport {
    areas.clear();
    let area = area.intersection(buf.area);
    let mut viewport = Viewport { width: area.width, height: area.height, ..Viewport::default() };
    let mut canvas = Canvas::new(*theme, buf, areas);
    canvas.clear(area);
    let (width, height) = SMALLEST;
    if area.width < width || area.height < height {
        let text = format!(
            "doomtop needs {width}x{height}, have {}x{} - q quits",
            area.width, area.height
        );
        let lines = wrap(&Line::raw(text), area.width, 0);
        for (y, line) in (area.top()..area.bottom()).zip(&lines) {
            canvas.line(area.x, y, area.width, line);
        }
        return viewport;
    }
    let parts = parts(app.views.kind);
    let level = header_level(app.display.header, area.height, parts.space.full_header_from);
    let header = Header::new(app, *theme, level, (area.width, area.height));
    let layout = Layout::new(app, &header, &parts.space, area);
    canvas.clickable(layout.head, ClickTarget::List);
    canvas.clickable(layout.rows, ClickTarget::List);
    header.paint(app, layout.header, &mut canvas);
    kill_banner::paint(app, layout.banner, &mut canvas);
    title::note_views(layout.header, &mut canvas);
    let shown = (parts.paint)(app, &layout, &mut canvas);
    if app.scene.is_none() {
        view::processes::paint_waiting(layout.rows, &mut canvas);
    } else if layout.panel_count > 0 && layout.panels.height >= 3 {
        (parts.paint_panels)(app, layout.panel_count, layout.panels, &mut canvas);
    }
    note::paint(app, layout.note, &mut canvas);
    status_line::paint(app, parts.status, layout.status, &mut canvas);
    function_bar::paint(app, layout.bar, &mut canvas);
    let over = paint_mode(app, &layout, area, &mut canvas);
    viewport.rows = shown.rows;
    viewport.columns_left = shown.columns_left;
    viewport.beside_next = shown.beside_next;
    viewport.panels = layout.panel_count;
    viewport.page = over.page;
    viewport.page_lines = over.lines;
    viewport.page_top = over.top;
    viewport.dialog = over.dialog;
    viewport
}

/// Paints the dialog or the page over the view.
fn paint_mode(app: &App, layout: &Layout, area: Rect, canvas: &mut Canvas<'_>) -> PageShown {
    let page = layout.page();
    // On a small screen a dialog may cover all but the function bar.
    let space = if page.height >= ROOMY { page } else { Rect { height: area.height - 1, ..area } };
    let whole = match &app.mode {
        Mode::Browse | Mode::GoTo(_) | Mode::Prompt(_) => return PageShown::default(),
        Mode::Menu(menu) => return dialog::menu::paint(menu, page, canvas),
        Mode::Bulk(bulk) => {
            return crate::ui::dialog::bulk_confirm::paint(bulk, app.start.acting, space, canvas);
        }
        Mode::Signal(confirm) => return dialog::signal::paint(app, confirm, space, canvas),
        Mode::Explain(scroll) => return page::explain::paint(app, *scroll, page, canvas),
        Mode::CommandLine(scroll) => return page::command_line::paint(app, *scroll, page, canvas),
        Mode::Incident(incident) => return page::incident::paint(incident, page, canvas),
        Mode::EndCard => return page::end_card::paint(app, page, canvas),
        Mode::Help { page: help, .. } => return page::help::paint(app.keys, help, page, canvas),
        Mode::BulkResult(scroll) => return page::bulk_result::paint(app, *scroll, page, canvas),
        Mode::Alarms(alarms) => return page::alarms::paint(app, alarms, page, canvas),
        Mode::Journal(at) => return page::journal::paint(app, *at, page, canvas),
        Mode::Commitments(scroll) => return page::commitments::paint(app, *scroll, page, canvas),
        Mode::Fits(fits) => return page::fits::paint(app, fits, page, canvas),
        Mode::Persist(persist) => return page::persist::paint(persist, page, canvas),
        Mode::AdjRules(scroll) => return page::adj_rules::paint(app, *scroll, page, canvas),
        Mode::Adjust(edit) => dialog::adjust::paint(app, edit, space, canvas),
        Mode::Revert(revert) => crate::ui::dialog::revert_adj::paint(app, revert, space, canvas),
        Mode::RuleConsent(ask) => dialog::rule_consent::paint(ask, space, canvas),
        Mode::Sysctl(edit) => dialog::sysctl::paint(app, edit, space, canvas),
        Mode::ConfirmSysctl(confirm) => dialog::sysctl::paint_confirm(app, confirm, space, canvas),
    };
    PageShown::dialog(whole)
}
