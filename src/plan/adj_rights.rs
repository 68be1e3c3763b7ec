//! Which adj values the kernel lets this user write, as far as it is known before a write
//! (`fs/proc/base.c` `__set_oom_adj`). No file shows the floor, `oom_score_adj_min`.

use crate::model::{Capability, Privileges, ProcId, Process, Scene};
use crate::policy::likely_sharers;
use crate::units::Adj;

/// Why another user's process cannot be written.
const FOREIGN: &str = "another user's process: needs root (CAP_DAC_OVERRIDE)";

/// The values that may be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WriteRights {
    /// Any value.
    Any {
        /// Whether doomtop runs in a container, whose capabilities the kernel may not accept.
        contained: bool,
    },
    /// No value, and why.
    Nothing(&'static str),
    /// Any value from the floor up: the last value of a privileged writer, inherited at fork.
    Floor {
        /// The floor is not higher than this.
        at_most: Adj,
        /// The floor is higher than this value, which was refused in this session.
        above: Option<Adj>,
    },
}

impl WriteRights {
    /// What this user may write to a process that has `from`; `refused` is the highest value that
    /// was refused in this session.
    #[must_use]
    pub fn of(process: &Process, from: Adj, refused: Option<Adj>, scene: &Scene) -> Self {
        let privileges = &scene.now().privileges;
        if is_foreign(process, privileges) {
            Self::Nothing(FOREIGN)
        } else if privileges.lowers_adj() {
            Self::Any { contained: !scene.machine().initial_pid_namespace }
        } else {
            Self::Floor { at_most: from, above: refused.filter(|&refused| refused < from) }
        }
    }

    /// The rights in words.
    #[must_use]
    pub fn words(self) -> String {
        match self {
            Self::Any { contained: false } => {
                "you may write any value (CAP_SYS_RESOURCE), which sets its floor, too".to_owned()
            }
            Self::Any { contained: true } => {
                "you hold CAP_SYS_RESOURCE; in a container the kernel may not count it".to_owned()
            }
            Self::Nothing(why) => why.to_owned(),
            Self::Floor { at_most, above: None } => format!(
                "you may raise it, and lower it to its floor: what root set last (0 unless it did); \
                 no file tells it, it is {at_most} or less"
            ),
            Self::Floor { at_most, above: Some(above) } => format!(
                "you may raise it, and lower it to its floor: no file tells it; it is above {above}, \
                 which was refused, and {at_most} or less"
            ),
        }
    }

    /// Why this value will or may be refused.
    #[must_use]
    pub fn warning(self, from: Adj, to: Adj) -> Option<&'static str> {
        match self {
            Self::Nothing(why) => Some(why),
            Self::Floor { above: Some(above), .. } if to <= above => {
                Some("as low as that was refused in this session: needs CAP_SYS_RESOURCE")
            }
            Self::Floor { .. } if to < from && to < Adj::ZERO && from >= Adj::ZERO => {
                Some("going below 0 needs CAP_SYS_RESOURCE, which you lack")
            }
            Self::Floor { .. } if to < from => Some(
                "lowering works down to the last value that root set; below it needs CAP_SYS_RESOURCE",
            ),
            _ => None,
        }
    }
}

/// Whether it runs as another user whose files this one may not write.
fn is_foreign(process: &Process, privileges: &Privileges) -> bool {
    let foreign = process.ids.value().is_some_and(|ids| ids.euid != privileges.euid);
    foreign && !privileges.caps.has(Capability::DacOverride)
}

/// The processes that get the value with another one, and those that do not.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AffectedKin {
    /// The processes that seem to share its memory. Since 4.8 the kernel writes the value to them too.
    pub memory_sharers: Vec<String>,
    /// Number of children that keep their value. New ones inherit it.
    pub children: usize,
}

impl AffectedKin {
    /// The kin of a process.
    #[must_use]
    pub fn of(process: &Process, scene: &Scene) -> Self {
        let name = |other: &&Process| format!("{} {}", other.id.pid, other.comm);
        let sharers = likely_sharers(process, scene);
        let copies = copies_to_sharers(scene);
        Self {
            memory_sharers: if copies { sharers.iter().map(name).collect() } else { Vec::new() },
            children: scene
                .children(process.id.pid)
                .count()
                .saturating_sub(sharers_below(process, &sharers, copies)),
        }
    }

    /// A process, and those that get the value with it.
    #[must_use]
    pub fn changed_with(process: &Process, scene: &Scene) -> Vec<ProcId> {
        let copies = copies_to_sharers(scene);
        let sharers = if copies { likely_sharers(process, scene) } else { Vec::new() };
        std::iter::once(process.id).chain(sharers.iter().map(|other| other.id)).collect()
    }

    /// The rights in words.
    #[must_use]
    pub fn words(&self) -> Vec<String> {
        let mut lines = Vec::new();
        match &self.memory_sharers[..] {
            [] => {}
            [one] => {
                lines.push(format!("{one} seems to share its memory, and would get the value too"))
            }
            [one, rest @ ..] => lines.push(format!(
                "{one} and {} more seem to share its memory, and would get the value too",
                rest.len()
            )),
        }
        lines.push(match self.children {
            0 => "children inherit it at fork".to_owned(),
            1 => "children inherit it at fork; the 1 it has keeps its own".to_owned(),
            many => format!("children inherit it at fork; the {many} it has keep their own"),
        });
        lines
    }
}

/// Whether the kernel writes the value to all that share the memory (`fs/proc/base.c` `__set_oom_adj`,
/// since 4.8).
fn copies_to_sharers(scene: &Scene) -> bool {
    scene.machine().kernel_version() >= (4, 8)
}

/// Number of children among the processes that get the value.
fn sharers_below(process: &Process, sharers: &[&Process], copies: bool) -> usize {
    let below = sharers.iter().filter(|other| other.parent == process.id.pid);
    if copies { below.count() } else { 0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_floor_allows_is_said_before_it_is_tried() {
        let floor = WriteRights::Floor { at_most: Adj(300), above: None };
        assert_eq!(floor.warning(Adj(300), Adj(400)), None);
        assert!(floor.warning(Adj(300), Adj(100)).is_some_and(|it| it.contains("root set")));
        assert!(floor.warning(Adj(300), Adj(-1)).is_some_and(|it| it.contains("below 0")));
        let known = WriteRights::Floor { at_most: Adj(300), above: Some(Adj(50)) };
        assert!(known.warning(Adj(300), Adj(50)).is_some_and(|it| it.contains("was refused")));
        assert!(known.words().contains("above +50"), "{}", known.words());
        assert_eq!(WriteRights::Any { contained: false }.warning(Adj(0), Adj(-1000)), None);
    }
}
