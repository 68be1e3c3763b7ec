//! An OOM is confined to a domain: who is in it, what adj weighs there, and what overrules the
//! ranking.

use std::sync::Arc;

use doomtop::columns::{CommandStyle, RowContext, SizeUnit};
use doomtop::forecast::limits;
use doomtop::forecast::next_death::Deaths;
use doomtop::forecast::oom_at_limit::each_outcome;
use doomtop::model::{
    Cgroup, Cgroups, DomainKind, Hierarchy, Limit, Names, NodeSet, NumaNode, PanicOnOom, Process,
    Reading, Scene, Scope, ScoreScale, Snapshot, Swap, Sysctls, Text,
};
use doomtop::policy::{LINUX, LINUX_2_4, LINUX_2_6_36, LINUX_3_5, Override, Policy, SparedReason};
use doomtop::rank::also_killed::GroupCensus;
use doomtop::rank::{Placement, Ranking};
use doomtop::units::{Adj, Bytes, Kib, Millis, Pages, Ticks};
use doomtop::words::next_victim::sentence;
use proptest::prelude::*;
use serde_json::Value;

use crate::stage::{machine, predicted, process, usual};

const MIB: u64 = 1 << 20;

pub fn path(path: &str) -> Arc<Text> {
    Arc::new(Text::new(path.as_bytes()))
}

pub fn group(name: &str, limit_mib: Option<u64>) -> Cgroup {
    Cgroup {
        path: path(name),
        limit: Reading::Value(limit_mib.map_or(Limit::Max, |mib| Limit::At(Bytes(mib * MIB)))),
        ..Cgroup::default()
    }
}

pub fn placed(pid: i32, name: &str, rss: u64, adj: i16, cgroup: &str) -> Process {
    let mut process = process(pid, name, rss);
    process.adj = Reading::Value(Adj(adj));
    process.cgroup = Reading::Value(path(cgroup));
    process
}

/// 1,000,000 pages; `/pod` may have 400 MiB (102,400 pages), `/pod/a` 40 MiB, `/pod/b` and `/web`
/// have no limit.
pub fn snapshot() -> Snapshot {
    let mut snapshot = machine(
        1_000_000,
        ScoreScale::Signed,
        vec![
            placed(10, "giant", 300_000, 0, "/web"),
            placed(20, "large", 9000, 0, "/pod/b"),
            placed(30, "raised", 5000, 50, "/pod/a"),
            placed(40, "small", 4000, 0, "/pod/a"),
            placed(50, "other", 100, 0, "/pod-2"),
        ],
    );
    snapshot.cgroups = Arc::new(Cgroups {
        hierarchy: Reading::Value(Hierarchy::V2),
        read_ms: Millis(0),
        list: vec![
            group("/", None),
            group("/pod", Some(400)),
            group("/pod/a", Some(40)),
            group("/pod/b", None),
            group("/pod-2", None),
            group("/web", None),
        ],
    });
    snapshot
}

fn scoped(snapshot: Snapshot, scope: &str) -> Scene {
    Scene::scoped(Arc::new(snapshot), None, Scope::parse(scope).expect("a scope"))
}

/// The prediction in its longest form.
fn whole_sentence(scene: &Scene) -> String {
    let ranking = Ranking::new(&LINUX, scene);
    let context = RowContext {
        scene,
        policy: &LINUX,
        ranking: &ranking,
        names: &Names::default(),
        scale: SizeUnit::Auto,
        command: CommandStyle::Name,
    };
    sentence(&context).whole()
}

fn order(scene: &Scene) -> Vec<(i32, i64)> {
    let ranking = Ranking::new(&LINUX, scene);
    let scored = |row: &doomtop::rank::Ranked| Some((row.id.pid, row.placement.points()?.0));
    ranking.rows().iter().filter_map(scored).collect()
}

