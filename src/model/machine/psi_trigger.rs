//! How the beginning of pressure is told: by the kernel, by reading, or not at all.

use std::fmt;

use crate::units::Millis;

/// So long must some task have waited for memory within a window of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PsiTrigger {
    /// Time that some task waited, in all.
    pub stall: Millis,
    /// Within so much time.
    pub window: Millis,
}

impl PsiTrigger {
    /// A twentieth of a second's time: with swap or page cache left it trips seconds before a kill.
    pub const SECOND: Self = Self { stall: Millis(50), window: Millis(1000) };
    /// The same share for whoever lacks CAP_SYS_RESOURCE: the window must then be a multiple of two
    /// seconds (`kernel/sched/psi.c` `psi_trigger_create`, 6.5).
    pub const TWO_SECONDS: Self = Self { stall: Millis(100), window: Millis(2000) };
}

impl fmt::Display for PsiTrigger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ms of {} s", self.stall.0, self.window.0 / 1000)
    }
}

/// How it is told that tasks begin to wait for memory.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum PressureWatch {
    /// Nobody watches: a recording, another proc tree, or not yet.
    #[default]
    Off,
    /// The kernel tells, by a trigger in the file.
    Trigger(PsiTrigger),
    /// No trigger was to be had, and why: the file is read once a window, by the same rule.
    Reading(PsiTrigger, String),
    /// Neither, and why: only the looks see it.
    Unavailable(String),
}

impl PressureWatch {
    /// Whether pressure is noticed between two looks.
    #[must_use]
    pub const fn is_watching(&self) -> bool {
        matches!(self, Self::Trigger(_) | Self::Reading(..))
    }
}
