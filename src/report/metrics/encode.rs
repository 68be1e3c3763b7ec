//! How metrics are written: numbers, families of series, and the two text formats.

use std::fmt::{self, Write};
use std::time::Duration;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{
    CounterValueEncoder, DescriptorEncoder, EncodeCounterValue, EncodeGaugeValue,
    GaugeValueEncoder, NoLabelSet, text,
};
use prometheus_client::metrics::MetricType;
use prometheus_client::registry::{Registry, Unit};

use super::MetricsFormat;
use crate::units::{Kib, Points};

/// The beginning of every name.
const PREFIX: &str = "doomtop";

/// A value: integers are written without a decimal point.
#[derive(Clone, Copy, Debug)]
pub(super) enum Number {
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

/// The labels of a series.
pub(super) type Labels = Vec<(&'static str, String)>;

/// A metric family: the series under one name.
#[derive(Debug)]
pub(super) struct Family {
    name: &'static str,
    unit: Option<Unit>,
    kind: MetricType,
    help: &'static str,
    pub(super) series: Vec<(Labels, Number)>,
}

impl Family {
    /// The name with prefix and unit, without the suffix of the type.
    fn full_name(&self) -> String {
        let unit = self.unit.as_ref().map(|unit| format!("_{}", unit.as_str()));
        format!("{PREFIX}_{}{}", self.name, unit.unwrap_or_default())
    }

    /// The suffix that the type appends to the name of a series.
    const fn suffix(&self) -> &'static str {
        match self.kind {
            MetricType::Counter => "_total",
            MetricType::Info => "_info",
            _ => "",
        }
    }

    /// Adds a series.
    pub(super) fn put(&mut self, labels: Labels, number: impl Into<Number>) {
        self.series.push((labels, number.into()));
    }
}

/// All families.
#[derive(Debug, Default)]
pub(super) struct Families(Vec<Family>);

impl Families {
    /// Adds a family without series.
    pub(super) fn add(
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

    /// Adds a gauge with one series; without any where the number is unknown.
    pub(super) fn gauge(
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

pub(super) fn ratio() -> Option<Unit> {
    Some(Unit::Other("ratio".to_owned()))
}

pub(super) fn pages() -> Option<Unit> {
    Some(Unit::Other("pages".to_owned()))
}

/// All families as text.
pub(super) fn encode(all: Families, format: MetricsFormat) -> Result<String, fmt::Error> {
    let names: Vec<_> = all.0.iter().map(|it| (it.full_name(), it.suffix(), it.kind)).collect();
    let mut registry = Registry::with_prefix(PREFIX);
    registry.register_collector(Box::new(all));
    let mut out = String::new();
    text::encode(&mut out, &registry)?;
    match format {
        MetricsFormat::OpenMetrics => Ok(out),
        MetricsFormat::Prometheus => to_prometheus(&out, &names),
    }
}

/// OpenMetrics as the older format: types are given for the names of series, with suffix, an info is a gauge,
/// and there are neither units nor an end.
fn to_prometheus(
    text: &str,
    names: &[(String, &'static str, MetricType)],
) -> Result<String, fmt::Error> {
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
