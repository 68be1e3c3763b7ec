//! The top of the screen, by the header level: the title, who dies next, and what the machine is like. On a
//! small screen the headline is the last thing to be dropped.

use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use crate::app::incident::shown_report::ShownReport;
use crate::app::{App, HeaderLevel};
use crate::columns::RowContext;
use crate::ui::frame::alignment::{BESIDE, WIDE};
use crate::ui::frame::headline::{self, HeadlineRoom, Urgency};
use crate::ui::frame::meters::percent;
use crate::ui::frame::{machine_lines, title, warnings};
use crate::ui::paint::canvas::{Canvas, cells, line_cells};
use crate::ui::paint::lines::span_cells;
use crate::ui::paint::text;
use crate::ui::paint::theme::Theme;
use crate::words::incident::line::IncidentTopic;

/// Minimum height of a screen on which the headline has a border.
const BORDERS_FROM: u16 = 32;
/// Minimum width of a screen on which the machine has a line of words, not only of numbers.
const MACHINE_FROM: u16 = 80;
/// Minimum height of a screen on which headline and machine stand side by side.
const BESIDE_FROM: u16 = 40;

/// A part of the header.
enum Block {
    /// Lines of the whole width.
    Lines(Vec<Line<'static>>),
    /// The headline in a border.
    Boxed(Vec<Line<'static>>),
    /// The headline and the machine in two borders side by side.
    Beside(Vec<Line<'static>>, Vec<Line<'static>>),
}

impl Block {
    fn height(&self) -> u16 {
        let lines = match self {
            Self::Lines(lines) => lines.len(),
            Self::Boxed(lines) => lines.len() + 2,
            Self::Beside(left, right) => left.len().max(right.len()) + 2,
        };
        u16::try_from(lines).unwrap_or(u16::MAX)
    }

    fn paint(&self, app: &App, place: Rect, canvas: &mut Canvas<'_>) {
        match self {
            Self::Lines(lines) => {
                for (y, line) in (place.top()..place.bottom()).zip(lines) {
                    canvas.line(place.x, y, place.width, line);
                }
            }
            Self::Boxed(lines) => boxed(app, lines, place, canvas),
            Self::Beside(left, right) => {
                let width = left_of(place.width);
                boxed(app, left, Rect { width, ..place }, canvas);
                let x = place.x + width + 1;
                let place = Rect { x, width: place.width - width - 1, ..place };
                let title = meters_title(app);
                let frame = canvas.theme.frame();
                let inside = canvas.frame(place, &title, frame);
                lines_inside(right, inside, canvas);
            }
        }
    }
}

/// The cells of the headline where the machine stands beside it.
const fn left_of(width: u16) -> u16 {
    width * 11 / 20
}

/// The header of one frame, made before its height is known.
pub struct Header {
    /// Nothing before the first sample.
    blocks: Option<Vec<Block>>,
    level: HeaderLevel,
}

impl Header {
    /// The header of a screen of this size.
    #[must_use]
    pub fn new(app: &App, theme: Theme, level: HeaderLevel, size: (u16, u16)) -> Self {
        let context = text::header_context(app).filter(|_| level != HeaderLevel::Off);
        Self { blocks: context.map(|context| blocks(app, &context, theme, level, size)), level }
    }

    /// The lines that it wants.
    #[must_use]
    pub fn height(&self) -> u16 {
        match &self.blocks {
            Some(blocks) => blocks.iter().fold(0, |sum, it| sum.saturating_add(it.height())),
            None => u16::from(self.level != HeaderLevel::Off),
        }
    }

    /// Paints it.
    pub fn paint(&self, app: &App, area: Rect, canvas: &mut Canvas<'_>) {
        if area.height == 0 {
            return;
        }
        let Some(blocks) = &self.blocks else {
            let name = Line::styled("doomtop", canvas.theme.strong());
            canvas.line(area.x, area.y, area.width, &name);
            return;
        };
        let mut rest = area;
        for block in blocks {
            let height = block.height().min(rest.height);
            block.paint(app, Rect { height, ..rest }, canvas);
            rest.y += height;
            rest.height -= height;
        }
    }
}

fn meters_title(app: &App) -> String {
    let scene = app.scene.as_ref().filter(|_| app.is_scoped());
    scene.map_or_else(|| "Machine".to_owned(), |scene| scene.domain().name.as_str().to_owned())
}

fn boxed(app: &App, lines: &[Line<'static>], area: Rect, canvas: &mut Canvas<'_>) {
    let urgency = Urgency::of(app);
    let style = match urgency {
        Urgency::Calm | Urgency::Far => canvas.theme.frame(),
        _ => urgency.style(canvas.theme),
    };
    let inside = canvas.frame(area, "Next death", style);
    lines_inside(lines, inside, canvas);
}

fn lines_inside(lines: &[Line<'static>], inside: Rect, canvas: &mut Canvas<'_>) {
    for (y, line) in (inside.top()..inside.bottom()).zip(lines) {
        canvas.line(inside.x + 1, y, inside.width.saturating_sub(2), line);
    }
}

/// The parts of the header, from the top.
fn blocks(
    app: &App,
    context: &RowContext<'_>,
    theme: Theme,
    level: HeaderLevel,
    (width, height): (u16, u16),
) -> Vec<Block> {
    match level {
        HeaderLevel::Off => Vec::new(),
        HeaderLevel::Line => vec![Block::Lines(one_line(app, context, theme, width))],
        HeaderLevel::Small => vec![Block::Lines(small(app, context, theme, width))],
        HeaderLevel::Full => full(app, context, theme, (width, height)),
    }
}

fn full(
    app: &App,
    context: &RowContext<'_>,
    theme: Theme,
    (width, height): (u16, u16),
) -> Vec<Block> {
    let mut top = vec![title::line(app, context, theme, width)];
    top.extend(warnings::line(app, theme));
    if let Some(report) = &app.incidents.report {
        top.extend(headline::short(app, context, theme, width));
        top.extend(report_lines(report, theme));
        return vec![Block::Lines(top)];
    }
    if width >= BESIDE && height >= BESIDE_FROM {
        let left = left_of(width) - 4;
        let right = width - left_of(width) - 5;
        let machine = machine_lines::block(app, context, theme, right);
        let free = u16::try_from(machine.len()).unwrap_or(u16::MAX);
        let room = HeadlineRoom { width: left, sentence: 2, details: 3, free, calm_details: true };
        let lines = headline::lines(app, context, theme, room);
        return vec![Block::Lines(top), Block::Beside(lines, machine)];
    }
    let machine = machine_lines::two(app, context, theme, width);
    let roomy = width >= WIDE && height >= BORDERS_FROM;
    if roomy && app.deaths.next.is_some() {
        let room =
            HeadlineRoom { width: width - 4, sentence: 2, details: 2, free: 0, calm_details: true };
        let lines = headline::lines(app, context, theme, room);
        return vec![Block::Lines(top), Block::Boxed(lines), Block::Lines(machine)];
    }
    let room = HeadlineRoom { width, sentence: 2, details: 1, free: 0, calm_details: roomy };
    top.extend(headline::lines(app, context, theme, room));
    top.extend(machine);
    vec![Block::Lines(top)]
}

fn small(app: &App, context: &RowContext<'_>, theme: Theme, width: u16) -> Vec<Line<'static>> {
    let mut lines = vec![title::line(app, context, theme, width)];
    lines.extend(warnings::line(app, theme));
    lines.extend(headline::short(app, context, theme, width));
    lines.push(match &app.incidents.report {
        Some(report) => report_lines(report, theme).remove(0),
        None if width >= MACHINE_FROM => machine_lines::one(app, context, theme, width),
        None => Line::from(numbers(context, theme)),
    });
    lines
}

/// Three lines of a report in place of the meters, for which a report has no numbers.
fn report_lines(report: &ShownReport, theme: Theme) -> Vec<Line<'static>> {
    let wanted = [
        IncidentTopic::What,
        IncidentTopic::Asked,
        IncidentTopic::Domain,
        IncidentTopic::Killed,
        IncidentTopic::Rule,
    ];
    let first = |topic| report.lines.iter().find(|line| line.topic == topic);
    let found = wanted.into_iter().filter_map(first).take(3);
    let mut lines: Vec<Line<'static>> = found
        .map(|line| {
            Line::from(vec![
                Span::styled(format!("{:<7}", line.topic.label()), theme.label()),
                Span::raw(line.text.clone()),
            ])
        })
        .collect();
    lines.resize(3, Line::default());
    lines
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

/// The header of few lines: an alarm, the numbers where they fit, and the headline.
fn one_line(app: &App, context: &RowContext<'_>, theme: Theme, width: u16) -> Vec<Line<'static>> {
    let mut before = Vec::new();
    if let Some(first) = app.refresh.alarms.standing().next().filter(|it| cells(it) < width / 2) {
        before.push(Span::styled(format!("! {first}"), warnings::alarm_style(app, theme)));
        before.push(Span::raw(" "));
    }
    let stale = context.scene.now().scan.stale_ms.0;
    if stale > 0 {
        before.push(Span::styled(format!("OLD {:.1}s! ", stale as f64 / 1000.0), theme.warn()));
    }
    let shortest = headline::short(app, context, theme, 0);
    let least = shortest.first().map_or(0, line_cells);
    let numbers = numbers(context, theme);
    if span_cells(&before) + span_cells(&numbers) + 1 + least <= width {
        before.extend(numbers);
        before.push(Span::raw(" "));
    }
    let room = width.saturating_sub(span_cells(&before));
    let mut lines = headline::short(app, context, theme, room);
    if let Some(first) = lines.first_mut() {
        before.append(&mut first.spans);
        first.spans = before;
    }
    lines
}
