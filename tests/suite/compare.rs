//! `doomtop compare`: two recordings side by side, as text, JSON and a picture.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};
use std::sync::Arc;

use doomtop::model::{Cgroup, Cgroups, Hierarchy, Limit, Reading, Text};
use doomtop::units::{Bytes, Kib, Millis};
use serde_json::Value;

use crate::binary::{assert_refused, doomtop, run};
use crate::stage::usual;

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// A recording of /shop, which uses so many MiB in each second of half a minute.
fn recording(folder: &Path, name: &str, used: impl Fn(u64) -> u64) -> PathBuf {
    recording_of(folder, name, "/shop", used)
}

/// The same of another cgroup.
fn recording_of(folder: &Path, name: &str, group: &str, used: impl Fn(u64) -> u64) -> PathBuf {
    let path = folder.join(name);
    let mut file = fs::File::create(&path).expect("a file");
    for second in 0..30 {
        let mut sample = usual();
        let at = Millis(1_000_000 + second * 1000);
        sample.clock.unix_ms += i64::try_from(second).expect("a few") * 1000;
        sample.clock.monotonic_ms = at;
        sample.memory.total_kib = Kib(4 << 20);
        let shop = Cgroup {
            path: Arc::new(Text::new(group.as_bytes())),
            usage: Reading::Value(Bytes(used(second) << 20)),
            limit: Reading::Value(Limit::At(Bytes(400 << 20))),
            reclaimable: Reading::Value(Bytes(0)),
            ..Cgroup::default()
        };
        sample.cgroups = Arc::new(Cgroups {
            hierarchy: Reading::Value(Hierarchy::V2),
            read_ms: at,
            list: vec![shop],
        });
        let mut line = serde_json::to_value(&sample).expect("JSON");
        line["schema"] = "doomtop/1".into();
        writeln!(file, "{line}").expect("written");
    }
    path
}

struct Two {
    folder: tempfile::TempDir,
    calm: String,
    leaks: String,
}

fn two() -> Two {
    let folder = tempfile::tempdir().expect("a folder");
    let calm = recording(folder.path(), "calm.jsonl", |_| 100).display().to_string();
    let leaks = recording(folder.path(), "leaks.jsonl", |it| 100 + it * 5).display().to_string();
    Two { folder, calm, leaks }
}

#[test]
fn a_leak_is_told_with_its_size_and_share() {
    let two = two();
    let output = run(&["compare", &two.calm, &two.leaks, "--scope", "/shop"]);
    let text = said(&output);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let first = text.lines().next().unwrap_or_default();
    assert!(first.starts_with("B needed 145M (+145 %) more, peaked 145M"), "{first}");
    assert!(first.contains("grew 300M/min faster"), "{first}");
    let row =
        |label: &str| text.lines().find(|it| it.starts_with(label)).expect("a row").to_owned();
    assert!(row("needed").ends_with("worse") && row("limit").contains("400M"), "{text}");
    // The other way round it is better.
    let back = said(&run(&["compare", &two.leaks, &two.calm, "--scope", "/shop"]));
    assert!(back.lines().any(|it| it.starts_with("needed") && it.ends_with("better")), "{back}");
}

#[test]
fn json_says_the_same_and_is_described() {
    let two = two();
    let output = run(&["compare", &two.calm, &two.leaks, "--scope", "/shop", "--json"]);
    let found: Value = serde_json::from_slice(&output.stdout).expect("one object");
    assert_eq!(found["schema"], "doomtop-compare/1");
    assert_eq!(found["runs"][1]["needed_bytes"], 245 << 20);
    let needed = found["differences"].as_array().expect("rows").iter();
    let needed = needed.filter(|row| row["key"] == "needed_bytes").collect::<Vec<_>>();
    assert_eq!((&needed[0]["verdict"], &needed[0]["percent"]), (&"worse".into(), &145.0.into()));
    let schema = include_str!("../../assets/docs/schema.md");
    let keys = [&found, &found["runs"][0], &found["differences"][0]];
    for key in keys.iter().flat_map(|it| it.as_object().expect("an object").keys()) {
        assert!(schema.contains(&format!("`{key}`")), "{key} is described in schema.md");
    }
}

#[test]
fn the_picture_is_a_new_file_with_both_curves() {
    let two = two();
    let picture = two.folder.path().join("a.svg").display().to_string();
    let ask = || run(&["compare", &two.calm, &two.leaks, "--scope", "/shop", "--svg", &picture]);
    assert!(ask().status.success());
    let text = fs::read_to_string(&picture).expect("a picture");
    assert!(text.starts_with("<svg xmlns=") && text.ends_with("</svg>\n"), "{text}");
    for word in ["calm.jsonl", "leaks.jsonl", "needed", "worse", ">245M<", ">29s<"] {
        assert!(text.contains(word), "{word} in {text}");
    }
    let again = ask();
    let what = String::from_utf8_lossy(&again.stderr).into_owned();
    assert_eq!(again.status.code(), Some(1));
    assert!(what.contains("File exists") && again.stdout.is_empty(), "{what}");
    // Where one cannot be read, no empty picture stays.
    let other = two.folder.path().join("b.svg").display().to_string();
    assert!(!run(&["compare", &two.calm, "/no/such", "--svg", &other]).status.success());
    assert!(!Path::new(&other).exists());
}

