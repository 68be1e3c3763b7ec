//! Whom an act reaches: the process looked at, or all that belong with it.

use std::collections::{BTreeSet, HashSet};

use crate::model::{ProcId, Process, Reading, Scene, is_within};

/// How far an act reaches.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Targets {
    /// This process.
    #[default]
    This,
    /// The tagged ones.
    Tagged,
    /// All of this name.
    Name,
    /// It and its descendants.
    Subtree,
    /// Its cgroup, and those below.
    Cgroup,
    /// All of its user (real user id).
    User,
}

impl Targets {
    /// All, the nearest first.
    pub const ALL: [Self; 6] =
        [Self::This, Self::Tagged, Self::Name, Self::Subtree, Self::Cgroup, Self::User];

    /// In words, behind a count: `3 processes of this name`.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::This => "this process",
            Self::Tagged => "tagged",
            Self::Name => "of this name",
            Self::Subtree => "in its subtree",
            Self::Cgroup => "in its cgroup",
            Self::User => "of its user",
        }
    }

    /// The processes that are reached, by pid, as they are now. Kernel threads are never among them.
    /// Nobody where the fact that decides cannot be read.
    #[must_use]
    pub fn of<'a>(
        self,
        process: &Process,
        scene: &'a Scene,
        tags: &BTreeSet<ProcId>,
    ) -> Vec<&'a Process> {
        let below = if self == Self::Subtree { subtree(process.id, scene) } else { HashSet::new() };
        let user = |it: &Process| it.ids.value().map(|ids| ids.uid);
        let is_reached = |other: &&Process| match self {
            Self::This => other.id == process.id,
            Self::Tagged => tags.contains(&other.id),
            Self::Name => other.comm == process.comm,
            Self::Subtree => below.contains(&other.id),
            Self::Cgroup => match (&process.cgroup, &other.cgroup) {
                (Reading::Value(top), Reading::Value(path)) => {
                    is_within(path.as_str(), top.as_str())
                }
                _ => false,
            },
            Self::User => user(process).is_some() && user(process) == user(other),
        };
        let all = scene.now().processes.iter().filter(|other| !other.is_kernel_thread());
        all.filter(is_reached).collect()
    }
}

/// A process and all its descendants.
#[must_use]
pub fn subtree(top: ProcId, scene: &Scene) -> HashSet<ProcId> {
    let mut found = HashSet::new();
    let mut waiting = vec![top];
    while let Some(id) = waiting.pop() {
        // A loop in the parents is impossible on a live machine, not in a recording.
        if found.insert(id) {
            waiting.extend(scene.children(id.pid).map(|child| child.id));
        }
    }
    found
}
