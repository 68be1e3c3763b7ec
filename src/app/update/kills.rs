//! A kill on the screen: the banner that tells of it, and the row that stays for a while. Nothing here shows
//! what is later than the sample on the screen.

use std::sync::Arc;

use crate::app::App;
use crate::app::incident::entry::TimelineEntry;
use crate::app::incident::shown_timeline::ShownTimeline;
use crate::app::view::kind::ViewKind;
use crate::app::view::struck_row::{MAX_STRUCK, STRUCK_FOR, StruckRow};
use crate::columns::{COLUMNS, RowContext};
use crate::kills::{KillChange, sample_before_kill};
use crate::model::{OomEvent, ProcId, Reading, SampleIndex, Scene, Snapshot};
use crate::rank::Ranking;

/// Maximum number of earlier samples that are restored for struck rows at one time.
const MAX_RESTORED: usize = 3;

impl App {
    /// Up to when kills are shown, where the screen shows the past or a recording: the time of the sample on
    /// the screen, in milliseconds since 1970, UTC. Nothing where the screen shows the present.
    #[must_use]
    pub fn shown_until(&self) -> Option<i64> {
        let playback = &self.playback;
        playback.is_past().then(|| {
            let facts = playback.at().and_then(|at| playback.past.facts(at));
            // Before its first sample a recording has shown nothing.
            facts.map_or(i64::MIN, |facts| facts.clock.unix_ms)
        })
    }