#[test]
fn adj_weighs_by_the_domain() {
    // Globally one step is 1000 pages: +50 is 50,000.
    let global = [(10, 300_000), (30, 55_000), (20, 9000), (40, 4000), (50, 100)];
    assert_eq!(order(&scoped(snapshot(), "global")), global);
    // In /pod it is 102 pages.
    assert_eq!(order(&scoped(snapshot(), "/pod")), [(30, 10_100), (20, 9000), (40, 4000)]);
    // In /pod/a, 10,240 pages, it is 10.
    assert_eq!(order(&scoped(snapshot(), "/pod/a")), [(30, 5500), (40, 4000)]);
    assert_eq!(order(&scoped(snapshot(), "/pod/a/")), [(30, 5500), (40, 4000)]);
}

#[test]
fn below_a_thousand_pages_adj_weighs_nothing() {
    let mut tiny = snapshot();
    Arc::make_mut(&mut tiny.cgroups).list[2] = group("/pod/a", Some(3));
    assert_eq!(order(&scoped(tiny, "/pod/a")), [(30, 5000), (40, 4000)]);
}

#[test]
fn a_group_without_a_wall_is_weighed_by_the_next_above() {
    let scene = scoped(snapshot(), "/pod/b");
    assert_eq!(scene.domain().kind, DomainKind::Part);
    assert_eq!(scene.domain().weighed_by, Some(path("/pod")));
    assert_eq!(scene.domain().pages, Pages(102_400));
    let web = scoped(snapshot(), "/web");
    assert_eq!(web.domain().weighed_by, Some(path("global")));
    assert_eq!(web.domain().pages, Pages(1_000_000));
    let gone = scoped(snapshot(), "/nothing");
    assert_eq!(gone.domain().kind, DomainKind::Gone);
    assert_eq!(order(&gone), []);
}

#[test]
fn whoever_is_outside_is_spared_and_says_so() {
    let scene = scoped(snapshot(), "/pod/a");
    let ranking = Ranking::new(&LINUX, &scene);
    let outside = |pid| {
        let at = scene.now().position(pid).unwrap();
        ranking.place(at).unwrap().1.placement == Placement::Spared(SparedReason::Outside)
    };
    assert!(outside(10) && outside(20) && outside(50));
    assert!(!outside(30) && !outside(40));
}

#[test]
fn swap_counts_by_what_the_group_may_use() {
    for case in vectors("mem_cgroup_get_max_v2") {
        let number = |key: &str| case[key].as_u64();
        let mut now = snapshot();
        let swap = number("total_swap").expect("pages");
        now.swap = Swap { total_kib: Kib(swap * 4), ..Swap::default() };
        now.sysctls.swappiness = Reading::Value(number("swappiness").expect("a value"));
        let pages = |pages: u64| Limit::At(Bytes(pages * 4096));
        let mut limited = group("/pod", None);
        limited.limit = Reading::Value(pages(number("mem_max").expect("pages")));
        limited.swap_limit = Reading::Value(pages(number("swap_max").expect("pages")));
        Arc::make_mut(&mut now.cgroups).list[1] = limited;
        let total = scoped(now, "/pod").domain().pages;
        assert_eq!(Some(total.0), case["pages"].as_u64(), "{case}");
    }
}

fn vectors(section: &str) -> Vec<Value> {
    let all: Value = serde_json::from_str(include_str!("../fixtures/vectors.json")).unwrap();
    all[section].as_array().expect("a list").clone()
}

/// Two nodes of 600,000 and 400,000 pages; giant may use both, large node 1 only, the others node 0.
fn two_nodes() -> Snapshot {
    let mut now = snapshot();
    let node = |id, pages| NumaNode { id, present: Pages(pages) };
    Arc::make_mut(&mut now.machine).nodes = vec![node(0, 600_000), node(1, 400_000)];
    now.swap.total_kib = Kib(40_000);
    for (process, nodes) in now.processes.iter_mut().zip(["0-1", "1", "0", "0", "0"]) {
        process.nodes = Reading::Value(NodeSet::parse(nodes).expect("a list"));
    }
    now
}

