//! Bytes of kernel files to values: one file per kernel file, no I/O, no panic on any bytes.

mod cgroup;
mod loadavg;
mod meminfo;
mod oom_score;
mod oom_score_adj;
mod pressure;
mod stat;
mod status;
mod swaps;
mod uptime;
mod vmstat;

use std::fmt;

pub use cgroup::memory_cgroup;
pub use loadavg::loadavg;
pub use meminfo::{MemInfo, meminfo};
pub use oom_score::oom_score;
pub use oom_score_adj::oom_score_adj;
pub use pressure::pressure;
pub use stat::{Stat, stat};
pub use status::{Status, status};
pub use swaps::{SwapArea, leaving, swaps};
pub use uptime::uptime;
pub use vmstat::vmstat;

/// Which file does not say what it should, and where in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ParseError {
    /// The kernel file.
    pub file: &'static str,
    /// The item in it.
    pub item: &'static str,
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: no readable {}", self.file, self.item)
    }
}

impl std::error::Error for ParseError {}

/// The decimal number that is all of `bytes`.
pub(super) fn unsigned(bytes: &[u8]) -> Option<u64> {
    if bytes.is_empty() {
        return None;
    }
    bytes.iter().try_fold(0_u64, |sum, &byte| {
        let digit = byte.wrapping_sub(b'0');
        (digit < 10).then(|| sum.checked_mul(10)?.checked_add(u64::from(digit))).flatten()
    })
}

/// The decimal number, perhaps with a minus, that is all of `bytes`.
pub(super) fn signed(bytes: &[u8]) -> Option<i64> {
    match bytes.strip_prefix(b"-") {
        Some(digits) => i64::try_from(unsigned(digits)?).ok().map(|n| -n),
        None => i64::try_from(unsigned(bytes)?).ok(),
    }
}

/// The number in a file that holds one line with one number; a file without the end of its line
/// was cut short, and its number with it.
pub fn lone_number(file: &'static str, bytes: &[u8]) -> Result<i64, ParseError> {
    bytes
        .strip_suffix(b"\n")
        .and_then(|line| signed(line.trim_ascii()))
        .ok_or(ParseError { file, item: "number" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_whole_or_nothing() {
        assert_eq!(unsigned(b"0"), Some(0));
        assert_eq!(unsigned(b"18446744073709551615"), Some(u64::MAX));
        assert_eq!(unsigned(b"18446744073709551616"), None);
        assert_eq!(unsigned(b""), None);
        assert_eq!(unsigned(b"1x"), None);
        assert_eq!(unsigned(b"-1"), None);
        assert_eq!(signed(b"-1000"), Some(-1000));
        assert_eq!(signed(b"--1"), None);
        assert_eq!(signed(b"-"), None);
        assert_eq!(lone_number("f", b"50\n"), Ok(50));
        assert_eq!(lone_number("f", b"50"), Err(ParseError { file: "f", item: "number" }));
    }
}
