//! The kills in a scope: those that the logs and the counter of the machine tell of, and what the counters of its
//! cgroups tell beyond them.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::counters::CounterSum;
use super::summary::LoadKill;
use crate::forecast::next_death::Deaths;
use crate::kills::{KillFollower, Timeline};
use crate::model::{
    Comm, EventTime, Hierarchy, Killer, OomEvent, Reading, Scene, Snapshot, Text, is_within,
};
use crate::policy::LINUX;
use crate::units::Millis;
use crate::words::answer::answer;

/// Maximum number of kills that are told.
const MAX_KILLS: usize = 4096;
/// Maximum number of processes of the scope that are remembered.
const MAX_MEMBERS: usize = 65_536;

/// Follows the kills of a scope.
#[derive(Default)]
pub(super) struct LoadKills {
    follower: KillFollower,
    /// The processes that were seen in the scope.
    members: BTreeMap<i32, Comm>,
    /// The kills that the cgroups of the scope counted.
    counted: BTreeMap<Arc<Text>, CounterSum>,
    /// The same of the machine.
    counted_by_machine: CounterSum,
    last_ms: i64,
}

impl LoadKills {
    /// Takes a sample.
    pub(super) fn take(&mut self, scene: &Scene) {
        let now = scene.now();
        self.last_ms = now.clock.unix_ms;
        for process in now.processes.iter().filter(|it| scene.domain().contains(it)) {
            if self.members.len() < MAX_MEMBERS {
                self.members.insert(process.id.pid, process.comm);
            }
        }
        self.follower.take(scene, &LINUX, true);
        self.take_counters(scene);
    }

    /// What is predicted at the newest sample.
    pub(super) const fn deaths(&self) -> &Deaths {
        self.follower.deaths()
    }

    /// Whether the victim of an event was in the scope.
    fn is_in_scope(&self, scene: &Scene, event: &OomEvent) -> bool {
        let in_scope = [&event.cgroup, &event.domain];
        let named = in_scope.into_iter().flatten().any(|path| is_inside(scene, path));
        let victim = event.victim.and_then(|it| Some((it.pid?, it.comm)));
        named || victim.is_some_and(|(pid, comm)| self.is_member(scene, pid, comm))
    }

    fn is_member(&self, scene: &Scene, pid: i32, comm: Comm) -> bool {
        scene.domain().is_global() || self.members.get(&pid) == Some(&comm)
    }

    fn take_counters(&mut self, scene: &Scene) {
        let (now, before) = (scene.now(), scene.before());
        if before.is_some_and(|before| !now.continues(before)) {
            self.counted.values_mut().for_each(CounterSum::restart);
            self.counted_by_machine.restart();
        }
        self.counted_by_machine.take(now.traffic.oom_kills.value(), false);
        let scope = scene.domain().name.as_str();
        for group in now.cgroups.list.iter().filter(|it| is_within(it.path.as_str(), scope)) {
            let was_there = |before: &Snapshot| {
                before.cgroups.list.is_empty() || before.cgroups.find(group.path.as_str()).is_some()
            };
            let is_new = before.is_some_and(|before| !was_there(before));
            let sum = self.counted.entry(Arc::clone(&group.path)).or_default();
            sum.take(group.events.oom_kill.value(), is_new);
        }
    }

    /// The number of kills by the kernel that were counted in the scope; `None` where nothing counts them.
    fn counted(&self, is_machine: bool, is_v2: bool) -> Option<u64> {
        if is_machine {
            return self.counted_by_machine.sum();
        }
        let mut sums = self.counted.values().filter_map(|it| it.sum());
        // A counter of version 2 includes the cgroups below; the first path is that of the scope.
        if is_v2 { sums.next() } else { sums.reduce(u64::saturating_add) }
    }

    /// Whether a counter tells of every kill by the kernel in the scope, to the newest sample.
    pub(super) fn are_known(&self, scene: &Scene) -> bool {
        let of_machine = self.counted_by_machine.sum();
        let of_scope = self.counted(scene.domain().is_global(), true);
        of_scope.is_some() && is_there(scene) || of_machine == Some(0)
    }

    /// All kills, the oldest first: those that logs tell of, and what was counted beyond them. `began`: the time of
    /// the first sample, milliseconds since 1970, UTC.
    pub(super) fn all(&self, scene: &Scene, began: i64) -> Vec<LoadKill> {
        let settled;
        let timeline = if self.follower.timeline().waits() {
            settled = self.follower.settled();
            &settled
        } else {
            self.follower.timeline()
        };
        let in_scope = |it: &&OomEvent| it.is_kill() && self.is_in_scope(scene, it);
        let (untold, told): (Vec<&OomEvent>, Vec<&OomEvent>) =
            timeline.all().iter().filter(in_scope).partition(|it| it.by == Killer::Counted);
        let by_kernel = told.iter().filter(|it| it.by.is_kernel()).count();
        let is_v2 = scene.now().cgroups.hierarchy == Reading::Value(Hierarchy::V2);
        let counted = self.counted(scene.domain().is_global(), is_v2);
        let counted = counted
            .map(|counted| usize::try_from(counted).unwrap_or(MAX_KILLS).saturating_sub(by_kernel));
        // A counter that vanished with its cgroup may have told less than there were.
        let missing = match counted {
            Some(counted) if is_there(scene) => counted,
            counted => untold.len().max(counted.unwrap_or(0)),
        };
        let missing = missing.min(MAX_KILLS);
        let mut kills = told;
        kills.extend(untold.into_iter().take(missing));
        let unseen = (by_kernel + missing)
            .saturating_sub(kills.iter().filter(|it| it.by.is_kernel()).count());
        let mut kills: Vec<LoadKill> =
            kills.into_iter().map(|it| load_kill(it, timeline, began)).collect();
        let unknown = OomEvent {
            guessed: true,
            ..OomEvent::new(Killer::Counted, self.last_ms, EventTime::Order)
        };
        kills.extend((0..unseen).map(|_| load_kill(&unknown, timeline, began)));
        kills.sort_by_key(|it| it.event.unix_ms);
        kills
    }
}

fn load_kill(event: &OomEvent, timeline: &Timeline, began: i64) -> LoadKill {
    let report = event.report.and_then(|number| timeline.report(number));
    let why = match (report, &event.said, event.victim) {
        (Some(report), ..) => answer(report),
        (None, Some(said), _) => said.to_string(),
        (None, None, Some(_)) => "the kernel counted an OOM kill; no log tells of it".to_owned(),
        (None, None, None) => {
            "the kernel counted an OOM kill; no log tells of it, and no sample saw the victim"
                .to_owned()
        }
    };
    let after = Millis(u64::try_from(event.unix_ms.saturating_sub(began)).unwrap_or(0));
    LoadKill { event: event.clone(), after, why }
}

/// Whether the scope is in the newest sample.
fn is_there(scene: &Scene) -> bool {
    scene.domain().is_global() || scene.now().cgroups.find(scene.domain().name.as_str()).is_some()
}

/// Whether a path is that of the scope or below it.
fn is_inside(scene: &Scene, path: &Text) -> bool {
    scene.domain().is_global() || is_within(path.as_str(), scene.domain().name.as_str())
}
