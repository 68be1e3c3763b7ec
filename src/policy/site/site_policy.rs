//! The policy of a site, made of a rule file.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::model::{Needs, Process, Reading, Scene, Scores, Signal, Text};
use crate::policy::site::diagnostic::Diagnostic;
use crate::policy::site::expr::expression::Expression;
use crate::policy::site::facts::{FactCost, FactView};
use crate::policy::site::matcher::Matcher;
use crate::policy::site::rule_file::{self, RuleFile, SignalChoice};
use crate::policy::site::value::{EvalBudget, EvalError, EvalFailure, Value};
use crate::policy::{
    AdjEffect, Badness, Cite, Drift, Policy, PolicyAction, PolicyInfo, PolicyKind, PolicyTraits,
    SparedReason, TermNote, TriggerState, Verdict,
};
use crate::units::{Adj, Points};

/// Maximum of the points, either sign. No machine has as many pages, and sums cannot overflow.
const MAX_POINTS: i64 = 1 << 60;

/// Describes the errors of a rule on these processes, on which it failed. Returns the first cause, which
/// identifies the message, and the message.
pub fn troubles<'a>(
    policy: &dyn Policy,
    scene: &Scene,
    mut failed: impl Iterator<Item = &'a Process>,
) -> Option<(String, String)> {
    let first = failed.next()?;
    let cause = policy.rule_error(first, scene)?;
    let count = failed.count() + 1;
    let place = policy.info().cites.first().map_or("the rule", |cite| cite.place);
    let processes = if count == 1 {
        format!("{} {}", first.id, first.comm)
    } else {
        format!("{count} processes, for example {} {}", first.id, first.comm)
    };
    let line = format!("{place}:{cause}; no verdict on {processes}");
    Some((cause, line))
}

/// A compiled rule file.
#[derive(Debug)]
pub struct SiteRule {
    file: RuleFile,
    users: Arc<BTreeMap<u32, Text>>,
    needs: Needs,
    knows_adj: bool,
}

impl SiteRule {
    /// Compiles the text of a file. `users` are the names of users, for facts and matchers.
    ///
    /// # Errors
    /// All errors in the file; at least one.
    pub fn compile(text: &str, users: Arc<BTreeMap<u32, Text>>) -> Result<Self, Vec<Diagnostic>> {
        let file = rule_file::read(text)?;
        let signal = match &file.signal {
            SignalChoice::By(expression) => Some(expression),
            SignalChoice::Always(_) => None,
        };
        let expressions =
            [Some(&file.score), file.eligible.as_ref(), file.company.as_ref(), signal];
        let asks = |cost: FactCost| {
            let mut facts = expressions.iter().flatten().flat_map(|one| one.facts());
            facts.any(|fact| fact.cost == cost)
        };
        let mut matchers = file.protect.iter().chain(&file.prefer).chain(&file.blame);
        let needs = Needs {
            status: true,
            cgroup: asks(FactCost::Cgroup) || matchers.any(Matcher::needs_cgroup),
            cmdline: asks(FactCost::Cmdline),
            scores: if asks(FactCost::Scores) { Scores::All } else { Scores::Some(Vec::new()) },
            ..Needs::default()
        };
        // Without `eligible`, the rule spares -1000.
        let choose = [Some(&file.score), file.eligible.as_ref()];
        let mut facts = choose.iter().flatten().flat_map(|one| one.facts());
        let knows_adj = file.eligible.is_none() || facts.any(|fact| fact.depends_on_adj);
        Ok(Self { file, users, needs, knows_adj })
    }

