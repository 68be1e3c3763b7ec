//! Files of processes that are kept open and read in place. Opening a file allocates memory, which
//! stalls when memory is short. Reading in place also takes a third of the time.
//!
//! An open file belongs to one process: after its death, reads return ESRCH, even if another
//! process gets the pid.

use std::os::fd::OwnedFd;
use std::sync::Arc;

use nix::sys::resource::{Resource, getrlimit};
use rustix::io::Errno;

use crate::model::{CgroupNeeds, Machine, Needs, ProcId, Process, Scores, Text};
use crate::sample::absence::{FileAbsence, reading};
use crate::sample::file_buffer::{FileBuffer, ProcPath, open};
use crate::sample::parse;
use crate::sample::proc_root::ProcRoot;
use crate::sample::process::living_thread::cgroups;
use crate::sample::process::row::{
    OpenByPath, ProcFile, ProcFiles, RowBuffers, RowRead, RowRequest,
};

/// Descriptors per process.
const DESCRIPTORS_EACH: usize = 4;

/// Maximum number of processes whose files are kept open: they take a quarter of the descriptors
/// that doomtop may open (soft `RLIMIT_NOFILE`), and at most 512.
#[must_use]
pub fn budget() -> usize {
    let soft = getrlimit(Resource::RLIMIT_NOFILE).map_or(256, |(soft, _)| soft);
    usize::try_from(soft / 4).unwrap_or(usize::MAX).min(512) / DESCRIPTORS_EACH
}

/// Maximum number of processes whose `oom_score_adj` alone stays open: half of the descriptors that doomtop may open.
pub(crate) fn adj_budget() -> usize {
    let soft = getrlimit(Resource::RLIMIT_NOFILE).map_or(256, |(soft, _)| soft);
    usize::try_from(soft / 2).unwrap_or(usize::MAX)
}

/// The open files of one process.
#[derive(Debug)]
pub struct OpenProcess {
    id: ProcId,
    stat: OwnedFd,
    status: OwnedFd,
    adj: OwnedFd,
    score: OwnedFd,
}

impl OpenProcess {
    /// Opens the files of a process and checks that they belong to the process with this start
    /// time. `None` if it is gone or if a file cannot be opened.
    pub(crate) fn open(root: &ProcRoot, id: ProcId, buffers: &mut RowBuffers) -> Option<Self> {
        let file = |item: ProcFile| open(root, ProcPath::of(id.pid, item.name()).as_c_str()).ok();
        let open = Self {
            id,
            stat: file(ProcFile::Stat)?,
            status: file(ProcFile::Status)?,
            adj: file(ProcFile::Adj)?,
            score: file(ProcFile::Score)?,
        };
        let stat = buffers.stat(&open).ok()?;
        (ProcId { pid: stat.pid, born: stat.born } == id).then_some(open)
    }

    /// The process.
    #[must_use]
    pub fn id(&self) -> ProcId {
        self.id
    }
}

impl ProcFiles for OpenProcess {
    fn read<'b>(&self, item: ProcFile, buffer: &'b mut FileBuffer) -> Result<&'b [u8], Errno> {
        buffer.again(match item {
            ProcFile::Stat => &self.stat,
            ProcFile::Status => &self.status,
            ProcFile::Adj => &self.adj,
            ProcFile::Score => &self.score,
        })
    }
}

/// All processes whose files are open, sorted by pid, and the buffers for reading them.
pub struct OpenFiles {
    processes: Vec<OpenProcess>,
    wanted: Vec<ProcId>,
    buffers: RowBuffers,
    most: usize,
}

impl OpenFiles {
    /// No open files yet; at most `most` processes later.
    #[must_use]
    pub fn new(machine: &Machine, most: usize) -> Self {
        Self { processes: Vec::new(), wanted: Vec::new(), buffers: RowBuffers::on(machine), most }
    }

    /// Closes the files of processes that are not among the first `most` of `keep`, best first.
    pub fn close_others(&mut self, keep: &[ProcId]) {
        self.wanted.clear();
        self.wanted.extend(keep.iter().take(self.most));
        self.wanted.sort_unstable();
        let wanted = &self.wanted;
        self.processes.retain(|open| wanted.binary_search(&open.id).is_ok());
    }

