//! What adj rules do when their file changes, a sample comes, or a write has an outcome.

use crate::app::adj_rules::reload::RulesUpdate;
use crate::app::adj_rules::rules::{ActiveRules, RuleCaseState};
use crate::app::session::notice::NoticeLevel;
use crate::app::setup::ActingMode;
use crate::app::{App, Request};
use crate::intent::{Intent, Outcome, Refusal};
use crate::units::Millis;
use crate::words::outcome::outcome_text;

impl App {
    /// Takes a new version of the file of rules.
    pub(crate) fn take_adj_rules(&mut self, update: RulesUpdate) {
        match update {
            RulesUpdate::Good { file, rules } => {
                let was_on = self.session.adj_rules.as_ref().is_some_and(ActiveRules::is_on);
                let again = self.session.adj_rules.is_some();
                self.session.adj_rules = Some(ActiveRules::new(file, rules));
                self.watch_adj_rules();
                if was_on {
                    self.note_rules(
                        NoticeLevel::Warn,
                        "the rules changed: off until they are confirmed again",
                    );
                } else if again {
                    self.say(
                        NoticeLevel::Good,
                        "the rules were read again; nothing is written yet",
                    );
                }
            }
            RulesUpdate::Bad(what) => {
                let Some(active) = &mut self.session.adj_rules else {
                    return self.say(NoticeLevel::Warn, what);
                };
                let was_on = active.switch_off();
                active.trouble = Some(what.clone());
                self.watch_adj_rules();
                if was_on {
                    self.note_rules(NoticeLevel::Warn, &format!("the rules are off: {what}"));
                } else {
                    self.say(NoticeLevel::Warn, what);
                }
            }
        }
    }

    /// Writes a line of the journal, and shows it.
    pub(crate) fn note_rules(&mut self, level: NoticeLevel, text: &str) {
        let at = self.now_unix_ms();
        self.session.journal.note(at, level, text.to_owned());
        self.say(level, text);
    }

    /// Compares the rules with the sample on the screen.
    pub(crate) fn watch_adj_rules(&mut self) {
        // An earlier sample or a report says nothing about the values now.
        if self.shows_other_sample() {
            return;
        }
        let (Some(active), Some(scene)) = (&mut self.session.adj_rules, &self.scene) else {
            return;
        };
        let changed_back = active.update(scene, self.start.own);
        for text in changed_back {
            self.note_rules(NoticeLevel::Warn, &text);
        }
    }

    /// What the rules write after a sample; nothing unless they are on.
    pub(crate) fn apply_adj_rules(&mut self) -> Vec<Request> {
        if self.shows_other_sample() {
            return Vec::new();
        }
        self.watch_adj_rules();
        let (Some(active), Some(scene)) = (&mut self.session.adj_rules, &self.scene) else {
            return Vec::new();
        };
        // Rows that were not read again say nothing about now.
        let fresh = scene.now().scan.stale_ms == Millis::ZERO;
        if !fresh || self.incidents.report.is_some() || self.start.acting != ActingMode::Free {
            return Vec::new();
        }
        active.due_intents().into_iter().map(Request::Act).collect()
    }

    /// Takes the outcome of a rule's write: a line of the journal, without a message. An outcome of an
    /// earlier consent counts for nothing else. Returns an outcome of anything else.
    pub(crate) fn take_rule_outcome(&mut self, outcome: Outcome) -> Option<Outcome> {
        let (who, of, state, level) = match &outcome {
            Outcome::AdjSetByRule { who, digest, .. } => {
                (*who, *digest, Some(RuleCaseState::Written), NoticeLevel::Good)
            }
            Outcome::Refused { intent: Intent::SetAdjByRule { who, digest, .. }, refusal } => {
                match refusal {
                    // It exited meanwhile: not worth a line.
                    Refusal::Gone | Refusal::PidReused => (*who, *digest, None, NoticeLevel::Plain),
                    refusal => (
                        *who,
                        *digest,
                        Some(RuleCaseState::Refused(refusal.words())),
                        NoticeLevel::Warn,
                    ),
                }
            }
            _ => return Some(outcome),
        };
        let (Some(active), Some(state)) = (&mut self.session.adj_rules, state) else { return None };
        if active.is_on_for(of) {
            active.take_state(who, state);
        }
        let at = self.now_unix_ms();
        self.session.journal.note(at, level, outcome_text(&outcome));
        None
    }
}