#[test]
fn nodes_have_their_own_total_and_processes() {
    let first = scoped(two_nodes(), "nodes:0");
    assert_eq!(first.domain().kind, DomainKind::Nodes(NodeSet::parse("0").unwrap()));
    assert_eq!(first.domain().pages, Pages(610_000), "its own memory and all swap");
    let named = |scene: &Scene| order(scene).iter().map(|row| row.0).collect::<Vec<_>>();
    assert_eq!(named(&first), [10, 30, 40, 50]);
    let second = scoped(two_nodes(), "nodes:1");
    assert_eq!((named(&second), second.domain().pages), (vec![10, 20], Pages(410_000)));
    assert_eq!(scoped(two_nodes(), "nodes:7").domain().kind, DomainKind::Gone);
    // Nobody knows of one that could not be read: it may be among them.
    let mut unread = two_nodes();
    unread.processes[2].nodes = Reading::Denied;
    assert_eq!(named(&scoped(unread, "nodes:1")), [10, 30, 20]);
}

#[test]
fn an_oom_of_nodes_is_not_one_of_the_machine() {
    let with = |sysctls: Sysctls| {
        let mut now = two_nodes();
        now.sysctls = sysctls;
        LINUX.overridden(&scoped(now, "nodes:0"))
    };
    let panics = |when| Sysctls { panic_on_oom: Reading::Value(when), ..Sysctls::default() };
    assert_eq!(with(panics(PanicOnOom::Global)), None);
    assert_eq!(with(panics(PanicOnOom::Always)), Some(Override::Panic));
    let asks = Sysctls { oom_kill_allocating_task: Reading::Value(true), ..Sysctls::default() };
    assert_eq!(with(asks), Some(Override::AllocatingTask));
}

#[test]
fn a_part_goes_by_the_rules_of_its_wall() {
    let mut now = snapshot();
    Arc::make_mut(&mut now.cgroups).list[1].oom_kill_disabled = Reading::Value(true);
    assert_eq!(LINUX.overridden(&scoped(now.clone(), "/pod/b")), Some(Override::Waits));
    now.sysctls.oom_kill_allocating_task = Reading::Value(true);
    assert_eq!(LINUX.overridden(&scoped(now, "/web")), Some(Override::AllocatingTask));
}

#[test]
fn scopes_are_read_from_text() {
    assert_eq!(Scope::parse("auto"), Some(Scope::Auto));
    assert_eq!(Scope::parse("/"), Some(Scope::Memcg(path("/"))));
    assert_eq!(Scope::parse("/a/"), Some(Scope::Memcg(path("/a"))));
    for bad in ["", "a/b", "nodes:", "nodes:x", "GLOBAL"] {
        assert_eq!(Scope::parse(bad), None, "{bad:?}");
    }
    // As it stands on the screen, or as the kernel has it.
    assert_eq!(Scope::parse(r"/a\x5cb"), Scope::parse(r"/a\b"));
}

#[test]
fn a_container_with_a_wall_is_the_domain_by_itself() {
    let mut inside = snapshot();
    let groups = vec![group("/", Some(400)), group("/pod", Some(100))];
    Arc::make_mut(&mut inside.cgroups).list = groups;
    assert!(Scene::new(Arc::new(inside.clone()), None).domain().is_global(), "the machine itself");
    Arc::make_mut(&mut inside.machine).initial_pid_namespace = false;
    let scene = Scene::new(Arc::new(inside.clone()), None);
    assert_eq!((scene.domain().name.as_str(), scene.domain().pages), ("/", Pages(102_400)));
    assert!(scoped(inside.clone(), "global").domain().is_global(), "unless told otherwise");
    Arc::make_mut(&mut inside.cgroups).list[0] = group("/", None);
    assert!(Scene::new(Arc::new(inside), None).domain().is_global(), "no wall can be seen");
}

#[test]
fn equals_in_a_cgroup_are_too_close_to_call() {
    let mut twins = snapshot();
    twins.processes[2].adj = Reading::Value(Adj(0));
    twins.processes[2].rss_stat = Pages(4000);
    let inside = scoped(twins.clone(), "/pod/a");
    let ranking = Ranking::new(&LINUX, &inside);
    assert!(ranking.too_close());
    assert_eq!(ranking.candidates().len(), 2);
    // The order of the machine's own list is that of birth: the last one goes.
    twins.processes.retain(|process| process.id.pid == 30 || process.id.pid == 40);
    let ranking = Ranking::new(&LINUX, &scoped(twins, "global"));
    assert!(!ranking.too_close());
    assert_eq!(ranking.victim().map(|row| row.id.pid), Some(40));
}

