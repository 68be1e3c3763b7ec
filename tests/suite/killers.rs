//! The userspace killers' rules, case by case, from what their sources say.

use std::sync::Arc;

use doomtop::columns::{CommandStyle, RowContext, SizeUnit};
use doomtop::model::{
    Cgroup, Cgroups, Hierarchy, InstalledKillers, KillerOptions, Limit, Names, NohangOptions,
    NohangRule, NohangRuleField, NominatedUnit, OomRule, OomRuleAction, OomdXattrs, Pressure,
    Process, PsiLine, Reading, Scene, ScoreScale, Snapshot, Text, ThresholdAmount, UserIds,
    tree_order,
};
use doomtop::policy::{
    BUSTD, EARLYOOM, EARLYOOM_RSS, KUBELET, LMKD, NOHANG, NOHANG_DESKTOP, OOMD_IO, OOMD_PGSCAN,
    OOMD_PRESSURE, OOMD_SIZE, OOMD_SWAP, Policy, RSS, RSS_SWAP, SYSTEMD_OOMD_PRESSURE,
    SYSTEMD_OOMD_SWAP, SparedReason, TriggerLevel, TriggerState, Verdict,
};
use doomtop::rank::Ranking;
use doomtop::units::{Adj, Bytes, Kib, Millis, Pages};
use doomtop::words::next_victim::sentence;
use proptest::prelude::*;

use crate::stage::{kernel_thread, machine, process};

const GIB: u64 = 262_144;

fn text(words: &str) -> Text {
    Text::new(words.as_bytes())
}

/// A process with a score that the kernel is said to give it.
fn scored(pid: i32, comm: &str, rss: u64, score: u32) -> Process {
    Process { score: Reading::Value(score), ..process(pid, comm, rss) }
}

fn with_adj(subject: Process, adj: i16) -> Process {
    Process { adj: Reading::Value(Adj(adj)), ..subject }
}

fn stage(processes: Vec<Process>) -> Snapshot {
    machine(4 * GIB, ScoreScale::Signed, processes)
}

fn scene(snapshot: Snapshot) -> Scene {
    Scene::new(Arc::new(snapshot), None)
}

fn told(mut snapshot: Snapshot, tell: impl FnOnce(&mut InstalledKillers)) -> Scene {
    tell(Arc::make_mut(&mut snapshot.killers));
    scene(snapshot)
}

/// The pids in the order of death, and their points.
fn order(policy: &dyn Policy, scene: &Scene) -> Vec<(i32, i64)> {
    let ranking = Ranking::new(policy, scene);
    let rows = ranking.rows().iter();
    rows.filter_map(|row| Some((row.id.pid, row.placement.points()?.0))).collect()
}

fn victim(policy: &dyn Policy, scene: &Scene) -> Option<i32> {
    order(policy, scene).first().map(|first| first.0)
}

fn reason(policy: &dyn Policy, scene: &Scene, pid: i32) -> Option<SparedReason> {
    let at = scene.now().position(pid).expect("it is there");
    match policy.judge(&scene.now().processes[at], scene) {
        Verdict::Spared(reason) => Some(reason),
        Verdict::Scored(_) => None,
    }
}

/// Available memory and free swap of 100 each, in percent.
fn level(mut snapshot: Snapshot, available: u64, swap: Option<u64>) -> Snapshot {
    snapshot.memory.total_kib = Kib(100_000);
    snapshot.memory.available_kib = Reading::Value(Kib(available * 1000));
    snapshot.memory.anon_kib = Reading::Value(Kib((100 - available) * 1000));
    snapshot.swap.total_kib = Kib(swap.map_or(0, |_| 100_000));
    snapshot.swap.free_kib = Kib(swap.unwrap_or(0) * 1000);
    snapshot
}

fn pressed(mut snapshot: Snapshot, avg10: f32) -> Snapshot {
    let stall = Reading::Value(PsiLine { avg10, ..PsiLine::default() });
    snapshot.pressure = Pressure::of_memory(stall, stall);
    snapshot
}

fn running<T>(told: &mut KillerOptions<T>) {
    told.found = doomtop::model::KillerPresence::Running(77);
    told.from = vec![text("/etc/x")];
}

#[track_caller]
fn says(armed: &TriggerState, words: &str) {
    assert!(armed.why.contains(words), "{words:?} is not in {:?}", armed.why);
}

#[test]
fn earlyoom_goes_by_score_then_size_then_pid() {
    let pair = |a: (u64, u32), b: (u64, u32)| {
        let both = vec![scored(10, "a", a.0, a.1), scored(11, "b", b.0, b.1)];
        victim(&EARLYOOM, &scene(stage(both)))
    };
    assert_eq!(pair((100, 700), (900, 699)), Some(10), "the score decides");
    assert_eq!(pair((100, 700), (900, 700)), Some(11), "then the size");
    assert_eq!(pair((900, 700), (900, 700)), Some(10), "then who comes first");
}

#[test]
fn earlyoom_prefers_avoids_and_ignores() {
    let cast = || {
        vec![
            scored(10, "big", 90_000, 900),
            with_adj(scored(11, "calm", 10, 5), -900),
            scored(12, "sshd", 5000, 950),
            scored(13, "ignored", 5000, 999),
        ]
    };
    let scene = told(stage(cast()), |killers| {
        let options = &mut killers.earlyoom.options;
        options.prefer = Some(text("^(big|calm)$"));
        options.avoid = Some(text("ss[h]d"));
        options.ignore = Some(text("^ignored$"));
    });
    // A preferred process with a negative adj still has at least 300.
    assert_eq!(order(&EARLYOOM, &scene), [(10, 1200), (12, 650), (11, 305)]);
    assert_eq!(reason(&EARLYOOM, &scene, 13), Some(SparedReason::Ignored));
}

#[test]
fn earlyoom_leaves_the_first_two_and_kernel_threads_and_minus_1000_alone() {
    let mut root = scored(20, "rooted", 100, 800);
    root.ids = Reading::Value(UserIds { uid: 0, euid: 0 });
    let mut child = scored(21, "child-of-2", 100, 800);
    child.parent = 2;
    let cast = vec![
        scored(1, "init", 100, 1300),
        scored(2, "second", 100, 1300),
        kernel_thread(9, "kworker"),
        with_adj(scored(12, "never", 100, 1300), -1000),
        root,
        child,
        scored(22, "user", 100, 10),
    ];
    let scene = scene(stage(cast.clone()));
    assert_eq!(order(&EARLYOOM, &scene), [(20, 800), (22, 10)]);
    assert_eq!(reason(&EARLYOOM, &scene, 12), Some(SparedReason::Never));
    let no_root = told(stage(cast.clone()), |it| it.earlyoom.options.ignore_root = true);
    assert_eq!(order(&EARLYOOM, &no_root), [(22, 10)]);
    // Up to 1.7 only pid 1 is passed by, and whoever has no memory.
    let old = told(stage(cast), |it| it.earlyoom.options.before_1_8 = true);
    assert_eq!(order(&EARLYOOM, &old), [(2, 1300), (20, 800), (21, 800), (22, 10)]);
}

