//! The forecast in words: when RAM, swap and both are full, and which processes grow fastest.

use crate::app::App;
use crate::columns::{RowContext, span_of};
use crate::model::TimeToFull;
use crate::policy::Override;
use crate::ui::paint::text;
use crate::units::Pages;

/// `full in about 7 min (5 to 9), by 90 samples over 3m00s`.
pub(crate) fn sentence(what: &str, arrival: &TimeToFull) -> String {
    let over = span_of(arrival.over.0 / 1000);
    format!("{what} {}, by {} samples over {over}", text::about(arrival), arrival.samples)
}

/// The forecast for the machine, a labelled line each; nothing where there is no trend.
pub(crate) fn lines(context: &RowContext<'_>) -> Vec<(&'static str, String)> {
    let forecast = context.scene.forecast();
    let swap = context.scene.now().swap;
    let (ram, both) = (forecast.ram.arrival(), forecast.both.arrival());
    let mut found = Vec::new();
    if swap.free_kib.0 == 0 {
        found.extend(ram.map(|it| sentence("RAM full", &it) + ": then the OOM killer"));
    } else {
        found.extend(both.map(|it| sentence("RAM and swap full", &it) + ": then the OOM killer"));
        found.extend(ram.map(|it| {
            let then = if both.is_some() { "then it swaps" } else { "then it swaps; no OOM yet" };
            format!("RAM full {}: {then}", text::about(&it))
        }));
        found.extend(
            forecast
                .swap
                .arrival()
                .map(|it| format!("swap full {}: the rest must stay in RAM", text::about(&it))),
        );
    }
    let label = |nth: usize| if nth == 0 { "forecast" } else { "" };
    found.into_iter().enumerate().map(|(nth, text)| (label(nth), text)).collect()
}

/// `30114 cc1plus +610M/min, 30101 ld.lld +402M/min`: the processes that grow fastest; nothing where
/// none grows.
pub(crate) fn growing_fastest(app: &App, context: &RowContext<'_>) -> Option<String> {
    // Where the allocating task is killed, the conditions of the killer name them.
    if context.policy.overridden(context.scene).is_some_and(Override::kills_allocating_task) {
        return None;
    }
    let fastest = app.growing.as_deref().unwrap_or_default();
    let named = fastest.iter().filter_map(|&(id, rate)| {
        let process = context.scene.find(id)?;
        let rate = text::size(context, Pages(rate.0.unsigned_abs()));
        Some(format!("{} +{rate}/min", text::who(process)))
    });
    let all: Vec<String> = named.collect();
    (!all.is_empty()).then(|| all.join(", "))
}