#[test]
fn switches_overrule_the_ranking() {
    let off = |change: &dyn Fn(&mut Snapshot), scope| {
        let mut now = snapshot();
        change(&mut now);
        LINUX.overridden(&scoped(now, scope))
    };
    let sysctls = |sysctls: Sysctls| move |now: &mut Snapshot| now.sysctls = sysctls;
    let panics = |when| Sysctls { panic_on_oom: Reading::Value(when), ..Sysctls::default() };
    assert_eq!(off(&|_| {}, "global"), None);
    let global = sysctls(panics(PanicOnOom::Global));
    assert_eq!(off(&global, "global"), Some(Override::Panic));
    assert_eq!(off(&global, "/pod"), None, "1 is for the machine as a whole");
    assert_eq!(off(&sysctls(panics(PanicOnOom::Always)), "/pod"), Some(Override::Panic));
    let asks =
        sysctls(Sysctls { oom_kill_allocating_task: Reading::Value(true), ..Sysctls::default() });
    assert_eq!(off(&asks, "global"), Some(Override::AllocatingTask));
    assert_eq!(off(&asks, "/pod"), None, "a cgroup's OOM does not look at it");
    let disabled = |now: &mut Snapshot| {
        let groups = Arc::make_mut(&mut now.cgroups);
        groups.list[1].oom_kill_disabled = Reading::Value(true);
    };
    assert_eq!(off(&disabled, "/pod"), Some(Override::Waits));
    assert_eq!(off(&disabled, "global"), None);
    assert_eq!(LINUX_2_4.overridden(&scoped(snapshot(), "global")), None);
}

#[test]
fn no_oom_is_confined_to_a_cgroup_without_a_limit() {
    let said = |scope: &str| {
        let scene = scoped(snapshot(), scope);
        (LINUX.overridden(&scene), whole_sentence(&scene))
    };
    let (found, words) = said("/pod/b");
    assert_eq!(found, Some(Override::NoLimit));
    assert_eq!(
        words,
        "NO PREDICTION: /pod/b has no limit of its own: at the limit of /pod, 30 raised dies \
         (highest badness: 20 large)"
    );
    let (found, words) = said("/pod-2");
    assert_eq!(found, Some(Override::NoLimit));
    assert_eq!(
        words,
        "NO PREDICTION: /pod-2 has no limit of its own: when the machine runs out of memory, \
         10 giant dies (highest badness: 50 other)"
    );
    for limited in ["/pod", "/pod/a", "global"] {
        assert_eq!(said(limited).0, None);
    }
    // File pages are gone when the limit above is reached, and of equals either may die.
    let mut files = snapshot();
    files.processes[2].file = Reading::Value(Pages(4900));
    let words = whole_sentence(&scoped(files.clone(), "/pod/b"));
    assert!(words.contains("at the limit of /pod, 20 large dies"), "{words}");
    files.processes[3] = placed(40, "small", 9000, 0, "/pod/a");
    let words = whole_sentence(&scoped(files.clone(), "/pod/b"));
    assert!(words.contains("at the limit of /pod, 40 small or 20 large dies"), "{words}");
    let mut more = files.clone();
    more.processes.extend([60, 70, 80].map(|pid| placed(pid, "more", 9000, 0, "/pod/a")));
    let words = whole_sentence(&scoped(more, "/pod/b"));
    assert!(words.contains("or one of 3 more dies"), "{words}");
    let mut hidden = snapshot();
    Arc::make_mut(&mut hidden.cgroups).list[3].limit = Reading::Missing;
    let found = LINUX.overridden(&scoped(hidden, "/pod/b"));
    assert_eq!(found, None, "whether it has a limit is not known");
}

