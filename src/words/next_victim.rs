//! The prediction as a sentence: which process dies next, why, and by which lead. The screen shows the
//! longest form that fits; all other output shows the longest form.

use crate::columns::RowContext;
use crate::model::{DomainKind, ProcId, Process};
use crate::policy::{
    BadnessUnit, KillScope, Override, PolicyKind, SparedReason, Term, TermNote, TieBreak, Verdict,
};
use crate::rank::also_killed::group_mates;
use crate::rank::what_if::what_if;
use crate::rank::{Placement, Ranked};
use crate::units::{Adj, Points};
use crate::words::{numbers_and_names, overridden};

/// More candidates than this are told as what they are: nothing is known yet.
const MANY: usize = 8;

/// What the sentence predicts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Certainty {
    /// One process is named.
    Named,
    /// Several are named; their order is uncertain.
    TooClose,
    /// No process can be chosen.
    Nobody,
    /// No prediction: the ranking is overridden.
    Off,
}

/// The sentence without its label, at one length.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VictimForm {
    /// The victim: `20731 chrome`. Empty if none is named.
    pub who: String,
    /// The reason and the lead, with the space before it.
    pub rest: String,
}

/// The prediction, in forms of different length.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PredictionSentence {
    /// What it predicts.
    pub certainty: Certainty,
    /// `NOW FIRST`, with the rule if it is not the running kernel's, and the domain if it is not the machine.
    pub label: String,
    /// The id of the rule, if it is not the running kernel's.
    pub rule: Option<&'static str>,
    /// The forms, the longest first; at least one.
    pub forms: Vec<VictimForm>,
}

impl PredictionSentence {
    /// The longest form, with the label.
    #[must_use]
    pub fn whole(&self) -> String {
        let Some(VictimForm { who, rest }) = self.forms.first() else { return self.label.clone() };
        let label = &self.label;
        if who.is_empty() { format!("{label}{rest}") } else { format!("{label} {who}{rest}") }
    }
}

/// The rule behind the label; empty for the running kernel.
fn rule_name(context: &RowContext<'_>) -> String {
    let (id, title) = (context.policy.id(), context.policy.title());
    match context.policy.info().kind {
        PolicyKind::RunningKernel => String::new(),
        PolicyKind::Kernel => format!(" by the rule of {title}"),
        _ => format!(" by {id}"),
    }
}

/// The prediction for a context.
#[must_use]
pub fn sentence(context: &RowContext<'_>) -> PredictionSentence {
    let rule = rule_name(context);
    let first = context.ranking.victim();
    let victim = first.and_then(|row| Some((row, context.scene.find(row.id)?)));
    let (certainty, label, forms) = match (context.policy.overridden(context.scene), victim) {
        (Some(off), _) => {
            (Certainty::Off, "NO PREDICTION:".to_owned(), overridden_forms(context, off))
        }
        (None, None) => {
            let label = format!("NO PROCESS can be chosen{rule}:");
            (Certainty::Nobody, label, nobody_forms(context))
        }
        (None, Some(_)) if context.ranking.too_close() => {
            (Certainty::TooClose, format!("TOO CLOSE TO CALL{rule}:"), too_close_forms(context))
        }
        (None, Some((row, victim))) => {
            let label = format!("NOW FIRST{rule}{}", inside(context));
            (Certainty::Named, label, named_forms(context, row, victim))
        }
    };
    let rule = (!rule.is_empty()).then(|| context.policy.id());
    PredictionSentence { certainty, label, rule, forms }
}

fn named_forms(context: &RowContext<'_>, row: &Ranked, victim: &Process) -> Vec<VictimForm> {
    let (name, points) =
        (numbers_and_names::who(victim), row.placement.points().unwrap_or_default());
    let user = numbers_and_names::user(context, victim);
    let score = match context.policy.info().unit {
        BadnessUnit::Pages => numbers_and_names::share_of_domain(context, points).map_or_else(
            || numbers_and_names::points(context, points),
            |it| format!("badness {it}"),
        ),
        BadnessUnit::Bare => format!("{} points", numbers_and_names::grouped(points.0)),
    };
    let versus = versus(context, victim, points);
    let form = |rest: String| VictimForm { who: name.clone(), rest };
    let mut forms = Vec::with_capacity(7);
    let because = adj_share(context, victim);
    let along = instead(context, victim).or_else(|| along(context, victim));
    if let Some(because) = &because {
        let long = format!(" ({user}) {score}: {because}. {versus}.");
        forms.extend(along.as_ref().map(|along| form(format!("{long} {along}."))));
        forms.push(form(long));
    }
    let plain = format!(" ({user}) {score}, {versus}");
    forms.extend(along.map(|along| form(format!("{plain}. {along}."))));
    forms.push(form(plain));
    forms.push(form(format!(" {score}, {versus}")));
    forms.push(form(format!(", {versus}")));
    forms.push(form(format!(" {score}")));
    forms.push(form(String::new()));
    forms
}

