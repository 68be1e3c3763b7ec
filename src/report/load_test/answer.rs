//! What came of an expectation.

/// What came of an expectation.
#[derive(Clone, Debug, PartialEq)]
pub struct ExpectationAnswer {
    /// The expectation.
    pub expectation: String,
    /// Whether it is met; `None` where the quantity is not known.
    pub met: Option<bool>,
    /// The value as text, or why it is not known.
    pub shown: String,
    /// The value in bytes, seconds, or bytes a minute; infinite where a limit is never reached.
    pub value: Option<f64>,
}

impl ExpectationAnswer {
    /// Whether it is met. What is not known is not met.
    #[must_use]
    pub fn is_met(&self) -> bool {
        self.met == Some(true)
    }
}
