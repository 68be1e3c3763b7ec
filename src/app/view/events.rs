//! The view of what happened: every kill, and what was done from here.

use crate::app::dialog::mode::{Mode, ViewKind};
use crate::app::incident::timeline::{LogUpdate, TimelineEntry, whom};
use crate::app::keymap::bindings;
use crate::app::keymap::bindings::{Action, Key};
use crate::app::{App, NoticeLevel, Request};
use crate::columns::span_of;
use crate::model::{EventTime, Killer, OomEvent, PredictionResult};
use crate::words::incident::ExplainedReport;

/// A page about one kill, scrolled so far.
#[derive(Clone, Debug, Default)]
pub struct IncidentPage {
    /// Of what it speaks.
    pub title: String,
    /// What there is to say, each with a label.
    pub lines: Vec<(&'static str, String)>,
    /// Lines that were scrolled off.
    pub scroll: u16,
}

/// What the ranking had said of a victim, in a few words.
#[must_use]
pub fn foreseen_word(foreseen: PredictionResult) -> String {
    match foreseen {
        PredictionResult::NoSample => String::new(),
        PredictionResult::NotSeen => "not seen".to_owned(),
        PredictionResult::Rank(1) => "as predicted".to_owned(),
        PredictionResult::Rank(2) => "runner-up".to_owned(),
        PredictionResult::Rank(rank) => format!("rank {rank}"),
        PredictionResult::Candidate(_) => "too close".to_owned(),
        PredictionResult::Spared => "not eligible".to_owned(),
        PredictionResult::AlsoKilled => "with it".to_owned(),
    }
}

impl App {
    /// Begins with the reports of a file, and nothing else: the last one with a dump is on the screen.
    pub fn begin_with(&mut self, reports: Vec<LogUpdate>) {
        if reports.is_empty() {
            return;
        }
        self.hear(reports);
        let numbers = self.shown_reports();
        if let Some(&last) = numbers.last() {
            self.show_report(last);
        }
        self.screen = ViewKind::Events;
        self.arrange_events();
    }

