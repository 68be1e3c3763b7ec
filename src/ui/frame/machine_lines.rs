//! What the machine is like: memory, swap, pressure and kills in one line, the commit charge and the self-check
//! in another; beside the headline of a wide screen a line each.

use ratatui::text::{Line, Span};

use crate::app::App;
use crate::columns::RowContext;
use crate::ui::frame::alignment::WIDE;
use crate::ui::frame::facts;
use crate::ui::frame::meters::{self, Meter, Meters};
use crate::ui::frame::psi::{self, HeaderPsi};
use crate::ui::paint::canvas::cells;
use crate::ui::paint::gauge;
use crate::ui::paint::label;
use crate::ui::paint::lines::{span_cells, spread};
use crate::ui::paint::text;
use crate::ui::paint::theme::Theme;

/// The cells of a label, without the space behind it: the bars of the lines begin below each other.
const LABEL: usize = 6;
/// Minimum and maximum number of cells of a bar.
const BAR: (u16, u16) = (6, 40);

/// The cells of both bars that notes do not take.
const BARS: u16 = 28;

/// Label, bar, percent and sizes; without a bar where it would have less than two cells.
fn meter(meter: &Meter, theme: Theme, bar: u16, label: Span<'static>) -> Vec<Span<'static>> {
    let mut spans = vec![label];
    if bar > 2 {
        spans.extend(gauge::bar(theme, bar, meter.used, meter.cache, meter.style(theme)));
        spans.push(Span::raw(" "));
    }
    if let Some(percent) = meter.percent {
        let mark = if meter.care || meter.refuses { "!" } else { "" };
        let text = format!("{}%{mark} ", percent.min(9999));
        spans.push(Span::styled(text, meter.style(theme)));
    }
    spans.push(Span::raw(meter.sizes.clone()));
    spans
}

/// A meter with a label of its own width.
fn short_meter(it: &Meter, theme: Theme, bar: u16) -> Vec<Span<'static>> {
    let label = Span::styled(format!("{} ", it.label), theme.label());
    meter(it, theme, bar, label)
}

/// The kills, in red where there was one while doomtop ran.
fn kills(meters: &Meters, theme: Theme) -> Vec<Span<'static>> {
    let kills = meters.kills.as_ref();
    let span = kills.map(|(text, new)| {
        let style = if *new { theme.danger() } else { theme.plain() };
        Span::styled(text.clone(), style)
    });
    span.into_iter().collect()
}

/// The last part of a line: the self-check of the scores.
fn self_check(app: &App, theme: Theme) -> Vec<Span<'static>> {
    let (agree, compared) = app.refresh.self_check.count();
    let span = match (compared, agree == compared) {
        (0, _) => Span::styled("no oom_score read yet", theme.dim()),
        (_, true) => Span::styled(format!("ok {agree}/{compared}"), theme.good()),
        (_, false) => Span::styled(format!("ok {agree}/{compared}!"), theme.warn()),
    };
    vec![span]
}

