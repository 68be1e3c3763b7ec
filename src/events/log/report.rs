//! One report of the OOM killer as records: the failed allocation, the dump of tasks, who was killed
//! and what the reaper did. Everything that a kernel may leave out is optional.

use std::collections::BTreeMap;

use crate::events::log::framing::LogTimestamp;
use crate::units::{Adj, Bytes, Kib, Pages};

/// What limits the OOM (`enum oom_constraint` of `include/linux/oom.h`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Constraint {
    /// No constraint: the whole machine is out of memory.
    #[default]
    None,
    /// The nodes of a cpuset.
    Cpuset,
    /// The nodes of a memory policy.
    MemoryPolicy,
    /// The limit of a memory cgroup.
    Memcg,
}

/// Why the OOM killer was invoked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OomCause {
    /// A user asked for it with sysrq-f; no allocation failed.
    Sysrq,
    /// A memory cgroup hit its limit.
    Memcg,
    /// A page fault failed because some charge did ([`OomReport::is_page_fault`]).
    PageFault,
    /// The memory nodes of a cpuset are out of memory.
    Cpuset,
    /// The memory nodes that a memory policy allows are out of memory.
    MemoryPolicy,
    /// The machine is out of memory.
    Machine,
    /// The log does not tell.
    Unknown,
}

/// How full a memory cgroup was: one of its `usage …, limit …, failcnt …` lines.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MemcgUsage {
    /// What was charged.
    pub usage: Kib,
    /// The limit; `None` if the cgroup has none.
    pub limit: Option<Kib>,
    /// How often a charge hit the limit.
    pub failures: u64,
}

/// The allocation that failed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OomInvocation {
    /// Name of the allocating task (2.6.19 and later).
    pub name: Option<String>,
    /// The GFP flags as a number.
    pub gfp: String,
    /// The GFP flags as words (4.6 and later).
    pub flags: Option<String>,
    /// The allocation asked for 2 to the power of `order` pages; -1 if the OOM killer was invoked by
    /// sysrq.
    pub order: Option<i32>,
    /// `oom_score_adj` of the allocating task.
    pub adj: Option<Adj>,
    /// NUMA nodes that the allocation was limited to (4.6 to 4.20).
    pub nodes: Option<String>,
}

/// A zone of memory, as a report of the machine prints it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ZoneState {
    /// Its NUMA node.
    pub node: u32,
    /// Its name.
    pub name: String,
    /// Free memory.
    pub free: Kib,
    /// Below this watermark only the kernel's own needs are served.
    pub min: Kib,
    /// Below this watermark reclaim begins.
    pub low: Kib,
    /// Reclaim ends above this watermark.
    pub high: Kib,
    /// The part of `free` that only movable pages may use (CMA).
    pub cma: Kib,
    /// All of its memory.
    pub present: Option<Kib>,
    /// What the allocator manages of it.
    pub managed: Option<Kib>,
    /// Stacks of threads (up to 5.9).
    pub kernel_stack: Kib,
    /// What requests that may use a higher zone must leave free, in pages, by their highest zone.
    pub reserve: Vec<u64>,
}

/// The free list of a zone.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FreeChunks {
    /// Its NUMA node.
    pub node: u32,
    /// Its zone.
    pub zone: String,
    /// Size and number of the free chunks, the smallest first.
    pub list: Vec<(Kib, u64)>,
}

/// A row of the dump of tasks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DumpTask {
    /// The thread in which the kernel found the memory.
    pub pid: i32,
    /// Its process.
    pub tgid: i32,
    /// Real user id.
    pub uid: u32,
    /// Virtual size.
    pub total_vm: Pages,
    /// Resident memory.
    pub rss: Pages,
    /// Anonymous part of `rss` (6.8 and later, like the next two).
    pub anon: Option<Pages>,
    /// File-backed part of `rss`.
    pub file: Option<Pages>,
    /// Shared-memory part of `rss`.
    pub shmem: Option<Pages>,
    /// Page tables, in pages (up to 4.14).
    pub table_pages: Option<Pages>,
    /// Page tables, in bytes (4.15 and later).
    pub table_bytes: Option<Bytes>,
    /// Swapped-out memory.
    pub swap: Option<Pages>,
    /// `oom_score_adj`; converted from `oom_adj` up to 2.6.35.
    pub adj: Option<Adj>,
    /// Name of the task, 15 bytes at most.
    pub name: String,
}

