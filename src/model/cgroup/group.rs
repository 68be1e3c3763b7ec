//! One memory cgroup: its limits and its usage.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::model::cgroup::limit::{Hierarchy, Limit};
use crate::model::{Pressure, Reading, Text};
use crate::units::{Bytes, PageSize, Pages};

/// Events in a cgroup and below since it was created (`memory.events`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CgroupEvents {
    /// Reclaims although usage was below `memory.low`.
    #[serde(default, skip_serializing_if = "Reading::is_not_asked")]
    pub low: Reading<u64>,
    /// Times that tasks were throttled above `memory.high`.
    #[serde(default, skip_serializing_if = "Reading::is_not_asked")]
    pub high: Reading<u64>,
    /// Times that a charge reached the limit (version 1: `memory.failcnt` and `memory.memsw.failcnt`).
    #[serde(default, skip_serializing_if = "Reading::is_not_asked")]
    pub max: Reading<u64>,
    /// Times that an OOM began, even if no process was killed.
    #[serde(default, skip_serializing_if = "Reading::is_not_asked")]
    pub oom: Reading<u64>,
    /// Processes killed.
    #[serde(default, skip_serializing_if = "Reading::is_not_asked")]
    pub oom_kill: Reading<u64>,
    /// Whole groups killed (5.17 and later).
    #[serde(default, skip_serializing_if = "Reading::is_not_asked")]
    pub oom_group_kill: Reading<u64>,
    /// Times that its sockets were throttled (7.0 and later).
    #[serde(default, skip_serializing_if = "Reading::is_not_asked")]
    pub sock_throttled: Reading<u64>,
}

/// I/O of a cgroup and everything below it on one device since it was created (version 2,
/// `io.stat`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct IoStat {
    /// Major and minor number of the device.
    pub device: (u32, u32),
    /// Reads.
    pub read_ios: u64,
    /// Bytes read.
    pub read_bytes: u64,
    /// Writes.
    pub write_ios: u64,
    /// Bytes written.
    pub write_bytes: u64,
    /// Discards.
    pub trim_ios: u64,
    /// Bytes discarded.
    pub trim_bytes: u64,
}

/// The extended attributes of a cgroup that tell userspace killers whether to choose it
/// (`user.oomd_avoid` and others).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct OomdXattrs {
    /// Whether to choose it after all others.
    pub avoid: bool,
    /// Whether never to choose it; only systemd-oomd knows it.
    pub omit: bool,
    /// Whether to choose it before all others; only oomd knows it.
    pub prefer: bool,
    /// The owner of the cgroup; `u32::MAX` if not known.
    pub owner: u32,
}

