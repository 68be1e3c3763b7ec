//! A new version of the file of adj rules.

use std::sync::Arc;

use crate::policy::site::AdjRules;

/// A new version of the file.
#[derive(Clone, Debug)]
pub enum RulesUpdate {
    /// A valid version.
    Good {
        /// The name of the file, safe to print.
        file: String,
        /// The rules of the file.
        rules: Arc<AdjRules>,
    },
    /// An invalid version, and why, in one line.
    Bad(String),
}
