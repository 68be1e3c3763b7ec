//! The lower part of the Verdicts view: the leading processes, and their rank by each policy.

use std::borrow::Cow;

use ratatui::layout::Rect;
use ratatui::style::Style;

use crate::app::App;
use crate::app::view::verdicts::VerdictRow;
use crate::forecast::killer_verdict::{KillerOpinion, OpinionCertainty};
use crate::model::Process;
use crate::ui::paint::canvas::{Canvas, cells};
use crate::ui::paint::theme::Theme;

/// The name of a policy over a narrow column: the version of a kernel, else the last word behind the
/// first letters of the others.
fn short(id: &str) -> Cow<'_, str> {
    if let Some(version) = id.strip_prefix("linux-") {
        let version = version.split_once(':').map_or(version, |(_, later)| later);
        return version.rsplit_once('-').map_or(version, |(_, name)| name).into();
    }
    match id.rsplit_once('-') {
        Some((first, last)) if cells(id) >= WIDEST => {
            let letters = first.split('-').filter_map(|word| word.chars().next());
            format!("{}-{last}", letters.collect::<String>()).into()
        }
        _ => id.into(),
    }
}

/// The maximum width of a column of ranks, in cells.
const WIDEST: u16 = 9;

/// The width of a column, with a mark on each side of the number.
fn column(opinion: &KillerOpinion, digits: u16) -> u16 {
    (cells(&short(opinion.policy.id())) + 1).clamp(digits + 2, WIDEST)
}

/// The first column that is shown, and of each that fits its number, place and width.
fn columns(app: &App, width: u16, digits: u16) -> (usize, Vec<(usize, u16, u16)>) {
    let view = &app.views.verdicts;
    let widths: Vec<u16> = view.lines.iter().map(|it| column(it, digits) + 1).collect();
    let before = if width < 60 { 20 } else { 27 };
    let room = width.saturating_sub(before);
    let fit_back = |end: usize| {
        let mut taken = 0;
        let mut from = end;
        while from > 0 && taken + widths[from - 1] <= room {
            from -= 1;
            taken += widths[from];
        }
        from
    };
    let last = fit_back(widths.len());
    let cursor = view.cursor.at.min(widths.len().saturating_sub(1));
    let first = view.skipped.unwrap_or_else(|| fit_back(cursor + 1)).min(last);
    let mut x = before;
    let mut found = Vec::new();
    for (nth, &cells) in widths.iter().enumerate().skip(first) {
        if x + cells > width + 1 {
            break;
        }
        found.push((nth, x, cells - 1));
        x += cells;
    }
    (first, found)
}

/// Paints them; gives back how many columns were left out on the left.
pub fn paint(app: &App, area: Rect, canvas: &mut Canvas<'_>) -> u16 {
    let theme = canvas.theme;
    let view = &app.views.verdicts;
    let Some(scene) = &app.scene else { return 0 };
    let dies = |row: &VerdictRow| {
        let process = scene.now().processes.get(row.at);
        process.is_some_and(|it| app.opinion().is_some_and(|own| own.takes(it).is_some()))
    };
    let rows = shown(&view.rows, usize::from(area.height) - 1, dies);
    let rank = |row: &VerdictRow| view.lines.iter().filter_map(|it| it.rank_at(row.at)).max();
    let most = rows.iter().filter_map(|&row| rank(row)).max().unwrap_or(1);
    let digits = most.to_string().len() as u16;
    let (first, columns) = columns(app, area.width, digits);
    let strip = Rect { height: 1, ..area };
    canvas.style(strip, theme.head());
    canvas.right(area.x, area.y, 8, "PID", theme.head());
    canvas.text(area.x + 9, area.y, 12, "COMMAND", theme.head());
    for &(nth, x, width) in &columns {
        let title = short(view.lines[nth].policy.id());
        let style = if nth == view.cursor.at { theme.sorted_head() } else { theme.head() };
        let taken = cells(&title).min(width - 1);
        canvas.text(area.x + x + width - 1 - taken, area.y, taken, &title, style);
    }
    let room = columns.first().map_or(area.width, |&(_, x, _)| x).saturating_sub(10);
    for (y, row) in (area.top() + 1..area.bottom()).zip(rows) {
        let Some(process) = scene.now().processes.get(row.at) else { continue };
        let current = view.lines.iter().find(|it| it.policy.id() == app.policy().id());
        let dies = current.is_some_and(|it| it.takes(process) == Some(OpinionCertainty::Surely));
        let style = if dies { theme.victim() } else { theme.plain() };
        canvas.right(area.x, y, 8, &process.id.to_string(), style);
        canvas.text(area.x + 9, y, room, &process.comm.to_string(), style);
        for &(nth, x, width) in &columns {
            let (text, style) = cell(&view.lines[nth], process, row.at, theme);
            canvas.right(area.x + x, y, width, &text, style);
        }
    }
    u16::try_from(first).unwrap_or(u16::MAX)
}

/// A rank: in brackets where the process dies, with a question mark where it may die.
fn cell(opinion: &KillerOpinion, process: &Process, at: usize, theme: Theme) -> (String, Style) {
    let rank = opinion.rank_at(at);
    let number = rank.map_or_else(|| "-".to_owned(), |rank| rank.to_string());
    match (opinion.takes(process), rank) {
        (Some(OpinionCertainty::Surely), _) => (format!("[{number}]"), theme.victim()),
        (Some(OpinionCertainty::Perhaps), _) => (format!("{number}?"), theme.candidate()),
        (None, Some(1..=5)) => (format!("{number} "), theme.plain()),
        (None, _) => (format!("{number} "), theme.dim()),
    }
}

/// The rows that fit, in their order: those that die by the policy under the cursor go before those
/// that die by another.
fn shown(rows: &[VerdictRow], room: usize, dies: impl Fn(&VerdictRow) -> bool) -> Vec<&VerdictRow> {
    let mut best: Vec<(bool, u32, usize)> =
        rows.iter().zip(0..).map(|(row, nth)| (!dies(row), row.best, nth)).collect();
    best.sort_unstable();
    best.truncate(room);
    best.sort_unstable_by_key(|&(.., nth)| nth);
    best.into_iter().map(|(.., nth)| &rows[nth]).collect()
}
