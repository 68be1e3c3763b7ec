//! Linux capabilities, and sets of them.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The capabilities that doomtop knows (`include/uapi/linux/capability.h`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Capability {
    /// Signal any process.
    Kill,
    /// Access I/O ports and memory. Old kernels reduce the badness of such a process.
    SysRawio,
    /// System administration. Old kernels reduce the badness of such a process.
    SysAdmin,
    /// Raise the priority of a process.
    SysNice,
    /// Lower `oom_score_adj` below its minimum.
    SysResource,
    /// Lock memory.
    IpcLock,
    /// Write files of other users.
    DacOverride,
    /// Read the kernel log.
    Syslog,
}

impl Capability {
    const fn bit(self) -> u32 {
        match self {
            Self::DacOverride => 1,
            Self::Kill => 5,
            Self::IpcLock => 14,
            Self::SysRawio => 17,
            Self::SysAdmin => 21,
            Self::SysNice => 23,
            Self::SysResource => 24,
            Self::Syslog => 34,
        }
    }

    /// The name, as `capabilities(7)` writes it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::DacOverride => "CAP_DAC_OVERRIDE",
            Self::Kill => "CAP_KILL",
            Self::IpcLock => "CAP_IPC_LOCK",
            Self::SysRawio => "CAP_SYS_RAWIO",
            Self::SysAdmin => "CAP_SYS_ADMIN",
            Self::SysNice => "CAP_SYS_NICE",
            Self::SysResource => "CAP_SYS_RESOURCE",
            Self::Syslog => "CAP_SYSLOG",
        }
    }
}

/// A set of capabilities: the mask in `/proc/PID/status` `CapEff`, one bit per capability.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Capabilities(pub u64);

impl Capabilities {
    /// The set without one capability.
    #[must_use]
    pub const fn without(self, capability: Capability) -> Self {
        Self(self.0 & !(1 << capability.bit()))
    }

    /// Whether a capability is in the set.
    #[must_use]
    pub const fn has(self, capability: Capability) -> bool {
        self.0 >> capability.bit() & 1 == 1
    }
}

impl Serialize for Capabilities {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&format_args!("{:016x}", self.0))
    }
}

impl<'de> Deserialize<'de> for Capabilities {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mask = String::deserialize(deserializer)?;
        u64::from_str_radix(&mask, 16).map(Self).map_err(serde::de::Error::custom)
    }
}
