//! What a program writes of each process, and how that becomes a row.

use crate::model::{
    Capabilities, Comm, Machine, NodeSet, ProcId, Process, Reading, RunState, TaskFacts, UserIds,
};
use crate::units::{Adj, Bytes, PageSize, Pages, Ticks};

/// Bytes of a record. The first one in the array is the head: its first word is the number of the
/// records after it.
pub(crate) const RECORD_BYTES: usize = 224;

/// Where each value is, in bytes from the start of the record. Numbers have 4 bytes up to 63 and 8
/// bytes from 64 on, unless the comment says otherwise. Names are those of the fields of the kernel.
pub(crate) mod at {
    pub(crate) const TGID: i16 = 0;
    pub(crate) const PARENT: i16 = 4;
    pub(crate) const UID: i16 = 8;
    pub(crate) const EUID: i16 = 12;
    /// `PF_*`.
    pub(crate) const FLAGS: i16 = 16;
    /// The bits of [`super::mark`].
    pub(crate) const MARKS: i16 = 20;
    /// 2 bytes.
    pub(crate) const ADJ: i16 = 24;
    pub(crate) const THREADS: i16 = 28;
    pub(crate) const STATE: i16 = 32;
    pub(crate) const EXIT_STATE: i16 = 36;
    /// Nice value plus 120.
    pub(crate) const STATIC_PRIORITY: i16 = 40;
    pub(crate) const GROUP: i16 = 44;
    pub(crate) const SESSION: i16 = 48;
    pub(crate) const TTY_MAJOR: i16 = 52;
    pub(crate) const TTY_MINOR: i16 = 56;
    /// 2 bytes.
    pub(crate) const MEMORY_POLICY: i16 = 60;
    /// The four approximate counters: file, anonymous, swap, shared memory, in pages.
    pub(crate) const COUNTERS: i16 = 64;
    /// The same as exact sums over the CPUs.
    pub(crate) const SUMS: i16 = 96;
    /// In bytes.
    pub(crate) const PGTABLES: i16 = 128;
    /// In pages.
    pub(crate) const TOTAL_VM: i16 = 136;
    /// In pages.
    pub(crate) const DATA_VM: i16 = 144;
    /// CPU time of all threads, in nanoseconds.
    pub(crate) const CPU_TIME: i16 = 152;
    /// Nanoseconds since boot.
    pub(crate) const START_TIME: i16 = 160;
    pub(crate) const CGROUP: i16 = 168;
    pub(crate) const CAPS: i16 = 176;
    /// 16 bytes.
    pub(crate) const COMM: i16 = 184;
    /// Nodes 0 to 63.
    pub(crate) const MEMS_ALLOWED: i16 = 200;
    /// `PF_*` of the thread that has the memory, if that is not the main thread; 4 bytes.
    pub(crate) const OTHER_FLAGS: i16 = 208;
    /// In pages.
    pub(crate) const LOCKED_VM: i16 = 216;
}

/// The bits of `MARKS`.
pub(crate) mod mark {
    pub(crate) const VFORK: u32 = 1;
    pub(crate) const VICTIM: u32 = 2;
    pub(crate) const ORIGIN: u32 = 4;
    pub(crate) const HAS_MM: u32 = 8;
    pub(crate) const OOM_SKIP: u32 = 16;
    /// SIGKILL is pending on the main thread.
    pub(crate) const KILLED: u32 = 32;
    /// The memory is that of another thread: the main thread has exited.
    pub(crate) const OTHER_THREAD: u32 = 64;
    /// SIGKILL is pending on that thread.
    pub(crate) const OTHER_KILLED: u32 = 128;
}

/// What a record needs to become a row.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RecordUnits {
    page: PageSize,
    /// Nanoseconds of a clock tick.
    tick: u64,
    /// Whether the machine has several NUMA nodes, with numbers up to 63.
    nodes: bool,
}

impl RecordUnits {
    pub(crate) fn of(machine: &Machine) -> Self {
        let nodes = machine.nodes.len() > 1 && machine.nodes.iter().all(|node| node.id < 64);
        let tick = 1_000_000_000 / machine.tick_rate.0.max(1);
        Self { page: machine.page_size, tick: tick.max(1), nodes }
    }
}

/// A record.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TaskRecord(pub(crate) [u8; RECORD_BYTES]);

impl TaskRecord {
    fn take<const COUNT: usize>(&self, at: i16) -> [u8; COUNT] {
        let mut bytes = [0; COUNT];
        let at = usize::from(at.unsigned_abs());
        if let Some(found) = self.0.get(at..at + COUNT) {
            bytes.copy_from_slice(found);
        }
        bytes
    }

    fn number(&self, at: i16) -> u32 {
        u32::from_ne_bytes(self.take(at))
    }

    fn wide(&self, at: i16) -> u64 {
        u64::from_ne_bytes(self.take(at))
    }

    fn pid(&self, at: i16) -> i32 {
        self.number(at).cast_signed()
    }

