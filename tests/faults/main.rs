//! Faults at every step of an act: each system call that the hands make is made to fail, to write
//! short, to find its process gone, or to find another one with the same pid. Nothing is lost, nobody
//! else is hit, and what is said is what happened.
//!
//! The real binary acts on own children while this test holds its main thread by ptrace.

#![allow(clippy::expect_used, clippy::unwrap_used, reason = "a test says what it expects")]

#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
mod held;

#[cfg(not(all(target_os = "linux", target_arch = "x86_64")))]
#[test]
fn faults_are_injected_on_x86_64_only() {
    eprintln!("skipped: registers of a held process are known for x86_64 only");
}
