//! Puts the lines of a kernel log together into OOM reports.

use std::collections::HashMap;

use crate::events::log::framing::{FramedLine, Framer, LogTimestamp};
use crate::events::log::kernel_line;
use crate::events::log::kernel_line::{DumpCounter, KernelLine, PageCount};
use crate::events::log::report::{OomReport, ReapedTask};

/// Maximum number of rows kept of one dump: most machines cannot have more processes.
const MAX_TASKS: usize = 1 << 17;
/// Maximum number of reports kept of one capture.
const MAX_REPORTS: usize = 20_000;

/// Reads a kernel log line by line and returns its OOM reports.
#[derive(Debug, Default)]
pub struct KernelLogReader {
    framer: Framer,
    /// The report that the last lines belong to.
    open: Option<OomReport>,
    finished: Vec<OomReport>,
    /// Index of the report in which a pid was killed last. The open report has the index
    /// `finished.len()`.
    by_pid: HashMap<i32, usize>,
    /// Number of the last line, from 1.
    line: u64,
    /// The lines about OOM kills, for a recording; `None` where they are not kept.
    kept: Option<Vec<FramedLine>>,
}

impl KernelLogReader {
    /// Reads a whole capture and returns its reports, the oldest first.
    #[must_use]
    pub fn read(capture: &str) -> Vec<OomReport> {
        let mut reader = Self::default();
        capture.lines().for_each(|line| reader.take(line));
        reader.finish()
    }

    /// A reader that also keeps the lines about OOM kills; see [`Self::take_kept`].
    #[must_use]
    pub fn that_keeps_lines() -> Self {
        Self { kept: Some(Vec::new()), ..Self::default() }
    }

    /// Takes out the lines about OOM kills that were read since the last call. A record of several lines
    /// gives several.
    pub fn take_kept(&mut self) -> Vec<FramedLine> {
        self.kept.as_mut().map(std::mem::take).unwrap_or_default()
    }

    /// Takes the next line.
    pub fn take(&mut self, line: &str) {
        self.line += 1;
        if let Some(FramedLine { stamp, text }) = self.framer.take(line) {
            self.take_text(&stamp, &text);
        }
    }

    /// Takes the next line of a recording, whose time stamp and origin were taken off.
    pub fn take_framed(&mut self, line: &FramedLine) {
        self.line += 1;
        self.take_text(&line.stamp, &line.text);
    }

    fn take_text(&mut self, stamp: &LogTimestamp, text: &str) {
        for text in text.split('\n') {
            let text = text.trim_end();
            let columns = self.open.as_ref().and_then(|report| report.columns.as_deref());
            let Some(line) = kernel_line::read(text, columns) else { continue };
            self.add(line, stamp);
            // Other warnings have lines about the machine, too. They belong to no report.
            if let Some(kept) = self.kept.as_mut().filter(|_| self.open.is_some()) {
                kept.push(FramedLine { stamp: stamp.clone(), text: text.to_owned() });
            }
        }
    }

    /// Ends the log and returns every report that was not taken before, the oldest first.
    #[must_use]
    pub fn finish(mut self) -> Vec<OomReport> {
        self.close();
        self.finished
    }

    /// The open report, once it says who was killed or why nobody was. More lines of it may follow.
    #[must_use]
    pub fn open_report(&self) -> Option<&OomReport> {
        self.open.as_ref().filter(|open| open.has_result())
    }

    /// Ends the open report. For a followed log that stays quiet: no later line would end it.
    pub fn end_report(&mut self) {
        self.close();
    }

    /// Takes out the reports that have ended, the oldest first, so that a log that is followed for
    /// weeks does not fill the memory.
    pub fn take_finished(&mut self) -> Vec<OomReport> {
        let finished = std::mem::take(&mut self.finished);
        let taken = finished.len();
        self.by_pid.retain(|_, at| *at >= taken);
        self.by_pid.values_mut().for_each(|at| *at -= taken);
        finished
    }

    fn close(&mut self) {
        let has_room = self.finished.len() < MAX_REPORTS;
        self.finished.extend(self.open.take().filter(|open| has_room && open.is_oom()));
    }

    /// The open report, or a new one if there is none. `anew` ends the open one before.
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

