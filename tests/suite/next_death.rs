//! The prediction of the next death, on the screen and in JSON, beside the deaths of the demo.

use std::sync::Arc;

use doomtop::app::keymap::bindings::Key;
use doomtop::app::mode::Mode;
use doomtop::app::{App, Msg};
use doomtop::columns::{CommandStyle, RowContext, SizeUnit};
use doomtop::forecast::at_limit::RankingAtLimit;
use doomtop::forecast::next_death::{Candidate, DeathCertainty, NextDeath, TimeSpan};
use doomtop::model::{
    Cgroups, ForecastResult, Hierarchy, Names, Process, Reading, Scene, Scope, ScoreScale, Text,
};
use doomtop::policy::{EARLYOOM, LINUX, Policy, SYSTEMD_OOMD_PRESSURE};
use doomtop::rank::Ranking;
use doomtop::ui::Theme;
use doomtop::units::{Adj, Bytes, Kib, Millis, Pages};
use doomtop::words::next_death::{DeathVerdict, after_change, forms, verdict_on};
use insta::assert_snapshot;
use serde_json::Value;

use crate::demo::{AT_END, BATCH, SAMPLES, Show, app_before, eves, log, printed, show_before};
use crate::domains::{group, path};
use crate::fixtures::{app, paint, press, text};
use crate::stage::{machine, process};

/// How long before each kill of the demo the process is named, in milliseconds: the first container begins to
/// grow about twelve seconds before its kill; in the second, two processes are too close to call until one
/// overtakes the other.
const LEADS: [u64; 3] = [8_000, 5_000, 8_000];

const PLAIN: Theme = crate::fixtures::theme(false, true);

/// The process that the kernel wrote to have killed, and its name in the sample before: `208 node`.
fn killed(kill: usize, eve: usize) -> String {
    let pid = log().1[kill].victim().expect("a victim");
    let processes = &SAMPLES[eve].processes;
    let process = processes.iter().find(|it| it.id.pid == pid).expect("it lives before");
    format!("{pid} {}", process.comm)
}

/// The samples of the demo from so many milliseconds before a kill up to the one before it.
fn samples_before(eve: usize, span: u64) -> std::ops::RangeInclusive<usize> {
    let killed = SAMPLES[eve + 1].clock.monotonic_ms.0;
    let first = SAMPLES.iter().position(|it| it.clock.monotonic_ms.0 + span >= killed);
    first.expect("samples")..=eve
}

/// The line about the next death, if the screen shows one.
fn headline(app: &mut App) -> Option<String> {
    let (buffer, _) = paint(app, PLAIN, 120, 40);
    let shown = text(&buffer);
    let mut lines = shown.lines().map(|line| line.trim_matches(['│', ' ']));
    lines.find(|it| it.starts_with("! ") || it.starts_with("!! ")).map(str::to_owned)
}

#[test]
fn the_headline_names_the_process_that_dies() {
    let mut show = Show::new();
    for (kill, eve) in eves(&SAMPLES).into_iter().enumerate() {
        let who = killed(kill, eve);
        for at in samples_before(eve, LEADS[kill]) {
            show.play_before(kill, eve + 1 - at);
            let line = headline(&mut show.app).unwrap_or_default();
            assert!(line.contains(&format!("NEXT {who} ")), "{who}, sample {at}: {line:?}");
        }
    }
}

/// The number behind the first `adj ` of a text that goes on with one of these words.
fn adj_before(text: &str, words: &[&str]) -> Option<i16> {
    let mut parts = text.split("adj ").skip(1);
    parts.find_map(|part| {
        let (number, rest) = part.split_once(' ')?;
        let number = number.trim_start_matches('+').parse().ok()?;
        words.iter().any(|word| rest.starts_with(word)).then_some(number)
    })
}

