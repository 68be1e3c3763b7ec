//! Every formula against its table of cases, and the properties that hold whatever the numbers.

use std::sync::Arc;

use doomtop::app::refresh::self_check::{ScoreAgreement, SelfCheck};
use doomtop::columns::{CommandStyle, RowContext, SizeUnit};
use doomtop::model::{
    BpfOom, BpfOomPolicy, Capabilities, Cgroup, Cgroups, Hierarchy, Limit, Names, PanicOnOom,
    Process, Reading, RssSource, Scene, Scope, ScoreScale, Signal, Snapshot, Text, UserIds,
};
use doomtop::policy::compare;
use doomtop::policy::sacrifice;
use doomtop::policy::{
    LINUX, LINUX_2_4, LINUX_2_4_22, LINUX_4_17, LINUX_5_9, Override, POLICIES, Policy,
    SparedReason, TieBreak, Verdict, int_sqrt_24, kernel_score,
};
use doomtop::rank::{Placement, Ranked, Ranking};
use doomtop::units::{Adj, Bytes, LegacyAdj, Pages, Points, Ticks};
use doomtop::words::next_victim::sentence;
use doomtop::words::overridden;
use proptest::prelude::*;
use serde_json::Value;

use crate::stage::{cast, kernel_thread, machine, process, usual, with_scores};

fn vectors(section: &str) -> Vec<Value> {
    let all: Value = serde_json::from_str(include_str!("../fixtures/vectors.json")).unwrap();
    let cases = all[section].as_array().unwrap_or_else(|| panic!("{section} is a list"));
    assert!(!cases.is_empty());
    cases.clone()
}

fn number(case: &Value, key: &str) -> i64 {
    case["in"][key].as_i64().unwrap_or(0)
}

fn modern(section: &str, policy: &dyn Policy, scale: ScoreScale) {
    for case in vectors(section) {
        let mut subject = process(5000, "case", number(&case, "rss") as u64);
        subject.swap = Reading::Value(Pages(number(&case, "swap") as u64));
        subject.pgtables = Reading::Value(Pages(number(&case, "pgtable_pages") as u64));
        subject.adj = Reading::Value(Adj(number(&case, "adj") as i16));
        let total = number(&case, "total") as u64;
        let scene = Scene::new(Arc::new(machine(total, scale, vec![subject])), None);
        let subject = &scene.now().processes[0];
        match policy.judge(subject, &scene) {
            Verdict::Scored(badness) => {
                assert_eq!(Some(badness.points.0), case["badness"].as_i64(), "{case}");
                let sum: i64 = badness.terms.as_slice().iter().map(|term| term.points.0).sum();
                assert_eq!(sum, badness.points.0, "the terms add up: {case}");
            }
            Verdict::Spared(reason) => {
                assert_eq!(reason, SparedReason::Never, "{case}");
                let none = case["badness"].as_i64();
                assert!(none.is_none() || none == Some(0) || none == Some(i64::MIN), "{case}");
            }
        }
        let score = u64::from(kernel_score(subject, &scene));
        assert_eq!(Some(score), case["oom_score"].as_u64(), "{case}");
    }
}

#[test]
fn today_s_rule_to_the_page() {
    modern("badness_5_9_plus", &LINUX_5_9, ScoreScale::Signed);
    modern("badness_5_9_plus", &LINUX, ScoreScale::Signed);
}

#[test]
fn the_rule_of_4_17_to_the_page() {
    modern("badness_4_17_to_5_8", &LINUX_4_17, ScoreScale::Floored);
    modern("badness_4_17_to_5_8", &LINUX, ScoreScale::Floored);
}

#[test]
fn the_rough_root_of_2_4_to_the_bit() {
    for case in vectors("int_sqrt_24") {
        let (value, root) = (case[0].as_u64().unwrap(), case[1].as_u64().unwrap());
        assert_eq!(u64::from(int_sqrt_24(value as u32)), root, "of {value}");
    }
}

#[test]
fn the_root_of_2_6_is_the_floor() {
    for case in vectors("int_sqrt_26") {
        let (value, root) = (case[0].as_u64().unwrap(), case[1].as_u64().unwrap());
        assert_eq!(value.isqrt(), root, "of {value}");
    }
}