/// One line: swap, the commit charge and the overcommit mode; and where there is room the memory in use, and pressure.
pub fn one(app: &App, context: &RowContext<'_>, theme: Theme, width: u16) -> Line<'static> {
    let all = Meters::of(app, context);
    let swap = match &all.swap {
        Some(swap) => short_meter(swap, theme, 0),
        None => vec![Span::styled("no swap", theme.dim())],
    };
    let memory = match all.memory.percent {
        Some(percent) => vec![
            Span::styled("Mem ", theme.label()),
            Span::styled(format!("{percent}%"), all.memory.style(theme)),
        ],
        None => short_meter(&all.memory, theme, 0),
    };
    let commit = meters::commit(context);
    let charge = commit.as_ref().map(|commit| short_meter(commit, theme, 0));
    let law = commit.as_ref().and_then(|commit| {
        Some(vec![Span::styled(commit.notes.last()?.clone(), law_style(commit, theme))])
    });
    let pressure = psi::brief(&all.pressure, theme);
    // In the order of the line, with what is left out first where not all fit.
    let parts = [(Some(memory), 2), (Some(swap), 3), (charge, 3), (law, 3), (pressure, 1)];
    let fits = |least: &u8| {
        let shown = parts.iter().filter(|(_, rank)| rank >= least);
        shown.filter_map(|(part, _)| part.as_ref()).map(|it| span_cells(it) + 2).sum::<u16>()
            <= width + 2
    };
    let least = (1..=3).find(fits).unwrap_or(3);
    let shown = parts.into_iter().filter(|(_, rank)| *rank >= least).filter_map(|it| it.0);
    let mut spans = Vec::new();
    for part in shown {
        if !spans.is_empty() {
            spans.push(Span::raw("  "));
        }
        spans.extend(part);
    }
    Line::from(spans)
}

/// The two lines.
pub fn two(app: &App, context: &RowContext<'_>, theme: Theme, width: u16) -> Vec<Line<'static>> {
    let all = Meters::of(app, context);
    vec![
        memory_line(app, &all, theme, width),
        commit_line(app, context, all.scope.is_some(), theme, width),
    ]
}

/// Memory, swap, pressure and kills. What does not fit is left out in this order: notes, the curve, bars, the name
/// of the scope, pressure; a mark tells of the last.
fn memory_line(app: &App, all: &Meters, theme: Theme, width: u16) -> Line<'static> {
    let right = kills(all, theme);
    let room = width.saturating_sub(span_cells(&right) + 2);
    let label = |it: &Meter| match all.scope {
        Some(_) => Span::styled(format!("{} ", it.label), theme.label()),
        None => label::label(theme, it.label, LABEL),
    };
    let memory = |bar: u16| meter(&all.memory, theme, bar, label(&all.memory));
    let swap = |bar: u16| match &all.swap {
        Some(swap) => short_meter(swap, theme, bar),
        None => vec![Span::styled("no swap", theme.dim())],
    };
    let sizes = span_cells(&memory(0)) + 2 + span_cells(&swap(0));
    let mut pressure = psi::brief(&all.pressure, theme);
    let of_pressure = pressure.as_ref().map_or(0, |brief| span_cells(brief) + 2);
    let mut free = room.saturating_sub(sizes + of_pressure);
    let mut left = Vec::new();
    if let Some(scope) = &all.scope {
        // The first line of the screen has its name, too.
        let least = "scope ";
        let name = free.min((width / 4).max(12));
        let name =
            if name < 8 { least.to_owned() } else { format!("{} ", text::domain(scope, name - 1)) };
        if sizes + of_pressure + cells(&name) > room && pressure.is_some() {
            pressure = Some(vec![Span::styled(if theme.unicode { "…" } else { "~" }, theme.dim())]);
        }
        free = free.saturating_sub(cells(&name));
        left.push(Span::styled(name, theme.warn()));
    }
    // Bars take what is left: those of memory twice as much as the others.
    let notes = if width >= WIDE {
        notes(all, free.saturating_sub(BARS))
    } else {
        [String::new(), String::new()]
    };
    let free = free.saturating_sub(notes.iter().map(|it| cells(it)).sum());
    let share = |parts: u16| (free * parts / 4).clamp(0, BAR.1);
    let (bar, swap_bar) = (share(2).max(BAR.0.min(free)), share(1));
    let [memory_note, swap_note] = notes.map(|it| Span::styled(it, theme.dim()));
    left.extend(memory(bar));
    left.push(memory_note);
    left.push(Span::raw("  "));
    left.extend(swap(swap_bar));
    left.push(swap_note);
    if let Some(brief) = pressure {
        left.push(Span::raw("  "));
        left.extend(brief);
        let curve = room.saturating_sub(span_cells(&left) + 1).min(24);
        if all.scope.is_none()
            && let Some(curve) = psi::curve(app, HeaderPsi::MemorySome, theme, curve)
        {
            left.push(Span::raw(" "));
            left.extend(curve);
        }
    }
    spread(left, right, width)
}

/// The notes behind memory and swap, as many as fit.
fn notes(all: &Meters, mut room: u16) -> [String; 2] {
    let mut found = [String::new(), String::new()];
    let swap = all.swap.iter().flat_map(|it| &it.notes).map(|it| (1, it));
    let memory = all.memory.notes.iter().map(|it| (0, it));
    for (nth, note) in memory.chain(swap) {
        let text = format!("  {note}");
        if cells(&text) <= room {
            room -= cells(&text);
            found[nth].push_str(&text);
        }
    }
    found
}

/// The commit charge, the overcommit mode, what enforces the limit, and the self-check. What does not fit is left out
/// in this order: the weight of adj, words about the mode, the bar, the self-check.
fn commit_line(
    app: &App,
    context: &RowContext<'_>,
    scoped: bool,
    theme: Theme,
    width: u16,
) -> Line<'static> {
    let mut right = self_check(app, theme);
    let Some(commit) = meters::commit(context) else {
        let text = Span::styled("the commit charge could not be read", theme.dim());
        return spread(vec![label::label(theme, "Commit", LABEL), text], right, width);
    };
    let step = Span::styled(format!("1 adj = {}  ", text::step(context)), theme.dim());
    let mut label = vec![label::label(theme, "Commit", LABEL)];
    if scoped {
        label.insert(0, Span::styled("machine: ", theme.dim()));
    }
    let bare = meter(&commit, theme, 0, Span::raw(""));
    let taken = span_cells(&label) + span_cells(&bare) + 2;
    let (wide, check) = (span_cells(&right) + cells(&step.content) + 2, span_cells(&right) + 2);
    let [long, middle, short] = &commit.notes[..] else { return Line::default() };
    let bar = BAR.0 + 1;
    // The sentence about the mode, the cells of a bar, and those at the right edge: the first that fit.
    let tries = [
        (long, bar, wide, 2),
        (long, bar, check, 1),
        (middle, bar, check, 1),
        (middle, 0, check, 1),
        (short, 0, check, 1),
        (short, 0, 0, 0),
    ];
    let fits = |(note, bar, edge, count): &(&String, u16, u16, u8)| {
        (*count < 2 || width >= WIDE) && taken + cells(note) + bar + edge <= width
    };
    let (note, _, edge, count) = tries.into_iter().find(fits).unwrap_or((short, 0, 0, 0));
    match count {
        0 => right.clear(),
        1 => {}
        _ => right.insert(0, step),
    }
    let room = width.saturating_sub(taken + cells(note) + edge + 1);
    let bar = room.min(bar_of_memory(width));
    let mut left = label;
    left.extend(meter(&commit, theme, bar, Span::raw("")));
    left.push(Span::raw("  "));
    left.push(Span::styled(note.clone(), law_style(&commit, theme)));
    spread(left, right, width)
}

