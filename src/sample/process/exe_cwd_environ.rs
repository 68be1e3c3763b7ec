//! Reads what a process runs and where: two links and the environment, after the walk, and only if
//! an installed killer has rules on them. Reading an environment may stall, so threads of their own
//! do that.

use std::ffi::CStr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustix::fs::readlinkat;
use rustix::io::Errno;

use crate::model::{ExeCwdEnviron, ProcId, ProcessFiles, Reading, Text};
use crate::sample::absence::{FileAbsence, reading};
use crate::sample::file_buffer::{FileBuffer, ProcPath};
use crate::sample::proc_root::ProcRoot;
use crate::sample::process::stall_proof_reader::{LookupAnswer, StallProofReader};

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

/// The threads that read environments, and their outstanding answers.
pub(crate) struct EnvironReader {
    reader: StallProofReader<Reading<Text>>,
    /// Number of outstanding answers.
    outstanding: usize,
}

impl EnvironReader {
    /// Starts the threads, which end when the reader is dropped. `None` if they cannot be started.
    pub(crate) fn start(root: Arc<ProcRoot>) -> Option<Self> {
        let read = move |who: ProcId| {
            let mut buffer = FileBuffer::new();
            reading(environ(&root, who.pid, &mut buffer).map_err(FileAbsence::from))
        };
        Some(Self { reader: StallProofReader::start("environs", read)?, outstanding: 0 })
    }

    /// Requests the environments of `processes`, and calls `take` for those that arrive in time. While a
    /// request is outstanding, no further one is made and no time is spent on waiting: the
    /// processes get their turn again. That of a process that does not answer is missing.
    pub(crate) fn read(
        &mut self,
        processes: Vec<ProcId>,
        mut take: impl FnMut(ProcId, Reading<Text>),
    ) {
        let mut answered = |who, answer, outstanding: &mut usize| {
            let (is_late, read) = match answer {
                LookupAnswer::Read(read) => (false, read),
                LookupAnswer::PassedOver => (false, Reading::Missing),
                LookupAnswer::Late(read) => (true, read),
            };
            *outstanding = outstanding.saturating_sub(usize::from(!is_late));
            take(who, read);
        };
        for (who, answer) in self.reader.arrived() {
            answered(who, answer, &mut self.outstanding);
        }
        if self.outstanding > 0 || processes.is_empty() {
            return;
        }
        self.outstanding = processes.len();
        self.reader.request(processes);
        let until = Instant::now() + TIMEOUT;
        while self.outstanding > 0 {
            let Some((who, answer)) = self.reader.next(until) else { return };
            answered(who, answer, &mut self.outstanding);
        }
    }
}
