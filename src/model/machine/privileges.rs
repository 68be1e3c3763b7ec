//! What doomtop itself may do on this machine.

use serde::{Deserialize, Serialize};

use crate::model::{Capabilities, Capability, SysctlWritable};

/// What doomtop's own user may do on this machine.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Privileges {
    /// Own effective user id.
    pub euid: u32,
    /// Own effective capabilities.
    pub caps: Capabilities,
    /// `/proc` shows the processes of other users (no `hidepid`).
    pub sees_others: bool,
    /// `pidfd_open` works (5.3 and later): a signal cannot hit a recycled pid.
    pub pidfd: bool,
    /// doomtop's own memory is locked, so that it keeps running when memory is gone.
    pub memory_locked: bool,
    /// The kernel's switches can be turned.
    #[serde(default, rename = "turns_knobs", skip_serializing_if = "SysctlWritable::is_not_asked")]
    pub sysctls_writable: SysctlWritable,
}

impl Privileges {
    /// Whether `oom_score_adj` may go below its floor. Tested as a capability, never as uid 0.
    #[must_use]
    pub const fn lowers_adj(&self) -> bool {
        self.caps.has(Capability::SysResource)
    }

    /// Whether processes of other users may be signalled.
    #[must_use]
    pub const fn kills_others(&self) -> bool {
        self.caps.has(Capability::Kill)
    }
}
