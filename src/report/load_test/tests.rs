//! Summaries of short tests that are made up here, with numbers that were computed by hand.

use std::sync::Arc;
use std::time::Duration;

use super::summary::{CounterOwner, LoadKill, LoadSummary};
use super::{LoadSummariser, ProcessTree, is_of_run, run_scope};
use crate::forecast::steady_growth::GrowthTrend;
use crate::model::{
    Cgroup, Cgroups, Comm, ForecastResult, Hierarchy, Killer, Limit, LogLine, LogWriter, Pressure,
    ProcId, Process, PsiLine, Reading, Scope, Snapshot, Text,
};
use crate::units::{Bytes, Kib, Millis, Pages, Ticks};

const MIB: u64 = 1 << 20;
/// When the first sample is taken, in milliseconds since 1970.
const BEGAN: i64 = 1_700_000_000_000;

fn mib(size: u64) -> Reading<Bytes> {
    Reading::Value(Bytes(size * MIB))
}

fn path(path: &str) -> Arc<Text> {
    Arc::new(Text::new(path.as_bytes()))
}

fn stall(us: u64) -> Reading<PsiLine> {
    Reading::Value(PsiLine { total_us: us, ..PsiLine::default() })
}

/// A sample so many milliseconds after the first one.
fn sample(ms: u64, hierarchy: Hierarchy, groups: Vec<Cgroup>) -> Snapshot {
    let mut sample = Snapshot::default();
    sample.clock.monotonic_ms = Millis(5000 + ms);
    sample.clock.unix_ms = BEGAN + ms.cast_signed();
    sample.clock.uptime_ticks = Ticks(500 + ms / 10);
    sample.memory.total_kib = Kib(16 << 20);
    sample.memory.free_kib = Kib(10 << 20);
    sample.memory.available_kib = Reading::Value(Kib(12 << 20));
    sample.pressure = Pressure::of_memory(stall(7_000_000 + ms * 100), stall(3_000_000));
    sample.traffic.oom_kills = Reading::Value(3);
    let root = Cgroup { path: path("/"), ..Cgroup::default() };
    let list = std::iter::once(root).chain(groups).collect();
    let read_ms = sample.clock.monotonic_ms;
    sample.cgroups = Arc::new(Cgroups { hierarchy: Reading::Value(hierarchy), read_ms, list });
    sample
}

fn group(usage: u64, limit: u64, reclaimable: u64) -> Cgroup {
    Cgroup {
        path: path("/test"),
        usage: mib(usage),
        limit: Reading::Value(Limit::At(Bytes(limit * MIB))),
        reclaimable: mib(reclaimable),
        ..Cgroup::default()
    }
}

fn process(pid: i32, cgroup: &str, rss: u64) -> Process {
    Process {
        id: ProcId { pid, born: Ticks(400) },
        comm: Comm::new(b"loader"),
        has_mm: true,
        rss_stat: Pages(rss * 256),
        swap: Reading::Value(Pages(0)),
        file: Reading::Value(Pages(0)),
        cgroup: Reading::Value(path(cgroup)),
        ..Process::default()
    }
}

fn summary_in(scope: &str, samples: impl IntoIterator<Item = Snapshot>) -> LoadSummary {
    let mut summariser = LoadSummariser::new(Scope::parse(scope).expect("a scope"));
    for sample in samples {
        summariser.take(Arc::new(sample));
    }
    summariser.summary().expect("a summary")
}

fn summary(samples: impl IntoIterator<Item = Snapshot>) -> LoadSummary {
    summary_in("/test", samples)
}

