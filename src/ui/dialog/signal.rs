//! The question before a signal: which process it is, whether the policy would choose it, what dies with
//! it, and what that frees.

use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use crate::app::dialog::signal::{ConfirmStep, SignalDialog};
use crate::app::{ActingMode, App};
use crate::columns::RowContext;
use crate::forecast::next_death::NextDeath;
use crate::intent::Expedite;
use crate::model::{Process, Reading, Scope, Signal, is_within};
use crate::plan::signal_consequences::{RestartOutcome, may_raise_priority};
use crate::rank::freed::FreedMemory;
use crate::ui::paint::canvas::Canvas;
use crate::ui::paint::popup::{MUST_READ, Overflow};
use crate::ui::paint::scroll::PageShown;
use crate::ui::paint::theme::Theme;
use crate::ui::paint::{keys, popup, text};
use crate::units::Kib;
use crate::words::freed;
use crate::words::next_death::{DeathVerdict, verdict_on};

/// Paints the dialog. The signal comes first; who it is and all that warns or is lost must be read before the keys
/// that confirm it.
pub fn paint(app: &App, confirm: &SignalDialog, area: Rect, canvas: &mut Canvas<'_>) -> PageShown {
    let theme = canvas.theme;
    let Some(context) = app.context() else { return PageShown::default() };
    let plan = &confirm.plan;
    let who = format!("{} {}", plan.who, plan.name);
    let title = if plan.sacrifice {
        format!("Sacrifice {who}?")
    } else {
        format!("Send {} to {who}?", plan.signal)
    };
    let warn = |text: String| (MUST_READ, Line::styled(format!("! {text}"), theme.warn()));
    let mut lines: Vec<popup::PriorityLine> = signal(confirm, theme);
    lines.push((9, Line::default()));
    match context.scene.find(plan.who) {
        Some(process) => lines.extend(facts(process, &context, theme)),
        None => lines.push((1, Line::styled("it is gone already", theme.warn()))),
    }
    lines.push((9, Line::default()));
    lines.extend(plan.warning.map(|text| warn(text.to_owned())));
    lines.push((MUST_READ, predicted(app, &context, confirm, theme)));
    if plan.signal.ends() {
        lines.extend(frees(&context, confirm).map(|text| (MUST_READ, Line::raw(text))));
        lines.extend(frees_little(app, &context, confirm).map(warn));
    }
    let along = |text: &String| (MUST_READ, Line::raw(format!("- {text}")));
    lines.extend(plan.also_killed.iter().map(along));
    lines.extend(plan.survivors.iter().map(|text| (5, Line::raw(format!("- {text}")))));
    lines.extend(plan.restart().map(|(outcome, text)| {
        let restarts = outcome == RestartOutcome::Restarts;
        let (priority, style) =
            if restarts { (MUST_READ, theme.warn()) } else { (3, theme.plain()) };
        (priority, Line::styled(format!("- {text}"), style))
    }));
    lines.extend(plan.frozen().map(warn));
    lines.extend(expedited(confirm, &context).map(|text| (6, Line::styled(text, theme.dim()))));
    if app.table.tags.iter().any(|&tagged| tagged != plan.who) {
        let text = "only this one: tagged processes are not touched";
        lines.push((3, Line::styled(text, theme.dim())));
    }
    lines.push((9, Line::default()));
    lines.extend(other_keys(app, &context, confirm, theme));
    lines.extend(keys::without_effect_line(theme, app.start.acting));
    lines.extend(confirmation(confirm, app.start.acting, theme));
    let from = (confirm.top, Overflow::Scrolls);
    popup::paint(&title, lines, from, theme.danger_frame(), area, canvas)
}

