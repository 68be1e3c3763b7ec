//! Proves the predictions: the process that doomtop names is the one that the kernel kills.
//!
//! One binary is test, judge and load, so that it also runs statically linked in a guest
//! (`tests/guest/run`). Under `cargo test` it lets the kernel kill only inside a cgroup of its own. If it
//! cannot create one, it is skipped and says what it needs.

#![allow(clippy::expect_used, clippy::unwrap_used, reason = "a test says what it expects")]

mod cause;
mod cgroup;
mod checks;
mod clock;
mod dice;
mod explained;
mod fits;
mod given_back;
mod hog;
mod kmsg;
mod leaderless;
mod memory;
mod mix;
mod oracle;
mod recorded;
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

use cause::Cause;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use trial::Field;

/// The first argument in a guest.
const JUDGE: &str = "__judge";
/// Number of kills of an ordinary test run.
const KILLS: usize = 8;

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    match arguments.first().map(String::as_str) {
        Some(hog::ARGUMENT) => hog::live(&arguments[1..]),
        Some(JUDGE) => guest(&arguments[1..]),
        // `--list`: there are no separate tests to list.
        Some("--list") => ExitCode::SUCCESS,
        _ => test(),
    }
}

/// A flag that SIGHUP, SIGINT and SIGTERM set, so that the test can clean up.
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

/// Kills that are made in a certain way: what was seen, or why it was not as it should be.
type Case = fn() -> Result<String, String>;

const CASES: &[(&str, Case)] = &[
    ("main thread exited", leaderless::test),
    ("fits", fits::test),
    ("memory given back", given_back::test),
];

/// What `cargo test` runs.
fn test() -> ExitCode {
    checks::all();
    println!("oom: the test's own checks passed");
    for (name, run) in CASES {
        match run() {
            Ok(what) => println!("oom: {name}: {what}"),
            Err(why) => {
                println!("oom: FAILED: {name}: {why}");
                return ExitCode::FAILURE;
            }
        }
    }
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
    let recorded = recorded::Recorded::start();
    let ran = field.run(kills);
    let ran = ran.and_then(|()| recorded?.compare(&field.killed));
    if !holds(&field, ran, seed) {
        return ExitCode::FAILURE;
    }
    // The last one's cgroup is removed with it.
    let stop = stopper();
    drop(field);
    for cause in [Cause::Reclaim, Cause::Forks, Cause::Scope] {
        let mut field = match Field::new(cause, seed, Arc::clone(&stop)) {
            Ok(field) => field,
            Err(why) => {
                println!("oom: FAILED: {cause:?}: {why}");
                return ExitCode::FAILURE;
            }
        };
        let ran = field.run(kills.div_ceil(2));
        if !holds(&field, ran, seed) {
            return ExitCode::FAILURE;
        }
    }
    ExitCode::SUCCESS
}

/// Prints what came of it. Returns whether the claims hold.
fn holds(field: &Field, ran: Result<(), String>, seed: u64) -> bool {
    println!("oom: {}; seed {seed}", field.tally);
    for miss in &field.misses {
        println!("oom: MISS {miss}");
    }
    let wrong = ran.err().or_else(|| field.tally.refuted());
    if let Some(why) = &wrong {
        println!("oom: FAILED: {why}; again with OOM_SEED={seed} cargo test --test oom");
    }
    wrong.is_none()
}

/// Runs `CAUSE=KILLS ...` in a guest. Prints a line of JSON for each.
fn guest(plan: &[String]) -> ExitCode {
    // The test itself must survive.
    fs::write("/proc/self/oom_score_adj", "-1000").expect("a guest of its own, as root");
    let all =
        nix::sys::mman::MlockAllFlags::MCL_CURRENT | nix::sys::mman::MlockAllFlags::MCL_FUTURE;
    nix::sys::mman::mlockall(all).expect("to stay in memory");
    match given_back::test() {
        Ok(what) => println!("oom: memory given back: {what}"),
        Err(why) => {
            println!("oom: FAILED: memory given back: {why}");
            return ExitCode::FAILURE;
        }
    }
    let stop = stopper();
    let mut refuted = false;
    for (at, step) in plan.iter().enumerate() {
        let (cause, kills) = step.split_once('=').expect("CAUSE=KILLS");
        let cause = Cause::parse(cause).unwrap_or_else(|| panic!("{cause} is not a cause"));
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
