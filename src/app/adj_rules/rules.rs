//! Rules of adj that stick while the program runs: what each would do to whom, and doing it once they
//! were switched on by the dialog that names them. A new version of the file has to be switched on anew.

use std::collections::HashMap;
use std::sync::Arc;

use crate::app::adj_rules::consent::{RuleConsent, RuleConsentDialog};
use crate::intent::Intent;
use crate::model::{ProcId, Process, Scene};
use crate::plan::protection::{Protection, protection};
use crate::policy::site::{AdjRules, RuleMatch};
use crate::units::Adj;

/// So many values are written at most after one look; the others wait for the next one.
pub const MOST_A_LOOK: usize = 20;

/// How a process stands that a rule means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RuleCaseState {
    /// It has the value.
    Has,
    /// It would be written.
    Would,
    /// It would be, once it has been the same for two looks.
    New,
    /// The wish is on its way.
    Asked,
    /// It was written.
    Written,
    /// It was written, and somebody wrote another value after that: it is left so.
    Left,
    /// The hands refused.
    Refused(String),
    /// It is left alone, and why.
    Never(&'static str),
}

/// A process that a rule means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleCase {
    /// Who.
    pub who: ProcId,
    /// Its name.
    pub name: String,
    /// Which rule, counted from 0.
    pub rule: usize,
    /// The value it has.
    pub from: Option<Adj>,
    /// The value it is to have.
    pub to: Adj,
    /// How it stands.
    pub state: RuleCaseState,
}

/// What a rule did to a process: it does so once.
#[derive(Clone, Debug)]
struct WrittenByRule {
    rule: usize,
    state: RuleCaseState,
}

/// The rules, and what they did.
#[derive(Debug)]
pub struct ActiveRules {
    /// The file's name, harmless.
    pub file: String,
    /// What it says.
    pub rules: Arc<AdjRules>,
    /// What is wrong with the newest version of the file.
    pub trouble: Option<String>,
    /// Whom the rules mean now, by rule and pid.
    pub cases: Vec<RuleCase>,
    /// How many processes could not be compared: there are too many for so many rules.
    pub too_dear: usize,
    /// How many values were written since they were switched on.
    pub written: usize,
    /// How many were refused.
    pub refused: usize,
    consent: Option<RuleConsent>,
    marks: HashMap<ProcId, WrittenByRule>,
}

const NO_PROOF: &str =
    "its name alone is no proof: nothing is lowered without a user or a cgroup from / on";

const SETUID: &str = "another user started it (setuid): nothing is lowered where the real user is not the effective one";

impl ActiveRules {
    pub(crate) fn new(file: String, rules: Arc<AdjRules>) -> Self {
        Self {
            file,
            rules,
            trouble: None,
            cases: Vec::new(),
            too_dear: 0,
            written: 0,
            refused: 0,
            consent: None,
            marks: HashMap::new(),
        }
    }

    /// Whether values are written.
    #[must_use]
    pub const fn is_on(&self) -> bool {
        self.consent.is_some()
    }

    /// How many stand so.
    pub fn count(&self, state: &RuleCaseState) -> usize {
        let same = std::mem::discriminant(state);
        self.cases.iter().filter(|case| std::mem::discriminant(&case.state) == same).count()
    }

    /// How many would be written now.
    #[must_use]
    pub fn would(&self) -> usize {
        self.count(&RuleCaseState::Would)
    }

    /// In a few words, for the lines that are always in view.
    #[must_use]
    pub fn summary(&self) -> String {
        let left = self.count(&RuleCaseState::Left);
        match (&self.trouble, self.is_on()) {
            (Some(_), _) => "rules off: the file is bad".to_owned(),
            (None, false) => format!("rules: {} would be written", self.would()),
            (None, true) => {
                let mut text = format!("rules on: {} written", self.written);
                for (count, word) in [(self.refused, "refused"), (left, "changed back")] {
                    if count > 0 {
                        text.push_str(&format!(", {count} {word}"));
                    }
                }
                text
            }
        }
    }

    /// The dialog that asks whether they shall be carried out from now on.
    pub(crate) fn consent_dialog(&self) -> RuleConsentDialog {
        let rules = self.rules.rules.iter().enumerate();
        let would = |nth: usize| {
            let cases = self.cases.iter();
            cases.filter(|case| case.rule == nth && case.state == RuleCaseState::Would).count()
        };
        let lines = rules.map(|(nth, rule)| (rule.about.clone(), rule.adj, would(nth))).collect();
        RuleConsentDialog::new(self.file.clone(), lines, self.would(), Arc::clone(&self.rules))
    }

    /// Carries them out from now on; not where the consent was given for another version of the file.
    pub(crate) fn switch_on(&mut self, consent: RuleConsent) -> bool {
        if !Arc::ptr_eq(consent.rules(), &self.rules) || self.trouble.is_some() {
            return false;
        }
        (self.written, self.refused) = (0, 0);
        self.marks.clear();
        self.consent = Some(consent);
        true
    }

    /// Whether they are on, in the version of this digest.
    pub(crate) fn is_on_for(&self, digest: u64) -> bool {
        self.consent.as_ref().is_some_and(|consent| consent.rules().digest == digest)
    }

    /// Stops writing; what was written stays as it is.
    pub(crate) fn switch_off(&mut self) -> bool {
        self.marks.clear();
        self.consent.take().is_some()
    }

