//! Which rows a table shows, and in which order.

pub mod arrange;
pub mod filter;
