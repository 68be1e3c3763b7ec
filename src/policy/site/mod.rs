//! A site's own rule, from the text of a file: whom it spares, whom it prefers, and an expression that
//! gives points. The expressions are a part of CEL, the Common Expression Language; `facts` is the
//! table of what they may ask, `assets/docs/site-policy.md` is printed from it.
//!
//! A rule may be hostile, so nothing in it is left to be bounded while it runs: the parser has a
//! greatest length and depth, types and names are settled when it is loaded, and the only loops
//! (`exists`, `all`) run over lists that are written out, so they are unrolled. What is left is code of
//! at most [`STEPS`] steps without a loop. What a step costs may still depend on the length of a name
//! or of a pattern, so each process has its share of [`EvalBudget::REFRESH`], counted and not timed, and is
//! spared where that is spent. The code allocates nothing beyond names that need escapes, and it cannot
//! panic: a number that overflows, a division by zero and a fact that is absent
//! are a [`EvalError`], and then the process is spared and the trouble told.
//!
//! Here are no files: the shell reads the text, watches it, and loads a new version.

pub(crate) mod adj_rules;
pub(crate) mod bytecode;
pub(crate) mod diagnostic;
mod facts;
mod file;
mod matcher;
mod parse;
mod value;

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{
    Badness, BadnessUnit, Cite, Drift, Policy, PolicyAction, SparedReason, TermNote, TieBreak,
    TriggerState, Verdict,
};
use crate::model::{Needs, Process, Reading, Scene, Scores, Signal, Text};
use crate::units::{Adj, Points};

pub use crate::policy::site::adj_rules::{AdjRule, AdjRules, RuleMatch, RuleSubject};
pub use crate::policy::site::bytecode::{Expression, STEPS};
pub use crate::policy::site::diagnostic::{Diagnostic, Location};
pub use facts::{FACTS, FAMILIES, Fact, FactCost, FactSource, FactView, table};
pub use file::LARGEST;
pub use matcher::{Glob, Matcher};
pub use value::{EvalBudget, EvalError, EvalFailure, Value, ValueType};

/// Points beyond this are no size of any machine, and could not be added up.
const MOST: i64 = 1 << 60;

/// What went wrong while a rule judged these processes, which it failed on: the first cause, by which
/// two messages can be told apart, and the line that says it.
pub fn troubles<'a>(
    policy: &dyn Policy,
    scene: &Scene,
    mut failed: impl Iterator<Item = &'a Process>,
) -> Option<(String, String)> {
    let first = failed.next()?;
    let cause = policy.rule_error(first, scene)?;
    let count = failed.count() + 1;
    let place = policy.cites().first().map_or("the rule", |cite| cite.place);
    let whom = if count == 1 {
        format!("{} {}", first.id, first.comm)
    } else {
        format!("{count} processes, as {} {}", first.id, first.comm)
    };
    let line = format!("{place}:{cause}; so it has no opinion of {whom}");
    Some((cause, line))
}

/// What a rule says, compiled.
#[derive(Debug)]
struct Law {
    name: String,
    title: String,
    about: String,
    eligible: Option<Expression>,
    score: Expression,
    unit: BadnessUnit,
    company: Option<Expression>,
    sends: Sends,
    protect: Vec<Matcher>,
    prefer: Vec<Matcher>,
    blame: Vec<Matcher>,
}

/// Which signal.
#[derive(Debug)]
enum Sends {
    Always(Signal),
    By(Expression),
}

/// A file that was understood.
#[derive(Debug)]
pub struct SiteRule {
    law: Law,
    users: Arc<BTreeMap<u32, Text>>,
    needs: Needs,
    knows_adj: bool,
}

/// The facts that follow from `oom_score_adj`.
const OF_ADJ: [&str; 3] = ["p.adj", "p.badness", "p.oom_score"];

