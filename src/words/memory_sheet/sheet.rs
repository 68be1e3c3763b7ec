//! The sheet itself, its totals, and its sentences.

use crate::columns::human_size;
use crate::units::Kib;
use crate::words::numbers_and_names::joined;

/// A use of memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MemoryUse {
    /// Memory of processes that no file backs.
    Anonymous,
    /// Cached files.
    PageCache,
    /// File cache and slab of a memory cgroup, as far as reclaim can take them.
    ReclaimableCache,
    /// Pages on the list of unevictable pages, most of them locked.
    Unevictable,
    /// Page tables.
    PageTables,
    /// Stacks of threads in the kernel.
    KernelStacks,
    /// Free memory.
    Free,
    /// Shared memory that processes map: a kill frees what no other process and no file holds.
    SharedMapped,
    /// Files in tmpfs, and shared memory that no process maps.
    Shmem,
    /// Slab that can be reclaimed.
    SlabReclaimable,
    /// Slab that cannot be reclaimed.
    SlabUnreclaimable,
    /// Memory of each CPU.
    Percpu,
    /// Buffers of sockets.
    Sockets,
    /// What the kernel and its modules allocated by `vmalloc`, without stacks.
    Vmalloc,
    /// Huge pages that a process uses.
    HugePagesUsed,
    /// Huge pages that are set aside and free.
    HugePagesFree,
    /// Compressed pages of swap.
    CompressedSwap,
    /// Compressed pages of zswap of a memory cgroup.
    Zswap,
    /// Compressed pages of zram devices that hold no swap.
    ZramDisks,
    /// RAM of graphics drivers.
    Graphics,
}

impl MemoryUse {
    /// Its name in a sentence.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Anonymous => "anonymous",
            Self::PageCache => "page cache",
            Self::ReclaimableCache => "cache that can be reclaimed",
            Self::Unevictable => "locked and other unevictable",
            Self::PageTables => "page tables",
            Self::KernelStacks => "kernel stacks",
            Self::Free => "free",
            Self::SharedMapped => "shared memory of processes",
            Self::Shmem => "tmpfs and shared memory",
            Self::SlabReclaimable => "slab that can be reclaimed",
            Self::SlabUnreclaimable => "slab that cannot be reclaimed",
            Self::Percpu => "percpu",
            Self::Sockets => "network buffers",
            Self::Vmalloc => "vmalloc",
            Self::HugePagesUsed => "huge pages in use",
            Self::HugePagesFree => "huge pages that are free",
            Self::CompressedSwap => "zram and zswap",
            Self::Zswap => "zswap",
            Self::ZramDisks => "zram disks",
            Self::Graphics => "graphics memory",
        }
    }

    /// Its name in metrics and JSON.
    #[must_use]
    pub const fn id(self) -> &'static str {
        match self {
            Self::Anonymous => "anonymous",
            Self::PageCache => "page_cache",
            Self::ReclaimableCache => "reclaimable",
            Self::Unevictable => "unevictable",
            Self::PageTables => "page_tables",
            Self::KernelStacks => "kernel_stacks",
            Self::Free => "free",
            Self::SharedMapped => "shmem_mapped",
            Self::Shmem => "shmem",
            Self::SlabReclaimable => "slab_reclaimable",
            Self::SlabUnreclaimable => "slab_unreclaimable",
            Self::Percpu => "percpu",
            Self::Sockets => "sockets",
            Self::Vmalloc => "vmalloc",
            Self::HugePagesUsed => "huge_pages_used",
            Self::HugePagesFree => "huge_pages_free",
            Self::CompressedSwap => "compressed_swap",
            Self::Zswap => "zswap",
            Self::ZramDisks => "zram_disks",
            Self::Graphics => "graphics",
        }
    }

    /// Whether killing processes can free it.
    #[must_use]
    pub const fn is_killable(self) -> bool {
        !matches!(
            self,
            Self::Shmem
                | Self::SlabUnreclaimable
                | Self::Percpu
                | Self::Vmalloc
                | Self::HugePagesUsed
                | Self::HugePagesFree
                | Self::ZramDisks
        )
    }
}

/// A use of memory, and how much it takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MemoryPart {
    /// What for.
    pub of: MemoryUse,
    /// Its size.
    pub size: Kib,
}

/// The balance sheet of a machine or of a memory cgroup.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MemorySheet {
    /// All of it.
    pub total: Option<Kib>,
    /// Its uses, the largest first.
    pub parts: Vec<MemoryPart>,
    /// What nothing accounts for.
    pub rest: Option<Kib>,
    /// Whether that is memory of the kernel and its drivers, which no kill frees: where all that processes hold is
    /// accounted for.
    pub is_rest_stuck: bool,
    /// What processes hold in memory: live, their anonymous memory; in a report, the resident sizes of its dump.
    pub held: Option<Kib>,
}

/// Why no kill can help.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FutileKill {
    /// What processes hold.
    pub held: Kib,
    /// All memory.
    pub total: Kib,
    /// The largest use that no kill frees.
    pub name: &'static str,
    /// Its size.
    pub size: Kib,
}

