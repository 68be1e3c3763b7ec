//! From the bytes of a proc tree to a snapshot, live and recorded.

use std::fs;
use std::io::{Cursor, Write};
use std::sync::Arc;
use std::time::{Duration, Instant};

use doomtop::model::SCHEMA;
use doomtop::model::{
    Capabilities, MemoryUses, Needs, PanicOnOom, ProcId, Process, Reading, RunState, ScoreScale,
    Scores, Snapshot, UserIds,
};
use doomtop::sample::proc_root::{LiveRoot, NotLive, ProcRoot};
use doomtop::sample::process::lookup::{COMMAND_LINE_MAX, command_line, user_names};
use doomtop::sample::process::walk::ROTATION;
use doomtop::source::{LiveSource, Recording, ScanPatience, Source, SourceError};
use doomtop::units::{Adj, Kib, Millis, Pages, Ticks};

use crate::fakeproc::{Fake, FakeProc, kernel_thread, page_kib};
use crate::wait::until;

fn start(fake: &FakeProc) -> LiveSource {
    LiveSource::start(fake.root(), ScanPatience::Forever).expect("a readable tree")
}

fn needs() -> Needs {
    Needs { status: true, cgroup: true, ..Needs::default() }
}

fn row(snapshot: &Snapshot, pid: i32) -> &Process {
    &snapshot.processes[snapshot.position(pid).unwrap_or_else(|| panic!("{pid} is there"))]
}

fn id(pid: i32, born: u64) -> ProcId {
    ProcId { pid, born: Ticks(born) }
}

#[test]
fn a_tree_becomes_a_snapshot() {
    let fake = FakeProc::new();
    fake.process(kernel_thread(2, "kthreadd"))
        .process(Fake {
            pid: 4321,
            comm: b") R 1".to_vec(),
            ppid: 7,
            session: 4000,
            ticks: 77,
            nice: -5,
            threads: 3,
            born: 900,
            vsize: 5000,
            rss: 1000,
            uncounted: 3,
            shmem: 200,
            swap_kib: 6 * page_kib(),
            pgt_kib: 2 * page_kib(),
            adj: -500,
            score: 321,
            uid: 1000,
            euid: 0,
            caps: 1 << 24,
            cgroup: "9:name=systemd:/x\n4:cpu,memory:/app\n0::/y\n".to_owned(),
            cmdline: b"java\0-Xmx1g\0".to_vec(),
            ..Fake::default()
        })
        .file("self-made/stat", "not a process\n");
    let mut live = start(&fake);
    let snapshot = live.sample(&Needs::everything(), None).unwrap();

    let pids: Vec<i32> = snapshot.processes.iter().map(|row| row.id.pid).collect();
    assert_eq!(pids, [2, 4321]);
    let java = row(&snapshot, 4321);
    assert_eq!(java.id, id(4321, 900));
    assert_eq!(java.comm.bytes(), b") R 1");
    assert_eq!((java.state, java.parent, java.session), (RunState('S'), 7, 4000));
    assert_eq!(java.group, 4321);
    assert_eq!((java.cpu, java.nice, java.threads), (Ticks(77), -5, 3));
    assert_eq!(java.total_vm(snapshot.machine.page_size), Pages(5000));
    assert_eq!((java.rss_stat, java.rss_exact), (Pages(1000), Reading::Value(Pages(1003))));
    assert_eq!(java.anon, Reading::Value(Pages(803)));
    assert_eq!(java.shmem, Reading::Value(Pages(200)));
    assert_eq!(java.swap, Reading::Value(Pages(6)));
    assert_eq!(java.pgtables, Reading::Value(Pages(2)));
    assert!(java.has_mm);
    assert_eq!(java.adj, Reading::Value(Adj(-500)));
    assert_eq!((java.score, java.score_fresh), (Reading::Value(321), true));
    assert_eq!(java.ids, Reading::Value(UserIds { uid: 1000, euid: 0 }));
    assert_eq!(java.caps, Reading::Value(Capabilities(1 << 24)));
    assert_eq!(java.cgroup.clone().value().unwrap().as_str(), "/app");
    assert_eq!(java.cmdline.clone().value().unwrap().as_str(), "java -Xmx1g");

    let kthreadd = row(&snapshot, 2);
    assert!(kthreadd.is_kernel_thread() && !kthreadd.has_mm);
    assert_eq!(kthreadd.rss_exact, Reading::Missing);

    assert_eq!(snapshot.memory.total_kib, Kib(8 << 20));
    assert_eq!(snapshot.memory.cache_kib, Kib(1000 + 20_000 + 3000 - 4000));
    assert_eq!(snapshot.memory.hugetlb_kib, Kib(2048));
    assert_eq!(snapshot.swap.total_kib, Kib(1 << 20));
    assert_eq!(snapshot.overcommit.ratio, Reading::Value(50));
    assert_eq!(snapshot.overcommit.charge().unwrap().committed, Kib(55_508));
    assert_eq!(snapshot.pressure.full.value().unwrap().total_us, 567);
    assert_eq!(snapshot.traffic.oom_kills, Reading::Value(2));
    assert_eq!(snapshot.load, [0.5, 0.25, 0.12]);
    assert_eq!(snapshot.clock.uptime_ticks, Ticks(100_025 * snapshot.machine.tick_rate.0 / 100));
    assert_eq!(snapshot.machine.kernel.as_str(), "6.18.0-test");
    assert_eq!(snapshot.machine.name.as_str(), "fake");
    assert!(snapshot.machine.initial_pid_namespace, "kthreadd is to be seen");
    assert_eq!(snapshot.scan.stale_ms, Millis::ZERO);
}

#[test]
fn the_switches_of_the_oom_killer_are_read_in_place() {
    let fake = FakeProc::new();
    fake.process(Fake::default())
        .file("sys/vm/panic_on_oom", "0\n")
        .file("sys/vm/oom_kill_allocating_task", "0\n");
    let mut live = start(&fake);
    let sysctls = live.sample(&needs(), None).unwrap().sysctls;
    assert_eq!(sysctls.panic_on_oom, Reading::Value(PanicOnOom::Never));
    assert_eq!(sysctls.oom_kill_allocating_task, Reading::Value(false));
    assert_eq!(sysctls.swappiness, Reading::Missing, "an absent file is not zero");
    for (mode, means) in [("1", PanicOnOom::Global), ("2", PanicOnOom::Always)] {
        fake.file("sys/vm/panic_on_oom", format!("{mode}\n"))
            .file("sys/vm/oom_kill_allocating_task", "1\n");
        let sysctls = live.sample(&needs(), None).unwrap().sysctls;
        assert_eq!(sysctls.panic_on_oom, Reading::Value(means));
        assert_eq!(sysctls.oom_kill_allocating_task, Reading::Value(true));
    }
    fake.file("sys/vm/swappiness", "60\n").file("sys/vm/panic_on_oom", b"\x00\xff\n");
    let sysctls = start(&fake).sample(&needs(), None).unwrap().sysctls;
    assert_eq!(sysctls.swappiness, Reading::Value(60));
    assert_eq!(sysctls.panic_on_oom, Reading::Missing);
}

