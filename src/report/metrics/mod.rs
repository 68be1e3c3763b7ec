//! One sample as metrics: OpenMetrics, or the older format of Prometheus, which the textfile collector of the
//! node exporter reads. The number of series is bounded: no family has a series for each process.

mod encode;

use std::collections::HashSet;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use prometheus_client::metrics::MetricType;
use prometheus_client::registry::Unit;

use self::encode::{Families, Labels, Number, encode, pages, ratio};
use crate::columns::RowContext;
use crate::forecast::limits::{self, ReachableLimit};
use crate::forecast::next_death::{Deaths, NextDeath};
use crate::model::{PsiLine, Reading};
use crate::policy::{self, BadnessUnit, Override, OverrideKind, Policy, agreement};
use crate::words::memory_sheet::MemorySheet;

/// Number of domains that are exported: those nearest to their limits, and the machine.
pub const NEAREST: usize = 10;

/// The text format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MetricsFormat {
    /// OpenMetrics 1.0.
    OpenMetrics,
    /// The text format 0.0.4 of Prometheus, which has no units, no info and no end.
    Prometheus,
}

impl MetricsFormat {
    /// Its media type.
    #[must_use]
    pub const fn media_type(self) -> &'static str {
        match self {
            Self::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
            Self::Prometheus => "text/plain; version=0.0.4; charset=utf-8",
        }
    }
}

/// The metrics of a sample and of the deaths that are predicted there. `took` is how long it took to take and rank it.
///
/// # Errors
/// None that writing to a string can give.
pub fn metrics(
    context: &RowContext<'_>,
    deaths: &Deaths,
    took: Duration,
    format: MetricsFormat,
) -> Result<String, fmt::Error> {
    let mut all = Families::default();
    let build = all.add("build", None, MetricType::Info, "The version of doomtop.");
    build.put(vec![("version", env!("CARGO_PKG_VERSION").to_owned())], 1_u64);
    victim(context, &mut all);
    points(context, &mut all);
    certainty(context, &mut all);
    overrides(context, &mut all);
    killers(context, &mut all);
    domains(context, deaths, &mut all);
    predicted_deaths(deaths, &mut all);
    machine(context, &mut all);
    memory(context, &mut all);
    pressure(context, &mut all);
    sample(context, took, &mut all);
    encode(all, format)
}

/// The last service or scope in a cgroup's path; empty where there is none.
fn unit_of(path: &str) -> &str {
    let is_unit = |part: &&str| part.ends_with(".service") || part.ends_with(".scope");
    path.rsplit('/').find(is_unit).unwrap_or_default()
}

/// The policy and the domain, and the process that would be killed.
fn victim(context: &RowContext<'_>, all: &mut Families) {
    let (scene, ranking) = (context.scene, context.ranking);
    let info = all.add(
        "ranking",
        None,
        MetricType::Info,
        "The policy that ranks, and the domain that the ranking is for.",
    );
    let domain = scene.domain().name.as_str().to_owned();
    info.put(vec![("policy", context.policy.id().to_owned()), ("domain", domain)], 1_u64);

    let info = all.add(
        "victim",
        None,
        MetricType::Info,
        "The process that would be killed next by the ranking: one series, none where no process can be chosen. See doomtop_overruled and doomtop_too_close.",
    );
    if let Some(process) = ranking.dies().and_then(|id| scene.find(id)) {
        let cgroup = process.cgroup.as_ref().value().map_or("", |path| path.as_str());
        let adj = process.adj.value().map(|adj| adj.0.to_string());
        let labels = vec![
            ("pid", process.id.pid.to_string()),
            ("comm", process.comm.to_string()),
            ("user", context.user(process).value().unwrap_or_default()),
            ("cgroup", cgroup.to_owned()),
            ("unit", unit_of(cgroup).to_owned()),
            ("oom_score_adj", adj.unwrap_or_default()),
        ];
        info.put(labels, 1_u64);
    }
}

