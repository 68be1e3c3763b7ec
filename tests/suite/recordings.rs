//! Recordings that were kept: what was seen comes back, cut wherever they may be.

use std::fs;
use std::io::{BufReader, Read};
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::sync::Arc;

use doomtop::model::{LogLine, LogWriter, Needs, Scene, Snapshot, Text};
use doomtop::policy::LINUX;
use doomtop::rank::Ranking;
use doomtop::source::{Recorder, Recording, Source, SourceError};
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
            let mut sample = machine(1_000_000, doomtop::model::ScoreScale::Signed, all);
            sample.clock.monotonic_ms = Millis(1000 + nth * 10_000);
            sample.clock.unix_ms += i64::try_from(nth).expect("few") * 10_000;
            sample.memory.free_kib = Kib(1_000_000 - nth);
            // Some samples have lines of logs, and the next one has others or none.
            let lines = (0..nth % 3).map(|line| LogLine {
                unix_ms: sample.clock.unix_ms - 5,
                by: LogWriter::Kernel,
                uptime_us: Some(nth * 1_000_000 + line),
                unproven: false,
                text: Text::new(format!("Killed process {nth} (a\\b)").as_bytes()),
            });
            sample.log = Arc::new(lines.collect());
            sample
        })
        .collect()
}

fn tape(samples: &[Snapshot]) -> Vec<u8> {
    let mut tape = Recorder::new(Vec::new());
    for sample in samples {
        tape.write(sample).expect("a vector takes everything");
    }
    tape.finish().expect("a vector takes everything")
}

/// The looks that can be read, and why there are no more; what was damaged between comes third.
fn play_on(bytes: &[u8]) -> (Vec<Arc<Snapshot>>, SourceError, Vec<SourceError>) {
    let reader = BufReader::new(std::io::Cursor::new(bytes.to_vec()));
    let mut recording = Recording::open(Box::new(reader), "tape");
    let (mut samples, mut damage) = (Vec::new(), Vec::new());
    loop {
        match recording.sample(&Needs::default(), None) {
            Ok(sample) => samples.push(sample),
            Err(lost @ SourceError::Damaged { .. }) => damage.push(lost),
            Err(lost) => return (samples, lost, damage),
        }
    }
}

fn play(bytes: &[u8]) -> (Vec<Arc<Snapshot>>, SourceError) {
    let (samples, lost, damage) = play_on(bytes);
    assert!(damage.is_empty(), "{damage:?}");
    (samples, lost)
}

/// Where the members of a tape begin.
fn members(bytes: &[u8]) -> Vec<usize> {
    let begins = |&at: &usize| {
        bytes[at..].starts_with(&[0x1f, 0x8b, 0x08]) && !play_on(&bytes[at..]).0.is_empty()
    };
    (0..bytes.len()).filter(begins).collect()
}

/// All that a look says.
fn json(sample: &Snapshot) -> String {
    serde_json::to_string(sample).expect("JSON")
}

fn victims(samples: impl Iterator<Item = Arc<Snapshot>>) -> Vec<Vec<i32>> {
    samples
        .map(|sample| {
            let ranking = Ranking::new(&LINUX, &Scene::new(sample, None));
            ranking.rows().iter().map(|row| row.id.pid).collect()
        })
        .collect()
}

#[test]
fn what_was_seen_comes_back() {
    let samples = film(25);
    let bytes = tape(&samples);
    let (found, lost) = play(&bytes);
    assert_eq!((found.len(), lost), (25, SourceError::End));
    for (one, other) in found.iter().zip(&samples) {
        assert_eq!(json(one), json(other));
    }
    let all = samples.iter().cloned().map(Arc::new);
    assert_eq!(victims(found.into_iter()), victims(all), "the same ranking on another machine");
}

#[test]
fn what_changed_takes_less_than_a_tenth_of_the_whole() {
    let whole: usize =
        film(60).iter().map(|sample| serde_json::to_vec(sample).expect("JSON").len()).sum();
    let bytes = tape(&film(60)).len();
    assert!(bytes * 10 < whole, "{bytes} of {whole}");
}

