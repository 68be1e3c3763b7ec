//! Where the memory is: the balance sheet of a whole machine from the bytes of its files, in a recording, on the
//! screen, in JSON and in metrics; and that it is said where no kill can help.

use std::fs;
use std::io::Cursor;
use std::sync::Arc;

use doomtop::app::Msg;
use doomtop::app::keymap::bindings::Key;
use doomtop::forecast::next_death::{DeathCertainty, KERNEL, NextDeath, TimeSpan};
use doomtop::model::{
    Cgroup, Cgroups, GpuMemory, Hierarchy, MemoryHolders, MemoryUses, Needs, Reading, Scene, Scope,
    Snapshot, SysvShm, Text, TmpfsMount, ZswapSettings,
};
use doomtop::sample::proc_root::ProcRoot;
use doomtop::source::{LiveSource, Recorder, Recording, ScanPatience, Source};
use doomtop::ui::Theme;
use doomtop::units::{Bytes, Kib, Millis};
use doomtop::words::death_details::futile_kill;
use doomtop::words::memory_sheet::{MemorySheet, MemoryUse, details};

use crate::demo::app_before;
use crate::fakeproc::{Fake, FakeProc, kernel_thread};
use crate::fixtures::{blank, paint, settle, text};

const FULL: Theme = crate::fixtures::theme(true, true);

/// 8 GiB, of which slab that cannot be reclaimed takes 3.4 GiB and processes 0.1 GiB.
const MEMINFO: &str = "MemTotal:        8388608 kB\nMemFree:          102400 kB\n\
    MemAvailable:     153600 kB\nBuffers:            1024 kB\nCached:           716800 kB\n\
    SwapCached:            0 kB\nSwapTotal:       2097148 kB\nSwapFree:        1048576 kB\n\
    Zswap:             20480 kB\nZswapped:          81920 kB\nAnonPages:        102400 kB\n\
    Shmem:            614400 kB\nKReclaimable:      51200 kB\nSlab:            3616768 kB\n\
    SReclaimable:      51200 kB\nSUnreclaim:      3565568 kB\nKernelStack:        2048 kB\n\
    PageTables:         4096 kB\nSecPageTables:         0 kB\nCommitLimit:     6291452 kB\n\
    Committed_AS:     400000 kB\nVmallocTotal:   34359738367 kB\nVmallocUsed:      12288 kB\n\
    Percpu:             8192 kB\nBalloon:          524288 kB\nHugePages_Total:     512\n\
    HugePages_Free:      128\nHugePages_Rsvd:       64\nHugePages_Surp:        0\n\
    Hugepagesize:       2048 kB\nHugetlb:         1048576 kB\n";

const SHM: &str = "key shmid perms size cpid lpid nattch uid gid cuid cgid atime dtime ctime rss swap\n\
    0 0 600 314572800 8 8 0 0 0 0 0 0 0 0 314572800 4096\n\
    0 1 600 8192 8 8 1 0 0 0 0 0 0 0 8192 0\n";

const SLABS: &str = "slabinfo - version: 2.1\n# name <active_objs>\n\
    dentry 100 100 192 21 1 : tunables 0 0 0 : slabdata 10 10 0\n\
    kmalloc-4k 800000 800000 4096 8 8 : tunables 0 0 0 : slabdata 100000 100000 0\n";

