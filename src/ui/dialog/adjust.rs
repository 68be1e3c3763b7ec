//! The editor of oom_score_adj: what is, what would be, and what the kernel will say to it.

use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use crate::app::App;
use crate::app::dialog::adjust::{AdjScale, AdjustDialog};
use crate::columns::{RowContext, cgroup_leaf};
use crate::model::Machine;
use crate::plan::preview::Preview;
use crate::plan::rights::WriteRights;
use crate::policy::BadnessUnit;
use crate::rank::Placement;
use crate::ui::dialog::popup;
use crate::ui::paint::canvas::{Canvas, cells as cells_of};
use crate::ui::paint::text;
use crate::ui::paint::theme::Theme;
use crate::units::{Adj, LegacyAdj, Pages};

/// Paints it.
pub fn paint(app: &App, edit: &AdjustDialog, area: Rect, canvas: &mut Canvas<'_>) -> bool {
    let theme = canvas.theme;
    let Some(context) = app.context() else { return false };
    let process = context.scene.find(edit.who);
    let file = match edit.scale {
        AdjScale::Modern => "oom_score_adj",
        AdjScale::Legacy => "oom_adj",
    };
    let user = process.map_or_else(|| "gone".to_owned(), |it| text::user(&context, it));
    let age = text::age(context.scene, edit.who);
    let title = format!("{file} of {} {} ({user}), started {age} ago", edit.who, edit.name);
    let mut lines: Vec<popup::PriorityLine> = vec![(0, value_line(edit, &context, theme))];
    if edit.is_wide() {
        lines.push((0, reach(edit, theme)));
    }
    lines.push((7, slider(edit, theme)));
    lines.push((6, presets(edit, theme)));
    match (&edit.previews.own, edit.value()) {
        (Some(own), _) => {
            lines.extend(previews(edit, own, edit.previews.kernel.as_ref(), &context, theme));
        }
        (None, None) => lines.push((1, Line::styled(edit.complaint(), theme.warn()))),
        (None, Some(_)) => lines.push((1, Line::styled("that process is gone", theme.warn()))),
    }
    lines.extend(proposals(edit, &context, theme).map(|line| (3, line)));
    lines.push((5, other_scale(edit, context.scene.machine(), theme)));
    lines.push((9, Line::default()));
    if let Some(warning) = edit.warning {
        lines.push((1, Line::styled(format!("! {warning}"), theme.warn())));
    }
    let style = if matches!(edit.rights, WriteRights::Any { contained: false }) {
        theme.good()
    } else {
        theme.dim()
    };
    // What refuses everything was said already.
    if !matches!(edit.rights, WriteRights::Nothing(_)) {
        lines.push((6, Line::styled(edit.rights.words(), style)));
    }
    let kin = edit.kin.words();
    let shared = kin.len() - 1;
    for (nth, text) in kin.into_iter().enumerate().filter(|_| !edit.is_wide()) {
        let (rank, style) = if nth < shared { (2, theme.warn()) } else { (5, theme.dim()) };
        lines.push((rank, Line::styled(text, style)));
    }
    let unit = process
        .and_then(|process| process.cgroup.as_ref().value())
        .map(|path| cgroup_leaf(path.as_str()))
        .filter(|leaf| leaf.ends_with(".service"))
        .zip(edit.value());
    let keep = match unit {
        Some((unit, value)) => format!("W: OOMScoreAdjust={} in {unit}", value.0),
        None => "W: how to keep it".to_owned(),
    };
    lines.push((6, Line::styled(format!("it is lost at restart; {keep}"), theme.dim())));
    lines.push((9, Line::default()));
    lines.push((0, keys(edit, theme)));
    lines.push((8, more_keys(app, edit, theme)));
    popup::paint(&title, lines, theme.frame(), area, canvas)
}

fn value_line(edit: &AdjustDialog, context: &RowContext<'_>, theme: Theme) -> Line<'static> {
    let now = match edit.scale {
        AdjScale::Modern => edit.from.to_string(),
        AdjScale::Legacy => context.scene.machine().legacy(edit.from).to_string(),
    };
    let input = if edit.fresh { theme.strong().patch(theme.cursor()) } else { theme.strong() };
    let mut spans = vec![
        Span::raw(format!("now {now} {} new [ ", theme.arrow())),
        Span::styled(edit.typed.clone(), input),
    ];
    if !edit.fresh {
        spans.push(Span::styled(" ", theme.cursor()));
    }
    spans.push(Span::raw(" ]"));
    Line::from(spans)
}

/// Whom else it is about.
fn reach(edit: &AdjustDialog, theme: Theme) -> Line<'static> {
    let count = edit.reached.len();
    let but = if edit.reached.contains(&edit.who) { "" } else { ", not to this one" };
    Line::from(vec![
        Span::styled(format!("to all {count} {}{but}", edit.reach.words()), theme.tag()),
        Span::styled(": Enter lists them before anything is written", theme.dim()),
    ])
}