#[test]
fn a_leak_is_summed_up() {
    // 2 MiB a second from 40 on, below a limit of 100; 1 more can be reclaimed.
    let samples = (0..60_u64).map(|nth| {
        let grown = 40 + nth;
        let group = Cgroup { events: limit_hits(nth), ..group(grown + 1, 100, 1) };
        let mut sample = sample(nth * 500, Hierarchy::V1, vec![group]);
        sample.processes = vec![process(7, "/other", 900 + nth), process(42, "/test", grown)];
        sample
    });
    let found = summary(samples);
    assert_eq!((found.scope.as_str(), found.samples, found.over), ("/test", 60, Millis(29_500)));
    assert_eq!(found.limit, Some(Bytes(100 * MIB)));
    let peak = found.peak.expect("a peak");
    assert_eq!((peak.bytes, peak.after), (Bytes(100 * MIB), Millis(29_500)));
    assert_eq!((found.needed, found.needed_is_least), (Some(Bytes(99 * MIB)), false));
    // 90 MiB cannot be reclaimed from the 51st sample on: ten samples of half a second.
    assert_eq!(found.near_limit, Some(Millis(5_000)));
    assert_eq!(found.pressure.of, CounterOwner::Machine, "version 1 has no pressure files");
    assert_eq!(found.pressure.some, Some(Duration::from_micros(2_950_000)));
    assert_eq!(found.pressure.full, Some(Duration::ZERO));
    assert_eq!(found.reclaim.limit_hits, Some(59));
    let GrowthTrend::Steady(growth) = found.growth else { panic!("{:?}", found.growth) };
    assert!((growth.best / MIB as f64 - 2.0).abs() < 0.01, "{growth:?}");
    let [process] = found.growing.as_slice() else { panic!("{:?}", found.growing) };
    assert_eq!((process.id.pid, process.bytes), (42, Bytes(99 * MIB)), "the other one is outside");
    // 1 MiB of the limit is left, and 2 MiB are taken in a second.
    let lasts = found.lasts.expect("a forecast");
    assert!((450..=550).contains(&lasts.middle.0), "{lasts:?}");
    assert!(found.kills.is_empty());
}

fn limit_hits(count: u64) -> crate::model::CgroupEvents {
    crate::model::CgroupEvents { max: Reading::Value(count), ..Default::default() }
}

#[test]
fn the_kernels_mark_finds_a_peak_between_two_samples() {
    let with = |ms, usage, peak, reclaimable| {
        let group = Cgroup { peak: mib(peak), ..group(usage, 500, reclaimable) };
        sample(ms, Hierarchy::V2, vec![group])
    };
    let found = summary([with(0, 20, 400, 5), with(500, 30, 400, 5), with(1000, 25, 400, 5)]);
    assert_eq!(found.peak.map(|it| it.bytes), Some(Bytes(30 * MIB)), "400 was before the test");
    let found = summary([with(0, 20, 20, 5), with(500, 30, 300, 12), with(1000, 25, 300, 5)]);
    let peak = found.peak.expect("a peak");
    assert_eq!((peak.bytes, peak.after), (Bytes(300 * MIB), Millis(500)));
    assert_eq!(found.needed, Some(Bytes(288 * MIB)), "12 MiB of it could be reclaimed");
}

#[test]
fn a_cgroup_that_is_made_in_the_test_counts_from_zero() {
    let made = |ms, us| {
        let pressure = Pressure::of_memory(stall(us), stall(us / 2));
        let refaults = Reading::Value(us / 1000);
        let group = Cgroup { pressure, refaults, pgscan: Reading::Value(us), ..group(30, 100, 0) };
        sample(ms, Hierarchy::V2, vec![group])
    };
    let before = || sample(0, Hierarchy::V2, Vec::new());
    let found = summary([before(), made(500, 40_000), made(1000, 90_000)]);
    assert_eq!(found.pressure.of, CounterOwner::Cgroup);
    assert_eq!(found.pressure.some, Some(Duration::from_millis(90)));
    assert_eq!(found.pressure.full, Some(Duration::from_millis(45)));
    assert_eq!((found.reclaim.refaults, found.reclaim.scanned), (Some(90), Some(90_000)));
    assert_eq!((found.reclaim.refaults_of, found.samples), (CounterOwner::Cgroup, 2));
    let found = summary([made(500, 40_000), made(1000, 90_000)]);
    assert_eq!(found.pressure.some, Some(Duration::from_millis(50)), "it was there before");
}

