//! One report of the OOM killer, put together from its lines.

use std::collections::HashMap;

use crate::events::kernel_line;
use crate::events::kernel_line::{Constraint, DumpCounter, KernelLine, MemcgUsage, UsageOf};
use crate::events::log_framing::{FramedLine, Framer, LogTimestamp};
use crate::units::{Adj, Bytes, Kib, Pages};

/// The allocation that failed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OomInvocation {
    /// Who allocated, by name (2.6.19 and later).
    pub name: Option<String>,
    /// The flags as a number.
    pub gfp: String,
    /// The flags in words (4.6 and later).
    pub flags: Option<String>,
    /// 2 to the power of it pages were asked for; -1 where somebody asked by sysrq.
    pub order: Option<i32>,
    /// The adj of who allocated.
    pub adj: Option<Adj>,
}

/// A row of the dump.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DumpTask {
    /// The thread that was found with the memory.
    pub pid: i32,
    /// Its process.
    pub tgid: i32,
    /// Real user.
    pub uid: u32,
    /// Virtual size.
    pub total_vm: Pages,
    /// Resident.
    pub rss: Pages,
    /// Of them anonymous (6.8 and later, as the next two).
    pub anon: Option<Pages>,
    /// Of them of files.
    pub file: Option<Pages>,
    /// Of them shared memory.
    pub shmem: Option<Pages>,
    /// Page tables, in pages (up to 4.14).
    pub table_pages: Option<Pages>,
    /// Page tables, in bytes (4.15 and later).
    pub table_bytes: Option<Bytes>,
    /// Swapped out.
    pub swap: Option<Pages>,
    /// `oom_score_adj`; from `oom_adj` up to 2.6.35.
    pub adj: Option<Adj>,
    /// Its name.
    pub name: String,
}

/// A killed process.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KilledTask {
    /// What the line begins with: which kind of OOM it was.
    pub prefix: Option<String>,
    /// Who.
    pub pid: i32,
    /// Its name.
    pub name: String,
    /// Its user.
    pub uid: Option<u32>,
    /// Virtual size.
    pub total_vm: Option<Kib>,
    /// Resident anonymous memory.
    pub anon: Option<Kib>,
    /// Resident memory of files.
    pub file: Option<Kib>,
    /// Resident shared memory.
    pub shmem: Option<Kib>,
    /// Page tables.
    pub pgtables: Option<Kib>,
    /// Its adj.
    pub adj: Option<Adj>,
}

/// What the reaper left of a victim.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ReapedTask {
    /// Whose.
    pub pid: i32,
    /// Anonymous memory that was left.
    pub anon: Kib,
    /// Memory of files.
    pub file: Kib,
    /// Shared memory.
    pub shmem: Kib,
}

/// A report, as far as it was written.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct OomReport {
    /// When it began.
    pub stamp: LogTimestamp,
    /// When its last line was written, in microseconds since boot.
    pub last_us: Option<u64>,
    /// Its first and last line in the capture, from 1.
    pub lines: (u64, u64),
    /// What was asked for.
    pub invoked: Option<OomInvocation>,
    /// Who allocated.
    pub allocator: Option<i32>,
    /// The kernel's release.
    pub kernel: Option<String>,
    /// To what it was confined.
    pub constraint: Option<Constraint>,
    /// The nodes that the allocation named.
    pub nodes: Option<String>,
    /// The memory cgroup that hit its wall.
    pub domain: Option<String>,
    /// The victim's cgroup.
    pub cgroup: Option<String>,
    /// Memory of the cgroup.
    pub memory: Option<MemcgUsage>,
    /// Swap of the cgroup (version 2).
    pub swap: Option<MemcgUsage>,
    /// Memory and swap of the cgroup (version 1).
    pub memory_swap: Option<MemcgUsage>,
    /// All pages of the machine.
    pub ram: Option<Pages>,
    /// Those that the allocator never had.
    pub reserved: Option<Pages>,
    /// All swap of the machine.
    pub swap_total: Option<Kib>,
    /// Free swap of the machine.
    pub swap_free: Option<Kib>,
    /// The names of the dump's columns.
    pub columns: Option<Vec<String>>,
    /// The dump.
    pub tasks: Vec<DumpTask>,
    /// Whom the summary names.
    pub chosen: Option<i32>,
    /// Whom the older kernels chose, and their points.
    pub selected: Option<(i32, String, i64)>,
    /// The cgroup that was killed as a whole.
    pub group: Option<String>,
    /// Who was killed, the first one first.
    pub killed: Vec<KilledTask>,
    /// Who was killed for sharing the victim's memory.
    pub sharers: Vec<(i32, String)>,
    /// What the reaper did.
    pub reaped: Vec<ReapedTask>,
    /// Whom it could not reap.
    pub not_reaped: Vec<i32>,
    /// Who was on the way out already, so that nobody was killed.
    pub exiting: Option<i32>,
    /// Nobody could be killed.
    pub nobody: bool,
    /// The machine stopped.
    pub panic: Option<String>,
}

