//! Whether doomtop may act, and on which process.

use crate::app::App;
use crate::app::refresh::showing::Showing;
use crate::app::session::notice::NoticeLevel;
use crate::app::setup::ActingMode;
use crate::model::Process;

impl App {
    /// Whether doomtop may act. Where it may not, it says why.
    pub(crate) fn may_act(&mut self) -> bool {
        if let Showing::Report(_) = self.showing() {
            let text = "this is a report of a past kill: its processes cannot be acted on";
            self.say(NoticeLevel::Warn, text);
            return false;
        }
        if self.is_over() {
            self.say(NoticeLevel::Warn, "this is the past: l goes back to now, where you can act");
            return false;
        }
        match self.start.acting {
            ActingMode::Free | ActingMode::Rehearsal | ActingMode::Demo => true,
            ActingMode::ReadOnly => {
                self.say(NoticeLevel::Warn, "read-only: nothing is changed or signalled from here");
                false
            }
            ActingMode::NotReal => {
                self.say(
                    NoticeLevel::Warn,
                    "this is a recording: its processes cannot be acted on",
                );
                false
            }
            ActingMode::Elsewhere => {
                self.say(
                    NoticeLevel::Warn,
                    "not this machine's own /proc: it can be looked at, not acted on",
                );
                false
            }
        }
    }

    /// The process under the cursor, or a message that there is none.
    pub(crate) fn target(&mut self) -> Option<Process> {
        let found = self.selected().cloned();
        if found.is_none() {
            let empty = self.table.lines.is_empty();
            let why = if empty { "there is no process here" } else { "that process is gone" };
            self.say(NoticeLevel::Warn, why);
        }
        found
    }

    /// The process under the cursor, if doomtop may act at all.
    pub(crate) fn acting_target(&mut self) -> Option<Process> {
        if self.may_act() { self.target() } else { None }
    }
}
