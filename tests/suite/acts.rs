//! `doomtop set` and `doomtop sacrifice` on own children: what they do, what they refuse, what they
//! say, and how they end.

use std::fs;
use std::io::ErrorKind;
use std::os::unix::process::CommandExt;
use std::process::{Command, Output, Stdio};

use serde_json::Value;

use crate::children::Own;
use crate::wait::until;

/// Seconds within which a signalled child is gone, however busy the machine is.
const LONG: &str = "300";

/// One that stays when it is asked to go.
fn stubborn() -> Own {
    Own::waiting("trap '' TERM; echo ready; read x")
}

fn run(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_doomtop"));
    command.args(arguments).stdin(Stdio::null()).output().expect("doomtop runs")
}

fn text(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).expect("text")
}

fn lines(output: &Output) -> Vec<Value> {
    text(output).lines().map(|line| serde_json::from_str(line).expect("an object a line")).collect()
}

#[test]
fn set_writes_every_one_and_says_so_on_a_line_each() {
    let (first, second) = (Own::sleeping(), Own::sleeping());
    let output = run(&["set", "--adj", "300", &first.word(), &second.word()]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output));
    assert_eq!((first.adj(), second.adj()), (300, 300));
    assert_eq!(text(&output).lines().count(), 2);
    assert!(text(&output).contains(&format!("{} sleep: oom_score_adj set: ", first.word())));

    let output = run(&["set", "--json", "--legacy", "8", &first.word()]);
    assert_eq!(first.adj(), 470, "8 * 1000 / 17");
    let line = &lines(&output)[0];
    assert_eq!(line["result"], "set");
    assert_eq!(line["oom_score_adj"]["from"], 300);
    assert_eq!(line["oom_score_adj"]["to"], 470);
    assert_eq!(line["start_ticks"], first.id().born.0);
}

#[test]
fn one_that_is_refused_does_not_keep_the_others_from_being_set() {
    let (first, last) = (Own::sleeping(), Own::sleeping());
    let other_birth = format!("{}@{}", first.word(), first.id().born.0 + 1);
    let output = run(&["set", "--adj", "77", &other_birth, "2", &last.word()]);
    assert_eq!(output.status.code(), Some(4));
    assert_eq!((first.adj(), last.adj()), (0, 77), "{}", text(&output));
    assert!(text(&output).contains("its pid belongs to another process now"), "{}", text(&output));

    let same_birth = format!("{}@{}", first.word(), first.id().born.0);
    assert_eq!(run(&["set", "--adj", "78", &same_birth]).status.code(), Some(0));
    assert_eq!(first.adj(), 78);
}

#[test]
fn a_dry_run_says_what_would_be_and_does_nothing() {
    let mut child = Own::sleeping();
    let output = run(&["set", "--dry-run", "--adj", "500", &child.word()]);
    assert_eq!(output.status.code(), Some(0));
    let said = format!("dry run, nothing done: {} sleep: oom_score_adj +0 -> +500", child.word());
    assert!(text(&output).contains(&said), "{}", text(&output));
    assert!(text(&output).contains("by linux, next victim then: "), "{}", text(&output));
    assert_eq!(child.adj(), 0);

    let output = run(&["sacrifice", "--dry-run", "--json", &child.word()]);
    let line = &lines(&output)[0];
    let wanted = (&Value::from("rehearsed"), &Value::from("signal"));
    assert_eq!((&line["result"], &line["act"]), wanted);
    assert!(line["why"].to_string().contains("the kernel would permit the signal"), "{line}");
    let rule = if line["signal"] == "SIGKILL" { "no raw-I/O" } else { "CAP_SYS_RAWIO" };
    assert!(line["notes"].to_string().contains(rule), "{line}");
    assert!(child.lives());
}

