//! What a killer waits for before it acts.

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
