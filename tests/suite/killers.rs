//! The userspace killers' rules, case by case, from what their sources say.

use std::sync::Arc;

use doomtop::model::{
    Ids, Killers, Nohang, Pressure, Process, Reading, Rule, RuleOn, Scene, ScoreScale, Snapshot,
    Stall, Text, Told,
};
use doomtop::policy::{
    Armed, BUSTD, EARLYOOM, EARLYOOM_RSS, LMKD, NOHANG, NOHANG_DESKTOP, Policy, RSS, RSS_SWAP,
    Reason, Verdict,
};
use doomtop::rank::Ranking;
use doomtop::units::{Adj, Kib, Pages};
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

fn told(mut snapshot: Snapshot, tell: impl FnOnce(&mut Killers)) -> Scene {
    tell(Arc::make_mut(&mut snapshot.killers));
    scene(snapshot)
}

/// The pids in the order of death, and their points.
fn order(policy: &dyn Policy, scene: &Scene) -> Vec<(i32, i64)> {
    let ranking = Ranking::new(policy, scene);
    let rows = ranking.rows().iter();
    rows.filter_map(|row| Some((row.id.pid, row.standing.points()?.0))).collect()
}

fn victim(policy: &dyn Policy, scene: &Scene) -> Option<i32> {
    order(policy, scene).first().map(|first| first.0)
}

fn reason(policy: &dyn Policy, scene: &Scene, pid: i32) -> Option<Reason> {
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
    let stall = Reading::Value(Stall { avg10, ..Stall::default() });
    snapshot.pressure = Pressure { some: stall, full: stall };
    snapshot
}

fn running<T>(told: &mut Told<T>) {
    told.found = doomtop::model::Found::Running(77);
    told.from = vec![text("/etc/x")];
}

#[track_caller]
fn says(armed: &Armed, words: &str) {
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
    assert_eq!(reason(&EARLYOOM, &scene, 13), Some(Reason::Ignored));
}

#[test]
fn earlyoom_leaves_the_first_two_and_kernel_threads_and_minus_1000_alone() {
    let mut root = scored(20, "rooted", 100, 800);
    root.ids = Reading::Value(Ids { uid: 0, euid: 0 });
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
    assert_eq!(reason(&EARLYOOM, &scene, 12), Some(Reason::Never));
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
        EARLYOOM.armed(&scene)
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
    says(&without, "no swap: its swap half counts as met");
    let mut tmpfs = level(stage(cast()), 20, None);
    tmpfs.memory.anon_kib = Reading::Value(Kib(180_000));
    let of_users = EARLYOOM.armed(&told(tmpfs.clone(), |it| running(&mut it.earlyoom)));
    assert!(of_users.ready, "20 of 200: {of_users:?}");
    let old = told(tmpfs, |it| {
        running(&mut it.earlyoom);
        it.earlyoom.options.before_1_8 = true;
    });
    assert!(!EARLYOOM.armed(&old).ready, "20 of 100");
}

#[test]
fn earlyoom_s_contradictions_are_said() {
    let never = vec![with_adj(scored(10, "a", 100, 700), -1000)];
    let spared = told(level(stage(never), 5, None), |it| running(&mut it.earlyoom));
    let armed = EARLYOOM.armed(&spared);
    assert!(!armed.ready);
    says(&armed, "spares everybody");
    let odd = told(level(stage(vec![scored(10, "a", 1, 7)]), 5, None), |it| {
        it.earlyoom.options.prefer = Some(text("(a"));
        it.earlyoom.options.dry_run = true;
    });
    let armed = EARLYOOM.armed(&odd);
    says(&armed, "not seen here; assumed defaults");
    says(&armed, "doomtop cannot follow the expression (a");
    says(&armed, "--dryrun: it kills nobody");
    assert_eq!(victim(&EARLYOOM, &odd), Some(10), "and nobody panics");
}

fn rule(on: RuleOn, adj: i32, pattern: &str) -> Rule {
    Rule { on, adj, pattern: text(pattern) }
}

fn nohang(cast: Vec<Process>, options: Nohang) -> Scene {
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
        rule(RuleOn::Name, 200, "^tab$"),
        rule(RuleOn::Name, 50, "a"),
        rule(RuleOn::Name, -200, "^dnf$"),
        rule(RuleOn::Uid, -10, "^1000$"),
        rule(RuleOn::Exe, -5000, "."),
    ];
    let scene = nohang(cast, Nohang { rules, ..Nohang::default() });
    assert_eq!(order(&NOHANG, &scene), [(10, 940), (14, 940), (11, 680)]);
    assert_eq!(
        reason(&NOHANG, &scene, 12),
        Some(Reason::Zero),
        "its floor is 0, and 1 is asked for"
    );
    assert_eq!(reason(&NOHANG, &scene, 1), Some(Reason::Init));
    says(&NOHANG.armed(&scene), "1 rules are not evaluated: they need the program's path");
}

#[test]
fn nohang_can_ignore_a_positive_adj() {
    let cast = || vec![with_adj(scored(10, "tab", 10, 900), 300)];
    let points = |ignore_positive_adj, up_to_0_2| {
        let options = Nohang { ignore_positive_adj, up_to_0_2, ..Nohang::default() };
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
        NOHANG.armed(&told(snapshot, |it| {
            running(&mut it.nohang);
            it.nohang.options.psi = psi;
        }))
    };
    assert!(armed(5, Some(10), 0.0, false).ready);
    assert!(!armed(6, Some(10), 0.0, false).ready);
    assert!(!armed(5, Some(11), 99.0, false).ready);
    assert!(armed(5, Some(90), 40.0, true).ready, "pressure in place of swap");
    assert!(!armed(6, Some(90), 99.0, true).ready, "but never without the memory limit");
    says(&armed(50, None, 99.0, true), "it ignores pressure then");
}

#[test]
fn the_desktop_file_prefers_tabs() {
    let cast = vec![scored(10, "firefox", 10, 800), scored(11, "Web Content", 10, 700)];
    let scene = scene(stage(cast));
    assert_eq!(order(&NOHANG_DESKTOP, &scene), [(11, 900), (10, 800)]);
    assert_eq!(victim(&NOHANG, &scene), Some(10));
    says(&NOHANG_DESKTOP.armed(&scene), "rules are not evaluated");
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
    assert_eq!(reason(&BUSTD, &scene, 6), Some(Reason::Never));
    says(&BUSTD.armed(&scene), "this kernel tells no pressure");
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
    assert_eq!(reason(&LMKD, &scene, 14), Some(Reason::Ignored));
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