/// One memory cgroup.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Cgroup {
    /// The path, as `/proc/PID/cgroup` prints it to doomtop.
    pub path: Arc<Text>,
    /// Memory charged to it and everything below (`memory.current`, `memory.usage_in_bytes`), in
    /// bytes.
    #[serde(rename = "usage_bytes")]
    pub usage: Reading<Bytes>,
    /// The limit of memory (`memory.max`, `memory.limit_in_bytes`). Missing on the root of version 2; none where the
    /// parent does not distribute memory, so that the group has no such file.
    #[serde(rename = "limit_bytes")]
    pub limit: Reading<Limit>,
    /// The usage above which tasks are throttled (`memory.high`). It causes no kills.
    #[serde(rename = "high_bytes", default, skip_serializing_if = "Reading::is_not_asked")]
    pub high: Reading<Limit>,
    /// Swap charged to it (version 2, `memory.swap.current`).
    #[serde(rename = "swap_usage_bytes", default, skip_serializing_if = "Reading::is_not_asked")]
    pub swap_usage: Reading<Bytes>,
    /// The limit of swap (version 2, `memory.swap.max`).
    #[serde(rename = "swap_limit_bytes", default, skip_serializing_if = "Reading::is_not_asked")]
    pub swap_limit: Reading<Limit>,
    /// Memory and swap charged to it (version 1, `memory.memsw.usage_in_bytes`).
    #[serde(rename = "memsw_usage_bytes", default, skip_serializing_if = "Reading::is_not_asked")]
    pub memsw_usage: Reading<Bytes>,
    /// The limit of memory and swap together (version 1, `memory.memsw.limit_in_bytes`).
    #[serde(rename = "memsw_limit_bytes", default, skip_serializing_if = "Reading::is_not_asked")]
    pub memsw_limit: Reading<Limit>,
    /// File cache and slab that reclaim can free before a kill (`memory.stat`).
    #[serde(rename = "reclaimable_bytes", default, skip_serializing_if = "Reading::is_not_asked")]
    pub reclaimable: Reading<Bytes>,
    /// File cache on the inactive list, of it and everything below (`memory.stat` `inactive_file`).
    #[serde(
        rename = "inactive_file_bytes",
        default,
        skip_serializing_if = "Reading::is_not_asked"
    )]
    pub inactive_file: Reading<Bytes>,
    /// Anonymous memory of it and everything below (`memory.stat` `anon`, in version 1 `total_rss`).
    #[serde(rename = "anon_bytes", default, skip_serializing_if = "Reading::is_not_asked")]
    pub anon: Reading<Bytes>,
    /// Files in tmpfs and shared memory, of it and everything below (`memory.stat` `shmem`): the death of a
    /// process need not free them.
    #[serde(rename = "shmem_bytes", default, skip_serializing_if = "Reading::is_not_asked")]
    pub shmem: Reading<Bytes>,
    /// Slab that cannot be reclaimed, of it and everything below (version 2, `memory.stat`).
    #[serde(
        rename = "slab_unreclaimable_bytes",
        default,
        skip_serializing_if = "Reading::is_not_asked"
    )]
    pub slab_unreclaimable: Reading<Bytes>,
    /// Pages in zswap that cannot be compressed, so that storing them there gains nothing (version 2, 7.x,
    /// `memory.stat` `zswap_incomp`, in bytes).
    #[serde(
        rename = "zswap_incompressible_bytes",
        default,
        skip_serializing_if = "Reading::is_not_asked"
    )]
    pub zswap_incompressible: Reading<Bytes>,
    /// Pages scanned by reclaim since it was created, with everything below (version 2,
    /// `memory.stat` `pgscan`).
    #[serde(rename = "pgscan_pages", default, skip_serializing_if = "Reading::is_not_asked")]
    pub pgscan: Reading<u64>,
    /// Pages that were evicted and read again soon after, since it was created, with everything below
    /// (`memory.stat` `workingset_refault_anon` and `workingset_refault_file`).
    #[serde(rename = "refault_pages", default, skip_serializing_if = "Reading::is_not_asked")]
    pub refaults: Reading<u64>,
    /// The highest usage since it was created, or since that was reset (`memory.peak`, 5.19 and later; version 1:
    /// `memory.max_usage_in_bytes`).
    #[serde(rename = "peak_bytes", default, skip_serializing_if = "Reading::is_not_asked")]
    pub peak: Reading<Bytes>,
    /// I/O by device (version 2); read if a killer uses it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub io: Vec<IoStat>,
    /// Extended attributes for userspace killers (version 2), if any is set.
    #[serde(default, rename = "marks", skip_serializing_if = "Option::is_none")]
    pub xattrs: Option<OomdXattrs>,
    /// `memory.swappiness` (version 1).
    #[serde(default, skip_serializing_if = "Reading::is_not_asked")]
    pub swappiness: Reading<u64>,
    /// `memory.oom.group`: whether a kill in it kills all its processes.
    #[serde(default, skip_serializing_if = "Reading::is_not_asked")]
    pub oom_group: Reading<bool>,
    /// `oom_kill_disable` (version 1): at the limit tasks wait, and no process is killed.
    #[serde(default, skip_serializing_if = "Reading::is_not_asked")]
    pub oom_kill_disabled: Reading<bool>,
    /// `under_oom` (version 1): whether it is at its limit now.
    #[serde(default, skip_serializing_if = "Reading::is_not_asked")]
    pub under_oom: Reading<bool>,
    /// Whether it and everything below is frozen (version 2, `cgroup.events` `frozen`).
    #[serde(default, skip_serializing_if = "Reading::is_not_asked")]
    pub frozen: Reading<bool>,
    /// Events since it was created.
    #[serde(default)]
    pub events: CgroupEvents,
    /// Pressure stall information of its own tasks (version 2, `memory.pressure`, `io.pressure`).
    #[serde(default)]
    pub pressure: Pressure,
}