/// The points of the first process, and its margin. They are exported as pages only where they are pages.
fn points(context: &RowContext<'_>, all: &mut Families) {
    let ranking = context.ranking;
    let points = ranking.victim().and_then(|row| row.placement.points());
    let in_pages = context.policy.info().unit == BadnessUnit::Pages;
    let total = context.scene.domain().pages.0.max(1) as f64;
    all.gauge(
        "victim_badness",
        pages(),
        "Badness of the first process of the ranking, in pages; absent for a policy whose points are not pages.",
        points.filter(|_| in_pages),
    );
    all.gauge(
        "victim_badness",
        ratio(),
        "The same as a share of the size that oom_score_adj is scaled by; 0.001 is one per mille.",
        points.filter(|_| in_pages).map(|points| points.0 as f64 / total),
    );
    all.gauge(
        "victim_points",
        None,
        "Points of the first process of the ranking, for a policy whose points are not pages.",
        points.filter(|_| !in_pages),
    );
    all.gauge(
        "margin",
        pages(),
        "How many pages the first process is ahead of the runner-up.",
        ranking.margin().filter(|_| in_pages),
    );
    all.gauge(
        "margin_points",
        None,
        "How many points it is ahead, for a policy whose points are not pages.",
        ranking.margin().filter(|_| !in_pages),
    );
}

/// How certain the ranking is.
fn certainty(context: &RowContext<'_>, all: &mut Families) {
    let ranking = context.ranking;
    all.gauge(
        "slack",
        pages(),
        "Uncertainty: by how much the difference between the first process and the runner-up can change before the kill.",
        Some(ranking.slack().0),
    );
    all.gauge(
        "too_close",
        None,
        "Whether it is too close to call: 1 if more than one process can be the victim.",
        Some(ranking.too_close()),
    );
    all.gauge(
        "candidates",
        None,
        "Number of processes that can be the victim: the predicted one and those too close to it.",
        Some(ranking.candidates().len()),
    );
    all.gauge(
        "eligible",
        None,
        "Number of processes that can be chosen at all.",
        Some(ranking.eligible()),
    );
}

/// What overrides the ranking.
fn overrides(context: &RowContext<'_>, all: &mut Families) {
    let family = all.add(
        "overruled",
        None,
        MetricType::Gauge,
        "Whether the kernel would not follow the ranking now, by the reason.",
    );
    let active = context.policy.overridden(context.scene).map(Override::word);
    for word in OverrideKind::ALL.iter().map(|kind| kind.word()) {
        family.put(vec![("by", word.to_owned())], active == Some(word));
    }
}

/// Whether the killers are about to act, and what they wait for.
fn killers(context: &RowContext<'_>, all: &mut Families) {
    let is_other = policy::killers().all(|policy| policy.id() != context.policy.id());
    let known = policy::killers().map(|policy| -> &dyn Policy { policy });
    let asked = known.chain(is_other.then_some(context.policy));
    let states: Vec<_> =
        asked.map(|policy| (policy.id(), policy.trigger_state(context.scene))).collect();
    let armed = all.add(
        "policy_armed",
        None,
        MetricType::Gauge,
        "Whether all conditions of this killer that can be checked are met.",
    );
    for (id, state) in &states {
        armed.put(vec![("policy", (*id).to_owned())], state.ready);
    }
    let met = all.add(
        "policy_trigger_met",
        None,
        MetricType::Gauge,
        "Whether a condition that this killer waits for is met; absent where it is unknown.",
    );
    for (id, state) in &states {
        // Two series may not have the same labels.
        let mut seen: Vec<&str> = Vec::new();
        for trigger in &state.triggers {
            if let (Some(is_met), false) = (trigger.met, seen.contains(&trigger.what)) {
                seen.push(trigger.what);
                let labels =
                    vec![("policy", (*id).to_owned()), ("trigger", trigger.what.to_owned())];
                met.put(labels, is_met);
            }
        }
    }
}

/// The limits that are exported, nearest first, then that of the machine; and the number of cgroups with a
/// limit.
fn nearest(context: &RowContext<'_>, deaths: &Deaths) -> (Vec<ReachableLimit>, usize) {
    let groups = context.scene.now().cgroups.limited();
    let mut nearest: Vec<ReachableLimit> =
        groups.filter_map(|group| limits::of_cgroup(group, context.scene, deaths)).collect();
    let count = nearest.len();
    nearest.sort_by(|a, b| a.distance().cmp(&b.distance()).then_with(|| a.name.cmp(&b.name)));
    let machine = limits::of_machine(context.scene, deaths);
    // Two series may not have the same labels; a recording may hold a name twice.
    let mut seen = HashSet::from([Arc::clone(&machine.name)]);
    nearest.retain(|limit| seen.insert(Arc::clone(&limit.name)));
    nearest.truncate(NEAREST - 1);
    nearest.push(machine);
    (nearest, count)
}

