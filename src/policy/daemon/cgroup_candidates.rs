//! What the killers of whole cgroups have in common: a process gets the points of the candidate that
//! it lives in, and dies with everybody in it.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;
use std::sync::{Arc, Weak};

use crate::model::{
    Cgroup, Cgroups, Hierarchy, Process, Reading, Scene, Snapshot, is_within, tree_order,
};
use crate::policy::Policy;
use crate::policy::badness::{Badness, SparedReason, Verdict};
use crate::units::Adj;

/// The cgroups, where there are any of version 2.
pub(crate) fn v2(scene: &Scene) -> Option<&Cgroups> {
    let cgroups = &scene.now().cgroups;
    (cgroups.hierarchy.value() == Some(Hierarchy::V2)).then_some(cgroups.as_ref())
}

/// The same cgroup in the look before this one.
pub(crate) fn before<'a>(scene: &'a Scene, group: &Cgroup) -> Option<&'a Cgroup> {
    scene.before()?.cgroups.find(group.path.as_str())
}

/// The path of the cgroup that a process lives in.
pub(crate) fn home(process: &Process) -> Option<&str> {
    match &process.cgroup {
        Reading::Value(path) => Some(path.as_str()),
        _ => None,
    }
}

/// Everybody else in a cgroup and below.
pub(crate) fn inhabitants<'a>(path: &str, but: &Process, scene: &'a Scene) -> Vec<&'a Process> {
    let all = scene.now().processes.iter();
    all.filter(|other| other.id != but.id && !other.is_kernel_thread())
        .filter(|other| home(other).is_some_and(|home| is_within(home, path)))
        .collect()
}

/// How many live in a cgroup and below.
pub(crate) fn count(path: &str, scene: &Scene) -> usize {
    let all = scene.now().processes.iter();
    all.filter(|it| home(it).is_some_and(|home| is_within(home, path))).count()
}

/// What a place comes to: the same for all who live in it.
type Worth = Result<Badness, SparedReason>;

/// What was reckoned of one moment by one policy.
#[derive(Default)]
struct Reckoned {
    now: Weak<Snapshot>,
    before: Option<usize>,
    policy: &'static str,
    worth: HashMap<Box<str>, Worth>,
    sizes: Option<Rc<[u64]>>,
    adj: Option<Rc<HashMap<Box<str>, Adj>>>,
}

thread_local! {
    /// What was reckoned last.
    static LAST: RefCell<Reckoned> = RefCell::default();
}

/// What is known of this moment already.
fn known<T>(policy: &'static str, scene: &Scene, ask: impl FnOnce(&mut Reckoned) -> T) -> T {
    let now = scene.snapshot();
    let before = scene.before().map(|before| std::ptr::from_ref(before).addr());
    LAST.with_borrow_mut(|last| {
        let same = std::ptr::eq(last.now.as_ptr(), Arc::as_ptr(&now));
        if !same || last.policy != policy || last.before != before {
            let now = Arc::downgrade(&now);
            *last = Reckoned { now, before, policy, ..Reckoned::default() };
        }
        ask(last)
    })
}

/// What a place comes to, reckoned once for all who live in it.
pub(crate) fn once(
    policy: &'static str,
    path: &str,
    scene: &Scene,
    reckon: impl FnOnce() -> Worth,
) -> Worth {
    known(policy, scene, |last| last.worth.get(path).copied()).unwrap_or_else(|| {
        let worth = reckon();
        known(policy, scene, |last| last.worth.insert(path.into(), worth));
        worth
    })
}

/// The sizes of all candidates, the largest first, reckoned once.
pub(crate) fn sizes(
    policy: &'static str,
    scene: &Scene,
    reckon: impl FnOnce() -> Vec<u64>,
) -> Rc<[u64]> {
    known(policy, scene, |last| last.sizes.clone()).unwrap_or_else(|| {
        let mut sizes = reckon();
        sizes.sort_unstable_by(|a, b| b.cmp(a));
        let sizes: Rc<[u64]> = sizes.into();
        known(policy, scene, |last| last.sizes = Some(Rc::clone(&sizes)));
        sizes
    })
}

/// The adj of somebody in each cgroup, read once.
pub(crate) fn adj_by_home(policy: &'static str, scene: &Scene) -> Rc<HashMap<Box<str>, Adj>> {
    known(policy, scene, |last| {
        let read = || {
            let mut found: HashMap<Box<str>, Adj> = HashMap::new();
            for process in &scene.now().processes {
                if let (Some(home), Reading::Value(adj)) = (home(process), process.adj) {
                    found.entry(home.into()).or_insert(adj);
                }
            }
            Rc::new(found)
        };
        Rc::clone(last.adj.get_or_insert_with(read))
    })
}

/// A cgroup and all below.
pub(crate) fn subtree<'a>(cgroups: &'a Cgroups, path: &'a str) -> impl Iterator<Item = &'a Cgroup> {
    let from = cgroups
        .list
        .partition_point(|it| tree_order(it.path.as_str(), path) == std::cmp::Ordering::Less);
    cgroups.list[from..].iter().take_while(move |it| is_within(it.path.as_str(), path))
}

/// Whom a killer that knows only sums would choose.
pub(crate) fn leader<'a>(policy: &dyn Policy, scene: &'a Scene) -> Option<&'a Process> {
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
pub(crate) fn falls(group: &Cgroup, scene: &Scene) -> String {
    let path = group.path.as_str();
    match count(path, scene) {
        1 => format!("first would be {path} (1 process)"),
        count => format!("first would be {path} ({count} processes)"),
    }
}

/// The paths from the root down to this one: `/`, `/a`, `/a/b`.
pub(crate) fn downwards(path: &str) -> impl Iterator<Item = &str> {
    let inner = path.match_indices('/').map(|(at, _)| at).filter(move |&at| at > 0);
    let inner = inner.map(move |at| &path[..at]);
    std::iter::once("/").chain(inner).chain((path != "/").then_some(path))
}

/// Whether nothing lies below a cgroup.
pub(crate) fn is_leaf(cgroups: &Cgroups, path: &str) -> bool {
    let at = cgroups
        .list
        .partition_point(|it| tree_order(it.path.as_str(), path) != std::cmp::Ordering::Greater);
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
