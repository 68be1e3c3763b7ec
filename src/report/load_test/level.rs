//! What a scope uses at one time.

use crate::forecast::next_death::{Room, room_of_cgroup, room_of_machine};
use crate::model::{Cgroup, Hierarchy, Snapshot};
use crate::units::Bytes;

/// What a scope uses at one time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct ScopeLevel {
    /// Memory with page cache, without swap.
    pub(super) usage: Bytes,
    /// What of it reclaim can take back.
    pub(super) reclaimable: Option<Bytes>,
    pub(super) swap: Bytes,
    /// The scope's own limit of memory.
    pub(super) limit: Option<Bytes>,
    /// What can still be allocated until a process is killed.
    pub(super) left: Option<Bytes>,
    /// The highest usage since the cgroup was created.
    pub(super) highest: Option<Bytes>,
}

impl ScopeLevel {
    /// Of a cgroup; `None` where its usage is not known.
    pub(super) fn of_cgroup(
        group: &Cgroup,
        hierarchy: Option<Hierarchy>,
        now: &Snapshot,
    ) -> Option<Self> {
        Some(Self {
            usage: group.usage.value()?,
            reclaimable: group.reclaimable.value(),
            swap: group.swap(hierarchy).0.value().unwrap_or_default(),
            limit: group.effective_limit(),
            left: group
                .effective_limit()
                .and_then(|_| room_of_cgroup(group, now))
                .map(|it| it.left),
            highest: group.peak.value(),
        })
    }

    /// Of the whole machine.
    pub(super) fn of_machine(now: &Snapshot) -> Self {
        let memory = &now.memory;
        let available = memory.available_kib.value().unwrap_or(memory.free_kib + memory.cache_kib);
        let Room { left, .. } = room_of_machine(now);
        Self {
            usage: memory.total_kib.saturating_sub(memory.free_kib).bytes(),
            reclaimable: Some(available.saturating_sub(memory.free_kib).bytes()),
            swap: now.swap.used().bytes(),
            limit: Some(memory.total_kib.bytes()),
            left: Some(left),
            highest: None,
        }
    }

    /// What of the memory reclaim cannot take back.
    pub(super) fn unreclaimable(&self) -> Option<Bytes> {
        Some(self.usage.saturating_sub(self.reclaimable?))
    }

    /// The same with what is in swap.
    pub(super) fn needed(&self) -> Option<Bytes> {
        Some(self.unreclaimable()? + self.swap)
    }

    /// Whether 90 % of the limit or more cannot be reclaimed.
    pub(super) fn is_near_limit(&self) -> bool {
        let (Some(held), Some(limit)) = (self.unreclaimable(), self.limit) else { return false };
        u128::from(held.0) * 10 >= u128::from(limit.0) * 9
    }
}
