//! Keys in the dialog that reverts a change of adj or makes it again.

use crate::app::dialog::bulk_adj;
use crate::app::dialog::revert_adj::RevertDialog;
use crate::app::keymap::bindings::{Action, Key, KeyContext};
use crate::app::keymap::press_time::KeyPress;
use crate::app::mode::Mode;
use crate::app::session::notice::NoticeLevel;
use crate::app::{App, Request};
use crate::intent::Intent;

impl App {
    /// Opens the dialog that reverts the last change, or makes the last reverted one again; the changes
    /// of a bulk act together.
    pub(crate) fn open_revert(&mut self, again: bool) {
        if !self.may_act() {
            return;
        }
        let found = if again {
            self.session.journal.last_put_back()
        } else {
            self.session.journal.last_made()
        };
        match &found[..] {
            [] if again => self.say(NoticeLevel::Plain, "nothing to redo: no change was reverted"),
            [] if self.session.journal.changes.is_empty() => {
                self.say(NoticeLevel::Plain, "nothing was changed in this session");
            }
            [] => self.say(NoticeLevel::Plain, "there is nothing left to revert (J: the journal)"),
            [one] => self.mode = Mode::Revert(RevertDialog::new(one, again)),
            all => {
                if let Some(scene) = &self.scene {
                    self.mode = Mode::Bulk(bulk_adj::back(all, again, scene));
                }
            }
        }
    }

    pub(crate) fn revert_key(&mut self, key: Key, press: KeyPress) -> Vec<Request> {
        let Mode::Revert(revert) = &self.mode else { return Vec::new() };
        let home = revert.journal.map_or(Mode::Browse, Mode::Journal);
        match self.keys.meaning(KeyContext::Confirm, key) {
            Some(Action::Back) => {
                self.mode = home;
                self.say(NoticeLevel::Plain, "nothing was changed");
            }
            Some(Action::Quit) => return self.leave_dialog("nothing was changed"),
            Some(Action::Suspend) => return vec![Request::Suspend],
            Some(Action::Apply) if revert.shown.confirms_at(press) => {
                let intent = Intent::SetAdj {
                    who: revert.who,
                    name: revert.name.clone(),
                    from: revert.from,
                    to: revert.to,
                    revert: !revert.again,
                };
                self.mode = home;
                return vec![Request::Act(intent)];
            }
            _ => {}
        }
        Vec::new()
    }
}
