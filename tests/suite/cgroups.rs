//! From the files of memory cgroups to a snapshot: made-up trees of both versions, and this host's.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use doomtop::model::{
    Cgroup, CgroupNeeds, Cgroups, Domain, DomainKind, Hierarchy, Limit, Needs, Reading, Scope,
    Snapshot, Text,
};
use doomtop::sample::cgroup::tree_reader::SURVEY_INTERVAL;
use doomtop::sample::proc_root::ProcRoot;
use doomtop::source::{LiveSource, ScanPatience, Source};
use doomtop::units::{Bytes, Millis, Pages};

use crate::fakeproc::{Fake, FakeProc, page_kib};

const MIB: u64 = 1 << 20;

/// The biggest version-1 limit with pages of 4 KiB: none.
const NO_LIMIT: &str = "9223372036854771712\n";

fn start(fake: &FakeProc) -> LiveSource {
    LiveSource::start(fake.root(), ScanPatience::Forever).expect("a readable tree")
}

fn sample(live: &mut LiveSource, cgroups: CgroupNeeds) -> Arc<Snapshot> {
    live.sample(&Needs { cgroups, status: true, ..Needs::default() }, None).expect("a look")
}

fn group<'a>(cgroups: &'a Cgroups, path: &str) -> &'a Cgroup {
    cgroups.find(path).unwrap_or_else(|| panic!("{path} is there"))
}

fn paths(cgroups: &Cgroups) -> Vec<&str> {
    cgroups.list.iter().map(|group| group.path.as_str()).collect()
}

fn at(mib: u64) -> Reading<Limit> {
    Reading::Value(Limit::At(Bytes(mib * MIB)))
}

fn holds(mib: u64) -> Reading<Bytes> {
    Reading::Value(Bytes(mib * MIB))
}

const MAX: Reading<Limit> = Reading::Value(Limit::Max);

/// Writes the list of mounts: a hierarchy at the folder `mount` in the tree.
fn mounted(fake: &FakeProc, root: &str, options: &str) {
    let kind = if options.contains("memory") { "cgroup" } else { "cgroup2" };
    let point = fake.at("mount").display().to_string().replace(' ', "\\040");
    fake.file(
        "self/mountinfo",
        format!(
            "22 1 0:5 / /proc rw shared:3 - proc proc rw\n\
             30 22 0:26 / /nowhere/at\\040all rw - cgroup cgroup rw,cpu\n\
             35 30 0:32 {root} {point} rw,nosuid shared:7 - {kind} {kind} {options}\n"
        ),
    );
}

/// A group of version 2: limit and usage in MiB.
fn v2(fake: &FakeProc, path: &str, limit: Option<u64>, usage: u64) {
    let file = |name: &str, text: String| {
        fake.file(&format!("mount{path}/{name}"), text);
    };
    let number = |mib: u64| format!("{}\n", mib * MIB);
    file("memory.max", limit.map_or("max\n".to_owned(), number));
    file("memory.current", number(usage));
    file("memory.high", limit.map_or("max\n".to_owned(), |limit| number(limit - 1)));
    file("memory.swap.max", number(64));
    file("memory.swap.current", number(3));
    file("memory.oom.group", "1\n".to_owned());
    file("memory.peak", number(usage + 7));
    file("memory.events", "low 0\nhigh 1\nmax 22\noom 3\noom_kill 2\n".to_owned());
    file(
        "memory.pressure",
        "some avg10=1.50 avg60=0.20 avg300=0.00 total=1234\n\
         full avg10=0.50 avg60=0.10 avg300=0.00 total=567\n"
            .to_owned(),
    );
    file(
        "memory.stat",
        format!(
            "anon 1\ninactive_file {MIB}\nactive_file {MIB}\nslab_reclaimable {MIB}\n\
             workingset_refault_anon 2\nworkingset_refault_file 9\n"
        ),
    );
}

/// A machine with version 2: `/`, `/app` (limited), `/app-2`, `/app/web`.
fn v2_machine() -> FakeProc {
    let fake = FakeProc::new();
    mounted(&fake, "/", "rw,nsdelegate");
    fake.file("mount/cgroup.controllers", "cpu io memory pids\n")
        .file("sys/vm/swappiness", "60\n")
        .process(Fake { cgroup: "0::/app/web\n".to_owned(), ..Fake::default() });
    v2(&fake, "/app", Some(512), 300);
    v2(&fake, "/app/web", None, 200);
    v2(&fake, "/app-2", None, 10);
    fake
}

