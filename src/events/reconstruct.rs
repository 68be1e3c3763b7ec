//! A report as a look at the machine of that moment: its dump becomes the table of processes, so that
//! every policy can judge it.

use std::sync::Arc;

use crate::events::kernel_line::{Constraint, MemcgUsage};
use crate::events::report::{DumpTask, OomReport};
use crate::model::{
    Capabilities, Cgroup, Cgroups, Comm, Hierarchy, Limit, Machine, Memory, ProcId, Process,
    Reading, RunState, Scope, ScoreScale, Snapshot, Swap, Text, Unavailable, UserIds, unescape,
};
use crate::units::{Bytes, Kib, PageSize, Pages, Ticks};

/// A report as a look.
#[derive(Clone, Debug)]
pub struct Reconstruction {
    /// The look.
    pub snapshot: Snapshot,
    /// The domain of the OOM.
    pub scope: Scope,
    /// What the report does not tell, and what was taken in its place.
    pub notes: Vec<String>,
}

/// Swap of a machine that its report does not tell: those of memory cgroups have only the cgroup's.
/// Another report of the same log may.
#[must_use]
pub fn reconstruct(report: &OomReport, machine_swap: Option<Kib>) -> Option<Reconstruction> {
    if report.tasks.is_empty() {
        return None;
    }
    let mut notes = Vec::new();
    let page = page_size(report);
    let machine = machine(report, page);
    if report.kernel.is_none() {
        notes.push("the report names no kernel; the newest rule that fits is taken".to_owned());
    }
    let swap_total = report.swap_total.or(machine_swap);
    let swap = Swap {
        total_kib: swap_total.unwrap_or_default(),
        free_kib: report.swap_free.unwrap_or_default(),
        leaving_kib: None,
    };
    let path = domain_path(report);
    let memory = memory(report, page, path.is_some(), &mut notes);
    if path.is_some() && swap_total.is_none() && may_swap(report) {
        notes.push(
            "how much swap the machine has is not in a report of a memory cgroup; none is taken"
                .to_owned(),
        );
    }
    if matches!(report.constraint, Some(Constraint::Cpuset | Constraint::MemoryPolicy)) {
        notes.push(format!(
            "confined to nodes {}: how much memory they have is not in the report; the machine's is \
             taken",
            report.nodes.as_deref().unwrap_or("of its cpuset")
        ));
    }
    if machine.kernel_version() < (4, 17) {
        notes.push("capabilities are not in the report: user 0 is taken to have all".to_owned());
    }
    let cgroups = path.as_deref().map(|path| cgroups(report, path)).unwrap_or_default();
    let mut processes: Vec<Process> = report
        .tasks
        .iter()
        .zip(0..)
        .map(|(task, nth)| process(task, nth, report, path.as_deref(), page))
        .collect();
    processes.sort_by_key(|process| process.id.pid);
    processes.dedup_by_key(|process| process.id.pid);
    let scope =
        path.map_or(Scope::Global, |path| Scope::Memcg(Arc::new(Text::new(&unescape(&path)))));
    let snapshot = Snapshot {
        unavailable: Unavailable {
            lives: true,
            memory: report.ram.is_none(),
            swap: swap_total.is_none(),
        },
        machine: Arc::new(machine),
        memory,
        swap,
        cgroups: Arc::new(cgroups),
        processes,
        ..Snapshot::default()
    };
    Some(Reconstruction { snapshot, scope, notes })
}

/// The path of the memory cgroup; of one that is not named, a name of its own.
fn domain_path(report: &OomReport) -> Option<String> {
    report.is_memcg().then(|| report.domain.clone().unwrap_or_else(|| "/memcg".to_owned()))
}

fn may_swap(report: &OomReport) -> bool {
    report.swap.is_none_or(|swap| swap.limit != Some(Kib(0)))
        && report.memory_swap.is_none_or(|both| both.limit != report.memory.and_then(|it| it.limit))
}

/// From the killed line, in kB, and its row, in pages.
#[must_use]
pub fn page_size(report: &OomReport) -> PageSize {
    let both = report.killed.first().and_then(|killed| {
        let row = report.tasks.iter().find(|task| task.pid == killed.pid)?;
        Some((killed.total_vm?, row.total_vm))
    });
    let found = both
        .filter(|(_, pages)| pages.0 > 0)
        .map(|(kib, pages)| kib.0.saturating_mul(1024) / pages.0);
    match found {
        // It went on growing between the two lines, so that it fits only about.
        Some(bytes) if bytes >= 60_000 => PageSize(65_536),
        Some(bytes) if bytes >= 15_000 => PageSize(16_384),
        _ => PageSize(4096),
    }
}

