//! What the report of a kill says to change: each kind of OOM has its own first advice, and none that its
//! facts do not support.

use doomtop::events::{DaemonLogReader, KernelLogReader, OomReport};
use doomtop::report::explain::{DumpContext, ExplainedReport};
use doomtop::units::Kib;
use doomtop::words::remedy::{Remedy, RemedyAct};

fn read(log: &str) -> OomReport {
    KernelLogReader::read(log).into_iter().next().expect("a report")
}

fn remedies(report: &OomReport) -> Vec<Remedy> {
    ExplainedReport::new(report, &DumpContext::default(), None).remedies()
}

fn texts(report: &OomReport) -> Vec<String> {
    remedies(report).into_iter().map(|remedy| remedy.text).collect()
}

/// A report of the machine, with lines of memory and of tasks between.
fn global(order: i32, memory: &str, tasks: &str, end: &str) -> OomReport {
    read(&format!(
        "[  12.000001] app invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order={order}, oom_score_adj=0\n\
         [  12.000002] CPU: 0 PID: 900 Comm: app Not tainted 6.12.0 #1\n\
         [  12.000003] Mem-Info:\n\
         {memory}\
         [  12.000005] 262144 pages RAM\n\
         [  12.000006] 0 pages reserved\n\
         [  12.000007] [  pid  ]   uid  tgid total_vm      rss pgtables_bytes swapents oom_score_adj name\n\
         {tasks}\
         {end}"
    ))
}

const TASKS: &str = "[  12.000008] [    900]  1000   900   200000   100000    40960        0             0 app\n\
                     [  12.000008] [    901]  1000   901   100000    50000    40960        0             0 web\n";
const KILLED: &str = "[  12.000009] oom-kill:constraint=CONSTRAINT_NONE,nodemask=(null),cpuset=/,mems_allowed=0,global_oom,task_memcg=/system.slice/app.service,task=app,pid=900,uid=1000\n\
                      [  12.000010] Out of memory: Killed process 900 (app) total-vm:800000kB, anon-rss:400000kB, file-rss:0kB, shmem-rss:0kB, UID:1000 pgtables:40kB oom_score_adj:0\n";
const FULL_SWAP: &str = "[  12.000004] Free swap  = 4kB\n[  12.000004] Total swap = 524288kB\n";
const HALF_SWAP: &str =
    "[  12.000004] Free swap  = 262144kB\n[  12.000004] Total swap = 524288kB\n";

fn cgroup(usage: &str, path: &str, killed: &str) -> OomReport {
    read(&format!(
        "[  12.000001] app invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=0, oom_score_adj=0\n\
         {usage}\
         [  12.000007] [  pid  ]   uid  tgid total_vm      rss pgtables_bytes swapents oom_score_adj name\n\
         {TASKS}\
         [  12.000009] oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),cpuset=/,mems_allowed=0,oom_memcg={path},task_memcg={path},task=app,pid=900,uid=1000\n\
         {killed}"
    ))
}

const CGROUP_KILLED: &str = "[  12.000010] Memory cgroup out of memory: Killed process 900 (app) total-vm:800000kB, anon-rss:400000kB, file-rss:0kB, shmem-rss:0kB, UID:1000 pgtables:40kB oom_score_adj:0\n";
const FULL_V2: &str = "[  12.000002] memory: usage 194560kB, limit 194560kB, failcnt 8\n\
                       [  12.000003] swap: usage 0kB, limit 0kB, failcnt 3\n";

#[test]
fn at_the_limit_of_a_cgroup_the_limit_comes_first() {
    let found = remedies(&cgroup(FULL_V2, "/shop/web", CGROUP_KILLED));
    assert_eq!(
        found[0].text,
        "raise the limit: memory.max of /shop/web is 190M; 238M is a quarter more"
    );
    let command = "echo 238M > /sys/fs/cgroup/shop/web/memory.max";
    assert_eq!((found[0].command.as_deref(), found[0].act), (Some(command), RemedyAct::Copy));
    assert!(
        found.iter().any(|it| it.text.contains("memory.swap.max of /shop/web is 0")),
        "{found:?}"
    );
    assert!(
        found.iter().any(|it| it.text.starts_with("protect 900 app: at oom_score_adj -")),
        "{found:?}"
    );
    let unit = remedies(&cgroup(FULL_V2, "/system.slice/web.service", CGROUP_KILLED));
    let command = "systemctl set-property web.service MemoryMax=238M";
    assert_eq!(unit[0].command.as_deref(), Some(command));
    // Version 1 has another file, and its limit of memory and swap together may be the one that was hit.
    let v1 = "[  12.000002] memory: usage 100000kB, limit 194560kB, failcnt 0\n\
              [  12.000003] memory+swap: usage 300000kB, limit 300000kB, failcnt 3\n";
    let found = texts(&cgroup(v1, "/a", CGROUP_KILLED));
    assert!(
        found[0].starts_with("raise the limit: memory.memsw.limit_in_bytes of /a"),
        "{found:?}"
    );
}