#[test]
fn the_rule_of_2_4_to_the_point() {
    for case in vectors("badness_2_4_20") {
        let flag = |key: &str| case["in"][key].as_bool().unwrap_or(false);
        let id = |key: &str| case["in"][key].as_u64().map_or(1000, |id| id as u32);
        let mut subject = process(5000, "case", 0);
        subject.vsize = Bytes(number(&case, "total_vm") as u64 * 4096);
        subject.has_mm = case["in"]["has_mm"].as_bool().unwrap_or(true);
        subject.cpu = Ticks(number(&case, "cpu_jiffies") as u64);
        subject.nice = number(&case, "nice") as i8;
        subject.ids = Reading::Value(UserIds { uid: id("uid"), euid: id("euid") });
        let caps = u64::from(flag("cap_sys_admin")) << 21 | u64::from(flag("cap_sys_rawio")) << 17;
        subject.caps = Reading::Value(Capabilities(caps));
        subject.dying = flag("pf_memdie");
        let policy = if flag("memdie_check") { &LINUX_2_4_22 } else { &LINUX_2_4 };
        let mut snapshot = machine(1_000_000, ScoreScale::Signed, vec![subject]);
        let born = snapshot.processes[0].id.born;
        snapshot.clock.uptime_ticks = born + Ticks(number(&case, "run_jiffies") as u64);
        let scene = Scene::new(Arc::new(snapshot), None);
        let points = match policy.judge(&scene.now().processes[0], &scene) {
            Verdict::Scored(badness) => {
                let sum: i64 = badness.terms.as_slice().iter().map(|term| term.points.0).sum();
                assert_eq!(sum, badness.points.0, "the terms add up: {case}");
                badness.points.0
            }
            Verdict::Spared(_) => 0,
        };
        assert_eq!(Some(points), case["badness"].as_i64(), "{case}");
    }
}

#[test]
fn the_two_scales_of_adj_turn_into_each_other_as_the_kernel_does_it() {
    for case in vectors("oom_adj_write_to_oom_score_adj") {
        let (legacy, modern) = (case[0].as_i64().unwrap(), case[1].as_i64().unwrap());
        assert_eq!(LegacyAdj(legacy as i8).modern(), Adj(modern as i16));
    }
    for case in vectors("oom_score_adj_to_oom_adj_5_10_plus") {
        let (modern, legacy) = (case[0].as_i64().unwrap(), case[1].as_i64().unwrap());
        assert_eq!(Adj(modern as i16).legacy(), LegacyAdj(legacy as i8), "{modern}");
    }
    let on = |kernel: &str| {
        let mut snapshot = usual();
        Arc::make_mut(&mut snapshot.machine).kernel = Text::new(kernel.as_bytes());
        snapshot.machine
    };
    for (section, kernel) in [
        ("oom_score_adj_to_oom_adj_2_6_36_to_3_6", "3.6.5"),
        ("oom_score_adj_to_oom_adj_3_7_to_5_9", "5.9.1"),
        ("oom_score_adj_to_oom_adj_5_10_plus", "5.10.89"),
    ] {
        let machine = on(kernel);
        for case in vectors(section) {
            let (modern, legacy) = (case[0].as_i64().unwrap(), case[1].as_i64().unwrap());
            let read = machine.legacy(Adj(modern as i16));
            assert_eq!(read, LegacyAdj(legacy as i8), "{modern} on {kernel}");
        }
    }
    for case in vectors("oom_adj_roundtrip_3_7_plus") {
        let (written, read) = (case[0].as_i64().unwrap(), case[2].as_i64().unwrap());
        let stored = LegacyAdj(written as i8).modern();
        assert_eq!(Some(i64::from(stored.0)), case[1].as_i64());
        assert_eq!(on("5.10.89").legacy(stored), LegacyAdj(read as i8), "{written}");
    }
}

#[test]
fn whoever_cannot_be_chosen_says_why() {
    let scene = Scene::new(Arc::new(with_scores(usual())), None);
    let reason = |pid: i32| {
        let at = scene.now().position(pid).unwrap();
        match LINUX.judge(&scene.now().processes[at], &scene) {
            Verdict::Spared(reason) => Some(reason),
            Verdict::Scored(_) => None,
        }
    };
    assert_eq!(reason(1), Some(SparedReason::Init));
    assert_eq!(reason(2), Some(SparedReason::Kernel));
    assert_eq!(reason(50), Some(SparedReason::Never));
    assert_eq!(reason(600), None);
}

