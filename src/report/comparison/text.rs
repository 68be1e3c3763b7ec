//! The comparison as text: a table, and below it kills, processes that grew, and what is not comparable.

use std::io::{self, Write};

use super::super::line::{TextStyle, write_line};
use super::super::time::rfc3339;
use super::{ComparedRun, LoadComparison};
use crate::columns::{human_size, span_of};
use crate::report::load_test::summary::LoadKill;
use crate::units::Bytes;

/// Widths of the columns, in cells.
const LABEL: usize = 15;
const VALUE: usize = 24;
const CHANGE: usize = 20;
/// Maximum number of kills and of growing processes of each.
const LISTED: usize = 5;

/// Writes it.
///
/// # Errors
/// `out` cannot be written.
pub fn write_comparison(
    out: &mut dyn Write,
    comparison: &LoadComparison,
    style: TextStyle,
) -> io::Result<()> {
    let [a, b] = &comparison.runs;
    write_line(out, &comparison.sentence(), style)?;
    writeln!(out)?;
    for (name, run) in [("A", a), ("B", b)] {
        let begin = rfc3339(run.summary.unix_ms.0);
        let scope = &run.summary.scope;
        let line = format!("{name}: {}  {}, from {begin}, scope {scope}", run.file, run.machine.0);
        write_line(out, &line, style)?;
    }
    writeln!(out)?;
    let head = format!("{:<LABEL$}{:<VALUE$}{:<VALUE$}{:<CHANGE$}", "", "A", "B", "CHANGE");
    write_line(out, head.trim_end(), style)?;
    for row in &comparison.rows {
        let verdict = row.verdict().map_or("", |it| match it.word() {
            "same" => "",
            word => word,
        });
        let line = format!(
            "{:<LABEL$}{:<VALUE$}{:<VALUE$}{:<CHANGE$}{verdict}",
            row.label,
            row.cell(0),
            row.cell(1),
            row.change()
        );
        write_line(out, line.trim_end(), style)?;
    }
    for (name, run) in [("A", a), ("B", b)] {
        write_details(out, name, run, style)?;
    }
    for (nth, note) in comparison.notes.iter().enumerate() {
        let label = if nth == 0 { "note" } else { "" };
        if nth == 0 {
            writeln!(out)?;
        }
        write_line(out, &format!("{label:<LABEL$}{note}"), style)?;
    }
    Ok(())
}

/// `245 chrome`, or what is known of the victim.
fn victim(kill: &LoadKill) -> String {
    let comm = kill.comm.map_or_else(|| "a process".to_owned(), |it| it.to_string());
    kill.pid.map_or_else(|| comm.clone(), |pid| format!("{pid} {comm}"))
}

/// The kills of one of the two, and the processes that grew in it.
fn write_details(
    out: &mut dyn Write,
    name: &str,
    run: &ComparedRun,
    style: TextStyle,
) -> io::Result<()> {
    let it = &run.summary;
    let kills = it.kills.iter().map(|kill| {
        let who = victim(kill);
        let after = span_of(kill.after.0 / 1000);
        let by = kill.by.word();
        let guessed = if kill.guessed { " (victim guessed)" } else { "" };
        ("kills", format!("{who} after {after}, by {by}{guessed}: {}", kill.why))
    });
    let growing = it.growing.iter().filter_map(|it| {
        let rate = human_size(Bytes((it.growth.steady()?.best * 60.0) as u64));
        let size = human_size(it.bytes);
        Some(("growing", format!("{} {}: {rate}/min, {size} at the end", it.id, it.comm)))
    });
    let lists: [Vec<(&str, String)>; 2] = [kills.collect(), growing.collect()];
    for list in lists {
        for (nth, (label, text)) in list.iter().take(LISTED).enumerate() {
            let label = if nth == 0 { format!("{name} {label}") } else { String::new() };
            if nth == 0 {
                writeln!(out)?;
            }
            write_line(out, &format!("{label:<LABEL$}{text}"), style)?;
        }
        let more = list.len().saturating_sub(LISTED);
        if more > 0 {
            write_line(out, &format!("{:<LABEL$}{more} more", ""), style)?;
        }
    }
    Ok(())
}