/// What the beginning of a `Killed process` line says about the OOM.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KillReason {
    /// `Out of memory`.
    OutOfMemory,
    /// `Out of memory (oom_kill_allocating_task)`: the allocating process was killed without a ranking.
    AllocatingTask,
    /// `Memory cgroup out of memory`.
    MemoryCgroup,
    /// Other words, such as those of a BPF program. They do not tell what was out of memory.
    Other,
}

/// A killed process: its `Killed process` line.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KilledTask {
    /// The beginning of the line; `None` where the line has none.
    pub reason: Option<KillReason>,
    /// The beginning of the line where it has other words than the kernel's.
    pub words: Option<String>,
    /// The process id.
    pub pid: i32,
    /// Name of the task, 15 bytes at most.
    pub name: String,
    /// Real user id.
    pub uid: Option<u32>,
    /// Virtual size.
    pub total_vm: Option<Kib>,
    /// Resident anonymous memory.
    pub anon: Option<Kib>,
    /// Resident file-backed memory.
    pub file: Option<Kib>,
    /// Resident shared memory.
    pub shmem: Option<Kib>,
    /// Page tables.
    pub pgtables: Option<Kib>,
    /// `oom_score_adj`.
    pub adj: Option<Adj>,
}

/// Memory that a victim still had when the OOM reaper was done with it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ReapedTask {
    /// The victim.
    pub pid: i32,
    /// Anonymous memory.
    pub anon: Kib,
    /// File-backed memory.
    pub file: Kib,
    /// Shared memory.
    pub shmem: Kib,
}

/// A report of the OOM killer, as much of it as the log holds.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct OomReport {
    /// Time of its first line.
    pub stamp: LogTimestamp,
    /// Time of its last line, in microseconds since boot.
    pub last_us: Option<u64>,
    /// Numbers of its first and last line in the capture, from 1.
    pub lines: (u64, u64),
    /// The allocation that failed.
    pub invoked: Option<OomInvocation>,
    /// Pid of the allocating task.
    pub allocator: Option<i32>,
    /// Release of the kernel, as `uname -r` prints it.
    pub kernel: Option<String>,
    /// What limited the OOM.
    pub constraint: Option<Constraint>,
    /// NUMA nodes that the allocation was limited to.
    pub nodes: Option<String>,
    /// Name of the cpuset of the allocating task (5.0 and later).
    pub cpuset: Option<String>,
    /// NUMA nodes that this cpuset allows.
    pub mems: Option<String>,
    /// The memory cgroup that hit its limit.
    pub domain: Option<String>,
    /// The victim's cgroup.
    pub cgroup: Option<String>,
    /// Memory of the cgroup in `domain`.
    pub memory: Option<MemcgUsage>,
    /// Swap of the cgroup (version 2).
    pub swap: Option<MemcgUsage>,
    /// Memory and swap of the cgroup (version 1).
    pub memory_swap: Option<MemcgUsage>,
    /// All pages of the machine.
    pub ram: Option<Pages>,
    /// Pages that the kernel never gave to its allocator.
    pub reserved: Option<Pages>,
    /// Swap of the machine.
    pub swap_total: Option<Kib>,
    /// Free swap of the machine.
    pub swap_free: Option<Kib>,
    /// Free pages of the machine.
    pub free: Option<Pages>,
    /// The part of `free` that is reserved for contiguous allocations (CMA).
    pub free_cma: Option<Pages>,
    /// Slab of the kernel that it cannot reclaim.
    pub slab_unreclaimable: Option<Pages>,
    /// Memory in huge pages of the pools, used or free.
    pub huge_pages: Option<Kib>,
    /// The free part of `huge_pages`.
    pub huge_pages_free: Option<Kib>,
    /// Whether the report prints the memory of the machine: then no memory cgroup was out of memory.
    pub has_mem_info: bool,
    /// Pages of the machine by use, under the names of the kernel.
    pub counts: BTreeMap<&'static str, u64>,
    /// Stacks of threads.
    pub kernel_stack: Option<Kib>,
    /// The zones of memory.
    pub zones: Vec<ZoneState>,
    /// Their free lists.
    pub chunks: Vec<FreeChunks>,
    /// Bytes of the memory cgroup by use, under the names of the kernel.
    pub stat: BTreeMap<&'static str, u64>,
    /// The largest slabs that cannot be reclaimed, the largest first.
    pub slabs: Vec<(String, Kib)>,
    /// What the stack trace or a line without a path tells: a memory cgroup was out of memory.
    pub memcg_sign: bool,
    /// What the stack trace tells: a page fault failed.
    pub page_fault_sign: bool,
    /// What the stack trace tells: a user asked with sysrq-f.
    pub sysrq_sign: bool,
    /// The line ends in the path of `domain`, which may go on.
    pub domain_cut: bool,
    /// The BPF program that chose.
    pub bpf: Option<String>,
    /// Lines of another report stand in between, and some may be in the wrong one.
    pub is_mixed: bool,
    /// Names of the dump's columns.
    pub columns: Option<Vec<String>>,
    /// Rows of the dump.
    pub tasks: Vec<DumpTask>,
    /// The victim that the summary line names (5.0 and later).
    pub chosen: Option<i32>,
    /// Its name.
    pub chosen_name: Option<String>,
    /// Pid, name and points of the victim that older kernels name before they kill.
    pub selected: Option<(i32, String, i64)>,
    /// What the line of `selected` says about the OOM.
    pub selected_reason: Option<KillReason>,
    /// The cgroup that was killed as a whole (`memory.oom.group`).
    pub group: Option<String>,
    /// The killed processes, the first one first.
    pub killed: Vec<KilledTask>,
    /// Pid and name of each process that was killed because it shares the victim's memory.
    pub sharers: Vec<(i32, String)>,
    /// What the OOM reaper left of each victim.
    pub reaped: Vec<ReapedTask>,
    /// Victims that the OOM reaper could not reap.
    pub not_reaped: Vec<i32>,
    /// A victim that was exiting already, so that nothing was killed.
    pub exiting: Option<i32>,
    /// Members of a group kill that were exiting already.
    pub skipped: Vec<i32>,
    /// No process could be killed.
    pub no_victim: bool,
    /// The panic that the OOM ended in.
    pub panic: Option<String>,
}