/// The lead of the victim over the runner-up, in words.
fn versus(context: &RowContext<'_>, victim: &Process, points: Points) -> String {
    let ranking = context.ranking;
    // A process that dies with the victim is no runner-up.
    let along = dying_along(context, victim);
    let mut others = ranking.rows()[..ranking.eligible()].iter().skip(1);
    let next = others.find(|row| along.iter().all(|other| other.id != row.id));
    match next.and_then(|row| Some((row, context.scene.find(row.id)?))) {
        None if sees_all(context) => "no other process can be chosen".to_owned(),
        None => "no other process is visible".to_owned(),
        Some((row, other)) if ranking.margin().is_some() => {
            format!("{} ahead of {}", lead(context, points, row), numbers_and_names::who(other))
        }
        Some((_, other)) => {
            format!("chosen before {} regardless of points", numbers_and_names::who(other))
        }
    }
}

/// The processes that die with the victim if the rule kills whole cgroups or process groups.
fn dying_along<'a>(context: &RowContext<'a>, victim: &Process) -> Vec<&'a Process> {
    let scope = context.policy.traits(context.scene).kill_scope;
    if !matches!(scope, KillScope::Cgroup | KillScope::ProcessGroup) {
        return Vec::new();
    }
    let company = context.policy.also_killed(victim, context.scene);
    company.into_iter().filter(|other| other.id != victim.id).collect()
}

/// The process that dies in place of the chosen one, in words.
fn instead(context: &RowContext<'_>, victim: &Process) -> Option<String> {
    let (other, _) = context.policy.killed_instead(victim, context.scene)?;
    Some(format!("Its {} dies in its place", kin(victim, other)))
}

/// `child 4712 httpd`, as seen from the victim.
fn kin(victim: &Process, other: &Process) -> String {
    let word = if victim.parent == other.id.pid { "parent" } else { "child" };
    format!("{word} {}", numbers_and_names::who(other))
}

/// The number of processes that die with the victim, in words.
fn along(context: &RowContext<'_>, victim: &Process) -> Option<String> {
    let of_its = |what: &str| {
        let count = dying_along(context, victim).len();
        (count > 0).then(|| format!("{count} more of its {what} die with it"))
    };
    match context.policy.traits(context.scene).kill_scope {
        KillScope::Process => None,
        KillScope::ProcessGroup => of_its("process group"),
        KillScope::Cgroup => of_its("cgroup"),
        KillScope::OomGroup => {
            let (group, mates) = group_mates(victim, context.scene)?;
            let (count, path) = (mates.len(), &group.path);
            (count > 0).then(|| format!("{count} more of {path} die with it (memory.oom.group)"))
        }
    }
}

/// The domain in words, unless it is the whole machine.
fn inside(context: &RowContext<'_>) -> String {
    let domain = context.scene.domain();
    if domain.is_global() { String::new() } else { format!(" in {domain}") }
}

/// Whether the ranking contains all processes.
fn sees_all(context: &RowContext<'_>) -> bool {
    let now = context.scene.now();
    now.privileges.sees_others && now.scan.unreadable == 0
}

/// The lead of the victim over another process, with its unit.
fn lead(context: &RowContext<'_>, points: Points, next: &Ranked) -> String {
    let lead = points - next.placement.points().unwrap_or_default();
    numbers_and_names::lead(context, lead)
}

/// The effect of `oom_score_adj` on the rank of a process; `None` if it is zero.
fn adj_share(context: &RowContext<'_>, process: &Process) -> Option<String> {
    let (term, adj) = adj_term(context, process)?;
    let amount = numbers_and_names::points(context, Points(term.points.0.saturating_abs()));
    let verb = if term.points.0 < 0 { "subtracts" } else { "adds" };
    let rank = what_if(context.policy, context.scene, context.ranking, process)?.rank_at_zero?;
    Some(format!("adj {adj} {verb} {amount} (rank {rank} at adj 0)"))
}

/// The adj term of a process's points; `None` if adj is zero.
fn adj_term(context: &RowContext<'_>, process: &Process) -> Option<(Term, Adj)> {
    let Verdict::Scored(badness) = context.policy.judge(process, context.scene) else {
        return None;
    };
    badness.terms.as_slice().iter().find_map(|term| match term.note {
        TermNote::Adj { adj, .. } if adj != Adj::ZERO => Some((*term, adj)),
        _ => None,
    })
}

/// What overrides the ranking, then the process with the highest badness.
fn overridden_forms(context: &RowContext<'_>, off: Override) -> Vec<VictimForm> {
    let first = context.ranking.victim().and_then(|row| context.scene.find(row.id));
    let lead =
        |process: &Process| format!(" (highest badness: {})", numbers_and_names::who(process));
    let lead = first.map(lead).unwrap_or_default();
    let whole = overridden::sentence(off, context.policy, context.scene);
    let brief = overridden::brief(off, context.policy, context.scene);
    let form = |rest: String| VictimForm { who: String::new(), rest: format!(" {rest}") };
    vec![
        form(format!("{whole}{lead}")),
        form(format!("{brief}{lead}")),
        form(brief),
        form(
            match off {
                Override::NoLimit => "no limit of its own",
                Override::NoKiller => "no OOM killer",
                _ => off.word(),
            }
            .to_owned(),
        ),
    ]
}

