//! The top of the screen, by the header level: the machine, its memory, and who dies next. The sentences
//! about the predicted death and the next victim are the last lines to be dropped.

use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use crate::app::incident::shown_report::ShownReport;
use crate::app::{App, HeaderLevel};
use crate::columns::RowContext;
use crate::ui::frame::alignment::WIDE;
use crate::ui::frame::facts::OomKills;
use crate::ui::frame::gauges::percent;
use crate::ui::frame::{facts, first_limit, gauges, headline, next_death, title, warnings};
use crate::ui::paint::canvas::{Canvas, cells, line_cells};
use crate::ui::paint::lines::{span_cells, spread};
use crate::ui::paint::text;
use crate::ui::paint::theme::Theme;

/// The lines that the header wants.
#[must_use]
pub fn height(app: &App, level: HeaderLevel, width: u16) -> u16 {
    let warned = u16::from(warnings::any(app)) + u16::from(app.deaths.next.is_some());
    match level {
        HeaderLevel::Full => {
            5 + u16::from(width >= WIDE) + u16::from(first_limit::of(app).is_some()) + warned
        }
        HeaderLevel::Small => 3 + warned,
        HeaderLevel::Line => 1,
        HeaderLevel::Off => 0,
    }
}

/// Paints the header.
pub fn paint(app: &App, level: HeaderLevel, area: Rect, canvas: &mut Canvas<'_>) {
    if area.height == 0 {
        return;
    }
    let Some(context) = text::header_context(app) else {
        canvas.line(area.x, area.y, area.width, &Line::styled("doomtop", canvas.theme.strong()));
        return;
    };
    let theme = canvas.theme;
    let mut kept = 1;
    let mut lines = match level {
        HeaderLevel::Off => Vec::new(),
        HeaderLevel::Line => vec![one_line(app, &context, theme, area.width)],
        HeaderLevel::Small => small(app, &context, theme, area.width),
        HeaderLevel::Full => full(app, &context, theme, area.width),
    };
    if matches!(level, HeaderLevel::Small | HeaderLevel::Full) {
        lines.extend(warnings::line(app, theme));
        let counted = level == HeaderLevel::Full && area.width >= WIDE;
        let death = next_death::line(app, &context, theme, area.width);
        kept += usize::from(death.is_some());
        lines.extend(death);
        lines.push(next(app, &context, theme, !counted, area.width));
    }
    // The last lines, the sentences, stay where there are too few lines.
    while lines.len() > usize::from(area.height) && lines.len() > kept {
        lines.remove(lines.len() - 1 - kept);
    }
    for (y, line) in (area.top()..area.bottom()).zip(&lines) {
        canvas.line(area.x, y, area.width, line);
    }
}

