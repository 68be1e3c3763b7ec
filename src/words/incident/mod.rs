//! Explains a report of the kernel's OOM killer: the failed allocation, the limit, the killed processes,
//! whether a rule agrees with the choice, and what another adj would have changed.

pub mod line;

use std::sync::Arc;

use crate::columns::human_size;
use crate::events::{OomCause, OomReport, page_size, reconstruct};
use crate::model::Scene;
use crate::policy::{Policy, of_kernel};
use crate::rank::Ranking;
use crate::units::Kib;
use crate::words::answer::{answer, chosen_other, is_thread_of};
use crate::words::incident::line::{IncidentLine, IncidentTopic};
use crate::words::judged_task::{ChoiceAgreement, JudgedTask, agreement, killed_allocating_task};
use crate::words::memory_sheet::MemorySheet;
use crate::words::remedy::{self, Remedy};
use crate::words::shortage::{gfp_words, zone_lines};

/// Facts that some reports of a log lack and others contain.
#[derive(Clone, Debug, Default)]
pub struct DumpContext {
    /// The release of the kernel.
    pub kernel: Option<String>,
    /// The total swap of the machine.
    pub swap: Option<Kib>,
}

impl DumpContext {
    /// The first known value of each fact in these reports.
    #[must_use]
    pub fn of(reports: &[OomReport]) -> Self {
        Self {
            kernel: reports.iter().find_map(|report| report.kernel.clone()),
            swap: reports.iter().find_map(|report| report.swap_total),
        }
    }

    /// Learns from one more report what is not known yet.
    pub fn learn(&mut self, report: &OomReport) {
        if self.kernel.is_none() {
            self.kernel.clone_from(&report.kernel);
        }
        self.swap = self.swap.or(report.swap_total);
    }

    /// Whether all facts are known.
    #[must_use]
    pub const fn is_whole(&self) -> bool {
        self.kernel.is_some() && self.swap.is_some()
    }
}

/// A report, judged by a rule.
pub struct ExplainedReport<'a> {
    report: &'a OomReport,
    notes: Vec<String>,
    judged: Option<JudgedTask>,
}

impl<'a> ExplainedReport<'a> {
    /// Judges a report by a policy, or by the rule of its own kernel if `policy` is `None`.
    #[must_use]
    pub fn new(
        report: &'a OomReport,
        common: &DumpContext,
        policy: Option<&'static dyn Policy>,
    ) -> Self {
        let filled = OomReport {
            kernel: report.kernel.clone().or_else(|| common.kernel.clone()),
            ..report.clone()
        };
        let Some(post) = reconstruct(&filled, common.swap) else {
            return Self { report, notes: missing(report), judged: None };
        };
        let policy = policy.unwrap_or_else(|| of_kernel(post.snapshot.machine.kernel.as_str()));
        let scene = Scene::scoped(Arc::new(post.snapshot), None, post.scope);
        let ranking = Ranking::new(policy, &scene);
        let agreement = agreement(report, &ranking);
        Self {
            report,
            notes: post.notes.into_iter().chain(missing(report)).collect(),
            judged: Some(JudgedTask { policy, scene, ranking, agreement }),
        }
    }

    /// Whether the rule chooses the process that the kernel killed.
    #[must_use]
    pub fn agreement(&self) -> ChoiceAgreement {
        self.judged.as_ref().map_or(ChoiceAgreement::Unknown, |judged| judged.agreement.clone())
    }

    /// Whether the rule chooses another process than the kernel did. Not where the kernel did not rank.
    #[must_use]
    pub fn differs(&self) -> bool {
        !killed_allocating_task(self.report)
            && matches!(self.agreement(), ChoiceAgreement::Differs(_))
    }