impl SiteRule {
    /// Compiles the text of a file. `users` are the names of users, for facts and matchers.
    ///
    /// # Errors
    /// Everything that is wrong with it; at least one fault.
    pub fn compile(text: &str, users: Arc<BTreeMap<u32, Text>>) -> Result<Self, Vec<Diagnostic>> {
        let law = file::read(text)?;
        let signal = match &law.sends {
            Sends::By(expression) => Some(expression),
            Sends::Always(_) => None,
        };
        let expressions = [Some(&law.score), law.eligible.as_ref(), law.company.as_ref(), signal];
        let asks = |cost: FactCost| {
            let mut facts = expressions.iter().flatten().flat_map(|one| one.facts());
            facts.any(|fact| fact.cost == cost)
        };
        let mut matchers = law.protect.iter().chain(&law.prefer).chain(&law.blame);
        let needs = Needs {
            status: true,
            cgroup: asks(FactCost::Cgroup) || matchers.any(Matcher::needs_cgroup),
            cmdline: asks(FactCost::Cmdline),
            scores: if asks(FactCost::Scores) { Scores::All } else { Scores::Some(Vec::new()) },
            ..Needs::default()
        };
        // Where nothing says who may be chosen, -1000 says who may not.
        let choose = [Some(&law.score), law.eligible.as_ref()];
        let mut facts = choose.iter().flatten().flat_map(|one| one.facts());
        let knows_adj = law.eligible.is_none() || facts.any(|fact| OF_ADJ.contains(&fact.path));
        Ok(Self { law, users, needs, knows_adj })
    }

    /// Makes it live as long as the program, as every policy does. This is memory that never comes
    /// back, in the order of the file's size: whoever loads again and again must count.
    #[must_use]
    pub fn leak(self, place: &str) -> &'static SitePolicy {
        fn keep(text: &str) -> &'static str {
            Box::leak(text.to_owned().into_boxed_str())
        }
        Box::leak(Box::new(SitePolicy {
            id: keep(&format!("{}{}", SitePolicy::PREFIX, self.law.name)),
            title: keep(&self.law.title),
            about: keep(&self.law.about),
            cites: Box::leak(Box::new([Cite { place: keep(place), at: "this site" }])),
            rule: self,
        }))
    }

    /// What the file calls it.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.law.name
    }

    /// The most steps that judging one process takes.
    #[must_use]
    pub fn steps(&self) -> usize {
        self.law.score.steps() + self.law.eligible.as_ref().map_or(0, Expression::steps)
    }

    fn view<'a>(
        &'a self,
        process: &'a Process,
        scene: &'a Scene,
        fuel: &'a EvalBudget,
    ) -> FactView<'a> {
        FactView { process, victim: None, scene: Some(scene), users: &self.users, fuel }
    }

    fn points(&self, view: &FactView<'_>) -> Result<Points, EvalError> {
        let out_of_range =
            EvalError { spot: Location { line: 1, column: 1 }, why: EvalFailure::Range };
        let points = match self.law.score.value(view)? {
            Value::Int(points) => points,
            Value::Double(points) if points.abs() <= MOST as f64 => points as i64,
            _ => return Err(out_of_range),
        };
        if (-MOST..=MOST).contains(&points) { Ok(Points(points)) } else { Err(out_of_range) }
    }

    /// What it says of a process.
    ///
    /// # Errors
    /// It failed on it, where and why; the process is spared then.
    pub fn opinion(&self, process: &Process, scene: &Scene) -> Result<Verdict, EvalError> {
        // Nothing that a rule says makes these die.
        if process.is_kernel_thread() {
            return Ok(Verdict::Spared(SparedReason::Kernel));
        }
        if scene.is_global_init(process) {
            return Ok(Verdict::Spared(SparedReason::Init));
        }
        if !process.has_mm {
            return Ok(Verdict::Spared(SparedReason::NoMm));
        }
        let fuel = EvalBudget::among(scene.now().processes.len());
        let view = self.view(process, scene, &fuel);
        let meant = |list: &[Matcher]| list.iter().any(|entry| entry.matches(process, &view));
        let protected = meant(&self.law.protect);
        // Who could not be compared to the end is not protected by that, so nothing is said at all.
        if fuel.is_out() {
            return Err(EvalError {
                spot: Location { line: 1, column: 1 },
                why: EvalFailure::Costs,
            });
        }
        if protected {
            return Ok(Verdict::Spared(SparedReason::Ignored));
        }
        match &self.law.eligible {
            Some(eligible) if !eligible.holds(&view)? => {
                return Ok(Verdict::Spared(SparedReason::Ignored));
            }
            None if process.adj == Reading::Value(Adj::MIN) => {
                return Ok(Verdict::Spared(SparedReason::Never));
            }
            _ => {}
        }
        let class = match () {
            () if meant(&self.law.blame) => 2,
            () if meant(&self.law.prefer) => 1,
            () => 0,
        };
        if fuel.is_out() {
            return Err(EvalError {
                spot: Location { line: 1, column: 1 },
                why: EvalFailure::Costs,
            });
        }
        let points = self.points(&view)?;
        Ok(Verdict::Scored(
            Badness::default().plus("score", points, TermNote::Fact).of_class(class),
        ))
    }
}

