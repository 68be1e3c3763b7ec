//! The kernels before today's: every formula against its cases, and who dies in whose place.

use std::sync::Arc;

use doomtop::columns::{CommandStyle, RowContext, SizeUnit};
use doomtop::forecast::killer_verdict::KillerOpinion;
use doomtop::model::{
    Capabilities, Names, NodeSet, NumaNode, Process, Reading, Scene, Scope, ScoreScale, Signal,
    Snapshot, Text, UserIds,
};
use doomtop::policy::{
    KillScope, LINUX, LINUX_2_6_0, LINUX_2_6_11, LINUX_2_6_16, LINUX_2_6_20, LINUX_2_6_32,
    LINUX_2_6_36, LINUX_2_6_39, LINUX_3_3, LINUX_3_5, LINUX_3_14, LINUX_4_17, LINUX_5_1, LINUX_5_3,
    Override, POLICIES, Policy, SparedReason, TieBreak, Verdict,
};
use doomtop::rank::Ranking;
use doomtop::units::{Adj, Bytes, Kib, LegacyAdj, Pages, TickRate, Ticks};
use doomtop::words::next_victim::sentence;
use doomtop::words::numbers_and_names;
use serde_json::Value;

use crate::stage::{machine, process};

fn vectors(section: &str) -> Vec<Value> {
    let all: Value = serde_json::from_str(include_str!("../fixtures/vectors.json")).unwrap();
    let cases = all[section].as_array().unwrap_or_else(|| panic!("{section} is a list"));
    assert!(!cases.is_empty());
    cases.clone()
}

/// The numbers and flags of a case.
struct Given<'a>(&'a Value);

impl Given<'_> {
    fn number(&self, key: &str) -> u64 {
        self.0[key].as_u64().unwrap_or(0)
    }

    fn flag(&self, key: &str) -> bool {
        self.0[key].as_bool().unwrap_or(false)
    }

    fn caps(&self) -> Capabilities {
        let bit = |key, bit| u64::from(self.flag(key)) << bit;
        Capabilities(
            bit("cap_sys_admin", 21) | bit("cap_sys_rawio", 17) | bit("cap_sys_resource", 24),
        )
    }
}

/// The points, if the terms add up to them.
fn points(policy: &dyn Policy, process: &Process, scene: &Scene) -> Option<i64> {
    let Verdict::Scored(badness) = policy.judge(process, scene) else { return None };
    let sum: i64 = badness.terms.as_slice().iter().map(|term| term.points.0).sum();
    assert_eq!(sum, badness.points.0, "the terms add up");
    Some(badness.points.0)
}

/// Switching swap off, as kernels of 2.6 show it.
const PF_SWAPOFF: u32 = 0x0008_0000;

