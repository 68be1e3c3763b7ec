//! The limits that the newcomer meets, and how much room each has.

use std::sync::Arc;

use crate::forecast::cascade::{Newcomer, RoomKind, RoomLevel};
use crate::forecast::next_death::{
    Room, StallReason, is_by_amounts, is_userspace, left_until, room_of_machine,
};
use crate::model::{Cgroup, Limit, Process, Reading, Scene, Scope, Snapshot, Text, is_within};
use crate::policy::{Policy, killers};
use crate::rank::freed::FreedMemory;
use crate::units::{Bytes, Millis};

/// What a process holds that is on its way out counts as free for this long: then it may be stuck.
const EXITING: Millis = Millis(5_000);

/// A limit on the way of the newcomer.
pub(super) struct Level {
    /// As it is at first.
    pub(super) shown: RoomLevel,
    /// What is left now.
    pub(super) left: Bytes,
    /// It never has more room than this.
    most: Bytes,
    /// The userspace killer that acts when it is used up.
    pub(super) killer: Option<&'static dyn Policy>,
}

impl Level {
    fn new(kind: RoomKind, name: &Arc<Text>, room: Room, more: Bytes) -> Self {
        let Room { left, limit } = room;
        let shown = RoomLevel { kind, name: Arc::clone(name), limit, left, stalled: None };
        Self { shown, left, most: limit + more, killer: None }
    }

    /// Whether it is that of a cgroup.
    pub(super) const fn is_cgroup(&self) -> bool {
        matches!(self.shown.kind, RoomKind::Limit | RoomKind::High)
    }

    /// The scope in which its killer chooses.
    pub(super) fn scope(&self) -> Scope {
        if self.is_cgroup() { Scope::Memcg(Arc::clone(&self.shown.name)) } else { Scope::Global }
    }

    /// Whether memory of a process in this cgroup counts here.
    pub(super) fn holds(&self, cgroup: &Reading<Arc<Text>>) -> bool {
        if !self.is_cgroup() {
            return true;
        }
        let path = cgroup.as_ref().value();
        path.is_some_and(|path| is_within(path.as_str(), self.shown.name.as_str()))
    }

    /// What counts here of what a death frees. A page in swap takes nothing of a cgroup's memory but its swap;
    /// of the machine, where it is compressed, the RAM that it takes there.
    pub(super) fn share(&self, freed: &FreedMemory) -> Bytes {
        if self.is_cgroup() { freed.anonymous + freed.swap } else { freed.room() }
    }

    /// Gives room back.
    pub(super) fn give(&mut self, bytes: Bytes) {
        self.left = (self.left + bytes).min(self.most.max(self.left));
    }
}

/// The limits on the way of the newcomer.
#[derive(Default)]
pub(super) struct Levels {
    pub(super) all: Vec<Level>,
    /// Killers that act by pressure.
    pub(super) by_pressure: Vec<&'static str>,
    /// Cgroups that could not be read.
    pub(super) unread: Vec<Arc<Text>>,
    /// A cgroup on the way that is frozen.
    pub(super) frozen: Option<Arc<Text>>,
}

impl Levels {
    /// Those of this scene, the tightest first.
    pub(super) fn of(scene: &Scene, newcomer: &Newcomer) -> Self {
        let mut found = Self::default();
        let now = scene.now();
        if let Some(path) = &newcomer.cgroup {
            for group in now.cgroups.upwards(path.as_str()) {
                found.add_cgroup(group, now);
            }
        }
        let global = Arc::new(Text::new(Scope::GLOBAL.as_bytes()));
        let machine = room_of_machine(now);
        found.all.push(Level::new(RoomKind::Machine, &global, machine, Bytes::ZERO));
        found.add_killers(scene, &global, machine.limit);
        found.add_leaving(scene);
        // Among equals the innermost comes first: it is charged first.
        found.all.sort_by_key(|level| level.left);
        found
    }

    fn add_cgroup(&mut self, group: &Cgroup, now: &Snapshot) {
        if group.frozen.value() == Some(true) && self.frozen.is_none() {
            self.frozen = Some(Arc::clone(&group.path));
        }
        let swap = now.swap.free_kib.bytes();
        let room = |group: &Cgroup| group.headroom(swap, now.sysctls.swappiness);
        let all_swap = now.swap.total_kib.bytes();
        let limit = group.effective_limit();
        if let Some(limit) = limit {
            let Some(left) = room(group) else { return self.unread.push(Arc::clone(&group.path)) };
            let room = Room { left, limit };
            let mut level = Level::new(RoomKind::Limit, &group.path, room, all_swap);
            let waits = group.oom_kill_disabled.value() == Some(true);
            level.shown.stalled = waits.then_some(StallReason::OomKillDisabled);
            self.all.push(level);
        } else if group.limit == Reading::Denied {
            self.unread.push(Arc::clone(&group.path));
        }
        let high = group.high.value().and_then(Limit::bytes);
        let Some(high) = high.filter(|high| limit.is_none_or(|limit| *high < limit)) else {
            return;
        };
        let until_high =
            Cgroup { limit: group.high, memsw_limit: Reading::NotAsked, ..group.clone() };
        let Some(left) = room(&until_high) else { return };
        let mut level =
            Level::new(RoomKind::High, &group.path, Room { left, limit: high }, all_swap);
        level.shown.stalled = Some(StallReason::Throttled);
        self.all.push(level);
    }

    /// The userspace killers that run here: of each the rule that acts first.
    fn add_killers(&mut self, scene: &Scene, global: &Arc<Text>, limit: Bytes) {
        for policy in killers().filter(|it| is_userspace(*it) && it.acts_here(scene)) {
            let rules = policy.trigger_rules(scene);
            let amounts = rules.iter().filter(|rule| is_by_amounts(rule)).filter_map(left_until);
            match amounts.min() {
                Some(left) => {
                    let room = Room { left, limit };
                    let kind = RoomKind::Killer(policy.id());
                    let level = Level::new(kind, global, room, Bytes::ZERO);
                    self.all.push(Level { killer: Some(policy), ..level });
                }
                None if rules.is_empty() => {}
                None => self.by_pressure.push(policy.id()),
            }
        }
    }

    /// What processes on their way out still hold is as good as free.
    fn add_leaving(&mut self, scene: &Scene) {
        for process in leaving(scene) {
            let Reading::Value(freed) = FreedMemory::of(process, scene) else { continue };
            for level in &mut self.all {
                if level.holds(&process.cgroup) {
                    let share = level.share(&freed);
                    level.give(share);
                }
            }
        }
        for level in &mut self.all {
            level.shown.left = level.left;
        }
    }

    /// The position of the one with the least room.
    pub(super) fn tightest(&self) -> Option<usize> {
        (0..self.all.len()).min_by_key(|&at| self.all[at].left)
    }

    /// Takes so much of all of them.
    pub(super) fn take(&mut self, bytes: Bytes) {
        for level in &mut self.all {
            level.left = level.left.saturating_sub(bytes);
        }
    }
}

/// The processes that have been on their way out for a moment.
pub(super) fn leaving(scene: &Scene) -> impl Iterator<Item = &Process> {
    let lately = |process: &&Process| {
        let dying = process.dying && process.has_mm;
        dying && scene.dying_for(process.id).is_some_and(|long| long <= EXITING)
    };
    scene.now().processes.iter().filter(lately)
}
