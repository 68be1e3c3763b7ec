//! The view Events.

use crate::app::dialog::prompt::PromptKind;
use crate::app::incident::entry::TimelineEntry;
use crate::app::incident::event_text::victim_text;
use crate::app::incident::shown_timeline::ShownTimeline;
use crate::app::input::view::View;
use crate::app::keymap::bindings::{Action, KeyContext};
use crate::app::mode::Mode;
use crate::app::session::notice::NoticeLevel;
use crate::app::view::click_target::RowIdentity;
use crate::app::view::kind::ViewKind;
use crate::app::{App, Request};
use crate::kills::sample_before_kill;
use crate::model::{EventTime, OomEvent};

pub(crate) struct EventsInput;

impl View for EventsInput {
    fn context(&self) -> KeyContext {
        KeyContext::Events
    }

    fn arrange(&self, app: &mut App) {
        app.arrange_events();
    }

    fn keep_visible(&self, app: &mut App) {
        let count = app.event_entries().len();
        let cursor = &mut app.views.events.cursor;
        cursor.move_by(0, count);
        cursor.keep_visible(count, app.display.viewport.rows);
    }

    fn move_by(&self, app: &mut App, by: isize) {
        let entries = app.event_entries();
        app.views.events.move_by(by, &entries, app.display.viewport.rows);
    }

    fn line_of(&self, app: &App, row: &RowIdentity) -> Option<(usize, usize)> {
        let RowIdentity::Event(entry) = row else { return None };
        let line = app.event_entries().iter().position(|it| it == entry)?;
        Some((line, app.views.events.cursor.at))
    }

    fn action(&self, app: &mut App, action: Action) -> Option<Vec<Request>> {
        match action {
            Action::Search => app.open_prompt(PromptKind::Search),
            Action::Filter => app.open_prompt(PromptKind::Filter),
            Action::SearchNext => app.search_events_on(true),
            Action::SearchPrevious => app.search_events_on(false),
            Action::Back if app.views.events.is_narrowed() => app.widen_events(),
            Action::Expand => app.open_storm(true),
            Action::Collapse => app.open_storm(false),
            Action::ExplainKill => app.explain_event(),
            Action::SampleBefore => app.show_sample_before(),
            Action::KillsOnly => {
                app.views.events.kills_only = !app.views.events.kills_only;
                app.views.events.held = None;
                app.arrange_events();
                let word = if app.views.events.kills_only { "hidden" } else { "shown" };
                app.say(NoticeLevel::Plain, format!("doomtop's own actions are {word}"));
            }
            _ => return None,
        }
        Some(Vec::new())
    }

    fn process_first(&self) -> &'static str {
        "choose a process first: Tab and Esc lead to the table"
    }
}

impl App {
    /// Opens or closes the storm under the cursor. Closing works on its kills, too.
    fn open_storm(&mut self, open: bool) {
        let entries = self.event_entries();
        let at = self.views.events.cursor.at;
        let above =
            entries.iter().take(at + 1).rposition(|it| matches!(it, TimelineEntry::Storm(_)));
        let at = if open { Some(at) } else { above };
        let Some(TimelineEntry::Storm(storm)) = at.and_then(|at| entries.get(at)) else {
            return self.say(NoticeLevel::Plain, "choose a line with several kills (x3) first");
        };
        let opened = &mut self.views.events.opened;
        if open {
            opened.insert(storm.first);
        } else {
            opened.remove(&storm.first);
        }
        self.views.events.held = Some(TimelineEntry::Storm(*storm));
        self.arrange_events();
    }

    /// Clears the search, then the filter.
    fn widen_events(&mut self) {
        let events = &mut self.views.events;
        if events.search.is_empty() {
            events.filter.clear();
            self.say(NoticeLevel::Plain, "all events are shown");
        } else {
            events.search.clear();
        }
        self.arrange_events();
    }

    /// Goes to the next line that the search finds; after the last to the first.
    pub(crate) fn search_events_on(&mut self, forward: bool) {
        if self.views.events.search.is_empty() {
            return self.say_no_search();
        }
        let text = format!("no match for {}", self.views.events.search);
        if !self.find_event(forward, false) {
            self.say(NoticeLevel::Plain, text);
        }
    }

