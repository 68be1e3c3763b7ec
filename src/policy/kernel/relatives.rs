//! Who hangs together with a victim: those who seem to share its memory, and the child that some
//! kernels kill in its place.

use crate::model::{Process, Scene};
use crate::policy::{Policy, Verdict};

/// Processes that seem to live in the victim's memory: its parent or children with sizes equal to
/// the page. The kernel kills all who share the memory; only the sizes tell without extra rights.
/// (Siblings with equal sizes are nearly always forked twins with memory of their own.)
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

/// Everybody else in a process group, as far as it is known.
pub fn process_group<'a>(victim: &Process, scene: &'a Scene) -> Vec<&'a Process> {
    let all = scene.now().processes.iter();
    all.filter(|other| victim.group != 0 && other.group == victim.group)
        .filter(|other| other.id != victim.id && !other.is_kernel_thread())
        .collect()
}

/// Whether two processes seem to be one address space.
fn seem_to_share(one: &Process, other: &Process) -> bool {
    let sizes = |process: &Process| {
        (process.vsize, process.rss_stat, process.rss_exact, process.pgtables, process.swap)
    };
    one.has_mm && other.has_mm && sizes(one) == sizes(other)
}

/// The children of a process with memory of their own, the oldest first: the order of the kernel's
/// list of children.
pub fn children_apart<'a>(parent: &Process, scene: &'a Scene) -> impl Iterator<Item = &'a Process> {
    let mut brood: Vec<&Process> = scene
        .children(parent.id.pid)
        .filter(|child| child.has_mm && !seem_to_share(parent, child))
        .collect();
    brood.sort_unstable_by_key(|child| (child.id.born, child.id.pid));
    brood.into_iter()
}

/// The child with memory of its own that has most points by the same rule, the oldest of equals; one
/// that would be spared is left alone (`mm/oom_kill.c` `oom_kill_process`, 2.6.36 to 5.0).
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
