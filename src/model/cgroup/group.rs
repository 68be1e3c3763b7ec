//! One memory cgroup: its limits and its usage.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::model::cgroup::limit::Limit;
use crate::model::{Pressure, Reading, Text};
use crate::units::{Bytes, PageSize, Pages};

/// What happened in a cgroup since it was made, with everything below it (`memory.events`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CgroupEvents {
    /// Reclaimed although below `memory.low`.
    #[serde(default, skip_serializing_if = "Reading::is_not_asked")]
    pub low: Reading<u64>,
    /// Throttled over `memory.high`.
    #[serde(default, skip_serializing_if = "Reading::is_not_asked")]
    pub high: Reading<u64>,
    /// Charges that hit the limit (version 1: `memory.failcnt`).
    #[serde(default, skip_serializing_if = "Reading::is_not_asked")]
    pub max: Reading<u64>,
    /// OOM entered, even if nobody was killed.
    #[serde(default, skip_serializing_if = "Reading::is_not_asked")]
    pub oom: Reading<u64>,
    /// Processes killed.
    #[serde(default, skip_serializing_if = "Reading::is_not_asked")]
    pub oom_kill: Reading<u64>,
    /// Whole groups killed (5.17 and later).
    #[serde(default, skip_serializing_if = "Reading::is_not_asked")]
    pub oom_group_kill: Reading<u64>,
}

/// What a cgroup and everything below did on one device since it was made (version 2, `io.stat`).
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

/// How a cgroup is marked for the killers that choose among cgroups: its extended attributes
/// (`user.oomd_avoid` and the like), and who set them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct OomdXattrs {
    /// To be chosen after all others.
    pub avoid: bool,
    /// Never to be chosen; systemd-oomd alone knows it.
    pub omit: bool,
    /// To be chosen before all others; oomd alone knows it.
    pub prefer: bool,
    /// The user who owns the cgroup.
    pub owner: u32,
}

/// One memory cgroup.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Cgroup {
    /// Its path, as `/proc/PID/cgroup` prints it to doomtop.
    pub path: Arc<Text>,
    /// What is charged to it and everything below (`memory.current`, `memory.usage_in_bytes`).
    #[serde(rename = "usage_bytes")]
    pub usage: Reading<Bytes>,
    /// The wall (`memory.max`, `memory.limit_in_bytes`). Missing on the root of version 2.
    #[serde(rename = "limit_bytes")]
    pub limit: Reading<Limit>,
    /// Where throttling begins (`memory.high`); nothing is ever killed for it.
    #[serde(rename = "high_bytes", default, skip_serializing_if = "Reading::is_not_asked")]
    pub high: Reading<Limit>,
    /// Swap charged to it (version 2, `memory.swap.current`).
    #[serde(rename = "swap_usage_bytes", default, skip_serializing_if = "Reading::is_not_asked")]
    pub swap_usage: Reading<Bytes>,
    /// How much swap it may use (version 2, `memory.swap.max`).
    #[serde(rename = "swap_limit_bytes", default, skip_serializing_if = "Reading::is_not_asked")]
    pub swap_limit: Reading<Limit>,
    /// Memory and swap together (version 1, `memory.memsw.usage_in_bytes`).
    #[serde(rename = "memsw_usage_bytes", default, skip_serializing_if = "Reading::is_not_asked")]
    pub memsw_usage: Reading<Bytes>,
    /// The wall of both together (version 1, `memory.memsw.limit_in_bytes`).
    #[serde(rename = "memsw_limit_bytes", default, skip_serializing_if = "Reading::is_not_asked")]
    pub memsw_limit: Reading<Limit>,
    /// File cache and slab that reclaim can take back before anybody is killed (`memory.stat`).
    #[serde(rename = "reclaimable_bytes", default, skip_serializing_if = "Reading::is_not_asked")]
    pub reclaimable: Reading<Bytes>,
    /// File cache that nobody used lately, with everything below (`memory.stat` `inactive_file`).
    #[serde(
        rename = "inactive_file_bytes",
        default,
        skip_serializing_if = "Reading::is_not_asked"
    )]
    pub inactive_file: Reading<Bytes>,
    /// Pages that reclaim looked at since it was made, with everything below (version 2,
    /// `memory.stat` `pgscan`).
    #[serde(rename = "pgscan_pages", default, skip_serializing_if = "Reading::is_not_asked")]
    pub pgscan: Reading<u64>,
    /// What it did on each device (version 2); read where a killer weighs it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub io: Vec<IoStat>,
    /// How it is marked (version 2), where it is marked at all.
    #[serde(default, rename = "marks", skip_serializing_if = "Option::is_none")]
    pub xattrs: Option<OomdXattrs>,
    /// Its own swappiness (version 1).
    #[serde(default, skip_serializing_if = "Reading::is_not_asked")]
    pub swappiness: Reading<u64>,
    /// `memory.oom.group`: whoever is chosen here takes everybody along.
    #[serde(default, skip_serializing_if = "Reading::is_not_asked")]
    pub oom_group: Reading<bool>,
    /// `oom_kill_disable` (version 1): at the wall tasks wait, and nobody is killed.
    #[serde(default, skip_serializing_if = "Reading::is_not_asked")]
    pub oom_kill_disabled: Reading<bool>,
    /// `under_oom` (version 1): it stands at its wall right now.
    #[serde(default, skip_serializing_if = "Reading::is_not_asked")]
    pub under_oom: Reading<bool>,
    /// What happened.
    #[serde(default)]
    pub events: CgroupEvents,
    /// Stall times of its own tasks (version 2, `memory.pressure`).
    #[serde(default)]
    pub pressure: Pressure,
}

impl Cgroup {
    /// Whether a wall of its own can be hit.
    #[must_use]
    pub fn is_limited(&self) -> bool {
        let bounded = |limit: Reading<Limit>| limit.value().and_then(Limit::bytes).is_some();
        bounded(self.limit) || bounded(self.memsw_limit)
    }

    /// Whether its pages can go to swap: `swappiness` is the machine's `vm.swappiness`, which counts
    /// where the cgroup has none of its own.
    fn swaps(&self, swappiness: Reading<u64>) -> bool {
        self.swappiness.value().or(swappiness.value()).is_none_or(|value| value > 0)
    }

    /// What adj is weighed by in an OOM of this cgroup: its limit, and as much swap as it may use
    /// (`mm/memcontrol.c` `mem_cgroup_get_max`). Only its own limits count, not its ancestors'. At
    /// least one page. `None` without a limit of its own.
    #[must_use]
    pub fn total(&self, swap: Pages, swappiness: Reading<u64>, page: PageSize) -> Option<Pages> {
        if !self.is_limited() {
            return None;
        }
        // The page counters' own "no limit": LONG_MAX in pages.
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

    /// How much more it can take until its wall is hit and reclaim finds nothing: room under the
    /// limit, cache that can be taken back, and swap that it may still use. `None` without a wall, or
    /// where its usage is not known.
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

    /// What counts against [`Cgroup::effective_limit`].
    #[must_use]
    pub fn used(&self) -> Reading<Bytes> {
        let both = self.limit.value().and_then(Limit::bytes).is_none()
            && self.memsw_limit.value().and_then(Limit::bytes).is_some();
        if both { self.memsw_usage } else { self.usage }
    }

    /// The lowest of its walls: what it may hold of memory alone, or of memory and swap together where
    /// only that is limited.
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
    fn v2_adds_the_swap_that_it_may_use() {
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
    fn v1_goes_by_the_limit_of_both() {
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
