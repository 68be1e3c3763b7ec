//! The layering of the house is law: who may know whom, and which crates a room may use.

use std::fs;
use std::path::{Path, PathBuf};

struct Room {
    name: &'static str,
    may_import: &'static [&'static str],
    crates: &'static [&'static str],
}

const fn room(
    name: &'static str,
    may_import: &'static [&'static str],
    crates: &'static [&'static str],
) -> Room {
    Room { name, may_import, crates }
}

/// The rooms, lowest first.
const ROOMS: &[Room] = &[
    room("units", &[], &["serde"]),
    room("format", &["units"], &["humansize"]),
    room("syscall", &[], &["nix", "rustix"]),
    room("model", &["units"], &["serde"]),
    room(
        "sample",
        &["units", "syscall", "model"],
        &["jsonc_parser", "procfs", "nix", "rustix", "sysinfo"],
    ),
    // The log is text; pressure is a file that is written to and polled.
    room("events", &["units", "model"], &["regex", "rustix"]),
    // A site rule is text: TOML, and patterns in its expressions.
    room("policy", &["units", "model"], &["regex", "toml"]),
    room("intent", &["units", "model"], &[]),
    room("rank", &["units", "model", "policy"], &[]),
    room("forecast", &["units", "model", "policy", "rank"], &[]),
    room("source", &["units", "model", "sample"], &["serde_json", "serde", "flate2"]),
    room("effects", &["units", "syscall", "model", "intent", "sample"], &["nix", "rustix"]),
    room("plan", &["units", "format", "model", "policy", "intent", "rank", "forecast"], &[]),
    room("columns", &["units", "format", "model", "policy", "rank"], &[]),
    room("rows", &["units", "model", "policy", "rank", "columns"], &["regex"]),
    room("alarm", &["units", "format", "model", "policy", "rank", "forecast", "columns"], &[]),
    // Reports of the log are judged and shown as samples are.
    room(
        "words",
        &["units", "format", "model", "events", "policy", "intent", "rank", "forecast", "columns"],
        &[],
    ),
    room(
        "app",
        &[
            "units", "format", "model", "events", "policy", "intent", "rank", "forecast", "plan",
            "columns", "rows", "alarm", "words",
        ],
        &["regex", "tui_input"],
    ),
    room(
        "report",
        &[
            "units", "format", "model", "events", "policy", "intent", "rank", "forecast",
            "columns", "words",
        ],
        &["serde", "serde_json", "unicode_width", "jiff", "prometheus_client"],
    ),
    room(
        "ui",
        &[
            "units", "format", "model", "policy", "intent", "rank", "forecast", "plan", "columns",
            "rows", "alarm", "words", "app",
        ],
        &["ratatui", "unicode_width"],
    ),
];

/// Crates that only the shell may use, beside those in the table.
const OUTSIDE: &[&str] = &[
    "clap",
    "crossterm",
    "flate2",
    "humansize",
    "jiff",
    "jsonc_parser",
    "libc",
    "nix",
    "procfs",
    "prometheus_client",
    "ratatui",
    "regex",
    "rustix",
    "serde",
    "serde_json",
    "signal_hook",
    "sysinfo",
    "toml",
    "tui_input",
    "unicode_width",
];

/// What of the standard library would break a promise: a pure room has no files, clock or threads.
const PURE: &[&str] = &[
    "units", "format", "model", "policy", "intent", "rank", "forecast", "plan", "columns", "rows",
    "alarm", "words", "app", "ui",
];
const IMPURE: &[&str] = &[
    "std::fs",
    "std::thread",
    "std::process",
    "std::net",
    "std::env",
    "Instant::now",
    "SystemTime",
];

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("src can be listed") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|end| end == "rs") {
            found.push(path);
        }
    }
}

/// The code of a line: no comment.
fn code(line: &str) -> &str {
    line.find("//").map_or(line, |at| &line[..at])
}

fn mentions(code: &str, path: &str) -> bool {
    code.match_indices(path).any(|(at, _)| {
        let before = code[..at].chars().next_back();
        let after = code[at + path.len()..].chars().next();
        let inside_a_word = |c: char| c.is_alphanumeric() || c == '_';
        !before.is_some_and(|c| inside_a_word(c) || c == ':')
            && (path.ends_with(':') || !after.is_some_and(inside_a_word))
    })
}

/// Everything that breaks the law, as `file:line: what`.
fn breaches(file: &Path, text: &str, found: &mut Vec<String>) {
    let inside = file.strip_prefix(Path::new(env!("CARGO_MANIFEST_DIR")).join("src"));
    let inside = inside.expect("a file in src").to_path_buf();
    let name = inside.iter().next().and_then(|part| part.to_str()).unwrap_or_default();
    let name = name.trim_end_matches(".rs");
    let Some(room) = ROOMS.iter().find(|room| room.name == name) else {
        return; // lib, main and shell know everybody
    };
    for (number, line) in text.lines().enumerate() {
        let code = code(line);
        let mut breach = |what: String| {
            found.push(format!("src/{}:{}: {what}", inside.display(), number + 1));
        };
        let others = ROOMS.iter().map(|room| room.name).chain(["shell"]);
        for other in others.filter(|other| *other != name) {
            let named = mentions(code, &format!("crate::{other}"))
                || (code.contains("use crate::{") && mentions(code, &format!("{other}::")));
            if named && !room.may_import.contains(&other) {
                breach(format!("{name} must not know {other}"));
            }
        }
        for outside in OUTSIDE {
            if mentions(code, &format!("{outside}::")) && !room.crates.contains(outside) {
                let own = code.contains(&format!("::{outside}::"));
                if !own {
                    breach(format!("{name} must not use the crate {outside}"));
                }
            }
        }
        if PURE.contains(&name) {
            for impure in IMPURE {
                if code.contains(impure) {
                    breach(format!("{name} is pure, but mentions {impure}"));
                }
            }
        }
    }
}

#[test]
fn imports_point_down_only() {
    let mut files = Vec::new();
    sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut files);
    assert!(files.len() > 20, "src was found");
    let mut found = Vec::new();
    for file in &files {
        breaches(file, &fs::read_to_string(file).expect("a readable source"), &mut found);
    }
    assert!(found.is_empty(), "the layering is broken:\n{}", found.join("\n"));
}

#[test]
fn the_law_catches_a_breach() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    for (file, line, what) in [
        ("model/process.rs", "use crate::app::App;", "model must not know app"),
        ("policy/kernel/linux.rs", "use std::fs::File;", "policy is pure"),
        ("app/mod.rs", "use ratatui::Frame;", "must not use the crate ratatui"),
        ("ui/mod.rs", "use crate::effects::Hands;", "ui must not know effects"),
        ("rank.rs", "let now = std::time::Instant::now();", "rank is pure"),
    ] {
        let mut found = Vec::new();
        breaches(&src.join(file), line, &mut found);
        assert!(found.iter().any(|breach| breach.contains(what)), "{line}: {found:?}");
    }
    let mut found = Vec::new();
    breaches(&src.join("app/mod.rs"), "// use ratatui::Frame;", &mut found);
    assert!(found.is_empty(), "a comment is no breach");
}

#[test]
fn every_file_opens_with_its_role() {
    let mut files = Vec::new();
    sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut files);
    for file in files {
        let text = fs::read_to_string(&file).expect("a readable source");
        assert!(text.starts_with("//! "), "{} opens with a sentence of its role", file.display());
    }
}
