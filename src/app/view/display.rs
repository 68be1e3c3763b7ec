//! How much of the header is shown.

/// How much of the header is shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum HeaderLevel {
    /// As much as the height allows.
    #[default]
    Full,
    /// Without gauges.
    Small,
    /// One line.
    Line,
    /// None.
    Off,
}