#[test]
fn a_limit_that_was_not_reached_is_not_raised() {
    let usage = "[  12.000002] memory: usage 1000kB, limit 194560kB, failcnt 0\n\
                 [  12.000003] swap: usage 0kB, limit 9007199254740988kB, failcnt 0\n";
    let found = texts(&cgroup(usage, "/a", CGROUP_KILLED));
    assert!(!found.iter().any(|it| it.contains("raise")), "{found:?}");
}

#[test]
fn a_group_kill_says_how_to_lose_only_one() {
    let group = "[  12.000011] Tasks in /a are going to be killed due to memory.oom.group set\n\
                 [  12.000012] Memory cgroup out of memory: Killed process 901 (web) total-vm:4kB, anon-rss:4kB, file-rss:0kB, shmem-rss:0kB, UID:1000 pgtables:40kB oom_score_adj:0\n";
    let found = texts(&cgroup(FULL_V2, "/a", &format!("{CGROUP_KILLED}{group}")));
    assert!(found.iter().any(|it| it.starts_with("lose only 900 app")), "{found:?}");
    assert!(!found.iter().any(|it| it.starts_with("protect")), "all of it dies: {found:?}");
}

#[test]
fn a_machine_without_swap_or_with_full_swap_gets_swap() {
    let full = texts(&global(0, FULL_SWAP, TASKS, KILLED));
    assert!(full.iter().any(|it| it == "add swap: of 512M only 4K is free"), "{full:?}");
    let half = texts(&global(0, HALF_SWAP, TASKS, KILLED));
    assert!(!half.iter().any(|it| it.contains("add swap")), "{half:?}");
    let none = "[  12.000004] Free swap  = 0kB\n[  12.000004] Total swap = 0kB\n";
    let none = texts(&global(0, none, TASKS, KILLED));
    assert!(none.iter().any(|it| it.starts_with("add swap or zram: there is none")), "{none:?}");
    assert!(none[0].starts_with("protect 900 app"), "{none:?}");
    assert!(none.iter().any(|it| it.starts_with("limit /system.slice/app.service")), "{none:?}");
}

#[test]
fn memory_of_the_kernel_comes_before_any_process() {
    let slab = "[  12.000004]  slab_reclaimable:10 slab_unreclaimable:120000\n\
                [  12.000004]  free:9000 free_pcp:0 free_cma:0\n";
    let found = texts(&global(3, slab, TASKS, KILLED));
    assert!(found[0].contains("469M of 1.00G is there, it cannot be reclaimed"), "{found:?}");
    assert!(found[1].contains("35M was free, but not 8 pages in one piece"), "{found:?}");
    assert!(!found.iter().any(|it| it.contains("overcommit")), "{found:?}");
    let huge = "[  12.000004] Node 0 hugepages_total=100 hugepages_free=90 hugepages_surp=0 hugepages_size=2048kB\n\
                [  12.000004] Node 1 hugepages_total=100 hugepages_free=90 hugepages_surp=0 hugepages_size=2048kB\n";
    let report = global(0, huge, TASKS, KILLED);
    assert_eq!(report.huge_pages, Some(Kib(400 << 10)));
    assert!(texts(&report)[0].contains("400M of 1.00G is in their pools"), "{:?}", texts(&report));
    let little = "[  12.000004]  slab_reclaimable:10 slab_unreclaimable:9000\n";
    let found = texts(&global(0, little, TASKS, KILLED));
    assert!(!found.iter().any(|it| it.contains("slab")), "{found:?}");
}

#[test]
fn a_panic_and_a_kill_without_ranking_name_their_sysctl() {
    let panic = "[  12.000010] Kernel panic - not syncing: Out of memory: compulsory panic_on_oom is enabled\n";
    let found = remedies(&global(0, HALF_SWAP, TASKS, panic));
    assert!(found[0].text.ends_with("vm.panic_on_oom is 2"), "{found:?}");
    assert_eq!(found[0].act, RemedyAct::Sysctls);
    let panic = panic.replace("compulsory", "system-wide");
    assert!(texts(&global(0, HALF_SWAP, TASKS, &panic))[0].ends_with("vm.panic_on_oom is 1"));
    let allocating = "[  12.000010] Out of memory (oom_kill_allocating_task): Killed process 901 (web) total-vm:8kB, anon-rss:4kB, file-rss:0kB, shmem-rss:0kB, UID:1000 pgtables:40kB oom_score_adj:0\n";
    let found = remedies(&global(0, HALF_SWAP, TASKS, allocating));
    assert!(found[0].text.contains("vm.oom_kill_allocating_task is 1"), "{found:?}");
    assert!(!found.iter().any(|it| matches!(it.act, RemedyAct::Persist(..))), "{found:?}");
}

