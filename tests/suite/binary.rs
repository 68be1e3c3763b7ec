//! The program itself, with the settings of nobody.

use std::process::{Command, Output, Stdio};

/// The program with these arguments.
pub fn doomtop(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_doomtop"));
    command.args(arguments).stdin(Stdio::null()).env("DOOMTOP_CONFIG", "/dev/null");
    command.env("TZ", "UTC").env("LC_ALL", "C.UTF-8");
    command
}

/// What it comes to.
pub fn run(arguments: &[&str]) -> Output {
    doomtop(arguments).output().expect("doomtop runs")
}

/// Arguments, the status that they end with, and words of the error.
pub type Refusal<'a> = (Vec<&'a str>, i32, &'a str);

/// Each of these ends with its status and an error with these words, and prints nothing else; an error that is none of
/// usage has one line.
pub fn assert_refused(refusals: &[Refusal<'_>]) {
    for (arguments, status, words) in refusals {
        let output = run(arguments);
        let what = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(*status), "{arguments:?}: {what}");
        assert!(what.contains(words) && output.stdout.is_empty(), "{arguments:?}: {what}");
        assert!(*status != 1 || what.lines().count() == 1, "{what}");
    }
}
