//! The hands that do nothing: for `--read-only`, and where the screen shows no live machine.

use super::Effects;
use crate::intent::{Intent, Outcome, Refusal};

/// Refuses every wish, and says why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoEffects {
    /// doomtop runs with `--read-only`.
    ReadOnly,
    /// A recording, a fixture or a demonstration is on the screen.
    NotReal,
}

impl Effects for NoEffects {
    fn perform(&mut self, intent: Intent) -> Outcome {
        let refusal = match self {
            Self::ReadOnly => Refusal::ReadOnly,
            Self::NotReal => Refusal::NotReal,
        };
        Outcome::Refused { intent, refusal }
    }

    fn settle(&mut self) -> Vec<Outcome> {
        Vec::new()
    }

    fn pursuing(&self) -> bool {
        false
    }
}
