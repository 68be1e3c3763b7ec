//! A report of the OOM killer, explained ([`crate::words::incident`]), as text and as JSON.

use std::io::{self, Write};

use serde_json::{Value, json};

use super::line::{TextStyle, write_line};
use super::shared_objects::MemorySheetReport;
use super::text::write_table;
use crate::columns::{Column, column};
use crate::events::{FreeChunks, HeardKill, KilledTask, OomCause, OomReport, ZoneState};
use crate::model::{Names, Scene};
use crate::rank::{Placement, Ranked};
use crate::units::Kib;
use crate::words::daemon_kill;
pub use crate::words::incident::{DumpContext, ExplainedReport};
pub use crate::words::judged_task::ChoiceAgreement;
use crate::words::remedy::Remedy;

impl ExplainedReport<'_> {
    /// Writes it as text, with at most this many rows of the table.
    ///
    /// # Errors
    /// `out` cannot be written.
    pub fn write(&self, out: &mut dyn Write, rows: usize, style: TextStyle) -> io::Result<()> {
        for line in self.lines() {
            write_line(out, &format!("{:<9}{}", line.topic.label(), line.text), style)?;
        }
        let Some(judged) = self.judged() else { return Ok(()) };
        writeln!(out)?;
        let names = Names::default();
        let context = judged.context(&names);
        let table: Vec<u32> = judged.ranking.rows().iter().take(rows).map(|row| row.at).collect();
        write_table(out, &context, &table, &columns(), style)?;
        let more = judged.ranking.rows().len().saturating_sub(table.len());
        if more > 0 {
            writeln!(out, "{more} more")?;
        }
        Ok(())
    }

    /// The report as one JSON object.
    #[must_use]
    pub fn json(&self) -> Value {
        let report = self.report();
        let invoked = report.invoked.as_ref();
        // A memory cgroup without a name in the log, and an unknown domain, are an empty string.
        let is_unnamed = report.is_memcg() || report.cause() == OomCause::Unknown;
        let unnamed = if is_unnamed { "" } else { "global" };
        let mut object = json!({
            "schema": "doomtop-explain/1",
            "killer": "kernel",
            "when": report.stamp.text,
            "time": report.stamp.rfc3339(),
            "uptime_us": report.stamp.uptime_us,
            "lines": [report.lines.0, report.lines.1],
            "kernel": report.kernel,
            "what": self.what(),
            "answer": self.answer(),
            "why": self.why(),
            "memory": self.memory().map(|sheet| MemorySheetReport::of(&sheet)),
            "zones": report.zones.iter().map(|it| zone(it, &report.chunks)).collect::<Vec<Value>>(),
            "change": self.remedies().iter().map(remedy).collect::<Vec<Value>>(),
            "domain_kind": domain_kind(report),
            "chosen": chosen(report),
            "domain": report.domain.as_deref().unwrap_or(unnamed),
            "invoked_by": invoked.and_then(|it| it.name.clone()),
            "gfp": invoked.map(|it| it.gfp.clone()),
            "gfp_flags": invoked.and_then(|it| it.flags.clone()),
            "order": invoked.and_then(|it| it.order),
            "killed": report.killed.iter().map(killed).collect::<Vec<Value>>(),
            "oom_group": report.group,
            "agreement": self.agreement().word(),
            "notes": self.notes(),
            "remedies": self.remedies().iter().map(remedy).collect::<Vec<Value>>(),
        });
        if let Some(judged) = self.judged() {
            let rows = judged.ranking.rows().iter();
            let ranking: Vec<Value> = rows.filter_map(|row| ranked(row, &judged.scene)).collect();
            object["policy"] = json!(judged.policy.id());
            object["total_pages"] = json!(judged.scene.domain().pages.0);
            object["ranking"] = json!(ranking);
        }
        object
    }
}

/// Writes the kill of a daemon as text.
///
/// # Errors
/// `out` cannot be written.
pub fn write_daemon_kill(
    heard: &HeardKill,
    out: &mut dyn Write,
    style: TextStyle,
) -> io::Result<()> {
    let when = match heard.stamp.shown() {
        when if when.is_empty() => "unknown".to_owned(),
        when => when,
    };
    let mut lines = vec![
        ("answer", daemon_kill::answer(heard)),
        ("when", format!("{when} (line {})", heard.line)),
        ("said", heard.kill.said.to_string()),
    ];
    for remedy in daemon_kill::remedies(heard) {
        lines.push(("change", remedy.text));
        lines.extend(remedy.command.map(|command| ("", command)));
    }
    for (label, text) in lines {
        write_line(out, &format!("{label:<9}{text}"), style)?;
    }
    Ok(())
}

