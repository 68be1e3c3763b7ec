//! What is read beside the walk over all processes, in threads of its own, so that the rows and the headline never
//! wait for it: with BPF the cgroups and the installed killers, and always what is rarely read and takes long.

use std::sync::Arc;

use crate::model::{CgroupNeeds, Process};
use crate::sample::cgroup::tree_reader::CgroupReader;
use crate::sample::daemon::reader::KillerReader;
use crate::sample::machine::memory_holders::MemoryHolderReader;
use crate::sample::proc_root::ProcRoot;
use crate::sample::process::bpf::oom_policies::BpfOomReader;
use crate::source::SourceError;
use crate::source::side_job::SideJob;
use crate::units::{Millis, PageSize};

/// What is read beside the task list, each in a thread of its own: both open many files, and neither must keep
/// the other, or what the table needs, from being read.
pub(super) struct SideReaders {
    pub cgroups: SideJob<CgroupsJob>,
    pub killers: SideJob<KillersJob>,
}

/// A reading of the memory cgroups.
pub(super) struct CgroupsJob {
    pub reader: CgroupReader,
    pub needs: CgroupNeeds,
    pub now: Millis,
}

/// A search for the killers of this machine.
pub(super) struct KillersJob {
    pub reader: KillerReader,
    root: Arc<ProcRoot>,
    /// Processes with the names of killers.
    pub rows: Vec<Process>,
    pub now: Millis,
}

impl SideReaders {
    /// Starts the threads.
    ///
    /// # Errors
    /// One cannot be started.
    pub fn start(root: &Arc<ProcRoot>) -> Result<Self, SourceError> {
        let reader = CgroupReader::new(Arc::clone(root));
        let cgroups = CgroupsJob { reader, needs: CgroupNeeds::Nothing, now: Millis::ZERO };
        let reader = KillerReader::new(root.filesystem());
        let (rows, now) = (Vec::new(), Millis::ZERO);
        let killers = KillersJob { reader, root: Arc::clone(root), rows, now };
        Ok(Self {
            cgroups: SideJob::start("cgroups", cgroups, |job| {
                job.reader.read(job.needs, job.now);
            })?,
            killers: SideJob::start("killers", killers, |job| {
                job.reader.read(&job.root, job.rows.iter(), job.now);
            })?,
        })
    }
}

/// Facts of the machine that are read every ten seconds or less: who holds memory beside processes, which needs the
/// descriptors of all of them, and which BPF programs decide about kills.
pub(super) struct RareFactsJob {
    pub holders: MemoryHolderReader,
    pub bpf_oom: BpfOomReader,
    root: Arc<ProcRoot>,
    pub now: Millis,
}

impl RareFactsJob {
    /// Starts the thread that reads them.
    ///
    /// # Errors
    /// It cannot be started.
    pub fn start(root: &Arc<ProcRoot>, page: PageSize) -> Result<SideJob<Self>, SourceError> {
        let job = Self {
            holders: MemoryHolderReader::new(root.filesystem(), page),
            bpf_oom: BpfOomReader::default(),
            root: Arc::clone(root),
            now: Millis::ZERO,
        };
        SideJob::start("rare facts", job, |job| {
            job.holders.read(&job.root, job.now);
            job.bpf_oom.read(&job.root, job.now);
        })
    }
}