    /// What is known of kills up to the time that the screen shows.
    #[must_use]
    pub fn timeline(&self) -> ShownTimeline<'_> {
        let until = self.shown_until().unwrap_or(i64::MAX);
        ShownTimeline::new(&self.incidents.timeline, until)
    }

    /// The kills up to the time that the screen shows, the oldest first.
    #[must_use]
    pub fn shown_kills(&self) -> &[OomEvent] {
        self.timeline().events()
    }

    /// Whether a process was killed since doomtop started.
    #[must_use]
    pub fn has_new_kills(&self) -> bool {
        self.shown_kills().iter().any(OomEvent::is_news)
    }

    /// The lines of the view Events up to the time that the screen shows, the oldest first.
    #[must_use]
    pub fn event_entries(&self) -> Vec<TimelineEntry> {
        let until = self.shown_until().unwrap_or(i64::MAX);
        self.views.events.entries(self.timeline(), &self.session.journal, until)
    }

    /// Tells of these kills in the banner. Returns whether one of them killed anybody.
    pub(crate) fn tell_kills(&mut self, events: &[u64]) -> bool {
        let killed =
            |nth: &&u64| self.incidents.timeline.find(**nth).is_some_and(OomEvent::is_kill);
        let killed: Vec<u64> = events.iter().filter(killed).copied().collect();
        if killed.is_empty() {
            return false;
        }
        self.display.banner.get_or_insert_default().add(&killed);
        self.renew_struck();
        true
    }

    /// Takes events out of the banner that are no longer known: a log took them back.
    pub(crate) fn forget_untold(&mut self) {
        let timeline = &self.incidents.timeline;
        if let Some(banner) = &mut self.display.banner {
            banner.events.retain(|&nth| timeline.find(nth).is_some());
            if banner.events.is_empty() {
                self.display.banner = None;
            }
        }
    }

    /// The log tells of kills that were guesses so far: the banner goes on with them, if it was not closed.
    pub(crate) fn retell_kills(&mut self, changed: &[KillChange]) {
        let Some(banner) = self.display.banner.as_mut() else { return };
        for KillChange { before, now } in changed {
            let told = banner.events.iter_mut().find(|event| **event == before.nth);
            if let (Some(told), Some(now)) = (told, now) {
                *told = *now;
            }
        }
    }

    /// Another sample of the past is on the screen: tells of the kills between it and the sample before, and
    /// no longer of later ones. The newest sample of a live machine tells nothing: its kills were told.
    pub(crate) fn tell_shown_kills(&mut self, at: SampleIndex) {
        let past = &self.playback.past;
        let Some(until) = self.shown_until() else { return };
        if let Some(banner) = &mut self.display.banner {
            let timeline = &self.incidents.timeline;
            banner
                .events
                .retain(|&nth| timeline.find(nth).is_some_and(|event| event.unix_ms <= until));
            if banner.events.is_empty() {
                self.display.banner = None;
            }
        }
        let before = at.0.checked_sub(1).and_then(|nth| past.facts(SampleIndex(nth)));
        let Some(from) = before.map(|before| before.clock.unix_ms) else { return };
        if !self.playback.recorded && past.newest() == Some(at) {
            return;
        }
        let new = self.shown_kills().iter().rev().take_while(|it| it.unix_ms > from);
        let mut new: Vec<u64> = new.map(|it| it.nth).collect();
        new.reverse();
        self.tell_kills(&new);
        if self.playback.recorded && self.views.kind != ViewKind::Events {
            self.views.events.unseen += new.len();
        }
    }

    /// Updates the struck rows for the sample on the screen.
    pub(crate) fn renew_struck(&mut self) {
        let mut struck = std::mem::take(&mut self.table.struck);
        let Some(scene) = self.scene.as_ref().filter(|_| self.incidents.report.is_none()) else {
            return;
        };
        let now = scene.now().clock.unix_ms;
        let kills = self.shown_kills();
        struck.retain(|row| {
            let passed = now.saturating_sub(row.gone_at);
            (0..=STRUCK_FOR.0.cast_signed()).contains(&passed)
                && !lives(scene, row.id)
                && kills.iter().any(|event| event.nth == row.event)
        });
        // A sample may be long after the one before it: its kills count whenever they were.
        let before = self.playback.at().and_then(|at| at.0.checked_sub(1));
        let before = before.and_then(|nth| self.playback.past.facts(SampleIndex(nth)));
        let since = before.map_or(now, |it| it.clock.unix_ms.min(now));
        let since = since.saturating_sub_unsigned(STRUCK_FOR.0);
        let late = kills.iter().rev().take_while(|event| event.unix_ms > since).take(MAX_STRUCK);
        let missing = late.filter(|event| struck.iter().all(|row| row.event != event.nth));
        let mut last: Option<(SampleIndex, Arc<Snapshot>)> = None;
        let (mut found, mut restored) = (Vec::new(), 0);
        for event in missing {
            let Some(nth) = sample_before_kill(&self.playback.past, event) else { continue };
            let after = SampleIndex(nth.0 + 1);
            let gone_at = self.playback.past.facts(after).map(|it| it.clock.unix_ms);
            let is_recent =
                |at: &i64| (0..=STRUCK_FOR.0.cast_signed()).contains(&now.saturating_sub(*at));
            let Some(gone_at) = gone_at.filter(is_recent) else { continue };
            if last.as_ref().is_none_or(|(of, _)| *of != nth) {
                // Restoring samples takes time, and a storm of kills must not slow down the screen.
                if restored == MAX_RESTORED {
                    break;
                }
                restored += 1;
                last = self.playback.past.sample(nth).map(|sample| (nth, sample));
            }
            let Some((_, sample)) = &last else { continue };
            found.extend(self.struck_row(event, sample, gone_at));
        }
        struck.extend(found);
        struck.truncate(MAX_STRUCK);
        struck.sort_by_key(|row| row.place);
        self.table.struck = struck;
    }

    /// The row of the victim as it was in the last sample before the kill; nothing where the table would not
    /// have shown it, or where it still has memory.
    fn struck_row(
        &self,
        event: &OomEvent,
        sample: &Arc<Snapshot>,
        gone_at: i64,
    ) -> Option<StruckRow> {
        let now = self.scene.as_ref()?;
        let at = sample.position(event.victim?.pid?)?;
        let process = sample
            .processes
            .get(at)
            .filter(|it| Some(it.comm) == event.victim.map(|it| it.comm))?;
        if lives(now, process.id) {
            return None;
        }
        let scene = Scene::scoped(Arc::clone(sample), None, now.scope().clone());
        let ranking = Ranking::new(self.policy(), &scene);
        let context = RowContext { scene: &scene, ranking: &ranking, ..self.context()? };
        let mut lines = Vec::new();
        self.table.settings.arrange(&context, &mut lines);
        let place = lines.iter().position(|line| line.id == process.id)?;
        let row = context.row(at)?;
        let cells = COLUMNS.iter().map(|column| {
            let mut text = String::new();
            (column.cell)(&row, &mut text);
            // What was not read then will not be read any more.
            if text == Reading::<()>::NotAsked.dash() {
                text.clear();
            }
            (column.id, text)
        });
        let narrowed = self.narrowed_to();
        Some(StruckRow {
            event: event.nth,
            id: process.id,
            place,
            gone_at,
            narrowed,
            cells: cells.collect(),
        })
    }

    /// What the table is narrowed to: the filter and the user.
    pub(crate) fn narrowed_to(&self) -> (String, Option<String>) {
        let settings = &self.table.settings;
        (settings.filter.text().to_owned(), settings.user.clone())
    }
}

/// Whether a process still has memory. One that its parent has not waited for is still listed, without any.
fn lives(scene: &Scene, id: ProcId) -> bool {
    scene.find(id).is_some_and(|process| process.has_mm)
}
