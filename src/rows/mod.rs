//! Which rows a table shows, in which order; and times as a user types them.

pub mod arrange;
pub mod filter;
pub mod time;
