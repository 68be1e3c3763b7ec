//! Samples of the live machine.
//!
//! A sample takes two threads. The walk thread goes over all processes; that opens files, and so it may
//! stall for minutes when memory is short. The caller's thread reads files that are kept open: the
//! system-wide files and those of the top candidates. If the walk is late, the snapshot consists of the
//! last complete walk and of the top candidates as they are now.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TryRecvError};
use std::time::{Duration, Instant, SystemTime};

use super::{Source, SourceError};
use crate::model::{
    BpfOom, Cgroups, Clock, InstalledKillers, LogLine, LogLines, Machine, MemoryHolders, Needs,
    Privileges, ProcId, Process, ProcessFiles, ProcessSampler, ScanAge, Snapshot, Text, VmCounters,
    global_total,
};
use crate::sample::Unreadable;
use crate::sample::daemon::reader::is_name_of_killer;
use crate::sample::machine::oom_score_scale::SourceEvidence;
use crate::sample::machine::privileges::privileges;
use crate::sample::machine::system::{SystemFiles, SystemSample};
use crate::sample::machine::{host, oom_score_scale};
use crate::sample::proc_root::ProcRoot;
use crate::sample::process::bpf::BpfUnavailable;
use crate::sample::process::bpf::task_rows::TaskRows;
use crate::sample::process::open_files::{OpenFiles, budget};
use crate::sample::process::row_list::make_room;
use crate::sample::process::row_lookup::RowLookup;
use crate::sample::process::walk::ProcessWalk;
use crate::sample::process::walk_request::{WalkCounters, WalkRequest};
use crate::source::lazy_free::LazyFree;
use crate::source::side_job::SideJob;
use crate::source::side_readers::{RareFactsJob, SideReaders};
use crate::source::walk_thread;
use crate::source::walk_thread::{WalkJob, millis};
use crate::units::{Millis, Pages};

/// How long the first sample waits for the facts that are rarely read.
const FIRST_FACTS: Duration = Duration::from_secs(1);

/// A sample that takes longer than this reads the system-wide files again at its end: growth is measured between the
/// clocks of two samples, and the clock tells when a sample ended.
const SLOW: Duration = Duration::from_millis(100);

/// How long a sample waits for the walk over all processes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ScanPatience {
    /// Until it is done: for a single complete sample.
    Forever,
    /// This many milliseconds; then the sample uses the last complete walk. The first sample waits until
    /// the walk is done.
    Millis(u64),
}

/// How the processes are to be read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SamplerChoice {
    /// By BPF if the kernel and the rights allow it, otherwise from `/proc`.
    #[default]
    Auto,
    /// By BPF, or not at all.
    Bpf,
    /// From `/proc`.
    Proc,
}

/// The live machine, or a directory tree that looks like one.
pub struct LiveSource {
    root: Arc<ProcRoot>,
    patience: ScanPatience,
    started: Instant,
    samples: u64,
    machine: Arc<Machine>,
    /// What the kernel's scores say about which file its OOM killer takes resident sizes from.
    evidence: SourceEvidence,
    /// Whether the scale of `oom_score` is known.
    calibrated: bool,
    privileges: Privileges,
    users: Arc<BTreeMap<u32, Text>>,
    /// Lines of logs for the next sample.
    log: LogLines,
    files: SystemFiles,
    kept: OpenFiles,
    /// The rows by the kernel's task list; `None` if they are read from files.
    tasks: Option<TaskRows>,
    /// What else is read while the rows come from the task list.
    beside: Option<SideReaders>,
    /// What must be read from files, while the walk thread has the job.
    lookups: Vec<RowLookup>,
    /// What the table needs to know of a sample.
    request: WalkRequest,
    /// Whether the last sample read `status`; [`Source::sample_again`] does the same.
    status: bool,
    jobs: SyncSender<WalkJob>,
    done: Receiver<WalkJob>,
    /// The job, while it is not with the walk thread.
    job: Option<WalkJob>,
    /// The rows of the last complete walk. Those of processes with open files are from the last sample.
    rows: Vec<Process>,
    /// Buffer for the rows of processes that a walk skipped.
    carried: Vec<Process>,
    /// As of the last walk.
    cgroups: Arc<Cgroups>,
    /// As of the last walk that looked for them, at most half a minute before it.
    killers: Arc<InstalledKillers>,
    /// Reads the next two.
    rare_facts: SideJob<RareFactsJob>,
    /// Not much older than ten seconds.
    bpf_oom: Arc<BpfOom>,
    /// Not much older than half a minute.
    holders: Arc<MemoryHolders>,
    /// What processes gave back.
    lazy_free: LazyFree,
    unreadable: u32,
    /// Begin of the last complete walk, and the number of the sample that asked for it.
    walked: Option<(Instant, u64)>,
}