#[test]
fn a_tape_that_is_cut_anywhere_shows_what_was_complete() {
    let samples = film(8);
    let bytes = tape(&samples);
    let written: Vec<String> = samples.iter().map(json).collect();
    let mut seen = 0;
    for end in 0..bytes.len() {
        let (found, lost) = play(&bytes[..end]);
        assert!(found.len() >= seen, "{} looks at {end}, {seen} before", found.len());
        seen = found.len();
        for (one, written) in found.iter().zip(&written) {
            assert_eq!(json(one), *written);
        }
        match lost {
            SourceError::End => {}
            SourceError::Cut { .. } => assert!(!found.is_empty()),
            SourceError::Bad { what, .. } => {
                assert!(found.is_empty(), "at {end}, after {}: {what}", found.len());
            }
            other => panic!("at {end}: {other}"),
        }
    }
    assert_eq!(seen, 8);
}

/// Which looks of the film came back, by their clock; each must be one of it.
fn numbers(found: &[Arc<Snapshot>]) -> Vec<u64> {
    found.iter().map(|sample| (sample.clock.monotonic_ms.0 - 1000) / 10_000).collect()
}

#[test]
fn what_is_wrong_with_a_tape_is_told_without_its_escapes() {
    let small = include_str!("../fixtures/small.jsonl");
    let hostile = small.replacen("\"score_scale\":\"", "\"score_scale\":\"\\u001b[2J\\u202e", 1);
    let (_, lost) = play(hostile.as_bytes());
    let SourceError::Bad { what, .. } = lost else { panic!("{lost}") };
    assert!(what.contains("\\x1b[2J\\xe2\\x80\\xae"), "{what}");
    assert!(!what.contains('\u{1b}') && !what.contains('\u{202e}'), "{what:?}");
}

#[test]
fn damage_anywhere_costs_its_own_member_and_is_said() {
    let samples = film(20);
    let bytes = tape(&samples);
    let begins = members(&bytes);
    assert_eq!(begins.len(), 4, "a whole look each minute");
    let written: Vec<String> = samples.iter().map(json).collect();
    // The first two bytes say that it is compressed at all: one of them may be wrong.
    for at in (0..bytes.len()).step_by(151).chain(0..11) {
        for flip in [0x55, 0x01] {
            let mut damaged = bytes.clone();
            damaged[at] ^= flip;
            let (found, lost, damage) = play_on(&damaged);
            let hit = begins.iter().rposition(|&begin| begin <= at).expect("a member") as u64;
            let whole = (0..20).filter(|nth| nth / 6 != hit);
            let came = numbers(&found);
            assert!(whole.clone().all(|nth| came.contains(&nth)), "at {at}: {came:?}");
            // Of its own member, what unpacks before the checksum tells may be wrong; the others are as
            // they were.
            let others = found.iter().filter(|sample| {
                whole.clone().any(|nth| samples[nth as usize].clock == sample.clock)
            });
            assert!(others.clone().is_sorted_by_key(|sample| sample.clock.monotonic_ms), "at {at}");
            for sample in others {
                let nth = (sample.clock.monotonic_ms.0 - 1000) / 10_000;
                assert_eq!(json(sample), written[nth as usize]);
            }
            // A flag or a time in a header means nothing to us, and the last member has none behind it.
            let told = damage.len() + usize::from(lost != SourceError::End);
            let header = begins.iter().any(|&begin| (3..10).contains(&at.wrapping_sub(begin)));
            assert!(told == 1 || header, "at {at}: {damage:?}, {lost}");
        }
    }
}