#[test]
fn pid_1_of_a_container_is_a_candidate() {
    let mut snapshot = usual();
    Arc::make_mut(&mut snapshot.machine).initial_pid_namespace = false;
    let scene = Scene::new(Arc::new(snapshot), None);
    assert!(matches!(LINUX.judge(&scene.now().processes[0], &scene), Verdict::Scored(_)));
}

#[test]
fn a_kernel_score_of_zero_reveals_a_vfork_child() {
    let mut child = process(700, "vforked", 5000);
    child.score = Reading::Value(0);
    child.score_fresh = true;
    let scene = Scene::new(Arc::new(machine(1_000_000, ScoreScale::Signed, vec![child])), None);
    let verdict = LINUX.judge(&scene.now().processes[0], &scene);
    assert!(matches!(verdict, Verdict::Spared(SparedReason::Skipped)), "{verdict:?}");
}

#[test]
fn the_sacrifice_is_gentle_with_whoever_drives_hardware() {
    let scene = Scene::new(Arc::new(usual()), None);
    let rule = |pid| sacrifice(&scene.now().processes[scene.now().position(pid).unwrap()]);
    assert_eq!(rule(400).signal, Signal::TERM);
    assert_eq!(rule(600).signal, Signal::KILL);
    let unread = Process { caps: Reading::Denied, ..process(9, "x", 1) };
    assert_eq!(sacrifice(&unread).signal, Signal::TERM, "in doubt the gentle one");
}

#[test]
fn equals_die_in_the_order_of_their_age() {
    let twins = || vec![process(900, "old", 4000), process(901, "young", 4000)];
    let first = |scale| {
        let scene = Scene::new(Arc::new(machine(1_000_000, scale, twins())), None);
        Ranking::new(&LINUX, &scene).victim().unwrap().id.pid
    };
    assert_eq!(first(ScoreScale::Signed), 901, "5.3 and later: the last one scanned");
    let scene = Scene::new(Arc::new(machine(1_000_000, ScoreScale::Signed, twins())), None);
    assert_eq!(Ranking::new(&LINUX_2_4, &scene).victim().unwrap().id.pid, 900);
}

#[test]
fn growth_makes_it_too_close_to_call() {
    let sample = |rss, at| {
        let cast = vec![process(900, "steady", 10_000), process(901, "grower", rss)];
        let mut snapshot = machine(1_000_000, ScoreScale::Signed, cast);
        snapshot.clock.monotonic_ms.0 = at;
        Arc::new(snapshot)
    };
    let mut scene = Scene::new(sample(9000, 1000), None);
    assert_eq!(Ranking::new(&LINUX, &scene).candidates().len(), 1, "nothing is known to move");
    scene.advance(sample(9600, 3000));
    let ranking = Ranking::new(&LINUX, &scene);
    assert!(ranking.too_close(), "600 pages a look reach the 400 that are missing");
    let pids: Vec<i32> = ranking.candidates().iter().map(|id| id.pid).collect();
    assert_eq!(pids, [900, 901]);
    scene.advance(sample(9700, 5000));
    let ranking = Ranking::new(&LINUX, &scene);
    assert!(ranking.too_close(), "100 pages this time: growth comes in jerks");
    for look_nr in 0..12 {
        scene.advance(sample(9700, 7000 + look_nr * 2000));
    }
    assert!(!Ranking::new(&LINUX, &scene).too_close(), "at rest for ten looks");
    // Within twice the growth of one refresh: the kill may come late in the next one.
    let mut scene = Scene::new(sample(9000, 1000), None);
    scene.advance(sample(9350, 3000));
    assert!(Ranking::new(&LINUX, &scene).too_close(), "650 are missing, 350 a look");
    scene.advance(sample(9200, 5000));
    assert!(!Ranking::new(&LINUX, &scene).too_close(), "800 are missing");
}

