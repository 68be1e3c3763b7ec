//! The modules of 2003, and the kernel without a killer.

use std::sync::Arc;

use doomtop::columns::{CommandStyle, RowContext, SizeUnit};
use doomtop::model::{
    Capabilities, Names, Process, Reading, Scene, ScoreScale, Snapshot, Text, UserIds,
};
use doomtop::policy::{
    KILL_PARENT, LINUX_2_4, LINUX_2_4_19_AKPM, LINUX_2_4_23, LINUX_2_6_0, Override, PANIC, Policy,
    SECURITY, by_id,
};
use doomtop::rank::Ranking;
use doomtop::rank::what_if::what_if;
use doomtop::units::{Adj, Bytes, Millis, Pages, Ticks};
use doomtop::words::next_victim::sentence;

use crate::stage::{machine, process, usual};

fn scene(snapshot: Snapshot) -> Scene {
    Scene::new(Arc::new(snapshot), None)
}

fn order(policy: &dyn Policy, scene: &Scene) -> Vec<i32> {
    let ranking = Ranking::new(policy, scene);
    ranking.rows()[..ranking.eligible()].iter().map(|row| row.id.pid).collect()
}

#[test]
fn panic_names_nobody() {
    let scene = scene(usual());
    assert!(order(&PANIC, &scene).is_empty());
    assert_eq!(PANIC.overridden(&scene), Some(Override::Panic));
}

#[test]
fn blame_names_one_program_and_nobody_else() {
    let blame = by_id("blame:java").expect("a program");
    assert_eq!((blame.id(), blame.title()), ("blame:java", "only processes named java"));
    assert_eq!(order(blame, &scene(usual())), [600]);
    assert!(order(by_id("blame:nothing").unwrap(), &scene(usual())).is_empty());
    assert!(by_id("blame:").is_none());
    // Whatever its adj; but what cannot be killed at all stays.
    assert_eq!(order(by_id("blame:sshd").unwrap(), &scene(usual())), [50]);
    assert!(order(by_id("blame:systemd").unwrap(), &scene(usual())).is_empty());
    assert!(order(by_id("blame:kthreadd").unwrap(), &scene(usual())).is_empty());
}

#[test]
fn security_goes_by_trust_first() {
    let trusted = |pid, name, uid, caps, cgroup: &str, rss| Process {
        ids: Reading::Value(UserIds { uid, euid: uid }),
        caps: Reading::Value(Capabilities(caps)),
        cgroup: Reading::Value(Arc::new(Text::new(cgroup.as_bytes()))),
        ..process(pid, name, rss)
    };
    let cast = vec![
        trusted(10, "database", 105, 0, "/system.slice/db", 90_000),
        trusted(20, "browser", 1000, 0, "/user.slice/u", 500),
        trusted(30, "editor", 1000, 0, "/user.slice/u", 900),
        trusted(40, "Xorg", 0, 1 << 17 | 1 << 21, "/user.slice/u", 4000),
        trusted(50, "daemon", 0, 0, "/system.slice/d", 8000),
        trusted(60, "virtual", 1000, 1 << 21, "/machine.slice/v", 9000),
    ];
    let scene = scene(machine(1_000_000, ScoreScale::Signed, cast));
    assert_eq!(order(&SECURITY, &scene), [30, 20, 10, 60, 50, 40]);
    let ranking = Ranking::new(&SECURITY, &scene);
    assert!(ranking.margin().is_some(), "equally trusted: the size decides");
}

#[test]
fn without_a_killer_whoever_grows_is_first() {
    let sample = |java, at| {
        let mut snapshot = usual();
        snapshot.processes[7].rss_stat = Pages(java);
        snapshot.clock.monotonic_ms = Millis(at);
        Arc::new(snapshot)
    };
    let scene = Scene::new(sample(9000, 2000), Some(sample(8000, 1000)));
    assert_eq!(LINUX_2_4_23.overridden(&scene), Some(Override::NoKiller));
    assert_eq!(order(&LINUX_2_4_23, &scene).first(), Some(&600));
}

#[test]
fn the_patch_never_chooses_init() {
    let mut init = process(1, "init", 5000);
    init.parent = 0;
    init.vsize = Bytes(5000 * 4096);
    let scene = scene(machine(100_000, ScoreScale::Signed, vec![init]));
    assert_eq!(order(&LINUX_2_4, &scene), [1]);
    assert!(order(&LINUX_2_4_19_AKPM, &scene).is_empty());
}

