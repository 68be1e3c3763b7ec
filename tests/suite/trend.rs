//! What is foreseen, who grows, and what was promised: on the screen, and on real memory.

#![allow(unsafe_code, reason = "only fork(2) shares memory until it is written")]

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Command, Stdio};
use std::sync::Arc;

use doomtop::app::keymap::bindings::Key;
use doomtop::app::{App, Msg};
use doomtop::forecast::commitments::{Commitments, ProcessCommitment};
use doomtop::model::{
    Cgroup, CgroupNeeds, Cgroups, Hierarchy, Limit, MemoryBreakdown, Needs, OvercommitMode, ProcId,
    Reading, SampleHistory, Snapshot, Text,
};
use doomtop::sample::proc_root::ProcRoot;
use doomtop::sample::process::detail;
use doomtop::source::{LiveSource, ScanPatience, Source};
use doomtop::ui::Theme;
use doomtop::units::{Bytes, Kib, Millis, PageSize, Pages};

use crate::children::Own;
use crate::fixtures::{app, paint, press, text};
use crate::screens::styled;
use crate::stage::{Player, setup, usual};

const FULL: Theme = crate::fixtures::theme(true, true);
const GIB: u64 = 1 << 20;

/// A machine of 4 GB that loses 10 MiB a second, and one cgroup in it that gains as much; chrome grows by
/// 60 MiB every ten seconds.
fn sinking(second: u64, swap: u64) -> Snapshot {
    let mut sample = usual();
    sample.clock.monotonic_ms = Millis(1000 + second * 1000);
    sample.clock.unix_ms += 1000 * second as i64;
    sample.memory.total_kib = Kib(4 * GIB);
    sample.memory.available_kib = Reading::Value(Kib(3 * GIB - second * 10_240));
    (sample.swap.total_kib, sample.swap.free_kib) = (Kib(swap), Kib(swap));
    let chrome = sample.processes.iter_mut().find(|process| process.id.pid == 500).expect("chrome");
    chrome.rss_stat = Pages(90_000 + second / 10 * 15_360);
    chrome.rss_exact = Reading::Value(chrome.rss_stat);
    let group = Cgroup {
        path: Arc::new(Text::new(b"/web")),
        limit: Reading::Value(Limit::At(Bytes(2 << 30))),
        usage: Reading::Value(Bytes((1 << 30) + second * (10 << 20))),
        ..Cgroup::default()
    };
    sample.cgroups = Arc::new(Cgroups {
        hierarchy: Reading::Value(Hierarchy::V2),
        read_ms: sample.clock.monotonic_ms,
        list: vec![group],
    });
    sample
}

fn sunk(seconds: u64, swap: u64) -> Player {
    let mut player = Player::on(sinking(0, swap));
    for second in (2..=seconds).step_by(2) {
        player.app.update(Msg::Sampled(Arc::new(sinking(second, swap))));
    }
    player
}

fn screen(app: &mut App, width: u16, height: u16) -> String {
    text(&paint(app, FULL, width, height).0)
}

fn line(picture: &str, part: &str) -> String {
    let found = picture.lines().find(|line| line.contains(part));
    found.unwrap_or_else(|| panic!("no line has {part:?} in\n{picture}")).to_owned()
}

#[test]
fn the_screen_says_when_it_is_full() {
    let mut player = sunk(80, 0);
    // 3072 - 800 MiB at 10 MiB a second.
    let wide = screen(&mut player.app, 200, 60);
    assert!(line(&wide, "avail").contains("avail 2.22G  machine full in ~4m"), "{wide}");
    assert!(line(&wide, "forecast").contains("machine full in ~4m"), "{wide}");
    assert!(line(&wide, "fastest: ").contains("500 chrome +"), "{wide}");
    // 1024 - 800 MiB at 10 MiB a second: the first limit is the cgroup's.
    player.play("<Tab>");
    let groups = screen(&mut player.app, 120, 40);
    let row = |name: &str| {
        groups.lines().find(|line| line.trim_start_matches(['>', '!', ' ']).starts_with(name))
    };
    assert!(row("/web").is_some_and(|row| row.contains("~23s")), "{groups}");
    assert!(line(&groups, "cgroup web reaches its limit").contains("in ~23s"), "{groups}");
    assert!(row("global").is_some_and(|row| row.contains("~4m")), "{groups}");
    player.play("<Home>");
    let group = screen(&mut player.app, 160, 40);
    assert!(line(&group, "forecast").contains("limit reached in ~23s"), "{group}");
}

