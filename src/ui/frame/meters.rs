//! The numbers of the meters: those of the machine, or in a scoped view those of the cgroup.

use ratatui::style::Style;

use crate::app::App;
use crate::columns::RowContext;
use crate::model::{Cgroup, Limit, Pressure, Reading, Scope, Trend};
use crate::ui::frame::facts::{self, OomKills};
use crate::ui::paint::text;
use crate::ui::paint::theme::Theme;
use crate::units::{Bytes, Kib, Millis};
use crate::words::next_death::event_and_time;

/// Memory that is full sooner than this needs care.
const SOON: Millis = Millis(600_000);

/// How full something is.
#[derive(Clone, Debug)]
pub struct Meter {
    /// The label before the bar.
    pub label: &'static str,
    /// A share of 1.
    pub used: f64,
    /// A share of 1 behind it, which reclaim gives back.
    pub cache: f64,
    /// Both sizes, or the only one that is known.
    pub sizes: String,
    /// The share in use, in percent; nothing without a whole.
    pub percent: Option<u64>,
    /// It needs care.
    pub care: bool,
    /// Requests are refused.
    pub refuses: bool,
    /// The bar means little, because nothing enforces the limit.
    pub idle: bool,
    /// What else is known, the most important first.
    pub notes: Vec<String>,
}

impl Meter {
    /// The style of bar and percent.
    pub fn style(&self, theme: Theme) -> Style {
        if self.refuses {
            theme.danger()
        } else if self.care {
            theme.warn()
        } else if self.idle {
            theme.dim()
        } else {
            theme.good()
        }
    }

    /// Of a part and the whole, if there is one.
    fn new(
        context: &RowContext<'_>,
        label: &'static str,
        used: Kib,
        cache: Kib,
        whole: Option<Kib>,
    ) -> Self {
        let share = |part: Kib| whole.map_or(0.0, |all| part.0 as f64 / all.0.max(1) as f64);
        let sizes =
            whole.map_or_else(|| text::kib(context, used), |all| text::pair(context, used, all));
        Self {
            label,
            used: share(used),
            cache: share(cache),
            sizes,
            percent: whole.map(|all| percent(used, all)),
            care: false,
            refuses: false,
            idle: false,
            notes: Vec::new(),
        }
    }
}

/// A part of a whole in percent; of nothing, 0.
pub fn percent(part: Kib, whole: Kib) -> u64 {
    part.0.saturating_mul(100) / whole.0.max(1)
}

/// The numbers of a scope.
#[derive(Clone, Debug)]
pub struct Meters {
    /// The path of the cgroup, where they are not those of the machine.
    pub scope: Option<String>,
    /// Memory.
    pub memory: Meter,
    /// Swap; nothing where none may be used.
    pub swap: Option<Meter>,
    /// Pressure.
    pub pressure: Pressure,
    /// Kills, and whether there was one while doomtop ran.
    pub kills: Option<(String, bool)>,
}

impl Meters {
    /// Of the scope of the view.
    pub fn of(app: &App, context: &RowContext<'_>) -> Self {
        let domain = context.scene.domain();
        let group = context.scene.now().cgroups.find(domain.name.as_str());
        match group.filter(|_| app.is_scoped()) {
            Some(group) => Self::of_cgroup(app, context, group),
            None => Self::of_machine(app, context),
        }
    }

    fn of_machine(app: &App, context: &RowContext<'_>) -> Self {
        let now = context.scene.now();
        let memory = now.memory;
        let cache = memory.cache_kib;
        let mut meter = Meter::new(context, "Mem", memory.used(), cache, Some(memory.total_kib));
        let available = memory.available_kib.value();
        meter.care = available.is_some_and(|kib| percent(kib, memory.total_kib) < 10);
        meter.notes.extend(available.map(|kib| format!("avail {}", text::kib(context, kib))));
        let swaps = now.swap.free_kib > Kib::ZERO;
        let ram = || full_in(context.scene.forecast().ram).filter(|_| swaps);
        let ram = || ram().map(|text| format!("RAM {text}, then swap"));
        meter.notes.extend(predicted(app, Scope::GLOBAL).or_else(ram));
        meter.notes.extend(reserve_note(context));
        meter.notes.push(format!("cache {}", text::kib(context, cache)));
        let kills = OomKills::of(app, context);
        Self {
            scope: None,
            memory: meter,
            swap: swap_of_machine(app, context),
            pressure: now.pressure,
            kills: kills.map(|kills| (kills.brief(), kills.are_new())),
        }
    }

