//! The sampler that reads the kernel's task list by BPF, beside the one that reads `/proc`; and what the
//! ranking does with the facts that only the first one knows.

use std::process::{Command, Stdio};
use std::sync::Arc;

use doomtop::model::{
    Machine, Needs, ProcId, Process, ProcessSampler, Reading, RssSource, Scene, ScoreScale, Scores,
    Snapshot, TaskFacts,
};
use doomtop::policy::{LINUX, Override, Policy, SparedReason, TermNote, Verdict, kernel_score};
use doomtop::rank::Ranking;
use doomtop::sample::proc_root::ProcRoot;
use doomtop::source::{LiveSource, SamplerChoice, ScanPatience, Source, SourceError};
use doomtop::units::{Adj, Kib, Pages};

use crate::children::Own;
use crate::fakeproc::{Fake, FakeProc};
use crate::stage::{machine, process};
use crate::wait::until;

fn start(sampler: SamplerChoice) -> Result<LiveSource, SourceError> {
    LiveSource::start_with(ProcRoot::open("/proc").unwrap(), ScanPatience::Forever, sampler)
}

/// The sampler by BPF, or why the test is skipped.
fn by_bpf() -> Option<LiveSource> {
    match start(SamplerChoice::Bpf) {
        Ok(live) => Some(live),
        Err(why) => {
            eprintln!("SKIPPED: {why}");
            None
        }
    }
}

fn sample(live: &mut LiveSource, needs: &Needs) -> Arc<Snapshot> {
    live.sample(needs, None).expect("a sample")
}

/// What does not change in a process that sleeps, and in doomtop's view of one.
fn lasting(row: &Process) -> Process {
    Process { task: None, score_fresh: false, ..row.clone() }
}

#[test]
fn both_samplers_say_the_same_of_a_sleeping_process() {
    let Some(mut bpf) = by_bpf() else { return };
    let mut files = start(SamplerChoice::Proc).unwrap();
    let child = Own::sleeping();
    std::fs::write(format!("/proc/{}/oom_score_adj", child.pid()), "321").unwrap();
    let needs = Needs::everything();
    let find = |snapshot: &Snapshot| {
        let at = snapshot.position(child.pid()).expect("the child");
        snapshot.processes[at].clone()
    };
    // A page may still be on its way from a per-CPU counter.
    let row = until("two equal rows", || {
        let (one, other) = (sample(&mut bpf, &needs), sample(&mut files, &needs));
        let (one, other) = (find(&one), find(&other));
        (lasting(&one) == lasting(&other)).then_some(one)
    });
    assert_eq!(row.adj, Reading::Value(Adj(321)));
    assert_eq!(row.cmdline.value().unwrap().as_str(), "sleep 1000");
    assert!(matches!(row.cgroup, Reading::Value(_)) && matches!(row.score, Reading::Value(_)));
    assert!(row.task.is_some_and(|task| task.position > 0));
    let scene = Scene::new(sample(&mut bpf, &needs), None);
    let again = scene.find(row.id).expect("the child");
    assert!(again.score_fresh);
    assert_eq!(again.score, Reading::Value(kernel_score(again, &scene)));
}

#[test]
fn both_samplers_see_the_same_processes() {
    let Some(mut bpf) = by_bpf() else { return };
    let mut files = start(SamplerChoice::Proc).unwrap();
    let needs = Needs { scores: Scores::None, ..Needs::everything() };
    let ids = |snapshot: &Snapshot| -> Vec<ProcId> {
        assert!(snapshot.processes.is_sorted_by_key(|row| row.id.pid));
        snapshot.processes.iter().map(|row| row.id).collect()
    };
    for _ in 0..20 {
        let before = ids(&sample(&mut files, &needs));
        let seen = ids(&sample(&mut bpf, &needs));
        let after = ids(&sample(&mut files, &needs));
        for id in before.iter().filter(|id| after.binary_search(id).is_ok()) {
            assert!(seen.binary_search(id).is_ok(), "{id:?} lived all the time");
        }
        let ours = seen.iter().filter(|id| before.binary_search(id).is_err());
        let born = ours.filter(|id| after.binary_search(id).is_err()).count();
        assert!(born < 50, "{born} processes lived only for a moment");
    }
}

#[test]
fn a_process_that_has_gone_leaves_no_row() {
    let Some(mut bpf) = by_bpf() else { return };
    let needs = Needs::everything();
    let child = Own::sleeping();
    let pid = child.pid();
    let seen = sample(&mut bpf, &needs);
    let id = seen.processes[seen.position(pid).expect("the child")].id;
    drop(child);
    assert!(sample(&mut bpf, &needs).find(id).is_none());
}