    fn has(&self, mark: u32) -> bool {
        self.number(at::MARKS) & mark != 0
    }

    /// A counter of pages. The kernel takes one below zero as zero (`percpu_counter_read_positive`).
    fn pages(&self, at: i16) -> Pages {
        Pages(u64::try_from(self.wide(at).cast_signed()).unwrap_or(0))
    }

    /// Pid and start time.
    pub(crate) fn id(&self, units: RecordUnits) -> ProcId {
        ProcId { pid: self.pid(at::TGID), born: Ticks(self.wide(at::START_TIME) / units.tick) }
    }

    /// The letter of the state (`fs/proc/array.c` `task_state_array`, `include/linux/sched.h`
    /// `task_state_index`).
    fn state(&self) -> RunState {
        const IDLE: u32 = 0x402;
        const FROZEN_OR_LOCKED: u32 = 0x8000 | 0x1000;
        const UNINTERRUPTIBLE: u32 = 2;
        let state = self.number(at::STATE);
        if state & IDLE == IDLE {
            return RunState('I');
        }
        let waits = state & FROZEN_OR_LOCKED != 0;
        let bits = if waits { UNINTERRUPTIBLE } else { state | self.number(at::EXIT_STATE) };
        let highest = 32 - (bits & 0x7f).leading_zeros();
        RunState(char::from(b"RSDTtXZP"[highest as usize % 8]))
    }

    /// The device number of the terminal, as the kernel shows it (`new_encode_dev`); 0 means none.
    fn tty(&self) -> i32 {
        let (major, minor) = (self.number(at::TTY_MAJOR), self.number(at::TTY_MINOR));
        if major == 0 {
            return 0;
        }
        (minor & 0xff | major << 8 | (minor & !0xff) << 12).cast_signed()
    }

    fn comm(&self) -> Comm {
        let name: [u8; 16] = self.take(at::COMM);
        Comm::new(name.split(|&byte| byte == 0).next().unwrap_or_default())
    }

    /// Whether the process was killed or is exiting: its main thread, or the thread that has the memory.
    fn is_dying(&self) -> bool {
        let (flags, killed) = if self.has(mark::OTHER_THREAD) {
            (self.number(at::OTHER_FLAGS), self.has(mark::OTHER_KILLED))
        } else {
            (self.number(at::FLAGS), self.has(mark::KILLED))
        };
        killed || flags & (Process::PF_EXITING | Process::PF_SIGNALED) != 0
    }

    /// Writes everything that the record tells into a row. What only files tell stays.
    pub(crate) fn write_to(&self, row: &mut Process, position: u32, units: RecordUnits) {
        row.id = self.id(units);
        row.parent = self.pid(at::PARENT);
        row.group = self.pid(at::GROUP);
        row.session = self.pid(at::SESSION);
        row.tty = self.tty();
        row.comm = self.comm();
        row.state = self.state();
        row.flags = self.number(at::FLAGS);
        row.threads = self.number(at::THREADS);
        let nice = self.pid(at::STATIC_PRIORITY).saturating_sub(120);
        row.nice = i8::try_from(nice).unwrap_or_default();
        row.cpu = Ticks(self.wide(at::CPU_TIME) / units.tick);
        row.dying = self.is_dying();
        let adj = i16::from_ne_bytes(self.take(at::ADJ));
        row.adj = Reading::Value(Adj(adj));
        let (uid, euid) = (self.number(at::UID), self.number(at::EUID));
        row.ids = Reading::Value(UserIds { uid, euid });
        row.caps = Reading::Value(Capabilities(self.wide(at::CAPS)));
        row.nodes = if units.nodes {
            Reading::Value(NodeSet::from_bits(self.wide(at::MEMS_ALLOWED)))
        } else {
            Reading::NotAsked
        };
        self.write_sizes(row, units);
        row.task = Some(self.facts(position));
    }

    /// Sizes; those of `status` are missing without memory.
    fn write_sizes(&self, row: &mut Process, units: RecordUnits) {
        let (file, anon, shmem) = (0, 8, 24);
        let sum = |from: i16| {
            self.pages(from + file) + self.pages(from + anon) + self.pages(from + shmem)
        };
        row.has_mm = self.has(mark::HAS_MM);
        row.vsize = Pages(self.wide(at::TOTAL_VM)).bytes(units.page);
        row.rss_stat = sum(at::COUNTERS);
        let of_memory =
            |pages: Pages| if row.has_mm { Reading::Value(pages) } else { Reading::Missing };
        row.rss_exact = of_memory(sum(at::SUMS));
        row.file = of_memory(self.pages(at::SUMS + file));
        row.anon = of_memory(self.pages(at::SUMS + anon));
        row.swap = of_memory(self.pages(at::SUMS + 16));
        row.shmem = of_memory(self.pages(at::SUMS + shmem));
        row.locked = of_memory(Pages(self.wide(at::LOCKED_VM)));
        row.data = of_memory(Pages(self.wide(at::DATA_VM)));
        row.pgtables = of_memory(Bytes(self.wide(at::PGTABLES)).pages(units.page));
    }