#[test]
fn every_era_of_2_6_to_the_point() {
    let mut compared = 0;
    for case in vectors("badness_2_6") {
        let given = Given(&case["in"]);
        let minor = |version: &str| version.rsplit('.').next()?.parse::<u32>().ok();
        let at = case["in"]["era"].as_str().and_then(minor).unwrap_or(18);
        let era = |policy: &&&dyn Policy| minor(policy.id().strip_prefix("linux-2.6:")?);
        let policy = POLICIES
            .iter()
            .filter(|policy| era(policy).is_some_and(|since| since <= at))
            .max_by_key(era)
            .expect("the era is there");
        let who = |key: &str| case["in"][key].as_u64().map_or(1000, |id| id as u32);
        let mut subject = process(5000, "case", 0);
        subject.vsize = Bytes(given.number("total_vm") * 4096);
        subject.cpu = Ticks(given.number("cpu_jiffies"));
        subject.nice = given.number("nice") as i8;
        subject.ids = Reading::Value(UserIds { uid: who("uid"), euid: who("euid") });
        subject.caps = Reading::Value(given.caps());
        subject.flags |= if given.flag("oom_origin") { PF_SWAPOFF } else { 0 };
        let allowed = if case["in"]["mems_intersect"] == false { "1" } else { "0-1" };
        subject.nodes = Reading::Value(NodeSet::parse(allowed).unwrap());
        let adj = LegacyAdj(case["in"]["oom_adj"].as_i64().unwrap_or(0) as i8);
        subject.adj = Reading::Value(adj.modern());
        let mut cast = vec![subject];
        for (nth, vm) in case["in"]["children"].as_array().into_iter().flatten().enumerate() {
            let mut child = process(6000 + nth as i32, "child", 1);
            child.parent = 5000;
            child.vsize = Bytes(vm.as_u64().unwrap() * 4096);
            cast.push(child);
        }
        let mut snapshot = machine(1_000_000, ScoreScale::Signed, cast);
        let rate = case["in"]["hz"].as_u64().unwrap_or(1000);
        let machine = Arc::make_mut(&mut snapshot.machine);
        machine.tick_rate = TickRate(rate);
        machine.kernel = Text::new(b"2.6.18");
        machine.nodes = [0, 1].map(|id| NumaNode { id, present: Pages(500_000) }).to_vec();
        let born = snapshot.processes[0].id.born;
        snapshot.clock.uptime_ticks = born + Ticks(given.number("run_seconds") * rate);
        // An OOM that is confined to the node 0, where it matters.
        let scope = case["in"]["mems_intersect"].is_boolean().then(|| Scope::parse("nodes:0"));
        let scope = scope.flatten().unwrap_or_default();
        let scene = Scene::scoped(Arc::new(snapshot), None, scope);
        let found = points(*policy, &scene.now().processes[0], &scene);
        // oom_adj -17 takes it out of the choice from 2.6.12 on, before any points.
        let expected = (adj != LegacyAdj::DISABLE).then(|| {
            // What `unsigned long` has room for stops here at the end of `i64`.
            i64::try_from(case["badness"].as_u64().unwrap()).unwrap_or(i64::MAX)
        });
        assert_eq!(found, expected, "{case}");
        compared += 1;
    }
    assert_eq!(compared, 25);
}

#[test]
fn oom_adj_minus_17_was_a_number_like_any_other_in_2_6_11() {
    let mut subject = process(10, "x", 1);
    subject.vsize = Bytes(262_144 * 4096);
    subject.adj = Reading::Value(Adj::MIN);
    let scene = Scene::new(Arc::new(machine(1_000_000, ScoreScale::Signed, vec![subject])), None);
    assert_eq!(points(&LINUX_2_6_11, &scene.now().processes[0], &scene), Some(2));
    assert!(matches!(
        LINUX_2_6_16.judge(&scene.now().processes[0], &scene),
        Verdict::Spared(SparedReason::Never)
    ));
}

fn modern<'a>(section: &str, key: &str, tables: &str, policy: impl Fn(&Value) -> &'a dyn Policy) {
    for case in vectors(section) {
        let given = Given(&case["in"]);
        let mut subject = process(5000, "case", given.number("rss"));
        subject.swap = Reading::Value(Pages(given.number("swap")));
        subject.pgtables = Reading::Value(Pages(given.number(tables)));
        subject.adj = Reading::Value(Adj(case["in"]["adj"].as_i64().unwrap_or(0) as i16));
        subject.caps = Reading::Value(given.caps());
        let total = given.number("total");
        subject.flags |= if given.flag("origin") { PF_SWAPOFF } else { 0 };
        let mut snapshot = machine(total, ScoreScale::Floored, vec![subject]);
        let machine = Arc::make_mut(&mut snapshot.machine);
        machine.kernel = Text::new(if given.flag("origin") { b"2.6.38" } else { b"5.4.0" });
        let scene = Scene::new(Arc::new(snapshot), None);
        let policy = policy(&case["in"]);
        let found = points(policy, &scene.now().processes[0], &scene);
        let expected = case[key].as_i64().filter(|&points| points != 0);
        assert_eq!(found, expected, "{case}");
    }
}

#[test]
fn the_three_generations_before_4_17_to_the_point() {
    let era = |given: &Value| -> &dyn Policy {
        match (&given["count_ptes"], &given["int_overflow"], &given["origin"]) {
            (Value::Bool(false), ..) => &LINUX_2_6_36,
            (_, Value::Bool(true), _) | (.., Value::Bool(true)) => &LINUX_2_6_39,
            _ => &LINUX_3_3,
        }
    };
    modern("points_2_6_36_to_3_4", "points", "nr_ptes", era);
    modern("badness_3_5_to_3_13", "badness", "nr_ptes", |_| &LINUX_3_5);
    modern("badness_3_14_to_4_16", "badness", "pgtable_pages", |_| &LINUX_3_14);
}

