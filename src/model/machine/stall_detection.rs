//! How doomtop learns that tasks begin to stall on memory: from a PSI trigger, by polling, or not
//! at all.

use std::fmt;

use crate::units::Millis;

/// A PSI trigger: it fires when tasks stall this long within a window
/// (`Documentation/accounting/psi.rst`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PsiTrigger {
    /// Stall time within the window.
    pub stall: Millis,
    /// Length of the window.
    pub window: Millis,
}

impl PsiTrigger {
    /// 50 ms per second: with swap or page cache left, it fires seconds before a kill.
    pub const SECOND: Self = Self { stall: Millis(50), window: Millis(1000) };
    /// The same share for a process without CAP_SYS_RESOURCE, whose window must be a multiple of
    /// two seconds (`kernel/sched/psi.c` `psi_trigger_create`, 6.5).
    pub const TWO_SECONDS: Self = Self { stall: Millis(100), window: Millis(2000) };
}

impl fmt::Display for PsiTrigger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ms of {} s", self.stall.0, self.window.0 / 1000)
    }
}

/// How doomtop learns that tasks begin to stall on memory.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum PressureWatch {
    /// Not watched: a recording, another proc tree, or not yet.
    #[default]
    Off,
    /// The kernel signals it, by a trigger on the pressure file.
    Trigger(PsiTrigger),
    /// A trigger is not available, for the reason in the text; the file is read once per window and
    /// compared with the same threshold.
    Reading(PsiTrigger, String),
    /// Neither is available, for the reason in the text; only the samples show pressure.
    Unavailable(String),
}

impl PressureWatch {
    /// Whether pressure is noticed between two samples.
    #[must_use]
    pub const fn is_watching(&self) -> bool {
        matches!(self, Self::Trigger(_) | Self::Reading(..))
    }
}
