//! The sheet of a sample, and who holds what of it.

use crate::columns::human_size;
use crate::model::{Cgroup, MemoryHolders, Process, Reading, Scope, Snapshot, is_within};
use crate::units::{Bytes, Kib, Pages};
use crate::words::memory_sheet::sheet::{MemoryPart, MemorySheet, MemoryUse};
use crate::words::numbers_and_names::joined;

/// Shared memory of unknown origin is told from this size on.
const WORTH_TELLING: Kib = Kib(1 << 10);
/// From this version on `VmallocUsed` counts pages.
const VMALLOC_COUNTS_PAGES: (u32, u32) = (5, 3);

impl MemorySheet {
    /// The sheet of a domain of a sample: of the machine, or of the memory cgroup with this path.
    #[must_use]
    pub fn of_domain(sample: &Snapshot, domain: &str) -> Option<Self> {
        if domain == Scope::GLOBAL {
            return Self::of_machine(sample);
        }
        Self::of_cgroup(sample.cgroups.find(domain)?, sample)
    }

    /// The sheet of the machine; `None` where the system does not tell what the kernel holds (gVisor, lxcfs, a
    /// recording of an earlier doomtop).
    #[must_use]
    pub fn of_machine(sample: &Snapshot) -> Option<Self> {
        let (memory, uses) = (&sample.memory, &sample.memory_uses);
        let (anon, slab) = (memory.anon_kib.value()?, uses.slab_unreclaimable_kib.value()?);
        let known = |size: Reading<Kib>| size.value().unwrap_or_default();
        let reclaimable = known(uses.slab_reclaimable_kib);
        let stacks = known(uses.kernel_stacks_kib);
        let counts_pages = sample.machine.kernel_version() >= VMALLOC_COUNTS_PAGES;
        // Stacks are allocated there, too, on most architectures.
        let vmalloc = known(uses.vmalloc_kib).saturating_sub(stacks);
        let vmalloc = if counts_pages { vmalloc } else { Kib::ZERO };
        let huge_free = known(uses.huge_pages_free_kib).min(memory.hugetlb_kib);
        let disks = known(sample.memory_holders.zram_disks_kib);
        let mapped =
            mapped_shared(sample, |_| true).min(memory.shmem_kib.saturating_sub(files(sample)));
        let part = |of, size| MemoryPart { of, size };
        let parts = vec![
            part(MemoryUse::Anonymous, anon),
            part(MemoryUse::PageCache, memory.cache_kib.saturating_sub(reclaimable)),
            part(MemoryUse::PageTables, known(uses.page_tables_kib)),
            part(MemoryUse::KernelStacks, stacks),
            part(MemoryUse::Free, memory.free_kib),
            part(MemoryUse::SharedMapped, mapped),
            part(MemoryUse::Shmem, memory.shmem_kib.saturating_sub(mapped)),
            part(MemoryUse::SlabReclaimable, reclaimable),
            part(MemoryUse::SlabUnreclaimable, slab),
            part(MemoryUse::Percpu, known(uses.percpu_kib)),
            part(MemoryUse::Vmalloc, vmalloc),
            part(MemoryUse::HugePagesUsed, memory.hugetlb_kib.saturating_sub(huge_free)),
            part(MemoryUse::HugePagesFree, huge_free),
            part(MemoryUse::CompressedSwap, compressed(sample).saturating_sub(disks)),
            part(MemoryUse::ZramDisks, disks),
            part(MemoryUse::Graphics, known(uses.gpu_kib)),
        ];
        let graphics = sample.memory_holders.gpu.as_ref();
        let (total, held) = (Some(memory.total_kib), Some(anon + mapped));
        let is_rest_stuck = matches!(graphics, Reading::Missing) || known(uses.gpu_kib) > Kib::ZERO;
        Self { total, parts, held, is_rest_stuck, ..Self::default() }.completed()
    }

