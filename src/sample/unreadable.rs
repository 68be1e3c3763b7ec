//! The error of a file that a sample cannot do without.

use std::fmt;

/// A file of the proc tree that a sample cannot do without, and why it could not be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unreadable {
    /// The path of the file or directory.
    pub what: String,
    /// The error of the system or of the parser, as text.
    pub why: String,
}

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cannot read {}: {}", self.what, self.why)
    }
}

impl std::error::Error for Unreadable {}