#[test]
fn the_lead_of_a_close_call_is_that_over_a_candidate() {
    let sample = |growers: i64, rss| {
        let steady = [process(900, "steady", 10_000), process(901, "behind", 9950)];
        let mut cast = steady.to_vec();
        cast.extend((growers > 0).then(|| process(902, "grower", growers as u64)));
        let mut snapshot = machine(1_000_000, ScoreScale::Signed, cast);
        snapshot.clock.monotonic_ms.0 = rss;
        Arc::new(snapshot)
    };
    let mut scene = Scene::new(sample(9000, 1000), None);
    scene.advance(sample(9700, 3000));
    let ranking = Ranking::new(&LINUX, &scene);
    let pids: Vec<i32> = ranking.candidates().iter().map(|id| id.pid).collect();
    assert_eq!(pids, [900, 902], "the runner-up rests 50 pages behind");
    assert_eq!(ranking.margin(), Some(Points(50)), "over the runner-up");
    let (lead, uncertainty) = ranking.rival().expect("a candidate");
    assert_eq!(lead, Points(300));
    assert!(uncertainty.points() >= lead, "{uncertainty:?}");
    let (names, scale) = (Names::default(), SizeUnit::Auto);
    let (policy, command) = (&LINUX, CommandStyle::Name);
    let context =
        RowContext { scene: &scene, policy, ranking: &ranking, names: &names, scale, command };
    let text = sentence(&context).whole();
    assert!(text.contains("902 grower (lead 1M, uncertainty "), "{text}");
    // Alone, nobody overtakes.
    assert_eq!(Ranking::new(&LINUX, &Scene::new(sample(0, 1000), None)).rival(), None);
}

#[test]
fn where_growth_makes_everybody_a_candidate_the_sentence_says_that_nothing_is_known_yet() {
    let text = |leap: u64| {
        let sample = |at: u64, first: u64| {
            let crowd = (901..920).map(|pid| process(pid, "equal", 9000 + pid as u64));
            let cast: Vec<Process> =
                [process(900, "leaps", first)].into_iter().chain(crowd).collect();
            let mut snapshot = machine(1_000_000, ScoreScale::Signed, cast);
            snapshot.clock.monotonic_ms.0 = at;
            Arc::new(snapshot)
        };
        let mut scene = Scene::new(sample(1000, 10_000 + leap), None);
        scene.advance(sample(1300, 10_000));
        let ranking = Ranking::new(&LINUX, &scene);
        let (names, scale) = (Names::default(), SizeUnit::Auto);
        let (policy, command) = (&LINUX, CommandStyle::Name);
        let context =
            RowContext { scene: &scene, policy, ranking: &ranking, names: &names, scale, command };
        sentence(&context).whole()
    };
    let leapt = text(8000);
    assert!(leapt.contains("or 18 others (not known yet: lead "), "{leapt}");
    assert!(text(0).contains("900 leaps"), "it rests: {}", text(0));
    assert!(!text(0).contains("not known yet"), "it rests: {}", text(0));
}

fn any_process(pid: i32) -> impl Strategy<Value = Process> {
    (
        0_u64..400_000,
        0_u64..50_000,
        0_u64..2000,
        -1000_i16..=1000,
        0_u8..6,
        -20_i8..20,
        any::<u64>(),
    )
        .prop_map(move |(rss, swap, tables, adj, kind, nice, caps)| {
            let mut subject = match kind {
                0 => kernel_thread(pid, "kworker"),
                _ => process(pid, "some", rss),
            };
            subject.swap = if kind == 1 { Reading::Missing } else { Reading::Value(Pages(swap)) };
            subject.pgtables = Reading::Value(Pages(tables));
            subject.adj = if kind == 2 { Reading::Denied } else { Reading::Value(Adj(adj)) };
            subject.has_mm = kind != 0 && kind != 3;
            subject.nice = nice;
            subject.caps = Reading::Value(Capabilities(caps));
            subject
        })
}

fn any_machine() -> impl Strategy<Value = Vec<Process>> {
    (1_usize..40).prop_flat_map(|count| {
        (0..count).map(|nth| any_process(nth as i32 + 1)).collect::<Vec<_>>()
    })
}

