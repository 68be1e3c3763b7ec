//! The table, and whether the targets are met.

use std::fmt::Write;

use crate::judge::{LEADS, Method, Outcome, Table, Tally, Work, median};

/// The share of deaths of which the victim must have been named, or been one of a few: by lead in seconds.
const TARGETS: [(u32, f64); 3] = [(20, 0.75), (10, 0.90), (5, 0.95)];
/// The median error of the time, as a share of the lead.
const TIME_ERROR: f64 = 0.2;
/// The median number of changes of the headline's domain in the last 20 s.
const CHANGES: f64 = 1.0;
/// With more than this left, in per cent, there may be no false alarm at all.
pub const HALF: u64 = 50;
/// Candidates, on average.
const WIDTH: f64 = 2.5;

/// How much evidence there is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Run {
    /// A handful of deaths: a share may be below its target by chance.
    Short,
    /// Enough to compare shares with their targets.
    Long,
}

/// The smallest number of right predictions of so many that does not refute a share.
fn enough(share: f64, of: usize, run: Run) -> usize {
    let of = of as f64;
    let chance = match run {
        Run::Short => 1.5 * (of * share * (1.0 - share)).sqrt() + 0.5,
        Run::Long => 0.0,
    };
    (of * share - chance).ceil().max(0.0) as usize
}

/// Which targets a method misses.
pub fn missed(table: &Table, method: Method, run: Run) -> Vec<String> {
    let mut missed = Vec::new();
    let Some(at) = Method::all().iter().position(|it| *it == method) else { return missed };
    for (lead, share) in TARGETS {
        let Some(nth) = LEADS.iter().position(|it| *it == lead) else { continue };
        let tally = &table.tallies[at][nth];
        if tally.all() == 0 {
            missed.push(format!("no death counts at {lead} s: nothing is proved"));
        } else if tally.right() < enough(share, tally.all(), run) {
            missed.push(format!(
                "{lead} s before: {} of {} named or among a few, less than {:.0} %",
                tally.right(),
                tally.all(),
                share * 100.0
            ));
        }
        match median(&tally.errors) {
            _ if run == Run::Short => {}
            Some(error) if error <= TIME_ERROR => {}
            Some(error) => {
                missed.push(format!("{lead} s before: median error of the time {error:.2}"));
            }
            // Whoever names the largest process of a machine may be right, and does not tell when.
            None if tally.right() > 0 => missed.push(format!("{lead} s before: no time was told")),
            None => {}
        }
        let width = mean(&tally.widths);
        if run == Run::Long && width > WIDTH {
            missed.push(format!("{lead} s before: {width:.1} candidates on average"));
        }
    }
    missed
}

/// Which targets the headline misses beside.
pub fn unsteady(table: &Table, run: Run) -> Vec<String> {
    let mut missed = Vec::new();
    let changes: Vec<f64> = table.changes.iter().map(|&it| it as f64).collect();
    let changes = median(&changes).unwrap_or_default();
    if changes > CHANGES {
        missed.push(format!("the domain changes {changes} times in the last 20 s"));
    }
    let hours = table.ordinary.iter().map(|it| it.seconds).sum::<f64>() / 3600.0;
    let alarms: usize = table.ordinary.iter().map(|it| it.alarms.len()).sum();
    // Start-up growth is alarmed about once in a while; a short run may hold one by chance.
    let allowed = if run == Run::Short { 2.0 } else { hours.max(1.0) };
    if alarms as f64 > allowed {
        missed.push(format!("{alarms} false alarms in {hours:.2} h"));
    }
    let mut all = table.ordinary.iter().flat_map(|it| &it.alarms);
    if run == Run::Long
        && let Some(alarm) = all.find(|it| it.free > HALF)
    {
        missed.push(format!("a false alarm above {HALF} % free: {}", alarm.text));
    }
    missed
}

fn mean(values: &[usize]) -> f64 {
    values.iter().sum::<usize>() as f64 / values.len().max(1) as f64
}

fn cell(tally: &Tally) -> String {
    let [named, among, wide, wrong, silent] = tally.counts;
    format!("{named}+{among}/{wide}/{wrong}/{silent}")
}

/// All of it as text.
pub fn text(table: &Table) -> String {
    let mut out = String::new();
    let mut line = |text: String| {
        let _ = writeln!(out, "horizon: {}", text.trim_end());
    };
    line(format!(
        "{} deaths; said before: named+among at most 3/more/wrong/silent",
        table.deaths.len()
    ));
    let heads: Vec<String> =
        LEADS.iter().map(|lead| format!("{:>16}", format!("{lead} s"))).collect();
    line(format!("{:<30}{}", "", heads.concat()));
    let row = |name: &str, tallies: &[Tally; LEADS.len()]| {
        let cells: Vec<String> = tallies
            .iter()
            .map(|it| format!("{:>11} {:3.0}%", cell(it), it.share() * 100.0))
            .collect();
        format!("{name:<30}{}", cells.concat())
    };
    for (method, tallies) in Method::all().iter().zip(&table.tallies) {
        line(row(method.name(), tallies));
    }
    line("doomtop, by pattern".to_owned());
    let mut patterns = table.patterns.clone();
    patterns.sort_by(|a, b| a.0.cmp(&b.0));
    for (name, tallies) in &patterns {
        line(row(&format!("  {name}"), tallies));
    }
    let Some(model) = table.tallies.first() else { return out };
    let per_lead = |of: &dyn Fn(&Tally) -> String| {
        model.iter().map(|it| format!("{:>16}", of(it))).collect::<Vec<_>>().concat()
    };
    let error = |tally: &Tally| {
        median(&tally.errors).map_or("-".to_owned(), |it| format!("{:.0}%", it * 100.0))
    };
    line(format!("{:<30}{}", "median error of the time", per_lead(&error)));
    for (name, tallies) in &patterns {
        let cells: Vec<String> = tallies.iter().map(|it| format!("{:>16}", error(it))).collect();
        line(format!("{:<30}{}", format!("  {name}"), cells.concat()));
    }
    let width = |tally: &Tally| format!("{:.2}", mean(&tally.widths));
    line(format!("{:<30}{}", "candidates on average", per_lead(&width)));
    let changes: Vec<f64> = table.changes.iter().map(|&it| it as f64).collect();
    line(format!(
        "changes of the headline's domain in the last 20 s: median {}, mean {:.2}, maximum {}",
        median(&changes).unwrap_or_default(),
        mean(&table.changes),
        table.changes.iter().max().unwrap_or(&0)
    ));
    out.push_str(&ordinary(table));
    out
}

/// What was said where nobody died.
pub fn ordinary(table: &Table) -> String {
    let mut out = String::new();
    let mut line = |text: String| {
        let _ = writeln!(out, "horizon: {text}");
    };
    for Work { name, seconds, alarms } in &table.ordinary {
        line(format!(
            "nobody dies, {name}: {seconds:.0} s watched, {} false \"dies within 60 s\"",
            alarms.len()
        ));
        alarms.iter().for_each(|alarm| line(format!("    {}", alarm.text)));
    }
    out
}

/// The deaths that were not predicted as they should be.
pub fn misses(table: &Table) -> String {
    let mut out = String::new();
    for death in &table.deaths {
        for (lead, said) in LEADS.iter().zip(&death.said) {
            let Some((outcome, words)) = said else { continue };
            if !matches!(outcome, Outcome::Named | Outcome::Among) {
                let _ = writeln!(
                    out,
                    "horizon: {} ({}): {lead} s before {outcome:?}: {words}",
                    death.pattern, death.pid
                );
            }
        }
    }
    out
}