impl LiveSource {
    /// Opens the system-wide files and starts the walk thread. The processes are read from files.
    ///
    /// # Errors
    ///
    /// `/proc` cannot be listed, or the thread cannot be started.
    pub fn start(root: ProcRoot, patience: ScanPatience) -> Result<Self, SourceError> {
        Self::start_with(root, patience, SamplerChoice::Proc)
    }

    /// The same with a choice of the sampler.
    ///
    /// # Errors
    ///
    /// As [`Self::start`]; with [`SamplerChoice::Bpf`] also if that does not work here.
    pub fn start_with(
        root: ProcRoot,
        patience: ScanPatience,
        sampler: SamplerChoice,
    ) -> Result<Self, SourceError> {
        let root = Arc::new(root);
        let mut machine = host::machine(&root);
        let own_scale = oom_score_scale::own_scale(&root);
        machine.score_scale = own_scale.unwrap_or(machine.score_scale);
        let tasks = match sampler {
            SamplerChoice::Proc => None,
            SamplerChoice::Auto | SamplerChoice::Bpf => match TaskRows::start(&root, &machine) {
                Ok(tasks) => Some(tasks),
                Err(why) if sampler == SamplerChoice::Bpf => return Err(SourceError::NoBpf(why)),
                Err(why) => {
                    machine.sampler = read_from_files(why);
                    None
                }
            },
        };
        if let Some(tasks) = &tasks {
            machine.sampler = tasks.sampler();
        }

        let beside = tasks.as_ref().map(|_| SideReaders::start(&root)).transpose()?;
        let walker = ProcessWalk::new(Arc::clone(&root), &machine)?;
        let rare_facts = RareFactsJob::start(&root, machine.page_size)?;
        let (jobs, done) = walk_thread::start()?;
        let lazy_free = LazyFree::new(Arc::clone(&root), machine.page_size);
        let started = Instant::now();
        Ok(Self {
            privileges: privileges(&root),
            files: SystemFiles::open(&root),
            root: Arc::clone(&root),
            patience,
            started,
            samples: 0,
            evidence: SourceEvidence::default(),
            calibrated: own_scale.is_some(),
            users: Arc::default(),
            log: LogLines::default(),
            kept: OpenFiles::new(&machine, budget()),
            machine: Arc::new(machine),
            tasks,
            beside,
            lookups: Vec::new(),
            request: WalkRequest::default(),
            status: false,
            jobs,
            done,
            job: Some(WalkJob::new(root, walker, started)),
            rows: Vec::new(),
            carried: Vec::new(),
            cgroups: Arc::default(),
            killers: Arc::default(),
            rare_facts,
            bpf_oom: Arc::default(),
            holders: Arc::default(),
            lazy_free,
            unreadable: 0,
            walked: None,
        })
    }

    /// The machine's constants.
    #[must_use]
    pub fn machine(&self) -> &Machine {
        &self.machine
    }

    /// Zero of the clock of the samples ([`Clock::monotonic_ms`]).
    #[must_use]
    pub const fn started(&self) -> Instant {
        self.started
    }

    /// What the user of this process may do.
    #[must_use]
    pub fn privileges(&self) -> Privileges {
        self.privileges
    }

    /// Sets whether doomtop's memory is locked, which later snapshots report.
    pub fn memory_locked(&mut self, locked: bool) {
        self.privileges.memory_locked = locked;
    }

