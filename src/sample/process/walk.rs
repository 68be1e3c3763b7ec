//! A walk over all processes: which ones exist, and which of their files must be read again.
//!
//! What cannot have changed is not read again. `oom_score_adj` is read in every walk, and so is `stat`, unless
//! the sample says that it may be skipped (`idle_processes`).
//! The longer files are read if `stat` shows that the process did something, if pages were swapped,
//! and in any case in every sixteenth walk, to find what leaves no trace in `stat` (a changed user,
//! freed memory). Once warm, a walk over the same processes allocates nothing.

use std::collections::HashMap;
use std::os::fd::OwnedFd;
use std::sync::Arc;

use rustix::fs::{RawDir, SeekFrom, seek};

use crate::model::{Comm, Machine, ProcId, Process, ProcessFiles, Reading, Text};
use crate::sample::Unreadable;
use crate::sample::absence::{FileAbsence, reading};
use crate::sample::parse;
use crate::sample::parse::Stat;
use crate::sample::proc_root::ProcRoot;
use crate::sample::process::cpu_clock::cpu_time;
use crate::sample::process::exe_cwd_environ::{EnvironReader, exe_cwd_environ};
use crate::sample::process::idle_processes::{IdleRules, IdleState, NewPids};
use crate::sample::process::living_thread::cgroups;
use crate::sample::process::lookup;
use crate::sample::process::open_files::{OpenProcess, adj_budget};
use crate::sample::process::row::{
    OpenByPath, RowBuffers, RowRead, RowRequest, fresh, has_mm, lost_its_leader, take_stat,
    take_status, take_thread,
};
use crate::sample::process::row_list::{SPARE_MAX, make_room};
use crate::sample::process::row_lookup::RowLookup;
use crate::sample::process::walk_request::WalkRequest;
use crate::units::Adj;

/// Every process is read completely at least once in this number of walks.
pub const ROTATION: u32 = 16;

/// What is remembered of a process between walks.
#[derive(Default)]
struct Known {
    row: Process,
    /// As the last walk read it.
    stat: Option<Stat>,
    status: bool,
    /// Whether `status` says that it is a kernel thread.
    kernel_thread: bool,
    cgroup: bool,
    /// The `comm` at the time when the command line was read.
    cmdline: Option<Comm>,
    /// The `comm` at the time when the links and the environment were read.
    exe_cwd_environ: Option<Comm>,
    /// Whether the last walk skipped it because its files were open elsewhere; the row is then older
    /// than that walk.
    passed: bool,
    /// The adj at the time when the score was read.
    score_adj: Reading<Adj>,
    /// Whether `stat` may be skipped.
    idle: IdleState,
    /// Its `oom_score_adj`, which is read in every walk: opening it takes more time than reading it, and memory.
    adj_file: Option<OwnedFd>,
}

/// Whether a remembered score must be read again. A 0 says that the kernel never chooses this
/// process, too important a statement to trust an old value; and a score belongs to the adj with
/// which it was computed.
fn must_read_score(row: &Process, score_adj: Reading<Adj>) -> bool {
    let spared = row.score == Reading::Value(0);
    let may_be_chosen = row.has_mm && row.adj.value().is_none_or(|adj| adj.0 > -1000);
    (spared && may_be_chosen) || (!row.score.is_not_asked() && row.adj != score_adj)
}

/// The result of a visit to a process.
enum Visit {
    Row,
    Gone,
    Unreadable,
}

/// Walks over the processes of one tree, and remembers them.
pub struct ProcessWalk {
    root: Arc<ProcRoot>,
    listing: OwnedFd,
    buffers: RowBuffers,
    pids: Vec<i32>,
    /// Sorted by pid.
    known: Vec<Known>,
    /// Space for processes that a walk finds for the first time.
    found: Vec<Known>,
    paths: HashMap<Box<[u8]>, Arc<Text>>,
    walk: u32,
    swap_traffic: Option<u64>,
    /// The pid that was given away last, at the walk before.
    last_pid: Option<i32>,
    /// How many files stay open.
    adj_budget: usize,
    /// How many of them may still be opened.
    adj_files_left: usize,
    /// What rules tested when links and environments were last read.
    files_read: ProcessFiles,
    /// Reads environments; started when they are first needed.
    environs: Option<EnvironReader>,
}