#[test]
fn up_to_1_7_nobody_below_zero_could_win() {
    let cast = || vec![scored(10, "sshd", 100, 250)];
    let avoid = |old| {
        told(stage(cast()), |killers| {
            killers.earlyoom.options.avoid = Some(text("sshd"));
            killers.earlyoom.options.before_1_8 = old;
        })
    };
    assert_eq!(order(&EARLYOOM, &avoid(false)), [(10, -50)]);
    assert_eq!(order(&EARLYOOM, &avoid(true)), []);
}

#[test]
fn an_avoided_process_below_3_gib_is_compared_by_its_score() {
    let cast = || vec![scored(10, "sshd", GIB, 900), scored(11, "small", 10, 700)];
    let avoid = told(stage(cast()), |it| it.earlyoom.options.avoid = Some(text("sshd")));
    assert_eq!(victim(&EARLYOOM_RSS, &avoid), Some(10), "so avoiding it did nothing");
    let plain = scene(stage(cast()));
    assert_eq!(victim(&EARLYOOM_RSS, &plain), Some(10));
    let above = vec![scored(10, "sshd", 4 * GIB, 900), scored(11, "two", 2 * GIB, 700)];
    let avoid = told(stage(above), |it| it.earlyoom.options.avoid = Some(text("sshd")));
    assert_eq!(victim(&EARLYOOM_RSS, &avoid), Some(11), "above 3 GiB it does");
    assert_eq!(order(&EARLYOOM_RSS, &avoid)[1], (10, GIB as i64));
}

#[test]
fn by_size_its_scan_is_no_order() {
    // rock beats paper by size, paper beats the empty one by score, the empty one beats rock.
    let rock = || scored(10, "rock", 9000, 100);
    let paper = || scored(11, "paper", 500, 900);
    let empty = || Process { pgtables: Reading::Value(Pages(1)), ..scored(12, "zombie", 0, 500) };
    let at = |pids: [i32; 3]| {
        let mut cast = [rock(), paper(), empty()];
        for (subject, pid) in cast.iter_mut().zip(pids) {
            subject.id.pid = pid;
        }
        let scene = scene(stage(cast.to_vec()));
        let first = victim(&EARLYOOM_RSS, &scene).unwrap();
        scene.now().processes[scene.now().position(first).unwrap()].comm.to_string()
    };
    assert_eq!(at([10, 11, 12]), "zombie", "rock, not paper, then the zombie by score");
    assert_eq!(at([12, 11, 10]), "rock", "the zombie, then paper by score, then rock by size");
    assert_eq!(at([11, 12, 10]), "paper", "the zombie, not rock by score, then paper by score");
}

#[test]
fn earlyoom_waits_for_both_memory_and_swap() {
    let cast = || vec![scored(10, "a", 100, 700)];
    let armed = |available, swap| {
        let scene = told(level(stage(cast()), available, swap), |it| running(&mut it.earlyoom));
        EARLYOOM.trigger_state(&scene)
    };
    let both = armed(10, Some(10));
    assert!(both.ready, "{both:?}");
    assert_eq!(both.triggers.iter().map(|it| it.met).collect::<Vec<_>>(), [Some(true); 2]);
    let waits = armed(10, Some(11));
    assert!(!waits.ready);
    says(&waits, "waits for SwapFree <= 10% (now 11.0%)");
    assert!(!armed(11, Some(5)).ready);
    let without = armed(9, None);
    assert!(without.ready);
    says(&without, "no swap: its swap condition counts as met");
    let mut tmpfs = level(stage(cast()), 20, None);
    tmpfs.memory.anon_kib = Reading::Value(Kib(180_000));
    let of_users = EARLYOOM.trigger_state(&told(tmpfs.clone(), |it| running(&mut it.earlyoom)));
    assert!(of_users.ready, "20 of 200: {of_users:?}");
    let old = told(tmpfs, |it| {
        running(&mut it.earlyoom);
        it.earlyoom.options.before_1_8 = true;
    });
    assert!(!EARLYOOM.trigger_state(&old).ready, "20 of 100");
}

#[test]
fn earlyoom_s_contradictions_are_said() {
    let never = vec![with_adj(scored(10, "a", 100, 700), -1000)];
    let spared = told(level(stage(never), 5, None), |it| running(&mut it.earlyoom));
    let armed = EARLYOOM.trigger_state(&spared);
    assert!(!armed.ready);
    says(&armed, "spares all processes");
    let odd = told(level(stage(vec![scored(10, "a", 1, 7)]), 5, None), |it| {
        it.earlyoom.options.prefer = Some(text("(a"));
        it.earlyoom.options.dry_run = true;
    });
    let armed = EARLYOOM.trigger_state(&odd);
    says(&armed, "not seen here; assumed defaults");
    says(&armed, "doomtop cannot compile the expression (a");
    says(&armed, "--dryrun: it kills nothing");
    assert_eq!(victim(&EARLYOOM, &odd), Some(10), "and nobody panics");
}

#[test]
fn with_g_the_whole_process_group_falls() {
    let in_group =
        |pid, comm: &str, score, group| Process { group, ..scored(pid, comm, 100, score) };
    let cast = || {
        vec![
            in_group(10, "make", 300, 10),
            in_group(11, "cc1plus", 900, 10),
            in_group(12, "cc1plus", 890, 10),
            in_group(13, "other", 700, 13),
            in_group(14, "old", 600, 0),
            in_group(15, "older", 599, 0),
        ]
    };
    let with = |group| told(stage(cast()), move |it| it.earlyoom.options.group = group);
    let company = |scene: &Scene, pid| {
        let victim = &scene.now().processes[scene.now().position(pid).unwrap()];
        EARLYOOM.also_killed(victim, scene).iter().map(|it| it.id.pid).collect::<Vec<_>>()
    };
    assert_eq!(company(&with(true), 11), [10, 12]);
    assert!(company(&with(true), 14).is_empty(), "not known");
    assert!(company(&with(false), 11).is_empty());
    let says = |group| {
        let scene = with(group);
        let ranking = Ranking::new(&EARLYOOM, &scene);
        let context = RowContext {
            scene: &scene,
            policy: &EARLYOOM,
            ranking: &ranking,
            names: &Names::default(),
            scale: SizeUnit::Auto,
            command: CommandStyle::Name,
        };
        sentence(&context).whole()
    };
    assert!(
        says(true)
            .contains("200 points ahead of 13 other. 2 more of its process group die with it"),
        "{}",
        says(true)
    );
    assert!(says(false).contains("10 points ahead of 12 cc1plus"), "{}", says(false));
}

