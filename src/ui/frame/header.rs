//! The top of the screen: the machine, its memory, and who dies next. That sentence is the last
//! line to go.

use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use crate::app::adj_rules::rules::ActiveRules;
use crate::app::dialog::mode::ViewKind;
use crate::app::incident::report::ShownReport;
use crate::app::{ActingMode, App, HeaderLevel};
use crate::columns::{RowContext, span_of};
use crate::forecast::at_limit::FirstLimit;
use crate::forecast::chart_window::ChartWindow;
use crate::forecast::series::SERIES;
use crate::model::{
    Capability, DomainKind, EventTime, Overcommit, OvercommitMode, PsiLine, Reading, TimeAxis,
};
use crate::ui::frame::headline;
use crate::ui::paint::canvas::{Canvas, cells, line_cells, tail};
use crate::ui::paint::chart;
use crate::ui::paint::gauge;
use crate::ui::paint::text;
use crate::ui::paint::theme::Theme;
use crate::ui::panel::forecast;
use crate::ui::view::cgroups::nearness;
use crate::units::{Kib, Millis, Pages};

/// How many lines the header wants.
#[must_use]
pub fn height(app: &App, level: HeaderLevel, width: u16) -> u16 {
    let rings = app.alarms.standing().next().is_some();
    let warned = u16::from(app.scene.is_some() && (rings || !warnings(app).is_empty()));
    match level {
        HeaderLevel::Full => {
            5 + u16::from(width >= 110) + u16::from(first_limit(app).is_some()) + warned
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
    let mut lines: Vec<Line<'static>> = Vec::with_capacity(7);
    match level {
        HeaderLevel::Off => {}
        HeaderLevel::Line => lines.push(one_line(app, &context, theme, area.width)),
        HeaderLevel::Small => {
            lines.push(title(app, &context, theme, area.width, false));
            lines.push(match &app.report {
                Some(report) => told(report, theme).remove(0),
                None => Line::from(numbers(&context, theme)),
            });
        }
        HeaderLevel::Full => {
            lines.push(title(app, &context, theme, area.width, area.width >= 110));
            if let Some(report) = &app.report {
                lines.extend(told(report, theme));
            } else {
                lines.push(memory(app, &context, theme, area.width));
                lines.push(swap(app, &context, theme, area.width));
                lines.push(commit(app, &context, theme, area.width));
            }
            if area.width >= 110 {
                lines.push(model(app, &context, theme, area.width));
            }
            lines.extend(first_limit(app).map(|first| nearest(first, &context, theme, area.width)));
        }
    }
    if matches!(level, HeaderLevel::Small | HeaderLevel::Full) {
        lines.extend(warning(app, theme));
        let alone = level == HeaderLevel::Full && area.width >= 110;
        lines.push(next(app, &context, theme, alone, area.width));
    }
    // Where there are too few lines the last one, the sentence, stays.
    while lines.len() > usize::from(area.height) && lines.len() > 1 {
        lines.remove(lines.len() - 2);
    }
    for (y, line) in (area.top()..area.bottom()).zip(&lines) {
        canvas.line(area.x, y, area.width, line);
    }
}

/// Left parts as far as they fit, and right parts at the right edge.
fn spread(left: Vec<Span<'static>>, right: Vec<Span<'static>>, width: u16) -> Line<'static> {
    let taken =
        |spans: &[Span<'static>]| spans.iter().map(|span| cells(&span.content)).sum::<u16>();
    let end = taken(&right);
    let mut line: Vec<Span<'static>> = Vec::with_capacity(left.len() + right.len() + 1);
    let mut used = 0;
    for span in left {
        let more = cells(&span.content);
        if used > 0 && used + more + end + if end > 0 { 2 } else { 0 } > width {
            break;
        }
        used += more;
        line.push(span);
    }
    line.push(Span::raw(" ".repeat(usize::from(width.saturating_sub(used + end)))));
    line.extend(right);
    Line::from(line)
}

/// The first line: the views, the machine, and what is looked at. `ruled`: whose rule ranks stands
/// on a line of its own.
fn title(
    app: &App,
    context: &RowContext<'_>,
    theme: Theme,
    width: u16,
    ruled: bool,
) -> Line<'static> {
    let (now, machine) = (context.scene.now(), context.scene.machine());
    let up = span_of(now.clock.uptime_ticks.seconds(machine.tick_rate));
    let mut left = vec![Span::styled("doomtop", theme.strong())];
    if width >= 100 {
        left.push(Span::raw(" "));
        for screen in ViewKind::ALL {
            left.push(if screen == app.screen {
                Span::styled(format!(" [{}]", screen.name()), theme.strong())
            } else {
                Span::styled(format!("  {} ", screen.name()), theme.dim())
            });
        }
        left.push(Span::raw(" "));
    }
    let mut facts = vec![
        Span::raw(format!(" {}", machine.name)),
        Span::raw(format!(" {}", machine.kernel)),
        Span::raw(format!(" up {up}")),
    ];
    let scope = scope(app, context, theme, width);
    let policy = app.setup.policy;
    let running = if policy.is_running_kernel() { " (running)" } else { "" };
    let model = format!("{}{running}", policy.id());
    let model = Span::styled(format!("  model {model}"), theme.label());
    if app.is_scoped() {
        // What is looked at is the first thing to know, once it is not the machine.
        facts.insert(0, scope);
        facts.insert(1, Span::raw(" "));
        facts.extend((!ruled).then_some(model));
    } else if width >= 100 {
        facts.push(scope);
        facts.extend((!ruled).then_some(model));
    } else {
        facts.extend((!ruled).then_some(model));
        facts.push(scope);
    }
    left.extend(facts);
    if width >= 100 && !now.unavailable.lives {
        let [one, five, fifteen] = now.load;
        left.push(Span::raw(format!("  load {one:.1} {five:.1} {fifteen:.1}")));
        left.push(Span::styled(format!("  {} CPUs  {}", machine.cpus, machine.arch), theme.dim()));
    }
    let mut right = Vec::new();
    if let Some(report) = &app.report {
        right.push(Span::styled(report_mark(app, report), theme.danger()));
        right.push(Span::raw(" "));
    } else if app.playback.is_past() {
        right.push(Span::styled(when(app), theme.danger()));
        right.push(Span::raw(" "));
    }
    if let Some(since) = app.playback.recording_since() {
        let seconds = app.clock().saturating_sub(since).0 / 1000;
        let text = format!("[rec {}:{:02}] ", seconds / 60, seconds % 60);
        right.push(Span::styled(text, theme.danger()));
    }
    let mut flag = |text: &'static str, style: Style| {
        right.push(Span::styled(text, style));
        right.push(Span::raw(" "));
    };
    if app.lost.is_some() && !app.playback.past.is_empty() {
        flag("[no new looks]", theme.danger());
    }
    if app.paused {
        flag("[paused]", theme.warn());
    }
    if app.adj_rules.as_ref().is_some_and(ActiveRules::is_on) {
        flag("[rules on]", theme.warn());
    }
    match app.setup.acting {
        ActingMode::ReadOnly => flag("read-only", theme.good()),
        ActingMode::NotReal => flag("[recording]", theme.warn()),
        ActingMode::Demo => flag("[demo]", theme.warn()),
        ActingMode::Elsewhere => flag("[another proc tree]", theme.warn()),
        ActingMode::Rehearsal => flag("dry run", theme.warn()),
        ActingMode::Free => {}
    }
    let seconds = app.pace.shown(app.setup.delay).0 as f64 / 1000.0;
    let time = text::clock(app, now.clock.unix_ms);
    let pace = if app.pace.is_pressed() { theme.warn() } else { theme.plain() };
    match &app.report {
        // What stands still has no pace.
        Some(report) if report.told == EventTime::Order => {
            right.push(Span::raw(report.stamp.clone()));
        }
        Some(_) => right.push(Span::raw(time)),
        None => {
            // A recording is played at a speed, which stands there already.
            if !app.playback.is_played() {
                right.push(Span::styled(format!("{seconds:.1}s "), pace));
            }
            right.push(Span::raw(time));
        }
    }
    spread(left, right, width)
}

