//! Actions in the view Events.

use crate::app::incident::event_text::whom;
use crate::app::incident::timeline::TimelineEntry;
use crate::app::keymap::bindings;
use crate::app::keymap::bindings::{Action, Key};
use crate::app::mode::Mode;
use crate::app::session::notice::NoticeLevel;
use crate::app::view::kind::ViewKind;
use crate::app::{App, Request};
use crate::model::{EventTime, OomEvent};

impl App {
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
}
