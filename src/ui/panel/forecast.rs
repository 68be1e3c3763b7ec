//! The forecast in words: when RAM, swap and both are full, and which processes grow fastest.

use crate::app::App;
use crate::columns::{RowContext, span_of};
use crate::forecast::next_death::{is_by_amounts, is_userspace};
use crate::model::{Scene, Scope, TimeToFull};
use crate::policy::{self, Override};
use crate::ui::paint::text;
use crate::units::Pages;
use crate::words::next_death::event_and_time;

/// `full in about 7 min (5 to 9), by 90 samples over 3m00s`.
pub(crate) fn sentence(what: &str, arrival: &TimeToFull) -> String {
    let over = span_of(arrival.over.0 / 1000);
    format!("{what} {}, by {} samples over {over}", text::about(arrival), arrival.samples)
}

/// The forecast for the machine, a labelled line each; nothing where there is no trend.
pub(crate) fn lines(app: &App, context: &RowContext<'_>) -> Vec<(&'static str, String)> {
    let forecast = context.scene.forecast();
    let swap = context.scene.now().swap;
    let (ram, both) = (forecast.ram.arrival(), forecast.both.arrival());
    let told = app.deaths.first_in(Scope::GLOBAL).map(event_and_time);
    // One event has one time: that of the headline, where it has one.
    let end = |what: &str, arrival: Option<TimeToFull>| {
        let then = match first_killer(context.scene) {
            Some(id) => format!(": {id} acts before"),
            None => ": then the OOM killer".to_owned(),
        };
        told.clone().or_else(|| arrival.map(|it| sentence(what, &it) + &then))
    };
    let mut found = Vec::new();
    if swap.free_kib.0 == 0 {
        found.extend(end("RAM full", ram));
    } else {
        found.extend(end("RAM and swap full", both));
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

/// The userspace killer that acts here before the kernel does.
fn first_killer(scene: &Scene) -> Option<&'static str> {
    let mut here = policy::killers().filter(|it| is_userspace(*it) && it.acts_here(scene));
    here.find(|it| it.trigger_rules(scene).iter().any(is_by_amounts)).map(|it| it.id())
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
