//! The conditions of a killer one by one, and what is known of each. Where the kernel kills the
//! allocating task, the processes that grow fastest are the likeliest victims.

use ratatui::style::Style;
use ratatui::text::Line;

use crate::app::App;
use crate::columns::{RowContext, span_of};
use crate::policy::{Override, Trigger, TriggerKind, TriggerState};
use crate::ui::paint::label;
use crate::ui::paint::text;
use crate::ui::paint::theme::Theme;
use crate::units::Pages;

/// The conditions and what is known of them, a line each, behind labels of this width; nothing for a
/// killer without conditions.
#[must_use]
pub fn lines(
    app: &App,
    context: &RowContext<'_>,
    theme: Theme,
    label_width: usize,
) -> Vec<Line<'static>> {
    let lines = labelled(app, context, theme).into_iter();
    lines
        .map(|(label, text, style)| label::styled(theme, label, label_width, text, style))
        .collect()
}

/// A label, its text and the text's style.
type Labelled = (&'static str, String, Style);

fn labelled(app: &App, context: &RowContext<'_>, theme: Theme) -> Vec<Labelled> {
    let state = context.policy.trigger_state(context.scene);
    let overridden = context.policy.overridden(context.scene);
    let mut lines = Vec::new();
    if !state.triggers.is_empty() {
        lines.push(held_by(&state, theme));
        lines.extend(state.triggers.iter().map(|trigger| condition(app, context, trigger, theme)));
        if counts_failures(&state) {
            lines.push(failures(app, context, theme));
        }
    }
    if overridden.is_some_and(Override::kills_allocating_task) {
        lines.extend(growing(app, context, theme));
    }
    lines
}

/// Whether it counts failures of reclaim, which nothing shows outside the kernel.
fn counts_failures(state: &TriggerState) -> bool {
    state.triggers.iter().any(|trigger| trigger.kind == TriggerKind::ReclaimFailures)
}

/// `met        free swap: 0 KiB; needs none`.
fn condition(app: &App, context: &RowContext<'_>, trigger: &Trigger, theme: Theme) -> Labelled {
    let (now, met) = known(app, context, trigger);
    let (word, style) = match met {
        Some(true) => ("met", theme.plain()),
        Some(false) => ("NOT met", theme.strong()),
        None => ("unknown", theme.dim()),
    };
    let text = if met.is_none() {
        format!("{}: needs {}", trigger.what, trigger.wants)
    } else {
        format!("{}: {now}; needs {}", trigger.what, trigger.wants)
    };
    (word, text, style)
}

/// What is known of a condition. That of the last kill is compared with the kills of the running
/// kernel.
fn known(app: &App, context: &RowContext<'_>, trigger: &Trigger) -> (String, Option<bool>) {
    if trigger.kind != TriggerKind::LastKill || trigger.met.is_some() {
        return (trigger.now.clone(), trigger.met);
    }
    match (since_last_kill(context), kills(app, context)) {
        (Some(seconds), _) => {
            (format!("{} ago, by the running kernel", span_of(seconds)), Some(seconds >= 5))
        }
        (None, Some(0)) => ("none since doomtop started".to_owned(), Some(true)),
        _ => (trigger.now.clone(), None),
    }
}

/// The seconds since the running kernel killed a process.
fn since_last_kill(context: &RowContext<'_>) -> Option<u64> {
    let kill = context.scene.kills().last()?;
    let now = context.scene.now().clock.monotonic_ms;
    Some(now.saturating_sub(kill.at).0 / 1000)
}

/// The kills that the running kernel counted since doomtop started.
fn kills(app: &App, context: &RowContext<'_>) -> Option<u64> {
    let now = context.scene.now().traffic.oom_kills.value()?;
    Some(now.saturating_sub(app.refresh.kills_at_start?))
}

/// The conditions that are not met.
fn held_by(state: &TriggerState, theme: Theme) -> Labelled {
    let unmet: Vec<&str> =
        state.triggers.iter().filter(|it| it.met == Some(false)).map(|it| it.what).collect();
    if unmet.is_empty() {
        let text = "none that is visible from outside";
        return ("unmet", text.to_owned(), theme.warn());
    }
    ("unmet", unmet.join(", "), theme.strong())
}

/// What is known of failures of reclaim: the running kernel counts only its kills.
fn failures(app: &App, context: &RowContext<'_>, theme: Theme) -> Labelled {
    let text = match kills(app, context) {
        None => "not visible from outside, and neither are kills here".to_owned(),
        Some(0) => "not visible from outside; no kill since doomtop started".to_owned(),
        Some(1) => "1 kill since doomtop started: reclaim failed then".to_owned(),
        Some(many) => format!("{many} kills since doomtop started: reclaim failed each time"),
    };
    ("failures", text, theme.plain())
}

/// The processes that grow fastest, where the allocating task is killed.
fn growing(app: &App, context: &RowContext<'_>, theme: Theme) -> Vec<Labelled> {
    let mut lines = vec![("dies", "the task that allocates memory next".to_owned(), theme.warn())];
    let fastest = app.growing.as_deref().unwrap_or_default();
    if fastest.is_empty() {
        let known = app.growing.is_some() && context.scene.before().is_some();
        let text = if known { "no process in the last minute" } else { "known at the next sample" };
        lines.push(("growing", text.to_owned(), theme.plain()));
    }
    for (nth, &(id, growth)) in fastest.iter().enumerate() {
        let (label, fastest) = if nth == 0 { ("growing", "fastest: ") } else { ("", "") };
        let size = text::size(context, Pages(growth.0.unsigned_abs()));
        let name = text::name(context, id);
        lines.push((label, format!("{fastest}{name} +{size}/min"), theme.plain()));
    }
    lines
}
