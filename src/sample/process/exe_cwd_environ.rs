//! Reads what a process runs and where: two links and the environment, after the walk, and only if
//! an installed killer has rules on them. Reading an environment may stall, so a thread of its own
//! does that.

use std::ffi::CStr;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use rustix::fs::readlinkat;
use rustix::io::Errno;

use crate::model::{ExeCwdEnviron, ProcId, ProcessFiles, Reading, Text};
use crate::sample::absence::{FileAbsence, reading};
use crate::sample::file_buffer::{FileBuffer, ProcPath};
use crate::sample::proc_root::ProcRoot;

/// Maximum number of bytes that are read of an environment.
pub const ENVIRON_MAX: usize = 4096;

/// The target of a link.
fn link(root: &ProcRoot, path: &CStr) -> Reading<Text> {
    let read = readlinkat(root, path, Vec::new()).map_err(FileAbsence::from);
    reading(read.map(|target| Text::new(target.to_bytes())))
}

/// The first bytes of the environment as nohang sees them: with blanks instead of NULs.
fn environ(root: &ProcRoot, pid: i32, buffer: &mut FileBuffer) -> Result<Text, Errno> {
    let (bytes, _) =
        buffer.read_start(root, ProcPath::of(pid, "environ").as_c_str(), ENVIRON_MAX)?;
    let spaced: Vec<u8> = bytes.iter().map(|&b| if b == 0 { b' ' } else { b }).collect();
    Ok(Text::new(spaced.trim_ascii()))
}

/// Reads the links of a process that rules test.
pub(crate) fn exe_cwd_environ(root: &ProcRoot, pid: i32, files: ProcessFiles) -> ExeCwdEnviron {
    let mut found = ExeCwdEnviron::default();
    if files.exe {
        found.exe = link(root, ProcPath::of(pid, "exe").as_c_str());
    }
    if files.cwd {
        found.cwd = link(root, ProcPath::of(pid, "cwd").as_c_str());
    }
    found
}

/// How long a walk waits for environments. Those that arrive later belong to the next walk.
const TIMEOUT: Duration = Duration::from_millis(500);

/// The thread that reads environments, and its outstanding requests.
pub(crate) struct EnvironReader {
    requests: Sender<Vec<ProcId>>,
    answers: Receiver<(ProcId, Reading<Text>)>,
    /// Number of outstanding answers.
    outstanding: usize,
}

impl EnvironReader {
    /// Starts the thread, which ends when the reader is dropped. `None` if it cannot be started.
    pub(crate) fn start(root: Arc<ProcRoot>) -> Option<Self> {
        let (requests, inbox) = channel::<Vec<ProcId>>();
        let (outbox, answers) = channel();
        let work = move || {
            let mut buffer = FileBuffer::new();
            for who in inbox.into_iter().flatten() {
                let read = environ(&root, who.pid, &mut buffer).map_err(FileAbsence::from);
                if outbox.send((who, reading(read))).is_err() {
                    return;
                }
            }
        };
        thread::Builder::new().name("environs".to_owned()).spawn(work).ok()?;
        Some(Self { requests, answers, outstanding: 0 })
    }

    /// Requests the environments of `processes`, and calls `take` for those that arrive in time. While a
    /// request is outstanding, no further one is made and no time is spent on waiting: the
    /// processes get their turn again.
    pub(crate) fn read(
        &mut self,
        processes: Vec<ProcId>,
        mut take: impl FnMut(ProcId, Reading<Text>),
    ) {
        for (who, read) in self.answers.try_iter() {
            self.outstanding = self.outstanding.saturating_sub(1);
            take(who, read);
        }
        let count = processes.len();
        if self.outstanding > 0 || count == 0 || self.requests.send(processes).is_err() {
            return;
        }
        self.outstanding = count;
        let until = Instant::now() + TIMEOUT;
        while self.outstanding > 0 {
            let rest = until.saturating_duration_since(Instant::now());
            let Ok((who, read)) = self.answers.recv_timeout(rest) else { return };
            self.outstanding -= 1;
            take(who, read);
        }
    }
}
