//! Whether doomtop may act, and on which process.

use crate::app::App;
use crate::app::keymap::bindings::{Action, KeyContext};
use crate::app::mode::Mode;
use crate::app::refresh::showing::Showing;
use crate::app::session::notice::NoticeLevel;
use crate::app::setup::ActingMode;
use crate::model::Process;

/// Why doomtop may not act.
enum Refusal {
    /// The screen shows another time of this machine.
    Past,
    /// For this reason.
    For(&'static str),
}

impl App {
    /// Says that the screen shows the past, and which key leads back.
    pub(crate) fn say_past(&mut self) {
        let key = self.key_name(Action::Now);
        let text = format!("this is the past: press {key} to go back to now first");
        self.say(NoticeLevel::Warn, text);
    }

    /// Whether doomtop may act. Where it may not, it says why.
    pub(crate) fn may_act(&mut self) -> bool {
        match self.refusal() {
            None => return true,
            Some(Refusal::Past) => self.say_past(),
            Some(Refusal::For(why)) => self.say(NoticeLevel::Warn, why),
        }
        false
    }

    /// Why doomtop may not act on what the screen shows; nothing where it may.
    fn refusal(&self) -> Option<Refusal> {
        let why = match self.start.acting {
            _ if matches!(self.showing(), Showing::Report(_)) => {
                "this is the report of a past kill: you cannot act on its processes"
            }
            _ if self.is_over() => return Some(Refusal::Past),
            ActingMode::Free | ActingMode::Rehearsal | ActingMode::Demo => return None,
            ActingMode::ReadOnly => "read-only: doomtop changes and signals nothing",
            ActingMode::NotReal => "this is a recording: you cannot act on its processes",
            ActingMode::Elsewhere => {
                "this is not this machine's own /proc: you can look, but not act"
            }
        };
        Some(Refusal::For(why))
    }

    /// Whether doomtop may change or signal a process of those on the screen.
    #[must_use]
    pub fn may_act_here(&self) -> bool {
        self.refusal().is_none()
    }

    /// Whether the key of an action does something where it is pressed now: the function bar and the status line offer
    /// no others.
    #[must_use]
    pub fn offers(&self, action: Action) -> bool {
        let is_there = || self.selected().is_some();
        match (&self.mode, self.key_context(), action) {
            (
                _,
                KeyContext::Browse | KeyContext::Explain,
                Action::Adjust
                | Action::Protect
                | Action::Expose
                | Action::SignalMenu
                | Action::Sacrifice,
            ) => is_there() && self.refusal().is_none(),
            (_, KeyContext::Browse, Action::Explain) => {
                is_there() || self.struck_under_cursor().is_some()
            }
            (_, KeyContext::Browse | KeyContext::Explain, Action::Explain | Action::Copy)
            | (_, KeyContext::Explain, Action::Persist) => is_there(),
            (_, KeyContext::Events, Action::ExplainKill) => !self.event_entries().is_empty(),
            (_, KeyContext::Events, Action::SampleBefore) => self.selected_event().is_some(),
            (_, KeyContext::Events, Action::Search | Action::Filter | Action::KillsOnly) => {
                let view = &self.views.events;
                view.is_narrowed() || view.kills_only || !self.event_entries().is_empty()
            }
            (_, KeyContext::Verdicts, Action::Expand) => self.views.verdicts.folded > 0,
            (_, KeyContext::Verdicts, Action::EnterPolicy) => !self.views.verdicts.lines.is_empty(),
            (Mode::Incident(page), _, Action::Remedy) => !page.remedies.is_empty(),
            (Mode::Fits(page), _, Action::Choose) => page.chosen().is_some(),
            (Mode::Journal(_), _, Action::Write | Action::Copy | Action::PutBack) => {
                !self.session.journal.entries.is_empty()
            }
            (Mode::Alarms(page), _, Action::Toggle | Action::RemoveAlarm) => {
                page.at < self.refresh.alarms.count()
            }
            (Mode::Alarms(_), _, Action::Copy) => !self.refresh.alarms.flags().is_empty(),
            (Mode::Help { page, .. }, _, Action::SearchNext | Action::SearchPrevious) => {
                page.search.is_some()
            }
            _ => true,
        }
    }

    /// The process under the cursor, or a message that there is none.
    pub(crate) fn target(&mut self) -> Option<Process> {
        let found = self.selected().cloned();
        if found.is_none() {
            let why = match self.table.line() {
                None => "there is no process here".to_owned(),
                Some(line) => match self.table.struck_row(line.id) {
                    Some(row) => {
                        format!(
                            "{} {} is already gone: it was killed",
                            line.id,
                            row.cell("command")
                        )
                    }
                    None => format!("{} is already gone", line.id),
                },
            };
            self.say(NoticeLevel::Warn, why);
        }
        found
    }

    /// The process under the cursor, if doomtop may act at all.
    pub(crate) fn acting_target(&mut self) -> Option<Process> {
        if self.may_act() { self.target() } else { None }
    }
}
