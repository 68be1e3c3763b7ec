//! The view Events: its cursor, and what it leaves out.

use crate::app::incident::timeline::TimelineEntry;
use crate::app::view::list_cursor::ListCursor;

/// What the view shows.
#[derive(Clone, Debug, Default)]
pub struct EventsView {
    /// Only kills, without what was done in this session.
    pub kills_only: bool,
    /// The cursor.
    pub cursor: ListCursor,
    /// The line that the cursor follows; nothing: the newest.
    pub(crate) held: Option<TimelineEntry>,
    /// Number of kills since the view was last on the screen.
    pub unseen: usize,
}
