//! Compares `doomtop explain` with the kernel's reports: the process that it ranks first must be the
//! killed one.

use std::io::Write;
use std::process::{Command, Stdio};

use serde::Deserialize;

use crate::terminal::program;

/// A kill of the test whose report has a dump of tasks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Choice {
    /// When the report began, on the log's clock in microseconds.
    pub stamp: i64,
    /// The killed process.
    pub pid: i32,
}

/// The needed keys of a line of `doomtop explain --json`.
#[derive(Debug, Default, Deserialize)]
pub struct Line {
    uptime_us: Option<i64>,
    #[serde(default)]
    ranking: Vec<Row>,
    #[serde(default)]
    agreement: String,
}

#[derive(Debug, Deserialize)]
struct Row {
    pid: i32,
    badness: Option<i64>,
}

/// Runs `doomtop explain --json` on this log.
pub fn explain(log: &[u8]) -> Result<Vec<Line>, String> {
    let failed = |error: std::io::Error| format!("doomtop explain: {error}");
    let mut command = Command::new(program());
    command.args(["explain", "--json", "-"]).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn().map_err(failed)?;
    // It reads its whole input before it writes.
    child.stdin.take().ok_or("no pipe")?.write_all(log).map_err(failed)?;
    let output = child.wait_with_output().map_err(failed)?;
    if !output.status.success() {
        return Err(format!("doomtop explain: {}", output.status));
    }
    let lines = output.stdout.split(|&byte| byte == b'\n').filter(|line| !line.is_empty());
    lines.map(|line| serde_json::from_slice(line).map_err(|error| error.to_string())).collect()
}

/// How the explanation of this kill differs from the kernel's choice; `None` if it does not.
pub fn contradiction(choice: Choice, lines: &[Line]) -> Option<String> {
    let Choice { stamp, pid } = choice;
    let Some(line) = lines.iter().find(|line| line.uptime_us == Some(stamp)) else {
        return Some(format!("the report at {stamp} us, of the kill of {pid}, was not read"));
    };
    let first = line.ranking.iter().find(|row| row.badness.is_some()).map(|row| row.pid);
    (first != Some(pid)).then(|| {
        format!(
            "the report at {stamp} us: the kernel killed {pid}, explained is {first:?} ({})",
            line.agreement
        )
    })
}