    /// Adds what a line says to the report that it belongs to.
    fn add(&mut self, line: KernelLine, stamp: &LogTimestamp) {
        // A report that has its result takes no second victim: the next lines begin another report.
        let over = self.open.as_ref().is_some_and(OomReport::has_result);
        match line {
            KernelLine::Invoked(invoked) => self.report(stamp, true).invoked = Some(invoked),
            KernelLine::Columns(columns) => self.report(stamp, over).columns = Some(columns),
            KernelLine::Task(task) => {
                let tasks = &mut self.report(stamp, false).tasks;
                if tasks.len() < MAX_TASKS {
                    tasks.push(task);
                }
            }
            KernelLine::Summary { constraint, nodes, cpuset, mems, domain, cgroup, pid } => {
                let report = self.report(stamp, over);
                report.constraint = Some(constraint);
                (report.nodes, report.domain, report.cgroup) = (nodes, domain, cgroup);
                (report.cpuset, report.mems) = (cpuset, mems);
                report.chosen = pid;
            }
            KernelLine::Limit { cgroup, domain } => {
                let report = self.report(stamp, over);
                (report.cgroup, report.domain) = (Some(cgroup), Some(domain));
            }
            KernelLine::Selected { pid, name, score } => {
                self.report(stamp, over).selected = Some((pid, name, score));
            }
            // It may come before or after the first kill of its group.
            KernelLine::Group(path) => self.report(stamp, false).group = Some(path),
            KernelLine::Killed(killed) => {
                let of_group =
                    self.open.as_ref().is_some_and(|open| open.is_group_kill(&killed, stamp));
                self.report(stamp, over && !of_group);
                // A group kill names its first victim a second time.
                let here = self.finished.len();
                if self.by_pid.insert(killed.pid, here) != Some(here) {
                    self.report(stamp, false).killed.push(killed);
                }
            }
            KernelLine::Sharer(pid, name) => self.report(stamp, false).sharers.push((pid, name)),
            KernelLine::Exiting(pid) => self.report(stamp, over).exiting = Some(pid),
            KernelLine::NoVictim => self.report(stamp, over).no_victim = true,
            KernelLine::Panic(why) => self.report(stamp, false).panic = Some(why),
            KernelLine::Reaped(reaped) => self.add_reaped(reaped),
            KernelLine::NotReaped(pid) => {
                if let Some(report) = self.last_killed_in(pid) {
                    report.not_reaped.push(pid);
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
            KernelLine::Kernel { .. }
            | KernelLine::Present(..)
            | KernelLine::Free(..)
            | KernelLine::Slab(..)
            | KernelLine::HugePages(_)
            | KernelLine::SwapTotal(_)
            | KernelLine::SwapFree(_) => self.add_machine(line, over),
        }
    }

    /// Facts of the machine. Other warnings print them too, so they never begin a report.
    fn add_machine(&mut self, line: KernelLine, over: bool) {
        let Some(open) = &mut self.open else { return };
        match line {
            KernelLine::Kernel { release, pid } if open.kernel.is_none() && !over => {
                (open.kernel, open.allocator) = (Some(release), Some(pid));
            }
            KernelLine::Present(PageCount::Ram, pages) if !over => open.ram = Some(pages),
            KernelLine::Present(PageCount::Reserved, pages) if !over => open.reserved = Some(pages),
            KernelLine::Free(free, cma) if !over => {
                (open.free, open.free_cma) = (Some(free), cma);
            }
            KernelLine::Slab(slab, free) if !over => {
                open.slab_unreclaimable = Some(slab);
                open.free = free.or(open.free);
            }
            // One line for each node and size.
            KernelLine::HugePages(size) if !over => {
                open.huge_pages = Some(open.huge_pages.unwrap_or_default() + size);
            }
            KernelLine::SwapTotal(size) => open.swap_total = Some(size),
            KernelLine::SwapFree(size) => open.swap_free = Some(size),
            _ => {}
        }
    }

    fn add_reaped(&mut self, reaped: ReapedTask) {
        if let Some(report) = self.last_killed_in(reaped.pid) {
            report.reaped.push(reaped);
        }
    }

    /// The last report in which this pid was killed.
    fn last_killed_in(&mut self, pid: i32) -> Option<&mut OomReport> {
        let at = *self.by_pid.get(&pid)?;
        if at == self.finished.len() { self.open.as_mut() } else { self.finished.get_mut(at) }
    }
}