#[test]
fn what_is_no_recording_is_told_in_one_line() {
    let two = two();
    let folder = two.folder.path();
    let made = |name: &str, text: &str| {
        let path = folder.join(name);
        fs::write(&path, text).expect("written");
        path.display().to_string()
    };
    let (nonsense, empty) = (made("nonsense", "hello\n"), made("empty", ""));
    let dir = folder.display().to_string();
    assert_refused(&[
        (vec!["compare", &two.calm], 2, "<B>"),
        (vec!["compare", "-", "-"], 2, "only be one of the two"),
        (vec!["compare", &two.calm, &two.leaks, "--scope", "nodes:0"], 2, "--scope takes"),
        (vec!["compare", &two.calm, &two.leaks, "--demo"], 2, "that it names"),
        (vec!["compare", &two.calm, "/no/such"], 1, "/no/such"),
        (vec!["compare", &two.calm, &dir], 1, "a directory"),
        (vec!["compare", &two.calm, &nonsense], 1, "nonsense:1"),
        (vec!["compare", &two.calm, &empty], 1, "empty: the recording has ended"),
        (
            vec!["compare", &two.calm, &two.leaks, "--scope", "/gone"],
            1,
            "/gone is in none of its 30 samples",
        ),
    ]);
}

#[test]
fn a_recording_that_is_cut_counts_up_to_there_and_one_may_come_from_a_pipe() {
    let two = two();
    let whole = fs::read(&two.leaks).expect("a recording");
    let cut = two.folder.path().join("cut.jsonl").display().to_string();
    fs::write(&cut, &whole[..whole.len() / 2 + 1000]).expect("written");
    let output = run(&["compare", &two.calm, &cut, "--scope", "/shop"]);
    assert!(output.status.success());
    assert!(String::from_utf8_lossy(&output.stderr).contains("cut.jsonl"), "what is lost is told");
    assert!(said(&output).contains("the durations differ"), "{}", said(&output));
    let mut child = doomtop(&["compare", "-", &two.leaks, "--scope", "/shop"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("doomtop runs");
    child.stdin.take().expect("its input").write_all(&whole).expect("written");
    let piped = child.wait_with_output().expect("its output");
    assert!(piped.status.success());
    let text = String::from_utf8_lossy(&piped.stdout).into_owned();
    assert!(text.starts_with("No difference"), "{text}");
    assert!(text.contains("the same machine and the same time"), "{text}");
}

#[test]
fn redacted_load_tests_are_compared_as_others() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = |name: &str| folder.path().join(name).display().to_string();
    let (_, _) = (
        recording_of(folder.path(), "a", "/shop/doomtop-run-7", |_| 100),
        recording_of(folder.path(), "b", "/shop/doomtop-run-9.scope", |it| 100 + it * 5),
    );
    let plain = said(&run(&["compare", &path("a"), &path("b")]));
    let sentence = plain.lines().next().unwrap_or_default();
    assert!(sentence.contains("needed 145M (+145 %) more"), "{plain}");
    let redacted = said(&run(&["compare", "--redact", &path("a"), &path("b")]));
    assert!(redacted.starts_with(sentence), "{redacted}");
    assert!(!redacted.contains("shop") && redacted.contains("/doomtop-run-9.scope"), "{redacted}");
    let hosts: Vec<&str> = redacted.split(' ').filter(|it| it.starts_with("host-")).collect();
    assert!(hosts.len() == 2 && hosts[0] == hosts[1], "{redacted}");
    // Files that were redacted one by one have other tokens.
    for name in ["a", "b"] {
        let new = path(&format!("{name}.tape"));
        let made = run(&["--redact", "--from", &path(name), "record", "-q", &new]);
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    }
    let files = said(&run(&["compare", &path("a.tape"), &path("b.tape")]));
    assert!(files.starts_with(sentence), "{files}");
    assert!(!files.contains("different machines"), "{files}");
    assert!(files.contains("names of the machines are redacted"), "{files}");
}

#[test]
fn the_same_file_twice_is_told() {
    let two = two();
    let text = said(&run(&["compare", &two.calm, &two.calm, "--scope", "/shop"]));
    assert!(text.contains("A and B are the same file"), "{text}");
}

#[test]
fn the_table_fits_into_a_terminal_of_80_columns() {
    let two = two();
    let text = said(&run(&["compare", &two.calm, &two.leaks, "--scope", "/shop"]));
    let table = text.lines().skip_while(|line| !line.contains("CHANGE"));
    let widest = table.map(str::len).max().unwrap_or(0);
    assert!((40..=80).contains(&widest), "{widest}\n{text}");
}
