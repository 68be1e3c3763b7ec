//! One row of fact: the four small files of a process, read back to back into a [`Process`].

use std::ffi::CStr;

use rustix::fs::RawDir;
use rustix::io::Errno;

use crate::model::{Machine, ProcId, Process, Reading};
use crate::sample::absence::{FileAbsence, reading};
use crate::sample::file_buffer::{FileBuffer, ProcPath, open};
use crate::sample::parse;
use crate::sample::parse::{ParseError, Stat, Status};
use crate::sample::proc_root::ProcRoot;
use crate::units::{Adj, PageSize, Pages};

/// The files of a process that a judgement rests on.
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

/// A way to the files of one process.
pub(crate) trait ProcFiles {
    fn read<'b>(&self, item: ProcFile, buffer: &'b mut FileBuffer) -> Result<&'b [u8], Errno>;
}

/// By their paths: opened, read, closed.
pub(crate) struct OpenByPath<'a> {
    pub(crate) root: &'a ProcRoot,
    pub(crate) pid: i32,
}

impl ProcFiles for OpenByPath<'_> {
    fn read<'b>(&self, item: ProcFile, buffer: &'b mut FileBuffer) -> Result<&'b [u8], Errno> {
        buffer.read(self.root, ProcPath::of(self.pid, item.name()).as_c_str())
    }
}

/// What reading works with, kept between looks.
pub(crate) struct RowBuffers {
    pub(crate) buffer: FileBuffer,
    /// Room for the names in a directory.
    pub(crate) entries: Vec<u8>,
    pub(crate) page: PageSize,
    /// Whether there are several memory nodes, so that it matters which a process may use.
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

    /// With what a machine's own constants ask for.
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

    pub(crate) fn score(&mut self, files: &impl ProcFiles) -> Result<u32, FileAbsence> {
        self.item(files, ProcFile::Score, parse::oom_score)
    }

    /// Whether the process is still the one that was born then. Asked when one of its files is
    /// not there, which a process that died and a kernel without that file both look like.
    pub(crate) fn still_there(&mut self, root: &ProcRoot, id: ProcId) -> bool {
        let stat = self.stat(&OpenByPath { root, pid: id.pid });
        stat.is_ok_and(|stat| stat.born == id.born)
    }

    /// The sizes of any thread that still has memory, for a process whose main thread has exited:
    /// the main thread's files then show none, though the kernel weighs the process as ever.
    pub(crate) fn living_thread(
        &mut self,
        root: &ProcRoot,
        pid: i32,
        with_status: bool,
    ) -> Option<(Stat, Option<Status>)> {
        let folder = open(root, ProcPath::of(pid, "task").as_c_str()).ok()?;
        let mut names = RawDir::new(folder, self.entries.spare_capacity_mut());
        while let Some(Ok(name)) = names.next() {
            let Some(tid) = number(name.file_name()) else { continue };
            let path = ProcPath::of_thread(pid, tid, ProcFile::Stat.name());
            let stat = self.buffer.read(root, path.as_c_str());
            let Ok(Ok(stat)) = stat.map(parse::stat) else { continue };
            if tid == pid || stat.vsize.0 == 0 {
                continue;
            }
            let status = with_status
                .then(|| {
                    let path = ProcPath::of_thread(pid, tid, ProcFile::Status.name());
                    self.buffer.read(root, path.as_c_str()).map(|bytes| parse::status(bytes, false))
                })
                .and_then(|read| read.ok()?.ok());
            return Some((stat, status));
        }
        None
    }

    /// Reads everything that a judgement rests on, back to back. `row.id` says whom.
    pub(crate) fn whole(
        &mut self,
        files: &impl ProcFiles,
        root: &ProcRoot,
        ask: RowRequest,
        row: &mut Process,
    ) -> RowRead {
        // Whatever goes wrong below, the score is then older than this look.
        row.score_fresh = false;
        let stat = match self.stat(files) {
            Ok(stat) if stat.born == row.id.born && stat.pid == row.id.pid => stat,
            Ok(_) | Err(FileAbsence::Gone) => return RowRead::Gone,
            Err(_) => return RowRead::Unreadable,
        };
        take_stat(row, &stat);
        if ask.status {
            let status = self.status(files);
            if status == Err(FileAbsence::Gone) && !self.still_there(root, row.id) {
                return RowRead::Gone;
            }
            take_status(row, status, self.page);
        } else {
            forget_status(row);
        }
        if lost_its_leader(row)
            && let Some((stat, status)) = self.living_thread(root, row.id.pid, ask.status)
        {
            take_thread(row, &stat, status.as_ref(), self.page);
        }
        let adj = self.adj(files);
        if adj == Err(FileAbsence::Gone) && !self.still_there(root, row.id) {
            return RowRead::Gone;
        }
        row.adj = reading(adj);
        if !ask.score {
            row.score = Reading::NotAsked;
        } else {
            let score = self.score(files);
            if score == Err(FileAbsence::Gone) && !self.still_there(root, row.id) {
                return RowRead::Gone;
            }
            row.score = reading(score);
            row.score_fresh = fresh(row, ask.status);
        }
        row.has_mm = has_mm(row);
        RowRead::Row
    }
}

