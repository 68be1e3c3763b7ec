//! The lines of an explanation, each with what it is about.

/// What a line of an explanation is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IncidentTopic {
    /// The time by the clock of this machine.
    Clock,
    /// Who was killed and why, in one sentence.
    Answer,
    /// The terms of the choice.
    Why,
    /// What the memory was used for.
    Memory,
    /// A zone of memory.
    Zone,
    /// The time as the log tells it, and where in the log the report is.
    When,
    /// The kind of OOM.
    What,
    /// The failed allocation.
    Asked,
    /// Usage and limits of the domain; without a report its path.
    Domain,
    /// A process that was killed, or why none was.
    Killed,
    /// Whether the rule agrees.
    Rule,
    /// What another adj would have changed.
    WhatIf,
    /// A fact that is missing, and what was assumed instead.
    Note,
    /// What to change, so that it does not happen again.
    Change,
    /// How to make that change.
    Command,
    /// What the forecast of the next death said before.
    Forecast,
    /// What the sample before predicted.
    Predicted,
    /// The cgroup of the victim.
    Cgroup,
    /// The line of a log.
    Said,
    /// How far the line can be trusted.
    Proof,
}

impl IncidentTopic {
    /// The label in front of the line.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Clock => "clock",
            Self::Answer => "answer",
            Self::Why => "why",
            Self::Memory => "memory",
            Self::Zone => "zone",
            Self::When => "when",
            Self::What => "what",
            Self::Asked => "asked",
            Self::Domain => "domain",
            Self::Killed => "killed",
            Self::Rule => "rule",
            Self::WhatIf => "what if",
            Self::Note => "note",
            Self::Change => "change",
            Self::Command => "",
            Self::Forecast => "forecast",
            Self::Predicted => "seen",
            Self::Cgroup => "cgroup",
            Self::Said => "said",
            Self::Proof => "proof",
        }
    }
}

/// A line of an explanation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IncidentLine {
    /// What it is about.
    pub topic: IncidentTopic,
    /// The text behind the label.
    pub text: String,
}

impl IncidentLine {
    /// A line.
    #[must_use]
    pub fn new(topic: IncidentTopic, text: impl Into<String>) -> Self {
        Self { topic, text: text.into() }
    }
}
