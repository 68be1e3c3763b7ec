//! Who falls together: `memory.oom.group`.

use std::sync::Arc;

use doomtop::model::{Hierarchy, Reading, Scene, Scope, Snapshot, Text, is_within};
use doomtop::rank::also_killed::{GroupCensus, group_mates};
use doomtop::units::Adj;
use proptest::prelude::*;

use crate::domains::{placed, snapshot};

/// Who goes with `pid` in this scope, and why.
fn with(now: &Snapshot, scope: &str, pid: i32) -> Option<(String, Vec<i32>)> {
    let scope = Scope::parse(scope).expect("a scope");
    let scene = Scene::scoped(Arc::new(now.clone()), None, scope);
    let process = &scene.now().processes[scene.now().position(pid).expect("it is there")];
    let (group, mates) = group_mates(process, &scene)?;
    let census = GroupCensus::new(&scene);
    assert_eq!(census.mates(process, scene.domain(), &scene), mates.len());
    Some((group.path.to_string(), mates.iter().map(|mate| mate.id.pid).collect()))
}

fn grouped(paths: &[&str]) -> Snapshot {
    let mut now = snapshot();
    for group in &mut Arc::make_mut(&mut now.cgroups).list {
        group.oom_group = Reading::Value(paths.contains(&group.path.as_str()));
    }
    now
}

fn found(path: &str, mates: &[i32]) -> Option<(String, Vec<i32>)> {
    Some((path.to_owned(), mates.to_vec()))
}

#[test]
fn the_highest_group_up_to_the_domain_falls() {
    let both = grouped(&["/pod", "/pod/a"]);
    assert_eq!(with(&both, "global", 30), found("/pod", &[20, 40]));
    assert_eq!(with(&both, "/pod", 30), found("/pod", &[20, 40]));
    assert_eq!(with(&both, "/pod/a", 30), found("/pod/a", &[40]), "never beyond the domain");
    assert_eq!(with(&both, "global", 10), None, "its own cgroup has none");
    assert_eq!(with(&both, "global", 50), None, "/pod-2 is not /pod");
    let above = grouped(&["/pod"]);
    assert_eq!(with(&above, "/pod/a", 30), None);
    // A part has no wall of its own: the OOM is that of the next above.
    assert_eq!(with(&above, "/pod/b", 20), found("/pod", &[30, 40]));
    let root = grouped(&["/"]);
    assert_eq!(with(&root, "/web", 10), found("/", &[20, 30, 40, 50]));
}

#[test]
fn a_victim_outside_the_domain_falls_alone() {
    let now = grouped(&["/web", "/pod"]);
    assert_eq!(with(&now, "/pod", 10), None);
    assert_eq!(with(&now, "/nothing", 10), None, "nothing is told of what is gone");
}

#[test]
fn some_stay_whatever_the_group() {
    let mut now = grouped(&["/pod"]);
    now.processes[2].adj = Reading::Value(Adj::MIN);
    now.processes[3].has_mm = false;
    let mut init = placed(1, "systemd", 100, 0, "/pod");
    init.parent = 0;
    now.processes.insert(0, init);
    assert_eq!(with(&now, "global", 20), found("/pod", &[]));
    // Pid 1 of a container is no init to the kernel.
    Arc::make_mut(&mut now.machine).initial_pid_namespace = false;
    assert_eq!(with(&now, "global", 20), found("/pod", &[1]));
}

#[test]
fn whoever_lives_outside_the_namespace_is_in_no_subtree_of_its_root() {
    let mut now = grouped(&["/"]);
    now.processes.push(placed(60, "outside", 100, 0, "/../other"));
    now.processes.push(placed(70, "inside", 100, 0, "/-first"));
    assert_eq!(with(&now, "global", 10), found("/", &[20, 30, 40, 50, 70]));
    let scene = Scene::new(Arc::new(now), None);
    let census = GroupCensus::new(&scene);
    assert_eq!(census.members("/").len(), 6);
    assert_eq!(census.members("/../other").len(), 1);
}

#[test]
fn version_1_knows_no_such_thing() {
    let mut now = grouped(&["/pod"]);
    Arc::make_mut(&mut now.cgroups).hierarchy = Reading::Value(Hierarchy::V1);
    assert_eq!(with(&now, "global", 20), None);
}

proptest! {
    /// The count that is made once for all says what each list holds.
    #[test]
    fn the_census_counts_what_the_list_holds(groups in any::<[bool; 6]>(), adjs in prop::collection::vec(-1000_i16..=-998, 5)) {
        let mut now = snapshot();
        for (group, on) in Arc::make_mut(&mut now.cgroups).list.iter_mut().zip(groups) {
            group.oom_group = Reading::Value(on);
        }
        for (process, adj) in now.processes.iter_mut().zip(adjs) {
            process.adj = Reading::Value(Adj(adj));
        }
        for scope in ["global", "/pod", "/pod/a", "/pod/b", "/web"] {
            for pid in [10, 20, 30, 40, 50] {
                let _ = with(&now, scope, pid);
            }
        }
    }
}

proptest! {
    /// The members of a cgroup are those that a plain comparison of all paths finds, in the order of their
    /// positions within one cgroup, also where equal paths were read twice.
    #[test]
    fn the_members_are_those_that_comparing_all_paths_finds(at in prop::collection::vec(0_usize..8, 1..40)) {
        const PATHS: [&str; 8] = ["/", "/a", "/a-b", "/a/b", "/a/b/c", "/b", "/..", "/../x"];
        let mut now = snapshot();
        let one = now.processes[0].clone();
        let process = |(pid, &at): (i32, &usize)| {
            let mut process = one.clone();
            process.id.pid = pid;
            process.cgroup = Reading::Value(Arc::new(Text::new(PATHS[at].as_bytes())));
            process
        };
        now.processes = (1..).zip(&at).map(process).collect();
        let scene = Scene::new(Arc::new(now), None);
        let census = GroupCensus::new(&scene);
        for path in PATHS {
            let mut members: Vec<u32> = census.members(path).collect();
            let own = |&nth: &u32| PATHS[at[nth as usize]] == path;
            prop_assert!(members.iter().filter(|it| own(it)).is_sorted(), "{path}: {members:?}");
            members.sort_unstable();
            let inside = |nth: &u32| is_within(PATHS[at[*nth as usize]], path);
            let expected: Vec<u32> = (0..at.len() as u32).filter(inside).collect();
            prop_assert_eq!(members, expected, "{}", path);
        }
    }
}
