//! The documents: what of them is written by the program from its own tables, and that the rest names only
//! flags, commands, labels and files that exist. `DOOMTOP_BLESS=1 cargo test --test suite readme` writes the
//! generated parts anew.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use clap::{CommandFactory, Parser};
use doomtop::alarm::{FACTS, QUANTITIES};
use doomtop::app::keymap::bindings::{KEYS, Key, KeyBinding, KeyContext, keys_of};
use doomtop::app::keymap::presets::KeyPreset;
use doomtop::columns::COLUMNS;
use doomtop::policy::{PATTERNS, POLICIES, SparedReason, site};
use doomtop::report::load_test::expectation::expectation_table;
use doomtop::shell::command::cli::Cli;
use doomtop::shell::command::config::documents;
use doomtop::shell::exit_status;
use doomtop::ui::paint::theme::palette::ROLES;
use serde_json::Value;

/// A generated part of a document: the file, the name of the marker around the part, and what writes it.
type Part = (&'static str, &'static str, fn() -> String);

/// Every generated part of a document.
const GENERATED: &[Part] = &[
    ("README.md", "explain", explained_kill),
    ("README.md", "proof", proof_in_short),
    ("assets/docs/alarms.md", "alarms", alarms),
    ("assets/docs/alarms.md", "facts", variables),
    ("assets/docs/columns.md", "columns", columns),
    ("assets/docs/command-line.md", "flags", flags),
    ("assets/docs/command-line.md", "exit-status", exit_status::markdown),
    ("assets/docs/config.md", "settings", documents::markdown),
    ("assets/docs/config.md", "colours", colours),
    ("assets/docs/config.md", "presets", presets),
    ("assets/docs/explain.md", "explain", explained_kill),
    ("assets/docs/install.md", "plain", plain),
    ("assets/docs/keys.md", "keys", keys),
    ("assets/docs/load-tests.md", "expectations", expectation_table),
    ("assets/docs/metrics.md", "metrics", metrics),
    ("assets/docs/policies.md", "policies", policies),
    ("assets/docs/policies.md", "patterns", patterns),
    ("assets/docs/proof.md", "proof", proof),
    ("assets/docs/rights.md", "rights", rights),
    ("assets/docs/screen.md", "spared", spared),
    ("assets/docs/site-policy.md", "facts", site::table),
];

/// The README is read by people in a hurry.
const README_BYTES: usize = 10_000;

/// Flags of cargo and of the project's own scripts, which the documents name as well.
const FOREIGN_FLAGS: &[&str] = &[
    "--all-targets",
    "--arch",
    "--bench",
    "--kernels",
    "--locked",
    "--max-old-space-size",
    "--minimise",
    "--now",
    "--offline",
    "--open",
    "--path",
    "--picks",
    "--release",
    "--seconds",
    "--short",
    "--target",
    "--test",
];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(file: &Path) -> String {
    fs::read_to_string(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
}

/// Every Markdown file of the source tree, by its path from the root.
fn documents() -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![root().to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            if path.is_dir() && name != "target" && name != ".git" {
                folders.push(path);
            } else if path.extension().is_some_and(|end| end == "md") {
                found.push(path.strip_prefix(root()).expect("a path below the root").to_owned());
            }
        }
    }
    found.sort();
    assert!(found.len() > 20, "{found:?}");
    found
}

/// What the real binary prints.
fn doomtop(arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_doomtop"))
        .args(arguments)
        .current_dir(root())
        .stdin(Stdio::null())
        .output()
        .expect("doomtop");
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("text")
}

/// Text in a cell of a table: on one line, and no bar ends the cell.
fn cell(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ").replace('|', "\\|")
}

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

fn patterns() -> String {
    let mut table = String::from("| `--policy` | rule |\n|---|---|\n");
    for (pattern, about) in PATTERNS {
        let _ = writeln!(table, "| `{pattern}` | {} |", cell(about));
    }
    table
}

