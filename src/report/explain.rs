//! A report of the OOM killer, explained ([`crate::words::incident`]), as text and as JSON.

use std::io::{self, Write};

use serde_json::{Value, json};

use super::line::{TextStyle, write_line};
use super::text::write_table;
use crate::columns::{Column, column};
use crate::events::KilledTask;
use crate::model::{Names, Scene};
use crate::rank::{Placement, Ranked};
use crate::units::Kib;
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
        // A memory cgroup without a name in the log is an empty string.
        let unnamed = if report.is_memcg() { "" } else { "global" };
        let mut object = json!({
            "schema": "doomtop-explain/1",
            "when": report.stamp.text,
            "uptime_us": report.stamp.uptime_us,
            "lines": [report.lines.0, report.lines.1],
            "kernel": report.kernel,
            "what": self.what(),
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