/// Maximum time between two kills of one cgroup.
const GROUP_KILL_GAP_US: u64 = 10_000_000;

impl OomReport {
    /// Whether a memory cgroup, not the machine, was out of memory.
    #[must_use]
    pub fn is_memcg(&self) -> bool {
        self.constraint == Some(Constraint::Memcg)
            || self.domain.is_some()
            || self.memory.is_some()
            || self.memory_swap.is_some()
            || self.memcg_sign
            || self.kill_reason() == Some(KillReason::MemoryCgroup)
    }

    /// What the line that names the victim says about the OOM.
    #[must_use]
    pub fn kill_reason(&self) -> Option<KillReason> {
        let first = self.killed.first().and_then(|it| it.reason);
        // Up to 5.0 the line before says it.
        first.or(self.selected_reason)
    }

    /// Whether a page fault invoked the OOM killer after some charge had failed
    /// (`pagefault_out_of_memory` in `mm/oom_kill.c`, before 5.16): it passes no GFP flags. The machine
    /// need not be short of memory.
    #[must_use]
    pub fn is_page_fault(&self) -> bool {
        let invoked = self.invoked.as_ref();
        let no_flags =
            invoked.is_some_and(|it| it.order == Some(0) && it.gfp.trim_start_matches("0x") == "0");
        (no_flags || invoked.is_none() && self.page_fault_sign) && !self.is_memcg()
    }

    /// Whether the OOM killer was invoked by sysrq, so that no allocation failed.
    #[must_use]
    pub fn is_sysrq(&self) -> bool {
        self.sysrq_sign || self.invoked.as_ref().is_some_and(|invoked| invoked.order == Some(-1))
    }

    /// Why the OOM killer was invoked.
    #[must_use]
    pub fn cause(&self) -> OomCause {
        if self.is_sysrq() {
            return OomCause::Sysrq;
        }
        if self.is_memcg() {
            return OomCause::Memcg;
        }
        if self.is_page_fault() {
            return OomCause::PageFault;
        }
        match self.constraint {
            Some(Constraint::Cpuset) => return OomCause::Cpuset,
            Some(Constraint::MemoryPolicy) => return OomCause::MemoryPolicy,
            Some(Constraint::None) => return OomCause::Machine,
            Some(Constraint::Memcg) | None => {}
        }
        if self.nodes_asked().is_some() {
            return OomCause::MemoryPolicy;
        }
        let named = self.kill_reason().is_some_and(|it| it != KillReason::Other);
        let stopped =
            self.panic.as_deref().is_some_and(|it| it.starts_with("System is deadlocked"));
        if named || self.has_mem_info || stopped || self.panic_value() == Some(1) {
            return OomCause::Machine;
        }
        OomCause::Unknown
    }