fn rule(on: NohangRuleField, adj: i32, pattern: &str) -> NohangRule {
    NohangRule { on, adj, pattern: text(pattern) }
}

fn nohang(cast: Vec<Process>, options: NohangOptions) -> Scene {
    told(stage(cast), |it| it.nohang.options = options)
}

#[test]
fn nohang_adds_its_rules_and_never_tops_up_a_negative_adj() {
    let cast = vec![
        scored(1, "init", 10, 1300),
        scored(10, "tab", 10, 700),
        with_adj(scored(11, "tab", 10, 690), -1),
        scored(12, "dnf", 10, 100),
        scored(13, "zero", 10, 0),
        scored(14, "tab", 10, 700),
    ];
    let rules = vec![
        rule(NohangRuleField::Name, 200, "^tab$"),
        rule(NohangRuleField::Name, 50, "a"),
        rule(NohangRuleField::Name, -200, "^dnf$"),
        rule(NohangRuleField::Uid, -10, "^1000$"),
        rule(NohangRuleField::Exe, -5000, "."),
    ];
    let scene = nohang(cast, NohangOptions { rules, ..NohangOptions::default() });
    assert_eq!(order(&NOHANG, &scene), [(10, 940), (14, 940), (11, 680)]);
    assert_eq!(
        reason(&NOHANG, &scene, 12),
        Some(SparedReason::Zero),
        "its floor is 0, and 1 is asked for"
    );
    assert_eq!(reason(&NOHANG, &scene, 1), Some(SparedReason::Init));
    says(&NOHANG.trigger_state(&scene), "1 rule is not evaluated: it needs the program's path");
}

#[test]
fn nohang_can_ignore_a_positive_adj() {
    let cast = || vec![with_adj(scored(10, "tab", 10, 900), 300)];
    let points = |ignore_positive_adj, up_to_0_2| {
        let options = NohangOptions { ignore_positive_adj, up_to_0_2, ..NohangOptions::default() };
        order(&NOHANG, &nohang(cast(), options))[0].1
    };
    assert_eq!(points(false, false), 900);
    assert_eq!(points(true, false), 700, "two thirds: what the score gained");
    assert_eq!(points(true, true), 600, "0.2.0 takes off all of it");
}

#[test]
fn nohang_s_thresholds_and_what_it_makes_of_pressure() {
    let cast = || vec![scored(10, "a", 100, 700)];
    let armed = |available, swap, full, psi| {
        let snapshot = pressed(level(stage(cast()), available, swap), full);
        NOHANG.trigger_state(&told(snapshot, |it| {
            running(&mut it.nohang);
            it.nohang.options.psi = psi;
        }))
    };
    assert!(armed(5, Some(10), 0.0, false).ready);
    assert!(!armed(6, Some(10), 0.0, false).ready);
    assert!(!armed(5, Some(11), 99.0, false).ready);
    assert!(armed(5, Some(90), 40.0, true).ready, "pressure in place of swap");
    assert!(!armed(6, Some(90), 99.0, true).ready, "but never without the memory limit");
    says(&armed(50, None, 99.0, true), "it ignores pressure");
}

/// A real file has its hard limits above the soft ones: SIGKILL comes first, and much earlier.
#[test]
fn nohang_s_hard_limits_may_be_above_its_soft_ones() {
    let state = |available, swap| {
        let snapshot = level(stage(vec![scored(10, "a", 100, 700)]), available, swap);
        NOHANG.trigger_state(&told(snapshot, |it| {
            running(&mut it.nohang);
            let options = &mut it.nohang.options;
            let percent = ThresholdAmount::Percent;
            (options.soft.mem, options.soft.swap) = (percent(15.0), percent(14.0));
            (options.hard.mem, options.hard.swap) = (percent(30.0), percent(100.0));
        }))
    };
    let early = state(25, Some(90));
    assert!(early.ready, "{early:?}");
    says(&early, "its hard limits are reached before the soft ones: it sends SIGKILL at once");
    assert!(!state(31, Some(90)).ready);
}

#[test]
fn the_desktop_file_prefers_tabs() {
    let cast = vec![scored(10, "firefox", 10, 800), scored(11, "Web Content", 10, 700)];
    let scene = scene(stage(cast));
    assert_eq!(order(&NOHANG_DESKTOP, &scene), [(11, 900), (10, 800)]);
    assert_eq!(victim(&NOHANG, &scene), Some(10));
    says(&NOHANG_DESKTOP.trigger_state(&scene), "rules are not evaluated");
}

#[test]
fn bustd_begins_with_whoever_is_first() {
    let cast = vec![
        scored(1, "init", 10, 1300),
        with_adj(scored(5, "first", 10, 900), -1000),
        with_adj(scored(6, "never", 10, 950), -1000),
        scored(7, "empty", 0, 950),
        scored(8, "user", 10, 800),
    ];
    let scene = scene(stage(cast));
    assert_eq!(order(&BUSTD, &scene), [(5, 900), (8, 800)]);
    assert_eq!(reason(&BUSTD, &scene, 6), Some(SparedReason::Never));
    says(&BUSTD.trigger_state(&scene), "this kernel has no PSI");
}

#[test]
fn lmkd_goes_by_adj_alone() {
    let adj = |pid, rss, adj| with_adj(process(pid, "app", rss), adj);
    let cast = vec![
        adj(10, 10, 900),
        adj(11, 99, 900),
        adj(12, 10, 200),
        adj(13, 99, 200),
        adj(14, 9999, -1),
        adj(15, 5, 0),
    ];
    let scene = scene(stage(cast));
    let pids: Vec<i32> = order(&LMKD, &scene).iter().map(|row| row.0).collect();
    assert_eq!(pids, [10, 11, 13, 12, 15], "the older above 200, the larger from there down");
    assert_eq!(reason(&LMKD, &scene, 14), Some(SparedReason::Ignored));
}

#[test]
fn the_largest_is_the_largest() {
    let mut swapped = process(11, "swapped", 50);
    swapped.swap = Reading::Value(Pages(100));
    let never = with_adj(process(12, "never", 9999), -1000);
    let scene = scene(stage(vec![process(10, "resident", 100), swapped, never]));
    assert_eq!(order(&RSS, &scene), [(10, 100), (11, 50)]);
    assert_eq!(order(&RSS_SWAP, &scene), [(11, 150), (10, 100)]);
}