#[test]
fn the_gates_of_2_4_are_told_one_by_one() {
    let mut with_swap = usual();
    with_swap.swap.free_kib.0 = 4000;
    let closed = LINUX_2_4.trigger_state(&scene(with_swap));
    assert!(!closed.ready);
    assert_eq!(closed.triggers[0].met, Some(false));
    let open = LINUX_2_4.trigger_state(&scene(usual()));
    assert!(open.ready && open.triggers[0].met == Some(true));
    let told = |policy: &dyn Policy| {
        let armed = policy.trigger_state(&scene(usual()));
        armed.triggers.iter().map(|trigger| trigger.what).collect::<Vec<_>>()
    };
    assert!(told(&LINUX_2_4).contains(&"last kill"));
    assert!(!told(&LINUX_2_4_19_AKPM).contains(&"last kill"), "it has no such pause");
}

#[test]
fn the_parent_dies_after_its_tenth_child() {
    // One child after the other is killed while the counter of kills goes up.
    let sample = |nth: u64| {
        let mut parent = process(10, "forker", 100);
        parent.vsize = Bytes(100 * 4096);
        let mut child = process(100 + nth as i32, "child", 9000);
        child.parent = 10;
        child.vsize = Bytes(9000 * 4096);
        child.id.born = Ticks(5000 + nth);
        let mut snapshot = machine(100_000, ScoreScale::Signed, vec![parent, child]);
        snapshot.traffic.oom_kills = Reading::Value(nth);
        snapshot.clock.monotonic_ms = Millis(1000 * nth);
        Arc::new(snapshot)
    };
    let mut scene = Scene::new(sample(0), None);
    let dies = |scene: &Scene| {
        let child = scene.now().processes.last().unwrap();
        KILL_PARENT.killed_instead(child, scene).map(|(parent, _)| parent.id.pid)
    };
    for nth in 1..=11 {
        assert_eq!(dies(&scene), None, "kill {nth}");
        scene.advance(sample(nth));
    }
    assert_eq!(scene.kills().len(), 11);
    assert_eq!(dies(&scene), Some(10));
    assert_eq!(order(&KILL_PARENT, &scene), order(&LINUX_2_6_0, &scene));
}

#[test]
fn any_2_6_has_its_era() {
    for (name, era) in [
        ("linux-2.6:2.6.0", "linux-2.6:2.6.0"),
        ("linux-2.6:2.6.9", "linux-2.6:2.6.0"),
        ("linux-2.6:2.6.10", "linux-2.6:2.6.11"),
        ("linux-2.6:2.6.18", "linux-2.6:2.6.16"),
        ("linux-2.6:2.6.35", "linux-2.6:2.6.32"),
    ] {
        assert_eq!(by_id(name).map(|policy| policy.id()), Some(era));
    }
    for bad in ["linux-2.6:2.6.36", "linux-2.6:", "linux-2.6:2.6.x", "linux-2.6"] {
        assert!(by_id(bad).is_none(), "{bad}");
    }
}

#[test]
fn a_long_name_is_blamed_by_what_the_kernel_keeps_of_it() {
    let cast = vec![process(10, "systemd-journal", 500), process(20, "other", 900)];
    let scene = scene(machine(100_000, ScoreScale::Signed, cast));
    assert_eq!(order(by_id("blame:systemd-journald").unwrap(), &scene), [10]);
}

#[test]
fn nobody_is_said_in_the_rules_own_words() {
    let said = |policy: &dyn Policy| {
        let scene = scene(usual());
        let ranking = Ranking::new(policy, &scene);
        let context = RowContext {
            scene: &scene,
            policy,
            ranking: &ranking,
            names: &Names::default(),
            scale: SizeUnit::Auto,
            command: CommandStyle::Name,
        };
        sentence(&context).whole()
    };
    let blamed = said(by_id("blame:nothing").unwrap());
    assert!(blamed.contains("it names no process here"), "{blamed}");
    assert!(!blamed.contains("panic"), "{blamed}");
}

#[test]
fn trust_decides_what_another_adj_would_do() {
    let trusted = |pid, name, uid, rss| Process {
        ids: Reading::Value(UserIds { uid, euid: uid }),
        caps: Reading::Value(Capabilities(0)),
        ..process(pid, name, rss)
    };
    let cast = vec![trusted(10, "small", 1000, 1000), trusted(20, "large", 0, 50_000)];
    let scene = scene(machine(1_000_000, ScoreScale::Signed, cast));
    let ranking = Ranking::new(&SECURITY, &scene);
    let first = &scene.now().processes[0];
    let said = what_if(&SECURITY, &scene, &ranking, first).expect("an answer");
    assert_eq!(said.saved_at, Some(Adj::MIN), "it is first whatever its adj, but never");
}
