//! `doomtop search-limit` with a load of a known size.

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::{Value, json};

use crate::bed::{Bed, hog, texts, until};

fn search(bed: &Bed, flags: &[&str], command: &[&str]) -> (Option<i32>, String, String) {
    let mut arguments = vec!["search-limit"];
    arguments.extend(flags);
    arguments.push("--");
    arguments.extend(command);
    let output = bed.doomtop(&arguments).output().expect("doomtop");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code(), text(&output.stdout), text(&output.stderr))
}

pub fn smallest(bed: &Bed) {
    let load = hog("30 0.05");
    let flags = ["--yes", "--json", "--min", "8M", "--repeat", "1", "--slowdown", "1000%"];
    let (status, out, err) = search(bed, &flags, &texts(&load));
    assert_eq!(status, Some(0), "{err}");
    let found: Value = serde_json::from_str(&out).expect("JSON");
    let smallest = found["smallest_bytes"].as_f64().expect("a limit") / 1_048_576.0;
    assert!((30.0..45.0).contains(&smallest), "{found:#}");
    assert_eq!(found["smallest_bytes"], found["unslowed_bytes"], "{found:#}");
    assert!(found["runs"].as_array().expect("runs").iter().any(|it| it["succeeded"] == false));
    // It succeeds there, and fails a quarter below.
    let limit = |share: f64| format!("{}", (smallest * share * 1_048_576.0) as u64);
    bed.run(&["--swap", "0", "--limit", &limit(1.02)], &texts(&load)).expect_status(0);
    bed.run(&["--swap", "0", "--limit", &limit(0.75)], &texts(&load)).expect_status(137);
    assert!(Bed::cgroups_left().is_empty());
}

pub fn always_fails(bed: &Bed) {
    let (status, _, err) = search(bed, &["--yes", "--repeat", "1"], &["false"]);
    assert_eq!(status, Some(6), "{err}");
    assert!(err.contains("even succeed without a limit"), "{err}");
    let flags = ["--yes", "--json", "--repeat", "1", "--min", "8M", "--max", "16M"];
    let (status, out, err) = search(bed, &flags, &texts(&hog("30 0.05")));
    assert_eq!(status, Some(6), "{err}");
    let found: Value = serde_json::from_str(&out).expect("JSON");
    assert_eq!(found["smallest_bytes"], json!(null));
    // Without a terminal nobody can be asked.
    let (status, _, err) = search(bed, &[], &["true"]);
    assert_eq!(status, Some(125), "{err}");
    assert!(err.contains("--yes"), "{err}");
    let (status, out, _) = search(bed, &["--dry-run"], &["true"]);
    assert!(status == Some(0) && out.contains("at most"), "{out}");
}

pub fn ended_by_a_signal(bed: &Bed) {
    let note = bed.path("searching");
    let script = format!("sleep 300 & : >{}; wait", note.display());
    let arguments = ["search-limit", "--yes", "--repeat", "1", "--", "sh", "-c", &script];
    let child = bed.doomtop(&arguments).spawn().expect("doomtop");
    until("the first run has begun", || note.exists());
    let pid = i32::try_from(child.id()).expect("a pid");
    kill(Pid::from_raw(pid), Signal::SIGTERM).expect("our own process");
    let output = child.wait_with_output().expect("an output");
    let err = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(143), "{err}");
    assert!(err.contains("ended by a signal"), "{err}");
    assert!(Bed::cgroups_left().is_empty(), "and what the run left running was ended");
    let (status, _, err) = search(bed, &["--yes", "--min", "9M", "--max", "8M"], &["true"]);
    assert_eq!(status, Some(2), "{err}");
}
