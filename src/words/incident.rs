//! Explains a report of the kernel's OOM killer: the failed allocation, the limit, the killed processes,
//! whether a rule agrees with the choice, and what another adj would have changed.

use std::sync::Arc;

use crate::columns::{CommandStyle, RowContext, SizeUnit, human_size};
use crate::events::{Constraint, OomReport, reconstruct};
use crate::model::{Names, Process, Reading, Scene};
use crate::policy::{Policy, of_kernel};
use crate::rank::Ranking;
use crate::rank::what_if::what_if;
use crate::units::{Adj, Kib};
use crate::words::numbers_and_names;

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
}

/// Whether a rule chooses the process that the kernel killed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ChoiceAgreement {
    /// It chooses the same process.
    Agrees,
    /// This many were too close to call, the killed one among them.
    Among(usize),
    /// It chooses another; the rank of the killed one from 1, if the dump contains it.
    Differs(Option<usize>),
    /// Unknown: there is no dump, or no process was killed.
    Unknown,
}

impl ChoiceAgreement {
    /// The identifier in JSON.
    #[must_use]
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Agrees => "agrees",
            Self::Among(_) => "too_close",
            Self::Differs(_) => "differs",
            Self::Unknown => "unknown",
        }
    }
}

/// A report, judged by a rule.
pub struct ExplainedReport<'a> {
    report: &'a OomReport,
    notes: Vec<String>,
    judged: Option<JudgedTask>,
}

