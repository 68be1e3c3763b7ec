//! The page about one OOM event.

/// A page about one kill, scrolled so far.
#[derive(Clone, Debug, Default)]
pub struct IncidentPage {
    /// Of what it speaks.
    pub title: String,
    /// What there is to say, each with a label.
    pub lines: Vec<(&'static str, String)>,
    /// Lines that were scrolled off.
    pub scroll: u16,
}
