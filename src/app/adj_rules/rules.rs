//! Rules of adj that stick while the program runs: what each would do to whom, and doing it once they
//! were switched on by the dialog that names them. A new version of the file has to be switched on anew.

use std::collections::HashMap;
use std::sync::Arc;

use crate::app::dialog::mode::{KeyPress, Mode, ShownSince};
use crate::app::keymap::bindings;
use crate::app::keymap::bindings::{Action, Key, KeyCode, KeyContext};
use crate::app::{ActingMode, App, NoticeLevel, Request};
use crate::intent::{Intent, Outcome, Refusal};
use crate::model::{ProcId, Process, Scene};
use crate::plan::protection::{Protection, protection};
use crate::policy::site::{AdjRules, RuleMatch};
use crate::units::{Adj, Millis};
use crate::words::outcome::outcome_text;

/// So many values are written at most after one look; the others wait for the next one.
pub const MOST_A_LOOK: usize = 20;

/// What became of the file.
#[derive(Clone, Debug)]
pub enum RulesUpdate {
    /// A version that was understood.
    Good {
        /// The file's name, harmless.
        file: String,
        /// What it says.
        rules: Arc<AdjRules>,
    },
    /// A version that was not, in one line.
    Bad(String),
}

/// The consent that was given once for these rules, whoever they will mean. Nothing but
/// `Ask::agree` makes one, and there is no second of it.
#[derive(Debug)]
pub struct RuleConsent {
    rules: Arc<AdjRules>,
}

