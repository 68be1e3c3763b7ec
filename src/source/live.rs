//! The machine as it is now.
//!
//! A look is made by two threads. The *walker* goes over all processes, which opens files, and so
//! may stall for minutes when memory is gone. The caller's own thread reads what is kept open: the
//! system-wide files and the files of the top candidates. When the walker is late, the snapshot is
//! made of its last complete walk with the top candidates as they are right now.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TryRecvError, sync_channel};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use super::{Source, SourceError};
use crate::model::{
    CgroupNeeds, Cgroups, Clock, InstalledKillers, Machine, Needs, Privileges, ProcId, Process,
    ScanAge, Snapshot, Text, global_total,
};
use crate::sample::Unreadable;
use crate::sample::cgroup::reader::CgroupReader;
use crate::sample::daemon::reader::KillerReader;
use crate::sample::machine::calibration::SourceEvidence;
use crate::sample::machine::privileges::privileges;
use crate::sample::machine::system::{SystemFiles, SystemSample};
use crate::sample::machine::{calibration, host};
use crate::sample::proc_root::ProcRoot;
use crate::sample::process::open_files::{OpenFiles, OpenProcess, budget};
use crate::sample::process::walk::{ProcessWalk, WalkRequest};
use crate::units::{Millis, Pages};

/// How long a look waits for the walk over all processes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ScanPatience {
    /// Until it is done: for one thorough look.
    Forever,
    /// So many milliseconds; then the last complete walk has to do. The first look waits as long
    /// as it takes.
    Millis(u64),
}

/// What travels to the walker's thread and back, the walker included: whoever has it may read the
/// rows, so that there is one table for both. There is one errand, and its room is used again and
/// again.
struct Errand {
    walker: ProcessWalk,
    wishes: WalkRequest,
    reader: CgroupReader,
    killers: KillerReader,
    root: Arc<ProcRoot>,
    cgroup_needs: CgroupNeeds,
    /// Whether it is to be found out what processes run and where, if rules look at that.
    exe_cwd_environ: bool,
    /// Where the snapshot's monotonic clock begins.
    started: Instant,
    /// When the walk began.
    began: Instant,
    /// Which look sent it.
    sample: u64,
    opened: Vec<OpenProcess>,
    /// Those whose rows are older than what was read through kept files.
    passed: Vec<ProcId>,
    unreadable: Result<u32, Unreadable>,
}

/// The walker's end: one errand after the other, until nobody sends any.
fn run(errands: &Receiver<Errand>, done: &SyncSender<Errand>) {
    while let Ok(mut errand) = errands.recv() {
        errand.began = Instant::now();
        let Errand { walker, wishes, opened, passed, .. } = &mut errand;
        errand.unreadable = walker.walk(wishes, opened, passed);
        let now = millis(errand.started.elapsed());
        errand.reader.set_read_io(!errand.killers.last().oomd.options.devices.is_empty());
        errand.reader.read(errand.cgroup_needs, now);
        errand.killers.read(&errand.root, errand.walker.rows(), now);
        let rules = errand.exe_cwd_environ.then(|| errand.killers.last().needed_files());
        errand.walker.read_exe_cwd_environ(rules.unwrap_or_default());
        if done.send(errand).is_err() {
            break;
        }
    }
}

/// The live machine, or a folder that looks like one.
pub struct LiveSource {
    root: Arc<ProcRoot>,
    patience: ScanPatience,
    started: Instant,
    samples: u64,
    machine: Arc<Machine>,
    /// What the scores say of the two files that tell resident sizes.
    evidence: SourceEvidence,
    /// The scale of `oom_score` was found by comparing, or by the best guess after comparing.
    calibrated: bool,
    privileges: Privileges,
    users: Arc<BTreeMap<u32, Text>>,
    files: SystemFiles,
    kept: OpenFiles,
    /// Whether the last look needed `status`; a second look does as it did.
    status: bool,
    errands: SyncSender<Errand>,
    done: Receiver<Errand>,
    /// The errand, while it is here and not with the walker.
    errand: Option<Errand>,
    /// The rows of the last complete walk; those of kept processes as the last look read them.
    rows: Vec<Process>,
    /// Room for the rows of those that a walk passed by.
    carried: Vec<Process>,
    /// As the last complete walk found them.
    cgroups: Arc<Cgroups>,
    /// As the last walk but for half a minute found them.
    killers: Arc<InstalledKillers>,
    unreadable: u32,
    walked: Option<(Instant, u64)>,
}