fn keys() -> String {
    for row in KEYS {
        let known = |place| KeyContext::ALL.iter().any(|(known, _)| *known == place);
        assert!(
            row.places.iter().copied().all(known),
            "{} has a key in a place without a name",
            row.help
        );
    }
    let mut text = String::new();
    for (place, title) in KeyContext::ALL {
        let gap = if text.is_empty() { "" } else { "\n" };
        let _ = writeln!(text, "{gap}## {title}");
        // A row that is also one of the Processes view is explained there.
        let (shared, own): (Vec<_>, Vec<_>) = keys_of(place).partition(|row| {
            place != KeyContext::Browse && row.places.contains(&KeyContext::Browse)
        });
        if !shared.is_empty() {
            let names: Vec<String> = shared.into_iter().map(key_names).collect();
            let _ = writeln!(text, "\nAs in the Processes view: {}.", names.join(" "));
        }
        if !own.is_empty() {
            text.push_str("\n| key | what it does |\n|---|---|\n");
        }
        for row in own {
            let _ = writeln!(text, "| {} | {} |", key_names(row), row.help);
        }
    }
    text
}

/// The keys of a row, as a table can hold them.
fn key_names(row: &KeyBinding) -> String {
    // A code span cannot hold a backslash before a bar, and a bar ends a cell.
    let names = row.keys.iter().map(Key::to_string);
    names.map(|name| format!("`{}`", name.replace('|', "\\|"))).collect::<Vec<_>>().join(" ")
}

fn colours() -> String {
    let mut table = String::from("| role | what it colours |\n|---|---|\n");
    for role in ROLES {
        let _ = writeln!(table, "| `{}` | {} |", role.name, role.about);
    }
    table
}

fn presets() -> String {
    let mut table = String::from("| preset | keys |\n|---|---|\n");
    for preset in KeyPreset::ALL {
        let _ = writeln!(table, "| `{}` | {} |", preset.name(), preset.about());
    }
    table
}

/// What `--plain` tells of the demo.
fn plain() -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_doomtop"))
        .args(["--demo", "--plain"])
        .env("TZ", "UTC")
        .stdin(Stdio::null())
        .output()
        .expect("doomtop");
    let text = String::from_utf8(output.stdout).expect("text");
    let lines: Vec<&str> = text.lines().take(8).collect();
    format!("```text\n{}\n```\n", lines.join("\n"))
}

fn alarms() -> String {
    let mut table = String::from("| `--alarm` | rings when, or what |\n|---|---|\n");
    for row in QUANTITIES {
        let _ = writeln!(table, "| `{}` | {} |", row.example, row.about);
    }
    table
}

fn variables() -> String {
    let mut table = String::from("| variable | what it holds |\n|---|---|\n");
    for (name, about) in FACTS {
        let _ = writeln!(table, "| `{name}` | {about} |");
    }
    table
}

/// Why a process cannot be chosen: the word on its row.
fn spared() -> String {
    let reasons = [
        SparedReason::Init,
        SparedReason::Never,
        SparedReason::Kernel,
        SparedReason::NoMm,
        SparedReason::Skipped,
        SparedReason::Dying,
        SparedReason::Zero,
        SparedReason::Ignored,
        SparedReason::NoCandidate,
        SparedReason::Unnamed,
        SparedReason::Unreadable,
        SparedReason::Failed,
        SparedReason::Outside,
    ];
    let mut table = String::from("| word | meaning |\n|---|---|\n");
    for reason in reasons {
        let _ = writeln!(table, "| `{}` | {} |", reason.word(), cell(reason.sentence()));
    }
    table
}

/// The flags of every command, from the table that parses them.
fn flags() -> String {
    fn table(text: &mut String, command: &clap::Command, name: &str, below: bool) {
        let about = command.get_about().map(ToString::to_string).unwrap_or_default();
        let _ = write!(text, "## {name}\n\n{}.\n", cell(&about).trim_end_matches('.'));
        let own = |flag: &&clap::Arg| {
            let general = flag.is_hide_set() || (below && flag.is_global_set());
            !general && !["help", "version"].contains(&flag.get_id().as_str())
        };
        let mut rows = String::new();
        for flag in command.get_arguments().filter(own) {
            let value = flag.get_value_names().and_then(|names| names.first());
            let value = value.map_or_else(String::new, ToString::to_string);
            let long = flag.get_long().map(|long| match flag.get_action().takes_values() {
                true if flag.is_require_equals_set() => format!("--{long}[={value}]"),
                true => format!("--{long} {value}"),
                false => format!("--{long}"),
            });
            let short = flag.get_short().map(|short| format!("-{short}"));
            let spelled: Vec<String> = short.into_iter().chain(long).collect();
            let spelled = if spelled.is_empty() { value } else { spelled.join(", ") };
            let help = flag.get_help().map(ToString::to_string).unwrap_or_default();
            let _ = writeln!(rows, "| `{spelled}` | {} |", cell(&help));
        }
        if !rows.is_empty() {
            let _ = write!(text, "\n| | |\n|---|---|\n{rows}");
        }
        text.push('\n');
        for inner in command.get_subcommands().filter(|inner| inner.get_name() != "help") {
            table(text, inner, &format!("{name} {}", inner.get_name()), true);
        }
    }
    let mut text = String::new();
    table(&mut text, &Cli::command(), "doomtop", false);
    text.truncate(text.trim_end().len());
    text + "\n"
}

