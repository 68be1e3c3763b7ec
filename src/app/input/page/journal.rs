//! Keys on the page of the journal.

use crate::app::dialog::revert_adj::RevertDialog;
use crate::app::keymap::bindings::{Action, Key, KeyContext};
use crate::app::mode::Mode;
use crate::app::session::journal::ChangeState;
use crate::app::session::notice::NoticeLevel;
use crate::app::{App, Request};
use crate::model::ProcId;
use crate::units::Adj;

impl App {
    /// Opens the journal at its newest entry.
    pub(crate) fn open_journal(&mut self) {
        self.mode = Mode::Journal(self.session.journal.entries.len().saturating_sub(1));
    }

    pub(crate) fn journal_key(&mut self, key: Key) -> Vec<Request> {
        let page = self.display.viewport.page;
        let Mode::Journal(at) = &mut self.mode else { return Vec::new() };
        let meaning = self.keys.meaning(KeyContext::Journal, key);
        let last = self.session.journal.entries.len().saturating_sub(1);
        match meaning {
            Some(action) if action.step(page).is_some() => {
                let by = action.step(page).unwrap_or_default();
                *at = at.saturating_add_signed(by).min(last);
            }
            Some(Action::PutBack) => self.open_entry(),
            Some(Action::Write) if self.session.journal.entries.is_empty() => {
                self.say(NoticeLevel::Plain, "there is nothing to write yet");
            }
            Some(Action::Write) => return vec![Request::WriteJournal],
            Some(Action::Copy) => {
                if let Some(entry) = self.session.journal.entries.get(*at) {
                    let text = entry.text.clone();
                    return self.copy(text);
                }
            }
            Some(Action::Back) => self.mode = Mode::Browse,
            Some(Action::Quit) => return vec![Request::Quit { keep: false }],
            Some(Action::Suspend) => return vec![Request::Suspend],
            _ => {}
        }
        Vec::new()
    }

    /// Opens the dialog that reverts the change of the chosen entry, or makes it again.
    fn open_entry(&mut self) {
        let Mode::Journal(at) = self.mode else { return };
        if !self.may_act() {
            return;
        }
        let entry = self.session.journal.entries.get(at);
        let Some(change) = entry.and_then(|entry| self.session.journal.change(entry.change?))
        else {
            return self.say(NoticeLevel::Plain, "this line changed no oom_score_adj");
        };
        let again = match change.state {
            ChangeState::Gone => {
                let text = format!(
                    "{} {} is gone: the change cannot be reverted",
                    change.who, change.name
                );
                return self.say(NoticeLevel::Warn, text);
            }
            ChangeState::Standing => false,
            ChangeState::Back(_) => true,
        };
        let mut revert = RevertDialog::new(change, again);
        if let Some(found) = self.value_now(revert.who).filter(|&found| found != revert.from) {
            let text = format!(
                "{} {} has {found} now, not {}: something else changed it, nothing was done (a sets it)",
                revert.who, revert.name, revert.from
            );
            return self.say(NoticeLevel::Warn, text);
        }
        revert.journal = Some(at);
        self.mode = Mode::Revert(revert);
    }

    /// The value of a process, by the last outcome or by a sample after it.
    fn value_now(&self, who: ProcId) -> Option<Adj> {
        let scene = self.scene.as_ref()?;
        let last_act = self.session.journal.entries.last().map_or(i64::MIN, |entry| entry.unix_ms);
        let known =
            self.session.journal.known(who).filter(|_| scene.now().clock.unix_ms <= last_act);
        known.or_else(|| scene.find(who)?.adj.value())
    }
}