#[test]
fn swap_counts_as_needed() {
    let with = |ms, usage, swap| {
        let group = Cgroup { swap_usage: mib(swap), ..group(usage, 100, 0) };
        sample(ms, Hierarchy::V2, vec![group])
    };
    let found = summary([with(0, 60, 0), with(500, 100, 250), with(1000, 90, 10)]);
    assert_eq!(found.swap_peak, Some(Bytes(250 * MIB)));
    assert_eq!(found.needed, Some(Bytes(350 * MIB)));
    assert_eq!(found.peak.map(|it| it.bytes), Some(Bytes(100 * MIB)), "without swap");
}

#[test]
fn what_cannot_be_told_is_not_told() {
    let found =
        summary([sample(0, Hierarchy::V1, Vec::new()), sample(500, Hierarchy::V1, Vec::new())]);
    assert_eq!((found.samples, found.peak, found.needed), (0, None, None));
    assert_eq!((found.limit, found.near_limit, found.swap_peak), (None, None, None));
    assert_eq!((found.growth, found.lasts), (GrowthTrend::TooShort, None));
    let unlimited = Cgroup {
        path: path("/test"),
        usage: mib(10),
        limit: Reading::Value(Limit::Max),
        ..Cgroup::default()
    };
    let found = summary([sample(0, Hierarchy::V1, vec![unlimited])]);
    assert_eq!(found.peak.map(|it| it.bytes), Some(Bytes(10 * MIB)));
    assert_eq!((found.needed, found.near_limit), (None, None), "nothing tells what is cache");
    assert!(LoadSummariser::new(Scope::Global).summary().is_none());
}

#[test]
fn the_machine_is_a_scope() {
    let with = |ms, available: u64| {
        let mut sample = sample(ms, Hierarchy::V1, Vec::new());
        sample.memory.available_kib = Reading::Value(Kib(available << 20));
        sample.memory.free_kib = Kib((available - 1) << 20);
        sample
    };
    let found = summary_in("global", [with(0, 12), with(500, 3), with(1000, 8)]);
    let gib = |size: u64| Some(Bytes(size << 30));
    assert_eq!((found.limit, found.needed), (gib(16), gib(13)));
    assert_eq!(found.peak.map(|it| (it.bytes, it.after)), Some((Bytes(14 << 30), Millis(500))));
}

fn line(ms: u64, text: &str) -> LogLine {
    LogLine {
        unix_ms: BEGAN + ms.cast_signed(),
        by: LogWriter::Kernel,
        uptime_us: Some(5_000_000 + ms * 1000),
        unproven: false,
        text: Text::new(text.as_bytes()),
    }
}

/// What the kernel says of a kill in a cgroup.
fn kill_lines(ms: u64, cgroup: &str, pid: i32) -> Vec<LogLine> {
    let chosen = format!(
        "oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),cpuset=/,mems_allowed=0,\
         oom_memcg={cgroup},task_memcg={cgroup},task=loader,pid={pid},uid=0"
    );
    let killed = format!(
        "Memory cgroup out of memory: Killed process {pid} (loader) total-vm:900000kB, \
         anon-rss:90000kB, file-rss:0kB, shmem-rss:0kB, UID:0 pgtables:200kB oom_score_adj:0"
    );
    vec![
        line(ms, "loader invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=0, oom_score_adj=0"),
        line(ms, &chosen),
        line(ms, &killed),
    ]
}

/// A process fills its cgroup until it is killed, at the eleventh sample; `log` is what this sample tells.
fn killed(hierarchy: Hierarchy, counted: u64, log: Vec<LogLine>) -> Vec<Snapshot> {
    let mut samples: Vec<Snapshot> = (0..10_u64)
        .map(|nth| {
            let mut group = group(50 + nth * 5, 100, 0);
            group.events.oom_kill = Reading::Value(0);
            let mut sample = sample(nth * 500, hierarchy, vec![group]);
            sample.processes = vec![process(42, "/test", 50 + nth * 5)];
            sample
        })
        .collect();
    let mut group = group(5, 100, 0);
    group.events.oom_kill = Reading::Value(counted);
    let mut last = sample(5000, hierarchy, vec![group]);
    last.traffic.oom_kills = Reading::Value(3 + counted);
    last.log = Arc::new(log);
    samples.push(last);
    samples
}

