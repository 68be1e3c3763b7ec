//! Rules that set adj while the program runs: what each would write, and what it wrote once the rules were
//! switched on by their dialog. A new version of the file has to be switched on again.

use std::collections::HashMap;
use std::sync::Arc;

use crate::app::adj_rules::consent::{RuleConsent, RuleConsentDialog};
use crate::intent::Intent;
use crate::model::{ProcId, Process, Scene};
use crate::plan::protection::{Protection, protection};
use crate::policy::site::{AdjRules, RuleMatch};
use crate::units::Adj;

/// Maximum number of values that are written after one sample. The others wait for the next one.
pub const MOST_A_LOOK: usize = 20;

/// What a rule does with a process that it matches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RuleCaseState {
    /// Nothing: the process has the value.
    Has,
    /// The value would be written.
    Would,
    /// The value would be written, once the process has been the same in two samples.
    New,
    /// The write is under way.
    Asked,
    /// The value was written.
    Written,
    /// The value was written, and changed since. The rule does not write it again.
    Left,
    /// The write was refused, and why.
    Refused(String),
    /// The process is left alone, and why.
    Never(&'static str),
}

/// A process that a rule matches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleCase {
    /// The process.
    pub who: ProcId,
    /// Its name.
    pub name: String,
    /// The rule, counted from 0.
    pub rule: usize,
    /// The value it has.
    pub from: Option<Adj>,
    /// The value it is to have.
    pub to: Adj,
    /// What the rule does with it.
    pub state: RuleCaseState,
}

/// What a rule did to a process. It writes once.
#[derive(Clone, Debug)]
struct WrittenByRule {
    rule: usize,
    state: RuleCaseState,
}

/// The rules, and what they did.
#[derive(Debug)]
pub struct ActiveRules {
    /// The name of the file, safe to print.
    pub file: String,
    /// The rules of the file.
    pub rules: Arc<AdjRules>,
    /// The error in the newest version of the file.
    pub trouble: Option<String>,
    /// The processes that the rules match now, sorted by rule and pid.
    pub cases: Vec<RuleCase>,
    /// Number of processes that were not compared, because the patterns take too long.
    pub too_dear: usize,
    /// Number of values written since the rules were switched on.
    pub written: usize,
    /// Number of refused writes since then.
    pub refused: usize,
    consent: Option<RuleConsent>,
    marks: HashMap<ProcId, WrittenByRule>,
}

const NO_PROOF: &str =
    "names can be faked: to lower a value, the rule needs a user or a full cgroup path";

