//! The limits that memory use can reach, of the machine and of cgroups: how far each is, and which is
//! reached first. What happens there is in [`at_limit`](crate::forecast::oom_at_limit).

use std::sync::Arc;

use crate::forecast::next_death::Deaths;
use crate::model::{Cgroup, Domain, Scene, Scope, Snapshot, Text};
use crate::units::{Bytes, Millis};

/// A limit that memory use can reach.
#[derive(Clone, Debug, PartialEq)]
pub struct ReachableLimit {
    /// `global`, or the cgroup's path.
    pub name: Arc<Text>,
    /// The limit itself; for the machine, RAM and swap together.
    pub limit: Bytes,
    /// The memory left before a kill: free, reclaimable and swap.
    pub headroom: Bytes,
    /// What of the headroom is swap.
    pub swap: Bytes,
    /// The time until the kernel kills there, as predicted, where the headline would tell it.
    pub hit_in: Option<Millis>,
}

impl ReachableLimit {
    /// The headroom as a share of the limit, in per mille. With swap it may exceed 1000.
    #[must_use]
    pub fn left_permille(&self) -> u64 {
        let left = u128::from(self.headroom.0) * 1000 / u128::from(self.limit.0.max(1));
        u64::try_from(left).unwrap_or(u64::MAX)
    }

    /// What of the headroom is memory.
    #[must_use]
    pub const fn memory(&self) -> Bytes {
        self.headroom.saturating_sub(self.swap)
    }

    /// Whether it is the limit of the machine.
    #[must_use]
    pub fn is_machine(&self) -> bool {
        self.name.as_str() == Scope::GLOBAL
    }

    /// The sort key, the nearest limit first: the time until it is reached, the share left, the headroom.
    #[must_use]
    pub fn distance(&self) -> (u64, u64, u64) {
        (self.hit_in.map_or(u64::MAX, |at| at.0), self.left_permille(), self.headroom.0)
    }

    /// The scope of the processes that can die there.
    #[must_use]
    pub fn scope(&self) -> Scope {
        if self.is_machine() { Scope::Global } else { Scope::Memcg(Arc::clone(&self.name)) }
    }
}

/// Available memory and free swap.
fn machine_headroom(sample: &Snapshot) -> Bytes {
    let free = sample.memory.free_kib + sample.memory.cache_kib;
    let available = sample.memory.available_kib.value().unwrap_or(free);
    (available + sample.swap.free_kib).bytes()
}

/// The memory that a cgroup can still take, and what of it is swap.
fn headroom(group: &Cgroup, sample: &Snapshot) -> Option<(Bytes, Bytes)> {
    let swappiness = sample.sysctls.swappiness;
    let all = group.headroom(sample.swap.free_kib.bytes(), swappiness)?;
    let memory = group.headroom(Bytes::ZERO, swappiness)?;
    Some((all, all.saturating_sub(memory)))
}

/// The limit of the machine.
#[must_use]
pub fn of_machine(scene: &Scene, deaths: &Deaths) -> ReachableLimit {
    let now = scene.now();
    let name = Domain::global(now).name;
    ReachableLimit {
        hit_in: deaths.time_of(name.as_str()),
        name,
        limit: (now.memory.total_kib + now.swap.total_kib).bytes(),
        headroom: machine_headroom(now),
        swap: now.swap.free_kib.bytes(),
    }
}

/// The limit of a cgroup, if it has one and its usage is known.
#[must_use]
pub fn of_cgroup(group: &Cgroup, scene: &Scene, deaths: &Deaths) -> Option<ReachableLimit> {
    let (headroom, swap) = headroom(group, scene.now())?;
    Some(ReachableLimit {
        name: Arc::clone(&group.path),
        limit: group.effective_limit()?,
        headroom,
        swap,
        hit_in: deaths.time_of(group.path.as_str()),
    })
}

/// The limits of the machine and of all cgroups that have one.
pub fn all<'a>(scene: &'a Scene, deaths: &'a Deaths) -> impl Iterator<Item = ReachableLimit> + 'a {
    let groups = scene.now().cgroups.limited();
    let groups = groups.filter_map(|group| of_cgroup(group, scene, deaths));
    std::iter::once(of_machine(scene, deaths)).chain(groups)
}

/// So many limits with the least share left, the tightest first.
#[must_use]
pub fn tightest(scene: &Scene, deaths: &Deaths, most: usize) -> Vec<ReachableLimit> {
    let mut all: Vec<ReachableLimit> = all(scene, deaths).collect();
    all.sort_by_cached_key(ReachableLimit::left_permille);
    all.truncate(most);
    all
}

/// The limit that is reached first: by the predicted time, or else with the smallest share left.
#[must_use]
pub fn nearest(scene: &Scene, deaths: &Deaths) -> ReachableLimit {
    // The machine comes first: it wins where two are alike.
    let first = all(scene, deaths).min_by_key(ReachableLimit::distance);
    first.unwrap_or_else(|| of_machine(scene, deaths))
}
