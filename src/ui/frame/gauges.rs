//! The gauge lines of the header: memory, swap and commit charge, each with its details.

use ratatui::style::Style;
use ratatui::text::{Line, Span};

use crate::app::App;
use crate::columns::RowContext;
use crate::model::{Overcommit, OvercommitMode, Trend};
use crate::ui::frame::alignment::{self, AROUND_BAR, DETAIL, WIDE, WIDEST};
use crate::ui::frame::facts;
use crate::ui::frame::psi::{self, HeaderPsi};
use crate::ui::paint::canvas::{cells, line_cells};
use crate::ui::paint::gauge;
use crate::ui::paint::label;
use crate::ui::paint::lines::span_cells;
use crate::ui::paint::text;
use crate::ui::paint::theme::Theme;
use crate::units::{Kib, Millis};

/// Memory that is full sooner than this is a warning, and sooner than the second time an alarm.
const SOON: [Millis; 2] = [Millis(600_000), Millis(120_000)];

/// A column, and the spans that begin there.
type Part = (u16, Vec<Span<'static>>);

/// The left part of a gauge line: label, bar, two sizes and percent.
struct Gauge {
    label: &'static str,
    /// A share of 1.
    used: f64,
    /// A share of 1, drawn behind what is used.
    more: f64,
    sizes: String,
    percent: Option<u64>,
    /// The style of the percent.
    style: Style,
    /// The style of the bar: dim where it means little.
    bar: Style,
    alarm: bool,
}

impl Gauge {
    fn line(self, theme: Theme, width: u16, parts: Vec<Part>) -> Line<'static> {
        let bar = alignment::bar(width);
        let mut spans = vec![label::label(theme, self.label, alignment::LABEL)];
        spans.extend(gauge::bar(theme, bar, self.used, self.more, self.bar));
        spans.push(Span::raw(format!(" {:>11} ", self.sizes)));
        let alarm = if self.alarm { "!" } else { " " };
        let percent = self.percent.map_or_else(String::new, |all| format!("{}%", all.min(9999)));
        spans.push(Span::styled(format!("{percent:>4}{alarm}"), self.style));
        let mut line = Line::from(spans);
        for (column, part) in parts {
            let at = line_cells(&line);
            let wanted = bar + AROUND_BAR + column;
            let gap = wanted.saturating_sub(at).max(1);
            // A part is shown as a whole or not at all.
            if at + gap + span_cells(&part) > width {
                continue;
            }
            line.spans.push(Span::raw(" ".repeat(usize::from(gap))));
            line.spans.extend(part);
        }
        line
    }
}

fn share(part: Kib, whole: Kib) -> f64 {
    part.0 as f64 / whole.0.max(1) as f64
}

/// A part of a whole in percent; of nothing, 0.
pub fn percent(part: Kib, whole: Kib) -> u64 {
    part.0.saturating_mul(100) / whole.0.max(1)
}

fn named(label: &'static str, value: String, theme: Theme) -> Vec<Span<'static>> {
    vec![Span::styled(label, theme.dim()), Span::raw(value)]
}

/// `full ~7m`, where there is a trend towards it.
fn full_in(trend: Trend, theme: Theme) -> Option<(String, Style)> {
    let likely = trend.arrival()?.likely;
    let [warn, danger] = SOON;
    let style = match likely {
        it if it < danger => theme.danger(),
        it if it < warn => theme.warn(),
        _ => theme.plain(),
    };
    Some((format!("full {}", text::soon(likely)), style))
}

/// A detail of a gauge with the time until it is full; the time alone where both do not fit.
fn with_time(
    detail: Vec<Span<'static>>,
    full: Option<(String, Style)>,
    width: u16,
) -> Vec<Span<'static>> {
    let Some((text, style)) = full else { return detail };
    let room = if width >= WIDE { 27 } else { 12 };
    let mut both = if span_cells(&detail) + 2 + cells(&text) <= room { detail } else { Vec::new() };
    if !both.is_empty() {
        both.push(Span::raw("  "));
    }
    both.push(Span::styled(text, style));
    both
}