fn full(app: &App, context: &RowContext<'_>, theme: Theme, width: u16) -> Vec<Line<'static>> {
    let wide = width >= WIDE;
    let mut lines = Vec::with_capacity(8);
    lines.push(title::line(app, context, theme, width, !wide));
    if let Some(report) = &app.incidents.report {
        lines.extend(report_lines(report, theme));
    } else {
        lines.push(gauges::memory(app, context, theme, width));
        lines.push(gauges::swap(app, context, theme, width));
        lines.push(gauges::commit(app, context, theme, width));
    }
    if wide {
        lines.push(policy(app, context, theme, width));
    }
    let first = first_limit::of(app);
    lines.extend(first.map(|first| first_limit::line(first, context, theme, width)));
    lines
}

fn small(app: &App, context: &RowContext<'_>, theme: Theme, width: u16) -> Vec<Line<'static>> {
    let second = match &app.incidents.report {
        Some(report) => report_lines(report, theme).remove(0),
        None => Line::from(numbers(context, theme)),
    };
    vec![title::line(app, context, theme, width, true), second]
}

/// Three lines of a report in place of the gauges, for which a report has no numbers.
fn report_lines(report: &ShownReport, theme: Theme) -> Vec<Line<'static>> {
    let text = |label: &str| report.lines.iter().find(|(it, _)| *it == label).map(|(_, text)| text);
    let wanted = ["what", "asked", "domain", "killed", "rule"];
    let mut lines: Vec<Line<'static>> = wanted
        .into_iter()
        .filter_map(|label| Some((label, text(label)?.clone())))
        .take(3)
        .map(|(label, text)| {
            Line::from(vec![Span::styled(format!("{label:<7}"), theme.label()), Span::raw(text)])
        })
        .collect();
    lines.resize(3, Line::default());
    lines
}

/// The policy, the total it ranks against, and whether it agrees with the kernel's scores.
fn policy(app: &App, context: &RowContext<'_>, theme: Theme, width: u16) -> Line<'static> {
    let total = context.scene.domain().pages;
    let (agree, compared) = app.refresh.self_check.count();
    let (check, style) = if compared == 0 {
        ("no oom_score read yet".to_owned(), theme.dim())
    } else if agree == compared {
        (format!("self-check {agree}/{compared} equal /proc/PID/oom_score"), theme.good())
    } else {
        (format!("self-check {agree}/{compared}: {} differ!", compared - agree), theme.warn())
    };
    let left = vec![
        Span::styled("Rule ", theme.label()),
        Span::raw(app.policy().title()),
        Span::raw(format!("  total {}", text::size(context, total))),
        Span::raw(format!("  1 adj = {}", text::step(context))),
        Span::styled(format!("  {check}"), style),
        Span::styled(format!("  {}", facts::privileges(app)), theme.dim()),
    ];
    spread(left, kills(app, context, theme).into_iter().collect(), width)
}

/// The count of OOM kills, red when one happened while doomtop ran.
fn kills(app: &App, context: &RowContext<'_>, theme: Theme) -> Option<Span<'static>> {
    let kills = OomKills::of(app, context)?;
    let style = if kills.are_new() { theme.danger() } else { theme.plain() };
    Some(Span::styled(kills.words(), style))
}

/// The sentence about the next victim, with the count of OOM kills where that is wanted and fits.
fn next(
    app: &App,
    context: &RowContext<'_>,
    theme: Theme,
    with_kills: bool,
    width: u16,
) -> Line<'static> {
    let kills = kills(app, context, theme).filter(|_| with_kills);
    let room = kills.as_ref().map_or(0, |kills| cells(&kills.content) + 2);
    let sentence = headline::fitting(context, theme, width.saturating_sub(room));
    match kills {
        Some(kills) if line_cells(&sentence) + room <= width => {
            spread(sentence.spans, vec![kills], width)
        }
        _ => headline::fitting(context, theme, width),
    }
}

/// `M83% S64% C143% psi12.4`.
fn numbers(context: &RowContext<'_>, theme: Theme) -> Vec<Span<'static>> {
    let now = context.scene.now();
    let memory = percent(now.memory.used(), now.memory.total_kib);
    let mut spans = vec![Span::raw(format!("M{memory}%"))];
    if now.swap.total_kib.0 > 0 {
        let swap = percent(now.swap.used(), now.swap.total_kib);
        spans.push(Span::raw(format!(" S{swap}%")));
    } else {
        spans.push(Span::raw(" S-"));
    }
    if let Some(charge) = now.overcommit.charge() {
        let tight = now.overcommit.enforced() && charge.percent() >= 90;
        let style = if tight { theme.danger() } else { theme.plain() };
        let alarm = if tight { "!" } else { "" };
        spans.push(Span::styled(format!(" C{}%{alarm}", charge.percent()), style));
    }
    if let Some(some) = now.pressure.some.value() {
        spans.push(Span::raw(format!(" psi{}", text::share(some.avg10))));
    }
    spans
}

/// The header of one line: an alarm, the numbers where they fit, and the sentence.
fn one_line(app: &App, context: &RowContext<'_>, theme: Theme, width: u16) -> Line<'static> {
    let mut spans = Vec::new();
    if let Some(first) = app.refresh.alarms.standing().next().filter(|it| cells(it) < width / 2) {
        spans.push(Span::styled(format!("! {first}"), warnings::alarm_style(app, theme)));
        spans.push(Span::raw(" "));
    }
    let stale = context.scene.now().scan.stale_ms.0;
    if stale > 0 {
        spans.push(Span::styled(format!("OLD {:.1}s! ", stale as f64 / 1000.0), theme.warn()));
    }
    let mut sentence = headline::shortest(context, theme);
    let numbers = numbers(context, theme);
    if span_cells(&spans) + span_cells(&numbers) + 1 + line_cells(&sentence) <= width {
        spans.extend(numbers);
        spans.push(Span::raw(" "));
    }
    let room = width.saturating_sub(span_cells(&spans));
    let longer = headline::fitting(context, theme, room);
    if line_cells(&longer) <= room {
        sentence = longer;
    }
    spans.extend(sentence.spans);
    Line::from(spans)
}