    /// Takes the rows of a walk. Rows of skipped processes are old there, so those of the last sample stay;
    /// a skipped process without such a row has exited meanwhile.
    fn take_rows(&mut self, walker: &ProcessWalk, skipped: &[ProcId]) {
        self.carried.clear();
        for &id in skipped {
            self.carried.extend(position(&self.rows, id).map(|at| self.rows[at].clone()));
        }
        self.rows.clear();
        let rows = walker.rows();
        make_room(&mut self.rows, rows.len());
        self.rows.extend(rows.cloned());
        for &id in skipped {
            let Some(at) = position(&self.rows, id) else { continue };
            let Some(carried) = position(&self.carried, id) else {
                self.rows.remove(at);
                continue;
            };
            let (row, newer) = (&mut self.rows[at], &mut self.carried[carried]);
            std::mem::swap(row, newer);
            // The walk reads these three also for skipped processes.
            std::mem::swap(&mut row.cgroup, &mut newer.cgroup);
            std::mem::swap(&mut row.cmdline, &mut newer.cmdline);
            std::mem::swap(&mut row.exe_cwd_environ, &mut newer.exe_cwd_environ);
        }
        self.carried.clear();
    }

    /// Takes the result of a walk.
    fn accept(&mut self, mut job: WalkJob) -> Result<(), SourceError> {
        let walk = std::mem::replace(&mut job.unreadable, Ok(0));
        self.kept.take(&mut job.opened);
        if job.files.active {
            self.take_files(&mut job);
        } else {
            self.cgroups = Arc::clone(job.reader.last());
            self.killers = Arc::clone(job.killers.last());
        }
        if !job.files.active && walk.is_ok() {
            self.take_rows(&job.walker, &job.skipped);
        }
        if walk.is_ok() {
            self.walked = Some((job.began, job.sample));
        }
        self.job = Some(job);
        self.unreadable = walk?;
        Ok(())
    }

    /// Waits for the walk until the given time. Returns whether it is done.
    fn wait(&mut self, until: Option<Instant>) -> Result<bool, SourceError> {
        let job = match until {
            None => self.done.recv().map_err(|_| SourceError::WalkThread)?,
            Some(until) => {
                let left = until.saturating_duration_since(Instant::now());
                let result = if left.is_zero() {
                    self.done.try_recv().map_err(|error| match error {
                        TryRecvError::Empty => RecvTimeoutError::Timeout,
                        TryRecvError::Disconnected => RecvTimeoutError::Disconnected,
                    })
                } else {
                    self.done.recv_timeout(left)
                };
                match result {
                    Ok(job) => job,
                    Err(RecvTimeoutError::Timeout) => return Ok(false),
                    Err(RecvTimeoutError::Disconnected) => return Err(SourceError::WalkThread),
                }
            }
        };
        self.accept(job)?;
        Ok(true)
    }

    /// When waiting for a walk ends; `None` if it does not.
    fn deadline(&self) -> Option<Instant> {
        match self.patience {
            ScanPatience::Millis(most) if self.walked.is_some() => {
                Some(Instant::now() + Duration::from_millis(most))
            }
            _ => None,
        }
    }

    /// Orders a walk and waits for it as long as `patience` says.
    fn walk(&mut self, needs: &Needs, system: &SystemSample) -> Result<(), SourceError> {
        let until = self.deadline();
        // A walk that an earlier sample did not wait for comes first: there is only one walk at a time.
        if self.job.is_none() && !self.wait(until)? {
            return Ok(());
        }
        if let Some(mut job) = self.job.take() {
            job.files.active = false;
            let (kept, unopened) = (self.kept.ids(), self.kept.unopened());
            job.request.set(needs, kept, unopened, counters_of(system));
            if !self.calibrated {
                job.request.for_calibration();
            }
            job.cgroup_needs = needs.cgroups;
            job.exe_cwd_environ = needs.exe_cwd_environ;
            job.sample = self.samples;
            self.jobs.send(job).map_err(|_| SourceError::WalkThread)?;
        }
        self.wait(until).map(|_| ())
    }

