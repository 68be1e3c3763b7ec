//! The protection of doomtop itself: asked for by a key, offered when pressure begins, and reported when it
//! ends.

use crate::app::keymap::bindings::{Action, KeyContext};
use crate::app::session::notice::NoticeLevel;
use crate::app::{ActingMode, App, Request};
use crate::model::Snapshot;

impl App {
    /// Asks the shell to protect doomtop itself, where it may act.
    pub(crate) fn protect_itself(&mut self) -> Vec<Request> {
        if !self.start.live || !self.may_act() {
            return Vec::new();
        }
        if self.start.acting != ActingMode::Free {
            self.say(NoticeLevel::Warn, "dry run: doomtop's own adj stays as it is");
            return Vec::new();
        }
        if self.session.protection.on {
            self.say(NoticeLevel::Plain, "doomtop is protected already: its adj is -999");
            return Vec::new();
        }
        vec![Request::ProtectItself, Request::SampleNow]
    }

    /// Offers the protection once, when tasks begin to wait for memory, where the kernel would permit it.
    pub(crate) fn offer_protection(&mut self) {
        let may = self.scene.as_ref().is_some_and(|it| it.now().privileges.lowers_adj());
        let seen = &mut self.session.protection;
        if !may || seen.on || seen.offered || self.start.acting != ActingMode::Free {
            return;
        }
        seen.offered = true;
        if let Some(key) = self.keys.key_of(KeyContext::Browse, Action::ProtectItself) {
            let text =
                format!("tasks wait for memory: {key} makes doomtop the last one to be killed");
            self.say(NoticeLevel::Warn, text);
        }
    }

    /// Notes whether the newest sample was taken by a protected doomtop, and says when that has ended.
    pub(crate) fn note_protection(&mut self, sample: &Snapshot) {
        let on = self.start.live && sample.privileges.protected;
        if self.session.protection.on && !on {
            let text = "no longer protected: doomtop takes too much memory; its adj is restored";
            self.say(NoticeLevel::Warn, text);
        }
        self.session.protection.on = on;
    }
}