/// The kill of a daemon as one JSON object, with the keys of a report as far as they apply.
#[must_use]
pub fn daemon_kill_json(heard: &HeardKill) -> Value {
    let kill = &heard.kill;
    let killed: Vec<Value> = (kill.pid.is_some() || kill.comm.is_some())
        .then(|| {
            json!({
                "pid": kill.pid,
                "comm": kill.comm,
                "uid": kill.uid,
                "oom_score_adj": kill.adj.map(|adj| adj.0),
                "rss_kib": kill.rss.map(|it| it.0),
            })
        })
        .into_iter()
        .collect();
    let change: Vec<Value> = daemon_kill::remedies(heard).iter().map(remedy).collect();
    json!({
        "schema": "doomtop-explain/1",
        "killer": kill.by.word(),
        "when": heard.stamp.text,
        "time": heard.stamp.rfc3339(),
        "uptime_us": heard.stamp.uptime_us,
        "lines": [heard.line, heard.line],
        "kernel": null,
        "what": kill.why.as_ref().map_or("not told in this log", |it| it.as_str()),
        "answer": daemon_kill::answer(heard),
        "why": kill.why.as_ref().map(|it| vec![it.as_str().to_owned()]).unwrap_or_default(),
        "memory": null,
        "change": change,
        "domain": kill.cgroup.as_ref().map_or("", |it| it.as_str()),
        "domain_kind": "unknown",
        "chosen": killed.first().cloned(),
        "killed": killed,
        "killed_cgroup": kill.cgroup.as_ref().filter(|_| kill.pid.is_none()),
        "processes": kill.processes,
        "invoked_by": null,
        "agreement": "unknown",
        "notes": [],
        "remedies": change,
    })
}

/// What was out of memory, in one word.
fn domain_kind(report: &OomReport) -> &'static str {
    match report.cause() {
        OomCause::Memcg => "memory_cgroup",
        OomCause::PageFault => "page_fault",
        OomCause::Cpuset => "cpuset",
        OomCause::MemoryPolicy => "memory_policy",
        OomCause::Machine | OomCause::Sysrq => "machine",
        OomCause::Unknown => "unknown",
    }
}

/// The process that the kernel chose; `null` where the log does not name it.
fn chosen(report: &OomReport) -> Value {
    if let Some((pid, name, score)) = &report.selected {
        return json!({ "pid": pid, "comm": name, "score": score });
    }
    let killed = report.killed.first();
    let Some(pid) = report.chosen.or_else(|| killed.map(|it| it.pid)) else { return Value::Null };
    let by_kill = killed.filter(|it| it.pid == pid).map(|it| it.name.clone());
    let name = by_kill.or_else(|| report.chosen_name.clone());
    let name = name.or_else(|| report.row(pid).map(|row| row.name.clone()));
    json!({ "pid": pid, "comm": name, "score": null })
}

/// A zone, with its free list.
fn zone(zone: &ZoneState, chunks: &[FreeChunks]) -> Value {
    let own = chunks.iter().find(|it| it.node == zone.node && it.zone == zone.name);
    let list = own
        .map(|it| it.list.iter().map(|(size, count)| json!([size.0, count])).collect::<Vec<_>>());
    json!({
        "node": zone.node,
        "zone": zone.name,
        "free_kib": zone.free.0,
        "cma_kib": zone.cma.0,
        "min_kib": zone.min.0,
        "low_kib": zone.low.0,
        "high_kib": zone.high.0,
        "present_kib": zone.present.map(|it| it.0),
        "reserve_pages": zone.reserve,
        "free_chunks": list,
    })
}

/// A killed process, as the log describes it.
fn killed(task: &KilledTask) -> Value {
    let kib = |kib: Option<Kib>| kib.map(|it| it.0);
    json!({
        "pid": task.pid,
        "comm": task.name,
        "uid": task.uid,
        "oom_score_adj": task.adj.map(|adj| adj.0),
        "anon_kib": kib(task.anon),
        "file_kib": kib(task.file),
        "shmem_kib": kib(task.shmem),
        "pgtables_kib": kib(task.pgtables),
    })
}

/// What to change, with a command where there is one.
fn remedy(remedy: &Remedy) -> Value {
    json!({ "text": remedy.text, "command": remedy.command })
}

/// A process of the dump with its place in the ranking.
fn ranked(row: &Ranked, scene: &Scene) -> Option<Value> {
    let process = scene.find(row.id)?;
    let spared = match row.placement {
        Placement::Spared(reason) => Some(reason.word()),
        Placement::Scored(_) => None,
    };
    Some(json!({
        "pid": row.id.pid,
        "comm": process.comm,
        "badness": row.placement.points().map(|points| points.0),
        "spared": spared,
        "oom_score_adj": process.adj.value().map(|adj| adj.0),
        "rss_pages": process.rss_stat.0,
        "swap_pages": process.swap.value().map(|pages| pages.0),
        "pgtables_pages": process.pgtables.value().map(|pages| pages.0),
    }))
}

/// The columns of the table.
fn columns() -> Vec<&'static Column> {
    let names = [
        "rank",
        "pid",
        "user",
        "badness",
        "permille",
        "oom_score_adj",
        "rss",
        "swap",
        "pgtables",
        "command",
    ];
    names.into_iter().filter_map(column).collect()
}
