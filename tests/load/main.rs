//! Load tests with the real binary: `doomtop run` and `doomtop search-limit` in memory cgroups of their own, where the
//! kernel really kills.
//!
//! One binary is test and load. What needs rights that are not there, or a program that is not installed, is skipped
//! and says so.

#![allow(clippy::expect_used, clippy::unwrap_used, reason = "a test says what it expects")]

mod bed;
mod commands;
mod hog;
mod programs;
mod searches;

use std::process::ExitCode;
use std::time::Instant;

use bed::Bed;

/// A test by its name.
type LoadCase = (&'static str, fn(&Bed));

/// What needs no cgroup.
const WITHOUT_RIGHTS: &[LoadCase] = &[
    ("a command that cannot be executed has the status of shells", commands::not_executed),
    ("wrong usage ends before the command starts", commands::wrong_usage),
    (
        "without a cgroup, what is left running is ended, or left",
        commands::leftovers_without_a_cgroup,
    ),
    ("a dry run describes, and read-only forbids", commands::dry_run_and_read_only),
];

/// What needs a memory cgroup.
const WITH_CGROUP: &[LoadCase] = &[
    ("a command that fits is measured", commands::fits),
    ("a command that does not fit is killed, and the verdict says why", commands::killed),
    ("an expectation that is not met is status 6", commands::unmet),
    ("the output of the command can be kept in a file", commands::output),
    ("the status of the command is that of doomtop", commands::statuses),
    ("a limit below what the command needs to start", commands::too_small_to_start),
    ("what the command left running is ended, or left", commands::leftovers),
    ("what a killed doomtop left is removed", commands::left_by_a_killed_doomtop),
    ("two runs at once", commands::two_at_once),
    ("signals reach the command", commands::signals),
    ("a limit that the command lifts is not called enforced", commands::limit_that_is_lifted),
    ("a command that ignores signals is killed at the third", commands::ignored_signals),
    ("a run can be ended", commands::endings),
    ("a leak is found", commands::leak),
    ("the smallest limit is found", searches::smallest),
    ("a command that always fails has none", searches::always_fails),
    ("a search that is ended by a signal leaves nothing", searches::ended_by_a_signal),
    ("a parent that ignores SIGCHLD", commands::ignored_children),
    ("stress-ng", programs::stress_ng),
    ("redis-server with redis-benchmark", programs::redis),
    ("PostgreSQL with pgbench", programs::postgresql),
    ("a JVM", programs::java),
];

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.first().map(String::as_str) {
        Some(hog::ARGUMENT) => return hog::live(&arguments[1..]),
        // `--list`: there are no separate tests to list.
        Some("--list") => return ExitCode::SUCCESS,
        _ => {}
    }
    let wanted = arguments.iter().find(|it| !it.starts_with('-'));
    let bed = Bed::new();
    run(&bed, WITHOUT_RIGHTS, wanted);
    match bed.missing() {
        None => run(&bed, WITH_CGROUP, wanted),
        Some(why) => {
            commands::limit_optional(&bed);
            println!(
                "load: SKIPPED, nothing was run below a limit: {why}\n\
                 load: run it as root, or where a user has a cgroup of version 2 of its own:\n\
                 load:   sudo -E cargo test --test load"
            );
        }
    }
    ExitCode::SUCCESS
}

fn run(bed: &Bed, cases: &[LoadCase], wanted: Option<&String>) {
    for (name, case) in cases {
        if wanted.is_some_and(|wanted| !name.contains(wanted.as_str())) {
            continue;
        }
        let begun = Instant::now();
        case(bed);
        println!("load: {name}: ok, {:.1} s", begun.elapsed().as_secs_f64());
    }
}
