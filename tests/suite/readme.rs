//! The README's tables are printed from the tables of the house, and this compares them.
//! `DOOMTOP_BLESS=1 cargo test` prints them anew.

use std::fmt::Write;
use std::fs;
use std::path::Path;

use clap::CommandFactory;
use doomtop::app::keys::{KEYS, Key, Place};
use doomtop::columns::COLUMNS;
use doomtop::policy::POLICIES;
use doomtop::shell::cli::Cli;

fn columns() -> String {
    let mut table = String::from("| column | `--columns` name | what it shows |\n|---|---|---|\n");
    for column in COLUMNS {
        let _ = writeln!(table, "| {} | `{}` | {} |", column.title, column.id, column.about);
    }
    table
}

fn policies() -> String {
    let mut table = String::from("| `--policy` | rule | where it can be read |\n|---|---|---|\n");
    for policy in POLICIES {
        let cites: Vec<String> =
            policy.cites().iter().map(|cite| format!("{} ({})", cite.place, cite.at)).collect();
        let _ =
            writeln!(table, "| `{}` | {} | {} |", policy.id(), policy.title(), cites.join("; "));
    }
    table
}

fn keys() -> String {
    let mut table = String::from("| key | what it does |\n|---|---|\n");
    for row in KEYS.iter().filter(|row| row.place == Place::Browse) {
        let names: Vec<String> = row
            .keys
            .iter()
            .map(Key::to_string)
            // A code span cannot hold a backslash before a bar, and a bar ends a cell.
            .map(|name| format!("`{}`", name.replace('|', "\\|")))
            .collect();
        let _ = writeln!(table, "| {} | {} |", names.join(" "), row.help);
    }
    table
}

/// The README with these lines between its markers.
fn with(text: &str, marker: &str, inside: &str) -> String {
    let (open, close) = (format!("<!-- {marker} -->\n"), format!("<!-- /{marker} -->"));
    let from = text.find(&open).unwrap_or_else(|| panic!("{open} is there")) + open.len();
    let to = text.find(&close).unwrap_or_else(|| panic!("{close} is there"));
    format!("{}{inside}{}", &text[..from], &text[to..])
}

#[test]
fn the_readme_says_what_the_tables_say() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md");
    let text = fs::read_to_string(&path).expect("the README");
    let mut wanted = text.clone();
    for (marker, table) in [("columns", columns()), ("policies", policies()), ("keys", keys())] {
        wanted = with(&wanted, marker, &table);
    }
    if std::env::var_os("DOOMTOP_BLESS").is_some() {
        fs::write(&path, &wanted).expect("written");
        return;
    }
    let differing = text.lines().zip(wanted.lines()).find(|(is, should)| is != should);
    assert!(text == wanted, "DOOMTOP_BLESS=1 cargo test prints the tables anew: {differing:?}");
}

#[test]
fn every_flag_that_the_readme_names_exists() {
    let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md")).unwrap();
    let command = Cli::command();
    let known: Vec<String> = command
        .get_arguments()
        .filter_map(|flag| flag.get_long())
        .map(|long| format!("--{long}"))
        .collect();
    let named = text
        .split(|c: char| !(c.is_ascii_alphanumeric() || c == '-'))
        .filter(|word| word.starts_with("--") && word.len() > 3)
        .filter(|word| !["--release", "--bench"].contains(word));
    for flag in named {
        assert!(known.iter().any(|known| known == flag), "{flag} is no flag");
    }
}

#[test]
fn the_two_commands_stand_in_the_readme_and_in_ci() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let readme = fs::read_to_string(root.join("README.md")).unwrap();
    assert!(readme.contains("cargo run --release") && readme.contains("cargo test"));
    let ci = fs::read_to_string(root.join(".ci/run")).unwrap();
    assert!(ci.lines().any(|line| line == "cargo test"), "CI runs exactly the README's command");
}
