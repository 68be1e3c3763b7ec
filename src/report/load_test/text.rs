//! The verdict of a load test as text.

use super::summary::{GrowingProcess, LoadKill, LoadPressure, LoadReclaim, LoadSummary};
use super::verdict::{CommandEnd, LoadVerdict, MeasuredBy, TestEnd};
use crate::columns::human_size;
use crate::forecast::steady_growth::{GrowthTrend, SteadyGrowth};
use crate::format::span_of;
use crate::units::{Bytes, Millis};
use crate::words::daemon_kill::doubt;
use crate::words::next_death::forecast_sentence;

/// Width of the label of a line, in cells.
const LABEL: usize = 10;
/// Maximum number of growing processes that are listed.
const MAX_GROWING: usize = 5;
/// Maximum number of kills that are listed.
const MAX_KILLS: usize = 20;

/// Lines with a label where the topic changes.
struct LabelledLines(Vec<String>);

impl LabelledLines {
    fn add(&mut self, label: &str, text: impl AsRef<str>) {
        self.0.push(format!("{label:<LABEL$} {}", text.as_ref()));
    }
}

fn seconds(time: Millis) -> String {
    format!("{:.1} s", time.seconds())
}

/// The lines of the verdict.
#[must_use]
pub fn verdict_lines(verdict: &LoadVerdict) -> Vec<String> {
    let mut lines = LabelledLines(Vec::new());
    let command: Vec<&str> = verdict.command.iter().map(|it| it.as_str()).collect();
    lines.add("command", command.join(" "));
    lines.add("ended", ended(verdict));
    lines.add("limit", limit(verdict));
    match &verdict.summary {
        Some(summary) if summary.samples > 0 => {
            add_summary(&mut lines, summary, verdict.kills_unknown());
        }
        _ => lines.add("memory", "not known: no sample contains the memory usage of the command"),
    }
    let mut label = "expected";
    for it in &verdict.answers {
        let (sign, value) = (if it.is_met() { "met    " } else { "NOT MET" }, &it.shown);
        lines.add(label, format!("{sign} {} ({value})", it.expectation));
        label = "";
    }
    if !verdict.left_running.is_empty() {
        let what = if verdict.leaves { "left running" } else { "ended" };
        let names = verdict.left_running.iter().map(|it| format!("{} {}", it.pid, it.comm));
        lines.add("left", format!("{} ({what})", names.collect::<Vec<_>>().join(", ")));
    }
    if let Some(path) = &verdict.left_cgroup {
        let what = "stays with its limits; rmdir removes it when its processes have ended";
        lines.add("cgroup", format!("{path} {what}"));
    }
    for (label, file) in [("output", &verdict.output), ("recording", &verdict.recording)] {
        if let Some(file) = file {
            lines.add(label, file.as_str());
        }
    }
    lines.0
}

fn ended(verdict: &LoadVerdict) -> String {
    let how = match verdict.end {
        CommandEnd::Exited(status) => format!("with status {status}"),
        CommandEnd::Signalled(signal) => {
            format!("by signal {signal} (status {})", verdict.end.code())
        }
    };
    let why = match verdict.ended_by {
        TestEnd::Command => "",
        TestEnd::Until => ", as --until asked",
        TestEnd::KillAfter => ", as --kill-after asked",
        TestEnd::Signal(_) => ", after a signal to doomtop",
    };
    format!("{how} after {}{why}", seconds(verdict.ran_for))
}

fn limit(verdict: &LoadVerdict) -> String {
    let limits = &verdict.limits;
    let size = |name: &str, size: Option<Bytes>| size.map(|it| format!("{name}{}", human_size(it)));
    let parts = [size("", limits.memory), size("swap ", limits.swap), size("high ", limits.high)];
    let mut parts: Vec<String> = parts.into_iter().flatten().collect();
    parts.extend(limits.group.then(|| "killed as a group".to_owned()));
    let asked = if parts.is_empty() { "none".to_owned() } else { parts.join(", ") };
    let force = match &verdict.not_enforced {
        Some(why) => format!(" NOT ENFORCED: {why}"),
        None => String::new(),
    };
    let place = match (&verdict.summary, verdict.measured) {
        (_, MeasuredBy::Processes) => "; the command and its descendants, added up".to_owned(),
        (Some(summary), MeasuredBy::Cgroup) => format!("; cgroup {}", summary.scope),
        (None, MeasuredBy::Cgroup) => String::new(),
    };
    format!("{asked}{force}{place}")
}

