//! Keys that move through time.

use std::collections::BTreeMap;

use crate::app::incident::event_text::victim_text;
use crate::app::keymap::bindings::Action;
use crate::app::session::notice::NoticeLevel;
use crate::app::{App, Request};
use crate::kills::sample_before_kill;
use crate::model::{EventTime, SampleIndex};

/// Maximum number of victims that are named where several were killed between two samples.
const MAX_NAMED: usize = 3;

/// Where `{` and `}` stop: the last sample before one or more kills.
struct KillStop {
    sample: SampleIndex,
    /// The numbers of its first and last kill, from 1.
    first: usize,
    last: usize,
    /// Who was killed.
    who: String,
}

impl App {
    /// Goes `by` samples back or forward.
    pub(crate) fn step_in_time(&mut self, by: i64) {
        let past = &self.playback.past;
        let (Some(at), Some(oldest), Some(newest)) =
            (self.playback.at, past.oldest(), past.newest())
        else {
            return self.say(NoticeLevel::Plain, "there is no sample yet");
        };
        let to = SampleIndex(at.0.saturating_add_signed(by).clamp(oldest.0, newest.0));
        if to == at && by < 0 {
            let text = "this is the oldest sample that is kept (--ring keeps more)";
            self.say(
                NoticeLevel::Plain,
                if self.playback.recorded { "this is the first sample" } else { text },
            );
        } else if to == at {
            self.say(
                NoticeLevel::Plain,
                if self.playback.recorded {
                    "this is the last sample"
                } else {
                    "this is the newest sample already"
                },
            );
        }
        self.go_to_sample(to);
    }

    /// Goes back to now; in a recording: to its end.
    pub(crate) fn go_to_now(&mut self) {
        if !self.is_past() && !self.playback.paused {
            return self.say(NoticeLevel::Plain, "this is the newest sample already");
        }
        self.playback.paused = false;
        self.display.notice = None;
        if let Some(newest) = self.playback.past.newest() {
            self.go_to_sample(newest);
        }
    }

    /// Goes to the last sample before the next kill, or before the one before, and says who was killed.
    pub(crate) fn go_to_kill(&mut self, next: bool) {
        let Some(at) = self.playback.at else { return };
        let stops = self.kill_stops();
        let stop = if next {
            stops.iter().find(|stop| stop.sample > at)
        } else {
            stops.iter().rev().find(|stop| stop.sample < at)
        };
        let Some(KillStop { sample, first, last, who }) = stop else {
            let where_to = if next { "later" } else { "earlier" };
            let text = format!("there is no {where_to} kill in the samples in memory");
            return self.say(NoticeLevel::Plain, text);
        };
        let count = stops.last().map_or(0, |stop| stop.last);
        let which = if first == last {
            format!("kill {first} of {count}")
        } else {
            format!("kills {first} to {last} of {count}")
        };
        let text = format!("just before {which}: {who}");
        self.go_to_sample(*sample);
        self.say(NoticeLevel::Plain, text);
        if let Some(notice) = &mut self.display.notice {
            notice.about = Some(*sample);
        }
    }

    /// The samples just before kills, the oldest first.
    fn kill_stops(&self) -> Vec<KillStop> {
        let mut killed: BTreeMap<SampleIndex, Vec<String>> = BTreeMap::new();
        let events = self.incidents.timeline.all();
        for event in events.iter().filter(|it| it.is_kill() && it.time != EventTime::Order) {
            if let Some(sample) = sample_before_kill(&self.playback.past, event) {
                killed.entry(sample).or_default().push(victim_text(event));
            }
        }
        // Kills that were counted just now: a line of the log may still come.
        let past = &self.playback.past;
        let ends = past.oldest().zip(past.newest());
        for nth in ends.into_iter().flat_map(|(from, to)| from.0..to.0).map(SampleIndex) {
            // The counters are read a moment before the time of a sample.
            let near = SampleIndex(nth.0.saturating_sub(1))..=nth;
            if past.has_kill(SampleIndex(nth.0 + 1)) && killed.range(near).next().is_none() {
                killed.insert(nth, vec!["somebody".to_owned()]);
            }
        }
        let mut last = 0;
        let stops = killed.into_iter().map(|(sample, names)| {
            let first = last + 1;
            last += names.len();
            let more = if names.len() > MAX_NAMED { ", …" } else { "" };
            let who = names[..names.len().min(MAX_NAMED)].join(", ") + more;
            KillStop { sample, first, last, who }
        });
        stops.collect()
    }