#[test]
fn with_swap_the_end_of_ram_is_no_oom() {
    let mut player = sunk(80, 4 * GIB);
    let wide = screen(&mut player.app, 200, 60);
    let both = line(&wide, "forecast");
    assert!(both.contains("RAM and swap full in about 11 min"), "{wide}");
    assert!(line(&wide, "RAM full in about 4 min").contains("then it swaps"), "{wide}");
    assert!(!line(&wide, "Swap ").contains("full"), "nothing was swapped: {wide}");
}

#[test]
fn no_trend_says_nothing_and_the_past_has_its_own() {
    let mut player = Player::on(sinking(0, 0));
    let mut then = None;
    for second in (2..=300).step_by(2) {
        // It sinks for 80 seconds, and stands still from then on.
        let mut sample = sinking(second.min(80), 0);
        sample.clock.monotonic_ms = Millis(1000 + second * 1000);
        player.app.update(Msg::Sampled(Arc::new(sample)));
        if second == 80 {
            then = player.app.scene.as_ref().map(|scene| scene.forecast().ram);
        }
    }
    let forecast = |player: &Player| player.app.scene.as_ref().expect("a look").forecast().ram;
    assert!(then.is_some_and(|then| then.arrival().is_some()));
    assert_eq!(forecast(&player).arrival(), None);
    assert!(!screen(&mut player.app, 120, 40).contains("full ~"));
    player.app.go_to_time(Millis(81_000));
    assert!(player.app.is_past());
    assert_eq!(Some(forecast(&player)), then, "what could be known then");
}

#[test]
fn growth_is_that_of_a_minute() {
    let mut player = sunk(128, 0);
    let rate = |player: &Player| {
        let scene = player.app.scene.as_ref().expect("a look");
        let chrome = scene.now().processes.iter().find(|it| it.id.pid == 500).expect("chrome");
        let lately = scene.growth_lately(chrome).expect("a minute").per_minute();
        (scene.growth(chrome).map(|growth| growth.pages.0), lately.0 / 256)
    };
    let (last, minute) = rate(&player);
    assert_eq!(last, Some(0), "nothing since the last look");
    assert!((320..=400).contains(&minute), "6 times 60 MiB a minute: {minute}");
    player.key(Key::char('('));
    player.key(Key::char(')'));
    assert!((320..=400).contains(&rate(&player).1), "as it was: {:?}", rate(&player));
    let shown = |player: &Player| player.app.columns().iter().any(|it| it.id == "growth");
    assert!(shown(&player), "there is room for it in 120 columns");
    player.key(Key::char('A'));
    assert_eq!(player.pids().first(), Some(&500), "who eats it stands on top");
    player.key(Key::char('A'));
    assert_eq!(player.pids().first(), Some(&500), "and stays there");
}

/// The usual machine with more promised than it has.
fn promised() -> Snapshot {
    let mut sample = usual();
    sample.memory.anon_kib = Reading::Value(Kib(1_400_000));
    sample.memory.available_kib = Reading::Value(Kib(2 * GIB));
    sample.overcommit.mode = Reading::Value(OvercommitMode::Heuristic);
    sample.overcommit.limit_kib = Reading::Value(Kib(2 * GIB));
    sample.overcommit.committed_kib = Reading::Value(Kib(6 * GIB));
    for process in &mut sample.processes {
        let pid = u64::from(process.id.pid.unsigned_abs());
        process.data = process.anon.map(|anon| anon + Pages(pid * 500));
    }
    sample
}

#[test]
fn the_page_of_promises_reads_whom_it_shows() {
    let mut player = Player::on(promised());
    assert_eq!(player.app.wanted_breakdowns(), []);
    player.key(Key::char('C'));
    paint(&mut player.app, FULL, 80, 24);
    let wanted = player.app.wanted_breakdowns();
    let rows = player.app.commitments.rows.clone();
    assert_eq!(wanted, rows[..wanted.len()], "those on the screen, the largest first");
    assert!(wanted.len() < rows.len() && rows.first().is_some_and(|id| id.pid == 601));
    assert_eq!(player.app.wanted_breakdowns(), [], "each once");
    let shared = MemoryBreakdown {
        anonymous: Kib(80_000),
        shared: Kib(90_000),
        anonymous_part: Some(Kib(40_000)),
        ..MemoryBreakdown::default()
    };
    let told = vec![(wanted[0], Reading::Value(shared)), (wanted[1], Reading::Denied)];
    player.app.update(Msg::Breakdowns(told));
    for (width, height) in [(80, 24), (120, 40)] {
        let (buffer, _) = paint(&mut player.app, FULL, width, height);
        insta::assert_snapshot!(format!("promises-{width}x{height}"), styled(&buffer));
    }
    player.wait(11_000);
    assert!(!player.app.wanted_breakdowns().is_empty(), "again after a while");
    player.key(Key::char('('));
    player.key(Key::plain(doomtop::app::keymap::bindings::KeyCode::Esc));
    assert!(player.app.mode_is_browse());
    assert_eq!(player.app.wanted_breakdowns(), [], "nobody looks at it any more");
}

