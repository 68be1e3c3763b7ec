//! Which part of the screen belongs to whom. The header shrinks before the table does.

use ratatui::layout::Rect;

use crate::app::view::kind::ViewKind;
use crate::app::{App, HeaderLevel};
use crate::ui::frame::header;

/// The smallest screen that shows a table.
pub const SMALLEST: (u16, u16) = (40, 6);

/// The parts of a screen.
#[derive(Clone, Copy, Debug)]
pub struct Layout {
    /// On top.
    pub header: Rect,
    /// What the header shows.
    pub level: HeaderLevel,
    /// The heads of the columns.
    pub head: Rect,
    /// The rows of the table.
    pub rows: Rect,
    /// Under the table; without height where there is no room.
    pub panels: Rect,
    /// How many panels stand side by side.
    pub panel_count: u16,
    /// The status line.
    pub status: Rect,
    /// The function bar.
    pub bar: Rect,
}

impl Layout {
    /// For this screen, at least as large as [`SMALLEST`].
    #[must_use]
    pub fn new(app: &App, area: Rect) -> Self {
        let level = match level(app.header, area.height) {
            // What the gauges say, the charts say better.
            HeaderLevel::Full if app.screen == ViewKind::Memory && area.height < 32 => {
                HeaderLevel::Small
            }
            level => level,
        };
        let header = header::height(app, level, area.width).min(area.height.saturating_sub(5));
        let strip = |y: u16, height: u16| Rect { y: area.y + y, height, ..area };
        let panel_count = match (area.width, area.height) {
            // They have all of the room.
            _ if matches!(app.screen, ViewKind::Memory | ViewKind::Events) => 0,
            (180.., 50..) => 3,
            (110.., 32..) => 2,
            _ => 0,
        };
        let panels = match panel_count {
            0 => 0,
            // What the files of a cgroup say is soon said.
            _ if app.screen == ViewKind::Cgroups => 12,
            _ if app.screen == ViewKind::Verdicts => {
                if area.height >= 50 {
                    16
                } else {
                    13
                }
            }
            _ if area.height >= 50 => area.height * 3 / 10,
            _ => (area.height / 4 + 1).max(9),
        };
        let bottom = area.height - 2;
        Self {
            header: strip(0, header),
            level,
            head: strip(header, 1),
            rows: strip(header + 1, bottom - panels - header - 1),
            panels: strip(bottom - panels, panels),
            panel_count,
            status: strip(bottom, 1),
            bar: strip(bottom + 1, 1),
        }
    }

    /// From the heads of the columns down to the status line: where a page covers the table.
    #[must_use]
    pub fn page(&self) -> Rect {
        Rect { height: self.status.y - self.head.y, ..self.head }
    }
}

/// What of the wished header a height allows.
const fn level(wished: HeaderLevel, height: u16) -> HeaderLevel {
    match wished {
        HeaderLevel::Full if height >= 20 => HeaderLevel::Full,
        HeaderLevel::Full | HeaderLevel::Small if height >= 16 => HeaderLevel::Small,
        HeaderLevel::Off => HeaderLevel::Off,
        _ => HeaderLevel::Line,
    }
}
