//! The one sentence that everybody reads first: who dies next, why, and by how much. The same words
//! on the screen and in a pipe; the screen takes the longest form that fits.

use crate::columns::RowContext;
use crate::model::{DomainKind, ProcId, Process};
use crate::policy::{
    BadnessUnit, KillScope, Override, PolicyKind, SparedReason, Term, TermNote, Verdict,
};
use crate::rank::also_killed::group_mates;
use crate::rank::what_if::what_if;
use crate::rank::{Placement, Ranked};
use crate::units::{Adj, Points};
use crate::words::values;

/// How sure the sentence is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Certainty {
    /// One process is named.
    Named,
    /// Several are; the order between them cannot be known.
    TooClose,
    /// Nobody can be chosen.
    Nobody,
    /// The kernel would not go by the ranking.
    Off,
}

/// The sentence at one length.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SentenceStyle {
    /// `NEXT VICTIM`, and by whose rule, where that is not the running kernel's.
    pub label: String,
    /// `20731 chrome`.
    pub who: String,
    /// Why, and by how much.
    pub rest: String,
}

impl SentenceStyle {
    /// All of it.
    #[must_use]
    pub fn text(&self) -> String {
        let Self { label, who, rest } = self;
        if who.is_empty() { format!("{label}{rest}") } else { format!("{label} {who}{rest}") }
    }
}

/// Who dies next, in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PredictionSentence {
    /// How sure.
    pub certainty: Certainty,
    /// The longest form first; there is at least one.
    pub forms: Vec<SentenceStyle>,
}

impl PredictionSentence {
    /// The whole of it.
    #[must_use]
    pub fn whole(&self) -> String {
        self.forms.first().map(SentenceStyle::text).unwrap_or_default()
    }
}

/// Who dies next.
#[must_use]
pub fn sentence(context: &RowContext<'_>) -> PredictionSentence {
    let id = context.policy.id();
    let (rule, short_rule) = match context.policy.info().kind {
        PolicyKind::RunningKernel => (String::new(), String::new()),
        PolicyKind::Kernel => {
            (format!(" by the rule of {}", context.policy.title()), format!(" by {id}"))
        }
        _ => (format!(" by {id}"), format!(" by {id}")),
    };
    let find = |id: ProcId| context.scene.find(id);
    let ranking = context.ranking;
    if let Some(off) = context.policy.overridden(context.scene) {
        return overruled(context, off);
    }
    let Some((row, victim)) = ranking.victim().and_then(|row| Some((row, find(row.id)?))) else {
        return nobody(context, &rule, &short_rule);
    };
    // Who dies along is no runner-up.
    let fellows = fellows(context, victim);
    let apart = |row: &&Ranked| fellows.iter().all(|other| other.id != row.id);
    let mut next = ranking.rows()[..ranking.eligible()].iter().skip(1);
    let runner_up = next.find(apart).and_then(|row| Some((row, find(row.id)?)));
    if ranking.too_close() {
        return too_close(context, &rule, &short_rule);
    }
    let (name, points) = (values::who(victim), row.placement.points().unwrap_or_default());
    let user = values::user(context, victim);
    let score = match context.policy.info().unit {
        BadnessUnit::Pages => format!("{}/1000", values::permille(context, points)),
        BadnessUnit::Bare => format!("{} points", values::grouped(points.0)),
    };
    let versus = runner_up.map_or_else(
        || {
            if sees_all(context) { "nobody else can be chosen" } else { "nobody else can be seen" }
                .to_owned()
        },
        |(row, other)| match ranking.margin() {
            Some(_) => format!("{} ahead of {}", lead(context, points, row), values::who(other)),
            None => format!("chosen before {} whatever the points", values::who(other)),
        },
    );
    let form = |label: &str, rest: String| SentenceStyle {
        label: label.to_owned(),
        who: name.clone(),
        rest,
    };
    let label = format!("NEXT VICTIM{rule}{}", inside(context));
    let short = format!("NEXT{short_rule}");
    let mut forms = Vec::with_capacity(9);
    let because = adj_share(context, victim);
    let along = instead(context, victim).or_else(|| along(context, victim));
    if let Some(because) = &because {
        let long = format!(" ({user}) {score}: {because}. {versus}.");
        forms.extend(along.as_ref().map(|along| form(&label, format!("{long} {along}."))));
        forms.push(form(&label, long));
    }
    let plain = format!(" ({user}) {score}, {versus}");
    forms.extend(along.map(|along| form(&label, format!("{plain}. {along}."))));
    forms.push(form(&label, plain));
    forms.push(form(&format!("NEXT VICTIM{short_rule}"), format!(" {score}, {versus}")));
    forms.push(form(&short, format!(" ({user}) {score}, {versus}")));
    forms.push(form(&short, format!(" {score}, {versus}")));
    forms.push(form(&short, format!(" {score}")));
    forms.push(form("NEXT", format!(" {}", score.trim_end_matches("/1000"))));
    PredictionSentence { certainty: Certainty::Named, forms }
}