    /// Updates the rows from the kernel's task list, and orders the walk thread to read what it does not
    /// tell. If that thread is late, the rows are still as of now.
    fn read_tasks(&mut self, needs: &Needs, system: &SystemSample) -> Result<(), SourceError> {
        let until = self.deadline();
        if self.job.is_none() {
            self.wait(Some(Instant::now()))?;
        }
        let Some(tasks) = &mut self.tasks else { return Ok(()) };
        let none = std::iter::empty();
        self.request.set(needs, none.clone(), none, counters_of(system));
        if !self.calibrated {
            self.request.for_calibration();
        }
        let mut update = tasks.update(&mut self.rows, &self.request, &mut self.lookups);
        if update == Err(BpfUnavailable::Full) && tasks.grow(&self.root, &self.machine).is_ok() {
            update = tasks.update(&mut self.rows, &self.request, &mut self.lookups);
        }
        if let Err(why) = update {
            // Too many processes for the table, or it leaves out too many.
            (self.tasks, self.beside) = (None, None);
            Arc::make_mut(&mut self.machine).sampler = read_from_files(why);
            return self.walk(needs, system);
        }
        let lists = tasks.wants_listing();
        self.begin_beside(needs);
        if let Some(mut job) = self.job.take() {
            self.fill_files_job(&mut job, needs, lists);
            self.jobs.send(job).map_err(|_| SourceError::WalkThread)?;
            self.wait(until)?;
        }
        self.take_beside(until);
        // Growing allocates, so it is done while there is memory. Failing is no loss.
        let memory = &system.meminfo.memory;
        let plenty = !memory.is_short();
        if let Some(tasks) = self.tasks.as_mut().filter(|it| plenty && it.is_crowded()) {
            let _ = tasks.grow(&self.root, &self.machine);
        }
        Ok(())
    }

    /// Begins to read the cgroups and to look for killers, where the last time is over.
    fn begin_beside(&mut self, needs: &Needs) {
        self.take_beside(Some(Instant::now()));
        let Some(beside) = &mut self.beside else { return };
        let now = millis(self.started.elapsed());
        let (cgroups, with_io) = (needs.cgroups, !self.killers.oomd.options.devices.is_empty());
        beside.cgroups.begin(|job| {
            (job.needs, job.now) = (cgroups, now);
            job.reader.set_read_io(with_io);
        });
        let rows = &self.rows;
        beside.killers.begin(|job| {
            job.now = now;
            job.rows.clear();
            job.rows.extend(rows.iter().filter(|row| is_name_of_killer(&row.comm)).cloned());
        });
    }

    /// Waits for both until then, and takes what was read.
    fn take_beside(&mut self, until: Option<Instant>) {
        let Some(beside) = &mut self.beside else { return };
        if let Some(job) = beside.cgroups.wait(until) {
            self.cgroups = Arc::clone(job.reader.last());
        }
        if let Some(job) = beside.killers.wait(until) {
            self.killers = Arc::clone(job.reader.last());
        }
    }

    /// Takes the facts that are rarely read. Only the first sample waits for them: without limit if it is the only one.
    fn take_rare_facts(&mut self) {
        let until = match self.patience {
            ScanPatience::Forever if self.samples == 1 => None,
            ScanPatience::Millis(_) if self.samples == 1 => Some(Instant::now() + FIRST_FACTS),
            _ => Some(Instant::now()),
        };
        if let Some(job) = self.rare_facts.wait(until) {
            self.holders = Arc::clone(job.holders.last());
            self.bpf_oom = Arc::clone(job.bpf_oom.last());
        }
    }

