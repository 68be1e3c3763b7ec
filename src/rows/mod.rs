//! Which rows a table shows, in which order; and times and sizes as a user types them.

pub mod arrange;
pub mod filter;
pub mod size;
pub mod time;