/// A parent with three children: the middle one is largest, the last one shares its memory.
fn family() -> Snapshot {
    let mut parent = process(10, "parent", 50_000);
    parent.vsize = Bytes(50_000 * 4096);
    let child = |pid, name, rss: u64| {
        let mut child = process(pid, name, rss);
        child.parent = 10;
        child.vsize = Bytes(rss * 4096);
        child
    };
    let mut sharer = child(40, "sharer", 50_000);
    sharer.vsize = parent.vsize;
    let cast = vec![parent, child(20, "first", 100), child(30, "second", 9000), sharer];
    machine(1_000_000, ScoreScale::Floored, cast)
}

fn dies_instead(policy: &dyn Policy, snapshot: &Snapshot) -> Option<i32> {
    let scene = Scene::new(Arc::new(snapshot.clone()), None);
    let parent = &scene.now().processes[0];
    policy.killed_instead(parent, &scene).map(|(child, _)| child.id.pid)
}

#[test]
fn a_child_dies_in_its_parents_place() {
    let family = family();
    for (policy, expected) in [
        (&LINUX_2_6_0 as &dyn Policy, None),
        (&LINUX_2_6_11, Some(20)),
        (&LINUX_2_6_32, Some(20)),
        (&LINUX_2_6_36, Some(30)),
        (&LINUX_3_5, Some(30)),
        (&LINUX_4_17, Some(30)),
        (&LINUX_5_1, None),
        (&LINUX_5_3, None),
    ] {
        assert_eq!(dies_instead(policy, &family), expected, "{}", policy.id());
    }
}

#[test]
fn a_protected_child_is_left_alone_where_the_kernel_looked() {
    let mut family = family();
    family.processes[1].adj = Reading::Value(Adj::MIN);
    assert_eq!(dies_instead(&LINUX_2_6_16, &family), Some(20), "it did not look");
    assert_eq!(dies_instead(&LINUX_2_6_20, &family), Some(30));
    family.processes[2].adj = Reading::Value(Adj::MIN);
    assert_eq!(dies_instead(&LINUX_4_17, &family), None);
}

#[test]
fn the_rule_of_equals_changed_with_5_3() {
    let scene = Scene::new(Arc::new(family()), None);
    assert_eq!(LINUX_4_17.traits(&scene).tie_break, TieBreak::Oldest);
    assert_eq!(LINUX_5_1.traits(&scene).tie_break, TieBreak::Oldest);
    assert_eq!(LINUX_5_3.traits(&scene).tie_break, TieBreak::Youngest);
    assert_eq!(LINUX.traits(&scene).tie_break, TieBreak::Youngest, "this stage is a 5.4");
}

#[test]
fn only_the_oldest_asks_politely() {
    let mut rawio = process(10, "Xorg", 5000);
    rawio.caps = Reading::Value(Capabilities(1 << 17));
    assert_eq!(LINUX_2_6_0.action(&rawio).signal, Signal::TERM);
    assert_eq!(LINUX_2_6_11.action(&rawio).signal, Signal::KILL);
    assert_eq!(LINUX_2_6_36.action(&rawio).signal, Signal::KILL);
}

#[test]
fn init_was_a_candidate_once() {
    let mut init = process(1, "init", 5000);
    init.parent = 0;
    init.vsize = Bytes(5000 * 4096);
    let scene = Scene::new(Arc::new(machine(100_000, ScoreScale::Signed, vec![init])), None);
    assert_eq!(Ranking::new(&LINUX_2_6_0, &scene).eligible(), 1);
    assert_eq!(Ranking::new(&LINUX_2_6_11, &scene).eligible(), 0);
}

#[test]
fn the_one_that_dies_is_the_candidate() {
    let scene = Scene::new(Arc::new(family()), None);
    let sharer = 40; // it shares the parent's memory, and is the younger of two equals
    let named = |policy: &dyn Policy| {
        let ranking = Ranking::new(policy, &scene);
        let chosen = ranking.victim().map(|row| row.id.pid);
        (chosen, ranking.dies().map(|id| id.pid), ranking.candidates().len())
    };
    assert_eq!(named(&LINUX_4_17), (Some(10), Some(30), 1), "the worst child of the oldest equal");
    assert_eq!(named(&LINUX_5_1), (Some(10), Some(10), 1));
    assert_eq!(named(&LINUX_5_3), (Some(sharer), Some(sharer), 1));
}