/// The values that PgUp and PgDn go to.
fn presets(edit: &AdjustDialog, theme: Theme) -> Line<'static> {
    let mut spans = vec![Span::styled("presets", theme.dim())];
    let number = edit.value().map(|_| edit.number());
    for &(value, word) in edit.scale.presets() {
        let sign = if value > 0 { "+" } else { "" };
        let gap = if word.is_empty() { "" } else { " " };
        let style = if number == Some(value) { theme.strong() } else { theme.dim() };
        spans.push(Span::raw("  "));
        spans.push(Span::styled(format!("{sign}{value}{gap}{word}"), style));
    }
    Line::from(spans)
}

/// Where zero, the old and the new value stand between the ends of the scale.
fn slider(edit: &AdjustDialog, theme: Theme) -> Line<'static> {
    const TRACK: usize = 41;
    let [track, zero, old, new] = theme.slider();
    let (low, high) = edit.scale.ends();
    let on_scale = |adj: Adj| match edit.scale {
        AdjScale::Modern => i64::from(adj.0),
        AdjScale::Legacy => i64::from(adj.legacy().0),
    };
    let at = |value: i64| {
        let share = (value.clamp(low, high) - low) as usize;
        share * (TRACK - 1) / (high - low) as usize
    };
    let typed = edit.value().map(|value| at(on_scale(value)));
    let (from, middle) = (at(on_scale(edit.from)), at(0));
    let mut spans = vec![Span::styled(format!("{low:>5} "), theme.dim())];
    for cell in 0..TRACK {
        spans.push(match cell {
            _ if Some(cell) == typed => Span::styled(new, theme.strong()),
            _ if cell == from => Span::styled(old, theme.label()),
            _ if cell == middle => Span::styled(zero, theme.dim()),
            _ => Span::styled(track, theme.dim()),
        });
    }
    spans.push(Span::styled(format!(" +{high}"), theme.dim()));
    Line::from(spans)
}

/// What follows by the chosen rule, and by the kernel's where that is another one: side by side where
/// they differ.
fn previews(
    edit: &AdjustDialog,
    own: &Preview,
    kernel: Option<&Preview>,
    context: &RowContext<'_>,
    theme: Theme,
) -> Vec<popup::PriorityLine> {
    let first = |preview: &Preview| {
        if edit.is_wide() { best(edit, preview, theme) } else { change(preview, context, theme) }
    };
    let Some(kernel) = kernel else {
        return vec![(2, first(own)), (1, then(own, theme))];
    };
    if own.agrees(kernel) {
        let text = "by the kernel's own rule it is the same";
        return vec![(2, first(own)), (1, then(own, theme)), (6, Line::styled(text, theme.dim()))];
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
            format!("by {}: knows no adj", preview.policy)
        }
    };
    let mut lines = vec![(1, row("", both.map(by), theme.dim()))];
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
    lines.push((1, row("next", both.map(next), theme.strong())));
    lines
}

/// The best place of all that are changed, before and after.
fn best(edit: &AdjustDialog, preview: &Preview, theme: Theme) -> Line<'static> {
    let [before, after] = places(preview.best);
    Line::from(vec![
        Span::styled(format!("the {} of them  ", edit.reached.len()), theme.label()),
        Span::raw("best rank "),
        Span::raw(format!("{before} {} ", theme.arrow())),
        Span::styled(after, theme.strong()),
    ])
}

/// One to the other.
fn arrow([before, after]: [String; 2], theme: Theme) -> String {
    format!("{before} {} {after}", theme.arrow())
}

/// Cells of the word before what two rules say.
const LABEL: usize = 10;
/// Cells of what the first of them says.
const COLUMN: u16 = 28;

/// Points, before and after.
fn amounts(preview: &Preview, context: &RowContext<'_>) -> [String; 2] {
    [preview.before, preview.after].map(|standing| match (standing, preview.unit) {
        (Placement::Scored(points), BadnessUnit::Pages) => {
            let sign = if points.0 < 0 { "-" } else { "" };
            format!("{sign}{}", text::size(context, Pages(points.0.unsigned_abs())))
        }
        (Placement::Scored(points), BadnessUnit::Bare) => text::grouped(points.0),
        (Placement::Spared(reason), _) => reason.word().to_owned(),
    })
}