/// A whole filesystem with these memory uses.
fn machine() -> FakeProc {
    let fake = FakeProc::of_machine();
    fake.process(kernel_thread(2, "kthreadd"))
        .process(Fake { pid: 50, comm: b"compositor".to_vec(), ..Fake::default() })
        .process(Fake { pid: 51, comm: b"browser".to_vec(), ..Fake::default() });
    fake.file("meminfo", MEMINFO)
        .file("vmstat", "nr_free_pages 1\nnr_zspages 76800\npswpin 0\npswpout 0\noom_kill 0\n")
        .file("sysvipc/shm", SHM)
        .file("slabinfo", SLABS)
        .file(
            "swaps",
            "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n\
             /dev/zram0                              partition\t2097148\t\t1048572\t\t100\n",
        )
        .beside("sys/kernel/slab/dentry/reclaim_account", "1\n")
        .beside("sys/kernel/slab/kmalloc-4k/reclaim_account", "0\n")
        .beside("sys/block/zram0/mm_stat", "629145600 200000000 209715200 0 0 0 0 0 0\n")
        .beside("sys/block/zram1/mm_stat", "104857600 80000000 83886080 0 0 0 0 0 0\n")
        .beside("sys/block/sda/size", "1\n")
        .beside("sys/module/zswap/parameters/enabled", "Y\n")
        .beside("sys/module/zswap/parameters/max_pool_percent", "25\n")
        .beside("dev/dri/renderD128", "");
    let info = "pos:\t0\ndrm-driver:\tamdgpu\ndrm-pdev:\t0000:03:00.0\n";
    for (pid, fd, id, gtt) in [(50, 7, 1, 300), (51, 9, 2, 64), (51, 10, 1, 300)] {
        fake.file(
            &format!("{pid}/fdinfo/{fd}"),
            format!("{info}drm-client-id:\t{id}\ndrm-resident-gtt:\t{gtt} MiB\ndrm-resident-vram:\t1 MiB\n"),
        );
        fs::create_dir_all(fake.at(&format!("{pid}/fd"))).expect("a folder");
        fake.link(&format!("{pid}/fd/{fd}"), "/dev/dri/renderD128");
    }
    fake.link("50/fd/3", "/dev/null");
    fake
}

fn sampled(fake: &FakeProc) -> Arc<Snapshot> {
    let mut live = LiveSource::start(fake.root(), ScanPatience::Forever).expect("a readable tree");
    live.sample(&Needs::everything(), None).expect("a sample")
}

fn size(sheet: &MemorySheet, of: MemoryUse) -> Option<u64> {
    sheet.parts.iter().find(|part| part.of == of).map(|part| part.size.0)
}

/// A death of the whole machine.
fn death(domain: &str) -> NextDeath {
    NextDeath {
        by: KERNEL,
        domain: Arc::new(Text::new(domain.as_bytes())),
        when: Some(TimeSpan { low: Millis(1000), middle: Millis(2000), high: Millis(3000) }),
        certainty: DeathCertainty::Nobody,
        candidates: Vec::new(),
        saved: None,
        gains: Vec::new(),
        left: Bytes(1 << 20),
        limit: Bytes(8 << 30),
        rate: 1e6,
        trigger: None,
        stalled: None,
    }
}

#[test]
fn the_sheet_of_a_machine_adds_up() {
    let sample = sampled(&machine());
    let sheet = MemorySheet::of_machine(&sample).expect("a sheet");
    for (of, kib) in [
        (MemoryUse::SlabUnreclaimable, Some(3_565_568)),
        (MemoryUse::Anonymous, Some(102_400)),
        (MemoryUse::PageCache, Some(1024 + 716_800 - 614_400)),
        (MemoryUse::SlabReclaimable, Some(51_200)),
        (MemoryUse::Shmem, Some(614_400)),
        (MemoryUse::PageTables, Some(4096)),
        (MemoryUse::KernelStacks, Some(2048)),
        (MemoryUse::Vmalloc, Some(12_288 - 2048)),
        (MemoryUse::Percpu, Some(8192)),
        (MemoryUse::HugePagesFree, Some(128 * 2048)),
        (MemoryUse::HugePagesUsed, Some(384 * 2048)),
        (MemoryUse::CompressedSwap, Some(307_200 - 81_920)),
        (MemoryUse::ZramDisks, Some(81_920)),
        (MemoryUse::Free, Some(102_400)),
        (MemoryUse::Graphics, None),
    ] {
        assert_eq!(size(&sheet, of), kib, "{of:?}");
    }
    let told: u64 = sheet.parts.iter().map(|part| part.size.0).sum();
    assert_eq!(sheet.rest, Some(Kib(8_388_608 - told)));
    assert!(sheet.parts.is_sorted_by_key(|part| std::cmp::Reverse(part.size)));
    let stuck = 3_565_568 + 614_400 + 12_288 - 2048 + 8192 + 512 * 2048 + 81_920;
    assert_eq!(sheet.stuck(), Kib(stuck));
}

