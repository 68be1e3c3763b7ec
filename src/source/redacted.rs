//! A source whose names are replaced by tokens.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use crate::events::LineRenamer;
use crate::model::{
    Cgroups, Comm, ExeCwdEnviron, InstalledKillers, LogLine, MemoryHolders, Needs, ProcId, Process,
    Reading, Scope, Snapshot, Text,
};
use crate::source::redact::Redactor;
use crate::source::{Source, SourceError};

/// The original values of a process that were replaced.
struct Original {
    comm: Comm,
    cgroup: Reading<Arc<Text>>,
    cmdline: Reading<Arc<Text>>,
    exe_cwd_environ: Option<Arc<ExeCwdEnviron>>,
}

/// A source whose names are replaced by tokens. No original name gets out.
pub struct RedactedSource {
    source: Box<dyn Source>,
    redactor: Redactor,
    /// Original values of the last sample, for [`Source::sample_again`].
    originals: HashMap<ProcId, Original>,
    /// Tokens of recent cgroup paths: many processes share a path.
    paths: HashMap<Arc<Text>, Arc<Text>>,
    /// The last cgroups, original and redacted.
    cgroups: (Arc<Cgroups>, Arc<Cgroups>),
    /// The last killers, original and redacted.
    killers: (Arc<InstalledKillers>, Arc<InstalledKillers>),
    /// The last holders of memory, original and redacted.
    holders: (Arc<MemoryHolders>, Arc<MemoryHolders>),
    renamer: LineRenamer,
}

/// Maximum number of cgroup paths that are remembered.
const MAX_PATHS: usize = 10_000;

impl RedactedSource {
    /// Redacts the samples of `source`.
    #[must_use]
    pub fn new(source: Box<dyn Source>, redactor: Redactor) -> Self {
        Self {
            source,
            redactor,
            originals: HashMap::new(),
            paths: HashMap::new(),
            cgroups: Default::default(),
            killers: Default::default(),
            holders: Default::default(),
            renamer: LineRenamer::default(),
        }
    }

    fn redact_process(&mut self, process: &mut Process) {
        let original = Original {
            comm: process.comm,
            cgroup: process.cgroup.clone(),
            cmdline: process.cmdline.clone(),
            exe_cwd_environ: process.exe_cwd_environ.clone(),
        };
        process.comm = self.redactor.comm(process.comm);
        if let Reading::Value(path) = &mut process.cgroup {
            let known = self.paths.entry(Arc::clone(path));
            *path = Arc::clone(known.or_insert_with_key(|path| Arc::new(self.redactor.path(path))));
        }
        if let Reading::Value(line) = &mut process.cmdline {
            *line = Arc::new(self.redactor.line(line));
        }
        if let Some(at) = &mut process.exe_cwd_environ {
            *at = Arc::new(self.redactor.exe_cwd_environ(at));
        }
        self.originals.insert(process.id, original);
    }

    fn redact(&mut self, sample: &mut Snapshot) {
        let machine = Arc::make_mut(&mut sample.machine);
        machine.name = self.redactor.text("host", &machine.name);
        machine.boot_id = self.redactor.text("boot", &machine.boot_id);
        sample.users = Arc::new(self.redactor.users(&sample.users));
        if !Arc::ptr_eq(&sample.cgroups, &self.cgroups.0) {
            let redacted = Arc::new(self.redactor.cgroups(&sample.cgroups));
            self.cgroups = (Arc::clone(&sample.cgroups), redacted);
        }
        sample.cgroups = Arc::clone(&self.cgroups.1);
        if !Arc::ptr_eq(&sample.killers, &self.killers.0) {
            let redacted = Arc::new(self.redactor.killers(&sample.killers));
            self.killers = (Arc::clone(&sample.killers), redacted);
        }
        for reading in &mut sample.usage_readings {
            if reading.domain.as_str() != Scope::GLOBAL {
                reading.domain = Arc::new(self.redactor.path(&reading.domain));
            }
        }
        sample.killers = Arc::clone(&self.killers.1);
        if !Arc::ptr_eq(&sample.memory_holders, &self.holders.0) {
            let redacted = Arc::new(self.redactor.memory_holders(&sample.memory_holders));
            self.holders = (Arc::clone(&sample.memory_holders), redacted);
        }
        sample.memory_holders = Arc::clone(&self.holders.1);
        if !sample.bpf_oom.is_default() {
            sample.bpf_oom = Arc::new(self.redactor.bpf_oom(&sample.bpf_oom));
        }
        if !sample.log.is_empty() {
            sample.log = Arc::new(self.redactor.log(&sample.log, &mut self.renamer));
        }
        self.originals.clear();
        if self.paths.len() > MAX_PATHS {
            self.paths.clear();
        }
        for process in &mut sample.processes {
            self.redact_process(process);
        }
    }
}

impl Source for RedactedSource {
    fn sample(
        &mut self,
        needs: &Needs,
        spent: Option<Arc<Snapshot>>,
    ) -> Result<Arc<Snapshot>, SourceError> {
        let mut snapshot = self.source.sample(needs, spent)?;
        self.redact(Arc::make_mut(&mut snapshot));
        Ok(snapshot)
    }

    fn sample_again(&mut self, ids: &[ProcId], snapshot: &mut Snapshot) {
        let at = |id: ProcId, sample: &Snapshot| {
            sample
                .position(id.pid)
                .filter(|&at| sample.processes.get(at).is_some_and(|it| it.id == id))
        };
        for &id in ids {
            let row = at(id, snapshot).and_then(|at| snapshot.processes.get_mut(at));
            if let Some((row, original)) = row.zip(self.originals.remove(&id)) {
                let Original { comm, cgroup, cmdline, exe_cwd_environ } = original;
                (row.comm, row.cgroup) = (comm, cgroup);
                (row.cmdline, row.exe_cwd_environ) = (cmdline, exe_cwd_environ);
            }
        }
        self.source.sample_again(ids, snapshot);
        for &id in ids {
            if let Some(at) = at(id, snapshot)
                && let Some(mut row) = snapshot.processes.get(at).cloned()
            {
                self.redact_process(&mut row);
                if let Some(slot) = snapshot.processes.get_mut(at) {
                    *slot = row;
                }
            }
        }
    }

    fn learn_users(&mut self, users: Arc<BTreeMap<u32, Text>>) {
        self.source.learn_users(Arc::new(self.redactor.users(&users)));
    }

    fn add_log(&mut self, lines: Vec<LogLine>) {
        // They come back with the next sample, and are redacted there.
        self.source.add_log(lines);
    }
}