/// `/proc/swaps` with areas of these sizes and contents, in KiB.
fn swaps(areas: &[(u64, u64)]) -> String {
    let mut table = "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n".to_owned();
    for (size, used) in areas {
        table += &format!("/swap\\040file   file\t\t{size}\t\t{used}\t\t-2\n");
    }
    table
}

#[test]
fn swap_that_is_being_switched_off_is_seen() {
    let fake = FakeProc::new();
    fake.process(kernel_thread(2, "kthreadd"))
        .meminfo(8 << 20, 3 << 20)
        .file("swaps", swaps(&[(1 << 20, 5000), (2 << 20, 600_000)]));
    let mut live = start(&fake);
    let leaving = |live: &mut LiveSource| live.sample(&needs(), None).unwrap().swap.leaving_kib;
    assert_eq!(leaving(&mut live), None, "the sizes add up");
    // The second is leaving: the total counts what it still holds.
    fake.meminfo(8 << 20, (1 << 20) + 600_000);
    let snapshot = live.sample(&needs(), None).unwrap();
    assert_eq!(snapshot.swap.leaving_kib, Some(Kib(600_000)));
    assert_eq!(snapshot.swap.lasting(), Kib(1 << 20));
    fake.meminfo(8 << 20, 1 << 20).file("swaps", swaps(&[(1 << 20, 5000)]));
    assert_eq!(leaving(&mut live), None, "it is off");
    fake.file("swaps", "Filename\nnonsense\n");
    assert_eq!(leaving(&mut live), None);

    // Inside a container the files may be made up.
    fake.remove(2).meminfo(8 << 20, 1 << 20).process(Fake::default());
    fake.file("swaps", swaps(&[(1 << 20, 5000), (2 << 20, 600_000)]));
    assert_eq!(leaving(&mut start(&fake)), None);
}

#[test]
fn what_nobody_needs_is_not_read() {
    let fake = FakeProc::new();
    fake.process(Fake::default());
    let mut live = start(&fake);
    let _calibrating = live.sample(&Needs::default(), None).unwrap();
    let snapshot = live.sample(&Needs::default(), None).unwrap();
    let row = row(&snapshot, 100);
    assert_eq!((row.swap, row.ids), (Reading::NotAsked, Reading::NotAsked));
    assert_eq!((&row.cgroup, &row.cmdline), (&Reading::NotAsked, &Reading::NotAsked));
    assert_eq!((row.score, row.score_fresh), (Reading::NotAsked, false));
    assert_eq!(row.adj, Reading::Value(Adj::ZERO), "adj is always read");
    assert!(row.has_mm);
}

#[test]
fn a_file_that_is_not_there_is_missing_and_a_process_that_is_not_there_is_no_row() {
    let fake = FakeProc::new();
    fake.process(Fake { pid: 10, ..Fake::default() })
        .process(Fake { pid: 11, ..Fake::default() })
        .process(Fake { pid: 12, ..Fake::default() });
    fs::remove_file(fake.at("10/oom_score_adj")).unwrap();
    fs::remove_file(fake.at("10/cgroup")).unwrap();
    fs::remove_file(fake.at("10/status")).unwrap();
    fs::remove_file(fake.at("11/stat")).unwrap();
    fake.file("12/stat", "12 (nonsense\n");
    fs::remove_file(fake.at("pressure/memory")).unwrap();
    fs::remove_file(fake.at("vmstat")).unwrap();
    let snapshot = start(&fake).sample(&needs(), None).unwrap();
    assert_eq!(snapshot.processes.len(), 1);
    let ten = row(&snapshot, 10);
    assert_eq!((ten.adj, ten.swap), (Reading::Missing, Reading::Missing));
    assert_eq!((ten.ids, ten.cgroup.is_not_asked()), (Reading::Missing, false));
    assert_eq!(snapshot.scan.unreadable, 1, "12 was seen, but said nothing readable");
    assert_eq!(snapshot.pressure.some, Reading::Missing);
    assert_eq!(snapshot.traffic.oom_kills, Reading::Missing);
}

#[test]
fn a_file_that_may_not_be_read_is_denied() {
    use rustix::thread::{CapabilitySet, capabilities, set_capabilities};
    let fake = FakeProc::new();
    fake.process(Fake::default()).process(Fake { pid: 101, ..Fake::default() });
    for file in ["100/status", "100/oom_score_adj", "101/stat"] {
        let path = fake.at(file);
        let mut mode = fs::metadata(&path).unwrap().permissions();
        std::os::unix::fs::PermissionsExt::set_mode(&mut mode, 0);
        fs::set_permissions(&path, mode).unwrap();
    }
    // Root reads everything, unless this thread (and the walker that it starts) gives that up.
    let snapshot = std::thread::scope(|scope| {
        let looking = scope.spawn(|| {
            let mut caps = capabilities(None).unwrap();
            let over = CapabilitySet::DAC_OVERRIDE | CapabilitySet::DAC_READ_SEARCH;
            caps.effective.remove(over);
            set_capabilities(None, caps).unwrap();
            start(&fake).sample(&needs(), None).unwrap()
        });
        looking.join().unwrap()
    });
    let denied = row(&snapshot, 100);
    assert_eq!((denied.swap, denied.ids), (Reading::Denied, Reading::Denied));
    assert_eq!((denied.adj, denied.caps), (Reading::Denied, Reading::Denied));
    assert_eq!((snapshot.processes.len(), snapshot.scan.unreadable), (1, 1));
}

#[test]
fn a_tree_without_meminfo_is_an_error_that_names_it() {
    let fake = FakeProc::new();
    fs::remove_file(fake.at("meminfo")).unwrap();
    let lost = start(&fake).sample(&needs(), None).unwrap_err();
    assert!(lost.to_string().contains("/meminfo: "), "{lost}");
    let lost = ProcRoot::open(fake.at("nowhere")).unwrap_err();
    assert!(lost.to_string().starts_with("cannot read "), "{lost}");
}

#[test]
fn a_look_that_failed_spoils_no_later_one() {
    let fake = FakeProc::new();
    fake.process(Fake::default());
    let mut live = start(&fake);
    let kept = Needs { keep: vec![id(100, 5000)], ..needs() };
    live.sample(&kept, None).unwrap();
    for file in ["meminfo", "uptime"] {
        let good = fs::read(fake.at(file)).unwrap();
        fake.file(file, "");
        for _ in 0..2 {
            let lost = live.sample(&kept, None).unwrap_err();
            assert!(matches!(&lost, SourceError::Unreadable(_)), "{lost}");
            assert!(lost.to_string().contains(&format!("/{file}: ")), "{lost}");
        }
        // It comes back, in place or as another file.
        fs::remove_file(fake.at(file)).unwrap();
        live.sample(&kept, None).unwrap_err();
        fake.file(file, &good);
        fake.process(Fake { rss: 777, ..Fake::default() });
        let snapshot = live.sample(&kept, None).unwrap();
        assert_eq!(row(&snapshot, 100).rss_stat, Pages(777));
        assert_eq!(snapshot.scan.stale_ms, Millis::ZERO);
    }
    // Even when it was not there at the start.
    let meminfo = fs::read(fake.at("meminfo")).unwrap();
    fs::remove_file(fake.at("meminfo")).unwrap();
    let mut live = start(&fake);
    live.sample(&kept, None).unwrap_err();
    fake.file("meminfo", meminfo);
    live.sample(&kept, None).unwrap();
}

