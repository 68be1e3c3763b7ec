//! The processes that die with a victim: the kernel kills whole cgroups that have `memory.oom.group`.

use std::cmp::Ordering;
use std::collections::HashMap;

use crate::model::{
    Cgroup, Domain, DomainKind, Hierarchy, Process, Reading, Scene, Snapshot, is_within, tree_order,
};
use crate::units::Adj;

/// The cgroup where the search for `memory.oom.group` ends.
#[derive(Clone, Copy)]
enum Top<'a> {
    /// The visible root.
    Root,
    /// This cgroup.
    At(&'a str),
}

/// The cgroup to which an OOM in a domain is confined. `None` if the domain no longer exists.
fn top(domain: &Domain) -> Option<Top<'_>> {
    match domain.kind {
        DomainKind::Gone => None,
        // A part of the tree without a limit: the OOM is that of the ancestor with the limit.
        DomainKind::Memcg(_) | DomainKind::Part if !domain.is_machine() => {
            Some(Top::At(domain.limiting_cgroup().as_str()))
        }
        _ => Some(Top::Root),
    }
}

/// Whether the kernel kills a process with its cgroup (`mm/oom_kill.c` `oom_kill_memcg_member`).
fn dies_with_group(process: &Process, scene: &Scene) -> bool {
    process.has_mm
        && process.adj.value() != Some(Adj::MIN)
        && !process.is_kernel_thread()
        && !scene.is_global_init(process)
}

/// The cgroup that dies as a whole when this process is chosen in this domain: the highest from its
/// own up to the domain's with `memory.oom.group` (`mm/memcontrol.c` `mem_cgroup_get_oom_group`). A
/// victim outside the domain dies alone.
#[must_use]
pub fn group_of<'a>(process: &Process, domain: &Domain, now: &'a Snapshot) -> Option<&'a Cgroup> {
    let cgroups = &now.cgroups;
    if cgroups.hierarchy.value() != Some(Hierarchy::V2) {
        return None;
    }
    let own = process.cgroup.as_ref().value()?.as_str();
    let end = match top(domain)? {
        Top::Root => "/",
        Top::At(path) if is_within(own, path) => path,
        Top::At(_) => return None,
    };
    let mut found = None;
    let mut at = Some(own);
    while let Some(path) = at.filter(|path| is_within(path, end)) {
        let group = cgroups.find(path).filter(|it| it.oom_group == Reading::Value(true));
        found = group.or(found);
        at = parent(path);
    }
    found
}

/// The path of the parent.
fn parent(path: &str) -> Option<&str> {
    let path = path.trim_end_matches('/');
    let at = path.rfind('/')?;
    Some(if at == 0 { "/" } else { &path[..at] })
}

/// The cgroup that `memory.oom.group` kills as a whole when this process is chosen in the scene's domain,
/// and all other processes in it that die. Those with adj -1000 and the init of the machine survive.
/// `None` if the process dies alone.
#[must_use]
pub fn group_mates<'a>(
    process: &Process,
    scene: &'a Scene,
) -> Option<(&'a Cgroup, Vec<&'a Process>)> {
    let group = group_of(process, scene.domain(), scene.now())?;
    let within = |other: &Process| match &other.cgroup {
        Reading::Value(path) => is_within(path.as_str(), group.path.as_str()),
        _ => false,
    };
    let others =
        scene.now().processes.iter().filter(|other| {
            other.id != process.id && within(other) && dies_with_group(other, scene)
        });
    Some((group, others.collect()))
}

/// The order of the tree; paths outside the namespace (`/..`) come last.
fn order(a: &str, b: &str) -> Ordering {
    let outside = |path| !is_within(path, "/");
    outside(a).cmp(&outside(b)).then_with(|| tree_order(a, b))
}

/// The paths and positions of all processes whose cgroup is known, in the order of the tree, then of their
/// positions.
fn in_tree_order(processes: &[Process]) -> Vec<(&str, u32)> {
    // There are far fewer cgroups than processes: only the cgroups are sorted.
    let mut places: HashMap<&str, Vec<u32>> = HashMap::new();
    for (process, at) in processes.iter().zip(0..) {
        if let Reading::Value(path) = &process.cgroup {
            places.entry(path.as_str()).or_default().push(at);
        }
    }
    let mut groups: Vec<(&str, Vec<u32>)> = places.into_iter().collect();
    groups.sort_unstable_by(|(a, _), (b, _)| order(a, b).then_with(|| a.cmp(b)));
    groups.into_iter().flat_map(|(path, at)| at.into_iter().map(move |at| (path, at))).collect()
}

/// The processes by cgroup, computed once for all cgroups.
pub struct GroupCensus<'a> {
    /// Paths and positions in the order of the tree, so that a subtree is one range. Paths outside the
    /// namespace come last, because they are in no subtree of its root.
    placed: Vec<(&'a str, u32)>,
    /// The number of processes before each that die with their group.
    dying_before: Vec<u32>,
}

impl<'a> GroupCensus<'a> {
    /// The census of a scene.
    #[must_use]
    pub fn new(scene: &'a Scene) -> Self {
        let processes = &scene.now().processes;
        let placed = in_tree_order(processes);
        let mut sum = 0;
        let mut dying_before = Vec::with_capacity(placed.len() + 1);
        dying_before.push(0);
        dying_before.extend(placed.iter().map(|&(_, at)| {
            sum += u32::from(dies_with_group(&processes[at as usize], scene));
            sum
        }));
        Self { placed, dying_before }
    }

    fn range(&self, path: &str) -> (usize, usize) {
        let from = self.placed.partition_point(|(other, _)| order(other, path).is_lt());
        let count = self.placed[from..].partition_point(|(other, _)| is_within(other, path));
        (from, from + count)
    }

    /// The positions of all processes in a cgroup and its descendants.
    pub fn members(&self, path: &str) -> impl ExactSizeIterator<Item = u32> {
        let (from, to) = self.range(path);
        self.placed[from..to].iter().map(|&(_, at)| at)
    }

    /// The number of processes that die with this one if it is chosen in this domain: the length of
    /// [`group_mates`].
    #[must_use]
    pub fn mates(&self, process: &Process, domain: &Domain, scene: &Scene) -> usize {
        let Some(group) = group_of(process, domain, scene.now()) else { return 0 };
        let (from, to) = self.range(group.path.as_str());
        let all = self.dying_before[to] - self.dying_before[from];
        (all as usize).saturating_sub(usize::from(dies_with_group(process, scene)))
    }
}
