//! The limits of a memory cgroup that doomtop makes for a command.

use crate::units::Bytes;

/// What a command may take.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CgroupLimits {
    /// Memory (`memory.max`, `memory.limit_in_bytes`).
    pub memory: Option<Bytes>,
    /// Swap (`memory.swap.max`; version 1: memory and swap together, `memory.memsw.limit_in_bytes`).
    pub swap: Option<Bytes>,
    /// The usage above which it is throttled (version 2, `memory.high`).
    pub high: Option<Bytes>,
    /// A victim takes all processes along (version 2, `memory.oom.group`).
    pub group: bool,
}

impl CgroupLimits {
    /// Whether nothing is limited.
    #[must_use]
    pub fn is_none(&self) -> bool {
        *self == Self::default()
    }
}
