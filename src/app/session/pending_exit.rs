//! A signalled process that has not exited yet.

use std::sync::Arc;

use crate::model::{ProcId, Signal, Text};
use crate::units::{Bytes, Millis};

/// A signalled process that has not exited yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PendingSignal {
    /// The process.
    pub who: ProcId,
    /// The name the user saw.
    pub name: String,
    /// The signal that it got.
    pub signal: Signal,
    /// When it was signalled.
    pub since: Millis,
    /// Why it has not exited, as far as it is known.
    pub why: Option<String>,
}

/// What the cgroup of the scope used when one of its processes was signalled: compared with the first sample
/// without the process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CgroupReturn {
    /// The process.
    pub who: ProcId,
    /// The name the user saw.
    pub name: String,
    /// The cgroup.
    pub path: Arc<Text>,
    /// Its usage before the signal.
    pub before: Bytes,
    /// Whether the process has exited.
    pub exited: bool,
}

/// A signalled process that has not exited after this time counts as stuck, and the next sacrifice may follow
/// (2.4 waited as long between two kills, `mm/oom_kill.c` `out_of_memory`).
pub const PATIENCE: Millis = Millis(5000);

impl PendingSignal {
    /// The time until it counts as stuck; nothing where it does already.
    #[must_use]
    pub fn patience(&self, now: Millis) -> Option<Millis> {
        let rest = PATIENCE.saturating_sub(now.saturating_sub(self.since));
        (self.why.is_none() && rest > Millis::ZERO).then_some(rest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patience_ends_with_the_time_or_with_a_reason() {
        let mut pending = PendingSignal {
            who: ProcId::default(),
            name: "x".to_owned(),
            signal: Signal::TERM,
            since: Millis(1000),
            why: None,
        };
        assert_eq!(pending.patience(Millis(1000)), Some(Millis(5000)));
        assert_eq!(pending.patience(Millis(5999)), Some(Millis(1)));
        assert_eq!(pending.patience(Millis(6000)), None);
        pending.why = Some("it ignores SIGTERM".to_owned());
        assert_eq!(pending.patience(Millis(1000)), None);
    }
}