/// What a report tells, in the place of the gauges, for which it has no numbers: three lines.
fn told(report: &ShownReport, theme: Theme) -> Vec<Line<'static>> {
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

/// How a report is marked.
fn report_mark(app: &App, report: &ShownReport) -> String {
    let (place, all) = report.place;
    match (report.told, app.scene.as_ref()) {
        (EventTime::Live | EventTime::Clock | EventTime::Stamp, Some(scene)) => {
            format!("[report {}]", text::clock(app, scene.now().clock.unix_ms))
        }
        _ => format!("[report {place} of {all}]"),
    }
}

/// How an earlier look is marked: nobody shall take it for now.
fn when(app: &App) -> String {
    let ago = span_of(app.playback.ago().unwrap_or_default().0 / 1000);
    let speed = app.playback.speed;
    match (app.playback.is_played(), app.playback.is_playing()) {
        (true, true) => format!("[{speed}]"),
        (true, false) => format!("[stopped, {speed}]"),
        (false, _) => format!("[{ago} ago]"),
    }
}

/// What is looked at: the machine, or a cgroup and of which kind.
fn scope(app: &App, context: &RowContext<'_>, theme: Theme, width: u16) -> Span<'static> {
    let domain = context.scene.domain();
    let name = tail(domain.name.as_str(), (width / 4).max(16)).into_owned();
    let mut note = text::scope_note(context.scene);
    if cells(&note) > width / 5 {
        // The rest is said where the machine is explained.
        note = if domain.is_global() { " (of the host)".to_owned() } else { String::new() };
    }
    let gone = domain.kind == DomainKind::Gone;
    let style = match (app.is_scoped(), gone) {
        (_, true) => theme.danger(),
        (true, _) => theme.warn(),
        _ => theme.plain(),
    };
    let note = if gone { " gone".to_owned() } else { note };
    Span::styled(format!("  scope {name}{note}"), style)
}

/// The wall that is hit first, where there is more than the machine's own.
fn first_limit(app: &App) -> Option<&FirstLimit> {
    // A report tells of one wall only, and that was hit.
    let scene = app.scene.as_ref().filter(|_| app.report.is_none())?;
    scene.now().cgroups.limited().next()?;
    app.first_limit.as_ref()
}

/// Which wall is hit first, how near it is, and who dies there; the longest form that fits.
fn nearest(
    first: &FirstLimit,
    context: &RowContext<'_>,
    theme: Theme,
    width: u16,
) -> Line<'static> {
    let wall = &first.limit;
    let near = nearness(wall, theme).unwrap_or(theme.plain());
    let (room, left) = (text::room(context, wall), text::left(context, wall));
    let victim = text::victim(context, &first.outcome);
    let all = format!("{victim}{}", text::mates(&first.outcome));
    let label = if width >= 60 { "First wall" } else { "Wall" };
    let name = text::limit_name(wall);
    // The name is cut before anything else is left out, but not to nothing.
    let for_name =
        |room: &str, fate: &str| width.saturating_sub(cells(label) + cells(room) + cells(fate) + 5);
    let forms = [(&room, &all), (&room, &victim), (&left, &victim)];
    let fitting =
        forms.into_iter().find(|(room, fate)| for_name(room, fate) >= cells(name).min(18));
    let (room, fate) = fitting.unwrap_or((&left, &victim));
    let name = tail(name, for_name(room, fate).max(8)).into_owned();
    Line::from(vec![
        Span::styled(format!("{label} "), theme.label()),
        Span::styled(name, theme.strong()),
        Span::raw("  "),
        Span::styled(room.clone(), near),
        Span::raw(": "),
        Span::styled(
            fate.clone(),
            if first.outcome.too_close() { theme.candidate() } else { theme.plain() },
        ),
    ])
}