#[test]
fn what_saves_the_process_is_one_value_everywhere_and_saves_it() {
    let mut compared = 0;
    for (kill, before) in [(0, 1), (0, 3), (1, 1), (2, 1), (2, 2), (2, 4)] {
        let mut app = app_before(kill, before);
        let death = app.deaths.next.clone().expect("a death is near");
        let victim = death.victim().expect("it is named");
        let saved = death.saved.expect("the kernel chooses");
        let (id, comm) = saved.instead.expect("another one");
        assert_ne!(id, victim.id);
        let shown = text(&paint(&mut app, PLAIN, 200, 60).0);
        // The first line about it is the headline's.
        let told = adj_before(&shown, &["(a), then"]).expect("a remedy");
        assert_eq!(told, saved.adj.0, "{shown}");
        let explained = shown.lines().find_map(|line| adj_before(line, &["saves it"]));
        assert_eq!(explained, Some(saved.adj.0), "{shown}");
        assert!(shown.contains(&format!("saves it: then {id} {comm} dies")), "{shown}");
        let mut typed = |script: &[&str]| {
            press(&mut app, script);
            let shown = text(&paint(&mut app, PLAIN, 200, 60).0);
            (shown, app.mode.clone())
        };
        let (shown, mode) = typed(&["a", "s"]);
        let Mode::Adjust(edit) = mode else { panic!("the editor\n{shown}") };
        assert_eq!(edit.value(), Some(saved.adj), "{shown}");
        let effect = edit.next_death.expect("a death is near");
        assert!(!effect.contains(&format!("{} {}", victim.id, victim.comm)), "{effect}");
        assert!(shown.contains(&format!("s adj {} saves it", saved.adj)), "{shown}");
        if saved.adj != Adj::MIN {
            let keys: Vec<String> =
                format!("{}", saved.adj.0 + 1).chars().map(String::from).collect();
            let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
            let (shown, mode) = typed(&keys);
            let Mode::Adjust(edit) = mode else { panic!("the editor\n{shown}") };
            assert_eq!(edit.value(), Some(Adj(saved.adj.0 + 1)), "{shown}");
            let effect = edit.next_death.expect("a death is near");
            assert_ne!(effect, format!("then {id} {comm} dies next"), "one more saves it, too");
            compared += 1;
        }
    }
    assert!(compared >= 3, "{compared}");
}

#[test]
fn the_batch_output_says_the_same() {
    let blocks: Vec<&str> = BATCH.split("\ndoomtop ").collect();
    for (kill, eve) in eves(&SAMPLES).into_iter().enumerate() {
        let who = killed(kill, eve);
        for at in samples_before(eve, LEADS[kill]) {
            let found = blocks[at].lines().find(|it| it.starts_with(&format!("NEXT {who} ")));
            assert!(found.is_some_and(|it| it.contains(" in ~") || it.contains(" now: ")), "{at}");
        }
    }
}

#[test]
fn json_has_the_deaths() {
    let output = printed(&["--demo", "--json"]);
    let frames: Vec<Value> =
        output.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert!(frames[0]["next_death"].is_null());
    assert_eq!(frames[0]["deaths"], serde_json::json!([]), "one sample has no trend");
    for (kill, eve) in eves(&SAMPLES).into_iter().enumerate() {
        let next = &frames[eve]["next_death"];
        let mut keys: Vec<&str> =
            next.as_object().expect("a death").keys().map(|it| &**it).collect();
        keys.sort_unstable();
        let wanted = [
            "by",
            "candidates",
            "certainty",
            "comm",
            "domain",
            "kill_cannot_help",
            "left_bytes",
            "pid",
            "rate_bytes_per_s",
            "seconds",
            "seconds_high",
            "seconds_low",
            "stalled",
            "start_ticks",
        ];
        assert!(keys == wanted, "{keys:?}");
        assert_eq!(next["by"], "kernel");
        assert_eq!(next["certainty"], "named");
        assert_eq!(next["stalled"], false);
        assert_eq!(
            format!("{} {}", next["pid"], next["comm"].as_str().unwrap()),
            killed(kill, eve)
        );
        let candidate = &next["candidates"][0];
        assert_eq!(candidate["pid"], next["pid"]);
        assert!(candidate["from_s"].as_f64() <= candidate["to_s"].as_f64());
        let seconds = |key: &str| next[key].as_f64().expect("seconds");
        assert!(seconds("seconds_low") <= seconds("seconds"));
        assert!(seconds("seconds") <= seconds("seconds_high"));
        assert!(seconds("seconds") <= 10.0, "it is near: {next}");
        let at_limit = &frames[eve]["at_limit"];
        assert!(at_limit["victim"]["pid"].is_i64() && at_limit["excluded_bytes"].is_u64());
        assert_eq!(at_limit["candidates"][0], at_limit["victim"]["pid"]);
        let list = frames[eve]["deaths"].as_array().expect("an array");
        assert!(list.contains(next), "the headline is one of the deaths");
        assert!(list.len() <= 8);
    }
}

