//! The table in assets/docs/proof.md.

use std::fmt::Write;
use std::fs;

use crate::judge::{Judged, LEADS};
use crate::trace::Trace;

/// The document, and what encloses the table in it.
const DOCUMENT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/assets/docs/proof.md");
const MARKER: &str = "systemd-guest";

/// The first lines of the table.
pub const HEAD: &str = "| killer | version | systemd | kills | killer named 10, 5, 1 s before | victim named 10, 5, 1 s before | \
     median error of the time | explained |\n|---|---|---|---|---|---|---|---|\n";

fn median(mut of: Vec<f64>) -> Option<f64> {
    of.sort_by(f64::total_cmp);
    of.get(of.len() / 2).copied()
}

/// A row for each killer of one guest.
pub fn rows(trace: &Trace, kills: &[Judged]) -> String {
    let mut names: Vec<&str> = Vec::new();
    for kill in kills {
        if !names.contains(&kill.round.killer.as_str()) {
            names.push(&kill.round.killer);
        }
    }
    let mut out = String::new();
    for name in names {
        let of: Vec<&Judged> =
            kills.iter().filter(|it| it.round.killer == name && it.at.is_some()).collect();
        let count = |holds: &dyn Fn(&Judged, usize) -> bool| {
            let at = |lead| of.iter().filter(|it| holds(it, lead)).count().to_string();
            (0..LEADS.len()).map(at).collect::<Vec<_>>().join(", ")
        };
        let errors = of.iter().flat_map(|it| (0..LEADS.len()).filter_map(|lead| it.error(lead)));
        let error =
            median(errors.collect()).map_or("-".to_owned(), |it| format!("{:.0} %", it * 100.0));
        let _ = writeln!(
            out,
            "| {name} | {} | {} | {} | {} | {} | {error} | {} |",
            trace.version(name),
            trace.version("systemd"),
            of.len(),
            count(&|it, lead| it.has_killer(lead)),
            count(&|it, lead| it.has_victim(lead)),
            of.iter().filter(|it| it.explained).count(),
        );
    }
    out
}

/// Puts the rows into the document. Those of other versions, or beside another systemd, stay.
pub fn write(trace: &Trace, rows: &str) {
    let old = fs::read_to_string(DOCUMENT).expect("the document");
    let (open, close) = (format!("<!-- {MARKER} -->\n"), format!("<!-- /{MARKER} -->"));
    let from = old.find(&open).expect("the marker in the document") + open.len();
    let to = old.find(&close).expect("the end of the table in the document");
    let is_new = |line: &&str| {
        let cells: Vec<&str> = line.split('|').map(str::trim).collect();
        let [_, killer, version, systemd, ..] = cells[..] else { return true };
        (trace.version(killer), trace.version("systemd"))
            != (version.to_owned(), systemd.to_owned())
    };
    let kept = old[from..to].lines().skip(HEAD.lines().count()).filter(is_new);
    let mut all: Vec<&str> = kept.chain(rows.lines()).collect();
    all.sort_unstable();
    let text = format!("{HEAD}{}\n", all.join("\n"));
    fs::write(DOCUMENT, format!("{}{text}{}", &old[..from], &old[to..])).expect("the new document");
}
