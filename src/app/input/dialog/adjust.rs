//! Keys in the adj editor.

use crate::app::dialog::adjust::AdjustDialog;
use crate::app::dialog::bulk_adj;
use crate::app::keymap::bindings::{Action, Key, KeyCode, KeyContext};
use crate::app::keymap::press_time::KeyPress;
use crate::app::mode::Mode;
use crate::app::session::notice::NoticeLevel;
use crate::app::{App, Request};
use crate::intent::Intent;
use crate::plan::adj_rights::WriteRights;
use crate::plan::preview::Proposals;
use crate::units::Adj;
use crate::words::death_details::saving;

impl App {
    /// Opens the adj editor with the present value changed by `by`.
    pub(crate) fn open_adjust(&mut self, by: i64) {
        if !self.may_act() {
            return;
        }
        let Some(process) = self.target() else { return };
        if process.is_kernel_thread() {
            let text = format!("{} is a kernel thread: it can never be chosen", process.id);
            return self.say(NoticeLevel::Warn, text);
        }
        let Some(from) = process.adj.value() else {
            let text =
                format!("the oom_score_adj of {} {} cannot be read", process.id, process.comm);
            return self.say(NoticeLevel::Warn, text);
        };
        let proposal = Adj::clamped(i64::from(from.0) + by);
        let Some(scene) = &self.scene else { return };
        let rights =
            WriteRights::of(&process, from, self.session.journal.refused(process.id), scene);
        self.mode = Mode::Adjust(Box::new(AdjustDialog::new(&process, from, proposal, rights)));
        self.renew_preview();
    }

    /// Computes the editor's preview again.
    pub(crate) fn renew_preview(&mut self) {
        let policy = self.policy();
        let Mode::Adjust(edit) = &mut self.mode else { return };
        let Some(scene) = &self.scene else { return };
        edit.renew_preview(policy, scene, &self.ranking, &self.table.tags, &mut self.spare);
        let value = edit.value();
        let reached = edit.reached.clone();
        let text = value.and_then(|to| self.death_after_adj(&reached, to));
        if let Mode::Adjust(edit) = &mut self.mode {
            edit.next_death = text;
            let saved = self.deaths.saving(edit.who).filter(|_| !edit.is_wide());
            edit.saved = saved.map(|(death, saved)| (saved.adj, saving(death, saved)));
        }
    }

    /// Goes to the next kind of targets.
    pub(crate) fn next_targets(&mut self) {
        let Mode::Adjust(edit) = &mut self.mode else { return };
        let Some(scene) = &self.scene else { return };
        let was_wide = edit.is_wide();
        edit.next_targets(scene, &self.table.tags);
        if !was_wide && !edit.is_wide() {
            self.say(
                NoticeLevel::Plain,
                "no other targets: nothing is tagged, and no other process is related to it",
            );
        }
    }

    /// Puts the value into the editor that saves the process from the death that is predicted for it. While none is
    /// near, that is the one that takes it out of the first place.
    fn propose_saving(&mut self) {
        let Mode::Adjust(edit) = &mut self.mode else { return };
        if edit.saved.is_none() && self.deaths.next.is_none() {
            return self.propose(false);
        }
        match (&edit.saved, edit.is_wide()) {
            (Some((adj, _)), _) => edit.take(*adj),
            (None, true) => self.say(NoticeLevel::Plain, "that is computed for one process only"),
            (None, false) => self.say(
                NoticeLevel::Plain,
                "no predicted death names it: there is nothing to save it from",
            ),
        }
    }