fn pid(kill: &LoadKill) -> Option<i32> {
    kill.event.victim.and_then(|victim| victim.pid)
}

#[test]
fn a_kill_that_the_log_tells_of_has_a_reason_and_a_prediction() {
    let found = summary(killed(Hierarchy::V2, 1, kill_lines(4800, "/test", 42)));
    let [kill] = found.kills.as_slice() else { panic!("{:?}", found.kills) };
    assert_eq!((pid(kill), kill.event.guessed, kill.event.by), (Some(42), false, Killer::Memcg));
    assert_eq!((kill.event.unix_ms, kill.after), (BEGAN + 4800, Millis(4800)));
    assert!(kill.why.contains("loader (42) was killed"), "{}", kill.why);
    assert!(matches!(kill.event.forecast, ForecastResult::Named { .. }), "{kill:?}");
    assert!(kill.predicted().is_some_and(|lead| lead.0 >= 1000), "{kill:?}");
    assert!(found.needed_is_least);
}

#[test]
fn a_kill_at_the_limit_says_that_all_of_it_was_needed() {
    let mut samples = killed(Hierarchy::V1, 1, kill_lines(4800, "/test", 42));
    let found = summary(samples.clone());
    assert!(found.needed < Some(Bytes(100 * MIB)), "it was not reached: {:?}", found.needed);
    let last = samples.len() - 1;
    for (nth, sample) in samples.iter_mut().enumerate() {
        let groups = &mut Arc::make_mut(&mut sample.cgroups).list;
        let group = groups.iter_mut().find(|it| it.path.as_str() == "/test").expect("it");
        group.peak = if nth == last { mib(100) } else { group.usage };
        group.events.max = Reading::Value(0);
    }
    let found = summary(samples);
    assert_eq!((found.needed, found.needed_is_least), (Some(Bytes(100 * MIB)), true));
    assert_eq!(found.reclaim.limit_hits, None, "the kernel did not count this one");
}

#[test]
fn a_kill_in_another_cgroup_is_not_of_this_test() {
    let other = summary(killed(Hierarchy::V2, 0, kill_lines(4800, "/other", 7)));
    assert_eq!(other.kills, []);
    let machine = summary_in("global", killed(Hierarchy::V2, 1, kill_lines(4800, "/other", 7)));
    assert_eq!(machine.kills.len(), 1, "but of the machine");
}

#[test]
fn a_kill_without_a_log_is_counted_and_its_victim_guessed() {
    for hierarchy in [Hierarchy::V1, Hierarchy::V2] {
        let found = summary(killed(hierarchy, 1, Vec::new()));
        let [kill] = found.kills.as_slice() else { panic!("{:?}", found.kills) };
        let seen = (pid(kill), kill.event.guessed, kill.event.by);
        assert_eq!(seen, (Some(42), true, Killer::Counted));
        assert!(kill.predicted().is_some(), "{kill:?}");
        let found = summary(killed(hierarchy, 3, kill_lines(4800, "/test", 42)));
        let pids: Vec<Option<i32>> = found.kills.iter().map(pid).collect();
        assert_eq!(pids, [Some(42), None, None], "no sample saw the other two");
    }
}

#[test]
fn a_kill_with_which_the_counter_vanished_is_no_test_without_kills() {
    // memory.oom.group: every process was killed, and the cgroup was removed before the next sample.
    let vanished = |counted: u64| {
        let mut samples = killed(Hierarchy::V2, counted, Vec::new());
        let last = samples.last_mut().expect("a sample");
        last.cgroups = Arc::new(Cgroups {
            hierarchy: Reading::Value(Hierarchy::V2),
            read_ms: last.cgroups.read_ms,
            list: vec![Cgroup { path: path("/"), ..Cgroup::default() }],
        });
        summary(samples)
    };
    let found = vanished(1);
    let pids: Vec<Option<i32>> = found.kills.iter().map(pid).collect();
    assert_eq!((pids, found.kills_known), (vec![Some(42)], false));
    let none = vanished(0);
    assert!(none.kills.is_empty() && none.kills_known, "nothing on the machine was killed");
    assert!(summary(killed(Hierarchy::V2, 0, Vec::new())).kills_known);
}

