//! Draws full-screen pages.

pub(crate) mod adj_rules;
pub(crate) mod bulk_result;
pub(crate) mod commitments;
pub(crate) mod help;
pub(crate) mod journal;
pub(crate) mod persist;
pub(crate) mod scroll;
