//! The comparison as text: a table, and below it kills, processes that grew, and what is not comparable.

use std::io::{self, Write};

use super::super::line::{TextStyle, write_line};
use super::super::time::rfc3339;
use super::{ComparedRow, ComparedRun, ComparedVerdict, LoadComparison};
use crate::columns::{human_size, span_of};
use crate::report::load_test::summary::LoadKill;
use crate::units::Bytes;

/// The width of the labels, in cells. The other columns are as wide as their widest cell.
const LABEL: usize = 15;
/// The width of the whole table where its cells allow that, and of the notes below it.
const WIDTH: usize = 80;
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
        if line.len() <= WIDTH {
            write_line(out, &line, style)?;
        } else {
            write_line(out, &format!("{name}: {}", run.file), style)?;
            write_line(out, &format!("   {}, from {begin}, scope {scope}", run.machine.0), style)?;
        }
    }
    writeln!(out)?;
    let verdict = |row: &ComparedRow| match row.verdict() {
        None | Some(ComparedVerdict::Same) => "",
        Some(verdict) => verdict.word(),
    };
    let mut table = vec![["", "A", "B", "CHANGE", ""].map(str::to_owned)];
    table.extend(comparison.rows.iter().map(|row| {
        [row.label.to_owned(), row.cell(0), row.cell(1), row.change(), verdict(row).to_owned()]
    }));
    let widest = |at: usize| table.iter().map(|row| row[at].len()).max().unwrap_or(0) + 2;
    let [a_width, b_width, change] = [1, 2, 3].map(widest);
    for [label, first, second, changed, verdict] in &table {
        let line = format!(
            "{label:<LABEL$}{first:<a_width$}{second:<b_width$}{changed:<change$}{verdict}"
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
        write_wrapped(out, label, note, style)?;
    }
    Ok(())
}

/// A text behind its label, wrapped behind it.
fn write_wrapped(out: &mut dyn Write, label: &str, text: &str, style: TextStyle) -> io::Result<()> {
    let mut line = format!("{label:<LABEL$}");
    let mut is_empty = true;
    for word in text.split(' ') {
        if !is_empty && line.len() + 1 + word.len() > WIDTH {
            write_line(out, &line, style)?;
            line = " ".repeat(LABEL);
            is_empty = true;
        }
        if !is_empty {
            line.push(' ');
        }
        line.push_str(word);
        is_empty = false;
    }
    write_line(out, &line, style)
}

/// `245 chrome`, or what is known of the victim.
fn victim(kill: &LoadKill) -> String {
    let Some(victim) = kill.event.victim else { return "a process".to_owned() };
    let comm = victim.comm;
    victim.pid.map_or_else(|| comm.to_string(), |pid| format!("{pid} {comm}"))
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
        let by = kill.event.by.word();
        let guessed = if kill.event.guessed { " (victim guessed)" } else { "" };
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
            write_wrapped(out, &label, text, style)?;
        }
        let more = list.len().saturating_sub(LISTED);
        if more > 0 {
            write_line(out, &format!("{:<LABEL$}{more} more", ""), style)?;
        }
    }
    Ok(())
}
