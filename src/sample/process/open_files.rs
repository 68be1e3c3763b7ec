//! Files kept open and read in place: opening a file allocates, and allocating is what stalls when
//! memory is gone. Reading in place also costs a third.
//!
//! A kept file of a process stands for that very process: after its death it reads ESRCH, even if
//! the pid lives again.

use std::os::fd::OwnedFd;

use nix::sys::resource::{Resource, getrlimit};
use rustix::io::Errno;

use crate::model::{Machine, Needs, ProcId, Process, Scores};
use crate::sample::file_buffer::{FileBuffer, ProcPath, open};
use crate::sample::proc_root::ProcRoot;
use crate::sample::process::row::{
    OpenByPath, ProcFile, ProcFiles, RowBuffers, RowRead, RowRequest,
};

/// Descriptors that one kept process takes.
const EACH: usize = 4;

/// How many processes may be kept: a quarter of the descriptors that this process may open
/// (soft `RLIMIT_NOFILE`), and at most 512.
#[must_use]
pub fn budget() -> usize {
    let soft = getrlimit(Resource::RLIMIT_NOFILE).map_or(256, |(soft, _)| soft);
    usize::try_from(soft / 4).unwrap_or(usize::MAX).min(512) / EACH
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
    /// Opens the files of a process and makes sure that they are those of the one that was born
    /// then. `None` when it is gone, or one of the files is not to be had.
    pub(crate) fn open(root: &ProcRoot, id: ProcId, tools: &mut RowBuffers) -> Option<Self> {
        let file = |item: ProcFile| open(root, ProcPath::of(id.pid, item.name()).as_c_str()).ok();
        let kept = Self {
            id,
            stat: file(ProcFile::Stat)?,
            status: file(ProcFile::Status)?,
            adj: file(ProcFile::Adj)?,
            score: file(ProcFile::Score)?,
        };
        let stat = tools.stat(&kept).ok()?;
        (ProcId { pid: stat.pid, born: stat.born } == id).then_some(kept)
    }

    /// Whose files they are.
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

/// All processes whose files are open, sorted by pid, and what reading them takes.
pub struct OpenFiles {
    processes: Vec<OpenProcess>,
    wanted: Vec<ProcId>,
    tools: RowBuffers,
    most: usize,
}

impl OpenFiles {
    /// Nobody yet; at most `most` processes later.
    #[must_use]
    pub fn new(machine: &Machine, most: usize) -> Self {
        Self { processes: Vec::new(), wanted: Vec::new(), tools: RowBuffers::on(machine), most }
    }

    /// Closes the files of processes that are no longer among the first of `keep`, best first.
    pub fn close_others(&mut self, keep: &[ProcId]) {
        self.wanted.clear();
        self.wanted.extend(keep.iter().take(self.most));
        self.wanted.sort_unstable();
        let wanted = &self.wanted;
        self.processes.retain(|kept| wanted.binary_search(&kept.id).is_ok());
    }

    /// Those whose files should be open but are not yet, sorted.
    pub fn unopened(&self) -> impl Iterator<Item = ProcId> {
        self.wanted.iter().copied().filter(|&id| !self.has(id))
    }

    /// Those whose files are open, sorted.
    pub fn ids(&self) -> impl Iterator<Item = ProcId> {
        self.processes.iter().map(OpenProcess::id)
    }

    /// Whether the files of this process are open.
    #[must_use]
    pub fn has(&self, id: ProcId) -> bool {
        self.processes.binary_search_by_key(&id, OpenProcess::id).is_ok()
    }

    /// Takes over files that a walk opened; those that nobody wants any more are closed.
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

    /// Reads every kept process in place, into its row; rows of those that are gone are taken
    /// out, and their files closed. `rows` is sorted by pid. Gives the number of those that could
    /// not be read: they stay as they were, and a later walk opens them anew.
    pub fn refresh(&mut self, root: &ProcRoot, needs: &Needs, rows: &mut Vec<Process>) -> u32 {
        let mut unreadable = 0;
        let ask = RowRequest { status: needs.status, score: needs.scores != Scores::None };
        let tools = &mut self.tools;
        self.processes.retain(|kept| {
            let at = rows.binary_search_by_key(&kept.id.pid, |row| row.id.pid);
            let Some(at) = at.ok().filter(|&at| rows[at].id == kept.id) else {
                return false; // the walk that the rows come from did not find it any more
            };
            match tools.whole(kept, root, ask, &mut rows[at]) {
                RowRead::Row => true,
                RowRead::Gone => {
                    rows.remove(at);
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

    /// Reads one process again, everything back to back: in place when its files are kept, else
    /// by path. Whether it is still there. `status` says whether that file is needed.
    pub fn again(&mut self, root: &ProcRoot, status: bool, row: &mut Process) -> bool {
        let ask = RowRequest { status, score: true };
        let came = match self.processes.binary_search_by_key(&row.id, OpenProcess::id) {
            Ok(at) => self.tools.whole(&self.processes[at], root, ask, row),
            Err(_) => {
                let files = OpenByPath { root, pid: row.id.pid };
                self.tools.whole(&files, root, ask, row)
            }
        };
        came != RowRead::Gone
    }
}
