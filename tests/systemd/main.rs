//! What doomtop said before real userspace killers killed, compared with what they did. `tests/systemd/guest` boots
//! Debian with systemd as PID 1, in which systemd-oomd, earlyoom and nohang kill while doomtop records; this program
//! replays that recording and reads the journal of the same guest.
//!
//! `cargo test --test systemd` judges only a trace of its own making, to prove that the judge can say no.
//! `systemd DIRECTORY` judges what a guest kept; `SYSTEMD_WRITE=yes` puts its rows into the document.

#![allow(clippy::expect_used, clippy::unwrap_used, reason = "a test says what it expects")]

mod document;
mod judge;
mod trace;

use std::path::Path;
use std::process::ExitCode;

use judge::{Judged, judge};
use trace::Trace;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.first().map(String::as_str) {
        Some("--list") => ExitCode::SUCCESS,
        Some(directory) if Path::new(directory).is_dir() => judge_kept(Path::new(directory)),
        _ => {
            judge::tests();
            println!("the judge of kills works; tests/systemd/guest brings it real ones");
            ExitCode::SUCCESS
        }
    }
}

/// Prints what was said before each kill, and the table.
fn judge_kept(directory: &Path) -> ExitCode {
    let trace = Trace::read(directory);
    let kills: Vec<Judged> = trace.rounds.iter().map(|round| judge(&trace, round)).collect();
    for kill in &kills {
        println!("{}", kill.sentence());
    }
    let rows = document::rows(&trace, &kills);
    print!("{}{rows}", document::HEAD);
    if std::env::var("SYSTEMD_WRITE").is_ok_and(|it| !it.is_empty()) {
        document::write(&trace, &rows);
    }
    let (all, failed) = (kills.len(), kills.iter().filter(|it| !it.holds()).count());
    println!("{} of {all} kills named by killer and victim, and explained", all - failed);
    if failed == 0 && all > 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
