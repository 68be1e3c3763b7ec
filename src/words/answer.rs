//! The answer first: who was killed, why, how much it held, in one sentence and in the user's words.

use crate::columns::human_size;
use crate::events::{KilledTask, OomCause, OomReport, page_size};
use crate::units::{Kib, PageSize, Pages};
use crate::words::memory_sheet::MemorySheet;
use crate::words::numbers_and_names::its_cgroup;
use crate::words::shortage::{Shortage, shortage};

fn size(kib: Kib) -> String {
    human_size(kib.bytes())
}

/// What a killed process held in memory: by the line of its kill, otherwise by the dump. Pages of files may
/// be charged to another memory cgroup, so that they do not count there.
pub(crate) fn held(report: &OomReport, killed: &KilledTask, page: PageSize) -> Option<Kib> {
    let file = if report.is_memcg() { None } else { killed.file };
    if killed.anon.is_some() {
        let parts = [killed.anon, file, killed.shmem];
        return Some(parts.into_iter().flatten().fold(Kib(0), |sum, part| sum + part));
    }
    let row = report.row(killed.pid)?;
    let pages = row.anon.filter(|_| report.is_memcg()).unwrap_or(row.rss);
    Some(Kib(pages.bytes(page).0 / 1024))
}

/// The limit of the memory cgroup that was reached.
pub(crate) fn full_limit(report: &OomReport) -> Option<Kib> {
    let full = |usage: &crate::events::MemcgUsage| {
        usage.limit.filter(|limit| usage.usage.0 >= limit.0 - limit.0 / 20)
    };
    report.memory.as_ref().and_then(full).or_else(|| report.memory_swap.as_ref().and_then(full))
}

/// The sentence.
#[must_use]
pub(crate) fn answer(report: &OomReport) -> String {
    let page = page_size(report);
    let why = because(report, page);
    if report.panic.is_some() {
        let value = report.panic_value();
        let setting = value.map_or_else(String::new, |it| format!(" (vm.panic_on_oom is {it})"));
        return format!("the kernel panicked and killed nobody{setting}, {why}");
    }
    if let (true, Some(pid)) = (report.killed.is_empty(), report.exiting) {
        return format!("nobody was killed: {pid} was exiting already; {}", told(&why));
    }
    if report.no_victim && report.killed.is_empty() {
        return format!("no process could be killed, {why}");
    }
    let Some(first) = report.killed.first() else { return nobody_named(report, &why) };
    let mut text = format!("{} ({}) was killed", first.name, first.pid);
    if let Some((pid, name)) = chosen_other(report) {
        let what = if is_thread_of(report, pid, first.pid) { "its thread" } else { "its parent" };
        text = if what == "its thread" {
            format!("{text} (the kernel named its thread {pid})")
        } else {
            format!("{text} in place of {name} ({pid}), whose child it was: that one was chosen,")
        };
    }
    let comma = if why.starts_with("because ") { " " } else { "; " };
    text.push_str(&format!("{comma}{why}"));
    if let Some(held) = held(report, first, page) {
        let fits = full_limit(report).is_some_and(|limit| held <= limit);
        let of_it = if report.is_memcg() && fits { " of it" } else { "" };
        let small = full_limit(report).is_some_and(|limit| held.0 < limit.0 / 2);
        let what = if small { "it held only" } else { "it held" };
        text.push_str(&format!("; {what} {}{of_it}", size(held)));
    }
    let others = report.killed.len() - 1 + report.sharers.len();
    if let Some(path) = &report.group {
        text.push_str(&format!("; all of {path} was killed with it ({others} more)"));
    } else if others > 0 {
        text.push_str(&format!("; {others} more died with it"));
    }
    if report.is_memcg() && !report.is_sysrq() {
        let is_pod = report.domain.as_deref().is_some_and(|it| it.contains("kubepods"));
        text.push_str(if is_pod {
            "; the node did not run out"
        } else {
            "; the machine did not run out"
        });
    }
    text
}

fn told(why: &str) -> &str {
    why.strip_prefix("because ").unwrap_or(why)
}

/// Where the log names no killed process.
fn nobody_named(report: &OomReport, why: &str) -> String {
    let name =
        report.chosen_name.as_deref().or_else(|| Some(report.row(report.chosen?)?.name.as_str()));
    let chosen = match (&report.selected, report.chosen) {
        (Some((pid, name, score)), _) => {
            Some(format!("{name} ({pid}) was chosen with score {score}"))
        }
        (None, Some(pid)) => Some(match name {
            Some(name) => format!("{name} ({pid}) was chosen"),
            None => format!("{pid} was chosen"),
        }),
        _ => None,
    };
    match chosen {
        Some(chosen) => {
            format!("{chosen}, {why}; the line that names the killed process is not in this log")
        }
        None => format!("victim: not in this log; {}", told(why)),
    }
}

/// The chosen process, where another one was killed: up to 5.0 a child died in its place.
pub(crate) fn chosen_other(report: &OomReport) -> Option<(i32, &str)> {
    let (pid, name, _) = report.selected.as_ref()?;
    let killed = report.killed.first()?.pid;
    (killed != *pid).then_some((*pid, name.as_str()))
}

