//! The prompt on the bottom line.

use tui_input::Input;

use crate::model::ProcId;

/// What a prompt is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PromptKind {
    /// A search, which jumps while it is typed.
    Search,
    /// A filter, which applies while it is typed.
    Filter,
    /// The time between samples, in seconds.
    Delay,
    /// A time to go to.
    Time,
    /// How much more memory is needed.
    Fits,
}

/// A prompt.
#[derive(Clone, Debug)]
pub struct Prompt {
    /// What it is for.
    pub asking: PromptKind,
    /// The text.
    pub input: Input,
    /// Why the text is not valid.
    pub error: Option<String>,
    /// The process under the cursor before: Esc goes back to it.
    pub origin: Option<ProcId>,
}
