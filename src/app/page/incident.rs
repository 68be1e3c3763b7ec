//! The page about one OOM event.

use crate::words::incident::line::IncidentLine;
use crate::words::remedy::Remedy;

/// The page about one OOM event.
#[derive(Clone, Debug, Default)]
pub struct IncidentPage {
    /// Its title: the killer and the victim.
    pub title: String,
    /// What is known.
    pub lines: Vec<IncidentLine>,
    /// What to change, the best first; a digit chooses one.
    pub remedies: Vec<Remedy>,
    /// Whether the policy chooses another process than the kernel did.
    pub differs: bool,
    /// Number of lines scrolled off.
    pub scroll: u16,
}
