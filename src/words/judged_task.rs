//! The task dump of a report, ranked by a rule: whether the rule agrees with the kernel's choice, and what
//! another adj would have changed.

use crate::columns::{CommandStyle, RowContext, SizeUnit, human_size};
use crate::events::{KillReason, OomReport};
use crate::model::{Names, Process, Reading, Scene};
use crate::policy::Policy;
use crate::rank::Ranking;
use crate::rank::what_if::what_if;
use crate::units::{Adj, Pages};
use crate::words::numbers_and_names;

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

/// The task dump of a report, ranked by a rule.
pub struct JudgedTask {
    /// The rule.
    pub policy: &'static dyn Policy,
    /// The scene, reconstructed from the dump.
    pub scene: Scene,
    /// Its ranking by the rule.
    pub ranking: Ranking,
    pub(crate) agreement: ChoiceAgreement,
}

/// What a process holds: resident and swapped-out memory.
pub(crate) fn held(process: &Process) -> Pages {
    process.rss_stat + process.swap.value().unwrap_or_default()
}

/// Whether the death of another process would have freed a useful part of what the victim held: at least
/// an eighth.
pub(crate) fn helps_instead(other: &Process, victim: &Process) -> bool {
    held(other).0 >= held(victim).0 / 8
}

/// The process that the kernel chose, by its process id: the log may name one of its threads. Up to Linux
/// 5.0 a child may have died in its place.
pub(crate) fn decided(report: &OomReport) -> Option<i32> {
    let selected = report.selected.as_ref().map(|(pid, ..)| *pid);
    let known = selected.filter(|&pid| report.tasks.is_empty() || report.row(pid).is_some());
    let pid = known.or_else(|| report.victim())?;
    Some(report.row(pid).map_or(pid, |row| if row.tgid > 0 { row.tgid } else { pid }))
}

/// Whether the kernel killed the allocating process without ranking (`vm.oom_kill_allocating_task`).
pub(crate) fn killed_allocating_task(report: &OomReport) -> bool {
    report.kill_reason() == Some(KillReason::AllocatingTask)
}

pub(crate) fn agreement(report: &OomReport, ranking: &Ranking) -> ChoiceAgreement {
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

    /// The badness of the chosen process in its terms, and the next candidate.
    pub(crate) fn terms(&self, report: &OomReport) -> Vec<String> {
        let names = Names::default();
        let context = self.context(&names);
        let row = |pid: i32| self.ranking.rows().iter().find(|row| row.id.pid == pid);
        let Some(row) = decided(report).and_then(row) else { return Vec::new() };
        let Some((process, points)) = self.scene.find(row.id).zip(row.placement.points()) else {
            return Vec::new();
        };
        let page = self.scene.machine().page_size;
        let size = |pages: Pages| human_size(pages.bytes(page));
        let mut terms = format!("resident {}", size(process.rss_stat));
        for (name, pages) in [("swap", process.swap), ("page tables", process.pgtables)] {
            if let Some(pages) = pages.value().filter(|pages| pages.0 > 0) {
                terms.push_str(&format!(" + {name} {}", size(pages)));
            }
        }
        if let Some(adj) = process.adj.value().filter(|adj| *adj != Adj::ZERO) {
            let step = numbers_and_names::step(&context);
            terms.push_str(&format!(" + adj {adj} times {step}"));
        }
        let who = numbers_and_names::who(process);
        let points = numbers_and_names::points(&context, points);
        let mut lines = vec![format!("badness of {who}: {points} = {terms}")];
        let next = self.ranking.rows()[..self.ranking.eligible()].iter();
        if let Some(next) = next.map(|row| row.id).find(|id| *id != process.id)
            && let Some(other) = self.scene.find(next)
        {
            lines.push(format!(
                "next was {}, which held {}",
                numbers_and_names::who(other),
                size(held(other))
            ));
        }
        lines
    }

    pub(crate) fn verdict(&self, report: &OomReport) -> String {
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
                        numbers_and_names::lead(&context, margin),
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
    pub(crate) fn otherwise(&self, report: &OomReport) -> Vec<String> {
        let mut lines = Vec::new();
        let now = self.scene.now();
        let found = decided(report).and_then(|pid| now.position(pid));
        let Some(victim) = found.map(|at| &now.processes[at]) else { return lines };
        let answer = what_if(self.policy, &self.scene, &self.ranking, victim);
        if let Some(saved) = answer.and_then(|answer| answer.saved_at) {
            let next = self.ranking.rows()[..self.ranking.eligible()].iter();
            let next = next.map(|row| row.id).find(|&id| id != victim.id);
            let next = next.and_then(|id| self.scene.find(id));
            let helps = next.is_none_or(|next| helps_instead(next, victim));
            let size =
                |process: &Process| human_size(held(process).bytes(self.scene.machine().page_size));
            let few = match next {
                Some(next) if !helps => format!(", which held only {}: no help", size(next)),
                _ => String::new(),
            };
            let next = next.map_or_else(|| "no other process".to_owned(), numbers_and_names::who);
            // -1000 is the minimum.
            let lower = if saved == Adj::MIN { "" } else { " or lower" };
            lines.push(format!(
                "at oom_score_adj {saved}{lower} it would have survived, and {next} would have died{few}"
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
