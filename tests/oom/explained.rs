//! What `doomtop explain` makes of the kernel's own reports: whom it puts first is whom the kernel
//! killed.

use std::io::Write;
use std::process::{Command, Stdio};

use serde::Deserialize;

use crate::terminal::program;

/// A kill of ours whose report has a dump.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Choice {
    /// When the report began, on the log's clock in microseconds.
    pub stamp: i64,
    /// Who was killed.
    pub pid: i32,
}

/// A line of `doomtop explain --json`, as far as it is needed.
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

/// What `doomtop explain --json` says of this log.
pub fn explain(log: &[u8]) -> Result<Vec<Line>, String> {
    let failed = |error: std::io::Error| format!("doomtop explain: {error}");
    let mut command = Command::new(program());
    command.args(["explain", "--json", "-"]).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn().map_err(failed)?;
    // It reads to the end before it writes.
    child.stdin.take().ok_or("no pipe")?.write_all(log).map_err(failed)?;
    let output = child.wait_with_output().map_err(failed)?;
    if !output.status.success() {
        return Err(format!("doomtop explain: {}", output.status));
    }
    let lines = output.stdout.split(|&byte| byte == b'\n').filter(|line| !line.is_empty());
    lines.map(|line| serde_json::from_slice(line).map_err(|error| error.to_string())).collect()
}

/// How it explains this kill, where that is not as the kernel chose.
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