#[test]
fn the_headline_of_a_sample_is_the_same_after_a_step_back() {
    let mut show = show_before(2, 7);
    let played = headline(&mut show.app);
    show.play_before(2, 1);
    let mut app = show.app;
    let before = headline(&mut app).expect("a headline");
    let press = |app: &mut App, key: char| {
        for _ in 0..6 {
            let now = app.clock();
            app.update(Msg::Key(Key::char(key), now));
        }
    };
    press(&mut app, '(');
    let earlier = headline(&mut app).expect("a headline");
    assert_ne!(earlier, before);
    assert_eq!(played, Some(earlier), "as it was when it was played");
    press(&mut app, ')');
    assert_eq!(headline(&mut app), Some(before));
}

#[test]
fn demo_80x24() {
    let mut show = Show::new();
    for (nth, name) in [(0, "container"), (2, "machine")] {
        show.play_before(nth, 3);
        let (buffer, _) = paint(&mut show.app, PLAIN, 80, 24);
        assert_snapshot!(format!("next_death_{name}_80x24"), text(&buffer));
    }
}

#[test]
fn a_small_terminal_keeps_who_when_and_where() {
    for (width, height) in [(80, 15), (60, 12), (40, 10), (40, 6)] {
        let mut app = app_before(0, 2);
        let death = app.deaths.next.clone().expect("a death is near");
        let victim = death.victim().expect("it is named");
        let name = format!("!! NEXT {} {}", victim.id, victim.comm);
        let shown = text(&paint(&mut app, PLAIN, width, height).0);
        let parts = [name.as_str(), " in ~", "limit"];
        // A screen of six lines has room for one of the headline.
        for part in &parts[..if height > 6 { 3 } else { 2 }] {
            assert!(shown.contains(part), "{width}x{height}: {part:?} in\n{shown}");
        }
    }
}

#[test]
fn nothing_is_near_on_a_calm_machine() {
    let mut calm = app("db-03.jsonl");
    assert!(calm.deaths.next.is_none());
    assert_eq!(headline(&mut calm), None);
}

#[test]
fn at_the_limit_only_what_stays_counts() {
    let mapper = |locked| Process {
        anon: Reading::Value(Pages(10_000)),
        file: Reading::Value(Pages(40_000)),
        locked: Reading::Value(Pages(locked)),
        ..process(10, "mapper", 50_000)
    };
    let at_limit = |policy: &dyn Policy, locked| {
        let both = vec![mapper(locked), process(11, "other", 30_000)];
        let scene = Scene::new(Arc::new(machine(1_000_000, ScoreScale::Signed, both)), None);
        let RankingAtLimit { victim, candidates, excluded } = RankingAtLimit::of(policy, &scene);
        let victim = victim.map(|it| it.0.pid);
        assert_eq!(candidates.first().map(|it| it.pid), victim);
        (victim, excluded)
    };
    let pages = |count: u64| Bytes(count * 4096);
    assert_eq!(at_limit(&LINUX, 0), (Some(11), pages(40_000)));
    assert_eq!(at_limit(&LINUX, 40_000), (Some(10), pages(0)), "what is locked stays");
    assert_eq!(at_limit(&LINUX, 25_000), (Some(10), pages(15_000)));
    assert_eq!(at_limit(&EARLYOOM, 0), (Some(10), pages(0)), "it does not wait for reclaim");
}

#[test]
fn whose_file_pages_are_taken_is_not_always_known() {
    // Every one of them has 3 MiB of programs and libraries; the first also has a file of the cgroup, of which reclaim has
    // taken most already. As measured: the second one was killed.
    let at_limit = |reclaimable: u64| {
        let mapper = |pid, name, anon, file| Process {
            anon: Reading::Value(Pages(anon)),
            file: Reading::Value(Pages(file)),
            cgroup: Reading::Value(path("/a")),
            ..process(pid, name, anon + file)
        };
        let members = vec![
            mapper(10, "mapper", 2314, 1056),
            mapper(11, "other", 2467, 848),
            mapper(12, "small", 900, 860),
        ];
        let mut snapshot = machine(1_000_000, ScoreScale::Signed, members);
        let mut limited = group("/a", Some(96));
        limited.reclaimable = Reading::Value(Bytes(reclaimable * 4096));
        snapshot.cgroups = Arc::new(Cgroups {
            hierarchy: Reading::Value(Hierarchy::V2),
            list: vec![group("/", None), limited],
            ..Cgroups::default()
        });
        let scope = Scope::parse("/a").expect("a scope");
        let scene = Scene::scoped(Arc::new(snapshot), None, scope);
        RankingAtLimit::of(&LINUX, &scene).candidates.iter().map(|id| id.pid).collect::<Vec<_>>()
    };
    assert_eq!(at_limit(200), [11, 10], "it is the mapper's, or it is nobody's");
    assert_eq!(at_limit(0), [10], "nothing is left to take");
    assert_eq!(at_limit(9000), [11], "all is taken");
}