impl FutileKill {
    /// `processes hold 0.1 of 7.7G; slab that cannot be reclaimed 3.4G: killing cannot help`.
    #[must_use]
    pub fn sentence(&self) -> String {
        let (held, total) = (human_size(self.held.bytes()), human_size(self.total.bytes()));
        let size = human_size(self.size.bytes());
        let held = joined(held, total).replace('/', " of ");
        format!("processes hold {held}; {} {size}: killing cannot help", self.name)
    }

    /// The same in fewer words: `killing cannot help: slab that cannot be reclaimed 3.4G`.
    #[must_use]
    pub fn brief(&self) -> String {
        format!("killing cannot help: {} {}", self.name, human_size(self.size.bytes()))
    }
}

/// A part smaller than this share of the whole is left out of the sentence.
const SMALL: u64 = 200;

impl MemorySheet {
    /// Completes a sheet: leaves out what is empty, puts the largest part first, and computes what is accounted to
    /// nothing. `None` for a sheet without parts.
    pub(super) fn completed(mut self) -> Option<Self> {
        self.parts.retain(|part| part.size > Kib::ZERO);
        if self.parts.is_empty() {
            return None;
        }
        self.parts.sort_by_key(|part| std::cmp::Reverse(part.size));
        let told = sum(self.parts.iter().map(|part| part.size));
        self.rest = self.total.map(|total| total.saturating_sub(told)).filter(|it| *it > Kib::ZERO);
        Some(self)
    }

    /// What no kill can free.
    #[must_use]
    pub fn stuck(&self) -> Kib {
        sum(self.parts.iter().filter(|it| !it.of.is_killable()).map(|it| it.size))
    }

    /// The largest part that no kill can free.
    #[must_use]
    pub fn largest_stuck(&self) -> Option<&MemoryPart> {
        self.parts.iter().find(|it| !it.of.is_killable())
    }

    /// What no kill can free, where processes hold less than that and less than half of the memory: then no kill can
    /// help. `total` stands for a total that the sheet does not have.
    #[must_use]
    pub fn futile_kill(&self, total: Option<Kib>) -> Option<FutileKill> {
        let (total, held) = (self.total.or(total)?, self.held?);
        let rest = self.rest.filter(|_| self.is_rest_stuck);
        let largest = self.largest_stuck().map(|it| (it.of.name(), it.size));
        let rest_part = rest.map(|size| ("unaccounted memory", size));
        let (name, size) = largest.into_iter().chain(rest_part).max_by_key(|it| it.1)?;
        let stuck = self.stuck() + rest.unwrap_or_default();
        let decides = held.0 < total.0 / 2 && size.0 > total.0 / 5 && stuck > held;
        decides.then_some(FutileKill { held, total, name, size })
    }

    /// The sheet in words: what can be freed, and what no kill frees, with the largest slab that cannot be
    /// reclaimed.
    #[must_use]
    pub fn words(&self, largest_slab: Option<(&str, Kib)>) -> SheetWords {
        let size = |kib: Kib| human_size(kib.bytes());
        let least = Kib(self.total.map_or(0, |it| it.0 / SMALL));
        let list = |killable: bool| {
            let parts =
                self.parts.iter().filter(|it| it.of.is_killable() == killable && it.size >= least);
            parts.map(|it| format!("{} {}", it.of.name(), size(it.size))).collect::<Vec<_>>()
        };
        let mut first = list(true);
        first.extend(
            self.rest.filter(|it| *it >= least).map(|it| format!("unaccounted {}", size(it))),
        );
        let mut words = SheetWords {
            of_total: self.total.map_or_else(String::new, |it| format!("of {}", size(it))),
            uses: first.join(", "),
            stuck: String::new(),
        };
        let stuck = list(false);
        if !stuck.is_empty() {
            let has_slab =
                |it: &MemoryPart| it.of == MemoryUse::SlabUnreclaimable && it.size >= least;
            let slab =
                largest_slab.filter(|(_, it)| *it >= least && self.parts.iter().any(has_slab));
            let slab = slab.map_or_else(String::new, |(name, it)| {
                format!(" (largest slab: {name} {})", size(it))
            });
            words.stuck = format!("{}{slab}", stuck.join(", "));
        }
        words
    }
}

/// The sheet in words; what there is nothing to tell of is empty.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SheetWords {
    /// `of 7.7G`, where the total is known.
    pub of_total: String,
    /// What can be freed.
    pub uses: String,
    /// What no kill frees.
    pub stuck: String,
}

impl SheetWords {
    /// `of 7.7G: anonymous 3.1G, free 1.2G`; nothing where there is nothing to tell.
    #[must_use]
    pub fn uses_sentence(&self) -> Option<String> {
        let sentence = match &*self.of_total {
            "" => self.uses.clone(),
            total => format!("{total}: {}", self.uses),
        };
        (!self.uses.is_empty()).then_some(sentence)
    }

    /// What no kill frees; nothing where there is nothing to tell.
    #[must_use]
    pub fn stuck(&self) -> Option<&str> {
        (!self.stuck.is_empty()).then_some(&*self.stuck)
    }
}

fn sum(sizes: impl Iterator<Item = Kib>) -> Kib {
    sizes.fold(Kib(0), |sum, size| sum + size)
}
