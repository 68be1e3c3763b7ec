//! The explain page: everything about the rank of the process under the cursor.

use ratatui::layout::Rect;
use ratatui::text::Line;

use crate::app::App;
use crate::policy::BadnessUnit;
use crate::ui::paint::canvas::Canvas;
use crate::ui::paint::scroll::{self, PageShown};
use crate::ui::paint::text;
use crate::ui::paint::theme::Theme;
use crate::ui::panel::explain::explained_process::{Case, LABEL};
use crate::ui::panel::{conditions, explain};

/// Paints the page.
pub fn paint(app: &App, scroll: u16, area: Rect, canvas: &mut Canvas<'_>) -> PageShown {
    let lines = lines(app, canvas.theme, area.width.saturating_sub(4));
    scroll::paint(&explain::title(app), &lines, explain::INDENT, scroll, area, canvas)
}

fn lines(app: &App, theme: Theme, room: u16) -> Vec<Line<'static>> {
    if let Some(row) = explain::killed::row(app) {
        return explain::killed::lines(app, row, theme);
    }
    let Some((context, process)) = app.context().zip(app.selected()) else {
        return vec![Line::styled("that process is gone", theme.dim())];
    };
    let case = Case { app, context: &context, process, theme, room };
    let mut lines = why_this_rank(&case);
    lines.push(Line::default());
    lines.push(case.heading("What would change it"));
    lines.extend(case.what_if());
    lines.extend(case.legacy());
    lines.push(Line::default());
    lines.extend(if_it_dies(&case));
    let conditions = conditions::lines(app, &context, theme, LABEL);
    if !conditions.is_empty() {
        lines.push(Line::default());
        lines.push(case.heading("When the killer acts"));
        lines.push(case.text("the killer", &context.policy.trigger_state(context.scene).why));
        lines.extend(conditions);
    }
    lines.push(Line::default());
    lines.push(case.heading("The process"));
    lines.extend(case.identity());
    lines.extend(case.graphics());
    lines.extend(case.capabilities());
    lines.extend(case.cgroup());
    lines.extend(case.limit());
    lines.extend(case.parent());
    lines.extend(case.command());
    lines.push(Line::default());
    lines.extend(case.keys());
    lines
}

fn why_this_rank(case: &Case<'_>) -> Vec<Line<'static>> {
    let policy = case.context.policy;
    let units = if policy.info().unit == BadnessUnit::Pages { " (size, pages)" } else { "" };
    let title = format!("Why it has this rank, by the rule of {}{units}", policy.title());
    let mut lines = vec![case.heading(&title)];
    lines.extend(case.verdict());
    lines.push(case.kernel_score());
    lines.extend(case.rank());
    lines.extend(case.stalled());
    lines.push(case.text("rule", policy.info().about));
    let cites = policy.info().cites.iter();
    lines.extend(cites.map(|cite| case.text("", &format!("{} at {}", cite.place, cite.at))));
    lines
}

fn if_it_dies(case: &Case<'_>) -> Vec<Line<'static>> {
    let (policy, process) = (case.context.policy, case.process);
    let mut lines = vec![case.heading("If it dies")];
    let action = policy.action(process);
    lines.push(case.text("signal", &format!("{}: {}", action.signal, action.why)));
    if let Some((other, why)) = policy.killed_instead(process, case.context.scene) {
        lines.push(case.text("instead", &format!("{} dies: {why}", text::who(other))));
    }
    lines.extend(case.sacrifice());
    lines.extend(case.frees());
    lines.extend(case.all_that_dies_with_it());
    lines
}
