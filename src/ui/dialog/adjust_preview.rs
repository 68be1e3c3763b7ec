//! The preview of a new oom_score_adj: badness, rank and next victim by the chosen policy, and by the
//! kernel's where that is another one.

use ratatui::style::Style;
use ratatui::text::{Line, Span};

use crate::app::dialog::adjust::AdjustDialog;
use crate::columns::RowContext;
use crate::plan::preview::Preview;
use crate::policy::BadnessUnit;
use crate::rank::Placement;
use crate::ui::paint::canvas::cells as cells_of;
use crate::ui::paint::popup::{MUST_READ, PriorityLine};
use crate::ui::paint::text;
use crate::ui::paint::theme::Theme;
use crate::units::Pages;

/// The lines of the preview by the chosen policy. That of the kernel is beside it where they differ.
pub fn previews(
    edit: &AdjustDialog,
    own: &Preview,
    kernel: Option<&Preview>,
    context: &RowContext<'_>,
    theme: Theme,
) -> Vec<PriorityLine> {
    let first = |preview: &Preview| {
        if edit.is_wide() { best(edit, preview, theme) } else { change(preview, context, theme) }
    };
    let Some(kernel) = kernel else {
        return vec![(2, first(own)), then(edit, own, theme)];
    };
    if own.agrees(kernel) {
        let text = "by the kernel's own rule it is the same";
        return vec![(2, first(own)), then(edit, own, theme), (6, Line::styled(text, theme.dim()))];
    }
    let both = [own, kernel];
    let row = |label: &str, cells: [String; 2], style: Style| {
        let [left, right] = cells;
        let pad = usize::from(COLUMN.saturating_sub(cells_of(&left)));
        Line::from(vec![
            Span::styled(format!("{label:<LABEL$}"), theme.label()),
            Span::styled(format!("{left}{:pad$}  ", ""), style),
            Span::styled(right, style),
        ])
    };
    let by = |preview: &Preview| {
        if preview.knows_adj || !preview.is_idle() {
            format!("by {}", preview.policy)
        } else {
            format!("by {}: does not use adj", preview.policy)
        }
    };
    let mut lines = vec![(2, row("", both.map(by), theme.dim()))];
    if edit.is_wide() {
        lines.push((
            2,
            row("best rank", both.map(|it| arrow(places(it.best), theme)), theme.plain()),
        ));
    } else {
        let ranks = |it: &Preview| arrow(places([it.rank_before, it.rank_after]), theme);
        let points = |it: &Preview| arrow(amounts(it, context), theme);
        lines.push((2, row("badness", both.map(points), theme.plain())));
        lines.push((2, row("rank", both.map(ranks), theme.plain())));
    }
    lines.push((2, row("next", both.map(next), theme.strong())));
    lines
}

/// The best rank of all processes that are changed, before and after.
fn best(edit: &AdjustDialog, preview: &Preview, theme: Theme) -> Line<'static> {
    let [before, after] = places(preview.best);
    Line::from(vec![
        Span::styled(format!("the {} of them  ", edit.reached.len()), theme.label()),
        Span::raw("best rank "),
        Span::raw(format!("{before} {} ", theme.arrow())),
        Span::styled(after, theme.strong()),
    ])
}

/// `4 → 2`.
fn arrow([before, after]: [String; 2], theme: Theme) -> String {
    format!("{before} {} {after}", theme.arrow())
}

/// The cells of a label before two previews.
const LABEL: usize = 10;
/// The cells of the first of two previews.
const COLUMN: u16 = 28;

/// Badness before and after, or why the process is spared.
fn amounts(preview: &Preview, context: &RowContext<'_>) -> [String; 2] {
    [preview.before, preview.after].map(|placement| match (placement, preview.unit) {
        (Placement::Scored(points), BadnessUnit::Pages) => {
            let sign = if points.0 < 0 { "-" } else { "" };
            format!("{sign}{}", text::size(context, Pages(points.0.unsigned_abs())))
        }
        (Placement::Scored(points), BadnessUnit::Bare) => text::grouped(points.0),
        (Placement::Spared(reason), _) => reason.word().to_owned(),
    })
}

/// Badness in per mille of the domain, before and after; nothing where points are not pages.
fn shares(preview: &Preview, context: &RowContext<'_>) -> Option<[String; 2]> {
    let share = |placement: Placement| match placement.points() {
        Some(points) => text::permille(context, points).to_string(),
        None => "-".to_owned(),
    };
    (preview.unit == BadnessUnit::Pages).then(|| [preview.before, preview.after].map(share))
}

/// Ranks before and after.
fn places(ranks: [Option<usize>; 2]) -> [String; 2] {
    ranks.map(|rank| rank.map_or_else(|| "-".to_owned(), |rank| rank.to_string()))
}

/// The next victim.
fn next(preview: &Preview) -> String {
    match &preview.victim {
        Some((id, name)) => {
            let close = if preview.too_close { ", too close" } else { "" };
            format!("{} {name}{close}", id.pid)
        }
        None => "none".to_owned(),
    }
}

/// Badness, its share and the rank, before and after.
fn change(preview: &Preview, context: &RowContext<'_>, theme: Theme) -> Line<'static> {
    let arrow = theme.arrow();
    let pair = |label: &'static str, [before, after]: [String; 2], behind: &'static str| {
        vec![
            Span::styled(label, theme.label()),
            Span::raw(format!("{before} {arrow} ")),
            Span::styled(after, theme.strong()),
            Span::raw(behind),
        ]
    };
    let mut spans = pair("badness ", amounts(preview, context), "    ");
    if let Some(shares) = shares(preview, context) {
        spans.extend(pair("", shares, "/1000    "));
    }
    spans.extend(pair("rank ", places([preview.rank_before, preview.rank_after]), ""));
    Line::from(spans)
}

/// The next victim after the change. That there is none is a warning.
fn then(edit: &AdjustDialog, preview: &Preview, theme: Theme) -> PriorityLine {
    let Some((id, name)) = &preview.victim else {
        let text = "then no process can be chosen";
        return (MUST_READ, Line::styled(text, theme.danger()));
    };
    // The line about the predicted death says who is next.
    let first = if edit.next_death.is_some() { "now first:" } else { "next victim" };
    let verb = if preview.victim_stays { "stays" } else { "becomes" };
    let style = if preview.victim_stays { theme.plain() } else { theme.victim() };
    let mut line = Line::from(vec![
        Span::styled(format!("{first} {verb} "), theme.label()),
        Span::styled(format!("{id} {name}"), style),
    ]);
    if preview.too_close {
        line.spans.push(Span::styled("  (too close to call)", theme.warn()));
    }
    (2, line)
}