#[test]
fn who_holds_it_is_told() {
    let sample = sampled(&machine());
    let holders = &sample.memory_holders;
    let orphan = SysvShm {
        kib: Kib(307_208),
        orphans: 1,
        orphans_kib: Kib(307_200),
        orphans_swap_kib: Kib(4),
    };
    assert_eq!(holders.sysv_shm, Reading::Value(orphan));
    assert_eq!(holders.zram_disks_kib, Reading::Value(Kib(81_920)));
    let zswap = ZswapSettings { enabled: true, max_pool_percent: 25 };
    assert_eq!(holders.zswap, Reading::Value(zswap));
    let gpu = |pid, ram: u64, device: u64| GpuMemory {
        pid,
        ram_kib: Kib(ram << 10),
        device_kib: Kib(device << 10),
    };
    let gpus = vec![gpu(50, 300, 1), gpu(51, 64, 1)];
    assert_eq!(holders.gpu, Reading::Value(gpus), "a client of two processes counts once");
    assert_eq!(
        holders.tmpfs,
        Reading::NotAsked,
        "the mounts of this machine are not those of that"
    );
    let told: Vec<String> =
        details(&sample).into_iter().map(|(label, text)| format!("{label}: {text}")).collect();
    assert_eq!(
        told,
        [
            "orphaned: 1 System V segment without a process: 300M and 4K in swap; only ipcrm frees it",
            "slab: largest: kmalloc-4k 3.05G, dentry 40K",
            "huge pages: 1.00G set aside, 256M free, 128M of these reserved",
            "zram: 600M stored in 200M of RAM (3.0:1)",
            "zswap: 80M stored in 20M of RAM (4.0:1), at most 2.00G (25% of RAM)",
            "graphics: beside their resident size: 50 compositor 300M of RAM and 1M of the device, \
             51 browser 64M of RAM and 1M of the device",
            "balloon: 512M given back to the hypervisor by a balloon driver",
        ]
    );
}

#[test]
fn only_slab_that_cannot_be_reclaimed_stands_with_what_no_kill_frees() {
    let told = |account: &str, meminfo: &str| {
        let fake = machine();
        fake.file("meminfo", meminfo);
        fake.beside("sys/kernel/slab/kmalloc-4k/reclaim_account", account);
        let sample = sampled(&fake);
        let slab = sample.memory_holders.stuck_slab().map(|it| (it.name.as_str(), it.kib));
        let words = MemorySheet::of_machine(&sample).map(|sheet| sheet.words(slab));
        words.expect("a sheet").stuck().expect("what no kill frees").to_owned()
    };
    let named = "(largest slab: kmalloc-4k 3.05G)";
    assert!(told("0\n", MEMINFO).ends_with(named), "{}", told("0\n", MEMINFO));
    for other in ["1\n", "", "2\n", "0", "\u{1b}[2J"] {
        assert!(!told(other, MEMINFO).contains("largest slab"), "{other:?}");
    }
    let little = MEMINFO.replace("SUnreclaim:      3565568", "SUnreclaim:         1024");
    let line = told("0\n", &little);
    assert!(!line.contains("slab"), "there is no such slab in the sentence: {line}");
}

#[test]
fn a_recording_holds_the_sheet() {
    let mut sample = Arc::unwrap_or_clone(sampled(&machine()));
    let mounts = vec![TmpfsMount {
        path: Text::new(b"/run\x1b[2J"),
        used_kib: Kib(210_000),
        size_kib: Kib(1 << 20),
    }];
    Arc::make_mut(&mut sample.memory_holders).tmpfs = Reading::Value(mounts);
    let mut later = sample.clone();
    later.clock.monotonic_ms = sample.clock.monotonic_ms + Millis(2000);
    later.memory_uses.slab_unreclaimable_kib = Reading::Value(Kib(3_600_000));
    let mut recorder = Recorder::new(Vec::new());
    recorder.write(&sample).expect("a buffer");
    recorder.write(&later).expect("a buffer");
    let bytes = recorder.finish().expect("a buffer");
    let mut recording = Recording::open(Box::new(Cursor::new(bytes)), "r");
    for seen in [&sample, &later] {
        let told = recording.sample(&Needs::default(), None).expect("a sample");
        assert_eq!(told.memory_uses, seen.memory_uses);
        assert_eq!(told.memory_holders, seen.memory_holders);
        assert_eq!(MemorySheet::of_machine(&told), MemorySheet::of_machine(seen));
        let lines = details(&told);
        assert_eq!(lines[0], ("tmpfs", "/run\\x1b[2J 205M/1.00G".to_owned()), "neutral");
        assert_eq!((lines[1].0, lines[2].0), ("orphaned", "shared"));
        let other =
            "95M outside the tmpfs mounts and System V segments seen here: memfd, shared mappings";
        assert!(lines[2].1.starts_with(other), "{:?}", lines[2]);
    }
}

