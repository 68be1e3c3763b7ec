//! The table of all processes, which a BPF program fills: one call per sample, which allocates nothing.
//!
//! The array has records for half as many processes again as there are. It grows when three quarters of
//! it are used, which takes a new program; a walk that does not fit is not used.

use std::fs::File;
use std::io::Read;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};

use rustix::io::Errno;

use super::btf::Btf;
use super::programs::{
    Assembled, NAMES, cpu_addresses, function_types, iterator, list_walk, own_pid_namespace,
};
use super::record::{RECORD_BYTES, RecordUnits, TaskRecord};
use super::record_writer::{FieldReads, PidNamespace, ProgramFacts};
use super::unavailable::BpfUnavailable;
use crate::model::{Machine, ProcId, ProcessSampler};
use crate::sample::file_buffer::FileBuffer;
use crate::sample::proc_root::ProcRoot;
use crate::syscall::bpf::{
    self, MapKind, MapMemory, Program, ProgramType, create_map, load_btf, load_program,
};

/// The licence of the programs, for the kernel. The files with the programs say why.
const LICENCE: &std::ffi::CStr = c"Dual MIT/GPL";

/// Where the kernel describes its types.
const BTF_FILE: &str = "/sys/kernel/btf/vmlinux";

/// Maximum length of that file, in bytes. Kernels of today have 5 to 10 MiB.
const BTF_MAX: u64 = 64 << 20;

/// Maximum number of CPUs whose counters a program adds up: each takes 32 instructions, and jumps reach
/// 32,767.
const CPUS_MAX: u32 = 640;

/// Records for this many processes at least.
const ROOM_MIN: u32 = 512;

/// How a loaded program visits the processes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TaskWalk {
    /// With the kernel's task iterator, which may be preempted (6.7).
    Iterator,
    /// By the list of tasks, in one piece (5.17).
    List,
}

/// A loaded program and its array.
#[derive(Debug)]
struct LoadedProgram {
    program: OwnedFd,
    memory: MapMemory,
    /// Records in the array, without the head.
    room: u32,
    walk: TaskWalk,
    /// Whether it may read fields through pointers.
    cast: bool,
}

/// Which programs are tried.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ProgramChoice<'a> {
    /// The first of these that the kernel accepts.
    pub(crate) walks: &'a [TaskWalk],
    /// Whether they read fields through pointers where the kernel allows that (6.2), and not with a
    /// helper function.
    pub(crate) cast: bool,
}

/// The table of all processes.
#[derive(Debug)]
pub struct TaskTable {
    loaded: LoadedProgram,
    units: RecordUnits,
    /// Pid and number of the record, sorted by pid.
    order: Vec<(i32, u32)>,
}

/// Pages that hold this many bytes, in bytes.
const fn whole_pages(bytes: usize, page: u64) -> usize {
    bytes.next_multiple_of(page as usize)
}

impl TaskTable {
    /// Loads the program that this kernel can run, preferring the iterator.
    ///
    /// # Errors
    ///
    /// Why the processes cannot be read this way.
    pub fn load(root: &ProcRoot, machine: &Machine) -> Result<Self, BpfUnavailable> {
        let walks = &[TaskWalk::Iterator, TaskWalk::List];
        Self::load_one_of(root, machine, ProgramChoice { walks, cast: true })
    }

    /// Loads the first of these programs that the kernel accepts; the reason is that of the first one.
    ///
    /// # Errors
    ///
    /// Why the processes cannot be read this way.
    pub(crate) fn load_one_of(
        root: &ProcRoot,
        machine: &Machine,
        choice: ProgramChoice<'_>,
    ) -> Result<Self, BpfUnavailable> {
        if cfg!(not(all(target_endian = "little", target_pointer_width = "64"))) {
            return Err(BpfUnavailable::Architecture);
        }
        if !root.is_live() {
            return Err(BpfUnavailable::OtherTree);
        }
        let units = RecordUnits::of(machine);
        let room = ROOM_MIN.max(processes_of(root).saturating_mul(3) / 2);
        let loaded = LoadedProgram::load(root, machine, room, choice)?;
        let order = Vec::with_capacity(room as usize);
        Ok(Self { loaded, units, order })
    }

    /// How the program visits the processes.
    #[must_use]
    pub fn sampler(&self) -> ProcessSampler {
        match self.loaded.walk {
            TaskWalk::Iterator => ProcessSampler::BpfIterator,
            TaskWalk::List => ProcessSampler::BpfListWalk,
        }
    }

    /// Reads all processes.
    ///
    /// # Errors
    ///
    /// The program cannot be run any more, or the array is full.
    pub fn scan(&mut self) -> Result<(), BpfUnavailable> {
        let count = bpf::run(&self.loaded.program)
            .map_err(|errno| BpfUnavailable::Refused("a run of its program", errno))?;
        self.order.clear();
        if count >= self.loaded.room {
            return Err(BpfUnavailable::Full);
        }
        for nth in 0..count {
            let word = self.loaded.memory.word(record_at(nth)).unwrap_or_default();
            let pid = (word as u32).cast_signed();
            if pid > 0 {
                self.order.push((pid, nth));
            }
        }
        if !self.order.is_sorted() {
            self.order.sort_unstable(); // pids wrapped
        }
        Ok(())
    }

