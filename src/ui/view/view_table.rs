//! What a view consists of: the dispatch table of the screen has one of these for each view.

use ratatui::layout::Rect;

use crate::app::App;
use crate::ui::frame::layout::{Layout, ViewSpace};
use crate::ui::frame::status_line::ViewStatus;
use crate::ui::paint::canvas::Canvas;

/// A view: one file beside this one fills it in.
pub struct ViewParts {
    /// The room that it wants.
    pub space: ViewSpace,
    /// Paints headings and rows.
    pub paint: fn(&App, &Layout, &mut Canvas<'_>) -> RowsShown,
    /// Paints a number of panels side by side; not called for a view without panels.
    pub paint_panels: fn(&App, u16, Rect, &mut Canvas<'_>),
    /// The status line.
    pub status: ViewStatus,
}

/// What was shown of a view, which the app needs to keep its cursor on the screen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RowsShown {
    /// The rows that the screen has room for.
    pub rows: u16,
    /// The columns that were scrolled off to the left.
    pub columns_left: u16,
    /// Whether there is a line for the headline's process below the rows, where none of them has it.
    pub beside_next: bool,
}

impl RowsShown {
    /// So many rows of a view whose columns do not scroll.
    pub const fn rows(rows: u16) -> Self {
        Self { rows, columns_left: 0, beside_next: false }
    }
}

/// The least height of a screen with the full header, for most views.
pub const FULL_HEADER_FROM: u16 = 20;

/// Instead of panels, for a view without any.
pub fn no_panels(_: &App, _: u16, _: Rect, _: &mut Canvas<'_>) {}