/// Every metric, from what the program prints.
fn metrics() -> String {
    let text = doomtop(&["metrics", "--demo"]);
    let mut table = String::from("| metric | type | what it is |\n|---|---|---|\n");
    let mut kind = "";
    let mut about = "";
    for line in text.lines() {
        if let Some((_, rest)) = line.strip_prefix("# HELP ").and_then(|rest| rest.split_once(' '))
        {
            about = rest;
        } else if let Some((name, rest)) =
            line.strip_prefix("# TYPE ").and_then(|rest| rest.split_once(' '))
        {
            kind = rest;
            let suffix = match kind {
                "counter" => "_total",
                "info" => "_info",
                _ => "",
            };
            let _ = writeln!(table, "| `{name}{suffix}` | {kind} | {} |", cell(about));
        }
    }
    assert!(!kind.is_empty() && !about.is_empty());
    table
}

/// The first kill of the demo's kernel log, as `doomtop explain` prints it.
fn explained_kill() -> String {
    let text = doomtop(&["explain", "tests/demo/kernel.log", "--rows", "2"]);
    let (first, _) = text.split_once("\nOOM 2 of ").expect("several reports");
    format!("```text\n{}\n```\n", first.trim_end())
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
        let told = self.0.iter().filter(|row| row["candidates"].is_u64());
        let (candidates, counted) = told.fold((0, 0), |(candidates, kills), row| {
            let of = |key: &str| row[key].as_u64().unwrap_or_default();
            (candidates + of("candidates"), kills + of("kills"))
        });
        if counted > 0 {
            let mean = candidates as f64 / counted as f64;
            let _ = write!(text, " It named {mean:.2} processes on average.");
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
fn measured() -> Vec<Value> {
    serde_json::from_str(&read(&root().join("tests/guest/results.json"))).expect("JSON")
}

/// The result in two lines.
fn proof_in_short() -> String {
    let rows = measured();
    let kernels: BTreeSet<&str> =
        rows.iter().map(|row| row["kernel"].as_str().expect("kernel")).collect();
    let number = |kernel: &&str| -> (u32, u32) {
        let mut parts = kernel.split('.').map(|part| part.parse().expect("a number"));
        (parts.next().expect("a major version"), parts.next().expect("a minor version"))
    };
    let mut numbers: Vec<(u32, u32)> = kernels.iter().map(number).collect();
    numbers.sort_unstable();
    let (oldest, newest) = (numbers[0], numbers[numbers.len() - 1]);
    format!(
        "* {}\n* Measured in virtual machines on {} kernels from {}.{} to {}.{}: at limits of cgroups, by \
         sysrq-f, and of the whole machine, without swap and with swap on zram or disk \
         ([proof](assets/docs/proof.md)).\n",
        Sums(rows.iter().collect()).sentence(),
        kernels.len(),
        oldest.0,
        oldest.1,
        newest.0,
        newest.1,
    )
}

/// The result as tables.
fn proof() -> String {
    let rows = measured();
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
    let table: Value =
        serde_json::from_str(&read(&root().join("tests/guest/rights.json"))).expect("JSON");
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

/// A document with these lines between its markers.
fn with(text: &str, marker: &str, inside: &str) -> String {
    let (open, close) = (format!("<!-- {marker} -->\n"), format!("<!-- /{marker} -->"));
    let from = text.find(&open).unwrap_or_else(|| panic!("{open} is there")) + open.len();
    let to = text.find(&close).unwrap_or_else(|| panic!("{close} is there"));
    format!("{}{inside}{}", &text[..from], &text[to..])
}

/// The tables that are measured, and written by a script: nothing here can say whether they are true.
const MEASURED: [&str; 4] = ["horizon-cgroups", "horizon-guest", "horizon-work", "systemd-guest"];

#[test]
fn the_documents_say_what_the_tables_say() {
    let mut outdated = Vec::new();
    for file in documents() {
        let text = read(&root().join(&file));
        let parts = GENERATED.iter().filter(|part| Path::new(part.0) == file);
        let mut wanted = text.clone();
        for (_, marker, generate) in parts.clone() {
            wanted = with(&wanted, marker, &generate());
        }
        assert_eq!(
            wanted
                .lines()
                .filter(|line| line.starts_with("<!-- "))
                .filter(|line| !MEASURED.iter().any(|marker| line.contains(marker)))
                .count(),
            2 * parts.count(),
            "{}: each marker has a generator",
            file.display()
        );
        if wanted == text {
            continue;
        }
        if std::env::var_os("DOOMTOP_BLESS").is_some() {
            fs::write(root().join(&file), &wanted).expect("written");
            continue;
        }
        let differing = text.lines().zip(wanted.lines()).find(|(is, should)| is != should);
        outdated.push(format!("{}: {differing:?}", file.display()));
    }
    assert!(
        outdated.is_empty(),
        "DOOMTOP_BLESS=1 cargo test --test suite readme writes the tables anew: {outdated:#?}"
    );
}

#[test]
fn the_readme_is_short() {
    let bytes = read(&root().join("README.md")).len();
    assert!(bytes <= README_BYTES, "{bytes} bytes");
}

#[test]
fn the_index_lists_every_reference_document() {
    let index = read(&root().join("assets/docs/README.md"));
    for file in documents().iter().filter(|file| file.starts_with("assets/docs")) {
        let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
        assert!(
            name == "README.md" || index.contains(&format!("]({name})")),
            "{name} is not listed"
        );
    }
}

/// The flags of all commands, such as `--from`.
fn known_flags() -> Vec<String> {
    fn collect(command: &clap::Command, flags: &mut Vec<String>) {
        flags.extend(
            command.get_arguments().filter_map(clap::Arg::get_long).map(|it| format!("--{it}")),
        );
        command.get_subcommands().for_each(|inner| collect(inner, flags));
    }
    let mut flags = vec!["--help".to_owned(), "--version".to_owned()];
    collect(&Cli::command(), &mut flags);
    flags
}

#[test]
fn every_flag_that_the_documents_name_exists() {
    let known = known_flags();
    let mut seen = 0;
    for file in documents() {
        let text = read(&root().join(&file));
        let named = text
            .split(|c: char| !(c.is_ascii_alphanumeric() || c == '-'))
            .filter(|word| word.starts_with("--") && word.chars().any(|c| c.is_ascii_alphabetic()))
            .filter(|word| !FOREIGN_FLAGS.contains(word));
        for flag in named {
            seen += 1;
            assert!(
                known.iter().any(|known| known == flag),
                "{}: {flag} is no flag",
                file.display()
            );
        }
    }
    assert!(seen > 100);
}

/// The words of a command line: quotes join, `#`, `|` and `>` end it.
fn shell_words(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quote = None;
    for c in line.chars() {
        match (c, quote) {
            (c, Some(open)) if c == open => quote = None,
            (c, Some(_)) => word.get_or_insert_default().push(c),
            ('\'' | '"', None) => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            ('#' | '|' | '>', None) if word.is_none() => break,
            (' ', None) => words.extend(word.take()),
            (c, None) => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    words
}

/// Each example in a block for the console is understood by the parser of the command line.
#[test]
fn every_example_command_is_understood() {
    let mut seen = 0;
    for file in documents() {
        let text = read(&root().join(&file));
        for line in text.lines().filter_map(|line| line.strip_prefix("$ ")) {
            let line = line.replace("cargo run --release --", "doomtop");
            for (at, _) in line.match_indices("doomtop") {
                let before = line[..at].trim_end();
                let starts = before.is_empty() || before.ends_with('|') || before == "ssh db-03";
                let ends = matches!(line[at + "doomtop".len()..].chars().next(), None | Some(' '));
                if !starts || !ends {
                    continue;
                }
                let words = shell_words(&line[at..]);
                seen += 1;
                if let Err(error) = Cli::try_parse_from(&words) {
                    panic!("{}: {words:?}: {error}", file.display());
                }
            }
        }
    }
    assert!(seen > 25, "{seen}");
}

/// The name that a code host gives to a heading.
fn anchor(heading: &str) -> String {
    let kept = |c: char| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_');
    heading.trim().to_lowercase().chars().filter(|&c| kept(c)).collect::<String>().replace(' ', "-")
}

fn anchors(text: &str) -> BTreeSet<String> {
    text.lines()
        .filter(|line| line.starts_with('#'))
        .map(|line| anchor(line.trim_start_matches('#')))
        .collect()
}

#[test]
fn every_link_in_the_documents_leads_somewhere() {
    let mut seen = 0;
    for file in documents() {
        let text = read(&root().join(&file));
        let folder = root().join(&file).parent().expect("a folder").to_owned();
        for (at, _) in text.match_indices("](") {
            let Some(target) = text[at + 2..].split(')').next() else { continue };
            if target.contains("://") || target.contains(char::is_whitespace) {
                continue;
            }
            let (path, part) = target.split_once('#').unwrap_or((target, ""));
            let whole = if path.is_empty() { root().join(&file) } else { folder.join(path) };
            assert!(whole.exists(), "{}: {target} is not there", file.display());
            if !part.is_empty() {
                let known = anchors(&read(&whole));
                assert!(known.contains(part), "{}: {target}: {known:?}", file.display());
            }
            seen += 1;
        }
    }
    assert!(seen > 60, "{seen}");
}

/// The first cells of all tables whose first column is called so.
fn first_cells<'a>(text: &'a str, title: &str) -> Vec<&'a str> {
    let mut cells = Vec::new();
    let mut inside = false;
    for line in text.lines() {
        let first = line.strip_prefix("| ").and_then(|rest| rest.split(" |").next());
        match first {
            Some(first) if first == title => inside = true,
            Some(first) if inside => cells.push(first),
            None if !line.starts_with('|') => inside = false,
            _ => {}
        }
    }
    cells
}

/// The lines of code below `src`, without comments, with the file that each is in.
fn code() -> Vec<(PathBuf, String)> {
    let mut folders = vec![root().join("src")];
    let mut lines = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let text = read(&path);
            let code = text.lines().filter(|line| !line.trim_start().starts_with("//"));
            lines.extend(code.map(|line| (path.clone(), line.to_owned())));
        }
    }
    assert!(lines.len() > 10_000, "{}", lines.len());
    lines
}

/// Each label that is explained is in a picture of the screen that other tests compare, or in the code.
#[test]
fn every_label_that_the_documents_explain_is_on_a_screen() {
    let mut screens: String = code().into_iter().map(|(_, line)| line + "\n").collect();
    for entry in fs::read_dir(root().join("tests/suite/snapshots")).expect("a folder") {
        screens += &read(&entry.expect("a picture").path());
    }
    for (file, least) in [("README.md", 8), ("assets/docs/screen.md", 12)] {
        let text = read(&root().join(file));
        let labels = first_cells(&text, "on the screen");
        assert!(labels.len() >= least, "{labels:?}");
        for label in labels {
            assert!(screens.contains(label.trim_matches('`')), "{file}: {label} is on no screen");
        }
    }
}

/// An installed program has no source tree beside it.
#[test]
fn no_help_and_no_message_points_at_a_file_of_the_source_tree() {
    fn check(command: &mut clap::Command) {
        let texts = [command.render_help().to_string(), command.render_long_help().to_string()];
        for text in texts {
            for file in [".md", "README", "assets/"] {
                assert!(!text.contains(file), "{}: {file} in {text}", command.get_name());
            }
        }
        command.get_subcommands_mut().for_each(check);
    }
    let mut command = Cli::command();
    command.build();
    check(&mut command);

    for (path, line) in code().iter().filter(|(_, line)| !line.contains("include_")) {
        let named =
            [".md\"", ".md)", ".md ", "README", "assets/"].iter().find(|it| line.contains(**it));
        assert!(named.is_none(), "{}: {line}", path.display());
    }
}

#[test]
fn the_two_commands_stand_in_the_readme_and_in_ci() {
    let readme = read(&root().join("README.md"));
    assert!(readme.contains("cargo run --release") && readme.contains("cargo test"));
    let ci = read(&root().join(".ci/run"));
    assert!(ci.lines().any(|line| line == "cargo test"), "CI runs exactly the README's command");
}