#[test]
fn a_hole_a_cut_member_and_garbage_between_two_recordings_are_passed_over() {
    let samples = film(20);
    let bytes = tape(&samples);
    let begins = members(&bytes);
    let garbage: Vec<u8> = (0_u32..5000).map(|nth| (nth * nth % 251) as u8).collect();
    let zeros = vec![0; 4096];
    let hole = |with: &[u8]| [&bytes[..begins[1] + 40], with, &bytes[begins[2] + 30..]].concat();
    for (bytes, lost, after, until) in [
        // A member and a half are gone; of the first one what could be read was shown.
        (hole(&[]), 6..18, 5, 18),
        (hole(&garbage), 6..18, 5, 18),
        (hole(&zeros), 6..18, 5, 18),
        ([&bytes[..begins[3] - 1], &bytes[begins[3]..]].concat(), 18..18, 17, 18),
    ] {
        let (found, end, damage) = play_on(&bytes);
        assert_eq!(end, SourceError::End);
        let expected: Vec<u64> = (0..20).filter(|nth| !lost.contains(nth)).collect();
        assert_eq!(numbers(&found), expected);
        let [SourceError::Damaged { after: last, until: next, .. }] = damage.as_slice() else {
            panic!("{damage:?}")
        };
        let clock = |nth: usize| samples[nth].clock.unix_ms;
        assert_eq!((*last, *next), (Some(clock(after)), clock(until)));
    }
    let two = [&bytes[..bytes.len() - 3], &garbage[..], &bytes[..]].concat();
    let (found, end, damage) = play_on(&two);
    assert_eq!((found.len(), end, damage.len()), (40, SourceError::End, 1), "{damage:?}");
    // At the end there is nothing to go on with.
    let (found, end, damage) = play_on(&[&bytes[..], &garbage[..]].concat());
    assert_eq!((found.len(), damage.len()), (20, 0));
    assert!(matches!(end, SourceError::Bad { .. }), "{end}");
}

#[test]
fn damage_says_from_when_to_when() {
    let damaged = |what: &str, after| SourceError::Damaged {
        name: "tape".to_owned(),
        line: 31,
        what: what.to_owned(),
        after,
        until: 1_763_733_802_000,
    };
    assert_eq!(
        damaged("the line ends", Some(1_763_733_790_123)).to_string(),
        "tape:31: damaged (the line ends); the samples from 14:03:10 to 14:03:22 UTC are lost"
    );
    assert_eq!(
        damaged("x", None).to_string(),
        "tape:31: damaged (x); the samples to 14:03:22 UTC are lost"
    );
    assert_eq!(
        damaged("wrong checksum", Some(0)).to_string(),
        "tape:31: damaged (wrong checksum); what was shown up to 14:03:22 UTC may be wrong"
    );
}

#[test]
fn a_bad_line_of_plain_json_costs_what_hangs_on_it() {
    let samples = film(14);
    let packed = tape(&samples);
    let mut text = String::new();
    flate2::read::MultiGzDecoder::new(&packed[..]).read_to_string(&mut text).expect("gzip");
    let lines: Vec<&str> = text.lines().collect();
    for bad in ["nonsense", "{}", "{\"schema\":\"doomtop/9\"}", "{\"schema\":\"doomtop-delta/1\"}"]
    {
        let mut with = lines.clone();
        with[3] = bad;
        let (found, end, damage) = play_on(with.join("\n").as_bytes());
        assert_eq!(numbers(&found), [0, 1, 2, 6, 7, 8, 9, 10, 11, 12, 13], "{bad}");
        assert_eq!((end, damage.len()), (SourceError::End, 1), "{bad}: {damage:?}");
        assert!(damage[0].to_string().starts_with("tape:4: damaged ("), "{}", damage[0]);
        // Where nothing comes behind it, the error itself is the end.
        let (found, end, damage) = play_on((with[..5].join("\n") + "\n").as_bytes());
        assert_eq!((found.len(), damage.len()), (3, 0));
        assert!(end.to_string().starts_with("tape:4:"), "{bad}: {end}");
    }
    // What does not begin as a recording is none, however it goes on.
    let (found, end, _) = play_on(format!("hello\n{text}").as_bytes());
    assert!(found.is_empty() && matches!(end, SourceError::Bad { line: 1, .. }), "{end}");
}

#[test]
fn what_unpacks_without_end_takes_no_memory() {
    let mut bomb = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    for _ in 0..(65 << 4) {
        std::io::Write::write_all(&mut bomb, &[b' '; 1 << 16]).expect("a vector");
    }
    let bomb = bomb.finish().expect("a vector");
    let bytes = tape(&film(2));
    let (found, end, damage) = play_on(&[&bytes[..], &bomb, &bytes].concat());
    assert_eq!((found.len(), end, damage.len()), (4, SourceError::End, 1), "{damage:?}");
}

