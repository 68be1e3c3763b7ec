//! The rule of the sacrifice key, as 2.4 had it (`mm/oom_kill.c` `oom_kill_task`, 2.4.20): whoever
//! may be driving hardware is asked, everybody else is killed.

use crate::model::{Capability, Process, Reading, Signal};

/// Which signal, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sacrifice {
    /// The signal.
    pub signal: Signal,
    /// The reason in words.
    pub why: &'static str,
}

/// SIGTERM if its effective capabilities hold CAP_SYS_RAWIO, SIGKILL otherwise. Where they cannot
/// be read the gentle one, because it can still be followed by the other.
#[must_use]
pub fn sacrifice(victim: &Process) -> Sacrifice {
    match victim.caps {
        Reading::Value(caps) if caps.has(Capability::SysRawio) => {
            Sacrifice { signal: Signal::TERM, why: "holds CAP_SYS_RAWIO (may be driving hardware)" }
        }
        Reading::Value(_) => Sacrifice { signal: Signal::KILL, why: "no raw-I/O capability" },
        _ => Sacrifice { signal: Signal::TERM, why: "its capabilities could not be read" },
    }
}