fn machine(report: &OomReport, page: PageSize) -> Machine {
    let release = report.kernel.clone().unwrap_or_else(|| guess(report).to_owned());
    let machine = Machine {
        kernel: Text::new(release.as_bytes()),
        page_size: page,
        initial_pid_namespace: true,
        ..Machine::default()
    };
    let signed = machine.kernel_version() >= (5, 9);
    Machine {
        score_scale: if signed { ScoreScale::Signed } else { ScoreScale::Floored },
        ..machine
    }
}

/// The newest kernel that writes a report like this, by its forms.
fn guess(report: &OomReport) -> &'static str {
    let has = |name: &str| {
        report.columns.as_ref().is_some_and(|columns| columns.iter().any(|it| it == name))
    };
    if has("rss_anon") || has("pgtables_bytes") && report.constraint.is_some() {
        "6.0"
    } else if has("pgtables_bytes") {
        "4.18"
    } else if has("nr_ptes") {
        "4.14"
    } else if has("oom_score_adj") {
        "3.6"
    } else {
        "2.6.32"
    }
}

fn memory(report: &OomReport, page: PageSize, in_memcg: bool, notes: &mut Vec<String>) -> Memory {
    let total = match (report.ram, report.reserved) {
        (Some(ram), reserved) => ram.saturating_sub(reserved.unwrap_or_default()).bytes(page),
        (None, _) => {
            let all = report.tasks.iter().fold(Pages::ZERO, |sum, task| sum + task.rss);
            if !in_memcg {
                notes.push(
                    "how much memory the machine has is not in the report; the sum of the dump is \
                     taken, so that adj weighs less than it did"
                        .to_owned(),
                );
            }
            all.bytes(page)
        }
    };
    Memory { total_kib: Kib(total.0 / 1024), ..Memory::default() }
}

fn cgroups(report: &OomReport, path: &str) -> Cgroups {
    let limit = |usage: Option<MemcgUsage>| match usage {
        Some(MemcgUsage { limit: Some(kib), .. }) => Reading::Value(Limit::At(kib.bytes())),
        Some(_) => Reading::Value(Limit::Max),
        None => Reading::NotAsked,
    };
    let used = |usage: Option<MemcgUsage>| match usage {
        Some(usage) => Reading::Value(usage.usage.bytes()),
        None => Reading::NotAsked,
    };
    let first = report.memory_swap.is_some();
    let cgroup = Cgroup {
        path: Arc::new(Text::new(&unescape(path))),
        usage: used(report.memory),
        limit: limit(report.memory),
        swap_usage: used(report.swap),
        swap_limit: limit(report.swap),
        memsw_usage: used(report.memory_swap),
        memsw_limit: limit(report.memory_swap),
        ..Cgroup::default()
    };
    Cgroups {
        hierarchy: Reading::Value(if first { Hierarchy::V1 } else { Hierarchy::V2 }),
        list: vec![cgroup],
        ..Cgroups::default()
    }
}

/// A row as a process. What its start would decide, the order of the dump does: both walk the same
/// list.
fn process(
    task: &DumpTask,
    nth: u64,
    report: &OomReport,
    domain: Option<&str>,
    page: PageSize,
) -> Process {
    let reading = |pages: Option<Pages>| pages.map_or(Reading::Missing, Reading::Value);
    let tables = match (task.table_bytes, task.table_pages) {
        (Some(bytes), _) => Some(bytes.pages(page)),
        (None, pages) => pages,
    };
    let victim = report.victim() == Some(task.pid);
    let own = report.cgroup.as_deref().filter(|_| victim);
    let cgroup = match (own, domain) {
        (Some(path), Some(top)) if crate::model::is_within(path, top) => Some(path),
        (_, domain) => domain,
    };
    Process {
        id: ProcId { pid: task.pid, born: Ticks(nth) },
        parent: 1,
        comm: Comm::new(&unescape(&task.name)),
        state: RunState('S'),
        threads: 1,
        vsize: Bytes(task.total_vm.0.saturating_mul(page.0)),
        rss_stat: task.rss,
        rss_exact: Reading::Value(task.rss),
        anon: reading(task.anon),
        file: reading(task.file),
        shmem: reading(task.shmem),
        swap: Reading::Value(task.swap.unwrap_or_default()),
        pgtables: Reading::Value(tables.unwrap_or_default()),
        has_mm: true,
        adj: task.adj.map_or(Reading::Missing, Reading::Value),
        ids: Reading::Value(UserIds { uid: task.uid, euid: task.uid }),
        caps: Reading::Value(Capabilities(if task.uid == 0 { u64::MAX } else { 0 })),
        cgroup: cgroup
            .map_or(Reading::Missing, |path| Reading::Value(Arc::new(Text::new(&unescape(path))))),
        ..Process::default()
    }
}