/// The cells that the bar of the commit charge has at most: about as many as that of memory.
const fn bar_of_memory(width: u16) -> u16 {
    if width < WIDE { 12 } else { 24 }
}

fn law_style(commit: &Meter, theme: Theme) -> ratatui::style::Style {
    match (commit.refuses, commit.idle) {
        (true, _) => theme.danger(),
        (false, true) => theme.dim(),
        (false, false) => theme.strong(),
    }
}

/// A line for each meter and each pressure.
pub fn block(app: &App, context: &RowContext<'_>, theme: Theme, width: u16) -> Vec<Line<'static>> {
    let all = Meters::of(app, context);
    let commit = meters::commit(context);
    // All bars have the same length: one that leaves room for the overcommit mode.
    let least = commit.as_ref().and_then(|it| it.notes.last()).map_or(0, |it| cells(it) + 2);
    let sizes = commit.as_ref().map_or(0, |it| cells(&it.sizes)).max(11);
    let taken = LABEL as u16 + 1 + 6 + 1 + sizes;
    let bar = (width * 2 / 7).min(BAR.1).min(width.saturating_sub(taken + least)).max(2);
    let line = |it: &Meter| {
        let label = label::label(theme, it.label, LABEL);
        let mut spans = vec![label];
        spans.extend(gauge::bar(theme, bar, it.used, it.cache, it.style(theme)));
        let mark = if it.care || it.refuses { "!" } else { " " };
        let percent = it.percent.map_or_else(String::new, |all| format!("{}%", all.min(9999)));
        spans.push(Span::styled(format!("{percent:>5}{mark}"), it.style(theme)));
        spans.push(Span::raw(format!(" {:<11}", it.sizes)));
        let mut room = width.saturating_sub(span_cells(&spans));
        let is_commit = it.label == "Commit";
        for note in &it.notes {
            if cells(note) + 2 <= room {
                room -= cells(note) + 2;
                let style = if is_commit { law_style(it, theme) } else { theme.dim() };
                spans.push(Span::styled(format!("  {note}"), style));
                if is_commit {
                    break;
                }
            }
        }
        Line::from(spans)
    };
    let mut lines = vec![line(&all.memory)];
    lines.push(match &all.swap {
        Some(swap) => line(swap),
        None => Line::from(vec![
            label::label(theme, "Swap", LABEL),
            Span::styled("no swap: anonymous memory stays in RAM", theme.dim()),
        ]),
    });
    lines.extend(commit.map(|commit| line(&commit)));
    if !meters::knows_pressure(&all.pressure) {
        lines.push(Line::styled("PSI is not available here", theme.dim()));
    }
    for psi in [HeaderPsi::MemorySome, HeaderPsi::MemoryFull, HeaderPsi::IoSome] {
        lines.extend(psi::line(app, psi, &all.pressure, theme, width).map(Line::from));
    }
    lines.push(foot(app, context, &all, theme, width));
    lines
}

/// The self-check, the weight of adj, and the kills.
fn foot(
    app: &App,
    context: &RowContext<'_>,
    all: &Meters,
    theme: Theme,
    width: u16,
) -> Line<'static> {
    let mut left = self_check(app, theme);
    left.push(Span::styled(format!("  1 adj = {}", text::step(context)), theme.dim()));
    let total = text::size(context, context.scene.domain().pages);
    left.push(Span::styled(format!(" of {total}"), theme.dim()));
    left.push(Span::styled(format!("  {}", facts::privileges(app)), theme.dim()));
    spread(left, kills(all, theme), width)
}