/// Whom the killer waits for, where the process at this position was killed.
fn waits(at: usize, scope: &str, change: impl Fn(&mut Process)) -> Option<i32> {
    let mut now = snapshot();
    now.processes[at].dying = true;
    change(&mut now.processes[at]);
    match LINUX.overridden(&scoped(now, scope)) {
        None => None,
        Some(Override::Dying(id)) => Some(id.pid),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_dying_process_is_waited_for_where_it_would_be_chosen() {
    let (giant, raised, small) = (0, 2, 3);
    assert_eq!(waits(giant, "global", |_| {}), Some(10));
    assert_eq!(waits(raised, "/pod/a", |_| {}), Some(30));
    assert_eq!(waits(giant, "/pod", |_| {}), None, "it is not in there");
    assert_eq!(waits(giant, "global", |victim| victim.has_mm = false), None, "its memory is gone");
    let reaped = |victim: &mut Process| {
        victim.score = Reading::Value(0);
        victim.score_fresh = true;
    };
    assert_eq!(waits(giant, "global", reaped), None, "its memory was reaped");
    let dumping = |flags| move |victim: &mut Process| victim.flags |= flags;
    let (writer, waiter) = (Process::PF_DUMPCORE, Process::PF_POSTCOREDUMP);
    assert_eq!(waits(giant, "global", dumping(writer)), None, "it dumps core: it is killed");
    assert_eq!(waits(giant, "global", dumping(waiter)), None, "another thread dumps core");
    assert_eq!(waits(giant, "global", dumping(waiter | Process::PF_EXITING)), Some(10));
    assert_eq!(waits(small, "global", |_| {}), None, "another process would be chosen");
    assert_eq!(waits(small, "/pod/a", |_| {}), None);
}

#[test]
fn a_killed_process_that_does_not_go_is_waited_for_as_long_as_the_reaper_tries() {
    let sample = |second: u64, kills, dying| {
        let mut sample = snapshot();
        sample.clock.monotonic_ms = Millis(second * 1000);
        sample.traffic.oom_kills = Reading::Value(kills);
        sample.processes[3].dying = dying;
        Arc::new(sample)
    };
    // The kills that were counted at each second, and whether the small process is dying then.
    let waits = |samples: &[(u64, bool)]| -> Vec<bool> {
        let mut all = samples.iter().zip(0..).map(|(&(kills, dying), at)| sample(at, kills, dying));
        let mut scene = Scene::scoped(all.next().expect("samples"), None, Scope::Global);
        let mut found = vec![LINUX.overridden(&scene).is_some()];
        for sample in all {
            scene.advance(sample);
            found.push(LINUX.overridden(&scene).is_some());
        }
        found
    };
    let (lives, dying) = (|kills| (kills, false), |kills| (kills, true));
    assert_eq!(
        waits(&[lives(0), dying(1), dying(1), dying(1), dying(1), dying(1)]),
        [false, true, true, true, false, false]
    );
    assert_eq!(waits(&[lives(0), dying(0), dying(0), dying(0)]), [false; 4], "no OOM kill");
    assert!(waits(&[lives(0), dying(0), dying(1)])[2], "counted after it was read");
    assert!(!waits(&[lives(0), dying(0), dying(0), dying(1)])[3], "another one was killed");
    assert!(waits(&[dying(0), dying(1)])[1]);
}

#[test]
fn kernels_before_4_8_wait_for_whoever_is_exiting() {
    let mut now = snapshot();
    now.processes[3].dying = true;
    let who = Some(Override::Dying(now.processes[3].id));
    for policy in [&LINUX_3_5 as &dyn Policy, &LINUX_2_6_36] {
        assert_eq!(policy.overridden(&scoped(now.clone(), "global")), who);
    }
}

#[test]
fn swapoff_goes_first_and_its_area_no_longer_counts() {
    let mut now = snapshot();
    now.swap = Swap { total_kib: Kib(400_000), leaving_kib: Some(Kib(100_000)), ..Swap::default() };
    let total = now.total();
    assert_eq!(total, Pages(1_000_000 + 75_000));
    assert_eq!(LINUX.overridden(&scoped(now.clone(), "global")), Some(Override::Swapoff(None)));
    now.processes.push(placed(60, "swapoff", 300, 0, "/web"));
    let id = now.processes[5].id;
    assert_eq!(LINUX.overridden(&scoped(now.clone(), "global")), Some(Override::Swapoff(Some(id))));
    assert_eq!(LINUX.overridden(&scoped(now, "/pod")), None, "it is not in there");
}

#[test]
fn a_newborn_has_grown_by_all_that_it_has() {
    let mut before = usual();
    let mut now = usual();
    before.clock.uptime_ticks = Ticks(1_000_000);
    now.clock.monotonic_ms = Millis(before.clock.monotonic_ms.0 + 2000);
    let mut born = process(900, "newborn", 4000);
    born.id.born = Ticks(1_000_001);
    born.pgtables = Reading::Value(Pages(30));
    born.swap = Reading::Value(Pages(7));
    now.processes.push(born.clone());
    let mut old = process(901, "was-hidden", 4000);
    old.id.born = Ticks(999);
    now.processes.push(old.clone());
    let scene = Scene::new(Arc::new(now), Some(Arc::new(before)));
    assert_eq!(scene.growth(&born).map(|growth| growth.pages.0), Some(4037));
    assert_eq!(scene.growth_bound(born.id).rise, Pages(4037));
    assert_eq!(scene.growth(&old), None);
    // Nobody saw it grow: two looks later that is forgotten.
    let mut scene = scene;
    let still = scene.snapshot();
    scene.advance(Arc::clone(&still));
    assert_eq!(scene.growth_bound(born.id).rise, Pages(4037));
    scene.advance(still);
    assert_eq!(scene.growth_bound(born.id).rise, Pages(0));
}

#[test]
fn page_tables_grow_too() {
    let sample = |tables| {
        let mut snapshot = usual();
        snapshot.processes[7].pgtables = Reading::Value(Pages(tables));
        Arc::new(snapshot)
    };
    let scene = Scene::new(sample(900), Some(sample(100)));
    let java = &scene.now().processes[7];
    assert_eq!(scene.growth(java).map(|growth| growth.pages.0), Some(800));
    assert_eq!(LINUX.drift(java, &scene).up, Pages(1600), "twice as far as lately");
    assert!(LINUX.max_drift_up(&scene) >= Pages(1600));
}

proptest! {
    #[test]
    fn limits_survive_json(bytes: Option<u64>) {
        let limit = bytes.map_or(Limit::Max, |bytes| Limit::At(Bytes(bytes)));
        let line = serde_json::to_string(&limit).unwrap();
        prop_assert_eq!(serde_json::from_str::<Limit>(&line).unwrap(), limit);
    }

    /// The order inside a domain is the order of the whole, were the domain the whole.
    #[test]
    fn a_domain_ranks_its_own_only(limit in 1_u64..3000, adjs in prop::collection::vec(-999_i16..=1000, 5)) {
        let mut now = snapshot();
        Arc::make_mut(&mut now.cgroups).list[1] = group("/pod", Some(limit));
        for (process, adj) in now.processes.iter_mut().zip(adjs) {
            process.adj = Reading::Value(Adj(adj));
        }
        let mut alone = now.clone();
        alone.processes.retain(|process| matches!(process.id.pid, 20 | 30 | 40));
        alone.memory.total_kib = Kib(limit * 1024);
        prop_assert_eq!(order(&scoped(now, "/pod")), order(&scoped(alone, "global")));
    }
}

/// A second later: `/pod/a` has gone from 10 to 20 of its 40 MiB, `/pod` from 300 to 310 of 400.
fn filling() -> Scene {
    let sample = |at: u64, a: u64, pod: u64| {
        let mut sample = snapshot();
        sample.clock.monotonic_ms = Millis(at);
        sample.memory.available_kib = Reading::Value(Kib(2_000_000));
        let groups = Arc::make_mut(&mut sample.cgroups);
        groups.read_ms = Millis(at);
        groups.list[1].usage = Reading::Value(Bytes(pod * MIB));
        groups.list[2].usage = Reading::Value(Bytes(a * MIB));
        Arc::new(sample)
    };
    Scene::new(sample(5000, 20, 310), Some(sample(4000, 10, 300)))
}

#[test]
fn the_wall_that_is_approached_fastest_is_the_nearest() {
    let scene = filling();
    let deaths = |list| Deaths { next: None, list };
    let at = |domain: &str, ms| predicted(domain, Millis(ms));
    let approached = deaths(vec![at("/pod/a", 2000), at("global", 3000)]);
    let wall = limits::nearest(&scene, &approached);
    assert_eq!(wall.name.as_str(), "/pod/a");
    assert_eq!(wall.hit_in, Some(Millis(2000)));
    assert_eq!((wall.limit, wall.headroom), (Bytes(40 * MIB), Bytes(20 * MIB)));
    assert_eq!(wall.left_permille(), 500);
    // Where nothing is predicted, the smallest share counts: /pod has 90 of 400 MiB left.
    let nothing = Deaths::default();
    assert_eq!(limits::nearest(&scene, &nothing).name.as_str(), "/pod");
    assert_eq!(limits::nearest(&scene, &nothing).hit_in, None);
    // Without cgroups the machine's own wall is the only one.
    let bare = limits::nearest(&Scene::new(Arc::new(usual()), None), &nothing);
    assert!(matches!(bare.scope(), Scope::Global));
}

/// Every limited cgroup, and the order of its own processes.
fn fates(scene: &Scene) -> Vec<(Arc<Text>, Ranking)> {
    let mut found = Vec::new();
    each_outcome(&LINUX, scene, &GroupCensus::new(scene), |at, _, ranking| {
        found.push((Arc::clone(&scene.now().cgroups.list[at].path), ranking));
    });
    found
}

#[test]
fn every_wall_has_its_own_victim() {
    let scene = filling();
    let fates: Vec<(String, Option<i32>)> = fates(&scene)
        .into_iter()
        .map(|(name, ranking)| (name.to_string(), ranking.victim().map(|row| row.id.pid)))
        .collect();
    assert_eq!(fates, [("/pod".to_owned(), Some(30)), ("/pod/a".to_owned(), Some(30))]);
}

proptest! {
    /// The victim of a wall is the one that scoping to it names.
    #[test]
    fn fates_are_what_scoping_shows(adjs in prop::collection::vec(-999_i16..=1000, 5), limits in prop::collection::vec(prop::option::of(1_u64..2000), 5)) {
        let mut now = snapshot();
        for (process, adj) in now.processes.iter_mut().zip(adjs) {
            process.adj = Reading::Value(Adj(adj));
        }
        for (slot, limit) in Arc::make_mut(&mut now.cgroups).list[1..].iter_mut().zip(limits) {
            *slot = group(slot.path.as_str(), limit);
        }
        let scene = Scene::new(Arc::new(now.clone()), None);
        for (name, fate) in fates(&scene) {
            let whole = Ranking::new(&LINUX, &scoped(now.clone(), name.as_str()));
            prop_assert_eq!(fate.victim(), whole.victim());
            prop_assert_eq!(fate.candidates(), whole.candidates());
        }
    }
}

#[test]
fn the_sentence_names_those_who_die_along() {
    let mut now = snapshot();
    Arc::make_mut(&mut now.cgroups).list[1].oom_group = Reading::Value(true);
    let said = |now: &Snapshot, scope| whole_sentence(&scoped(now.clone(), scope));
    let whole = said(&now, "/pod");
    assert!(whole.starts_with("NOW FIRST in /pod 30 raised"), "{whole}");
    assert!(whole.ends_with("2 more of /pod die with it (memory.oom.group)."), "{whole}");
    // The flag of a cgroup above the wall that was hit does not count.
    assert!(!said(&now, "/pod/a").contains("oom.group"));
    now.sysctls.panic_on_oom = Reading::Value(PanicOnOom::Always);
    assert!(said(&now, "/pod").starts_with("NO PREDICTION: panic_on_oom is set: an OOM panics"));
}
