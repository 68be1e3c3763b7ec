//! One walk over all processes: who is there, and what of each must be read again.
//!
//! What cannot have changed is not read again. `stat` and `oom_score_adj` are read every time; the
//! longer files when `stat` shows that the process did something, when pages moved to or from
//! swap, and in any case every sixteenth walk, so that what leaves no trace in `stat` (a changed
//! user, memory given back) shows up too. Once warm, a walk over the same processes allocates
//! nothing.

use std::collections::HashMap;
use std::os::fd::OwnedFd;
use std::sync::Arc;

use rustix::fs::{RawDir, SeekFrom, seek};

use crate::model::{
    CgroupNeeds, Comm, Machine, Needs, ProcId, Process, ProcessFiles, Reading, Scores, Text,
};
use crate::sample::Unreadable;
use crate::sample::absence::{FileAbsence, reading};
use crate::sample::file_buffer::ProcPath;
use crate::sample::parse;
use crate::sample::parse::Stat;
use crate::sample::proc_root::ProcRoot;
use crate::sample::process::exe_cwd_environ::{EnvironReader, exe_cwd_environ};
use crate::sample::process::lookup;
use crate::sample::process::open_files::OpenProcess;
use crate::sample::process::row::{
    OpenByPath, RowBuffers, forget_status, fresh, has_mm, lost_its_leader, number, take_stat,
    take_status, take_thread,
};
use crate::units::Adj;

/// Every process is read in full at least once in so many walks.
pub const ROTATION: u32 = 16;

/// Room for so many new processes is kept between walks.
const SPARE: usize = 64;

/// What one walk must bring. Filled anew for each walk, keeping its room.
#[derive(Debug, Default)]
pub struct WalkRequest {
    status: bool,
    cgroup: bool,
    /// Everybody's cgroup at each walk: membership decides who can die in which.
    members: bool,
    cmdline: bool,
    scores: bool,
    all_scores: bool,
    /// Sorted, as the next two.
    listed: Vec<ProcId>,
    kept: Vec<ProcId>,
    unopened: Vec<ProcId>,
    /// Pages swapped in and out since boot.
    swap_traffic: u64,
}

impl WalkRequest {
    /// Takes the needs of a look; `kept` are read by somebody else through open files, `unopened`
    /// are to be opened on the way (both sorted); `swap_traffic` counts the pages swapped in and
    /// out since boot.
    pub fn set(
        &mut self,
        needs: &Needs,
        kept: impl Iterator<Item = ProcId>,
        unopened: impl Iterator<Item = ProcId>,
        swap_traffic: u64,
    ) {
        self.status = needs.status;
        self.members = needs.cgroups == CgroupNeeds::Everything;
        self.cgroup = needs.cgroup || self.members;
        self.cmdline = needs.cmdline;
        self.scores = needs.scores != Scores::None;
        self.all_scores = needs.scores == Scores::All;
        self.listed.clear();
        if let Scores::Some(listed) = &needs.scores {
            self.listed.extend_from_slice(listed);
            self.listed.sort_unstable();
        }
        self.kept.clear();
        self.kept.extend(kept);
        self.unopened.clear();
        self.unopened.extend(unopened);
        self.swap_traffic = swap_traffic;
    }

    /// Asks for what finding the scale of `oom_score` takes.
    pub fn for_calibration(&mut self) {
        self.status = true;
        self.scores = true;
        self.all_scores = true;
    }
}

/// What is remembered of a process between walks.
#[derive(Default)]
struct Known {
    row: Process,
    /// As the last walk read it.
    stat: Option<Stat>,
    status: bool,
    /// `status` says that it is a kernel thread.
    kernel_thread: bool,
    cgroup: bool,
    /// The name under which the command line was read.
    cmdline: Option<Comm>,
    /// The same of what it runs and where.
    exe_cwd_environ: Option<Comm>,
    /// The last walk passed it by, because its files were kept open: the row is from before that.
    passed: bool,
    /// The adj beside which the score was read.
    take_breakdowns: Reading<Adj>,
}

