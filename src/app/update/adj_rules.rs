//! Adj rules: a new version of the file, a new sample, an outcome.

use crate::app::adj_rules::rules::{ActiveRules, RuleCaseState};
use crate::app::adj_rules::update::RulesUpdate;
use crate::app::session::notice::NoticeLevel;
use crate::app::setup::ActingMode;
use crate::app::{App, Request};
use crate::intent::{Intent, Outcome, Refusal};
use crate::units::Millis;
use crate::words::outcome::outcome_text;

impl App {
    /// Takes in what became of the file of rules.
    pub(crate) fn take_adj_rules(&mut self, news: RulesUpdate) {
        match news {
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
                let Some(sticky) = &mut self.session.adj_rules else {
                    return self.say(NoticeLevel::Warn, what);
                };
                let was_on = sticky.switch_off();
                sticky.trouble = Some(what.clone());
                self.watch_adj_rules();
                if was_on {
                    self.note_rules(NoticeLevel::Warn, &format!("the rules are off: {what}"));
                } else {
                    self.say(NoticeLevel::Warn, what);
                }
            }
        }
    }

    pub(crate) fn note_rules(&mut self, level: NoticeLevel, text: &str) {
        let at = self.now_unix_ms();
        self.session.journal.note(at, level, text.to_owned());
        self.say(level, text);
    }

    pub(crate) fn watch_adj_rules(&mut self) {
        // An earlier look, or a report, says nothing of who was changed since.
        if self.shows_other_sample() {
            return;
        }
        let (Some(sticky), Some(scene)) = (&mut self.session.adj_rules, &self.scene) else {
            return;
        };
        let changed_back = sticky.sample(scene, self.start.own);
        for text in changed_back {
            self.note_rules(NoticeLevel::Warn, &text);
        }
    }

    /// What the rules do after a look: nothing unless they are on.
    pub(crate) fn apply_adj_rules(&mut self) -> Vec<Request> {
        if self.shows_other_sample() {
            return Vec::new();
        }
        self.watch_adj_rules();
        let (Some(sticky), Some(scene)) = (&mut self.session.adj_rules, &self.scene) else {
            return Vec::new();
        };
        // Rows of an earlier look say nothing of now.
        let fresh = scene.now().scan.stale_ms == Millis::ZERO;
        if !fresh || self.incidents.report.is_some() || self.start.acting != ActingMode::Free {
            return Vec::new();
        }
        sticky.wishes().into_iter().map(Request::Act).collect()
    }

    /// Takes in what came of a rule's wish: a line of the journal, no message. What was wished under a
    /// consent that is over counts for nothing else. What is about something else is given back.
    pub(crate) fn take_rule_outcome(&mut self, outcome: Outcome) -> Option<Outcome> {
        let (who, of, state, level) = match &outcome {
            Outcome::AdjSetByRule { who, digest, .. } => {
                (*who, *digest, Some(RuleCaseState::Written), NoticeLevel::Good)
            }
            Outcome::Refused { intent: Intent::SetAdjByRule { who, digest, .. }, refusal } => {
                match refusal {
                    // It ended meanwhile: nothing to tell.
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
        let (Some(sticky), Some(state)) = (&mut self.session.adj_rules, state) else { return None };
        if sticky.is_on_for(of) {
            sticky.answered(who, state);
        }
        let at = self.now_unix_ms();
        self.session.journal.note(at, level, outcome_text(&outcome));
        None
    }
}