impl ProcessWalk {
    /// A walk that has not seen any process yet.
    ///
    /// # Errors
    ///
    /// If the tree cannot be listed.
    pub fn new(root: Arc<ProcRoot>, machine: &Machine) -> Result<Self, Unreadable> {
        Ok(Self {
            listing: root.listing()?,
            // A folder is read as it is now, also where a file was replaced.
            adj_budget: if root.is_live() { adj_budget() } else { 0 },
            adj_files_left: 0,
            root,
            buffers: RowBuffers::on(machine),
            pids: Vec::new(),
            known: Vec::new(),
            found: Vec::new(),
            paths: HashMap::new(),
            walk: 0,
            swap_traffic: None,
            last_pid: None,
            files_read: ProcessFiles::default(),
            environs: None,
        })
    }

    /// The rows of the last walk, sorted by pid.
    pub fn rows(&self) -> impl ExactSizeIterator<Item = &Process> + Clone {
        self.known.iter().map(|known| &known.row)
    }

    /// Walks once: updates the rows, and puts newly opened files into `opened`. Processes whose
    /// files are open elsewhere are skipped: their rows stay as they were, and `passed` lists them,
    /// sorted. Returns the number of processes that exist but could not be read.
    ///
    /// # Errors
    ///
    /// If the tree cannot be listed.
    pub fn walk(
        &mut self,
        request: &WalkRequest,
        opened: &mut Vec<OpenProcess>,
        passed: &mut Vec<ProcId>,
    ) -> Result<u32, Unreadable> {
        passed.clear();
        self.list()?;
        let swapped = self.swap_traffic != Some(request.swap_traffic);
        self.swap_traffic = Some(request.swap_traffic);
        let new_pids = NewPids::between(self.last_pid, request.last_pid);
        self.last_pid = request.last_pid;
        let idle_rules =
            IdleRules::of(request, new_pids.filter(|_| self.root.is_live() && !swapped));

        let open = self.known.iter().filter(|known| known.adj_file.is_some()).count();
        self.adj_files_left = self.adj_budget.saturating_sub(open);

        let pids = std::mem::take(&mut self.pids);
        let mut all = std::mem::take(&mut self.known);
        let mut found = std::mem::take(&mut self.found);
        let mut unreadable = 0;
        // Update in place: with many processes, a second table would be most of doomtop's memory.
        // Pid 0 marks processes that are gone.
        let mut before = all.iter_mut().peekable();
        for &pid in &pids {
            while let Some(gone) = before.next_if(|known| known.row.id.pid < pid) {
                gone.row.id.pid = 0;
            }
            let mut first_seen = Known::default();
            let old = before.next_if(|known| known.row.id.pid == pid);
            let is_old = old.is_some();
            let known = old.unwrap_or(&mut first_seen);
            match self.visit(pid, known, (request, idle_rules), swapped) {
                Visit::Row => {
                    let id = known.row.id;
                    if request.unopened.binary_search(&id).is_ok() {
                        opened.extend(OpenProcess::open(&self.root, id, &mut self.buffers));
                    }
                    if known.passed {
                        passed.push(id);
                    }
                    if !is_old {
                        found.push(first_seen);
                    }
                }
                Visit::Gone => known.row.id.pid = 0,
                Visit::Unreadable => {
                    known.row.id.pid = 0;
                    unreadable += 1;
                }
            }
        }
        before.for_each(|gone| gone.row.id.pid = 0);
        self.pids = pids;
        self.merge(all, found);

        if self.walk.is_multiple_of(ROTATION) {
            self.paths.retain(|_, path| Arc::strong_count(path) > 1);
        }
        self.walk = self.walk.wrapping_add(1);
        Ok(unreadable)
    }

    /// Drops the processes that are gone from `all`, and adds those that were `found`.
    fn merge(&mut self, mut all: Vec<Known>, mut found: Vec<Known>) {
        all.retain(|known| known.row.id.pid != 0);
        make_room(&mut all, found.len());
        all.append(&mut found);
        found.clear();
        found.shrink_to(SPARE_MAX);
        if !all.is_sorted_by_key(|known| known.row.id.pid) {
            all.sort_unstable_by_key(|known| known.row.id.pid); // new pids are lower: they wrapped
        }
        self.known = all;
        self.found = found;
    }