impl LiveSource {
    /// Opens the system-wide files and starts the walker.
    ///
    /// # Errors
    ///
    /// When the tree cannot be listed, or no thread can be started.
    pub fn start(root: ProcRoot, patience: ScanPatience) -> Result<Self, SourceError> {
        let root = Arc::new(root);
        let mut machine = host::machine(&root);
        let own_scale = calibration::own_scale(&root);
        machine.score_scale = own_scale.unwrap_or(machine.score_scale);

        let walker = ProcessWalk::new(Arc::clone(&root), &machine)?;
        let (errands, inbox) = sync_channel(1);
        let (outbox, done) = sync_channel(1);
        thread::Builder::new()
            .name("walker".to_owned())
            .spawn(move || run(&inbox, &outbox))
            .map_err(|_| SourceError::WalkThread)?;

        let started = Instant::now();
        let reader = CgroupReader::new(Arc::clone(&root));
        let killers = KillerReader::new(root.filesystem());
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
            kept: OpenFiles::new(&machine, budget()),
            machine: Arc::new(machine),
            status: false,
            errands,
            done,
            errand: Some(Errand {
                walker,
                wishes: WalkRequest::default(),
                reader,
                killers,
                root,
                cgroup_needs: CgroupNeeds::Nothing,
                exe_cwd_environ: false,
                started,
                began: started,
                sample: 0,
                opened: Vec::new(),
                passed: Vec::new(),
                unreadable: Ok(0),
            }),
            rows: Vec::new(),
            carried: Vec::new(),
            cgroups: Arc::default(),
            killers: Arc::default(),
            unreadable: 0,
            walked: None,
        })
    }

    /// The machine's constants.
    #[must_use]
    pub fn machine(&self) -> &Machine {
        &self.machine
    }

    /// What this user may do here.
    #[must_use]
    pub fn privileges(&self) -> Privileges {
        self.privileges
    }

    /// Says whether this program's memory is locked; the snapshots tell.
    pub fn memory_locked(&mut self, locked: bool) {
        self.privileges.memory_locked = locked;
    }

    /// Takes the walker's rows. Those that it passed by are ancient there: they stay as they were
    /// read last, and who is no longer among them has died meanwhile.
    fn take_rows(&mut self, walker: &ProcessWalk, passed: &[ProcId]) {
        self.carried.clear();
        for &id in passed {
            self.carried.extend(position(&self.rows, id).map(|at| self.rows[at].clone()));
        }
        self.rows.clear();
        self.rows.extend(walker.rows().cloned());
        for &id in passed {
            let Some(at) = position(&self.rows, id) else { continue };
            let Some(carried) = position(&self.carried, id) else {
                self.rows.remove(at);
                continue;
            };
            let (row, newer) = (&mut self.rows[at], &mut self.carried[carried]);
            std::mem::swap(row, newer);
            // These three are the walker's to read, whoever keeps the other files.
            std::mem::swap(&mut row.cgroup, &mut newer.cgroup);
            std::mem::swap(&mut row.cmdline, &mut newer.cmdline);
            std::mem::swap(&mut row.exe_cwd_environ, &mut newer.exe_cwd_environ);
        }
        self.carried.clear();
    }

    /// Takes what the walker brought.
    fn accept(&mut self, mut errand: Errand) -> Result<(), SourceError> {
        let walk = std::mem::replace(&mut errand.unreadable, Ok(0));
        self.kept.take(&mut errand.opened);
        self.cgroups = Arc::clone(errand.reader.last());
        self.killers = Arc::clone(errand.killers.last());
        if walk.is_ok() {
            self.take_rows(&errand.walker, &errand.passed);
            self.walked = Some((errand.began, errand.sample));
        }
        self.errand = Some(errand);
        self.unreadable = walk?;
        Ok(())
    }

    /// Waits until then for the walker. Whether it came.
    fn wait(&mut self, until: Option<Instant>) -> Result<bool, SourceError> {
        let errand = match until {
            None => self.done.recv().map_err(|_| SourceError::WalkThread)?,
            Some(until) => {
                let left = until.saturating_duration_since(Instant::now());
                let came = if left.is_zero() {
                    self.done.try_recv().map_err(|error| match error {
                        TryRecvError::Empty => RecvTimeoutError::Timeout,
                        TryRecvError::Disconnected => RecvTimeoutError::Disconnected,
                    })
                } else {
                    self.done.recv_timeout(left)
                };
                match came {
                    Ok(errand) => errand,
                    Err(RecvTimeoutError::Timeout) => return Ok(false),
                    Err(RecvTimeoutError::Disconnected) => return Err(SourceError::WalkThread),
                }
            }
        };
        self.accept(errand)?;
        Ok(true)
    }

    /// Has the walker walk, and waits as long as patience lasts.
    fn walk(&mut self, needs: &Needs, system: &SystemSample) -> Result<(), SourceError> {
        let until = match self.patience {
            ScanPatience::Millis(most) if self.walked.is_some() => {
                Some(Instant::now() + Duration::from_millis(most))
            }
            _ => None,
        };
        // A walk that an earlier look gave up on comes first: there is one walker.
        if self.errand.is_none() && !self.wait(until)? {
            return Ok(());
        }
        if let Some(mut errand) = self.errand.take() {
            let (kept, unopened) = (self.kept.ids(), self.kept.unopened());
            errand.wishes.set(needs, kept, unopened, system.swap_traffic());
            if !self.calibrated {
                errand.wishes.for_calibration();
            }
            errand.cgroup_needs = needs.cgroups;
            errand.exe_cwd_environ = needs.exe_cwd_environ;
            errand.sample = self.samples;
            self.errands.send(errand).map_err(|_| SourceError::WalkThread)?;
        }
        self.wait(until).map(|_| ())
    }

    /// Finds the scale of `oom_score` by comparing, once.
    fn calibrate(&mut self, total: Pages) {
        if self.calibrated {
            return;
        }
        self.calibrated = true;
        if let Some(scale) = calibration::calibrate(&self.rows, &self.machine, total) {
            Arc::make_mut(&mut self.machine).score_scale = scale;
        }
    }

    /// Goes over to the file that the kernel's own scores fit, should it not be the one that its
    /// version stands for.
    fn choose_file(&mut self, total: Pages) {
        self.evidence.weigh(&self.rows, &self.machine, total);
        let by_version = host::rss_source(self.machine.kernel_version());
        let source = self.evidence.verdict(by_version);
        if source != self.machine.rss_source {
            Arc::make_mut(&mut self.machine).rss_source = source;
        }
    }
}