    /// Processes whose files should be open but are not yet, sorted.
    pub fn unopened(&self) -> impl Iterator<Item = ProcId> {
        self.wanted.iter().copied().filter(|&id| !self.has(id))
    }

    /// Processes whose files are open, sorted.
    pub fn ids(&self) -> impl Iterator<Item = ProcId> {
        self.processes.iter().map(OpenProcess::id)
    }

    /// Whether the files of this process are open.
    #[must_use]
    pub fn has(&self, id: ProcId) -> bool {
        self.processes.binary_search_by_key(&id, OpenProcess::id).is_ok()
    }

    /// Takes over files that a walk opened; closes those that are no longer wanted.
    pub fn take(&mut self, opened: &mut Vec<OpenProcess>) {
        for process in opened.drain(..) {
            if self.wanted.binary_search(&process.id).is_err() {
                continue;
            }
            if let Err(at) = self.processes.binary_search_by_key(&process.id, OpenProcess::id) {
                self.processes.insert(at, process);
            }
        }
    }

    /// Reads every open process into its row. Removes the rows of processes that are gone, and
    /// closes their files. `rows` is sorted by pid. Returns the number of processes that could not
    /// be read: their rows stay as they were, and a later walk opens them again.
    ///
    /// The walk passed over these pids. `may_open` says whether files may be opened here, because the walk was not
    /// late: then a process that has got the pid of one that is gone takes its row.
    pub fn refresh(
        &mut self,
        root: &ProcRoot,
        needs: &Needs,
        may_open: bool,
        rows: &mut Vec<Process>,
    ) -> u32 {
        let mut unreadable = 0;
        let request = RowRequest { status: needs.status, score: needs.scores != Scores::None };
        let buffers = &mut self.buffers;
        self.processes.retain(|open| {
            let at = rows.binary_search_by_key(&open.id.pid, |row| row.id.pid);
            let Some(at) = at.ok().filter(|&at| rows[at].id == open.id) else {
                return false; // the walk that the rows come from did not find it any more
            };
            match buffers.read_all(open, root, request, &mut rows[at]) {
                RowRead::Row => true,
                RowRead::Gone => {
                    let heir = may_open.then(|| heir(buffers, root, needs, request, open.id));
                    match heir.flatten() {
                        Some(heir) => rows[at] = heir,
                        None => drop(rows.remove(at)),
                    }
                    false
                }
                RowRead::Unreadable => {
                    unreadable += 1;
                    false
                }
            }
        });
        unreadable
    }

    /// Reads one process again, all files back to back: in place if its files are open, otherwise
    /// by path. `status` says whether that file is needed. Whether the process still exists.
    pub fn again(&mut self, root: &ProcRoot, status: bool, row: &mut Process) -> bool {
        let request = RowRequest { status, score: true };
        let read = match self.processes.binary_search_by_key(&row.id, OpenProcess::id) {
            Ok(at) => self.buffers.read_all(&self.processes[at], root, request, row),
            Err(_) => {
                let files = OpenByPath { root, pid: row.id.pid };
                self.buffers.read_all(&files, root, request, row)
            }
        };
        read != RowRead::Gone
    }
}

/// The process that has the pid of one that is gone. Its command line and its program may be slow to read; the next
/// walk reads them.
fn heir(
    buffers: &mut RowBuffers,
    root: &ProcRoot,
    needs: &Needs,
    request: RowRequest,
    gone: ProcId,
) -> Option<Process> {
    let files = OpenByPath { root, pid: gone.pid };
    let born = buffers.stat(&files).ok()?.born;
    let mut row = Process { id: ProcId { born, ..gone }, ..Process::default() };
    if row.id == gone || buffers.read_all(&files, root, request, &mut row) != RowRead::Row {
        return None;
    }
    if needs.cgroup || needs.cgroups == CgroupNeeds::Everything {
        let bytes = cgroups(root, gone.pid, &mut buffers.buffer).map_err(FileAbsence::from);
        let path = bytes.and_then(|it| parse::memory_cgroup(it).ok_or(FileAbsence::Missing));
        row.cgroup = reading(path.map(|path| Arc::new(Text::new(path))));
    }
    Some(row)
}
