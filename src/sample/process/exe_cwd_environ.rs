//! What a process runs and where: two links, and its environment. Read only where an installed killer
//! has rules on them, after the walk. An environment may stall like a command line, so it is read by a
//! thread of its own, which may stay behind.

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

/// So many bytes of an environment are read.
pub const LONGEST: usize = 4096;

/// Where a link leads, as it is written.
fn link(root: &ProcRoot, path: &CStr) -> Reading<Text> {
    let read = readlinkat(root, path, Vec::new()).map_err(FileAbsence::from);
    reading(read.map(|target| Text::new(target.to_bytes())))
}

/// The start of an environment, as `nohang` sees it: blanks for its NULs.
fn environ(root: &ProcRoot, pid: i32, buffer: &mut FileBuffer) -> Result<Text, Errno> {
    let (bytes, _) = buffer.read_start(root, ProcPath::of(pid, "environ").as_c_str(), LONGEST)?;
    let spaced: Vec<u8> = bytes.iter().map(|&b| if b == 0 { b' ' } else { b }).collect();
    Ok(Text::new(spaced.trim_ascii()))
}

/// Reads what is looked at of a process, but for its environment.
pub(crate) fn exe_cwd_environ(root: &ProcRoot, pid: i32, looks_at: ProcessFiles) -> ExeCwdEnviron {
    let mut found = ExeCwdEnviron::default();
    if looks_at.exe {
        found.exe = link(root, ProcPath::of(pid, "exe").as_c_str());
    }
    if looks_at.cwd {
        found.cwd = link(root, ProcPath::of(pid, "cwd").as_c_str());
    }
    found
}

/// A walk waits so long for environments. Those that come later are there in the next one.
const PATIENCE: Duration = Duration::from_millis(500);

/// The thread that reads environments, and what it was asked.
pub(crate) struct EnvironReader {
    asked: Sender<Vec<ProcId>>,
    said: Receiver<(ProcId, Reading<Text>)>,
    /// Answers that are still to come.
    open: usize,
}

impl EnvironReader {
    /// Starts the thread; it ends with what comes back. Nothing where no thread can be had.
    pub(crate) fn start(root: Arc<ProcRoot>) -> Option<Self> {
        let (asked, orders) = channel::<Vec<ProcId>>();
        let (answers, said) = channel();
        let work = move || {
            let mut buffer = FileBuffer::new();
            for who in orders.into_iter().flatten() {
                let read = environ(&root, who.pid, &mut buffer).map_err(FileAbsence::from);
                if answers.send((who, reading(read))).is_err() {
                    return;
                }
            }
        };
        thread::Builder::new().name("environs".to_owned()).spawn(work).ok()?;
        Some(Self { asked, said, open: 0 })
    }

    /// Asks for those of these processes, and hands over what comes in time. While one stalls nobody
    /// is waited for, and nobody else is asked for: their turn comes again.
    pub(crate) fn read(&mut self, whom: Vec<ProcId>, mut take: impl FnMut(ProcId, Reading<Text>)) {
        for (who, read) in self.said.try_iter() {
            self.open = self.open.saturating_sub(1);
            take(who, read);
        }
        let count = whom.len();
        if self.open > 0 || count == 0 || self.asked.send(whom).is_err() {
            return;
        }
        self.open = count;
        let until = Instant::now() + PATIENCE;
        while self.open > 0 {
            let rest = until.saturating_duration_since(Instant::now());
            let Ok((who, read)) = self.said.recv_timeout(rest) else { return };
            self.open -= 1;
            take(who, read);
        }
    }
}