/// The first two candidates. They need not be the chosen processes, because a child may die instead.
fn too_close_forms(context: &RowContext<'_>) -> Vec<VictimForm> {
    let ranking = context.ranking;
    let name = |id: &ProcId| {
        context.scene.find(*id).map_or_else(|| id.to_string(), numbers_and_names::who)
    };
    let mut names = ranking.candidates().iter().map(name);
    let (who, other) = (names.next().unwrap_or_default(), names.next().unwrap_or_default());
    let more = match ranking.candidates().len() {
        0..=2 => String::new(),
        3 => " or another".to_owned(),
        count => format!(" or {} others", count - 2),
    };
    // In a memory cgroup the order of equals is not seen; the youngest, which comes first here, died in most
    // cases (17 of 20 kills among equals).
    let unseen = context.policy.traits(context.scene).tie_break == TieBreak::Unseen;
    let (lead, uncertainty) = ranking.rival().unwrap_or_default();
    let probably = unseen && lead == Points(0);
    let lead = numbers_and_names::lead(context, lead);
    let uncertainty = numbers_and_names::lead(context, uncertainty.points());
    let form = |rest: String| VictimForm { who: who.clone(), rest };
    let why = if probably {
        "equal: probably the first, the youngest".to_owned()
    } else if ranking.candidates().len() > MANY && is_by_growth(context) {
        format!(
            "not known yet: lead {lead}, and what has just begun or grown makes that uncertain by \
             {uncertainty}; more samples tell"
        )
    } else {
        format!("lead {lead}, uncertainty {uncertainty}")
    };
    let along = all_die(context).map(|along| form(format!(" or {other}{more} ({why}). {along}.")));
    let mut forms: Vec<VictimForm> = along.into_iter().collect();
    forms.extend([
        form(format!(" or {other}{more} ({why})")),
        form(format!(" or {other}{more}")),
        form(format!(" or {other}")),
    ]);
    forms
}

/// Whether the order is uncertain because of how the candidates grew from sample to sample, and not for good, as by the
/// kernel's inexact counters.
fn is_by_growth(context: &RowContext<'_>) -> bool {
    let (_, uncertainty) = context.ranking.rival().unwrap_or_default();
    let bounds = context.ranking.candidates().iter().map(|it| context.scene.growth_bound(*it));
    bounds.map(|it| it.rise.max(it.fall)).any(|it| it.0 > uncertainty.0 / 4)
}

/// Where all candidates are in a cgroup that is killed as a whole, how many die whichever is chosen.
fn all_die(context: &RowContext<'_>) -> Option<String> {
    if context.policy.traits(context.scene).kill_scope != KillScope::OomGroup {
        return None;
    }
    let mut candidates = context.ranking.candidates().iter();
    let first = context.scene.find(*candidates.next()?)?;
    let (group, mates) = group_mates(first, context.scene)?;
    let dies = |id: &ProcId| mates.iter().any(|it| it.id == *id);
    let count = mates.len() + 1;
    candidates
        .all(dies)
        .then(|| format!("All {count} of {} die in any case (memory.oom.group)", group.path))
}

fn nobody_forms(context: &RowContext<'_>) -> Vec<VictimForm> {
    // Processes whose memory could not be read come first among the spared ones.
    let hidden = context
        .ranking
        .rows()
        .first()
        .is_some_and(|row| row.placement == Placement::Spared(SparedReason::Unreadable));
    let domain = context.scene.domain();
    let empty = || {
        let mut rows = context.ranking.rows().iter();
        rows.all(|row| row.placement == Placement::Spared(SparedReason::Outside))
    };
    let spares = |reason| {
        let mut rows = context.ranking.rows().iter();
        rows.any(|row| row.placement == Placement::Spared(reason))
    };
    let why = if domain.kind == DomainKind::Gone {
        "this memory cgroup no longer exists"
    } else if hidden || !sees_all(context) {
        "no process that is visible"
    } else if empty() {
        "no process is in this domain"
    } else if !context.policy.info().kind.is_kernel() {
        match (spares(SparedReason::Unnamed), spares(SparedReason::Zero)) {
            (true, _) => "it names no process here, so it would kill none",
            (_, true) => "no process exceeds its threshold, so it would kill none",
            _ => "it has no candidate, so it would kill none",
        }
    } else if domain.is_memcg() {
        "all processes in this domain are protected: at the limit, allocations fail"
    } else {
        "all processes are protected: an OOM now would panic the kernel"
    };
    let form = |rest: String| VictimForm { who: String::new(), rest };
    vec![form(format!(" {why}")), form(String::new())]
}