#[test]
fn scores_are_read_of_those_that_are_asked_for_and_of_the_others_in_turn() {
    let Some(mut bpf) = by_bpf() else { return };
    let child = Own::sleeping();
    let first = sample(&mut bpf, &Needs { scores: Scores::None, ..Needs::everything() });
    assert!(
        first.processes.iter().filter(|row| row.task.is_some()).all(|row| row.score.is_not_asked())
    );
    let id = first.processes[first.position(child.pid()).unwrap()].id;
    let needs = Needs { scores: Scores::Some(vec![id]), ..Needs::everything() };
    let mut read = std::collections::BTreeSet::new();
    for _ in 0..first.processes.len().div_ceil(8) + 2 {
        let seen = sample(&mut bpf, &needs);
        assert!(seen.find(id).unwrap().score_fresh);
        let fresh = seen.processes.iter().filter(|row| row.score_fresh);
        assert!(fresh.clone().count() <= 8 + 64 + 1);
        read.extend(fresh.map(|row| row.id));
    }
    let of_users = first.processes.iter().filter(|row| row.has_mm).count();
    assert!(read.len() * 2 > of_users, "{} of {of_users}", read.len());
}

#[test]
fn what_an_idle_process_cannot_hide_is_seen_at_once() {
    let mut files = start(SamplerChoice::Proc).unwrap();
    // As if nobody could ever become the first: whoever does nothing is skipped.
    let needs = Needs { lead: Some(Pages(u64::MAX)), ..Needs::everything() };
    let child = Own::sleeping();
    let pid = child.pid();
    let row = |seen: &Snapshot| seen.position(pid).map(|at| seen.processes[at].clone());
    let mut before = None;
    for _ in 0..6 {
        before = row(&sample(&mut files, &needs));
    }
    for adj in [111, 222, 333, 444, 555] {
        std::fs::write(format!("/proc/{pid}/oom_score_adj"), adj.to_string()).unwrap();
        let seen = row(&sample(&mut files, &needs)).expect("the child");
        assert_eq!(seen.adj, Reading::Value(Adj(adj)));
        assert_eq!(Some(seen.id), before.as_ref().map(|before| before.id));
    }
    drop(child);
    assert_eq!(row(&sample(&mut files, &needs)), None);
}

#[test]
fn another_tree_is_read_from_its_files() {
    let fake = FakeProc::new();
    fake.process(Fake::default());
    let start = |sampler| LiveSource::start_with(fake.root(), ScanPatience::Forever, sampler);
    let refused = start(SamplerChoice::Bpf).err().expect("not the live tree").to_string();
    assert_eq!(
        refused,
        "the processes cannot be read by BPF: the tree is not the live /proc of this pid namespace"
    );
    let seen = sample(&mut start(SamplerChoice::Auto).unwrap(), &Needs::everything());
    assert_eq!(seen.processes.len(), 1);
    assert!(matches!(&seen.machine.sampler, ProcessSampler::Proc { why: Some(_) }));
    let seen = sample(&mut start(SamplerChoice::Proc).unwrap(), &Needs::everything());
    assert_eq!(seen.machine.sampler, ProcessSampler::default());

    let run = |arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_doomtop"));
        command.args(arguments).arg("--proc").arg(fake.path()).stdin(Stdio::null());
        command.output().expect("doomtop runs")
    };
    let output = run(&["-b", "-n1", "--sampler", "bpf"]);
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.contains("cannot be read by BPF") && said.trim().lines().count() == 1, "{said}");
    assert!(run(&["-b", "-n1"]).status.success());
}

#[test]
fn the_self_check_says_how_the_processes_are_read() {
    for (sampler, says) in [("proc", "sampler   /proc"), ("auto", "sampler   ")] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_doomtop"));
        command.args(["--self-check", "--sampler", sampler]).stdin(Stdio::null());
        let said = command.output().expect("doomtop runs").stdout;
        let said = String::from_utf8_lossy(&said).into_owned();
        assert!(said.lines().any(|line| line.starts_with(says)), "{said}");
    }
}

/// Processes with the facts of the task list.
fn with_facts(rows: Vec<(Process, TaskFacts)>) -> Snapshot {
    let rows = rows.into_iter().map(|(row, task)| Process { task: Some(task), ..row }).collect();
    machine(1_000_000, ScoreScale::Signed, rows)
}

fn facts(position: u32) -> TaskFacts {
    TaskFacts { position, ..TaskFacts::default() }
}

fn scene(snapshot: Snapshot) -> Scene {
    Scene::new(Arc::new(snapshot), None)
}

fn victim(scene: &Scene) -> i32 {
    Ranking::new(&LINUX, scene).victim().expect("a victim").id.pid
}

