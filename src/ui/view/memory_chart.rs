//! A quantity of the Memory view as its chart shows it: the cells, and the words beside them.

use ratatui::style::Style;

use crate::app::App;
use crate::columns::RowContext;
use crate::forecast::chart_window::ChartWindow;
use crate::forecast::series::{SERIES, Series, SeriesUnit, Severity};
use crate::model::{Aggregate, MachineSample, Reading};
use crate::ui::paint::canvas::Canvas;
use crate::ui::paint::{severity, text};
use crate::units::{Kib, Pages};

/// A value in its unit.
#[must_use]
pub fn value(context: &RowContext<'_>, unit: SeriesUnit, value: f64) -> String {
    match unit {
        SeriesUnit::Share => format!("{value:.1}%"),
        SeriesUnit::Kib => text::kib(context, Kib(value.max(0.0) as u64)),
        SeriesUnit::PagesPerSecond => {
            format!("{}/s", text::size(context, Pages(value.max(0.0) as u64)))
        }
        SeriesUnit::PerSecond => match value {
            ..10.0 if value.fract() > 0.0 => format!("{value:.1}/s"),
            ..10_000.0 => format!("{value:.0}/s"),
            ..10_000_000.0 => format!("{:.0}k/s", value / 1e3),
            _ => format!("{:.0}M/s", value / 1e6),
        },
    }
}

/// Why a quantity is not known.
pub fn why(app: &App, series: &Series, reading: Reading<f64>) -> String {
    let dash = reading.dash();
    let last = app.playback.history.place(app.charted_until());
    match reading {
        Reading::Missing => format!("{dash} {}", series.absent),
        Reading::Denied => format!("{dash} may not be read"),
        _ if last.is_none_or(|last| last == 0) && series.measure != SeriesUnit::Kib => {
            format!("{dash} known at the next sample")
        }
        _ if app.start.live => format!("{dash} not read yet"),
        _ => format!("{dash} not in this recording"),
    }
}

/// A quantity that is about to be drawn.
pub struct SeriesChart<'a> {
    /// The quantity.
    pub series: &'a Series,
    /// A value for each cell of the chart.
    pub cells: Vec<Option<f64>>,
    /// The value of the sample on the screen.
    pub now: Reading<f64>,
    /// The lowest and the highest value in the chart; nothing where none is known.
    pub ends: Option<(f64, f64)>,
    /// The value of a full column.
    pub top: f64,
    /// Whether the cursor is on it.
    pub chosen: bool,
}

impl<'a> SeriesChart<'a> {
    /// The chart of a quantity over a window of time; `moment` is the sample on the screen.
    pub fn new(
        series: &'a Series,
        window: &ChartWindow<'_>,
        app: &App,
        moment: &MachineSample,
    ) -> Self {
        let cells = window.cells(series);
        let known = || cells.iter().flatten().copied();
        let most = known().fold(f64::NEG_INFINITY, f64::max);
        let ceiling = (series.ceiling)(moment);
        let top = match series.measure {
            SeriesUnit::Kib => ceiling.unwrap_or(most).max(most),
            _ => most.min(ceiling.unwrap_or(f64::INFINITY)),
        };
        Self {
            series,
            now: app.shown_at().map_or(Reading::NotAsked, |at| window.value(series, at)),
            ends: window.ends(series),
            top: top.max(series.min_top),
            chosen: SERIES.get(app.views.memory.chosen).is_some_and(|it| it.id == series.id),
            cells,
        }
    }

    fn severity(&self, moment: &MachineSample) -> Severity {
        self.now.value().map_or(Severity::Neutral, |value| (self.series.severity)(value, moment))
    }

    /// The value of the sample on the screen and its style: one mark behind it where it needs care, two
    /// where it is bad.
    pub fn value(
        &self,
        context: &RowContext<'_>,
        moment: &MachineSample,
        canvas: &Canvas<'_>,
    ) -> (String, Style) {
        let Some(now) = self.now.value() else {
            return (format!("{}  ", self.now.dash()), canvas.theme.dim());
        };
        let severity = self.severity(moment);
        let (mark, style) = match severity {
            Severity::Bad => ("!!", severity::style(canvas.theme, severity)),
            Severity::Care => ("! ", severity::style(canvas.theme, severity)),
            _ => ("  ", canvas.theme.strong()),
        };
        (format!("{}{mark}", value(context, self.series.measure, now)), style)
    }

    /// More about that value: its averages, or its share of the highest possible value.
    pub fn beside(&self, context: &RowContext<'_>, moment: &MachineSample) -> String {
        if let Some(stall) = self.series.averages.and_then(|averages| averages(moment).value()) {
            let [ten, sixty, all] = [stall.avg10, stall.avg60, stall.avg300].map(text::share);
            return format!("avg {ten} {sixty} {all}");
        }
        let ceiling = (self.series.ceiling)(moment).filter(|ceiling| *ceiling > 0.0);
        match (ceiling, self.now.value()) {
            (Some(ceiling), Some(now)) => {
                // Rounded down, as the percentages of the header.
                let share = (now * 100.0 / ceiling).floor();
                format!("{share:.0}% of {}", value(context, self.series.measure, ceiling))
            }
            _ => String::new(),
        }
    }

    /// The extreme value in the chart that matters more, and the other one.
    pub fn extremes(&self, context: &RowContext<'_>) -> Option<[String; 2]> {
        let (least, most) = self.ends?;
        let say =
            |word: &str, end: f64| format!("{word} {}", value(context, self.series.measure, end));
        let (least, most) = (say("min", least), say("max", most));
        Some(if self.series.fold == Aggregate::Least { [least, most] } else { [most, least] })
    }
}