impl Cgroup {
    /// Whether it has a limit of its own, on memory or on memory and swap.
    #[must_use]
    pub fn is_limited(&self) -> bool {
        let bounded = |limit: Reading<Limit>| limit.value().and_then(Limit::bytes).is_some();
        bounded(self.limit) || bounded(self.memsw_limit)
    }

    /// Whether its tasks are throttled above some usage (`memory.high`).
    #[must_use]
    pub fn is_throttled_above(&self) -> bool {
        self.high.value().and_then(Limit::bytes).is_some()
    }

    /// Whether its pages can be swapped out. `swappiness` is `vm.swappiness`, which counts if the
    /// cgroup has no value of its own.
    fn swaps(&self, swappiness: Reading<u64>) -> bool {
        self.swappiness.value().or(swappiness.value()).is_none_or(|value| value > 0)
    }

    /// The total by which adj is scaled in an OOM of this cgroup, in pages, at least 1: its limit
    /// plus the swap that it may use (`mm/memcontrol.c` `mem_cgroup_get_max`). Only its own limits
    /// count, not those of its ancestors. `None` without a limit of its own.
    #[must_use]
    pub fn total(&self, swap: Pages, swappiness: Reading<u64>, page: PageSize) -> Option<Pages> {
        if !self.is_limited() {
            return None;
        }
        // LONG_MAX in pages: the value that page counters have for "no limit".
        let all = Pages(i64::MAX as u64 / page.0.max(1));
        let pages = |limit: Reading<Limit>| {
            limit.value().and_then(Limit::bytes).map_or(all, |bytes| bytes.pages(page))
        };
        let limit = pages(self.limit);
        let may_swap = match self.memsw_limit {
            Reading::Value(_) => pages(self.memsw_limit).saturating_sub(limit),
            _ => pages(self.swap_limit),
        };
        let more = if self.swaps(swappiness) { may_swap.min(swap) } else { Pages::ZERO };
        Some((limit + more).max(Pages(1)))
    }

    /// How much it can still allocate until it reaches its limit and reclaim finds nothing: memory
    /// up to the limit, reclaimable cache, and swap that it may use. `None` without a limit, or if
    /// the usage is not known.
    #[must_use]
    pub fn headroom(&self, swap_free: Bytes, swappiness: Reading<u64>) -> Option<Bytes> {
        let cache = self.reclaimable.value().unwrap_or_default();
        let room = |limit: Reading<Limit>, usage: Reading<Bytes>| {
            Some(limit.value()?.bytes()?.saturating_sub(usage.value()?))
        };
        let swap = if !self.swaps(swappiness) {
            Bytes::ZERO
        } else {
            room(self.swap_limit, self.swap_usage).map_or(swap_free, |room| room.min(swap_free))
        };
        let memory = room(self.limit, self.usage).map(|room| room + cache + swap);
        let both = room(self.memsw_limit, self.memsw_usage).map(|room| room + cache);
        [memory, both].into_iter().flatten().min()
    }

