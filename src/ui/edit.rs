//! The editor of oom_score_adj: what is, what would be, and what the kernel will say to it.

use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::look::Look;
use super::pen::Pen;
use super::{dialog, words};
use crate::app::App;
use crate::app::edit::{AdjEdit, Preview, Scale};
use crate::columns::{Sight, cgroup_leaf};
use crate::rank::Standing;
use crate::units::{Adj, LegacyAdj};

/// Paints it.
pub fn paint(app: &App, edit: &AdjEdit, area: Rect, pen: &mut Pen<'_>) -> bool {
    let look = pen.look;
    let Some(sight) = app.sight() else { return false };
    let process = sight.scene.find(edit.who);
    let file = match edit.scale {
        Scale::Modern => "oom_score_adj",
        Scale::Legacy => "oom_adj",
    };
    let user = process.map_or_else(|| "gone".to_owned(), |it| words::user(&sight, it));
    let age = words::age(sight.scene, edit.who);
    let title = format!("{file} of {} {} ({user}), started {age} ago", edit.who, edit.name);
    let mut lines: Vec<dialog::Ranked> = vec![(0, value_line(edit, look))];
    lines.push((7, slider(edit, look)));
    match (&edit.preview, edit.value()) {
        (Some(preview), _) => {
            lines.push((2, change(preview, &sight, look)));
            lines.push((1, then(preview, look)));
            if preview.policy != app.setup.policy.id() {
                let text = format!(
                    "{} knows no adj: this is what {} would do",
                    app.setup.policy.title(),
                    preview.policy
                );
                lines.push((6, Line::styled(text, look.dim())));
            }
        }
        (None, None) => lines.push((1, Line::styled(edit.complaint(), look.warn()))),
        (None, Some(_)) => lines.push((1, Line::styled("that process is gone", look.warn()))),
    }
    lines.push((5, other_scale(edit, look)));
    lines.push((9, Line::default()));
    match edit.warning {
        Some(warning) => lines.push((1, Line::styled(format!("! {warning}"), look.warn()))),
        None => lines.push((8, Line::styled("you have the rights for this", look.good()))),
    }
    let keep = process
        .and_then(|process| process.cgroup.as_ref().value())
        .map(|path| cgroup_leaf(path.as_str()))
        .filter(|leaf| leaf.ends_with(".service"))
        .zip(edit.value());
    let lost = "children inherit it at fork; it is lost at restart";
    lines.push((4, Line::styled(lost, look.dim())));
    if let Some((unit, value)) = keep {
        let text = format!("to keep it: OOMScoreAdjust={} in {unit}", value.0);
        lines.push((6, Line::styled(text, look.dim())));
    }
    lines.push((9, Line::default()));
    lines.push((0, keys(look)));
    dialog::paint(&title, lines, look.frame(), area, pen)
}

fn value_line(edit: &AdjEdit, look: Look) -> Line<'static> {
    let now = match edit.scale {
        Scale::Modern => edit.from.to_string(),
        Scale::Legacy => edit.from.legacy().to_string(),
    };
    let input = if edit.fresh { look.strong().patch(look.cursor()) } else { look.strong() };
    let mut spans = vec![
        Span::raw(format!("now {now} {} new [ ", look.arrow())),
        Span::styled(edit.typed.clone(), input),
    ];
    if !edit.fresh {
        spans.push(Span::styled(" ", look.cursor()));
    }
    spans.push(Span::raw(" ]"));
    Line::from(spans)
}

