//! "What if so much more memory were needed?": the page, the palette, and `doomtop fits`.

use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Output;
use std::sync::Arc;

use doomtop::app::mode::Mode;
use doomtop::app::page::fits::FitsPage;
use doomtop::app::{App, Request};
use doomtop::forecast::cascade::{
    Casualty, FitAnswer, FitOutcome, FitVerdict, Newcomer, NextToDie, Obstacle, RoomKind,
    RoomLevel, Throttling,
};
use doomtop::forecast::next_death::StallReason;
use doomtop::model::{
    Cgroup, Cgroups, Comm, Hierarchy, Limit, ProcId, Reading, Scope, Snapshot, Text,
};
use doomtop::policy::BadnessUnit;
use doomtop::ui::Theme;
use doomtop::units::{Adj, Bytes, Kib, Points};
use doomtop::words::fits::{self, CgroupStyle};
use insta::assert_snapshot;
use serde_json::Value;

use crate::binary::{assert_refused, run};
use crate::fixtures::{app, paint, press, samples, text};
use crate::stage::{Player, cast, machine, usual};

const PLAIN: Theme = crate::fixtures::theme(false, true);

fn page(app: &App) -> &FitsPage {
    match &app.mode {
        Mode::Fits(page) => page,
        other => panic!("the page is open, not {other:?}"),
    }
}

fn killed(app: &App) -> Vec<i32> {
    page(app).answer.steps.iter().map(|step| step.victim.id.pid).collect()
}

/// The cast on a machine where so many MiB are available.
fn with_available(mib: u64) -> Snapshot {
    let mut sample = usual();
    sample.memory.available_kib = doomtop::model::Reading::Value(Kib(mib << 10));
    sample
}

#[test]
fn the_question_is_asked_by_a_key_and_in_the_palette() {
    // java has 781 MiB, chrome 351 MiB and an adj of 300, which is worth 1171 MiB more.
    let mut player = Player::on(with_available(100));
    player.play("<A-f>");
    let Mode::Prompt(_) = &player.app.mode else { panic!("a prompt") };
    player.play("two<Enter>");
    let Mode::Prompt(prompt) = &player.app.mode else { panic!("it stays open") };
    assert!(prompt.error.as_ref().is_some_and(|it| it.contains("500M or 2G")), "{prompt:?}");
    player.play("<C-u>300M<Enter>");
    assert_eq!(killed(&player.app), [500]);
    player.play("<Esc>");
    assert!(player.app.mode_is_browse());
    player.play(":fits 300M");
    let Mode::Menu(menu) = &player.app.mode else { panic!("the palette") };
    assert_eq!(menu.matching().count(), 1);
    player.play("<Enter>");
    assert_eq!(killed(&player.app), [500]);
    player.play("<Esc>:fits 300x<Enter>");
    let Mode::Prompt(prompt) = &player.app.mode else { panic!("it is asked again") };
    assert!(prompt.input.value() == "300x" && prompt.error.is_some(), "{prompt:?}");
    player.play("<Esc>:fits<Enter>");
    assert!(matches!(player.app.mode, Mode::Prompt(_)), "the row of the table");
}

#[test]
fn enter_goes_to_the_process_and_nothing_is_done_to_it() {
    let mut player = Player::on(with_available(100));
    player.play(":fits 1300M<Enter>");
    let all = killed(&player.app);
    assert_eq!(all, [500, 600], "{:?}", page(&player.app).answer);
    player.play("<Down><Down><Enter>");
    assert!(player.app.mode_is_browse());
    assert_eq!(player.cursor(), Some(600));
    // From another view it comes back to the table.
    player.play("<A-4>:fits 1300M<Enter><Enter>");
    assert_eq!(player.cursor(), Some(500));
    // A note is no process, and a process that is filtered away is named.
    player.play(":fits 1M<Enter><Enter>");
    assert!(player.notice().contains("choose a kill"), "{}", player.notice());
    player.play("<Esc>\\java<Enter>:fits 300M<Enter><Enter>");
    assert!(player.notice().contains("500 chrome is not in the table"), "{}", player.notice());
    let acts = player.asked.iter().filter(|it| matches!(it, Request::Act(_))).count();
    assert_eq!(acts, 0);
}

