//! Takes in what came of an intent.

use crate::app::App;
use crate::app::session::journal::JournalAct;
use crate::app::session::notice::NoticeLevel;
use crate::app::session::pending::PendingSignal;
use crate::intent::{Intent, Outcome, StepResult};
use crate::model::Signal;
use crate::words::outcome::outcome_text;

impl App {
    /// Takes in what came of an intent.
    pub(crate) fn take_outcome(&mut self, outcome: Outcome) {
        let Some(outcome) = self.take_rule_outcome(outcome) else { return };
        let (about, refused) = (outcome.targets(), matches!(outcome, Outcome::Refused { .. }));
        let rehearsed = matches!(outcome, Outcome::DryRun { .. });
        let mut text = outcome_text(&outcome);
        let (acted, mut change) = (JournalAct::of(&outcome), None);
        // What comes after the end, or is no news, does not take the place of what is.
        let mut quiet = false;
        let level = match outcome {
            Outcome::AdjSet { who, name, before, now, revert } => {
                change = self.session.journal.wrote(who, &name, (before, now), revert);
                self.session.adj_rules.iter_mut().for_each(|sticky| sticky.leave(who));
                NoticeLevel::Good
            }
            Outcome::Signalled { who, name, signal, .. } => {
                if signal.ends() {
                    let since = self.now;
                    self.session.journal.pending.retain(|pursuit| pursuit.who != who);
                    self.session.journal.pending.push(PendingSignal {
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
                    self.session.journal.pending.retain(|pursuit| pursuit.who != who);
                    self.session.journal.pending.push(PendingSignal {
                        who,
                        name,
                        signal,
                        since,
                        why: None,
                    });
                }
                NoticeLevel::Good
            }
            Outcome::StepDone { who, taken, .. } => {
                let done = matches!(taken.result, StepResult::Done(_));
                quiet = done || !self.session.journal.is_pending(who);
                if done { NoticeLevel::Good } else { NoticeLevel::Plain }
            }
            Outcome::DryRun { .. } => NoticeLevel::Plain,
            Outcome::Exited { who, .. } => {
                self.session.journal.pending.retain(|pursuit| pursuit.who != who);
                NoticeLevel::Good
            }
            Outcome::StillThere { who, why, signal, .. } => {
                if signal != Signal::KILL {
                    text.push_str(&self.offer());
                }
                let mine = |pursuit: &&mut PendingSignal| pursuit.who == who;
                if let Some(pursuit) = self.session.journal.pending.iter_mut().find(mine) {
                    pursuit.why = Some(why);
                }
                NoticeLevel::Warn
            }
            // Taken in above.
            Outcome::AdjSetByRule { .. } => NoticeLevel::Good,
            Outcome::SysctlSet { sysctl: knob, before, zeroed, .. } => {
                // Of two that zero each other, writing the one that counted puts both back.
                self.session.sysctl_history.take(zeroed.unwrap_or((knob, before)));
                NoticeLevel::Good
            }
            Outcome::Refused { intent, refusal } => {
                change = self.session.journal.learn(&intent, &refusal);
                self.session.sysctl_history.reverting &=
                    !matches!(intent, Intent::SetSysctl { .. });
                NoticeLevel::Warn
            }
        };
        let at = self.now_unix_ms();
        if let Some(round) = self.session.journal.round.as_mut().filter(|_| !quiet) {
            round.rehearsed |= rehearsed;
            round.take_all(&about, refused, level, &text);
        }
        self.session.journal.note(at, level, text.clone());
        self.session.journal.tie(acted, change);
        if !quiet {
            self.say(level, text);
        }
    }
}