impl RuleConsent {
    /// The rules that it was given for.
    #[must_use]
    pub const fn rules(&self) -> &Arc<AdjRules> {
        &self.rules
    }
}

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
    fn new(file: String, rules: Arc<AdjRules>) -> Self {
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

    /// Stops writing; what was written stays as it is.
    fn switch_off(&mut self) -> bool {
        self.marks.clear();
        self.consent.take().is_some()
    }

    /// Looks whom the rules mean now. Who was changed back comes out, once.
    fn sample(&mut self, scene: &Scene, own: ProcId) -> Vec<String> {
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
    fn wishes(&mut self) -> Vec<Intent> {
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
    fn answered(&mut self, who: ProcId, state: RuleCaseState) {
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

/// The dialog that asks whether the rules shall be carried out from now on.
#[derive(Clone, Debug)]
pub struct RuleConsentDialog {
    /// The file's name.
    pub file: String,
    /// For each rule: what it is for, the value, and how many it would write now.
    pub lines: Vec<(String, Adj, usize)>,
    /// How many would be written now: this is what is typed.
    pub count: usize,
    /// Typed so far.
    pub typed: String,
    /// Since when it is on the screen.
    pub shown: ShownSince,
    rules: Arc<AdjRules>,
}

impl RuleConsentDialog {
    fn new(sticky: &ActiveRules) -> Self {
        let rules = sticky.rules.rules.iter().enumerate();
        let would = |nth: usize| {
            let cases = sticky.cases.iter();
            cases.filter(|case| case.rule == nth && case.state == RuleCaseState::Would).count()
        };
        Self {
            file: sticky.file.clone(),
            lines: rules.map(|(nth, rule)| (rule.about.clone(), rule.adj, would(nth))).collect(),
            count: sticky.would(),
            typed: String::new(),
            shown: ShownSince::default(),
            rules: Arc::clone(&sticky.rules),
        }
    }

    /// The consent, where the count was typed and the key pressed with all of it in view.
    fn agree(&self, press: KeyPress) -> Option<RuleConsent> {
        let agreed = self.shown.confirms_at(press) && self.typed.parse() == Ok(self.count);
        agreed.then(|| RuleConsent { rules: Arc::clone(&self.rules) })
    }
}

impl App {
    /// Takes in what became of the file of rules.
    pub(crate) fn take_adj_rules(&mut self, news: RulesUpdate) {
        match news {
            RulesUpdate::Good { file, rules } => {
                let was_on = self.adj_rules.as_ref().is_some_and(ActiveRules::is_on);
                let again = self.adj_rules.is_some();
                self.adj_rules = Some(ActiveRules::new(file, rules));
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
                let Some(sticky) = &mut self.adj_rules else {
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

    fn note_rules(&mut self, level: NoticeLevel, text: &str) {
        let at = self.now_unix_ms();
        self.journal.note(at, level, text.to_owned());
        self.say(level, text);
    }

    fn watch_adj_rules(&mut self) {
        // An earlier look, or a report, says nothing of who was changed since.
        if self.shows_other_sample() {
            return;
        }
        let (Some(sticky), Some(scene)) = (&mut self.adj_rules, &self.scene) else { return };
        let changed_back = sticky.sample(scene, self.setup.own);
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
        let (Some(sticky), Some(scene)) = (&mut self.adj_rules, &self.scene) else {
            return Vec::new();
        };
        // Rows of an earlier look say nothing of now.
        let fresh = scene.now().scan.stale_ms == Millis::ZERO;
        if !fresh || self.report.is_some() || self.setup.acting != ActingMode::Free {
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
        let (Some(sticky), Some(state)) = (&mut self.adj_rules, state) else { return None };
        if sticky.consent.as_ref().is_some_and(|consent| consent.rules.digest == of) {
            sticky.answered(who, state);
        }
        let at = self.now_unix_ms();
        self.journal.note(at, level, outcome_text(&outcome));
        None
    }

    /// Opens the page of the rules.
    pub(crate) fn open_rules(&mut self) {
        if self.adj_rules.is_some() {
            self.mode = Mode::AdjRules(0);
        } else {
            self.say(NoticeLevel::Plain, "there are no rules of adj: --adj-rules FILE brings some");
        }
    }

    /// Switches the rules off at once.
    pub(crate) fn rules_off(&mut self) {
        let was_on = self.adj_rules.as_mut().map(ActiveRules::switch_off);
        match was_on {
            Some(true) => {
                self.watch_adj_rules();
                self.note_rules(
                    NoticeLevel::Good,
                    "the rules are off; what they wrote stays as it is",
                );
            }
            Some(false) => {
                self.say(NoticeLevel::Plain, "the rules are off already: nothing is written")
            }
            None => self.open_rules(),
        }
    }

    fn ask_rule_consent(&mut self) {
        if !self.may_act() {
            return;
        }
        let Some(sticky) = &self.adj_rules else { return };
        if self.setup.acting != ActingMode::Free {
            self.say(
                NoticeLevel::Plain,
                "a dry run: the rules stay off, and this page says what they would do",
            );
        } else if sticky.is_on() {
            self.say(NoticeLevel::Plain, "the rules are on already; o switches them off");
        } else if sticky.trouble.is_some() {
            self.say(NoticeLevel::Warn, "the file is bad as it is now: mend it first");
        } else if self.scene.as_ref().and_then(Scene::before).is_none() {
            self.say(NoticeLevel::Plain, "one more look is needed to tell whom they mean");
        } else {
            self.mode = Mode::RuleConsent(RuleConsentDialog::new(sticky));
        }
    }

    pub(crate) fn adj_rules_key(&mut self, key: Key) -> Vec<Request> {
        let last = self.viewport.page_lines.saturating_sub(self.viewport.page);
        let Mode::AdjRules(at) = &mut self.mode else { return Vec::new() };
        match bindings::meaning(KeyContext::AdjRules, key) {
            Some(Action::SwitchOn) => self.ask_rule_consent(),
            Some(Action::RulesOff) => self.rules_off(),
            Some(Action::Back) => self.mode = Mode::Browse,
            Some(Action::Quit) => return vec![Request::Quit { keep: false }],
            Some(Action::Suspend) => return vec![Request::Suspend],
            Some(action) => {
                let by = action.step(self.viewport.page).unwrap_or_default();
                *at = u16::try_from(usize::from(*at).saturating_add_signed(by)).unwrap_or(last);
                *at = (*at).min(last);
            }
            None => {}
        }
        Vec::new()
    }

    pub(crate) fn rule_consent_key(&mut self, key: Key, press: KeyPress) -> Vec<Request> {
        let Mode::RuleConsent(ask) = &mut self.mode else { return Vec::new() };
        match bindings::meaning(KeyContext::Confirm, key) {
            Some(Action::Back) => {
                self.mode = Mode::AdjRules(0);
                self.say(NoticeLevel::Plain, "the rules stay off");
            }
            Some(Action::Quit) => return self.leave_dialog("the rules stay off"),
            Some(Action::Suspend) => return vec![Request::Suspend],
            Some(Action::Apply) if ask.shown.confirms_at(press) => match ask.agree(press) {
                Some(consent) => return self.switch_on(consent),
                None => {
                    let text = format!("that is not the count: type {}", ask.count);
                    ask.typed.clear();
                    self.say(NoticeLevel::Warn, text);
                }
            },
            None if ask.shown.was_seen_at(press.at) => match key {
                Key { code: KeyCode::Backspace, .. } => drop(ask.typed.pop()),
                _ if ask.typed.len() < 7 => ask.typed.extend(key.digit()),
                _ => {}
            },
            _ => {}
        }
        Vec::new()
    }

    fn switch_on(&mut self, consent: RuleConsent) -> Vec<Request> {
        self.mode = Mode::AdjRules(0);
        let Some(sticky) = &mut self.adj_rules else { return Vec::new() };
        if !Arc::ptr_eq(consent.rules(), &sticky.rules) || sticky.trouble.is_some() {
            self.say(NoticeLevel::Warn, "the rules changed meanwhile: look at them again");
            return Vec::new();
        }
        (sticky.written, sticky.refused) = (0, 0);
        sticky.marks.clear();
        sticky.consent = Some(consent);
        let (file, digest) = (&sticky.file, sticky.rules.digest);
        let text = format!("the rules of {file} are on (version {digest:016x})");
        self.note_rules(NoticeLevel::Good, &text);
        vec![Request::SampleNow]
    }
}