    /// Reads the links and environments that rules test: of processes that are new or have another
    /// name, and of the others in turn.
    pub fn read_exe_cwd_environ(&mut self, files: ProcessFiles) {
        let anew = files != self.files_read;
        self.files_read = files;
        if files == ProcessFiles::default() {
            if anew {
                self.known.iter_mut().for_each(|known| known.row.exe_cwd_environ = None);
            }
            return;
        }
        let mut processes = Vec::new();
        for known in &mut self.known {
            let row = &mut known.row;
            let turn = row.id.pid.unsigned_abs() % ROTATION == self.walk % ROTATION;
            let same = known.exe_cwd_environ == Some(row.comm) && row.exe_cwd_environ.is_some();
            if row.is_kernel_thread() || (same && !turn && !anew) {
                continue;
            }
            let mut found = exe_cwd_environ(&self.root, row.id.pid, files);
            if files.environ {
                processes.push(row.id);
                // The environment of another program is dropped; that of the same program stays
                // until it is read again.
                if let Some(before) = row.exe_cwd_environ.as_ref().filter(|_| same) {
                    found.environ = before.environ.clone();
                }
            }
            if row.exe_cwd_environ.as_deref() != Some(&found) {
                row.exe_cwd_environ = Some(Arc::new(found));
            }
            known.exe_cwd_environ = Some(row.comm);
        }
        if files.environ {
            self.read_environs(processes);
        }
    }

    /// Requests environments, and stores those that have arrived, also from earlier requests.
    fn read_environs(&mut self, processes: Vec<ProcId>) {
        let start = || EnvironReader::start(Arc::clone(&self.root));
        self.environs = self.environs.take().or_else(start);
        let Some(environs) = &mut self.environs else { return };
        let known = &mut self.known;
        environs.read(processes, |who, read| {
            let at = known.binary_search_by_key(&who.pid, |known| known.row.id.pid);
            let row = at.ok().and_then(|at| known.get_mut(at)).map(|known| &mut known.row);
            let row = row.filter(|row| row.id == who);
            let there = row.and_then(|row| row.exe_cwd_environ.as_mut());
            if let Some(there) = there.filter(|there| there.environ != read) {
                Arc::make_mut(there).environ = read;
            }
        });
    }

    /// Reads what only files tell of processes whose rows come from elsewhere.
    pub fn look_up(&mut self, lookups: &mut [RowLookup]) {
        for lookup in lookups {
            let pid = lookup.id.pid;
            if lookup.wants_score {
                let root = Arc::clone(&self.root);
                lookup.score = reading(self.buffers.score(&OpenByPath { root: &root, pid }));
            }
            if lookup.wants_cgroup {
                lookup.cgroup = reading(self.cgroup(pid));
            }
            if lookup.wants_cmdline {
                let line = lookup::line(&self.root, pid, &mut self.buffers.buffer);
                lookup.cmdline = reading(line.map(Arc::new).map_err(FileAbsence::from));
            }
        }
        if self.walk.is_multiple_of(ROTATION) {
            self.paths.retain(|_, path| Arc::strong_count(path) > 1);
        }
        self.walk = self.walk.wrapping_add(1);
    }

    /// Reads the processes that are listed in the tree but not in `known`, which is sorted, completely.
    /// Adds their rows to `found`, and opens the files of the first `most` of them.
    ///
    /// # Errors
    ///
    /// If the tree cannot be listed.
    pub fn read_others(
        &mut self,
        known: &[i32],
        most: usize,
        found: &mut Vec<Process>,
        opened: &mut Vec<OpenProcess>,
    ) -> Result<(), Unreadable> {
        self.list()?;
        let root = Arc::clone(&self.root);
        let pids = std::mem::take(&mut self.pids);
        for &pid in pids.iter().filter(|pid| known.binary_search(pid).is_err()) {
            let files = OpenByPath { root: &root, pid };
            let Ok(stat) = self.buffers.stat(&files) else { continue };
            let id = ProcId { pid, born: stat.born };
            let mut row = Process { id, ..Process::default() };
            let request = RowRequest { status: true, score: true };
            if self.buffers.read_all(&files, &root, request, &mut row) == RowRead::Row {
                row.cgroup = reading(self.cgroup(pid));
                if found.len() < most {
                    opened.extend(OpenProcess::open(&root, id, &mut self.buffers));
                }
                found.push(row);
            }
        }
        self.pids = pids;
        Ok(())
    }

