//! A signalled process that has not exited yet.

use crate::model::{ProcId, Signal};
use crate::units::Millis;

/// A signalled process that is followed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PendingSignal {
    /// Who.
    pub who: ProcId,
    /// The name the user saw.
    pub name: String,
    /// What it got.
    pub signal: Signal,
    /// Since when.
    pub since: Millis,
    /// What is known of why it still stands.
    pub why: Option<String>,
}

/// So long the first victim is given before the next one is proposed (2.4 waited as long between two
/// kills, `mm/oom_kill.c` `out_of_memory`); then it counts as stuck.
pub const PATIENCE: Millis = Millis(5000);

impl PendingSignal {
    /// How long it may still take before it counts as stuck; nothing where it does already.
    #[must_use]
    pub fn patience(&self, now: Millis) -> Option<Millis> {
        let rest = PATIENCE.saturating_sub(now.saturating_sub(self.since));
        (self.why.is_none() && rest > Millis::ZERO).then_some(rest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::Millis;

    #[test]
    fn patience_ends_with_the_time_or_with_a_reason() {
        let mut pursuit = PendingSignal {
            who: ProcId::default(),
            name: "x".to_owned(),
            signal: Signal::TERM,
            since: Millis(1000),
            why: None,
        };
        assert_eq!(pursuit.patience(Millis(1000)), Some(Millis(5000)));
        assert_eq!(pursuit.patience(Millis(5999)), Some(Millis(1)));
        assert_eq!(pursuit.patience(Millis(6000)), None);
        pursuit.why = Some("it ignores SIGTERM".to_owned());
        assert_eq!(pursuit.patience(Millis(1000)), None);
    }
}