/// Whether the chosen one is a thread of the killed process: the dump has a row for each process only.
pub(crate) fn is_thread_of(report: &OomReport, chosen: i32, killed: i32) -> bool {
    let row = |pid| report.row(pid);
    match (row(chosen), row(killed)) {
        (None, Some(killed)) => {
            report.selected.as_ref().is_some_and(|(_, name, _)| *name == killed.name)
        }
        (Some(chosen), Some(killed)) => chosen.tgid == killed.tgid,
        _ => false,
    }
}

fn because(report: &OomReport, page: PageSize) -> String {
    match report.cause() {
        OomCause::Sysrq => {
            let why = "because a user asked for it with sysrq-f; no allocation failed";
            format!("{why}{}", stuck(report, page))
        }
        OomCause::Memcg => memcg(report),
        OomCause::PageFault => {
            let free = report.free.zip(usable(report));
            let free = free.map_or_else(String::new, |(free, ram)| {
                let size = |pages: Pages| human_size(pages.bytes(page));
                format!(" ({} of {} was free)", size(free), size(ram))
            });
            format!(
                "because a page fault failed at some limit, most likely that of a container; the machine \
                 need not be out of memory{free}"
            )
        }
        OomCause::Cpuset => {
            let name =
                report.cpuset.as_deref().map_or_else(String::new, |it| format!(" of cpuset {it}"));
            let nodes = report.mems.as_deref().unwrap_or("?");
            part_of_machine(report, page, &format!("the memory nodes {nodes}{name}"))
        }
        OomCause::MemoryPolicy => {
            let nodes = report.nodes_asked().unwrap_or("?");
            part_of_machine(
                report,
                page,
                &format!("the memory nodes {nodes}, which a memory policy sets,"),
            )
        }
        OomCause::Machine => machine(report, page),
        OomCause::Unknown => {
            let by = match (&report.bpf, report.killed.first().and_then(|it| it.words.as_deref())) {
                (Some(name), _) => format!("the BPF policy {name} chose; "),
                (None, Some(words)) => format!("in the words of its killer: {words}; "),
                _ => String::new(),
            };
            format!("{by}domain: not told in this log")
        }
    }
}

fn usable(report: &OomReport) -> Option<Pages> {
    Some(report.ram?.saturating_sub(report.reserved.unwrap_or_default()))
}

fn memcg(report: &OomReport) -> String {
    let cut = if report.domain_cut { "…" } else { "" };
    let domain = report.domain.as_deref().map_or_else(
        || "its memory cgroup (not named in this log)".to_owned(),
        |path| its_cgroup(path) + cut,
    );
    if let Some(limit) = full_limit(report) {
        return format!("because {domain} reached its own limit of {}", size(limit));
    }
    match report.memory {
        Some(usage) => {
            let limit = usage.limit.map_or_else(|| "no limit".to_owned(), size);
            format!("because a charge to {domain} failed, at {} of {limit}", size(usage.usage))
        }
        None => format!("because {domain} reached its own limit"),
    }
}

/// Nodes of a cpuset or of a memory policy.
fn part_of_machine(report: &OomReport, page: PageSize, what: &str) -> String {
    match shortage(report, page) {
        Some(Shortage::OtherZone(free, zone)) => format!(
            "because {what} could not serve the request: {} was free there, but in zone {zone}, which it \
             cannot use; killing does not help",
            size(free)
        ),
        Some(Shortage::Fragmented(free, pages)) => format!(
            "because {what} had no {pages} pages in one piece, though {} was free there",
            size(free)
        ),
        Some(Shortage::Cma(free, cma)) => format!(
            "because {what} ran out of memory: of {} free, {} was reserved for contiguous allocations (CMA)",
            size(free),
            size(cma)
        ),
        _ => format!("because {what} ran out of memory; the other nodes did not count"),
    }
}

fn machine(report: &OomReport, page: PageSize) -> String {
    let mut text = match shortage(report, page) {
        Some(Shortage::Fragmented(free, pages)) => format!(
            "because {pages} pages in one piece were asked for, and there was no such piece, though {} was \
             free",
            size(free)
        ),
        Some(Shortage::Cma(free, cma)) => format!(
            "because the machine ran out of memory: of {} free, {} was reserved for contiguous allocations \
             (CMA)",
            size(free),
            size(cma)
        ),
        Some(Shortage::OtherZone(free, zone)) => format!(
            "because the low zones of memory were exhausted, the only ones that the request could use; {} \
             was free in zone {zone}",
            size(free)
        ),
        _ => "because the machine ran out of memory".to_owned(),
    };
    if crate::words::judged_task::killed_allocating_task(report) {
        text.push_str("; vm.oom_kill_allocating_task killed the process that asked");
    }
    text + &stuck(report, page)
}

/// What no kill frees, where the processes hold less than that: then no kill can help.
fn stuck(report: &OomReport, page: PageSize) -> String {
    let sheet = MemorySheet::of(report, page);
    let Some(futile) = sheet.and_then(|sheet| sheet.futile_kill(ram(report, page))) else {
        return String::new();
    };
    format!(
        "; all processes held {} of {}, and no kill frees the {} in {}",
        size(futile.held),
        size(futile.total),
        size(futile.size),
        futile.name
    )
}

fn ram(report: &OomReport, page: PageSize) -> Option<Kib> {
    usable(report).map(|pages| Kib(pages.bytes(page).0 / 1024))
}
