//! The README's tables are printed from the tables of the house, and this compares them.
//! `DOOMTOP_BLESS=1 cargo test` prints them anew.

use std::fmt::Write;
use std::fs;
use std::path::Path;

use clap::CommandFactory;
use doomtop::app::keymap::bindings::{Key, KeyContext, keys_of};
use doomtop::columns::COLUMNS;
use doomtop::policy::POLICIES;
use doomtop::shell::command::cli::Cli;
use serde_json::Value;

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
        let cites: Vec<String> = policy
            .info()
            .cites
            .iter()
            .map(|cite| format!("{} ({})", cite.place, cite.at))
            .collect();
        let _ =
            writeln!(table, "| `{}` | {} | {} |", policy.id(), policy.title(), cites.join("; "));
    }
    table
}

fn keys() -> String {
    let mut table = String::from("| key | what it does |\n|---|---|\n");
    for row in keys_of(KeyContext::Browse) {
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

/// Sums over some of the measured rows.
struct Sums<'a>(Vec<&'a Value>);

impl Sums<'_> {
    fn of(&self, key: &str) -> u64 {
        self.0.iter().map(|row| row[key].as_u64().expect(key)).sum()
    }

    fn too_close(&self) -> String {
        match (self.of("too_close"), self.of("among")) {
            (0, _) => "0 too close to call".to_owned(),
            (all, among) if all == among => {
                format!("{all} too close to call, all among the candidates")
            }
            (all, among) => {
                format!("{all} too close to call, {among} of them among the candidates")
            }
        }
    }

    fn sentence(&self) -> String {
        let kills = self.of("kills");
        let mut text =
            format!("**{} of {kills} kills predicted; {}", self.of("named"), self.too_close());
        for (key, words) in
            [("missed", "missed"), ("off", "while doomtop said that it could not tell")]
        {
            let count = self.of(key);
            if count > 0 {
                let _ = write!(text, "; {count} {words}");
            }
        }
        let _ = write!(text, "; sorting by `oom_score`: {} of {kills}.**", self.of("by_score"));
        // Not every row was measured since reports are explained, too.
        let perhaps =
            |key: &str| -> u64 { self.0.iter().filter_map(|row| row[key].as_u64()).sum() };
        let dumps = perhaps("dumps");
        if dumps > 0 {
            let _ = write!(
                text,
                " `doomtop explain` puts the killed one first in {} of {dumps} reports with a dump.",
                perhaps("explained")
            );
        }
        let unseen = self.of("unseen");
        if unseen > 0 {
            let _ = write!(
                text,
                " {unseen} more are not judged: they came before doomtop could have seen the growth \
                 that led to them."
            );
        }
        text
    }

    fn row(&self, name: &str) -> String {
        let cells = ["kills", "named", "too_close", "missed", "by_score"];
        let cells: Vec<String> = cells.iter().map(|key| self.of(key).to_string()).collect();
        format!("| {name} | {} |", cells.join(" | "))
    }
}

/// What `tests/guest/run` measured.
fn proof() -> String {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/guest/results.json");
    let rows: Vec<Value> = serde_json::from_slice(&fs::read(file).expect("results")).expect("JSON");
    let all = Sums(rows.iter().collect());
    let mut text = format!("{}\n", all.sentence());
    for (key, title) in [("kernel", "kernel"), ("situation", "what made the kernel kill")] {
        let name = |row: &Value| row[key].as_str().expect(key).to_owned();
        let _ = write!(
            text,
            "\n| {title} | kills | predicted | too close to call | missed | by `oom_score` |\n\
             |---|---|---|---|---|---|\n"
        );
        let mut names: Vec<String> = Vec::new();
        for row in &rows {
            if !names.contains(&name(row)) {
                names.push(name(row));
            }
        }
        for wanted in names {
            let some = Sums(rows.iter().filter(|row| name(row) == wanted).collect());
            let _ = writeln!(text, "{}", some.row(&wanted));
        }
    }
    text
}

/// What works with which rights: tried in a guest by `tests/rights`.
fn rights() -> String {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/guest/rights.json");
    let table: Value = serde_json::from_slice(&fs::read(file).expect("rights")).expect("JSON");
    let situations =
        ["an ordinary user", "root without CAP_SYS_RESOURCE", "root in a container", "root"];
    let mut text = format!("| | {} |\n|---|---|---|---|---|\n", situations.join(" | "));
    for (row, _) in table[situations[0]].as_object().expect("rows") {
        let cell = |situation: &&str| table[*situation][row].as_str().expect("a cell").to_owned();
        let cells: Vec<String> = situations.iter().map(cell).collect();
        // Rows are in the order of a letter before them.
        let _ = writeln!(text, "| {} | {} |", &row[2..], cells.join(" | "));
    }
    text
}

#[test]
fn the_table_of_the_proof_hides_no_miss() {
    let row = |named, among, missed| {
        serde_json::json!({"kills": named + among + missed + 1, "named": named, "missed": missed,
            "too_close": among + 1, "among": among, "off": 0, "by_score": 1, "unseen": 1})
    };
    let (one, two) = (row(3, 1, 0), row(4, 2, 2));
    let sums = Sums(vec![&one, &two]);
    assert_eq!(sums.row("x"), "| x | 14 | 7 | 5 | 2 | 2 |");
    assert_eq!(
        sums.sentence(),
        "**7 of 14 kills predicted; 5 too close to call, 3 of them among the candidates; 2 missed; \
         sorting by `oom_score`: 2 of 14.** 2 more are not judged: they came before doomtop could \
         have seen the growth that led to them."
    );
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
    for (marker, table) in [
        ("columns", columns()),
        ("policies", policies()),
        ("keys", keys()),
        ("proof", proof()),
        ("rights", rights()),
    ] {
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
    let all = command.get_subcommands().flat_map(|inner| inner.get_arguments());
    let known: Vec<String> = command
        .get_arguments()
        .chain(all)
        .filter_map(|flag| flag.get_long())
        .map(|long| format!("--{long}"))
        .collect();
    let named = text
        .split(|c: char| !(c.is_ascii_alphanumeric() || c == '-'))
        .filter(|word| word.starts_with("--") && word.len() > 3)
        // Those of cargo and of the harness in the guests.
        .filter(|word| !["--release", "--bench", "--test", "--kernels", "--picks"].contains(word));
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