/// The scan of `is_larger()`, written once more, straight from its words.
fn naive_scan(cast: &[Process], avoid: &str) -> Option<i32> {
    let mut champion: Option<(i64, i64, i32)> = None;
    for it in cast {
        if it.adj == Reading::Value(Adj(-1000)) {
            continue;
        }
        let mut size = it.rss_stat.0 as i64 * 4;
        if it.comm.to_string() == avoid {
            size -= 3_145_728;
        }
        let score = i64::from(it.score.value().unwrap());
        let (old_size, old_score) = champion.map_or((-9999, -9999), |it| (it.0, it.1));
        let wins = if size > 0 && old_size > 0 {
            size > old_size || (size == old_size && score > old_score)
        } else {
            score > old_score || (score == old_score && size > old_size)
        };
        if wins {
            champion = Some((size, score, it.id.pid));
        }
    }
    champion.map(|it| it.2)
}

proptest! {
    #[test]
    fn the_scan_by_size_is_that_of_the_source(
        cast in proptest::collection::vec((0_u64..3, 0_u32..4, 0_usize..2, 0_u8..8), 1..12)
    ) {
        let cast: Vec<Process> = cast
            .into_iter()
            .enumerate()
            .map(|(nth, (size, score, name, never))| {
                let one = scored(10 + nth as i32, ["a", "avoided"][name], size * 500_000, score);
                with_adj(one, if never == 0 { -1000 } else { 0 })
            })
            .collect();
        let scene = told(stage(cast.clone()), |it| {
            it.earlyoom.options.avoid = Some(text("^avoided$"));
        });
        prop_assert_eq!(victim(&EARLYOOM_RSS, &scene), naive_scan(&cast, "avoided"));
    }
}

/// A cgroup with this much memory and swap, in pages.
fn group(path: &str, usage: u64, swap: u64) -> Cgroup {
    Cgroup {
        path: Arc::new(text(path)),
        usage: Reading::Value(Bytes(usage * 4096)),
        swap_usage: Reading::Value(Bytes(swap * 4096)),
        ..Cgroup::default()
    }
}

/// A look at these cgroups, with so many processes in each.
fn tree(groups: Vec<(Cgroup, usize)>) -> Snapshot {
    let mut cast = Vec::new();
    for (group, count) in &groups {
        for _ in 0..*count {
            let mut one = process(10 + cast.len() as i32, "some", 10);
            one.cgroup = Reading::Value(Arc::clone(&group.path));
            cast.push(one);
        }
    }
    let mut snapshot = stage(cast);
    let mut list: Vec<Cgroup> = groups.into_iter().map(|(group, _)| group).collect();
    list.sort_by(|a, b| tree_order(a.path.as_str(), b.path.as_str()));
    snapshot.cgroups =
        Arc::new(Cgroups { hierarchy: Reading::Value(Hierarchy::V2), read_ms: Millis(1), list });
    snapshot
}

fn stalls(group: Cgroup, avg10: f32, avg60: f32) -> Cgroup {
    let full = Reading::Value(PsiLine { avg10, avg60, ..PsiLine::default() });
    Cgroup { pressure: Pressure::of_memory(full, full), ..group }
}

fn scans(group: Cgroup, pgscan: u64) -> Cgroup {
    Cgroup { pgscan: Reading::Value(pgscan), ..group }
}

/// A few services, a session with one group that falls as a whole, and the root.
fn usual_tree() -> Vec<(Cgroup, usize)> {
    let whole = Cgroup { oom_group: Reading::Value(true), ..group("/user.slice/app", 50, 3000) };
    vec![
        (group("/", 0, 9000), 1),
        (group("/system.slice", 400, 4000), 0),
        (group("/system.slice/a.service", 100, 2000), 2),
        (group("/system.slice/b.service", 300, 400), 1),
        (group("/user.slice", 60, 3000), 0),
        (whole, 1),
        (group("/user.slice/app/tab", 10, 100), 1),
    ]
}

fn with_swap(mut snapshot: Snapshot, total: u64, free: u64) -> Snapshot {
    snapshot.swap.total_kib = Kib(total * 4);
    snapshot.swap.free_kib = Kib(free * 4);
    snapshot
}

#[test]
fn systemd_oomd_kills_the_leaf_or_the_whole_group_with_most_swap() {
    let snapshot = with_swap(tree(usual_tree()), 10_000, 500);
    let scene = told(snapshot, |it| running(&mut it.systemd_oomd));
    // 10 is in the root, which is no leaf; 13 has 4 % of all swap.
    assert_eq!(order(&SYSTEMD_OOMD_SWAP, &scene), [(14, 3000), (15, 3000), (11, 2000), (12, 2000)]);
    assert_eq!(reason(&SYSTEMD_OOMD_SWAP, &scene, 10), Some(SparedReason::NoCandidate));
    assert_eq!(reason(&SYSTEMD_OOMD_SWAP, &scene, 13), Some(SparedReason::Zero));
    let first = scene.now().processes[scene.now().position(14).unwrap()].clone();
    let company: Vec<i32> =
        SYSTEMD_OOMD_SWAP.also_killed(&first, &scene).iter().map(|it| it.id.pid).collect();
    assert_eq!(company, [15]);
    says(&SYSTEMD_OOMD_SWAP.trigger_state(&scene), "first: /user.slice/app (2 processes)");
}

#[test]
fn five_percent_of_all_swap_is_not_enough() {
    let five = with_swap(tree(vec![(group("/a.service", 1, 500), 1)]), 10_000, 500);
    let armed = SYSTEMD_OOMD_SWAP.trigger_state(&scene(five));
    says(&armed, "no cgroup has ManagedOOMSwap=kill");
    let at = |swap| {
        let groups = vec![(group("/", 1, swap), 0), (group("/a.service", 1, swap), 1)];
        let mut snapshot = level(tree(groups), 5, Some(5));
        snapshot = with_swap(snapshot, 10_000, 500);
        told(snapshot, |it| running(&mut it.systemd_oomd))
    };
    let exactly = SYSTEMD_OOMD_SWAP.trigger_state(&at(500));
    assert!(!exactly.ready);
    says(&exactly, "no candidate has more than 5 % of all swap");
    assert!(SYSTEMD_OOMD_SWAP.trigger_state(&at(501)).ready);
}

#[test]
fn without_swap_systemd_oomd_can_never_fire() {
    let snapshot = with_swap(level(tree(usual_tree()), 1, None), 0, 0);
    let armed =
        SYSTEMD_OOMD_SWAP.trigger_state(&told(snapshot, |it| running(&mut it.systemd_oomd)));
    assert!(!armed.ready);
    says(&armed, "0 < 0 is never true, so this rule never acts");
}

