//! Parsers of kernel files and option files: one source file per file format, no I/O, no panic on
//! any input.

mod cgroup;
mod cgroup_controllers;
mod cgroup_events;
mod drm_fdinfo;
mod earlyoom_args;
mod io_stat;
mod kubelet_config;
mod loadavg;
mod meminfo;
mod memory_events;
mod memory_max;
mod memory_oom_control;
mod memory_stat;
mod mountinfo;
mod nohang_conf;
mod oom_score;
mod oom_score_adj;
mod oomd_json;
mod passwd;
mod pressure;
pub(crate) mod quoted_words;
mod slabinfo;
mod smaps_rollup;
mod stat;
mod status;
mod swaps;
mod systemd_conf;
mod sysvipc_shm;
mod uptime;
mod vmstat;
mod zoneinfo;
mod zram;

use std::ffi::CStr;
use std::fmt;

pub use crate::sample::parse::quoted_words::{assigned, words};
pub use cgroup::memory_cgroup;
pub use cgroup_controllers::has_memory;
pub use cgroup_events::frozen;
pub use drm_fdinfo::{DrmClient, drm_fdinfo};
pub use earlyoom_args::earlyoom_args;
pub use io_stat::{device, io_stat};
pub use kubelet_config::{kubelet_config, kubelet_flags};
pub use loadavg::{last_pid, loadavg};
pub use meminfo::{MemInfo, meminfo};
pub use memory_events::memory_events;
pub use memory_max::limit;
pub use memory_oom_control::{OomControl, oom_control};
pub use memory_stat::{MemoryStat, memory_stat};
pub use mountinfo::{CgroupMount, TmpfsPoint, cgroup_mounts, tmpfs_points};
pub use nohang_conf::nohang_conf;
pub use oom_score::oom_score;
pub use oom_score_adj::oom_score_adj;
pub use oomd_json::oomd_json;
pub use passwd::passwd;
pub use pressure::pressure;
pub use slabinfo::slabinfo;
pub use smaps_rollup::smaps_rollup;
pub use stat::{Stat, stat};
pub use status::{Status, status};
pub use swaps::{SwapArea, leaving, swaps};
pub use systemd_conf::{UnitSetting, percentage, seconds, systemd_conf};
pub use sysvipc_shm::sysvipc_shm;
pub use uptime::uptime;
pub use vmstat::{gained_pages, lazy_freed, vmstat, zspages};
pub use zoneinfo::zoneinfo;
pub use zram::{ZramStat, zram_mm_stat};

/// Which file could not be parsed, and which item of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ParseError {
    /// The kernel file.
    pub file: &'static str,
    /// The item in the file.
    pub item: &'static str,
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: no readable {}", self.file, self.item)
    }
}

impl std::error::Error for ParseError {}

/// Parses a decimal number; `None` if `bytes` has anything else.
pub(crate) fn unsigned(bytes: &[u8]) -> Option<u64> {
    if bytes.is_empty() {
        return None;
    }
    bytes.iter().try_fold(0_u64, |sum, &byte| {
        let digit = byte.wrapping_sub(b'0');
        (digit < 10).then(|| sum.checked_mul(10)?.checked_add(u64::from(digit))).flatten()
    })
}

/// Parses a decimal number that may have a minus; `None` if `bytes` has anything else.
pub(crate) fn signed(bytes: &[u8]) -> Option<i64> {
    match bytes.strip_prefix(b"-") {
        Some(digits) => i64::try_from(unsigned(digits)?).ok().map(|n| -n),
        None => i64::try_from(unsigned(bytes)?).ok(),
    }
}

/// The pairs in a file of lines `KEY NUMBER`, with `None` for an invalid number. Lines without a
/// blank are skipped. `None` instead of an iterator if the file does not end with a line end: then
/// it was cut off.
pub(crate) fn pairs(bytes: &[u8]) -> Option<impl Iterator<Item = (&[u8], Option<u64>)>> {
    let lines = bytes.strip_suffix(b"\n")?.split(|&b| b == b'\n');
    Some(lines.filter_map(|line| {
        let at = line.iter().position(|&b| b == b' ')?;
        Some((&line[..at], unsigned(&line[at + 1..])))
    }))
}

/// The number in a file that consists of one line with one number.
///
/// # Errors
///
/// If there is no such number, or no line end: then the file was cut off, and the number with it.
pub fn lone_number(file: &'static str, bytes: &[u8]) -> Result<i64, ParseError> {
    bytes
        .strip_suffix(b"\n")
        .and_then(|line| signed(line.trim_ascii()))
        .ok_or(ParseError { file, item: "number" })
}

/// The pid that makes up a file name.
pub(crate) fn pid(name: &CStr) -> Option<i32> {
    let number = unsigned(name.to_bytes())?;
    i32::try_from(number).ok().filter(|&pid| pid > 0)
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
