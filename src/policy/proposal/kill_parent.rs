//! The standard killer, which kills the parent of children that keep being chosen (Tvrtko A. Ursulin's
//! patch, `CONFIG_OOM_KPPID`, 2003).

use crate::model::{KillSeen, Needs, ProcId, Process, Scene};
use crate::policy::badness::{BadnessUnit, Verdict};
use crate::policy::proposal::RFC_2003;
use crate::policy::{
    Cite, Drift, LINUX_2_6_0, Policy, PolicyAction, PolicyInfo, PolicyKind, PolicyTraits,
    TriggerState,
};
use crate::units::Millis;

/// `CONFIG_OOM_KPPID`: the standard killer, which kills the parent of children that keep being chosen.
#[derive(Debug)]
pub struct KillParent;

/// The one there is.
pub static KILL_PARENT: KillParent = KillParent;

/// The black list of parents: at most [`ParentList::ROOM`] of them.
#[derive(Clone, Debug, Default)]
struct ParentList {
    records: Vec<Record>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Record {
    parent: ProcId,
    last_kill: Millis,
    value: u32,
}

impl ParentList {
    /// Entries.
    const ROOM: usize = 32;
    /// `vm.oom_parent_expire`: a record this old is forgotten.
    const EXPIRE: Millis = Millis(300_000);
    /// `vm.oom_parent_max`: from so many on the parent dies in its child's place.
    const MOST: u32 = 10;

    /// A child of this parent was chosen at this time. Whether the parent dies in its place.
    fn strike(&mut self, parent: ProcId, now: Millis) -> bool {
        self.records.retain(|record| now.saturating_sub(record.last_kill) <= Self::EXPIRE);
        let Some(at) = self.records.iter().position(|record| record.parent == parent) else {
            if self.records.len() < Self::ROOM {
                self.records.push(Record { parent, last_kill: now, value: 0 });
            }
            return false;
        };
        let record = &mut self.records[at];
        if record.value >= Self::MOST {
            self.records.swap_remove(at);
            return true;
        }
        *record = Record { value: record.value + 1, last_kill: now, ..*record };
        false
    }

    /// As it stands after these kills.
    fn after(kills: &[KillSeen]) -> Self {
        let mut list = Self::default();
        for kill in kills {
            if let Some(parent) = kill.parent.filter(|parent| parent.pid != 1) {
                list.strike(parent, kill.at);
            }
        }
        list
    }
}

static INFO: PolicyInfo = PolicyInfo {
    id: "kill-parent",
    title: "kill the parent of fork-happy children",
    about: "The badness of 2.6.0. Each time a child is chosen its parent gets a mark; after eleven within \
         five minutes of each other the parent dies in the next child's place. Marks are kept for 32 parents, \
         never for init, from the kills that doomtop saw itself.",
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
        let dies = ParentList::after(scene.kills()).strike(parent.id, now.clock.monotonic_ms);
        (dies && parent.id.pid != 1)
            .then_some((parent, "its children were chosen too often: the parent dies"))
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
    fn the_eleventh_mark_is_the_parents() {
        let mut list = ParentList::default();
        for strike in 0..=ParentList::MOST {
            assert!(!list.strike(parent(7), Millis(u64::from(strike) * 1000)), "{strike}");
        }
        assert!(list.strike(parent(7), Millis(12_000)));
        assert!(!list.strike(parent(7), Millis(13_000)), "its record is dropped");
    }

    #[test]
    fn marks_are_forgotten_and_few() {
        let mut list = ParentList::default();
        for strike in 0..=ParentList::MOST {
            list.strike(parent(7), Millis(u64::from(strike)));
        }
        let late = Millis(ParentList::EXPIRE.0 + 11);
        assert!(!list.clone().strike(parent(7), late), "expired");
        for pid in 10..60 {
            list.strike(parent(pid), Millis(20));
        }
        assert_eq!(list.records.len(), ParentList::ROOM);
        assert!(list.strike(parent(7), Millis(21)), "the old ones stay");
    }
}
