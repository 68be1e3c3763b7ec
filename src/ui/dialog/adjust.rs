//! The editor of oom_score_adj: the value, its effect on the ranking, and whether the kernel will take it.

use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use crate::app::App;
use crate::app::dialog::adjust::{AdjScale, AdjustDialog};
use crate::columns::{RowContext, cgroup_leaf};
use crate::model::{Machine, Process};
use crate::plan::adj_rights::WriteRights;
use crate::ui::dialog::adjust_preview::previews;
use crate::ui::paint::canvas::Canvas;
use crate::ui::paint::popup::Overflow;
use crate::ui::paint::theme::Theme;
use crate::ui::paint::{keys, popup, text};
use crate::units::{Adj, LegacyAdj};

/// Paints the dialog; gives back whether all of the question is on the screen.
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
    lines.extend(edit.next_death.clone().map(|text| (2, Line::styled(text, theme.strong()))));
    lines.extend(saved(edit, theme).map(|line| (3, line)));
    lines.extend(proposals(app, edit, &context, theme).map(|line| (3, line)));
    lines.push((5, other_scale(edit, context.scene.machine(), theme)));
    lines.push((9, Line::default()));
    lines.extend(rights(edit, theme));
    if !edit.is_wide() {
        lines.extend(kin(edit, theme));
    }
    lines.push((6, Line::styled(persistence(edit, process), theme.dim())));
    lines.push((9, Line::default()));
    lines.extend(keys::without_effect_line(theme, app.start.acting));
    lines.push((0, answers(edit, theme)));
    lines.push((8, other_keys(app, edit, theme)));
    popup::paint(&title, lines, (0, Overflow::Needs), theme.frame(), area, canvas).dialog
}

/// Whether the user may write the value.
fn rights(edit: &AdjustDialog, theme: Theme) -> Vec<popup::PriorityLine> {
    let mut lines = Vec::new();
    if let Some(warning) = edit.warning {
        lines.push((1, Line::styled(format!("! {warning}"), theme.warn())));
    }
    let style = match edit.rights {
        // The warning has said why no value can be written.
        WriteRights::Nothing(_) => return lines,
        WriteRights::Any { contained: false } => theme.good(),
        _ => theme.dim(),
    };
    lines.push((6, Line::styled(edit.rights.words(), style)));
    lines
}

/// Who else gets the value: processes that share its memory first, then children.
fn kin(edit: &AdjustDialog, theme: Theme) -> Vec<popup::PriorityLine> {
    let shared = usize::from(!edit.kin.memory_sharers.is_empty());
    let lines = edit.kin.words().into_iter().enumerate().map(|(nth, text)| {
        let (priority, style) =
            if nth < shared { (popup::MUST_READ, theme.warn()) } else { (5, theme.dim()) };
        (priority, Line::styled(text, style))
    });
    lines.collect()
}

/// What makes the value persistent.
fn persistence(edit: &AdjustDialog, process: Option<&Process>) -> String {
    let unit = process
        .and_then(|process| process.cgroup.as_ref().value())
        .map(|path| cgroup_leaf(path.as_str()))
        .filter(|leaf| leaf.ends_with(".service"))
        .zip(edit.value());
    match unit {
        Some((unit, value)) => {
            format!("it is lost at restart; W: OOMScoreAdjust={} in {unit}", value.0)
        }
        None => "it is lost at restart; W: how to persist it".to_owned(),
    }
}

/// The value now, and the new one as it is typed.
fn value_line(edit: &AdjustDialog, context: &RowContext<'_>, theme: Theme) -> Line<'static> {
    let now = match edit.scale {
        AdjScale::Modern => edit.from.to_string(),
        AdjScale::Legacy => context.scene.machine().legacy(edit.from).to_string(),
    };
    let mut spans = vec![Span::raw(format!("now {now} "))];
    spans.extend(keys::value_field(theme, &edit.typed, edit.fresh));
    Line::from(spans)
}

/// The other processes that get the value.
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

/// Zero, the old and the new value between the ends of the scale.
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

/// What saves the process from the death that is predicted for it, and the key.
fn saved(edit: &AdjustDialog, theme: Theme) -> Option<Line<'static>> {
    let (_, text) = edit.saved.as_ref()?;
    Some(Line::from(vec![Span::styled("s", theme.strong()), Span::raw(format!(" {text}"))]))
}

/// The smallest changes that put the process into or out of the first place, and their keys.
fn proposals(
    app: &App,
    edit: &AdjustDialog,
    context: &RowContext<'_>,
    theme: Theme,
) -> Option<Line<'static>> {
    let found = edit.proposals;
    let key =
        |key: &'static str, text: String| vec![Span::styled(key, theme.strong()), Span::raw(text)];
    let now = if app.deaths.next.is_some() { " if memory ended now" } else { "" };
    let mut spans = match (edit.is_wide(), found.out, found.first) {
        (true, None, None) => {
            let mut spans = key("o", " none of them first   ".to_owned());
            spans.extend(key("f", " one of them first".to_owned()));
            spans
        }
        (_, Some(out), _) => key("o", format!(" {out}: just out of first place{now}")),
        (_, None, Some(first)) => key("f", format!(" {first}: just into first place{now}")),
        (false, None, None) => return None,
    };
    if !found.policy.is_empty() && found.policy != context.policy.id() {
        spans.push(Span::styled(format!(" (by {})", found.policy), theme.dim()));
    }
    Some(Line::from(spans))
}

/// The value on the other scale, and what the coarse one loses.
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

/// The keys that answer the question.
fn answers(edit: &AdjustDialog, theme: Theme) -> Line<'static> {
    let enter = if edit.is_wide() { " list them   " } else { " apply   " };
    keys::hints(
        theme,
        &[
            ("Enter", enter),
            ("Esc", " cancel   "),
            ("Tab", " other scale   "),
            ("arrows", " 50 or 10"),
        ],
    )
}

/// The keys that change what is asked.
fn other_keys(app: &App, edit: &AdjustDialog, theme: Theme) -> Line<'static> {
    let tagged = app.table.tags.iter().filter(|&&id| id != edit.who).count();
    let whom = if edit.is_wide() || tagged == 0 { " targets   " } else { " the tagged   " };
    keys::hints(
        theme,
        &[("t", whom), ("o f", " out of or into first place   "), ("PgUp PgDn", " presets")],
    )
}