/// A group of version 1: limits and usages in MiB.
fn v1(fake: &FakeProc, path: &str, limit: Option<u64>, usage: u64) {
    let file = |name: &str, text: String| {
        fake.file(&format!("mount{path}/{name}"), text);
    };
    let number = |mib: u64| format!("{}\n", mib * MIB);
    file("memory.limit_in_bytes", limit.map_or(NO_LIMIT.to_owned(), number));
    file("memory.usage_in_bytes", number(usage));
    let both = limit.map_or(NO_LIMIT.to_owned(), |limit| number(limit + 50));
    file("memory.memsw.limit_in_bytes", both);
    file("memory.memsw.usage_in_bytes", number(usage + 4));
    file("memory.swappiness", "10\n".to_owned());
    file("memory.max_usage_in_bytes", number(usage + 9));
    file("memory.failcnt", "17\n".to_owned());
    file("memory.oom_control", "oom_kill_disable 1\nunder_oom 1\noom_kill 5\n".to_owned());
    file(
        "memory.stat",
        format!("active_file 9\ntotal_inactive_file {MIB}\ntotal_active_file {MIB}\n"),
    );
}

#[test]
fn a_tree_of_version_2_is_read() {
    let fake = v2_machine();
    std::os::unix::fs::symlink(fake.at("mount/app"), fake.at("mount/link")).unwrap();
    fake.file("mount/off/cgroup.procs", "").file("mount/off/cgroup.events", "populated 1\n");
    let snapshot = sample(&mut start(&fake), CgroupNeeds::Everything);
    let cgroups = &snapshot.cgroups;
    assert_eq!(cgroups.hierarchy, Reading::Value(Hierarchy::V2));
    assert_eq!(paths(cgroups), ["/", "/app", "/app/web", "/app-2", "/off"]);
    assert!(cgroups.read_ms <= snapshot.clock.monotonic_ms);

    let root = group(cgroups, "/");
    assert_eq!((root.limit, root.usage), (Reading::Missing, Reading::Missing));
    assert_eq!((root.events.max, root.pressure.some), (Reading::Missing, Reading::Missing));
    let off = group(cgroups, "/off");
    assert_eq!(
        (off.limit, off.usage),
        (MAX, Reading::Missing),
        "not accounted, so without a limit"
    );

    let app = group(cgroups, "/app");
    assert_eq!((app.limit, app.usage, app.high), (at(512), holds(300), at(511)));
    assert_eq!((app.swap_limit, app.swap_usage), (at(64), holds(3)));
    assert_eq!((app.memsw_limit, app.memsw_usage), (Reading::NotAsked, Reading::NotAsked));
    assert_eq!((app.reclaimable, app.swappiness), (holds(3), Reading::NotAsked));
    assert_eq!((app.peak, app.refaults), (holds(307), Reading::Value(11)));
    assert_eq!(app.oom_group, Reading::Value(true));
    assert_eq!((app.events.high, app.events.max), (Reading::Value(1), Reading::Value(22)));
    assert_eq!((app.events.oom, app.events.oom_kill), (Reading::Value(3), Reading::Value(2)));
    assert_eq!(app.events.oom_group_kill, Reading::Missing, "an older kernel");
    assert_eq!(app.pressure.full.value().unwrap().total_us, 567);
    let web = group(cgroups, "/app/web");
    assert_eq!((web.limit, web.usage, web.reclaimable), (MAX, holds(200), holds(3)));

    let scope = Scope::parse("/app/web").unwrap();
    let domain = Domain::of(&scope, &snapshot);
    assert_eq!(domain.kind, DomainKind::Part);
    assert_eq!(domain.pages, Pages((512 + 64) * 1024 / page_kib()));
    assert_eq!(domain.weighed_by.as_deref().map(Text::as_str), Some("/app"));
}