    /// Tells the walk thread what to read from files.
    fn fill_files_job(&mut self, job: &mut WalkJob, needs: &Needs, lists: bool) {
        let files = &mut job.files;
        files.active = true;
        std::mem::swap(&mut files.lookups, &mut self.lookups);
        files.known.clear();
        if lists {
            files.known.extend(self.rows.iter().map(|row| row.id.pid));
            let others = self.tasks.as_ref().map(TaskRows::others).unwrap_or_default();
            files.known.retain(|&pid| others.iter().all(|other| other.pid != pid));
        }
        files.others.clear();
        files.rules = self.killers.needed_files();
        files.named.clear();
        // Also once after they were needed, so that they are forgotten.
        let read = self.rows.first().is_some_and(|row| row.exe_cwd_environ.is_some());
        if read || needs.exe_cwd_environ && self.killers.needed_files() != ProcessFiles::default() {
            let named = self.rows.iter().map(|row| (row.id, row.comm, row.flags));
            files.named.extend(named);
        }
        job.cgroup_needs = needs.cgroups;
        job.exe_cwd_environ = needs.exe_cwd_environ;
        job.sample = self.samples;
    }

    /// Takes what the walk thread read from files.
    fn take_files(&mut self, job: &mut WalkJob) {
        let Some(tasks) = &mut self.tasks else { return };
        let in_time = job.sample == self.samples;
        tasks.apply(&mut self.rows, &mut job.files.lookups, in_time);
        if !job.files.known.is_empty() {
            tasks.take_others(&mut self.rows, &mut job.files.others);
        }
        for read in job.walker.rows() {
            if let Some(at) = position(&self.rows, read.id) {
                self.rows[at].exe_cwd_environ.clone_from(&read.exe_cwd_environ);
            }
        }
    }

    /// Finds the scale of `oom_score` once, by comparing computed with real scores.
    fn calibrate(&mut self, total: Pages) {
        if self.calibrated {
            return;
        }
        self.calibrated = true;
        if let Some(scale) = oom_score_scale::calibrate(&self.rows, &self.machine, total) {
            Arc::make_mut(&mut self.machine).score_scale = scale;
        }
    }

    /// Changes to the file that the kernel's scores agree with, if it is not the one that the kernel
    /// version suggests.
    fn choose_rss_source(&mut self, total: Pages) {
        self.evidence.weigh(&self.rows, &self.machine, total);
        let by_version = host::rss_source(self.machine.kernel_version());
        let source = self.evidence.verdict(by_version);
        if source != self.machine.rss_source {
            Arc::make_mut(&mut self.machine).rss_source = source;
        }
    }

    /// Fills a snapshot with the present state; the memory of its lists is used again.
    fn fill(&mut self, sample: &mut Snapshot, system: SystemSample, now: Instant) {
        let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        sample.clock = Clock {
            unix_ms: i64::try_from(since.as_millis()).unwrap_or(i64::MAX),
            monotonic_ms: millis(now - self.started),
            uptime_ticks: system.uptime,
        };
        sample.load = system.load;
        sample.memory = system.meminfo.memory;
        sample.swap = system.swap;
        sample.memory_uses = system.uses;
        sample.memory_holders = Arc::clone(&self.holders);
        sample.bpf_oom = Arc::clone(&self.bpf_oom);
        sample.overcommit = system.overcommit;
        sample.sysctls = system.sysctls;
        sample.pressure = system.pressure;
        sample.traffic = system.traffic;
        sample.privileges = self.privileges;
        sample.machine = Arc::clone(&self.machine);
        sample.cgroups = Arc::clone(&self.cgroups);
        sample.killers = Arc::clone(&self.killers);
        sample.users = Arc::clone(&self.users);
        sample.usage_readings.clear();
        let log = self.log.take();
        if !log.is_empty() || !sample.log.is_empty() {
            sample.log = Arc::new(log);
        }
        sample.processes.clear();
        make_room(&mut sample.processes, self.rows.len());
        sample.processes.extend_from_slice(&self.rows);
    }
}

fn counters_of(system: &SystemSample) -> WalkCounters {
    WalkCounters {
        swap_traffic: system.swap_traffic(),
        total: system.meminfo.memory.total_kib + system.swap.total_kib,
        gained_pages: system.gained_pages,
        last_pid: system.last_pid,
    }
}

/// The files of `/proc` as the sampler, because BPF is not available.
fn read_from_files(why: BpfUnavailable) -> ProcessSampler {
    ProcessSampler::Proc { why: Some(Text::new(why.to_string().as_bytes())) }
}

