//! The limits that memory use can reach, of the machine and of cgroups: how far each is, and which is
//! reached first. What happens there is in [`at_limit`](crate::forecast::oom_at_limit).

use std::sync::Arc;

use crate::forecast::next_death::{HALF_FULL, SOON};
use crate::model::{Cgroup, Domain, Scene, Scope, Snapshot, Text, TimeToFull, Trend};
use crate::units::{Bytes, Millis};

/// A limit that is reached sooner counts as near, whatever its size.
const NEAR: Millis = Millis(10 * 60 * 1000);

/// A limit that memory use can reach.
#[derive(Clone, Debug, PartialEq)]
pub struct ReachableLimit {
    /// `global`, or the cgroup's path.
    pub name: Arc<Text>,
    /// The limit itself; for the machine, RAM and swap together.
    pub limit: Bytes,
    /// The memory left before a kill: free, reclaimable and swap.
    pub headroom: Bytes,
    /// The time until the headroom is used up, by the trend of the last minutes, or by the last refresh if
    /// there are too few samples. `None` if it does not shrink, or takes more than ten minutes.
    pub hit_in: Option<Millis>,
    /// The forecast with its uncertainty, also where it takes longer.
    pub full: Option<TimeToFull>,
}

impl ReachableLimit {
    /// The headroom as a share of the limit, in per mille. With swap it may exceed 1000.
    #[must_use]
    pub fn left_permille(&self) -> u64 {
        let left = u128::from(self.headroom.0) * 1000 / u128::from(self.limit.0.max(1));
        u64::try_from(left).unwrap_or(u64::MAX)
    }

    /// When nothing is left, where it is worth telling: the trend of the last minutes, or of the last refresh.
    /// Nothing is said of a limit that is less than half used, unless it is nearer than a minute, as in the
    /// headline.
    #[must_use]
    pub fn time_to_tell(&self) -> Option<Millis> {
        let time = self.full.map(|full| full.likely).or(self.hit_in)?;
        let half_full = self.left_permille() <= 1000 - HALF_FULL;
        (half_full || time <= SOON).then_some(time)
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

/// The memory that a cgroup can still take.
fn headroom(group: &Cgroup, sample: &Snapshot) -> Option<Bytes> {
    group.headroom(sample.swap.free_kib.bytes(), sample.sysctls.swappiness)
}

/// The time until `now` is used up, at the rate since `then`. `over` is the time between the two.
fn hit_in(then: Bytes, now: Bytes, over: Millis) -> Option<Millis> {
    let lost = then.0.checked_sub(now.0).filter(|&lost| lost > 0)?;
    let left = u128::from(now.0) * u128::from(over.0) / u128::from(lost);
    let left = Millis(u64::try_from(left).unwrap_or(u64::MAX));
    (over.0 > 0 && left < NEAR).then_some(left)
}

/// The time by the trend of the last minutes; if that is unknown, by the last refresh.
fn soon(trend: Trend, last: impl FnOnce() -> Option<Millis>) -> Option<Millis> {
    match trend {
        Trend::Unknown => last(),
        Trend::Steady => None,
        Trend::Full(arrival) => Some(arrival.likely).filter(|&time| time < NEAR),
    }
}

/// The limit of the machine.
#[must_use]
pub fn of_machine(scene: &Scene) -> ReachableLimit {
    let now = scene.now();
    let left = machine_headroom(now);
    let last = || {
        let then = scene.before()?;
        let over = now.clock.monotonic_ms.saturating_sub(then.clock.monotonic_ms);
        hit_in(machine_headroom(then), left, over)
    };
    let trend = scene.forecast().both;
    ReachableLimit {
        name: Domain::global(now).name,
        limit: (now.memory.total_kib + now.swap.total_kib).bytes(),
        headroom: left,
        hit_in: soon(trend, last),
        full: trend.arrival(),
    }
}

/// The limit of a cgroup, if it has one and its usage is known.
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
    let trend = scene.forecast().of_group(group.path.as_str());
    Some(ReachableLimit {
        name: Arc::clone(&group.path),
        limit,
        headroom: left,
        hit_in: soon(trend, last),
        full: trend.arrival(),
    })
}

/// So many limits with the least share left, the tightest first.
#[must_use]
pub fn tightest(scene: &Scene, most: usize) -> Vec<ReachableLimit> {
    let groups = scene.now().cgroups.limited().filter_map(|group| of_cgroup(group, scene));
    let mut all: Vec<ReachableLimit> = std::iter::once(of_machine(scene)).chain(groups).collect();
    all.sort_by_cached_key(ReachableLimit::left_permille);
    all.truncate(most);
    all
}

/// The limit that is reached first: soonest at the present rate, or else with the smallest share left.
#[must_use]
pub fn nearest(scene: &Scene) -> ReachableLimit {
    let groups = scene.now().cgroups.limited().filter_map(|group| of_cgroup(group, scene));
    let machine = of_machine(scene);
    groups.fold(
        machine,
        |first, limit| {
            if limit.distance() < first.distance() { limit } else { first }
        },
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_of_a_limit_that_is_half_empty_is_told_in_its_last_minute_only() {
        let limit = |used: u64, seconds: u64| ReachableLimit {
            name: Arc::new(Text::new(b"/a")),
            limit: Bytes(1000),
            headroom: Bytes(1000 - used),
            hit_in: Some(Millis(seconds * 1000)),
            full: None,
        };
        for (used, seconds, told) in
            [(500, 61, true), (499, 61, false), (499, 60, true), (110, 72, false), (900, 599, true)]
        {
            let time = limit(used, seconds).time_to_tell();
            assert_eq!(time, told.then_some(Millis(seconds * 1000)), "{used} used, {seconds} s");
        }
        assert_eq!(ReachableLimit { hit_in: None, ..limit(900, 1) }.time_to_tell(), None);
    }
}