#[test]
fn nobody_is_too_close_to_itself() {
    // The child dies in the parent's place, and is the second that is chosen.
    let sample = |moved: u64| {
        let mut child = process(30, "child", 49_900 + moved);
        child.parent = 10;
        let parent = process(10, "parent", 50_000 + moved);
        let other = process(50, "other", 49_800 + moved);
        let mut snapshot = machine(1_000_000, ScoreScale::Floored, vec![parent, child, other]);
        snapshot.clock.monotonic_ms.0 += moved;
        Arc::new(snapshot)
    };
    for policy in [&LINUX_2_6_36 as &'static dyn Policy, &LINUX_3_5, &LINUX_4_17] {
        let scene = Scene::new(sample(1000), Some(sample(0)));
        let ranking = Ranking::new(policy, &scene);
        let named: Vec<i32> = ranking.candidates().iter().map(|id| id.pid).collect();
        assert_eq!(named, [30, 50], "{}", policy.id());
        assert_eq!(ranking.runner_up().map(|row| row.id.pid), Some(30));
        let context = RowContext {
            scene: &scene,
            policy,
            ranking: &ranking,
            names: &Names::default(),
            scale: SizeUnit::Auto,
            command: CommandStyle::Name,
        };
        let opinion = KillerOpinion::new(policy, &scene, &ranking);
        assert_eq!(
            numbers_and_names::outcome(&context, &opinion.outcome),
            "too close: 30 child or 50 other"
        );
        for form in sentence(&context).forms {
            let text = format!("{}{}", form.who, form.rest);
            assert!(text.contains("30 child or 50 other"), "{text}");
            assert!(!text.contains("parent"), "{text}");
        }
    }
}

#[test]
fn groups_die_whole_from_4_19_on() {
    let at = |kernel: &str| {
        let mut snapshot = family();
        Arc::make_mut(&mut snapshot.machine).kernel = Text::new(kernel.as_bytes());
        LINUX.traits(&Scene::new(Arc::new(snapshot), None)).kill_scope == KillScope::OomGroup
    };
    assert!(at("4.19.0") && at("6.12.1") && !at("4.18.0"));
    let scene = Scene::new(Arc::new(family()), None);
    assert_eq!(LINUX_4_17.traits(&scene).kill_scope, KillScope::Process);
    assert_eq!(LINUX_3_14.traits(&scene).kill_scope, KillScope::Process);
    assert_eq!(LINUX_5_3.traits(&scene).kill_scope, KillScope::OomGroup);
}

#[test]
fn who_may_use_none_of_the_nodes_was_worth_an_eighth() {
    let mut snapshot = family();
    let machine = Arc::make_mut(&mut snapshot.machine);
    machine.nodes = [0, 1].map(|id| NumaNode { id, present: Pages(500_000) }).to_vec();
    for (process, nodes) in snapshot.processes.iter_mut().zip(["1", "0", "0-1", "1"]) {
        process.nodes = Reading::Value(NodeSet::parse(nodes).unwrap());
        process.parent = 1;
    }
    let scene = Scene::scoped(Arc::new(snapshot), None, Scope::parse("nodes:0").unwrap());
    let order = |policy: &dyn Policy| {
        let ranking = Ranking::new(policy, &scene);
        let rows = ranking.rows()[..ranking.eligible()].iter();
        rows.map(|row| (row.id.pid, row.placement.points().unwrap().0)).collect::<Vec<_>>()
    };
    let among = [(30, 9000), (20, 100)];
    assert_eq!(order(&LINUX_2_6_16), among, "not at all");
    assert_eq!(order(&LINUX_2_6_36)[0].0, 30, "nor since 2.6.36");
    assert_eq!(order(&LINUX_2_6_36).len(), 2);
    assert_eq!(order(&LINUX_2_6_32), [(30, 9000), (10, 6250), (40, 6250), (20, 100)]);
    // Up to 2.6.23 nobody was chosen at all where nodes were short.
    for (policy, off) in [
        (&LINUX_2_6_11 as &dyn Policy, None),
        (&LINUX_2_6_16, Some(Override::Confined)),
        (&LINUX_2_6_20, Some(Override::Confined)),
        (&LINUX_2_6_32, None),
    ] {
        assert_eq!(policy.overridden(&scene), off, "{}", policy.id());
        let global = Scene::new(scene.snapshot(), None);
        assert_eq!(policy.overridden(&global), None, "{}", policy.id());
    }
}

