//! Fault injection at every step of an act: each system call of the effects is made to fail, to write
//! too few bytes, to find its process gone, or to find another process with the same pid. No other
//! process may be hit, and the message must say what really happened.
//!
//! The real binary acts on children of this test, which traces its main thread with ptrace. Acts without
//! a command of their own run in this program, traced in the same way.

#![allow(clippy::expect_used, clippy::unwrap_used, reason = "a test says what it expects")]

#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
mod act;
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
mod traced;

#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
fn main() -> std::process::ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.first().map(String::as_str) {
        Some(act::ACT) => act::act(&arguments[1..]),
        // `--list`: there are no separate tests to list.
        Some("--list") => std::process::ExitCode::SUCCESS,
        Some(traced::INSIDE) => traced::inside(),
        _ => traced::all(),
    }
}

#[cfg(not(all(target_os = "linux", target_arch = "x86_64")))]
fn main() {
    println!("skipped: the registers of a traced process are known for x86_64 only");
}