/// The line of memory.
pub fn memory(app: &App, context: &RowContext<'_>, theme: Theme, width: u16) -> Line<'static> {
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
    let full = full_in(context.scene.forecast().ram, theme);
    let mut parts = vec![(DETAIL, with_time(named("avail ", avail, theme), full, width))];
    parts.extend(psi::parts(app, HeaderPsi::MemorySome, now.pressure.some, theme, width));
    if width >= WIDEST {
        let text = format!(
            "cache {}  free {}  shared {}",
            text::kib(context, memory.cache_kib),
            text::kib(context, memory.free_kib),
            text::kib(context, memory.shmem_kib)
        );
        parts.push((alignment::rest(width), vec![Span::styled(text, theme.dim())]));
    }
    let gauge = Gauge {
        label: "Mem",
        used: share(memory.used(), memory.total_kib),
        more: share(memory.cache_kib, memory.total_kib),
        sizes: text::pair(context, memory.used(), memory.total_kib),
        percent: Some(percent(memory.used(), memory.total_kib)),
        style,
        bar: style,
        alarm: low < 10,
    };
    gauge.line(theme, width, parts)
}

/// The line of swap.
pub fn swap(app: &App, context: &RowContext<'_>, theme: Theme, width: u16) -> Line<'static> {
    let now = context.scene.now();
    let swap = now.swap;
    let pressure = psi::parts(app, HeaderPsi::MemoryFull, now.pressure.full, theme, width);
    if swap.total_kib.0 == 0 {
        let gauge = Gauge {
            label: "Swap",
            used: 0.0,
            more: 0.0,
            sizes: "no swap".to_owned(),
            percent: None,
            style: theme.dim(),
            bar: theme.dim(),
            alarm: false,
        };
        return gauge.line(theme, width, pressure);
    }
    let full = percent(swap.used(), swap.total_kib);
    let style = match full {
        95.. => theme.danger(),
        80.. => theme.warn(),
        _ => theme.good(),
    };
    let detail = match (width, facts::swap_traffic(context)) {
        (WIDE.., Some(traffic)) => vec![Span::styled(traffic, theme.dim())],
        _ => named("free ", text::kib(context, swap.free_kib), theme),
    };
    let time = full_in(context.scene.forecast().swap, theme);
    let mut parts = vec![(DETAIL, with_time(detail, time, width))];
    parts.extend(pressure);
    let gauge = Gauge {
        label: "Swap",
        used: share(swap.used(), swap.total_kib),
        more: 0.0,
        sizes: text::pair(context, swap.used(), swap.total_kib),
        percent: Some(full),
        style,
        bar: style,
        alarm: full >= 80,
    };
    gauge.line(theme, width, parts)
}

/// The line of the commit charge.
pub fn commit(app: &App, context: &RowContext<'_>, theme: Theme, width: u16) -> Line<'static> {
    let now = context.scene.now();
    let commit = now.overcommit;
    let Some(charge) = commit.charge() else {
        return Line::from(vec![
            Span::styled("Commit ", theme.label()),
            Span::styled("the commit charge could not be read", theme.dim()),
        ]);
    };
    let full = charge.percent();
    let tight = commit.enforced() && full >= 90;
    // Where nothing enforces the limit, exceeding it is not worth a warning.
    let style = if tight { theme.danger() } else { theme.plain() };
    let io = now.pressure.io_some;
    let has_io = width >= 200 && io.value().is_some();
    let room = if has_io {
        alignment::psi(width) - 1
    } else {
        width.saturating_sub(alignment::bar(width) + AROUND_BAR)
    };
    let mut parts: Vec<Part> = Vec::new();
    if let Some(form) = enforcement(context, &commit).into_iter().find(|it| cells(it) <= room) {
        let style = match (tight, commit.enforced()) {
            (true, _) => theme.danger(),
            (false, true) => theme.strong(),
            (false, false) => theme.dim(),
        };
        parts.push((DETAIL, vec![Span::styled(form, style)]));
    }
    if has_io {
        parts.extend(psi::parts(app, HeaderPsi::IoSome, io, theme, width));
    }
    if width >= WIDEST {
        let total = context.scene.domain().pages;
        let text = format!(
            "1 adj = {}  of {} pages in all",
            text::step(context),
            text::grouped(total.points().0)
        );
        parts.push((alignment::rest(width), vec![Span::styled(text, theme.dim())]));
    }
    let gauge = Gauge {
        label: "Commit",
        used: full as f64 / 100.0,
        more: 0.0,
        sizes: text::pair(context, charge.committed, charge.limit),
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

/// What the overcommit sysctls amount to, the longest form first.
fn enforcement(context: &RowContext<'_>, commit: &Overcommit) -> [String; 4] {
    let mode =
        commit.mode.value().map_or_else(|| "?".to_owned(), |mode| u8::from(mode).to_string());
    let word = commit.mode.value().map_or("unknown", OvercommitMode::word);
    let limit = match (commit.kbytes.value(), commit.ratio.value()) {
        (Some(kbytes), _) if kbytes.0 > 0 => format!("kbytes {}", text::kib(context, kbytes)),
        (_, Some(ratio)) => format!("ratio {ratio}"),
        _ => "ratio ?".to_owned(),
    };
    let law = if commit.enforced() { "ENFORCED" } else { "not enforced" };
    [
        format!("overcommit {mode} {word}, {limit}: {law}"),
        format!("overcommit {mode} {limit}: {law}"),
        format!("overcommit {mode}: {law}"),
        law.to_owned(),
    ]
}