#[test]
fn what_did_not_change_is_not_read_again_until_its_turn() {
    let fake = FakeProc::new();
    // Its turn is the walk after the last of the first round.
    let pid = ROTATION as i32 * 10 + ROTATION as i32 - 1;
    let mut process = Fake { pid, ..Fake::default() };
    fake.process(process.clone());
    let mut live = start(&fake);
    let swap = |live: &mut LiveSource| row(&live.sample(&needs(), None).unwrap(), pid).swap;
    assert_eq!(swap(&mut live), Reading::Value(Pages(0)));

    process.swap_kib = 5 * page_kib();
    fake.file(&format!("{pid}/status"), process.status());
    for walk in 1..ROTATION - 1 {
        assert_eq!(swap(&mut live), Reading::Value(Pages(0)), "walk {walk}");
    }
    assert_eq!(swap(&mut live), Reading::Value(Pages(5)), "its turn");

    process.swap_kib = 6 * page_kib();
    fake.file(&format!("{pid}/status"), process.status());
    assert_eq!(swap(&mut live), Reading::Value(Pages(5)), "nothing in stat shows it");
    process.minor_faults += 1;
    fake.file(&format!("{pid}/stat"), process.stat());
    assert_eq!(swap(&mut live), Reading::Value(Pages(6)), "a page fault shows it");

    process.swap_kib = 7 * page_kib();
    fake.file(&format!("{pid}/status"), process.status());
    assert_eq!(swap(&mut live), Reading::Value(Pages(6)));
    fake.swap_traffic(1);
    assert_eq!(swap(&mut live), Reading::Value(Pages(7)), "pages were swapped out");

    fake.file(&format!("{pid}/oom_score_adj"), "300\n");
    let snapshot = live.sample(&needs(), None).unwrap();
    assert_eq!(row(&snapshot, pid).adj, Reading::Value(Adj(300)), "adj is read every time");
}

#[test]
fn a_pid_that_lives_again_is_somebody_else() {
    let fake = FakeProc::new();
    fake.process(Fake { born: 5000, swap_kib: 40, ..Fake::default() });
    let mut live = start(&fake);
    let needs = Needs { scores: Scores::Some(Vec::new()), keep: vec![id(100, 5000)], ..needs() };
    let first = live.sample(&needs, None).unwrap();
    assert!(first.find(id(100, 5000)).unwrap().score_fresh, "kept, so read whole");

    fake.remove(100).process(Fake {
        born: 6000,
        cgroup: "0::/new\n".to_owned(),
        uid: 7,
        euid: 7,
        ..Fake::default()
    });
    let needs = Needs { scores: Scores::Some(Vec::new()), ..self::needs() };
    let second = live.sample(&needs, None).unwrap();
    assert!(second.find(id(100, 5000)).is_none());
    let reborn = second.find(id(100, 6000)).unwrap();
    assert_eq!((reborn.swap, reborn.score), (Reading::Value(Pages(0)), Reading::NotAsked));
    assert_eq!(reborn.ids, Reading::Value(UserIds { uid: 7, euid: 7 }));
    assert_eq!(reborn.cgroup.clone().value().unwrap().as_str(), "/new");

    fake.remove(100);
    assert!(live.sample(&needs, None).unwrap().processes.is_empty());
}

#[test]
fn who_gets_the_pid_of_a_process_with_open_files_is_seen_at_once() {
    let fake = FakeProc::new();
    fake.process(Fake { swap_kib: 40, ..Fake::default() });
    let mut live = start(&fake);
    let needs = Needs { scores: Scores::All, keep: vec![id(100, 5000)], ..needs() };
    for _ in 0..2 {
        let before = live.sample(&needs, None).unwrap();
        assert!(before.find(id(100, 5000)).is_some());
    }
    // In place: its open files tell of the other life, as ESRCH does.
    let cgroup = "0::/new\n".to_owned();
    fake.process(Fake { born: 6000, cgroup, uid: 7, euid: 7, ..Fake::default() });
    for sample in 0..2 {
        let after = live.sample(&needs, None).unwrap();
        assert!(after.find(id(100, 5000)).is_none());
        let heir = after.find(id(100, 6000)).unwrap_or_else(|| panic!("missing in {sample}"));
        assert_eq!(heir.ids, Reading::Value(UserIds { uid: 7, euid: 7 }));
        assert_eq!(heir.swap, Reading::Value(Pages(0)));
        assert_eq!(heir.cgroup.clone().value().unwrap().as_str(), "/new");
    }
}

#[test]
fn processes_come_and_go_in_any_order() {
    let fake = FakeProc::new();
    let mut live = start(&fake);
    let mut there = std::collections::BTreeSet::new();
    for round in 0_u32..200 {
        // A fixed but restless choice.
        for step in 0..round % 7 {
            let pid = (round * 7919 + step * 104_729) % 40 + 1;
            let pid = i32::try_from(pid).unwrap();
            if there.remove(&pid) {
                fake.remove(pid);
            } else {
                there.insert(pid);
                fake.process(Fake { pid, born: u64::from(round), ..Fake::default() });
            }
        }
        let keep = there.iter().map(|&pid| id(pid, u64::from(round))).collect();
        let snapshot = live.sample(&Needs { keep, ..needs() }, None).unwrap();
        let pids = snapshot.processes.iter().map(|row| row.id.pid);
        assert!(pids.eq(there.iter().copied()), "round {round}");
    }
}

#[test]
fn a_process_outlives_its_main_thread() {
    let fake = FakeProc::new();
    let leader =
        Fake { pid: 200, state: 'Z', vsize: 0, rss: 0, threads: 2, uid: 9, ..Fake::default() };
    let thread = Fake {
        pid: 201,
        vsize: 3000,
        rss: 777,
        swap_kib: 3 * page_kib(),
        uid: 10,
        ..Fake::default()
    };
    fake.process(leader.clone()).thread(200, &leader).thread(200, &thread);
    let ended = Fake { pid: 300, threads: 1, ..leader.clone() };
    let all_ended = Fake { pid: 400, threads: 2, ..leader.clone() };
    fake.process(ended).process(all_ended.clone()).thread(400, &all_ended);
    for keep in [Vec::new(), vec![id(200, 5000), id(300, 5000), id(400, 5000)]] {
        let mut live = start(&fake);
        let needs = Needs { keep, ..needs() };
        for _ in 0..2 {
            let snapshot = live.sample(&needs, None).unwrap();
            let row = row(&snapshot, 200);
            assert!(row.has_mm);
            assert_eq!((row.state, row.rss_stat), (RunState('Z'), Pages(777)));
            assert_eq!(row.rss_exact, Reading::Value(Pages(777)));
            assert_eq!(row.swap, Reading::Value(Pages(3)));
            assert_eq!(row.ids.map(|ids| ids.uid), Reading::Value(9), "users are the leader's");
            for pid in [300, 400] {
                let row = self::row(&snapshot, pid);
                assert!(!row.has_mm);
                assert_eq!((row.rss_stat, row.swap), (Pages(0), Reading::Missing));
            }
        }
    }
}

