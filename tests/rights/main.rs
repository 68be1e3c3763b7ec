//! What works with which privileges, found by trying: as an ordinary user, as root without
//! CAP_SYS_RESOURCE, as root with all capabilities, in a container. The README's table is printed from
//! the results of a virtual machine (`rights.json`). An ordinary run tries the situations that can be
//! made here and compares.
//!
//! One binary is test, prober and wrapper, so that it also runs statically linked in a guest.

#![allow(clippy::expect_used, clippy::unwrap_used, reason = "a test says what it expects")]

mod probe;
mod situation;

use std::collections::BTreeMap;
use std::process::ExitCode;
use std::{env, fs};

use situation::Situation;

/// Prints the results of every situation as JSON. For the guest.
const ALL: &str = "__all";

/// Results by row of the table.
type Column = BTreeMap<String, String>;

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    match arguments.first().map(String::as_str) {
        Some(situation::ENTER) => situation::enter(&arguments[1..]),
        Some(probe::PROBE) => probe::probe(),
        Some(probe::SLEEP) => probe::sleep(),
        Some(ALL) => all(),
        // `--list`: there are no separate tests to list.
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

/// Tries what is possible here and compares with the table.
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
            // Some containers forbid new namespaces.
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
                // The kernel, its cgroups or a seccomp filter differ from the guest's.
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
