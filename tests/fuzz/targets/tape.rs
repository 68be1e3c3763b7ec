//! Any bytes as a recording, compressed or not, and real recordings with exchanged values: each sample that
//! is read is ranked by every policy, written by every report, and painted.

#![no_main]

use std::io::{BufReader, Cursor, Write};

use doomtop::app::keymap::bindings::{Key, KeyCode};
use doomtop::app::setup::ThemeName;
use doomtop::app::{ActingMode, App, Msg};
use doomtop::model::{Needs, ProcId, Scene};
use doomtop::source::{Recording, Source};
use doomtop::ui::{ColourDepth, Theme};
use doomtop::units::Millis;
use doomtop_fuzz::{SIZES, bounded, harmless, judge, paint, setup};
use flate2::Compression;
use flate2::write::GzEncoder;
use libfuzzer_sys::fuzz_target;
use serde_json::{Value, json};

/// A machine with few processes, and one with cgroups and killers.
const REAL: [&str; 2] =
    [include_str!("../../fixtures/small.jsonl"), include_str!("../../fixtures/strict.jsonl")];

fuzz_target!(|data: &[u8]| {
    let Some((&first, rest)) = data.split_first() else { return };
    let bytes = match first % 4 {
        0 => rest.to_vec(),
        1 => compressed(rest),
        // Arbitrary gzip is not tried: a few bytes may decompress to far too many.
        _ => exchanged(REAL[usize::from(first % 4 - 2)], rest),
    };
    bounded(|| play(bytes, first));
});

/// Compresses the bytes and flips one bit, at the position that the first two bytes give.
fn compressed(rest: &[u8]) -> Vec<u8> {
    let Some((&[high, low], text)) = rest.split_first_chunk() else { return Vec::new() };
    let mut out = GzEncoder::new(Vec::new(), Compression::fast());
    let _ = out.write_all(text);
    let mut bytes = out.finish().unwrap_or_default();
    let at = usize::from(u16::from_be_bytes([high, low]));
    if let Some(byte) = bytes.get_mut(at) {
        *byte ^= 1 << (low % 8);
    }
    bytes
}

/// The value that replaces another one.
fn replacement(kind: u8, was: &Value) -> Value {
    let words = ["Denied", "Missing", "NotAsked", "max", "", "/", "/a/../b", "\u{1b}[2J\u{202e}x"];
    match kind {
        0 => Value::Null,
        1 => json!(0),
        2 => json!(1),
        3 => json!(-1),
        4 => json!(u64::MAX),
        5 => json!(i64::MAX),
        6 => json!(i64::MIN),
        7 => json!(u32::MAX),
        8 => json!(i32::MIN),
        9 => json!(1e308),
        10 => json!([]),
        11 => json!({}),
        12 => json!(was.as_bool() != Some(true)),
        13 => json!([was, was]),
        14 => json!({ "Value": was }),
        15..=22 => json!(words[usize::from(kind - 15)]),
        23..=86 => json!(1_u64 << (kind - 23)),
        87..=150 => json!((1_u64 << (kind - 87)) - 1),
        151..=180 => json!(-(1_i64 << (kind - 151))),
        _ => json!(i64::from(kind) - 215),
    }
}

/// Lines of logs, as a recording carries them.
fn log() -> Value {
    let line = |by: &str, text: &str| json!({ "unix_ms": 1, "by": by, "uptime_us": 5, "text": text });
    json!([
        line("kernel", "a invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=0, oom_score_adj=0"),
        line("kernel", "[ pid ] uid tgid total_vm rss pgtables_bytes swapents oom_score_adj name"),
        line("kernel", "[  1]  0  1  9  9  4096  0  0 a"),
        line("kernel", "Out of memory: Killed process 1 (a)"),
        line("earlyoom", "Killing process 1 a"),
        line("note", "a note"),
    ])
}

/// The text of a real recording; every three bytes replace one value.
fn exchanged(text: &str, edits: &[u8]) -> Vec<u8> {
    let mut lines: Vec<Value> =
        text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    for line in &mut lines {
        line["log"] = log();
    }
    for edit in edits.chunks_exact(3).take(64) {
        let mut nth = usize::from(u16::from_be_bytes([edit[0], edit[1]]));
        let total: usize = lines.iter().map(leaves).sum();
        nth %= total.max(1);
        let mut replace = |fact: &mut Value| *fact = replacement(edit[2], fact);
        for line in &mut lines {
            let Some(left) = with_leaf(line, nth, &mut replace) else { break };
            nth = left;
        }
    }
    let mut out = Vec::new();
    for line in &lines {
        out.extend(line.to_string().into_bytes());
        out.push(b'\n');
    }
    out
}

fn leaves(value: &Value) -> usize {
    match value {
        Value::Array(items) if !items.is_empty() => items.iter().map(leaves).sum(),
        Value::Object(members) if !members.is_empty() => members.values().map(leaves).sum(),
        _ => 1,
    }
}

/// Calls `work` with the nth leaf. If there are fewer leaves, returns how many are left to skip.
fn with_leaf(value: &mut Value, nth: usize, work: &mut dyn FnMut(&mut Value)) -> Option<usize> {
    let mut left = nth;
    let mut members: Box<dyn Iterator<Item = &mut Value>> = match value {
        Value::Array(items) if !items.is_empty() => Box::new(items.iter_mut()),
        Value::Object(members) if !members.is_empty() => Box::new(members.values_mut()),
        fact if nth == 0 => {
            work(fact);
            return None;
        }
        _ => return Some(nth - 1),
    };
    members
        .try_for_each(|member| {
            left = with_leaf(member, left, work).ok_or(())?;
            Ok::<(), ()>(())
        })
        .ok()?;
    Some(left)
}

fn play(bytes: Vec<u8>, first: u8) {
    let reader = BufReader::new(Cursor::new(bytes));
    let mut recording = Recording::open(Box::new(reader), "tape");
    let mut app = App::new(setup(ActingMode::NotReal, ProcId::default()));
    let mut scene: Option<Scene> = None;
    let name = if first & 4 == 0 { ThemeName::Default } else { ThemeName::Mono };
    let theme = Theme::new(name, ColourDepth::Ansi, first & 8 == 0);
    let sizes = SIZES.iter().cycle().skip(usize::from(first >> 4));
    for (nth, &size) in (0..4).zip(sizes) {
        let snapshot = match recording.sample(&Needs::default(), None) {
            Ok(snapshot) => snapshot,
            Err(lost) => {
                harmless(&lost.to_string());
                return;
            }
        };
        match &mut scene {
            Some(scene) => drop(scene.advance(snapshot.clone())),
            None => scene = Some(Scene::new(snapshot.clone(), None)),
        }
        if let Some(scene) = &scene
            && nth < 2
        {
            judge(scene);
        }
        // As a replay, or as the samples of a machine.
        app.update(if first & 16 == 0 { Msg::Sampled(snapshot) } else { Msg::Played(snapshot) });
        let pages =
            [Key::plain(KeyCode::Tab), Key::plain(KeyCode::Enter), Key::plain(KeyCode::Esc)];
        for (step, key) in (0..).zip(pages) {
            let at = Millis(10_000 + nth * 5000 + step * 1000);
            paint(&mut app, size, theme, at);
            app.update(Msg::Key(key, at));
        }
    }
}