#[test]
fn where_no_kill_can_help_the_reason_says_so() {
    let sample = sampled(&machine());
    let scene = Scene::new(Arc::clone(&sample), None);
    let futile = futile_kill(&scene, &death(Scope::GLOBAL)).expect("a reason");
    assert_eq!(
        futile.sentence(),
        "processes hold 100M of 8.00G; slab that cannot be reclaimed 3.40G: killing cannot help"
    );
    // What processes hold decides.
    let mut other = Snapshot::clone(&sample);
    other.memory.anon_kib = Reading::Value(Kib(5 << 20));
    other.memory_uses.slab_unreclaimable_kib = Reading::Value(Kib(1 << 20));
    let scene = Scene::new(Arc::new(other.clone()), None);
    assert_eq!(futile_kill(&scene, &death(Scope::GLOBAL)), None);
    // Nothing accounts for 5 GiB: a driver, unless there is a graphics device whose memory a kill may free.
    other.memory.anon_kib = Reading::Value(Kib(100 << 10));
    other.memory_uses.slab_unreclaimable_kib = Reading::Value(Kib(10 << 10));
    let scene = Scene::new(Arc::new(other.clone()), None);
    assert_eq!(futile_kill(&scene, &death(Scope::GLOBAL)), None);
    Arc::make_mut(&mut other.memory_holders).gpu = Reading::Missing;
    let scene = Scene::new(Arc::new(other), None);
    let futile = futile_kill(&scene, &death(Scope::GLOBAL)).expect("a reason");
    assert!(futile.sentence().contains("; unaccounted memory "), "{}", futile.sentence());
}

#[test]
fn a_container_whose_tmpfs_is_full_is_told_as_well() {
    let mib = |mib: u64| Reading::Value(Bytes(mib << 20));
    let group = Cgroup {
        path: Arc::new(Text::new(b"/pod")),
        usage: mib(4090),
        anon: mib(100),
        shmem: mib(3900),
        reclaimable: mib(20),
        slab_unreclaimable: mib(10),
        ..Cgroup::default()
    };
    let mut sample = Snapshot::default();
    let with = |sample: &mut Snapshot, group: Cgroup| {
        let hierarchy = Reading::Value(Hierarchy::V2);
        sample.cgroups = Arc::new(Cgroups { hierarchy, list: vec![group], ..Cgroups::default() });
        let scene = Scene::new(Arc::new(sample.clone()), None);
        futile_kill(&scene, &death("/pod")).map(|it| it.brief())
    };
    let is = "killing cannot help: tmpfs and shared memory 3.81G";
    assert_eq!(with(&mut sample, group.clone()).as_deref(), Some(is));
    let unknown = Cgroup { shmem: Reading::Missing, ..group.clone() };
    assert_eq!(with(&mut sample, unknown), None, "missing is not zero");
    assert_eq!(with(&mut sample, Cgroup { anon: mib(3000), ..group }), None);
}

#[test]
fn a_system_that_tells_nothing_has_no_sheet() {
    let fake = FakeProc::new();
    fake.process(Fake::default()).file(
        "meminfo",
        "MemTotal: 2097152 kB\nMemFree: 1000000 kB\nAnonPages: 5000 kB\nSlab: 0 kB\n\
         SUnreclaim: 70000 kB\nKernelStack: 99999 kB\nPercpu: 99999 kB\n",
    );
    let sample = sampled(&fake);
    assert_eq!(sample.memory_uses, MemoryUses::missing(), "lxcfs: the rest is that of the host");
    assert_eq!(MemorySheet::of_machine(&sample), None);
    let nothing = MemoryHolders {
        sysv_shm: Reading::Missing,
        slabs: Reading::Missing,
        ..MemoryHolders::default()
    };
    assert_eq!(*sample.memory_holders, nothing, "and there is no filesystem around it");
}