#[test]
fn where_none_can_be_killed_the_largest_protected_one_is_named() {
    let tasks = "[  12.000008] [    900]  1000   900   200000   100000    40960        0         -1000 app\n";
    let end = "[  12.000009] Out of memory and no killable processes...\n";
    let found = remedies(&global(0, HALF_SWAP, tasks, end));
    assert!(found[0].text.contains("900 app holds 391M"), "{found:?}");
    assert!(matches!(found[0].act, RemedyAct::Persist(900, _)));
}

#[test]
fn nodes_that_a_cpuset_allows_are_widened() {
    let end = KILLED
        .replace("CONSTRAINT_NONE", "CONSTRAINT_CPUSET")
        .replace("cpuset=/,mems_allowed=0", "cpuset=db.scope,mems_allowed=0,2-3");
    let free = "[  12.000004]  free:90000 free_pcp:0 free_cma:0\n";
    let found = texts(&global(0, free, TASKS, &end));
    assert_eq!(
        found,
        [
            "give cpuset db.scope more memory nodes: cpuset.mems, now 0,2-3; the machine had 352M free"
        ]
    );
}

#[test]
fn a_page_fault_does_not_mean_that_the_machine_is_full() {
    let log = "[  12.000001] app invoked oom-killer: gfp_mask=0x0(), order=0, oom_score_adj=0\n\
               [  12.000002] CPU: 0 PID: 900 Comm: app Not tainted 5.4.0 #1\n\
               [  12.000005] 262144 pages RAM\n\
               [  12.000010] Out of memory: Killed process 901 (web) total-vm:8kB, anon-rss:4kB, file-rss:0kB, shmem-rss:0kB, UID:1000 pgtables:40kB oom_score_adj:0\n";
    let report = read(log);
    let explained = ExplainedReport::new(&report, &DumpContext::default(), None);
    assert!(explained.what().contains("the machine need not be out of memory"));
    assert!(texts(&report)[0].starts_with("raise the limit of the container of 900 app"));
}

#[test]
fn a_report_that_was_cut_gives_no_advice_about_the_machine() {
    let found =
        texts(&read("[  12.0] app invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=0\n"));
    assert_eq!(found, [] as [String; 0]);
}

#[test]
fn another_victim_is_only_proposed_where_that_frees_something() {
    let tasks = "[  12.000008] [    900]  1000   900   200000   100000    40960        0             0 app\n\
                 [  12.000008] [    901]  1000   901     2000      400    40960        0             0 web\n";
    let report = global(0, HALF_SWAP, tasks, KILLED);
    assert!(!texts(&report).iter().any(|it| it.starts_with("protect")), "{:?}", texts(&report));
    let explained = ExplainedReport::new(&report, &DumpContext::default(), None);
    let lines = explained.lines();
    assert!(
        lines.iter().any(|it| it.text.contains("would have died, which held only ")
            && it.text.ends_with(": no help")),
        "{lines:?}"
    );
}

#[test]
fn the_fixtures_get_a_sensible_first_advice() {
    for (name, log, first) in [
        (
            "memcg v1",
            include_str!("../fixtures/kmsg/6.18-memcg-v1.txt"),
            "raise the limit: memory.limit_in_bytes of /oomfacts is 100M",
        ),
        (
            "memcg v2",
            include_str!("../fixtures/kmsg/v2-memcg-6.18.txt"),
            "raise the limit: memory.max of /lab is 48M",
        ),
        (
            "group",
            include_str!("../fixtures/kmsg/v2-oom-group-6.18.txt"),
            "raise the limit of /lab",
        ),
        ("global", include_str!("../fixtures/kmsg/global-6.18.txt"), "let 180 grow05 die instead"),
        ("sysrq", include_str!("../fixtures/kmsg/sysrq-6.18.txt"), "no allocation had failed"),
    ] {
        let found = texts(&read(log));
        assert!(found[0].starts_with(first), "{name}: {found:?}");
    }
}

#[test]
fn a_daemon_is_told_to_prefer_others_in_its_own_way() {
    use doomtop::model::{EventTime, Killer, OomEvent, Victim};
    let mut daemons = DaemonLogReader::default();
    let line = r#"sending SIGTERM to process 600 uid 1000 "java": oom_score 900, VmRSS 800 MiB"#;
    let kill = daemons.take(Killer::Earlyoom, line).expect("a kill");
    let event = |by, domain| OomEvent {
        victim: kill.comm.map(|comm| Victim { comm, pid: kill.pid, ..Victim::default() }),
        domain,
        ..OomEvent::new(by, 0, EventTime::Live)
    };
    let first = |event: &OomEvent| {
        let found = doomtop::words::remedy::of_daemon_kill(event);
        found.into_iter().next().and_then(|it| it.command)
    };
    assert_eq!(first(&event(Killer::Earlyoom, None)).as_deref(), Some("--avoid '^java$'"));
    let unit = doomtop::model::Text::new(b"/system.slice/java.service");
    let command = "systemctl set-property java.service ManagedOOMPreference=avoid";
    assert_eq!(first(&event(Killer::SystemdOomd, Some(unit))).as_deref(), Some(command));
    assert_eq!(first(&event(Killer::Counted, None)), None);
}