    /// The sheet of a memory cgroup; `None` where its `memory.stat` was not read.
    #[must_use]
    pub fn of_cgroup(group: &Cgroup, sample: &Snapshot) -> Option<Self> {
        let kib = |bytes: Reading<Bytes>| bytes.value().map(|Bytes(it)| Kib(it / 1024));
        let (anon, shmem) = (kib(group.anon)?, kib(group.shmem)?);
        let inside = |process: &Process| {
            let path = process.cgroup.as_ref().value();
            path.is_some_and(|path| is_within(path.as_str(), group.path.as_str()))
        };
        let mapped = mapped_shared(sample, inside).min(shmem);
        let part = |of, size| MemoryPart { of, size };
        let parts = vec![
            part(MemoryUse::Anonymous, anon),
            part(MemoryUse::ReclaimableCache, kib(group.reclaimable).unwrap_or_default()),
            part(MemoryUse::SharedMapped, mapped),
            part(MemoryUse::Shmem, shmem.saturating_sub(mapped)),
            part(MemoryUse::SlabUnreclaimable, kib(group.slab_unreclaimable).unwrap_or_default()),
        ];
        let total = kib(group.usage);
        Self { total, parts, held: Some(anon + mapped), ..Self::default() }.completed()
    }
}

/// Shared memory that these processes map (`RssShmem`). What several map counts several times, so it is the most
/// that they can hold.
fn mapped_shared(sample: &Snapshot, whose: impl Fn(&Process) -> bool) -> Kib {
    let page = sample.machine.page_size;
    let of = |process: &Process| process.shmem.value().unwrap_or_default();
    let pages = sample.processes.iter().filter(|it| whose(it)).map(of);
    let all = pages.fold(Pages::ZERO, |sum, it| Pages(sum.0.saturating_add(it.0)));
    Kib(all.bytes(page).0 / 1024)
}

/// Shared memory that stays whoever dies, as far as that is known: files in tmpfs, and segments without a process.
fn files(sample: &Snapshot) -> Kib {
    let holders = &*sample.memory_holders;
    let mounts = holders.tmpfs.as_ref().value();
    let files =
        mounts.map_or(Kib::ZERO, |it| it.iter().fold(Kib::ZERO, |sum, it| sum + it.used_kib));
    files + holders.sysv_shm.value().map_or(Kib::ZERO, |it| it.orphans_kib)
}

/// RAM in which compressed pages are stored, also those of zram devices that hold no swap.
fn compressed(sample: &Snapshot) -> Kib {
    let zram = sample.swap.zram.map_or(Kib::ZERO, |zram| zram.used_kib);
    let disks = sample.memory_holders.zram_disks_kib.value().unwrap_or_default();
    let zswap = sample.swap.zswap_kib.value().unwrap_or_default();
    // The counter misses other allocators than zsmalloc; the sum misses devices that cannot be read.
    sample.memory_uses.zspages_kib.value().unwrap_or_default().max(zram + disks + zswap)
}

/// Who holds what of it: label and text, the most important first. What was not read is left out.
#[must_use]
pub fn details(sample: &Snapshot) -> Vec<(&'static str, String)> {
    let holders = &*sample.memory_holders;
    let size = |kib: Kib| human_size(kib.bytes());
    let mut lines = Vec::new();
    lines.extend(mounts(holders));
    if let Reading::Value(shm) = holders.sysv_shm
        && shm.orphans > 0
    {
        let swap = match shm.orphans_swap_kib {
            Kib::ZERO => String::new(),
            swapped => format!(" and {} in swap", size(swapped)),
        };
        let one = shm.orphans == 1;
        let (segments, them) = if one { ("segment", "it") } else { ("segments", "them") };
        lines.push((
            "orphaned",
            format!(
                "{} System V {segments} without a process: {}{swap}; only ipcrm frees {them}",
                shm.orphans,
                size(shm.orphans_kib)
            ),
        ));
    }
    lines.extend(other_shared(sample));
    if let Reading::Value(slabs) = &holders.slabs
        && !slabs.is_empty()
    {
        let named = slabs.iter().take(4).map(|it| format!("{} {}", it.name, size(it.kib)));
        lines.push(("slab", format!("largest: {}", named.collect::<Vec<_>>().join(", "))));
    }
    lines.extend(huge_pages(sample));
    lines.extend(zram(sample));
    lines.extend(zswap(sample));
    lines.extend(graphics(sample));
    if let Some(balloon) = sample.memory_uses.balloon_kib.value().filter(|it| *it > Kib::ZERO) {
        let text = format!("{} given back to the hypervisor by a balloon driver", size(balloon));
        lines.push(("balloon", text));
    }
    lines
}