#[test]
fn hostile_numbers_break_nothing() {
    let most = Reading::Value(Kib(u64::MAX));
    let mut sample = Snapshot::clone(&sampled(&machine()));
    sample.memory.anon_kib = most;
    sample.memory.cache_kib = Kib(u64::MAX);
    sample.memory_uses = MemoryUses {
        slab_reclaimable_kib: most,
        slab_unreclaimable_kib: most,
        vmalloc_kib: most,
        huge_pages_free_kib: most,
        zspages_kib: most,
        ..MemoryUses::default()
    };
    let sheet = MemorySheet::of_machine(&sample).expect("a sheet");
    assert_eq!(sheet.rest, None, "it accounts for more than there is");
    assert!(sheet.words(None).uses_sentence().is_some() && !details(&sample).is_empty());
    assert_eq!(sheet.futile_kill(None), None, "processes hold more than there is");
}

#[test]
fn the_screen_shows_the_sheet_from_80_columns_on() {
    let sample = sampled(&machine());
    let mut app = blank();
    app.update(Msg::Sampled(Arc::clone(&sample)));
    let mut next = Snapshot::clone(&sample);
    next.clock.monotonic_ms = sample.clock.monotonic_ms + Millis(2000);
    app.update(Msg::Sampled(Arc::new(next)));
    let at = Millis(app.clock().0 + 1000);
    app.update(Msg::Key(Key::alt('4'), at));
    settle(&mut app);
    for (width, height) in [(80, 24), (80, 40), (120, 40), (200, 60)] {
        let shown = text(&paint(&mut app, FULL, width, height).0);
        let wanted = ["no kill frees: slab that cannot be reclaimed 3.40G", "of 8.00G: "];
        for part in wanted.iter().chain((height >= 60).then_some(&"zram 600M stored in 200M")) {
            assert!(shown.contains(part), "{part} at {width}x{height}:\n{shown}");
        }
    }
    // The panel Machine stands beside the cgroups, at their root.
    let at = Millis(app.clock().0 + 2000);
    app.update(Msg::Key(Key::alt('2'), at));
    settle(&mut app);
    let shown = text(&paint(&mut app, FULL, 200, 60).0);
    let panel = ["no kill    frees slab that cannot be reclaimed 3.40G", "kmalloc-4k 3.05G"];
    assert!(panel.iter().all(|part| shown.contains(part)), "{shown}");
}

#[test]
fn the_headline_says_that_killing_cannot_help() {
    let mut app = app_before(1, 5);
    let domain = app.deaths.next.as_ref().map(|it| Arc::clone(&it.domain)).expect("a death");
    let scene = app.scene.as_mut().expect("a scene");
    let mut sample = scene.now().clone();
    let groups = &mut Arc::make_mut(&mut sample.cgroups).list;
    let group = groups.iter_mut().find(|it| it.path == domain).expect("its cgroup");
    let usage = group.usage.value().expect("its usage");
    group.anon = Reading::Value(Bytes(usage.0 / 50));
    group.shmem = Reading::Value(Bytes(usage.0 / 10 * 9));
    sample.clock.monotonic_ms.0 += 100;
    scene.advance(Arc::new(sample));
    app.update(Msg::Tick(app.clock()));
    for (width, height) in [(80, 24), (120, 40), (200, 60)] {
        let shown = text(&paint(&mut app, FULL, width, height).0);
        assert!(shown.contains("killing cannot help"), "{width}x{height}:\n{shown}");
    }
}

#[test]
fn a_mounted_tmpfs_is_found_on_this_machine() {
    let root = ProcRoot::open("/proc").expect("/proc");
    let mounted = fs::read_to_string("/proc/self/mountinfo").expect("a list of mounts");
    let mut live = LiveSource::start(root, ScanPatience::Forever).expect("this machine");
    let sample = live.sample(&Needs::default(), None).expect("a sample");
    let Reading::Value(found) = &sample.memory_holders.tmpfs else { panic!("no list of mounts") };
    for mount in found {
        let line = format!(" {} ", mount.path);
        assert!(mounted.contains(&line) && mount.used_kib <= mount.size_kib, "{mount:?}");
    }
    let sheet = MemorySheet::of_machine(&sample).expect("a kernel tells what it uses");
    let rest = sheet.rest.unwrap_or_default().0;
    assert!(rest < sample.memory.total_kib.0 / 2, "most is accounted for: {sheet:?}");
}
