//! The areas of the screen. The header shrinks before the table does.

use ratatui::layout::Rect;

use crate::app::{App, HeaderLevel};
use crate::ui::frame::header::Header;
use crate::ui::frame::kill_banner;

/// The smallest screen that shows a table: columns and lines.
pub const SMALLEST: (u16, u16) = (40, 6);

/// The least height of a screen that shows notes.
const NOTE_FROM: u16 = 18;

/// What a view wants of the screen.
#[derive(Clone, Copy)]
pub struct ViewSpace {
    /// The least height of a screen with the full header.
    pub full_header_from: u16,
    /// The lines of the panels on a screen of this height; nothing for a view without panels.
    pub panel_height: Option<fn(u16) -> u16>,
}

/// The areas of a screen.
#[derive(Clone, Copy, Debug)]
pub struct Layout {
    /// The header, on top.
    pub header: Rect,
    /// The banner that tells of a kill; without height while there is none.
    pub banner: Rect,
    /// The headings of the columns.
    pub head: Rect,
    /// The rows of the table.
    pub rows: Rect,
    /// The panels under the table; without height where there is no room.
    pub panels: Rect,
    /// How many panels are side by side.
    pub panel_count: u16,
    /// The note of a recording; without height where it has none.
    pub note: Rect,
    /// The status line.
    pub status: Rect,
    /// The function bar.
    pub bar: Rect,
}

impl Layout {
    /// The areas of a screen that is at least as large as [`SMALLEST`], with this header.
    #[must_use]
    pub fn new(app: &App, header: &Header, space: &ViewSpace, area: Rect) -> Self {
        let header = header.height().min(area.height.saturating_sub(5));
        let room = area.height.saturating_sub(header + 5);
        let banner = kill_banner::height(app, area.width).min(room);
        let strip = |y: u16, height: u16| Rect { y: area.y + y, height, ..area };
        let (panel_count, panels) = match (space.panel_height, area.width, area.height) {
            (Some(height), 180.., 50..) => (4, height(area.height)),
            (Some(height), 150.., 32..) => (3, height(area.height)),
            (Some(height), 110.., 32..) => (2, height(area.height)),
            _ => (0, 0),
        };
        let note = u16::from(app.has_notes() && area.height >= NOTE_FROM);
        let bottom = area.height - 2 - note;
        Self {
            header: strip(0, header),
            banner: strip(header, banner),
            head: strip(header + banner, 1),
            rows: strip(header + banner + 1, bottom - panels - header - banner - 1),
            panels: strip(bottom - panels, panels),
            panel_count,
            note: strip(bottom, note),
            status: strip(bottom + note, 1),
            bar: strip(bottom + note + 1, 1),
        }
    }

    /// The area of a page: from the headings of the columns down to the note and the status line.
    #[must_use]
    pub fn page(&self) -> Rect {
        Rect { height: self.note.y - self.head.y, ..self.head }
    }
}

/// The level of the header that the height of the screen allows.
#[must_use]
pub const fn header_level(wanted: HeaderLevel, height: u16, full_from: u16) -> HeaderLevel {
    match wanted {
        HeaderLevel::Full if height >= full_from => HeaderLevel::Full,
        HeaderLevel::Full | HeaderLevel::Small if height >= 16 => HeaderLevel::Small,
        HeaderLevel::Off => HeaderLevel::Off,
        _ => HeaderLevel::Line,
    }
}
