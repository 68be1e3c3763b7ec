//! The whole path of a recording: `doomtop record` runs while the kernel kills, and what is read back from the
//! file names each victim.

use std::io::Read;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, poll};
use rustix::process::{Pid, Signal, kill_process};

use crate::clock::milliseconds;
use crate::terminal::program;

/// Maximum time until a kill is in the file.
const PATIENCE: Duration = Duration::from_secs(30);

/// A recording that is being made.
pub struct Recorded {
    child: Child,
    folder: tempfile::TempDir,
}

impl Recorded {
    /// Starts `doomtop record`.
    pub fn start() -> Result<Self, String> {
        let failed = |error: std::io::Error| format!("doomtop record: {error}");
        let folder = tempfile::tempdir().map_err(failed)?;
        let child = Command::new(program())
            .args(["record", "-d", "0.2"])
            .arg(folder.path().join("some.tape"))
            .stderr(Stdio::piped())
            .spawn()
            .map_err(failed)?;
        Ok(Self { child, folder })
    }

    /// Ends the recording when all of these kills are in it. Returns why they are not.
    pub fn compare(mut self, killed: &[i32]) -> Result<(), String> {
        let tape = self.folder.path().join("some.tape");
        let deadline = Instant::now() + PATIENCE;
        let missing = |told: &str| killed.iter().copied().find(|pid| !names(told, *pid));
        let mut told = copy(&tape, self.folder.path(), 0)?;
        for nth in 1.. {
            if missing(&told).is_none() || Instant::now() > deadline {
                break;
            }
            self.wait();
            told = copy(&tape, self.folder.path(), nth)?;
        }
        let pid = Pid::from_child(&self.child);
        kill_process(pid, Signal::INT).map_err(|error| format!("doomtop record: {error}"))?;
        let mut summary = String::new();
        if let Some(errors) = &mut self.child.stderr {
            errors.read_to_string(&mut summary).map_err(|error| error.to_string())?;
        }
        let status = self.child.wait().map_err(|error| error.to_string())?;
        if !status.success() {
            return Err(format!("doomtop record: {status}: {summary}"));
        }
        for (what, text) in [("its summary", &summary), ("the file", &told)] {
            if let Some(pid) = missing(text) {
                return Err(format!("the kill of {pid} is missing in {what}: {text}"));
            }
        }
        Ok(())
    }

    /// Waits for a moment, or until the program writes why it ends.
    fn wait(&self) {
        if let Some(errors) = &self.child.stderr {
            let _ = poll(&mut [PollFd::new(errors, PollFlags::IN)], Some(&milliseconds(300)));
        }
    }
}

impl Drop for Recorded {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What `doomtop record` says of a copy of the recording: it reads the kills from the file.
fn copy(tape: &Path, folder: &Path, nth: u32) -> Result<String, String> {
    let mut command = Command::new(program());
    command.arg("--from").arg(tape).arg("record").arg(folder.join(format!("copy-{nth}.tape")));
    let output = command.output().map_err(|error| format!("doomtop record: {error}"))?;
    Ok(String::from_utf8_lossy(&output.stderr).into_owned())
}

/// Whether a summary names this victim, or more kills than it names.
fn names(summary: &str, pid: i32) -> bool {
    let listed = summary.split([':', ',']).any(|part| part.trim().starts_with(&format!("{pid} ")));
    listed || summary.contains(" more\n")
}
