//! Pressure stall information in the header: the averages, and a chart of the last minute or two.

use ratatui::style::Style;
use ratatui::text::Span;

use crate::app::App;
use crate::forecast::chart_window::ChartWindow;
use crate::forecast::series::SERIES;
use crate::model::{PsiLine, Reading, TimeAxis};
use crate::ui::frame::alignment;
use crate::ui::paint::canvas::cells;
use crate::ui::paint::chart;
use crate::ui::paint::text;
use crate::ui::paint::theme::Theme;
use crate::units::Millis;

/// A pressure that the header shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HeaderPsi {
    /// Some task waits for memory.
    MemorySome,
    /// All tasks wait for memory.
    MemoryFull,
    /// Some task waits for disks.
    IoSome,
}

impl HeaderPsi {
    /// Its id in the table of series.
    const fn series(self) -> &'static str {
        match self {
            Self::MemorySome => "memory-some",
            Self::MemoryFull => "memory-full",
            Self::IoSome => "io-some",
        }
    }

    /// The label before the averages.
    fn label(self, width: u16) -> String {
        let lead = match self {
            _ if width < alignment::WIDE => "PSI",
            Self::IoSome => "PSI io ",
            Self::MemorySome | Self::MemoryFull => "PSI mem",
        };
        let which = if self == Self::MemoryFull { "full" } else { "some" };
        format!("{lead} {which}")
    }

    /// The percent of the last 10 s from which it needs care, and from which it is bad.
    const fn levels(self) -> (f32, f32) {
        match self {
            Self::MemorySome => (10.0, 40.0),
            Self::MemoryFull => (2.0, 10.0),
            Self::IoSome => (40.0, 80.0),
        }
    }
}

/// From this width on there is room for a chart.
const CHARTS: u16 = 120;

/// The cells of the averages, with the space behind them.
const AVERAGES: u16 = 28;

/// Of fewer samples no chart is drawn.
const FEW: usize = 4;

/// The averages of a pressure and its chart, each with its column behind the numbers of the gauge.
pub fn parts(
    app: &App,
    psi: HeaderPsi,
    reading: Reading<PsiLine>,
    theme: Theme,
    width: u16,
) -> Vec<(u16, Vec<Span<'static>>)> {
    let Some(stall) = reading.value() else {
        let text = if psi == HeaderPsi::MemorySome { "PSI not available" } else { "" };
        return vec![(alignment::psi(width), vec![Span::styled(text, theme.dim())])];
    };
    let (care, bad) = psi.levels();
    let (style, alarm) = match stall.avg10 {
        now if now >= bad => (theme.danger(), "!"),
        now if now >= care => (theme.warn(), "!"),
        _ => (theme.plain(), " "),
    };
    let mut spans = vec![
        Span::styled(psi.label(width), theme.label()),
        Span::styled(format!(" {:>4}", text::share(stall.avg10)), style),
        Span::raw(format!(
            "{alarm}{:>4} {:>4}",
            text::share(stall.avg60),
            text::share(stall.avg300)
        )),
    ];
    let chart = if width >= CHARTS { chart_part(app, psi, theme, width) } else { None };
    if chart.is_none() && width >= alignment::WIDE {
        spans.extend(trend(stall, style, theme));
    }
    let column =
        if chart.is_some() { alignment::charted_psi(width) } else { alignment::psi(width) };
    let mut parts = vec![(column, spans)];
    parts.extend(chart);
    parts
}

/// The chart of the last minute or two and its column; nothing before a few samples were taken.
fn chart_part(
    app: &App,
    psi: HeaderPsi,
    theme: Theme,
    width: u16,
) -> Option<(u16, Vec<Span<'static>>)> {
    let column = alignment::charted_psi(width) + AVERAGES;
    let (seconds, label) = if width >= 160 { (120, " 120s") } else { (60, " 60s") };
    let room = alignment::chart_end(width).checked_sub(column + cells(label))?.min(40);
    let series = SERIES.iter().find(|series| series.id == psi.series())?;
    let axis = TimeAxis::new(app.shown_at()?, Millis(seconds * 1000), room.into());
    let window = ChartWindow::new(&app.playback.history, axis);
    let moment = window.moment(app.shown_at()?)?;
    let shares = window.cells(series);
    if window.len() < FEW || !shares.iter().any(Option::is_some) {
        return None;
    }
    let most = shares.iter().flatten().copied().fold(series.min_top, f64::max);
    let severity = |share: f64| (series.severity)(share, moment);
    let mut spans = chart::spans(theme, &shares, most, &severity);
    spans.push(Span::styled(label, theme.dim()));
    Some((column, spans))
}

/// The three averages as a trend, from the oldest: what is known before there is a chart.
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
