//! Own children, which the tests look at and act on. Each ends with its test, however that ends.

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use doomtop::model::ProcId;
use doomtop::units::Ticks;

use crate::wait::until;

/// An own child; killed and reaped whatever becomes of the test.
pub struct Own(pub Child);

impl Own {
    /// A child with its input and its output in pipes.
    pub fn spawn(command: &mut Command) -> Self {
        Self(command.stdout(Stdio::piped()).stdin(Stdio::piped()).spawn().expect("a child"))
    }

    /// `sleep 1000`.
    pub fn sleeping() -> Self {
        Self::spawn(Command::new("sleep").arg("1000")).called("sleep")
    }

    /// The same under another name: the kernel takes the name of the link. (A copy could still be
    /// open for writing in a sibling that another test forks just then: ETXTBSY.)
    pub fn sleeping_as(folder: &Path, name: &str) -> Self {
        let link = folder.join(name);
        // A second one of this name finds the link.
        let _ = std::os::unix::fs::symlink("/bin/sleep", &link);
        Self::spawn(Command::new(&link).arg("1000")).called(name)
    }

    /// A waiting shell under another name.
    pub fn named(folder: &Path, name: &str) -> Self {
        let link = folder.join(name);
        std::os::unix::fs::symlink("/bin/sh", &link).expect("a link");
        let mut command = Command::new(&link);
        Self::shell(command.arg0("sh"), "echo ready; read x").called(name)
    }

    /// A shell that waits after it said `ready`.
    pub fn waiting(script: &str) -> Self {
        Self::shell(&mut Command::new("sh"), script)
    }

    fn shell(command: &mut Command, script: &str) -> Self {
        let mut child = Self::spawn(command.args(["-c", script]));
        child.ready();
        child
    }

    /// One that holds so many MiB of its own, and waits. `program` is dd(1), or a link to it: it reads
    /// all of a block before it begins to write it into a pipe that is too small for it.
    pub fn holding(program: &Path, mib: usize) -> Self {
        let mut command = Command::new(program);
        // One program may be many, which are told apart by the name they are called by.
        command.arg0("dd").args(["if=/dev/zero", "count=1", "iflag=fullblock"]);
        command.arg(format!("bs={mib}M"));
        let mut child = Self::spawn(command.stderr(Stdio::null()));
        let out = child.0.stdout.as_mut().expect("a pipe");
        out.read_exact(&mut [0]).expect("the first byte of the block");
        child
    }

    /// Waits until it has this name: it gets it a moment after it is seen to run another program.
    fn called(self, name: &str) -> Self {
        let file = format!("/proc/{}/comm", self.0.id());
        let wanted = [name.as_bytes(), b"\n"].concat();
        until("its name", || (fs::read(&file).expect("a name") == wanted).then_some(()));
        self
    }

    /// Waits for the line that says that the child is set up.
    pub fn ready(&mut self) {
        let mut line = String::new();
        let mut out = BufReader::new(self.0.stdout.as_mut().expect("a pipe"));
        out.read_line(&mut line).expect("a line");
        assert_eq!(line, "ready\n");
    }

    pub fn pid(&self) -> i32 {
        i32::try_from(self.0.id()).expect("a pid")
    }

    /// Its pid, as an argument.
    pub fn word(&self) -> String {
        self.0.id().to_string()
    }

    pub fn id(&self) -> ProcId {
        seen(self.pid())
    }

    pub fn adj(&self) -> i16 {
        let text = fs::read_to_string(format!("/proc/{}/oom_score_adj", self.0.id()));
        text.expect("an adj").trim().parse().expect("a number")
    }

    pub fn lives(&mut self) -> bool {
        self.0.try_wait().expect("an own child").is_none()
    }
}

impl Drop for Own {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The process that has the pid now, if it can be seen.
pub fn try_seen(pid: i32) -> Option<ProcId> {
    let stat = fs::read(format!("/proc/{pid}/stat")).ok()?;
    let close = stat.iter().rposition(|&byte| byte == b')')?;
    let rest = String::from_utf8(stat[close + 1..].to_vec()).ok()?;
    let born = rest.split_ascii_whitespace().nth(19)?.parse().ok()?;
    Some(ProcId { pid, born: Ticks(born) })
}

pub fn seen(pid: i32) -> ProcId {
    try_seen(pid).expect("a living process")
}