#[test]
fn a_kernel_thread_is_read_once() {
    let fake = FakeProc::new();
    let mut worker = kernel_thread(50, "kworker/0:1");
    fake.process(worker.clone());
    let mut live = start(&fake);
    let needs = Needs { scores: Scores::All, ..needs() };
    let first = live.sample(&needs, None).unwrap();
    assert_eq!(row(&first, 50).ids.map(|ids| ids.uid), Reading::Value(0));
    for file in ["50/status", "50/cgroup", "50/oom_score", "50/oom_score_adj"] {
        fs::remove_file(fake.at(file)).unwrap();
    }
    worker.comm = b"kworker/0:1-events".to_vec();
    fake.file("50/stat", worker.stat());
    for _ in 0..=ROTATION {
        let snapshot = live.sample(&needs, None).unwrap();
        let row = row(&snapshot, 50);
        assert_eq!(row.comm.bytes(), b"kworker/0:1-events", "stat is read every time");
        assert_eq!(row.ids.map(|ids| ids.uid), Reading::Value(0));
        assert_eq!(row.adj, Reading::Value(Adj::ZERO));
        assert!(!row.cgroup.is_not_asked() && !row.score_fresh);
    }
}

#[test]
fn scores_are_read_where_asked_and_fresh_only_then() {
    let fake = FakeProc::new();
    for pid in 1000..1032 {
        fake.process(Fake { pid, ..Fake::default() });
    }
    let mut live = start(&fake);
    let listed = id(1003, 5000);
    let needs = Needs { scores: Scores::Some(vec![listed]), ..needs() };
    let mut read = std::collections::BTreeSet::new();
    for sample in 0..=ROTATION {
        let snapshot = live.sample(&needs, None).unwrap();
        assert!(snapshot.find(listed).unwrap().score_fresh, "listed ones are read every time");
        let fresh = snapshot.processes.iter().filter(|row| row.score_fresh);
        read.extend(fresh.clone().map(|row| row.id.pid));
        assert!(sample == 0 || fresh.count() <= 3, "two whose turn it is, and the listed one");
        for pid in &read {
            assert_eq!(row(&snapshot, *pid).score, Reading::Value(666), "remembered");
        }
    }
    assert_eq!(read.len(), 32, "everybody had a turn");
    let all = Needs { scores: Scores::All, ..self::needs() };
    assert!(live.sample(&all, None).unwrap().processes.iter().all(|row| row.score_fresh));
}

#[test]
fn scores_of_processes_that_changed_are_read_again() {
    let fake = FakeProc::new();
    for pid in 1000..1032 {
        fake.process(Fake { pid, ..Fake::default() });
    }
    let mut live = start(&fake);
    let needs = Needs { scores: Scores::Changed, ..needs() };
    let first = live.sample(&needs, None).unwrap();
    assert!(first.processes.iter().all(|row| row.score_fresh), "all at first");
    let grown = Fake { pid: 1003, rss: 9999, ..Fake::default() };
    fake.file("1003/stat", grown.stat());
    let next = live.sample(&needs, None).unwrap();
    let fresh: Vec<i32> =
        next.processes.iter().filter(|row| row.score_fresh).map(|row| row.id.pid).collect();
    assert!(fresh.contains(&1003) && fresh.len() <= 3, "and two whose turn it is: {fresh:?}");
    assert!(next.processes.iter().all(|row| row.score == Reading::Value(666)), "remembered");
    fake.swap_traffic(1);
    let swapped = live.sample(&needs, None).unwrap();
    assert!(swapped.processes.iter().all(|row| row.score_fresh), "pages were swapped out");
    assert!(live.sample(&needs, None).unwrap().processes.iter().any(|row| !row.score_fresh));
    fake.meminfo(9 << 20, 1 << 20);
    let larger = live.sample(&needs, None).unwrap();
    assert!(larger.processes.iter().all(|row| row.score_fresh), "each is a share of the total");
    let all = Needs { scores: Scores::All, ..needs };
    assert!(live.sample(&all, None).unwrap().processes.iter().all(|row| row.score_fresh));
}

#[test]
fn kept_files_are_read_in_place() {
    let fake = FakeProc::new();
    fake.process(Fake::default()).process(Fake { pid: 101, ..Fake::default() });
    let mut live = start(&fake);
    let needs = Needs {
        scores: Scores::Some(Vec::new()),
        keep: vec![id(100, 5000), id(999, 1)],
        ..needs()
    };
    live.sample(&needs, None).unwrap();

    // Whoever opens the path from now on reads nonsense; the open files still tell the truth.
    let mut open = Vec::new();
    for (file, content) in [
        ("100/stat", Fake { rss: 999, ..Fake::default() }.stat()),
        ("100/status", Fake { rss: 999, ..Fake::default() }.status().into_bytes()),
        ("100/oom_score_adj", b"17\n".to_vec()),
        ("100/oom_score", b"700\n".to_vec()),
    ] {
        open.push((fs::File::options().write(true).open(fake.at(file)).unwrap(), content));
        fs::remove_file(fake.at(file)).unwrap();
        fake.file(file, "nonsense\n");
    }
    for (file, content) in &mut open {
        file.set_len(0).unwrap();
        file.write_all(content).unwrap();
    }
    let mut snapshot = live.sample(&needs, None).unwrap();
    let check = |snapshot: &Snapshot| {
        let row = row(snapshot, 100);
        assert_eq!((row.rss_stat, row.rss_exact), (Pages(999), Reading::Value(Pages(999))));
        assert_eq!(row.adj, Reading::Value(Adj(17)));
        assert_eq!((row.score, row.score_fresh), (Reading::Value(700), true));
        assert_eq!(row.cgroup.clone().value().unwrap().as_str(), "/user.slice");
    };
    check(&snapshot);
    let room = Arc::get_mut(&mut snapshot).unwrap();
    live.sample_again(&[id(100, 5000)], room);
    check(room);

    // Nobody keeps it any more: its files are closed, and the path is read again.
    let snapshot = live.sample(&self::needs(), None).unwrap();
    assert_eq!((snapshot.processes.len(), snapshot.scan.unreadable), (1, 1));
}

#[test]
fn who_is_no_longer_kept_is_read_anew() {
    let fake = FakeProc::new();
    // Its turn comes at the end of a round only.
    let mut process = Fake { pid: ROTATION as i32 * 2 - 1, ..Fake::default() };
    let who = id(process.pid, process.born);
    fake.process(process.clone());
    let mut live = start(&fake);
    let kept = Needs { keep: vec![who], ..needs() };
    live.sample(&kept, None).unwrap();
    process.swap_kib = 8 * page_kib();
    fake.process(process).swap_traffic(1);
    let swap = |snapshot: &Snapshot| snapshot.find(who).unwrap().swap;
    assert_eq!(swap(&live.sample(&kept, None).unwrap()), Reading::Value(Pages(8)));
    // The walk did not look while others did; what it remembers is older than the swapping.
    assert_eq!(swap(&live.sample(&needs(), None).unwrap()), Reading::Value(Pages(8)));
}