#[test]
fn only_below_who_asks_for_it() {
    let scene = told(with_swap(tree(usual_tree()), 10_000, 500), |it| {
        it.systemd_oomd.options.nominated = vec![NominatedUnit {
            unit: text("system.slice"),
            swap: true,
            ..NominatedUnit::default()
        }];
    });
    assert_eq!(order(&SYSTEMD_OOMD_SWAP, &scene), [(11, 2000), (12, 2000)]);
}

#[test]
fn a_dry_run_of_systemd_oomd_kills_nobody() {
    let scene = |dry_run| {
        told(with_swap(tree(usual_tree()), 10_000, 500), |it| {
            running(&mut it.systemd_oomd);
            it.systemd_oomd.options.dry_run = dry_run;
        })
    };
    for policy in [&SYSTEMD_OOMD_SWAP, &SYSTEMD_OOMD_PRESSURE] {
        assert!(policy.acts_here(&scene(false)) && !policy.acts_here(&scene(true)));
        says(&policy.trigger_state(&scene(true)), "--dry-run: it kills nothing");
    }
}

#[test]
fn under_pressure_systemd_oomd_goes_by_what_reclaim_does() {
    let user = "/user.slice/user-7.slice/user@7.service";
    let tab = format!("{user}/tab.scope");
    let idle = format!("{user}/idle.scope");
    let sample = |share, tab_scans, idle_scans| {
        tree(vec![
            (group("/", 0, 0), 0),
            (stalls(scans(group(user, 900, 0), tab_scans + idle_scans), share, 0.0), 0),
            (scans(group(&tab, 100, 0), tab_scans), 1),
            (scans(group(&idle, 800, 0), idle_scans), 1),
        ])
    };
    let mut scene = told(sample(51.0, 1000, 9000), |it| running(&mut it.systemd_oomd));
    // With one look nobody can tell, and the larger memory decides.
    assert_eq!(order(&SYSTEMD_OOMD_PRESSURE, &scene), [(11, 0), (10, 0)]);
    says(&SYSTEMD_OOMD_PRESSURE.trigger_state(&scene), "needs two samples");
    let mut next = sample(51.0, 1700, 9100);
    next.killers = Arc::clone(&scene.now().killers);
    scene.advance(Arc::new(next));
    assert_eq!(order(&SYSTEMD_OOMD_PRESSURE, &scene), [(10, 700), (11, 100)]);
    let armed = SYSTEMD_OOMD_PRESSURE.trigger_state(&scene);
    assert!(armed.ready, "{armed:?}");
    let mut calm = sample(50.0, 1800, 9200);
    calm.killers = Arc::clone(&scene.now().killers);
    scene.advance(Arc::new(calm));
    assert!(!SYSTEMD_OOMD_PRESSURE.trigger_state(&scene).ready, "above, not at, the limit of 50 %");
}

fn marked(group: Cgroup, marks: OomdXattrs) -> Cgroup {
    Cgroup { xattrs: Some(marks), ..group }
}

#[test]
fn marks_count_by_who_set_them() {
    let user = "/user.slice/user-7.slice/user@7.service";
    let avoid = OomdXattrs { avoid: true, ..OomdXattrs::default() };
    let omit = OomdXattrs { omit: true, ..OomdXattrs::default() };
    let at = |name: &str, scanned, marks: Option<OomdXattrs>| {
        let one = scans(group(&format!("{user}/{name}"), 9, 600), scanned);
        (Cgroup { xattrs: marks, ..one }, 1)
    };
    let mut groups = vec![(group("/", 0, 0), 0), (stalls(group(user, 9, 0), 60.0, 0.0), 0)];
    groups.extend([
        at("a", 90, Some(avoid)),
        at("b", 80, None),
        at("c", 70, Some(OomdXattrs { owner: 7, ..avoid })),
        at("d", 60, Some(OomdXattrs { owner: 8, ..omit })),
        at("e", 50, Some(omit)),
        at("f", 40, Some(OomdXattrs { owner: 7, ..omit })),
    ]);
    let past = tree(groups.iter().map(|(it, count)| (scans(it.clone(), 0), *count)).collect());
    let now = with_swap(tree(groups), 10_000, 500);
    let scene = Scene::new(Arc::new(now), Some(Arc::new(past)));
    let pids = |policy| order(policy, &scene).iter().map(|row| row.0).collect::<Vec<_>>();
    // By swap only root's marks count; under pressure the session's owner's too.
    assert_eq!(pids(&SYSTEMD_OOMD_SWAP), [11, 12, 13, 15, 10]);
    assert_eq!(pids(&SYSTEMD_OOMD_PRESSURE), [11, 13, 10, 12]);
    assert_eq!(reason(&SYSTEMD_OOMD_PRESSURE, &scene, 15), Some(SparedReason::Ignored));
}

#[test]
fn oomd_goes_by_its_marks_first() {
    let service = |name: &str, swap| group(&format!("/system.slice/{name}"), 10 * swap, swap);
    let prefer = OomdXattrs { prefer: true, ..OomdXattrs::default() };
    let avoid = OomdXattrs { avoid: true, ..OomdXattrs::default() };
    let scene = scene(tree(vec![
        (marked(service("a", 900), avoid), 1),
        (service("b", 100), 1),
        (marked(service("c", 20), prefer), 1),
    ]));
    for policy in [&OOMD_SWAP, &OOMD_SIZE] {
        let pids: Vec<i32> = order(policy, &scene).iter().map(|row| row.0).collect();
        assert_eq!(pids, [12, 11, 10], "{}", policy.id());
    }
}

#[test]
fn only_what_lies_below_the_stalling_cgroup_is_looked_at() {
    let unit = |name: &str| NominatedUnit {
        unit: text(name),
        pressure: true,
        limit: Some(50.0),
        ..NominatedUnit::default()
    };
    let sample = |new: bool| {
        let mut groups = vec![
            (stalls(group("/calm.slice", 9, 0), 10.0, 0.0), 0),
            (scans(group("/calm.slice/a", 9, 0), 7000), 1),
            (stalls(group("/hot.slice", 9, 0), 60.0, 0.0), 0),
            (scans(group("/hot.slice/b", 9, 0), 10), 1),
        ];
        if new {
            groups.push((scans(group("/hot.slice/c", 9, 0), 90), 1));
        }
        let mut snapshot = tree(groups);
        let options = &mut Arc::make_mut(&mut snapshot.killers).systemd_oomd.options;
        options.nominated = vec![unit("calm.slice"), unit("hot.slice")];
        Arc::new(snapshot)
    };
    let mut scene = Scene::new(sample(false), None);
    assert_eq!(order(&SYSTEMD_OOMD_PRESSURE, &scene), [(11, 0), (10, 0)]);
    scene.advance(sample(true));
    // Whoever is new counts from nothing.
    assert_eq!(order(&SYSTEMD_OOMD_PRESSURE, &scene), [(12, 90), (11, 0), (10, 0)]);
}