    fn facts(&self, position: u32) -> TaskFacts {
        TaskFacts {
            position,
            cgroup_id: self.wide(at::CGROUP),
            swap_counter: self.pages(at::COUNTERS + 16),
            vfork_child: self.has(mark::VFORK),
            oom_victim: self.has(mark::VICTIM),
            oom_skip: self.has(mark::OOM_SKIP),
            oom_origin: self.has(mark::ORIGIN),
            memory_policy: u16::from_ne_bytes(self.take(at::MEMORY_POLICY)),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn units() -> RecordUnits {
        RecordUnits::of(&Machine::default())
    }

    fn record(values: &[(i16, u64)]) -> TaskRecord {
        let mut record = TaskRecord([0; RECORD_BYTES]);
        for &(at, value) in values {
            let length = if at < 64 || at == at::OTHER_FLAGS { 4 } else { 8 };
            let at = at as usize;
            record.0[at..at + length].copy_from_slice(&value.to_ne_bytes()[..length]);
        }
        record
    }

    fn row(values: &[(i16, u64)]) -> Process {
        let mut row = Process::default();
        record(values).write_to(&mut row, 7, units());
        row
    }

    #[test]
    fn the_state_has_the_letter_of_proc() {
        for (state, exit, letter) in [
            (0, 0, 'R'),
            (1, 0, 'S'),
            (2, 0, 'D'),
            (4, 0, 'T'),
            (8, 0, 't'),
            (0, 0x10, 'X'),
            (0x80, 0x20, 'Z'),
            (0x402, 0, 'I'),
            (0x8000, 0, 'D'),
            (0x1000, 0, 'D'),
            (0x2001, 0, 'S'),
        ] {
            let row = row(&[(at::STATE, state), (at::EXIT_STATE, exit)]);
            assert_eq!(row.state, RunState(letter), "{state:x} {exit:x}");
        }
    }

    #[test]
    fn sizes_are_missing_without_memory_and_never_below_zero() {
        let below = u64::MAX - 4;
        let values = [(at::COUNTERS, below), (at::COUNTERS + 8, 10), (at::SUMS + 16, 3)];
        let none = row(&values);
        assert_eq!((none.rss_stat, none.rss_exact), (Pages(10), Reading::Missing));
        assert!(!none.has_mm);
        let marked: Vec<(i16, u64)> =
            values.into_iter().chain([(at::MARKS, mark::HAS_MM.into())]).collect();
        let some = row(&marked);
        assert_eq!((some.rss_stat, some.rss_exact), (Pages(10), Reading::Value(Pages(0))));
        assert_eq!(some.swap, Reading::Value(Pages(3)));
    }

    #[test]
    fn a_process_dies_with_the_thread_that_has_its_memory() {
        let exiting = u64::from(Process::PF_EXITING);
        assert!(row(&[(at::FLAGS, exiting)]).dying);
        assert!(row(&[(at::MARKS, mark::KILLED.into())]).dying);
        let other = u64::from(mark::OTHER_THREAD);
        assert!(!row(&[(at::FLAGS, exiting), (at::MARKS, other)]).dying);
        assert!(row(&[(at::MARKS, other), (at::OTHER_FLAGS, exiting)]).dying);
        assert!(row(&[(at::MARKS, other | u64::from(mark::OTHER_KILLED))]).dying);
    }

    #[test]
    fn facts_that_only_the_task_list_has() {
        let marks = mark::VFORK | mark::VICTIM | mark::ORIGIN | mark::OOM_SKIP;
        let row = row(&[(at::MARKS, marks.into()), (at::COUNTERS + 16, 9), (at::CGROUP, 5)]);
        let facts = row.task.expect("facts");
        assert_eq!((facts.position, facts.cgroup_id, facts.swap_counter), (7, 5, Pages(9)));
        assert!(facts.vfork_child && facts.oom_victim && facts.oom_skip && facts.oom_origin);
        assert!(facts.is_skipped() && !facts.is_unremarkable());
    }

    #[test]
    fn a_terminal_has_the_number_of_proc() {
        assert_eq!(row(&[(at::TTY_MAJOR, 136), (at::TTY_MINOR, 3)]).tty, 136 << 8 | 3);
        assert_eq!(row(&[(at::TTY_MAJOR, 136), (at::TTY_MINOR, 0x103)]).tty, 0x0010_8803);
        assert_eq!(row(&[(at::TTY_MINOR, 3)]).tty, 0);
    }

    proptest! {
        #[test]
        fn no_record_panics(bytes in proptest::collection::vec(any::<u8>(), RECORD_BYTES)) {
            let record = TaskRecord(bytes.try_into().expect("the length of a record"));
            record.write_to(&mut Process::default(), 1, units());
        }
    }
}
