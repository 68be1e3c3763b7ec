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
pub fn lines(app: &App, sight: &RowContext<'_>, look: Theme) -> Vec<Line<'static>> {
    let armed = sight.policy.armed(sight.scene);
    let off = sight.policy.off(sight.scene);
    let mut lines = Vec::new();
    if !armed.triggers.is_empty() {
        lines.push(held(&armed, look));
        lines.extend(armed.triggers.iter().map(|trigger| condition(app, sight, trigger, look)));
        if counts_failures(&armed) {
            lines.push(failures(app, sight, look));
        }
    }
    if off.is_some_and(Override::takes_whoever_asks) {
        lines.extend(growing(app, sight, look));
    }
    lines
}

fn say(label: &str, text: String, style: Style, look: Theme) -> Line<'static> {
    Line::from(vec![Span::styled(format!("{label:<10} "), look.label()), Span::styled(text, style)])
}

/// Whether it counts failures, which only the kernel's inside does.
fn counts_failures(armed: &TriggerState) -> bool {
    armed.triggers.iter().any(|trigger| trigger.what.contains("failure"))
}

/// `met        free swap: 0 KiB; wants none`.
fn condition(app: &App, sight: &RowContext<'_>, trigger: &Trigger, look: Theme) -> Line<'static> {
    let (now, met) = seen(app, sight, trigger);
    let (word, style) = match met {
        Some(true) => ("met", look.plain()),
        Some(false) => ("NOT met", look.strong()),
        None => ("unseen", look.dim()),
    };
    let text = if met.is_none() {
        format!("{}: wants {}", trigger.what, trigger.wants)
    } else {
        format!("{}: {now}; wants {}", trigger.what, trigger.wants)
    };
    say(word, text, style, look)
}

/// What is known of a condition: the pause after a kill can be told from the kills of today's kernel.
fn seen(app: &App, sight: &RowContext<'_>, trigger: &Trigger) -> (String, Option<bool>) {
    if trigger.what != "last kill" || trigger.met.is_some() {
        return (trigger.now.clone(), trigger.met);
    }
    match (last_kill(sight), kills(app, sight)) {
        (Some(seconds), _) => {
            (format!("{} ago, by the running kernel", span_of(seconds)), Some(seconds >= 5))
        }
        (None, Some(0)) => ("none since doomtop began".to_owned(), Some(true)),
        _ => (trigger.now.clone(), None),
    }
}

/// How many seconds ago the running kernel killed somebody.
fn last_kill(sight: &RowContext<'_>) -> Option<u64> {
    let kill = sight.scene.kills().last()?;
    let now = sight.scene.now().clock.monotonic_ms;
    Some(now.saturating_sub(kill.at).0 / 1000)
}

/// How many kills the running kernel counted since doomtop began.
fn kills(app: &App, sight: &RowContext<'_>) -> Option<u64> {
    let now = sight.scene.now().traffic.oom_kills.value()?;
    Some(now.saturating_sub(app.kills_at_start?))
}

/// What keeps it from acting at this moment.
fn held(armed: &TriggerState, look: Theme) -> Line<'static> {
    let unmet: Vec<&str> =
        armed.triggers.iter().filter(|it| it.met == Some(false)).map(|it| it.what).collect();
    if unmet.is_empty() {
        let text = "nothing that can be seen from outside";
        return say("held by", text.to_owned(), look.warn(), look);
    }
    say("held by", unmet.join(", "), look.strong(), look)
}

/// What can be said of failures: the kernel that runs has its own, and counts only its kills.
fn failures(app: &App, sight: &RowContext<'_>, look: Theme) -> Line<'static> {
    let text = match kills(app, sight) {
        None => "not visible from outside, and neither are kills here".to_owned(),
        Some(0) => "not counted outside; no kill since doomtop began".to_owned(),
        Some(1) => "1 kill since doomtop began: reclaim failed then".to_owned(),
        Some(many) => format!("{many} kills since doomtop began: reclaim failed each time"),
    };
    say("failures", text, look.plain(), look)
}

/// Who asks for memory: whoever grows.
fn growing(app: &App, sight: &RowContext<'_>, look: Theme) -> Vec<Line<'static>> {
    let mut lines = vec![say("dies", "whoever asks for memory next".to_owned(), look.warn(), look)];
    let most = app.growing.as_deref().unwrap_or_default();
    if most.is_empty() {
        let known = app.growing.is_some() && sight.scene.before().is_some();
        let text = if known { "nobody in the last minute" } else { "known at the next look" };
        lines.push(say("grows most", text.to_owned(), look.plain(), look));
    }
    for (nth, &(id, grown)) in most.iter().enumerate() {
        let label = if nth == 0 { "grows most" } else { "" };
        let size = text::size(sight, Pages(grown.0.unsigned_abs()));
        let name = sight.scene.find(id).map_or_else(|| id.to_string(), text::who);
        lines.push(say(label, format!("{name} +{size}/min"), look.plain(), look));
    }
    lines
}
