//! Faults at every step of an act: each system call that the hands make is made to fail, to write
//! short, to find its process gone, or to find another one with the same pid. Nothing is lost, nobody
//! else is hit, and what is said is what happened.
//!
//! The real binary acts on own children while this test holds its main thread by ptrace; what has no
//! command of its own is done by this program, held in the same way.

#![allow(clippy::expect_used, clippy::unwrap_used, reason = "a test says what it expects")]

#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
mod act;
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
mod held;

#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
fn main() -> std::process::ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.first().map(String::as_str) {
        Some(act::ACT) => act::act(&arguments[1..]),
        // What asks for a list of tests gets none.
        Some("--list") => std::process::ExitCode::SUCCESS,
        Some(held::INSIDE) => held::inside(),
        _ => held::all(),
    }
}

#[cfg(not(all(target_os = "linux", target_arch = "x86_64")))]
fn main() {
    println!("skipped: registers of a held process are known for x86_64 only");
}