    /// The report itself.
    #[must_use]
    pub const fn report(&self) -> &'a OomReport {
        self.report
    }

    /// Facts that the report lacks, and what was assumed instead.
    #[must_use]
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// The judged dump, if there is one.
    #[must_use]
    pub const fn judged(&self) -> Option<&JudgedTask> {
        self.judged.as_ref()
    }

    /// Who was killed and why, in one sentence.
    #[must_use]
    pub fn answer(&self) -> String {
        answer(self.report)
    }

    /// The terms of the choice: the badness of the killed process, who was next, the kernel's own score.
    #[must_use]
    pub fn why(&self) -> Vec<String> {
        let report = self.report;
        let mut lines = Vec::new();
        if let Some(judged) = &self.judged {
            lines.extend(judged.terms(report));
        }
        if let Some((pid, name, score)) = &report.selected {
            lines.push(format!("the kernel's own score of {pid} {name} was {score}"));
        }
        if let Some((pid, name)) = chosen_other(report)
            && let Some(first) = report.killed.first()
        {
            lines.push(if is_thread_of(report, pid, first.pid) {
                format!("the kernel named {pid}, a thread of {} {}", first.pid, first.name)
            } else {
                format!(
                    "{pid} {name} was chosen; its child {} {} died in its place: up to Linux 5.0 the kernel \
                     prefers a child with memory of its own",
                    first.pid, first.name
                )
            });
        }
        lines
    }

    /// What the memory was used for.
    #[must_use]
    pub fn memory(&self) -> Option<MemorySheet> {
        MemorySheet::of(self.report, page_size(self.report))
    }

    /// The zones of the request, where they decide: a line each.
    #[must_use]
    pub fn zones(&self) -> Vec<String> {
        let report = self.report;
        let order = report.invoked.as_ref().and_then(|it| it.order);
        let decides = order.is_some_and(|order| order > 0)
            || matches!(report.cause(), OomCause::Cpuset | OomCause::MemoryPolicy)
            || report.zones.iter().any(|zone| zone.cma > Kib(0) || zone.free > zone.high);
        if report.is_memcg() || report.is_sysrq() || !decides {
            return Vec::new();
        }
        zone_lines(report, page_size(report))
    }

    /// The explanation without what to change.
    #[must_use]
    pub fn facts(&self) -> Vec<IncidentLine> {
        let report = self.report;
        let line = |topic| move |text: String| IncidentLine::new(topic, text);
        let mut lines = vec![
            IncidentLine::new(IncidentTopic::Answer, self.answer()),
            IncidentLine::new(IncidentTopic::When, self.when()),
            IncidentLine::new(IncidentTopic::What, self.what()),
        ];
        lines.extend(asked(report).map(line(IncidentTopic::Asked)));
        lines.extend(self.domain().map(line(IncidentTopic::Domain)));
        let slab = report.slabs.first().map(|(name, size)| (name.as_str(), *size));
        let sheet = self.memory().map(|it| it.words(slab)).unwrap_or_default();
        lines.extend(sheet.uses_sentence().map(line(IncidentTopic::Memory)));
        let stuck = sheet.stuck().map(|stuck| format!("no kill frees: {stuck}"));
        lines.extend(stuck.map(line(IncidentTopic::Memory)));
        lines.extend(self.zones().into_iter().map(line(IncidentTopic::Zone)));
        lines.extend(killed(report).into_iter().map(line(IncidentTopic::Killed)));
        lines.extend(self.why().into_iter().map(line(IncidentTopic::Why)));
        if let Some(judged) = &self.judged {
            lines.push(IncidentLine::new(IncidentTopic::Rule, judged.verdict(report)));
            let otherwise = judged.otherwise(report).into_iter();
            lines.extend(otherwise.map(line(IncidentTopic::WhatIf)));
        } else if !report.killed.is_empty() {
            let text = "the task dump is missing (rate-limited or cut off), so other processes are unknown";
            lines.push(IncidentLine::new(IncidentTopic::Rule, text));
        }
        lines.extend(self.notes().iter().cloned().map(line(IncidentTopic::Note)));
        lines
    }

    /// What to change so that it does not happen again, the best first.
    #[must_use]
    pub fn remedies(&self) -> Vec<Remedy> {
        remedy::of_report(self.report, self.judged.as_ref())
    }

    /// The explanation: the facts, and what to change.
    #[must_use]
    pub fn lines(&self) -> Vec<IncidentLine> {
        let mut lines = self.facts();
        for remedy in self.remedies() {
            lines.push(IncidentLine::new(IncidentTopic::Change, remedy.text));
            lines.extend(remedy.command.map(|it| IncidentLine::new(IncidentTopic::Command, it)));
        }
        lines
    }

    fn when(&self) -> String {
        let report = self.report;
        let (first, last) = report.lines;
        let stamp = match report.stamp.uptime_us {
            Some(us) => format!("{}.{:03} s after boot", us / 1_000_000, us / 1000 % 1000),
            None if report.stamp.text.is_empty() => "unknown".to_owned(),
            None => report.stamp.shown(),
        };
        let kernel = report.kernel.as_ref().map_or_else(String::new, |it| format!(", Linux {it}"));
        let lines =
            if first == last { format!("line {first}") } else { format!("lines {first}-{last}") };
        format!("{stamp} ({lines}){kernel}")
    }

    /// The kind of OOM.
    #[must_use]
    pub fn what(&self) -> String {
        let report = self.report;
        let domain = report.domain.as_deref().map_or_else(String::new, |path| format!(" {path}"));
        match report.cause() {
            OomCause::Sysrq => "a user requested a kill with sysrq-f; no allocation failed".to_owned(),
            OomCause::Memcg => format!("the memory cgroup{domain} hit its limit"),
            OomCause::PageFault => "a page fault failed at some limit, most likely of a container; the \
                                    machine need not be out of memory"
                .to_owned(),
            OomCause::Unknown => "not told in this log".to_owned(),
            OomCause::Cpuset => "the memory nodes of a cpuset ran out of memory".to_owned(),
            OomCause::MemoryPolicy => {
                "the memory nodes that a memory policy allows ran out of memory".to_owned()
            }
            OomCause::Machine if killed_allocating_task(report) => {
                "the machine ran out of memory; vm.oom_kill_allocating_task killed the allocating process"
                    .to_owned()
            }
            OomCause::Machine => "the machine ran out of memory".to_owned(),
        }
    }

    /// Usage and limits of the domain.
    fn domain(&self) -> Option<String> {
        let report = self.report;
        let size = |kib: Kib| human_size(kib.bytes());
        if let Some(memory) = report.memory {
            let limit = memory.limit.map_or_else(|| "no limit".to_owned(), size);
            let mut text = format!("memory {} of {limit}", size(memory.usage));
            for (name, usage) in [("swap", report.swap), ("memory and swap", report.memory_swap)] {
                let Some(usage) = usage else { continue };
                let limit = usage.limit.map_or_else(|| "no limit".to_owned(), size);
                text.push_str(&format!(", {name} {} of {limit}", size(usage.usage)));
            }
            match memory.failures {
                0 => {}
                1 => text.push_str("; the limit was reached once"),
                count => text.push_str(&format!("; the limit was reached {count} times")),
            }
            return Some(text);
        }
        let ram = report.ram?;
        let usable = ram.saturating_sub(report.reserved.unwrap_or_default());
        let page = page_size(report);
        let swap = match (report.swap_free, report.swap_total) {
            (_, Some(Kib(0))) => ", no swap".to_owned(),
            (Some(free), Some(total)) => format!(", swap {} free of {}", size(free), size(total)),
            _ => String::new(),
        };
        Some(format!("{} of RAM{swap}", human_size(usable.bytes(page))))
    }
}

