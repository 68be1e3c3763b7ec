//! Acting: opening the dialogs that hold an intent, and taking in what came of it.

use crate::app::dialog::adjust::AdjustDialog;
use crate::app::dialog::bulk_adj;
use crate::app::dialog::mode::{Mode, RevertDialog};
use crate::app::dialog::signal::SignalDialog;
use crate::app::session::journal::{BulkResult, JournalAct, PendingSignal};
use crate::app::{ActingMode, App, NoticeLevel, Request};
use crate::intent::{Intent, Outcome, StepResult};
use crate::model::{ProcId, Process, Signal};
use crate::plan::preview::Proposals;
use crate::plan::rights::WriteRights;
use crate::units::Adj;
use crate::words::outcome::outcome_text;

impl App {
    /// Whether what is on the screen is over: nobody in it can be acted on, whoever looks.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.report.is_some() || self.setup.live && self.playback.is_past()
    }

    /// Whether doomtop may act; says why, where it may not.
    pub(crate) fn may_act(&mut self) -> bool {
        if self.report.is_some() {
            let text = "this is a report of a kill that is over: nobody in it can be acted on";
            self.say(NoticeLevel::Warn, text);
            return false;
        }
        if self.setup.live && self.playback.is_past() {
            self.say(
                NoticeLevel::Warn,
                "this is the past: l goes back to now, where it can be acted on",
            );
            return false;
        }
        match self.setup.acting {
            ActingMode::Free | ActingMode::Rehearsal | ActingMode::Demo => true,
            ActingMode::ReadOnly => {
                self.say(NoticeLevel::Warn, "read-only: nothing is changed or signalled from here");
                false
            }
            ActingMode::NotReal => {
                self.say(NoticeLevel::Warn, "this is a recording: there is nobody to act on");
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
            let empty = self.lines.is_empty();
            let why = if empty { "there is no process here" } else { "that process is gone" };
            self.say(NoticeLevel::Warn, why);
        }
        found
    }

    /// Opens the adj editor, proposing so much more or less.
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
        let rights = WriteRights::of(&process, from, self.journal.refused(process.id), scene);
        self.mode = Mode::Adjust(Box::new(AdjustDialog::new(&process, from, proposal, rights)));
        self.renew_preview();
    }

    /// Computes the editor's preview again.
    pub(crate) fn renew_preview(&mut self) {
        let Mode::Adjust(edit) = &mut self.mode else { return };
        let Some(scene) = &self.scene else { return };
        edit.foresee(self.setup.policy, scene, &self.ranking, &self.tags, &mut self.spare);
    }

    /// Lets the editor reach further.
    pub(crate) fn next_targets(&mut self) {
        let Mode::Adjust(edit) = &mut self.mode else { return };
        let Some(scene) = &self.scene else { return };
        let was_wide = edit.is_wide();
        edit.reach_on(scene, &self.tags);
        if !was_wide && !edit.is_wide() {
            self.say(NoticeLevel::Plain, "nobody else: nothing tagged, and nobody belongs with it");
        }
    }

    /// Takes the smallest change that matters into the editor: into first place, or out of it.
    pub(crate) fn propose(&mut self, first: bool) {
        let Mode::Adjust(edit) = &mut self.mode else { return };
        let Some(scene) = &self.scene else { return };
        if edit.is_wide() {
            let (policy, now, spare) = (self.setup.policy, &self.ranking, &mut self.spare);
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
                "by {by} a higher adj is not always nearer to first place: none is known for many"
            );
            return self.say(NoticeLevel::Plain, text);
        }
        let who = if one { "it" } else { "one of them" };
        let text = match (first, is_first) {
            (true, true) => format!("by {by} {who} is the next victim already"),
            (true, false) => format!("by {by} no adj makes {who} the next victim"),
            (false, _) if one => format!("by {by} it is not the next victim, or no adj saves it"),
            (false, _) => format!("by {by} none of them is the next victim, or no adj saves it"),
        };
        self.say(NoticeLevel::Plain, text);
    }

    /// Lists everybody whom the editor reaches, and asks.
    pub(crate) fn open_bulk_adj(&mut self, to: Adj) {
        let Mode::Adjust(edit) = &self.mode else { return };
        let Some(scene) = &self.scene else { return };
        let several = bulk_adj::dialog(self, edit, to, scene);
        self.mode = Mode::Bulk(several);
    }

    /// Opens the sacrifice dialog for the tagged processes, or for the one under the cursor.
    pub(crate) fn open_sacrifice(&mut self) {
        if !self.tags.is_empty() {
            if self.may_act() {
                self.open_sacrifices();
            }
        } else {
            self.open_sacrifice_of_one();
        }
    }

    /// Opens the sacrifice dialog for the process under the cursor, whatever is tagged.
    pub(crate) fn open_sacrifice_of_one(&mut self) {
        if let Some(process) = self.acting_target() {
            self.open_signal_dialog(&process, None);
        }
    }

    /// The process under the cursor, if doomtop may act at all.
    pub(crate) fn acting_target(&mut self) -> Option<Process> {
        if self.may_act() { self.target() } else { None }
    }

    /// Opens the dialog of a signal; of the sacrifice, where none is named.
    pub(crate) fn open_signal_dialog(&mut self, process: &Process, signal: Option<Signal>) {
        let Some(scene) = &self.scene else { return };
        let own = self.setup.own;
        let opened = match signal {
            Some(signal) => SignalDialog::signal(process, own, scene, signal),
            None => SignalDialog::sacrifice(process, own, scene),
        };
        let opened = opened.map(|confirm| confirm.under(self.setup.policy, process, scene));
        match opened.map_err(str::to_owned).and_then(|it| self.once(process, it)) {
            Ok(confirm) => self.mode = Mode::Signal(confirm),
            Err(why) => {
                self.mode = Mode::Browse;
                self.say(NoticeLevel::Warn, format!("{} {}: {why}", process.id, process.comm));
            }
        }
    }

    /// Opens the signal dialog for a process chosen in the menu.
    pub(crate) fn open_signal(&mut self, who: ProcId, signal: Signal) {
        let found = self.scene.as_ref().and_then(|scene| scene.find(who)).cloned();
        match found {
            Some(process) => self.open_signal_dialog(&process, Some(signal)),
            None => {
                self.mode = Mode::Browse;
                self.say(NoticeLevel::Warn, format!("{who} is gone"));
            }
        }
    }

    /// The same dialog for the predicted victim instead.
    pub(crate) fn retarget(&mut self) {
        let victim = self.ranking.victim().map(|row| row.id);
        let found = victim.and_then(|id| self.scene.as_ref()?.find(id)).cloned();
        match found {
            Some(process) => self.open_signal_dialog(&process, None),
            None => self.say(NoticeLevel::Warn, "there is no predicted victim"),
        }
    }

    /// Asks whether to put the last change back, or to make the one that was put back last again; all
    /// of a round at once.
    pub(crate) fn open_revert(&mut self, again: bool) {
        if !self.may_act() {
            return;
        }
        let found = if again { self.journal.last_put_back() } else { self.journal.last_made() };
        match &found[..] {
            [] if again => {
                self.say(NoticeLevel::Plain, "nothing was put back that could be made again")
            }
            [] if self.journal.changes.is_empty() => {
                self.say(NoticeLevel::Plain, "nothing was changed in this session");
            }
            [] => {
                self.say(NoticeLevel::Plain, "there is nothing left to put back (J: the journal)")
            }
            [one] => self.mode = Mode::Revert(RevertDialog::new(one, again)),
            all => {
                if let Some(scene) = &self.scene {
                    self.mode = Mode::Bulk(bulk_adj::back(all, again, scene));
                }
            }
        }
    }

    /// Begins an act on several processes: what comes of each stands on the page that opens.
    pub(crate) fn begin_bulk(&mut self, title: String, intents: Vec<Intent>) -> Vec<Request> {
        let about = intents.iter().flat_map(Intent::targets).collect();
        self.journal.begin(BulkResult::new(title, about));
        self.mode = Mode::BulkResult(0);
        intents.into_iter().map(Request::Act).collect()
    }

    /// Takes in what came of an intent.
    pub(crate) fn take_outcome(&mut self, outcome: Outcome) {
        let Some(outcome) = self.take_rule_outcome(outcome) else { return };
        let (about, refused) = (outcome.targets(), matches!(outcome, Outcome::Refused { .. }));
        let rehearsed = matches!(outcome, Outcome::Rehearsed { .. });
        let mut text = outcome_text(&outcome);
        let (acted, mut change) = (JournalAct::of(&outcome), None);
        // What comes after the end, or is no news, does not take the place of what is.
        let mut quiet = false;
        let level = match outcome {
            Outcome::AdjSet { who, name, before, now, revert } => {
                change = self.journal.wrote(who, &name, (before, now), revert);
                self.adj_rules.iter_mut().for_each(|sticky| sticky.leave(who));
                NoticeLevel::Good
            }
            Outcome::Signalled { who, name, signal, .. } => {
                if signal.ends() {
                    let since = self.now;
                    self.journal.pending.retain(|pursuit| pursuit.who != who);
                    self.journal.pending.push(PendingSignal {
                        who,
                        name,
                        signal,
                        since,
                        why: None,
                    });
                }
                NoticeLevel::Good
            }
            Outcome::CgroupKilled { members, .. } => {
                let (since, signal) = (self.now, Signal::KILL);
                for (who, name) in members {
                    self.journal.pending.retain(|pursuit| pursuit.who != who);
                    self.journal.pending.push(PendingSignal {
                        who,
                        name,
                        signal,
                        since,
                        why: None,
                    });
                }
                NoticeLevel::Good
            }
            Outcome::Hastened { who, taken, .. } => {
                let done = matches!(taken.result, StepResult::Done(_));
                quiet = done || !self.journal.pursues(who);
                if done { NoticeLevel::Good } else { NoticeLevel::Plain }
            }
            Outcome::Rehearsed { .. } => NoticeLevel::Plain,
            Outcome::Exited { who, .. } => {
                self.journal.pending.retain(|pursuit| pursuit.who != who);
                NoticeLevel::Good
            }
            Outcome::StillThere { who, why, signal, .. } => {
                if signal != Signal::KILL {
                    text.push_str(&self.offer());
                }
                let mine = |pursuit: &&mut PendingSignal| pursuit.who == who;
                if let Some(pursuit) = self.journal.pending.iter_mut().find(mine) {
                    pursuit.why = Some(why);
                }
                NoticeLevel::Warn
            }
            // Taken in above.
            Outcome::AdjKept { .. } => NoticeLevel::Good,
            Outcome::KnobSet { knob, before, zeroed, .. } => {
                // Of two that zero each other, writing the one that counted puts both back.
                self.sysctl_history.take(zeroed.unwrap_or((knob, before)));
                NoticeLevel::Good
            }
            Outcome::Refused { intent, refusal } => {
                change = self.journal.learn(&intent, &refusal);
                self.sysctl_history.reverting &= !matches!(intent, Intent::SetKnob { .. });
                NoticeLevel::Warn
            }
        };
        let at = self.now_unix_ms();
        if let Some(round) = self.journal.round.as_mut().filter(|_| !quiet) {
            round.rehearsed |= rehearsed;
            round.take_all(&about, refused, level, &text);
        }
        self.journal.note(at, level, text.clone());
        self.journal.tie(acted, change);
        if !quiet {
            self.say(level, text);
        }
    }
}