#[test]
fn shared_memory_stays_where_swap_ends() {
    // As measured: the one with shared memory was killed, because swap was full by then.
    let at_limit = |swap_free: u64| {
        let sharer = Process {
            shmem: Reading::Value(Pages(1369)),
            anon: Reading::Value(Pages(170)),
            swap: Reading::Value(Pages(2635)),
            ..process(10, "sharer", 1539)
        };
        let other = Process { swap: Reading::Value(Pages(2068)), ..process(11, "other", 1263) };
        let mut snapshot = machine(1_000_000, ScoreScale::Signed, vec![sharer, other]);
        (snapshot.swap.total_kib, snapshot.swap.free_kib) = (Kib(65_536), Kib(swap_free));
        let scene = Scene::new(Arc::new(snapshot), None);
        RankingAtLimit::of(&LINUX, &scene).candidates.iter().map(|id| id.pid).collect::<Vec<_>>()
    };
    assert_eq!(at_limit(0), [10]);
    assert_eq!(at_limit(40), [10], "ten pages fit");
    assert_eq!(at_limit(5200), [11, 10], "its memory goes to swap, or that of the other");
    assert_eq!(at_limit(65_000), [11], "all of it fits");
}

#[test]
fn what_was_given_back_does_not_count_at_the_limit() {
    let freer = |lazy: Reading<Pages>| Process {
        anon: Reading::Value(Pages(50_000)),
        lazy_free: lazy,
        ..process(10, "freer", 50_000)
    };
    let victims = |policy: &dyn Policy, lazy| {
        let both = vec![freer(lazy), process(11, "holder", 30_000)];
        let scene = Scene::new(Arc::new(machine(1_000_000, ScoreScale::Signed, both)), None);
        let at_limit = RankingAtLimit::of(policy, &scene);
        let now = Ranking::new(policy, &scene).victim().map(|row| row.id.pid);
        (now, at_limit.victim.map(|it| it.0.pid), at_limit.excluded.0 / 4096)
    };
    let some = |pages| Reading::Value(Pages(pages));
    assert_eq!(victims(&LINUX, some(40_000)), (Some(10), Some(11), 40_000));
    assert_eq!(victims(&LINUX, some(10_000)), (Some(10), Some(10), 10_000));
    assert_eq!(victims(&LINUX, Reading::NotAsked), (Some(10), Some(10), 0), "it was not read");
    assert_eq!(victims(&LINUX, some(90_000)).2, 50_000, "never more than is anonymous");
    assert_eq!(victims(&EARLYOOM, some(40_000)), (Some(10), Some(10), 0));
    // A recording keeps it.
    let line = serde_json::to_string(&freer(some(7))).expect("JSON");
    assert!(line.contains("\"lazyfree_pages\":7"), "{line}");
    let back: Process = serde_json::from_str(&line).expect("a process");
    assert_eq!(back.lazy_free, some(7));
}

/// The sentences about a death by this killer in 20 s, the longest first.
fn sentences(policy: &dyn Policy, snapshot: doomtop::model::Snapshot) -> Vec<String> {
    let scene = Scene::new(Arc::new(snapshot), None);
    let dies = &scene.now().processes[0];
    let time = Millis(20_000);
    let death = NextDeath {
        by: policy.id(),
        domain: Arc::new(Text::new(Scope::GLOBAL.as_bytes())),
        when: Some(TimeSpan { low: time, middle: time, high: time }),
        certainty: DeathCertainty::Named,
        candidates: vec![Candidate { id: dies.id, comm: dies.comm, from: time, to: time }],
        saved: None,
        gains: Vec::new(),
        left: Bytes(1 << 20),
        limit: Bytes(1 << 30),
        rate: 1e6,
        trigger: policy.trigger_rules(&scene).into_iter().next().map(Arc::new),
        stalled: None,
    };
    let ranking = Ranking::new(policy, &scene);
    let context = RowContext {
        scene: &scene,
        policy,
        ranking: &ranking,
        names: &Names::default(),
        scale: SizeUnit::Auto,
        command: CommandStyle::Name,
    };
    forms(&context, &death).iter().map(|it| format!("{} {}{}", it.label, it.who, it.rest)).collect()
}

