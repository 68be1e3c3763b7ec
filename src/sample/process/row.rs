//! Reads the four small files of a process back to back into a [`Process`].

use std::os::fd::OwnedFd;

use rustix::io::Errno;

use crate::model::{Machine, ProcId, Process, Reading};
use crate::sample::absence::{FileAbsence, reading};
use crate::sample::file_buffer::{FileBuffer, ProcPath, open};
use crate::sample::parse;
use crate::sample::parse::{ParseError, Stat, Status};
use crate::sample::proc_root::ProcRoot;
use crate::sample::process::living_thread::living_thread;
use crate::units::{Adj, Kib, PageSize, Pages};

/// The files of a process that a ranking needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ProcFile {
    Stat,
    Status,
    Adj,
    Score,
}

impl ProcFile {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Stat => "stat",
            Self::Status => "status",
            Self::Adj => "oom_score_adj",
            Self::Score => "oom_score",
        }
    }
}

/// A way to read the files of one process.
pub(crate) trait ProcFiles {
    fn read<'b>(&self, item: ProcFile, buffer: &'b mut FileBuffer) -> Result<&'b [u8], Errno>;
}

/// Opens, reads and closes the files by their paths.
pub(crate) struct OpenByPath<'a> {
    pub(crate) root: &'a ProcRoot,
    pub(crate) pid: i32,
}

impl ProcFiles for OpenByPath<'_> {
    fn read<'b>(&self, item: ProcFile, buffer: &'b mut FileBuffer) -> Result<&'b [u8], Errno> {
        buffer.read(self.root, ProcPath::of(self.pid, item.name()).as_c_str())
    }
}

/// Buffers that are reused between samples, and facts of the machine.
pub(crate) struct RowBuffers {
    pub(crate) buffer: FileBuffer,
    /// For the entries of a directory.
    pub(crate) entries: Vec<u8>,
    pub(crate) page: PageSize,
    /// Whether the machine has several NUMA nodes, so that `Mems_allowed_list` is needed.
    pub(crate) nodes: bool,
}

impl RowBuffers {
    pub(crate) fn new(page: PageSize) -> Self {
        Self {
            buffer: FileBuffer::new(),
            entries: Vec::with_capacity(32 * 1024),
            page,
            nodes: false,
        }
    }

    /// Buffers for this machine.
    pub(crate) fn on(machine: &Machine) -> Self {
        Self { nodes: machine.nodes.len() > 1, ..Self::new(machine.page_size) }
    }

    fn item<T>(
        &mut self,
        files: &impl ProcFiles,
        item: ProcFile,
        parse: impl FnOnce(&[u8]) -> Result<T, ParseError>,
    ) -> Result<T, FileAbsence> {
        parse(files.read(item, &mut self.buffer)?).map_err(|_| FileAbsence::Missing)
    }

    pub(crate) fn stat(&mut self, files: &impl ProcFiles) -> Result<Stat, FileAbsence> {
        self.item(files, ProcFile::Stat, parse::stat)
    }

    pub(crate) fn status(&mut self, files: &impl ProcFiles) -> Result<Status, FileAbsence> {
        let nodes = self.nodes;
        self.item(files, ProcFile::Status, |bytes| parse::status(bytes, nodes))
    }

    pub(crate) fn adj(&mut self, files: &impl ProcFiles) -> Result<Adj, FileAbsence> {
        self.item(files, ProcFile::Adj, parse::oom_score_adj)
    }

    /// The same through a file that stays open: it is opened here if it `may` be.
    pub(crate) fn kept_adj(
        &mut self,
        files: &OpenByPath<'_>,
        kept: &mut Option<OwnedFd>,
        may: bool,
    ) -> Result<Adj, FileAbsence> {
        let file = match kept {
            Some(file) => file,
            None if !may => return self.adj(files),
            None => {
                let path = ProcPath::of(files.pid, ProcFile::Adj.name());
                kept.insert(open(files.root, path.as_c_str())?)
            }
        };
        parse::oom_score_adj(self.buffer.again(file)?).map_err(|_| FileAbsence::Missing)
    }

    pub(crate) fn score(&mut self, files: &impl ProcFiles) -> Result<u32, FileAbsence> {
        self.item(files, ProcFile::Score, parse::oom_score)
    }

    /// Whether the process with this start time still exists. Asked if one of its files is missing,
    /// which may also mean that the kernel does not have that file.
    pub(crate) fn still_there(&mut self, root: &ProcRoot, id: ProcId) -> bool {
        let stat = self.stat(&OpenByPath { root, pid: id.pid });
        stat.is_ok_and(|stat| stat.born == id.born)
    }

    /// The sizes of any thread that still has memory, for a process whose main thread has exited:
    /// the files of the main thread then show none, although the kernel judges the process as
    /// before.
    pub(crate) fn living_thread(
        &mut self,
        root: &ProcRoot,
        pid: i32,
        with_status: bool,
    ) -> Option<(Stat, Option<Status>)> {
        let (tid, stat) = living_thread(root, pid, &mut self.buffer, &mut self.entries)?;
        let status = with_status.then(|| {
            let path = ProcPath::of_thread(pid, tid, ProcFile::Status.name());
            self.buffer.read(root, path.as_c_str()).map(|bytes| parse::status(bytes, false))
        });
        Some((stat, status.and_then(|read| read.ok()?.ok())))
    }

