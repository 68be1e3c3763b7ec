//! How the memory of a process changes over time.

use serde::{Deserialize, Serialize};

/// What a process takes beside its base, in MiB over seconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub enum Pattern {
    /// Nothing.
    #[default]
    Still,
    /// So many MiB a second.
    Linear(f64),
    /// So many MiB at once, then a pause of so many seconds.
    Steps { size: f64, every: f64 },
    /// Up and released once in a period; each time some MiB stay.
    Saw { height: f64, leak: f64, every: f64 },
    /// A rate in MiB a second that doubles in so many seconds.
    Doubling { rate: f64, every: f64 },
    /// In each period, growth in its first half and a rest in its second.
    Bursts { size: f64, every: f64 },
    /// As the square root of time: this size in so many seconds.
    Root { size: f64, over: f64 },
    /// Up to this size in so many seconds, and no further.
    Ramp { size: f64, over: f64 },
    /// Up and down slowly.
    Wave { height: f64, every: f64 },
}

impl Pattern {
    /// MiB beside the base, this many seconds after the growth began.
    pub fn at(self, seconds: f64) -> f64 {
        match self {
            Self::Still => 0.0,
            Self::Linear(rate) => rate * seconds,
            Self::Steps { size, every } => size * (seconds / every).floor(),
            Self::Saw { height, leak, every } => {
                let periods = seconds / every;
                leak * periods + height * periods.fract()
            }
            Self::Doubling { rate, every } => {
                let pace = std::f64::consts::LN_2 / every;
                rate / pace * ((seconds * pace).exp() - 1.0)
            }
            Self::Bursts { size, every } => {
                let periods = seconds / every;
                size * (periods.floor() + (periods.fract() * 2.0).min(1.0))
            }
            Self::Root { size, over } => size * (seconds / over).sqrt(),
            Self::Ramp { size, over } => size * (seconds / over).min(1.0),
            Self::Wave { height, every } => {
                height * (0.5 - 0.5 * (seconds / every * std::f64::consts::TAU).cos())
            }
        }
    }

    /// Whether it goes on without end.
    pub const fn is_endless(self) -> bool {
        match self {
            Self::Linear(_)
            | Self::Steps { .. }
            | Self::Doubling { .. }
            | Self::Bursts { .. }
            | Self::Root { .. } => true,
            Self::Saw { leak, .. } => leak > 0.0,
            Self::Still | Self::Ramp { .. } | Self::Wave { .. } => false,
        }
    }
}
