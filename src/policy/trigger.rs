//! What a killer waits for before it acts.

use std::sync::Arc;

use crate::model::{Signal, Text};
use crate::units::Millis;

/// What a condition is about, where more is known of it than its value.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TriggerKind {
    /// A measured quantity.
    #[default]
    Measured,
    /// Failures of reclaim. The kernel counts them internally.
    ReclaimFailures,
    /// The time since the last kill. The kills of the running kernel tell it.
    LastKill,
}

/// One condition that a killer waits for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trigger {
    /// What it is about.
    pub kind: TriggerKind,
    /// The measured quantity: `MemAvailable`.
    pub what: &'static str,
    /// Its value: `16.9%`.
    pub now: String,
    /// The value that the killer waits for: `<= 10%`.
    pub wants: String,
    /// Whether the condition is met; `None` where it cannot be seen from outside.
    pub met: Option<bool>,
}

/// Whether a killer is about to act.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TriggerState {
    /// No visible condition keeps it from acting.
    pub ready: bool,
    /// What it waits for or what keeps it from acting, in words.
    pub why: String,
    /// The conditions one by one. Empty for killers whose conditions cannot be told apart.
    pub triggers: Vec<Trigger>,
}

impl TriggerState {
    /// A state without separate conditions.
    #[must_use]
    pub fn simply(ready: bool, why: impl Into<String>) -> Self {
        Self { ready, why: why.into(), triggers: Vec::new() }
    }
}

/// What a killer measures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TriggerQuantity {
    /// `MemAvailable`, in KiB.
    AvailableMemory,
    /// `MemFree`, in whole percent of `MemTotal`.
    FreeMemory,
    /// `SwapFree`, in KiB.
    FreeSwap,
    /// RAM that zram devices use, in KiB.
    Zram,
    /// Share of time in which tasks stalled on memory, in percent.
    Pressure,
    /// Pages that reclaim scanned since the sample before.
    Reclaim,
}

/// On which side of its threshold a condition is met.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TriggerSide {
    /// At the threshold and below.
    AtMost,
    /// Below the threshold.
    Below,
    /// At the threshold and above.
    AtLeast,
    /// Above the threshold.
    Above,
}

/// A measured quantity and the threshold at which a killer acts, as numbers.
#[derive(Clone, Debug, PartialEq)]
pub struct TriggerLevel {
    /// What is measured; its unit is that of `present`, `acts_at` and `whole`.
    pub quantity: TriggerQuantity,
    /// The cgroup in which it is measured; `None` for the machine.
    pub cgroup: Option<Arc<Text>>,
    /// The value at this sample; `None` where it cannot be read.
    pub present: Option<f64>,
    /// The threshold.
    pub acts_at: f64,
    /// On which side of the threshold the condition is met.
    pub side: TriggerSide,
    /// What 100 % are, where the killer compares shares.
    pub whole: Option<f64>,
}

impl TriggerLevel {
    /// Whether the condition is met; `None` where it cannot be seen.
    #[must_use]
    pub fn met(&self) -> Option<bool> {
        let present = self.present?;
        Some(match self.side {
            TriggerSide::AtMost => present <= self.acts_at,
            TriggerSide::Below => present < self.acts_at,
            TriggerSide::AtLeast => present >= self.acts_at,
            TriggerSide::Above => present > self.acts_at,
        })
    }

    /// How far the value is from its threshold; 0 where the condition is met.
    #[must_use]
    pub fn distance(&self) -> Option<f64> {
        let present = self.present?;
        let distance = match self.side {
            TriggerSide::AtMost | TriggerSide::Below => present - self.acts_at,
            TriggerSide::AtLeast | TriggerSide::Above => self.acts_at - present,
        };
        Some(distance.max(0.0))
    }

    /// A value of this quantity in percent: of the whole, or as it is measured. `None` for an amount that
    /// the killer does not compare with a whole.
    #[must_use]
    pub fn percent(&self, value: f64) -> Option<f64> {
        match (self.whole, self.quantity) {
            (Some(whole), _) if whole > 0.0 => Some(100.0 * value / whole),
            (Some(_), _) => Some(0.0),
            (None, TriggerQuantity::Pressure | TriggerQuantity::FreeMemory) => Some(value),
            (None, _) => None,
        }
    }
}

/// One rule by which a killer acts: when all of its conditions hold for long enough, it sends its signal.
#[derive(Clone, Debug, PartialEq)]
pub struct TriggerRule {
    /// What it sends.
    pub signal: Signal,
    /// The conditions, all of which must hold.
    pub levels: Vec<TriggerLevel>,
    /// For how long they must hold.
    pub lasting: Millis,
    /// For how long the killer does not act by this rule after it has acted.
    pub pause: Millis,
}

impl TriggerRule {
    /// Whether all conditions are met now; `None` where one cannot be seen and no other is unmet.
    #[must_use]
    pub fn met(&self) -> Option<bool> {
        let met = |met| self.levels.iter().any(|level| level.met() == met);
        if met(Some(false)) {
            Some(false)
        } else if met(None) {
            None
        } else {
            Some(true)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn level(present: Option<f64>, side: TriggerSide) -> TriggerLevel {
        TriggerLevel {
            quantity: TriggerQuantity::FreeSwap,
            cgroup: None,
            present,
            acts_at: 10.0,
            side,
            whole: Some(200.0),
        }
    }

    #[test]
    fn a_level_is_met_on_its_side_of_the_threshold() {
        let met = |value, side| level(Some(value), side).met();
        use TriggerSide::{Above, AtLeast, AtMost, Below};
        for (side, below, at, above) in [
            (AtMost, true, true, false),
            (Below, true, false, false),
            (AtLeast, false, true, true),
            (Above, false, false, true),
        ] {
            let all = [met(9.0, side), met(10.0, side), met(11.0, side)];
            assert_eq!(all, [Some(below), Some(at), Some(above)], "{side:?}");
        }
        assert_eq!(level(None, AtMost).met(), None);
    }

    #[test]
    fn the_distance_is_what_is_missing() {
        let level = level(Some(30.0), TriggerSide::AtMost);
        assert_eq!(level.distance(), Some(20.0));
        assert_eq!((level.percent(level.acts_at), level.percent(30.0)), (Some(5.0), Some(15.0)));
        let met = TriggerLevel { present: Some(3.0), ..level.clone() };
        assert_eq!(met.distance(), Some(0.0));
        let pressure = TriggerLevel {
            quantity: TriggerQuantity::Pressure,
            side: TriggerSide::Above,
            whole: None,
            ..met
        };
        assert_eq!((pressure.distance(), pressure.percent(3.0)), (Some(7.0), Some(3.0)));
    }

    #[test]
    fn a_rule_needs_all_of_its_levels() {
        let rule = |values: [Option<f64>; 2]| TriggerRule {
            signal: Signal::TERM,
            levels: values.map(|value| level(value, TriggerSide::AtMost)).to_vec(),
            lasting: Millis::ZERO,
            pause: Millis::ZERO,
        };
        assert_eq!(rule([Some(1.0), Some(10.0)]).met(), Some(true));
        assert_eq!(rule([Some(1.0), Some(11.0)]).met(), Some(false));
        assert_eq!(rule([None, Some(11.0)]).met(), Some(false));
        assert_eq!(rule([None, Some(1.0)]).met(), None);
    }
}
