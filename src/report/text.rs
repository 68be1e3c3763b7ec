//! One look as plain text, for a log, a ticket or a pipe: what the header says in words, then the
//! table.

use std::fmt::Write as _;
use std::io::{self, Write};

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use crate::columns::{Align, Column, RowContext, human_size, span_of};
use crate::forecast::at_limit;
use crate::model::{PsiLine, Reading, Snapshot};
use crate::policy::agreement;
use crate::words::prediction::sentence;
use crate::words::values;

/// How a line is written.
#[derive(Clone, Copy, Debug)]
pub struct TextStyle {
    /// Cut behind so many cells: at a terminal's edge. Elsewhere never.
    pub cut: Option<usize>,
    /// Only ASCII: every other character becomes a question mark.
    pub ascii: bool,
}

/// Writes one look.
///
/// # Errors
/// Whatever writing to `out` gives.
pub fn write_sample(
    out: &mut dyn Write,
    context: &RowContext<'_>,
    rows: &[u32],
    columns: &[&'static Column],
    manner: TextStyle,
) -> io::Result<()> {
    for line in head(context) {
        put_line(out, &line, manner)?;
    }
    writeln!(out)?;
    write_table(out, context, rows, columns, manner)
}

/// Writes the table alone.
///
/// # Errors
/// Whatever writing to `out` gives.
pub(crate) fn write_table(
    out: &mut dyn Write,
    context: &RowContext<'_>,
    rows: &[u32],
    columns: &[&'static Column],
    manner: TextStyle,
) -> io::Result<()> {
    let mut text = String::new();
    for column in columns {
        field(&mut text, column, column.title, is_last(columns, column));
    }
    put_line(out, text.trim_end(), manner)?;
    let mut cell = String::new();
    for &at in rows {
        let Some(row) = context.row(at as usize) else { continue };
        text.clear();
        for column in columns {
            cell.clear();
            (column.cell)(&row, &mut cell);
            field(&mut text, column, &cell, is_last(columns, column));
        }
        put_line(out, text.trim_end(), manner)?;
    }
    Ok(())
}

fn is_last(columns: &[&'static Column], column: &Column) -> bool {
    columns.last().is_some_and(|last| last.id == column.id)
}

pub(crate) fn put_line(out: &mut dyn Write, line: &str, manner: TextStyle) -> io::Result<()> {
    let line = manner.cut.map_or(line, |width| fit(line, width));
    if !manner.ascii || line.is_ascii() {
        return writeln!(out, "{line}");
    }
    let plain: String = line.chars().map(|c| if c.is_ascii() { c } else { '?' }).collect();
    writeln!(out, "{plain}")
}

/// As much of the text as fits into so many cells.
fn fit(text: &str, width: usize) -> &str {
    let mut cells = 0;
    for (at, c) in text.char_indices() {
        cells += c.width().unwrap_or(0);
        if cells > width {
            return &text[..at];
        }
    }
    text
}

/// A cell in its field, one blank behind; the last column takes what it needs.
fn field(line: &mut String, column: &Column, text: &str, last: bool) {
    let width = usize::from(column.width);
    let shown = if last { text } else { fit(text, width) };
    let blanks = width.saturating_sub(shown.width());
    let pad = |line: &mut String, count: usize| line.extend(std::iter::repeat_n(' ', count));
    if column.align == Align::Right {
        pad(line, blanks);
        line.push_str(shown);
    } else {
        line.push_str(shown);
        pad(line, blanks);
    }
    line.push(' ');
}

/// The header in words.
fn head(context: &RowContext<'_>) -> Vec<String> {
    let snapshot = context.scene.now();
    let machine = context.scene.machine();
    let up = snapshot.clock.uptime_ticks.seconds(machine.tick_rate);
    let size = |kib: crate::units::Kib| human_size(kib.bytes());
    let mut lines = vec![format!(
        "doomtop {} {} up {}  policy {}: {}  scope {}{} {}",
        machine.name,
        machine.kernel,
        span_of(up),
        context.policy.id(),
        context.policy.title(),
        context.scene.domain().name,
        values::scope_note(context.scene),
        super::json::time(snapshot.clock.unix_ms),
    )];
    let memory = &snapshot.memory;
    let available = match memory.available_kib {
        Reading::Value(kib) => format!("{} available", size(kib)),
        _ => "available unknown".to_owned(),
    };
    let swap = if snapshot.swap.total_kib.0 == 0 {
        "no swap".to_owned()
    } else {
        format!("swap {} used of {}", size(snapshot.swap.used()), size(snapshot.swap.total_kib))
    };
    lines.push(format!(
        "memory {} used of {}, {available}; {swap}",
        size(memory.used()),
        size(memory.total_kib)
    ));
    lines.push(commit(snapshot));
    lines.push(pressure(snapshot));
    let (agree, compared) = agreement(context.scene);
    let mut check = format!("self-check {agree}/{compared} equal the kernel's oom_score");
    if !snapshot.privileges.sees_others {
        check.push_str("; other users' processes are hidden (hidepid)");
    }
    if snapshot.scan.unreadable > 0 {
        let _ = write!(check, "; {} processes could not be read", snapshot.scan.unreadable);
    }
    lines.push(check);
    let first = at_limit::first(context.policy, context.scene, context.ranking);
    lines.push(format!(
        "first wall: {}{} {}: {}",
        values::limit_name(&first.limit),
        if first.limit.is_machine() { "," } else { "" },
        values::room(context, &first.limit),
        values::outcome(context, &first.outcome)
    ));
    lines.push(sentence(context).whole());
    lines
}

fn commit(snapshot: &Snapshot) -> String {
    let overcommit = &snapshot.overcommit;
    let mode = match overcommit.mode.value() {
        Some(mode) => format!("{} ({})", u8::from(mode), mode.word()),
        None => "unknown".to_owned(),
    };
    let share = match (overcommit.kbytes.value(), overcommit.ratio.value()) {
        (Some(kbytes), _) if kbytes.0 > 0 => format!("kbytes {}", kbytes.0),
        (_, Some(ratio)) => format!("ratio {ratio}"),
        _ => "ratio unknown".to_owned(),
    };
    let charge = overcommit.charge().map_or_else(
        || "commit charge unknown".to_owned(),
        |charge| {
            format!(
                "committed {} of {} ({}%), {}",
                human_size(charge.committed.bytes()),
                human_size(charge.limit.bytes()),
                charge.percent(),
                if overcommit.enforced() { "ENFORCED" } else { "not enforced" }
            )
        },
    );
    format!("overcommit {mode} {share}: {charge}")
}

fn pressure(snapshot: &Snapshot) -> String {
    let stall =
        |stall: PsiLine| format!("{:.1} {:.1} {:.1}", stall.avg10, stall.avg60, stall.avg300);
    let mut line = match (snapshot.pressure.some, snapshot.pressure.full) {
        (Reading::Value(some), Reading::Value(full)) => {
            format!("memory pressure some {} full {}", stall(some), stall(full))
        }
        (Reading::Denied, _) => "memory pressure: not permitted to read".to_owned(),
        _ => "memory pressure: not available (no PSI)".to_owned(),
    };
    match snapshot.traffic.oom_kills {
        Reading::Value(kills) => {
            let _ = write!(line, "; OOM kills since boot {kills}");
        }
        _ => line.push_str("; OOM kills since boot unknown"),
    }
    line
}