#[test]
fn a_tree_of_version_1_is_read() {
    let fake = FakeProc::new();
    fake.process(Fake::default());
    mounted(&fake, "/docker/ab", "rw,cpu,memory");
    v1(&fake, "", Some(512), 400);
    v1(&fake, "/sub", None, 30);
    let snapshot = sample(&mut start(&fake), CgroupNeeds::Everything);
    let cgroups = &snapshot.cgroups;
    assert_eq!(cgroups.hierarchy, Reading::Value(Hierarchy::V1));
    assert_eq!(paths(cgroups), ["/docker/ab", "/docker/ab/sub"]);
    let top = cgroups.top().unwrap();
    assert_eq!((top.limit, top.usage), (at(512), holds(400)));
    assert_eq!((top.memsw_limit, top.memsw_usage), (at(562), holds(404)));
    assert_eq!((top.swap_limit, top.high), (Reading::NotAsked, Reading::NotAsked));
    assert_eq!((top.swappiness, top.reclaimable), (Reading::Value(10), holds(2)));
    assert_eq!(top.oom_kill_disabled, Reading::Value(true));
    assert_eq!(top.under_oom, Reading::Value(true));
    assert_eq!((top.events.max, top.events.oom_kill), (Reading::Value(17), Reading::Value(5)));
    assert_eq!(top.events.oom, Reading::NotAsked);
    let sub = group(cgroups, "/docker/ab/sub");
    assert_eq!((sub.limit, sub.memsw_limit, sub.usage), (MAX, MAX, holds(30)));
    assert_eq!((sub.peak, sub.reclaimable), (holds(39), holds(2)));
    assert!(!sub.is_limited());
}

#[test]
fn walls_are_read_now_and_then_and_how_full_they_are_at_every_look() {
    for version in [Hierarchy::V1, Hierarchy::V2] {
        let fake = FakeProc::new();
        fake.process(Fake::default());
        let write = match version {
            Hierarchy::V1 => v1,
            Hierarchy::V2 => v2,
        };
        mounted(&fake, "/", if version == Hierarchy::V1 { "rw,memory" } else { "rw" });
        if version == Hierarchy::V1 {
            v1(&fake, "", None, 900);
        }
        fake.file("mount/cgroup.controllers", "memory\n");
        write(&fake, "/app", Some(512), 300);
        write(&fake, "/free", None, 200);
        let mut live = start(&fake);
        let first = sample(&mut live, CgroupNeeds::Limits);
        let app = group(&first.cgroups, "/app");
        assert_eq!((app.limit, app.usage), (at(512), holds(300)));
        assert!(app.reclaimable.value().is_some());
        assert_eq!((app.events.max, app.under_oom), (Reading::NotAsked, Reading::NotAsked));
        assert!(app.pressure.some.is_not_asked());
        let free = group(&first.cgroups, "/free");
        assert_eq!((free.limit, free.usage), (MAX, Reading::NotAsked), "no wall to be near");

        write(&fake, "/app", Some(1024), 310);
        write(&fake, "/new", Some(100), 5);
        for turn in 1..SURVEY_INTERVAL {
            let next = sample(&mut live, CgroupNeeds::Limits);
            let app = group(&next.cgroups, "/app");
            assert_eq!((app.limit, app.usage), (at(512), holds(310)), "look {turn}");
            assert!(next.cgroups.find("/new").is_none());
        }
        assert_eq!(group(&first.cgroups, "/app").usage, holds(300), "a look does not change");
        let survey = sample(&mut live, CgroupNeeds::Limits);
        assert_eq!(group(&survey.cgroups, "/app").limit, at(1024));
        assert_eq!(group(&survey.cgroups, "/new").usage, holds(5));

        write(&fake, "/app", Some(2048), 320);
        let all = sample(&mut live, CgroupNeeds::Everything);
        let app = group(&all.cgroups, "/app");
        assert_eq!((app.limit, app.usage), (at(2048), holds(320)), "everything, at each look");
        assert!(app.events.max.value().is_some());
        assert_eq!(group(&all.cgroups, "/free").usage, holds(200));
        let walls = sample(&mut live, CgroupNeeds::Limits);
        assert_eq!(group(&walls.cgroups, "/app").events.max, Reading::NotAsked, "nothing stale");
        let nothing = sample(&mut live, CgroupNeeds::Nothing);
        assert_eq!(*nothing.cgroups, Cgroups::default());
    }
}