#[test]
fn a_recording_is_shown_by_what_it_has() {
    let mut app = app("db-03.jsonl");
    app.start.live = false;
    paint(&mut app, FULL, 120, 40);
    press(&mut app, &["C"]);
    let picture = screen(&mut app, 120, 40);
    assert!(app.wanted_breakdowns().is_empty());
    assert!(line(&picture, " java (").contains(" ? "), "{picture}");
}

/// What the child process of the next test is told by.
const ROLE: &str = "DOOMTOP_TEST_HOLDS";

const MIB: usize = 1 << 20;

/// Not a test of its own: it holds 100 MiB that a fork shares, 200 MiB untouched and 50 MiB that are
/// shared memory, until its input ends.
#[test]
fn holds_memory_for_another_test() {
    if std::env::var_os(ROLE).is_none() {
        return;
    }
    let map = |size: usize, flags: i32| {
        let rights = nix::libc::PROT_READ | nix::libc::PROT_WRITE;
        let flags = flags | nix::libc::MAP_ANONYMOUS;
        // SAFETY: a new mapping where the kernel likes.
        let at = unsafe { nix::libc::mmap(std::ptr::null_mut(), size, rights, flags, -1, 0) };
        assert_ne!(at, nix::libc::MAP_FAILED);
        at.cast::<u8>()
    };
    let fill = |at: *mut u8, size: usize| {
        // SAFETY: the whole of a mapping that was just made.
        unsafe { std::ptr::write_bytes(at, 7, size) };
    };
    fill(map(100 * MIB, nix::libc::MAP_PRIVATE), 100 * MIB);
    map(200 * MIB, nix::libc::MAP_PRIVATE);
    let both = map(50 * MIB, nix::libc::MAP_SHARED);
    fill(both, 50 * MIB);
    // SAFETY: the child only reads and ends.
    let child = unsafe { nix::libc::fork() };
    if child == 0 {
        for at in (0..50 * MIB).step_by(4096).rev() {
            // SAFETY: inside the mapping, which nobody else writes by now.
            unsafe { both.add(at).write_volatile(9) };
        }
    } else {
        // SAFETY: the first byte of the mapping; the child writes it last.
        while unsafe { both.read_volatile() } != 9 {
            std::thread::yield_now();
        }
        std::io::stdout().write_all(b"\nready\n").and_then(|()| std::io::stdout().flush()).unwrap();
    }
    let mut byte = 0_u8;
    // SAFETY: one byte of room; at the end of the input both end.
    unsafe { nix::libc::read(0, (&raw mut byte).cast(), 1) };
    if child == 0 {
        // SAFETY: nothing of the parent's is torn down.
        unsafe { nix::libc::_exit(0) };
    }
}

/// The sum of what `smaps` calls shared over mappings that no file backs, and of what is anonymous in
/// those of files: copied pages of libraries, of which it does not say whether they are shared.
fn shared_anonymous(pid: i32) -> (u64, u64) {
    let smaps = fs::read_to_string(format!("/proc/{pid}/smaps")).expect("an own child");
    let (mut sum, mut copied, mut plain) = (0, 0, false);
    for line in smaps.lines() {
        let kib =
            |words: &[&str]| words.get(1).and_then(|it| it.parse::<u64>().ok()).expect("a size");
        let words: Vec<&str> = line.split_whitespace().collect();
        match words.first() {
            Some(first) if first.contains('-') && !first.ends_with(':') => {
                plain = words.get(4) == Some(&"0");
            }
            Some(&("Shared_Clean:" | "Shared_Dirty:")) if plain => {
                sum += kib(&words);
            }
            Some(&"Anonymous:") if !plain => copied += kib(&words),
            _ => {}
        }
    }
    (sum, copied)
}