/// The cells of a gauge: the same on all lines, so that what stands behind them is aligned.
const fn bar_cells(width: u16) -> u16 {
    match width {
        ..=59 => 8,
        60..=79 => 14,
        80..=99 => 21,
        100..=139 => 30,
        _ => 40,
    }
}

/// Label, bar, two sizes and percent: the left part of a gauge line.
struct Gauge {
    label: &'static str,
    used: f64,
    more: f64,
    pair: String,
    percent: Option<u64>,
    /// Of the percent; a bar that means little is dim.
    style: Style,
    bar: Style,
    alarm: bool,
}

impl Gauge {
    fn line(
        self,
        theme: Theme,
        width: u16,
        parts: Vec<(u16, Vec<Span<'static>>)>,
    ) -> Line<'static> {
        let mut spans = vec![Span::styled(format!("{} ", self.label), theme.label())];
        spans.extend(gauge::bar(theme, bar_cells(width), self.used, self.more, self.bar));
        spans.push(Span::raw(format!(" {:>11} ", self.pair)));
        let alarm = if self.alarm { "!" } else { " " };
        let percent = self.percent.map_or_else(String::new, |all| format!("{}%", all.min(9999)));
        spans.push(Span::styled(format!("{percent:>4}{alarm}"), self.style));
        let mut line = Line::from(spans);
        for (column, part) in parts {
            let at = line_cells(&line);
            let wanted = bar_cells(width) + 23 + column;
            let more: u16 = part.iter().map(|span| cells(&span.content)).sum();
            let gap = wanted.saturating_sub(at).max(1);
            // What does not fit as a whole stays away.
            if at + gap + more > width {
                continue;
            }
            line.spans.push(Span::raw(" ".repeat(usize::from(gap))));
            line.spans.extend(part);
        }
        line
    }
}

