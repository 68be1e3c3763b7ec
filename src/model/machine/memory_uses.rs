//! What RAM is used for beside the memory of processes: counters of the kernel, and who holds memory that
//! belongs to no process.

use serde::{Deserialize, Serialize};

use crate::model::{Reading, Text};
use crate::units::Kib;

/// Counters of RAM that [`crate::model::Memory`] does not have (`/proc/meminfo`, `/proc/vmstat`), in KiB.
/// Each is missing where the kernel does not print it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct MemoryUses {
    /// `SReclaimable`. [`crate::model::Memory::cache_kib`] includes it.
    #[serde(skip_serializing_if = "Reading::is_not_asked")]
    pub slab_reclaimable_kib: Reading<Kib>,
    /// `SUnreclaim`: slab that cannot be reclaimed.
    #[serde(skip_serializing_if = "Reading::is_not_asked")]
    pub slab_unreclaimable_kib: Reading<Kib>,
    /// `KernelStack` (2.6.32 and later).
    #[serde(skip_serializing_if = "Reading::is_not_asked")]
    pub kernel_stacks_kib: Reading<Kib>,
    /// `PageTables`, and `SecPageTables`, those of virtual machines and devices, where there are any.
    #[serde(skip_serializing_if = "Reading::is_not_asked")]
    pub page_tables_kib: Reading<Kib>,
    /// `Percpu` (4.20 and later).
    #[serde(skip_serializing_if = "Reading::is_not_asked")]
    pub percpu_kib: Reading<Kib>,
    /// `VmallocUsed`. Since 5.3 it counts pages, also those of kernel stacks; from 4.4 to 5.2 it is always 0,
    /// which counts as missing here; before that it counts addresses (`mm/vmalloc.c`).
    #[serde(skip_serializing_if = "Reading::is_not_asked")]
    pub vmalloc_kib: Reading<Kib>,
    /// `HugePages_Free`: huge pages of the default size that no process has touched.
    #[serde(skip_serializing_if = "Reading::is_not_asked")]
    pub huge_pages_free_kib: Reading<Kib>,
    /// `HugePages_Rsvd`: those of them that are promised to mappings.
    #[serde(skip_serializing_if = "Reading::is_not_asked")]
    pub huge_pages_reserved_kib: Reading<Kib>,
    /// `nr_zspages` of `/proc/vmstat`: RAM of zsmalloc, where zram and usually zswap store pages.
    #[serde(skip_serializing_if = "Reading::is_not_asked")]
    pub zspages_kib: Reading<Kib>,
    /// `Balloon` (kernels of 2025 and later): RAM that a driver gave back to the hypervisor. Most drivers subtract it
    /// from `MemTotal`.
    #[serde(skip_serializing_if = "Reading::is_not_asked")]
    pub balloon_kib: Reading<Kib>,
    /// `GPUActive` and `GPUReclaim` (7.x): RAM of graphics drivers that use TTM.
    #[serde(skip_serializing_if = "Reading::is_not_asked")]
    pub gpu_kib: Reading<Kib>,
}

impl MemoryUses {
    /// Of a system that tells none of them.
    #[must_use]
    pub const fn missing() -> Self {
        Self {
            slab_reclaimable_kib: Reading::Missing,
            slab_unreclaimable_kib: Reading::Missing,
            kernel_stacks_kib: Reading::Missing,
            page_tables_kib: Reading::Missing,
            percpu_kib: Reading::Missing,
            vmalloc_kib: Reading::Missing,
            huge_pages_free_kib: Reading::Missing,
            huge_pages_reserved_kib: Reading::Missing,
            zspages_kib: Reading::Missing,
            balloon_kib: Reading::Missing,
            gpu_kib: Reading::Missing,
        }
    }
}

/// A mounted tmpfs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TmpfsMount {
    /// Where it is mounted, in the mount namespace of doomtop.
    pub path: Text,
    /// The size of its files, in RAM and in swap.
    pub used_kib: Kib,
    /// Its maximum size.
    pub size_kib: Kib,
}

/// The shared memory of System V (`/proc/sysvipc/shm`, in the IPC namespace of doomtop). It stays until it is
/// removed, whoever dies.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SysvShm {
    /// RAM of all segments.
    pub kib: Kib,
    /// Segments to which no process is attached.
    pub orphans: u32,
    /// RAM of these.
    pub orphans_kib: Kib,
    /// What of these is in swap.
    pub orphans_swap_kib: Kib,
}

/// A slab cache (`/proc/slabinfo`).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SlabCache {
    /// Its name.
    pub name: Text,
    /// The pages of its slabs.
    pub kib: Kib,
    /// Whether it counts as slab that can be reclaimed (`/sys/kernel/slab/NAME/reclaim_account`, SLUB).
    #[serde(default, skip_serializing_if = "Reading::is_not_asked")]
    pub reclaimable: Reading<bool>,
}

/// The settings of zswap (`/sys/module/zswap/parameters`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ZswapSettings {
    /// Whether it stores pages.
    pub enabled: bool,
    /// The share of RAM that it may take, in percent.
    pub max_pool_percent: u8,
}

/// The memory of graphics devices that one process holds (`/proc/PID/fdinfo`, keys `drm-*`:
/// `Documentation/gpu/drm-usage-stats.rst`).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct GpuMemory {
    /// Its pid.
    pub pid: i32,
    /// What of it is RAM of the machine. The resident size of the process does not contain it.
    pub ram_kib: Kib,
    /// What of it is memory of the device.
    pub device_kib: Kib,
}

/// Who holds memory that is counted with no process. Read from time to time: it takes longer than the rest of a
/// sample.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct MemoryHolders {
    /// The mounts of tmpfs that hold anything, the largest first; at most 32.
    #[serde(skip_serializing_if = "Reading::is_not_asked")]
    pub tmpfs: Reading<Vec<TmpfsMount>>,
    /// Shared memory of System V.
    #[serde(skip_serializing_if = "Reading::is_not_asked")]
    pub sysv_shm: Reading<SysvShm>,
    /// The largest slab caches, at most 8.
    #[serde(skip_serializing_if = "Reading::is_not_asked")]
    pub slabs: Reading<Vec<SlabCache>>,
    /// RAM of zram devices that hold no swap, but a filesystem.
    #[serde(skip_serializing_if = "Reading::is_not_asked")]
    pub zram_disks_kib: Reading<Kib>,
    /// The settings of zswap.
    #[serde(skip_serializing_if = "Reading::is_not_asked")]
    pub zswap: Reading<ZswapSettings>,
    /// The processes that hold memory of graphics devices, the largest first; at most 32.
    #[serde(skip_serializing_if = "Reading::is_not_asked")]
    pub gpu: Reading<Vec<GpuMemory>>,
}

impl MemoryHolders {
    /// The largest of the listed slab caches that cannot be reclaimed, where that is known.
    #[must_use]
    pub fn stuck_slab(&self) -> Option<&SlabCache> {
        let Reading::Value(slabs) = &self.slabs else { return None };
        slabs.iter().find(|it| it.reclaimable == Reading::Value(false))
    }

    /// Whether nothing was read.
    #[must_use]
    pub fn is_default(&self) -> bool {
        *self == Self::default()
    }
}
