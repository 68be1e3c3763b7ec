//! EYES: `/proc` bytes to nouns. Says what is there, never what it means.
//!
//! The hot path ([`walk`], [`kept`]) has its own byte parsers ([`parse`]) and allocates nothing
//! once warm; the few system-wide files go through the `procfs` crate's parsers. Everything is
//! opened relative to one directory descriptor ([`root`]), so a test folder and the real `/proc`
//! are read by the same code. What may block ([`detail`], [`study`]) is apart, for a slow reader.

pub mod cgroups;
pub mod detail;
mod file;
pub mod freezer;
pub mod host;
pub mod kept;
pub mod killers;
pub mod members;
pub mod parse;
mod plain;
pub mod powers;
pub mod root;
mod row;
pub mod service;
pub mod study;
pub mod system;
pub mod walk;
pub mod whereabouts;

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