/// The signal, and why it is this one. A sacrifice has a choice: the same line has the key of the other signal, and
/// the one below says what that would mean.
fn signal(confirm: &SignalDialog, theme: Theme) -> Vec<popup::PriorityLine> {
    let plan = &confirm.plan;
    let chosen = Span::styled(plan.signal.to_string(), theme.danger());
    let mut first = vec![chosen, Span::raw(format!(": {}", plan.why))];
    if !plan.sacrifice {
        return vec![(0, Line::from(first))];
    }
    let other = plan.other_signal();
    first.extend([
        Span::raw("   "),
        Span::styled("s", theme.strong()),
        Span::raw(format!(" = {other} instead")),
    ]);
    let means = format!("{other}: it {}", consequence(other));
    vec![(0, Line::from(first)), (7, Line::styled(means, theme.dim()))]
}

/// What a signal of the sacrifice means for the process.
const fn consequence(signal: Signal) -> &'static str {
    match signal {
        Signal::KILL => "ends at once, saves nothing",
        _ => "may clean up first, or not end at all",
    }
}

/// The process, so that the user recognises it.
fn facts(process: &Process, context: &RowContext<'_>, theme: Theme) -> Vec<popup::PriorityLine> {
    let label = |text: &'static str| Span::styled(text, theme.label());
    let swap = process.swap.value().unwrap_or_default();
    let mut lines = vec![
        (
            2,
            Line::from(vec![
                Span::styled(text::who(process), theme.strong()),
                label("  of "),
                Span::raw(text::user(context, process)),
                label("  started "),
                Span::raw(format!("{} ago", text::age(context.scene, process.id))),
            ]),
        ),
        (
            3,
            Line::from(vec![
                label("RSS "),
                Span::raw(text::size(context, context.scene.rss(process))),
                label(" + swap "),
                Span::raw(text::size(context, swap)),
            ]),
        ),
    ];
    if let Some(path) = process.cgroup.as_ref().value() {
        lines.push((6, Line::from(vec![label("cgroup "), Span::raw(path.as_str().to_owned())])));
    }
    lines
}

/// Whether it is the next to die; while no death is near, whether the policy would choose it now.
fn predicted(
    app: &App,
    context: &RowContext<'_>,
    confirm: &SignalDialog,
    theme: Theme,
) -> Line<'static> {
    match verdict_on(app.deaths.next.as_ref(), confirm.plan.who) {
        Some(DeathVerdict::Next(text)) => return Line::styled(text, theme.strong()),
        Some(DeathVerdict::NotNext(text)) => return Line::styled(text, theme.warn()),
        None => {}
    }
    let policy = app.policy();
    let by = if policy.is_running_kernel() {
        String::new()
    } else {
        format!(" by the rule of {}", policy.title())
    };
    if context.policy.overridden(context.scene).is_some() {
        return Line::styled(
            "no prediction: the kernel would not use the ranking now",
            theme.warn(),
        );
    }
    let candidates = context.ranking.candidates();
    if context.ranking.too_close() && candidates.contains(&confirm.plan.who) {
        let text =
            format!("this MAY be the next victim: one of {} too close to call", candidates.len());
        return Line::from(vec![Span::styled(text, theme.warn()), Span::raw(by)]);
    }
    match context.ranking.victim() {
        Some(row) if row.id == confirm.plan.who => Line::from(vec![
            Span::styled("this IS the predicted victim", theme.strong()),
            Span::raw(by),
        ]),
        Some(row) => {
            let name = text::name(context, row.id);
            Line::from(vec![
                Span::styled("this is NOT the predicted victim", theme.warn()),
                Span::raw(format!("{by}: that is {name}")),
            ])
        }
        None => Line::raw(format!("no process can be chosen{by}")),
    }
}

/// The memory that it gives back: by its detail, or as an estimate before the detail has come.
fn frees(context: &RowContext<'_>, confirm: &SignalDialog) -> Option<String> {
    let process = context.scene.find(confirm.plan.who)?;
    if let Some(detail) = &confirm.plan.detail
        && let Reading::Value(holding) = &detail.breakdown
    {
        let all = freed::measured(context, &FreedMemory::measured(holding, process, context.scene));
        let first = match &detail.sharers {
            Reading::Value(sharers) => sharers.found.first(),
            _ => None,
        };
        let mut text = match first {
            Some((id, _)) => format!("frees nothing until {id} exits, too; then {all}"),
            None => format!("frees {all}"),
        };
        if holding.shared > Kib::ZERO {
            let shared = text::kib(context, holding.shared);
            text.push_str(&format!("; {shared} shared with others stay"));
        }
        return Some(text);
    }
    Some(match FreedMemory::of(process, context.scene) {
        Reading::Value(freed) => {
            let size = |bytes| text::bytes(context, bytes);
            format!("frees about {}", freed::estimate(&freed, &size))
        }
        _ => "how much it frees is not known".to_owned(),
    })
}

