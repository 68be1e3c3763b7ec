//! `--self-check`: what it prints, and that it fails when a score is not the kernel's.

use std::fs;
use std::process::{Command, Output, Stdio};
use std::sync::Arc;

use doomtop::model::{Process, Reading, Scene, ScoreScale};
use doomtop::policy::{compare, comparisons};
use doomtop::units::Pages;
use proptest::prelude::*;
use serde_json::Value;

use crate::stage::{machine, process, usual, with_scores};
use crate::wait::until;

fn run(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_doomtop"));
    command.args(arguments).stdin(Stdio::null()).output().expect("doomtop runs")
}

fn text(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).expect("text")
}

#[test]
fn this_machine_agrees() {
    // On a busy machine somebody may grow each time that it is read again; a wrong rule differs always.
    let disagrees = |output: &Output| output.status.code() == Some(3);
    let output = (0..20).map(|_| run(&["--self-check"])).find(|output| !disagrees(output));
    let output = output.unwrap_or_else(|| run(&["--self-check"]));
    let said = text(&output);
    assert_eq!(output.status.code(), Some(0), "{said}");
    for label in ["machine", "rule", "rss", "swap", "ties", "total", "domain", "margin", "next"] {
        assert!(said.lines().any(|line| line.starts_with(label)), "{label} in {said}");
    }
    let own = format!("{:>7} ", std::process::id());
    assert!(said.lines().any(|line| line.starts_with(&own)), "this very process is compared");
    assert!(said.lines().last().is_some_and(|line| line.starts_with("result    agrees")), "{said}");
}

/// A look at this machine.
fn recorded() -> Value {
    serde_json::from_slice(&run(&["--json", "-n", "1"]).stdout).expect("a frame")
}

/// The check of a recording.
fn check(frame: &Value) -> Output {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("look.jsonl");
    fs::write(&file, format!("{frame}\n")).expect("a recording");
    run(&["--self-check", "--from", file.to_str().expect("a path")])
}

#[test]
fn a_wrong_score_fails_it() {
    // Who grew between two files differs in a recording for good: then it takes another look.
    let agrees = |frame: &Value| check(frame).status.code() == Some(0);
    let mut frame =
        until("a look in which all agree", || Some(recorded()).filter(|frame| agrees(frame)));
    let rows = frame["processes"].as_array_mut().expect("rows");
    let own = rows.iter_mut().find(|row| row["pid"] == std::process::id()).expect("this process");
    own["oom_score"] = (own["oom_score"].as_u64().expect("a score") + 100).into();
    let wrong = check(&frame);
    let said = text(&wrong);
    assert_eq!(wrong.status.code(), Some(3), "{said}");
    let own = format!("{:>7} ", std::process::id());
    let row = said.lines().find(|line| line.starts_with(&own)).expect("its row");
    assert!(row.contains("DIFFERS by"), "{row}");
    assert!(said.contains("DISAGREES: 1 of"), "{said}");
}

#[test]
fn one_that_only_we_spare_differs_by_no_number_of_pages() {
    let mut snapshot = with_scores(usual());
    let never = snapshot.position(50).unwrap();
    snapshot.processes[never].score = Reading::Value(700);
    let scene = Scene::new(Arc::new(snapshot), None);
    let row = comparisons(&scene).find(|row| row.id.pid == 50).unwrap();
    assert_eq!((row.off_by, row.agrees()), (None, false));
    assert!(comparisons(&scene).filter(|row| row.id.pid != 50).all(|row| row.agrees()));
}

#[test]
fn what_it_grew_meanwhile_excuses_it() {
    let sample = |rss| {
        let mut snapshot = machine(1_000_000, ScoreScale::Signed, vec![process(10, "x", rss)]);
        // 5000 pages more than it showed: three steps of 1500.
        snapshot.processes[0].score = Reading::Value(676);
        snapshot.processes[0].score_fresh = true;
        Arc::new(snapshot)
    };
    let still = Scene::new(sample(10_000), Some(sample(10_000)));
    let row = comparisons(&still).next().unwrap();
    assert!(!row.agrees(), "{row:?}");
    let growing = Scene::new(sample(10_000), Some(sample(4000)));
    let row = comparisons(&growing).next().unwrap();
    assert!(row.agrees() && row.computed != row.kernel, "{row:?}");
}

proptest! {
    /// The distance is the smallest number of pages that makes the two equal.
    #[test]
    fn the_distance_is_the_smallest(rss in 0_u64..40_000, score in 660_u32..700, total in 20_000_u64..200_000) {
        let with = |rss: u64| {
            let mut subject: Process = process(10, "x", rss);
            subject.rss_stat = Pages(rss);
            subject.score = Reading::Value(score);
            subject.score_fresh = true;
            Scene::new(Arc::new(machine(total, ScoreScale::Signed, vec![subject])), None)
        };
        let equal = |rss: u64| {
            let scene = with(rss);
            compare(&scene.now().processes[0], &scene).is_some_and(|(ours, theirs)| ours == theirs)
        };
        let Some(Pages(off)) = comparisons(&with(rss)).next().unwrap().off_by else { return Ok(()) };
        prop_assume!(off <= rss || equal(rss + off)); // no resident size is below zero
        prop_assert!(equal(rss + off) || (off <= rss && equal(rss - off)));
        if off > 0 {
            prop_assert!(!equal(rss + off - 1));
            prop_assert!(off > rss || !equal(rss - (off - 1)));
        }
    }
}