    /// Takes over rows that come from elsewhere, sorted by pid, so that [`Self::read_exe_cwd_environ`] can
    /// read their links and environments.
    pub fn adopt(&mut self, rows: impl Iterator<Item = (ProcId, Comm, u32)>) {
        let before = std::mem::take(&mut self.known);
        let mut before = before.into_iter().peekable();
        self.known.extend(rows.map(|(id, comm, flags)| {
            while before.next_if(|known| known.row.id.pid < id.pid).is_some() {}
            let mut known = before.next_if(|known| known.row.id == id).unwrap_or_default();
            known.row = Process { id, comm, flags, ..known.row };
            known
        }));
    }

    /// Lists the pids, sorted.
    fn list(&mut self) -> Result<(), Unreadable> {
        self.pids.clear();
        let lost = |errno: rustix::io::Errno| self.root.unreadable("", &errno.to_string());
        seek(&self.listing, SeekFrom::Start(0)).map_err(lost)?;
        let mut names = RawDir::new(&self.listing, self.buffers.entries.spare_capacity_mut());
        while let Some(name) = names.next() {
            self.pids.extend(parse::pid(name.map_err(lost)?.file_name()));
        }
        if !self.pids.is_sorted() {
            self.pids.sort_unstable(); // procfs lists them in order, a folder does not
        }
        self.pids.dedup();
        Ok(())
    }

    /// Updates what is known of a process.
    fn visit(
        &mut self,
        pid: i32,
        known: &mut Known,
        (request, idle_rules): (&WalkRequest, IdleRules),
        swapped: bool,
    ) -> Visit {
        let root = Arc::clone(&self.root);
        let files = OpenByPath { root: &root, pid };
        let turn = pid.unsigned_abs() % ROTATION == self.walk % ROTATION;
        if request.kept.binary_search(&known.row.id).is_ok() {
            // Changes in the meantime are not seen here, so nothing counts as unchanged afterwards.
            known.passed = true;
            return self.visit_paths(known, request, turn || request.members);
        }
        let asked = |list: &[ProcId]| list.binary_search(&known.row.id).is_ok();
        let may_be_idle = !known.passed && !asked(&request.listed) && !asked(&request.top);
        if may_be_idle && idle_rules.may_skip(pid, self.walk, known.idle, || cpu_time(pid)) {
            if self.visit_score(&files, known, request, (false, false)) {
                return self.visit_paths(known, request, request.members);
            }
            // It has ended. Another process may have its pid by now.
            *known = Known::default();
        }

        // Before `stat`: what it does in between is seen the next time.
        let ran = if idle_rules.follows_activity() { cpu_time(pid) } else { None };
        let stat = match self.buffers.stat(&files) {
            Ok(stat) if stat.pid == pid => stat,
            Err(FileAbsence::Gone) => return Visit::Gone,
            _ => return Visit::Unreadable,
        };
        let id = ProcId { pid, born: stat.born };
        if known.row.id != id {
            *known = Known::default();
        }
        let listed = request.listed.binary_search(&id).is_ok();
        // A process that is listed, or that was skipped before, is read completely.
        let whole = turn || listed || std::mem::take(&mut known.passed);
        let changed = known.stat != Some(stat);
        take_stat(&mut known.row, &stat);
        known.stat = Some(stat);
        known.idle.read(changed, ran, idle_rules);
        if known.kernel_thread {
            known.row.flags |= Process::PF_KTHREAD;
        }
        // In a kernel thread nothing of interest changes, and no killer chooses it.
        let idle = known.row.is_kernel_thread();

        let moved = changed || swapped;
        if !self.visit_status(&files, known, request.status, !idle && (whole || moved))
            || !self.visit_score(&files, known, request, (whole, moved))
        {
            return Visit::Gone;
        }
        self.visit_paths(known, request, (whole || request.members) && !idle)
    }

