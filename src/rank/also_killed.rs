//! Who falls together: the kernel kills whole cgroups where `memory.oom.group` says so.

use std::cmp::Ordering;

use crate::model::{
    Cgroup, Domain, DomainKind, Hierarchy, Process, Reading, Scene, Snapshot, is_within, tree_order,
};
use crate::units::Adj;

/// The cgroup where the search for `memory.oom.group` ends; nothing where no OOM can be told.
#[derive(Clone, Copy)]
enum Top<'a> {
    /// The highest that can be seen.
    Root,
    /// This one.
    At(&'a str),
}

/// What an OOM that hits a domain is confined to.
fn top(domain: &Domain) -> Option<Top<'_>> {
    match domain.kind {
        DomainKind::Gone => None,
        // A part has no wall: the OOM is that of whoever has one.
        DomainKind::Memcg(_) | DomainKind::Part if !domain.is_machine() => {
            Some(Top::At(domain.limiting_cgroup().as_str()))
        }
        _ => Some(Top::Root),
    }
}

/// Whether the kernel kills it along with its group (`mm/oom_kill.c` `oom_kill_memcg_member`).
fn goes_along(process: &Process, scene: &Scene) -> bool {
    process.has_mm
        && process.adj.value() != Some(Adj::MIN)
        && !process.is_kernel_thread()
        && !scene.is_global_init(process)
}

/// The cgroup that dies as a whole when this process is chosen in this domain: the highest from its
/// own up to the domain's with `memory.oom.group` (`mm/memcontrol.c` `mem_cgroup_get_oom_group`). A
/// victim outside the domain falls alone.
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

/// The path above.
fn parent(path: &str) -> Option<&str> {
    let path = path.trim_end_matches('/');
    let at = path.rfind('/')?;
    Some(if at == 0 { "/" } else { &path[..at] })
}

/// Who dies with a process when it is chosen in the scene's domain, because `memory.oom.group` kills
/// its cgroup as a whole: that cgroup, and everybody else in it and below. Those with adj -1000 and
/// the machine's init stay. `None` where the process falls alone by this rule.
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
    let others = scene
        .now()
        .processes
        .iter()
        .filter(|other| other.id != process.id && within(other) && goes_along(other, scene));
    Some((group, others.collect()))
}

/// The order of the tree, and behind it what lies outside (`/..`).
fn order(a: &str, b: &str) -> Ordering {
    let outside = |path| !is_within(path, "/");
    outside(a).cmp(&outside(b)).then_with(|| tree_order(a, b))
}

/// Who lives in which cgroup, counted once for all of them.
pub struct GroupCensus<'a> {
    /// In the order of the tree, where a subtree stands in one piece; those outside the namespace
    /// stand behind all others, because they are in no subtree of its root.
    placed: Vec<(&'a str, u32)>,
    /// How many before each go along with their group.
    going: Vec<u32>,
}

impl<'a> GroupCensus<'a> {
    /// Of this moment.
    #[must_use]
    pub fn new(scene: &'a Scene) -> Self {
        let processes = &scene.now().processes;
        let mut placed: Vec<(&str, u32)> = processes
            .iter()
            .zip(0..)
            .filter_map(|(process, at)| match &process.cgroup {
                Reading::Value(path) => Some((path.as_str(), at)),
                _ => None,
            })
            .collect();
        placed.sort_by(|(a, _), (b, _)| order(a, b));
        let mut sum = 0;
        let mut going = Vec::with_capacity(placed.len() + 1);
        going.push(0);
        going.extend(placed.iter().map(|&(_, at)| {
            sum += u32::from(goes_along(&processes[at as usize], scene));
            sum
        }));
        Self { placed, going }
    }

    fn range(&self, path: &str) -> (usize, usize) {
        let from = self.placed.partition_point(|(other, _)| order(other, path).is_lt());
        let count = self.placed[from..].partition_point(|(other, _)| is_within(other, path));
        (from, from + count)
    }

    /// The positions of all processes in a cgroup and below.
    pub fn members(&self, path: &str) -> impl ExactSizeIterator<Item = u32> {
        let (from, to) = self.range(path);
        self.placed[from..to].iter().map(|&(_, at)| at)
    }

    /// How many die with a process that is chosen in this domain: [`group_mates`], counted.
    #[must_use]
    pub fn mates(&self, process: &Process, domain: &Domain, scene: &Scene) -> usize {
        let Some(group) = group_of(process, domain, scene.now()) else { return 0 };
        let (from, to) = self.range(group.path.as_str());
        let all = self.going[to] - self.going[from];
        (all as usize).saturating_sub(usize::from(goes_along(process, scene)))
    }
}
