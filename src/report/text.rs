//! One sample as plain text, for a log, a ticket or a pipe: the header of the screen in words, then the table.

use std::fmt::Write as _;
use std::io::{self, Write};

use unicode_width::UnicodeWidthStr;

use super::line::{TextStyle, fit, write_line};
use super::time::rfc3339;
use crate::columns::{Align, Column, RowContext, human_size, span_of};
use crate::forecast::next_death::Deaths;
use crate::forecast::oom_at_limit;
use crate::model::{PsiLine, Reading, Snapshot};
use crate::policy::agreement;
use crate::units::Kib;
use crate::words::next_death::SentenceForm;
use crate::words::next_victim::sentence;
use crate::words::{death_details, next_death, numbers_and_names};

/// The lines of the header about deaths.
#[derive(Clone, Copy, Debug, Default)]
pub struct DeathLines<'a> {
    /// What is predicted.
    pub predicted: Option<&'a Deaths>,
    /// Who was killed since the sample before, a line each.
    pub killed: &'a [String],
}

/// Writes one sample: the header with the predicted death, then the table with these rows (positions in the
/// sample).
///
/// # Errors
/// `out` cannot be written.
pub fn write_sample(
    out: &mut dyn Write,
    context: &RowContext<'_>,
    rows: &[u32],
    columns: &[&'static Column],
    deaths: DeathLines<'_>,
    style: TextStyle,
) -> io::Result<()> {
    for line in header(context, deaths) {
        write_line(out, &line, style)?;
    }
    writeln!(out)?;
    write_table(out, context, rows, columns, style)
}

/// Writes the table without the header.
///
/// # Errors
/// `out` cannot be written.
pub(crate) fn write_table(
    out: &mut dyn Write,
    context: &RowContext<'_>,
    rows: &[u32],
    columns: &[&'static Column],
    style: TextStyle,
) -> io::Result<()> {
    let mut text = String::new();
    for column in columns {
        field(&mut text, column, column.title, is_last(columns, column));
    }
    write_line(out, text.trim_end(), style)?;
    let mut cell = String::new();
    for &at in rows {
        let Some(row) = context.row(at as usize) else { continue };
        text.clear();
        for column in columns {
            cell.clear();
            (column.cell)(&row, &mut cell);
            field(&mut text, column, &cell, is_last(columns, column));
        }
        write_line(out, text.trim_end(), style)?;
    }
    Ok(())
}

fn is_last(columns: &[&'static Column], column: &Column) -> bool {
    columns.last().is_some_and(|last| last.id == column.id)
}

/// Appends a cell, padded to the width of its column. The last column takes the width that it needs.
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

/// The header in words, one line each.
fn header(context: &RowContext<'_>, deaths: DeathLines<'_>) -> Vec<String> {
    let snapshot = context.scene.now();
    let mut lines = vec![
        title(context),
        memory(snapshot),
        commit(snapshot),
        pressure(snapshot),
        self_check(context),
        first_limit(context, deaths.predicted),
    ];
    lines.extend(deaths.killed.iter().cloned());
    let next = deaths.predicted.and_then(|it| it.next.as_ref());
    let forms = next.map(|death| next_death::forms(context, death)).unwrap_or_default();
    lines.extend(forms.first().map(SentenceForm::text));
    let futile = next.and_then(|death| death_details::futile_kill(context.scene, death));
    lines.extend(futile.map(|it| it.sentence()));
    lines.push(sentence(context).whole());
    lines
}

fn title(context: &RowContext<'_>) -> String {
    let (scene, policy) = (context.scene, context.policy);
    let (machine, clock) = (scene.machine(), scene.now().clock);
    format!(
        "doomtop {} {} up {}  policy {}: {}  scope {}{} {}",
        machine.name,
        machine.kernel,
        span_of(clock.uptime_ticks.seconds(machine.tick_rate)),
        policy.id(),
        policy.title(),
        scene.domain().name,
        numbers_and_names::scope_note(scene),
        rfc3339(clock.unix_ms),
    )
}

fn memory(snapshot: &Snapshot) -> String {
    let size = |kib: Kib| human_size(kib.bytes());
    let (memory, swap) = (&snapshot.memory, &snapshot.swap);
    let available = match memory.available_kib {
        Reading::Value(kib) => format!("{} available", size(kib)),
        _ => "available unknown".to_owned(),
    };
    let swap = if swap.total_kib.0 == 0 {
        "no swap".to_owned()
    } else {
        format!("swap {} used of {}", size(swap.used()), size(swap.total_kib))
    };
    format!(
        "memory {} used of {}, {available}; {swap}",
        size(memory.used()),
        size(memory.total_kib)
    )
}

fn self_check(context: &RowContext<'_>) -> String {
    let snapshot = context.scene.now();
    let (agree, compared) = agreement(context.scene);
    let mut line = format!("self-check {agree}/{compared} equal the kernel's oom_score");
    if !snapshot.privileges.sees_others {
        line.push_str("; other users' processes are hidden (hidepid)");
    }
    if snapshot.scan.unreadable > 0 {
        let _ = write!(line, "; {} processes could not be read", snapshot.scan.unreadable);
    }
    line
}

fn first_limit(context: &RowContext<'_>, predicted: Option<&Deaths>) -> String {
    let nothing = Deaths::default();
    let deaths = predicted.unwrap_or(&nothing);
    let first = oom_at_limit::first(context.policy, context.scene, context.ranking, deaths);
    let (name, room) = (
        numbers_and_names::limit_name(&first.limit),
        numbers_and_names::room(context, &first.limit),
    );
    let comma = if first.limit.is_machine() { "," } else { "" };
    format!(
        "nearest limit: {name}{comma} {room}: {}",
        numbers_and_names::outcome(context, &first.outcome)
    )
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
