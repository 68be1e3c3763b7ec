//! One look as metrics: the OpenMetrics text, or the older text of Prometheus that the node exporter's
//! textfile collector reads. Bounded whatever the machine: no family has a series for each process.

use std::collections::HashSet;
use std::fmt::{self, Write};
use std::sync::Arc;
use std::time::Duration;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{
    CounterValueEncoder, DescriptorEncoder, EncodeCounterValue, EncodeGaugeValue,
    GaugeValueEncoder, NoLabelSet, text,
};
use prometheus_client::metrics::MetricType;
use prometheus_client::registry::{Registry, Unit};

use crate::columns::RowContext;
use crate::forecast::limits;
use crate::forecast::limits::ReachableLimit;
use crate::model::{PsiLine, Reading};
use crate::policy::{self, BadnessUnit as Counted, Override, OverrideKind, agreement};
use crate::units::{Kib, Points};

/// Every name begins with this.
const PREFIX: &str = "doomtop";

/// So many domains are told of: the nearest to their walls.
pub const NEAREST: usize = 10;

/// In which text it is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MetricsFormat {
    /// OpenMetrics 1.0.
    OpenMetrics,
    /// The text format 0.0.4 of Prometheus, which knows no units, no info and no end.
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

/// A number as it is written: whole numbers whole.
#[derive(Clone, Copy, Debug)]
enum Number {
    Natural(u64),
    Signed(i64),
    Real(f64),
}

impl From<u64> for Number {
    fn from(number: u64) -> Self {
        Self::Natural(number)
    }
}

impl From<usize> for Number {
    fn from(number: usize) -> Self {
        Self::Natural(number as u64)
    }
}

impl From<bool> for Number {
    fn from(so: bool) -> Self {
        Self::Natural(so.into())
    }
}

impl From<Points> for Number {
    fn from(points: Points) -> Self {
        Self::Signed(points.0)
    }
}

impl From<Kib> for Number {
    fn from(size: Kib) -> Self {
        Self::Natural(size.bytes().0)
    }
}

impl From<f64> for Number {
    fn from(number: f64) -> Self {
        Self::Real(number)
    }
}

impl From<Duration> for Number {
    fn from(time: Duration) -> Self {
        Self::Real(time.as_secs_f64())
    }
}

impl EncodeGaugeValue for Number {
    fn encode(&self, encoder: &mut GaugeValueEncoder<'_>) -> fmt::Result {
        match self {
            Self::Natural(number) => EncodeGaugeValue::encode(number, encoder),
            Self::Signed(number) => EncodeGaugeValue::encode(number, encoder),
            Self::Real(number) => EncodeGaugeValue::encode(number, encoder),
        }
    }
}

impl EncodeCounterValue for Number {
    fn encode(&self, encoder: &mut CounterValueEncoder<'_>) -> fmt::Result {
        match *self {
            Self::Natural(number) => EncodeCounterValue::encode(&number, encoder),
            Self::Signed(number) => {
                EncodeCounterValue::encode(&number.max(0).cast_unsigned(), encoder)
            }
            Self::Real(number) => EncodeCounterValue::encode(&number, encoder),
        }
    }
}

type Labels = Vec<(&'static str, String)>;

/// What is counted under one name, and all its series.
#[derive(Debug)]
struct Family {
    name: &'static str,
    unit: Option<Unit>,
    kind: MetricType,
    help: &'static str,
    series: Vec<(Labels, Number)>,
}

impl Family {
    /// The name with its unit, as the series carry it but for what their type appends.
    fn full_name(&self) -> String {
        let unit = self.unit.as_ref().map(|unit| format!("_{}", unit.as_str()));
        format!("{PREFIX}_{}{}", self.name, unit.unwrap_or_default())
    }

    /// What the type appends to the name of a series.
    const fn suffix(&self) -> &'static str {
        match self.kind {
            MetricType::Counter => "_total",
            MetricType::Info => "_info",
            _ => "",
        }
    }

    /// One more series.
    fn put(&mut self, labels: Labels, number: impl Into<Number>) {
        self.series.push((labels, number.into()));
    }
}

/// Every family, filled.
#[derive(Debug, Default)]
struct Families(Vec<Family>);

impl Families {
    fn add(
        &mut self,
        name: &'static str,
        unit: Option<Unit>,
        kind: MetricType,
        help: &'static str,
    ) -> &mut Family {
        let at = self.0.len();
        self.0.push(Family { name, unit, kind, help, series: Vec::new() });
        &mut self.0[at]
    }

