//! Whether doomtop may act, and on which process.

use crate::app::App;
use crate::app::keymap::bindings::Action;
use crate::app::refresh::showing::Showing;
use crate::app::session::notice::NoticeLevel;
use crate::app::setup::ActingMode;
use crate::model::Process;

impl App {
    /// Says that the screen shows the past, and which key leads back.
    pub(crate) fn say_past(&mut self) {
        let key = self.key_name(Action::Now);
        let text = format!("this is the past: press {key} to go back to now first");
        self.say(NoticeLevel::Warn, text);
    }

    /// Whether doomtop may act. Where it may not, it says why.
    pub(crate) fn may_act(&mut self) -> bool {
        if let Showing::Report(_) = self.showing() {
            let text = "this is the report of a past kill: you cannot act on its processes";
            self.say(NoticeLevel::Warn, text);
            return false;
        }
        if self.is_over() {
            self.say_past();
            return false;
        }
        match self.start.acting {
            ActingMode::Free | ActingMode::Rehearsal | ActingMode::Demo => true,
            ActingMode::ReadOnly => {
                self.say(NoticeLevel::Warn, "read-only: doomtop changes and signals nothing");
                false
            }
            ActingMode::NotReal => {
                self.say(NoticeLevel::Warn, "this is a recording: you cannot act on its processes");
                false
            }
            ActingMode::Elsewhere => {
                self.say(
                    NoticeLevel::Warn,
                    "this is not this machine's own /proc: you can look, but not act",
                );
                false
            }
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
