//! The self-check in words: by which rule and which files this machine is judged, what cannot be
//! known, and whether every computed score is the kernel's own.

use std::io::{self, Write};
use std::sync::Arc;

use crate::columns::RowContext;
use crate::model::{Machine, Process, RssSource, Scene};
use crate::policy::{
    BadnessUnit, Policy, ScoreComparison, TieBreak, agreement, comparisons, running,
    swap_counter_bound,
};
use crate::rank::Placement;
use crate::units::Pages;
use crate::words::prediction::sentence;
use crate::words::values;

/// What the check came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CheckTally {
    /// Scores that were compared.
    pub compared: usize,
    /// Of these, equal.
    pub equal: usize,
    /// Further apart than the slack.
    pub wrong: usize,
}

/// Width of the word before a line.
const LABEL: usize = 9;

/// Writes the check of one look.
///
/// # Errors
/// Whatever writing to `out` gives.
pub fn write_check(out: &mut dyn Write, context: &RowContext<'_>) -> io::Result<CheckTally> {
    let scene = context.scene;
    let machine = scene.machine();
    let mut say = |label: &str, text: String| writeln!(out, "{label:<LABEL$} {text}");
    say(
        "machine",
        format!(
            "{}, Linux {} {}, {} CPUs, pages of {} bytes",
            machine.name, machine.kernel, machine.arch, machine.cpus, machine.page_size.0
        ),
    )?;
    let scale = running(machine);
    say("rule", format!("{}, found by comparing with /proc/PID/oom_score", scale.title()))?;
    say("", "rss + swap + page tables + oom_score_adj x (total / 1000), in pages".to_owned())?;
    say("rss", rss(scene))?;
    say("swap", swap(machine))?;
    say("ties", ties(context.policy, scene).to_owned())?;
    let total = scene.now().total();
    say(
        "total",
        format!(
            "{} pages ({}): 1 step of adj weighs {} pages",
            values::grouped(total.points().0),
            values::size(context, total),
            total.0 / 1000
        ),
    )?;
    say("domain", scene.domain().to_string())?;
    say("slack", slack(context))?;
    say("next", sentence(context).whole())?;
    writeln!(out)?;
    let rows: Vec<ScoreComparison> = comparisons(scene).collect();
    writeln!(
        out,
        "{:>7} {:<15} {:>6} {:>12} {:>8} {:>6}",
        "PID", "NAME", "ADJ", "BADNESS", "COMPUTED", "KERNEL"
    )?;
    for row in &rows {
        if let Some(process) = scene.find(row.id) {
            write_row(out, context, process, row)?;
        }
    }
    let equal = rows.iter().filter(|row| row.computed == row.kernel).count();
    let wrong = rows.iter().filter(|row| !row.agrees()).count();
    let result = CheckTally { compared: rows.len(), equal, wrong };
    writeln!(out)?;
    let hidden = scene.now().scan.unreadable;
    if hidden > 0 || !scene.now().privileges.sees_others {
        let count = if hidden > 0 { format!("{hidden} ") } else { String::new() };
        writeln!(
            out,
            "{:<LABEL$} {count}processes could not be read: they are not compared",
            "hidden"
        )?;
    }
    writeln!(out, "{:<LABEL$} {}", "result", verdict(result))?;
    Ok(result)
}

fn write_row(
    out: &mut dyn Write,
    context: &RowContext<'_>,
    process: &Process,
    row: &ScoreComparison,
) -> io::Result<()> {
    let at = context.scene.now().position(process.id.pid);
    let standing = at.and_then(|at| context.row(at)).map(|row| row.placement());
    let badness = match standing {
        Some(Placement::Scored(points)) => points.0.to_string(),
        Some(Placement::Spared(reason)) => reason.word().to_owned(),
        None => String::new(),
    };
    let adj = process.adj.value().map_or_else(|| "-".to_owned(), |adj| adj.to_string());
    // A name with blanks in it stays in its field, whatever it is made of.
    let name = process.comm.to_string();
    write!(
        out,
        "{:>7} {name:<15} {adj:>6} {badness:>12} {:>8} {:>6}",
        process.id.pid, row.computed, row.kernel
    )?;
    match row.off_by {
        Some(Pages(0)) => {}
        Some(off) if row.agrees() => {
            write!(out, "  {} pages off, up to {} can be", off.0, row.allowed.0)?;
        }
        Some(off) => write!(out, "  DIFFERS by {} pages, only {} can be", off.0, row.allowed.0)?,
        None => write!(out, "  DIFFERS: one of the two spares it")?,
    }
    writeln!(out)
}

/// Which file is trusted, and what the other one would have said.
fn rss(scene: &Scene) -> String {
    let source = scene.machine().rss_source;
    let other = match source {
        RssSource::Stat => RssSource::Status,
        RssSource::Status => RssSource::Stat,
    };
    let mut snapshot = scene.now().clone();
    Arc::make_mut(&mut snapshot.machine).rss_source = other;
    let (equal, compared) = agreement(&Scene::new(Arc::new(snapshot), None));
    let why = match (source, scene.machine().kernel_version()) {
        (RssSource::Stat, version) if version < (6, 2) => "both files tell the same counter",
        (RssSource::Stat, _) => "the approximate per-CPU counter, as the killer reads it",
        (RssSource::Status, _) => "the exact sum, as the killer reads it",
    };
    format!("{}: {why}; by {} {equal} of {compared} would agree", source.words(), other.words())
}

/// How well the swap term is known.
fn swap(machine: &Machine) -> String {
    match swap_counter_bound(machine) {
        Pages::ZERO => "status VmSwap: the killer reads the same".to_owned(),
        bound => format!(
            "status VmSwap: the killer reads a counter that may be up to {} pages away, in no file",
            bound.0
        ),
    }
}

fn ties(policy: &dyn Policy, scene: &Scene) -> &'static str {
    match policy.traits(scene).tie_break {
        TieBreak::Youngest => {
            "of equals the youngest dies (inside a memory cgroup nobody can tell)"
        }
        TieBreak::Oldest | TieBreak::LowestPid => {
            "of equals the oldest dies (inside a memory cgroup nobody can tell)"
        }
        TieBreak::Unseen => "which of equals dies in a memory cgroup is in no file",
    }
}

fn slack(context: &RowContext<'_>) -> String {
    let ranking = context.ranking;
    let Some(margin) = ranking.margin() else {
        return "nothing to compare: fewer than two can be chosen".to_owned();
    };
    let unit = if context.policy.info().unit == BadnessUnit::Pages { "pages" } else { "points" };
    format!(
        "{} {unit} between the first two, who are {} apart: {}",
        ranking.slack().0,
        values::grouped(margin.0),
        if ranking.too_close() { "too close to call" } else { "the first one is certain" }
    )
}

fn verdict(result: CheckTally) -> String {
    let CheckTally { compared, equal, wrong } = result;
    let near = compared - equal - wrong;
    match (compared, wrong) {
        (0, _) => "no score could be compared".to_owned(),
        (_, 0) if near == 0 => format!("agrees: {equal} of {compared} equal the kernel's score"),
        (_, 0) => format!("agrees: {equal} of {compared} equal, {near} within the slack"),
        _ => format!(
            "DISAGREES: {wrong} of {compared} differ from the kernel by more than the slack"
        ),
    }
}