/// Where this very process stands among rows sorted by pid.
fn position(rows: &[Process], id: ProcId) -> Option<usize> {
    let at = rows.binary_search_by_key(&id.pid, |row| row.id.pid).ok()?;
    (rows[at].id == id).then_some(at)
}

/// The milliseconds of a duration.
fn millis(duration: Duration) -> Millis {
    Millis(u64::try_from(duration.as_millis()).unwrap_or(u64::MAX))
}

impl Source for LiveSource {
    fn sample(
        &mut self,
        needs: &Needs,
        spent: Option<Arc<Snapshot>>,
    ) -> Result<Arc<Snapshot>, SourceError> {
        self.samples += 1;
        self.status = needs.status;
        let system = self.files.read(&self.root, &self.machine)?;
        self.kept.close_others(&needs.keep);
        self.walk(needs, &system)?;
        let page = self.machine.page_size;
        let total = global_total(&system.meminfo.memory, &system.swap, page);
        self.calibrate(total);
        let in_time = self.walked.is_some_and(|(_, sample)| sample == self.samples);
        if !in_time {
            // Those scores stand beside the sizes of another look.
            self.rows.iter_mut().for_each(|row| row.score_fresh = false);
        }
        // Into our own rows, so that who is no longer kept stays as it was read last.
        let unreadable = self.unreadable + self.kept.refresh(&self.root, needs, &mut self.rows);

        self.choose_file(total);

        if self.rows.is_empty() && unreadable > 0 {
            let why = format!("none of {unreadable} processes could be read; too few descriptors?");
            return Err(Unreadable { what: "/proc/PID/stat".to_owned(), why }.into());
        }

        let now = Instant::now();
        let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let mut snapshot = spent.unwrap_or_default();
        if Arc::get_mut(&mut snapshot).is_none() {
            snapshot = Arc::default(); // somebody still holds it
        }
        if let Some(room) = Arc::get_mut(&mut snapshot) {
            let stale = match self.walked {
                Some((began, _)) if !in_time => Millis(millis(now - began).0.max(1)),
                _ => Millis::ZERO,
            };
            room.clock = Clock {
                unix_ms: i64::try_from(since.as_millis()).unwrap_or(i64::MAX),
                monotonic_ms: millis(now - self.started),
                uptime_ticks: system.uptime,
            };
            room.load = system.load;
            room.memory = system.meminfo.memory;
            room.swap = system.swap;
            room.overcommit = system.overcommit;
            room.sysctls = system.sysctls;
            room.pressure = system.pressure;
            room.traffic = system.traffic;
            room.privileges = self.privileges;
            room.scan = ScanAge { stale_ms: stale, unreadable };
            room.machine = Arc::clone(&self.machine);
            room.cgroups = Arc::clone(&self.cgroups);
            room.killers = Arc::clone(&self.killers);
            room.users = Arc::clone(&self.users);
            room.processes.clear();
            room.processes.extend(self.rows.iter().cloned());
        }
        Ok(snapshot)
    }

    /// Reads just these processes again, each whole and back to back with its score: the second
    /// look, which confirms or refutes what the first one seemed to show. Those that are gone are
    /// taken out of the snapshot.
    fn sample_again(&mut self, ids: &[ProcId], snapshot: &mut Snapshot) {
        for &id in ids {
            let Some(at) = snapshot.position(id.pid).filter(|&at| snapshot.processes[at].id == id)
            else {
                continue;
            };
            let there = self.kept.again(&self.root, self.status, &mut snapshot.processes[at]);
            // The next look must not fall back behind this one, should its walk be late.
            match position(&self.rows, id) {
                Some(ours) if there => self.rows[ours].clone_from(&snapshot.processes[at]),
                Some(ours) => drop(self.rows.remove(ours)),
                None => {}
            }
            if !there {
                snapshot.processes.remove(at);
            }
        }
    }

    /// Takes the user names, once they are known; the snapshots carry them.
    fn learn_users(&mut self, users: Arc<BTreeMap<u32, Text>>) {
        self.users = users;
    }
}
