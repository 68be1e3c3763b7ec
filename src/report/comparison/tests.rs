//! Comparisons of recordings that are made up.

use std::sync::Arc;

use super::*;
use crate::model::{Process, Reading, Scope, Snapshot, Text};
use crate::units::Pages;

const MIB: u64 = 1 << 20;

/// A recording of a machine with 1000 MiB, of which so much is used in each second.
fn run(file: &str, host: &str, used: &[u64], kills: u64) -> ComparedRun {
    let mut summariser = LoadSummariser::new(Scope::Global);
    for (second, mib) in (0..).zip(used) {
        let mut sample = Snapshot::default();
        let machine = Arc::make_mut(&mut sample.machine);
        machine.name = Text::new(host.as_bytes());
        machine.initial_pid_namespace = true;
        sample.clock.monotonic_ms = Millis(5000 + second * 1000);
        sample.clock.uptime_ticks = crate::units::Ticks(1000 + second * 100);
        sample.clock.unix_ms = 1_763_726_400_000 + i64::try_from(second).unwrap() * 1000;
        sample.memory.total_kib = Kib(1000 << 10);
        sample.memory.free_kib = Kib((1000 - mib) << 10);
        sample.memory.available_kib = Reading::Value(Kib((1000 - mib) << 10));
        sample.traffic.oom_kills = Reading::Value(if second > 2 { kills } else { 0 });
        sample.processes =
            vec![Process { rss_stat: Pages(mib * 256), has_mm: true, ..Process::default() }];
        summariser.take(Arc::new(sample));
    }
    ComparedRun::of(file.to_owned(), &summariser).expect("samples")
}

fn row<'a>(comparison: &'a LoadComparison, key: &str) -> &'a ComparedRow {
    comparison.rows.iter().find(|row| row.key == key).expect("a row")
}

#[test]
fn more_is_worse_and_less_is_better() {
    let low = || run("low", "db", &[200, 250, 300, 310], 0);
    let high = || run("high", "db", &[200, 300, 350, 400], 0);
    let up = LoadComparison::new([low(), high()], false);
    let peak = row(&up, "peak_bytes");
    assert_eq!(peak.verdict(), Some(ComparedVerdict::Worse));
    assert_eq!(peak.difference(), Some(90.0 * MIB as f64));
    assert_eq!(peak.change(), "+90M (+29 %)");
    assert!(up.sentence().contains("peaked 90M (+29 %) higher"), "{}", up.sentence());
    let down = LoadComparison::new([high(), low()], false);
    assert_eq!(row(&down, "peak_bytes").verdict(), Some(ComparedVerdict::Better));
    assert!(row(&down, "peak_bytes").change().starts_with("-90M"), "{down:?}");
    assert_eq!(up.notes, ["A and B are of the same machine and the same time"]);
}

#[test]
fn what_differs_by_less_than_it_is_known_to_is_the_same() {
    let one = run("a", "db", &[200, 300, 301, 300], 0);
    let other = run("b", "db", &[200, 301, 303, 302], 0);
    let comparison = LoadComparison::new([one, other], false);
    assert_eq!(row(&comparison, "peak_bytes").verdict(), Some(ComparedVerdict::Same));
    assert_eq!(row(&comparison, "peak_bytes").change(), "same");
    assert_eq!(row(&comparison, "duration_s").verdict(), None, "longer is no worse");
    assert!(comparison.sentence().starts_with("No difference"), "{}", comparison.sentence());
}

#[test]
fn kills_come_first_and_what_a_recording_does_not_tell_is_no_zero() {
    let calm = run("a", "db", &[200, 300, 400, 500], 0);
    let killed = run("b", "db", &[200, 300, 400, 100], 2);
    let comparison = LoadComparison::new([calm, killed], false);
    assert!(comparison.sentence().starts_with("B had "), "{}", comparison.sentence());
    assert!(comparison.notes.iter().any(|it| it.contains("B may have needed more")));
    let pressure = row(&comparison, "psi_full_s");
    assert_eq!((pressure.values, pressure.verdict()), ([None, None], None));
    assert_eq!((pressure.cell(0).as_str(), pressure.change().as_str()), ("?", ""));
}

#[test]
fn what_is_not_comparable_is_told() {
    let note = |a: ComparedRun, b: ComparedRun, same: bool| LoadComparison::new([a, b], same).notes;
    let short = || run("a", "db", &[200, 210, 220], 0);
    let long = run("b", "web", &[200, 210, 220, 230, 240, 250], 0);
    let notes = note(short(), long, false).join("; ");
    assert!(notes.contains("different machines: db and web"), "{notes}");
    assert!(notes.contains("the durations differ"), "{notes}");
    assert_eq!(note(short(), short(), true), ["A and B are the same file"]);
    assert_eq!(
        note(short(), short(), false),
        ["A and B are of the same machine and the same time"]
    );
    let mut other = short();
    (other.machine.2, other.summary.unix_ms) = (Kib(4000 << 10), (0, 2000));
    assert_eq!(note(short(), other, false), ["the RAM differs: 1000M and 3.91G"]);
}

#[test]
fn text_and_json_hold_every_row() {
    let comparison = LoadComparison::new(
        [run("a.rec", "db", &[200, 300, 310], 0), run("b.rec", "db", &[200, 300, 410], 1)],
        false,
    );
    let mut text = Vec::new();
    let style = crate::report::line::TextStyle { cut: None, ascii: false };
    write_comparison(&mut text, &comparison, style).unwrap();
    let text = String::from_utf8(text).unwrap();
    let json = comparison.json();
    for (nth, row) in comparison.rows.iter().enumerate() {
        assert!(text.contains(row.label) && text.contains(&row.cell(1)), "{text}");
        assert_eq!(json["differences"][nth]["key"], row.key);
    }
    assert_eq!(
        (&json["runs"][0]["file"], &json["runs"][1]["peak_bytes"]),
        (&json!("a.rec"), &json!(410 * MIB))
    );
    assert_eq!(comparison.runs[1].sizes[0].0, Millis::ZERO, "the curve begins at zero");
}

#[test]
fn totals_of_different_lengths_are_judged_by_their_share() {
    let with_stalls = |seconds: usize, stalled: u64| {
        let mut run = run("a", "db", &vec![200; seconds + 1], 0);
        run.summary.pressure.full = Some(std::time::Duration::from_secs(stalled));
        run
    };
    let compare = |a, b| LoadComparison::new([a, b], false);
    // Twice the time with twice the stalls is no worse.
    let even = compare(with_stalls(100, 10), with_stalls(200, 20));
    let row_of = |it: &LoadComparison| row(it, "psi_full_s").clone();
    assert_eq!(row_of(&even).verdict(), Some(ComparedVerdict::Same), "{even:?}");
    assert_eq!(row_of(&even).change(), "same share");
    // More seconds, but a smaller share of the time: better.
    let less = compare(with_stalls(100, 10), with_stalls(400, 20));
    assert_eq!(row_of(&less).verdict(), Some(ComparedVerdict::Better));
    assert_eq!(row_of(&less).change(), "-5.0 % of time");
    assert!(less.sentence().contains("stalled 5.0 % of its time shorter"), "{}", less.sentence());
    assert_eq!(less.json()["differences"][6]["judged_by"], "share");
    // Of the same length the seconds themselves are judged.
    let same = compare(with_stalls(100, 10), with_stalls(101, 20));
    assert_eq!(row_of(&same).verdict(), Some(ComparedVerdict::Worse));
    assert!(row_of(&same).change().starts_with("+10.0s"), "{}", row_of(&same).change());
}
