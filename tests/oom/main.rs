//! The proof: whom doomtop names is whom the kernel kills.
//!
//! One binary is judge, load and test, so that it also runs, static, in a guest (`tests/guest/run`).
//! Run by `cargo test` it kills only inside a cgroup of its own; where it cannot have one, it says
//! why and what it would need.

#![allow(clippy::expect_used, clippy::unwrap_used, reason = "a test says what it expects")]

mod cgroup;
mod checks;
mod clock;
mod dice;
mod explained;
mod hog;
mod kmsg;
mod mix;
mod oracle;
mod tally;
#[allow(dead_code, reason = "the proof needs only part of it")]
#[path = "../pty/terminal.rs"]
mod terminal;
mod trial;

use std::io::{Write, stdout};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::{env, fs};

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use trial::{Cause, Field};

/// The first argument of a judge in a guest.
const JUDGE: &str = "__judge";
/// Kills of an ordinary test run.
const KILLS: usize = 8;

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    match arguments.first().map(String::as_str) {
        Some(hog::WORD) => hog::live(&arguments[1..]),
        Some(JUDGE) => guest(&arguments[1..]),
        // What asks for a list of tests gets none.
        Some("--list") => ExitCode::SUCCESS,
        _ => test(),
    }
}

/// Raised by the signals that would end us, so that nothing is left behind.
fn stopper() -> Arc<AtomicBool> {
    let stop = Arc::new(AtomicBool::new(false));
    for signal in [SIGHUP, SIGINT, SIGTERM] {
        signal_hook::flag::register(signal, Arc::clone(&stop)).expect("a signal to wait for");
    }
    stop
}

fn number(name: &str, default: u64) -> u64 {
    env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

/// What `cargo test` runs.
fn test() -> ExitCode {
    checks::all();
    println!("oom: the judge's own checks passed");
    let seed = number("OOM_SEED", u64::from(std::process::id()));
    let mut field = match Field::new(Cause::Limit, seed, stopper()) {
        Ok(field) => field,
        Err(why) => {
            println!(
                "oom: SKIPPED, no kill was provoked: {why}\n\
                 oom: run it as root where the memory controller of cgroups can be written:\n\
                 oom:   sudo -E cargo test --test oom        (OOM_KILLS=100 for more)\n\
                 oom: or in guests of its own:  tests/guest/run"
            );
            return ExitCode::SUCCESS;
        }
    };
    let kills = usize::try_from(number("OOM_KILLS", KILLS as u64)).expect("a number of kills");
    let ran = field.run(kills);
    println!("oom: {}; seed {seed}", field.tally);
    for miss in &field.misses {
        println!("oom: MISS {miss}");
    }
    match ran.err().or_else(|| field.tally.refuted()) {
        None => ExitCode::SUCCESS,
        Some(why) => {
            println!("oom: FAILED: {why}; again with OOM_SEED={seed} cargo test --test oom");
            ExitCode::FAILURE
        }
    }
}

/// What a guest runs: `CAUSE=KILLS ...`. One line of JSON for each on standard output.
fn guest(plan: &[String]) -> ExitCode {
    // Whoever watches must outlive what it watches.
    fs::write("/proc/self/oom_score_adj", "-1000").expect("a guest of its own, as root");
    let all =
        nix::sys::mman::MlockAllFlags::MCL_CURRENT | nix::sys::mman::MlockAllFlags::MCL_FUTURE;
    nix::sys::mman::mlockall(all).expect("to stay in memory");
    let stop = stopper();
    let mut refuted = false;
    for (at, step) in plan.iter().enumerate() {
        let (cause, kills) = step.split_once('=').expect("CAUSE=KILLS");
        let cause = match cause {
            "machine" => Cause::Machine,
            "limit" => Cause::Limit,
            "group" => Cause::Group,
            "asked" => Cause::Asked,
            "lowered" => Cause::Lowered,
            other => panic!("{other} is no cause"),
        };
        let seed = number("OOM_SEED", 1) * 1000 + at as u64;
        let ran = Field::new(cause, seed, Arc::clone(&stop)).and_then(|mut field| {
            let ran = field.run(kills.parse().expect("a number of kills"));
            let mut out = stdout().lock();
            writeln!(out, "{}", serde_json::to_string(&field.tally).expect("JSON"))
                .expect("written");
            for miss in &field.misses {
                writeln!(out, "MISS {miss}").expect("written");
            }
            refuted |= field.tally.refuted().is_some();
            ran
        });
        if let Err(why) = ran {
            println!("BROKEN {step}: {why}");
            refuted = true;
        }
    }
    if refuted { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}
