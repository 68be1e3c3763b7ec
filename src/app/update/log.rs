//! Takes in what the log sources and the kernel's kill counter tell.

use crate::app::incident::event_text::victim_text;
use crate::app::session::notice::NoticeLevel;
use crate::app::view::kind::ViewKind;
use crate::app::{App, Request};
use crate::events::LogUpdate;
use crate::kills::{KillContext, LINE_WAIT, NewKills};
use crate::model::{OomEvent, SampleIndex, Snapshot};
use crate::units::Millis;

/// On a live machine a counted kill waits this long for a line of the log.
const LIVE_LINE_WAIT: Millis = Millis(3000);

/// Minimum time between two samples that are taken because of a kill.
const SAMPLE_AGAIN: Millis = Millis(500);
/// The clocks of a log line and of a sample may differ by this, in milliseconds.
const CLOCK_SKEW: i64 = 1500;

impl App {
    /// Takes what logs told before a sample of a recording, and the kills that the kernel counted.
    pub(crate) fn take_recorded_log(&mut self, nth: SampleIndex, sample: &Snapshot) {
        let updates = self.incidents.recorded.take(&sample.log);
        let is_quiet = updates.is_empty();
        let new = self.collect(updates);
        let at = sample.clock.monotonic_ms;
        self.count_kills(nth, sample, Millis(at.0.saturating_add(LINE_WAIT.0)));
        let settled = self.incidents.timeline.settle(at, false);
        // Most samples of a recording tell of no kill, and take none back.
        if !is_quiet || !settled.is_empty() {
            self.tell_of_recording(new, settled);
        }
    }

    /// Tells of kills that became known after the screen had come to their time. The others are told when it does.
    pub(crate) fn tell_of_recording(&mut self, new: NewKills, settled: Vec<u64>) {
        self.retell_kills(&new.changed);
        let until = self.shown_until().unwrap_or(i64::MAX);
        let is_late = |nth: &u64| {
            self.incidents.timeline.find(*nth).is_some_and(|event| event.unix_ms <= until)
        };
        let late: Vec<u64> = new.found.into_iter().chain(settled).filter(is_late).collect();
        self.forget_untold();
        self.tell_kills(&late);
        if self.views.kind != ViewKind::Events {
            self.views.events.unseen += late.len();
        }
        self.arrange_events();
    }

    /// Takes what the log sources deliver. Returns what it asks for.
    pub(crate) fn take_log(&mut self, updates: Vec<LogUpdate>) -> Vec<Request> {
        let new = self.collect(updates);
        self.retell_kills(&new.changed);
        self.settle_counted();
        self.forget_untold();
        self.announce(&new.found);
        self.arrange_events();
        self.sample_after_kill(&new.found)
    }

    /// Asks for a sample at once where a process of the newest one was killed since: until the next sample the screen
    /// would name the dead, in the headline, beside the nearest limit and in the views. Not again and again in a storm.
    fn sample_after_kill(&mut self, new: &[u64]) -> Vec<Request> {
        let newest = self.refresh.unshown.as_ref().or(self.scene.as_ref());
        let Some(scene) = newest.filter(|_| self.start.live) else { return Vec::new() };
        let shows = |pid: i32| {
            let at = scene.now().position(pid);
            at.is_some_and(|at| scene.now().processes[at].has_mm)
        };
        let is_of_it = |event: &OomEvent| {
            event.victim.and_then(|it| it.pid).is_some_and(shows)
                && event.unix_ms + CLOCK_SKEW >= scene.now().clock.unix_ms
        };
        let found = new.iter().filter_map(|&nth| self.incidents.timeline.find(nth)).any(is_of_it);
        let asked = self.refresh.sampled_after_kill;
        let is_soon = asked.is_some_and(|at| self.now.saturating_sub(at) < SAMPLE_AGAIN);
        if !found || is_soon {
            return Vec::new();
        }
        self.refresh.sampled_after_kill = Some(self.now);
        vec![Request::SampleNow]
    }

    /// Takes the kills that the kernel counted between a sample of a live machine and the one before it.
    pub(crate) fn take_counters(&mut self, nth: SampleIndex, sample: &Snapshot) {
        self.count_kills(nth, sample, Millis(self.now.0.saturating_add(LIVE_LINE_WAIT.0)));
        self.settle_counted();
    }

    /// Whether a kill that was counted waits for a line of the log.
    #[must_use]
    pub fn awaits_log(&self) -> bool {
        self.incidents.timeline.waits()
    }

    /// No more samples come: tells of the kills that wait for a line of the log.
    pub fn end_kills(&mut self) {
        if self.start.live {
            let settled = self.incidents.timeline.settle(self.now, true);
            self.announce(&settled);
            self.arrange_events();
        } else {
            self.all_played();
        }
    }

    fn collect(&mut self, updates: Vec<LogUpdate>) -> NewKills {
        let context = KillContext {
            past: &self.playback.past,
            policy: self.settings.policy,
            predictions: &self.refresh.deaths.log,
            // There may be only the reports of a file.
            has_samples: self.start.live || self.playback.recorded,
        };
        let new = self.incidents.timeline.take_log(updates, context);
        self.incidents.note_changes(&new.changed);
        new
    }

    fn count_kills(&mut self, nth: SampleIndex, sample: &Snapshot, due: Millis) {
        let context = KillContext {
            past: &self.playback.past,
            policy: self.settings.policy,
            predictions: &self.refresh.deaths.log,
            has_samples: true,
        };
        self.incidents.timeline.take_counters(nth, sample, due, context);
    }

    /// Makes events of the counted kills that waited long enough for a log line.
    fn settle_counted(&mut self) {
        if !self.start.live {
            return;
        }
        let timeline = &mut self.incidents.timeline;
        // Until its state is known, the kernel log may still be opened.
        let may_open = timeline.sources.is_empty() || timeline.reads_kernel_log();
        let new = timeline.settle(self.now, !may_open);
        if !new.is_empty() {
            self.announce(&new);
            self.arrange_events();
        }
    }

    /// Tells of new events: of kills in the banner, of a report without one on the bottom line.
    fn announce(&mut self, new: &[u64]) {
        let Some(&last) = new.last() else { return };
        // A recording tells of a kill when the screen has come to its time.
        if !self.start.live {
            return;
        }
        let is_shown = self.views.kind == ViewKind::Events;
        if !is_shown {
            self.views.events.unseen += new.len();
        }
        if self.tell_kills(new) {
            return;
        }
        let timeline = &self.incidents.timeline;
        let Some(event) = timeline.find(last) else { return };
        let mut text = event.said.as_ref().map_or_else(|| victim_text(event), ToString::to_string);
        if !is_shown {
            text.push_str(": Alt-5");
        }
        self.say(NoticeLevel::Warn, text);
    }
}