    /// Makes a policy that lives as long as the program. It leaks about as much memory as the file has
    /// bytes, so a caller that reloads must limit how often.
    #[must_use]
    pub fn leak(self, place: &str) -> &'static SitePolicy {
        fn leak(text: &str) -> &'static str {
            Box::leak(text.to_owned().into_boxed_str())
        }
        let info = PolicyInfo {
            id: leak(&format!("{}{}", SitePolicy::PREFIX, self.file.name)),
            title: leak(&self.file.title),
            about: leak(&self.file.about),
            cites: Box::leak(Box::new([Cite { place: leak(place), at: "this site" }])),
            unit: self.file.unit,
            kind: PolicyKind::Site,
        };
        Box::leak(Box::new(SitePolicy { info, rule: self }))
    }

    /// The `name` in the file.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.file.name
    }

    /// Maximum number of steps to judge one process.
    #[must_use]
    pub fn steps(&self) -> usize {
        self.file.score.steps() + self.file.eligible.as_ref().map_or(0, Expression::steps)
    }

    fn view<'a>(
        &'a self,
        process: &'a Process,
        scene: &'a Scene,
        budget: &'a EvalBudget,
    ) -> FactView<'a> {
        FactView { process, victim: None, scene: Some(scene), users: &self.users, budget }
    }

    fn points(&self, view: &FactView<'_>) -> Result<Points, EvalError> {
        let out_of_range = EvalError::in_file(EvalFailure::Range);
        let points = match self.file.score.value(view)? {
            Value::Int(points) => points,
            Value::Double(points) if points.abs() <= MAX_POINTS as f64 => points as i64,
            _ => return Err(out_of_range),
        };
        if (-MAX_POINTS..=MAX_POINTS).contains(&points) {
            Ok(Points(points))
        } else {
            Err(out_of_range)
        }
    }

    /// Judges a process.
    ///
    /// # Errors
    /// The evaluation failed; the process is to be spared.
    pub fn verdict(&self, process: &Process, scene: &Scene) -> Result<Verdict, EvalError> {
        // No rule can choose these.
        if process.is_kernel_thread() {
            return Ok(Verdict::Spared(SparedReason::Kernel));
        }
        if scene.is_global_init(process) {
            return Ok(Verdict::Spared(SparedReason::Init));
        }
        if !process.has_mm {
            return Ok(Verdict::Spared(SparedReason::NoMm));
        }
        let budget = EvalBudget::among(scene.now().processes.len());
        let view = self.view(process, scene, &budget);
        let any = |list: &[Matcher]| list.iter().any(|entry| entry.matches(process, &view));
        let protected = any(&self.file.protect);
        // The comparison did not finish, so whether the process is protected is unknown.
        if budget.is_out() {
            return Err(EvalError::in_file(EvalFailure::Costs));
        }
        if protected {
            return Ok(Verdict::Spared(SparedReason::Ignored));
        }
        match &self.file.eligible {
            Some(eligible) if !eligible.holds(&view)? => {
                return Ok(Verdict::Spared(SparedReason::Ignored));
            }
            None if process.adj == Reading::Value(Adj::MIN) => {
                return Ok(Verdict::Spared(SparedReason::Never));
            }
            _ => {}
        }
        let class = match () {
            () if any(&self.file.blame) => 2,
            () if any(&self.file.prefer) => 1,
            () => 0,
        };
        if budget.is_out() {
            return Err(EvalError::in_file(EvalFailure::Costs));
        }
        let points = self.points(&view)?;
        Ok(Verdict::Scored(
            Badness::default().plus("score", points, TermNote::Fact).of_class(class),
        ))
    }
}

/// A site rule as a policy.
#[derive(Debug)]
pub struct SitePolicy {
    rule: SiteRule,
    info: PolicyInfo,
}

impl SitePolicy {
    /// The prefix of the file name on the command line, and of the rule's name on the screen.
    pub const PREFIX: &'static str = "site:";
}

impl Policy for SitePolicy {
    fn info(&self) -> &PolicyInfo {
        &self.info
    }

    fn needs(&self) -> Needs {
        self.rule.needs.clone()
    }

    fn traits(&self, _: &Scene) -> PolicyTraits {
        // A file may use adj in any way.
        let uses_adj = self.rule.knows_adj;
        PolicyTraits {
            adj: if uses_adj { AdjEffect::Irregular } else { AdjEffect::Ignored },
            ..PolicyTraits::default()
        }
    }

    fn trigger_state(&self, _: &Scene) -> TriggerState {
        TriggerState::simply(true, "a site rule ranks; it has no conditions to wait for")
    }

    fn judge(&self, process: &Process, scene: &Scene) -> Verdict {
        self.rule.verdict(process, scene).unwrap_or(Verdict::Spared(SparedReason::Failed))
    }

    fn rule_error(&self, process: &Process, scene: &Scene) -> Option<String> {
        self.rule.verdict(process, scene).err().map(|error| error.to_string())
    }

    fn drift(&self, _: &Process, _: &Scene) -> Drift {
        Drift::default()
    }

    fn also_killed<'a>(&self, victim: &Process, scene: &'a Scene) -> Vec<&'a Process> {
        let Some(company) = &self.rule.file.company else { return Vec::new() };
        let dies = |process: &&Process| {
            let budget = EvalBudget::among(scene.now().processes.len());
            let view = FactView { victim: Some(victim), ..self.rule.view(process, scene, &budget) };
            process.id != victim.id
                && process.has_mm
                && !process.is_kernel_thread()
                && !scene.is_global_init(process)
                && company.holds(&view).unwrap_or(false)
        };
        scene.now().processes.iter().filter(dies).collect()
    }

    fn action(&self, victim: &Process) -> PolicyAction {
        let always = |signal| PolicyAction { signal, why: "the signal that the rule names" };
        match &self.rule.file.signal {
            SignalChoice::Always(signal) => always(*signal),
            SignalChoice::By(expression) => {
                let (budget, users) = (EvalBudget::among(1000), &*self.rule.users);
                let view =
                    FactView { process: victim, victim: None, scene: None, users, budget: &budget };
                match expression.value(&view) {
                    Ok(Value::Text(word)) => match rule_file::signal(&word) {
                        Some(signal) => always(signal),
                        None => PolicyAction {
                            signal: Signal::KILL,
                            why: "the rule gave neither TERM nor KILL: SIGKILL by default",
                        },
                    },
                    _ => PolicyAction {
                        signal: Signal::KILL,
                        why: "the signal expression failed: SIGKILL by default",
                    },
                }
            }
        }
    }
}