/// Where zero, the old and the new value stand between the ends of the scale.
fn slider(edit: &AdjEdit, look: Look) -> Line<'static> {
    const TRACK: usize = 41;
    let [track, zero, old, new] = look.slider();
    let (low, high) = match edit.scale {
        Scale::Modern => (i64::from(Adj::MIN.0), i64::from(Adj::MAX.0)),
        Scale::Legacy => (i64::from(LegacyAdj::DISABLE.0), i64::from(LegacyAdj::MAX.0)),
    };
    let on_scale = |adj: Adj| match edit.scale {
        Scale::Modern => i64::from(adj.0),
        Scale::Legacy => i64::from(adj.legacy().0),
    };
    let at = |value: i64| {
        let share = (value.clamp(low, high) - low) as usize;
        share * (TRACK - 1) / (high - low) as usize
    };
    let typed = edit.value().map(|value| at(on_scale(value)));
    let (from, middle) = (at(on_scale(edit.from)), at(0));
    let mut spans = vec![Span::styled(format!("{low:>5} "), look.dim())];
    for cell in 0..TRACK {
        spans.push(match cell {
            _ if Some(cell) == typed => Span::styled(new, look.strong()),
            _ if cell == from => Span::styled(old, look.label()),
            _ if cell == middle => Span::styled(zero, look.dim()),
            _ => Span::styled(track, look.dim()),
        });
    }
    spans.push(Span::styled(format!(" +{high}"), look.dim()));
    Line::from(spans)
}

/// Badness, share and rank, before and after.
fn change(preview: &Preview, sight: &Sight<'_>, look: Look) -> Line<'static> {
    let arrow = look.arrow();
    // The policy that was asked counts pages, whatever the chosen one counts.
    let amount = |standing: Standing| match standing {
        Standing::Scored(points) => {
            let sign = if points.0 < 0 { "-" } else { "" };
            let pages = crate::units::Pages(points.0.unsigned_abs());
            format!("{sign}{}", words::size(sight, pages))
        }
        Standing::Spared(reason) => reason.word().to_owned(),
    };
    let share = |standing: Standing| match standing.points() {
        Some(points) => words::permille(sight, points).to_string(),
        None => "-".to_owned(),
    };
    let rank = |rank: Option<usize>| rank.map_or_else(|| "-".to_owned(), |rank| rank.to_string());
    let (before, after) = (preview.before, preview.after);
    Line::from(vec![
        Span::styled("badness ", look.label()),
        Span::raw(format!("{} {arrow} ", amount(before))),
        Span::styled(amount(after), look.strong()),
        Span::raw(format!("    {} {arrow} ", share(before))),
        Span::styled(share(after), look.strong()),
        Span::raw("/1000    "),
        Span::styled("rank ", look.label()),
        Span::raw(format!("{} {arrow} ", rank(preview.rank_before))),
        Span::styled(rank(preview.rank_after), look.strong()),
    ])
}

/// Who would be next then.
fn then(preview: &Preview, look: Look) -> Line<'static> {
    let Some((id, name)) = &preview.victim else {
        return Line::styled("then nobody can be chosen", look.danger());
    };
    let verb = if preview.victim_stays { "stays" } else { "becomes" };
    let style = if preview.victim_stays { look.plain() } else { look.victim() };
    let mut line = Line::from(vec![
        Span::styled(format!("next victim {verb} "), look.label()),
        Span::styled(format!("{id} {name}"), style),
    ]);
    if preview.too_close {
        line.spans.push(Span::styled("  (too close to call)", look.warn()));
    }
    line
}

/// The same value on the other scale, and what the coarse one loses.
fn other_scale(edit: &AdjEdit, look: Look) -> Line<'static> {
    let Some(value) = edit.value() else { return Line::default() };
    let text = match edit.scale {
        Scale::Legacy => {
            let typed: i64 = edit.typed.trim_start_matches('+').parse().unwrap_or(0);
            format!(
                "oom_adj {} writes {}, reads back {}",
                LegacyAdj::clamped(typed),
                value.0,
                value.legacy()
            )
        }
        Scale::Modern => {
            let legacy = value.legacy();
            let loss = match legacy.modern() {
                back if back == value => String::new(),
                back => format!("; writing that would give {}", back.0),
            };
            format!("as legacy oom_adj it reads {legacy}{loss}")
        }
    };
    Line::styled(text, look.dim())
}

fn keys(look: Look) -> Line<'static> {
    let mut spans = Vec::new();
    for (key, what) in [
        ("Enter", " apply   "),
        ("Esc", " leave it   "),
        ("Tab", " other scale   "),
        ("arrows", " 50 or 10"),
    ] {
        spans.push(Span::styled(key, look.strong()));
        spans.push(Span::raw(what));
    }
    Line::from(spans)
}
