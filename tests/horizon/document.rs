//! The tables in assets/docs/proof.md, written by what measured them.

use std::fmt::Write;
use std::{env, fs};

use crate::judge::{LEADS, Method, Table, Tally, Work, median};
use crate::report::HALF;

/// The document, and what encloses a table in it.
const DOCUMENT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/assets/docs/proof.md");

/// Puts the tables between the markers that `HORIZON_WRITE` names. Without it nothing is written.
pub fn write(machines: &[(String, Table)], all: &Table) {
    let Ok(marker) = env::var("HORIZON_WRITE") else { return };
    if marker.is_empty() {
        return;
    }
    let mut text = String::new();
    if machines.len() > 1 {
        let rows = machines.iter().map(|(name, table)| (name.as_str(), table));
        text.push_str(&deaths(&rows.collect::<Vec<_>>()));
    } else if !all.deaths.is_empty() {
        text.push_str(&deaths(&[("", all)]));
        text.push('\n');
        text.push_str(&patterns(all));
    }
    let old = fs::read_to_string(DOCUMENT).expect("the document");
    let (open, close) = (format!("<!-- {marker} -->\n"), format!("<!-- /{marker} -->"));
    let from = old.find(&open).expect("the marker in the document") + open.len();
    let to = old.find(&close).expect("the end of the table in the document");
    fs::write(DOCUMENT, format!("{}{text}{}", &old[..from], &old[to..])).expect("the new document");
}

/// One row: a cell for each lead but 3 s.
fn row(
    out: &mut String,
    heads: &[&str],
    tallies: &[Tally; LEADS.len()],
    cell: &dyn Fn(&Tally) -> String,
) {
    let cells = LEADS.iter().zip(tallies).filter(|it| *it.0 != 3).map(|it| cell(it.1));
    let heads = heads.iter().filter(|it| !it.is_empty()).map(|it| (*it).to_owned());
    let _ = writeln!(out, "| {} |", heads.chain(cells).collect::<Vec<_>>().join(" | "));
}

fn right(tally: &Tally) -> String {
    if tally.all() == 0 { "-".to_owned() } else { format!("{} of {}", tally.right(), tally.all()) }
}

fn error(tally: &Tally) -> String {
    median(&tally.errors).map_or("-".to_owned(), |it| format!("{:.0} %", it * 100.0))
}

/// By machine, where it has a name, and method.
fn deaths(machines: &[(&str, &Table)]) -> String {
    let named = machines.iter().any(|it| !it.0.is_empty());
    let first = if named { "| machine " } else { "" };
    let rule = if named { "|---" } else { "" };
    let mut out = format!(
        "{first}| method | 20 s before | 10 s | 5 s | 1 s |\n{rule}|---|---|---|---|---|\n"
    );
    for (name, table) in machines {
        for (method, tallies) in Method::all().into_iter().zip(&table.tallies) {
            // Whoever does not look at cgroups is a tool that there is.
            if matches!(method, Method::Baseline(4..)) && named {
                continue;
            }
            row(&mut out, &[name, method.name()], tallies, &right);
            if method == Method::Model {
                row(&mut out, &[name, "median error of its time"], tallies, &error);
            }
        }
        let changes: Vec<f64> = table.changes.iter().map(|&it| it as f64).collect();
        let changes = median(&changes).map_or("-".to_owned(), |it| it.to_string());
        let heads: Vec<&str> = [*name, "changes of its domain, median"]
            .into_iter()
            .filter(|it| !it.is_empty())
            .collect();
        let _ = writeln!(out, "| {} | {changes} | | | |", heads.join(" | "));
    }
    out
}

/// Of the model, by pattern.
fn patterns(table: &Table) -> String {
    let mut patterns = table.patterns.clone();
    patterns.sort_by(|a, b| a.0.cmp(&b.0));
    let mut out =
        "| pattern | 20 s before | 10 s | 5 s | 1 s |\n|---|---|---|---|---|\n".to_owned();
    for (name, tallies) in &patterns {
        let cell = |tally: &Tally| match tally.all() {
            0 => right(tally),
            _ => format!("{}, {}", right(tally), error(tally)),
        };
        row(&mut out, &[name], tallies, &cell);
    }
    out
}

/// A row of the table of work in which nobody dies: what it was, minutes, false alarms, and those of them with
/// more than half of the domain free.
pub fn work_row(table: &Table) -> String {
    let row = |Work { name, seconds, alarms }: &Work| {
        let free = alarms.iter().filter(|it| it.free > HALF).count();
        format!("| {name} | {:.0} | {} | {free} |", seconds / 60.0, alarms.len())
    };
    table.ordinary.iter().map(row).collect::<Vec<_>>().join("\n")
}