fn domains(context: &RowContext<'_>, deaths: &Deaths, all: &mut Families) {
    let (nearest, count) = nearest(context, deaths);
    all.gauge(
        "limited_cgroups",
        None,
        "Number of memory cgroups with a limit of their own.",
        Some(count),
    );
    let label = |limit: &ReachableLimit| vec![("domain", limit.name.as_str().to_owned())];
    let headroom = all.add(
        "domain_headroom",
        Some(Unit::Bytes),
        MetricType::Gauge,
        "How much more a domain can use until a process is killed: the machine (global) and the cgroups nearest to their limits, ten together.",
    );
    for limit in &nearest {
        headroom.put(label(limit), limit.headroom.0);
    }
    let size =
        all.add("domain_limit", Some(Unit::Bytes), MetricType::Gauge, "How much a domain can use.");
    for limit in &nearest {
        size.put(label(limit), limit.limit.0);
    }
    let left = all.add(
        "domain_wall",
        Some(Unit::Seconds),
        MetricType::Gauge,
        "Predicted time until the limit is reached, as the headline tells it; absent while the limit is not approached, or takes longer than ten minutes.",
    );
    for limit in &nearest {
        if let Some(time) = limit.hit_in {
            left.put(label(limit), Duration::from_millis(time.0));
        }
    }
}

/// The predicted deaths: at most eight, and none while nothing is near.
fn predicted_deaths(deaths: &Deaths, all: &mut Families) {
    let label =
        |it: &NextDeath| vec![("domain", it.domain.as_str().to_owned()), ("by", it.by.to_owned())];
    let time = all.add(
        "predicted_death",
        Some(Unit::Seconds),
        MetricType::Gauge,
        "Time until a process is killed in this domain, if memory goes on as in the last samples: the most likely time (bound middle) and its range (low, high); absent while no death is near.",
    );
    for death in &deaths.list {
        let Some(when) = death.when else { continue };
        for (bound, value) in [("low", when.low), ("middle", when.middle), ("high", when.high)] {
            let labels = [label(death), vec![("bound", bound.to_owned())]].concat();
            time.put(labels, Duration::from_millis(value.0));
        }
    }
    let info = all.add(
        "predicted_death",
        None,
        MetricType::Info,
        "Who dies then: pid and comm are empty unless one process is named; headline is true for the death that the screen shows.",
    );
    for death in deaths.list.iter().filter(|it| it.when.is_some()) {
        let victim = death.victim();
        let mut labels = label(death);
        labels.extend([
            ("pid", victim.map_or_else(String::new, |it| it.id.pid.to_string())),
            ("comm", victim.map_or_else(String::new, |it| it.comm.to_string())),
            ("candidates", death.candidates.len().to_string()),
            ("headline", (deaths.next.as_ref() == Some(death)).to_string()),
        ]);
        info.put(labels, 1_u64);
    }
    let stalled = all.add(
        "domain_stalled",
        None,
        MetricType::Gauge,
        "1 for a cgroup whose tasks wait at a limit and none is killed (memory.high, oom_kill_disable); absent for all others.",
    );
    for death in deaths.list.iter().filter(|it| it.stalled.is_some()) {
        stalled.put(vec![("domain", death.domain.as_str().to_owned())], 1_u64);
    }
}

