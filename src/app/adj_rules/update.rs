//! What became of the file of adj rules.

use std::sync::Arc;

use crate::policy::site::AdjRules;

/// What became of the file.
#[derive(Clone, Debug)]
pub enum RulesUpdate {
    /// A version that was understood.
    Good {
        /// The file's name, harmless.
        file: String,
        /// What it says.
        rules: Arc<AdjRules>,
    },
    /// A version that was not, in one line.
    Bad(String),
}
