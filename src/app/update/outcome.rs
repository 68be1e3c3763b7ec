//! Takes the outcome of an intent.

use std::sync::Arc;

use crate::app::session::journal::JournalAct;
use crate::app::session::notice::NoticeLevel;
use crate::app::session::pending_exit::{CgroupReturn, PendingSignal};
use crate::app::{ActingMode, App};
use crate::columns::human_size;
use crate::intent::{Intent, Outcome, Refusal, StepResult};
use crate::model::{DomainKind, ProcId, Signal};
use crate::units::Bytes;
use crate::words::numbers_and_names::short_cgroup;
use crate::words::outcome::outcome_text;

/// How an outcome is shown.
struct Shown {
    level: NoticeLevel,
    /// The change of adj that it belongs to.
    change: Option<u64>,
    /// Only in the journal, so that it does not hide what is on the bottom line.
    quiet: bool,
}

impl Shown {
    const fn at(level: NoticeLevel) -> Self {
        Self { level, change: None, quiet: false }
    }
}

impl App {
    /// Takes the outcome of an intent.
    pub(crate) fn take_outcome(&mut self, outcome: Outcome) {
        let Some(outcome) = self.take_rule_outcome(outcome) else { return };
        let (reached, refused) = (outcome.targets(), matches!(outcome, Outcome::Refused { .. }));
        let rehearsed = matches!(outcome, Outcome::DryRun { .. });
        let acted = JournalAct::of(&outcome);
        let tried = self.tried(&outcome);
        let is_tried = tried.is_some();
        let mut text = tried.unwrap_or_else(|| outcome_text(&outcome));
        if let Outcome::StillThere { signal, .. } = &outcome
            && *signal != Signal::KILL
        {
            text.push_str(&self.offer());
        }
        let Shown { level, change, quiet } = self.learn(outcome);
        let level = if is_tried { NoticeLevel::Plain } else { level };
        let at = self.now_unix_ms();
        let journal = &mut self.session.journal;
        if let Some(bulk) = journal.bulk.as_mut().filter(|_| !quiet) {
            bulk.rehearsed |= rehearsed;
            bulk.take_all(&reached, refused, level, &text);
        }
        journal.note(at, level, text.clone());
        journal.tie(acted, change);
        if !quiet {
            self.say(level, text);
        }
    }

    /// What would have been done, where the demo was asked: it refuses everything, and that is no fault of the user.
    fn tried(&self, outcome: &Outcome) -> Option<String> {
        let Outcome::Refused { intent, refusal: Refusal::NotLive } = outcome else { return None };
        let is_demo = self.start.acting == ActingMode::Demo;
        is_demo.then(|| format!("the demo, nothing done: {}", intent.describe()))
    }

    /// Changes the session's state by an outcome.
    fn learn(&mut self, outcome: Outcome) -> Shown {
        let journal = &mut self.session.journal;
        match outcome {
            Outcome::AdjSet { who, name, before, now, revert } => {
                let change = journal.wrote(who, &name, (before, now), revert);
                if let Some(rules) = &mut self.session.adj_rules {
                    rules.leave(who);
                }
                Shown { change, ..Shown::at(NoticeLevel::Good) }
            }
            Outcome::Signalled { who, name, signal, .. } => {
                if signal.ends() {
                    self.follow(who, name, signal);
                }
                Shown::at(NoticeLevel::Good)
            }
            Outcome::CgroupKilled { members, .. } => {
                for (who, name) in members {
                    self.follow(who, name, Signal::KILL);
                }
                Shown::at(NoticeLevel::Good)
            }
            Outcome::StepDone { who, taken, .. } => {
                let done = matches!(taken.result, StepResult::Done(_));
                let level = if done { NoticeLevel::Good } else { NoticeLevel::Plain };
                Shown { quiet: done || !journal.is_pending(who), ..Shown::at(level) }
            }
            Outcome::DryRun { .. } => Shown::at(NoticeLevel::Plain),
            Outcome::Exited { who, .. } => {
                journal.pending.retain(|pending| pending.who != who);
                for it in self.session.cgroup_returns.iter_mut().filter(|it| it.who == who) {
                    it.exited = true;
                }
                Shown::at(NoticeLevel::Good)
            }
            Outcome::StillThere { who, why, .. } => {
                if let Some(pending) = journal.pending.iter_mut().find(|it| it.who == who) {
                    pending.why = Some(why);
                }
                Shown::at(NoticeLevel::Warn)
            }
            // Adj rules took it.
            Outcome::AdjSetByRule { .. } => Shown::at(NoticeLevel::Good),
            Outcome::SysctlSet { sysctl: knob, before, zeroed, .. } => {
                // Of two sysctls that zero each other, writing back the one that was in effect restores both.
                self.session.sysctl_history.take(zeroed.unwrap_or((knob, before)));
                Shown::at(NoticeLevel::Good)
            }
            Outcome::Refused { intent, refusal } => {
                let change = journal.learn(&intent, &refusal);
                self.session.sysctl_history.reverting &=
                    !matches!(intent, Intent::SetSysctl { .. });
                Shown { change, ..Shown::at(NoticeLevel::Warn) }
            }
        }
    }

    /// Follows a signalled process until it exits.
    fn follow(&mut self, who: ProcId, name: String, signal: Signal) {
        let (since, pending) = (self.now, &mut self.session.journal.pending);
        pending.retain(|pending| pending.who != who);
        pending.push(PendingSignal { who, name: name.clone(), signal, since, why: None });
        self.note_usage_before(who, name);
    }

    /// Keeps what the cgroup of the scope uses before a process of it exits.
    fn note_usage_before(&mut self, who: ProcId, name: String) {
        let returns = &mut self.session.cgroup_returns;
        returns.retain(|it| it.who != who);
        let Some(scene) = &self.scene else { return };
        let DomainKind::Memcg(_) = scene.domain().kind else { return };
        let path = Arc::clone(&scene.domain().name);
        let group = scene.now().cgroups.find(path.as_str());
        if let Some(before) = group.and_then(|it| it.usage.value()) {
            returns.push(CgroupReturn { who, name, path, before, exited: false });
        }
    }

    /// Says what came back in the cgroup of the scope, once a sample shows it without the process.
    pub(crate) fn tell_cgroup_returns(&mut self) {
        let Some(scene) = self.scene.as_ref().filter(|_| !self.is_past()) else { return };
        let is_gone = |it: &mut CgroupReturn| it.exited && scene.find(it.who).is_none();
        let told: Vec<(CgroupReturn, Bytes)> = self
            .session
            .cgroup_returns
            .extract_if(.., is_gone)
            .filter_map(|it| {
                let now = scene.now().cgroups.find(it.path.as_str())?.usage.value()?;
                Some((it, now))
            })
            .collect();
        for (it, now) in told {
            let CgroupReturn { who, name, path, before, .. } = it;
            let (leaf, sizes) = (short_cgroup(path.as_str()), [before, now].map(human_size));
            let back = match before.saturating_sub(now) {
                Bytes::ZERO => "nothing came back there".to_owned(),
                back => format!("{} came back there", human_size(back)),
            };
            let [before, now] = sizes;
            let text = format!("{who} {name} is gone: {leaf} {before} -> {now}, {back}");
            let at = self.now_unix_ms();
            self.session.journal.note(at, NoticeLevel::Good, text.clone());
            self.say(NoticeLevel::Good, text);
        }
    }
}