proptest! {
    #[test]
    fn every_ranking_is_a_permutation_in_order(processes in any_machine(), floored in any::<bool>()) {
        let scale = if floored { ScoreScale::Floored } else { ScoreScale::Signed };
        let count = processes.len();
        let scene = Scene::new(Arc::new(machine(900_000, scale, processes)), None);
        for policy in POLICIES {
            let ranking = Ranking::new(*policy, &scene);
            let mut positions: Vec<u32> = ranking.rows().iter().map(|row| row.at).collect();
            positions.sort_unstable();
            prop_assert_eq!(positions, (0..count as u32).collect::<Vec<_>>());
            let keys = |row: &Ranked| Some((row.class, row.placement.points()?.0, row.second));
            let scored: Vec<(i8, i64, i64)> = ranking.rows().iter().map_while(keys).collect();
            // Whom a scan finds stands first, whatever its points.
            let found = usize::from(policy.traits(&scene).scans).min(scored.len());
            let rest = &scored[found..];
            prop_assert!(rest.is_sorted_by(|a, b| a >= b), "{}: {:?}", policy.id(), scored);
            prop_assert_eq!(scored.len(), ranking.eligible());
            let spared = &ranking.rows()[ranking.eligible()..];
            let all_spared = spared.iter().all(|row| matches!(row.placement, Placement::Spared(_)));
            prop_assert!(all_spared);
            for (at, process) in scene.now().processes.iter().enumerate() {
                let (_, row) = ranking.place(at).unwrap();
                prop_assert_eq!(row.id, process.id);
                if let Verdict::Scored(badness) = policy.judge(process, &scene) {
                    let sum: i64 = badness.terms.as_slice().iter().map(|t| t.points.0).sum();
                    prop_assert_eq!(sum, badness.points.0);
                }
            }
        }
    }

    #[test]
    fn raising_adj_never_lowers_badness(subject in any_process(7), more in 0_i16..2000) {
        let mut raised = subject.clone();
        if let Reading::Value(adj) = subject.adj {
            raised.adj = Reading::Value(Adj::clamped(i64::from(adj.0) + i64::from(more)));
        }
        let scene = Scene::new(Arc::new(machine(900_000, ScoreScale::Signed, cast())), None);
        for policy in [&LINUX, &LINUX_5_9, &LINUX_4_17] {
            match (policy.judge(&subject, &scene), policy.judge(&raised, &scene)) {
                (Verdict::Scored(before), Verdict::Scored(after)) => {
                    prop_assert!(after.points >= before.points);
                }
                (Verdict::Scored(_), Verdict::Spared(reason)) => {
                    prop_assert!(false, "raising adj spared it: {reason:?}");
                }
                _ => {}
            }
        }
    }
}

/// A process whose kernel score was read as 0.
fn scored_zero(fresh: bool, adj: i16) -> Process {
    Process {
        score: Reading::Value(0),
        score_fresh: fresh,
        adj: Reading::Value(Adj(adj)),
        ..process(700, "vforked", 5000)
    }
}

#[test]
fn a_zero_from_an_earlier_look_spares_nobody() {
    let stale = vec![scored_zero(false, 0)];
    let scene = Scene::new(Arc::new(machine(1_000_000, ScoreScale::Signed, stale)), None);
    let verdict = LINUX.judge(&scene.now().processes[0], &scene);
    assert!(matches!(verdict, Verdict::Scored(_)), "{verdict:?}");
}

#[test]
fn whom_the_kernel_skips_is_no_disagreement_and_everybody_else_is() {
    let computed = |scale, subject: Process| {
        let scene = Scene::new(Arc::new(machine(1_000_000, scale, vec![subject])), None);
        compare(&scene.now().processes[0], &scene)
    };
    let signed = |subject| computed(ScoreScale::Signed, subject);
    assert_eq!(signed(scored_zero(true, 0)), Some((0, 0)));
    assert_eq!(signed(scored_zero(true, -997)), Some((0, 0)));
    assert_eq!(signed(scored_zero(false, 0)), None, "not read beside the sizes");
    // Below -997 the formula has its own small numbers, and on the old scale 0 is nothing special.
    assert_eq!(signed(Process { rss_stat: Pages(9000), ..scored_zero(true, -998) }), Some((7, 0)));
    assert_eq!(computed(ScoreScale::Floored, scored_zero(true, 0)), Some((5, 0)));
    for wrong in [1, 668, 670] {
        let subject = Process { score: Reading::Value(wrong), ..scored_zero(true, 0) };
        assert_eq!(signed(subject), Some((670, wrong)));
    }
}

