//! The identity of a process: pid and start time.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::units::Ticks;

/// The identity of a process: its pid *and* its start time, because the kernel reuses pids.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct ProcId {
    /// Thread group id, in the pid namespace of doomtop.
    pub pid: i32,
    /// Start time, in clock ticks since boot (`/proc/PID/stat` field 22).
    #[serde(rename = "start_ticks")]
    pub born: Ticks,
}

impl fmt::Display for ProcId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.pid)
    }
}
