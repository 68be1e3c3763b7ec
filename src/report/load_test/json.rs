//! The verdict of a load test as a JSON object (`assets/docs/schema.md`).

use serde_json::{Map, Value, json};

use super::answer::ExpectationAnswer;
use super::summary::{GrowingProcess, LoadKill, LoadSummary};
use super::verdict::LoadVerdict;
use crate::forecast::steady_growth::GrowthTrend;
use crate::model::Text;
use crate::report::kill::KillReport;
use crate::report::time::rfc3339;
use crate::units::Millis;

/// The name and version of the object.
const SCHEMA: &str = "doomtop-verdict/1";

/// The verdict as an object.
#[must_use]
pub fn verdict_object(verdict: &LoadVerdict) -> Value {
    let text = |it: &Option<Text>| it.as_ref().map(ToString::to_string);
    let command: Vec<String> = verdict.command.iter().map(ToString::to_string).collect();
    let left: Vec<Value> = verdict
        .left_running
        .iter()
        .map(|it| json!({ "pid": it.pid, "comm": it.comm, "ended": !verdict.leaves }))
        .collect();
    let mut object = json!({
        "schema": SCHEMA,
        "command": command,
        "exit_status": verdict.end.code(),
        "ended_by": verdict.ended_by.word(),
        "seconds": verdict.ran_for.seconds(),
        "limit_enforced": verdict.limit_enforced(),
        "not_enforced": verdict.not_enforced,
        "limits": {
            "memory_bytes": verdict.limits.memory,
            "swap_bytes": verdict.limits.swap,
            "high_bytes": verdict.limits.high,
            "group": verdict.limits.group,
        },
        "measured": verdict.measured.word(),
        "expectations": verdict.answers.iter().map(answer).collect::<Vec<_>>(),
        "as_expected": verdict.is_as_expected(),
        "left_running": left,
        "left_cgroup": text(&verdict.left_cgroup),
        "recording": text(&verdict.recording),
        "output": text(&verdict.output),
    });
    if let (Value::Object(object), Some(summary)) = (&mut object, &verdict.summary) {
        object.extend(summary_keys(summary));
        if verdict.kills_unknown() {
            object.insert("kills".to_owned(), Value::Null);
        }
    }
    object
}

/// What is known of a test, as the keys of an object.
pub(crate) fn summary_keys(it: &LoadSummary) -> Map<String, Value> {
    let value = json!({
        "scope": it.scope.as_str(),
        "began": rfc3339(it.unix_ms.0),
        "ended": rfc3339(it.unix_ms.1),
        "samples": it.samples,
        "limit_bytes": it.limit,
        "peak_bytes": it.peak.map(|peak| peak.bytes),
        "peak_at_s": it.peak.map(|peak| peak.after.seconds()),
        "needed_bytes": it.needed,
        "needed_is_least": it.needed_is_least,
        "near_limit_s": it.near_limit.map(Millis::seconds),
        "pressure": {
            "of": it.pressure.of.word(),
            "some_s": it.pressure.some.map(|it| it.as_secs_f64()),
            "full_s": it.pressure.full.map(|it| it.as_secs_f64()),
        },
        "reclaim": {
            "scanned_of": it.reclaim.scanned_of.word(),
            "scanned_pages": it.reclaim.scanned,
            "refaults_of": it.reclaim.refaults_of.word(),
            "refault_pages": it.reclaim.refaults,
            "limit_hits": it.reclaim.limit_hits,
        },
        "swap_peak_bytes": it.swap_peak,
        "growth": growth(it),
        "lasts_s": it.lasts.map(|it| json!({
            "low": it.low.seconds(), "middle": it.middle.seconds(), "high": it.high.seconds(),
        })),
        "kills": it.kills.iter().map(kill).collect::<Vec<_>>(),
    });
    match value {
        Value::Object(map) => map,
        _ => Map::new(),
    }
}

fn growth(it: &LoadSummary) -> Value {
    let mut object = trend(it.growth);
    object["processes"] = it.growing.iter().map(process).collect();
    object
}

/// Rates in bytes a minute.
fn trend(trend: GrowthTrend) -> Value {
    match trend {
        GrowthTrend::TooShort => json!({ "trend": "too_short" }),
        GrowthTrend::NotSteady => json!({ "trend": "not_steady" }),
        GrowthTrend::Steady(it) => json!({
            "trend": "steady",
            "bytes_per_min": (it.best * 60.0).round(),
            "bytes_per_min_low": (it.low * 60.0).round(),
            "bytes_per_min_high": (it.high * 60.0).round(),
            "over_s": it.over.seconds(),
        }),
    }
}

fn process(it: &GrowingProcess) -> Value {
    let mut object = trend(it.growth);
    object["pid"] = json!(it.id.pid);
    object["start_ticks"] = json!(it.id.born);
    object["comm"] = json!(it.comm);
    object["bytes"] = json!(it.bytes);
    object
}

fn kill(it: &LoadKill) -> Value {
    let mut object = json!(KillReport::of(&it.event));
    object["after_s"] = json!(it.after.seconds());
    object["why"] = json!(it.why);
    object
}

fn answer(it: &ExpectationAnswer) -> Value {
    // JSON has no infinite numbers.
    let value = it.value.filter(|value| value.is_finite());
    json!({ "expectation": it.expectation, "met": it.met, "value": value, "shown": it.shown })
}