#[test]
fn the_page_follows_the_samples_and_the_adj() {
    let mut player = Player::on(with_available(100));
    player.play(":fits 300M<Enter>");
    assert_eq!(page(&player.app).answer.verdict(), FitVerdict::AfterKills);
    player.play("<Down><Down>");
    player.sample(with_available(400));
    assert_eq!(page(&player.app).answer.verdict(), FitVerdict::Fits);
    assert!(page(&player.app).at < page(&player.app).count());
    player.sample(with_available(100));
    player.play("]]");
    assert_eq!(page(&player.app).answer.newcomer.adj, Adj(-100));
    // 1171 MiB of adj are less than what 400 of adj are worth.
    for _ in 0..20 {
        player.play("[");
    }
    assert_eq!(page(&player.app).answer.newcomer.adj, Adj(900));
    assert_eq!(page(&player.app).answer.verdict(), FitVerdict::No, "it is chosen itself");
    assert!(player.play("y").iter().any(|it| match it {
        Request::Copy(text) => text.starts_with("No, the new process itself would be killed"),
        _ => false,
    }));
    player.play("<A-f>5M<Enter>");
    assert_eq!(page(&player.app).answer.verdict(), FitVerdict::Fits);
    player.play("<F1>");
    assert!(matches!(player.app.mode, Mode::Help { .. }));
    player.play("<Esc>");
    assert_eq!(page(&player.app).answer.verdict(), FitVerdict::Fits, "it comes back");
}

#[test]
fn before_a_sample_and_for_memory_nodes_there_is_no_answer() {
    let mut blank = crate::fixtures::blank();
    press(&mut blank, &[":", "fits 1M", "Enter"]);
    assert!(blank.mode_is_browse());
    let mut sample = machine(1_000_000, doomtop::model::ScoreScale::Signed, cast());
    let node = doomtop::model::NumaNode { id: 0, present: doomtop::units::Pages(500_000) };
    Arc::make_mut(&mut sample.machine).nodes = vec![node];
    let setup = doomtop::app::Setup {
        scope: Scope::parse("nodes:0").expect("a scope"),
        ..crate::stage::setup()
    };
    let mut player = Player::with(setup, sample);
    player.play(":fits 1M<Enter>");
    assert!(player.notice().contains("memory nodes"), "{}", player.notice());
}

/// desk-7 in one of its cgroups, with the page open.
fn desk(scope: &str, size: &str) -> App {
    let mut app = app("desk-7.jsonl");
    if !scope.is_empty() {
        app.settings.scope = Scope::Memcg(Arc::new(Text::new(scope.as_bytes())));
        if let Some(scene) = &mut app.scene {
            scene.set_scope(app.settings.scope.clone());
        }
    }
    paint(&mut app, PLAIN, 120, 40);
    press(&mut app, &[":", &format!("fits {size}"), "Enter"]);
    app
}

const BURST: &str =
    "/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod5c1e.slice/cri-ab.scope";

#[test]
fn the_page_is_drawn_at_every_size() {
    let mut machine = desk("", "4G");
    let mut scoped = desk(BURST, "7G");
    let mut fits = desk("", "10M");
    for (width, height) in [(120, 40), (80, 24), (40, 10)] {
        let screen = |app: &mut App| text(&paint(app, PLAIN, width, height).0);
        assert_snapshot!(format!("fits-machine-{width}x{height}"), screen(&mut machine));
        assert_snapshot!(format!("fits-scoped-{width}x{height}"), screen(&mut scoped));
        assert_snapshot!(format!("fits-yes-{width}x{height}"), screen(&mut fits));
    }
    for width in (40..=200).step_by(7) {
        for height in (6..=60).step_by(5) {
            paint(&mut machine, PLAIN, width, height);
            paint(&mut scoped, PLAIN, width, height);
        }
    }
    // At 40x10 every line can be reached.
    let count = page(&machine).count();
    for at in 0..count {
        let screen = text(&paint(&mut machine, PLAIN, 40, 10).0);
        let page = page(&machine);
        assert_eq!(page.at, at);
        if let Some(step) = page.chosen() {
            assert!(screen.contains(&step.victim.comm.to_string()), "{at}: {screen}");
        }
        press(&mut machine, &["Down"]);
    }
}