impl OomReport {
    /// Whether it is of a memory cgroup.
    #[must_use]
    pub fn is_memcg(&self) -> bool {
        let prefix = self.killed.first().and_then(|killed| killed.prefix.as_deref());
        self.constraint == Some(Constraint::Memcg)
            || self.domain.is_some()
            || self.memory.is_some()
            || prefix.is_some_and(|prefix| prefix.starts_with("Memory cgroup"))
    }

    /// Whether somebody asked for it by sysrq, and no allocation failed.
    #[must_use]
    pub fn is_asked_for(&self) -> bool {
        self.invoked.as_ref().is_some_and(|invoked| invoked.order == Some(-1))
    }

    /// The one that the kernel decided for.
    #[must_use]
    pub fn victim(&self) -> Option<i32> {
        let first = self.killed.first().map(|killed| killed.pid);
        first.or(self.chosen).or(self.exiting)
    }

    /// Whether a kill belongs to the cgroup that is killed as a whole: of the same kind, at once, and of
    /// somebody in the dump, where there is one.
    fn goes_on(&self, killed: &KilledTask, stamp: &LogTimestamp) -> bool {
        let same = self.killed.first().is_none_or(|first| first.prefix == killed.prefix);
        let at_once = match (self.last_us, stamp.uptime_us) {
            (Some(before), Some(now)) => now.saturating_sub(before) < AT_ONCE_US,
            _ => true,
        };
        let listed = self.tasks.is_empty() || self.tasks.iter().any(|task| task.pid == killed.pid);
        self.group.is_some() && same && at_once && listed
    }

    /// Whether it has come to its end: somebody was killed, or it was said why not.
    const fn is_over(&self) -> bool {
        !self.killed.is_empty() || self.exiting.is_some() || self.nobody || self.panic.is_some()
    }

    /// Whether anything tells that something was decided here.
    const fn is_worth_telling(&self) -> bool {
        self.invoked.is_some() || self.is_over() || self.chosen.is_some() || self.selected.is_some()
    }
}

/// The kills of one cgroup follow each other within so long.
const AT_ONCE_US: u64 = 10_000_000;
/// Rows of a dump that are kept: as many as there can be processes on most machines.
const MOST_TASKS: usize = 1 << 17;
/// Reports of a capture that are kept.
const MOST_REPORTS: usize = 20_000;

/// Puts reports together, line by line.
#[derive(Debug, Default)]
pub struct KernelLogReader {
    framer: Framer,
    open: Option<OomReport>,
    done: Vec<OomReport>,
    /// In which report a pid was killed last; the open one stands behind those that are done.
    by_pid: HashMap<i32, usize>,
    line: u64,
}

impl KernelLogReader {
    /// Reads a whole capture.
    #[must_use]
    pub fn read(capture: &str) -> Vec<OomReport> {
        let mut reader = Self::default();
        capture.lines().for_each(|line| reader.take(line));
        reader.finish()
    }

    /// Takes the next line.
    pub fn take(&mut self, line: &str) {
        self.line += 1;
        let Some(FramedLine { stamp, text }) = self.framer.take(line) else { return };
        for text in text.split('\n') {
            let columns = self.open.as_ref().and_then(|report| report.columns.as_deref());
            if let Some(said) = kernel_line::read(text.trim_end(), columns) {
                self.said(said, &stamp);
            }
        }
    }

    /// Ends it; every report comes back, the oldest first.
    #[must_use]
    pub fn finish(mut self) -> Vec<OomReport> {
        self.close();
        self.done
    }

    /// The report that is being written, once it was said who was killed, or why nobody was; more of it
    /// may follow.
    #[must_use]
    pub fn begun(&self) -> Option<&OomReport> {
        self.open.as_ref().filter(|open| open.is_over())
    }

    /// Ends the report that is being written, where nothing more of it comes.
    pub fn rest(&mut self) {
        self.close();
    }

    /// Takes out the reports that have ended, the oldest first: a log that is followed for weeks keeps
    /// none of them here.
    pub fn take_ended(&mut self) -> Vec<OomReport> {
        let ended = std::mem::take(&mut self.done);
        // Those of the open one go on standing behind none.
        let gone = ended.len();
        self.by_pid.retain(|_, at| *at >= gone);
        self.by_pid.values_mut().for_each(|at| *at -= gone);
        ended
    }

