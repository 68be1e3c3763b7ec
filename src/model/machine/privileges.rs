//! What doomtop itself may do on this machine.

use serde::{Deserialize, Serialize};

use crate::model::{Capabilities, Capability, SysctlWritable};

/// What doomtop may do on this machine.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Privileges {
    /// Effective user id of doomtop.
    pub euid: u32,
    /// Effective capabilities of doomtop.
    pub caps: Capabilities,
    /// Whether `/proc` shows the processes of other users (no `hidepid`).
    pub sees_others: bool,
    /// Whether `pidfd_open` works (5.3 and later): with it, a signal cannot reach another process
    /// that reuses the pid.
    pub pidfd: bool,
    /// Whether doomtop's own memory is locked, so that it keeps running when memory is short.
    pub memory_locked: bool,
    /// Whether doomtop's own `oom_score_adj` is lowered (`--protect`), so that the kernel kills it last.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub protected: bool,
    /// Whether sysctls can be written.
    #[serde(default, rename = "turns_knobs", skip_serializing_if = "SysctlWritable::is_not_asked")]
    pub sysctls_writable: SysctlWritable,
}

impl Privileges {
    /// Whether doomtop may lower `oom_score_adj` below its minimum. Tested as a capability, never
    /// as uid 0.
    #[must_use]
    pub const fn lowers_adj(&self) -> bool {
        self.caps.has(Capability::SysResource)
    }

    /// Whether doomtop may signal processes of other users.
    #[must_use]
    pub const fn kills_others(&self) -> bool {
        self.caps.has(Capability::Kill)
    }
}