#[test]
fn what_is_not_read_again_is_shared() {
    let fake = v2_machine();
    let mut live = start(&fake);
    let before = sample(&mut live, CgroupNeeds::Nothing);
    let after = sample(&mut live, CgroupNeeds::Nothing);
    assert!(Arc::ptr_eq(&before.cgroups, &after.cgroups));
    v2(&fake, "/app", None, 300);
    let before = sample(&mut live, CgroupNeeds::Limits);
    let after = sample(&mut live, CgroupNeeds::Limits);
    assert!(Arc::ptr_eq(&before.cgroups, &after.cgroups), "no walls, so nothing was read");
}

#[test]
fn a_group_that_is_removed_disappears() {
    // More of them than files may be kept open for.
    let fake = v2_machine();
    for number in 10..60 {
        v2(&fake, &format!("/many/{number}"), Some(100), number);
    }
    let mut live = start(&fake);
    assert_eq!(sample(&mut live, CgroupNeeds::Everything).cgroups.list.len(), 4 + 51);
    fs::remove_dir_all(fake.at("mount/app")).unwrap();
    let next = sample(&mut live, CgroupNeeds::Everything);
    assert!(next.cgroups.find("/app").is_none() && next.cgroups.find("/app/web").is_none());
    assert_eq!(next.cgroups.list.len(), 4 + 51 - 2);

    let walls = sample(&mut live, CgroupNeeds::Limits);
    assert_eq!(group(&walls.cgroups, "/many/59").usage, holds(59));
    fs::remove_dir_all(fake.at("mount/many/59")).unwrap();
    v2(&fake, "/many/58", Some(100), 77);
    let next = sample(&mut live, CgroupNeeds::Limits);
    assert!(next.cgroups.find("/many/59").is_none(), "its files are opened at each look");
    assert_eq!(group(&next.cgroups, "/many/58").usage, holds(77));
}

#[test]
fn without_a_hierarchy_it_is_missing() {
    let missing = |fake: &FakeProc, needs| {
        let cgroups = Arc::clone(&sample(&mut start(fake), needs).cgroups);
        assert_eq!((cgroups.hierarchy, cgroups.list.len()), (Reading::Missing, 0));
    };
    let fake = FakeProc::new();
    fake.process(Fake::default());
    missing(&fake, CgroupNeeds::Everything);
    mounted(&fake, "/", "rw,memory");
    missing(&fake, CgroupNeeds::Limits); // the mount point is not there
    fake.file("mount/cgroup.procs", "");
    missing(&fake, CgroupNeeds::Everything); // hidden by something else
    // A hybrid host: version 2 has no controllers.
    mounted(&fake, "/", "rw");
    fake.file("mount/cgroup.controllers", "\n");
    missing(&fake, CgroupNeeds::Everything);
    fake.file("self/mountinfo", b"\xff\x00 - cgroup2\n\n");
    missing(&fake, CgroupNeeds::Everything);
}

#[test]
fn a_hierarchy_that_is_mounted_later_is_found() {
    let fake = v2_machine();
    let mounts = fs::read(fake.at("self/mountinfo")).unwrap();
    fake.file("self/mountinfo", "");
    let mut live = start(&fake);
    assert_eq!(sample(&mut live, CgroupNeeds::Everything).cgroups.hierarchy, Reading::Missing);
    fake.file("self/mountinfo", mounts);
    for _ in 0..SURVEY_INTERVAL {
        sample(&mut live, CgroupNeeds::Everything);
    }
    assert_eq!(sample(&mut live, CgroupNeeds::Everything).cgroups.list.len(), 4);
}

#[test]
fn hostile_files_and_names_are_survived() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;
    let fake = v2_machine();
    for (file, text) in [
        ("memory.max", &b"\xff\xfe"[..]),
        ("memory.current", b"-5\n"),
        ("memory.swap.max", b"99999999999999999999999\n"),
        ("memory.events", b"low\nhigh x\nmax 3"),
        ("memory.pressure", b"some \nfull \n"),
        ("memory.stat", b""),
    ] {
        fake.file(&format!("mount/app/{file}"), text);
    }
    let odd = fake.at("mount").join(OsStr::from_bytes(b"\x1b[2J\xff"));
    fs::create_dir(odd).unwrap();
    let cgroups = Arc::clone(&sample(&mut start(&fake), CgroupNeeds::Everything).cgroups);
    let app = group(&cgroups, "/app");
    assert_eq!((app.limit, app.usage), (Reading::Missing, Reading::Missing));
    assert_eq!((app.swap_limit, app.events.max), (Reading::Missing, Reading::Missing));
    assert_eq!(group(&cgroups, r"/\x1b[2J\xff").limit, Reading::Missing);
}

