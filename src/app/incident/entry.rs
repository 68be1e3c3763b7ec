//! An entry of the view Events.

/// An entry of the view Events.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimelineEntry {
    /// The event of this number.
    Kill(u64),
    /// Several kills of the same kind, shortly after each other.
    Storm(KillStorm),
    /// The entry of the journal at this position.
    Act(usize),
}

impl TimelineEntry {
    /// Whether both are the same line, one of them perhaps at another time: a storm is the same with more
    /// kills in it.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Storm(one), Self::Storm(other)) => one.first == other.first,
            _ => self == other,
        }
    }
}

/// Several kills of the same kind, shortly after each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KillStorm {
    /// The number of the first event.
    pub first: u64,
    /// The number of the last event.
    pub last: u64,
    /// The number of kills.
    pub count: u32,
    /// The number of victims that were predicted.
    pub predicted: u32,
}