/// The machine: kills and commitments.
fn machine(context: &RowContext<'_>, all: &mut Families) {
    let now = context.scene.now();
    let kills = all.add(
        "oom_kills",
        None,
        MetricType::Counter,
        "Processes that the OOM killer killed since boot (oom_kill in /proc/vmstat, 4.13 and later).",
    );
    if let Some(count) = now.traffic.oom_kills.value() {
        kills.put(Labels::new(), count);
    }
    let commit = &now.overcommit;
    all.gauge(
        "commit_charge",
        Some(Unit::Bytes),
        "Memory committed to processes (Committed_AS).",
        commit.committed_kib.value(),
    );
    all.gauge(
        "commit_limit",
        Some(Unit::Bytes),
        "How much can be committed (CommitLimit); allocations beyond it fail only while doomtop_commit_enforced is 1.",
        commit.limit_kib.value(),
    );
    all.gauge(
        "commit_enforced",
        None,
        "Whether the commit limit is enforced (vm.overcommit_memory is 2).",
        commit.mode.value().map(|_| commit.enforced()),
    );
}

/// What RAM is used for.
fn memory(context: &RowContext<'_>, all: &mut Families) {
    let sheet = MemorySheet::of_machine(context.scene.now());
    let family = all.add(
        "memory_use",
        Some(Unit::Bytes),
        MetricType::Gauge,
        "What RAM is used for, by the use; freed_by_kill tells whether killing processes can free it. Uses that take nothing are absent.",
    );
    for part in sheet.iter().flat_map(|sheet| &sheet.parts) {
        let killable = part.of.is_killable().to_string();
        let labels = vec![("use", part.of.id().to_owned()), ("freed_by_kill", killable)];
        family.put(labels, part.size);
    }
    all.gauge(
        "memory_unaccounted",
        Some(Unit::Bytes),
        "RAM that no counter of the kernel accounts for: drivers, and what is being moved between lists.",
        sheet.as_ref().map(|sheet| sheet.rest.unwrap_or_default()),
    );
    all.gauge(
        "memory_not_freed_by_kill",
        Some(Unit::Bytes),
        "RAM that no kill can free: tmpfs and shared memory, slab that cannot be reclaimed, huge pages, memory of the kernel.",
        sheet.as_ref().map(MemorySheet::stuck),
    );
}

/// Memory pressure (`Documentation/accounting/psi.rst`).
fn pressure(context: &RowContext<'_>, all: &mut Families) {
    let pressure = &context.scene.now().pressure;
    let stalls = [("some", pressure.some), ("full", pressure.full)];
    let series = |value: &dyn Fn(PsiLine) -> Number| -> Vec<(Labels, Number)> {
        let known = stalls.iter().filter_map(|(kind, reading): &(&str, Reading<PsiLine>)| {
            Some((vec![("kind", (*kind).to_owned())], value(reading.value()?)))
        });
        known.collect()
    };
    all.add(
        "pressure_avg10",
        ratio(),
        MetricType::Gauge,
        "Share of the last ten seconds in which some or all tasks waited for memory.",
    )
    .series = series(&|stall| (f64::from(stall.avg10) / 100.0).into());
    all.add(
        "pressure_stall",
        Some(Unit::Seconds),
        MetricType::Counter,
        "Time since boot in which some or all tasks waited for memory.",
    )
    .series = series(&|stall| Duration::from_micros(stall.total_us).into());
}

/// The sample itself: whether its scores are right, how long it took, how old it is.
fn sample(context: &RowContext<'_>, took: Duration, all: &mut Families) {
    let now = context.scene.now();
    let (agree, compared) = agreement(context.scene);
    all.gauge(
        "self_check_compared",
        None,
        "Scores of the kernel that were compared with the computed ones.",
        Some(compared),
    );
    all.gauge("self_check_agreeing", None, "How many of them were equal.", Some(agree));
    all.gauge("processes", None, "Processes that were found.", Some(now.processes.len()));
    all.gauge(
        "unreadable_processes",
        None,
        "Processes that were found but could not be read.",
        Some(u64::from(now.scan.unreadable)),
    );
    all.gauge(
        "scan_age",
        Some(Unit::Seconds),
        "Age of the last complete walk over the processes; 0 where it belongs to this sample.",
        Some(Duration::from_millis(now.scan.stale_ms.0)),
    );
    all.gauge(
        "look_duration",
        Some(Unit::Seconds),
        "How long it took to take and rank the sample.",
        Some(took),
    );
    all.gauge(
        "look_timestamp",
        Some(Unit::Seconds),
        "When the sample was taken, since 1970. A value older than a few refreshes is stale.",
        Some(now.clock.unix_ms as f64 / 1000.0),
    );
}
