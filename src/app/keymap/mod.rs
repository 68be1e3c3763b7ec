//! The table of keys: which key does what, and where.

pub mod bindings;
pub(crate) mod key;
