//! The question before a signal: which process it is, whether the policy would choose it, what dies with
//! it, and what that frees.

use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use crate::app::App;
use crate::app::dialog::signal::{ConfirmStep, SignalDialog};
use crate::columns::RowContext;
use crate::forecast::next_death::NextDeath;
use crate::intent::Expedite;
use crate::model::{Process, Reading, Scope, Signal, is_within};
use crate::plan::signal_consequences::{RestartOutcome, may_raise_priority};
use crate::rank::freed::FreedMemory;
use crate::ui::paint::canvas::Canvas;
use crate::ui::paint::theme::Theme;
use crate::ui::paint::{keys, popup, text};
use crate::units::Kib;
use crate::words::freed;
use crate::words::next_death::{DeathVerdict, verdict_on};

/// Paints the dialog; gives back whether all of the question is on the screen.
pub fn paint(app: &App, confirm: &SignalDialog, area: Rect, canvas: &mut Canvas<'_>) -> bool {
    let theme = canvas.theme;
    let Some(context) = app.context() else { return false };
    let who = format!("{} {}", confirm.plan.who, confirm.plan.name);
    let title = if confirm.plan.sacrifice {
        format!("Sacrifice {who}?")
    } else {
        format!("Send {} to {who}?", confirm.plan.signal)
    };
    let mut lines: Vec<popup::PriorityLine> = Vec::new();
    match context.scene.find(confirm.plan.who) {
        Some(process) => lines.extend(facts(process, &context, theme)),
        None => lines.push((1, Line::styled("it is gone already", theme.warn()))),
    }
    lines.push((9, Line::default()));
    lines.extend(signal(confirm, theme));
    if let Some(warning) = confirm.plan.warning {
        lines.push((1, Line::styled(format!("! {warning}"), theme.warn())));
    }
    lines.push((2, predicted(app, &context, confirm, theme)));
    if confirm.plan.signal.ends() {
        lines.extend(frees(&context, confirm).map(|text| (3, Line::raw(text))));
        lines.extend(
            frees_little(app, &context, confirm)
                .map(|text| (3, Line::styled(format!("! {text}"), theme.warn()))),
        );
    }
    lines.extend(
        confirm
            .plan
            .also_killed
            .iter()
            .enumerate()
            .map(|(nth, text)| (4 + (nth as u8).min(3), Line::raw(format!("- {text}")))),
    );
    lines.extend(confirm.plan.survivors.iter().map(|text| (5, Line::raw(format!("- {text}")))));
    lines.extend(confirm.plan.restart().map(|(outcome, text)| {
        let restarts = outcome == RestartOutcome::Restarts;
        let style = if restarts { theme.warn() } else { theme.plain() };
        (3, Line::styled(format!("- {text}"), style))
    }));
    lines.extend(
        confirm.plan.frozen().map(|text| (2, Line::styled(format!("! {text}"), theme.warn()))),
    );
    lines.extend(expedited(confirm, &context).map(|text| (6, Line::styled(text, theme.dim()))));
    if app.table.tags.iter().any(|&tagged| tagged != confirm.plan.who) {
        let text = "only this one: tagged processes are not touched";
        lines.push((3, Line::styled(text, theme.dim())));
    }
    lines.push((9, Line::default()));
    lines.extend(confirmation(confirm, theme));
    lines.extend(other_keys(confirm, theme));
    popup::paint(&title, lines, theme.danger_frame(), area, canvas)
}

/// The signal, and why it is this one. A sacrifice has a choice: the other signal follows, with its key.
fn signal(confirm: &SignalDialog, theme: Theme) -> Vec<popup::PriorityLine> {
    let plan = &confirm.plan;
    let chosen = Span::styled(plan.signal.to_string(), theme.danger());
    let why = Span::raw(format!(": {}", plan.why));
    let mut lines = vec![(0, Line::from(vec![chosen, why]))];
    if plan.sacrifice {
        let other = plan.other_signal();
        let key = Span::styled("s", theme.strong());
        let text = format!(" {other} instead: it {}", consequence(other));
        lines.push((1, Line::from(vec![key, Span::styled(text, theme.dim())])));
    }
    lines
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
fn confirmation(confirm: &SignalDialog, theme: Theme) -> Vec<popup::PriorityLine> {
    let mut lines = Vec::new();
    match &confirm.step {
        ConfirmStep::Yes => lines.push((0, keys::yes(theme))),
        ConfirmStep::TypePid { typed, why } => {
            lines.push((1, Line::styled(format!("! {why}"), theme.warn())));
            let pid = confirm.plan.who.pid.to_string();
            lines.push((0, keys::typed_number(theme, "pid", &pid, typed, "nothing")));
        }
    }
    lines
}

/// The keys that change what the dialog asks.
fn other_keys(confirm: &SignalDialog, theme: Theme) -> Vec<popup::PriorityLine> {
    let mut lines = Vec::new();
    if let Some(detail) = &confirm.plan.detail
        && let Reading::Value(sharers) = &detail.sharers
        && !sharers.found.is_empty()
    {
        lines.push((
            8,
            Line::from(vec![
                Span::styled("m", theme.strong()),
                Span::styled(" all that share its memory, too", theme.dim()),
            ]),
        ));
    }
    if confirm.plan.sacrifice {
        lines.push((
            8,
            Line::from(vec![
                Span::styled("v", theme.strong()),
                Span::styled(" the predicted victim instead", theme.dim()),
            ]),
        ));
    }
    lines
}
