//! The balance sheet of a report: what the memory of the machine, or of the memory cgroup, was used for,
//! and what of it no kill could free.

use crate::columns::human_size;
use crate::events::OomReport;
use crate::units::{Bytes, Kib, PageSize, Pages};

/// A use of memory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MemoryPart {
    /// Its name.
    pub name: &'static str,
    /// Its size.
    pub size: Kib,
    /// Whether killing processes can free it.
    pub is_killable: bool,
}

/// The balance sheet.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MemorySheet {
    /// All of it.
    pub total: Option<Kib>,
    /// Its uses, the largest first.
    pub parts: Vec<MemoryPart>,
    /// What the report accounts to nothing.
    pub rest: Option<Kib>,
    /// What all processes of the dump hold in memory.
    pub held: Option<Kib>,
}

/// A part smaller than this share of the whole is left out of the sentence.
const SMALL: u64 = 200;

impl MemorySheet {
    /// The sheet of a report; `None` where it prints none.
    #[must_use]
    pub fn of(report: &OomReport, page: PageSize) -> Option<Self> {
        let mut sheet = if report.is_memcg() { cgroup(report) } else { machine(report, page) };
        if sheet.parts.is_empty() {
            return None;
        }
        sheet.parts.retain(|part| part.size > Kib(0));
        sheet.parts.sort_by_key(|part| std::cmp::Reverse(part.size));
        let told = sum(sheet.parts.iter().map(|part| part.size));
        sheet.rest = sheet.total.map(|total| total.saturating_sub(told)).filter(|it| *it > Kib(0));
        let rss = report.tasks.iter().fold(Pages::ZERO, |sum, task| sum + task.rss);
        sheet.held = (!report.tasks.is_empty()).then(|| Kib(rss.bytes(page).0 / 1024));
        Some(sheet)
    }

    /// What no kill can free.
    #[must_use]
    pub fn stuck(&self) -> Kib {
        sum(self.parts.iter().filter(|it| !it.is_killable).map(|it| it.size))
    }

    /// The largest part that no kill can free.
    #[must_use]
    pub fn largest_stuck(&self) -> Option<&MemoryPart> {
        self.parts.iter().find(|it| !it.is_killable)
    }

    /// The sheet in two sentences.
    pub(crate) fn lines(&self, slabs: &[(String, Kib)]) -> Vec<String> {
        let size = |kib: Kib| human_size(kib.bytes());
        let least = Kib(self.total.map_or(0, |it| it.0 / SMALL));
        let list = |killable: bool| {
            let parts =
                self.parts.iter().filter(|it| it.is_killable == killable && it.size >= least);
            parts.map(|it| format!("{} {}", it.name, size(it.size))).collect::<Vec<_>>()
        };
        let mut first = list(true);
        first.extend(
            self.rest.filter(|it| *it >= least).map(|it| format!("not accounted for {}", size(it))),
        );
        let mut lines = Vec::new();
        let total = self.total.map_or_else(String::new, |it| format!("of {}: ", size(it)));
        if !first.is_empty() {
            lines.push(format!("{total}{}", first.join(", ")));
        }
        let stuck = list(false);
        if !stuck.is_empty() {
            let slab = slabs.first().filter(|(_, it)| *it >= least);
            let slab = slab.map_or_else(String::new, |(name, it)| {
                format!(" (largest slab: {name} {})", size(*it))
            });
            lines.push(format!("no kill frees: {}{slab}", stuck.join(", ")));
        }
        lines
    }
}

fn sum(sizes: impl Iterator<Item = Kib>) -> Kib {
    sizes.fold(Kib(0), |sum, size| sum + size)
}

fn machine(report: &OomReport, page: PageSize) -> MemorySheet {
    let count = |keys: &[&str]| {
        let pages: u64 = keys.iter().filter_map(|key| report.counts.get(key)).sum();
        Kib(Pages(pages).bytes(page).0 / 1024)
    };
    let shmem = count(&["shmem"]);
    // Files in tmpfs and shared memory are on the lists of anonymous pages.
    let anon = count(&["active_anon", "inactive_anon", "isolated_anon"]).saturating_sub(shmem);
    let part = |name, size, is_killable| MemoryPart { name, size, is_killable };
    let mut parts = vec![
        part("anonymous", anon, true),
        part("page cache", count(&["active_file", "inactive_file", "isolated_file"]), true),
        part("locked and other unevictable", count(&["unevictable"]), true),
        part("page tables", count(&["pagetables", "sec_pagetables"]), true),
        part("kernel stacks", report.kernel_stack.unwrap_or_default(), true),
        part("free", count(&["free", "free_pcp"]), true),
        part("tmpfs and shared memory", shmem, false),
        part("slab that can be reclaimed", count(&["slab_reclaimable"]), true),
        part("slab that cannot be reclaimed", count(&["slab_unreclaimable"]), false),
    ];
    if let Some(all) = report.huge_pages {
        let free = report.huge_pages_free.unwrap_or_default();
        parts.push(part("huge pages in use", all.saturating_sub(free), false));
        parts.push(part("huge pages that are free", free, false));
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

fn cgroup(report: &OomReport) -> MemorySheet {
    let stat = |key: &str| Kib(report.stat.get(key).map_or(Bytes(0), |&it| Bytes(it)).0 / 1024);
    let shmem = stat("shmem");
    let part = |name, size, is_killable| MemoryPart { name, size, is_killable };
    if report.stat.is_empty() {
        return MemorySheet::default();
    }
    // Version 1 has other names, and counts memory of the kernel apart.
    let is_v1 = report.stat.contains_key("rss");
    let (anon, file) = if is_v1 { ("rss", "cache") } else { ("anon", "file") };
    let parts = vec![
        part("anonymous", stat(anon), true),
        part("page cache", stat(file).saturating_sub(shmem), true),
        part("tmpfs and shared memory", shmem, false),
        part("page tables", stat("pagetables") + stat("sec_pagetables"), true),
        part("kernel stacks", stat("kernel_stack"), true),
        part("slab that can be reclaimed", stat("slab_reclaimable"), true),
        part("slab that cannot be reclaimed", stat("slab_unreclaimable"), false),
        part("percpu", stat("percpu"), false),
        part("network buffers", stat("sock"), true),
        part("vmalloc", stat("vmalloc"), false),
        part("zswap", stat("zswap"), true),
    ];
    let total = report.memory.map(|it| it.usage);
    MemorySheet { total, parts, ..MemorySheet::default() }
}