#[test]
fn real_memory_is_told_as_it_is() {
    let program = std::env::current_exe().expect("this test");
    let role = ["--exact", "trend::holds_memory_for_another_test", "--nocapture"];
    let mut command = Command::new(program);
    command.args(role).env(ROLE, "1").stderr(Stdio::null());
    let mut own = Own::spawn(&mut command);
    let mut out = BufReader::new(own.0.stdout.take().expect("a pipe"));
    let mut said = String::new();
    while said != "ready\n" {
        said.clear();
        assert_ne!(out.read_line(&mut said).expect("a line"), 0, "the child ended");
    }
    let who: ProcId = own.id();
    let root = || ProcRoot::open("/proc").expect("a tree");
    let found = detail::breakdown(&root(), who).expect("an own child");
    let Reading::Value(holding) = found else {
        println!("skipped: no smaps_rollup here ({found:?})");
        return;
    };
    let unshare = holding.shared_anonymous().0;
    let (by_smaps, copied) = shared_anonymous(who.pid);
    assert!((100 << 10..110 << 10).contains(&unshare), "100 MiB and a heap: {unshare} KiB");
    let range = by_smaps.saturating_sub(512)..=by_smaps + copied + 512;
    assert!(range.contains(&unshare), "{unshare} by the sums, {by_smaps} + {copied} by smaps");
    assert!(holding.shared.0 >= 150 << 10, "with the 50 MiB that are no copy: {holding:?}");
    let mut live = LiveSource::start(root(), ScanPatience::Forever).expect("a tree");
    let needs = Needs { status: true, cgroups: CgroupNeeds::Nothing, ..Needs::default() };
    let sample = live.sample(&needs, None).expect("a look");
    let process = sample.find(who).expect("an own child");
    let claim = ProcessCommitment::of(process, Reading::Value(holding), sample.machine.page_size);
    let mib = |pages: Reading<Pages>| pages.value().expect("a size").bytes(PageSize(4096)).0 >> 20;
    assert!((200..232).contains(&mib(claim.untouched)), "200 MiB untouched: {claim:?}");
    let promises = Commitments::of(&sample).expect("a commit charge");
    assert!(promises.committed.0 > (400 << 10), "both hold their own: {promises:?}");
    drop(own);
    let mut rest = Vec::new();
    let _ = out.read_to_end(&mut rest);
}

#[test]
fn a_long_past_hides_no_wall() {
    // A cgroup stands still for hours, then fills; looks come every second.
    let full_in = |calm: u64| {
        let mut player = Player::on(sinking(0, 0));
        player.app = App::new(setup());
        player.app.playback.past = SampleHistory::new(Millis(u64::MAX), usize::MAX);
        for second in 0..calm + 170 {
            let mut sample = sinking(0, 0);
            sample.clock.monotonic_ms = Millis(1000 + second * 1000);
            let cgroups = Arc::make_mut(&mut sample.cgroups);
            cgroups.read_ms = sample.clock.monotonic_ms;
            let more = second.saturating_sub(calm) * (2 << 20);
            cgroups.list[0].usage = Reading::Value(Bytes((1108 << 20) + more));
            player.app.update(Msg::Played(Arc::new(sample)));
        }
        let newest = player.app.playback.past.newest().expect("a look");
        let time = player.app.playback.past.time(newest).expect("its time");
        player.app.go_to_time(time);
        let scene = player.app.scene.as_ref().expect("a look");
        let outlook = scene.forecast().of_group("/web");
        outlook.arrival().map(|arrival| arrival.likely.0.div_ceil(1000))
    };
    let near = |seconds: Option<u64>| seconds.is_some_and(|it| (295..=306).contains(&it));
    for calm in [0, 1000, 5700] {
        let told = full_in(calm);
        assert!(near(told), "behind {calm} calm looks: {told:?}");
    }
}

#[test]
fn a_time_outside_of_a_recording_is_said_to_be() {
    let mut first = sinking(0, 0);
    first.clock.unix_ms = 1_763_733_802_000;
    let mut player = Player::on(first);
    player.app.start.live = false;
    for second in (2..=20).step_by(2) {
        let mut sample = sinking(second, 0);
        sample.clock.monotonic_ms = Millis(1000 + second * 1000);
        sample.clock.unix_ms = 1_763_733_802_000 + second as i64 * 1000;
        player.app.update(Msg::Played(Arc::new(sample)));
    }
    let mut told = |text: &str| {
        let result = player.app.go_to_typed_time(text, None);
        result.map(|()| player.app.display.notice.take().map(|it| it.text))
    };
    assert_eq!(told("2025-11-21 14:03:30Z"), Ok(None));
    let early = told("2025-11-21 14:02:00Z").expect("a time").expect("a notice");
    assert!(early.contains("is before the first sample: that is shown, 2025-11-21"), "{early}");
    let late = told("2025-11-21T15:00Z").expect("a time").expect("a notice");
    assert!(late.contains("is after the last sample: that is shown"), "{late}");
    let long = told("5h").expect("a time").expect("a notice");
    assert!(long.starts_with("5h is before the first sample"), "{long}");
    assert!(told("2026-02-31 00:00").is_err(), "no such day");
}
