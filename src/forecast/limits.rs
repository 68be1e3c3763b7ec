//! The walls that memory can hit: the machine's own and that of each limited cgroup; how far each is,
//! which is hit first. Who dies there: `fate`.

use std::sync::Arc;

use crate::model::{Cgroup, Domain, Scene, Scope, Snapshot, Text, TimeToFull, Trend};
use crate::units::{Bytes, Millis};

/// A wall that is nearer in time than that is called near whatever its distance.
const SOON: Millis = Millis(10 * 60 * 1000);

/// One wall.
#[derive(Clone, Debug, PartialEq)]
pub struct ReachableLimit {
    /// `global`, or the cgroup's path.
    pub name: Arc<Text>,
    /// What may be held.
    pub limit: Bytes,
    /// How much more can be taken until somebody dies: free, reclaimable and swap.
    pub headroom: Bytes,
    /// When that is gone at the rate of the last minutes, or where there were too few looks for that
    /// of the last refresh; nothing while it does not shrink, or not within ten minutes.
    pub hit_in: Option<Millis>,
    /// The same with how sure it is, and also where it takes longer.
    pub full: Option<TimeToFull>,
}

impl ReachableLimit {
    /// The share of the limit that can still be taken, in per mille. Swap may make it more than all.
    #[must_use]
    pub fn left_permille(&self) -> u64 {
        let left = u128::from(self.headroom.0) * 1000 / u128::from(self.limit.0.max(1));
        u64::try_from(left).unwrap_or(u64::MAX)
    }

    /// Whether it is the machine's own.
    #[must_use]
    pub fn is_machine(&self) -> bool {
        self.name.as_str() == Scope::GLOBAL
    }

    /// What walls are ordered by, the nearest first: the time until it is hit, the share left, and
    /// the size of that.
    #[must_use]
    pub fn distance(&self) -> (u64, u64, u64) {
        (self.hit_in.map_or(u64::MAX, |at| at.0), self.left_permille(), self.headroom.0)
    }

    /// The scope of those who can die there.
    #[must_use]
    pub fn scope(&self) -> Scope {
        if self.is_machine() { Scope::Global } else { Scope::Memcg(Arc::clone(&self.name)) }
    }
}

/// How much more the machine can take: what is available, and free swap.
fn machine_headroom(sample: &Snapshot) -> Bytes {
    let free = sample.memory.free_kib + sample.memory.cache_kib;
    let available = sample.memory.available_kib.value().unwrap_or(free);
    (available + sample.swap.free_kib).bytes()
}

/// How much more a cgroup can take in a look.
fn headroom(group: &Cgroup, sample: &Snapshot) -> Option<Bytes> {
    group.headroom(sample.swap.free_kib.bytes(), sample.sysctls.swappiness)
}

/// When `now` is gone, if it went on from `then` as it did in this time.
fn hit_in(then: Bytes, now: Bytes, over: Millis) -> Option<Millis> {
    let lost = then.0.checked_sub(now.0).filter(|&lost| lost > 0)?;
    let left = u128::from(now.0) * u128::from(over.0) / u128::from(lost);
    let left = Millis(u64::try_from(left).unwrap_or(u64::MAX));
    (over.0 > 0 && left < SOON).then_some(left)
}

/// The time by the trend of the last minutes; where that is not known, by the last refresh.
fn soon(outlook: Trend, last: impl FnOnce() -> Option<Millis>) -> Option<Millis> {
    match outlook {
        Trend::Unknown => last(),
        Trend::Steady => None,
        Trend::Full(arrival) => Some(arrival.likely).filter(|&time| time < SOON),
    }
}

/// The machine's own wall.
#[must_use]
pub fn of_machine(scene: &Scene) -> ReachableLimit {
    let now = scene.now();
    let left = machine_headroom(now);
    let last = || {
        let then = scene.before()?;
        let over = now.clock.monotonic_ms.saturating_sub(then.clock.monotonic_ms);
        hit_in(machine_headroom(then), left, over)
    };
    let outlook = scene.forecast().both;
    ReachableLimit {
        name: Domain::global(now).name,
        limit: (now.memory.total_kib + now.swap.total_kib).bytes(),
        headroom: left,
        hit_in: soon(outlook, last),
        full: outlook.arrival(),
    }
}

/// The wall of a cgroup, if it has one of its own and its usage is known.
#[must_use]
pub fn of_cgroup(group: &Cgroup, scene: &Scene) -> Option<ReachableLimit> {
    let (now, limit) = (scene.now(), group.effective_limit()?);
    let left = headroom(group, now)?;
    let last = || {
        let then = scene.before()?;
        let over = now.cgroups.read_ms.saturating_sub(then.cgroups.read_ms);
        let before = then.cgroups.find(group.path.as_str())?;
        hit_in(headroom(before, then)?, left, over)
    };
    let outlook = scene.forecast().of_group(group.path.as_str());
    Some(ReachableLimit {
        name: Arc::clone(&group.path),
        limit,
        headroom: left,
        hit_in: soon(outlook, last),
        full: outlook.arrival(),
    })
}

/// The wall that is hit first: the one that is reached soonest at the present rate; where none is
/// approached, the one with the smallest share left.
#[must_use]
pub fn nearest(scene: &Scene) -> ReachableLimit {
    let groups = scene.now().cgroups.limited().filter_map(|group| of_cgroup(group, scene));
    let machine = of_machine(scene);
    groups.fold(
        machine,
        |first, wall| {
            if wall.distance() < first.distance() { wall } else { first }
        },
    )
}
