//! `--plain`, by the real binary: a line for what changes, and nothing else.

use std::process::{Command, Stdio};

fn plain(arguments: &[&str]) -> Vec<String> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_doomtop"));
    command.args(arguments).stdin(Stdio::null()).env("XDG_CONFIG_HOME", "/nonexistent");
    let output = command.env("TZ", "UTC").output().expect("doomtop runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).expect("text");
    text.lines().map(str::to_owned).collect()
}

#[test]
fn the_demo_is_told_in_lines() {
    let lines = plain(&["--demo", "--plain"]);
    let kills: Vec<&String> = lines.iter().filter(|line| line.contains(" KILLED: ")).collect();
    assert!(kills.len() >= 3, "{lines:#?}");
    assert!(kills.iter().any(|line| line.contains("node")), "{lines:#?}");
    assert!(lines.iter().any(|line| line.contains(" NEXT ")), "{lines:#?}");
    assert!(lines.iter().any(|line| line.contains("nothing near; ")), "{lines:#?}");
    for line in &lines {
        let clock: Vec<&str> = line.split(' ').next().unwrap_or_default().split(':').collect();
        assert!(clock.len() == 3 && clock.iter().all(|it| it.len() == 2), "{line}");
        assert!(!line.contains(['\x1b', '\r', '\t']), "no cursor is moved: {line:?}");
    }
    // A death is told before the kill that it leads to.
    let first = lines.iter().position(|line| line.contains(" KILLED: ")).expect("a kill");
    assert!(lines[..first].iter().any(|line| line.contains(" NEXT ")), "{lines:#?}");
    // Some minutes of samples every second are not a line each.
    assert!(lines.len() < 80, "{}", lines.len());
    let words = |line: &String| line.split_once(' ').map(|it| it.1.to_owned());
    let twice = lines.windows(2).find(|pair| words(&pair[0]) == words(&pair[1]));
    assert!(twice.is_none(), "nothing is told twice in a row: {twice:?}");
}

#[test]
fn a_calm_machine_says_one_line() {
    let lines = plain(&["--plain", "-n", "3", "-d", "0.1"]);
    assert!(!lines.is_empty() && lines.len() <= 3, "{lines:?}");
}

#[test]
fn a_threshold_is_told_when_it_is_crossed() {
    let lines = plain(&["--plain", "-n", "3", "-d", "0.1", "--alarm", "available<100%", "--bell"]);
    let alarms = lines.iter().filter(|line| line.contains("ALARM: available")).count();
    assert_eq!(alarms, 1, "{lines:?}");
    assert_eq!(lines.join("").matches('\x07').count(), 1, "the bell rings once");
}
