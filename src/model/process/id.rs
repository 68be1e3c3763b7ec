//! How a process is named: by its pid and its start time.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::units::Ticks;

/// The only way any room names a process: its pid *and* when it was born, because pids come back.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct ProcId {
    /// Thread-group id in doomtop's own pid namespace.
    pub pid: i32,
    /// Start time since boot (`/proc/PID/stat` field 22).
    #[serde(rename = "start_ticks")]
    pub born: Ticks,
}

impl fmt::Display for ProcId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.pid)
    }
}
