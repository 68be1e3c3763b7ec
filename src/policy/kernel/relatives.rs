//! Processes related to a victim: those that probably share its memory, its process group, and the child
//! that some kernels kill in its place.

use crate::model::{Process, Scene};
use crate::policy::{Policy, Verdict};

/// Processes that probably share the victim's memory: its parent or children with exactly the same sizes.
/// The kernel kills all processes that share the memory; without extra privileges only the sizes show
/// them. (Siblings with equal sizes are nearly always forked copies with memory of their own.)
#[must_use]
pub fn likely_sharers<'a>(victim: &Process, scene: &'a Scene) -> Vec<&'a Process> {
    scene
        .now()
        .processes
        .iter()
        .filter(|other| other.parent == victim.id.pid || victim.parent == other.id.pid)
        .filter(|other| seem_to_share(victim, other))
        .collect()
}

/// The other processes of the victim's process group; none if the group is unknown.
pub fn process_group<'a>(victim: &Process, scene: &'a Scene) -> Vec<&'a Process> {
    let all = scene.now().processes.iter();
    all.filter(|other| victim.group != 0 && other.group == victim.group)
        .filter(|other| other.id != victim.id && !other.is_kernel_thread())
        .collect()
}

/// Whether two processes probably share one address space.
fn seem_to_share(one: &Process, other: &Process) -> bool {
    let sizes = |process: &Process| {
        (process.vsize, process.rss_stat, process.rss_exact, process.pgtables, process.swap)
    };
    one.has_mm && other.has_mm && sizes(one) == sizes(other)
}

/// The children that have memory of their own, the oldest first, as in the kernel's list of children.
pub fn children_apart<'a>(parent: &Process, scene: &'a Scene) -> impl Iterator<Item = &'a Process> {
    let mut children: Vec<&Process> = scene
        .children(parent.id.pid)
        .filter(|child| child.has_mm && !seem_to_share(parent, child))
        .collect();
    children.sort_unstable_by_key(|child| (child.id.born, child.id.pid));
    children.into_iter()
}

/// The child with the highest points by the same rule, the oldest among equals. Children that share the
/// memory or cannot be chosen do not count (`mm/oom_kill.c` `oom_kill_process`, 2.6.36 to 5.0).
pub fn worst_child<'a>(
    policy: &dyn Policy,
    chosen: &Process,
    scene: &'a Scene,
) -> Option<&'a Process> {
    let mut worst: Option<(&Process, i64)> = None;
    for child in children_apart(chosen, scene) {
        let Verdict::Scored(badness) = policy.judge(child, scene) else { continue };
        let inside = scene.domain().contains(child);
        let points = badness.points.0;
        if inside && points > worst.map_or(0, |(_, most)| most) {
            worst = Some((child, points));
        }
    }
    worst.map(|(child, _)| child)
}
