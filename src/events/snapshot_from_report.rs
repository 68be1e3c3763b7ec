//! An OOM report as a snapshot of the machine: the dump of tasks becomes the table of processes, so that
//! every policy can rank it.

use std::sync::Arc;

use crate::events::log::report::{Constraint, DumpTask, MemcgUsage, OomReport};
use crate::model::{
    Capabilities, Cgroup, Cgroups, Comm, Hierarchy, Limit, Machine, Memory, ProcId, Process,
    Reading, RunState, Scope, ScoreScale, Snapshot, Swap, Text, Unavailable, UserIds, unescape,
};
use crate::units::{Bytes, Kib, PageSize, Pages, Ticks};

/// A report as a snapshot.
#[derive(Clone, Debug)]
pub struct Reconstruction {
    /// The machine as the report describes it.
    pub snapshot: Snapshot,
    /// The domain of the OOM: the machine or a memory cgroup.
    pub scope: Scope,
    /// What the report leaves out, and what was assumed instead, as sentences.
    pub notes: Vec<String>,
}

/// Builds a snapshot from a report; `None` if the report has no dump of tasks.
///
/// `machine_swap` is the swap of the machine where it is known from another report of the same log:
/// the report of a memory cgroup prints only the swap of that cgroup.
#[must_use]
pub fn reconstruct(report: &OomReport, machine_swap: Option<Kib>) -> Option<Reconstruction> {
    if report.tasks.is_empty() {
        return None;
    }
    let mut notes = Vec::new();
    let page = page_size(report);
    let machine = machine(report, page);
    if report.kernel.is_none() {
        notes.push(
            "the report does not name the kernel; the newest rule that fits its format is used"
                .to_owned(),
        );
    }
    let swap_total = report.swap_total.or(machine_swap);
    let swap = Swap {
        total_kib: swap_total.unwrap_or_default(),
        free_kib: report.swap_free.unwrap_or_default(),
        ..Swap::default()
    };
    let path = domain_path(report);
    let memory = memory(report, page, path.is_some(), &mut notes);
    if path.is_some() && swap_total.is_none() && may_swap(report) {
        notes.push(
            "the report of a memory cgroup does not print the machine's swap; none is assumed"
                .to_owned(),
        );
    }
    if matches!(report.constraint, Some(Constraint::Cpuset | Constraint::MemoryPolicy)) {
        notes.push(format!(
            "limited to nodes {}: the report does not print their memory; the machine's is used",
            report.nodes.as_deref().unwrap_or("of its cpuset")
        ));
    }
    if machine.kernel_version() < (4, 17) {
        notes.push(
            "the report does not print capabilities: user 0 is assumed to have all".to_owned(),
        );
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

/// The path of the memory cgroup; `/memcg` if the report does not name it.
fn domain_path(report: &OomReport) -> Option<String> {
    report.is_memcg().then(|| report.domain.clone().unwrap_or_else(|| "/memcg".to_owned()))
}

/// Whether the processes of the cgroup could use swap.
fn may_swap(report: &OomReport) -> bool {
    report.swap.is_none_or(|swap| swap.limit != Some(Kib(0)))
        && report.memory_swap.is_none_or(|both| both.limit != report.memory.and_then(|it| it.limit))
}

/// The page size, from the size of the victim: its `Killed process` line prints kB, its row of the dump
/// prints pages. 4096 if one of the two is missing.
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
        // The victim may grow between the two lines, so the quotient is not exact.
        Some(bytes) if bytes >= 60_000 => PageSize(65_536),
        Some(bytes) if bytes >= 15_000 => PageSize(16_384),
        _ => PageSize(4096),
    }
}

fn machine(report: &OomReport, page: PageSize) -> Machine {
    let release = report.kernel.clone().unwrap_or_else(|| kernel_by_format(report).to_owned());
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

/// The newest kernel that writes a report of this format.
fn kernel_by_format(report: &OomReport) -> &'static str {
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
                    "the report does not print the machine's memory; the sum of the dump is used, so \
                     that adj weighs less than it did"
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

/// A row of the dump as a process. Its place in the dump replaces the start time, which the dump lacks:
/// the kernel ranks and dumps tasks in the same order.
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
