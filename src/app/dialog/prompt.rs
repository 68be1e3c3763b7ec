//! The line that is typed at the bottom of the screen.

use tui_input::Input;

use crate::model::ProcId;

/// What is typed at the bottom line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PromptKind {
    /// A search, jumping as it is typed.
    Search,
    /// A filter, applied as it is typed.
    Filter,
    /// Seconds between refreshes.
    Delay,
    /// A time to look back to.
    Time,
}

/// A line being typed.
#[derive(Clone, Debug)]
pub struct Prompt {
    /// For what.
    pub asking: PromptKind,
    /// The line.
    pub input: Input,
    /// What is wrong with it.
    pub error: Option<String>,
    /// Where the cursor was before: Esc goes back.
    pub origin: Option<ProcId>,
}