#[test]
fn a_second_look_reads_whole_and_notices_who_is_gone() {
    let fake = FakeProc::new();
    for pid in [100, 101, 102] {
        fake.process(Fake { pid, ..Fake::default() });
    }
    let mut live = start(&fake);
    let needs = Needs { scores: Scores::Some(Vec::new()), ..needs() };
    let mut snapshot = live.sample(&needs, None).unwrap();
    let grown = Fake { swap_kib: 9 * page_kib(), rss: 500, score: 670, ..Fake::default() };
    fake.process(grown).remove(101).process(Fake { pid: 102, born: 7, ..Fake::default() });
    let room = Arc::get_mut(&mut snapshot).unwrap();
    live.sample_again(&[id(100, 5000), id(101, 5000), id(102, 5000), id(103, 1)], room);
    assert_eq!(room.processes.len(), 1);
    let row = row(room, 100);
    assert_eq!((row.rss_stat, row.swap), (Pages(500), Reading::Value(Pages(9))));
    assert_eq!((row.score, row.score_fresh), (Reading::Value(670), true));
}

#[test]
fn the_top_stays_true_while_the_walk_stalls() {
    let fake = FakeProc::new();
    let slow = Fake { pid: 500, ..Fake::default() };
    fake.process(Fake::default()).process(slow.clone());
    let mut live = LiveSource::start(fake.root(), ScanPatience::Millis(1)).unwrap();
    let needs = Needs { scores: Scores::All, keep: vec![id(100, 5000)], ..needs() };
    while live.sample(&needs, None).unwrap().scan.stale_ms != Millis::ZERO {}

    // Opening a pipe that nobody writes to blocks, as opening a file does when memory is gone.
    fs::remove_file(fake.at("500/stat")).unwrap();
    nix::unistd::mkfifo(&fake.at("500/stat"), nix::sys::stat::Mode::S_IRWXU).unwrap();
    for rss in [1000, 2000, 3000] {
        let now = Fake { rss, score: rss as u32, ..Fake::default() };
        fake.process(now);
        let snapshot = live.sample(&needs, None).unwrap();
        assert!(snapshot.scan.stale_ms > Millis::ZERO);
        let top = row(&snapshot, 100);
        assert_eq!(top.rss_stat, Pages(rss), "read in place");
        assert_eq!((top.score, top.score_fresh), (Reading::Value(rss as u32), true));
        assert_eq!(row(&snapshot, 500).rss_stat, Pages(slow.rss), "as it was");
        assert!(!row(&snapshot, 500).score_fresh);
    }

    // The walk goes on; the next look has a complete one again.
    let mut pipe = fs::File::options().write(true).open(fake.at("500/stat")).unwrap();
    fake.file("ready", Fake { rss: 1, ..slow }.stat());
    fs::rename(fake.at("ready"), fake.at("500/stat")).unwrap();
    pipe.write_all(b"late\n").unwrap();
    drop(pipe);
    let snapshot = loop {
        let snapshot = live.sample(&needs, None).unwrap();
        if snapshot.scan.stale_ms == Millis::ZERO {
            break snapshot;
        }
    };
    assert_eq!(row(&snapshot, 500).rss_stat, Pages(1));
    assert_eq!(row(&snapshot, 100).rss_stat, Pages(3000));
}

/// Makes the walk stall at this process: opening a pipe that nobody writes to blocks.
fn stall(fake: &FakeProc, pid: i32) {
    fs::remove_file(fake.at(&format!("{pid}/stat"))).unwrap();
    let mode = nix::sys::stat::Mode::S_IRWXU;
    nix::unistd::mkfifo(&fake.at(&format!("{pid}/stat")), mode).unwrap();
}

/// Lets the walk that stalled at this process go on.
fn go_on(fake: &FakeProc, process: &Fake) {
    let stat = format!("{}/stat", process.pid);
    let mut pipe = fs::File::options().write(true).open(fake.at(&stat)).unwrap();
    fake.file("ready", process.stat());
    fs::rename(fake.at("ready"), fake.at(&stat)).unwrap();
    pipe.write_all(&process.stat()).unwrap();
}

/// Looks until a walk is in time.
fn until_in_time(live: &mut LiveSource, needs: &Needs) -> Arc<Snapshot> {
    loop {
        let snapshot = live.sample(needs, None).unwrap();
        if snapshot.scan.stale_ms == Millis::ZERO {
            return snapshot;
        }
    }
}

#[test]
fn a_slow_sample_tells_of_the_machine_what_is_true_at_its_end() {
    let fake = FakeProc::new();
    let slow = Fake { pid: 500, ..Fake::default() };
    fake.process(Fake::default()).process(slow.clone()).meminfo(8 << 20, 1 << 20);
    stall(&fake, 500);
    let began = Instant::now();
    let mut live = LiveSource::start(fake.root(), ScanPatience::Forever).unwrap();
    let snapshot = std::thread::scope(|scope| {
        scope.spawn(|| {
            // Opens when the walk is there: by then the files of the machine were read.
            let mut pipe = fs::File::options().write(true).open(fake.at("500/stat")).unwrap();
            fake.meminfo(6 << 20, 1 << 20);
            until("the sample is slow", || {
                (began.elapsed() > Duration::from_millis(300)).then_some(())
            });
            pipe.write_all(&slow.stat()).unwrap();
        });
        live.sample(&needs(), None).unwrap()
    });
    assert_eq!(snapshot.memory.total_kib, Kib(6 << 20));
    assert!(snapshot.clock.monotonic_ms >= Millis(250), "its clock is that of its end");
}

#[test]
fn who_leaves_the_top_while_the_walk_stalls_stays_as_it_was_read_last() {
    let fake = FakeProc::new();
    let ancient = Fake { rss: 900_000, swap_kib: 8 * page_kib(), score: 800, ..Fake::default() };
    let slow = Fake { pid: 500, ..Fake::default() };
    fake.process(ancient).process(Fake { pid: 101, ..Fake::default() }).process(slow.clone());
    let mut live = LiveSource::start(fake.root(), ScanPatience::Millis(1)).unwrap();
    let scores = Scores::Some(Vec::new());
    let kept = Needs { scores, keep: vec![id(100, 5000), id(101, 5000)], ..needs() };
    let dropped = Needs { keep: Vec::new(), ..kept.clone() };
    until_in_time(&mut live, &kept);
    until_in_time(&mut live, &kept);

    fake.process(Fake { rss: 10, score: 670, ..Fake::default() });
    until_in_time(&mut live, &kept);
    stall(&fake, 500);
    assert!(live.sample(&kept, None).unwrap().scan.stale_ms > Millis::ZERO);
    let as_read_last = |snapshot: &Snapshot| {
        let row = row(snapshot, 100);
        assert_eq!((row.rss_stat, row.swap), (Pages(10), Reading::Value(Pages(0))));
        assert_eq!(row.score, Reading::Value(670));
    };
    for _ in 0..3 {
        let snapshot = live.sample(&dropped, None).unwrap();
        assert!(snapshot.scan.stale_ms > Millis::ZERO);
        as_read_last(&snapshot);
        assert!(!row(&snapshot, 100).score_fresh);
    }
    // The walk that stalled passed it by; what it brings of it is ancient.
    go_on(&fake, &slow);
    loop {
        let snapshot = live.sample(&dropped, None).unwrap();
        as_read_last(&snapshot);
        if snapshot.scan.stale_ms == Millis::ZERO {
            break;
        }
    }
}

