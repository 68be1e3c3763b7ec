//! The layering of the house is law: who may know whom, and which crates a room may use.

mod source_tree;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::sync::LazyLock;

use source_tree::{SourceTree, below_src, parse, source_files};

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
    room("source", &["units", "model", "sample", "events"], &["serde_json", "serde", "flate2"]),
    room("effects", &["units", "syscall", "model", "intent", "sample"], &["nix", "rustix"]),
    room("plan", &["units", "format", "model", "policy", "intent", "rank", "forecast"], &[]),
    room("columns", &["units", "format", "model", "policy", "rank"], &[]),
    room("kills", &["units", "model", "events", "policy", "rank", "forecast", "columns"], &[]),
    room("rows", &["units", "model", "policy", "rank", "columns"], &["regex", "jiff"]),
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
            "columns", "kills", "rows", "alarm", "words",
        ],
        &["regex", "tui_input"],
    ),
    room(
        "report",
        &[
            "units", "format", "model", "events", "policy", "intent", "rank", "forecast",
            "columns", "kills", "words",
        ],
        &["serde", "serde_json", "unicode_width", "jiff", "prometheus_client"],
    ),
    room(
        "ui",
        &[
            "units", "format", "model", "policy", "intent", "rank", "forecast", "plan", "columns",
            "kills", "rows", "alarm", "words", "app",
        ],
        &["ratatui", "unicode_width"],
    ),
];

/// Crates that only the shell may use, beside those in the table.
const OUTSIDE: &[&str] = &[
    "clap",
    "clap_complete",
    "crossterm",
    "flate2",
    "httparse",
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
    "ruzstd",
    "serde",
    "serde_json",
    "signal_hook",
    "sysinfo",
    "toml",
    "toml_edit",
    "tui_input",
    "unicode_width",
];

/// What of the standard library would break a promise: a pure room has no files, clock or threads.
const PURE: &[&str] = &[
    "units", "format", "model", "policy", "intent", "rank", "forecast", "plan", "columns", "kills",
    "rows", "alarm", "words", "app", "ui",
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
    let inside = below_src(file);
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
    let files = source_files();
    assert!(files.len() > 20, "src was found");
    let mut found = Vec::new();
    for file in &files {
        breaches(file, &fs::read_to_string(file).expect("a readable source"), &mut found);
    }
    assert!(found.is_empty(), "the layering is broken:\n{}", found.join("\n"));
}

/// Where a number becomes a pid: the function that checks it, and a call that takes what the kernel just gave.
const PIDS: &[&str] = &["syscall/mod.rs", "effects/run_process/descendants.rs"];

