//! A report of the kernel's OOM killer, explained ([`crate::words::incident`]), as text and as JSON.

use std::io::{self, Write};

use serde_json::{Value, json};

use super::line::{TextStyle, write_line};
use super::text::write_table;
use crate::columns::{Column, column};
use crate::model::Names;
use crate::rank::Placement;
use crate::units::Kib;
pub use crate::words::incident::{ChoiceAgreement, DumpContext, ExplainedReport};

impl ExplainedReport<'_> {
    /// Writes it as text, with so many rows of the table.
    ///
    /// # Errors
    /// Whatever writing to `out` gives.
    pub fn write(&self, out: &mut dyn Write, rows: usize, style: TextStyle) -> io::Result<()> {
        for (label, text) in self.lines() {
            write_line(out, &format!("{label:<9}{text}"), style)?;
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

    /// One object.
    #[must_use]
    pub fn json(&self) -> Value {
        let report = self.report();
        let kib = |kib: Option<Kib>| kib.map(|it| it.0);
        let killed: Vec<Value> = report
            .killed
            .iter()
            .map(|it| {
                json!({
                    "pid": it.pid, "comm": it.name, "uid": it.uid, "oom_score_adj": it.adj.map(|adj| adj.0),
                    "anon_kib": kib(it.anon), "file_kib": kib(it.file), "shmem_kib": kib(it.shmem),
                    "pgtables_kib": kib(it.pgtables),
                })
            })
            .collect();
        let mut object = json!({
            "schema": "doomtop-explain/1",
            "when": report.stamp.text,
            "uptime_us": report.stamp.uptime_us,
            "lines": [report.lines.0, report.lines.1],
            "kernel": report.kernel,
            "what": self.what(),
            "domain": report.domain.clone().unwrap_or_else(|| if report.is_memcg() { String::new() } else { "global".to_owned() }),
            "invoked_by": report.invoked.as_ref().and_then(|it| it.name.clone()),
            "gfp": report.invoked.as_ref().map(|it| it.gfp.clone()),
            "gfp_flags": report.invoked.as_ref().and_then(|it| it.flags.clone()),
            "order": report.invoked.as_ref().and_then(|it| it.order),
            "killed": killed,
            "oom_group": report.group,
            "agreement": self.agreement().word(),
            "notes": self.notes(),
        });
        if let Some(judged) = self.judged() {
            let order: Vec<Value> = judged
                .ranking
                .rows()
                .iter()
                .filter_map(|row| {
                    let process = judged.scene.find(row.id)?;
                    Some(json!({
                        "pid": row.id.pid,
                        "comm": process.comm,
                        "badness": row.placement.points().map(|points| points.0),
                        "spared": match row.placement { Placement::Spared(reason) => Some(reason.word()), Placement::Scored(_) => None },
                        "oom_score_adj": process.adj.value().map(|adj| adj.0),
                        "rss_pages": process.rss_stat.0,
                        "swap_pages": process.swap.value().map(|pages| pages.0),
                        "pgtables_pages": process.pgtables.value().map(|pages| pages.0),
                    }))
                })
                .collect();
            object["policy"] = json!(judged.policy.id());
            object["total_pages"] = json!(judged.scene.domain().pages.0);
            object["ranking"] = json!(order);
        }
        object
    }
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