fn of(part: Kib, whole: Kib) -> f64 {
    part.0 as f64 / whole.0.max(1) as f64
}

fn percent(part: Kib, whole: Kib) -> u64 {
    part.0.saturating_mul(100) / whole.0.max(1)
}

fn word(label: &'static str, value: String, theme: Theme) -> Vec<Span<'static>> {
    vec![Span::styled(label, theme.dim()), Span::raw(value)]
}

/// Where the details of a gauge line stand, counted from the end of its numbers.
const DETAIL: u16 = 0;
const STALLS: u16 = 13;
const WIDE_STALLS: u16 = 28;
/// The averages of a pressure take so many cells, with the space behind them.
const AVERAGES: u16 = 28;
/// From this width on there is room for what pressure was.
const SPARKS: u16 = 120;

const fn stalls_at(width: u16) -> u16 {
    if width >= 110 { WIDE_STALLS } else { STALLS }
}

/// Where they stand once something is drawn behind them: on a narrow screen further to the left.
const fn drawn_at(width: u16) -> u16 {
    match width {
        ..140 => WIDE_STALLS - 6,
        _ => WIDE_STALLS,
    }
}

const fn widest_at(width: u16) -> u16 {
    if width >= 200 { 94 } else { 72 }
}

/// The pressures of the header, by their names in the table of quantities.
const MEMORY_SOME: &str = "memory-some";
const MEMORY_FULL: &str = "memory-full";
const IO_SOME: &str = "io-some";

/// What a pressure was in the last minutes, and where that stands; nothing before a few looks.
fn spark(app: &App, id: &str, theme: Theme, width: u16) -> Option<(u16, Vec<Span<'static>>)> {
    let column = drawn_at(width) + AVERAGES;
    let end = if width >= 180 { widest_at(width) - 2 } else { width - bar_cells(width) - 23 };
    let (seconds, label) = if width >= 160 { (120, " 120s") } else { (60, " 60s") };
    let room = end.checked_sub(column + cells(label))?.min(40);
    let series = SERIES.iter().find(|series| series.id == id)?;
    let axis = TimeAxis::new(app.shown_at()?, Millis(seconds * 1000), room.into());
    let window = ChartWindow::new(&app.playback.history, axis);
    let moment = window.moment(app.shown_at()?)?;
    let shares = window.cells(series);
    if window.len() < FEW || !shares.iter().any(Option::is_some) {
        return None;
    }
    let most = shares.iter().flatten().copied().fold(series.least_top, f64::max);
    let severity = |share: f64| (series.severity)(share, moment);
    let mut spans = chart::spans(theme, &shares, most, &severity);
    spans.push(Span::styled(label, theme.dim()));
    Some((column, spans))
}

/// Of fewer looks there is nothing to draw.
const FEW: usize = 4;

fn memory(app: &App, context: &RowContext<'_>, theme: Theme, width: u16) -> Line<'static> {
    let now = context.scene.now();
    let memory = now.memory;
    let available = memory.available_kib.value();
    let low = available.map_or(100, |kib| percent(kib, memory.total_kib));
    let style = match low {
        0..5 => theme.danger(),
        5..10 => theme.warn(),
        _ => theme.good(),
    };
    let avail = available.map_or_else(|| "?".to_owned(), |kib| text::kib(context, kib));
    let ram = forecast::full(context.scene.forecast().ram, theme);
    let mut parts = vec![(DETAIL, forecast::beside(word("avail ", avail, theme), ram, width))];
    parts.extend(stalls(app, MEMORY_SOME, now.pressure.some, theme, width));
    if width >= 180 {
        let text = format!(
            "cache {}  free {}  shared {}",
            text::kib(context, memory.cache_kib),
            text::kib(context, memory.free_kib),
            text::kib(context, memory.shmem_kib)
        );
        parts.push((widest_at(width), vec![Span::styled(text, theme.dim())]));
    }
    let gauge = Gauge {
        label: "Mem",
        used: of(memory.used(), memory.total_kib),
        more: of(memory.cache_kib, memory.total_kib),
        pair: text::pair(context, memory.used(), memory.total_kib),
        percent: Some(percent(memory.used(), memory.total_kib)),
        style,
        bar: style,
        alarm: low < 10,
    };
    gauge.line(theme, width, parts)
}

fn swap(app: &App, context: &RowContext<'_>, theme: Theme, width: u16) -> Line<'static> {
    let now = context.scene.now();
    let swap = now.swap;
    let stalls = stalls(app, MEMORY_FULL, now.pressure.full, theme, width);
    if swap.total_kib.0 == 0 {
        let gauge = Gauge {
            label: "Swp",
            used: 0.0,
            more: 0.0,
            pair: "no swap".to_owned(),
            percent: None,
            style: theme.dim(),
            bar: theme.dim(),
            alarm: false,
        };
        return gauge.line(theme, width, stalls);
    }
    let full = percent(swap.used(), swap.total_kib);
    let style = match full {
        95.. => theme.danger(),
        80.. => theme.warn(),
        _ => theme.good(),
    };
    let mut parts = vec![];
    let detail = match (width, traffic(context)) {
        (110.., Some(traffic)) => vec![Span::styled(traffic, theme.dim())],
        _ => word("free ", text::kib(context, swap.free_kib), theme),
    };
    let ends = forecast::full(context.scene.forecast().swap, theme);
    parts.push((DETAIL, forecast::beside(detail, ends, width)));
    parts.extend(stalls);
    let gauge = Gauge {
        label: "Swp",
        used: of(swap.used(), swap.total_kib),
        more: 0.0,
        pair: text::pair(context, swap.used(), swap.total_kib),
        percent: Some(full),
        style,
        bar: style,
        alarm: full >= 80,
    };
    gauge.line(theme, width, parts)
}

/// What moves between memory and swap, each second.
#[must_use]
pub fn traffic(context: &RowContext<'_>) -> Option<String> {
    let (now, before) = (context.scene.now(), context.scene.before()?);
    let over = now.clock.monotonic_ms.saturating_sub(before.clock.monotonic_ms).0.max(1);
    let rate = |now: Pages, before: Pages| {
        text::size(context, Pages(now.saturating_sub(before).0.saturating_mul(1000) / over))
    };
    let (now, before) = (now.traffic, before.traffic);
    let into = rate(now.swap_in_pages, before.swap_in_pages);
    let out = rate(now.swap_out_pages, before.swap_out_pages);
    Some(format!("in {into}/s out {out}/s"))
}

fn commit(app: &App, context: &RowContext<'_>, theme: Theme, width: u16) -> Line<'static> {
    let now = context.scene.now();
    let commit = now.overcommit;
    let Some(charge) = commit.charge() else {
        return Line::from(vec![
            Span::styled("Cmt ", theme.label()),
            Span::styled("the commit charge could not be read", theme.dim()),
        ]);
    };
    let full = charge.percent();
    let tight = commit.enforced() && full >= 90;
    // Where nothing enforces the limit, going over it is no news.
    let style = if tight { theme.danger() } else { theme.plain() };
    let mut parts = Vec::new();
    // Disks stand on this line, where there is room for them.
    let io = now.pressure.io_some;
    let disks = width >= 200 && io.value().is_some();
    for form in enforcement(context, &commit) {
        let style = if commit.enforced() { theme.strong() } else { theme.dim() };
        let room = match disks {
            true => stalls_at(width) - 1,
            false => width.saturating_sub(bar_cells(width) + 23),
        };
        if cells(&form) <= room {
            let style = if tight { theme.danger() } else { style };
            parts.push((DETAIL, vec![Span::styled(form, style)]));
            break;
        }
    }
    if disks {
        parts.extend(stalls(app, IO_SOME, io, theme, width));
    }
    if width >= 180 {
        let total = context.scene.domain().pages;
        let text = format!(
            "1 adj = {}  of {} pages in all",
            text::step(context),
            text::grouped(total.points().0)
        );
        parts.push((widest_at(width), vec![Span::styled(text, theme.dim())]));
    }
    let gauge = Gauge {
        label: "Cmt",
        used: full as f64 / 100.0,
        more: 0.0,
        pair: text::pair(context, charge.committed, charge.limit),
        percent: Some(full),
        style,
        bar: match (tight, commit.enforced()) {
            (true, _) => style,
            (false, true) => theme.good(),
            (false, false) => theme.dim(),
        },
        alarm: tight,
    };
    gauge.line(theme, width, parts)
}

/// What the overcommit knobs amount to, longest form first.
fn enforcement(context: &RowContext<'_>, commit: &Overcommit) -> Vec<String> {
    let mode =
        commit.mode.value().map_or_else(|| "?".to_owned(), |mode| u8::from(mode).to_string());
    let word = commit.mode.value().map_or("unknown", OvercommitMode::word);
    let knob = match (commit.kbytes.value(), commit.ratio.value()) {
        (Some(kbytes), _) if kbytes.0 > 0 => format!("kbytes {}", text::kib(context, kbytes)),
        (_, Some(ratio)) => format!("ratio {ratio}"),
        _ => "ratio ?".to_owned(),
    };
    let law = if commit.enforced() { "ENFORCED" } else { "not enforced" };
    vec![
        format!("overcommit {mode} {word}, {knob}: {law}"),
        format!("overcommit {mode} {knob}: {law}"),
        format!("overcommit {mode}: {law}"),
        law.to_owned(),
    ]
}

/// A pressure: its averages, and behind them what it was.
fn stalls(
    app: &App,
    id: &str,
    stall: Reading<PsiLine>,
    theme: Theme,
    width: u16,
) -> Vec<(u16, Vec<Span<'static>>)> {
    let Some(stall) = stall.value() else {
        let text = if id == MEMORY_SOME { "PSI not available" } else { "" };
        return vec![(stalls_at(width), vec![Span::styled(text, theme.dim())])];
    };
    let (name, care, bad) = match id {
        MEMORY_FULL => ("full", 2.0, 10.0),
        IO_SOME => ("some", 40.0, 80.0),
        _ => ("some", 10.0, 40.0),
    };
    let (style, alarm) = match stall.avg10 {
        now if now >= bad => (theme.danger(), "!"),
        now if now >= care => (theme.warn(), "!"),
        _ => (theme.plain(), " "),
    };
    let lead = match id {
        _ if width < 110 => "PSI",
        IO_SOME => "PSI io ",
        _ => "PSI mem",
    };
    let mut spans = vec![
        Span::styled(format!("{lead} {name}"), theme.label()),
        Span::styled(format!(" {:>4}", text::share(stall.avg10)), style),
        Span::raw(format!(
            "{alarm}{:>4} {:>4}",
            text::share(stall.avg60),
            text::share(stall.avg300)
        )),
    ];
    let spark = if width >= SPARKS { spark(app, id, theme, width) } else { None };
    if spark.is_none() && width >= 110 {
        spans.extend(trend(stall, style, theme));
    }
    let column = if spark.is_some() { drawn_at(width) } else { stalls_at(width) };
    let mut parts = vec![(column, spans)];
    parts.extend(spark);
    parts
}

/// The three averages as a trend: what there is before a few looks were taken.
fn trend(stall: PsiLine, style: Style, theme: Theme) -> [Span<'static>; 2] {
    let most = stall.avg10.max(stall.avg60).max(stall.avg300).max(1.0);
    let trend: String = [stall.avg300, stall.avg60, stall.avg10]
        .iter()
        .map(|&share| theme.spark(share / most))
        .collect();
    let word = if stall.avg10 > stall.avg60 * 1.2 {
        " rising"
    } else if stall.avg10 < stall.avg60 * 0.8 {
        " falling"
    } else {
        ""
    };
    [Span::styled(format!("  {trend}"), style), Span::styled(word, theme.dim())]
}

/// Whose rule, over how much, and whether it agrees with the kernel.
fn model(app: &App, context: &RowContext<'_>, theme: Theme, width: u16) -> Line<'static> {
    let total = context.scene.domain().pages;
    let (agree, compared) = app.check.count();
    let (check, style) = if compared == 0 {
        ("no oom_score read yet".to_owned(), theme.dim())
    } else if agree == compared {
        (format!("self-check {agree}/{compared} equal /proc/PID/oom_score"), theme.good())
    } else {
        (format!("self-check {agree}/{compared}: {} differ!", compared - agree), theme.warn())
    };
    let left = vec![
        Span::styled("Rule ", theme.label()),
        Span::raw(app.setup.policy.title()),
        Span::raw(format!("  total {}", text::size(context, total))),
        Span::raw(format!("  1 adj = {}", text::step(context))),
        Span::styled(format!("  {check}"), style),
        Span::styled(format!("  {}", privileges(app)), theme.dim()),
    ];
    spread(left, kills_span(app, context, theme).into_iter().collect(), width)
}

/// What this user may do here.
#[must_use]
pub fn privileges(app: &App) -> String {
    let Some(scene) = &app.scene else { return String::new() };
    let privileges = scene.now().privileges;
    if app.report.is_some() {
        return "a report: nothing to act on".to_owned();
    }
    if app.is_over() {
        return "the past: nothing to act on".to_owned();
    }
    match app.setup.acting {
        ActingMode::ReadOnly => return "read-only".to_owned(),
        ActingMode::NotReal => return "a recording: nothing to act on".to_owned(),
        ActingMode::Demo => return "the demo: nothing can be acted on".to_owned(),
        ActingMode::Elsewhere => return "another proc tree: nothing to act on".to_owned(),
        ActingMode::Rehearsal => return "dry run: nothing is done".to_owned(),
        ActingMode::Free => {}
    }
    let held: Vec<&str> = [Capability::Kill, Capability::SysResource]
        .into_iter()
        .filter(|&capability| privileges.caps.has(capability))
        .map(Capability::name)
        .collect();
    if held.is_empty() {
        "you may act on your own processes".to_owned()
    } else {
        format!("you have {}", held.join(" "))
    }
}

/// `OOM kills 3 (+1)`: since boot, and since doomtop began.
#[must_use]
pub fn kills(app: &App, context: &RowContext<'_>) -> Option<String> {
    let kills = context.scene.now().traffic.oom_kills.value()?;
    let new = kills.saturating_sub(app.kills_at_start.unwrap_or(kills));
    Some(if new > 0 { format!("OOM kills {kills} (+{new})") } else { format!("OOM kills {kills}") })
}

/// The same; red when the killer came while doomtop was looking.
fn kills_span(app: &App, context: &RowContext<'_>, theme: Theme) -> Option<Span<'static>> {
    let text = kills(app, context)?;
    let style = if text.ends_with(')') { theme.danger() } else { theme.plain() };
    Some(Span::styled(text, style))
}

/// Who dies next; where no other line has room for them, with the kills so far.
fn next(
    app: &App,
    context: &RowContext<'_>,
    theme: Theme,
    alone: bool,
    width: u16,
) -> Line<'static> {
    let kills = kills_span(app, context, theme).filter(|_| !alone);
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

fn one_line(app: &App, context: &RowContext<'_>, theme: Theme, width: u16) -> Line<'static> {
    let mut spans = Vec::new();
    if let Some(first) = app.alarms.standing().next().filter(|it| cells(it) < width / 2) {
        spans.push(Span::styled(format!("! {first}"), alarm_style(app, theme)));
        spans.push(Span::raw(" "));
    }
    let stale = context.scene.now().scan.stale_ms.0;
    if stale > 0 {
        spans.push(Span::styled(format!("OLD {:.1}s! ", stale as f64 / 1000.0), theme.warn()));
    }
    let mut shortest = headline::shortest(context, theme);
    let numbers = numbers(context, theme);
    let begun = |spans: &[Span<'static>]| spans.iter().map(|s| cells(&s.content)).sum::<u16>();
    // The sentence is the last to go.
    let numbers_fit = begun(&spans) + begun(&numbers) + 1 + line_cells(&shortest) <= width;
    if numbers_fit {
        spans.extend(numbers);
        spans.push(Span::raw(" "));
    }
    let room = width.saturating_sub(begun(&spans));
    let longer = headline::fitting(context, theme, room);
    if line_cells(&longer) <= room {
        shortest = longer;
    }
    spans.extend(shortest.spans);
    Line::from(spans)
}

/// How an alarm looks: turned over while it is new.
fn alarm_style(app: &App, theme: Theme) -> Style {
    if app.alarms.flashes() { theme.flash() } else { theme.danger() }
}

/// The line of alarms that stand and of warnings, where there is something to say.
fn warning(app: &App, theme: Theme) -> Option<Line<'static>> {
    let rung: Vec<String> = app.alarms.standing().collect();
    let warnings = warnings(app).join("; ");
    let mut spans = Vec::new();
    if !rung.is_empty() {
        spans.push(Span::styled(format!("! {}", rung.join("; ")), alarm_style(app, theme)));
        spans.push(Span::raw(if warnings.is_empty() { "" } else { "  " }));
    }
    if !warnings.is_empty() {
        spans.push(Span::styled(format!("! {warnings}"), theme.warn()));
    }
    (!spans.is_empty()).then(|| Line::from(spans))
}

/// What the user must know about the numbers.
fn warnings(app: &App) -> Vec<String> {
    let Some(scene) = &app.scene else { return Vec::new() };
    let (now, mut found) = (scene.now(), Vec::new());
    if now.scan.stale_ms.0 > 0 {
        let seconds = now.scan.stale_ms.0 as f64 / 1000.0;
        found.push(format!("table {seconds:.1}s old: memory is gone"));
    }
    if !now.privileges.sees_others {
        found.push("hidepid: other users' processes are not visible".to_owned());
    }
    match now.scan.unreadable {
        0 => {}
        1 => found.push("1 process could not be read".to_owned()),
        count => found.push(format!("{count} processes could not be read")),
    }
    for alarm in app.alarms.unreadable() {
        found.push(format!("{alarm} cannot ring: there is no {} here", alarm.what()));
    }
    let (agree, compared) = app.check.count();
    if agree < compared {
        let differ = compared - agree;
        found.push(format!("{differ} of {compared} scores differ from the kernel's (! in SCORE)"));
    }
    found
}
