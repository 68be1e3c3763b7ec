//! Full-screen pages: journal, persistent settings, memory commitments.

pub mod commitments;
pub(crate) mod keys;
pub mod persist;