/// Whether a remembered score must be read again before anybody believes it. A 0 says that the
/// kernel never chooses this process, which is too grave to be remembered; and a score says
/// nothing beside an adj that is not the one it was computed with.
fn dubious(row: &Process, take_breakdowns: Reading<Adj>) -> bool {
    let spared = row.score == Reading::Value(0);
    let may_be_chosen = row.has_mm && row.adj.value().is_none_or(|adj| adj.0 > -1000);
    (spared && may_be_chosen) || (!row.score.is_not_asked() && row.adj != take_breakdowns)
}

/// What came of visiting a process.
enum Visit {
    Row,
    Gone,
    Unreadable,
}

/// Walks over the processes of one tree, and remembers what it saw.
pub struct ProcessWalk {
    root: Arc<ProcRoot>,
    listing: OwnedFd,
    tools: RowBuffers,
    pids: Vec<i32>,
    /// Sorted by pid.
    known: Vec<Known>,
    /// Room for those that a walk finds for the first time.
    found: Vec<Known>,
    paths: HashMap<Box<[u8]>, Arc<Text>>,
    walk: u32,
    swap_traffic: Option<u64>,
    /// What was looked at when it was last found out what processes run and where.
    looked_at: ProcessFiles,
    /// Reads environments; there once any was asked for.
    environs: Option<EnvironReader>,
}

impl ProcessWalk {
    /// A walker that knows nobody yet.
    ///
    /// # Errors
    ///
    /// When the tree cannot be listed.
    pub fn new(root: Arc<ProcRoot>, machine: &Machine) -> Result<Self, Unreadable> {
        Ok(Self {
            listing: root.listing()?,
            root,
            tools: RowBuffers::on(machine),
            pids: Vec::new(),
            known: Vec::new(),
            found: Vec::new(),
            paths: HashMap::new(),
            walk: 0,
            swap_traffic: None,
            looked_at: ProcessFiles::default(),
            environs: None,
        })
    }

    /// The rows of the last walk, sorted by pid.
    pub fn rows(&self) -> impl Iterator<Item = &Process> {
        self.known.iter().map(|known| &known.row)
    }