/// The warning where it frees little, or where no kill can help in the domain of the next death.
fn frees_little(app: &App, context: &RowContext<'_>, confirm: &SignalDialog) -> Option<String> {
    let process = context.scene.find(confirm.plan.who)?;
    // Of another domain than its own that says nothing.
    let inside = |death: &&NextDeath| is_in_domain(process, death.domain.as_str());
    let next = app.deaths.next.as_ref().filter(inside);
    let futile = app.futile_kill.as_ref().filter(|_| next.is_some());
    if let Some(futile) = futile {
        return Some(futile.brief());
    }
    let measured = confirm.plan.detail.as_ref().and_then(|it| it.breakdown.value());
    let freed = measured.map(|it| FreedMemory::measured(&it, process, context.scene));
    let freed = freed.or_else(|| FreedMemory::of(process, context.scene).value())?;
    freed::warning(&freed, &|bytes| text::bytes(context, bytes))
}

/// Whether a process belongs to a domain.
fn is_in_domain(process: &Process, domain: &str) -> bool {
    let path = process.cgroup.as_ref().value();
    domain == Scope::GLOBAL || path.is_some_and(|path| is_within(path.as_str(), domain))
}

/// What is done beside the signal so that the memory comes back sooner.
fn expedited(confirm: &SignalDialog, context: &RowContext<'_>) -> Option<String> {
    let steps: Vec<String> = confirm
        .plan
        .expedite()
        .iter()
        .map(|step| match step {
            Expedite::Priority if !may_raise_priority(context.scene) => {
                format!("{} (you lack CAP_SYS_NICE)", step.words())
            }
            step => step.words(),
        })
        .collect();
    if steps.is_empty() {
        let gentle = confirm.plan.signal.ends() && confirm.plan.signal != Signal::KILL;
        return gentle.then(|| "it exits at its own pace: doomtop does not speed it up".to_owned());
    }
    Some(format!("expedited: {}", steps.join(", ")))
}

/// What it takes to confirm.
fn confirmation(
    confirm: &SignalDialog,
    acting: ActingMode,
    theme: Theme,
) -> Vec<popup::PriorityLine> {
    let mut lines = Vec::new();
    match &confirm.step {
        ConfirmStep::Yes => lines.push((0, keys::yes(theme, acting))),
        ConfirmStep::TypePid { typed, why } => {
            lines.push((1, Line::styled(format!("! {why}"), theme.warn())));
            let pid = confirm.plan.who.pid.to_string();
            lines.push((0, keys::typed_number(theme, "pid", &pid, typed, "nothing")));
        }
    }
    lines
}

/// The keys that change what the dialog asks.
fn other_keys(
    app: &App,
    context: &RowContext<'_>,
    confirm: &SignalDialog,
    theme: Theme,
) -> Vec<popup::PriorityLine> {
    let line = |key: &'static str, text: String| {
        let text = Span::styled(format!(" = {text}"), theme.dim());
        (8, Line::from(vec![Span::styled(key, theme.strong()), text]))
    };
    let mut lines = Vec::new();
    if let Some(detail) = &confirm.plan.detail
        && let Reading::Value(sharers) = &detail.sharers
        && !sharers.found.is_empty()
    {
        lines.push(line("m", "all that share its memory, too".to_owned()));
    }
    let victim =
        app.predicted_victim().filter(|it| confirm.plan.sacrifice && *it != confirm.plan.who);
    lines.extend(victim.map(|id| {
        let name = text::name(context, id);
        line("v", format!("{name} instead, the predicted victim"))
    }));
    lines
}
