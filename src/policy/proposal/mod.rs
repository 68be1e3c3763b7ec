//! Rules that were proposed or are widely assumed, but that no kernel uses.

pub(crate) mod blame;
pub(crate) mod kill_parent;
pub(crate) mod panic;
pub(crate) mod rss;
pub(crate) mod sacrifice_signal;
pub(crate) mod security;