#[test]
fn unpacked_it_is_lines_of_json_that_can_be_read_too() {
    let samples = film(8);
    let packed = tape(&samples);
    let mut text = Vec::new();
    flate2::read::MultiGzDecoder::new(&packed[..]).read_to_end(&mut text).expect("gzip");
    assert_eq!(text.iter().filter(|&&byte| byte == b'\n').count(), 8);
    let (found, lost) = play(&text);
    assert_eq!((found.len(), lost), (8, SourceError::End));
    assert_eq!(json(&found[7]), json(&samples[7]));

    // What changed since something that is not there is said, not guessed.
    let second = text.iter().position(|&byte| byte == b'\n').expect("a line") + 1;
    let (found, lost) = play(&text[second..]);
    let SourceError::Bad { what, line: 1, .. } = lost else { panic!("{lost}") };
    assert!(found.is_empty() && what.contains("since a line that is missing"), "{what}");
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
    assert!(output.status.success() && told.contains("3 samples"), "{told}");

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
    let mut tape = Recorder::new(full);
    let error = tape.write(&film(1)[0]).expect_err("it is full");
    assert_eq!(error.kind(), std::io::ErrorKind::StorageFull);
}

#[test]
fn this_machine_ranks_the_same_from_a_tape_by_every_policy() {
    use doomtop::sample::proc_root::ProcRoot;
    use doomtop::source::{LiveSource, ScanPatience};
    let root = ProcRoot::open("/proc").expect("procfs");
    let mut live = LiveSource::start(root, ScanPatience::Forever).expect("a walker");
    let needs = Needs { cmdline: false, ..Needs::everything() };
    let samples: Vec<Snapshot> =
        (0..2).map(|_| Snapshot::clone(&live.sample(&needs, None).expect("a look"))).collect();
    let (found, lost) = play(&tape(&samples));
    assert_eq!(lost, SourceError::End);
    let scene = |samples: Vec<Arc<Snapshot>>| {
        Scene::new(Arc::clone(&samples[1]), Some(Arc::clone(&samples[0])))
    };
    let here = scene(samples.into_iter().map(Arc::new).collect());
    let there = scene(found);
    for policy in doomtop::policy::POLICIES {
        let rows = |scene: &Scene| -> Vec<_> {
            let ranking = Ranking::new(*policy, scene);
            ranking.rows().iter().map(|row| (row.id, row.placement.points())).collect()
        };
        assert_eq!(rows(&here), rows(&there), "{}", policy.id());
    }
}

#[test]
fn a_ring_without_a_kill_writes_nothing_and_needs_a_folder() {
    let folder = tempfile::tempdir().expect("a folder");
    let name = folder.path().to_str().expect("a path");
    let output = doomtop(&["record", "--ring", "10s", "-n", "2", "-d", "0.1", name]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(fs::read_dir(name).expect("a folder").count(), 0);
    let output = doomtop(&["record", "--ring", "10s", "/dev/null"]);
    assert_eq!(output.status.code(), Some(1));
}

#[test]
fn a_ring_writes_what_was_before_a_kill_and_behind_it_once_a_burst() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut samples = film(30);
    for (nth, sample) in samples.iter_mut().enumerate() {
        let kills = [(8, 3), (9, 1), (22, 1)].iter().filter(|(at, _)| nth >= *at).map(|it| it.1);
        sample.traffic.oom_kills = doomtop::model::Reading::Value(kills.sum());
    }
    let file = folder.path().join("night.tape");
    fs::write(&file, tape(&samples)).expect("written");
    let (from, kept) = (file.to_str().expect("a path"), folder.path().join("kept"));
    fs::create_dir(&kept).expect("a folder");
    let output =
        doomtop(&["--from", from, "record", "--ring", "2m", kept.to_str().expect("a path")]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let mut files: Vec<_> =
        fs::read_dir(&kept).expect("a folder").map(|entry| entry.expect("one").path()).collect();
    files.sort();
    let found: Vec<Vec<u64>> =
        files.iter().map(|file| numbers(&play(&fs::read(file).expect("a tape")).0)).collect();
    // Two minutes of looks at ten seconds, the last of them five behind the last kill of the burst.
    assert_eq!(found, [(2..=14).collect::<Vec<u64>>(), (15..=27).collect()]);
}
