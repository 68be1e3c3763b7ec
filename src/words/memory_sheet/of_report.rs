//! The sheet of a kernel report.

use crate::events::OomReport;
use crate::units::{Bytes, Kib, PageSize, Pages};
use crate::words::memory_sheet::sheet::{MemoryPart, MemorySheet, MemoryUse};

impl MemorySheet {
    /// The sheet of a report; `None` where it prints none.
    #[must_use]
    pub fn of(report: &OomReport, page: PageSize) -> Option<Self> {
        let sheet = if report.is_memcg() { cgroup(report, page) } else { machine(report, page) };
        let rss = report.tasks.iter().fold(Pages::ZERO, |sum, task| sum + task.rss);
        let held = (!report.tasks.is_empty()).then(|| Kib(rss.bytes(page).0 / 1024));
        Self { held, ..sheet }.completed()
    }
}

/// That of the machine.
fn machine(report: &OomReport, page: PageSize) -> MemorySheet {
    let count = |keys: &[&str]| {
        let pages: u64 = keys.iter().filter_map(|key| report.counts.get(key)).sum();
        Kib(Pages(pages).bytes(page).0 / 1024)
    };
    let shmem = count(&["shmem"]);
    let mapped = mapped_shared(report, count(&["mapped"]), page).min(shmem);
    // Files in tmpfs and shared memory are on the lists of anonymous pages.
    let anon = count(&["active_anon", "inactive_anon", "isolated_anon"]).saturating_sub(shmem);
    let part = |of, size| MemoryPart { of, size };
    let mut parts = vec![
        part(MemoryUse::Anonymous, anon),
        part(MemoryUse::PageCache, count(&["active_file", "inactive_file", "isolated_file"])),
        part(MemoryUse::Unevictable, count(&["unevictable"])),
        part(MemoryUse::PageTables, count(&["pagetables", "sec_pagetables"])),
        part(MemoryUse::KernelStacks, report.kernel_stack.unwrap_or_default()),
        part(MemoryUse::Free, count(&["free", "free_pcp"])),
        part(MemoryUse::SharedMapped, mapped),
        part(MemoryUse::Shmem, shmem.saturating_sub(mapped)),
        part(MemoryUse::SlabReclaimable, count(&["slab_reclaimable"])),
        part(MemoryUse::SlabUnreclaimable, count(&["slab_unreclaimable"])),
    ];
    if let Some(all) = report.huge_pages {
        let free = report.huge_pages_free.unwrap_or_default();
        parts.push(part(MemoryUse::HugePagesUsed, all.saturating_sub(free)));
        parts.push(part(MemoryUse::HugePagesFree, free));
    }
    // A few counters alone make no sheet.
    if report.counts.len() < 3 && report.huge_pages.is_none_or(|it| it == Kib(0)) {
        parts.clear();
    }
    let ram = report.ram.map(|ram| ram.saturating_sub(report.reserved.unwrap_or_default()));
    let is_whole = report.counts.contains_key("active_anon") && report.counts.contains_key("free");
    let total = ram.map(|ram| Kib(ram.bytes(page).0 / 1024)).filter(|_| is_whole);
    MemorySheet { total, parts, ..MemorySheet::default() }
}

/// The most that processes can map of shared memory. Files that are mapped count with it, so that it is never more
/// than the shared memory of the tasks, where the dump tells that (6.8 and later).
fn mapped_shared(report: &OomReport, mapped: Kib, page: PageSize) -> Kib {
    let mut of_tasks = report.tasks.iter().map(|task| task.shmem);
    let sum = of_tasks.try_fold(Pages::ZERO, |sum, it| Some(sum + it?));
    let known = sum.filter(|_| !report.tasks.is_empty());
    known.map_or(mapped, |pages| mapped.min(Kib(pages.bytes(page).0 / 1024)))
}

/// That of a memory cgroup.
fn cgroup(report: &OomReport, page: PageSize) -> MemorySheet {
    let stat = |key: &str| Kib(report.stat.get(key).map_or(Bytes(0), |&it| Bytes(it)).0 / 1024);
    let shmem = stat("shmem");
    let mapped = stat("file_mapped") + stat("mapped_file");
    let mapped = mapped_shared(report, mapped, page).min(shmem);
    let part = |of, size| MemoryPart { of, size };
    if report.stat.is_empty() {
        return MemorySheet::default();
    }
    // Version 1 has other names, and counts memory of the kernel apart.
    let is_v1 = report.stat.contains_key("rss");
    let (anon, file) = if is_v1 { ("rss", "cache") } else { ("anon", "file") };
    let parts = vec![
        part(MemoryUse::Anonymous, stat(anon)),
        part(MemoryUse::PageCache, stat(file).saturating_sub(shmem)),
        part(MemoryUse::SharedMapped, mapped),
        part(MemoryUse::Shmem, shmem.saturating_sub(mapped)),
        part(MemoryUse::PageTables, stat("pagetables") + stat("sec_pagetables")),
        part(MemoryUse::KernelStacks, stat("kernel_stack")),
        part(MemoryUse::SlabReclaimable, stat("slab_reclaimable")),
        part(MemoryUse::SlabUnreclaimable, stat("slab_unreclaimable")),
        part(MemoryUse::Percpu, stat("percpu")),
        part(MemoryUse::Sockets, stat("sock")),
        part(MemoryUse::Vmalloc, stat("vmalloc")),
        part(MemoryUse::Zswap, stat("zswap")),
    ];
    let total = report.memory.map(|it| it.usage);
    MemorySheet { total, parts, ..MemorySheet::default() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::events::DumpTask;

    #[test]
    fn mapped_programs_are_no_shared_memory_of_processes() {
        let task = |shmem: Option<u64>| DumpTask { shmem: shmem.map(Pages), ..DumpTask::default() };
        let mut report = OomReport {
            ram: Some(Pages(100_000)),
            tasks: vec![task(Some(300)), task(Some(20))],
            ..OomReport::default()
        };
        // 20,000 pages of tmpfs that nobody maps; 8000 pages of programs on a disk are mapped.
        report.counts.extend([
            ("shmem", 20_320),
            ("mapped", 8320),
            ("active_anon", 20_400),
            ("free", 50),
        ]);
        let size = |report: &OomReport, of: MemoryUse| {
            let sheet = MemorySheet::of(report, PageSize(4096)).expect("a sheet");
            sheet.parts.iter().find(|part| part.of == of).map(|part| part.size)
        };
        assert_eq!(size(&report, MemoryUse::SharedMapped), Some(Kib(1280)));
        assert_eq!(size(&report, MemoryUse::Shmem), Some(Kib(80_000)));
        report.tasks.push(task(None));
        assert_eq!(size(&report, MemoryUse::SharedMapped), Some(Kib(33_280)), "not known of all");
    }
}