    /// Stops or plays a recording.
    pub(crate) fn toggle_playing(&mut self) {
        if self.playback.playing.take().is_none() {
            // At its end it starts again.
            if self.playback.at == self.playback.past.newest()
                && let Some(oldest) = self.playback.past.oldest()
            {
                self.show(oldest);
            }
            self.play();
        }
    }

    /// Begins to write samples to a file, or ends it.
    pub(crate) fn toggle_recording(&mut self) -> Vec<Request> {
        if self.playback.recorded {
            self.say(NoticeLevel::Plain, "this is a recording already");
            return Vec::new();
        }
        if self.scene.is_none() {
            self.say(NoticeLevel::Plain, "there is no sample yet");
            return Vec::new();
        }
        let on = self.playback.recording_since.is_none();
        self.playback.recording_since = on.then_some(self.now);
        vec![Request::Tape(on)]
    }

    /// Writes the samples that are kept to a file.
    pub(crate) fn write_past(&mut self) -> Vec<Request> {
        if self.playback.recorded {
            self.say(NoticeLevel::Plain, "this is a recording already");
            return Vec::new();
        }
        vec![Request::WritePast]
    }

    /// Plays a recording faster or slower.
    pub(crate) fn change_speed(&mut self, faster: bool) {
        if !self.playback.recorded {
            return self
                .say(NoticeLevel::Plain, "only a replay has a speed; d sets the refresh interval");
        }
        self.playback.speed = self.playback.speed.step(faster);
        if self.playback.playing.is_some() {
            self.play();
        }
        self.say(NoticeLevel::Plain, format!("speed {}", self.playback.speed));
    }

    /// Pauses or resumes; stops or plays a recording.
    pub(crate) fn toggle_pause(&mut self) -> Vec<Request> {
        if self.playback.is_played() {
            self.toggle_playing();
            return Vec::new();
        }
        self.playback.paused = !self.playback.paused;
        if self.playback.paused { Vec::new() } else { vec![Request::SampleNow] }
    }

    /// Carries out an action that moves through time; nothing where it does not.
    pub(crate) fn time_action(&mut self, action: Action) -> Option<Vec<Request>> {
        if self.incidents.report.is_some() {
            return self.report_action(action);
        }
        match action {
            Action::EarlierSample => self.step_in_time(-1),
            Action::LaterSample => self.step_in_time(1),
            Action::TenEarlier => self.step_in_time(-10),
            Action::TenLater => self.step_in_time(10),
            Action::KillBefore => self.go_to_kill(false),
            Action::KillAfter => self.go_to_kill(true),
            Action::Now => self.go_to_now(),
            Action::Faster => self.change_speed(true),
            Action::Slower => self.change_speed(false),
            _ => return None,
        }
        Some(Vec::new())
    }

    /// The same while a report is on the screen: it is one moment.
    fn report_action(&mut self, action: Action) -> Option<Vec<Request>> {
        let only_reports = self.playback.past.is_empty();
        let text = match action {
            Action::KillBefore | Action::KillAfter => {
                self.step_report(action == Action::KillAfter);
                return Some(Vec::new());
            }
            Action::Now if only_reports => "these are reports from a file: there is no live sample",
            Action::Now => {
                self.go_to_now();
                return Some(Vec::new());
            }
            Action::Pause => "a report is a single moment: it cannot be paused",
            Action::GoToTime if only_reports => {
                "these are reports of a file, without samples: { and } show the others"
            }
            Action::EarlierSample | Action::LaterSample | Action::TenEarlier | Action::TenLater => {
                if only_reports {
                    "a report is a single moment: { and } show the others"
                } else {
                    "a report is a single moment: { and } show the others, l goes back to now"
                }
            }
            _ => return None,
        };
        self.say(NoticeLevel::Plain, text);
        Some(Vec::new())
    }
}
