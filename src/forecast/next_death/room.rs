//! How much a domain can still take before the kernel kills: what is free, what reclaim gives back, and
//! the swap that can be used.

use crate::model::{Cgroup, Limit, Snapshot};
use crate::units::{Bytes, Kib};

use super::StallReason;

/// What a domain can still take, at one time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Room {
    /// What can still be allocated.
    pub left: Bytes,
    /// All that could be allocated if the domain were empty.
    pub limit: Bytes,
}

impl Room {
    /// The share in use, in per-mille.
    pub fn used_permille(self) -> u64 {
        let left = u128::from(self.left.0) * 1000 / u128::from(self.limit.0.max(1));
        1000_u64.saturating_sub(u64::try_from(left).unwrap_or(u64::MAX))
    }
}

/// The room of the whole machine: `MemAvailable` and free swap. Up to 3.13 there is no `MemAvailable`; free
/// memory and caches stand for it.
pub fn of_machine(sample: &Snapshot) -> Room {
    let memory = &sample.memory;
    let available = memory.available_kib.value().unwrap_or(memory.free_kib + memory.cache_kib);
    let swap = sample.swap.free_kib.saturating_sub(sample.swap.leaving_kib.unwrap_or(Kib::ZERO));
    Room {
        left: (available + swap).bytes(),
        limit: (memory.total_kib + sample.swap.lasting()).bytes(),
    }
}

/// The room of a cgroup below its own limit, if it has one and its usage is known.
pub fn of_cgroup(group: &Cgroup, sample: &Snapshot) -> Option<Room> {
    let limit = group.effective_limit()?;
    let left = group.headroom(sample.swap.free_kib.bytes(), sample.sysctls.swappiness)?;
    Some(Room { left, limit })
}

/// Why tasks in a cgroup wait instead of dying, if they do.
pub fn stall(group: &Cgroup) -> Option<StallReason> {
    if group.oom_kill_disabled.value() == Some(true) {
        return Some(StallReason::OomKillDisabled);
    }
    let high = group.high.value().and_then(Limit::bytes)?;
    let limit = group.limit.value().and_then(Limit::bytes);
    // What can be reclaimed goes first: a page cache that fills a group up to `memory.high` stalls nobody.
    let usage = group.usage.value()?.saturating_sub(group.reclaimable.value().unwrap_or_default());
    let below_max = limit.is_none_or(|limit| high.0 < limit.0);
    (below_max && usage.0 >= high.0.saturating_sub(high.0 / 64)).then_some(StallReason::Throttled)
}