#[test]
fn a_deep_tree_is_gone_down_only_so_far() {
    let fake = v2_machine();
    fs::create_dir_all(fake.at(&format!("mount/{}", "d/".repeat(100)))).unwrap();
    let cgroups = Arc::clone(&sample(&mut start(&fake), CgroupNeeds::Everything).cgroups);
    assert_eq!(cgroups.list.len(), 4 + 64);
}

#[test]
fn a_walk_that_stalls_in_a_group_leaves_the_last_ones() {
    let fake = v2_machine();
    let mut live = LiveSource::start(fake.root(), ScanPatience::Millis(1)).unwrap();
    let late = |snapshot: &Snapshot| snapshot.scan.stale_ms > Millis::ZERO;
    let mut before = sample(&mut live, CgroupNeeds::Everything);
    while late(&before) {
        before = sample(&mut live, CgroupNeeds::Everything);
    }
    // Opening a pipe that nobody writes to blocks, as opening a file does when memory is gone.
    let limit = fake.at("mount/app/memory.max");
    fs::remove_file(&limit).unwrap();
    nix::unistd::mkfifo(&limit, nix::sys::stat::Mode::S_IRWXU).unwrap();
    for _ in 0..3 {
        let now = sample(&mut live, CgroupNeeds::Everything);
        assert!(late(&now) && Arc::ptr_eq(&now.cgroups, &before.cgroups));
    }
    let pipe = fs::File::options().write(true).open(&limit).unwrap();
    fake.file("ready", "1048576\n");
    fs::rename(fake.at("ready"), &limit).unwrap();
    drop(pipe);
    let app = |snapshot: &Snapshot| group(&snapshot.cgroups, "/app").limit;
    while app(&sample(&mut live, CgroupNeeds::Everything)) != at(1) {}
}

#[test]
fn everybodys_place_is_read_at_each_walk_when_everything_is_needed() {
    let fake = v2_machine();
    let mut live = start(&fake);
    let place = |snapshot: &Snapshot| {
        snapshot.processes[0].cgroup.clone().value().map(|path| path.as_str().to_owned())
    };
    for name in ["/a", "/b", "/c"] {
        fake.file("100/cgroup", format!("0::{name}\n"));
        let snapshot = sample(&mut live, CgroupNeeds::Everything);
        assert_eq!(place(&snapshot).as_deref(), Some(name));
    }
    let snapshot = sample(&mut live, CgroupNeeds::Limits);
    assert!(snapshot.processes[0].cgroup.is_not_asked(), "nobody needs it for walls");
}

#[test]
fn a_mount_above_the_own_namespace_shows_paths_as_the_namespace_sees_them() {
    let fake = v2_machine();
    mounted(&fake, "/..", "rw");
    fake.file("self/cgroup", "0::/web\n");
    // Nobody is found to be us: the namespace's root is not known.
    let cgroups = Arc::clone(&sample(&mut start(&fake), CgroupNeeds::Everything).cgroups);
    assert_eq!(paths(&cgroups), ["/..", "/../app", "/../app/web", "/../app-2"]);
    fake.file("mount/app/web/cgroup.procs", format!("1\n{}\n", std::process::id()));
    let cgroups = Arc::clone(&sample(&mut start(&fake), CgroupNeeds::Everything).cgroups);
    assert_eq!(paths(&cgroups), ["/", "/..", "/../app-2", "/web"]);
    assert_eq!((group(&cgroups, "/").limit, group(&cgroups, "/web").usage), (at(512), holds(200)));
}

/// This host's own version-1 hierarchy.
const REAL: &str = "/sys/fs/cgroup/memory";

/// Our own group in it, if there is one to be seen.
fn own_group() -> Option<(String, PathBuf)> {
    let line = fs::read_to_string("/proc/self/cgroup").ok()?;
    let path = line.lines().find_map(|line| line.split_once(":memory:"))?.1.to_owned();
    let folder = Path::new(REAL).join(path.trim_start_matches('/'));
    // Inside a cgroup namespace the same path means another group.
    let procs = fs::read_to_string(folder.join("cgroup.procs")).ok()?;
    let own = std::process::id().to_string();
    procs.lines().any(|pid| pid == own).then_some((path, folder))
}

