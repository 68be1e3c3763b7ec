//! The targets of an act: one process, or all that belong with it.

use std::collections::{BTreeSet, HashSet};

use crate::model::{ProcId, Process, Reading, Scene, is_within};

/// The targets of an act, seen from one process.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Targets {
    /// This process.
    #[default]
    This,
    /// The tagged processes.
    Tagged,
    /// All processes of its name.
    Name,
    /// The process and its descendants.
    Subtree,
    /// All processes of its cgroup and below.
    Cgroup,
    /// All processes of its user (real user id).
    User,
}

impl Targets {
    /// All kinds, the narrowest first.
    pub const ALL: [Self; 6] =
        [Self::This, Self::Tagged, Self::Name, Self::Subtree, Self::Cgroup, Self::User];

    /// In words, after a count: `3 processes of this name`.
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

    /// The targets in this sample, by pid, without kernel threads. None where the fact that decides
    /// cannot be read.
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
        // A recording may contain a loop of parents.
        if found.insert(id) {
            waiting.extend(scene.children(id.pid).map(|child| child.id));
        }
    }
    found
}
