//! The sentence that the program is for: who dies next, why, and by how much.

use ratatui::text::{Line, Span};

use super::look::Look;
use super::pen::line_cells;
use super::words;
use crate::app::App;
use crate::columns::Sight;
use crate::model::{ProcId, Process, Reading};
use crate::policy::{Note, Reason, Term, Unit, Verdict};
use crate::rank::{Ranked, Standing};
use crate::units::{Adj, Points};

/// The longest form of the sentence that fits.
#[must_use]
pub fn sentence(app: &App, sight: &Sight<'_>, look: Look, room: u16) -> Line<'static> {
    let mut forms = forms(app, sight, look);
    let at = forms.iter().position(|form| line_cells(form) <= room);
    forms.swap_remove(at.unwrap_or(forms.len() - 1))
}

/// `NEXT 20731 chrome 313`, for a header of one line.
#[must_use]
pub fn shortest(app: &App, sight: &Sight<'_>, look: Look) -> Line<'static> {
    forms(app, sight, look).pop().unwrap_or_default()
}

/// The sentence, longest form first; there is at least one.
fn forms(app: &App, sight: &Sight<'_>, look: Look) -> Vec<Line<'static>> {
    let rule = match app.setup.policy.id() {
        "linux" => String::new(),
        _ => format!(" by the rule of {}", app.setup.policy.title()),
    };
    let short_rule = match app.setup.policy.id() {
        "linux" => String::new(),
        id => format!(" by {id}"),
    };
    let find = |id: ProcId| sight.scene.find(id);
    let ranking = sight.ranking;
    let Some((row, victim)) = ranking.victim().and_then(|row| Some((row, find(row.id)?))) else {
        return nobody(sight, look, &rule, &short_rule);
    };
    let runner_up = ranking.runner_up().and_then(|row| Some((row, find(row.id)?)));
    if ranking.too_close() {
        return too_close(sight, look, &rule, &short_rule, victim, runner_up);
    }
    let (name, points) = (words::who(victim), row.standing.points().unwrap_or_default());
    let user = words::user(sight, victim);
    let score = match sight.policy.unit() {
        Unit::Pages => format!("{}/1000", words::permille(sight, points)),
        Unit::Bare => format!("{} points", words::grouped(points.0)),
    };
    let ahead = runner_up.map(|(row, other)| (lead(sight, points, row), words::who(other)));
    let versus = ahead.as_ref().map_or_else(
        || "nobody else can be chosen".to_owned(),
        |(lead, other)| format!("{lead} ahead of {other}"),
    );
    let because = adj_share(sight, victim);
    let form = |label: String, who: String, rest: String| {
        Line::from(vec![
            Span::styled(label, look.strong()),
            Span::raw(" "),
            Span::styled(who, look.victim()),
            Span::raw(rest),
        ])
    };
    let label = format!("NEXT VICTIM{rule}");
    let short = format!("NEXT{short_rule}");
    let mut forms = Vec::with_capacity(6);
    if let Some(because) = &because {
        let rest = format!(" ({user}) {score}: {because}. {versus}.");
        forms.push(form(label.clone(), name.clone(), rest));
    }
    let who = || name.clone();
    forms.push(form(label, who(), format!(" ({user}) {score}, {versus}")));
    forms.push(form(format!("NEXT VICTIM{short_rule}"), who(), format!(" {score}, {versus}")));
    forms.push(form(short.clone(), who(), format!(" ({user}) {score}, {versus}")));
    forms.push(form(short.clone(), who(), format!(" {score}, {versus}")));
    forms.push(form(short.clone(), who(), format!(" {score}")));
    let bare = score.trim_end_matches("/1000").to_owned();
    forms.push(form("NEXT".to_owned(), who(), format!(" {bare}")));
    forms
}

/// By how much the victim leads.
fn lead(sight: &Sight<'_>, points: Points, next: &Ranked) -> String {
    let other = next.standing.points().unwrap_or_default();
    if sight.policy.unit() == Unit::Bare {
        return words::grouped((points - other).0);
    }
    match words::permille(sight, points) - words::permille(sight, other) {
        0 => words::points(sight, points - other),
        lead => lead.to_string(),
    }
}

/// What oom_score_adj does to a process's place: nothing to say where it is zero.
fn adj_share(sight: &Sight<'_>, process: &Process) -> Option<String> {
    let (term, adj) = adj_term(sight, process)?;
    let amount = words::points(sight, Points(term.points.0.saturating_abs()));
    let verb = if term.points.0 < 0 { "takes off" } else { "adds" };
    let rank = rank_without_adj(sight, process)?;
    Some(format!("adj {adj} {verb} {amount}, without it rank {rank}"))
}

/// The adj term of a process's points, unless adj is zero.
#[must_use]
pub fn adj_term(sight: &Sight<'_>, process: &Process) -> Option<(Term, Adj)> {
    let Verdict::Scored(badness) = sight.policy.judge(process, sight.scene) else { return None };
    badness.terms.as_slice().iter().find_map(|term| match term.note {
        Note::Adj { adj, .. } if adj != Adj::ZERO => Some((*term, adj)),
        _ => None,
    })
}

/// The place, counted from 1, that a process would have at adj 0.
#[must_use]
pub fn rank_without_adj(sight: &Sight<'_>, process: &Process) -> Option<usize> {
    let mut changed = process.clone();
    changed.adj = Reading::Value(Adj::ZERO);
    // The kernel's score was read under the present adj.
    changed.score = Reading::NotAsked;
    let Verdict::Scored(badness) = sight.policy.judge(&changed, sight.scene) else { return None };
    let candidates = &sight.ranking.rows()[..sight.ranking.eligible()];
    let above = |row: &Ranked| row.standing.points().is_some_and(|other| other > badness.points);
    // The rows are in order, so only few are looked at.
    let before = candidates.partition_point(above);
    let at = sight.scene.now().position(process.id.pid)?;
    let (place, row) = sight.ranking.place(at)?;
    let itself = row.standing.points().is_some() && place < before;
    Some(before + 1 - usize::from(itself))
}

fn too_close(
    sight: &Sight<'_>,
    look: Look,
    rule: &str,
    short_rule: &str,
    victim: &Process,
    runner_up: Option<(&Ranked, &Process)>,
) -> Vec<Line<'static>> {
    let ranking = sight.ranking;
    let other = runner_up.map_or_else(String::new, |(_, other)| words::who(other));
    let more = match ranking.candidates().len() {
        0..=2 => String::new(),
        3 => " or another".to_owned(),
        count => format!(" or {} others", count - 2),
    };
    let margin = words::points(sight, ranking.margin().unwrap_or_default());
    let slack = words::size(sight, ranking.slack());
    let first = words::who(victim);
    let form = |label: String, rest: String| {
        Line::from(vec![
            Span::styled(label, look.danger()),
            Span::raw(" "),
            Span::styled(first.clone(), look.victim()),
            Span::styled(rest, look.candidate()),
        ])
    };
    let names = format!(" or {other}{more}");
    vec![
        form(
            format!("TOO CLOSE TO CALL{rule}:"),
            format!("{names} (margin {margin}, slack {slack})"),
        ),
        form(format!("TOO CLOSE TO CALL{short_rule}:"), names.clone()),
        form(format!("TOO CLOSE{short_rule}:"), names),
        form("TOO CLOSE:".to_owned(), format!(" or {other}")),
    ]
}

fn nobody(sight: &Sight<'_>, look: Look, rule: &str, short_rule: &str) -> Vec<Line<'static>> {
    // Those whose memory could not be read stand first among the spared.
    let hidden = sight
        .ranking
        .rows()
        .first()
        .is_some_and(|row| row.standing == Standing::Spared(Reason::Unreadable));
    let why = if hidden || !sight.scene.now().powers.sees_others {
        "nobody that can be seen"
    } else {
        "everybody is protected, and an OOM now would panic the kernel"
    };
    let form = |label: String, rest: String| {
        Line::from(vec![Span::styled(label, look.danger()), Span::raw(rest)])
    };
    vec![
        form(format!("NOBODY can be chosen{rule}:"), format!(" {why}")),
        form(format!("NOBODY can be chosen{short_rule}"), String::new()),
        form("NOBODY".to_owned(), String::new()),
    ]
}
