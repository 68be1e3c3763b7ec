//! The view Events: its lines, its cursor, and what it leaves out.

use crate::app::incident::timeline::TimelineEntry;
use crate::app::session::journal::Journal;
use crate::app::view::list_cursor::ListCursor;
use crate::model::OomEvent;

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

impl EventsView {
    /// The lines of these kills and of what was done until this time, in milliseconds since 1970; the oldest
    /// first.
    #[must_use]
    pub fn entries(&self, kills: &[OomEvent], journal: &Journal, until: i64) -> Vec<TimelineEntry> {
        let acts = if self.kills_only { &[][..] } else { &journal.entries[..] };
        let acts = &acts[..acts.partition_point(|act| act.unix_ms <= until)];
        let mut entries = Vec::with_capacity(kills.len() + acts.len());
        let mut acts = acts.iter().enumerate().peekable();
        for kill in kills {
            while let Some((at, _)) = acts.next_if(|(_, act)| act.unix_ms < kill.unix_ms) {
                entries.push(TimelineEntry::Act(at));
            }
            entries.push(TimelineEntry::Kill(kill.nth));
        }
        entries.extend(acts.map(|(at, _)| TimelineEntry::Act(at)));
        entries
    }

    /// Puts the cursor on the line that it follows.
    pub(crate) fn follow(&mut self, entries: &[TimelineEntry], rows: u16) {
        let last = entries.len().saturating_sub(1);
        let found = self.held.and_then(|held| entries.iter().position(|it| *it == held));
        self.cursor.at = match self.held {
            Some(_) => found.unwrap_or(self.cursor.at).min(last),
            None => last,
        };
        self.cursor.keep_visible(entries.len(), rows);
    }

    /// Moves the cursor. On the last line it follows the newest from then on.
    pub(crate) fn move_by(&mut self, by: isize, entries: &[TimelineEntry], rows: u16) {
        self.cursor.move_by(by, entries.len());
        let is_last = self.cursor.at + 1 >= entries.len();
        self.held = entries.get(self.cursor.at).copied().filter(|_| !is_last);
        self.cursor.keep_visible(entries.len(), rows);
    }
}