    /// A gauge with one series, or with none where there is nothing to say.
    fn gauge(
        &mut self,
        name: &'static str,
        unit: Option<Unit>,
        help: &'static str,
        number: Option<impl Into<Number>>,
    ) {
        let family = self.add(name, unit, MetricType::Gauge, help);
        if let Some(number) = number {
            family.put(Labels::new(), number);
        }
    }
}

impl Collector for Families {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        for family in &self.0 {
            let (name, unit) = (family.name, family.unit.as_ref());
            let mut metric = encoder.encode_descriptor(name, family.help, unit, family.kind)?;
            for (labels, number) in &family.series {
                match family.kind {
                    MetricType::Info => metric.encode_info(labels)?,
                    MetricType::Counter if labels.is_empty() => {
                        metric.encode_counter::<NoLabelSet, _, u64>(number, None)?;
                    }
                    MetricType::Counter => {
                        let mut metric = metric.encode_family(labels)?;
                        metric.encode_counter::<NoLabelSet, _, u64>(number, None)?;
                    }
                    _ if labels.is_empty() => metric.encode_gauge(number)?,
                    _ => metric.encode_family(labels)?.encode_gauge(number)?,
                }
            }
        }
        Ok(())
    }
}

fn ratio() -> Option<Unit> {
    Some(Unit::Other("ratio".to_owned()))
}

fn pages() -> Option<Unit> {
    Some(Unit::Other("pages".to_owned()))
}

/// The nearest part of a cgroup's path, from its end, that is a service or a scope; else nothing.
fn unit_of(path: &str) -> &str {
    let named = |part: &&str| part.ends_with(".service") || part.ends_with(".scope");
    path.rsplit('/').find(named).unwrap_or_default()
}

/// Who would be the victim, by how much, and whether that is to be believed.
fn victim(context: &RowContext<'_>, all: &mut Families) {
    let (scene, ranking) = (context.scene, context.ranking);
    let ruled = all.add(
        "ranking",
        None,
        MetricType::Info,
        "Whose rule ranks, and the domain of the OOM that it ranks for.",
    );
    let domain = scene.domain().name.as_str().to_owned();
    ruled.put(
        vec![("policy", context.policy.id().to_owned()), ("domain", domain)],
        Number::Natural(1),
    );

    let who = all.add(
        "victim",
        None,
        MetricType::Info,
        "Who would be killed next by the ranking: one series, none where nobody can be chosen. See doomtop_overruled and doomtop_too_close.",
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
        who.put(labels, Number::Natural(1));
    }

    let points = ranking.victim().and_then(|row| row.placement.points());
    let counted = context.policy.info().unit == Counted::Pages;
    let total = scene.domain().pages.0.max(1) as f64;
    all.gauge(
        "victim_badness",
        pages(),
        "Badness of the one that is chosen, in pages; none by a rule whose points are no pages.",
        points.filter(|_| counted),
    );
    all.gauge(
        "victim_badness",
        ratio(),
        "The same as a share of what the domain weighs oom_score_adj by; 0.001 is one per mille.",
        points.filter(|_| counted).map(|points| points.0 as f64 / total),
    );
    all.gauge(
        "victim_points",
        None,
        "Points of the one that is chosen, by a rule whose points are no pages.",
        points.filter(|_| !counted),
    );
    all.gauge(
        "margin",
        pages(),
        "By how many pages the chosen one is ahead of the runner-up.",
        ranking.margin().filter(|_| counted),
    );
    all.gauge(
        "margin_points",
        None,
        "By how many points it is ahead, by a rule whose points are no pages.",
        ranking.margin().filter(|_| !counted),
    );
    all.gauge(
        "slack",
        pages(),
        "How far the chosen one and the runner-up may move against each other before the kill.",
        Some(ranking.slack().0),
    );
    all.gauge(
        "too_close",
        None,
        "Whether it is too close to call: 1 if more than one may be the victim.",
        Some(ranking.too_close()),
    );
    all.gauge(
        "candidates",
        None,
        "How many may be the victim: the predicted one and those too close to it.",
        Some(ranking.candidates().len()),
    );
    all.gauge(
        "eligible",
        None,
        "How many processes can be chosen at all.",
        Some(ranking.eligible()),
    );
    let overruled = all.add(
        "overruled",
        None,
        MetricType::Gauge,
        "Whether the kernel would not go by the ranking at this moment, by what overrules it.",
    );
    let off = context.policy.overridden(scene).map(Override::word);
    for word in OverrideKind::ALL.iter().map(|kind| kind.word()) {
        overruled.put(vec![("by", word.to_owned())], off == Some(word));
    }
}