    /// The value of `vm.panic_on_oom` that ended in a panic.
    #[must_use]
    pub fn panic_value(&self) -> Option<u8> {
        let why = self.panic.as_deref().filter(|why| why.contains("panic_on_oom"))?;
        Some(if why.contains("compulsory") { 2 } else { 1 })
    }

    /// NUMA nodes that a memory policy limited the allocation to.
    #[must_use]
    pub fn nodes_asked(&self) -> Option<&str> {
        if let Some(nodes) = self.nodes.as_deref() {
            return Some(nodes);
        }
        // Kernels 4.6 to 4.11 print the nodes of the cpuset where there is no policy.
        let asked = self.invoked.as_ref().and_then(|it| it.nodes.as_deref())?;
        self.mems.as_deref().is_some_and(|mems| mems != asked).then_some(asked)
    }

    /// Pid of the process that the kernel chose.
    #[must_use]
    pub fn victim(&self) -> Option<i32> {
        let first = self.killed.first().map(|killed| killed.pid);
        first.or(self.chosen).or(self.selected.as_ref().map(|it| it.0)).or(self.exiting)
    }

    /// The row of a process: by the id of the process, or of one of its threads.
    #[must_use]
    pub fn row(&self, pid: i32) -> Option<&DumpTask> {
        let by_thread = || self.tasks.iter().find(|task| task.pid == pid);
        self.tasks.iter().find(|task| task.tgid == pid).or_else(by_thread)
    }

    /// Forgets what may be of another report that stands interleaved in the log: all but the lines that
    /// name the victim.
    pub(super) fn forget_mixed(&mut self) {
        let whole = std::mem::take(self);
        let has_summary = whole.constraint.is_some();
        *self = Self {
            stamp: whole.stamp,
            last_us: whole.last_us,
            lines: whole.lines,
            invoked: whole.invoked.map(|it| OomInvocation { name: None, ..it }),
            kernel: whole.kernel,
            constraint: whole.constraint,
            nodes: whole.nodes,
            cpuset: whole.cpuset.filter(|_| has_summary),
            mems: whole.mems.filter(|_| has_summary),
            domain: whole.domain.filter(|_| has_summary),
            domain_cut: whole.domain_cut,
            cgroup: whole.cgroup.filter(|_| has_summary),
            chosen: whole.chosen,
            chosen_name: whole.chosen_name,
            selected: whole.selected,
            selected_reason: whole.selected_reason,
            group: whole.group,
            killed: whole.killed,
            sharers: whole.sharers,
            reaped: whole.reaped,
            not_reaped: whole.not_reaped,
            exiting: whole.exiting,
            skipped: whole.skipped,
            no_victim: whole.no_victim,
            panic: whole.panic,
            bpf: whole.bpf,
            is_mixed: true,
            ..Self::default()
        };
    }

    /// Whether a kill belongs to the group kill of this report: a kill of the same kind, at the same
    /// time, of a process that the dump lists (where there is a dump).
    pub(super) fn is_group_kill(&self, killed: &KilledTask, stamp: &LogTimestamp) -> bool {
        let same = self.killed.first().is_none_or(|first| first.reason == killed.reason);
        let at_once = match (self.last_us, stamp.uptime_us) {
            (Some(before), Some(now)) => now.saturating_sub(before) < GROUP_KILL_GAP_US,
            _ => true,
        };
        let listed = self.tasks.is_empty() || self.row(killed.pid).is_some();
        self.group.is_some() && same && at_once && listed
    }

    /// Whether the report has its result: a process was killed, or the log says why none was.
    pub(super) const fn has_result(&self) -> bool {
        !self.killed.is_empty() || self.exiting.is_some() || self.no_victim || self.panic.is_some()
    }

    /// Whether the lines prove an OOM. A lone dump or usage line does not.
    pub(super) const fn is_oom(&self) -> bool {
        self.invoked.is_some()
            || self.has_result()
            || self.chosen.is_some()
            || self.constraint.is_some()
            || self.selected.is_some()
    }
}
