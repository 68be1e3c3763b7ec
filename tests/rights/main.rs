//! What works with which rights, found by trying: as nobody, as root without CAP_SYS_RESOURCE, as root
//! with everything, in a container. The table in `assets/docs/rights.md` is printed from what a guest with
//! full rights measured; an ordinary run tries those situations that it can make here, and compares.
//!
//! One binary is test, prober and wrapper, so that it also runs, static, in a guest.

#![allow(clippy::expect_used, clippy::unwrap_used, reason = "a test says what it expects")]

mod probe;
mod situation;

use std::collections::BTreeMap;
use std::process::ExitCode;
use std::{env, fs};

use situation::Situation;

/// Prints every situation as JSON: in a guest.
const ALL: &str = "__all";

/// Cells by their row.
type Column = BTreeMap<String, String>;

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    match arguments.first().map(String::as_str) {
        Some(situation::ENTER) => situation::enter(&arguments[1..]),
        Some(probe::PROBE) => probe::probe(),
        Some(probe::SLEEP) => probe::sleep(),
        Some(ALL) => all(),
        // What asks for a list of tests gets none.
        Some("--list") => ExitCode::SUCCESS,
        _ => test(),
    }
}

fn all() -> ExitCode {
    let mut table = BTreeMap::new();
    for situation in Situation::ALL {
        match situation.column() {
            Ok(column) => table.insert(situation.name(), column),
            Err(why) => {
                println!("BROKEN {}: {why}", situation.name());
                return ExitCode::FAILURE;
            }
        };
    }
    println!("RIGHTS {}", serde_json::to_string(&table).expect("JSON"));
    ExitCode::SUCCESS
}

/// Compares what can be tried here with what was measured.
fn test() -> ExitCode {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/guest/rights.json");
    let text = fs::read_to_string(file).expect("tests/guest/rights.json");
    let table: BTreeMap<String, Column> = serde_json::from_str(&text).expect("a table");
    let mut wrong = 0;
    for situation in Situation::ALL {
        if let Some(why) = situation.missing() {
            println!("skipped: {}: {why} (tests/guest/run has it)", situation.name());
            continue;
        }
        let column = match situation.column() {
            Ok(column) => column,
            // Containers that forbid namespaces cannot hold one of our own.
            Err(why) if why.contains("a namespace:") || why.contains("mounting:") => {
                println!("skipped: {}: {} (tests/guest/run has it)", situation.name(), why.trim());
                continue;
            }
            Err(why) => {
                println!("WRONG {}: {why}", situation.name());
                wrong += 1;
                continue;
            }
        };
        let Some(measured) = table.get(situation.name()) else {
            println!("WRONG {}: not in the table", situation.name());
            wrong += 1;
            continue;
        };
        let mut same = 0;
        for (row, cell) in &column {
            match measured.get(row) {
                Some(is) if is == cell => same += 1,
                // The kernel, its cgroups or a filter of system calls differ from the guest's.
                Some(is) if cell.starts_with("not here") || is.starts_with("not here") => {
                    println!("skipped: {}: {row}: {cell}; in the guest {is}", situation.name());
                }
                is => {
                    println!("WRONG {}: {row}: {cell}; the table says {is:?}", situation.name());
                    wrong += 1;
                }
            }
        }
        println!("{}: {same} of {} as in the table", situation.name(), column.len());
    }
    if wrong == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