/// What is asked beside `stat` and `oom_score_adj`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RowRequest {
    pub(crate) status: bool,
    pub(crate) score: bool,
}

/// What came of reading a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RowRead {
    Row,
    Gone,
    Unreadable,
}

/// Whether a score that was just read stands beside sizes that may be compared with it.
pub(crate) fn fresh(row: &Process, status_needed: bool) -> bool {
    let sizes = !status_needed || !matches!(row.ids, Reading::Denied | Reading::Missing);
    sizes && matches!((row.adj, row.score), (Reading::Value(_), Reading::Value(_)))
}

/// The main thread has exited, and other threads may live on.
pub(crate) fn lost_its_leader(row: &Process) -> bool {
    row.state.is_zombie() && row.threads > 1 && row.vsize.0 == 0
}

/// Whether any thread that was looked at has an address space.
pub(crate) fn has_mm(row: &Process) -> bool {
    row.vsize.0 > 0 || matches!(row.rss_exact, Reading::Value(_))
}

/// The pid that is all of a file name.
pub(crate) fn number(name: &CStr) -> Option<i32> {
    let number = parse::unsigned(name.to_bytes())?;
    i32::try_from(number).ok().filter(|&pid| pid > 0)
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

/// Whether a thread was killed, or is on its way out.
const fn dies(stat: &Stat) -> bool {
    stat.killed || stat.flags & (Process::PF_EXITING | Process::PF_SIGNALED) != 0
}

fn take_sizes(row: &mut Process, status: &Status, page: PageSize) {
    let pages = |size: Option<crate::units::Kib>| -> Reading<Pages> {
        size.map_or(Reading::Missing, |kib| Reading::Value(kib.pages(page)))
    };
    row.rss_exact = pages(status.rss);
    row.anon = pages(status.anon);
    row.file = pages(status.file);
    row.shmem = pages(status.shmem);
    row.swap = pages(status.swap);
    row.data = pages(status.data);
    row.pgtables = pages(status.pgtables);
}

pub(crate) fn take_status(row: &mut Process, status: Result<Status, FileAbsence>, page: PageSize) {
    match status {
        Ok(status) => {
            if status.kernel_thread {
                row.flags |= Process::PF_KTHREAD;
            }
            take_sizes(row, &status, page);
            row.ids = Reading::Value(status.ids);
            row.caps = status.caps.map_or(Reading::Missing, Reading::Value);
            row.nodes = status.nodes.map_or(Reading::NotAsked, Reading::Value);
        }
        Err(absence) => {
            let absent: Reading<Pages> = reading(Err(absence));
            row.rss_exact = absent;
            row.anon = absent;
            row.file = absent;
            row.shmem = absent;
            row.swap = absent;
            row.data = absent;
            row.pgtables = absent;
            row.ids = reading(Err(absence));
            row.caps = reading(Err(absence));
        }
    }
}

/// Nobody needs `status` any more: an old value must not pass for a new one.
pub(crate) fn forget_status(row: &mut Process) {
    row.rss_exact = Reading::NotAsked;
    row.anon = Reading::NotAsked;
    row.file = Reading::NotAsked;
    row.shmem = Reading::NotAsked;
    row.swap = Reading::NotAsked;
    row.data = Reading::NotAsked;
    row.pgtables = Reading::NotAsked;
    row.ids = Reading::NotAsked;
    row.caps = Reading::NotAsked;
    row.nodes = Reading::NotAsked;
}

/// The sizes of a thread that outlived the main thread.
pub(crate) fn take_thread(row: &mut Process, stat: &Stat, status: Option<&Status>, page: PageSize) {
    row.vsize = stat.vsize;
    row.rss_stat = stat.rss;
    // The main thread went on its own; the process is none the worse for it.
    row.dying = dies(stat);
    if let Some(status) = status {
        take_sizes(row, status, page);
    }
}