/// A rule file of systemd 261.
fn rule_file(name: &str, limits: [Option<f64>; 2], action: OomRuleAction) -> OomRule {
    let [pressure, swap] = limits;
    OomRule { name: text(name), pressure, swap, seconds: 2.0, action }
}

/// Two cgroups with rules, one of which stalls; three quarters of the swap are used.
fn with_rule_files(action: OomRuleAction, limits: [Option<f64>; 2]) -> Scene {
    let sample = |scanned: u64| {
        let groups = vec![
            (stalls(group("/calm.slice", 9, 0), 5.0, 0.0), 0),
            (scans(group("/calm.slice/a", 9, 900), 9000), 1),
            (stalls(group("/hot.slice", 9, 0), 30.0, 0.0), 0),
            (scans(group("/hot.slice/b", 9, 700), 900 + scanned), 1),
            (scans(group("/hot.slice/c", 9, 800), 3 * scanned), 2),
        ];
        let mut snapshot = with_swap(tree(groups), 10_000, 2500);
        let killer = &mut Arc::make_mut(&mut snapshot.killers).systemd_oomd;
        running(killer);
        killer.options.version = Some(261);
        killer.options.rules = vec![rule_file("r", limits, action)];
        let unit = |name: &str| NominatedUnit {
            unit: text(name),
            rules: vec![text("r"), text("gone")],
            ..NominatedUnit::default()
        };
        killer.options.nominated = vec![unit("calm.slice"), unit("hot.slice")];
        Arc::new(snapshot)
    };
    Scene::new(sample(200), Some(sample(100)))
}

#[test]
fn rule_files_of_systemd_oomd_act_when_all_their_conditions_hold() {
    let by_reclaim = OomRuleAction::KillByPgscan;
    let scene = with_rule_files(by_reclaim, [Some(10.0), Some(70.0)]);
    assert!(SYSTEMD_OOMD_PRESSURE.acts_here(&scene) && !SYSTEMD_OOMD_SWAP.acts_here(&scene));
    // Only below the cgroup that stalls. Reclaim scanned 300 more pages in c, and 100 in b, but a rule file counts
    // all that were ever scanned.
    assert_eq!(order(&SYSTEMD_OOMD_PRESSURE, &scene)[..2], [(11, 1100), (12, 600)]);
    let rules = SYSTEMD_OOMD_PRESSURE.trigger_rules(&scene);
    let met: Vec<Vec<Option<bool>>> =
        rules.iter().map(|it| it.levels.iter().map(TriggerLevel::met).collect()).collect();
    assert_eq!(met, [[Some(false), Some(true)], [Some(true), Some(true)]]);
    assert!(rules.iter().all(|it| it.lasting == Millis(2000)));
    let state = SYSTEMD_OOMD_PRESSURE.trigger_state(&scene);
    assert!(state.ready, "{state:?}");
    says(
        &state,
        "rule r of /hot.slice: full avg10 > 10% and swap used > 70% for 2 s, then kill-by-pgscan",
    );
    says(&state, "systemd 261");
    // Each condition alone is not enough.
    for limits in [[Some(10.0), Some(80.0)], [Some(30.0), Some(70.0)]] {
        let state = SYSTEMD_OOMD_PRESSURE.trigger_state(&with_rule_files(by_reclaim, limits));
        assert!(!state.ready, "{limits:?}: {state:?}");
    }
}

#[test]
fn the_pressure_of_the_root_cgroup_makes_systemd_oomd_kill_nobody() {
    let with = |unit: &str| {
        let sample = |scanned: u64| {
            let groups = vec![
                (scans(stalls(group("/", 9, 0), 90.0, 0.0), scanned), 0),
                (scans(stalls(group("/a", 9, 0), 90.0, 0.0), scanned), 1),
            ];
            let mut snapshot = with_swap(tree(groups), 10_000, 9000);
            let killer = &mut Arc::make_mut(&mut snapshot.killers).systemd_oomd;
            running(killer);
            let unit =
                NominatedUnit { unit: text(unit), pressure: true, ..NominatedUnit::default() };
            killer.options.nominated = vec![unit];
            Arc::new(snapshot)
        };
        Scene::new(sample(200), Some(sample(100)))
    };
    let root = with("-.slice");
    assert!(SYSTEMD_OOMD_PRESSURE.trigger_rules(&root).is_empty());
    let state = SYSTEMD_OOMD_PRESSURE.trigger_state(&root);
    assert!(!state.ready, "{state:?}");
    says(&state, "it never sees reclaim");
    let other = with("a");
    assert_eq!(SYSTEMD_OOMD_PRESSURE.trigger_rules(&other).len(), 1);
}

#[test]
fn a_rule_file_kills_by_swap_or_the_whole_cgroup() {
    let scene = with_rule_files(OomRuleAction::KillBySwap, [None, Some(70.0)]);
    assert!(SYSTEMD_OOMD_SWAP.acts_here(&scene) && !SYSTEMD_OOMD_PRESSURE.acts_here(&scene));
    assert_eq!(order(&SYSTEMD_OOMD_SWAP, &scene), [(10, 900), (12, 800), (13, 800), (11, 700)]);
    let state = SYSTEMD_OOMD_SWAP.trigger_state(&scene);
    assert!(state.ready, "available memory does not count: {state:?}");
    let over = with_rule_files(OomRuleAction::KillBySwap, [None, Some(75.0)]);
    assert!(!SYSTEMD_OOMD_SWAP.trigger_state(&over).ready, "above, not at, the limit");

    let scene = with_rule_files(OomRuleAction::KillAll, [Some(10.0), None]);
    let first = scene.now().processes[scene.now().position(11).expect("b")].clone();
    let with: Vec<i32> =
        SYSTEMD_OOMD_PRESSURE.also_killed(&first, &scene).iter().map(|it| it.id.pid).collect();
    assert_eq!(with, [12, 13], "the watched cgroup dies as a whole");
}

#[test]
fn oomd_by_size_has_three_phases() {
    let sample = |a, b, c| {
        let service = |name: &str, pages| (group(&format!("/system.slice/{name}"), pages, 0), 1);
        let mut groups = vec![(group("/system.slice", 0, 0), 0)];
        groups.extend([service("a", a), service("b", b), service("c", c)]);
        Arc::new(tree(groups))
    };
    let ranks = |scene: &Scene| {
        let ranking = Ranking::new(&OOMD_SIZE, scene);
        ranking.rows().iter().map(|row| (row.id.pid, row.class)).collect::<Vec<_>>()
    };
    let mut scene = Scene::new(sample(500, 300, 100), None);
    assert_eq!(ranks(&scene), [(10, 2), (11, 0), (12, 0)], "half of all and more");
    scene.advance(sample(400, 300, 200));
    assert_eq!(ranks(&scene), [(10, 0), (11, 0), (12, 0)], "c doubled, but is not of the largest");
    scene.advance(sample(400, 500, 200));
    assert_eq!(ranks(&scene), [(11, 1), (10, 0), (12, 0)], "b grew by two thirds");
    says(&OOMD_SIZE.trigger_state(&Scene::new(sample(5, 3, 1), None)), "growth needs two samples");
}

