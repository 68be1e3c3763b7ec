//! The view Events: its lines, its cursor, and what it leaves out.

use std::collections::HashSet;

use crate::app::incident::entry::TimelineEntry;
use crate::app::incident::shown_timeline::ShownTimeline;
use crate::app::incident::storm;
use crate::app::session::journal::Journal;
use crate::app::view::list_cursor::ListCursor;
use crate::model::OomEvent;

/// What the view shows.
#[derive(Clone, Debug, Default)]
pub struct EventsView {
    /// Only kills, without what was done in this session.
    pub kills_only: bool,
    /// Only lines that contain all of these words.
    pub filter: String,
    /// The words of the last search.
    pub search: String,
    /// The storms that are open, by the number of their first event.
    pub opened: HashSet<u64>,
    /// The cursor.
    pub cursor: ListCursor,
    /// The line that the cursor follows; nothing: the newest.
    pub(crate) held: Option<TimelineEntry>,
    /// Number of kills since the view was last on the screen.
    pub unseen: usize,
}

/// Whether a text contains each of these words, in upper or lower case.
fn has_words(text: &str, words: &str) -> bool {
    let text = text.to_lowercase();
    words.to_lowercase().split_whitespace().all(|word| text.contains(word))
}

/// What a search finds in a kill: killer, victim, pid, domain, cgroup.
fn words_of(event: &OomEvent) -> String {
    let victim = event.victim.map(|it| format!("{} {}", it.comm, it.pid.unwrap_or_default()));
    let paths = [event.domain.as_ref(), event.cgroup.as_ref()].into_iter().flatten();
    let paths: Vec<&str> = paths.map(|path| path.as_str()).collect();
    format!("{} {} {}", event.by.word(), victim.unwrap_or_default(), paths.join(" "))
}

impl EventsView {
    /// The lines of these kills and of what was done until this time, in milliseconds since 1970; the oldest
    /// first.
    #[must_use]
    pub fn entries(
        &self,
        timeline: ShownTimeline<'_>,
        journal: &Journal,
        until: i64,
    ) -> Vec<TimelineEntry> {
        let shown = |text: &str| self.filter.is_empty() || has_words(text, &self.filter);
        let events = timeline.events().iter();
        let events = events.filter(|it| self.filter.is_empty() || shown(&words_of(it)));
        let kills = storm::entries(events, timeline, &self.opened);
        let acts = if self.kills_only { &[][..] } else { &journal.entries[..] };
        let acts = &acts[..acts.partition_point(|act| act.unix_ms <= until)];
        let mut entries = Vec::with_capacity(kills.len() + acts.len());
        let mut acts = acts.iter().enumerate().filter(|(_, act)| shown(&act.text)).peekable();
        for (at, kill) in kills {
            while let Some((nth, _)) = acts.next_if(|(_, act)| act.unix_ms < at) {
                entries.push(TimelineEntry::Act(nth));
            }
            entries.push(kill);
        }
        entries.extend(acts.map(|(at, _)| TimelineEntry::Act(at)));
        entries
    }

    /// The line of an entry; that of its storm where it is in a closed one.
    fn line_of(
        entry: &TimelineEntry,
        entries: &[TimelineEntry],
        timeline: ShownTimeline<'_>,
    ) -> Option<usize> {
        let own = entries.iter().position(|it| it.is_same(entry));
        let TimelineEntry::Kill(nth) = entry else { return own };
        own.or_else(|| {
            let event = timeline.find(*nth)?;
            entries.iter().position(|it| {
                let TimelineEntry::Storm(storm) = it else { return false };
                let of = |nth: u64| timeline.find(nth);
                of(storm.first).zip(of(storm.last)).is_some_and(|(first, last)| {
                    let same = |it: &OomEvent| it.victim.map(|it| it.comm);
                    same(first) == same(event)
                        && first.domain == event.domain
                        && (first.unix_ms..=last.unix_ms).contains(&event.unix_ms)
                })
            })
        })
    }

    /// Puts the cursor on the line that it follows.
    pub(crate) fn follow(
        &mut self,
        entries: &[TimelineEntry],
        timeline: ShownTimeline<'_>,
        rows: u16,
    ) {
        let last = entries.len().saturating_sub(1);
        let found = self.held.and_then(|held| Self::line_of(&held, entries, timeline));
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

    /// Whether a search or a filter is on.
    #[must_use]
    pub fn is_narrowed(&self) -> bool {
        !self.search.is_empty() || !self.filter.is_empty()
    }

    /// Puts the cursor on a line and holds it there.
    pub(crate) fn go_to(&mut self, at: usize, entries: &[TimelineEntry], rows: u16) {
        self.cursor.at = at.min(entries.len().saturating_sub(1));
        self.held = entries.get(self.cursor.at).copied();
        self.cursor.keep_visible(entries.len(), rows);
    }

    /// Whether an entry contains the words of the search. A storm does where one of its kills does, and its
    /// first one stands for all.
    pub(crate) fn finds(
        &self,
        entry: &TimelineEntry,
        timeline: ShownTimeline<'_>,
        journal: &Journal,
    ) -> bool {
        let kill =
            |nth: u64| timeline.find(nth).is_some_and(|it| has_words(&words_of(it), &self.search));
        match entry {
            TimelineEntry::Kill(nth) => kill(*nth),
            TimelineEntry::Storm(storm) => kill(storm.first) || kill(storm.last),
            TimelineEntry::Act(at) => {
                let entry = journal.entries.get(*at);
                entry.is_some_and(|it| has_words(&it.text, &self.search))
            }
        }
    }
}
