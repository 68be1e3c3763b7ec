//! A domain that approaches its limit, or a killer that approaches its trigger.

use std::fmt;
use std::sync::Arc;

use crate::model::Text;
use crate::policy::{Policy, TriggerRule};
use crate::units::Millis;

use super::room::Room;
use super::room_history::Basis;
use super::{KERNEL, StallReason, TimeSpan};

/// A userspace killer and the rule by which it acts.
#[derive(Clone)]
pub struct ActingKiller {
    pub policy: &'static dyn Policy,
    pub rule: Arc<TriggerRule>,
}

impl fmt::Debug for ActingKiller {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ActingKiller").field(&self.policy.id()).finish()
    }
}

/// A domain that approaches its limit, or stalls.
#[derive(Clone, Debug)]
pub struct Approach {
    /// The userspace killer that acts; `None` for the kernel.
    pub killer: Option<ActingKiller>,
    pub domain: Arc<Text>,
    /// From the newest reading of all on; `None` where it stalls.
    pub when: Option<TimeSpan>,
    pub room: Room,
    /// In bytes a second.
    pub rate: f64,
    pub basis: Basis,
    pub stalled: Option<StallReason>,
    /// How often the history of the domain began anew.
    pub generation: u32,
}

impl Approach {
    /// The killer: `kernel`, or the id of its policy.
    pub fn by(&self) -> &'static str {
        self.killer.as_ref().map_or(KERNEL, |it| it.policy.id())
    }

    /// Whether both are of the same killer and domain.
    pub fn is_of(&self, other: &Self) -> bool {
        self.by() == other.by() && self.domain == other.domain
    }

    /// The most likely time; a domain that stalls comes last.
    pub fn middle(&self) -> Millis {
        self.when.map_or(Millis(u64::MAX), |when| when.middle)
    }
}