#[test]
fn of_equals_the_last_of_the_task_list_dies() {
    // Pids have wrapped: the youngest has the lowest pid, and both were born in the same tick.
    let (mut young, mut old) = (process(100, "young", 5000), process(900, "old", 5000));
    (young.id.born, old.id.born) = (doomtop::units::Ticks(7), doomtop::units::Ticks(7));
    let known = with_facts(vec![(young.clone(), facts(12)), (old.clone(), facts(11))]);
    assert_eq!(victim(&scene(known)), 100);
    let unknown = machine(1_000_000, ScoreScale::Signed, vec![young, old]);
    assert_eq!(victim(&scene(unknown)), 900, "by pid");
}

#[test]
fn what_the_kernel_skips_is_known_without_its_score() {
    let large = process(10, "large", 9000);
    for task in
        [TaskFacts { vfork_child: true, ..facts(1) }, TaskFacts { oom_skip: true, ..facts(1) }]
    {
        let scene =
            scene(with_facts(vec![(large.clone(), task), (process(20, "b", 100), facts(2))]));
        let verdict = LINUX.judge(scene.now().processes.first().unwrap(), &scene);
        assert!(matches!(verdict, Verdict::Spared(SparedReason::Skipped)), "{verdict:?}");
        assert_eq!(victim(&scene), 20);
        assert_eq!(kernel_score(&scene.now().processes[0], &scene), 0);
    }
    // An old score of 0 means nothing where the facts are known.
    let spared = Process { score: Reading::Value(0), score_fresh: true, ..large };
    assert_eq!(victim(&scene(with_facts(vec![(spared, facts(1))]))), 10);
}

#[test]
fn the_swap_term_is_the_counter_that_this_kernel_reads() {
    let row = Process { swap: Reading::Value(Pages(40)), ..process(10, "a", 1000) };
    let task = TaskFacts { swap_counter: Pages(96), ..facts(1) };
    let of = |source, facts: Option<TaskFacts>| {
        let mut snapshot = machine(1_000_000, ScoreScale::Signed, vec![row.clone()]);
        Arc::make_mut(&mut snapshot.machine).rss_source = source;
        snapshot.swap.total_kib = Kib(1000);
        snapshot.processes[0].task = facts;
        let scene = scene(snapshot);
        let process = scene.now().processes[0].clone();
        let drift = LINUX.drift(&process, &scene).up;
        match LINUX.judge(&process, &scene) {
            Verdict::Scored(badness) => {
                let term = badness.terms.as_slice().iter().find(|term| term.name == "swap");
                let term = term.expect("a term");
                (term.points.0, matches!(term.note, TermNote::Because(_)), drift > Pages::ZERO)
            }
            Verdict::Spared(reason) => panic!("{reason:?}"),
        }
    };
    assert_eq!(of(RssSource::Stat, None), (40, false, true), "the error of the counter is unknown");
    assert_eq!(of(RssSource::Stat, Some(task)), (96, true, false));
    assert_eq!(of(RssSource::Status, Some(task)), (40, false, false));
}

#[test]
fn the_killer_waits_for_its_own_victims_only() {
    let killed = Process { dying: true, ..process(10, "a", 1000) };
    let overridden_beside = |pages, task: TaskFacts| {
        let other = (process(20, "b", pages), facts(2));
        LINUX.overridden(&scene(with_facts(vec![(killed.clone(), task), other])))
    };
    assert_eq!(overridden_beside(2000, facts(1)), None, "somebody else killed it");
    let first = overridden_beside(100, facts(1));
    assert_eq!(first, Some(Override::Dying(killed.id)), "it would be chosen, and is exiting");
    let overridden = |task| overridden_beside(2000, task);
    let victim = TaskFacts { oom_victim: true, ..facts(1) };
    assert_eq!(overridden(victim), Some(Override::Dying(killed.id)));
    assert_eq!(overridden(TaskFacts { oom_skip: true, ..victim }), None, "it was reaped");
    let origin = TaskFacts { oom_origin: true, ..facts(1) };
    assert_eq!(overridden(origin), Some(Override::Swapoff(Some(killed.id))));
}

#[test]
fn a_recording_keeps_what_is_remarkable() {
    let skipped = TaskFacts { oom_skip: true, swap_counter: Pages(3), ..facts(5) };
    let rows = with_facts(vec![
        (process(10, "a", 1000), TaskFacts { cgroup_id: 9, ..facts(4) }),
        (process(20, "b", 100), skipped),
    ]);
    let rows: Vec<Process> = rows.processes;
    let value = serde_json::to_value(&rows).unwrap();
    assert!(value[0].get("task").is_none(), "{value}");
    let back: Vec<Process> = serde_json::from_value(value).unwrap();
    assert_eq!(back[0].task, None);
    assert_eq!(back[1].task, Some(TaskFacts { position: 0, ..skipped }));
    let sampler = ProcessSampler::BpfIterator;
    let seen = Machine { sampler: sampler.clone(), ..Machine::default() };
    let value = serde_json::to_value(&seen).unwrap();
    let back: Machine = serde_json::from_value(value).unwrap();
    assert_eq!(back.sampler, sampler);
}