#[test]
fn who_dies_while_the_walk_stalls_does_not_come_back() {
    let fake = FakeProc::new();
    let slow = Fake { pid: 500, ..Fake::default() };
    fake.process(Fake::default()).process(slow.clone());
    let mut live = LiveSource::start(fake.root(), ScanPatience::Millis(1)).unwrap();
    let kept = Needs { keep: vec![id(100, 5000)], ..needs() };
    until_in_time(&mut live, &kept);
    until_in_time(&mut live, &kept);
    stall(&fake, 500);
    assert!(live.sample(&kept, None).unwrap().find(id(100, 5000)).is_some());
    // Another life under the same number stands for ESRCH.
    fake.process(Fake { born: 6000, ..Fake::default() });
    for _ in 0..3 {
        assert!(live.sample(&kept, None).unwrap().find(id(100, 5000)).is_none());
    }
    go_on(&fake, &slow);
    let snapshot = loop {
        let snapshot = live.sample(&kept, None).unwrap();
        assert!(snapshot.find(id(100, 5000)).is_none());
        if snapshot.scan.stale_ms == Millis::ZERO {
            break snapshot;
        }
    };
    assert!(snapshot.find(id(100, 6000)).is_some());
}

#[test]
fn a_kept_file_that_fails_shows_the_last_look_not_the_first() {
    let fake = FakeProc::new();
    fake.process(Fake { rss: 900_000, ..Fake::default() });
    let mut live = start(&fake);
    let scores = Scores::Some(Vec::new());
    let kept = Needs { scores, keep: vec![id(100, 5000)], ..needs() };
    live.sample(&kept, None).unwrap();
    live.sample(&kept, None).unwrap();
    fake.process(Fake { rss: 10, ..Fake::default() });
    assert_eq!(row(&live.sample(&kept, None).unwrap(), 100).rss_stat, Pages(10));
    fake.file("100/stat", "nonsense\n");
    let snapshot = live.sample(&kept, None).unwrap();
    let there = row(&snapshot, 100);
    assert_eq!((there.rss_stat, there.score_fresh), (Pages(10), false));
    assert_eq!(snapshot.scan.unreadable, 1);
    fake.process(Fake { rss: 20, ..Fake::default() });
    let snapshot = live.sample(&kept, None).unwrap();
    assert_eq!(row(&snapshot, 100).rss_stat, Pages(20));
}

#[test]
fn what_a_second_look_read_survives_a_stall() {
    let fake = FakeProc::new();
    fake.process(Fake { rss: 900_000, ..Fake::default() })
        .process(Fake { pid: 101, ..Fake::default() })
        .process(Fake { pid: 500, ..Fake::default() });
    let mut live = LiveSource::start(fake.root(), ScanPatience::Millis(1)).unwrap();
    let mut snapshot = until_in_time(&mut live, &needs());
    fake.process(Fake { rss: 10, ..Fake::default() }).remove(101);
    live.sample_again(&[id(100, 5000), id(101, 5000)], Arc::get_mut(&mut snapshot).unwrap());
    stall(&fake, 500);
    let snapshot = live.sample(&needs(), None).unwrap();
    assert!(snapshot.scan.stale_ms > Millis::ZERO);
    assert_eq!(row(&snapshot, 100).rss_stat, Pages(10));
    assert!(snapshot.position(101).is_none());
    go_on(&fake, &Fake { pid: 500, ..Fake::default() });
}

#[test]
fn a_score_that_spares_is_not_remembered() {
    let fake = FakeProc::new();
    // Its turn comes at the end of a round only.
    let pid = ROTATION as i32 * 2 - 1;
    fake.process(Fake { pid, score: 0, ..Fake::default() });
    let mut live = start(&fake);
    live.sample(&Needs { scores: Scores::All, ..needs() }, None).unwrap();
    let needs = Needs { scores: Scores::Some(Vec::new()), ..needs() };
    let score = |live: &mut LiveSource| {
        let snapshot = live.sample(&needs, None).unwrap();
        let row = row(&snapshot, pid);
        (row.score, row.score_fresh)
    };
    assert_eq!(score(&mut live), (Reading::Value(0), true), "read again");
    fake.file(&format!("{pid}/oom_score"), "667\n");
    assert_eq!(score(&mut live), (Reading::Value(667), true));
    fake.file(&format!("{pid}/oom_score"), "0\n");
    assert_eq!(score(&mut live), (Reading::Value(667), false), "remembered");
    // Another adj makes another score.
    fake.file(&format!("{pid}/oom_score_adj"), "-1000\n");
    assert_eq!(score(&mut live), (Reading::Value(0), true));
    fake.file(&format!("{pid}/oom_score"), "5\n");
    assert_eq!(score(&mut live), (Reading::Value(0), false), "spared by its adj");
}

#[test]
fn who_is_listed_is_read_whole() {
    let fake = FakeProc::new();
    let mut process = Fake { pid: ROTATION as i32 * 2 - 1, ..Fake::default() };
    let who = id(process.pid, process.born);
    fake.process(process.clone());
    let mut live = start(&fake);
    let listed = Needs { scores: Scores::Some(vec![who]), ..needs() };
    live.sample(&needs(), None).unwrap();
    // Nothing in stat shows it.
    process.swap_kib = 7 * page_kib();
    process.cgroup = "0::/moved\n".to_owned();
    fake.process(process);
    let snapshot = live.sample(&listed, None).unwrap();
    let row = snapshot.find(who).unwrap();
    assert_eq!((row.swap, row.score_fresh), (Reading::Value(Pages(7)), true));
    assert_eq!(row.cgroup.clone().value().unwrap().as_str(), "/moved");
}

#[test]
fn a_thorough_look_does_not_wait_for_a_late_walk_either() {
    let fake = FakeProc::new();
    let slow = Fake { pid: 500, ..Fake::default() };
    fake.process(Fake::default()).process(slow.clone());
    let mut live = LiveSource::start(fake.root(), ScanPatience::Millis(20)).unwrap();
    let thorough = Needs { keep: vec![id(100, 5000)], ..Needs::everything() };
    until_in_time(&mut live, &thorough);
    until_in_time(&mut live, &thorough);
    stall(&fake, 500);
    for rss in [1000, 2000] {
        fake.process(Fake { rss, score: rss as u32, ..Fake::default() });
        // It comes back at all: the walk stands still until the pipe is written to.
        let snapshot = live.sample(&thorough, None).unwrap();
        assert!(snapshot.scan.stale_ms > Millis::ZERO);
        let top = row(&snapshot, 100);
        assert_eq!((top.rss_stat, top.score), (Pages(rss), Reading::Value(rss as u32)));
        assert!(top.score_fresh);
        for row in &snapshot.processes {
            assert_eq!(row.cmdline.clone().value().unwrap().as_str(), "sleep 60");
            assert_eq!(row.cgroup.clone().value().unwrap().as_str(), "/user.slice");
        }
        let late = row(&snapshot, 500);
        assert_eq!((late.score, late.score_fresh), (Reading::Value(666), false));
    }
    go_on(&fake, &slow);
    let snapshot = until_in_time(&mut live, &thorough);
    assert!(snapshot.processes.iter().all(|row| row.score_fresh));
}