    /// Puts the cursor on the next line that the search finds, on that under the cursor too where `here`.
    /// Returns false where there is none.
    pub(crate) fn find_event(&mut self, forward: bool, here: bool) -> bool {
        let entries = self.event_entries();
        let (from, count, skip) = (self.views.events.cursor.at, entries.len(), usize::from(!here));
        let timeline = self.timeline();
        let found = (skip..count + skip)
            .map(|step| if forward { from + step } else { from + count * 2 - step } % count.max(1))
            .find(|&at| {
                let events = &self.views.events;
                events.finds(&entries[at], timeline, &self.session.journal)
            });
        if let Some(at) = found {
            self.views.events.go_to(at, &entries, self.display.viewport.rows);
        }
        found.is_some()
    }

    /// Puts the cursor of the view Events on the line that it follows; a view on the screen has no unseen
    /// kills.
    pub(crate) fn arrange_events(&mut self) {
        let entries = self.event_entries();
        let rows = self.display.viewport.rows;
        let until = self.shown_until().unwrap_or(i64::MAX);
        let timeline = ShownTimeline::new(&self.incidents.timeline, until);
        self.views.events.follow(&entries, timeline, rows);
        if self.views.kind == ViewKind::Events {
            self.views.events.unseen = 0;
        }
    }

    /// The kill under the cursor of the view Events.
    pub(crate) fn selected_event(&self) -> Option<&OomEvent> {
        match self.event_entries().get(self.views.events.cursor.at)? {
            TimelineEntry::Kill(nth) => self.timeline().find(*nth),
            TimelineEntry::Storm(storm) => self.timeline().find(storm.first),
            TimelineEntry::Act(_) => None,
        }
    }

    /// Shows the sample before the kill under the cursor.
    fn show_sample_before(&mut self) {
        match self.selected_event().map(|event| event.nth) {
            Some(nth) => self.show_before_kill(nth),
            None => self.say(NoticeLevel::Plain, "choose a kill first"),
        }
    }

    /// Shows the sample before a kill.
    pub(crate) fn show_before_kill(&mut self, nth: u64) {
        let Some(event) = self.incidents.timeline.find(nth) else { return };
        let nth = sample_before_kill(&self.playback.past, event)
            .filter(|_| event.time != EventTime::Order);
        let Some(nth) = nth else {
            return self.say(NoticeLevel::Plain, "the sample before that kill is not kept");
        };
        let (who, id) = (victim_text(event), event.victim.and_then(|victim| victim.id));
        self.go_to_sample(nth);
        self.views.kind = ViewKind::Processes;
        self.arrange();
        if let Some(id) = id {
            self.jump_to(id);
        }
        let back = if self.playback.is_played() { "goes to the end" } else { "goes back to now" };
        self.say(NoticeLevel::Plain, format!("just before {who} was killed; l {back}"));
    }

    /// Explains the line under the cursor: a kill, or an act in the journal.
    fn explain_event(&mut self) {
        match self.event_entries().get(self.views.events.cursor.at) {
            None => self.say(NoticeLevel::Plain, "no kill yet"),
            Some(&TimelineEntry::Act(at)) => self.mode = Mode::Journal(at),
            Some(&TimelineEntry::Kill(nth)) => self.explain_kill(nth),
            Some(&TimelineEntry::Storm(storm)) => {
                let is_open = self.views.events.opened.contains(&storm.first);
                self.open_storm(!is_open);
            }
        }
    }

    /// Opens the page about a kill, over the kernel's own table of processes where its report has one.
    pub(crate) fn explain_kill(&mut self, nth: u64) {
        let Some(event) = self.incidents.timeline.find(nth).cloned() else { return };
        if let Some(number) = event.report
            && self.show_report(number)
        {
            self.views.kind = ViewKind::Processes;
            self.arrange();
            let pid = event.victim.and_then(|victim| victim.pid);
            let found = self.table.lines.iter().find(|line| Some(line.id.pid) == pid);
            if let Some(id) = found.map(|line| line.id) {
                self.jump_to(id);
            }
        }
        self.open_incident(&event);
    }

    /// Opens the page about the report on the screen again.
    pub(crate) fn explain_shown(&mut self) {
        let Some(shown) = &self.incidents.report else {
            // In the table, `w` wraps the command line, as in htop.
            if self.views.kind == ViewKind::Processes && self.selected().is_some() {
                self.mode = Mode::CommandLine(0);
                return;
            }
            let text = if self.shown_kills().is_empty() {
                "no kill is known, so there is no report of one"
            } else {
                "no report of a kill is on the screen: Enter in the view Events (Alt-5) shows one"
            };
            return self.say(NoticeLevel::Plain, text);
        };
        let number = shown.number;
        let events = self.incidents.timeline.all();
        if let Some(event) = events.iter().find(|it| it.report == Some(number)).cloned() {
            self.open_incident(&event);
        }
    }
}