/// Index of this process in rows that are sorted by pid.
fn position(rows: &[Process], id: ProcId) -> Option<usize> {
    let at = rows.binary_search_by_key(&id.pid, |row| row.id.pid).ok()?;
    (rows[at].id == id).then_some(at)
}

impl Source for LiveSource {
    fn sample(
        &mut self,
        needs: &Needs,
        spent: Option<Arc<Snapshot>>,
    ) -> Result<Arc<Snapshot>, SourceError> {
        self.samples += 1;
        self.status = needs.status;
        let began = Instant::now();
        self.rare_facts.begin(|job| job.now = millis(began - self.started));
        let mut system = self.files.read(&self.root, &self.machine)?;
        self.lazy_free.begin(system.lazy_freed, &needs.may_die);
        if let Some(tasks) = &self.tasks {
            self.kept.close_others(tasks.others());
            self.read_tasks(needs, &system)?;
        } else {
            self.kept.close_others(&needs.keep);
            self.walk(needs, &system)?;
        }
        let page = self.machine.page_size;
        let total = global_total(&system.meminfo.memory, &system.swap, page);
        self.calibrate(total);
        let walked = self.walked.is_some_and(|(_, sample)| sample == self.samples);
        let in_time = walked || self.tasks.is_some();
        if !in_time {
            // These scores belong to the sizes of an earlier sample.
            self.rows.iter_mut().for_each(|row| row.score_fresh = false);
        }
        // Into `rows`, so that a process whose files are closed later keeps its last row.
        let refreshed = self.kept.refresh(&self.root, needs, walked, &mut self.rows);
        let unreadable = self.unreadable + refreshed;

        self.choose_rss_source(total);
        self.take_rare_facts();

        if self.rows.is_empty() && unreadable > 0 {
            let why = format!(
                "none of {unreadable} processes could be read; is the limit of open files too low?"
            );
            return Err(Unreadable { what: "/proc/PID/stat".to_owned(), why }.into());
        }

        if began.elapsed() > SLOW
            && let Ok(now) = self.files.read(&self.root, &self.machine)
        {
            // A kill that is counted while its victim may still be among the rows belongs to the next sample.
            let oom_kills = system.traffic.oom_kills;
            system = SystemSample { traffic: VmCounters { oom_kills, ..now.traffic }, ..now };
        }

        let mut snapshot = spent.unwrap_or_default();
        if Arc::get_mut(&mut snapshot).is_none() {
            snapshot = Arc::default(); // still in use elsewhere
        }
        if let Some(sample) = Arc::get_mut(&mut snapshot) {
            let now = Instant::now();
            let stale_ms = match self.walked {
                Some((began, _)) if !in_time => Millis(millis(now - began).0.max(1)),
                _ => Millis::ZERO,
            };
            sample.scan = ScanAge { stale_ms, unreadable };
            self.fill(sample, system, now);
            self.lazy_free.store(&mut sample.processes, &needs.may_die);
        }
        Ok(snapshot)
    }

    /// Reads only these processes again, each completely and back to back with its score. Processes that
    /// have exited are removed from the snapshot.
    fn sample_again(&mut self, ids: &[ProcId], snapshot: &mut Snapshot) {
        for &id in ids {
            let Some(at) = snapshot.position(id.pid).filter(|&at| snapshot.processes[at].id == id)
            else {
                continue;
            };
            let exists = self.kept.again(&self.root, self.status, &mut snapshot.processes[at]);
            // If the walk of the next sample is late, it must not show older rows than this one.
            match position(&self.rows, id) {
                Some(own) if exists => self.rows[own].clone_from(&snapshot.processes[at]),
                Some(own) => drop(self.rows.remove(own)),
                None => {}
            }
            if !exists {
                snapshot.processes.remove(at);
            }
        }
    }

    fn learn_users(&mut self, users: Arc<BTreeMap<u32, Text>>) {
        self.users = users;
    }

    fn add_log(&mut self, lines: Vec<LogLine>) {
        lines.into_iter().for_each(|line| self.log.push(line));
    }
}