/// The task dump of a report, ranked by a rule.
pub struct JudgedTask {
    /// The rule.
    pub policy: &'static dyn Policy,
    /// The scene, reconstructed from the dump.
    pub scene: Scene,
    /// Its ranking by the rule.
    pub ranking: Ranking,
    agreement: ChoiceAgreement,
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
            return Self { report, notes: Vec::new(), judged: None };
        };
        let policy = policy.unwrap_or_else(|| of_kernel(post.snapshot.machine.kernel.as_str()));
        let scene = Scene::scoped(Arc::new(post.snapshot), None, post.scope);
        let ranking = Ranking::new(policy, &scene);
        let agreement = agreement(report, &ranking);
        Self {
            report,
            notes: post.notes,
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

    /// The explanation, as lines with a label.
    #[must_use]
    pub fn lines(&self) -> Vec<(&'static str, String)> {
        let report = self.report;
        let mut lines = vec![("when", self.when()), ("what", self.what())];
        lines.extend(asked(report).map(|text| ("asked", text)));
        lines.extend(self.domain().map(|text| ("domain", text)));
        lines.extend(killed(report).into_iter().map(|text| ("killed", text)));
        if let Some(judged) = &self.judged {
            lines.push(("rule", judged.verdict(report)));
            lines.extend(judged.otherwise(report).into_iter().map(|text| ("what if", text)));
        } else if !report.killed.is_empty() {
            let text = "the task dump is missing (rate-limited or cut off), so other processes are unknown";
            lines.push(("rule", text.to_owned()));
        }
        lines.extend(self.notes.iter().map(|note| ("note", note.clone())));
        lines
    }

    fn when(&self) -> String {
        let report = self.report;
        let (first, last) = report.lines;
        let stamp = match report.stamp.uptime_us {
            Some(us) => format!("{}.{:03} s after boot", us / 1_000_000, us / 1000 % 1000),
            None if report.stamp.text.is_empty() => "unknown".to_owned(),
            None => report.stamp.text.clone(),
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
        let prefix = report.killed.first().and_then(|killed| killed.prefix.as_deref());
        if report.is_sysrq() {
            "a user requested a kill with sysrq-f; no allocation failed".to_owned()
        } else if report.is_memcg() {
            format!("the memory cgroup{domain} hit its limit")
        } else if matches!(report.constraint, Some(Constraint::Cpuset)) {
            "the memory nodes of a cpuset ran out of memory".to_owned()
        } else if matches!(report.constraint, Some(Constraint::MemoryPolicy)) {
            "the memory nodes that a memory policy allows ran out of memory".to_owned()
        } else if prefix.is_some_and(|prefix| prefix.contains("oom_kill_allocating_task")) {
            "the machine ran out of memory; vm.oom_kill_allocating_task killed the allocating process"
                .to_owned()
        } else {
            "the machine ran out of memory".to_owned()
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
            text.push_str(&format!("; the limit was reached {} times", memory.failures));
            return Some(text);
        }
        let ram = report.ram?;
        let usable = ram.saturating_sub(report.reserved.unwrap_or_default());
        let page =
            self.judged.as_ref().map_or_else(Default::default, |it| it.scene.machine().page_size);
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
    let flags = invoked.flags.as_deref().unwrap_or(&invoked.gfp);
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
    if let Some(pid) = report.exiting {
        lines.push(format!("none: {pid} was already exiting"));
    }
    if report.no_victim {
        lines.push("none: no process could be killed".to_owned());
    }
    lines.extend(report.panic.as_ref().map(|why| format!("the kernel panicked: {why}")));
    lines
}

/// The process that the kernel chose. Up to Linux 5.0 a child may have died in its place.
fn decided(report: &OomReport) -> Option<i32> {
    report.selected.as_ref().map(|(pid, ..)| *pid).or_else(|| report.victim())
}

/// Whether the kernel killed the allocating process without ranking (`vm.oom_kill_allocating_task`).
fn killed_allocating_task(report: &OomReport) -> bool {
    let prefix = report.killed.first().and_then(|it| it.prefix.as_deref());
    prefix.is_some_and(|it| it.contains("allocating_task"))
}

fn agreement(report: &OomReport, ranking: &Ranking) -> ChoiceAgreement {
    let Some(pid) = decided(report) else { return ChoiceAgreement::Unknown };
    let first = ranking.victim().map(|row| row.id.pid);
    let candidates = ranking.candidates();
    if ranking.too_close() && candidates.iter().any(|id| id.pid == pid) {
        ChoiceAgreement::Among(candidates.len())
    } else if first == Some(pid) {
        ChoiceAgreement::Agrees
    } else {
        let place = ranking.rows()[..ranking.eligible()].iter().position(|row| row.id.pid == pid);
        ChoiceAgreement::Differs(place.map(|place| place + 1))
    }
}

impl JudgedTask {
    /// The context to show its rows in.
    #[must_use]
    pub fn context<'a>(&'a self, names: &'a Names) -> RowContext<'a> {
        RowContext {
            scene: &self.scene,
            policy: self.policy,
            ranking: &self.ranking,
            names,
            scale: SizeUnit::Auto,
            command: CommandStyle::Name,
        }
    }

    fn verdict(&self, report: &OomReport) -> String {
        let names = Names::default();
        let context = self.context(&names);
        let rule = if self.policy.is_running_kernel() {
            "the kernel's rule".to_owned()
        } else {
            format!("the rule of {}", self.policy.title())
        };
        let first = self.ranking.victim();
        let chosen = first.and_then(|row| {
            let process = self.scene.find(row.id)?;
            let points = row.placement.points()?;
            Some(format!(
                "{} with {}",
                numbers_and_names::who(process),
                numbers_and_names::points(&context, points)
            ))
        });
        let chosen = chosen.unwrap_or_else(|| "no process".to_owned());
        match &self.agreement {
            ChoiceAgreement::Agrees => {
                let ahead = self.ranking.margin().zip(self.ranking.runner_up());
                let ahead = ahead.and_then(|(margin, row)| {
                    let other = self.scene.find(row.id)?;
                    Some(format!(
                        ", {} ahead of {}",
                        numbers_and_names::points(&context, margin),
                        numbers_and_names::who(other)
                    ))
                });
                format!("{rule} agrees: {chosen}{}", ahead.unwrap_or_default())
            }
            ChoiceAgreement::Among(count) => {
                format!(
                    "{rule} finds {count} processes too close to call; the killed one is among them"
                )
            }
            ChoiceAgreement::Differs(_) if killed_allocating_task(report) => {
                format!("the kernel did not rank; {rule} would have chosen {chosen}")
            }
            ChoiceAgreement::Differs(Some(place)) => format!(
                "{rule} differs: it chooses {chosen}; the killed process has rank {place}. Sizes may have \
                 changed between choice and dump, or the domain or kernel was a different one"
            ),
            ChoiceAgreement::Differs(None) => {
                format!(
                    "{rule} differs: it chooses {chosen}; the killed process is not in the dump"
                )
            }
            ChoiceAgreement::Unknown => format!("{rule} chooses {chosen}"),
        }
    }

    /// What another adj would have changed, in words.
    fn otherwise(&self, report: &OomReport) -> Vec<String> {
        let mut lines = Vec::new();
        let now = self.scene.now();
        let found = decided(report).and_then(|pid| now.position(pid));
        let Some(victim) = found.map(|at| &now.processes[at]) else { return lines };
        let answer = what_if(self.policy, &self.scene, &self.ranking, victim);
        if let Some(saved) = answer.and_then(|answer| answer.saved_at) {
            let next = self.ranking.rows()[..self.ranking.eligible()].iter();
            let next = next.map(|row| row.id).find(|&id| id != victim.id);
            let next = next.and_then(|id| self.scene.find(id));
            let next = next.map_or_else(|| "no other process".to_owned(), numbers_and_names::who);
            // -1000 is the minimum.
            let lower = if saved == Adj::MIN { "" } else { " or lower" };
            lines.push(format!(
                "at oom_score_adj {saved}{lower} it would have survived, and {next} would have died"
            ));
        }
        if now
            .processes
            .iter()
            .any(|process| !matches!(process.adj.value(), None | Some(Adj::ZERO)))
        {
            let mut level = Ranking::default();
            level.update_with(self.policy, &self.scene, |process| {
                let adj = match process.adj.value() {
                    // -1000 stays: it excludes the process from the choice.
                    Some(Adj::MIN) | None => process.adj,
                    Some(_) => Reading::Value(Adj::ZERO),
                };
                let score = Reading::NotAsked;
                self.policy.judge(&Process { adj, score, ..process.clone() }, &self.scene)
            });
            let first = level.victim().and_then(|row| self.scene.find(row.id));
            if let Some(first) = first {
                let same = if first.id == victim.id { " as well" } else { "" };
                lines.push(format!(
                    "with every oom_score_adj at 0, {} would have died{same}",
                    numbers_and_names::who(first)
                ));
            }
        }
        lines
    }
}