    /// Puts the smallest change into the editor that makes the process the next victim, or no longer
    /// the next victim.
    pub(crate) fn propose(&mut self, first: bool) {
        let policy = self.policy();
        let Mode::Adjust(edit) = &mut self.mode else { return };
        let Some(scene) = &self.scene else { return };
        if edit.is_wide() {
            let (now, spare) = (&self.ranking, &mut self.spare);
            edit.proposals = Proposals::of_many(policy, &edit.reached, scene, now, spare);
        }
        let found = if first { edit.proposals.first } else { edit.proposals.out };
        let by = edit.proposals.policy;
        let (one, is_first) = (!edit.is_wide(), edit.proposals.out.is_some());
        if let Some(value) = found {
            return edit.take(value);
        }
        if edit.proposals.unsteady {
            let text = format!(
                "by {by} a higher adj does not always raise the rank: no common value can be computed"
            );
            return self.say(NoticeLevel::Plain, text);
        }
        let who = if one { "it" } else { "one of them" };
        let text = match (first, is_first) {
            (true, true) => format!("by {by} {who} is the next victim already"),
            (true, false) => format!("by {by} no adj makes {who} the next victim"),
            (false, _) if one => {
                format!("by {by} it is not the next victim, or no adj protects it")
            }
            (false, _) => {
                format!("by {by} none of them is the next victim, or no adj protects them")
            }
        };
        self.say(NoticeLevel::Plain, text);
    }

    /// Opens the dialog that lists all targets.
    pub(crate) fn open_bulk_adj(&mut self, to: Adj) {
        let Mode::Adjust(edit) = &self.mode else { return };
        let Some(scene) = &self.scene else { return };
        let bulk = bulk_adj::dialog(edit, to, scene, (self.start.own, &self.session.journal));
        self.mode = Mode::Bulk(bulk);
    }

    pub(crate) fn adjust_key(&mut self, key: Key, press: KeyPress) -> Vec<Request> {
        let Mode::Adjust(edit) = &mut self.mode else { return Vec::new() };
        match self.keys.meaning(KeyContext::Adjust, key) {
            Some(Action::StepDown) => edit.step(-50, -1),
            Some(Action::StepUp) => edit.step(50, 1),
            Some(Action::FineDown) => edit.step(-10, -1),
            Some(Action::FineUp) => edit.step(10, 1),
            Some(Action::Lowest) => edit.step(-10_000, -100),
            Some(Action::Highest) => edit.step(10_000, 100),
            Some(Action::PresetDown) => edit.preset(false),
            Some(Action::PresetUp) => edit.preset(true),
            Some(Action::OtherScale) => edit.other_scale(),
            Some(Action::NextTargets) => self.next_targets(),
            Some(Action::SaveFromDeath) => self.propose_saving(),
            Some(Action::OutOfFirst) => self.propose(false),
            Some(Action::IntoFirst) => self.propose(true),
            Some(Action::Persist) => return self.persist_edited(),
            Some(Action::Apply) => return self.apply_adjust(press),
            Some(Action::Suspend) => return vec![Request::Suspend],
            Some(Action::Back) => {
                self.mode = Mode::Browse;
                self.say(NoticeLevel::Plain, "nothing was changed");
            }
            Some(Action::Quit) => return self.leave_dialog("nothing was changed"),
            _ => match key.code {
                KeyCode::Char(c)
                    if !key.ctrl && !key.alt && (c.is_ascii_digit() || c == '-' || c == '+') =>
                {
                    edit.push(c);
                }
                KeyCode::Backspace | KeyCode::Delete => edit.pop(),
                _ => {}
            },
        }
        self.renew_preview();
        Vec::new()
    }

    fn apply_adjust(&mut self, press: KeyPress) -> Vec<Request> {
        let Mode::Adjust(edit) = &self.mode else { return Vec::new() };
        if !edit.shown.confirms_at(press) {
            return Vec::new();
        }
        let Some(to) = edit.value() else {
            let typed = if edit.typed.is_empty() { "nothing" } else { edit.typed.as_str() };
            let text = format!("{typed} is not {}", edit.complaint());
            self.say(NoticeLevel::Warn, text);
            return Vec::new();
        };
        if edit.is_wide() {
            self.open_bulk_adj(to);
            return Vec::new();
        }
        let (who, name, from) = (edit.who, edit.name.clone(), edit.from);
        self.mode = Mode::Browse;
        if to == from {
            self.say(
                NoticeLevel::Plain,
                format!("{who} {name} has {from} already: nothing was written"),
            );
            return Vec::new();
        }
        vec![Request::Act(Intent::SetAdj { who, name, from, to, revert: false })]
    }
}