#[test]
fn a_spent_snapshot_is_used_again_unless_somebody_holds_it() {
    let fake = FakeProc::new();
    fake.process(Fake::default());
    let mut live = start(&fake);
    let first = live.sample(&needs(), None).unwrap();
    let place = Arc::as_ptr(&first);
    let second = live.sample(&needs(), Some(first)).unwrap();
    assert_eq!(Arc::as_ptr(&second), place);
    let held = Arc::clone(&second);
    let third = live.sample(&needs(), Some(second)).unwrap();
    assert_ne!(Arc::as_ptr(&third), place);
    assert_eq!(held.processes, third.processes);
}

#[test]
fn the_scale_of_scores_is_found_by_looking() {
    for (score, scale) in [(666, ScoreScale::Signed), (0, ScoreScale::Floored)] {
        let fake = FakeProc::new();
        fake.process(Fake { score, ..Fake::default() });
        let mut live = start(&fake);
        let snapshot = live.sample(&Needs::default(), None).unwrap();
        assert_eq!(snapshot.machine.score_scale, scale, "the release says nothing");
    }
    let fake = FakeProc::new();
    fake.file("sys/kernel/osrelease", "5.8.0\n");
    let snapshot = start(&fake).sample(&Needs::default(), None).unwrap();
    assert_eq!(snapshot.machine.score_scale, ScoreScale::Floored, "nobody to compare");
}

#[test]
fn the_tree_tells_whose_init_its_pid_1_is() {
    let initial = |second: Option<Fake>, link: &str| {
        let fake = FakeProc::new();
        second.map(|second| fake.process(second));
        fs::create_dir_all(fake.at("self/ns")).unwrap();
        std::os::unix::fs::symlink(link, fake.at("self/ns/pid")).unwrap();
        start(&fake).machine().initial_pid_namespace
    };
    let (host, container) = ("pid:[4026531836]", "pid:[4026532000]");
    assert!(initial(Some(kernel_thread(2, "kthreadd")), container), "the host's, from within");
    assert!(!initial(Some(Fake { pid: 2, ..Fake::default() }), host), "the other way round");
    assert!(!initial(None, host), "a link of ours says nothing about another tree");
}

#[test]
fn a_command_line_is_that_of_the_process_asked_for() {
    let fake = FakeProc::new();
    fake.process(Fake::default());
    let root = fake.root();
    assert_eq!(command_line(&root, id(100, 5000)).unwrap().as_str(), "sleep 60");
    assert_eq!(command_line(&root, id(100, 5001)), None, "somebody else by now");
    assert_eq!(command_line(&root, id(101, 5000)), None);
    let live = user_names(&ProcRoot::open("/proc").unwrap());
    assert_eq!(live.get(&0).map(ToString::to_string).as_deref(), Some("root"));
}

#[test]
fn a_command_line_without_end_is_cut() {
    let fake = FakeProc::new();
    let line = |pid, cmdline: Vec<u8>| Fake { pid, cmdline, ..Fake::default() };
    fake.process(line(1, vec![b'x'; COMMAND_LINE_MAX]))
        .process(line(2, vec![b'x'; COMMAND_LINE_MAX + 1]))
        .process(line(3, [vec![b'x'; COMMAND_LINE_MAX - 1], "ää".into()].concat()))
        .process(line(4, vec![0xff; 5 << 20]));
    let snapshot = start(&fake).sample(&Needs::everything(), None).unwrap();
    for (pid, shown) in [
        (1, "x".repeat(COMMAND_LINE_MAX)),
        (2, format!("{}…", "x".repeat(COMMAND_LINE_MAX))),
        (3, format!("{}…", "x".repeat(COMMAND_LINE_MAX - 1))),
        (4, format!("{}…", r"\xff".repeat(COMMAND_LINE_MAX))),
    ] {
        let there = row(&snapshot, pid).cmdline.clone().value().unwrap();
        assert!(there.as_str() == shown, "{pid}: {} bytes", there.as_str().len());
        let asked = command_line(&fake.root(), id(pid, 5000)).unwrap();
        assert_eq!(asked, *there);
    }
}

#[test]
fn only_the_kernels_own_tree_is_live() {
    let fake = FakeProc::new();
    std::os::unix::fs::symlink(std::process::id().to_string(), fake.at("self")).unwrap();
    let refused = LiveRoot::prove(fake.root()).unwrap_err();
    assert!(matches!(refused, NotLive::OtherFilesystem { .. }), "{refused}");
    assert!(LiveRoot::prove(ProcRoot::open("/proc").unwrap()).is_ok());
    let below = LiveRoot::prove(ProcRoot::open("/proc/self").unwrap()).unwrap_err();
    assert!(matches!(below, NotLive::OtherNamespace { .. }), "procfs, but not its top: {below}");
}

#[test]
fn this_very_process_is_found() {
    let mut live =
        LiveSource::start(ProcRoot::open("/proc").unwrap(), ScanPatience::Forever).unwrap();
    let mut snapshot = live.sample(&Needs::everything(), None).unwrap();
    assert!(snapshot.processes.is_sorted_by_key(|row| row.id.pid));
    let own = std::process::id() as i32;
    let me = row(&snapshot, own);
    assert!(me.has_mm && me.rss_stat > Pages(100) && me.threads > 1);
    assert!(me.rss_exact.value().unwrap() > Pages(100));
    assert!(me.pgtables.value().unwrap() > Pages::ZERO);
    assert_eq!(me.ids.value().unwrap().euid, nix::unistd::geteuid().as_raw());
    assert_eq!(me.parent, nix::unistd::getppid().as_raw());
    assert!(me.id.born <= snapshot.clock.uptime_ticks);
    assert!(me.score_fresh);
    assert!(!me.cmdline.clone().value().unwrap().as_str().is_empty());
    assert!(snapshot.memory.total_kib > Kib(64 * 1024));
    assert!(snapshot.memory.free_kib < snapshot.memory.total_kib);
    assert!(snapshot.privileges.sees_others || snapshot.processes.iter().all(|row| row.id.pid > 1));
    let me = me.id;
    live.sample_again(&[me], Arc::get_mut(&mut snapshot).unwrap());
    assert!(snapshot.find(me).is_some());
    assert!(command_line(&ProcRoot::open("/proc").unwrap(), me).is_some());
}

#[test]
fn another_tree_has_the_users_of_its_own_filesystem() {
    let alone = FakeProc::new();
    assert!(user_names(&alone.root()).is_empty(), "not those of this machine");
    let whole = FakeProc::of_machine();
    assert!(user_names(&whole.root()).is_empty(), "there is no list");
    whole.beside("etc/passwd", "root:x:0:0::/:/bin/sh\nnode\x1b[2J:x:1000:1000::/:/bin/sh\n");
    let names: Vec<_> =
        user_names(&whole.root()).into_iter().map(|(uid, name)| (uid, name.to_string())).collect();
    assert_eq!(names, [(0, "root".to_owned()), (1000, "node\\x1b[2J".to_owned())]);
}