/// What 2.4 gives to a process of this size, CPU time, age (ticks) and nice value.
fn points_24(pages: u64, cpu: u64, age: u64, nice: i8) -> Option<i64> {
    let subject = Process {
        vsize: Bytes(pages.saturating_mul(4096)),
        cpu: Ticks(cpu),
        nice,
        ..process(5000, "old", 0)
    };
    let mut snapshot = machine(1_000_000, ScoreScale::Signed, vec![subject]);
    snapshot.clock.uptime_ticks = snapshot.processes[0].id.born + Ticks(age);
    let scene = Scene::new(Arc::new(snapshot), None);
    match LINUX_2_4.judge(&scene.now().processes[0], &scene) {
        Verdict::Scored(badness) => Some(badness.points.0),
        Verdict::Spared(_) => None,
    }
}

#[test]
fn times_beyond_an_int_are_shifted_before_they_become_one() {
    const DAY: u64 = 86_400 * 100;
    // 300 days are 19775 units of 2^17 ticks: int_sqrt 116, and of that 11 (12 if cut at 2^31).
    assert_eq!(points_24(132_000, 0, 300 * DAY, 0), Some(12_000));
    // 3e9 ticks of CPU are 2929687 units of 2^10: int_sqrt 1430.
    assert_eq!(int_sqrt_24(2_929_687), 1430);
    assert_eq!(points_24(1_430_000, 3_000_000_000, 0, 0), Some(1000));
    // At the edge of the int itself, and beyond all that can be.
    for age in [(1 << 31) - 1, 1 << 31, (1 << 31) + 1] {
        let root = int_sqrt_24(int_sqrt_24((age >> 17) as u32));
        assert_eq!(points_24(132_000, 0, age, 0), Some(132_000 / i64::from(root)));
    }
    assert!(points_24(u64::MAX, u64::MAX, u64::MAX - 6000, 19).is_some());
}

#[test]
fn a_huge_nice_process_is_not_doubled_into_nothing() {
    assert_eq!(points_24(1 << 29, 0, 0, 5), Some(1 << 30));
    for pages in [1 << 30, (1 << 31) - 1, 1 << 31, 5 << 28] {
        assert_eq!(points_24(pages, 0, 0, 5), Some(i64::from(i32::MAX)), "{pages} pages");
    }
}

#[test]
fn growth_is_measured_by_the_counter_that_the_killer_reads() {
    let sample = |source, rss_stat, rss_exact, swap| {
        let subject =
            Process { rss_stat: Pages(rss_stat), rss_exact, swap, ..process(900, "grower", 0) };
        let mut snapshot = machine(1_000_000, ScoreScale::Signed, vec![subject]);
        Arc::make_mut(&mut snapshot.machine).rss_source = source;
        Arc::new(snapshot)
    };
    let grown = |then: Arc<Snapshot>, now: Arc<Snapshot>| {
        let scene = Scene::new(now, Some(then));
        scene.growth(&scene.now().processes[0]).unwrap().pages.0
    };
    let is = |pages| Reading::Value(Pages(pages));
    for (source, pages) in [(RssSource::Stat, 10), (RssSource::Status, 700)] {
        let before = sample(source, 5000, is(5100), is(0));
        assert_eq!(grown(before, sample(source, 5010, is(5800), is(0))), pages);
    }
    // What only one of the two looks has cannot be compared: that is no growth.
    let before = sample(RssSource::Status, 5000, Reading::NotAsked, Reading::NotAsked);
    assert_eq!(grown(before, sample(RssSource::Status, 5010, is(5800), is(400))), 10);
}