    /// Swap in use and its limit: version 1 counts it together with memory.
    #[must_use]
    pub fn swap(&self, hierarchy: Option<Hierarchy>) -> (Reading<Bytes>, Reading<Limit>) {
        if hierarchy != Some(Hierarchy::V1) {
            return (self.swap_usage, self.swap_limit);
        }
        let usage = match (self.memsw_usage, self.usage) {
            (Reading::Value(both), Reading::Value(memory)) => {
                Reading::Value(both.saturating_sub(memory))
            }
            (both, _) => both,
        };
        let limit = self.memsw_limit.map(|both| match (both, self.limit) {
            (Limit::At(both), Reading::Value(Limit::At(memory))) => {
                Limit::At(both.saturating_sub(memory))
            }
            (both, _) => both,
        });
        (usage, limit)
    }

    /// The usage that counts against [`Cgroup::effective_limit`].
    #[must_use]
    pub fn used(&self) -> Reading<Bytes> {
        let both = self.limit.value().and_then(Limit::bytes).is_none()
            && self.memsw_limit.value().and_then(Limit::bytes).is_some();
        if both { self.memsw_usage } else { self.usage }
    }

    /// The limit of memory, or that of memory and swap together if only that is set.
    #[must_use]
    pub fn effective_limit(&self) -> Option<Bytes> {
        let bytes = |limit: Reading<Limit>| limit.value().and_then(Limit::bytes);
        bytes(self.limit).or(bytes(self.memsw_limit))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: u64 = 1 << 20;
    const PAGE: PageSize = PageSize(4096);

    fn at(mib: u64) -> Reading<Limit> {
        Reading::Value(Limit::At(Bytes(mib * MIB)))
    }

    fn holds(mib: u64) -> Reading<Bytes> {
        Reading::Value(Bytes(mib * MIB))
    }

    fn pages(mib: u64) -> Pages {
        Pages(mib * 256)
    }

    #[test]
    fn the_total_of_v2_includes_the_swap_it_may_use() {
        let group =
            Cgroup { limit: at(512), swap_limit: Reading::Value(Limit::Max), ..Cgroup::default() };
        let total = |group: &Cgroup, swap, swappiness| {
            group.total(pages(swap), Reading::Value(swappiness), PAGE)
        };
        assert_eq!(total(&group, 0, 60), Some(pages(512)));
        assert_eq!(total(&group, 100, 60), Some(pages(612)));
        assert_eq!(total(&group, 100, 0), Some(pages(512)), "no swapping without swappiness");
        let tight = Cgroup { swap_limit: at(30), ..group.clone() };
        assert_eq!(total(&tight, 100, 60), Some(pages(542)));
        let none = Cgroup { limit: at(0), ..group };
        assert_eq!(total(&none, 0, 60), Some(Pages(1)), "never nothing");
        assert_eq!(Cgroup::default().total(pages(9), Reading::Missing, PAGE), None);
    }

    #[test]
    fn the_total_of_v1_is_limited_by_memory_and_swap() {
        let group = Cgroup {
            limit: at(512),
            memsw_limit: at(612),
            swappiness: Reading::Value(60),
            ..Cgroup::default()
        };
        let total = |group: &Cgroup, swap| group.total(pages(swap), Reading::Value(0), PAGE);
        assert_eq!(total(&group, 1000), Some(pages(612)), "its own swappiness counts");
        assert_eq!(total(&group, 50), Some(pages(562)));
        let open = Cgroup { memsw_limit: Reading::Value(Limit::Max), ..group };
        assert_eq!(total(&open, 1000), Some(pages(1512)));
    }

    #[test]
    fn headroom_counts_cache_and_swap() {
        let group = Cgroup {
            limit: at(512),
            usage: holds(500),
            reclaimable: holds(100),
            swap_limit: at(50),
            swap_usage: holds(20),
            ..Cgroup::default()
        };
        let swap = |mib| Bytes(mib * MIB);
        assert_eq!(group.headroom(swap(1000), Reading::Value(60)), Some(Bytes(142 * MIB)));
        assert_eq!(group.headroom(swap(1000), Reading::Value(0)), Some(Bytes(112 * MIB)));
        assert_eq!(group.headroom(swap(10), Reading::Value(60)), Some(Bytes(122 * MIB)));
        assert_eq!(Cgroup::default().headroom(swap(10), Reading::Missing), None);
    }
}