/// An answer with this end, to a newcomer of 2G in /shop.
fn answer(outcome: FitOutcome) -> FitAnswer {
    let cgroup = Some(Arc::new(Text::new(b"/shop")));
    let size = Bytes(2 << 30);
    let newcomer = Newcomer { size, cgroup, ..Newcomer::default() };
    let level = RoomLevel {
        kind: RoomKind::Limit,
        name: Arc::new(Text::new(b"/shop")),
        limit: Bytes(4 << 30),
        left: Bytes(1 << 30),
        stalled: None,
    };
    FitAnswer {
        newcomer,
        levels: vec![level],
        steps: Vec::new(),
        throttled: None,
        outcome,
        grant: None,
        by_pressure: Vec::new(),
        unread: Vec::new(),
    }
}

#[test]
fn every_end_has_a_sentence() {
    let domain = || Arc::new(Text::new(b"/shop"));
    let global = || Arc::new(Text::new(b"global"));
    let chrome = Casualty {
        id: ProcId { pid: 245, ..ProcId::default() },
        comm: Comm::new(b"chrome"),
        points: Some(Points(225_280)),
    };
    let next = Some(NextToDie { who: chrome, below: Some(Adj(-312)), close: true });
    let own = Some((Points(262_144), BadnessUnit::Pages));
    let itself = |asks: bool, next, domain, also| Obstacle::Itself {
        by: "kernel",
        domain,
        own,
        asks,
        next,
        also,
    };
    let stalled = |reason| Obstacle::Stalled { reason, domain: domain() };
    let obstacles = vec![
        itself(false, None, global(), vec![]),
        itself(false, next, domain(), vec![chrome]),
        itself(true, None, global(), vec![]),
        Obstacle::Itself {
            by: "earlyoom",
            domain: global(),
            own,
            asks: false,
            next: None,
            also: vec![],
        },
        Obstacle::With { by: "kernel", victim: chrome, group: Some(domain()) },
        Obstacle::With { by: "systemd-oomd:swap", victim: chrome, group: None },
        Obstacle::Nobody { domain: global() },
        Obstacle::Nobody { domain: domain() },
        stalled(StallReason::OomKillDisabled),
        stalled(StallReason::Frozen),
        Obstacle::Panics { domain: global() },
        Obstacle::Refused { most: Bytes(1 << 30) },
        Obstacle::TooMany,
    ];
    let had = Bytes(1 << 30);
    let mut told = String::new();
    for obstacle in obstacles {
        let it = answer(FitOutcome::Blocked { obstacle, had });
        let _ = writeln!(told, "{}", fits::answer(&it, CgroupStyle::Path));
    }
    let unforeseen = answer(FitOutcome::Unforeseen { domain: domain(), had });
    let _ = writeln!(told, "{}", fits::answer(&unforeseen, CgroupStyle::Path));
    let mut large = answer(FitOutcome::Blocked { obstacle: Obstacle::TooMany, had });
    large.newcomer.size = Bytes(8 << 30);
    let _ = writeln!(told, "{}", fits::answer(&large, CgroupStyle::Path));
    let throttled = Some(Throttling { domain: domain(), had });
    let slow = FitAnswer { throttled, ..answer(FitOutcome::Fits { left: had }) };
    assert_eq!(slow.verdict(), FitVerdict::Throttled);
    let _ = writeln!(told, "{}", fits::answer(&slow, CgroupStyle::Path));
    assert_snapshot!("fits-sentences", told);
}

#[test]
fn hostile_machines_get_an_answer() {
    let mut app = app("hostile.jsonl");
    for size in ["1M", "1024T"] {
        press(&mut app, &[":", &format!("fits {size}"), "Enter"]);
        for (width, height) in [(40, 10), (80, 24), (200, 60)] {
            paint(&mut app, PLAIN, width, height);
        }
        press(&mut app, &["Esc"]);
    }
}

fn said(output: &Output) -> (Option<i32>, String) {
    let text = if output.stdout.is_empty() { &output.stderr } else { &output.stdout };
    (output.status.code(), String::from_utf8_lossy(text).into_owned())
}

fn fixture(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name);
    path.display().to_string()
}

#[test]
fn the_status_tells_the_answer_for_whole_machines() {
    let (db, desk, strict) =
        (fixture("db-03.jsonl"), fixture("desk-7.jsonl"), fixture("strict.jsonl"));
    let mut told = String::new();
    for (arguments, status) in [
        (vec!["fits", "5G", "--from", &db], 0),
        (vec!["fits", "9G", "--from", &db], 3),
        (vec!["fits", "30G", "--from", &db], 4),
        (vec!["fits", "30G", "--adj", "-999", "--from", &db], 3),
        (vec!["fits", "500M", "--from", &desk], 0),
        (vec!["fits", "7G", "--scope", BURST, "--from", &desk], 4),
        (vec!["fits", "500M", "--from", &strict], 0),
        (vec!["fits", "1G", "--from", &strict], 4),
    ] {
        let output = run(&arguments);
        let (found, text) = said(&output);
        let _ = writeln!(told, "$ doomtop {}", arguments[..arguments.len() - 2].join(" "));
        let _ = writeln!(told, "{text}status {}\n", found.unwrap_or(-1));
        assert_eq!(found, Some(status), "{arguments:?}: {text}");
    }
    assert_snapshot!("fits-machines", told);
}