/// The failed allocation.
fn asked(report: &OomReport) -> Option<String> {
    let invoked = report.invoked.as_ref()?;
    let who = match (&invoked.name, report.allocator) {
        (Some(name), Some(pid)) => format!("{pid} {name}"),
        (Some(name), None) => name.clone(),
        (None, _) => "an unknown process".to_owned(),
    };
    if report.is_sysrq() {
        return Some(format!("sysrq-f, handled by {who}"));
    }
    let pages = match invoked.order {
        Some(order @ 0..=30) => format!("{} (order {order})", plural(1 << order, "page")),
        _ => "memory".to_owned(),
    };
    // A page fault that failed at some charge passes no flags.
    if invoked.gfp.trim_start_matches("0x") == "0" {
        return Some(format!("a page fault of {who}"));
    }
    let flags = gfp_words(&invoked.gfp, invoked.flags.as_deref());
    Some(format!("{who} asked for {pages}, {flags}"))
}

fn plural(count: u64, word: &str) -> String {
    if count == 1 { format!("1 {word}") } else { format!("{count} {word}s") }
}

/// The killed processes, one line each.
fn killed(report: &OomReport) -> Vec<String> {
    let size = |kib: Kib| human_size(kib.bytes());
    let mut lines: Vec<String> = report
        .killed
        .iter()
        .map(|it| {
            let mut text = format!("{} {}", it.pid, it.name);
            if let Some(uid) = it.uid {
                text.push_str(&format!(" (uid {uid})"));
            }
            let parts = [("anon", it.anon), ("file", it.file), ("shmem", it.shmem)];
            for (name, part) in parts {
                if let Some(part) = part.filter(|part| part.0 > 0) {
                    text.push_str(&format!(", {name} {}", size(part)));
                }
            }
            if let Some(adj) = it.adj {
                text.push_str(&format!(", oom_score_adj {adj}"));
            }
            for reaped in report.reaped.iter().filter(|reaped| reaped.pid == it.pid) {
                let left = reaped.anon + reaped.file + reaped.shmem;
                text.push_str(&format!("; reaped, {} left", size(left)));
            }
            if report.not_reaped.contains(&it.pid) {
                text.push_str("; its memory could not be reaped");
            }
            text
        })
        .collect();
    lines.extend(
        report
            .sharers
            .iter()
            .map(|(pid, name)| format!("{pid} {name}, because it shared the memory of the victim")),
    );
    lines.extend(
        report.group.as_ref().map(|path| format!("all of {path}, because of memory.oom.group")),
    );
    if !report.skipped.is_empty() {
        let pids: Vec<String> = report.skipped.iter().map(i32::to_string).collect();
        lines.push(format!("{} of the group were exiting already", pids.join(", ")));
    }
    if let Some(pid) = report.exiting {
        lines.push(format!("none: {pid} was already exiting"));
    }
    if report.no_victim {
        lines.push("none: no process could be killed".to_owned());
    }
    lines.extend(report.panic.as_ref().map(|why| format!("the kernel panicked: {why}")));
    if lines.is_empty() {
        lines.push("not in this log".to_owned());
    }
    lines
}

/// What the log does not hold of a report.
fn missing(report: &OomReport) -> Vec<String> {
    let mut notes = Vec::new();
    if report.is_mixed {
        notes.push(
            "two reports stand interleaved in the log, and their lines do not tell which is which: only \
             the lines about the kill are used"
                .to_owned(),
        );
    }
    if report.domain_cut {
        notes.push("the log is cut in the path of the memory cgroup: it may go on".to_owned());
    }
    if report.is_memcg() && report.domain.is_none() {
        notes.push("the log does not name the memory cgroup".to_owned());
    }
    if report.killed.iter().any(|it| it.anon.is_none()) && report.columns.is_none() {
        notes.push("the log does not tell how much the killed process held".to_owned());
    }
    if report.columns.is_some() && report.tasks.is_empty() {
        notes.push("the rows of the dump are not in this log, or are cut".to_owned());
    }
    notes
}