    /// Looks whom the rules mean now. Who was changed back comes out, once.
    pub(crate) fn sample(&mut self, scene: &Scene, own: ProcId) -> Vec<String> {
        let mut changed_back = Vec::new();
        self.marks.retain(|&id, _| scene.find(id).is_some());
        self.cases.clear();
        self.too_dear = 0;
        for process in scene.now().processes.iter().filter(|it| !it.is_kernel_thread()) {
            let hit = match self.rules.first(process, scene) {
                Ok(Some(hit)) => hit,
                Ok(None) => continue,
                Err(_) => {
                    self.too_dear += 1;
                    continue;
                }
            };
            let to = self.rules.rules[hit.rule].adj;
            let mark = self.marks.get_mut(&process.id);
            let state = state(process, hit, to, mark.as_deref(), scene, own);
            let had = |mark: &&mut WrittenByRule| {
                matches!(mark.state, RuleCaseState::Written | RuleCaseState::Has)
            };
            if let Some(mark) = mark.filter(had)
                && state == RuleCaseState::Left
            {
                mark.state = RuleCaseState::Left;
                let value = process.adj.value().unwrap_or_default();
                changed_back.push(format!(
                    "{} {}: somebody set its oom_score_adj from {to} to {value}; left so",
                    process.id, process.comm
                ));
            }
            // Who has the value once is not written again, whoever gave it.
            if self.consent.is_some() && state == RuleCaseState::Has {
                self.marks.insert(
                    process.id,
                    WrittenByRule { rule: hit.rule, state: RuleCaseState::Has },
                );
            }
            self.cases.push(RuleCase {
                who: process.id,
                name: process.comm.to_string(),
                rule: hit.rule,
                from: process.adj.value(),
                to,
                state,
            });
        }
        self.cases.sort_by_key(|case| (case.rule, case.who));
        changed_back
    }

    /// The user set its value by hand: the rules leave it so.
    pub(crate) fn leave(&mut self, who: ProcId) {
        if self.consent.is_none() {
            return;
        }
        for case in self.cases.iter_mut().filter(|case| case.who == who) {
            case.state = RuleCaseState::Left;
            self.marks.insert(who, WrittenByRule { rule: case.rule, state: RuleCaseState::Left });
        }
    }

    /// What is to be written now, under the consent and as far as one look goes.
    pub(crate) fn wishes(&mut self) -> Vec<Intent> {
        let Some(consent) = &self.consent else { return Vec::new() };
        if !Arc::ptr_eq(consent.rules(), &self.rules) {
            return Vec::new();
        }
        let rules = consent.rules();
        let due = self.cases.iter_mut().filter(|case| case.state == RuleCaseState::Would);
        let mut wishes = Vec::new();
        for case in due.take(MOST_A_LOOK) {
            let Some(from) = case.from else { continue };
            case.state = RuleCaseState::Asked;
            self.marks
                .insert(case.who, WrittenByRule { rule: case.rule, state: RuleCaseState::Asked });
            wishes.push(Intent::SetAdjByRule {
                who: case.who,
                name: case.name.clone(),
                from,
                to: case.to,
                rule: rules.rules[case.rule].about.clone(),
                digest: rules.digest,
            });
        }
        wishes
    }

    /// Takes in what came of a wish.
    pub(crate) fn answered(&mut self, who: ProcId, state: RuleCaseState) {
        match &state {
            RuleCaseState::Written => self.written += 1,
            RuleCaseState::Refused(_) => self.refused += 1,
            _ => {}
        }
        if let Some(mark) = self.marks.get_mut(&who) {
            mark.state = state.clone();
        }
        for case in self.cases.iter_mut().filter(|case| case.who == who) {
            if state == RuleCaseState::Written {
                case.from = Some(case.to);
            }
            case.state = state.clone();
        }
    }
}

/// What these rules would do to whom, by rule and pid. Who has not been looked at twice stands as new.
#[must_use]
pub fn preview_rules(rules: &Arc<AdjRules>, scene: &Scene, own: ProcId) -> Vec<RuleCase> {
    let mut sticky = ActiveRules::new(String::new(), Arc::clone(rules));
    sticky.sample(scene, own);
    sticky.cases
}

/// How a process stands with the rule that means it.
fn state(
    process: &Process,
    hit: RuleMatch,
    to: Adj,
    mark: Option<&WrittenByRule>,
    scene: &Scene,
    own: ProcId,
) -> RuleCaseState {
    let Some(from) = process.adj.value() else {
        return RuleCaseState::Never("its oom_score_adj cannot be read");
    };
    match mark.filter(|mark| mark.rule == hit.rule).map(|mark| &mark.state) {
        Some(RuleCaseState::Written) if from == to => return RuleCaseState::Written,
        Some(RuleCaseState::Has) if from == to => return RuleCaseState::Has,
        Some(RuleCaseState::Written | RuleCaseState::Has | RuleCaseState::Left) => {
            return RuleCaseState::Left;
        }
        Some(state) => return state.clone(),
        None => {}
    }
    if from == to {
        return RuleCaseState::Has;
    }
    let protection = protection(process, own, scene);
    if let Protection::Never(why) = protection {
        return RuleCaseState::Never(why);
    }
    if from == Adj::MIN {
        return RuleCaseState::Never("its oom_score_adj is -1000: somebody wants it to live");
    }
    if to < from && !hit.bound {
        let foreign = process.ids.value().is_some_and(|ids| ids.uid != ids.euid);
        return RuleCaseState::Never(if foreign { SETUID } else { NO_PROOF });
    }
    // Among a crowd it is not meant to die sooner.
    if let Protection::TypePid(why) = protection
        && to > from
        && !hit.exact
    {
        return RuleCaseState::Never(why);
    }
    // Between fork and exec it still has its parent's name, and many set a value of their own first.
    let before = scene.before().and_then(|sample| sample.find(process.id));
    let settled = before.is_some_and(|before| {
        before.comm == process.comm && before.adj == process.adj && before.ids == process.ids
    });
    if settled { RuleCaseState::Would } else { RuleCaseState::New }
}