#[test]
fn json_says_the_same_and_is_described() {
    let desk = fixture("desk-7.jsonl");
    let schema = include_str!("../../assets/docs/schema.md");
    let mut keys = Vec::new();
    for arguments in [
        ["fits", "4G", "--json", "--from", &desk, "--scope", "global"],
        ["fits", "7G", "--json", "--from", &desk, "--scope", BURST],
    ] {
        let output = run(&arguments);
        let found: Value = serde_json::from_slice(&output.stdout).expect("one object");
        assert_eq!(found["schema"], "doomtop-fits/1");
        let status = match found["answer"].as_str() {
            Some("fits") => 0,
            Some("after_kills") => 3,
            Some("throttled") => 5,
            Some("no") => 4,
            other => panic!("{other:?}"),
        };
        assert_eq!(output.status.code(), Some(status));
        let text = run(&arguments.iter().copied().filter(|it| *it != "--json").collect::<Vec<_>>());
        let first = String::from_utf8_lossy(&text.stdout).lines().next().map(str::to_owned);
        assert_eq!(found["sentence"].as_str().map(str::to_owned), first);
        names(&found, &mut keys);
    }
    for key in keys {
        assert!(schema.contains(&format!("`{key}`")), "{key} is described in schema.md");
    }
}

/// The keys of all objects in a value.
fn names(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Object(members) => {
            for (key, value) in members {
                found.push(key.clone());
                names(value, found);
            }
        }
        Value::Array(items) => items.iter().for_each(|it| names(it, found)),
        _ => {}
    }
}

#[test]
fn above_memory_high_it_goes_on_slowly_and_has_a_status_of_its_own() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("run.jsonl");
    let mut file = fs::File::create(&path).expect("a file");
    // As `doomtop run` records it under the service manager: the scope is there from the second sample on.
    for second in 0..3_i64 {
        let mut sample = with_available(900);
        sample.clock.unix_ms += second * 1000 + 500;
        sample.clock.monotonic_ms.0 += second.unsigned_abs() * 1000;
        let scope = Cgroup {
            path: Arc::new(Text::new(b"/system.slice/doomtop-run-77.scope")),
            usage: Reading::Value(Bytes(100 << 20)),
            limit: Reading::Value(Limit::At(Bytes(600 << 20))),
            high: Reading::Value(Limit::At(Bytes(200 << 20))),
            ..Cgroup::default()
        };
        sample.cgroups = Arc::new(Cgroups {
            hierarchy: Reading::Value(Hierarchy::V2),
            read_ms: sample.clock.monotonic_ms,
            list: if second == 0 { Vec::new() } else { vec![scope] },
        });
        let mut line = serde_json::to_value(&sample).expect("JSON");
        line["schema"] = "doomtop/1".into();
        writeln!(file, "{line}").expect("written");
    }
    let path = path.display().to_string();
    let ask = |size: &str, more: &[&str]| {
        let mut all = vec!["fits", size, "--from", &path];
        all.extend(more);
        said(&run(&all))
    };
    let (status, text) = ask("300M", &[]);
    let first = text.lines().next().unwrap_or_default();
    assert_eq!(status, Some(5), "{text}");
    assert!(
        first.starts_with("Only slowly: 300M fits in /system.slice/doomtop-run-77.scope"),
        "{text}"
    );
    assert!(first.contains("once it has 100M") && first.contains("200M is left"), "{text}");
    assert!(text.contains("memory.min or memory.low"), "{text}");
    assert_eq!(ask("90M", &[]).0, Some(0));
    let (status, text) = ask("550M", &[]);
    assert!(status == Some(4) && text.contains("slowed   before, at memory.high"), "{text}");
    // Where another scope is asked for, that one is taken; and the sample of 12:00:02.500 is in its second.
    assert_eq!(ask("300M", &["--scope", "global"]).0, Some(0));
    assert_eq!(ask("300M", &["--at", "2025-11-21 12:00:02"]).0, Some(5));
    assert_eq!(ask("300M", &["--at", "12:00:02"]).0, Some(5));
}