/// Shares of the domain, before and after; points that are no pages have none.
fn shares(preview: &Preview, context: &RowContext<'_>) -> Option<[String; 2]> {
    let share = |standing: Placement| match standing.points() {
        Some(points) => text::permille(context, points).to_string(),
        None => "-".to_owned(),
    };
    (preview.unit == BadnessUnit::Pages).then(|| [preview.before, preview.after].map(share))
}

fn places(ranks: [Option<usize>; 2]) -> [String; 2] {
    ranks.map(|rank| rank.map_or_else(|| "-".to_owned(), |rank| rank.to_string()))
}

fn next(preview: &Preview) -> String {
    match &preview.victim {
        Some((id, name)) => {
            let close = if preview.too_close { ", too close" } else { "" };
            format!("{} {name}{close}", id.pid)
        }
        None => "nobody".to_owned(),
    }
}

/// Badness, share and rank, before and after.
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

/// Who would be next then.
fn then(preview: &Preview, theme: Theme) -> Line<'static> {
    let Some((id, name)) = &preview.victim else {
        return Line::styled("then nobody can be chosen", theme.danger());
    };
    let verb = if preview.victim_stays { "stays" } else { "becomes" };
    let style = if preview.victim_stays { theme.plain() } else { theme.victim() };
    let mut line = Line::from(vec![
        Span::styled(format!("next victim {verb} "), theme.label()),
        Span::styled(format!("{id} {name}"), style),
    ]);
    if preview.too_close {
        line.spans.push(Span::styled("  (too close to call)", theme.warn()));
    }
    line
}

/// The smallest changes that matter, and their keys.
fn proposals(edit: &AdjustDialog, context: &RowContext<'_>, theme: Theme) -> Option<Line<'static>> {
    let found = edit.proposals;
    let key =
        |key: &'static str, text: String| vec![Span::styled(key, theme.strong()), Span::raw(text)];
    let mut spans = match (edit.is_wide(), found.out, found.first) {
        (true, None, None) => {
            let mut spans = key("o", " none of them first   ".to_owned());
            spans.extend(key("f", " one of them first".to_owned()));
            spans
        }
        (_, Some(out), _) => key("o", format!(" {out}: just out of first place")),
        (_, None, Some(first)) => key("f", format!(" {first}: just into first place")),
        (false, None, None) => return None,
    };
    if !found.policy.is_empty() && found.policy != context.policy.id() {
        spans.push(Span::styled(format!(" (by {})", found.policy), theme.dim()));
    }
    Some(Line::from(spans))
}

/// The same value on the other scale, and what the coarse one loses.
fn other_scale(edit: &AdjustDialog, machine: &Machine, theme: Theme) -> Line<'static> {
    let Some(value) = edit.value() else { return Line::default() };
    let reads = machine.legacy(value);
    let text = match edit.scale {
        AdjScale::Legacy => {
            let typed = LegacyAdj::clamped(edit.number());
            let loss = if reads == typed { "" } else { " (rounded towards 0)" };
            format!("oom_adj {typed} writes {}, reads back {reads}{loss}", value.0)
        }
        AdjScale::Modern => {
            let loss = match reads {
                // Before 5.10 the kernel shows a value that it does not take.
                LegacyAdj(16) => "; this kernel shows 16, and refuses it when written".to_owned(),
                reads if reads.modern() == value => String::new(),
                reads => format!("; writing that would give {}", reads.modern().0),
            };
            format!("as legacy oom_adj it reads {reads}{loss}")
        }
    };
    Line::styled(text, theme.dim())
}

fn keys(edit: &AdjustDialog, theme: Theme) -> Line<'static> {
    let enter = if edit.is_wide() { " list them   " } else { " apply   " };
    pairs(
        &[
            ("Enter", enter),
            ("Esc", " leave it   "),
            ("Tab", " other scale   "),
            ("arrows", " 50 or 10"),
        ],
        theme,
    )
}

fn more_keys(app: &App, edit: &AdjustDialog, theme: Theme) -> Line<'static> {
    let tagged = app.table.tags.iter().filter(|&&id| id != edit.who).count();
    let whom = if edit.is_wide() || tagged == 0 { " to whom   " } else { " to the tagged   " };
    pairs(
        &[("t", whom), ("o f", " out of or into first place   "), ("PgUp PgDn", " presets")],
        theme,
    )
}

fn pairs(pairs: &[(&'static str, &'static str)], theme: Theme) -> Line<'static> {
    let mut spans = Vec::new();
    for &(key, what) in pairs {
        spans.push(Span::styled(key, theme.strong()));
        spans.push(Span::raw(what));
    }
    Line::from(spans)
}
