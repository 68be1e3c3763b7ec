//! `doomtop run` on the screen: the scope, a kill, the end of the command, and then the verdict, the status and the
//! terminal as it was.

use std::fs;
use std::process::Command;

use crate::terminal::{Terminal, program};

/// What every run here has: nothing is recorded, and the load cannot escape into swap.
const FLAGS: [&str; 5] = ["run", "--no-record", "--limit", "40M", "--swap=0"];

/// A process of it grows beyond the limit, and it goes on without that one.
const LOAD: &str = "sleep 1; head -c 300M /dev/zero | tail >/dev/null; sleep 1; exit 7";

/// Why no limit can be enforced here.
fn missing() -> Option<String> {
    let mut run = Command::new(program());
    run.args(FLAGS).args(["--no-screen", "--", "true"]).env("DOOMTOP_CONFIG", "/dev/null");
    let output = run.output().expect("doomtop runs");
    let why = String::from_utf8_lossy(&output.stderr).into_owned();
    match output.status.code() {
        Some(0) => None,
        Some(125) => Some(why.trim().to_owned()),
        other => panic!("status {other:?}: {why}"),
    }
}

/// A run of this script, and the folder with its output and its verdict.
fn run(script: &str) -> (Terminal, tempfile::TempDir) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = |name: &str| folder.path().join(name).display().to_string();
    let (output, verdict) = (path("load.out"), path("verdict.json"));
    let mut arguments = FLAGS.to_vec();
    arguments.extend(["-d", "0.2", "--output", &output, "--verdict", &verdict]);
    arguments.extend(["--", "sh", "-c", script]);
    (Terminal::run_as(120, 40, &arguments, &[]), folder)
}

fn verdict(folder: &tempfile::TempDir) -> String {
    fs::read_to_string(folder.path().join("verdict.json")).expect("a verdict")
}

#[test]
fn a_load_test_is_shown_to_its_end_and_leaves_verdict_status_and_terminal() {
    if let Some(why) = missing() {
        return eprintln!("skipped: {why}");
    }
    let (mut terminal, folder) = run(LOAD);
    terminal.wait_for("the scope", |text| text.contains("scope ") && text.contains("doomtop-run-"));
    assert!(terminal.is_alternate());
    terminal.wait_for("the kill", |text| text.contains("killed") && text.contains("tail"));
    terminal.wait_for("its end", |text| text.contains("the command ended with status 7"));
    assert_eq!(terminal.quit(), 7, "the status is that of the command");
    terminal.assert_restored();
    let text = terminal.text();
    for word in ["ended      with status 7", "limit      40M", "needed", "kills", "tail"] {
        assert!(text.contains(word), "{word} in\n{text}");
    }
    assert!(verdict(&folder).contains("\"exit_status\": 7"), "{}", verdict(&folder));
}

#[test]
fn a_screen_that_is_closed_early_leaves_the_command_running_to_its_end() {
    if let Some(why) = missing() {
        return eprintln!("skipped: {why}");
    }
    let (mut terminal, folder) = run("echo begun; sleep 3; echo over");
    terminal.wait_for("the scope", |text| text.contains("scope ") && text.contains("doomtop-run-"));
    let output = || fs::read_to_string(folder.path().join("load.out")).unwrap_or_default();
    terminal.wait_until("the command", |_| output().contains("begun"));
    assert_eq!(terminal.quit(), 0);
    assert_eq!(output(), "begun\nover\n", "it was not ended");
    terminal.assert_restored();
    assert!(terminal.text().contains("ended      with status 0"), "{}", terminal.text());
}

/// It needs longer to end than a screen has to give its terminal back.
const SLOW_END: &str =
    "trap 'sleep 2; echo ended; exit 9' INT TERM; echo begun; while :; do sleep 0.05; done";

#[test]
fn a_command_that_needs_time_to_end_keeps_its_verdict_after_a_signal_on_the_screen() {
    if let Some(why) = missing() {
        return eprintln!("skipped: {why}");
    }
    let (mut terminal, folder) = run(SLOW_END);
    let output = || fs::read_to_string(folder.path().join("load.out")).unwrap_or_default();
    terminal.wait_until("the command", |_| output().contains("begun"));
    terminal.wait_for("the scope", |text| text.contains("scope ") && text.contains("doomtop-run-"));
    terminal.signal("TERM");
    assert_eq!(terminal.end(), 9, "the status is that of the command");
    terminal.assert_restored();
    assert_eq!(output(), "begun\nended\n", "it ended by itself");
    assert!(verdict(&folder).contains("\"ended_by\": \"signal\""), "{}", verdict(&folder));
}

#[test]
fn ctrl_c_on_the_screen_reaches_the_command() {
    if let Some(why) = missing() {
        return eprintln!("skipped: {why}");
    }
    let (mut terminal, folder) = run(SLOW_END);
    let output = || fs::read_to_string(folder.path().join("load.out")).unwrap_or_default();
    terminal.wait_until("the command", |_| output().contains("begun"));
    terminal.wait_for("the scope", |text| text.contains("scope ") && text.contains("doomtop-run-"));
    terminal.send("\x03");
    assert_eq!(terminal.end(), 9, "the status is that of the command");
    terminal.assert_restored();
    assert_eq!(output(), "begun\nended\n", "it got one signal");
    assert!(verdict(&folder).contains("\"ended_by\": \"signal\""), "{}", verdict(&folder));
}

/// doomtop without a screen, and a command that notes its begin and then waits.
fn waits(flags: &[&str]) -> (Terminal, tempfile::TempDir) {
    let folder = tempfile::tempdir().expect("a folder");
    let script = format!(": >{}; exec sleep 300", folder.path().join("begun").display());
    let arguments = [flags, &["--", "sh", "-c", &script]].concat();
    (Terminal::run_as(120, 40, &arguments, &[]), folder)
}

#[test]
fn ctrl_c_that_ends_the_command_at_once_is_a_signal_to_doomtop() {
    if let Some(why) = missing() {
        return eprintln!("skipped: {why}");
    }
    let searches = ["search-limit", "--yes", "--max", "40M"];
    let runs = [&FLAGS[..], &["--no-screen"]].concat();
    for (flags, said) in
        [(&searches[..], "the search was ended by a signal"), (&runs, "after a signal to doomtop")]
    {
        let (mut terminal, folder) = waits(flags);
        terminal.wait_until("the command", |_| folder.path().join("begun").exists());
        terminal.send("\x03");
        assert_eq!(terminal.end(), 130, "{}", terminal.text());
        assert!(terminal.text().contains(said), "{said} in\n{}", terminal.text());
    }
}
