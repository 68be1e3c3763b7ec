//! The thread that walks over all processes. It opens files, and so it may stall for minutes when memory
//! is short, while [`super::LiveSource`] goes on with the files that it keeps open.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use crate::model::{CgroupNeeds, Comm, ProcId, Process, ProcessFiles};
use crate::sample::Unreadable;
use crate::sample::cgroup::tree_reader::CgroupReader;
use crate::sample::daemon::reader::KillerReader;
use crate::sample::proc_root::ProcRoot;
use crate::sample::process::bpf::task_rows::OTHERS_MAX;
use crate::sample::process::open_files::OpenProcess;
use crate::sample::process::row_lookup::RowLookup;
use crate::sample::process::walk::{ProcessWalk, ROTATION};
use crate::sample::process::walk_request::WalkRequest;
use crate::source::SourceError;
use crate::units::Millis;

/// What a walk reads if the rows come from the task list: only what no other way tells.
#[derive(Default)]
pub(super) struct FilesJob {
    /// Whether this is such a walk.
    pub active: bool,
    pub lookups: Vec<RowLookup>,
    /// The pids of the table, sorted, if `/proc` is to be listed; otherwise empty.
    pub known: Vec<i32>,
    /// Processes that `/proc` lists beside these.
    pub others: Vec<Process>,
    /// What rules of installed killers test.
    pub rules: ProcessFiles,
    /// All processes, if links or environments are to be read: id, name, flags.
    pub named: Vec<(ProcId, Comm, u32)>,
}

/// One walk: the request, and the result. It travels to the thread and back with all its buffers, so
/// that there is one table of rows and its memory is used again. There is only one.
pub(super) struct WalkJob {
    pub walker: ProcessWalk,
    pub request: WalkRequest,
    pub reader: CgroupReader,
    pub killers: KillerReader,
    pub root: Arc<ProcRoot>,
    pub cgroup_needs: CgroupNeeds,
    /// Whether program, working directory and environment are read, for the rules that match them.
    pub exe_cwd_environ: bool,
    /// Zero of the snapshot's monotonic clock.
    pub started: Instant,
    /// When the walk began.
    pub began: Instant,
    /// Number of the sample that asked for the walk.
    pub sample: u64,
    pub opened: Vec<OpenProcess>,
    /// Processes that the walk skipped because their files are kept open elsewhere: their rows here are
    /// old.
    pub skipped: Vec<ProcId>,
    /// Number of processes that could not be read, or why the walk failed.
    pub unreadable: Result<u32, Unreadable>,
    pub files: FilesJob,
}

impl WalkJob {
    pub fn new(root: Arc<ProcRoot>, walker: ProcessWalk, started: Instant) -> Self {
        Self {
            walker,
            request: WalkRequest::default(),
            reader: CgroupReader::new(Arc::clone(&root)),
            killers: KillerReader::new(root.filesystem()),
            root,
            cgroup_needs: CgroupNeeds::Nothing,
            exe_cwd_environ: false,
            started,
            began: started,
            sample: 0,
            opened: Vec::new(),
            skipped: Vec::new(),
            unreadable: Ok(0),
            files: FilesJob::default(),
        }
    }

    fn walk(&mut self) {
        self.began = Instant::now();
        if self.files.active {
            self.look_up();
        } else {
            self.read_members();
            self.unreadable = self.walker.walk(&self.request, &mut self.opened, &mut self.skipped);
        }
        let rules = if self.files.active {
            self.files.rules
        } else {
            let now = millis(self.started.elapsed());
            self.reader.set_read_io(!self.killers.last().oomd.options.devices.is_empty());
            self.reader.read(self.cgroup_needs, now);
            self.killers.read(&self.root, self.walker.rows(), now);
            self.killers.last().needed_files()
        };
        self.walker.read_exe_cwd_environ(if self.exe_cwd_environ {
            rules
        } else {
            Default::default()
        });
    }

    /// Reads who is in which cgroup, where that takes fewer files than asking the processes whose turn it is.
    fn read_members(&mut self) {
        let processes = self.walker.rows().len();
        let asked = if self.request.members { processes } else { processes / ROTATION as usize };
        // The lists name processes by the pids of doomtop's own namespace.
        let most = if self.request.cgroup && self.root.is_live() { asked } else { 0 };
        self.reader.read_members(&mut self.request.group_members, most);
    }

    /// Reads what the task list does not tell.
    fn look_up(&mut self) {
        let files = &mut self.files;
        self.walker.look_up(&mut files.lookups);
        self.unreadable = if files.known.is_empty() {
            Ok(0)
        } else {
            let (found, opened) = (&mut files.others, &mut self.opened);
            self.walker.read_others(&files.known, OTHERS_MAX, found, opened).map(|()| 0)
        };
        self.walker.adopt(files.named.drain(..));
    }
}

/// Starts the thread, which ends when the sender is dropped. Jobs come back through the receiver.
///
/// # Errors
/// The thread cannot be started.
pub(super) fn start() -> Result<(SyncSender<WalkJob>, Receiver<WalkJob>), SourceError> {
    let (jobs, inbox) = sync_channel::<WalkJob>(1);
    let (outbox, done) = sync_channel(1);
    let run = move || {
        while let Ok(mut job) = inbox.recv() {
            job.walk();
            if outbox.send(job).is_err() {
                break;
            }
        }
    };
    thread::Builder::new()
        .name("walker".to_owned())
        .spawn(run)
        .map_err(|_| SourceError::WalkThread)?;
    Ok((jobs, done))
}

/// The milliseconds of a duration.
pub(super) fn millis(duration: Duration) -> Millis {
    Millis(u64::try_from(duration.as_millis()).unwrap_or(u64::MAX))
}