const SETUID: &str = "setuid: its real and effective user differ, so its value is not lowered";

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

    /// Whether the rules are on.
    #[must_use]
    pub const fn is_on(&self) -> bool {
        self.consent.is_some()
    }

    /// Number of matched processes in this state.
    pub fn count(&self, state: &RuleCaseState) -> usize {
        let same = std::mem::discriminant(state);
        self.cases.iter().filter(|case| std::mem::discriminant(&case.state) == same).count()
    }

    /// Number of values that would be written now.
    #[must_use]
    pub fn would(&self) -> usize {
        self.count(&RuleCaseState::Would)
    }

    /// The state of the rules in a few words, for the bottom line.
    #[must_use]
    pub fn summary(&self) -> String {
        let left = self.count(&RuleCaseState::Left);
        match (&self.trouble, self.is_on()) {
            (Some(_), _) => "rules off: invalid file".to_owned(),
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

    /// The dialog that asks whether to switch the rules on.
    pub(crate) fn consent_dialog(&self) -> RuleConsentDialog {
        let rules = self.rules.rules.iter().enumerate();
        let would = |nth: usize| {
            let cases = self.cases.iter();
            cases.filter(|case| case.rule == nth && case.state == RuleCaseState::Would).count()
        };
        let lines = rules.map(|(nth, rule)| (rule.about.clone(), rule.adj, would(nth))).collect();
        RuleConsentDialog::new(self.file.clone(), lines, self.would(), Arc::clone(&self.rules))
    }

    /// Switches the rules on. Returns false where the consent was given for another version of the file.
    pub(crate) fn switch_on(&mut self, consent: RuleConsent) -> bool {
        if !Arc::ptr_eq(consent.rules(), &self.rules) || self.trouble.is_some() {
            return false;
        }
        (self.written, self.refused) = (0, 0);
        self.marks.clear();
        self.consent = Some(consent);
        true
    }

    /// Whether the version of this digest is on.
    pub(crate) fn is_on_for(&self, digest: u64) -> bool {
        self.consent.as_ref().is_some_and(|consent| consent.rules().digest == digest)
    }

    /// Switches the rules off. Written values stay. Returns whether they were on.
    pub(crate) fn switch_off(&mut self) -> bool {
        self.marks.clear();
        self.consent.take().is_some()
    }

    /// Matches the rules with a new sample. Returns a line for each process whose value was changed back.
    pub(crate) fn update(&mut self, scene: &Scene, own: ProcId) -> Vec<String> {
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
                    "{} {}: something else changed its oom_score_adj from {to} to {value}; doomtop leaves it",
                    process.id, process.comm
                ));
            }
            // A process that had the value once is not written again.
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

    /// Leaves a process alone from now on: the user set its value by hand.
    pub(crate) fn leave(&mut self, who: ProcId) {
        if self.consent.is_none() {
            return;
        }
        for case in self.cases.iter_mut().filter(|case| case.who == who) {
            case.state = RuleCaseState::Left;
            self.marks.insert(who, WrittenByRule { rule: case.rule, state: RuleCaseState::Left });
        }
    }

    /// The values to write after one sample, under the consent.
    pub(crate) fn due_intents(&mut self) -> Vec<Intent> {
        let Some(consent) = &self.consent else { return Vec::new() };
        if !Arc::ptr_eq(consent.rules(), &self.rules) {
            return Vec::new();
        }
        let rules = consent.rules();
        let due = self.cases.iter_mut().filter(|case| case.state == RuleCaseState::Would);
        let mut intents = Vec::new();
        for case in due.take(MOST_A_LOOK) {
            let Some(from) = case.from else { continue };
            case.state = RuleCaseState::Asked;
            self.marks
                .insert(case.who, WrittenByRule { rule: case.rule, state: RuleCaseState::Asked });
            intents.push(Intent::SetAdjByRule {
                who: case.who,
                name: case.name.clone(),
                from,
                to: case.to,
                rule: rules.rules[case.rule].about.clone(),
                digest: rules.digest,
            });
        }
        intents
    }

    /// Takes the outcome of a write.
    pub(crate) fn take_state(&mut self, who: ProcId, state: RuleCaseState) {
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

/// What these rules would do, sorted by rule and pid. A process that is in one sample only counts as new.
#[must_use]
pub fn preview_rules(rules: &Arc<AdjRules>, scene: &Scene, own: ProcId) -> Vec<RuleCase> {
    let mut active = ActiveRules::new(String::new(), Arc::clone(rules));
    active.update(scene, own);
    active.cases
}

/// What a rule does with a process that it matches.
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
        return RuleCaseState::Never("its oom_score_adj is -1000");
    }
    if to < from && !hit.bound {
        let foreign = process.ids.value().is_some_and(|ids| ids.uid != ids.euid);
        return RuleCaseState::Never(if foreign { SETUID } else { NO_PROOF });
    }
    // A pattern for many processes must not expose a protected one.
    if let Protection::TypePid(why) = protection
        && to > from
        && !hit.exact
    {
        return RuleCaseState::Never(why);
    }
    // Between fork and exec a process has its parent's name, and many set a value of their own first.
    let before = scene.before().and_then(|sample| sample.find(process.id));
    let settled = before.is_some_and(|before| {
        before.comm == process.comm && before.adj == process.adj && before.ids == process.ids
    });
    if settled { RuleCaseState::Would } else { RuleCaseState::New }
}