#[test]
fn oomd_by_swap_and_by_pressure() {
    let service = |name: &str, swap, share| {
        stalls(group(&format!("/system.slice/{name}"), 10, swap), share, share / 2.0)
    };
    let groups = vec![
        (stalls(group("/system.slice", 0, 0), 81.0, 0.0), 0),
        (service("a", 100, 10.0), 1),
        (service("b", 300, 11.9), 1),
        (service("c", 0, 50.0), 1),
        (group("/elsewhere", 0, 9999), 1),
    ];
    let scene = told(with_swap(tree(groups), 1000, 90), |it| running(&mut it.oomd));
    assert_eq!(order(&OOMD_SWAP, &scene), [(11, 300), (10, 100)]);
    assert_eq!(order(&OOMD_PRESSURE, &scene), [(12, 37), (11, 8), (10, 7)]);
    assert_eq!(reason(&OOMD_SWAP, &scene, 13), Some(SparedReason::NoCandidate));
    assert!(OOMD_SWAP.trigger_state(&scene).ready);
    assert!(OOMD_PRESSURE.trigger_state(&scene).ready);
    let none = told(with_swap(tree(usual_tree()), 0, 0), |it| running(&mut it.oomd));
    says(&OOMD_SWAP.trigger_state(&none), "no swap: this rule never acts");
}

#[test]
fn oomd_by_reclaim_needs_two_looks_and_a_page() {
    let service =
        |name: &str, count| (scans(group(&format!("/system.slice/{name}"), 9, 0), count), 1);
    let sample = |groups| Arc::new(tree(groups));
    let first = sample(vec![service("a", 9000), service("b", 100), service("c", 500)]);
    let mut scene = Scene::new(first, None);
    assert_eq!(order(&OOMD_PGSCAN, &scene), []);
    says(&OOMD_PGSCAN.trigger_state(&scene), "needs two samples");
    // a did not move, c was made anew, d is new.
    scene.advance(sample(vec![
        service("a", 9000),
        service("b", 107),
        service("c", 20),
        service("d", 4000),
    ]));
    assert_eq!(order(&OOMD_PGSCAN, &scene), [(11, 7)]);
    assert_eq!(reason(&OOMD_PGSCAN, &scene, 13), Some(SparedReason::Zero));
    says(&OOMD_PGSCAN.trigger_state(&scene), "first: /system.slice/b");
}

#[test]
fn oomd_by_reads_and_writes_weighs_the_devices_that_it_was_told_of() {
    use doomtop::model::{IoStat, IoWeights};
    let used =
        |device, read_ios, write_ios| IoStat { device, read_ios, write_ios, ..IoStat::default() };
    let service = |name: &str, io: Vec<IoStat>| {
        let mut group = group(&format!("/system.slice/{name}"), 9, 0);
        group.io = io;
        (group, 1)
    };
    let (disk, flash, other) = ((8, 0), (259, 0), (7, 0));
    let nothing = || vec![used(disk, 5, 5), used(flash, 5, 5), used(other, 5, 5)];
    let first =
        || tree(vec![service("a", nothing()), service("b", nothing()), service("c", nothing())]);
    let devices = vec![(disk, IoWeights::HDD), (flash, IoWeights::SSD)];
    let with = |devices: &[_]| {
        told(first(), |it| {
            running(&mut it.oomd);
            it.oomd.options.devices = devices.to_vec();
        })
    };
    let mut scene = with(&devices);
    assert_eq!(order(&OOMD_IO, &scene), []);
    says(&OOMD_IO.trigger_state(&scene), "needs two samples");
    // Many reads are cheap for a disk, few writes are dear; what is done on others counts nothing.
    let mut next = tree(vec![
        service("a", vec![used(disk, 1005, 5)]),
        service("b", vec![used(disk, 5, 105), used(flash, 5, 5)]),
        service("c", vec![used(other, 99_999, 99_999)]),
    ]);
    next.killers = Arc::clone(&scene.now().killers);
    scene.advance(Arc::new(next));
    assert_eq!(order(&OOMD_IO, &scene), [(11, 25_800), (10, 1_244)]);
    assert_eq!(reason(&OOMD_IO, &scene, 12), Some(SparedReason::Zero));
    says(&OOMD_IO.trigger_state(&with(&[])), "runs without --device");

    assert_eq!(IoWeights::parse("1,2"), Some(IoWeights([1.0, 2.0, 0.0, 0.0, 0.0, 0.0])));
    assert_eq!(IoWeights::parse("1,x"), None);
    assert_eq!(IoWeights::parse("inf"), None);
}

#[test]
fn the_kubelet_ends_the_pod_furthest_above_its_request() {
    let burst = "/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-podaa.slice";
    let best = "/kubepods/besteffort/podbb";
    let sure = "/kubepods/podcc";
    let ctr = |pod: &str| format!("{pod}/ctr");
    let limited =
        Cgroup { limit: Reading::Value(Limit::At(Bytes(70_000 * 4096))), ..group(sure, 60_000, 0) };
    let mut snapshot = tree(vec![
        (group("/", 0, 0), 1),
        (group(burst, 300_000, 0), 0),
        (group(&ctr(burst), 300_000, 0), 1),
        (group(best, 5_000, 0), 0),
        (group(&ctr(best), 5_000, 0), 1),
        (limited, 0),
        (group(&ctr(sure), 60_000, 0), 1),
    ]);
    snapshot.memory.total_kib = Kib(4_000_000);
    for (at, adj) in [(1, 750), (2, 1000), (3, -997)] {
        snapshot.processes[at].adj = Reading::Value(Adj(adj));
    }
    let scene = scene(snapshot);
    // A million pages: 250 of 1000 requested, none, and all of the limit.
    assert_eq!(order(&KUBELET, &scene), [(11, 50_000), (12, 5000), (13, -10_000)]);
    assert_eq!(reason(&KUBELET, &scene, 10), Some(SparedReason::NoCandidate));
    says(&KUBELET.trigger_state(&scene), burst);
}

/// A desk with services, a session and pods, its swap nearly full: the second of two looks.
fn desk() -> Scene {
    let mut samples = crate::fixtures::samples("desk-7.jsonl").into_iter();
    let mut scene = Scene::new(samples.next().expect("a look"), None);
    samples.for_each(|sample| drop(scene.advance(sample)));
    scene
}

