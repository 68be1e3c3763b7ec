//! Recordings that were kept: what was seen comes back, cut wherever they may be.

use std::fs;
use std::io::{BufReader, Read};
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::sync::Arc;

use doomtop::model::{Needs, Scene, Snapshot};
use doomtop::policy::LINUX;
use doomtop::rank::Ranking;
use doomtop::source::{Lost, Recording, Source, Tape};
use doomtop::units::{Kib, Millis, Pages};

use crate::stage::{cast, machine};

/// Looks of ten seconds each, at a machine on which somebody grows, somebody goes, and somebody comes
/// with the pid of the one who went.
fn film(count: u64) -> Vec<Snapshot> {
    (0..count)
        .map(|nth| {
            let mut all = cast();
            all[7].rss_stat = Pages(200_000 + nth * 100);
            if nth % 5 == 3 {
                all.remove(8);
            } else if nth % 5 == 4 {
                all[8].id.born.0 += nth;
            }
            let mut look = machine(1_000_000, doomtop::model::ScoreScale::Signed, all);
            look.clock.monotonic_ms = Millis(1000 + nth * 10_000);
            look.memory.free_kib = Kib(1_000_000 - nth);
            look
        })
        .collect()
}

fn tape(looks: &[Snapshot]) -> Vec<u8> {
    let mut tape = Tape::new(Vec::new());
    for look in looks {
        tape.write(look).expect("a vector takes everything");
    }
    tape.finish().expect("a vector takes everything")
}

/// The looks that can be read, and why there are no more.
fn play(bytes: &[u8]) -> (Vec<Arc<Snapshot>>, Lost) {
    let reader = BufReader::new(std::io::Cursor::new(bytes.to_vec()));
    let mut recording = Recording::open(Box::new(reader), "tape");
    let mut looks = Vec::new();
    loop {
        match recording.look(&Needs::default(), None) {
            Ok(look) => looks.push(look),
            Err(lost) => return (looks, lost),
        }
    }
}

fn same(one: &Snapshot, other: &Snapshot) {
    let json = |look: &Snapshot| serde_json::to_value(look).expect("JSON");
    assert_eq!(json(one), json(other));
}

fn victims(looks: impl Iterator<Item = Arc<Snapshot>>) -> Vec<Vec<i32>> {
    looks
        .map(|look| {
            let ranking = Ranking::new(&LINUX, &Scene::new(look, None));
            ranking.rows().iter().map(|row| row.id.pid).collect()
        })
        .collect()
}

#[test]
fn what_was_seen_comes_back() {
    let looks = film(25);
    let bytes = tape(&looks);
    let (found, lost) = play(&bytes);
    assert_eq!((found.len(), lost), (25, Lost::End));
    for (one, other) in found.iter().zip(&looks) {
        same(one, other);
    }
    let all = looks.iter().cloned().map(Arc::new);
    assert_eq!(victims(found.into_iter()), victims(all), "the same ranking on another machine");
}

#[test]
fn what_changed_takes_less_than_a_tenth_of_the_whole() {
    let whole: usize =
        film(60).iter().map(|look| serde_json::to_vec(look).expect("JSON").len()).sum();
    let bytes = tape(&film(60)).len();
    assert!(bytes * 10 < whole, "{bytes} of {whole}");
}

#[test]
fn a_tape_that_is_cut_anywhere_shows_what_was_complete() {
    let looks = film(8);
    let bytes = tape(&looks);
    let mut seen = 0;
    for end in 0..bytes.len() {
        let (found, lost) = play(&bytes[..end]);
        assert!(found.len() >= seen, "{} looks at {end}, {seen} before", found.len());
        seen = found.len();
        for (one, other) in found.iter().zip(&looks) {
            same(one, other);
        }
        match lost {
            Lost::End => {}
            Lost::Cut { .. } => assert!(!found.is_empty()),
            Lost::Bad { what, .. } => {
                assert!(found.is_empty(), "at {end}, after {}: {what}", found.len());
            }
            other => panic!("at {end}: {other}"),
        }
    }
    assert_eq!(seen, 8);
}

#[test]
fn what_is_wrong_with_a_tape_is_told_without_its_escapes() {
    let small = include_str!("../fixtures/small.jsonl");
    let hostile = small.replacen("\"score_scale\":\"", "\"score_scale\":\"\\u001b[2J\\u202e", 1);
    let (_, lost) = play(hostile.as_bytes());
    let Lost::Bad { what, .. } = lost else { panic!("{lost}") };
    assert!(what.contains("\\x1b[2J\\xe2\\x80\\xae"), "{what}");
    assert!(!what.contains('\u{1b}') && !what.contains('\u{202e}'), "{what:?}");
}

#[test]
fn a_tape_that_was_damaged_does_no_harm() {
    let bytes = tape(&film(9));
    for at in (0..bytes.len()).step_by(3) {
        let mut damaged = bytes.clone();
        damaged[at] ^= 0x55;
        let _ = play(&damaged);
    }
}

#[test]
fn unpacked_it_is_lines_of_json_that_can_be_read_too() {
    let looks = film(8);
    let packed = tape(&looks);
    let mut text = Vec::new();
    flate2::read::MultiGzDecoder::new(&packed[..]).read_to_end(&mut text).expect("gzip");
    assert_eq!(text.iter().filter(|&&byte| byte == b'\n').count(), 8);
    let (found, lost) = play(&text);
    assert_eq!((found.len(), lost), (8, Lost::End));
    same(&found[7], &looks[7]);

    // What changed since something that is not there is said, not guessed.
    let second = text.iter().position(|&byte| byte == b'\n').expect("a line") + 1;
    let (found, lost) = play(&text[second..]);
    let Lost::Bad { what, line: 1, .. } = lost else { panic!("{lost}") };
    assert!(found.is_empty() && what.contains("since a line that is not here"), "{what}");
}

fn doomtop(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_doomtop"));
    command.args(arguments).stdin(Stdio::null()).output().expect("doomtop runs")
}

#[test]
fn the_command_records_this_machine_and_shows_it_again() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("look.tape");
    let name = file.to_str().expect("a path");
    let output = doomtop(&["record", "-n", "3", "-d", "0.1", name]);
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success() && told.contains("3 looks"), "{told}");

    let shown = doomtop(&["--from", name, "--json"]);
    assert!(shown.status.success(), "{}", String::from_utf8_lossy(&shown.stderr));
    let own = format!("\"pid\":{},", std::process::id());
    let text = String::from_utf8(shown.stdout).expect("JSON");
    assert_eq!(text.lines().filter(|line| line.contains(&own)).count(), 3, "this test is in it");

    let again = doomtop(&["record", "-n", "1", name]);
    assert_eq!(again.status.code(), Some(1), "never over a file that is there");
    let copy = folder.path().join("copy.tape");
    let copied = doomtop(&["--from", name, "record", copy.to_str().expect("a path")]);
    assert!(copied.status.success(), "{}", String::from_utf8_lossy(&copied.stderr));
    let (mine, theirs) = (fs::read(&file).expect("a file"), fs::read(&copy).expect("a file"));
    assert_eq!(play(&mine).0.len(), play(&theirs).0.len());
}

#[test]
fn a_full_disk_leaves_what_was_before_it() {
    if !Path::new("/dev/full").exists() {
        eprintln!("skipped: there is no /dev/full here");
        return;
    }
    let full = fs::File::options().write(true).open("/dev/full").expect("/dev/full");
    let mut tape = Tape::new(full);
    let error = tape.write(&film(1)[0]).expect_err("it is full");
    assert_eq!(error.kind(), std::io::ErrorKind::StorageFull);
}