#[test]
fn a_report_that_goes_on_in_the_next_sample_is_one_kill() {
    let mut samples = killed(Hierarchy::V2, 1, kill_lines(4800, "/test", 42));
    let mut after = samples.last().expect("a sample").clone();
    after.clock.monotonic_ms = Millis(10_500);
    after.clock.unix_ms += 500;
    after.clock.uptime_ticks = Ticks(1050);
    let reaped =
        "oom_reaper: reaped process 42 (loader), now anon-rss:0kB, file-rss:0kB, shmem-rss:0kB";
    after.log = Arc::new(vec![line(5100, reaped)]);
    samples.push(after);
    let kills: Vec<LoadKill> = summary(samples).kills;
    assert_eq!(kills.len(), 1, "{kills:?}");
}

#[test]
fn a_command_and_its_descendants_stand_for_a_cgroup() {
    let mut tree = ProcessTree::new(42, "/own");
    let child = |pid, parent, rss| Process { parent, ..process(pid, "/elsewhere", rss) };
    let with = |ms, processes: Vec<Process>| {
        let mut sample = sample(ms, Hierarchy::V2, Vec::new());
        sample.processes = processes;
        sample
    };
    let file = Reading::Value(Pages(256));
    let root = Process { file, ..child(42, 1, 10) };
    // A child may have a smaller pid than its parent; an orphan stays a member.
    let first = with(0, vec![child(7, 1, 900), child(9, 43, 20), root.clone(), child(43, 42, 30)]);
    let second = with(500, vec![child(9, 1, 25), root, child(44, 9, 5)]);
    let gathered = [tree.gather(&first), tree.gather(&second)];
    let usage = |sample: &Snapshot| {
        let group = sample.cgroups.find("/own").expect("the group");
        (group.usage, group.reclaimable)
    };
    assert_eq!(usage(&gathered[0]), (mib(60), mib(1)));
    assert_eq!(usage(&gathered[1]), (mib(40), mib(1)));
    let found = summary_in("/own", gathered);
    assert_eq!(found.peak.map(|it| it.bytes), Some(Bytes(60 * MIB)));
    assert_eq!((found.needed, found.limit), (Some(Bytes(59 * MIB)), None));
}

#[test]
fn a_recording_of_a_run_is_about_the_cgroup_of_its_command() {
    for (path, is) in [
        ("/a/doomtop-run-7", true),
        ("/user.slice/doomtop-run-7.scope", true),
        ("/a/doomtop-run-7-3", true),
        ("/a/doomtop-run-7/inner", false),
        ("/a/doomtop-run-7-doomtop", false),
        ("/a/doomtop-run-", false),
        ("/", false),
    ] {
        assert_eq!(is_of_run(path), is, "{path}");
    }
    let with = |paths: &[&str]| {
        let group = |path: &&str| Cgroup {
            path: Arc::new(Text::new(path.as_bytes())),
            ..Cgroup::default()
        };
        let list = paths.iter().map(group).collect();
        let cgroups = Arc::new(Cgroups { list, ..Cgroups::default() });
        run_scope(&Snapshot { cgroups, ..Snapshot::default() })
    };
    let of_seven = Scope::Memcg(Arc::new(Text::new(b"/doomtop-run-7")));
    assert_eq!(with(&["/a", "/doomtop-run-7", "/doomtop-run-7/x"]), Some(of_seven));
    assert_eq!(with(&["/doomtop-run-7", "/doomtop-run-8"]), None, "which of them is not known");
    assert_eq!(with(&["/a"]), None);
}