#[test]
fn the_swap_counter_is_in_doubt_only_where_no_file_tells_what_the_killer_reads() {
    let drift = |kernel: &str, cpus, swap, machine_swaps: bool| {
        let subject = Process { swap: Reading::Value(Pages(swap)), ..process(900, "x", 100) };
        let mut snapshot = machine(1_000_000, ScoreScale::Signed, vec![subject]);
        snapshot.swap.total_kib.0 = 1000;
        snapshot.swap.free_kib.0 = if machine_swaps { 0 } else { 1000 };
        let host = Arc::make_mut(&mut snapshot.machine);
        host.kernel = Text::new(kernel.as_bytes());
        host.cpus = cpus;
        let scene = Scene::new(Arc::new(snapshot), None);
        let drift = LINUX.drift(&scene.now().processes[0], &scene);
        assert_eq!(drift.down, drift.up.min(Pages(swap)), "no counter is below zero");
        drift.up.0
    };
    // Two CPUs, each with up to batch - 1 = 31 pages of its own.
    for (kernel, bound) in
        [("6.1.0", 0), ("6.2.0", 0), ("6.11.9", 0), ("6.12.95", 62), ("6.19.14", 62), ("7.0.0", 0)]
    {
        assert_eq!(drift(kernel, 2, 5, true), bound, "{kernel}");
        assert_eq!(drift(kernel, 2, 0, true), bound, "what went out may be back in: {kernel}");
        assert_eq!(drift(kernel, 2, 0, false), 0, "a counter that was never touched is exact");
    }
    assert_eq!(drift("6.18.0", 64, 5, true), 64 * 127);
    assert_eq!(drift("6.18.0", u32::MAX, 5, true), u64::MAX, "whatever a recording says");
}

proptest! {
    #[test]
    fn the_candidates_are_those_that_asking_everybody_finds(
        before in any_machine(),
        now in any_machine(),
        exact in any::<bool>(),
    ) {
        let sample = |processes| {
            let mut snapshot = machine(900_000, ScoreScale::Signed, processes);
            snapshot.swap.total_kib.0 = 1000;
            if exact {
                Arc::make_mut(&mut snapshot.machine).rss_source = RssSource::Status;
            }
            Arc::new(snapshot)
        };
        let scene = Scene::new(sample(now), Some(sample(before)));
        for policy in POLICIES {
            let ranking = Ranking::new(*policy, &scene);
            let mut naive = Vec::new();
            if let Some(first) = ranking.victim() {
                let drift = |row: &Ranked| {
                    policy.drift(&scene.now().processes[row.at as usize], &scene)
                };
                let down = drift(first).down;
                let floor = first.placement.points().unwrap() - down.points();
                naive.push(first.id);
                let unseen = policy.traits(&scene).tie_break == TieBreak::Unseen;
                naive.extend(ranking.rows()[1..ranking.eligible()].iter().filter(|row| {
                    let up = drift(row).up;
                    let highest = row.placement.points().unwrap() + up.points();
                    let moves = unseen || (up + down).0 > 0;
                    row.class == first.class && moves && highest >= floor
                }).map(|row| row.id));
            }
            prop_assert_eq!(ranking.candidates(), &naive[..], "{}", policy.id());
            for process in &scene.now().processes {
                let drift = policy.drift(process, &scene);
                prop_assert!(policy.max_drift_up(&scene) >= drift.up);
            }
        }
    }
}

/// The usual cast with its true scores, but these.
fn look_with(scores: &[(i32, u32)], gone: &[i32]) -> Arc<Snapshot> {
    let mut snapshot = with_scores(usual());
    snapshot.processes.retain(|process| !gone.contains(&process.id.pid));
    for &(pid, score) in scores {
        let at = snapshot.position(pid).unwrap();
        snapshot.processes[at].score = Reading::Value(score);
    }
    Arc::new(snapshot)
}

#[test]
fn the_check_speaks_of_the_living_only() {
    let mut check = SelfCheck::default();
    let mut take = |snapshot| {
        check.update(&Scene::new(snapshot, None));
        let suspects: Vec<i32> = check.suspects().map(|id| id.pid).collect();
        (check.count(), suspects)
    };
    assert_eq!(take(look_with(&[(500, 999), (600, 999)], &[])), ((9, 9), vec![500, 600]));
    assert_eq!(take(look_with(&[(500, 999), (600, 999)], &[])), ((7, 9), vec![500, 600]));
    assert_eq!(take(look_with(&[(600, 999)], &[500])), ((7, 8), vec![600]));
    assert_eq!(take(look_with(&[], &[500, 600])), ((7, 7), vec![]));
    // Whoever has the pid now starts afresh.
    let mut reborn = SelfCheck::default();
    reborn.update(&Scene::new(look_with(&[(500, 999)], &[]), None));
    let mut next = look_with(&[(500, 999)], &[]);
    let at = next.position(500).unwrap();
    Arc::make_mut(&mut next).processes[at].id.born = Ticks(77_777);
    let id = next.processes[at].id;
    reborn.update(&Scene::new(next, None));
    assert_eq!((reborn.count(), reborn.of(id)), ((9, 9), Some(ScoreAgreement::Suspect)));
}