    fn close(&mut self) {
        let room = self.done.len() < MOST_REPORTS;
        self.done.extend(self.open.take().filter(|open| room && open.is_worth_telling()));
    }

    /// The open report; a new one where none is, or where the open one cannot go on with this.
    fn report(&mut self, stamp: &LogTimestamp, anew: bool) -> &mut OomReport {
        if anew {
            self.close();
        }
        let line = self.line;
        let open = self.open.get_or_insert_with(|| OomReport {
            stamp: stamp.clone(),
            lines: (line, line),
            ..OomReport::default()
        });
        open.lines.1 = line;
        open.last_us = stamp.uptime_us.or(open.last_us);
        open
    }

    fn said(&mut self, said: KernelLine, stamp: &LogTimestamp) {
        let over = self.open.as_ref().is_some_and(OomReport::is_over);
        match said {
            KernelLine::Invoked(invoked) => self.report(stamp, true).invoked = Some(invoked),
            // The line that names the kernel stands in every warning.
            KernelLine::Kernel { release, pid } => {
                if let Some(open) = self.open.as_mut().filter(|open| open.kernel.is_none() && !over)
                {
                    (open.kernel, open.allocator) = (Some(release), Some(pid));
                }
            }
            KernelLine::Charged(counter, usage) => {
                let report = self.report(stamp, over);
                match counter {
                    DumpCounter::Memory => report.memory = Some(usage),
                    DumpCounter::Swap => report.swap = Some(usage),
                    DumpCounter::MemorySwap => report.memory_swap = Some(usage),
                    DumpCounter::Kernel => {}
                }
            }
            KernelLine::Present(of, pages) => {
                if let Some(open) = self.open.as_mut().filter(|_| !over) {
                    match of {
                        UsageOf::Ram => open.ram = Some(pages),
                        UsageOf::Reserved => open.reserved = Some(pages),
                    }
                }
            }
            KernelLine::SwapTotal(size) => {
                self.open.iter_mut().for_each(|open| open.swap_total = Some(size));
            }
            KernelLine::SwapFree(size) => {
                self.open.iter_mut().for_each(|open| open.swap_free = Some(size));
            }
            KernelLine::Columns(columns) => self.report(stamp, over).columns = Some(columns),
            KernelLine::Task(task) => {
                let tasks = &mut self.report(stamp, false).tasks;
                if tasks.len() < MOST_TASKS {
                    tasks.push(task);
                }
            }
            KernelLine::Summary { constraint, nodes, domain, cgroup, pid } => {
                let report = self.report(stamp, over);
                report.constraint = Some(constraint);
                (report.nodes, report.domain, report.cgroup) = (nodes, domain, cgroup);
                report.chosen = pid;
            }
            KernelLine::Limit { cgroup, domain } => {
                let report = self.report(stamp, over);
                (report.cgroup, report.domain) = (Some(cgroup), Some(domain));
            }
            KernelLine::Selected { pid, name, score } => {
                self.report(stamp, over).selected = Some((pid, name, score));
            }
            KernelLine::Group(path) => {
                // It stands behind the first kill of its group, or before it.
                self.report(stamp, false).group = Some(path);
            }
            KernelLine::Killed(killed) => {
                let of_group = self.open.as_ref().is_some_and(|open| open.goes_on(&killed, stamp));
                self.report(stamp, over && !of_group);
                // The group's kill names its first victim once more.
                let here = self.done.len();
                if self.by_pid.insert(killed.pid, here) != Some(here) {
                    self.report(stamp, false).killed.push(killed);
                }
            }
            KernelLine::Sharer(pid, name) => self.report(stamp, false).sharers.push((pid, name)),
            KernelLine::Exiting(pid) => self.report(stamp, over).exiting = Some(pid),
            KernelLine::Nobody => self.report(stamp, over).nobody = true,
            KernelLine::Panic(why) => self.report(stamp, false).panic = Some(why),
            KernelLine::Reaped(reaped) => {
                if let Some(report) = self.about(reaped.pid) {
                    report.reaped.push(reaped);
                }
            }
            KernelLine::NotReaped(pid) => {
                if let Some(report) = self.about(pid) {
                    report.not_reaped.push(pid);
                }
            }
        }
    }

    /// The last report in which this one was killed.
    fn about(&mut self, pid: i32) -> Option<&mut OomReport> {
        let at = *self.by_pid.get(&pid)?;
        if at == self.done.len() { self.open.as_mut() } else { self.done.get_mut(at) }
    }
}