    /// Reads `status` if it is `needed` and either `again` or not read yet, then the sizes of a living
    /// thread if the main thread has exited. Whether the process still exists.
    fn visit_status(
        &mut self,
        files: &OpenByPath<'_>,
        known: &mut Known,
        needed: bool,
        again: bool,
    ) -> bool {
        if !needed {
            if known.status {
                take_status(&mut known.row, Reading::NotAsked, self.buffers.page);
                known.status = false;
            }
        } else if !known.status || again {
            let status = self.buffers.status(files);
            if status == Err(FileAbsence::Gone)
                && !self.buffers.still_there(files.root, known.row.id)
            {
                return false;
            }
            known.kernel_thread = status.is_ok_and(|status| status.kernel_thread);
            take_status(&mut known.row, reading(status).as_ref(), self.buffers.page);
            known.status = true;
        }
        let row = &mut known.row;
        if lost_its_leader(row)
            && let Some((stat, status)) = self.buffers.living_thread(files.root, files.pid, needed)
        {
            take_thread(row, &stat, status.as_ref(), self.buffers.page);
        }
        row.has_mm = has_mm(row);
        true
    }

    /// Reads `oom_score_adj`, and `oom_score` if it is needed. `moved` says whether the process changed or pages were
    /// swapped since its last reading: without that its score cannot have changed. Whether the process still exists.
    fn visit_score(
        &mut self,
        files: &OpenByPath<'_>,
        known: &mut Known,
        request: &WalkRequest,
        (whole, moved): (bool, bool),
    ) -> bool {
        let row = &mut known.row;
        let idle = row.is_kernel_thread();
        if !idle || row.adj.is_not_asked() {
            let (kept, may) = (&mut known.adj_file, !idle && self.adj_files_left > 0);
            let was_open = kept.is_some();
            let adj = self.buffers.kept_adj(files, kept, may);
            self.adj_files_left -= usize::from(kept.is_some() && !was_open);
            if adj == Err(FileAbsence::Gone) && !self.buffers.still_there(files.root, row.id) {
                return false;
            }
            row.adj = reading(adj);
        }
        row.score_fresh = false;
        if !request.scores {
            row.score = Reading::NotAsked;
        } else if (!idle || row.score.is_not_asked())
            && (whole
                || request.scores_anew
                || request.all_scores && (moved || row.score.is_not_asked())
                || must_read_score(row, known.score_adj))
        {
            let score = self.buffers.score(files);
            if score == Err(FileAbsence::Gone) && !self.buffers.still_there(files.root, row.id) {
                return false;
            }
            row.score = reading(score);
            row.score_fresh = fresh(row, request.status);
            known.score_adj = row.adj;
        }
        true
    }

    /// Reads cgroup and command line, which do not enter into badness.
    fn visit_paths(&mut self, known: &mut Known, request: &WalkRequest, turn: bool) -> Visit {
        let id = known.row.id;
        let mut missing = false;
        if !request.cgroup {
            known.row.cgroup = Reading::NotAsked;
            known.cgroup = false;
        } else if turn || !known.cgroup {
            // The lists were read before the processes: a pid that is new here may have been another process then.
            let listed = request.group_members.group_of(id.pid).filter(|_| known.cgroup);
            let place = listed.map_or_else(|| self.cgroup(id.pid), |path| Ok(Arc::clone(path)));
            missing |= place == Err(FileAbsence::Gone);
            known.row.cgroup = reading(place);
            known.cgroup = true;
        }
        if !request.cmdline {
            known.row.cmdline = Reading::NotAsked;
            known.cmdline = None;
        } else if known.cmdline != Some(known.row.comm) {
            let line = lookup::line(&self.root, id.pid, &mut self.buffers.buffer);
            let line = line.map(Arc::new).map_err(FileAbsence::from);
            missing |= line == Err(FileAbsence::Gone);
            known.row.cmdline = reading(line);
            known.cmdline = Some(known.row.comm);
        }
        if missing && !self.buffers.still_there(&self.root, id) { Visit::Gone } else { Visit::Row }
    }

    /// The cgroup of a process; processes in the same cgroup share the text.
    fn cgroup(&mut self, pid: i32) -> Result<Arc<Text>, FileAbsence> {
        let bytes = cgroups(&self.root, pid, &mut self.buffers.buffer)?;
        let place = parse::memory_cgroup(bytes).ok_or(FileAbsence::Missing)?;
        if let Some(text) = self.paths.get(place) {
            return Ok(Arc::clone(text));
        }
        let text = Arc::new(Text::new(place));
        self.paths.insert(place.into(), Arc::clone(&text));
        Ok(text)
    }
}
