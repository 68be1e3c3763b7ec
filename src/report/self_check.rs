//! The self-check in words: which rule and which files the ranking uses on this machine, what is unknown, and
//! whether every computed score equals the kernel's.

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
use crate::words::next_victim::sentence;
use crate::words::numbers_and_names;

/// The result of the check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CheckTally {
    /// Scores that were compared.
    pub compared: usize,
    /// Of these: equal to the computed ones.
    pub equal: usize,
    /// Of these: further apart than the uncertainty of both allows.
    pub wrong: usize,
}

/// Width of the label of a line, in cells.
const LABEL: usize = 9;

/// Checks one sample and writes the result.
///
/// # Errors
/// `out` cannot be written.
pub fn write_check(out: &mut dyn Write, context: &RowContext<'_>) -> io::Result<CheckTally> {
    for (label, text) in method(context) {
        writeln!(out, "{label:<LABEL$} {text}")?;
    }
    writeln!(out)?;
    let rows: Vec<ScoreComparison> = comparisons(context.scene).collect();
    writeln!(
        out,
        "{:>7} {:<15} {:>6} {:>12} {:>8} {:>6}",
        "PID", "NAME", "ADJ", "BADNESS", "COMPUTED", "KERNEL"
    )?;
    for row in &rows {
        if let Some(process) = context.scene.find(row.id) {
            write_row(out, context, process, row)?;
        }
    }
    let equal = rows.iter().filter(|row| row.computed == row.kernel).count();
    let wrong = rows.iter().filter(|row| !row.agrees()).count();
    let tally = CheckTally { compared: rows.len(), equal, wrong };
    writeln!(out)?;
    let now = context.scene.now();
    if now.scan.unreadable > 0 || !now.privileges.sees_others {
        let count = match now.scan.unreadable {
            0 => String::new(),
            count => format!("{count} "),
        };
        let text = format!("{count}processes could not be read and were not compared");
        writeln!(out, "{:<LABEL$} {text}", "hidden")?;
    }
    writeln!(out, "{:<LABEL$} {}", "result", verdict(tally))?;
    Ok(tally)
}

/// How badness is computed on this machine, and what comes out: labels and texts.
fn method(context: &RowContext<'_>) -> Vec<(&'static str, String)> {
    let scene = context.scene;
    let machine = scene.machine();
    let total = scene.now().total();
    vec![
        (
            "machine",
            format!(
                "{}, Linux {} {}, {} CPU{}, pages of {} bytes",
                machine.name,
                machine.kernel,
                machine.arch,
                machine.cpus,
                if machine.cpus == 1 { "" } else { "s" },
                machine.page_size.0
            ),
        ),
        ("sampler", machine.sampler.to_string()),
        (
            "rule",
            format!("{}, found by comparing with /proc/PID/oom_score", running(machine).title()),
        ),
        ("", "rss + swap + page tables + oom_score_adj x (total / 1000), in pages".to_owned()),
        ("rss", rss(scene)),
        ("swap", swap(machine)),
        ("ties", ties(context.policy, scene).to_owned()),
        (
            "total",
            format!(
                "{} pages ({}): 1 step of adj is {} pages",
                numbers_and_names::grouped(total.points().0),
                numbers_and_names::size(context, total),
                total.0 / 1000
            ),
        ),
        ("domain", scene.domain().to_string()),
        ("margin", margin(context)),
        ("next", sentence(context).whole()),
    ]
}

fn write_row(
    out: &mut dyn Write,
    context: &RowContext<'_>,
    process: &Process,
    row: &ScoreComparison,
) -> io::Result<()> {
    let at = context.scene.now().position(process.id.pid);
    let placement = at.and_then(|at| context.row(at)).map(|row| row.placement());
    let badness = match placement {
        Some(Placement::Scored(points)) => points.0.to_string(),
        Some(Placement::Spared(reason)) => reason.word().to_owned(),
        None => String::new(),
    };
    let adj = process.adj.value().map_or_else(|| "-".to_owned(), |adj| adj.to_string());
    // Padded as one string: a name may hold any characters.
    let name = process.comm.to_string();
    write!(
        out,
        "{:>7} {name:<15} {adj:>6} {badness:>12} {:>8} {:>6}",
        process.id.pid, row.computed, row.kernel
    )?;
    match row.off_by {
        Some(Pages(0)) => {}
        Some(off) if row.agrees() => {
            write!(out, "  off by {} pages, up to {} are possible", off.0, row.allowed.0)?;
        }
        Some(off) => {
            write!(out, "  DIFFERS by {} pages, only {} are possible", off.0, row.allowed.0)?
        }
        None => write!(out, "  DIFFERS: only one of the two can choose it")?,
    }
    writeln!(out)
}

/// The file that the resident size is read from, and how many scores would agree with the other one.
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
        (RssSource::Stat, version) if version < (6, 2) => "both files show the same counter",
        (RssSource::Stat, _) => "the approximate per-CPU counter, as the killer reads it",
        (RssSource::Status, _) => "the exact sum, as the killer reads it",
    };
    format!("{}: {why}; with {} {equal} of {compared} would agree", source.words(), other.words())
}

/// How exact the swap term is.
fn swap(machine: &Machine) -> String {
    if machine.sampler.is_bpf() {
        return "both counters, by BPF: the ranking takes the one that the killer reads".to_owned();
    }
    match swap_counter_bound(machine) {
        Pages::ZERO => "status VmSwap: the killer reads the same".to_owned(),
        bound => format!(
            "status VmSwap; the killer reads a counter that differs by up to {} pages and is in no file",
            bound.0
        ),
    }
}

fn ties(policy: &dyn Policy, scene: &Scene) -> &'static str {
    match policy.traits(scene).tie_break {
        TieBreak::Youngest => {
            "of equal processes the youngest dies (unknown inside a memory cgroup)"
        }
        TieBreak::Oldest | TieBreak::LowestPid => {
            "of equal processes the oldest dies (unknown inside a memory cgroup)"
        }
        TieBreak::Unseen => {
            "no file shows which of several equal processes in a memory cgroup dies"
        }
    }
}

/// How far the first process is ahead, and how certain that is.
fn margin(context: &RowContext<'_>) -> String {
    let ranking = context.ranking;
    let Some(margin) = ranking.margin() else {
        return "nothing to compare: fewer than two can be chosen".to_owned();
    };
    let unit = if context.policy.info().unit == BadnessUnit::Pages { "pages" } else { "points" };
    let first_two =
        format!("{} {unit} between the first two", numbers_and_names::grouped(margin.0));
    match ranking.rival() {
        Some((lead, uncertainty)) if lead != margin => format!(
            "{first_two}, {} to the first that may overtake, uncertainty {}: too close to call",
            numbers_and_names::grouped(lead.0),
            uncertainty.0
        ),
        rival => format!(
            "{first_two}, uncertainty {}: {}",
            ranking.slack().0,
            if rival.is_some() { "too close to call" } else { "the first one is certain" }
        ),
    }
}

fn verdict(result: CheckTally) -> String {
    let CheckTally { compared, equal, wrong } = result;
    let near = compared - equal - wrong;
    match (compared, wrong) {
        (0, _) => "no score could be compared".to_owned(),
        (_, 0) if near == 0 => format!("agrees: {equal} of {compared} equal the kernel's score"),
        (_, 0) => format!("agrees: {equal} of {compared} equal, {near} within the uncertainty"),
        _ => format!(
            "DISAGREES: {wrong} of {compared} differ from the kernel by more than the uncertainty"
        ),
    }
}
