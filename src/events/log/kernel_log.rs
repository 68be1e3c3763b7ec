//! Puts the lines of a kernel log together into OOM reports.

use std::collections::{HashMap, VecDeque};

use crate::events::log::daemon::{DaemonKill, DaemonLogReader, by_saved_name};
use crate::events::log::framing::{FramedLine, Framer, LineWriter, LogTimestamp, without_colours};
use crate::events::log::kernel_line::{self, DumpCounter, KernelLine};
use crate::events::log::line_context::LineContext;
use crate::events::log::marker;
use crate::events::log::memory_line::{self, MemoryLine};
use crate::events::log::report::{KillReason, KilledTask, OomInvocation, OomReport, ReapedTask};
use crate::events::log::report_facts::add_facts;
use crate::events::log::wrapped;
use crate::model::{Killer, neutral};

/// Maximum number of rows kept of one dump: most machines cannot have more processes.
const MAX_TASKS: usize = 1 << 17;
/// Maximum number of reports kept of one capture.
const MAX_REPORTS: usize = 20_000;
/// Maximum number of reports that wait for their end while others go on.
const MAX_PARKED: usize = 8;
/// Maximum number of kills by daemons kept of one capture.
const MAX_HEARD: usize = 20_000;
/// After this many lines about something else a report gets no more rows.
const MAX_GAP: u64 = 20_000;
/// Ended reports that may still get lines of the OOM reaper, and the rows of their dumps.
const SETTLING: (usize, usize) = (16, 150_000);

/// A kill by a daemon, with its place in the log.
#[derive(Clone, Debug)]
pub struct HeardKill {
    /// Time of the line.
    pub stamp: LogTimestamp,
    /// Its number, from 1.
    pub line: u64,
    /// The kill.
    pub kill: DaemonKill,
}

/// A line of a capture, taken out of the form that it was saved in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LogEntry {
    /// The number of its line, from 1.
    pub number: u64,
    /// The program that wrote it, where the form names it apart from the text.
    pub program: Option<String>,
    /// The time, where the form has it apart from the text.
    pub stamp: String,
    /// The text; it may have a time and an origin in it.
    pub text: String,
}

/// A report that has no end yet, with what its next line depends on.
#[derive(Debug, Default)]
struct OpenReport {
    serial: u64,
    report: OomReport,
    context: LineContext,
    caller: Option<String>,
    /// Another warning stands in between: the memory of the machine that follows may be its own.
    is_interrupted: bool,
}

/// A line that the next one may continue.
#[derive(Debug)]
struct HeldLine {
    text: String,
    number: u64,
    stamp: String,
    pieces: u32,
}

