//! Trends and the times at which memory is full: values only. `forecast::trend` computes them.

use std::sync::Arc;

use super::{Text, tree_order};
use crate::units::Millis;

/// The time until nothing is left, and how certain it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimeToFull {
    /// At the steepest rate that the samples allow.
    pub soonest: Millis,
    /// At the rate that fits the samples best.
    pub likely: Millis,
    /// At the flattest rate that the samples allow.
    pub latest: Millis,
    /// Number of samples used.
    pub samples: usize,
    /// The time that the samples cover.
    pub over: Millis,
}

/// How an amount that is left develops.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Trend {
    /// There are too few samples, or they cover too short a time.
    #[default]
    Unknown,
    /// It does not shrink, or too slowly to predict a time.
    Steady,
    /// It shrinks and is used up in about this time.
    Full(TimeToFull),
}

impl Trend {
    /// The time until it is used up, if there is one.
    #[must_use]
    pub const fn arrival(self) -> Option<TimeToFull> {
        match self {
            Self::Full(arrival) => Some(arrival),
            _ => None,
        }
    }
}

/// The trends of the machine and of the limits in it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Forecast {
    /// Available memory. With swap space, its end means that swapping begins, not an OOM.
    pub ram: Trend,
    /// Free swap. When it is used up, further pages stay in RAM.
    pub swap: Trend,
    /// Available memory and free swap together: their end is an OOM of the machine.
    pub both: Trend,
    /// The headroom of each limited cgroup, in tree order.
    pub groups: Vec<(Arc<Text>, Trend)>,
}

impl Forecast {
    /// The trend of a cgroup.
    #[must_use]
    pub fn of_group(&self, path: &str) -> Trend {
        let at = self.groups.binary_search_by(|(name, _)| tree_order(name.as_str(), path));
        at.ok().and_then(|at| self.groups.get(at)).map_or(Trend::Unknown, |(_, it)| *it)
    }
}