    /// Whether the array should grow before long.
    #[must_use]
    pub fn is_crowded(&self) -> bool {
        self.order.len() as u64 * 4 > u64::from(self.loaded.room) * 3
    }

    /// Replaces the array by one that is larger than the present number of processes by half.
    ///
    /// # Errors
    ///
    /// As [`Self::load`]; the table stays as it was.
    pub fn grow(&mut self, root: &ProcRoot, machine: &Machine) -> Result<(), BpfUnavailable> {
        let processes = self.loaded.room.max(u32::try_from(self.order.len()).unwrap_or(u32::MAX));
        let room = processes.saturating_mul(3) / 2;
        let choice = ProgramChoice { walks: &[self.loaded.walk], cast: self.loaded.cast };
        self.loaded = LoadedProgram::load(root, machine, room, choice)?;
        let more = (room as usize).saturating_sub(self.order.capacity());
        self.order.reserve(more);
        Ok(())
    }

    /// Number of processes in the last scan.
    #[must_use]
    pub fn len(&self) -> usize {
        self.order.len()
    }

    /// Whether the last scan found no process.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.order.is_empty()
    }

    /// The records of the last scan, sorted by pid, with their position in the kernel's list, from 1.
    pub(crate) fn records(&self) -> impl Iterator<Item = (TaskRecord, u32)> {
        self.order.iter().filter_map(|&(_, nth)| {
            let bytes = self.loaded.memory.bytes(record_at(nth))?;
            Some((TaskRecord(bytes), nth + 1))
        })
    }

    /// What records are measured in.
    pub(crate) fn units(&self) -> RecordUnits {
        self.units
    }

    /// The record of one process in the last scan.
    pub(crate) fn record(&self, id: ProcId) -> Option<(TaskRecord, u32)> {
        let at = self.order.binary_search_by_key(&id.pid, |&(pid, _)| pid).ok()?;
        let (_, nth) = *self.order.get(at)?;
        let record = TaskRecord(self.loaded.memory.bytes(record_at(nth))?);
        (record.id(self.units) == id).then_some((record, nth + 1))
    }
}

/// Where a record is in the array.
const fn record_at(nth: u32) -> usize {
    (nth as usize + 1) * RECORD_BYTES
}

impl LoadedProgram {
    fn load(
        root: &ProcRoot,
        machine: &Machine,
        room: u32,
        choice: ProgramChoice<'_>,
    ) -> Result<Self, BpfUnavailable> {
        // Asks for the rights before the 6 MiB of the description are read.
        let entries = room.saturating_add(1);
        let array = create_map(MapKind::Array { value_bytes: RECORD_BYTES as u32, entries })
            .map_err(|errno| BpfUnavailable::Refused("a map", errno))?;
        let btf = read_btf()?;
        let page = machine.page_size.0;
        let cpu_offsets = cpu_offsets(&btf, page)?;
        let mut facts = ProgramFacts {
            btf: &btf,
            reads: FieldReads::Helper,
            cpu_offsets: &cpu_offsets,
            memory_hierarchy: has_memory_hierarchy(root),
            pid_namespace: None,
        };
        if !machine.initial_pid_namespace {
            facts.pid_namespace = Some(pid_namespace(&btf, page)?);
        }
        if choice.cast && facts.function("bpf_rdonly_cast").is_ok() {
            facts.reads = FieldReads::Cast;
        }
        let (program, walk) = load_first(facts, array.as_raw_fd(), choice.walks)?;
        let length = whole_pages((entries as usize) * RECORD_BYTES, page);
        let memory = MapMemory::new(&array, 0, length, false)
            .map_err(|errno| BpfUnavailable::Refused("to map its array", errno))?;
        Ok(Self { program, memory, room, walk, cast: choice.cast })
    }
}

/// Loads the first of these programs that the kernel accepts.
fn load_first(
    facts: ProgramFacts<'_>,
    array: i32,
    walks: &[TaskWalk],
) -> Result<(OwnedFd, TaskWalk), BpfUnavailable> {
    let mut first_reason = BpfUnavailable::Assembly;
    for (nth, &walk) in walks.iter().enumerate() {
        let loaded = match walk {
            TaskWalk::Iterator => {
                iterator(facts, array).and_then(|assembled| load(&assembled, ProgramType::Syscall))
            }
            TaskWalk::List => list_walk(facts, array)
                .and_then(|assembled| load(&assembled, ProgramType::RawTracepoint)),
        };
        match loaded {
            Ok(program) => return Ok((program, walk)),
            Err(reason) if nth == 0 => first_reason = reason,
            Err(_) => {}
        }
    }
    Err(first_reason)
}

