//! The documents for people who change the code (`CONTRIBUTING.md`, `SECURITY.md`, the map in `src/lib.rs`)
//! name only files, types and functions that exist.

use std::fs;
use std::path::Path;

/// The documents, each with the minimum of names that are found in it: a document without any is not understood.
const DOCUMENTS: [(&str, usize); 3] =
    [("CONTRIBUTING.md", 150), ("SECURITY.md", 2), ("src/lib.rs", 70)];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(file: &str) -> String {
    fs::read_to_string(root().join(file)).unwrap_or_else(|error| panic!("{file}: {error}"))
}

/// The text of a document; of a source file, its module documentation.
fn document(file: &str) -> String {
    let text = read(file);
    if !file.ends_with(".rs") {
        return text;
    }
    let lines = text.lines().map_while(|line| line.strip_prefix("//!"));
    lines.map(|line| format!("{line}\n")).collect()
}

/// What stands between backticks, without the blocks of examples.
fn code_spans(text: &str) -> Vec<&str> {
    let outside = text.split("```").step_by(2);
    outside.flat_map(|part| part.split('`').skip(1).step_by(2)).collect()
}

/// Each file below `src`, by its path from the root.
fn sources() -> Vec<(String, String)> {
    let mut folders = vec![root().join("src")];
    let mut found = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let text = fs::read_to_string(&path).expect("a source file");
                let name = path.strip_prefix(root()).expect("a path below the root");
                // The map itself proves nothing.
                let code = text.lines().filter(|line| !line.trim_start().starts_with("//!"));
                let code = code.map(|line| format!("{line}\n")).collect();
                found.push((name.display().to_string(), code));
            }
        }
    }
    found
}

fn is_name(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

/// Whether these words stand in the text, not as a part of longer ones.
fn holds(text: &str, words: &str) -> bool {
    let is_inside = |c: char| c.is_ascii_alphanumeric() || c == '_';
    text.match_indices(words).any(|(at, _)| {
        !text[..at].ends_with(is_inside) && !text[at + words.len()..].starts_with(is_inside)
    })
}

/// Whether a file declares a member of a type: a function, a constant, a variant or a field.
fn declares(text: &str, of: &str, member: &str) -> bool {
    let behind = |words: &[&str], name| words.iter().any(|it| holds(text, &format!("{it} {name}")));
    let type_is_here = behind(&["struct", "enum", "trait", "type", "impl", "for"], of);
    let is_variant = || {
        let rest = text.lines().filter_map(|line| line.trim().strip_prefix(member));
        rest.map(str::trim_start).any(|rest| rest.is_empty() || rest.starts_with([',', '(', '{']))
    };
    type_is_here
        && (behind(&["fn", "const", "pub"], member)
            || (member.starts_with(char::is_uppercase) && is_variant()))
}

/// Whether a path of a document is there: from the root, or in the map from `src`. The name of a new file
/// stands for any.
fn exists(file: &str, path: &str) -> bool {
    let there = |path: &str| match path.rsplit_once('/') {
        Some((folder, name)) if name.contains("NAME") => root().join(folder).is_dir(),
        _ => root().join(path).exists(),
    };
    there(path) || (file == "src/lib.rs" && there(&format!("src/{path}")))
}

#[test]
fn what_the_documents_for_contributors_name_exists() {
    let sources = sources();
    let mut wrong = Vec::new();
    for (file, least) in DOCUMENTS {
        let text = document(file);
        let mut seen = 0;
        for span in code_spans(&text) {
            let words = span.split_whitespace();
            let is_path = |word: &&str| {
                ["src/", "tests/", "assets/", ".ci/"].iter().any(|it| word.starts_with(it))
                    || word.ends_with(".rs")
            };
            for path in words.filter(is_path) {
                seen += 1;
                if !exists(file, path) {
                    wrong.push(format!("{file}: there is no {path}"));
                }
            }
            let names: Vec<&str> = span.trim_end_matches("()").split("::").collect();
            if !names.iter().all(|name| is_name(name)) {
                continue;
            }
            // Of a longer path, such as those of links, rustdoc checks the beginning.
            if let [.., of, member] = names[..]
                && of.starts_with(char::is_uppercase)
            {
                seen += 1;
                if !sources.iter().any(|(_, text)| declares(text, of, member)) {
                    wrong.push(format!("{file}: there is no {of}::{member}"));
                }
            } else if let [name] = names[..]
                && name != "NAME"
                && name.contains(|c: char| c == '_' || c.is_ascii_uppercase())
            {
                seen += 1;
                if !sources.iter().any(|(_, text)| holds(text, name)) {
                    wrong.push(format!("{file}: {name} is not in the sources"));
                }
            }
        }
        assert!(seen >= least, "{file}: {seen} names");
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// The map has a row for each thread, by its name, with the file that starts it.
#[test]
fn the_map_lists_every_thread() {
    let map = document("src/lib.rs");
    let mut seen = 0;
    for (file, text) in sources() {
        let code = text.split("#[cfg(test)]").next().unwrap_or_default();
        let starts = ["thread::spawn(\"", "file_watch::start(\"", ".name(\""];
        for (at, start) in starts.iter().flat_map(|start| code.match_indices(start)) {
            let name = code[at + start.len()..].split('"').next().unwrap_or_default();
            let file = file.trim_start_matches("src/");
            let by_itself = map.lines().any(|line| line.starts_with(&format!(" | `{name}` |")));
            assert!(by_itself, "{file}: the thread {name} is not in the map");
            // The three threads of the logs are started by one file, and each has its own.
            let named = map.contains(&format!("| `{name}` | `{file}` |"));
            assert!(named || file.ends_with("log_sources/mod.rs"), "{name} is started in {file}");
            seen += 1;
        }
    }
    assert!(seen > 15, "{seen} threads");
}
