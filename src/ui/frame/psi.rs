//! Pressure stall information in the header: the averages, and the curve of the last minute or two.

use ratatui::style::Style;
use ratatui::text::Span;

use crate::app::App;
use crate::forecast::chart_window::ChartWindow;
use crate::forecast::series::{SERIES, Severity};
use crate::model::{Pressure, PsiLine, Reading, TimeAxis};
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

    /// The label before the averages, where several pressures stand below each other.
    const fn label(self) -> &'static str {
        match self {
            Self::MemorySome => "PSI mem some",
            Self::MemoryFull => "PSI mem full",
            Self::IoSome => "PSI io  some",
        }
    }

    /// Its reading.
    const fn of(self, pressure: &Pressure) -> Reading<PsiLine> {
        match self {
            Self::MemorySome => pressure.some,
            Self::MemoryFull => pressure.full,
            Self::IoSome => pressure.io_some,
        }
    }

    /// The percent of the last 10 s from which it needs care.
    const fn care(self) -> f32 {
        match self {
            Self::MemorySome => 10.0,
            Self::MemoryFull => 2.0,
            Self::IoSome => 40.0,
        }
    }

    /// The style of a share, and its mark.
    fn judge(self, share: f32, theme: Theme) -> (Style, &'static str) {
        if share >= self.care() { (theme.warn(), "!") } else { (theme.plain(), "") }
    }
}

/// Of fewer samples no curve is drawn.
const FEW: usize = 4;

/// `PSI 12.4!`: the pressure of memory over the last 10 s; nothing where it is not known.
pub fn brief(pressure: &Pressure, theme: Theme) -> Option<Vec<Span<'static>>> {
    let psi = HeaderPsi::MemorySome;
    let share = psi.of(pressure).value()?.avg10;
    let (style, mark) = psi.judge(share, theme);
    let value = Span::styled(format!("{}{mark}", text::share(share)), style);
    Some(vec![Span::styled("PSI ", theme.label()), value])
}

/// The averages of a pressure, and its curve in as many cells as are left of `width`.
pub fn line(
    app: &App,
    psi: HeaderPsi,
    pressure: &Pressure,
    theme: Theme,
    width: u16,
) -> Option<Vec<Span<'static>>> {
    const AVERAGES: u16 = 29;
    let stall = psi.of(pressure).value()?;
    let (style, mark) = psi.judge(stall.avg10, theme);
    let mut spans = vec![
        Span::styled(psi.label(), theme.label()),
        Span::styled(format!(" {:>4}", text::share(stall.avg10)), style),
        Span::styled(format!("{mark:<1}"), style),
        Span::raw(format!("{:>4} {:>4} ", text::share(stall.avg60), text::share(stall.avg300))),
    ];
    let is_machine = !app.is_scoped();
    let curve =
        if is_machine { curve(app, psi, theme, width.saturating_sub(AVERAGES)) } else { None };
    match curve {
        Some(curve) => spans.extend(curve),
        None => spans.extend(trend(stall, style, theme)),
    }
    Some(spans)
}

/// The curve of the last minute or two, with its time; nothing before a few samples were taken.
pub fn curve(app: &App, psi: HeaderPsi, theme: Theme, room: u16) -> Option<Vec<Span<'static>>> {
    let (seconds, label) = if room >= 24 { (120, " 120s") } else { (60, "") };
    let cells = room.checked_sub(label.len() as u16).filter(|&cells| cells >= 3)?.min(40);
    let series = SERIES.iter().find(|series| series.id == psi.series())?;
    let axis = TimeAxis::new(app.shown_at()?, Millis(seconds * 1000), cells.into());
    let window = ChartWindow::new(&app.playback.history, axis).until(app.shown_at()?);
    let moment = window.moment(app.shown_at()?)?;
    let shares = window.cells(series);
    if window.len() < FEW || !shares.iter().any(Option::is_some) {
        return None;
    }
    let most = shares.iter().flatten().copied().fold(series.min_top, f64::max);
    // Red is for deaths and refusals.
    let severity = |share: f64| (series.severity)(share, moment).min(Severity::Care);
    let mut spans = chart::spans(theme, &shares, most, &severity);
    spans.push(Span::styled(label, theme.dim()));
    Some(spans)
}

/// The three averages as a trend, from the oldest: what is known before there is a curve.
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
    [Span::styled(trend, style), Span::styled(word, theme.dim())]
}