/// The largest mounts of tmpfs.
fn mounts(holders: &MemoryHolders) -> Option<(&'static str, String)> {
    let Reading::Value(mounts) = &holders.tmpfs else { return None };
    let named: Vec<String> = mounts
        .iter()
        .take(4)
        .map(|it| {
            let (used, all) = (human_size(it.used_kib.bytes()), human_size(it.size_kib.bytes()));
            format!("{} {}", it.path, joined(used, all))
        })
        .collect();
    (!named.is_empty()).then(|| ("tmpfs", named.join(", ")))
}

/// Shared memory that neither a mount nor a segment accounts for, where that is a good part. Files in swap count with
/// their mounts, so it may be more.
fn other_shared(sample: &Snapshot) -> Option<(&'static str, String)> {
    let holders = &*sample.memory_holders;
    let (Reading::Value(mounts), Reading::Value(segments)) = (&holders.tmpfs, holders.sysv_shm)
    else {
        return None;
    };
    let told = mounts.iter().fold(segments.kib, |sum, it| sum + it.used_kib);
    let all = sample.memory.shmem_kib;
    let rest = all.saturating_sub(told);
    (rest.0 > all.0 / 10 && rest >= WORTH_TELLING).then(|| {
        let size = human_size(rest.bytes());
        let who = "memfd, shared mappings, graphics, or tmpfs mounted elsewhere";
        (
            "shared",
            format!("{size} outside the tmpfs mounts and System V segments seen here: {who}"),
        )
    })
}

fn huge_pages(sample: &Snapshot) -> Option<(&'static str, String)> {
    let all = sample.memory.hugetlb_kib;
    let size = |kib: Kib| human_size(kib.bytes());
    let part = |reading: Reading<Kib>, word: &str| {
        reading.value().map_or_else(String::new, |it| format!(", {} {word}", size(it)))
    };
    let uses = &sample.memory_uses;
    let free = part(uses.huge_pages_free_kib, "free");
    let reserved = part(uses.huge_pages_reserved_kib, "of these reserved");
    (all > Kib::ZERO).then(|| ("huge pages", format!("{} set aside{free}{reserved}", size(all))))
}

/// How well pages are compressed: `2.5:1`.
fn ratio(stored: Kib, used: Kib) -> String {
    if used == Kib::ZERO {
        return String::new();
    }
    format!(" ({:.1}:1)", stored.0 as f64 / used.0 as f64)
}

fn zram(sample: &Snapshot) -> Option<(&'static str, String)> {
    let zram = sample.swap.zram?;
    let size = |kib: Kib| human_size(kib.bytes());
    let limit = zram.limit_kib.map_or_else(String::new, |it| format!(", at most {}", size(it)));
    let ratio = ratio(zram.stored_kib, zram.used_kib);
    let (stored, used) = (size(zram.stored_kib), size(zram.used_kib));
    Some(("zram", format!("{stored} stored in {used} of RAM{ratio}{limit}")))
}

fn zswap(sample: &Snapshot) -> Option<(&'static str, String)> {
    let used = sample.swap.zswap_kib.value()?;
    let stored = sample.swap.zswapped_kib.value().unwrap_or_default();
    let settings = sample.memory_holders.zswap.value();
    if used == Kib::ZERO && !settings.is_some_and(|it| it.enabled) {
        return None;
    }
    let size = |kib: Kib| human_size(kib.bytes());
    let pool = settings.map_or_else(String::new, |it| {
        let most = sample.memory.total_kib.0 / 100 * u64::from(it.max_pool_percent);
        format!(", at most {} ({}% of RAM)", size(Kib(most)), it.max_pool_percent)
    });
    let ratio = ratio(stored, used);
    Some(("zswap", format!("{} stored in {} of RAM{ratio}{pool}", size(stored), size(used))))
}

/// The processes with the most graphics memory.
fn graphics(sample: &Snapshot) -> Option<(&'static str, String)> {
    let Reading::Value(list) = &sample.memory_holders.gpu else { return None };
    let size = |kib: Kib| human_size(kib.bytes());
    let named: Vec<String> = list
        .iter()
        .take(3)
        .map(|it| {
            let comm = sample.position(it.pid).and_then(|at| sample.processes.get(at));
            let comm = comm.map_or_else(String::new, |process| format!(" {}", process.comm));
            let device = match it.device_kib {
                Kib::ZERO => String::new(),
                device => format!(" and {} of the device", size(device)),
            };
            format!("{}{comm} {} of RAM{device}", it.pid, size(it.ram_kib))
        })
        .collect();
    (!named.is_empty())
        .then(|| ("graphics", format!("beside their resident size: {}", named.join(", "))))
}
