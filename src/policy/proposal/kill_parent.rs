//! Linux 2.6.0, but a parent dies whose children are chosen again and again (Tvrtko A. Ursulin's patch,
//! `CONFIG_OOM_KPPID`, 2003).

use crate::model::{KillSeen, Needs, ProcId, Process, Scene};
use crate::policy::badness::{BadnessUnit, Verdict};
use crate::policy::proposal::RFC_2003;
use crate::policy::{
    Cite, Drift, LINUX_2_6_0, Policy, PolicyAction, PolicyInfo, PolicyKind, PolicyTraits,
    TriggerState,
};
use crate::units::Millis;

/// `CONFIG_OOM_KPPID`: kills a parent whose children are chosen again and again.
#[derive(Debug)]
pub struct KillParent;

/// The policy.
pub static KILL_PARENT: KillParent = KillParent;

/// The parents whose children were chosen, at most [`ParentList::CAPACITY`].
#[derive(Clone, Debug, Default)]
struct ParentList {
    records: Vec<Record>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Record {
    parent: ProcId,
    last_kill: Millis,
    marks: u32,
}

impl ParentList {
    /// Maximum number of records.
    const CAPACITY: usize = 32;
    /// `vm.oom_parent_expire`: the age at which a record is dropped.
    const EXPIRE: Millis = Millis(300_000);
    /// `vm.oom_parent_max`: the number of marks from which the parent dies in place of the child.
    const MAX_MARKS: u32 = 10;

    /// Records that a child of this parent was chosen. Returns whether the parent dies in its place.
    fn mark(&mut self, parent: ProcId, now: Millis) -> bool {
        self.records.retain(|record| now.saturating_sub(record.last_kill) <= Self::EXPIRE);
        let Some(at) = self.records.iter().position(|record| record.parent == parent) else {
            if self.records.len() < Self::CAPACITY {
                self.records.push(Record { parent, last_kill: now, marks: 0 });
            }
            return false;
        };
        let record = &mut self.records[at];
        if record.marks >= Self::MAX_MARKS {
            self.records.swap_remove(at);
            return true;
        }
        *record = Record { marks: record.marks + 1, last_kill: now, ..*record };
        false
    }

    /// The list after these kills.
    fn after(kills: &[KillSeen]) -> Self {
        let mut list = Self::default();
        for kill in kills {
            if let Some(parent) = kill.parent.filter(|parent| parent.pid != 1) {
                list.mark(parent, kill.at);
            }
        }
        list
    }
}

static INFO: PolicyInfo = PolicyInfo {
    id: "kill-parent",
    title: "kill the parent whose children are chosen often",
    about: "The badness of 2.6.0. Each time a child is chosen, its parent gets a mark; after eleven marks, each \
            within five minutes of the last, the parent dies in place of the next child. At most 32 parents \
            are recorded, never init. Only kills that doomtop saw count.",
    cites: &[Cite { place: RFC_2003, at: "12 Sep 2003, mm/oom_kill_parent.c" }],
    unit: BadnessUnit::Bare,
    kind: PolicyKind::Proposal,
};

impl Policy for KillParent {
    fn info(&self) -> &PolicyInfo {
        &INFO
    }

    fn needs(&self) -> Needs {
        LINUX_2_6_0.needs()
    }

    fn traits(&self, scene: &Scene) -> PolicyTraits {
        PolicyTraits { tie_break: LINUX_2_6_0.traits(scene).tie_break, ..PolicyTraits::default() }
    }

    fn trigger_state(&self, scene: &Scene) -> TriggerState {
        let kills = scene.kills().len();
        let seen = if kills == 1 { "1 kill".to_owned() } else { format!("{kills} kills") };
        let base = LINUX_2_6_0.trigger_state(scene);
        TriggerState { why: format!("{}; {seen} seen so far", base.why), ..base }
    }

    fn judge(&self, process: &Process, scene: &Scene) -> Verdict {
        LINUX_2_6_0.judge(process, scene)
    }

    fn drift(&self, process: &Process, scene: &Scene) -> Drift {
        LINUX_2_6_0.drift(process, scene)
    }

    fn killed_instead<'a>(
        &self,
        chosen: &Process,
        scene: &'a Scene,
    ) -> Option<(&'a Process, &'static str)> {
        let now = scene.now();
        let parent = now.position(chosen.parent).map(|at| &now.processes[at])?;
        let dies = ParentList::after(scene.kills()).mark(parent.id, now.clock.monotonic_ms);
        (dies && parent.id.pid != 1)
            .then_some((parent, "its children were chosen too often, so the parent dies"))
    }

    fn also_killed<'a>(&self, victim: &Process, scene: &'a Scene) -> Vec<&'a Process> {
        LINUX_2_6_0.also_killed(victim, scene)
    }

    fn action(&self, victim: &Process) -> PolicyAction {
        LINUX_2_6_0.action(victim)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::Ticks;

    fn parent(pid: i32) -> ProcId {
        ProcId { pid, born: Ticks(1) }
    }

    #[test]
    fn the_parent_dies_at_the_eleventh_mark() {
        let mut list = ParentList::default();
        for nth in 0..=ParentList::MAX_MARKS {
            assert!(!list.mark(parent(7), Millis(u64::from(nth) * 1000)), "{nth}");
        }
        assert!(list.mark(parent(7), Millis(12_000)));
        assert!(!list.mark(parent(7), Millis(13_000)), "its record is dropped");
    }

    #[test]
    fn records_expire_and_are_limited() {
        let mut list = ParentList::default();
        for nth in 0..=ParentList::MAX_MARKS {
            list.mark(parent(7), Millis(u64::from(nth)));
        }
        let late = Millis(ParentList::EXPIRE.0 + 11);
        assert!(!list.clone().mark(parent(7), late), "expired");
        for pid in 10..60 {
            list.mark(parent(pid), Millis(20));
        }
        assert_eq!(list.records.len(), ParentList::CAPACITY);
        assert!(list.mark(parent(7), Millis(21)), "the older records stay");
    }
}
