//! The cascade on machines that are made up.

use std::sync::Arc;

use proptest::prelude::*;

use super::*;
use crate::forecast::next_death::KERNEL;
use crate::model::{
    Cgroup, Cgroups, Hierarchy, KillerPresence, Limit, OvercommitMode, PanicOnOom, Process,
    Reading, Scene, Scope, ScoreScale, Snapshot,
};
use crate::policy::{LINUX, RSS};
use crate::units::{Kib, Pages, Ticks};

const MIB: u64 = 1 << 20;

fn bytes(mib: u64) -> Bytes {
    Bytes(mib * MIB)
}

fn path(text: &str) -> Arc<Text> {
    Arc::new(Text::new(text.as_bytes()))
}

/// A process with so many MiB of anonymous memory.
fn process(pid: i32, mib: u64, adj: i16, cgroup: &str) -> Process {
    let pages = Pages(mib * 256);
    Process {
        id: ProcId { pid, born: Ticks(pid.unsigned_abs().into()) },
        comm: Comm::new(format!("p{pid}").as_bytes()),
        parent: 1,
        rss_stat: pages,
        rss_exact: Reading::Value(pages),
        anon: Reading::Value(pages),
        vsize: Bytes(mib * MIB * 2 + pid.unsigned_abs() as u64 * 4096),
        has_mm: true,
        adj: Reading::Value(Adj(adj)),
        cgroup: Reading::Value(path(cgroup)),
        ..Process::default()
    }
}

/// A cgroup whose members use so much of its limit.
fn group(name: &str, used: u64, limit: Option<u64>) -> Cgroup {
    Cgroup {
        path: path(name),
        usage: Reading::Value(bytes(used)),
        limit: Reading::Value(limit.map_or(Limit::Max, |mib| Limit::At(bytes(mib)))),
        ..Cgroup::default()
    }
}

/// 1000 MiB of RAM, of which so much is available, on a kernel of today.
fn machine(available: u64, processes: Vec<Process>, groups: Vec<Cgroup>) -> Snapshot {
    let mut sample = Snapshot { processes, ..Snapshot::default() };
    let host = Arc::make_mut(&mut sample.machine);
    host.kernel = Text::new(b"6.12.0");
    host.score_scale = ScoreScale::Signed;
    host.initial_pid_namespace = true;
    sample.memory.total_kib = Kib(1000 << 10);
    sample.memory.available_kib = Reading::Value(Kib(available << 10));
    sample.overcommit.mode = Reading::Value(OvercommitMode::Heuristic);
    let hierarchy = Reading::Value(Hierarchy::V2);
    sample.cgroups = Arc::new(Cgroups { hierarchy, list: groups, ..Cgroups::default() });
    sample
}

fn scene(sample: Snapshot) -> Scene {
    Scene::scoped(Arc::new(sample), None, Scope::Global)
}

fn asks(mib: u64, cgroup: Option<&str>) -> Newcomer {
    Newcomer { size: bytes(mib), cgroup: cgroup.map(path), ..Newcomer::default() }
}

fn ask(sample: Snapshot, newcomer: &Newcomer) -> FitAnswer {
    what_fits(&LINUX, &scene(sample), newcomer)
}

fn killed(answer: &FitAnswer) -> Vec<i32> {
    answer.steps.iter().map(|step| step.victim.id.pid).collect()
}

fn obstacle(answer: &FitAnswer) -> &Obstacle {
    match &answer.outcome {
        FitOutcome::Blocked { obstacle, .. } => obstacle,
        other => panic!("{other:?}"),
    }
}

