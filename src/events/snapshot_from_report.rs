//! An OOM report as a snapshot of the machine: the dump of tasks becomes the table of processes, so that
//! every policy can rank it.

use std::sync::Arc;

use crate::events::log::report::{Constraint, DumpTask, MemcgUsage, OomReport, ZoneState};
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
    let path = domain_path(report);
    let guessed_swap =
        (path.is_some() && may_swap(report)).then(|| least_swap(report, page)).flatten();
    let told_swap = report.swap_total.or(machine_swap);
    let swap_total = told_swap.or(guessed_swap);
    let swap = Swap {
        total_kib: swap_total.unwrap_or_default(),
        free_kib: report.swap_free.unwrap_or_default(),
        ..Swap::default()
    };
    let memory = memory(report, page, path.is_some(), &mut notes);
    if path.is_some() && told_swap.is_none() && may_swap(report) {
        let least = guessed_swap.unwrap_or_default();
        notes.push(if least == Kib(0) {
            "the report of a memory cgroup does not print the machine's swap; none is assumed".to_owned()
        } else {
            format!(
                "the report of a memory cgroup does not print the machine's swap, by which adj is \
                 weighed, too: {} MiB is assumed, the least with which the kernel's choice follows its rule",
                least.0.div_ceil(1024)
            )
        });
    }
    let is_part = matches!(report.constraint, Some(Constraint::Cpuset | Constraint::MemoryPolicy));
    if is_part && memory_of_nodes(report).is_none() {
        notes.push(format!(
            "limited to nodes {}: the report does not print their memory; the machine's is used",
            report.nodes.as_deref().or(report.mems.as_deref()).unwrap_or("of its cpuset")
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
            swap: told_swap.is_none(),
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

/// The least swap of the machine with which the victim of a memory cgroup ranks first: the limit of the
/// cgroup and the swap together weigh adj (`mem_cgroup_get_max`), and the report does not print the swap.
/// `None` where no amount explains the choice.
fn least_swap(report: &OomReport, page: PageSize) -> Option<Kib> {
    let limit = report.memory?.limit?.pages(page).0;
    let victim = report.row(report.victim()?)?;
    let held = |task: &DumpTask| {
        let tables = match (task.table_bytes, task.table_pages) {
            (Some(bytes), _) => bytes.pages(page),
            (None, pages) => pages.unwrap_or_default(),
        };
        let sum = task.rss + task.swap.unwrap_or_default() + tables;
        i64::try_from(sum.0).unwrap_or(i64::MAX / 4)
    };
    let adj = |task: &DumpTask| i64::from(task.adj.map_or(0, |adj| adj.0));
    // What the processes have swapped out is there in any case.
    let used: u64 = report.tasks.iter().map(|it| it.swap.unwrap_or_default().0).sum();
    let most = report.swap.and_then(|it| it.limit).map_or(u64::MAX / 8192, |it| it.pages(page).0);
    let thousandth =
        |swap: u64| i64::try_from(limit.saturating_add(swap) / 1000).unwrap_or(i64::MAX / 4096);
    let (mut least, greatest) = (thousandth(used.min(most)), thousandth(most));
    let first = least;
    for other in report.tasks.iter().filter(|it| it.tgid != victim.tgid && adj(it) > -1000) {
        let (weight, lead) = (adj(victim) - adj(other), held(victim) - held(other));
        // Needed: lead + weight * total / 1000 >= 0.
        if lead + weight.saturating_mul(least) >= 0 {
            continue;
        }
        if weight <= 0 {
            return None;
        }
        least = least.max((-lead).div_euclid(weight) + i64::from((-lead).rem_euclid(weight) != 0));
    }
    // More swap may bring another one to the front again.
    let holds = report
        .tasks
        .iter()
        .filter(|it| it.tgid != victim.tgid && adj(it) > -1000)
        .all(|it| held(victim) - held(it) + (adj(victim) - adj(it)).saturating_mul(least) >= 0);
    if !holds || least > greatest {
        return None;
    }
    if least == first {
        return Some(Kib(Pages(used.min(most)).bytes(page).0 / 1024));
    }
    let total = u64::try_from(least).ok()?.saturating_add(1).saturating_mul(1000);
    Some(Kib(Pages(total.saturating_sub(limit).min(most)).bytes(page).0 / 1024))
}

/// A page size that Linux has, from one that was measured.
fn nearest_page(bytes: u64) -> Option<PageSize> {
    [4096, 8192, 16_384, 65_536, 262_144]
        .into_iter()
        .find(|&size| bytes >= size * 15 / 16 && bytes <= size * 17 / 16)
        .map(PageSize)
}

/// The page size: the smallest chunks of the free lists; or a node's memory in kB against that of the
/// machine in pages; or the size of the victim, whose `Killed process` line prints kB and whose row of the
/// dump prints pages. 4096 if none of them is there.
#[must_use]
pub fn page_size(report: &OomReport) -> PageSize {
    let chunk = report.chunks.iter().find_map(|it| it.list.first()).map(|(size, _)| size.0 * 1024);
    if let Some(page) = chunk.and_then(nearest_page) {
        return page;
    }
    let present: Option<u64> = report.zones.iter().map(|it| it.present.map(|it| it.0)).sum();
    let ratio = present.zip(report.ram).filter(|(_, pages)| pages.0 > 0);
    let ratio = ratio.map(|(kib, pages)| kib.saturating_mul(1024) / pages.0);
    if let Some(page) = ratio.and_then(nearest_page) {
        return page;
    }
    let both = report.killed.first().and_then(|killed| {
        let row = report.row(killed.pid)?;
        Some((killed.total_vm?, row.total_vm))
    });
    let found = both
        .filter(|(_, pages)| pages.0 > 0)
        .map(|(kib, pages)| kib.0.saturating_mul(1024) / pages.0);
    match found {
        // The victim may grow between the two lines, so the quotient is not exact.
        Some(bytes) if bytes >= 60_000 => PageSize(65_536),
        Some(bytes) if bytes >= 15_000 => PageSize(16_384),
        Some(bytes) if bytes >= 7_500 => PageSize(8192),
        _ => PageSize(4096),
    }
}

/// Whether a list of nodes such as `0-2,7` names this one.
fn names_node(list: &str, node: u32) -> bool {
    list.split(',').any(|part| {
        let (from, to) = part.split_once('-').unwrap_or((part, part));
        let range = from.parse::<u32>().ok().zip(to.parse::<u32>().ok());
        range.is_some_and(|(from, to)| (from..=to).contains(&node))
    })
}

/// The zones of the nodes that the allocation was limited to; all of them where it was not limited.
#[must_use]
pub fn zones_of(report: &OomReport) -> Vec<&ZoneState> {
    let nodes = match report.constraint {
        Some(Constraint::Cpuset) => report.mems.as_deref(),
        _ => report.nodes_asked(),
    };
    let allowed = |zone: &&ZoneState| nodes.is_none_or(|list| names_node(list, zone.node));
    report.zones.iter().filter(allowed).collect()
}

/// The memory of the nodes that the allocation was limited to.
fn memory_of_nodes(report: &OomReport) -> Option<Kib> {
    let zones = zones_of(report);
    let sizes: Option<u64> = zones.iter().map(|it| it.present.map(|it| it.0)).sum();
    sizes.filter(|&it| it > 0).map(Kib)
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
    let is_part = matches!(report.constraint, Some(Constraint::Cpuset | Constraint::MemoryPolicy));
    if let Some(total) = memory_of_nodes(report).filter(|_| is_part) {
        return Memory { total_kib: total, ..Memory::default() };
    }
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
    let victim = report.victim().is_some_and(|pid| pid == task.pid || pid == task.tgid);
    let own = report.cgroup.as_deref().filter(|_| victim);
    let cgroup = match (own, domain) {
        (Some(path), Some(top)) if crate::model::is_within(path, top) => Some(path),
        (_, domain) => domain,
    };
    Process {
        // The kernel prints the thread in which it found the memory.
        id: ProcId { pid: if task.tgid > 0 { task.tgid } else { task.pid }, born: Ticks(nth) },
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
