//! Effects that refuse every intent: for `--read-only`, and where the samples are not live.

use super::Effects;
use crate::intent::{Intent, Outcome, Refusal};

/// Refuses every intent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoEffects {
    /// Because of `--read-only`.
    ReadOnly,
    /// Because the samples come from a recording, a fixture or the demo.
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