/// A rule of this site as a policy: compiled once, used for every process, kept for good.
#[derive(Debug)]
pub struct SitePolicy {
    rule: SiteRule,
    id: &'static str,
    title: &'static str,
    about: &'static str,
    cites: &'static [Cite],
}

impl SitePolicy {
    /// Before the file's name on the command line, and before the rule's name on the screen.
    pub const PREFIX: &'static str = "site:";
}

impl Policy for SitePolicy {
    fn id(&self) -> &'static str {
        self.id
    }

    fn title(&self) -> &'static str {
        self.title
    }

    fn about(&self) -> &'static str {
        self.about
    }

    fn cites(&self) -> &'static [Cite] {
        self.cites
    }

    fn needs(&self) -> Needs {
        self.rule.needs.clone()
    }

    fn unit(&self) -> BadnessUnit {
        self.rule.law.unit
    }

    fn trigger_state(&self, _: &Scene) -> TriggerState {
        TriggerState::simply(true, "says whom, not when: it waits for nothing that can be seen")
    }

    fn judge(&self, process: &Process, scene: &Scene) -> Verdict {
        self.rule.opinion(process, scene).unwrap_or(Verdict::Spared(SparedReason::Failed))
    }

    fn rule_error(&self, process: &Process, scene: &Scene) -> Option<String> {
        self.rule.opinion(process, scene).err().map(|trouble| trouble.to_string())
    }

    fn drift(&self, _: &Process, _: &Scene) -> Drift {
        Drift::default()
    }

    fn tie_break(&self, _: &Scene) -> TieBreak {
        TieBreak::LowestPid
    }

    fn knows_adj(&self) -> bool {
        self.rule.knows_adj
    }

    /// A file may say anything.
    fn rises_with_adj(&self, _: &Scene) -> bool {
        false
    }

    fn also_killed<'a>(&self, victim: &Process, scene: &'a Scene) -> Vec<&'a Process> {
        let Some(company) = &self.rule.law.company else { return Vec::new() };
        let goes = |process: &&Process| {
            let fuel = EvalBudget::among(scene.now().processes.len());
            let view = FactView { victim: Some(victim), ..self.rule.view(process, scene, &fuel) };
            process.id != victim.id
                && process.has_mm
                && !process.is_kernel_thread()
                && !scene.is_global_init(process)
                && company.holds(&view).unwrap_or(false)
        };
        scene.now().processes.iter().filter(goes).collect()
    }

    fn action(&self, victim: &Process) -> PolicyAction {
        let always = |signal| PolicyAction { signal, why: "the rule in the file says so" };
        match &self.rule.law.sends {
            Sends::Always(signal) => always(*signal),
            Sends::By(expression) => {
                let (fuel, users) = (EvalBudget::among(1000), &*self.rule.users);
                let view =
                    FactView { process: victim, victim: None, scene: None, users, fuel: &fuel };
                match expression.value(&view) {
                    Ok(Value::Text(word)) => match file::signal(&word) {
                        Some(signal) => always(signal),
                        None => PolicyAction {
                            signal: Signal::KILL,
                            why: "the file names no signal for it",
                        },
                    },
                    _ => PolicyAction {
                        signal: Signal::KILL,
                        why: "its signal could not be worked out",
                    },
                }
            }
        }
    }
}