#[test]
fn a_dry_run_says_the_same_wherever_its_flag_stands() {
    let child = Own::sleeping();
    let told = |arguments: &[&str], user: Option<u32>| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_doomtop"));
        command.args(arguments).stdin(Stdio::null());
        if let Some(user) = user {
            command.uid(user);
        }
        // Another user may not come as far as the program.
        let output = command.output().ok()?;
        let line = lines(&output).first().cloned().expect("a line");
        Some((output.status.code(), line["result"].clone(), line["why"].clone()))
    };
    let nobody = nix::unistd::geteuid().is_root().then_some(65534);
    for (user, pid) in
        [(None, child.word()), (nobody, child.word()), (None, "2147483647".to_owned())]
    {
        for (act, more) in [("sacrifice", "--signal=KILL"), ("set", "--adj=9")] {
            let before = told(&["--dry-run", act, more, "--json", &pid], user);
            let behind = told(&[act, "--dry-run", more, "--json", &pid], user);
            assert_eq!(before, behind, "{act} {pid} as {user:?}");
            if let (Some(_), Some((status, ..))) = (user, behind) {
                assert_eq!(status, Some(4), "{act} as nobody");
            }
        }
    }
    assert_eq!(child.adj(), 0);

    // In a recording nothing can be checked: it is told what would be.
    let recording = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/db-03.jsonl");
    let before = run(&["--from", recording, "--dry-run", "sacrifice", "--json", "4411"]);
    let behind = run(&["--from", recording, "sacrifice", "--dry-run", "--json", "4411"]);
    assert_eq!((before.status.code(), text(&before)), (Some(0), text(&behind)));
    assert_eq!(lines(&before)[0]["result"], "would");
}

#[test]
fn a_sacrifice_is_followed_to_its_end() {
    let mut child = Own::sleeping();
    let bystander = Own::sleeping();
    let output = run(&[
        "sacrifice",
        "--json",
        "--signal",
        "KILL",
        "--wait",
        LONG,
        &child.word(),
        &child.word(),
    ]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output));
    let told = lines(&output);
    let results = told.iter().map(|line| &line["result"]);
    let results: Vec<&Value> = results.filter(|it| **it != "hastened").collect();
    assert_eq!(results, ["signalled", "gone"], "named twice, signalled once");
    assert_eq!(told[0]["haste"][0]["step"], "priority");
    assert!(!child.lives());
    let mut bystander = bystander;
    assert!(bystander.lives());
}

#[test]
fn one_that_stays_is_told_by_the_exit_status() {
    let mut child = stubborn();
    let output = run(&["sacrifice", "--signal", "term", "--wait", "0.2", &child.word()]);
    assert_eq!(output.status.code(), Some(5), "{}", text(&output));
    assert!(child.lives(), "nothing escalates by itself");
    assert!(text(&output).contains("still there"), "{}", text(&output));
    let output = run(&["sacrifice", "--signal", "term", "--wait", "0", &child.word()]);
    assert_eq!(output.status.code(), Some(0), "nobody waited for it");
}

#[test]
fn the_protected_stay_unless_insisted_on() {
    // The test itself is an ancestor of that doomtop: were it hit, nobody would see the assertion.
    let own = std::process::id().to_string();
    let output = run(&["sacrifice", &own]);
    assert_eq!(output.status.code(), Some(4));
    assert!(text(&output).contains("--insist"), "{}", text(&output));
    let output = run(&["sacrifice", "--insist", "--dry-run", "1", "2"]);
    assert_eq!(output.status.code(), Some(4), "init and kernel threads, never");

    let mut child = Own::sleeping();
    let worth = if run(&["set", "--adj", "-1000", &child.word()]).status.success() { 4 } else { 0 };
    let output = run(&["sacrifice", "--wait", LONG, &child.word()]);
    assert_eq!(output.status.code(), Some(worth), "-1000 is meant to live: {}", text(&output));
    if worth == 4 {
        assert!(child.lives());
        let output = run(&["sacrifice", "--insist", "--wait", LONG, &child.word()]);
        assert_eq!(output.status.code(), Some(0), "{}", text(&output));
        assert!(!child.lives());
    } else {
        eprintln!("skipped: an adj of -1000 needs CAP_SYS_RESOURCE");
    }
}

