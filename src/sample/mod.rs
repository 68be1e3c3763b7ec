//! EYES: `/proc` bytes to nouns. Says what is there, never what it means.
//!
//! The hot path ([`process::walk`], [`process::open_files`]) has its own byte parsers ([`parse`]) and allocates nothing
//! once warm; the few system-wide files go through the `procfs` crate's parsers. Everything is
//! opened relative to one directory descriptor ([`proc_root`]), so a test folder and the real `/proc`
//! are read by the same code. What may block ([`process::lookup`], [`process::detail`]) is apart, for a slow reader.

pub mod cgroup;
pub mod daemon;
pub(crate) mod file_buffer;
pub mod machine;
pub mod parse;
pub mod proc_root;
pub mod process;
pub(crate) mod regular_file;

use std::fmt;

/// A file of the proc tree that a look cannot do without, and what came of reading it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unreadable {
    /// The file or directory.
    pub what: String,
    /// The system's or the parser's words.
    pub why: String,
}

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cannot read {}: {}", self.what, self.why)
    }
}

impl std::error::Error for Unreadable {}