    /// The lines of the view, the oldest first.
    #[must_use]
    pub fn event_entries(&self) -> Vec<TimelineEntry> {
        let kills = &self.timeline.events;
        let acts = if self.timeline.kills_only { &[][..] } else { &self.journal.entries[..] };
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

    /// The kill under the cursor of the view.
    #[must_use]
    pub fn happening(&self) -> Option<&OomEvent> {
        match self.event_entries().get(self.timeline.cursor)? {
            TimelineEntry::Kill(nth) => self.timeline.find(*nth),
            TimelineEntry::Act(_) => None,
        }
    }

    /// The cursor of the view stays on its line, or at the newest.
    pub(crate) fn arrange_events(&mut self) {
        let entries = self.event_entries();
        let last = entries.len().saturating_sub(1);
        let held = self.timeline.held;
        let found = held.and_then(|held| entries.iter().position(|it| *it == held));
        self.timeline.cursor = match held {
            Some(_) => found.unwrap_or(self.timeline.cursor).min(last),
            None => last,
        };
        if self.screen == ViewKind::Events {
            self.timeline.unseen = 0;
        }
        self.keep_event_in_view();
    }

    /// The cursor of the view stays on the screen.
    pub(crate) fn keep_event_in_view(&mut self) {
        let count = self.event_entries().len();
        let rows = usize::from(self.viewport.rows).max(1);
        let view = &mut self.timeline;
        view.cursor = view.cursor.min(count.saturating_sub(1));
        let last_top = count.saturating_sub(rows);
        view.top =
            view.top.clamp((view.cursor + 1).saturating_sub(rows), view.cursor).min(last_top);
    }

    fn move_event_by(&mut self, by: isize) {
        let entries = self.event_entries();
        let last = entries.len().saturating_sub(1);
        let view = &mut self.timeline;
        view.cursor = view.cursor.saturating_add_signed(by).min(last);
        // At the end it stays with the newest.
        view.held = entries.get(view.cursor).copied().filter(|_| view.cursor < last);
        self.keep_event_in_view();
    }

    /// A key in the view.
    pub(crate) fn event_key(&mut self, key: Key) -> Vec<Request> {
        if key.digit().is_some() {
            self.say_choose_first();
            return Vec::new();
        }
        match bindings::meaning(self.home(), key) {
            Some(action) => self.act_here(action),
            None => Vec::new(),
        }
    }

    /// Carries out what a key of the view, or a line of its palette, means.
    pub(crate) fn event_action(&mut self, action: Action) -> Vec<Request> {
        if let Some(by) = action.step(self.viewport.rows) {
            self.move_event_by(by);
            return Vec::new();
        }
        match action {
            Action::Back => return self.go_to_screen(ViewKind::Processes),
            Action::ProcessFirst => self.say_choose_first(),
            Action::ExplainKill => self.explain_event(),
            Action::LookBefore => self.show_sample_before(),
            Action::KillsOnly => {
                self.timeline.kills_only = !self.timeline.kills_only;
                self.timeline.held = None;
                self.arrange_events();
                let word = if self.timeline.kills_only { "hidden" } else { "shown" };
                self.say(NoticeLevel::Plain, format!("what was done from here is {word}"));
            }
            action if action.is_everywhere() => return self.browse(action),
            _ => {}
        }
        Vec::new()
    }

    /// Shows the whole screen as it was just before the kill under the cursor.
    fn show_sample_before(&mut self) {
        let Some(happening) = self.happening() else {
            return self.say(NoticeLevel::Plain, "choose a kill first");
        };
        let nth = self.sample_before_kill(happening).filter(|_| happening.time != EventTime::Order);
        let Some(nth) = nth else {
            return self.say(NoticeLevel::Plain, "the look before that kill is not kept");
        };
        let (who, id) = (whom(happening), happening.victim.and_then(|victim| victim.id));
        self.go_to_sample(nth);
        self.screen = ViewKind::Processes;
        self.arrange();
        if let Some(id) = id {
            self.jump_to(id);
        }
        let back = if self.playback.is_played() { "goes to the end" } else { "goes back to now" };
        self.say(NoticeLevel::Plain, format!("just before {who} was killed; l {back}"));
    }

    /// Explains the line under the cursor: a kill with the kernel's table of it as the table of
    /// processes, or the journal.
    fn explain_event(&mut self) {
        match self.event_entries().get(self.timeline.cursor) {
            None => self.say(NoticeLevel::Plain, "no kill was heard of yet"),
            Some(&TimelineEntry::Act(at)) => self.mode = Mode::Journal(at),
            Some(&TimelineEntry::Kill(nth)) => self.explain_kill(nth),
        }
    }

    /// Opens the page about a kill.
    pub(crate) fn explain_kill(&mut self, nth: u64) {
        let Some(happening) = self.timeline.find(nth).cloned() else { return };
        if let Some(number) = happening.report
            && self.show_report(number)
        {
            self.screen = ViewKind::Processes;
            self.arrange();
            let pid = happening.victim.and_then(|victim| victim.pid);
            let found = self.lines.iter().find(|line| Some(line.id.pid) == pid).map(|line| line.id);
            if let Some(id) = found {
                self.jump_to(id);
            }
        }
        self.open_incident(&happening);
    }

    /// Opens the page of the report that is on the screen once more.
    pub(crate) fn explain_shown(&mut self) {
        let Some(shown) = &self.report else {
            return self.say(
                NoticeLevel::Plain,
                "no report of a kill is on the screen: Enter in the view Events (Alt-5) shows one",
            );
        };
        let number = shown.number;
        let found = self.timeline.events.iter().find(|it| it.report == Some(number)).cloned();
        if let Some(happening) = found {
            self.open_incident(&happening);
        }
    }

    fn open_incident(&mut self, happening: &OomEvent) {
        let mut lines = Vec::new();
        let report = happening.report.and_then(|number| self.timeline.report(number).cloned());
        if let Some(report) = &report {
            let common = self.timeline.common();
            let policy = Some(self.setup.policy).filter(|policy| !policy.is_running_kernel());
            lines = ExplainedReport::new(report, &common, policy).lines();
        }
        let seen = match happening.prediction {
            PredictionResult::NoSample | PredictionResult::AlsoKilled => None,
            PredictionResult::NotSeen => {
                Some("it was not in the look before: it lived too short".to_owned())
            }
            PredictionResult::Rank(1) => {
                Some("the look before named it the next victim".to_owned())
            }
            PredictionResult::Rank(rank) => Some(format!("the look before gave it rank {rank}")),
            PredictionResult::Candidate(_) => {
                Some("the look before called several too close, it among them".to_owned())
            }
            PredictionResult::Spared => {
                Some("by the look before it could not be chosen".to_owned())
            }
        };
        if report.is_none() {
            lines.push(("when", self.when_words(happening)));
            lines.push(("what", what_words(happening)));
            lines.push(("killed", whom_words(happening)));
            if let Some(path) = &happening.domain {
                lines.push(("domain", path.to_string()));
            }
            if let Some(path) =
                happening.cgroup.as_ref().filter(|path| happening.domain.as_ref() != Some(path))
            {
                lines.push(("cgroup", path.to_string()));
            }
            lines.extend(happening.said.as_ref().map(|said| ("said", said.to_string())));
            if self.timeline.is_unproven(happening.nth) {
                let text = "told by a log file only, where anybody may write (logger -t)";
                lines.push(("proof", text.to_owned()));
            }
        } else if happening.time != EventTime::Order {
            lines.insert(0, ("clock", self.when_words(happening)));
        }
        lines.extend(seen.map(|seen| ("seen", seen)));
        let title = format!("{}: {}", happening.by.word(), whom(happening));
        self.mode = Mode::Incident(Box::new(IncidentPage { title, lines, scroll: 0 }));
    }

    fn when_words(&self, happening: &OomEvent) -> String {
        let local = happening.unix_ms.div_euclid(1000) + i64::from(self.setup.utc_offset);
        let second = local.rem_euclid(86_400);
        let (year, month, day) = civil(local.div_euclid(86_400));
        let time = format!(
            "{year}-{month:02}-{day:02} {:02}:{:02}:{:02}",
            second / 3600,
            second / 60 % 60,
            second % 60
        );
        match happening.time {
            EventTime::Live | EventTime::Clock => time,
            EventTime::Stamp => format!(
                "about {time}: the log's own clock drifts, and stands still while the machine sleeps"
            ),
            EventTime::Within(span) => {
                format!("in the {} before {time}", span_of(span.0.div_ceil(1000)))
            }
            EventTime::Order => "not told".to_owned(),
        }
    }
}

/// Year, month and day of a count of days since 1970.
#[must_use]
pub const fn civil(days: i64) -> (i64, i64, i64) {
    // Years begin in March here, so that the leap day is the last one.
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let of_era = shifted.rem_euclid(146_097);
    let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let shifted_month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    (year + era * 400 + (month <= 2) as i64, month, day)
}

fn what_words(happening: &OomEvent) -> String {
    match happening.by {
        Killer::Counted => {
            "the kernel counted a kill (oom_kill of /proc/vmstat); no line of its log tells more"
                .to_owned()
        }
        by if by.is_kernel() => {
            "the kernel killed; its report is no longer kept, or was not written".to_owned()
        }
        by => format!("{} killed: the kernel was not asked, and counts no kill", by.word()),
    }
}

fn whom_words(happening: &OomEvent) -> String {
    let mut text = whom(happening);
    if let Some(victim) = &happening.victim {
        text.push_str(&victim.uid.map_or_else(String::new, |uid| format!(" (uid {uid})")));
        for (name, size) in [("rss", victim.rss), ("swap", victim.swap)] {
            if let Some(size) = size.filter(|size| size.0 > 0) {
                text.push_str(&format!(", {name} {}", crate::columns::human_size(size.bytes())));
            }
        }
        text.push_str(&victim.adj.map_or_else(String::new, |adj| format!(", oom_score_adj {adj}")));
    }
    if happening.guessed {
        text.push_str("; a guess: the largest that was gone in the look after it");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::civil;

    #[test]
    fn days_have_dates() {
        for (days, date) in [
            (0, (1970, 1, 1)),
            (59, (1970, 3, 1)),
            (789, (1972, 2, 29)),
            (20_413, (2025, 11, 21)),
            (-1, (1969, 12, 31)),
            (47_541, (2100, 3, 1)),
        ] {
            assert_eq!(civil(days), date, "{days}");
        }
    }
}