/// Loads a program.
pub(super) fn load(assembled: &Assembled, kind: ProgramType) -> Result<OwnedFd, BpfUnavailable> {
    let refused = |errno| BpfUnavailable::Refused("its program", errno);
    let program =
        Program { kind, instructions: &assembled.instructions, licence: LICENCE, functions: None };
    if assembled.functions.is_empty() {
        return load_program(&program).map_err(refused);
    }
    // Types 2 and 3 of `function_types`.
    let functions: Vec<[u32; 2]> = std::iter::once([0, 2])
        .chain(assembled.functions.iter().map(|&start| [start, 3]))
        .collect();
    let types = load_btf(&function_types()).map_err(refused)?;
    load_program(&Program { functions: Some((types.as_fd(), &functions)), ..program })
        .map_err(refused)
}

/// Reads the kernel's description of its types.
pub(super) fn read_btf() -> Result<Btf, BpfUnavailable> {
    let lost = |error: std::io::Error| {
        BpfUnavailable::NoBtf(Errno::from_io_error(&error).unwrap_or(Errno::IO))
    };
    let mut bytes = Vec::new();
    let file = File::open(BTF_FILE).map_err(lost)?;
    let length = file.metadata().map_or(0, |metadata| metadata.len()).min(BTF_MAX);
    bytes.reserve_exact(usize::try_from(length).unwrap_or(0).saturating_add(1));
    file.take(BTF_MAX).read_to_end(&mut bytes).map_err(lost)?;
    Btf::new(bytes, NAMES).ok_or(BpfUnavailable::DamagedBtf)
}

/// Number of processes, roughly: that of the entries of `/proc`.
fn processes_of(root: &ProcRoot) -> u32 {
    let entries = std::fs::read_dir(root.path());
    entries.map_or(0, |entries| u32::try_from(entries.count()).unwrap_or(u32::MAX))
}

/// Whether the memory controller has a hierarchy of its own (cgroup version 1).
fn has_memory_hierarchy(root: &ProcRoot) -> bool {
    let mut buffer = FileBuffer::new();
    buffer.read(root, c"self/cgroup").is_ok_and(|bytes| {
        bytes.split(|&byte| byte == b'\n').any(|line| {
            let controllers = line.splitn(3, |&byte| byte == b':').nth(1).unwrap_or_default();
            controllers.split(|&byte| byte == b',').any(|name| name == b"memory")
        })
    })
}

/// Number of CPUs that the kernel can ever use; their numbers are below it.
fn possible_cpus() -> Result<u32, BpfUnavailable> {
    let list = std::fs::read_to_string("/sys/devices/system/cpu/possible").unwrap_or_default();
    let last = list.trim().rsplit(['-', ',']).next().and_then(|last| last.parse::<u32>().ok());
    let count = last.map_or(1, |last| last.saturating_add(1));
    if count <= CPUS_MAX { Ok(count) } else { Err(BpfUnavailable::TooManyCpus) }
}

/// Runs a program that fills an array of `count` words, and returns these.
fn run_for_words(
    count: u32,
    page: u64,
    assemble: impl FnOnce(i32) -> Result<Assembled, BpfUnavailable>,
) -> Result<Vec<u64>, BpfUnavailable> {
    let map = create_map(MapKind::Array { value_bytes: 8, entries: count })
        .map_err(|errno| BpfUnavailable::Refused("a map", errno))?;
    let program = load(&assemble(map.as_raw_fd())?, ProgramType::RawTracepoint)?;
    bpf::run(&program)
        .map_err(|errno| BpfUnavailable::Refused("a run of its first program", errno))?;
    let length = whole_pages(count as usize * 8, page);
    let memory = MapMemory::new(&map, 0, length, false)
        .map_err(|errno| BpfUnavailable::Refused("to map its array", errno))?;
    Ok((0..count as usize).filter_map(|nth| memory.word(nth * 8)).collect())
}

/// Where the variables of each CPU are, relative to their address; empty if the counters of this kernel
/// have no per-CPU part (up to 6.1).
fn cpu_offsets(btf: &Btf, page: u64) -> Result<Vec<u64>, BpfUnavailable> {
    if btf.field("mm_struct", "rss_stat[0].counters").is_none() {
        return Ok(Vec::new());
    }
    let cpus = possible_cpus()?;
    let each =
        create_map(MapKind::PerCpuWord).map_err(|errno| BpfUnavailable::Refused("a map", errno))?;
    let mut addresses = run_for_words(cpus + 1, page, |words| {
        cpu_addresses(btf, words, each.as_raw_fd(), cpus.cast_signed())
    })?;
    let base = addresses.pop().filter(|&base| base != 0);
    let base = base.ok_or(BpfUnavailable::Lacks("bpf_array", "pptrs"))?;
    Ok(addresses.into_iter().map(|address| address.wrapping_sub(base)).collect())
}

/// Our own pid namespace.
pub(super) fn pid_namespace(btf: &Btf, page: u64) -> Result<PidNamespace, BpfUnavailable> {
    let words = run_for_words(2, page, |words| own_pid_namespace(btf, words))?;
    match words[..] {
        [address, level] if address != 0 && level > 0 => {
            Ok(PidNamespace { level: level as u32, address })
        }
        _ => Err(BpfUnavailable::Lacks("pid", "numbers")),
    }
}
