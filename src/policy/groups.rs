//! What the killers of whole cgroups have in common: a process gets the points of the candidate that
//! it lives in, and dies with everybody in it.

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::Weak;

use super::Policy;
use super::badness::{Badness, Reason, Verdict};
use crate::model::{Cgroup, Cgroups, Hierarchy, Process, Reading, Scene, Snapshot, is_within};

/// The cgroups, where there are any of version 2.
pub(super) fn v2(scene: &Scene) -> Option<&Cgroups> {
    let cgroups = &scene.now().cgroups;
    (cgroups.hierarchy.value() == Some(Hierarchy::V2)).then_some(cgroups.as_ref())
}

/// The same cgroup in the look before this one.
pub(super) fn before<'a>(scene: &'a Scene, group: &Cgroup) -> Option<&'a Cgroup> {
    scene.before()?.cgroups.find(group.path.as_str())
}

/// The path of the cgroup that a process lives in.
pub(super) fn home(process: &Process) -> Option<&str> {
    match &process.cgroup {
        Reading::Value(path) => Some(path.as_str()),
        _ => None,
    }
}

/// Everybody else in a cgroup and below.
pub(super) fn inhabitants<'a>(path: &str, but: &Process, scene: &'a Scene) -> Vec<&'a Process> {
    let all = scene.now().processes.iter();
    all.filter(|other| other.id != but.id && !other.is_kernel_thread())
        .filter(|other| home(other).is_some_and(|home| is_within(home, path)))
        .collect()
}

/// How many live in a cgroup and below.
pub(super) fn count(path: &str, scene: &Scene) -> usize {
    let all = scene.now().processes.iter();
    all.filter(|it| home(it).is_some_and(|home| is_within(home, path))).count()
}

/// What a cgroup comes to.
type Worth = Result<Badness, Reason>;

/// The worth of the cgroups of one moment by one policy.
#[derive(Default)]
struct Reckoned {
    now: Weak<Snapshot>,
    before: Option<usize>,
    policy: &'static str,
    worth: HashMap<Box<str>, Worth>,
}

thread_local! {
    /// What was reckoned last: a cgroup comes to the same for all who live in it.
    static LAST: RefCell<Reckoned> = RefCell::default();
}

/// What a cgroup comes to, reckoned once for all who live in it.
pub(super) fn once(
    policy: &'static str,
    path: &str,
    scene: &Scene,
    reckon: impl FnOnce() -> Worth,
) -> Worth {
    let now = scene.snapshot();
    let before = scene.before().map(|before| std::ptr::from_ref(before).addr());
    let known = LAST.with_borrow_mut(|last| {
        let same = std::ptr::eq(last.now.as_ptr(), std::sync::Arc::as_ptr(&now));
        if !same || last.policy != policy || last.before != before {
            let now = std::sync::Arc::downgrade(&now);
            *last = Reckoned { now, before, policy, worth: HashMap::new() };
        }
        last.worth.get(path).copied()
    });
    known.unwrap_or_else(|| {
        let worth = reckon();
        LAST.with_borrow_mut(|last| last.worth.insert(path.into(), worth));
        worth
    })
}

/// Whom a killer that knows only sums would choose.
pub(super) fn leader<'a>(policy: &dyn Policy, scene: &'a Scene) -> Option<&'a Process> {
    let key = |it: &Badness| (it.class, it.points, it.second);
    let mut best: Option<(&Process, Badness)> = None;
    for process in &scene.now().processes {
        let Verdict::Scored(badness) = policy.judge(process, scene) else { continue };
        if best.as_ref().is_none_or(|(_, old)| key(&badness) > key(old)) {
            best = Some((process, badness));
        }
    }
    best.map(|(process, _)| process)
}

/// Which cgroup would fall, in words.
pub(super) fn falls(group: &Cgroup, scene: &Scene) -> String {
    let path = group.path.as_str();
    match count(path, scene) {
        1 => format!("first would be {path} (1 process)"),
        count => format!("first would be {path} ({count} processes)"),
    }
}

/// The paths from the root down to this one: `/`, `/a`, `/a/b`.
pub(super) fn downwards(path: &str) -> impl Iterator<Item = &str> {
    let inner = path.match_indices('/').map(|(at, _)| at).filter(move |&at| at > 0);
    let inner = inner.map(move |at| &path[..at]);
    std::iter::once("/").chain(inner).chain((path != "/").then_some(path))
}

/// Whether nothing lies below a cgroup.
pub(super) fn is_leaf(cgroups: &Cgroups, path: &str) -> bool {
    let at = cgroups.list.partition_point(|it| {
        crate::model::tree_order(it.path.as_str(), path) != std::cmp::Ordering::Greater
    });
    cgroups.list.get(at).is_none_or(|next| !is_within(next.path.as_str(), path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_walked_from_the_root_down() {
        let all = |path| downwards(path).collect::<Vec<_>>();
        assert_eq!(all("/"), ["/"]);
        assert_eq!(all("/a"), ["/", "/a"]);
        assert_eq!(all("/a/b"), ["/", "/a", "/a/b"]);
        assert_eq!(all("/../b"), ["/", "/..", "/../b"]);
    }
}
