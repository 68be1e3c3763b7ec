//! The prediction of the next death, on the screen and in JSON, beside the deaths of the demo.

use std::process::Command;

use doomtop::app::keymap::bindings::Key;
use doomtop::app::{App, Msg};
use doomtop::source::demo_recording;
use doomtop::ui::Theme;
use insta::assert_snapshot;
use serde_json::Value;

use crate::demo::{app_before, eves, log};
use crate::fixtures::{app, paint, text};

/// How long before each kill of the demo the process is named, in milliseconds: the container begins to grow
/// about twelve seconds before its kill, the machine earlier.
const LEADS: [u64; 2] = [8_000, 15_000];

const PLAIN: Theme = Theme { colour: false, unicode: true };

/// The process that the kernel wrote to have killed, and its name in the sample before: `208 node`.
fn killed(kill: usize, eve: usize) -> String {
    let pid = log().1[kill].victim().expect("a victim");
    let processes = &demo_recording::samples()[eve].processes;
    let process = processes.iter().find(|it| it.id.pid == pid).expect("it lives before");
    format!("{pid} {}", process.comm)
}

/// The samples of the demo from so many milliseconds before a kill up to the one before it.
fn samples_before(eve: usize, span: u64) -> std::ops::RangeInclusive<usize> {
    let samples = demo_recording::samples();
    let killed = samples[eve + 1].clock.monotonic_ms.0;
    let first = samples.iter().position(|it| it.clock.monotonic_ms.0 + span >= killed);
    first.expect("samples")..=eve
}

/// The line about the next death, if the screen shows one.
fn headline(app: &mut App) -> Option<String> {
    let (buffer, _) = paint(app, PLAIN, 120, 40);
    let shown = text(&buffer);
    let mut lines = shown.lines().map(str::trim_start);
    lines.find(|it| it.starts_with("! ") || it.starts_with("!! ")).map(str::to_owned)
}

#[test]
fn the_headline_names_the_process_that_dies() {
    for (kill, eve) in eves(&demo_recording::samples()).into_iter().enumerate() {
        let who = killed(kill, eve);
        for at in samples_before(eve, LEADS[kill]) {
            let line = headline(&mut app_before(kill, eve + 1 - at)).unwrap_or_default();
            assert!(line.contains(&format!("NEXT {who} ")), "{who}, sample {at}: {line:?}");
        }
    }
}

#[test]
fn the_batch_output_says_the_same() {
    let output = Command::new(env!("CARGO_BIN_EXE_doomtop")).args(["--demo", "-b"]).output();
    let output = String::from_utf8(output.expect("doomtop runs").stdout).expect("UTF-8");
    let blocks: Vec<&str> = output.split("\ndoomtop ").collect();
    for (kill, eve) in eves(&demo_recording::samples()).into_iter().enumerate() {
        let who = killed(kill, eve);
        for at in samples_before(eve, LEADS[kill]) {
            let found = blocks[at].lines().find(|it| it.starts_with(&format!("NEXT {who} ")));
            assert!(found.is_some_and(|it| it.contains(" in ~") || it.contains(" now: ")), "{at}");
        }
    }
}

#[test]
fn json_has_the_deaths() {
    let output = Command::new(env!("CARGO_BIN_EXE_doomtop")).args(["--demo", "--json"]).output();
    let output = String::from_utf8(output.expect("doomtop runs").stdout).expect("UTF-8");
    let frames: Vec<Value> =
        output.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert!(frames[0]["next_death"].is_null());
    assert_eq!(frames[0]["deaths"], serde_json::json!([]), "one sample has no trend");
    for (kill, eve) in eves(&demo_recording::samples()).into_iter().enumerate() {
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
        let list = frames[eve]["deaths"].as_array().expect("an array");
        assert!(list.contains(next), "the headline is one of the deaths");
        assert!(list.len() <= 8);
    }
}

#[test]
fn the_headline_of_a_sample_is_the_same_after_a_step_back() {
    let mut app = app_before(1, 1);
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
    assert_eq!(headline(&mut app_before(1, 7)), Some(earlier), "as it was when it was played");
    press(&mut app, ')');
    assert_eq!(headline(&mut app), Some(before));
}

#[test]
fn demo_80x24() {
    for (nth, name) in ["container", "machine"].into_iter().enumerate() {
        let (buffer, _) = paint(&mut app_before(nth, 3), PLAIN, 80, 24);
        assert_snapshot!(format!("next_death_{name}_80x24"), text(&buffer));
    }
}

#[test]
fn a_small_terminal_keeps_its_one_line() {
    let (buffer, _) = paint(&mut app_before(0, 1), PLAIN, 80, 15);
    assert!(!text(&buffer).contains("!! NEXT"));
}

#[test]
fn nothing_is_near_on_a_calm_machine() {
    let mut calm = app("db-03.jsonl");
    assert!(calm.deaths.next.is_none());
    assert_eq!(headline(&mut calm), None);
}