fn had(answer: &FitAnswer) -> Bytes {
    match &answer.outcome {
        FitOutcome::Blocked { had, .. } => *had,
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_is_free_is_given_first() {
    let answer = ask(machine(300, vec![process(10, 600, 0, "/")], vec![]), &asks(200, None));
    assert_eq!(answer.verdict(), FitVerdict::Fits);
    assert_eq!(answer.outcome, FitOutcome::Fits { left: bytes(100) });
    assert_eq!((answer.room(), answer.missing()), (bytes(300), Bytes::ZERO));
    let whole = ask(machine(300, vec![process(10, 600, 0, "/")], vec![]), &asks(300, None));
    assert_eq!(whole.outcome, FitOutcome::Fits { left: Bytes::ZERO }, "all of it");
}

#[test]
fn the_largest_dies_and_what_it_frees_is_given_next() {
    let all = vec![process(10, 400, 0, "/"), process(11, 250, 0, "/")];
    let answer = ask(machine(100, all.clone(), vec![]), &asks(450, None));
    assert_eq!((answer.verdict(), killed(&answer)), (FitVerdict::AfterKills, vec![10]));
    let step = &answer.steps[0];
    assert_eq!((step.by, step.domain.as_str()), (KERNEL, "global"));
    assert_eq!((step.had, step.freed, step.left), (bytes(100), Some(bytes(400)), bytes(400)));
    assert_eq!(answer.outcome, FitOutcome::Fits { left: bytes(50) });
    // With 500 MiB it is the largest itself: the second does not die for it.
    let more = ask(machine(100, all.clone(), vec![]), &asks(600, None));
    assert_eq!((more.verdict(), killed(&more)), (FitVerdict::No, vec![10]));
    assert!(matches!(obstacle(&more), Obstacle::Itself { asks: false, .. }), "{more:?}");
    assert_eq!(had(&more), bytes(500));
    // Protected, it outlives both.
    let spared = Newcomer { adj: Adj(-600), ..asks(600, None) };
    let spared = ask(machine(100, all, vec![]), &spared);
    assert_eq!((spared.verdict(), killed(&spared)), (FitVerdict::AfterKills, vec![10, 11]));
}

#[test]
fn the_adj_that_would_save_it_does() {
    let all = || vec![process(10, 400, 0, "/"), process(11, 250, 0, "/")];
    let ask_with = |adj: i16| {
        let newcomer = Newcomer { adj: Adj(adj), ..asks(600, None) };
        ask(machine(100, all(), vec![]), &newcomer)
    };
    let Obstacle::Itself { next: Some(next), own: Some(own), .. } = obstacle(&ask_with(0)).clone()
    else {
        panic!("it dies itself");
    };
    assert_eq!((next.who.id.pid, next.close), (11, false));
    // 500 MiB and their page tables, in pages.
    assert_eq!(own.0, Points(128_000 + 250));
    let below = next.below.expect("a value").0;
    assert_eq!(killed(&ask_with(below)), [10, 11]);
    assert_eq!(killed(&ask_with(below + 1)), [10], "it is the highest that does");
}

#[test]
fn the_tightest_limit_on_the_way_decides() {
    let groups = || {
        vec![
            group("/", 0, None),
            group("/a", 150, Some(200)),
            group("/a/b", 60, Some(90)),
            group("/c", 300, None),
        ]
    };
    let all =
        || vec![process(10, 40, 0, "/a/b"), process(11, 80, 0, "/a"), process(12, 300, 0, "/c")];
    let sample = || machine(500, all(), groups());
    let answer = ask(sample(), &asks(20, Some("/a/b")));
    assert_eq!(answer.verdict(), FitVerdict::Fits);
    let names: Vec<_> = answer.levels.iter().map(|it| (it.name.as_str(), it.left)).collect();
    assert_eq!(names, [("/a/b", bytes(30)), ("/a", bytes(50)), ("global", bytes(500))]);
    // Inside /a/b only its own members can be chosen; and 10 has more than the 30 that it has.
    let inner = ask(sample(), &asks(60, Some("/a/b")));
    assert_eq!(killed(&inner), [10]);
    assert_eq!(inner.steps[0].domain.as_str(), "/a/b");
    // A cgroup without a limit: that above it counts, with all below it.
    let above = ask(sample(), &asks(60, Some("/a")));
    assert_eq!((killed(&above), above.steps[0].domain.as_str()), (vec![11], "/a"));
    // Nothing on its way has a limit: the machine decides.
    let free = ask(sample(), &asks(60, Some("/c")));
    assert_eq!((free.verdict(), free.levels.len()), (FitVerdict::Fits, 1));
}

#[test]
fn reclaim_and_swap_are_room_and_file_pages_are_no_badness() {
    let mut sample = machine(500, vec![process(10, 50, 0, "/a"), process(11, 45, 0, "/a")], vec![]);
    // 10 has 50 MiB of which 30 are pages of files, which are gone before it is killed.
    sample.processes[0].anon = Reading::Value(Pages(20 * 256));
    sample.processes[0].file = Reading::Value(Pages(30 * 256));
    let limited = Cgroup { reclaimable: Reading::Value(bytes(30)), ..group("/a", 95, Some(100)) };
    sample.cgroups = Arc::new(Cgroups {
        hierarchy: Reading::Value(Hierarchy::V2),
        list: vec![limited],
        ..Cgroups::default()
    });
    assert_eq!(ask(sample.clone(), &asks(35, Some("/a"))).verdict(), FitVerdict::Fits);
    assert_eq!(killed(&ask(sample.clone(), &asks(40, Some("/a")))), [11]);
    sample.swap.total_kib = Kib(100 << 10);
    sample.swap.free_kib = Kib(100 << 10);
    assert_eq!(ask(sample, &asks(135, Some("/a"))).verdict(), FitVerdict::Fits, "by swap");
}

#[test]
fn a_group_dies_as_a_whole_and_the_newcomer_with_it() {
    let mut whole = group("/a", 90, Some(100));
    whole.oom_group = Reading::Value(true);
    let all = || vec![process(10, 50, 0, "/a"), process(11, 30, 0, "/a"), process(12, 9, 0, "/b")];
    let inside = ask(machine(500, all(), vec![whole.clone()]), &asks(40, Some("/a")));
    assert_eq!(inside.verdict(), FitVerdict::No);
    let Obstacle::With { victim, group, .. } = obstacle(&inside) else { panic!("{inside:?}") };
    assert_eq!((victim.id.pid, group.as_ref().map(|it| it.as_str())), (10, Some("/a")));
    // In an OOM of the machine all of them make room for one from outside.
    let outside = ask(machine(5, all(), vec![whole]), &asks(80, None));
    assert_eq!((outside.verdict(), killed(&outside)), (FitVerdict::AfterKills, vec![10]));
    let step = &outside.steps[0];
    assert_eq!(step.also.iter().map(|it| it.id.pid).collect::<Vec<_>>(), [11]);
    assert_eq!(step.freed, Some(bytes(80)));
}

#[test]
fn who_is_never_chosen_does_not_die_for_it() {
    let all = vec![process(1, 90, 0, "/a"), process(10, 500, -1000, "/a")];
    let answer = ask(machine(10, all.clone(), vec![]), &asks(60, None));
    assert!(matches!(obstacle(&answer), Obstacle::Itself { next: None, .. }), "{answer:?}");
    let never = Newcomer { adj: Adj::MIN, ..asks(60, None) };
    let nobody = ask(machine(10, all, vec![]), &never);
    assert!(matches!(obstacle(&nobody), Obstacle::Nobody { .. }), "{nobody:?}");
}

#[test]
fn where_nobody_is_killed_it_waits() {
    let member = || vec![process(10, 90, 0, "/a")];
    let stalled = |group: Cgroup| {
        let answer = ask(machine(500, member(), vec![group]), &asks(40, Some("/a")));
        assert!(answer.steps.is_empty() && answer.verdict() == FitVerdict::No, "{answer:?}");
        match obstacle(&answer) {
            Obstacle::Stalled { reason, .. } => (*reason, had(&answer)),
            other => panic!("{other:?}"),
        }
    };
    let full = || group("/a", 90, Some(100));
    let disabled = Cgroup { oom_kill_disabled: Reading::Value(true), ..full() };
    assert_eq!(stalled(disabled), (StallReason::OomKillDisabled, bytes(10)));
    // Above memory.high it goes on, slowly, to the limit.
    let high =
        || Cgroup { high: Reading::Value(Limit::At(bytes(95))), ..group("/a", 90, Some(200)) };
    let slowed = |mib| ask(machine(500, member(), vec![high()]), &asks(mib, Some("/a")));
    assert_eq!((slowed(4).verdict(), slowed(4).throttled), (FitVerdict::Fits, None));
    let answer = slowed(40);
    assert_eq!((answer.verdict(), answer.room()), (FitVerdict::Throttled, bytes(110)));
    assert_eq!(answer.throttled.map(|it| it.had), Some(bytes(5)));
    assert_eq!(slowed(150).throttled.map(|it| it.had), Some(bytes(5)), "and is killed later");
    assert_ne!(slowed(150).verdict(), FitVerdict::Throttled);
    let frozen = Cgroup { frozen: Reading::Value(true), ..full() };
    assert_eq!(stalled(frozen), (StallReason::Frozen, Bytes::ZERO));
}

#[test]
fn settings_that_override_the_choice_are_followed() {
    let all = || vec![process(10, 400, 0, "/")];
    let mut panics = machine(10, all(), vec![]);
    panics.sysctls.panic_on_oom = Reading::Value(PanicOnOom::Global);
    assert!(matches!(obstacle(&ask(panics, &asks(40, None))), Obstacle::Panics { .. }));
    let mut asking = machine(10, all(), vec![]);
    asking.sysctls.oom_kill_allocating_task = Reading::Value(true);
    let answer = ask(asking.clone(), &asks(40, None));
    assert!(matches!(obstacle(&answer), Obstacle::Itself { asks: true, .. }));
    let never = Newcomer { adj: Adj::MIN, ..asks(40, None) };
    assert_eq!(killed(&ask(asking, &never)), [10], "the kernel spares it, and chooses");
}

#[test]
fn strict_overcommit_refuses_and_kills_nobody() {
    let mut sample = machine(500, vec![process(10, 400, 0, "/")], vec![]);
    sample.overcommit.mode = Reading::Value(OvercommitMode::Strict);
    sample.overcommit.limit_kib = Reading::Value(Kib(700 << 10));
    sample.overcommit.committed_kib = Reading::Value(Kib(600 << 10));
    sample.overcommit.admin_reserve_kib = Reading::Value(Kib(8 << 10));
    let answer = ask(sample.clone(), &asks(93, None));
    assert_eq!(*obstacle(&answer), Obstacle::Refused { most: bytes(92) });
    assert_eq!(ask(sample, &asks(92, None)).verdict(), FitVerdict::Fits);
}

#[test]
fn a_userspace_killer_that_runs_here_acts_first() {
    let mut sample =
        machine(200, vec![process(10, 300, 0, "/"), process(11, 400, 500, "/")], vec![]);
    for it in &mut sample.processes {
        let adj = it.adj.value().unwrap_or_default().0;
        it.score = Reading::Value(u32::try_from(600 + i32::from(adj) / 2).unwrap());
    }
    let mut earlyoom = process(20, 3, -100, "/");
    earlyoom.comm = Comm::new(b"earlyoom");
    earlyoom.score = Reading::Value(600);
    sample.processes.push(earlyoom);
    Arc::make_mut(&mut sample.killers).earlyoom.found = KillerPresence::Running(20);
    // It acts at 10 % of 1000 MiB: 100 MiB before the kernel does.
    let answer = ask(sample.clone(), &asks(150, None));
    assert_eq!((answer.verdict(), killed(&answer)), (FitVerdict::AfterKills, vec![11]));
    assert_eq!((answer.steps[0].by, answer.steps[0].had), ("earlyoom", bytes(100)));
    assert_eq!(ask(sample, &asks(90, None)).verdict(), FitVerdict::Fits);
}

#[test]
fn who_is_on_the_way_out_makes_room_without_a_kill() {
    let mut sample = machine(100, vec![process(10, 400, 0, "/"), process(11, 300, 0, "/")], vec![]);
    sample.processes[0].dying = true;
    let answer = ask(sample, &asks(450, None));
    assert_eq!((answer.verdict(), answer.room()), (FitVerdict::Fits, bytes(500)));
}

#[test]
fn shared_memory_of_a_victim_does_not_make_room() {
    let mut sample = machine(10, vec![process(10, 400, 0, "/"), process(11, 100, 0, "/")], vec![]);
    sample.processes[0].anon = Reading::Value(Pages(20 * 256));
    sample.processes[0].shmem = Reading::Value(Pages(380 * 256));
    let answer = ask(sample, &asks(60, None));
    assert_eq!(killed(&answer), [10, 11], "the first frees 20 MiB only");
    assert_eq!((answer.steps[0].freed, answer.steps[0].perhaps), (Some(bytes(20)), bytes(380)));
}

#[test]
fn a_rule_that_is_no_kernels_is_followed_too() {
    let all = vec![process(10, 200, 0, "/"), process(11, 300, -900, "/")];
    let answer = what_fits(&RSS, &scene(machine(10, all, vec![])), &asks(100, None));
    assert_eq!(killed(&answer), [11], "it goes by size alone");
}

#[test]
fn what_is_too_large_for_a_limit_is_told() {
    let sample = machine(500, vec![], vec![group("/a", 0, Some(100))]);
    let answer = ask(sample, &asks(120, Some("/a")));
    assert_eq!(answer.too_large_for().map(|it| it.name.as_str()), Some("/a"));
    assert_eq!(answer.verdict(), FitVerdict::No);
}

#[test]
fn hostile_numbers_end() {
    let mut sample = machine(u64::MAX >> 20, vec![process(i32::MAX, 1, 0, "/")], vec![]);
    sample.memory.total_kib = Kib(u64::MAX);
    sample.processes[0].anon = Reading::Value(Pages(u64::MAX));
    let most = Newcomer { size: Bytes(u64::MAX), ..Newcomer::default() };
    let answer = ask(sample, &most);
    assert!(answer.steps.len() <= 1, "{answer:?}");
}

proptest! {
    #[test]
    fn a_cascade_ends_and_kills_nobody_twice(
        sizes in proptest::collection::vec((0_u64..200, -1000_i16..=1000, 0_usize..3), 0..12),
        available in 0_u64..400, limits in any::<[u8; 2]>(), whole in any::<[bool; 2]>(),
        size in 1_u64..2000, adj in -1000_i16..=1000, at in 0_usize..4,
    ) {
        let names = ["/a", "/a/b", "/c"];
        let processes: Vec<Process> = (10..)
            .zip(&sizes)
            .map(|(pid, &(mib, adj, at))| process(pid, mib, adj, names[at]))
            .collect();
        let used = |within: &str| {
            let inside = |at: usize| crate::model::is_within(names[at], within);
            sizes.iter().filter(|it| inside(it.2)).map(|it| it.0).sum::<u64>()
        };
        let limited = |name: &str, more: u8, whole: bool| {
            let used = used(name);
            Cgroup { oom_group: Reading::Value(whole), ..group(name, used, Some(used + u64::from(more))) }
        };
        let groups = vec![limited("/a", limits[0], whole[0]), limited("/a/b", limits[1], whole[1]), group("/c", used("/c"), None)];
        let newcomer = Newcomer { size: bytes(size), adj: Adj(adj), cgroup: names.get(at).map(|it| path(it)), like: None, replaces: false };
        let answer = ask(machine(available, processes, groups), &newcomer);
        let mut dead: Vec<ProcId> = Vec::new();
        let mut had = Bytes::ZERO;
        for step in &answer.steps {
            for who in std::iter::once(&step.victim).chain(&step.also) {
                prop_assert!(!dead.contains(&who.id), "{} dies twice", who.id);
                dead.push(who.id);
            }
            prop_assert!(step.had >= had && step.had < newcomer.size);
            prop_assert!(step.freed.is_some(), "each had memory that could be read");
            had = step.had;
        }
        if let FitOutcome::Blocked { had, .. } = answer.outcome {
            prop_assert!(had < newcomer.size, "it would have had all");
        }
        prop_assert_eq!(answer.verdict() == FitVerdict::Fits, newcomer.size <= answer.room());
    }

    #[test]
    fn more_memory_never_costs_fewer_kills(
        sizes in proptest::collection::vec(1_u64..200, 1..10), available in 0_u64..300,
        size in 1_u64..1000, more in 1_u64..500,
    ) {
        let processes = || (10..).zip(&sizes).map(|(pid, &mib)| process(pid, mib, 0, "/")).collect();
        let one = ask(machine(available, processes(), vec![]), &asks(size, None));
        let other = ask(machine(available, processes(), vec![]), &asks(size + more, None));
        prop_assert_eq!(&other.steps[..one.steps.len().min(other.steps.len())], &one.steps[..]);
        prop_assert!(one.verdict() != FitVerdict::No || other.verdict() == FitVerdict::No);
    }
}