#[test]
fn the_sentence_names_the_killer_and_its_trigger() {
    let calm = || machine(1_000_000, ScoreScale::Signed, vec![process(208, "node", 100)]);
    let earlyoom = sentences(&EARLYOOM, calm());
    assert_eq!(earlyoom[0], "NEXT 208 node (1000) in ~20s: earlyoom acts at 10% available memory");
    assert_eq!(earlyoom.last().map(String::as_str), Some("NEXT 208 node in ~20s"));
    let mut swap = calm();
    (swap.swap.total_kib, swap.swap.free_kib) = (Kib(1000), Kib(1000));
    let earlyoom = sentences(&EARLYOOM, swap);
    let both = "earlyoom acts at 10% available memory and 10% free swap";
    assert!(earlyoom[0].ends_with(both), "{earlyoom:?}");
    assert!(earlyoom[1].ends_with("earlyoom acts at 10% available memory"), "{earlyoom:?}");
    assert!(earlyoom[2].ends_with("in ~20s: earlyoom acts"), "{earlyoom:?}");
    let kernel = sentences(&LINUX, calm());
    assert!(kernel[0].ends_with("in ~20s: the machine runs out of memory"), "{kernel:?}");
    let none = sentences(&SYSTEMD_OOMD_PRESSURE, calm());
    assert!(none[0].starts_with("NEXT 208 node"), "it watches nothing here: {none:?}");
}

#[test]
fn the_kills_of_the_demo_were_predicted_and_the_timeline_says_since_when() {
    let events = AT_END.shown_kills();
    for (kill, eve) in eves(&SAMPLES).into_iter().enumerate() {
        let pid: i32 = killed(kill, eve).split(' ').next().unwrap().parse().unwrap();
        let event = events.iter().find(|it| it.victim.and_then(|it| it.pid) == Some(pid));
        let ForecastResult::Named { lead } = event.expect("an event").forecast else {
            panic!("{:?}", event.unwrap());
        };
        // Up to the last sample in which it lived.
        assert!(lead.0 + 4000 >= LEADS[kill], "{lead:?}");
    }
}

#[test]
fn the_batch_output_tells_of_each_kill_since_when_it_was_predicted() {
    let lines: Vec<&str> = BATCH.lines().filter(|it| it.contains(": the kernel killed ")).collect();
    let eves = eves(&SAMPLES);
    assert_eq!(lines.len(), eves.len(), "{lines:?}");
    for ((kill, eve), line) in eves.into_iter().enumerate().zip(lines) {
        let who = killed(kill, eve);
        assert!(line.contains(&format!(" killed {who} (")), "{line}");
        assert!(line.contains(" predicted ") && line.ends_with(" s before"), "{line}");
    }
}

#[test]
fn the_dialogs_say_whether_it_is_the_next_to_die() {
    let eve = eves(&SAMPLES)[0];
    let who = killed(0, eve);
    let app = app_before(0, 2);
    let next = app.deaths.next.clone().expect("a death is near");
    let victim = next.victim().expect("it is named").id;
    let verdict = verdict_on(Some(&next), victim);
    let Some(DeathVerdict::Next(text)) = &verdict else { panic!("{verdict:?}") };
    assert!(text.starts_with("this IS the next to die (~"), "{text}");
    let other = verdict_on(Some(&next), doomtop::model::ProcId::default());
    let Some(DeathVerdict::NotNext(text)) = &other else { panic!("{other:?}") };
    assert!(text.starts_with(&format!("this is NOT the next to die: that is {who} (~")), "{text}");
    assert_eq!(verdict_on(None, victim), None);

    assert_eq!(after_change(&next, Some(&next)), format!("{who} is still the next to die"));
    assert_eq!(after_change(&next, None), "then no death is near");
}