/// Whether the killers are about to act, and on what they wait.
fn killers(context: &RowContext<'_>, all: &mut Families) {
    let own = policy::killers().all(|policy| policy.id() != context.policy.id());
    let known = policy::killers().map(|policy| -> &dyn policy::Policy { policy });
    let asked = known.chain(own.then_some(context.policy));
    let asked: Vec<_> =
        asked.map(|policy| (policy.id(), policy.trigger_state(context.scene))).collect();
    let armed = all.add(
        "policy_armed",
        None,
        MetricType::Gauge,
        "Whether nothing that can be seen holds this killer back.",
    );
    for (id, stand) in &asked {
        armed.put(vec![("policy", (*id).to_owned())], stand.ready);
    }
    let triggers = all.add(
        "policy_trigger_met",
        None,
        MetricType::Gauge,
        "Whether a condition that this killer waits for is met; none where it cannot be seen.",
    );
    for (id, stand) in &asked {
        let mut told: Vec<&str> = Vec::new();
        for trigger in &stand.triggers {
            // The same name twice would be the same series twice.
            if let (Some(met), false) = (trigger.met, told.contains(&trigger.what)) {
                told.push(trigger.what);
                let labels =
                    vec![("policy", (*id).to_owned()), ("trigger", trigger.what.to_owned())];
                triggers.put(labels, met);
            }
        }
    }
}

/// The walls that are told of: the nearest first, the machine's own always among them; and how many
/// cgroups have one.
fn nearest(context: &RowContext<'_>) -> (Vec<ReachableLimit>, usize) {
    let groups = context.scene.now().cgroups.limited();
    let mut walls: Vec<ReachableLimit> =
        groups.filter_map(|group| limits::of_cgroup(group, context.scene)).collect();
    let count = walls.len();
    walls.sort_by(|a, b| a.distance().cmp(&b.distance()).then_with(|| a.name.cmp(&b.name)));
    let machine = limits::of_machine(context.scene);
    // A recording may come from anywhere: the same name twice would be the same series twice.
    let mut told = HashSet::from([Arc::clone(&machine.name)]);
    walls.retain(|wall| told.insert(Arc::clone(&wall.name)));
    walls.truncate(NEAREST - 1);
    walls.push(machine);
    (walls, count)
}

fn domains(context: &RowContext<'_>, all: &mut Families) {
    let (walls, count) = nearest(context);
    all.gauge(
        "limited_cgroups",
        None,
        "How many memory cgroups have a wall of their own.",
        Some(count),
    );
    let label = |wall: &ReachableLimit| vec![("domain", wall.name.as_str().to_owned())];
    let headroom = all.add(
        "domain_headroom",
        Some(Unit::Bytes),
        MetricType::Gauge,
        "How much more a domain can take until somebody dies, for the machine (global) and the cgroups nearest to their walls, ten together.",
    );
    for wall in &walls {
        headroom.put(label(wall), wall.headroom.0);
    }
    let limit = all.add(
        "domain_limit",
        Some(Unit::Bytes),
        MetricType::Gauge,
        "What may be held in a domain.",
    );
    for wall in &walls {
        limit.put(label(wall), wall.limit.0);
    }
    let until = all.add(
        "domain_wall",
        Some(Unit::Seconds),
        MetricType::Gauge,
        "When the headroom is gone at the rate of the last refresh; none while it does not shrink, or not within ten minutes.",
    );
    for wall in &walls {
        if let Some(left) = wall.hit_in {
            until.put(label(wall), Duration::from_millis(left.0));
        }
    }
}

