//! The panels of the policy under the cursor: its verdict and rule, and what its killer waits for.

use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use crate::app::App;
use crate::columns::RowContext;
use crate::forecast::killer_verdict::KillerOpinion;
use crate::ui::paint::canvas::Canvas;
use crate::ui::paint::label;
use crate::ui::paint::text;
use crate::ui::paint::theme::Theme;
use crate::ui::panel::{boxes, conditions};
use crate::words::overridden;

/// Where continued lines are indented: behind the labels.
const INDENT: u16 = 11;

/// Paints both panels.
pub fn paint(app: &App, _: u16, area: Rect, canvas: &mut Canvas<'_>) {
    let theme = canvas.theme;
    let [left, right] = boxes::halves(area, 55);
    let verdict = boxes::fitting(verdict(app, theme), left, INDENT);
    boxes::paint(left, &title(app), &verdict, INDENT, canvas);
    let waits_for = boxes::fitting(waits_for(app, theme), right, INDENT);
    boxes::paint(right, "What it waits for", &waits_for, INDENT, canvas);
}

fn title(app: &App) -> String {
    app.opinion()
        .map_or_else(String::new, |it| format!("{}: {}", it.policy.id(), it.policy.title()))
}

fn say(label: &str, text: String, theme: Theme) -> Line<'static> {
    label::line(theme, label, text)
}

/// Who dies by the policy under the cursor and how, then its rule.
fn verdict(app: &App, theme: Theme) -> Vec<Line<'static>> {
    let Some((context, opinion)) = app.opinion_context() else { return Vec::new() };
    let policy = opinion.policy;
    let mut lines = vec![victim_line(&context, opinion, theme)];
    let many = if opinion.eligible == 1 { "process" } else { "processes" };
    lines.push(say("eligible", format!("{} {many}", opinion.eligible), theme));
    if let Some(other) = opinion.outcome.beside() {
        let is_runner_up = Some(other) == opinion.outcome.runner_up;
        let margin = match opinion.margin {
            // The margin is that of the one chosen next, and so is its uncertainty.
            _ if !is_runner_up => "as likely to die first".to_owned(),
            Some(margin) => format!("{} behind", text::lead(&context, margin)),
            None => "ranked behind by more than points".to_owned(),
        };
        let uncertainty = if is_runner_up && opinion.slack.0 > 0 {
            format!(", uncertainty {}", text::size(&context, opinion.slack))
        } else {
            String::new()
        };
        lines.push(say(
            "runner-up",
            format!("{}, {margin}{uncertainty}", text::name(&context, other)),
            theme,
        ));
    }
    if let Some(act) = opinion.action {
        lines.push(say("signal", format!("{}: {}", act.signal, act.why), theme));
    }
    lines.extend(also_killed(&context, opinion).map(|text| say("with it", text, theme)));
    lines.push(say("rule", policy.info().about.to_owned(), theme));
    for (nth, cite) in policy.info().cites.iter().enumerate() {
        let label = if nth == 0 { "source" } else { "" };
        lines.push(say(label, format!("{} at {}", cite.place, cite.at), theme));
    }
    lines
}

/// The victim, or why there is none.
fn victim_line(context: &RowContext<'_>, opinion: &KillerOpinion, theme: Theme) -> Line<'static> {
    let outcome = &opinion.outcome;
    if let Some(off) = outcome.overridden {
        let sentence = overridden::sentence(off, context.policy, context.scene);
        let label = label::label(theme, "victim", label::PANEL);
        return Line::from(vec![label, Span::styled(sentence, theme.warn())]);
    }
    let Some(chosen) = outcome.chosen else {
        let label = label::label(theme, "victim", label::PANEL);
        let text = crate::words::next_victim::sentence(context).whole();
        return Line::from(vec![label, Span::styled(text, theme.warn())]);
    };
    let label = label::label(theme, "victim", label::PANEL);
    let mut spans = vec![label];
    match opinion.instead {
        _ if outcome.too_close() => {
            let text = format!("too close to call between {} processes", outcome.candidates);
            spans.push(Span::styled(text, theme.candidate()));
        }
        Some((other, why)) => {
            spans.push(Span::styled(text::name(context, other), theme.victim()));
            spans.push(Span::raw(format!(", in place of {}: {why}", text::name(context, chosen))));
        }
        None => {
            spans.push(Span::styled(text::name(context, chosen), theme.victim()));
            let share = outcome.permille.map(|share| format!(" {}/1000", share.0));
            spans.push(Span::raw(share.unwrap_or_default()));
        }
    }
    Line::from(spans)
}

/// Who is killed together with the victim.
fn also_killed(context: &RowContext<'_>, opinion: &KillerOpinion) -> Option<String> {
    let victim = context.scene.find(opinion.dies()?)?;
    let others = opinion.policy.also_killed(victim, context.scene);
    let count = others.len().max(opinion.outcome.also_killed);
    let first: Vec<String> = others.iter().take(2).map(|other| text::who(other)).collect();
    Some(match (count, others.len()) {
        (0, _) => "no other process".to_owned(),
        (count, 0) => format!("{count} more (memory.oom.group)"),
        (count, named) if named <= 2 && named == count => first.join(", "),
        (count, _) => format!("{} and {} more", first.join(", "), count - first.len()),
    })
}

/// What the killer under the cursor waits for.
fn waits_for(app: &App, theme: Theme) -> Vec<Line<'static>> {
    let Some((context, opinion)) = app.opinion_context() else { return Vec::new() };
    let armed = &opinion.armed;
    let label = if armed.ready { "armed" } else { "not armed" };
    let style = if armed.ready { theme.plain() } else { theme.warn() };
    let mut lines = vec![Line::from(vec![
        label::label(theme, label, label::PANEL),
        Span::styled(armed.why.clone(), style),
    ])];
    lines.extend(conditions::lines(app, &context, theme, label::PANEL));
    lines
}
