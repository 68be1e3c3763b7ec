//! Why a process has its rank: every term, what would change it, and what dies with it. The panel has
//! the most important lines, the page all of them.

pub(crate) mod death;
pub(crate) mod explained_process;
pub(crate) mod identity;
pub(crate) mod keys;
pub(crate) mod killed;
pub(crate) mod score;
pub(crate) mod what_if;

use ratatui::text::Line;

use crate::app::App;
use crate::ui::paint::lines::wrap;
use crate::ui::paint::text;
use crate::ui::paint::theme::Theme;
use crate::ui::panel::explain::explained_process::{Case, LABEL};

/// The indent of a line that goes on in the next one.
pub(crate) const INDENT: u16 = LABEL as u16 + 1;

/// The title of panel and page.
#[must_use]
pub fn title(app: &App) -> String {
    if let Some(row) = killed::row(app) {
        return format!("Killed: {} {}", row.id, row.cell("command"));
    }
    let found = app.context().zip(app.selected());
    found.map_or_else(
        || "Explain".to_owned(),
        |(context, process)| {
            format!("Explain {} ({})", text::who(process), text::user(&context, process))
        },
    )
}

/// The lines of a panel with room for so many cells and lines, the most important first and the keys last. What is
/// less important is left out before anything is cut.
#[must_use]
pub fn brief(app: &App, theme: Theme, (room, height): (u16, u16)) -> Vec<Line<'static>> {
    if let Some(row) = killed::row(app) {
        return killed::lines(app, row, theme);
    }
    let Some((context, process)) = app.context().zip(app.selected()) else {
        return vec![Line::styled("that process is gone", theme.dim())];
    };
    let case = Case { app, context: &context, process, theme, room };
    let mut lines = case.verdict();
    lines.extend(case.stalled());
    lines.extend(case.rank());
    lines.extend(case.what_if());
    lines.push(case.kernel_score());
    let rest = [
        case.killed_with_it(),
        case.dies_with_it(),
        case.cgroup(),
        case.frees(),
        case.capabilities(),
        case.parent(),
        case.command(),
    ];
    lines.extend(rest.into_iter().flatten());
    let keys = case.keys();
    let mut left = usize::from(height).saturating_sub(keys.len());
    let mut shown = Vec::with_capacity(usize::from(height));
    for line in lines {
        let needed = wrap(&line, room, INDENT).len();
        // Where not even one line is whole, its beginning is better than nothing.
        if needed <= left || (shown.is_empty() && left > 0) {
            left = left.saturating_sub(needed);
            shown.push(line);
        }
    }
    shown.extend(keys);
    shown
}