fn add_summary(lines: &mut LabelledLines, it: &LoadSummary, kills_unknown: bool) {
    if let Some(peak) = it.peak {
        let (size, after) = (human_size(peak.bytes), seconds(peak.after));
        lines.add("peak", format!("{size} at {after}, with page cache"));
    }
    lines.add(
        "needed",
        match (it.needed, it.needed_is_least) {
            (Some(size), false) => {
                format!("{}: no smaller limit is enough without swap", human_size(size))
            }
            (Some(size), true) => format!("{} or more: a process was killed", human_size(size)),
            (None, _) => "not known: page cache is not reported by this kernel".to_owned(),
        },
    );
    if let Some(near) = it.near_limit {
        // It was there between two samples.
        let was_near =
            it.needed.zip(it.limit).is_some_and(|(needed, limit)| needed.0 >= limit.0 / 10 * 9);
        let time = match near {
            Millis::ZERO if was_near => "less than a sample".to_owned(),
            _ => seconds(near),
        };
        lines.add("near", format!("{time} with 90 % of the limit or more not reclaimable"));
    }
    lines.add("pressure", pressure(it.pressure));
    lines.add("reclaim", reclaim(it.reclaim));
    if let Some(swap) = it.swap_peak.filter(|it| it.0 > 0) {
        lines.add("swap", format!("{} at most", human_size(swap)));
    }
    lines.add("growth", growth(it));
    for it in it.growing.iter().take(MAX_GROWING) {
        lines.add("", growing(it));
    }
    if kills_unknown {
        lines.add("kills", "not known: the command got SIGKILL, and no counter shows whether the OOM killer sent it");
    } else if it.kills.is_empty() {
        lines.add("kills", "none");
    }
    let mut label = "kills";
    for it in it.kills.iter().take(MAX_KILLS) {
        lines.add(label, kill(it));
        label = "";
    }
    if let Some(more) = it.kills.len().checked_sub(MAX_KILLS).filter(|more| *more > 0) {
        lines.add("", format!("{more} more"));
    }
}

fn pressure(it: LoadPressure) -> String {
    let time = |name: &str, time: Option<std::time::Duration>| {
        time.map(|it| format!("{name} {:.2} s", it.as_secs_f64()))
    };
    let parts: Vec<String> =
        [time("some", it.some), time("full", it.full)].into_iter().flatten().collect();
    if parts.is_empty() {
        return "not reported by this kernel".to_owned();
    }
    format!("{} (of the {})", parts.join(", "), it.of.word())
}

fn reclaim(it: LoadReclaim) -> String {
    let mut parts = Vec::new();
    if let Some(pages) = it.scanned {
        parts.push(format!("{pages} pages scanned (of the {})", it.scanned_of.word()));
    }
    if let Some(pages) = it.refaults {
        parts.push(format!("{pages} read again (of the {})", it.refaults_of.word()));
    }
    // Version 1 does not count all of them.
    if let Some(hits) = it.limit_hits.filter(|hits| *hits > 0) {
        parts.push(format!("the limit was reached {hits} times"));
    }
    if parts.is_empty() { "not reported by this kernel".to_owned() } else { parts.join(", ") }
}

fn rate(it: SteadyGrowth) -> String {
    let size = |rate: f64| human_size(Bytes((rate * 60.0) as u64));
    let over = span_of(it.over.0 / 1000);
    format!("{}/min ({} to {}) over {over}", size(it.best), size(it.low), size(it.high))
}

fn growth(it: &LoadSummary) -> String {
    match it.growth {
        GrowthTrend::TooShort => "not known: the test was too short".to_owned(),
        GrowthTrend::NotSteady => "not steady".to_owned(),
        GrowthTrend::Steady(growth) => {
            let limit = it.limit.map(human_size).unwrap_or_default();
            let lasts = it.lasts.map(|it| span_of(it.middle.0 / 1000));
            let lasts = lasts
                .map(|lasts| format!("; at this rate the limit of {limit} is reached in {lasts}"));
            format!("{}{}", rate(growth), lasts.unwrap_or_default())
        }
    }
}

fn growing(it: &GrowingProcess) -> String {
    let rate = it.growth.steady().map(rate).unwrap_or_default();
    format!("{} {} {rate}, {} now", it.id.pid, it.comm, human_size(it.bytes))
}

fn kill(it: &LoadKill) -> String {
    let event = &it.event;
    let mut who = match event.victim.map(|victim| (victim.pid, victim.comm)) {
        Some((Some(pid), comm)) => format!("{pid} {comm}"),
        Some((None, comm)) => comm.to_string(),
        None => "a process".to_owned(),
    };
    if let Some(freed) = event.victim.and_then(|it| it.freed()) {
        who.push_str(&format!(" ({})", human_size(freed.bytes())));
    }
    let likely = if event.guessed { " (likely)" } else { "" };
    let forecast = forecast_sentence(event.forecast);
    let forecast = forecast.map_or_else(String::new, |it| format!(", {it}"));
    let doubt = doubt(event);
    format!("{who}{likely}{doubt} at {}{forecast}: {}", seconds(it.after), it.why)
}