/// Who falls first on the desk, in which cgroup, and with how many.
fn falls(policy: &dyn Policy, scene: &Scene) -> (String, usize) {
    let ranking = Ranking::new(policy, scene);
    let victim = ranking.victim().and_then(|row| scene.find(row.id)).expect("a victim");
    (victim.comm.to_string(), policy.also_killed(victim, scene).len())
}

#[test]
fn every_killer_of_cgroups_takes_somebody_of_a_desk() {
    let scene = desk();
    for (policy, victim, with) in [
        // More swap is in the database, which root marked, and the user's own mark counts for nothing.
        (&SYSTEMD_OOMD_SWAP as &dyn Policy, "notes", 0),
        // More reclaim is in the shell and the notes, which their user marked.
        (&SYSTEMD_OOMD_PRESSURE, "firefox", 1),
        // All programs of the session are one candidate.
        (&OOMD_SIZE, "firefox", 3),
        (&OOMD_SWAP, "firefox", 3),
        (&OOMD_PRESSURE, "firefox", 3),
        (&OOMD_PGSCAN, "batch", 1),
        (&KUBELET, "crawler", 0),
    ] {
        assert_eq!(falls(policy, &scene), (victim.to_owned(), with), "{}", policy.id());
        assert!(policy.trigger_state(&scene).why.contains("first: "), "{}", policy.id());
    }
}

/// The desk with some of its cgroups changed.
fn changed_desk(change: impl Fn(&mut Cgroup)) -> Scene {
    let mut samples = crate::fixtures::samples("desk-7.jsonl").into_iter().map(|sample| {
        let mut sample = (*sample).clone();
        Arc::make_mut(&mut sample.cgroups).list.iter_mut().for_each(&change);
        Arc::new(sample)
    });
    let mut scene = Scene::new(samples.next().expect("a look"), None);
    samples.for_each(|sample| drop(scene.advance(sample)));
    scene
}

#[test]
fn what_is_to_be_avoided_dies_where_nobody_else_can() {
    let only = |name: &'static str| {
        changed_desk(move |group| {
            if !group.path.as_str().ends_with(name) {
                group.swap_usage = Reading::Value(Bytes(1));
                group.pgscan = Reading::Value(0);
                group.usage = Reading::Value(Bytes::ZERO);
            }
        })
    };
    assert_eq!(falls(&SYSTEMD_OOMD_SWAP, &only("postgresql.service")).0, "postgres");
    assert_eq!(falls(&SYSTEMD_OOMD_PRESSURE, &only("wayland.service")).0, "gnome-shell");
    // What is to be omitted is not taken even then, by whoever listens to that mark.
    let notes = only("app-notes.scope");
    assert_eq!(order(&SYSTEMD_OOMD_PRESSURE, &notes), []);
    assert_eq!(falls(&SYSTEMD_OOMD_SWAP, &notes).0, "notes");
    let omitted = changed_desk(|group| {
        if group.path.as_str().ends_with("app-notes.scope") {
            group.xattrs = Some(OomdXattrs { omit: true, ..OomdXattrs::default() });
        }
    });
    assert_eq!(
        reason(&SYSTEMD_OOMD_SWAP, &omitted, 740),
        Some(SparedReason::Ignored),
        "root's counts"
    );
    assert_eq!(falls(&SYSTEMD_OOMD_SWAP, &omitted).0, "game");
}

#[test]
fn a_mark_by_somebody_else_counts_for_nothing() {
    let by = |owner: u32| {
        let scene = changed_desk(move |group| {
            if let Some(marks) = &mut group.xattrs {
                marks.owner = owner;
            }
        });
        (falls(&SYSTEMD_OOMD_SWAP, &scene).0, falls(&SYSTEMD_OOMD_PRESSURE, &scene).0)
    };
    let names = |swap: &str, pressure: &str| (swap.to_owned(), pressure.to_owned());
    assert_eq!(by(0), names("game", "firefox"));
    assert_eq!(by(1000), names("notes", "firefox"));
    assert_eq!(by(1001), names("notes", "notes"));
}

#[test]
fn a_group_that_falls_as_a_whole_is_not_gone_into() {
    let scene = changed_desk(|group| {
        if group.path.as_str().ends_with("app.slice") {
            group.oom_group = Reading::Value(true);
        }
    });
    // Its own swap counts, and a mark of what lies below does not.
    assert_eq!(falls(&SYSTEMD_OOMD_SWAP, &scene), ("firefox".to_owned(), 3));
    assert_eq!(falls(&SYSTEMD_OOMD_PRESSURE, &scene), ("firefox".to_owned(), 3));
}

#[test]
fn who_scanned_nothing_and_holds_nothing_is_passed_by() {
    let scene = changed_desk(|group| {
        if group.path.as_str().ends_with(".scope") {
            (group.pgscan, group.usage) = (Reading::Value(0), Reading::Value(Bytes::ZERO));
        }
    });
    assert_eq!(reason(&SYSTEMD_OOMD_PRESSURE, &scene, 720), Some(SparedReason::Zero));
    assert_eq!(falls(&SYSTEMD_OOMD_PRESSURE, &scene).0, "gnome-shell", "the only one left");
}

#[test]
fn on_the_desk_both_of_systemd_oomd_s_rules_hold() {
    let scene = desk();
    let armed = SYSTEMD_OOMD_SWAP.trigger_state(&scene);
    assert!(armed.triggers.iter().all(|it| it.met == Some(true)), "{armed:?}");
    let armed = SYSTEMD_OOMD_PRESSURE.trigger_state(&scene);
    assert!(armed.triggers.iter().all(|it| it.met == Some(true)), "{armed:?}");
    says(&armed, "/user.slice/user-1000.slice/user@1000.service");
    // At the limit is not above it.
    let calm = changed_desk(|group| {
        let limit = PsiLine { avg10: 50.0, ..PsiLine::default() };
        group.pressure.full = Reading::Value(limit);
    });
    assert!(!SYSTEMD_OOMD_PRESSURE.trigger_state(&calm).ready);
}

#[test]
fn every_killer_says_what_it_waits_for_on_every_machine() {
    let machines = ["db-03", "small", "strict", "hostile", "desk-7"];
    for sample in
        machines.iter().flat_map(|name| crate::fixtures::samples(&format!("{name}.jsonl")))
    {
        let scene = Scene::new(sample, None);
        for policy in doomtop::policy::POLICIES {
            let armed = policy.trigger_state(&scene);
            assert!(!armed.why.is_empty() && !armed.why.contains("; ;"), "{}", policy.id());
            assert!(!armed.why.contains('\n') && !armed.why.contains('\u{1b}'), "{}", armed.why);
        }
    }
}
