//! The signal of the sacrifice key, by the rule of Linux 2.4 (`mm/oom_kill.c` `oom_kill_task`, 2.4.20):
//! SIGTERM for a process that may be driving hardware, SIGKILL for all others.

use crate::model::{Capability, Process, Reading, Signal};

/// A signal and the reason for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sacrifice {
    /// SIGTERM or SIGKILL.
    pub signal: Signal,
    /// The reason in words.
    pub why: &'static str,
}

/// SIGTERM if the effective capabilities contain CAP_SYS_RAWIO, else SIGKILL. SIGTERM if they cannot be
/// read, because SIGKILL can still follow.
#[must_use]
pub fn sacrifice(victim: &Process) -> Sacrifice {
    match victim.caps {
        // Root without a bounding set has every capability; few of these programs touch hardware.
        Reading::Value(caps)
            if caps.has(Capability::SysRawio) && caps.has(Capability::SysAdmin) =>
        {
            Sacrifice {
                signal: Signal::TERM,
                why: "holds CAP_SYS_RAWIO, as most root daemons do (may be driving hardware)",
            }
        }
        Reading::Value(caps) if caps.has(Capability::SysRawio) => {
            Sacrifice { signal: Signal::TERM, why: "holds CAP_SYS_RAWIO (may be driving hardware)" }
        }
        Reading::Value(_) => Sacrifice { signal: Signal::KILL, why: "no raw-I/O capability" },
        _ => Sacrifice { signal: Signal::TERM, why: "its capabilities could not be read" },
    }
}
