//! What is foreseen, in words: when RAM, swap and both are full, and who eats them now.

use ratatui::style::Style;
use ratatui::text::Span;

use crate::app::App;
use crate::columns::{RowContext, span_of};
use crate::model::{TimeToFull, Trend};
use crate::policy::Override;
use crate::ui::paint::canvas::cells;
use crate::ui::paint::text;
use crate::ui::paint::theme::Theme;
use crate::units::{Millis, Pages};

/// Sooner than that it is a warning, and even sooner an alarm.
const SOON: [Millis; 2] = [Millis(600_000), Millis(120_000)];

/// `full ~7m`, where there is a trend.
pub(crate) fn full(outlook: Trend, theme: Theme) -> Option<(String, Style)> {
    let likely = outlook.arrival()?.likely;
    let [warn, danger] = SOON;
    let style = match likely {
        it if it < danger => theme.danger(),
        it if it < warn => theme.warn(),
        _ => theme.plain(),
    };
    Some((format!("full {}", text::soon(likely)), style))
}

/// A detail of a gauge with that behind it; where both do not fit, the time says more.
pub(crate) fn beside(
    detail: Vec<Span<'static>>,
    full: Option<(String, Style)>,
    width: u16,
) -> Vec<Span<'static>> {
    let Some((text, style)) = full else { return detail };
    let room = if width >= 110 { 27 } else { 12 };
    let taken: u16 = detail.iter().map(|span| cells(&span.content)).sum();
    let mut both = if taken + 2 + cells(&text) <= room { detail } else { Vec::new() };
    if !both.is_empty() {
        both.push(Span::raw("  "));
    }
    both.push(Span::styled(text, style));
    both
}

/// `full in about 7 min (5 to 9), by 90 samples over 3m00s`.
pub(crate) fn sentence(what: &str, arrival: &TimeToFull) -> String {
    let over = span_of(arrival.over.0 / 1000);
    format!("{what} {}, by {} looks over {over}", text::about(arrival), arrival.samples)
}

/// What is foreseen for the machine, a line each; nothing where there is no trend.
pub(crate) fn lines(context: &RowContext<'_>) -> Vec<(&'static str, String)> {
    let forecast = context.scene.forecast();
    let swap = context.scene.now().swap;
    let arrival = |outlook: Trend| outlook.arrival();
    let mut found = Vec::new();
    if swap.free_kib.0 == 0 {
        found.extend(
            arrival(forecast.ram).map(|it| sentence("RAM full", &it) + ": then the OOM killer"),
        );
    } else {
        let both = arrival(forecast.both);
        found.extend(both.map(|it| sentence("RAM and swap full", &it) + ": then the OOM killer"));
        found.extend(arrival(forecast.ram).map(|it| {
            let then = if both.is_some() { "then it swaps" } else { "then it swaps; no OOM yet" };
            format!("RAM full {}: {then}", text::about(&it))
        }));
        found.extend(
            arrival(forecast.swap)
                .map(|it| format!("swap full {}: the rest must stay in RAM", text::about(&it))),
        );
    }
    let label = |nth: usize| if nth == 0 { "forecast" } else { "" };
    found.into_iter().enumerate().map(|(nth, text)| (label(nth), text)).collect()
}

/// `30114 cc1plus +610M/min, 30101 ld.lld +402M/min`: who grows most; nothing where nobody does.
pub(crate) fn eating(app: &App, context: &RowContext<'_>) -> Option<String> {
    // Where whoever asks dies, they are named already.
    if context.policy.overridden(context.scene).is_some_and(Override::kills_allocating_task) {
        return None;
    }
    let most = app.growing.as_deref().unwrap_or_default();
    let named = most.iter().filter_map(|&(id, rate)| {
        let process = context.scene.find(id)?;
        let rate = text::size(context, Pages(rate.0.unsigned_abs()));
        Some(format!("{} +{rate}/min", text::who(process)))
    });
    let all: Vec<String> = named.collect();
    (!all.is_empty()).then(|| all.join(", "))
}
