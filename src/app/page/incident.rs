//! The page about one OOM event.

/// The page about one OOM event.
#[derive(Clone, Debug, Default)]
pub struct IncidentPage {
    /// Its title: the killer and the victim.
    pub title: String,
    /// Its lines, each with a label.
    pub lines: Vec<(&'static str, String)>,
    /// Whether the policy chooses another process than the kernel did.
    pub differs: bool,
    /// Number of lines scrolled off.
    pub scroll: u16,
}