#[test]
fn a_skipped_process_is_sysrq_again_lest_it_come_and_go() {
    let mut check = SelfCheck::default();
    let again = |check: &SelfCheck| check.suspects().map(|id| id.pid).collect::<Vec<_>>();
    check.update(&Scene::new(look_with(&[(600, 0)], &[]), None));
    assert_eq!((check.count(), again(&check)), ((9, 9), vec![600]));
    let mut unread = look_with(&[(600, 0)], &[]);
    let at = unread.position(600).unwrap();
    Arc::make_mut(&mut unread).processes[at].score_fresh = false;
    check.update(&Scene::new(unread, None));
    assert_eq!((check.count(), again(&check)), ((9, 9), vec![600]), "as it was known");
    check.update(&Scene::new(look_with(&[], &[]), None));
    assert_eq!((check.count(), again(&check)), ((9, 9), vec![]));
}

/// A machine with a limited cgroup, and these BPF policies.
fn with_bpf(policies: Reading<Vec<BpfOomPolicy>>) -> Scene {
    let path = || Arc::new(Text::new(b"/pods/a"));
    let mut cast = cast();
    cast[0].cgroup = Reading::Value(path());
    let mut sample = machine(1 << 20, ScoreScale::Signed, cast);
    let limited = Cgroup {
        path: path(),
        limit: Reading::Value(Limit::At(Bytes(1 << 30))),
        usage: Reading::Value(Bytes(1 << 20)),
        ..Cgroup::default()
    };
    let hierarchy = Reading::Value(Hierarchy::V2);
    sample.cgroups = Arc::new(Cgroups { hierarchy, list: vec![limited], ..Cgroups::default() });
    sample.bpf_oom = Arc::new(BpfOom { supported: true, policies });
    Scene::scoped(Arc::new(sample), None, Scope::Global)
}

#[test]
fn a_bpf_policy_decides_in_its_cgroup_and_below() {
    let at = |cgroup: Option<&str>| {
        let cgroup = cgroup.map(|path| Text::new(path.as_bytes()));
        let policy = BpfOomPolicy { name: Text::new(b"largest\x1b"), cgroup };
        let machine = with_bpf(Reading::Value(vec![policy]));
        let inside = machine.within(Scope::Memcg(Arc::new(Text::new(b"/pods/a"))));
        [machine, inside].map(|scene| LINUX.overridden(&scene) == Some(Override::BpfPolicy))
    };
    assert_eq!(at(Some("/")), [true, true], "that of the root decides for the machine");
    assert_eq!(at(Some("/pods")), [false, true]);
    assert_eq!(at(Some("/pods/a")), [false, true]);
    assert_eq!(at(Some("/pods/ab")), [false, false]);
    assert_eq!(at(None), [true, true], "where it is attached is not told");
    for nothing in [Reading::Value(Vec::new()), Reading::Denied, Reading::NotAsked] {
        assert_eq!(LINUX.overridden(&with_bpf(nothing)), None);
    }
    let policy = BpfOomPolicy { name: Text::new(b"largest\x1b"), cgroup: None };
    let mut scene = with_bpf(Reading::Value(vec![policy]));
    assert_eq!(LINUX_5_9.overridden(&scene), None, "a rule for another kernel");
    let words = overridden::sentence(Override::BpfPolicy, &LINUX, &scene);
    assert!(words.contains("(largest\\x1b)"), "{words}");
    let mut panics = scene.now().clone();
    panics.sysctls.panic_on_oom = Reading::Value(PanicOnOom::Always);
    scene.advance(Arc::new(panics));
    assert_eq!(LINUX.overridden(&scene), Some(Override::Panic), "it is asked after that");
}