#[test]
fn a_number_becomes_the_target_of_a_signal_in_one_place() {
    let files = source_files();
    let found: Vec<String> = files
        .iter()
        .filter(|file| !PIDS.contains(&below_src(file).to_str().unwrap_or_default()))
        .filter(|file| {
            let text = fs::read_to_string(file).expect("a readable source");
            text.lines().any(|line| code(line).contains("Pid::from_raw"))
        })
        .map(|file| file.display().to_string())
        .collect();
    assert!(found.is_empty(), "0 and negative numbers are groups; use process_pid: {found:?}");
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

/// The units of each room that has sub-rooms, lowest first: folders, and files that stand beside them. A
/// unit imports only from units of the lines before its own.
const ORDER: &[(&str, &[&[&str]])] = &[
    (
        "app",
        &[
            &["incident", "keymap", "refresh"],
            &["setup"],
            &["adj_rules"],
            &["session"],
            &["dialog", "view"],
            &["message", "page"],
            &["mode"],
            &["input"],
            &["update"],
        ],
    ),
    (
        "effects",
        &[
            &["no_effects", "own_adj", "proc_dir"],
            &["expedite", "kill_guard", "run_process", "sysctl"],
            &["adj", "run_cgroup", "signal"],
            &["cgroup_kill", "pending_exit", "reap"],
            &["dry_run", "live"],
        ],
    ),
    (
        "events",
        &[
            &["log", "psi_trigger"],
            &["log_update", "snapshot_from_report"],
            &["recorded_log", "report_events"],
        ],
    ),
    (
        "forecast",
        &[
            &["commitments", "fit", "next_death", "series", "usage_series"],
            &["limits", "chart_window", "headroom_trend", "race", "stalled"],
            &["at_limit", "oom_at_limit", "killer_here", "steady_growth"],
            &["cascade", "cgroup_trends", "killer_verdict"],
            &["trend"],
        ],
    ),
    ("kills", &[&["predicted_victim"], &["timeline"], &["collector"], &["follower"]]),
    (
        "model",
        &[
            &["reading", "text"],
            &["comm", "daemon", "machine", "usage_reading"],
            &["cgroup"],
            &["forecast", "process"],
            &["oom_event"],
            &["log_line"],
            &["needs", "snapshot"],
            &["domain", "history"],
            &["scene"],
        ],
    ),
    (
        "policy",
        &[
            &["badness", "overrides", "sacrifice_key_signal", "tie_break", "trigger"],
            &["badness_parts", "definition"],
            &["kernel"],
            &["daemon", "site"],
            &["proposal"],
        ],
    ),
    (
        "report",
        &[
            &[
                "death",
                "kill_summary",
                "line",
                "metrics",
                "outcomes",
                "self_check",
                "shared_objects",
                "time",
            ],
            &["kill"],
            &["fits", "json", "load_test", "text", "verdicts"],
            &["comparison", "explain"],
        ],
    ),
    (
        "sample",
        &[
            &["absence", "file_buffer", "parse", "regular_file", "unreadable"],
            &["proc_root"],
            &["cgroup", "open_file"],
            &["process"],
            &["daemon", "machine"],
        ],
    ),
    (
        "shell",
        &[
            &[
                "child",
                "date",
                "debug_log",
                "exit_status",
                "new_file",
                "oom_burst_end",
                "own_memory",
                "replaced_file",
                "rule_file",
            ],
            &["command_error", "config_file", "event"],
            &["stdio", "thread"],
            &["guarded_source"],
            &["worker"],
            &["tui"],
            &["command"],
        ],
    ),
    (
        "words",
        &[
            &["overridden"],
            &["numbers_and_names", "outcome", "set_limit", "shortage", "terms"],
            &["fits", "freed", "judged_task", "memory_sheet", "next_death", "next_victim"],
            &["answer", "death_details", "remedy"],
            &["daemon_kill", "incident"],
        ],
    ),
    (
        "ui",
        &[
            &["click_areas", "svg"],
            &["paint"],
            &["dialog", "frame"],
            &["panel"],
            &["comparison", "view"],
            &["page"],
        ],
    ),
];

/// Words that nobody in this field would search for. They must not return as the name of a file or a type.
const RETIRED: &[&str] = &[
    "company",
    "ear",
    "ears",
    "fate",
    "film",
    "foresee",
    "gate",
    "hand",
    "hands",
    "happening",
    "haste",
    "hear",
    "inquest",
    "knob",
    "knobs",
    "look",
    "looks",
    "mates",
    "minute",
    "outlook",
    "pen",
    "powers",
    "promises",
    "pursuit",
    "reach",
    "round",
    "several",
    "sight",
    "slip",
    "spot",
    "standing",
    "stem",
    "sticky",
    "student",
    "study",
    "sure",
    "sway",
    "tape",
    "taping",
    "told",
    "trail",
    "tripwire",
    "untold",
    "wake",
    "wall",
    "walls",
    "weigher",
    "whereabouts",
    "whom",
    "whose",
    "wide",
    "wire",
    "wish",
];

/// Maximum lines of a file.
const FILE_LINES: usize = 700;
/// Maximum files of a folder; `sample/parse` has one for each kernel file.
const FOLDER_FILES: usize = 16;
/// Lines that 95 % of all functions stay below.
const FUNCTION_LINES: usize = 40;

static TREE: LazyLock<SourceTree> = LazyLock::new(SourceTree::read);

/// The unit of a room that a file belongs to: a sub-room, or the file itself.
fn unit(module: &str) -> Option<(&str, &str)> {
    let (room, rest) = module.split_once("::")?;
    Some((room, rest.split("::").next().unwrap_or(rest)))
}

/// Breaches of [`ORDER`], as sentences.
fn breaches_of_order(tree: &SourceTree, order: &[(&str, &[&[&str]])]) -> Vec<String> {
    let level = |room: &str, unit: &str| {
        let (_, levels) = order.iter().find(|(name, _)| *name == room)?;
        levels.iter().position(|level| level.contains(&unit))
    };
    let has_order = |room: &str| order.iter().any(|(name, _)| *name == room);
    let mut found = Vec::new();
    for (name, file) in &tree.files {
        let Some((room, own)) = unit(name).filter(|(room, _)| has_order(room)) else { continue };
        let Some(own_level) = level(room, own) else {
            found.push(format!("{room}::{own} has no place in ORDER"));
            continue;
        };
        for other in tree.imports(file) {
            let Some((_, theirs)) =
                unit(&other).filter(|&(theirs, it)| theirs == room && it != own)
            else {
                continue;
            };
            if level(room, theirs).is_none_or(|level| level >= own_level) {
                found.push(format!("{name} must not import {other}"));
            }
        }
    }
    found.sort();
    found.dedup();
    found
}

#[test]
fn sub_rooms_import_downwards_only() {
    let tree = &*TREE;
    let found = breaches_of_order(tree, ORDER);
    assert!(found.is_empty(), "upward imports between sub-rooms:\n{}", found.join("\n"));
    for (name, file) in &tree.files {
        if file.module.len() > 2 {
            let room = &file.module[0];
            assert!(ORDER.iter().any(|(it, _)| it == room), "{name}: {room} has no order");
        }
    }
}

#[test]
fn no_files_import_each_other_in_a_circle() {
    let circles = TREE.circles();
    let lines: Vec<String> = circles.iter().map(|circle| circle.join(" -> ")).collect();
    assert!(lines.is_empty(), "circles of files:\n{}", lines.join("\n"));
}

/// A tree of files that are given as text.
fn tree_of(files: &[(&str, &str)]) -> SourceTree {
    let module =
        |path: &str| path.trim_end_matches(".rs").trim_end_matches("/mod").replace('/', "::");
    let children: BTreeSet<String> = files.iter().map(|(path, _)| module(path)).collect();
    let parsed =
        files.iter().map(|(path, text)| (module(path), parse(Path::new(path), text, &children)));
    SourceTree { files: parsed.collect() }
}

#[test]
fn circles_and_upward_imports_are_found_through_re_exports_and_macros() {
    let tree = tree_of(&[
        ("room/mod.rs", "pub use low::a::{A, B as C}; pub mod low; pub mod high;"),
        ("room/low/mod.rs", "pub mod a;"),
        (
            "room/low/a.rs",
            "pub struct A; pub struct B; fn f() { println!(\"{}\", crate::room::high::g()); }",
        ),
        ("room/high.rs", "use super::C; pub fn g() {}"),
    ]);
    assert_eq!(tree.circles(), [["room::high", "room::low::a"]]);
    let order: &[(&str, &[&[&str]])] = &[("room", &[&["low"], &["high"]])];
    assert_eq!(breaches_of_order(&tree, order), ["room::low::a must not import room::high"]);
    let tree = tree_of(&[
        ("room/mod.rs", "pub mod a; pub mod b;"),
        ("room/a.rs", "#[cfg(test)] mod tests { use crate::room::b::B; }"),
        ("room/b.rs", "use super::a; pub struct B;"),
    ]);
    assert!(tree.circles().is_empty(), "what only a test imports is no circle");
}

/// The words of a name in snake case or camel case.
fn words_of(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    for c in name.chars() {
        if c == '_' || (c.is_uppercase() && words.last().is_some_and(|word| !word.is_empty())) {
            words.push(String::new());
        }
        if let Some(word) = words.last_mut().filter(|_| c != '_') {
            word.extend(c.to_lowercase());
        }
    }
    words
}

#[test]
fn retired_words_do_not_return() {
    let tree = &*TREE;
    let mut found = Vec::new();
    for (module, file) in &tree.files {
        let names = file.module.last().into_iter().chain(&file.types);
        for name in names {
            let retired = |word: &String| RETIRED.contains(&word.as_str());
            if let Some(word) = words_of(name).iter().find(|word| retired(word)) {
                found.push(format!("{module}: {name} ({word})"));
            }
        }
    }
    assert!(found.is_empty(), "private words in names:\n{}", found.join("\n"));
    assert_eq!(words_of("ShownSinceX"), ["shown", "since", "x"]);
    assert_eq!(words_of("exe_cwd_environ"), ["exe", "cwd", "environ"]);
}

#[test]
fn every_public_type_has_a_name_of_its_own() {
    let tree = &*TREE;
    let mut by_name: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (module, file) in &tree.files {
        file.public_types.iter().for_each(|name| by_name.entry(name).or_default().push(module));
    }
    by_name.retain(|_, modules| modules.len() > 1);
    assert!(by_name.is_empty(), "one name, several types: {by_name:#?}");
}

#[test]
fn files_folders_and_functions_stay_short() {
    let tree = &*TREE;
    let mut found = Vec::new();
    let mut folders: BTreeMap<&Path, usize> = BTreeMap::new();
    let mut lengths: Vec<usize> = Vec::new();
    for file in tree.files.values() {
        if file.lines > FILE_LINES {
            found.push(format!("{}: {} lines", file.path.display(), file.lines));
        }
        *folders.entry(file.path.parent().unwrap_or(Path::new(""))).or_default() += 1;
        lengths.extend(&file.functions);
    }
    for (folder, files) in folders {
        if files > FOLDER_FILES && folder != Path::new("sample/parse") {
            found.push(format!("{}: {files} files", folder.display()));
        }
    }
    lengths.sort_unstable();
    let quantile = lengths[lengths.len() * 95 / 100];
    if quantile >= FUNCTION_LINES {
        found.push(format!("5 % of the functions have {quantile} lines or more"));
    }
    assert!(found.is_empty(), "too long:\n{}", found.join("\n"));
}

#[test]
fn every_file_opens_with_its_role() {
    let files = source_files();
    for file in files {
        let text = fs::read_to_string(&file).expect("a readable source");
        assert!(text.starts_with("//! "), "{} opens with a sentence of its role", file.display());
    }
}