    /// Walks once: brings the rows up to date, and puts newly opened files into `opened`. Those
    /// whose files are kept open are only passed by: their rows are from before that, and
    /// `passed` names them, sorted. Gives the number of processes that were seen but could not be
    /// read.
    ///
    /// # Errors
    ///
    /// When the tree cannot be listed.
    pub fn walk(
        &mut self,
        wishes: &WalkRequest,
        opened: &mut Vec<OpenProcess>,
        passed: &mut Vec<ProcId>,
    ) -> Result<u32, Unreadable> {
        passed.clear();
        self.list()?;
        let swapped = self.swap_traffic != Some(wishes.swap_traffic);
        self.swap_traffic = Some(wishes.swap_traffic);

        let pids = std::mem::take(&mut self.pids);
        let mut all = std::mem::take(&mut self.known);
        let mut found = std::mem::take(&mut self.found);
        let mut unreadable = 0;
        // In place, because with many processes a second table would be most of our memory. Pid 0
        // marks who is gone.
        let mut before = all.iter_mut().peekable();
        for &pid in &pids {
            while let Some(gone) = before.next_if(|known| known.row.id.pid < pid) {
                gone.row.id.pid = 0;
            }
            let mut first_seen = Known::default();
            let old = before.next_if(|known| known.row.id.pid == pid);
            let is_old = old.is_some();
            let known = old.unwrap_or(&mut first_seen);
            match self.visit(pid, known, wishes, swapped) {
                Visit::Row => {
                    let id = known.row.id;
                    if wishes.unopened.binary_search(&id).is_ok() {
                        opened.extend(OpenProcess::open(&self.root, id, &mut self.tools));
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
        all.retain(|known| known.row.id.pid != 0);
        if all.is_empty() {
            std::mem::swap(&mut all, &mut found);
        } else {
            all.append(&mut found);
        }
        found.clear();
        found.shrink_to(SPARE);
        if !all.is_sorted_by_key(|known| known.row.id.pid) {
            all.sort_unstable_by_key(|known| known.row.id.pid); // pids began anew
        }
        self.pids = pids;
        self.known = all;
        self.found = found;

        if self.walk.is_multiple_of(ROTATION) {
            self.paths.retain(|_, path| Arc::strong_count(path) > 1);
        }
        self.walk = self.walk.wrapping_add(1);
        Ok(unreadable)
    }

    /// Finds out what processes run and where, as far as that is looked at: of who is new or has
    /// another name, and of the others in turn.
    pub fn read_exe_cwd_environ(&mut self, looks_at: ProcessFiles) {
        let anew = looks_at != self.looked_at;
        self.looked_at = looks_at;
        if looks_at == ProcessFiles::default() {
            if anew {
                self.known.iter_mut().for_each(|known| known.row.exe_cwd_environ = None);
            }
            return;
        }
        let mut whom = Vec::new();
        for known in &mut self.known {
            let row = &mut known.row;
            let turn = row.id.pid.unsigned_abs() % ROTATION == self.walk % ROTATION;
            let same = known.exe_cwd_environ == Some(row.comm) && row.exe_cwd_environ.is_some();
            if row.is_kernel_thread() || (same && !turn && !anew) {
                continue;
            }
            let mut found = exe_cwd_environ(&self.root, row.id.pid, looks_at);
            if looks_at.environ {
                whom.push(row.id);
                // That of another program is worth nothing; of the same one it stays until it is read.
                if let Some(before) = row.exe_cwd_environ.as_ref().filter(|_| same) {
                    found.environ = before.environ.clone();
                }
            }
            if row.exe_cwd_environ.as_deref() != Some(&found) {
                row.exe_cwd_environ = Some(Arc::new(found));
            }
            known.exe_cwd_environ = Some(row.comm);
        }
        if looks_at.environ {
            self.read_environs(whom);
        }
    }

    /// Has environments read, and takes what is there, also of who was asked for before.
    fn read_environs(&mut self, whom: Vec<ProcId>) {
        let start = || EnvironReader::start(Arc::clone(&self.root));
        self.environs = self.environs.take().or_else(start);
        let Some(environs) = &mut self.environs else { return };
        let known = &mut self.known;
        environs.read(whom, |who, read| {
            let at = known.binary_search_by_key(&who.pid, |known| known.row.id.pid);
            let row = at.ok().and_then(|at| known.get_mut(at)).map(|known| &mut known.row);
            let row = row.filter(|row| row.id == who);
            let there = row.and_then(|row| row.exe_cwd_environ.as_mut());
            if let Some(there) = there.filter(|there| there.environ != read) {
                Arc::make_mut(there).environ = read;
            }
        });
    }

    /// Finds the pids, in order.
    fn list(&mut self) -> Result<(), Unreadable> {
        self.pids.clear();
        let lost = |errno: rustix::io::Errno| self.root.unreadable("", &errno.to_string());
        seek(&self.listing, SeekFrom::Start(0)).map_err(lost)?;
        let mut names = RawDir::new(&self.listing, self.tools.entries.spare_capacity_mut());
        while let Some(name) = names.next() {
            self.pids.extend(number(name.map_err(lost)?.file_name()));
        }
        if !self.pids.is_sorted() {
            self.pids.sort_unstable(); // procfs lists them in order, a folder does not
        }
        self.pids.dedup();
        Ok(())
    }

    /// Brings what is known of a process up to date.
    fn visit(&mut self, pid: i32, known: &mut Known, wishes: &WalkRequest, swapped: bool) -> Visit {
        let root = Arc::clone(&self.root);
        let files = OpenByPath { root: &root, pid };
        let turn = pid.unsigned_abs() % ROTATION == self.walk % ROTATION;
        if wishes.kept.binary_search(&known.row.id).is_ok() {
            // What happens meanwhile is not seen here, so nothing counts as unchanged afterwards.
            known.passed = true;
            return self.places(known, wishes, turn || wishes.members);
        }

        let stat = match self.tools.stat(&files) {
            Ok(stat) if stat.pid == pid => stat,
            Err(FileAbsence::Gone) => return Visit::Gone,
            _ => return Visit::Unreadable,
        };
        let id = ProcId { pid, born: stat.born };
        if known.row.id != id {
            *known = Known::default();
        }
        let listed = wishes.listed.binary_search(&id).is_ok();
        // Whoever is asked for by name, or was out of sight, is read whole.
        let whole = turn || listed || std::mem::take(&mut known.passed);
        let changed = known.stat != Some(stat);
        take_stat(&mut known.row, &stat);
        known.stat = Some(stat);
        if known.kernel_thread {
            known.row.flags |= Process::PF_KTHREAD;
        }
        // Nothing of interest changes in a kernel thread, and nothing can choose it.
        let idle = known.row.is_kernel_thread();

        if !wishes.status {
            if known.status {
                forget_status(&mut known.row);
                known.status = false;
            }
        } else if !known.status || (!idle && (whole || changed || swapped)) {
            let status = self.tools.status(&files);
            if status == Err(FileAbsence::Gone) && !self.tools.still_there(&root, id) {
                return Visit::Gone;
            }
            known.kernel_thread = status.is_ok_and(|status| status.kernel_thread);
            take_status(&mut known.row, status, self.tools.page);
            known.status = true;
        }
        let row = &mut known.row;
        if lost_its_leader(row)
            && let Some((stat, status)) = self.tools.living_thread(&root, pid, wishes.status)
        {
            take_thread(row, &stat, status.as_ref(), self.tools.page);
        }
        row.has_mm = has_mm(row);

        if !idle || row.adj.is_not_asked() {
            let adj = self.tools.adj(&files);
            if adj == Err(FileAbsence::Gone) && !self.tools.still_there(&root, id) {
                return Visit::Gone;
            }
            row.adj = reading(adj);
        }
        row.score_fresh = false;
        if !wishes.scores {
            row.score = Reading::NotAsked;
        } else if (!idle || row.score.is_not_asked())
            && (whole || wishes.all_scores || dubious(row, known.take_breakdowns))
        {
            let score = self.tools.score(&files);
            if score == Err(FileAbsence::Gone) && !self.tools.still_there(&root, id) {
                return Visit::Gone;
            }
            row.score = reading(score);
            row.score_fresh = fresh(row, wishes.status);
            known.take_breakdowns = row.adj;
        }
        self.places(known, wishes, (whole || wishes.members) && !idle)
    }

    /// Cgroup and command line: facts that no arithmetic rests on.
    fn places(&mut self, known: &mut Known, wishes: &WalkRequest, turn: bool) -> Visit {
        let id = known.row.id;
        let mut doubt = false;
        if !wishes.cgroup {
            known.row.cgroup = Reading::NotAsked;
            known.cgroup = false;
        } else if turn || !known.cgroup {
            let place = self.cgroup(id.pid);
            doubt |= place == Err(FileAbsence::Gone);
            known.row.cgroup = reading(place);
            known.cgroup = true;
        }
        if !wishes.cmdline {
            known.row.cmdline = Reading::NotAsked;
            known.cmdline = None;
        } else if known.cmdline != Some(known.row.comm) {
            let line = lookup::line(&self.root, id.pid, &mut self.tools.buffer);
            let line = line.map(Arc::new).map_err(FileAbsence::from);
            doubt |= line == Err(FileAbsence::Gone);
            known.row.cmdline = reading(line);
            known.cmdline = Some(known.row.comm);
        }
        if doubt && !self.tools.still_there(&self.root, id) { Visit::Gone } else { Visit::Row }
    }

    /// The path, sharing the text with every process at the same place.
    fn cgroup(&mut self, pid: i32) -> Result<Arc<Text>, FileAbsence> {
        let path = ProcPath::of(pid, "cgroup");
        let bytes = self.tools.buffer.read(&self.root, path.as_c_str())?;
        let place = parse::memory_cgroup(bytes).ok_or(FileAbsence::Missing)?;
        if let Some(text) = self.paths.get(place) {
            return Ok(Arc::clone(text));
        }
        let text = Arc::new(Text::new(place));
        self.paths.insert(place.into(), Arc::clone(&text));
        Ok(text)
    }
}
