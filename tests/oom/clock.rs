//! The clock on which samples and kills are compared.

use std::time::Duration;

use nix::time::{ClockId, clock_gettime};
use rustix::event::Timespec;

/// Microseconds on CLOCK_MONOTONIC.
pub fn now() -> i64 {
    let time = clock_gettime(ClockId::CLOCK_MONOTONIC).expect("a clock");
    time.tv_sec() * 1_000_000 + time.tv_nsec() / 1000
}

/// A time to wait.
pub fn milliseconds(count: u64) -> Timespec {
    Timespec::try_from(Duration::from_millis(count)).expect("a short time")
}