    fn of_cgroup(app: &App, context: &RowContext<'_>, group: &Cgroup) -> Self {
        let kib = |bytes: Bytes| Kib(bytes.0 / 1024);
        let used = group.used().value().map_or(Kib::ZERO, kib);
        let cache = group.reclaimable.value().map_or(Kib::ZERO, kib);
        let limit = group.effective_limit().map(kib);
        // What reclaim gives back is drawn behind what stays.
        let mut memory = Meter::new(context, "Mem", used, Kib::ZERO, limit);
        let cache_share = cache.0 as f64 / limit.unwrap_or(used).0.max(1) as f64;
        memory.used = (memory.used - cache_share).max(0.0);
        memory.cache = cache_share;
        memory.care = limit.is_some_and(|limit| {
            percent(limit.saturating_sub(used.saturating_sub(cache)), limit) < 10
        });
        if limit.is_none() {
            memory.notes.push("no limit of its own".to_owned());
        }
        memory.notes.extend(predicted(app, group.path.as_str()));
        if cache > Kib::ZERO {
            memory.notes.push(format!("cache {}", text::kib(context, cache)));
        }
        let (swap, swap_limit) = group.swap(context.scene.now().cgroups.hierarchy.value());
        let swap = swap.value().map_or(Kib::ZERO, kib);
        // It may use no more than the machine has.
        let all = context.scene.now().swap.total_kib;
        let swap_limit =
            swap_limit.value().and_then(Limit::bytes).map_or(all, |it| kib(it).min(all));
        let kills = group.events.oom_kill.value();
        Self {
            scope: Some(group.path.as_str().to_owned()),
            memory,
            swap: (swap_limit > Kib::ZERO).then(|| swap_meter(context, swap, swap_limit)),
            pressure: group.pressure,
            kills: kills.map(|count| (format!("kills {count}"), false)),
        }
    }
}

fn swap_meter(context: &RowContext<'_>, used: Kib, all: Kib) -> Meter {
    let mut meter = Meter::new(context, "Swap", used, Kib::ZERO, Some(all));
    meter.care = percent(used, all) >= 80;
    meter
}

fn swap_of_machine(app: &App, context: &RowContext<'_>) -> Option<Meter> {
    let swap = context.scene.now().swap;
    if swap.total_kib == Kib::ZERO {
        return None;
    }
    let mut meter = swap_meter(context, swap.used(), swap.total_kib);
    meter.notes.extend(facts::swap_traffic(context));
    // Where the headline has a time for the machine, another one beside it would only confuse.
    let told = app.deaths.first_in(Scope::GLOBAL).is_some();
    meter.notes.extend(full_in(context.scene.forecast().swap).filter(|_| !told));
    Some(meter)
}

/// What the headline predicts of a domain, in its words and with its time.
fn predicted(app: &App, domain: &str) -> Option<String> {
    app.deaths.first_in(domain).map(event_and_time)
}

/// `full in ~7m`, where there is a trend towards it.
fn full_in(trend: Trend) -> Option<String> {
    let likely = trend.arrival()?.likely;
    (likely < SOON).then(|| format!("full {}", text::in_soon(likely)))
}

/// What is neither in use nor available, where it would be missed: the three add up to the total.
fn reserve_note(context: &RowContext<'_>) -> Option<String> {
    let memory = context.scene.now().memory;
    let reserve = memory.reserve().filter(|it| percent(*it, memory.total_kib) > 0)?;
    Some(format!("reserve {}", text::kib(context, reserve)))
}

/// The commit charge, and what the overcommit sysctls amount to, the longest form first; nothing where the
/// charge could not be read.
pub fn commit(context: &RowContext<'_>) -> Option<Meter> {
    let commit = context.scene.now().overcommit;
    let charge = commit.charge()?;
    let mut meter = Meter::new(context, "Commit", charge.committed, Kib::ZERO, Some(charge.limit));
    meter.percent = Some(charge.percent());
    meter.refuses = commit.enforced() && charge.percent() >= 90;
    meter.idle = !commit.enforced();
    let mode =
        commit.mode.value().map_or_else(|| "?".to_owned(), |mode| u8::from(mode).to_string());
    let word = commit.mode.value().map_or("unknown", crate::model::OvercommitMode::word);
    let limit = match (commit.kbytes.value(), commit.ratio.value()) {
        (Some(kbytes), _) if kbytes.0 > 0 => format!("kbytes {}", text::kib(context, kbytes)),
        (_, Some(ratio)) => format!("ratio {ratio}"),
        _ => "ratio ?".to_owned(),
    };
    // Each has mode and ratio: they decide whether allocations fail.
    let law = if commit.enforced() { "ENFORCED" } else { "not enforced" };
    meter.notes = vec![
        format!("overcommit {mode} {word}, {limit}: {law}"),
        format!("overcommit {mode} {limit}: {law}"),
        format!("mode {mode} {limit}: {law}"),
    ];
    Some(meter)
}

/// Whether a pressure is known at all.
pub const fn knows_pressure(pressure: &Pressure) -> bool {
    matches!(pressure.some, Reading::Value(_))
}