    /// Reads everything that a ranking needs, back to back, of the process in `row.id`.
    pub(crate) fn read_all(
        &mut self,
        files: &impl ProcFiles,
        root: &ProcRoot,
        request: RowRequest,
        row: &mut Process,
    ) -> RowRead {
        // If reading fails below, the score is older than this sample.
        row.score_fresh = false;
        let stat = match self.stat(files) {
            Ok(stat) if stat.born == row.id.born && stat.pid == row.id.pid => stat,
            Ok(_) | Err(FileAbsence::Gone) => return RowRead::Gone,
            Err(_) => return RowRead::Unreadable,
        };
        take_stat(row, &stat);
        if request.status {
            let status = self.status(files);
            if status == Err(FileAbsence::Gone) && !self.still_there(root, row.id) {
                return RowRead::Gone;
            }
            take_status(row, reading(status).as_ref(), self.page);
        } else {
            take_status(row, Reading::NotAsked, self.page);
        }
        if lost_its_leader(row)
            && let Some((stat, status)) = self.living_thread(root, row.id.pid, request.status)
        {
            take_thread(row, &stat, status.as_ref(), self.page);
        }
        let adj = self.adj(files);
        if adj == Err(FileAbsence::Gone) && !self.still_there(root, row.id) {
            return RowRead::Gone;
        }
        row.adj = reading(adj);
        if !request.score {
            row.score = Reading::NotAsked;
        } else {
            let score = self.score(files);
            if score == Err(FileAbsence::Gone) && !self.still_there(root, row.id) {
                return RowRead::Gone;
            }
            row.score = reading(score);
            row.score_fresh = fresh(row, request.status);
        }
        row.has_mm = has_mm(row);
        RowRead::Row
    }
}

/// What to read besides `stat` and `oom_score_adj`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RowRequest {
    pub(crate) status: bool,
    pub(crate) score: bool,
}

/// The result of reading a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RowRead {
    Row,
    Gone,
    Unreadable,
}

/// Whether a score that was just read belongs to sizes that may be compared with it.
pub(crate) fn fresh(row: &Process, status_needed: bool) -> bool {
    let sizes = !status_needed || !matches!(row.ids, Reading::Denied | Reading::Missing);
    sizes && matches!((row.adj, row.score), (Reading::Value(_), Reading::Value(_)))
}

/// Whether the main thread has exited while other threads may live on.
pub(crate) fn lost_its_leader(row: &Process) -> bool {
    row.state.is_zombie() && row.threads > 1 && row.vsize.0 == 0
}

/// Whether a thread that was read has an address space.
pub(crate) fn has_mm(row: &Process) -> bool {
    row.vsize.0 > 0 || matches!(row.rss_exact, Reading::Value(_))
}

pub(crate) fn take_stat(row: &mut Process, stat: &Stat) {
    row.id = ProcId { pid: stat.pid, born: stat.born };
    row.parent = stat.parent;
    row.group = stat.group;
    row.session = stat.session;
    row.tty = stat.tty;
    row.comm = stat.comm;
    row.state = stat.state;
    row.flags = stat.flags;
    row.threads = stat.threads;
    row.nice = stat.nice;
    row.cpu = stat.cpu;
    row.vsize = stat.vsize;
    row.rss_stat = stat.rss;
    row.dying = dies(stat);
}

/// Whether a thread was killed or is exiting.
const fn dies(stat: &Stat) -> bool {
    stat.killed || stat.flags & (Process::PF_EXITING | Process::PF_SIGNALED) != 0
}

/// Stores the sizes in `status`; all are absent for the same reason if it is.
fn take_sizes(row: &mut Process, status: Reading<&Status>, page: PageSize) {
    let pages = |size: fn(&Status) -> Option<Kib>| -> Reading<Pages> {
        status.and_then(|status| size(status).map(|kib| kib.pages(page)))
    };
    row.rss_exact = pages(|status| status.rss);
    row.anon = pages(|status| status.anon);
    row.file = pages(|status| status.file);
    row.shmem = pages(|status| status.shmem);
    row.swap = pages(|status| status.swap);
    row.locked = pages(|status| status.locked);
    row.data = pages(|status| status.data);
    row.pgtables = pages(|status| status.pgtables);
}

/// Stores the facts in `status`; all are absent for the same reason if it is. `NotAsked` removes
/// facts that nothing needs any more: an old value must not pass for a new one.
pub(crate) fn take_status(row: &mut Process, status: Reading<&Status>, page: PageSize) {
    take_sizes(row, status, page);
    row.ids = status.map(|status| status.ids);
    row.caps = status.and_then(|status| status.caps);
    row.nodes = status.value().and_then(|it| it.nodes).map_or(Reading::NotAsked, Reading::Value);
    let Reading::Value(status) = status else { return };
    if status.kernel_thread {
        row.flags |= Process::PF_KTHREAD;
    }
    if status.core_dumping {
        // The main thread only waits while another thread writes the dump.
        row.flags |= Process::PF_DUMPCORE;
    }
}

/// Stores the sizes of a thread that outlived the main thread.
pub(crate) fn take_thread(row: &mut Process, stat: &Stat, status: Option<&Status>, page: PageSize) {
    row.vsize = stat.vsize;
    row.rss_stat = stat.rss;
    // Only the main thread exited; that does not make the process a dying one.
    row.dying = dies(stat);
    if let Some(status) = status {
        take_sizes(row, Reading::Value(status), page);
    }
}
