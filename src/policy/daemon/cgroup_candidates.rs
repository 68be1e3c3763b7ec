//! Shared by the killers of whole cgroups: a process has the points of the candidate cgroup that contains
//! it, and dies with all processes in it.

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

/// The cgroups, if the hierarchy is version 2.
pub(crate) fn v2(scene: &Scene) -> Option<&Cgroups> {
    let cgroups = &scene.now().cgroups;
    (cgroups.hierarchy.value() == Some(Hierarchy::V2)).then_some(cgroups.as_ref())
}

/// The same cgroup in the sample before.
pub(crate) fn before<'a>(scene: &'a Scene, group: &Cgroup) -> Option<&'a Cgroup> {
    scene.before()?.cgroups.find(group.path.as_str())
}

/// The path of the cgroup of a process.
pub(crate) fn cgroup_of(process: &Process) -> Option<&str> {
    match &process.cgroup {
        Reading::Value(path) => Some(path.as_str()),
        _ => None,
    }
}

/// All other processes in a cgroup and its descendants.
pub(crate) fn members<'a>(path: &str, but: &Process, scene: &'a Scene) -> Vec<&'a Process> {
    let all = scene.now().processes.iter();
    all.filter(|other| other.id != but.id && !other.is_kernel_thread())
        .filter(|other| cgroup_of(other).is_some_and(|cgroup| is_within(cgroup, path)))
        .collect()
}

/// The number of processes in a cgroup and its descendants.
pub(crate) fn member_count(path: &str, scene: &Scene) -> usize {
    let all = scene.now().processes.iter();
    all.filter(|it| cgroup_of(it).is_some_and(|cgroup| is_within(cgroup, path))).count()
}

/// The badness of a candidate, which all its processes share.
type CandidateBadness = Result<Badness, SparedReason>;

/// The results of one policy for one sample.
#[derive(Default)]
struct Cache {
    now: Weak<Snapshot>,
    before: Option<usize>,
    policy: &'static str,
    badness: HashMap<Box<str>, CandidateBadness>,
    sizes: Option<Rc<[u64]>>,
    adj: Option<Rc<HashMap<Box<str>, Adj>>>,
}

thread_local! {
    /// The results of the last call.
    static LAST: RefCell<Cache> = RefCell::default();
}

/// Runs `with` on the cache for this policy and sample.
fn cached<T>(policy: &'static str, scene: &Scene, with: impl FnOnce(&mut Cache) -> T) -> T {
    let now = scene.snapshot();
    let before = scene.before().map(|before| std::ptr::from_ref(before).addr());
    LAST.with_borrow_mut(|last| {
        let same = std::ptr::eq(last.now.as_ptr(), Arc::as_ptr(&now));
        if !same || last.policy != policy || last.before != before {
            let now = Arc::downgrade(&now);
            *last = Cache { now, before, policy, ..Cache::default() };
        }
        with(last)
    })
}

/// The badness of a candidate, computed once for all its processes.
pub(crate) fn badness_once(
    policy: &'static str,
    path: &str,
    scene: &Scene,
    compute: impl FnOnce() -> CandidateBadness,
) -> CandidateBadness {
    cached(policy, scene, |last| last.badness.get(path).copied()).unwrap_or_else(|| {
        let badness = compute();
        cached(policy, scene, |last| last.badness.insert(path.into(), badness));
        badness
    })
}

/// The sizes of all candidates, the largest first, computed once.
pub(crate) fn sizes(
    policy: &'static str,
    scene: &Scene,
    compute: impl FnOnce() -> Vec<u64>,
) -> Rc<[u64]> {
    cached(policy, scene, |last| last.sizes.clone()).unwrap_or_else(|| {
        let mut sizes = compute();
        sizes.sort_unstable_by(|a, b| b.cmp(a));
        let sizes: Rc<[u64]> = sizes.into();
        cached(policy, scene, |last| last.sizes = Some(Rc::clone(&sizes)));
        sizes
    })
}

/// The adj of one process in each cgroup, collected once.
pub(crate) fn adj_by_cgroup(policy: &'static str, scene: &Scene) -> Rc<HashMap<Box<str>, Adj>> {
    cached(policy, scene, |last| {
        let read = || {
            let mut found: HashMap<Box<str>, Adj> = HashMap::new();
            for process in &scene.now().processes {
                if let (Some(cgroup), Reading::Value(adj)) = (cgroup_of(process), process.adj) {
                    found.entry(cgroup.into()).or_insert(adj);
                }
            }
            Rc::new(found)
        };
        Rc::clone(last.adj.get_or_insert_with(read))
    })
}

/// A cgroup and its descendants.
pub(crate) fn subtree<'a>(cgroups: &'a Cgroups, path: &'a str) -> impl Iterator<Item = &'a Cgroup> {
    let from = cgroups
        .list
        .partition_point(|it| tree_order(it.path.as_str(), path) == std::cmp::Ordering::Less);
    cgroups.list[from..].iter().take_while(move |it| is_within(it.path.as_str(), path))
}

/// The process with the highest badness, by a killer that compares badness only.
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

/// Which cgroup would be killed first, in words.
pub(crate) fn first_words(group: &Cgroup, scene: &Scene) -> String {
    let path = group.path.as_str();
    match member_count(path, scene) {
        1 => format!("first: {path} (1 process)"),
        count => format!("first: {path} ({count} processes)"),
    }
}

/// The path and its ancestors, from the root down: `/`, `/a`, `/a/b`.
pub(crate) fn path_from_root(path: &str) -> impl Iterator<Item = &str> {
    let inner = path.match_indices('/').map(|(at, _)| at).filter(move |&at| at > 0);
    let inner = inner.map(move |at| &path[..at]);
    std::iter::once("/").chain(inner).chain((path != "/").then_some(path))
}

/// Whether a cgroup has no children.
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
    fn a_path_is_split_from_the_root_down() {
        let all = |path| path_from_root(path).collect::<Vec<_>>();
        assert_eq!(all("/"), ["/"]);
        assert_eq!(all("/a"), ["/", "/a"]);
        assert_eq!(all("/a/b"), ["/", "/a", "/a/b"]);
        assert_eq!(all("/../b"), ["/", "/..", "/../b"]);
    }
}
