//! What holds a killer back: its conditions one by one, and where there is no killer at all, who
//! grows most and so is the likeliest to ask for memory when there is none.

use ratatui::style::Style;
use ratatui::text::{Line, Span};

use crate::app::App;
use crate::columns::{RowContext, span_of};
use crate::policy::{Override, Trigger, TriggerState};
use crate::ui::paint::text;
use crate::ui::paint::theme::Theme;
use crate::units::Pages;

/// Its conditions and what is seen of them, a line each. Nothing for a killer that has none.
#[must_use]
pub fn lines(app: &App, context: &RowContext<'_>, theme: Theme) -> Vec<Line<'static>> {
    let armed = context.policy.trigger_state(context.scene);
    let off = context.policy.overridden(context.scene);
    let mut lines = Vec::new();
    if !armed.triggers.is_empty() {
        lines.push(held(&armed, theme));
        lines.extend(armed.triggers.iter().map(|trigger| condition(app, context, trigger, theme)));
        if counts_failures(&armed) {
            lines.push(failures(app, context, theme));
        }
    }
    if off.is_some_and(Override::kills_allocating_task) {
        lines.extend(growing(app, context, theme));
    }
    lines
}

fn say(label: &str, text: String, style: Style, theme: Theme) -> Line<'static> {
    Line::from(vec![
        Span::styled(format!("{label:<10} "), theme.label()),
        Span::styled(text, style),
    ])
}

/// Whether it counts failures, which only the kernel's inside does.
fn counts_failures(armed: &TriggerState) -> bool {
    armed.triggers.iter().any(|trigger| trigger.what.contains("failure"))
}

/// `met        free swap: 0 KiB; wants none`.
fn condition(
    app: &App,
    context: &RowContext<'_>,
    trigger: &Trigger,
    theme: Theme,
) -> Line<'static> {
    let (now, met) = seen(app, context, trigger);
    let (word, style) = match met {
        Some(true) => ("met", theme.plain()),
        Some(false) => ("NOT met", theme.strong()),
        None => ("unseen", theme.dim()),
    };
    let text = if met.is_none() {
        format!("{}: wants {}", trigger.what, trigger.wants)
    } else {
        format!("{}: {now}; wants {}", trigger.what, trigger.wants)
    };
    say(word, text, style, theme)
}

/// What is known of a condition: the pause after a kill can be told from the kills of today's kernel.
fn seen(app: &App, context: &RowContext<'_>, trigger: &Trigger) -> (String, Option<bool>) {
    if trigger.what != "last kill" || trigger.met.is_some() {
        return (trigger.now.clone(), trigger.met);
    }
    match (last_kill(context), kills(app, context)) {
        (Some(seconds), _) => {
            (format!("{} ago, by the running kernel", span_of(seconds)), Some(seconds >= 5))
        }
        (None, Some(0)) => ("none since doomtop began".to_owned(), Some(true)),
        _ => (trigger.now.clone(), None),
    }
}

/// How many seconds ago the running kernel killed somebody.
fn last_kill(context: &RowContext<'_>) -> Option<u64> {
    let kill = context.scene.kills().last()?;
    let now = context.scene.now().clock.monotonic_ms;
    Some(now.saturating_sub(kill.at).0 / 1000)
}

/// How many kills the running kernel counted since doomtop began.
fn kills(app: &App, context: &RowContext<'_>) -> Option<u64> {
    let now = context.scene.now().traffic.oom_kills.value()?;
    Some(now.saturating_sub(app.refresh.kills_at_start?))
}

/// What keeps it from acting at this moment.
fn held(armed: &TriggerState, theme: Theme) -> Line<'static> {
    let unmet: Vec<&str> =
        armed.triggers.iter().filter(|it| it.met == Some(false)).map(|it| it.what).collect();
    if unmet.is_empty() {
        let text = "nothing that can be seen from outside";
        return say("held by", text.to_owned(), theme.warn(), theme);
    }
    say("held by", unmet.join(", "), theme.strong(), theme)
}

/// What can be said of failures: the kernel that runs has its own, and counts only its kills.
fn failures(app: &App, context: &RowContext<'_>, theme: Theme) -> Line<'static> {
    let text = match kills(app, context) {
        None => "not visible from outside, and neither are kills here".to_owned(),
        Some(0) => "not counted outside; no kill since doomtop began".to_owned(),
        Some(1) => "1 kill since doomtop began: reclaim failed then".to_owned(),
        Some(many) => format!("{many} kills since doomtop began: reclaim failed each time"),
    };
    say("failures", text, theme.plain(), theme)
}

/// Who asks for memory: whoever grows.
fn growing(app: &App, context: &RowContext<'_>, theme: Theme) -> Vec<Line<'static>> {
    let mut lines =
        vec![say("dies", "whoever asks for memory next".to_owned(), theme.warn(), theme)];
    let most = app.growing.as_deref().unwrap_or_default();
    if most.is_empty() {
        let known = app.growing.is_some() && context.scene.before().is_some();
        let text = if known { "nobody in the last minute" } else { "known at the next look" };
        lines.push(say("grows most", text.to_owned(), theme.plain(), theme));
    }
    for (nth, &(id, grown)) in most.iter().enumerate() {
        let label = if nth == 0 { "grows most" } else { "" };
        let size = text::size(context, Pages(grown.0.unsigned_abs()));
        let name = context.scene.find(id).map_or_else(|| id.to_string(), text::who);
        lines.push(say(label, format!("{name} +{size}/min"), theme.plain(), theme));
    }
    lines
}