/// What lxcfs makes of `/proc`: files of the container beside missing ones, and numbers below zero.
#[test]
fn an_odd_proc_is_read_and_what_is_missing_stays_missing() {
    let fake = FakeProc::new();
    fake.process(Fake::default());
    for file in ["vmstat", "loadavg", "pressure/memory", "sys/vm/overcommit_memory"] {
        fs::remove_file(fake.at(file)).unwrap();
    }
    for meminfo in [
        "MemTotal: 20971520 kB\nMemFree: 8615216 kB\nMemAvailable: 8615216 kB\nBuffers: 0 kB\n\
         Cached: 9258920 kB\nSwapTotal: 0 kB\nSwapFree: 18446744073709551488 kB\nAnonPages: 3143312 kB\n\
         Shmem: 322176 kB\nSlab: 0 kB\nSReclaimable: 383268 kB\nSUnreclaim: 1822392 kB\n",
        "MemTotal: 2097152 kB\nMemFree: 2000000 kB\n",
    ] {
        fake.file("meminfo", meminfo);
        let mut live = start(&fake);
        let snapshot = live.sample(&needs(), None).unwrap();
        assert_eq!(snapshot.processes.len(), 1);
        assert_eq!((snapshot.swap.total_kib, snapshot.swap.free_kib), (Kib::ZERO, Kib::ZERO));
        assert_eq!(snapshot.overcommit.committed_kib, Reading::Missing);
        assert_eq!(snapshot.overcommit.mode, Reading::Missing);
        assert_eq!(snapshot.traffic.oom_kills, Reading::Missing);
        assert_eq!(snapshot.pressure.some, Reading::Missing);
        assert_eq!(snapshot.memory_uses, MemoryUses::missing());
        let available = meminfo.contains("MemAvailable").then_some(Kib(8_615_216));
        assert_eq!(snapshot.memory.available_kib.value(), available);
    }
}

/// A line as `--json` writes it.
fn line(snapshot: &Snapshot) -> String {
    let mut value = serde_json::to_value(snapshot).unwrap();
    let keys = value.as_object_mut().unwrap();
    keys.insert("schema".into(), SCHEMA.into());
    keys.insert("policy".into(), "linux".into());
    keys.insert("victim".into(), serde_json::Value::Null);
    format!("{value}\n")
}

fn play(text: impl Into<Vec<u8>>) -> Recording {
    Recording::open(Box::new(Cursor::new(text.into())), "rec.jsonl")
}

#[test]
fn a_recording_tells_what_was_seen() {
    let fake = FakeProc::new();
    fake.process(Fake { comm: b"a\x1b[2Jb".to_vec(), ..Fake::default() })
        .process(Fake { pid: 30, ..Fake::default() })
        .process(kernel_thread(2, "kthreadd"));
    fs::remove_file(fake.at("30/oom_score_adj")).unwrap();
    let seen = start(&fake).sample(&Needs::everything(), None).unwrap();
    let here = LiveSource::start(ProcRoot::open("/proc").unwrap(), ScanPatience::Forever)
        .unwrap()
        .sample(&needs(), None)
        .unwrap();
    let mut recording = play(format!("{}\n  \n{}", line(&seen), line(&here)));
    for seen in [seen, here] {
        let told = recording.sample(&Needs::default(), None).unwrap();
        assert_eq!(told.processes, seen.processes);
        assert_eq!(told.machine, seen.machine);
        assert_eq!((told.memory, told.swap), (seen.memory, seen.swap));
        assert_eq!((told.overcommit, told.traffic), (seen.overcommit, seen.traffic));
        assert_eq!((told.pressure, told.load), (seen.pressure, seen.load));
        assert_eq!(
            (told.clock, told.scan, told.privileges),
            (seen.clock, seen.scan, seen.privileges)
        );
    }
    assert_eq!(recording.sample(&Needs::default(), None).unwrap_err(), SourceError::End);
}

#[test]
fn a_recording_that_was_cut_short_plays_up_to_there() {
    let fake = FakeProc::new();
    fake.process(Fake::default());
    let whole = line(&start(&fake).sample(&needs(), None).unwrap());
    for end in (1..whole.len() - 1).step_by(7) {
        let mut recording = play(format!("{whole}{}", &whole[..end]));
        recording.sample(&Needs::default(), None).unwrap();
        let cut = recording.sample(&Needs::default(), None).unwrap_err();
        assert_eq!(cut, SourceError::Cut { name: "rec.jsonl".to_owned(), line: 2 }, "at {end}");
        assert_eq!(recording.sample(&Needs::default(), None).unwrap_err(), SourceError::End);
        let lost = play(&whole[..end]).sample(&Needs::default(), None).unwrap_err();
        assert!(matches!(lost, SourceError::Bad { line: 1, .. }), "nothing to play: {lost}");
    }
    // A missing last line end alone is no harm.
    let mut recording = play(whole.trim_end());
    recording.sample(&Needs::default(), None).unwrap();
}

#[test]
fn a_bad_recording_is_an_error_in_one_line_that_names_the_place() {
    let fake = FakeProc::new();
    fake.process(Fake::default()).process(Fake { pid: 99, ..Fake::default() });
    let good = line(&start(&fake).sample(&needs(), None).unwrap());
    let at_time = |unix_ms: i64| {
        let mut sample: serde_json::Value = serde_json::from_str(&good).unwrap();
        sample["clock"]["unix_ms"] = unix_ms.into();
        format!("{sample}\n")
    };
    for (text, says) in [
        ("\nnonsense\n".to_owned(), "rec.jsonl:2:"),
        (good.replace(SCHEMA, "doomtop/9"), "rec.jsonl:1: the schema is doomtop/9, this doomtop"),
        (good.replace("schema", "scheme"), "rec.jsonl:1: there is no schema doomtop/1"),
        ("{\"schema\":\"doomtop/1\"}\n".to_owned(), "missing field"),
        ("{\"schema\":\"doomtop\\u001b/1\"}\n".to_owned(), r"doomtop\x1b/1"),
        (good.replace("\"page_size\":4096", "\"page_size\":0"), "a page size of 0"),
        (good.replace("\"page_size\":4096", "\"page_size\":2097152"), "a page size of 2097152"),
        (good.replace("\"tick_rate\":100", "\"tick_rate\":10001"), "a tick rate of 10001"),
        (good.replace("\"cpus\":", "\"cpus\":65536"), " processors is impossible"),
        (good.replace("\"has_mm\":true,", ""), "the process 99 lacks has_mm"),
        (good.replace("\"pid\":99", "\"pid\":-99"), "the pid -99"),
        (
            good.replace("\"oom_score_adj\":0", "\"oom_score_adj\":1001"),
            "is not from -1000 to 1000",
        ),
        (at_time(i64::MAX), "a time of 9223372036854775807 ms since 1970 is in no calendar"),
        (at_time(i64::MIN), "in no calendar"),
        ("[]\n".to_owned(), "rec.jsonl:1:"),
    ] {
        if text == good {
            continue; // another page size than the text expects
        }
        let lost = play(text).sample(&Needs::default(), None).unwrap_err();
        let words = lost.to_string();
        assert!(words.contains(says), "{words}");
        assert!(!words.contains('\n') && !words.contains('\u{1b}'), "{words}");
    }
}

#[test]
fn a_recording_from_anywhere_is_put_in_order() {
    let fake = FakeProc::new();
    for pid in [5, 6, 7] {
        fake.process(Fake { pid, ..Fake::default() });
    }
    let seen = start(&fake).sample(&needs(), None).unwrap();
    let mut shuffled = Snapshot::clone(&seen);
    shuffled.processes.reverse();
    shuffled.processes.push(seen.processes[1].clone());
    let told = play(line(&shuffled)).sample(&Needs::default(), None).unwrap();
    assert_eq!(told.processes, seen.processes);
}