/// A recording of the cast in which memory runs short: a minute between two samples.
fn recording(folder: &Path) -> PathBuf {
    let path = folder.join("short.jsonl");
    let mut file = fs::File::create(&path).expect("a file");
    for (nth, mib) in (0..).zip([900, 500, 100]) {
        let mut sample = with_available(mib);
        sample.clock.unix_ms += nth * 60_000;
        sample.clock.monotonic_ms.0 += nth.unsigned_abs() * 60_000;
        let mut line = serde_json::to_value(&sample).expect("JSON");
        line["schema"] = "doomtop/1".into();
        writeln!(file, "{line}").expect("written");
    }
    path
}

#[test]
fn a_recording_answers_for_its_end_or_another_time() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = recording(folder.path()).display().to_string();
    let ask = |arguments: &[&str]| {
        let mut all = vec!["fits", "300M", "--from", &path];
        all.extend(arguments);
        said(&run(&all))
    };
    assert_eq!(ask(&[]).0, Some(3), "at its end 100M are available");
    assert_eq!(ask(&["--at", "1m"]).0, Some(0), "a minute before");
    // The stage begins at 2025-11-21 12:00:00 UTC.
    assert_eq!(ask(&["--at", "12:01:00"]).0, Some(0));
    assert_eq!(ask(&["--at", "2025-11-21 12:02:00"]).0, Some(3));
    // Both ways of writing a time mean the end of its second: the sample in it counts.
    assert_eq!(ask(&["--at", "2025-11-21 12:01:59"]).0, Some(0));
    for at in ["12:01:59", "2025-11-21 12:01:59"] {
        assert_eq!(ask(&["--at", at]).0, Some(0), "{at}");
    }
    let (status, what) = ask(&["--at", "1h"]);
    assert!(status == Some(1) && what.contains("no sample before that time"), "{what}");
    let (status, what) = ask(&["--at", "soon"]);
    assert_eq!(status, Some(2), "{what}");
}

#[test]
fn wrong_questions_are_told_in_one_line() {
    let desk = fixture("desk-7.jsonl");
    let here = env!("CARGO_MANIFEST_DIR");
    assert_refused(&[
        (vec!["fits"], 2, "SIZE"),
        (vec!["fits", "lots"], 2, "such as 500M or 2G"),
        (vec!["fits", "2G", "--adj", "2000"], 2, "-1000..=1000"),
        (vec!["fits", "2G", "--at", "14:03"], 2, "--from names one"),
        (vec!["fits", "2G", "--scope", "nodes:0", "--from", &desk], 2, "memory nodes"),
        (vec!["fits", "2G", "--scope", "/no/such", "--from", &desk], 1, "no such memory cgroup"),
        (vec!["fits", "2G", "--from", "/no/such"], 1, "/no/such"),
        (vec!["fits", "2G", "--from", here], 1, "a directory"),
        (vec!["fits", "2G", "--from", "-"], 1, "the recording has ended"),
        (vec!["fits", "2G", "--at", "5m", "--from", "-"], 2, "read once"),
    ]);
}

#[test]
fn the_machine_that_runs_the_test_has_room_for_a_little() {
    let output = run(&["fits", "1M", "--json"]);
    let found: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert!(found["room_bytes"].as_u64().is_some_and(|it| it > 1 << 20), "{found}");
    assert_eq!(found["answer"], "fits");
    // doomtop itself is gone by the time that anything else starts: it is never a victim.
    let own = run(&["fits", "1024T", "--adj", "-999", "--json"]);
    let found: Value = serde_json::from_slice(&own.stdout).expect("JSON");
    let names = found["kills"].as_array().expect("kills").iter().map(|it| &it["victim"]["pid"]);
    let ended = ProcId::default();
    assert!(names.into_iter().all(|pid| *pid != ended.pid), "{found}");
}

#[test]
fn the_samples_of_the_fixtures_are_not_changed_by_the_question() {
    let before: Vec<_> = samples("desk-7.jsonl").iter().map(|it| it.processes.len()).collect();
    drop(desk("", "4G"));
    let after: Vec<_> = samples("desk-7.jsonl").iter().map(|it| it.processes.len()).collect();
    assert_eq!(before, after);
}
