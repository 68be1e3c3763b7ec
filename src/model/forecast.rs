//! When something is full, if it goes on as it did lately: values only. `rank::trend` finds them.

use std::sync::Arc;

use super::{Text, tree_order};
use crate::units::Millis;

/// When nothing will be left, and how sure that is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimeToFull {
    /// At the steepest rate that the looks allow.
    pub soonest: Millis,
    /// At the rate that fits best.
    pub likely: Millis,
    /// At the flattest.
    pub latest: Millis,
    /// So many looks it rests on.
    pub samples: usize,
    /// And over this time.
    pub over: Millis,
}

/// What the last looks tell of what is left of something.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Trend {
    /// There were too few looks, over too short a time.
    #[default]
    Unknown,
    /// It does not shrink, or not so that a time could be told.
    Steady,
    /// It shrinks, and is gone in about this time.
    Full(TimeToFull),
}

impl Trend {
    /// The time, where there is one.
    #[must_use]
    pub const fn arrival(self) -> Option<TimeToFull> {
        match self {
            Self::Full(arrival) => Some(arrival),
            _ => None,
        }
    }
}

/// What is foreseen for the machine and for the walls in it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Forecast {
    /// Available memory: where there is swap, its end is the begin of swapping, and no OOM yet.
    pub ram: Trend,
    /// Free swap: what follows must stay in RAM.
    pub swap: Trend,
    /// Both together: the machine's OOM.
    pub both: Trend,
    /// What each limited cgroup can still take, in the order of the tree.
    pub groups: Vec<(Arc<Text>, Trend)>,
}

impl Forecast {
    /// That of a cgroup.
    #[must_use]
    pub fn of_group(&self, path: &str) -> Trend {
        let at = self.groups.binary_search_by(|(name, _)| tree_order(name.as_str(), path));
        at.ok().and_then(|at| self.groups.get(at)).map_or(Trend::Unknown, |(_, it)| *it)
    }
}