/// Who dies along, where the rule chooses whole cgroups or signals whole process groups.
fn fellows<'a>(context: &RowContext<'a>, victim: &Process) -> Vec<&'a Process> {
    let scope = context.policy.traits(context.scene).kill_scope;
    if !matches!(scope, KillScope::Cgroup | KillScope::ProcessGroup) {
        return Vec::new();
    }
    let company = context.policy.also_killed(victim, context.scene);
    company.into_iter().filter(|other| other.id != victim.id).collect()
}

/// Who dies in its place, where the rule sacrifices somebody else than the one that it chose.
fn instead(context: &RowContext<'_>, victim: &Process) -> Option<String> {
    let (other, _) = context.policy.killed_instead(victim, context.scene)?;
    Some(format!("Its {} dies in its place", kin(victim, other)))
}

/// `child 4712 httpd`, as seen from the victim.
fn kin(victim: &Process, other: &Process) -> String {
    let word = if victim.parent == other.id.pid { "parent" } else { "child" };
    format!("{word} {}", values::who(other))
}

/// Who else the kernel kills with it, where a cgroup dies as a whole.
fn along(context: &RowContext<'_>, victim: &Process) -> Option<String> {
    let of_its = |what: &str| {
        let count = fellows(context, victim).len();
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

/// In which domain, where that is not the whole machine.
fn inside(context: &RowContext<'_>) -> String {
    let domain = context.scene.domain();
    if domain.is_global() { String::new() } else { format!(" in {domain}") }
}

/// Whether no process is hidden from the ranking.
fn sees_all(context: &RowContext<'_>) -> bool {
    let now = context.scene.now();
    now.privileges.sees_others && now.scan.unreadable == 0
}

/// By how much the victim leads.
fn lead(context: &RowContext<'_>, points: Points, next: &Ranked) -> String {
    let other = next.placement.points().unwrap_or_default();
    if context.policy.info().unit == BadnessUnit::Bare {
        return values::grouped((points - other).0);
    }
    match values::permille(context, points) - values::permille(context, other) {
        0 => values::points(context, points - other),
        lead => lead.to_string(),
    }
}

/// What oom_score_adj does to a process's place: nothing to say where it is zero.
fn adj_share(context: &RowContext<'_>, process: &Process) -> Option<String> {
    let (term, adj) = adj_term(context, process)?;
    let amount = values::points(context, Points(term.points.0.saturating_abs()));
    let verb = if term.points.0 < 0 { "takes off" } else { "adds" };
    let rank = what_if(context.policy, context.scene, context.ranking, process)?.rank_at_zero?;
    Some(format!("adj {adj} {verb} {amount}, without it rank {rank}"))
}

/// The adj term of a process's points, unless adj is zero.
fn adj_term(context: &RowContext<'_>, process: &Process) -> Option<(Term, Adj)> {
    let Verdict::Scored(badness) = context.policy.judge(process, context.scene) else {
        return None;
    };
    badness.terms.as_slice().iter().find_map(|term| match term.note {
        TermNote::Adj { adj, .. } if adj != Adj::ZERO => Some((*term, adj)),
        _ => None,
    })
}

/// What happens instead of the ranking, then who leads it.
fn overruled(context: &RowContext<'_>, off: Override) -> PredictionSentence {
    let first = context.ranking.victim().and_then(|row| context.scene.find(row.id));
    let lead = |process: &Process| format!(" (first by badness: {})", values::who(process));
    let lead = first.map(lead).unwrap_or_default();
    let (whole, brief) = (off.sentence(context.scene), off.brief(context.scene));
    let form = |label: &str, rest: String| SentenceStyle {
        label: label.to_owned(),
        who: String::new(),
        rest: format!(" {rest}"),
    };
    PredictionSentence {
        certainty: Certainty::Off,
        forms: vec![
            form("NO PREDICTION:", format!("{whole}{lead}")),
            form("NO PREDICTION:", format!("{brief}{lead}")),
            form("NO PREDICTION:", brief.clone()),
            form("OFF:", brief),
            form("OFF:", off.word().to_owned()),
        ],
    }
}

/// The first two of those who may die, who need not be those who are chosen.
fn too_close(context: &RowContext<'_>, rule: &str, short_rule: &str) -> PredictionSentence {
    let ranking = context.ranking;
    let name = |id: &ProcId| context.scene.find(*id).map_or_else(|| id.to_string(), values::who);
    let mut names = ranking.candidates().iter().map(name);
    let (who, other) = (names.next().unwrap_or_default(), names.next().unwrap_or_default());
    let more = match ranking.candidates().len() {
        0..=2 => String::new(),
        3 => " or another".to_owned(),
        count => format!(" or {} others", count - 2),
    };
    let margin = values::points(context, ranking.margin().unwrap_or_default());
    let slack = values::points(context, ranking.slack().points());
    let form = |label: String, rest: String| SentenceStyle { label, who: who.clone(), rest };
    let names = format!(" or {other}{more}");
    PredictionSentence {
        certainty: Certainty::TooClose,
        forms: vec![
            form(
                format!("TOO CLOSE TO CALL{rule}:"),
                format!("{names} (margin {margin}, slack {slack})"),
            ),
            form(format!("TOO CLOSE TO CALL{short_rule}:"), names.clone()),
            form(format!("TOO CLOSE{short_rule}:"), names),
            form("TOO CLOSE:".to_owned(), format!(" or {other}")),
        ],
    }
}

fn nobody(context: &RowContext<'_>, rule: &str, short_rule: &str) -> PredictionSentence {
    // Those whose memory could not be read stand first among the spared.
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
    let passed = |reason| {
        let mut rows = context.ranking.rows().iter();
        rows.any(|row| row.placement == Placement::Spared(reason))
    };
    let why = if domain.kind == DomainKind::Gone {
        "this memory cgroup is not there any more"
    } else if hidden || !sees_all(context) {
        "nobody that can be seen"
    } else if empty() {
        "no process is in this domain"
    } else if !context.policy.info().kind.is_kernel() {
        match (passed(SparedReason::Unnamed), passed(SparedReason::Zero)) {
            (true, _) => "nobody here is whom it names, so it would kill nobody",
            (_, true) => "nobody is above its threshold, so it would kill nobody",
            _ => "it has no candidate, so it would kill nobody",
        }
    } else if domain.is_memcg() {
        "everybody in this domain is protected: at its wall, allocations fail"
    } else {
        "everybody is protected, and an OOM now would panic the kernel"
    };
    let form = |label: String, rest: String| SentenceStyle { label, who: String::new(), rest };
    PredictionSentence {
        certainty: Certainty::Nobody,
        forms: vec![
            form(format!("NOBODY can be chosen{rule}:"), format!(" {why}")),
            form(format!("NOBODY can be chosen{short_rule}"), String::new()),
            form("NOBODY".to_owned(), String::new()),
        ],
    }
}