#[test]
fn neither_a_recording_nor_another_tree_nor_read_only_reaches_a_process() {
    let mut child = Own::sleeping();
    let folder = tempfile::tempdir().expect("a folder");
    let recording = folder.path().join("look.jsonl");
    let sample = run(&["--json", "-n", "1"]);
    fs::write(&recording, &sample.stdout).expect("a recording");
    let recording = recording.to_str().expect("a path");
    // A tree that looks like /proc, with the child in it.
    let tree = folder.path().join("proc");
    for name in ["meminfo", "vmstat", "stat", "loadavg", "uptime", "version"] {
        let bytes = fs::read(format!("/proc/{name}")).unwrap_or_default();
        fs::create_dir_all(&tree).expect("a folder");
        fs::write(tree.join(name), bytes).expect("a file");
    }
    let inside = tree.join(child.word());
    fs::create_dir_all(&inside).expect("a folder");
    for name in ["stat", "status", "statm", "oom_score_adj", "oom_score", "cgroup"] {
        let bytes = fs::read(format!("/proc/{}/{name}", child.word())).unwrap_or_default();
        fs::write(inside.join(name), bytes).expect("a file");
    }
    let tree = tree.to_str().expect("a path");
    let acts = [vec!["set", "--adj", "500"], vec!["sacrifice", "--signal", "kill", "--insist"]];
    for before in [vec!["--read-only"], vec!["--from", recording], vec!["--proc", tree]] {
        for act in &acts {
            let pid = child.word();
            let arguments: Vec<&str> =
                before.iter().chain(act).copied().chain([pid.as_str()]).collect();
            let output = run(&arguments);
            let complaint = String::from_utf8_lossy(&output.stderr).into_owned();
            assert!(!output.status.success(), "{arguments:?}: {}{complaint}", text(&output));
            assert!(child.lives() && child.adj() == 0, "{arguments:?}");
        }
    }
    let written = fs::read_to_string(inside.join("oom_score_adj")).expect("the file");
    assert_eq!(written.trim(), "0", "not even the file of the tree");
}

#[test]
fn a_reader_that_went_away_does_not_leave_half_undone() {
    let (first, second) = (Own::sleeping(), Own::sleeping());
    let (reader, writer) = std::io::pipe().expect("a pipe");
    drop(reader);
    let mut command = Command::new(env!("CARGO_BIN_EXE_doomtop"));
    command.args(["set", "--adj", "11", &first.word(), &second.word()]).stdout(writer);
    let status = command.status().expect("doomtop runs");
    assert_eq!(status.code(), Some(0));
    assert_eq!((first.adj(), second.adj()), (11, 11));
}

#[test]
fn as_nobody_anothers_process_is_refused_in_words() {
    if !nix::unistd::geteuid().is_root() {
        eprintln!("skipped: only root can become another user");
        return;
    }
    let mut child = Own::sleeping();
    // A copy that nobody may read and run, wherever the tests were built.
    let folder = tempfile::tempdir().expect("a folder");
    let binary = folder.path().join("doomtop");
    fs::copy(env!("CARGO_BIN_EXE_doomtop"), &binary).expect("a copy");
    let open = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    fs::set_permissions(folder.path(), open).expect("a folder for all");
    let run = |arguments: &[&str]| {
        let mut command = Command::new(&binary);
        command.args(arguments).uid(65534).gid(65534);
        // A sibling that another test forked just then may still hold the copy open for writing.
        until("the copy runs", || match command.output() {
            Err(error) if error.kind() == ErrorKind::ExecutableFileBusy => None,
            output => Some(output.expect("doomtop runs")),
        })
    };
    let output = run(&["set", "--adj", "500", &child.word()]);
    assert_eq!(output.status.code(), Some(4), "{}", text(&output));
    assert!(text(&output).contains("CAP_DAC_OVERRIDE"), "{}", text(&output));
    assert_eq!(child.adj(), 0);
    let output = run(&["sacrifice", "--signal", "kill", &child.word()]);
    assert_eq!(output.status.code(), Some(4), "{}", text(&output));
    assert!(text(&output).contains("CAP_KILL"), "{}", text(&output));
    assert!(child.lives());
}

#[test]
fn what_cannot_be_understood_is_wrong_usage() {
    for arguments in [
        &["set", "1"][..],
        &["set", "--adj", "1001", "1"],
        &["set", "--adj", "5", "--legacy", "1", "1"],
        &["set", "--adj", "5"],
        &["set", "--adj", "5", "-3"],
        &["sacrifice"],
        &["sacrifice", "0"],
        &["sacrifice", "12@"],
        &["sacrifice", "java"],
        &["sacrifice", "--signal", "stop", "12"],
        &["sacrifice", "--wait", "-1", "12"],
    ] {
        let output = run(arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(output.stdout.is_empty() && !output.stderr.is_empty(), "{arguments:?}");
    }
}