/// The machine: kills, promises, stall times.
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
        "Memory promised to processes (Committed_AS).",
        commit.committed_kib.value(),
    );
    all.gauge(
        "commit_limit",
        Some(Unit::Bytes),
        "How much may be promised (CommitLimit); it refuses only while doomtop_commit_enforced is 1.",
        commit.limit_kib.value(),
    );
    all.gauge(
        "commit_enforced",
        None,
        "Whether the commit limit refuses anything (vm.overcommit_memory is 2).",
        commit.mode.value().map(|_| commit.enforced()),
    );
    let stalls = [("some", now.pressure.some), ("full", now.pressure.full)];
    let told = |share: &dyn Fn(PsiLine) -> Number| -> Vec<(Labels, Number)> {
        let known = stalls.iter().filter_map(|(kind, reading): &(&str, Reading<PsiLine>)| {
            Some((vec![("kind", (*kind).to_owned())], share(reading.value()?)))
        });
        known.collect()
    };
    all.add(
        "pressure_avg10",
        ratio(),
        MetricType::Gauge,
        "Share of the last ten seconds in which some or all tasks waited for memory.",
    )
    .series = told(&|stall| Number::Real(f64::from(stall.avg10) / 100.0));
    all.add(
        "pressure_stall",
        Some(Unit::Seconds),
        MetricType::Counter,
        "Time since boot in which some or all tasks waited for memory.",
    )
    .series = told(&|stall| Duration::from_micros(stall.total_us).into());
}

/// The look itself: how it is judged, how long it took, how old it is.
fn sample(context: &RowContext<'_>, took: Duration, all: &mut Families) {
    let now = context.scene.now();
    let (agree, compared) = agreement(context.scene);
    all.gauge(
        "self_check_compared",
        None,
        "Scores of the kernel's own that were compared with the computed ones.",
        Some(compared),
    );
    all.gauge("self_check_agreeing", None, "How many of these were equal.", Some(agree));
    all.gauge("processes", None, "Processes that were seen.", Some(now.processes.len()));
    all.gauge(
        "unreadable_processes",
        None,
        "Processes that were seen but could not be read.",
        Some(u64::from(now.scan.unreadable)),
    );
    all.gauge(
        "scan_age",
        Some(Unit::Seconds),
        "How old the last complete walk over the processes is; 0 where it belongs to this look.",
        Some(Duration::from_millis(now.scan.stale_ms.0)),
    );
    all.gauge(
        "look_duration",
        Some(Unit::Seconds),
        "How long it took to look and to rank.",
        Some(took),
    );
    all.gauge(
        "look_timestamp",
        Some(Unit::Seconds),
        "When the look was taken, since 1970: what is older than a few refreshes is no longer so.",
        Some(now.clock.unix_ms as f64 / 1000.0),
    );
}

/// The whole text. `took` is how long the look took.
///
/// # Errors
/// None that the text itself can give.
pub fn metrics(
    context: &RowContext<'_>,
    took: Duration,
    form: MetricsFormat,
) -> Result<String, fmt::Error> {
    let mut all = Families::default();
    let build = all.add("build", None, MetricType::Info, "This doomtop.");
    build.put(vec![("version", env!("CARGO_PKG_VERSION").to_owned())], Number::Natural(1));
    victim(context, &mut all);
    killers(context, &mut all);
    domains(context, &mut all);
    machine(context, &mut all);
    sample(context, took, &mut all);
    let names: Vec<_> = all.0.iter().map(|it| (it.full_name(), it.suffix(), it.kind)).collect();
    let mut registry = Registry::with_prefix(PREFIX);
    registry.register_collector(Box::new(all));
    let mut out = String::new();
    text::encode(&mut out, &registry)?;
    match form {
        MetricsFormat::OpenMetrics => Ok(out),
        MetricsFormat::Prometheus => older(&out, &names),
    }
}

/// The same in the older text: a type stands by the name that the series carry, an info is a gauge,
/// and there are neither units nor an end.
fn older(text: &str, names: &[(String, &'static str, MetricType)]) -> Result<String, fmt::Error> {
    let mut out = String::with_capacity(text.len());
    for line in text.lines() {
        let Some(comment) = line.strip_prefix("# ") else {
            writeln!(out, "{line}")?;
            continue;
        };
        let mut words = comment.splitn(3, ' ');
        let (Some(word @ ("HELP" | "TYPE")), Some(name), Some(rest)) =
            (words.next(), words.next(), words.next())
        else {
            continue;
        };
        let known = names.iter().find(|(full, ..)| full == name);
        let suffix = known.map_or("", |(_, suffix, _)| suffix);
        let rest = match known {
            Some((_, _, MetricType::Info)) if word == "TYPE" => "gauge",
            _ => rest,
        };
        writeln!(out, "# {word} {name}{suffix} {rest}")?;
    }
    Ok(out)
}