/// Reads a kernel log line by line and returns its OOM reports.
#[derive(Debug, Default)]
pub struct KernelLogReader {
    framer: Framer,
    /// The report that the last lines belong to.
    open: Option<OpenReport>,
    /// Reports that have begun and have no end, while another one is open.
    parked: Vec<OpenReport>,
    finished: VecDeque<(u64, OomReport)>,
    /// Serial number of the report in which a pid was killed last.
    by_pid: HashMap<i32, u64>,
    serial: u64,
    /// Number of the last line, from 1.
    line: u64,
    /// Number of the line that is being read.
    at: u64,
    /// Number of the last line about an OOM.
    last_about: u64,
    held: Option<HeldLine>,
    /// The time of the line, where the form of the log has it apart from the text.
    stamp: String,
    daemons: DaemonLogReader,
    heard: Vec<HeardKill>,
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
        let plain = without_colours(line);
        let line = plain.trim_end_matches(['\r', '\n']);
        if let Some(mut held) = self.held.take() {
            let context = self.open.as_ref().map(|it| &it.context);
            let none = LineContext::default();
            if let Some(joined) = wrapped::join(&held.text, line, context.unwrap_or(&none)) {
                held = HeldLine { text: joined, pieces: held.pieces + 1, ..held };
                if held.pieces < 40 {
                    self.held = Some(held);
                } else {
                    self.separate(&held.text, held.number, &held.stamp);
                }
                return;
            }
            self.separate(&held.text, held.number, &held.stamp);
        }
        if !self.is_relevant(line) {
            return;
        }
        // A log that is followed is not broken, and its last line must not wait for another.
        if self.kept.is_none() && wrapped::may_go_on(line) {
            let (text, number, stamp) = (line.to_owned(), self.line, self.stamp.clone());
            self.held = Some(HeldLine { text, number, stamp, pieces: 1 });
        } else {
            self.separate(line, self.line, "");
        }
    }

    /// Takes the next line of a recording, whose time stamp and origin were taken off.
    pub fn take_framed(&mut self, line: &FramedLine) {
        self.line += 1;
        self.at = self.line;
        self.take_text(&line.stamp, None, true, &line.text);
    }

    /// Takes the next entry of a capture.
    pub fn take_entry(&mut self, entry: &LogEntry) {
        self.line = entry.number.saturating_sub(1);
        self.stamp.clone_from(&entry.stamp);
        match entry.program.as_deref() {
            Some("kernel") | None => self.take(&entry.text),
            Some(program) => {
                self.line += 1;
                self.at = self.line;
                if let Some(by) = by_saved_name(program) {
                    let stamp =
                        LogTimestamp { text: neutral(entry.stamp.as_bytes()), uptime_us: None };
                    self.hear(by, &stamp, &entry.text);
                }
            }
        }
    }

    /// Whether a line may be about an OOM: most lines of a log are not, and this is much cheaper than
    /// reading them.
    fn is_relevant(&mut self, line: &str) -> bool {
        let mut relevant =
            self.framer.is_open() || marker::begin(line).is_some() || marker::is_daemon(line);
        if !relevant
            && let Some(open) = self.open.as_ref().filter(|it| !it.report.has_result())
            && self.line.saturating_sub(self.last_about) < MAX_GAP
        {
            relevant = open.context.columns.is_some() && marker::rows(line).next().is_some()
                || (open.context.in_stat || open.context.in_slabs) && line.len() < 512
                || marker::within(line).is_some();
        }
        if relevant {
            self.last_about = self.line;
        }
        relevant
    }

    fn separate(&mut self, line: &str, number: u64, stamp: &str) {
        self.at = number;
        let Some(mut record) = self.framer.separate(line) else { return };
        if record.stamp.text.is_empty() {
            record.stamp.text = neutral(stamp.as_bytes());
        }
        match record.writer {
            LineWriter::Daemon(by) => self.hear(by, &record.stamp, &record.text),
            LineWriter::Kernel => {
                let caller = record.caller.as_deref();
                self.take_text(&record.stamp, caller, record.exact, &record.text);
            }
            LineWriter::Other => {}
        }
    }

    fn hear(&mut self, by: Killer, stamp: &LogTimestamp, line: &str) {
        let Some(kill) = self.daemons.take(by, line) else { return };
        if kill.undone {
            self.heard.pop_if(|last| last.kill.by == by);
        } else if self.heard.len() < MAX_HEARD {
            self.heard.push(HeardKill { stamp: stamp.clone(), line: self.at, kill });
        }
    }

    fn take_text(&mut self, stamp: &LogTimestamp, caller: Option<&str>, exact: bool, text: &str) {
        for text in text.split('\n') {
            let text = text.trim_end();
            let none = LineContext::default();
            let context = self.open.as_ref().map_or(&none, |open| &open.context);
            let Some(line) = kernel_line::read(text, exact, context) else {
                if marker::is_daemon(text) {
                    DaemonLogReader::by_words(text)
                        .into_iter()
                        .for_each(|(by, words)| self.hear(by, stamp, words));
                }
                continue;
            };
            let old_stat = memory_line::old_stat(text);
            self.add(line, stamp, caller);
            if let Some(open) = self.open.as_mut().filter(|_| !old_stat.is_empty())
                && open.report.stat.is_empty()
            {
                open.report.stat.extend(old_stat);
            }
            // Other warnings have lines about the machine, too. They belong to no report.
            if let Some(kept) = self.kept.as_mut().filter(|_| self.open.is_some()) {
                kept.push(FramedLine { stamp: stamp.clone(), text: text.to_owned() });
            }
        }
    }

    /// Ends the log and returns every report that was not taken before, the oldest first.
    #[must_use]
    pub fn finish(mut self) -> Vec<OomReport> {
        self.end();
        self.take_finished()
    }

    /// Ends the log: every report that has begun is finished.
    pub(crate) fn end(&mut self) {
        if let Some(held) = self.held.take() {
            self.separate(&held.text, held.number, &held.stamp);
        }
        self.close();
        for parked in std::mem::take(&mut self.parked) {
            self.file(parked);
        }
        self.finished.make_contiguous().sort_by_key(|(_, report)| report.lines.0);
    }

    /// The open report, once it says who was killed or why nobody was. More lines of it may follow.
    #[must_use]
    pub fn open_report(&self) -> Option<&OomReport> {
        self.open.as_ref().map(|open| &open.report).filter(|open| open.has_result())
    }

    /// Ends the open report. For a followed log that stays quiet: no later line would end it.
    pub fn end_report(&mut self) {
        self.close();
    }

    /// Takes out the reports that have ended, the oldest first, so that a log that is followed for
    /// weeks does not fill the memory.
    pub fn take_finished(&mut self) -> Vec<OomReport> {
        let finished = std::mem::take(&mut self.finished);
        let open = self.open.as_ref().map(|it| it.serial);
        self.by_pid.retain(|_, at| Some(*at) == open);
        finished.into_iter().map(|(_, report)| report).collect()
    }

    /// Takes out the reports that have ended and get no more lines, so that only a few dumps are held.
    pub(crate) fn take_settled(&mut self) -> Vec<OomReport> {
        let mut settled = Vec::new();
        let mut rows: usize = self.finished.iter().map(|(_, it)| it.tasks.len()).sum();
        while self.finished.len() > SETTLING.0 || rows > SETTLING.1 {
            let Some((_, report)) = self.finished.pop_front() else { break };
            rows -= report.tasks.len();
            settled.push(report);
        }
        settled
    }

    /// Takes out the kills by daemons.
    pub fn take_heard(&mut self) -> Vec<HeardKill> {
        std::mem::take(&mut self.heard)
    }

    fn close(&mut self) {
        if let Some(open) = self.open.take() {
            self.file(open);
        }
    }

    fn file(&mut self, mut open: OpenReport) {
        if open.report.is_oom() && self.finished.len() < MAX_REPORTS {
            if open.report.is_mixed {
                open.report.forget_mixed();
            }
            open.report.tasks.shrink_to_fit();
            // A log that is read from its end has its first line last.
            let (first, last) = open.report.lines;
            open.report.lines = (first.min(last), first.max(last));
            self.finished.push_back((open.serial, open.report));
        }
    }

    /// The open report, or a new one if there is none. `anew` ends the open one before.
    fn report(&mut self, stamp: &LogTimestamp, anew: bool) -> &mut OomReport {
        if anew {
            self.close();
        }
        let line = self.at;
        self.serial += u64::from(self.open.is_none());
        let serial = self.serial;
        let open = self.open.get_or_insert_with(|| OpenReport {
            serial,
            report: OomReport { stamp: stamp.clone(), lines: (line, line), ..OomReport::default() },
            ..OpenReport::default()
        });
        open.report.lines.1 = line;
        open.report.last_us = stamp.uptime_us.or(open.report.last_us);
        &mut open.report
    }

    /// Goes on with a report that waits, if the line is one of its own.
    fn turn_to(&mut self, line: &KernelLine, caller: Option<&str>) {
        if self.parked.is_empty() || matches!(line, KernelLine::Invoked(_) | KernelLine::Reaped(_))
        {
            return;
        }
        let of = |it: &OpenReport| caller.is_some() && it.caller.as_deref() == caller;
        if self.open.as_ref().is_some_and(of) {
            return;
        }
        let of_caller = self.parked.iter().position(of);
        let pid = match line {
            KernelLine::Killed(killed) => Some(killed.pid),
            KernelLine::Summary(it) => it.pid,
            KernelLine::Selected { pid, .. } | KernelLine::Exiting(pid) => Some(*pid),
            _ => None,
        };
        let is_own = |it: &OpenReport, pid: i32| {
            let chosen = it.report.chosen.or(it.report.selected.as_ref().map(|it| it.0));
            chosen.map_or_else(|| it.report.row(pid).is_some(), |chosen| chosen == pid)
        };
        let of_pid = pid.and_then(|pid| {
            let own =
                self.open.as_ref().is_some_and(|it| is_own(it, pid) || it.report.group.is_some());
            // The open one has its result, or another victim: the line belongs to one that waits.
            let full = self.open.as_ref().is_none_or(|it| {
                let report = &it.report;
                report.has_result() || report.chosen.is_some() || report.selected.is_some()
            });
            let found = self.parked.iter().position(|it| !own && is_own(it, pid));
            found.or_else(|| (full && !own).then(|| self.parked.len() - 1))
        });
        let Some(at) = of_caller.or(of_pid) else { return };
        let mut next = self.parked.remove(at);
        next.report.is_mixed |= of_caller.is_none();
        if let Some(open) = self.open.as_mut().filter(|_| of_caller.is_none()) {
            open.report.is_mixed |= !open.report.has_result();
        }
        match self.open.take() {
            Some(open) if open.report.has_result() => self.file(open),
            Some(open) => self.parked.push(open),
            None => {}
        }
        self.open = Some(next);
    }

    /// Adds what a line says to the report that it belongs to.
    fn add(&mut self, line: KernelLine, stamp: &LogTimestamp, caller: Option<&str>) {
        // Only in a report that has begun: a device may have such words in its name.
        if let KernelLine::Killed(KilledTask { reason: Some(KillReason::Other), .. }) = &line {
            let waits = |it: &OpenReport| it.report.invoked.is_some() && !it.report.has_result();
            if !self.open.as_ref().is_some_and(waits) {
                return;
            }
        }
        self.turn_to(&line, caller);
        // A report that has its result takes no second victim: the next lines begin another report.
        let over = self.open.as_ref().is_some_and(|it| it.report.has_result());
        let change = line.context_change();
        match line {
            KernelLine::Invoked(invoked) => self.invoked(invoked, stamp, caller),
            KernelLine::Columns(columns) => self.report(stamp, over).columns = Some(columns),
            KernelLine::Task(task) => {
                let tasks = &mut self.report(stamp, false).tasks;
                if tasks.len() < MAX_TASKS {
                    tasks.push(task);
                }
            }
            KernelLine::Summary(it) => {
                // The kernel may write it in pieces: then the whole follows its beginning.
                let again = self.open.as_ref().map(|it| &it.report).is_some_and(|report| {
                    let other_time = report.invoked.is_none() && report.stamp.text != stamp.text;
                    let other = report.chosen.map_or(other_time, |chosen| Some(chosen) != it.pid);
                    report.constraint.is_some() && other
                });
                let report = self.report(stamp, over || again);
                report.constraint = it.constraint;
                (report.nodes, report.cpuset, report.mems) = (it.nodes, it.cpuset, it.mems);
                if it.domain.is_some() {
                    (report.domain, report.domain_cut) = (it.domain, it.domain_cut);
                }
                report.cgroup = it.cgroup.or(report.cgroup.take());
                (report.chosen, report.chosen_name) = (it.pid, it.name);
            }
            KernelLine::Limit { cgroup, domain } => {
                let report = self.report(stamp, over);
                (report.cgroup, report.domain) = (Some(cgroup), Some(domain));
            }
            KernelLine::Selected { pid, name, score, reason } => {
                let again = self.open.as_ref().is_some_and(|it| it.report.selected.is_some());
                let report = self.report(stamp, over || again);
                report.selected = Some((pid, name, score));
                report.selected_reason = reason;
            }
            // It may come before or after the first kill of its group.
            KernelLine::Group(path) => self.report(stamp, false).group = Some(path),
            KernelLine::Killed(killed) => self.killed(killed, stamp, over),
            KernelLine::Sharer(pid, name) => self.report(stamp, false).sharers.push((pid, name)),
            KernelLine::Exiting(pid) => self.exiting(pid, stamp, over),
            KernelLine::NoVictim => self.report(stamp, over).no_victim = true,
            KernelLine::Panic(why) => {
                let killed = self.open.as_ref().is_some_and(|it| !it.report.killed.is_empty());
                self.report(stamp, killed).panic = Some(why);
            }
            KernelLine::Bpf(name) => self.report(stamp, over).bpf = Some(name),
            KernelLine::Reaped(reaped) => self.add_reaped(reaped),
            KernelLine::NotReaped(pid) => {
                if let Some(report) = self.last_killed_in(pid) {
                    report.not_reaped.push(pid);
                }
            }
            KernelLine::Charged(counter, usage) => {
                let report = self.report(stamp, over);
                report.memcg_sign = true;
                match counter {
                    DumpCounter::Memory => report.memory = Some(usage),
                    DumpCounter::Swap => report.swap = Some(usage),
                    DumpCounter::MemorySwap => report.memory_swap = Some(usage),
                    DumpCounter::Kernel => {}
                }
            }
            KernelLine::Memory(MemoryLine::StatOf(path)) => {
                let report = self.report(stamp, over);
                let lost_head = report.invoked.is_none() && report.memory.is_none();
                if report.domain.is_none() && report.stat.is_empty() {
                    report.domain = Some(path);
                } else if lost_head && report.cgroup.is_none() && report.constraint.is_none() {
                    // Old kernels print a line for each cgroup below. Which is the first is lost.
                    report.domain = None;
                }
                report.memcg_sign = true;
            }
            KernelLine::OtherWarning => {
                if let Some(open) = &mut self.open {
                    open.is_interrupted = true;
                }
            }
            KernelLine::Kernel { .. }
            | KernelLine::Cpuset { .. }
            | KernelLine::Trace(_)
            | KernelLine::Memory(_) => {
                let is_memory = matches!(line, KernelLine::Memory(_));
                let fits = |open: &&mut OpenReport| {
                    !over && (!is_memory || !open.is_interrupted || open.context.in_stat)
                };
                if let Some(open) = self.open.as_mut().filter(fits) {
                    open.report.lines.1 = self.at;
                    add_facts(&mut open.report, line);
                }
            }
        }
        if let Some(open) = &mut self.open {
            open.context.learn(change);
        }
    }

    fn invoked(&mut self, invoked: OomInvocation, stamp: &LogTimestamp, caller: Option<&str>) {
        // Another CPU may report at the same time: the one before may still get its end.
        let waits = |it: &OpenReport| it.report.invoked.is_some() && !it.report.has_result();
        match self.open.take() {
            Some(open) if waits(&open) => {
                self.parked.push(open);
                if self.parked.len() > MAX_PARKED {
                    let oldest = self.parked.remove(0);
                    self.file(oldest);
                }
            }
            Some(open) => self.file(open),
            None => {}
        }
        self.report(stamp, false).invoked = Some(invoked);
        if let Some(open) = &mut self.open {
            open.caller = caller.map(str::to_owned);
        }
    }

    fn killed(&mut self, killed: KilledTask, stamp: &LogTimestamp, over: bool) {
        let open = self.open.as_ref();
        let of_group = open.is_some_and(|open| open.report.is_group_kill(&killed, stamp));
        let pid = killed.pid;
        let report = self.report(stamp, over && !of_group);
        // A group kill names its first victim a second time.
        if report.killed.iter().all(|it| it.pid != pid) {
            report.killed.push(killed);
        }
        if of_group {
            let exiting = report.exiting.take();
            report.skipped.extend(exiting);
        }
        self.by_pid.insert(pid, self.serial_of_open());
    }

    fn exiting(&mut self, pid: i32, stamp: &LogTimestamp, over: bool) {
        let of_group = self.open.as_ref().is_some_and(|it| it.report.group.is_some());
        let report = self.report(stamp, over && !of_group);
        if !of_group {
            report.exiting = Some(pid);
        } else if report.killed.iter().all(|it| it.pid != pid) && !report.skipped.contains(&pid) {
            report.skipped.push(pid);
        }
    }

    fn serial_of_open(&self) -> u64 {
        self.open.as_ref().map_or(0, |it| it.serial)
    }

    fn add_reaped(&mut self, reaped: ReapedTask) {
        if let Some(report) = self.last_killed_in(reaped.pid) {
            report.reaped.push(reaped);
        }
    }

    /// The last report in which this pid was killed.
    fn last_killed_in(&mut self, pid: i32) -> Option<&mut OomReport> {
        let at = *self.by_pid.get(&pid)?;
        if self.open.as_ref().is_some_and(|it| it.serial == at) {
            return self.open.as_mut().map(|it| &mut it.report);
        }
        let mut recent = self.finished.iter_mut().rev().take(64);
        recent.find(|(serial, _)| *serial == at).map(|(_, report)| report)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ended_reports_are_given_on_soon() {
        let (mut reader, mut settled) = (KernelLogReader::default(), 0);
        for pid in 1..60 {
            reader
                .take("a invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=0, oom_score_adj=0");
            reader.take(&format!("Out of memory: Killed process {pid} (a) total-vm:1kB"));
            settled += reader.take_settled().len();
            assert!(reader.finished.len() <= SETTLING.0, "{}", reader.finished.len());
        }
        reader.end();
        assert_eq!(settled + reader.take_finished().len(), 59);
    }

    #[test]
    fn a_summary_in_two_records_is_one_report() {
        let log = "4,1,5,-;a invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=0, oom_score_adj=0\n\
                   6,2,6,c;oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),cpuset=/\n\
                   6,3,7,+;,mems_allowed=0,oom_memcg=/x,task_memcg=/x,task=a,pid=7,uid=0\n\
                   3,4,8,-;Memory cgroup out of memory: Killed process 7 (a) total-vm:1kB\n";
        let reports = KernelLogReader::read(log);
        let told: Vec<_> = reports.iter().map(|it| (it.domain.as_deref(), it.victim())).collect();
        assert_eq!(told, [(Some("/x"), Some(7))]);
    }
}
