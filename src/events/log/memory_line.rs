//! What a line of a report says about memory: `lib/show_mem.c` (the machine, its zones, its free lists),
//! the statistics of a memory cgroup, and the largest slabs.

use crate::events::log::line_context::LineContext;
use crate::events::log::pattern::number;
use crate::events::log::report::{FreeChunks, ZoneState};
use crate::model::neutral;
use crate::units::{Kib, Pages};

/// Which pages a line counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PageCount {
    /// All pages.
    Ram,
    /// Pages that the kernel never gave to its allocator.
    Reserved,
}

/// What the line says.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum MemoryLine {
    /// The machine's memory follows.
    Begin,
    /// Pages of the machine.
    Present(PageCount, Pages),
    /// Swap of the machine.
    SwapTotal(Kib),
    /// Free swap of the machine.
    SwapFree(Kib),
    /// Pages by use, under the names of the kernel.
    Pages(Vec<(&'static str, u64)>),
    /// KiB by use of one node, under the names of the kernel.
    Node(Vec<(&'static str, u64)>),
    /// A zone.
    Zone(ZoneState),
    /// What of the zone before is reserved for requests that can use no higher zone, in pages.
    Reserve(Vec<u64>),
    /// The free list of a zone.
    Chunks(FreeChunks),
    /// Total, free, and size of one in KiB, of a pool of huge pages.
    HugePages(u64, u64, u64),
    /// The statistics of this memory cgroup follow.
    StatOf(String),
    /// Bytes by use in a memory cgroup, under the names of the kernel.
    Stat(Vec<(&'static str, u64)>),
    /// The table of the largest slabs follows.
    Slabs,
    /// A slab, and how much memory it takes.
    Slab(String, Kib),
}

pattern!(PRESENT, "pages", r"^(\d+) (?:pages (?:of )?(RAM|reserved)|(reserved) pages)(?:\W|$)");
pattern!(SWAP, " swap", r"^(Free|Total) swap *[=:] *(\d+)kB");
pattern!(
    HUGE_PAGES,
    "hugepages_total=",
    r"^Node \d+ hugepages_total=(\d+) hugepages_free=(\d+) hugepages_surp=\d+ hugepages_size=(\d+)kB"
);
pattern!(
    ZONE,
    "free:",
    r"^(?:Node (\d+) )?(DMA32|DMA|Normal|HighMem|Movable|Device) (free:\d+kB.*)$"
);
pattern!(
    CHUNKS,
    "*",
    r"^(?:Node (\d+) )?(DMA32|DMA|Normal|HighMem|Movable|Device): (\d+\*\d+kB.*)$"
);
pattern!(NODE, "active_anon:", r"^Node \d+ (active_anon:\d+kB.*)$");
pattern!(SLAB, "KB", r"(\S+) +\d+KB +(\d+)KB\W*$");

/// The names of counters of pages (`show_free_areas`).
const PAGES: [&str; 20] = [
    "active_anon",
    "inactive_anon",
    "isolated_anon",
    "active_file",
    "inactive_file",
    "isolated_file",
    "unevictable",
    "slab_reclaimable",
    "slab_unreclaimable",
    "mapped",
    "shmem",
    "pagetables",
    "sec_pagetables",
    "bounce",
    "kernel_misc_reclaimable",
    "free",
    "free_pcp",
    "free_cma",
    "dirty",
    "writeback",
];

/// The counters of a node that are worth more than those of the machine: they are in KiB.
const NODE_COUNTS: [&str; 2] = ["kernel_stack", "pagetables"];

/// The names of statistics of a memory cgroup that are shown (`memory.stat`).
const STAT: [&str; 19] = [
    "anon",
    "file",
    "kernel",
    "kernel_stack",
    "pagetables",
    "sec_pagetables",
    "percpu",
    "sock",
    "vmalloc",
    "shmem",
    "zswap",
    "zswapped",
    "slab_reclaimable",
    "slab_unreclaimable",
    "slab",
    "cache",
    "rss",
    "swap",
    "unevictable",
];

/// A larger number is no size, in any unit: no machine has so much memory.
const MAX_SIZE: u64 = 1 << 50;

fn known(names: &'static [&'static str], name: &str) -> Option<&'static str> {
    names.iter().find(|it| **it == name).copied()
}

fn whole(text: &str) -> Option<u64> {
    text.parse().ok().filter(|&it| it <= MAX_SIZE)
}

/// What the words say; `line` is the whole line, for the tables whose rows have no words to begin with.
pub(super) fn read(words: &str, line: &str, context: &LineContext) -> Option<MemoryLine> {
    machine(words).or_else(|| zone(words)).or_else(|| cgroup(words, line, context))
}

fn machine(words: &str) -> Option<MemoryLine> {
    if words.starts_with("Mem-Info:") || words.starts_with("Mem-info:") {
        return Some(MemoryLine::Begin);
    }
    if let Some(found) = PRESENT.captures(words) {
        let is_ram = found.get(2).is_some_and(|it| it.as_str() == "RAM");
        let of = if is_ram { PageCount::Ram } else { PageCount::Reserved };
        return Some(MemoryLine::Present(of, Pages(whole(&found[1])?)));
    }
    if let Some(found) = HUGE_PAGES.captures(words) {
        let (total, free) = (whole(&found[1])?, whole(&found[2])?);
        let size = whole(&found[3])?;
        total.checked_mul(size).filter(|&it| it <= MAX_SIZE)?;
        return Some(MemoryLine::HugePages(total, free, size));
    }
    if let Some(found) = SWAP.captures(words) {
        let swap = Kib(number(&found, 2).filter(|&it: &u64| it <= MAX_SIZE)?);
        let is_total = &found[1] == "Total";
        return Some(if is_total {
            MemoryLine::SwapTotal(swap)
        } else {
            MemoryLine::SwapFree(swap)
        });
    }
    if let Some(found) = NODE.captures(words) {
        let counts = found[1].split(' ').filter_map(|word| {
            let (key, value) = word.split_once(':')?;
            Some((known(&NODE_COUNTS, key)?, whole(value.strip_suffix("kB")?)?))
        });
        return Some(MemoryLine::Node(counts.collect()));
    }
    let counts: Vec<(&'static str, u64)> = words
        .split(' ')
        .take(16)
        .filter_map(|word| {
            let (key, value) = word.split_once(':')?;
            Some((known(&PAGES, key)?, whole(value)?))
        })
        .collect();
    (!counts.is_empty()).then_some(MemoryLine::Pages(counts))
}

fn zone(words: &str) -> Option<MemoryLine> {
    let node = |found: &regex::Captures<'_>| number(found, 1).unwrap_or(0_u32);
    if let Some(found) = ZONE.captures(words) {
        let mut zone =
            ZoneState { node: node(&found), name: found[2].to_owned(), ..Default::default() };
        for word in found[3].split([' ', ',']) {
            let Some((key, value)) = word.split_once(':') else { continue };
            let digits = value.strip_suffix("kB").or_else(|| value.strip_suffix("KB"));
            let Some(value) = digits.and_then(whole) else { continue };
            match key {
                "free" => zone.free = Kib(value),
                "min" => zone.min = Kib(value),
                "low" => zone.low = Kib(value),
                "high" => zone.high = Kib(value),
                "present" => zone.present = Some(Kib(value)),
                "managed" => zone.managed = Some(Kib(value)),
                "free_cma" => zone.cma = Kib(value),
                "kernel_stack" => zone.kernel_stack = Kib(value),
                _ => {}
            }
        }
        return Some(MemoryLine::Zone(zone));
    }
    if let Some(found) = CHUNKS.captures(words) {
        let list = found[3].split(' ').filter_map(|word| {
            let (count, size) = word.split_once('*')?;
            Some((Kib(whole(size.strip_suffix("kB")?)?), whole(count)?))
        });
        let chunks =
            FreeChunks { node: node(&found), zone: found[2].to_owned(), list: list.collect() };
        return Some(MemoryLine::Chunks(chunks));
    }
    let rest = words.strip_prefix("lowmem_reserve[]:")?;
    Some(MemoryLine::Reserve(rest.split(' ').filter_map(whole).collect()))
}

fn cgroup(words: &str, line: &str, context: &LineContext) -> Option<MemoryLine> {
    if let Some(rest) = words.strip_prefix("Memory cgroup stats for ") {
        // Version 1 up to 5.2 prints the statistics on the same line, in KiB.
        let end = rest.find(": ").or_else(|| rest.rfind(':'))?;
        return Some(MemoryLine::StatOf(neutral(&rest.as_bytes()[..end])));
    }
    if words.starts_with("Unreclaimable slab info") {
        return Some(MemoryLine::Slabs);
    }
    if context.in_slabs
        && let Some(found) = SLAB.captures(line)
    {
        return Some(MemoryLine::Slab(neutral(found[1].as_bytes()), Kib(whole(&found[2])?)));
    }
    if context.in_stat {
        let mut words = line.trim_end_matches(['"', ',', ' ']).rsplit(' ');
        let (value, key) = (words.next()?, words.next()?);
        let key = key.rsplit(['"', '=', ']', '\t']).next()?;
        return Some(MemoryLine::Stat(vec![(known(&STAT, key)?, whole(value)?)]));
    }
    None
}

/// The statistics that old kernels print on the line of the path, in bytes.
pub(super) fn old_stat(line: &str) -> Vec<(&'static str, u64)> {
    let Some((_, rest)) = line.split_once("Memory cgroup stats for ") else { return Vec::new() };
    let words = rest.split(' ').filter_map(|word| {
        let (key, value) = word.split_once(':')?;
        let kib = whole(value.strip_suffix("KB")?)?;
        Some((known(&STAT, key)?, kib.saturating_mul(1024)))
    });
    words.collect()
}