#[test]
fn today_s_flag_is_not_that_of_swapoff() {
    let mut busy = process(10, "busy", 5000);
    busy.flags |= PF_SWAPOFF;
    let order = |kernel: &str| {
        let other = process(20, "other", 9000);
        let mut snapshot = machine(1_000_000, ScoreScale::Floored, vec![busy.clone(), other]);
        Arc::make_mut(&mut snapshot.machine).kernel = Text::new(kernel.as_bytes());
        let scene = Scene::new(Arc::new(snapshot), None);
        [&LINUX_2_6_32 as &dyn Policy, &LINUX_2_6_36, &LINUX_3_3, &LINUX_2_6_0]
            .map(|policy| Ranking::new(policy, &scene).victim().map(|row| row.id.pid))
    };
    assert_eq!(order("6.12.1"), [Some(20); 4]);
    assert_eq!(order("2.6.35"), [Some(10), Some(10), Some(20), Some(20)]);
}

#[test]
fn swapoff_went_first_from_2_6_11_on() {
    let mut snapshot = family();
    snapshot.swap.total_kib.0 = 4000;
    snapshot.swap.leaving_kib = Some(Kib(1000));
    let scene = Scene::new(Arc::new(snapshot), None);
    assert_eq!(LINUX_2_6_11.overridden(&scene), Some(Override::Swapoff(None)));
    assert_eq!(LINUX_2_6_0.overridden(&scene), None);
}

#[test]
fn an_opinion_sacrifices_once() {
    // The child has a child of its own: it is not sacrificed in turn.
    let mut family = family();
    let mut grandchild = process(50, "grandchild", 700);
    grandchild.parent = 30;
    grandchild.vsize = Bytes(700 * 4096);
    family.processes.push(grandchild);
    let scene = Scene::new(Arc::new(family), None);
    let opinion = KillerOpinion::new(&LINUX_4_17, &scene, &Ranking::new(&LINUX_4_17, &scene));
    assert_eq!(opinion.outcome.chosen.map(|id| id.pid), Some(10));
    assert_eq!(opinion.instead.map(|(id, _)| id.pid), Some(30));
    assert_eq!(opinion.dies().map(|id| id.pid), Some(30));
}

#[test]
fn the_first_kernels_of_2_6_choose_nobody_with_zero_points() {
    // A process so old and busy that its size is divided to nothing.
    let mut old = process(10, "old", 1);
    old.cpu = Ticks(1 << 40);
    let scene = Scene::new(Arc::new(machine(1000, ScoreScale::Signed, vec![old])), None);
    let eligible = |policy: &dyn Policy| Ranking::new(policy, &scene).eligible();
    assert_eq!((eligible(&LINUX_2_6_0), eligible(&LINUX_2_6_11)), (0, 1));
}

#[test]
fn a_child_that_cannot_be_chosen_itself_is_told_where_it_dies_in_the_place_of_another() {
    let mut family = family();
    let child = family.processes.iter_mut().find(|it| it.id.pid == 20).unwrap();
    child.adj = Reading::Value(Adj::MIN);
    let scene = Scene::new(Arc::new(family), None);
    let ranking = Ranking::new(&LINUX_2_6_16, &scene);
    let (names, scale) = (Names::default(), SizeUnit::Auto);
    let command = CommandStyle::Name;
    let policy = &LINUX_2_6_16;
    let context =
        RowContext { scene: &scene, policy, ranking: &ranking, names: &names, scale, command };
    let mut line = Vec::new();
    doomtop::report::json::write_line(&mut line, &context, &[], None).unwrap();
    let frame: Value = serde_json::from_slice(&line).unwrap();
    assert_eq!((&frame["victim"]["pid"], &frame["instead"]["pid"]), (&10.into(), &20.into()));
    assert_eq!(frame["instead"]["badness_pages"], Value::Null, "it has no points itself");
}