/// A group of this host that goes away with this value.
struct Made(PathBuf);

impl Drop for Made {
    fn drop(&mut self) {
        let _ = fs::remove_dir(&self.0);
    }
}

#[test]
fn this_hosts_groups_are_seen() {
    let Some((own, folder)) = own_group() else {
        eprintln!("skipped: our own group is not to be seen at {REAL} (version 1)");
        return;
    };
    let root = ProcRoot::open("/proc").unwrap();
    let mut live = LiveSource::start(root, ScanPatience::Forever).unwrap();
    let seen = sample(&mut live, CgroupNeeds::Everything);
    assert_eq!(seen.cgroups.hierarchy, Reading::Value(Hierarchy::V1));
    assert!(group(&seen.cgroups, &own).usage.value().unwrap() > Bytes::ZERO);
    let this = &seen.processes[seen.position(std::process::id().cast_signed()).unwrap()];
    assert_eq!(this.cgroup.clone().value().unwrap().as_str(), own);

    let name = format!("doomtop-test-{}", std::process::id());
    let made = Made(folder.join(&name));
    if let Err(why) = fs::create_dir(&made.0) {
        eprintln!("skipped in part: cannot make a group: {why}");
        return;
    }
    fs::write(made.0.join("memory.limit_in_bytes"), format!("{}", 64 * MIB)).unwrap();
    let path = format!("{}/{name}", own.trim_end_matches('/'));
    let seen = sample(&mut live, CgroupNeeds::Limits);
    let child = group(&seen.cgroups, &path);
    assert_eq!((child.limit, child.usage), (at(64), holds(0)));
    let domain = Domain::of(&Scope::parse(&path).unwrap(), &seen);
    assert_eq!(domain.kind, DomainKind::Memcg(Hierarchy::V1));
    let swap = seen.swap.lasting().pages(seen.machine.page_size);
    let least = Pages(64 * 1024 / page_kib());
    assert!(domain.pages >= least && domain.pages <= least + swap, "{:?}", domain.pages);

    drop(made);
    let gone = sample(&mut live, CgroupNeeds::Limits);
    assert!(gone.cgroups.find(&path).is_none(), "seen through files that were kept open");
    assert!(gone.cgroups.read_ms > Millis::ZERO && gone.cgroups.find(&own).is_some());
    assert_eq!(Domain::of(&Scope::parse(&path).unwrap(), &gone).kind, DomainKind::Gone);
}

/// A process of this test.
struct Sleeper(std::process::Child);

impl Drop for Sleeper {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn a_process_that_moves_is_seen_in_its_new_group_at_once() {
    let Some((own, folder)) = own_group() else {
        eprintln!("skipped: our own group is not to be seen at {REAL} (version 1)");
        return;
    };
    let name = format!("doomtop-moves-{}", std::process::id());
    let made = Made(folder.join(&name));
    if let Err(why) = fs::create_dir(&made.0) {
        eprintln!("skipped: cannot make a group: {why}");
        return;
    }
    let other = format!("{}/{name}", own.trim_end_matches('/'));
    let mut sleep = std::process::Command::new("sleep");
    let sleeper = Sleeper(sleep.arg("1000").spawn().expect("sleep runs"));
    let pid = sleeper.0.id();
    let root = ProcRoot::open("/proc").unwrap();
    let mut live = LiveSource::start(root, ScanPatience::Forever).unwrap();
    let place = |live: &mut LiveSource| {
        let seen = sample(live, CgroupNeeds::Everything);
        let row = &seen.processes[seen.position(pid.cast_signed()).expect("it runs")];
        row.cgroup.clone().value().expect("a group").as_str().to_owned()
    };
    // First by its own file, then by the list of a group that is known since the sample before.
    assert_eq!(place(&mut live), own);
    for (to, path) in [(&made.0, &other), (&folder, &own), (&made.0, &other)] {
        fs::write(to.join("cgroup.procs"), pid.to_string()).expect("a move");
        assert_eq!([place(&mut live), place(&mut live)], [path.clone(), path.clone()]);
    }
    drop(sleeper);
    drop(made);
}
